//! Joining by file: nothing of anybody's is replaced, and a try that fails is in nobody's way.

use std::fs;
use std::path::Path;
use std::process::Output;

use crate::common::{Home, Village, said, system_rng};

/// The program as one account runs it, in the account's own folders.
fn run(village: &Village, data: &Path, arguments: &[&str]) -> Output {
    let mut command = village.command(arguments);
    command
        .env("XDG_DATA_HOME", data)
        .env("COMMONHOLD_PASSPHRASE", "correct horse battery");
    command.output().expect("it runs")
}

#[test]
fn what_is_there_stays_and_a_failed_try_is_no_node() {
    let village = Village::found("person,hours\nada,7\n");
    let folder = village.home(0).with_file_name("accounts");
    fs::create_dir(&folder).expect("made");
    let path = |name: &str| folder.join(name).display().to_string();
    let (authority, account) = (folder.join("authority"), folder.join("account"));
    let done = |data: &Path, arguments: &[&str]| {
        let output = run(&village, data, arguments);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            said(&output)
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let refused = |data: &Path, arguments: &[&str], what: &str| {
        let output = run(&village, data, arguments);
        assert_ne!(output.status.code(), Some(0), "{arguments:?}");
        assert!(
            said(&output).contains(what),
            "{arguments:?}: {}",
            said(&output)
        );
    };
    let ticket = |community: &str| {
        let dir = path(community);
        done(
            &authority,
            &["community", "create", community, "--dir", &dir],
        );
        let text = done(
            &authority,
            &["community", "invite", "--uses", "3", "--dir", &dir],
        );
        text.trim().to_owned()
    };
    let (first, second) = (ticket("first"), ticket("second"));

    // Nobody to ask: two tries leave nothing.
    for ticket in [&first, &second] {
        refused(&account, &["community", "join", ticket], "nobody to ask");
    }
    refused(&account, &["data", "list"], "no node lives");

    let (letter, request, answer) = (path("letter"), path("request"), path("answer"));
    fs::write(&letter, "dear").expect("written");
    refused(
        &account,
        &["community", "join", &first, "--offline", &letter],
        "exists already",
    );
    done(
        &account,
        &["community", "join", &first, "--offline", &request],
    );
    // Its keys wait; those for another community do as well, and neither is a node.
    done(
        &account,
        &["community", "join", &second, "--offline", &path("other")],
    );
    refused(&account, &["data", "list"], "no node lives");
    let dir = path("first");
    let certify = ["community", "certify", &request, "--dir", &dir, "--out"];
    refused(
        &authority,
        &[&certify[..], &[&letter]].concat(),
        "exists already",
    );
    done(&authority, &[&certify[..], &[&answer]].concat());
    assert_eq!(fs::read(&letter).expect("there"), b"dear");
    // Of those that wait, and a vault that was begun, the answer is for one.
    let data = account.join("commonhold");
    Home::at(&data).begin(&mut system_rng()).expect("begun");
    done(&account, &["data", "list"]);
    done(&account, &["community", "install", &answer]);
    let lives: Vec<_> = fs::read_dir(&data)
        .expect("listed")
        .map(|entry| entry.expect("an entry").path().join("node/keys.cbor"))
        .filter(|keys| keys.exists())
        .collect();
    assert_eq!(lives.len(), 1, "{lives:?}");
}

#[test]
fn a_node_that_has_lost_its_keys_is_not_made_anew_beside_itself() {
    let village = Village::found("person,hours\nada,7\n");
    let folder = village.home(0).with_file_name("accounts");
    let (authority, account) = (folder.join("authority"), folder.join("account"));
    fs::create_dir_all(&authority).expect("made");
    let dir = authority.join("first").display().to_string();
    run(
        &village,
        &authority,
        &["community", "create", "first", "--dir", &dir],
    );
    let invite = ["community", "invite", "--dir", &dir];
    let ticket = run(&village, &authority, &invite).stdout;
    let ticket = String::from_utf8_lossy(&ticket).trim().to_owned();
    // As a node in the account's own place is, when its file of keys is gone.
    let place = account.join("commonhold");
    fs::create_dir_all(&place).expect("made");
    fs::copy(village.home(1).join("vault.db"), place.join("vault.db")).expect("copied");
    let request = folder.join("request").display().to_string();
    let join = ["community", "join", &ticket, "--offline", &request];
    let output = run(&village, &account, &join);
    assert_eq!(output.status.code(), Some(4), "{}", said(&output));
    assert!(
        said(&output).contains("24 recovery words"),
        "{}",
        said(&output)
    );
    let there = fs::read_dir(&place).expect("listed").count();
    assert_eq!((there, Path::new(&request).exists()), (1, false));
}
