//! Runs the program as a user would, in folders of its own, and looks at what it leaves.
//!
//! The tests need the program: `cargo build -p commonhold` first, as `scripts/test` does.

mod api;
#[cfg(target_os = "linux")]
pub mod host;
pub mod router;
mod village;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

pub use api::Api;
pub use village::Village;

/// A community's words: how long people sleep.
pub const SLEEP: &str = r#"
[[table]]
name = "sleep"
[[table.column]]
name = "hours"
kind = "number"
min = 0
max = 24
decimals = 1
"#;

/// And how well.
pub const SLEEP_AND_QUALITY: &str = r#"
[[table]]
name = "sleep"
[[table.column]]
name = "hours"
kind = "number"
min = 0
max = 24
decimals = 1
[[table.column]]
name = "quality"
kind = "category"
words = ["good", "bad"]
"#;

/// A place to run the program in, with a temporary folder that nothing else uses.
pub struct Place {
    folder: TempDir,
}

/// What a run gave.
#[derive(Debug)]
pub struct Ran {
    /// The exit code.
    pub code: Option<i32>,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// The program, built beside the tests.
///
/// # Panics
///
/// When it has not been built.
pub fn program() -> PathBuf {
    beside("commonhold", "cargo build -p commonhold")
}

fn beside(name: &str, to_build: &str) -> PathBuf {
    let test = std::env::current_exe().expect("a test knows where it is");
    let folder = test.ancestors().nth(2).expect("tests live in deps");
    let program = folder.join(name);
    assert!(
        program.exists(),
        "there is no {}; run: {to_build}",
        program.display()
    );
    program
}

impl Place {
    /// A fresh place.
    ///
    /// # Panics
    ///
    /// When no folder can be made.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::create_dir(folder.path().join("tmp")).expect("a folder in it");
        Self { folder }
    }

    /// A path in here.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The program, to be run in here.
    pub fn command<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("TMPDIR", self.path("tmp"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Ran {
        let output = self.command(arguments).output();
        Ran::of(output.expect("the program starts"))
    }

    /// Starts the program.
    ///
    /// # Panics
    ///
    /// When it cannot be started.
    pub fn start<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Child {
        self.command(arguments).spawn().expect("the program starts")
    }

    /// Nodes' processes that were started from here and still run.
    pub fn nodes(&self) -> usize {
        let temporary = self.path("tmp");
        let processes = fs::read_dir("/proc").expect("the system tells its processes");
        processes
            .flatten()
            .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
            .filter(|line| {
                let line = String::from_utf8_lossy(line);
                line.contains("demo-node") && line.contains(&*temporary.to_string_lossy())
            })
            .count()
    }

    /// Fails unless no process and no temporary file is left.
    ///
    /// # Panics
    ///
    /// When something is left.
    pub fn assert_clean(&self) {
        self.assert_no_nodes();
        let left: Vec<_> = list(&self.path("tmp"));
        assert!(left.is_empty(), "left behind: {left:?}");
    }

    /// Fails unless all nodes end within half a minute.
    ///
    /// # Panics
    ///
    /// When some still run.
    pub fn assert_no_nodes(&self) {
        for _ in 0..600 {
            if self.nodes() == 0 {
                return;
            }
            sleep(Duration::from_millis(50));
        }
        panic!("{} nodes still run", self.nodes());
    }
}

impl Default for Place {
    fn default() -> Self {
        Self::new()
    }
}

impl Ran {
    /// From what a process left.
    pub fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Standard output as JSON.
    ///
    /// # Panics
    ///
    /// When it is none.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|why| panic!("{why} in {self:?}"))
    }
}

/// Runs a command in a network of its own. As nobody in particular: a tcpdump that finds itself root tries to become somebody
/// else, which a user namespace forbids.
pub fn isolated(arguments: &[&str]) -> Command {
    let mut command = Command::new("unshare");
    let user = ["--map-user=1000", "--map-group=1000", "--keep-caps"];
    command
        .args(["--user", "--net"])
        .args(user)
        .args(arguments)
        .stdin(Stdio::null());
    command
}

/// What there is in the end.
///
/// # Panics
///
/// When it is not there in time.
#[expect(
    clippy::disallowed_methods,
    reason = "processes are waited for in real time"
)]
pub fn eventually<T>(what: &str, within: Duration, mut so: impl FnMut() -> Option<T>) -> T {
    let began = std::time::Instant::now();
    loop {
        if let Some(found) = so() {
            return found;
        }
        assert!(began.elapsed() < within, "not in time: {what}");
        sleep(Duration::from_millis(25));
    }
}

/// Names in a folder.
pub fn list(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect()
}
