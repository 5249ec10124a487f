//! An authority at its desk: everything by files.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::said;

/// An account with one community in it.
struct Desk {
    account: TempDir,
}

impl Desk {
    fn found(arguments: &[&str]) -> Self {
        let account = tempfile::tempdir().expect("a folder");
        let desk = Self { account };
        desk.done(&[&["create", "Gardeners"], arguments].concat());
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.account.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_commonhold"));
        command
            .arg("community")
            .args(arguments)
            .current_dir(self.account.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("COMMONHOLD_PASSPHRASE", "correct horse battery");
        command.output().expect("it runs")
    }

    /// What a command prints that does what it should.
    fn done(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert!(output.status.success(), "{arguments:?}: {}", said(&output));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    /// What a command says that fails.
    fn refused(&self, code: i32, arguments: &[&str]) -> String {
        let output = self.run(arguments);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {output:?}"
        );
        said(&output)
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let told = self.done(&[arguments, &["--json"]].concat());
        serde_json::from_str(&told).expect("JSON")
    }

    /// Somebody asks to be let in; its node.
    fn asks(&self, name: &str, ticket: &str) -> String {
        let request = format!("{name}.request");
        let joining = ["join", ticket, "--offline", &request, "--dir", name];
        let told = self.json(&joining);
        told["node"].as_str().expect("a node").to_owned()
    }

    fn certify(&self, name: &str) -> Output {
        let (request, answer) = (format!("{name}.request"), format!("{name}.answer"));
        self.run(&["certify", &request, "--out", &answer])
    }

    /// A new member; its node.
    fn member(&self, name: &str) -> String {
        let node = self.asks(name, &self.done(&["invite"]));
        let certified = self.certify(name);
        assert!(certified.status.success(), "{}", said(&certified));
        node
    }
}

#[test]
fn a_lost_node_is_replaced_once_and_the_log_says_by_whom() {
    let desk = Desk::found(&["--nodes", "13"]);
    let lost = desk.member("lost");
    let tickets = [0; 2].map(|_| desk.done(&["invite", "--replaces", &lost]));
    let new = desk.asks("new", &tickets[0]);
    desk.asks("second", &tickets[1]);
    assert!(desk.certify("new").status.success());
    let second = desk.certify("second");
    assert_eq!(second.status.code(), Some(4));
    assert!(said(&second).contains("replaced already"), "{second:?}");
    let third = desk.refused(4, &["invite", "--replaces", &lost]);
    assert!(third.contains(&format!("replaced by {new}")), "{third}");
    let log = desk.done(&["log"]);
    assert!(log.contains(&format!("follows {lost:.8}")), "{log}");
    assert!(!log.contains("warning"), "{log}");
}
