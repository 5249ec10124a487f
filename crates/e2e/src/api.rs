//! A running node's own API, spoken to as any script could.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::mpsc::Sender;
use std::thread;
use std::time::Duration;

use serde_json::Value;

/// For a node to answer.
const WITHIN: Duration = Duration::from_secs(30);

/// Where a node's API is, and what it wants to hear first.
#[derive(Debug, Clone)]
pub struct Api {
    address: String,
    token: String,
}

impl Api {
    /// Of the node that runs in this folder.
    ///
    /// # Panics
    ///
    /// When none has ever run there.
    pub fn of(folder: &Path) -> Self {
        let read = |name: &str| {
            let text = fs::read_to_string(folder.join(name));
            text.expect("a node has started here").trim().to_owned()
        };
        Self {
            address: read("api.address"),
            token: read("api.token"),
        }
    }

    /// Asks; the status code with what was answered, or nothing when nobody is there.
    pub fn call(&self, method: &str, path: &str, body: Option<&Value>) -> Option<(u16, Value)> {
        let mut stream = self.request(method, path, body)?;
        let mut all = Vec::new();
        stream.read_to_end(&mut all).ok()?;
        let text = String::from_utf8_lossy(&all);
        let (head, body) = text.split_once("\r\n\r\n")?;
        let code = head.split(' ').nth(1)?.parse().ok()?;
        Some((code, serde_json::from_str(body).unwrap_or_default()))
    }

    /// What is at this path; nothing when nobody is there.
    ///
    /// # Panics
    ///
    /// When it is refused.
    pub fn get(&self, path: &str) -> Option<Value> {
        let (code, value) = self.call("GET", path, None)?;
        assert_eq!(code, 200, "{path}: {value}");
        Some(value)
    }

    /// Hands on what the node says, with a number, from now on until it ends.
    ///
    /// # Panics
    ///
    /// When the node does not run.
    pub fn listen(&self, number: usize, to: Sender<(usize, Value)>) {
        let stream = self.request("GET", "/v1/events", None);
        let mut lines = BufReader::new(stream.expect("the node runs")).lines();
        // The head comes at once: whatever happens after it is heard.
        let began = lines.next().and_then(Result::ok).unwrap_or_default();
        assert!(began.contains("200"), "{began}");
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                let data = line.strip_prefix("data:").map(str::trim);
                if let Some(event) = data.and_then(|data| serde_json::from_str(data).ok())
                    && to.send((number, event)).is_err()
                {
                    return;
                }
            }
        });
    }

    fn request(&self, method: &str, path: &str, body: Option<&Value>) -> Option<TcpStream> {
        let mut stream = TcpStream::connect(&self.address).ok()?;
        // Between events it may be silent for long.
        let patience = Some(WITHIN).filter(|_| path != "/v1/events");
        stream.set_read_timeout(patience).ok()?;
        let body = body.map(ToString::to_string).unwrap_or_default();
        let Self { address, token } = self;
        let length = body.len();
        let text = format!(
            "{method} {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\nConnection: close\r\n\
             Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(text.as_bytes()).ok()?;
        Some(stream)
    }
}
