//! An authority at its desk: everything by files.

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::common::{Running, eventually, said};

/// An account with one community in it.
struct Desk {
    account: TempDir,
    /// Its folder.
    authority: PathBuf,
}

impl Desk {
    fn found(arguments: &[&str]) -> Self {
        let account = tempfile::tempdir().expect("a folder");
        let authority = PathBuf::new();
        let mut desk = Self { account, authority };
        let founded = desk.json(&[&["create", "Gardeners"], arguments].concat());
        desk.authority = founded["folder"].as_str().expect("a path").into();
        desk
    }

    fn path(&self, name: &str) -> PathBuf {
        self.account.path().join(name)
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_commonhold"));
        command
            .args(arguments)
            .current_dir(self.account.path())
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_DATA_HOME", self.path("data"))
            .env("COMMONHOLD_LISTEN", "127.0.0.1:0")
            .env("COMMONHOLD_PASSPHRASE", "correct horse battery")
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        let mut command = self.command(&["community"]);
        command.args(arguments).output().expect("it runs")
    }

    /// Has somebody's node let people in; once it answers, whom and where a ticket is to name.
    fn enrols(&self, name: &str) -> (Running, String) {
        let mut command = self.command(&["up", "--dir", name, "--enrol"]);
        let log = File::create(self.path("stderr")).expect("a file");
        let process = command.stderr(log).spawn().expect("it starts");
        let running = Running::from(process);
        let mut status = Value::Null;
        eventually("a node starts", || {
            status = self.status(name);
            status.is_object()
        });
        let word = |name: &str| status[name].as_str().expect("a word").to_owned();
        (running, format!("{}@{}", word("node"), word("listens")))
    }

    fn status(&self, name: &str) -> Value {
        let output = self.command(&["status", "--json", "--dir", name]).output();
        let output = output.expect("it runs");
        match output.status.success() {
            true => serde_json::from_slice(&output.stdout).expect("JSON"),
            false => Value::Null,
        }
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
fn who_founds_a_community_lives_in_it_first_and_then_lets_others_in() {
    let desk = Desk::found(&["--nodes", "13"]);
    let invited = desk.run(&["invite"]);
    let advice = format!("up --detach --enrol {}", desk.authority.display());
    assert!(said(&invited).contains(&advice), "{}", said(&invited));
    let ticket = String::from_utf8(invited.stdout).expect("a ticket");
    let first = desk.json(&["join", ticket.trim()]);
    let again = desk.refused(4, &["join", ticket.trim(), "--dir", "second"]);
    assert!(again.contains("as often as it may be"), "{again}");

    let (_running, door) = desk.enrols(first["folder"].as_str().expect("a path"));
    let invited = desk.run(&["invite"]);
    assert!(
        said(&invited).contains(&format!("its holders ask {door}")),
        "{}",
        said(&invited)
    );
    let ticket = String::from_utf8(invited.stdout).expect("a ticket");
    let second = desk.json(&["join", ticket.trim(), "--dir", "second"]);
    assert_ne!(first["node"], second["node"]);
    assert_eq!(second["name"], "Gardeners");
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

/// A certificate that is issued counts, wherever it was to be written.
#[test]
fn nothing_is_issued_that_cannot_be_written() {
    let desk = Desk::found(&["--nodes", "13"]);
    let node = desk.member("first");
    let said = desk.refused(1, &["renew", &node, "--out", "nowhere/answer"]);
    assert!(said.contains("there is no folder nowhere"), "{said}");
    desk.asks("second", &desk.done(&["invite"]));
    desk.refused(1, &["certify", "second.request", "--out", "nowhere/answer"]);
    let log = desk.json(&["log"]);
    assert_eq!(log["entries"].as_array().expect("a list").len(), 1);
}

#[test]
fn a_ticket_for_more_people_than_the_community_is_made_for_is_told() {
    let desk = Desk::found(&["--nodes", "13"]);
    let many = desk.run(&["invite", "--uses", "30"]);
    assert!(many.status.success() && said(&many).contains("amend --nodes"));
    assert_eq!(String::from_utf8_lossy(&many.stdout).lines().count(), 1);
    let few = desk.run(&["invite", "--uses", "13"]);
    assert!(few.status.success() && !said(&few).contains("warning"));
    let warning = desk.json(&["invite", "--uses", "14"])["warning"].clone();
    assert!(warning.is_string(), "{warning}");
}

/// What one key certified ends with it, and nothing else.
#[test]
fn a_rotation_says_whose_certificates_end() {
    let desk = Desk::found(&["--nodes", "13"]);
    let first = desk.member("first");
    let founder = desk.json(&["show"])["authority"].to_string();
    let told = desk.done(&["rotate"]);
    assert!(
        told.contains("runs out; nodes in force by it: 1."),
        "{told}"
    );
    let second = desk.member("second");
    let told = desk.done(&["rotate", "--distrust-old"]);
    assert!(told.contains("until now: 1."), "{told}");
    assert!(told.contains(&format!("\n  {second}\n")), "{told}");
    assert!(!told.contains(&first), "{told}");
    let stays = format!("which stay on the list ({}): 1.", &founder[1..9]);
    assert!(told.contains(&stays), "{told}");
    desk.done(&["renew", &second, "--out", "renewed"]);

    let told = desk.json(&["rotate", "--distrust-old"]);
    assert_eq!(told["certificates_lost"], serde_json::json!([second]));
    let told = desk.done(&["rotate", "--distrust-old"]);
    assert!(told.contains("until now: 0."), "{told}");
}

/// The key that lets people in is another one, and then one that counts no longer, while a node goes on with it.
#[test]
fn a_node_lets_people_in_by_the_key_that_counts() {
    let desk = Desk::found(&["--nodes", "13"]);
    desk.member("host");
    desk.done(&["install", "host.answer", "--dir", "host"]);
    let (_running, member) = desk.enrols("host");
    let issuer = |name: &str| {
        let invite = ["invite", "--member", &member, "--expires", "1d"];
        let node = desk.json(&["join", &desk.done(&invite), "--dir", name])["node"].clone();
        let log = desk.json(&["log"]);
        let entries = log["entries"].as_array().expect("a list").iter();
        let mut of_node = entries.filter(|entry| entry["node"] == node);
        of_node.next().expect("it is logged")["issuer"].clone()
    };
    let authority = |told: &Value| told["authority"].clone();
    let second = authority(&desk.json(&["rotate"]));
    assert_eq!(issuer("first"), second);
    // Its own certificate is by the founder's key, which stays on the list.
    let third = authority(&desk.json(&["rotate", "--distrust-old"]));
    assert_eq!(issuer("second"), third);
    assert!(!problems(&desk, "host").contains("enrol"));

    let file = desk.path("passphrase");
    fs::write(&file, "wrong horse battery").expect("written");
    let rotate = [
        "rotate",
        "--distrust-old",
        "--new-passphrase-file",
        "passphrase",
    ];
    desk.done(&rotate);
    eventually("the node says what to do", || {
        problems(&desk, "host").contains("up --enrol")
    });
}

/// What is typed is handed on to the process that stays, and is not kept there.
#[test]
fn a_passphrase_that_is_typed_unlocks_the_key_of_a_node_that_is_detached() {
    let desk = Desk::found(&["--nodes", "13"]);
    let home = desk.json(&["join", &desk.done(&["invite"])])["folder"].clone();
    let home = home.as_str().expect("a path");
    let up = |typed: &str| {
        let mut command = desk.command(&["up", "--detach", "--enrol", "--passphrase-file", "-"]);
        command.env_remove("COMMONHOLD_PASSPHRASE");
        let pipes = command.stdin(Stdio::piped()).stdout(Stdio::piped());
        pipes.stderr(Stdio::piped());
        let mut process = command.spawn().expect("it starts");
        let mut pipe = process.stdin.take().expect("a pipe");
        pipe.write_all(typed.as_bytes()).expect("taken");
        drop(pipe);
        process.wait_with_output().expect("it ends")
    };
    let wrong = up("wrong horse battery\n");
    assert!(
        said(&wrong).contains("wrong passphrase"),
        "{}",
        said(&wrong)
    );
    let right = up("correct horse battery\nwhatever follows\n");
    assert!(right.status.success(), "{}", said(&right));
    let second = desk.json(&["join", &desk.done(&["invite"]), "--dir", "second"]);
    desk.done(&["rotate", "--distrust-old"]);
    eventually("the node says what to do", || {
        problems(&desk, home).contains("was typed and is not kept")
    });
    let down = desk.command(&["down", "--dir", home]).output();
    assert!(down.expect("it runs").status.success());
    assert_eq!(second["name"], "Gardeners");
}

fn problems(desk: &Desk, name: &str) -> String {
    desk.status(name)["problems"].to_string()
}
