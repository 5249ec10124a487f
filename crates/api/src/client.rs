//! The other end: what the command line uses.

use std::net::SocketAddr;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, HeaderMap, LINK};
use hyper::{Method, Response};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::fault::Fault;
use crate::token::Token;
use crate::words::{
    Beginning, Budget, Checked, ConsentLog, ConsentRule, Decision, Doctor, Event, Helping,
    Holdings, Import, InboxEntry, Limit, NewBudget, NewDefault, NewQuestion, NewRule, PageCode,
    Preview, ProfileField, Published, Question, Revoke, Revoked, Rule, Rules, Status, Table, Word,
};

/// Longest response that is read: a thousand questions with their answers.
const RESPONSE_BYTES_MAX: usize = 64 << 20;
/// Longest line of an event.
const LINE_BYTES_MAX: usize = 64 << 10;
/// For a connection to this machine itself.
const CONNECT_WITHIN: Duration = Duration::from_secs(2);
/// For a response: longer than the server gives itself.
const RESPONSE_WITHIN: Duration = Duration::from_secs(40);

/// Speaks to one node on this machine.
#[derive(Debug, Clone)]
pub struct Client {
    address: SocketAddr,
    token: Token,
}

/// Why nothing came back.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClientError {
    /// Nobody listens.
    #[error("no node is running here: {0}")]
    NotRunning(String),
    /// It said no.
    #[error("{}; {}", .0.error, .0.what_to_do)]
    Refused(Fault),
    /// It said nothing.
    #[error("the node did not reply in time; see its log")]
    TimedOut,
    /// It said something else.
    #[error(
        "what listens at {0} does not speak like a node: {1}; is another program using its port?"
    )]
    Strange(SocketAddr, String),
}

impl Client {
    /// For the node whose API is at this address.
    pub fn new(address: SocketAddr, token: Token) -> Self {
        Self { address, token }
    }

    /// How far is its owner with the first steps? Unlike most else, it is known before the node belongs to a community.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn beginning(&self) -> Result<Beginning, ClientError> {
        self.get("/v1/beginning").await
    }

    /// How is it?
    ///
    /// # Errors
    ///
    /// See [`ClientError`], here and below.
    pub async fn status(&self) -> Result<Status, ClientError> {
        self.get("/v1/status").await
    }

    /// Stop it.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn shutdown(&self) -> Result<(), ClientError> {
        self.bytes(Method::POST, "/v1/shutdown", None).await?;
        Ok(())
    }

    /// Have it tell the others that it goes, and stop it.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn leave(&self) -> Result<(), ClientError> {
        self.bytes(Method::POST, "/v1/leave", None).await?;
        Ok(())
    }

    /// Put a question.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn ask(&self, new: &NewQuestion) -> Result<Question, ClientError> {
        self.send(Method::POST, "/v1/questions", new).await
    }

    /// All questions that it put.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn questions(&self) -> Result<Vec<Question>, ClientError> {
        self.all("/v1/questions").await
    }

    /// One of them.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn question(&self, id: &str) -> Result<Question, ClientError> {
        self.get(&format!("/v1/questions/{}", segment(id))).await
    }

    /// Take it back.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn cancel(&self, id: &str) -> Result<Question, ClientError> {
        let path = format!("/v1/questions/{}/cancel", segment(id));
        let bytes = self.bytes(Method::POST, &path, None).await?;
        self.read(&bytes)
    }

    /// Show its answer to the whole community.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn publish(&self, id: &str) -> Result<Question, ClientError> {
        let path = format!("/v1/questions/{}/publish", segment(id));
        let bytes = self.bytes(Method::POST, &path, None).await?;
        self.read(&bytes)
    }

    /// Published answers.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn published(&self) -> Result<Vec<Published>, ClientError> {
        self.all("/v1/published").await
    }

    /// What the node does for others' questions.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn helping(&self) -> Result<Vec<Helping>, ClientError> {
        self.all("/v1/helping").await
    }

    /// Its proof file, or that of a published answer.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn proof(&self, id: &str) -> Result<Vec<u8>, ClientError> {
        let path = format!("/v1/questions/{}/proof", segment(id));
        Ok(self.bytes(Method::GET, &path, None).await?.into())
    }

    /// Questions that came from others.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn inbox(&self) -> Result<Vec<InboxEntry>, ClientError> {
        self.all("/v1/inbox").await
    }

    /// The owner's word on one of them.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn decide(&self, id: &str, answer: Word) -> Result<InboxEntry, ClientError> {
        let path = format!("/v1/inbox/{}", segment(id));
        self.send(Method::POST, &path, &Decision { answer }).await
    }

    /// What is answered without asking the owner.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn rules(&self) -> Result<Rules, ClientError> {
        self.get("/v1/rules").await
    }

    /// This as well.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn add_rule(&self, new: &NewRule) -> Result<Rule, ClientError> {
        self.send(Method::POST, "/v1/rules", new).await
    }

    /// The rule with this number no longer.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn remove_rule(&self, number: u32) -> Result<Rules, ClientError> {
        let path = format!("/v1/rules/{number}");
        let bytes = self.bytes(Method::DELETE, &path, None).await?;
        self.read(&bytes)
    }

    /// This to all questions that no rule is about.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn set_default(&self, says: ConsentRule) -> Result<Rules, ClientError> {
        let new = NewDefault { says };
        self.send(Method::PUT, "/v1/rules/default", &new).await
    }

    /// How many questions the owner's data go into.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn budget(&self) -> Result<Budget, ClientError> {
        self.get("/v1/budget").await
    }

    /// From now on so many; none for any number.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn set_budget(&self, limit: Option<Limit>) -> Result<Budget, ClientError> {
        let new = NewBudget { limit };
        self.send(Method::PUT, "/v1/budget", &new).await
    }

    /// The latest thousand entries of the consent log, or a thousand from this number on.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn consent_log(&self, from: Option<u64>) -> Result<ConsentLog, ClientError> {
        match from {
            None => self.get("/v1/consent").await,
            Some(from) => self.get(&format!("/v1/consent?from={from}")).await,
        }
    }

    /// Take consent back.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn revoke(&self, revoke: &Revoke) -> Result<Revoked, ClientError> {
        self.send(Method::POST, "/v1/consent/revoke", revoke).await
    }

    /// What is wrong with it?
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn doctor(&self) -> Result<Doctor, ClientError> {
        self.get("/v1/doctor").await
    }

    /// Which tables may questions be about?
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn vocabulary(&self) -> Result<Vec<Table>, ClientError> {
        self.get("/v1/vocabulary").await
    }

    /// What would the owner's data say to this question of the inbox?
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn preview(&self, id: &str) -> Result<Preview, ClientError> {
        self.get(&format!("/v1/inbox/{}/preview", segment(id)))
            .await
    }

    /// Does the proof of this answer hold?
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn check(&self, id: &str) -> Result<Checked, ClientError> {
        let path = format!("/v1/questions/{}/check", segment(id));
        self.get(&path).await
    }

    /// What does its vault hold?
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn holdings(&self) -> Result<Holdings, ClientError> {
        self.get("/v1/data").await
    }

    /// What can the owner's profile say, and what does it?
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn profile(&self) -> Result<Vec<ProfileField>, ClientError> {
        self.get("/v1/data/profile").await
    }

    /// What was imported into it.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn imports(&self) -> Result<Vec<Import>, ClientError> {
        self.all("/v1/data/imports").await
    }

    /// The address that opens its page, once, and for how many seconds from now.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn page(&self) -> Result<(String, u64), ClientError> {
        let bytes = self.bytes(Method::POST, "/v1/page/codes", None).await?;
        let PageCode { code, within_secs } = self.read(&bytes)?;
        // Browsers send nobody what stands after the number sign.
        Ok((format!("http://{}/#code={code}", self.address), within_secs))
    }

    /// What happens from now on.
    ///
    /// # Errors
    ///
    /// See [`ClientError`].
    pub async fn events(&self) -> Result<Events, ClientError> {
        let response = self.request(Method::GET, "/v1/events", None).await?;
        Ok(Events {
            body: response.into_body(),
            read: Vec::new(),
        })
    }

    /// A list, part after part.
    async fn all<T: DeserializeOwned>(&self, path: &str) -> Result<Vec<T>, ClientError> {
        let mut list = Vec::new();
        let mut next = Some(format!("{path}?limit=1000"));
        while let Some(path) = next {
            let response = self.request(Method::GET, &path, None).await?;
            next = after(response.headers());
            let bytes = self.whole(response).await?;
            list.append(&mut self.read(&bytes)?);
        }
        Ok(list)
    }

    async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ClientError> {
        let bytes = self.bytes(Method::GET, path, None).await?;
        self.read(&bytes)
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let body = serde_json::to_vec(body).expect("what is sent is plain data");
        let bytes = self.bytes(method, path, Some(body)).await?;
        self.read(&bytes)
    }

    fn read<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, ClientError> {
        serde_json::from_slice(bytes).map_err(|why| self.strange(why))
    }

    async fn bytes(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Bytes, ClientError> {
        let response = self.request(method, path, body).await?;
        self.whole(response).await
    }

    async fn whole(&self, response: Response<Incoming>) -> Result<Bytes, ClientError> {
        let body = Limited::new(response.into_body(), RESPONSE_BYTES_MAX).collect();
        match timeout(RESPONSE_WITHIN, body).await {
            Ok(Ok(body)) => Ok(body.to_bytes()),
            Ok(Err(why)) => Err(self.strange(why)),
            Err(_) => Err(ClientError::TimedOut),
        }
    }

    /// One connection per request: they are few, and a node that stops leaves none half open.
    async fn request(
        &self,
        method: Method,
        path: &str,
        body: Option<Vec<u8>>,
    ) -> Result<Response<Incoming>, ClientError> {
        let stream = match timeout(CONNECT_WITHIN, TcpStream::connect(self.address)).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(why)) => return Err(ClientError::NotRunning(why.to_string())),
            Err(_) => return Err(ClientError::TimedOut),
        };
        let exchange = async {
            let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
            // It ends with the response's body.
            tokio::spawn(async move { drop(connection.await) });
            let mut request = hyper::Request::builder()
                .method(method)
                .uri(path)
                .header(HOST, self.address.to_string())
                .header(AUTHORIZATION, format!("Bearer {}", self.token.as_str()));
            if body.is_some() {
                request = request.header(CONTENT_TYPE, "application/json");
            }
            let request = request
                .body(Full::new(Bytes::from(body.unwrap_or_default())))
                .expect("the path has no sign that a path cannot have");
            sender.send_request(request).await
        };
        let response = match timeout(RESPONSE_WITHIN, exchange).await {
            Ok(Ok(response)) => response,
            Ok(Err(why)) => return Err(self.strange(why)),
            Err(_) => return Err(ClientError::TimedOut),
        };
        if response.status().is_success() {
            return Ok(response);
        }
        let fault = self.read(&self.whole(response).await?)?;
        Err(ClientError::Refused(fault))
    }

    fn strange(&self, why: impl ToString) -> ClientError {
        ClientError::Strange(self.address, why.to_string())
    }
}

/// What happens at a node, one after the other.
#[derive(Debug)]
pub struct Events {
    body: Incoming,
    read: Vec<u8>,
}

impl Events {
    /// The next; none when the node stops.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            while let Some(end) = self.read.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.read.drain(..=end).collect();
                let data = line.strip_prefix(b"data:");
                if let Some(event) = data.and_then(|data| serde_json::from_slice(data).ok()) {
                    return Some(event);
                }
            }
            let frame = self.body.frame().await?.ok()?;
            self.read.extend_from_slice(frame.data_ref()?);
            if self.read.len() > LINE_BYTES_MAX {
                return None;
            }
        }
    }
}

/// The path of the next part of a list, if there is one.
fn after(headers: &HeaderMap) -> Option<String> {
    let link = headers.get(LINK)?.to_str().ok()?;
    let path = link.strip_prefix('<')?.strip_suffix(">; rel=\"next\"")?;
    Some(path.to_owned())
}

/// What was typed as one segment of a path: a sign that means something in a path stands for itself.
fn segment(typed: &str) -> String {
    let mut segment = String::with_capacity(typed.len());
    for byte in typed.bytes() {
        if byte.is_ascii_alphanumeric() {
            segment.push(byte.into());
        } else {
            segment.push_str(&format!("%{byte:02X}"));
        }
    }
    segment
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_stays_one_segment() {
        assert_eq!(segment("09afAF"), "09afAF");
        assert_eq!(segment("../v1?x#y z"), "%2E%2E%2Fv1%3Fx%23y%20z");
    }
}
