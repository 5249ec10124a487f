//! Nodes in folders of a test's own, and the program run on them.

#[path = "../../src/files.rs"]
mod files;
#[path = "../../src/home.rs"]
#[expect(dead_code, reason = "the program uses more of it")]
mod home;
#[path = "../../src/passphrase.rs"]
#[expect(dead_code, reason = "the program uses more of it")]
mod passphrase;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;

use base::{Duration, NodeId};
use community::{Descriptor, Identity, SignedDescriptor, Table, Terms, draw_keys, enrol};
use crypto::{Rights, SigningKey};
pub use home::{Home, system_rng};
use serde_json::Value;
use vault::propose;

/// For anything that a node does.
const WITHIN: Duration = Duration::from_secs(60);

/// A community on this machine.
pub struct Village {
    folder: tempfile::TempDir,
    /// Who lives in it, the asker first.
    pub nodes: Vec<NodeId>,
}

impl Village {
    /// One asker without data and a person for each record of `csv`, whose first column tells them apart.
    pub fn found(csv: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let rng = &mut system_rng();
        let authority = SigningKey::generate(rng);
        let table = propose(csv.as_bytes(), "people").expect("a table").table;
        let people = csv.lines().count() as u64 - 1;
        // No smaller community keeps a secret.
        let descriptor = descriptor(&authority, (people + 1).max(13), table.clone());
        let signed = SignedDescriptor::sign(&descriptor, &authority).expect("signed");
        let mut nodes = Vec::new();
        let header = csv.lines().next().expect("a header");
        for (place, record) in csv.lines().enumerate() {
            let (key, vrf, request) = draw_keys(&descriptor.community, rng);
            let now = net::Clock::start().now();
            let terms = Terms {
                rights: Rights { ask: place == 0 },
                valid_from: now - Duration::from_secs(3600),
                valid_until: now + Duration::from_secs(30 * 86_400),
            };
            let certificate =
                enrol(&authority, &descriptor, &request, terms, rng).expect("certified");
            let identity = Identity {
                key,
                vrf,
                certificate,
            };
            nodes.push(identity.node());
            let home = Home::at(&folder.path().join(place.to_string()));
            let mut vault = home.found(&identity, &signed, rng).expect("founded");
            if place > 0 {
                let data = format!("{header}\n{record}\n");
                vault::import_csv(&mut vault, data.as_bytes(), &table, None).expect("imported");
            }
        }
        Self { folder, nodes }
    }

    /// Whose folder.
    pub fn home(&self, place: usize) -> PathBuf {
        self.folder.path().join(place.to_string())
    }

    /// The program, without anything of the account that runs the test.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_commonhold"));
        command
            .args(arguments)
            .env("XDG_CONFIG_HOME", self.folder.path().join("config"))
            .env("XDG_DATA_HOME", self.folder.path().join("data"))
            .env("COMMONHOLD_LISTEN", "127.0.0.1:0")
            .stdin(Stdio::null());
        command
    }

    /// Runs the program on a node, to its end.
    pub fn run(&self, place: usize, arguments: &[&str]) -> Output {
        let mut command = self.command(arguments);
        command.arg("--dir").arg(self.home(place));
        command.output().expect("it runs")
    }

    /// Runs the program on a node, and reads the JSON that it prints.
    pub fn json(&self, place: usize, arguments: &[&str]) -> Value {
        let output = self.run(place, &[arguments, &["--json"]].concat());
        let text = String::from_utf8_lossy(&output.stdout);
        serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {output:?}"))
    }

    /// Starts a node, and waits until it answers.
    pub fn up(&self, place: usize, environment: &[(&str, &str)]) -> Running {
        let log = fs::File::create(self.home(place).join("stderr")).expect("a file");
        let mut command = self.command(&["up", "--dir"]);
        command.arg(self.home(place)).stderr(log);
        command.envs(environment.iter().copied());
        let mut process = command.spawn().expect("it starts");
        eventually("a node starts", || {
            let ended = process.try_wait().expect("looked at");
            assert!(ended.is_none(), "it ended: {}", self.log(place));
            self.run(place, &["status"]).status.success()
        });
        Running { process }
    }

    /// What a node has said.
    pub fn log(&self, place: usize) -> String {
        fs::read_to_string(self.home(place).join("stderr")).unwrap_or_default()
    }
}

/// A process that ends with the test.
pub struct Running {
    process: Child,
}

impl From<Child> for Running {
    fn from(process: Child) -> Self {
        Self { process }
    }
}

impl Running {
    /// Its number.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Waits for its end; gives its exit code.
    pub fn end(&mut self) -> Option<i32> {
        let mut code = None;
        eventually("a node stops", || {
            code = self.process.try_wait().expect("looked at");
            code.is_some()
        });
        code.and_then(|code| code.code())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

/// Waits until something is so.
pub fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let clock = net::Clock::start();
    let began = clock.now();
    while !so() {
        let waited = clock.now().since(began);
        assert!(waited < WITHIN, "not within a minute: {what}");
        sleep(Duration::from_millis(100));
    }
}

/// What a program says on standard error.
pub fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Damages a node's keys.
pub fn damage(home: &Path) {
    fs::write(home.join("keys.cbor"), b"no keys").expect("written");
}

fn descriptor(authority: &SigningKey, nodes: u64, table: Table) -> Descriptor {
    Descriptor {
        min_crowd: 4,
        vocabulary: vec![table],
        ..Descriptor::founding("village", authority.node(), nodes)
    }
}
