//! A community's life as people live it: files, passphrases, tickets.

use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Stdio;

use e2e::{Place, Ran, SLEEP_AND_QUALITY, list};
use serde_json::Value;

const PASSPHRASE: &str = "correct horse battery";

/// Runs `commonhold community …` with the passphrase in the environment and data in here.
fn run(place: &Place, arguments: &[&str]) -> Ran {
    // What is handed on takes no other file's place: whoever sends one after the other puts the last one away.
    let mut pairs = arguments.windows(2);
    if let Some(pair) = pairs.find(|pair| ["--offline", "--out"].contains(&pair[0])) {
        drop(fs::remove_file(place.path(pair[1])));
    }
    let arguments = [&["community"], arguments].concat();
    let mut command = place.command(&arguments);
    command
        .env("XDG_DATA_HOME", place.path("data"))
        .env("COMMONHOLD_PASSPHRASE", PASSPHRASE);
    Ran::of(command.output().expect("the program starts"))
}

fn done(place: &Place, arguments: &[&str]) -> Ran {
    let ran = run(place, arguments);
    assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
    assert_eq!(ran.err, "");
    ran
}

fn json(place: &Place, arguments: &[&str]) -> Value {
    done(place, &[arguments, &["--json"]].concat()).json()
}

/// One line that starts with "error: ", and the code.
fn not_done(place: &Place, arguments: &[&str], code: i32, said: &str) {
    let ran = run(place, arguments);
    assert_eq!(ran.code, Some(code), "{arguments:?}: {ran:?}");
    assert!(ran.err.contains(said), "{arguments:?}: {}", ran.err);
    assert!(ran.err.starts_with("error: "), "{}", ran.err);
    assert_eq!(ran.err.trim_end().lines().count(), 1, "{}", ran.err);
    assert_eq!(ran.out, "");
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Invites, and gives the ticket.
fn ticket(place: &Place, more: &[&str]) -> String {
    invited(run(place, &[&["invite"], more].concat()))
}

/// The ticket that was printed; who lets people in by it is said beside it.
fn invited(ran: Ran) -> String {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(
        ran.err.starts_with("note: nobody on this machine lets"),
        "{ran:?}"
    );
    assert_eq!((ran.out.lines().count(), ran.err.lines().count()), (1, 1));
    ran.out.trim().to_owned()
}

/// Joins offline as a node in `folder`; gives its name.
fn join(place: &Place, folder: &str, ticket: &str) -> String {
    let asked = json(
        place,
        &["join", ticket, "--offline", "request", "--dir", folder],
    );
    done(place, &["certify", "request", "--out", "answer"]);
    let installed = json(place, &["install", "answer", "--dir", folder]);
    assert_eq!(installed["node"], asked["node"]);
    text(&asked["node"]).to_owned()
}

/// Founds a community of forty who say how long and how well they sleep.
fn create(place: &Place, name: &str) -> Ran {
    fs::write(place.path("words.toml"), SLEEP_AND_QUALITY).expect("a file");
    let numbers = ["--nodes", "40", "--vocabulary", "words.toml"];
    done(place, &[&["create", name][..], &numbers].concat())
}

fn assert_private(folder: &Path) {
    let mode = |path: &Path| {
        let metadata = fs::metadata(path).expect("it is there");
        metadata.permissions().mode() & 0o777
    };
    assert_eq!(mode(folder), 0o700, "{}", folder.display());
    for name in list(folder) {
        let path = folder.join(&name);
        if path.is_dir() {
            assert_private(&path);
        } else if !name.starts_with("vault.db") {
            assert_eq!(mode(&path), 0o600, "{}", path.display());
        }
    }
}

#[test]
fn a_community_is_founded_joined_and_amended() {
    let place = Place::new();
    let founded = create(&place, "Allotment gardeners");
    assert!(founded.out.contains("N = 40, C = 3"), "{}", founded.out);
    assert!(founded.out.contains("Back up this folder"));
    not_done(
        &place,
        &["create", "x", "--nodes", "3"],
        2,
        "cannot conspire",
    );
    let shown = json(&place, &["show"]);
    assert_eq!(shown["name"], "Allotment gardeners");
    assert_eq!(
        (&shown["epoch"], &shown["min_crowd"]),
        (&1.into(), &5.into())
    );
    assert_eq!(shown["vocabulary"][0]["columns"][0]["max"], "24.0");
    let words = done(&place, &["show"]).out;
    for part in [
        "C = 3",
        "5 + 3 people",
        "number from 0.0 to 24.0",
        "good, bad",
    ] {
        assert!(words.contains(part), "{words}");
    }

    // Two people join by one ticket, a third does not.
    let two = ticket(&place, &["--uses", "2", "--rights", "ask"]);
    let ann = join(&place, "ann", &two);
    let bob = join(&place, "bob", &two);
    let asked = ["join", &two, "--offline", "request", "--dir", "eve"];
    done(&place, &asked);
    let certify = ["certify", "request", "--out", "answer"];
    not_done(&place, &certify, 4, "used as often as it may be");
    let install = ["install", "answer", "--dir", "eve"];
    not_done(&place, &install, 4, "used as often as it may be");
    not_done(
        &place,
        &["join", &two, "--offline", "r", "--dir", "ann"],
        4,
        "lives in ann",
    );

    // Everything is logged.
    let log = json(&place, &["log"]);
    assert_eq!((&log["holds"], &log["in_force"]), (&true.into(), &2.into()));
    let entries = log["entries"].as_array().unwrap();
    let nodes: Vec<_> = entries.iter().map(|entry| text(&entry["node"])).collect();
    assert_eq!(nodes, [ann.as_str(), bob.as_str()]);
    assert_eq!(
        (&entries[1]["serial"], &entries[1]["ask"]),
        (&2.into(), &true.into())
    );
    assert!(
        done(&place, &["log"])
            .out
            .contains("The log holds. Certificates: 2;")
    );

    // Renewed by the beginning of a name, revoked for good.
    let renew = ["renew", &ann[..12], "--valid", "2y", "--out", "answer"];
    let renewed = json(&place, &renew);
    assert_eq!(renewed["serial"], 3);
    let installed = json(&place, &["install", "answer", "--dir", "ann"]);
    assert_eq!(installed["valid_until"], renewed["valid_until"]);
    not_done(
        &place,
        &["install", "answer", "--dir", "bob"],
        4,
        "not what was asked for",
    );
    let revoked = json(&place, &["revoke", &bob]);
    assert_eq!(revoked["epoch"], 2);
    not_done(&place, &["revoke", &bob], 4, "revoked already");
    not_done(&place, &["renew", &bob, "--out", "a"], 4, "is revoked");
    not_done(&place, &["revoke", "zzzz"], 2, "no node in the log");

    // The authority takes a new key. Members follow epoch by epoch.
    let rotated = json(&place, &["rotate"]);
    assert_eq!(rotated["epoch"], 3);
    let (second, third) = (text(&revoked["descriptor"]), text(&rotated["descriptor"]));
    let skipping = ["install", third, "--dir", "ann"];
    not_done(&place, &skipping, 4, "the next one is 2");
    // As if the power had failed before the new key was in its place: the next command puts it there.
    let home = Path::new(third).ancestors().nth(2).unwrap();
    let (key, next) = (
        home.join("authority.locked"),
        home.join("authority.next.locked"),
    );
    fs::rename(&key, &next).unwrap();
    fs::write(&key, "what is left of the old one").unwrap();
    let fourth = json(&place, &["revoke", &"ab".repeat(32)]);
    assert_eq!(fourth["epoch"], 4);
    assert!(key.exists() && !next.exists());
    let followed = json(&place, &["install", second, third, "--dir", "ann"]);
    assert_eq!(followed["epoch"], 3);
    let shown = json(&place, &["show", "--dir", "ann"]);
    assert_eq!(shown["authority"], rotated["authority"]);
    assert_eq!(shown["revoked"][0], bob.as_str());

    // Bob lost his device, and gets another node; the new key certifies, in a log of its own.
    let again = ticket(&place, &["--replaces", &bob]);
    let new = join(&place, "bob2", &again);
    let log = json(&place, &["log"]);
    let entries = log["entries"].as_array().unwrap();
    let entry = entries.iter().find(|entry| entry["node"] == new.as_str());
    assert_eq!(entry.unwrap()["replaces"], bob.as_str());
    assert_eq!(log["in_force"], 2);

    // Once more, and a third time within the year: that is refused, and nobody is revoked for it.
    let second = run(&place, &["invite", "--replaces", &new]);
    assert_eq!(second.code, Some(0), "{second:?}");
    let note = format!("note: {new} is revoked, in epoch ");
    assert!(second.err.starts_with(&note), "{second:?}");
    let newer = join(&place, "bob3", second.out.trim());
    let third = ["invite", "--replaces", &newer];
    not_done(&place, &third, 4, "as often as may be in a year");
    let revoked = json(&place, &["show"])["revoked"].to_string();
    assert!(revoked.contains(&new) && !revoked.contains(&newer));

    assert_private(&place.path("ann"));
    assert_private(&place.path("data/commonhold"));
}

#[test]
fn passphrases_come_from_files_and_are_checked() {
    let place = Place::new();
    let with = |file: &str, arguments: &[&str]| {
        let arguments = [&["community"], arguments, &["--passphrase-file", file]].concat();
        let mut command = place.command(&arguments);
        command.env_remove("COMMONHOLD_PASSPHRASE");
        Ran::of(command.output().unwrap())
    };
    fs::write(place.path("good"), "open sesame\n").unwrap();
    fs::write(place.path("bad"), "open sesam").unwrap();
    fs::write(place.path("short"), "sesame\n").unwrap();
    let create = ["create", "Test", "--dir", "home"];
    let short = with("short", &create);
    assert_eq!(short.code, Some(2), "{short:?}");
    assert!(short.err.contains("too short"), "{}", short.err);
    assert!(!place.path("home").exists());
    assert_eq!(with("missing", &create).code, Some(1));
    assert_eq!(with("good", &create).code, Some(0));
    assert_eq!(with("good", &create).code, Some(1));

    let invite = ["invite", "--dir", "home"];
    let wrong = with("bad", &invite);
    assert_eq!((wrong.code, wrong.out.as_str()), (Some(1), ""));
    assert!(wrong.err.contains("wrong passphrase"), "{}", wrong.err);
    assert_eq!(with("good", &invite).code, Some(0));

    // Without a terminal nobody is asked.
    let mut silent = place.command(&["community", "invite", "--dir", "home"]);
    silent.env_remove("COMMONHOLD_PASSPHRASE");
    let silent = Ran::of(silent.output().unwrap());
    assert_eq!(silent.code, Some(2), "{silent:?}");
    assert!(silent.err.contains("--passphrase-file"), "{}", silent.err);

    // A key that certifies, under a passphrase of its own, without which the authority's is not needed.
    fs::write(place.path("second"), "another passphrase").unwrap();
    let delegate = [
        "delegate",
        "--new-passphrase-file",
        "second",
        "--dir",
        "home",
    ];
    assert_eq!(with("good", &delegate).code, Some(0));
    fs::rename(place.path("home/authority.locked"), place.path("away")).unwrap();
    assert_eq!(with("second", &invite).code, Some(0));
    let node = "ab".repeat(32);
    let revoke = ["revoke", node.as_str(), "--dir", "home"];
    let refused = with("second", &revoke);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.err.contains("bring it back"), "{}", refused.err);
    fs::rename(place.path("away"), place.path("home/authority.locked")).unwrap();
    assert_eq!(with("good", &revoke).code, Some(0));
    // A damaged key is told from a wrong passphrase.
    let key = place.path("home/authority.locked");
    let mut bytes = fs::read(&key).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(&key, bytes).unwrap();
    let damaged = with("good", &["rotate", "--dir", "home"]);
    assert_eq!(damaged.code, Some(1));
    assert!(damaged.err.contains("has been changed"), "{}", damaged.err);
}

#[test]
fn what_is_wrong_is_said_in_one_line() {
    let place = Place::new();
    not_done(&place, &["show"], 1, "there is no community in");
    not_done(&place, &["invite", "--dir", "nowhere"], 1, "check --dir");
    fs::write(place.path("bad.toml"), "[[table]]\nname = 3\n").unwrap();
    let create = ["create", "Test", "--vocabulary", "bad.toml"];
    not_done(&place, &create, 2, "bad.toml: line 2: ");
    not_done(&place, &["create", " "], 2, "name");
    not_done(
        &place,
        &["create", "T", "--min-crowd", "0"],
        2,
        "--min-crowd",
    );
    done(&place, &["create", "Test"]);

    let good = ticket(&place, &[]);
    let mut slip = good.clone();
    slip.replace_range(20..21, if &good[20..21] == "7" { "8" } else { "7" });
    for (typed, code, said) in [
        ("hello", 2, "not a ticket"),
        ("chticket2xyz", 2, "another version"),
        (slip.as_str(), 2, "mistyped"),
        (&good[..99], 2, "not complete"),
    ] {
        let join = ["join", typed, "--offline", "request"];
        not_done(&place, &join, code, said);
    }
    // From standard input, where no other user of the machine sees it.
    let mut command = place.command(&["community", "join", "-", "--offline", "request"]);
    command
        .env("XDG_DATA_HOME", place.path("data"))
        .stdin(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(good.as_bytes())
        .unwrap();
    assert_eq!(Ran::of(child.wait_with_output().unwrap()).code, Some(0));

    let certify = |file: &'static str| ["certify", file, "--out", "answer"];
    fs::write(place.path("junk"), "junk").unwrap();
    not_done(&place, &certify("junk"), 1, "not a request");
    not_done(&place, &certify("missing"), 1, "missing");
    not_done(&place, &["install", "junk"], 1, "neither an answer");
    let changed = |name: &str, at: usize| {
        let mut bytes = fs::read(place.path("request")).unwrap();
        bytes[at] ^= 1;
        fs::write(place.path(name), bytes).unwrap();
    };
    changed("other", 10);
    not_done(&place, &certify("other"), 4, "no such ticket");
    let last = fs::read(place.path("request")).unwrap().len() - 1;
    changed("other", last);
    not_done(&place, &certify("other"), 4, "does not prove");
    not_done(&place, &["invite", "--uses", "0"], 2, "1 to 1000");
    not_done(&place, &["invite", "--expires", "soon"], 2, "30d");

    // A second community: which one is meant?
    done(&place, &["create", "Other"]);
    not_done(&place, &["show"], 2, "name one with --dir");
}

#[test]
fn a_log_that_was_kept_twice_is_found_out() {
    let place = Place::new();
    done(&place, &["create", "Test", "--dir", "home"]);
    let at = |dir: &str, arguments: &[&str]| {
        let arguments = [arguments, &["--dir", dir]].concat();
        done(&place, &arguments).out
    };
    // The authority works on two copies of its folder.
    let ticket = ticket(&place, &["--uses", "9", "--dir", "home"]);
    let copy = place.path("copy");
    fs::create_dir_all(copy.join("descriptors")).unwrap();
    for name in list(&place.path("home")) {
        if name != "descriptors" {
            fs::copy(place.path("home").join(&name), copy.join(&name)).unwrap();
        }
    }
    for (node, home) in [("ann", "home"), ("bob", "copy")] {
        let join = ["join", &ticket, "--offline", "request"];
        at(node, &join);
        at(home, &["certify", "request", "--out", "answer"]);
    }
    let logs = copy.join("logs.cbor");
    let compare = ["log", "--compare", logs.to_str().unwrap(), "--dir", "home"];
    not_done(&place, &compare, 4, "keeps two logs");
    let own = ["log", "--compare", "home/logs.cbor", "--dir", "home"];
    done(&place, &own);

    // Without its log, or with an older one, an issuer does not go on.
    fs::rename(&logs, place.path("kept.cbor")).unwrap();
    not_done(&place, &["invite", "--dir", "copy"], 1, "is not in the log");
    fs::rename(place.path("kept.cbor"), &logs).unwrap();
    self::ticket(&place, &["--dir", "copy"]);

    let mut bytes = fs::read(&logs).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&logs, bytes).unwrap();
    not_done(
        &place,
        &["log", "--dir", "copy"],
        1,
        "restore it from a backup",
    );
    not_done(
        &place,
        &["invite", "--dir", "copy"],
        1,
        "restore it from a backup",
    );
}

#[test]
fn numbers_words_and_issuers_change_in_sight_of_all() {
    let place = Place::new();
    create(&place, "Test");
    let ann = join(&place, "ann", &ticket(&place, &[]));

    // First what it would be, without a passphrase and without a trace.
    let amend = ["amend", "--nodes", "60", "--colluders", "4"];
    let preview = [&["community"], &amend[..], &["--preview"]].concat();
    let mut command = place.command(&preview);
    command.env("XDG_DATA_HOME", place.path("data"));
    let preview = Ran::of(
        command
            .env_remove("COMMONHOLD_PASSPHRASE")
            .output()
            .unwrap(),
    );
    assert_eq!(preview.code, Some(0), "{preview:?}");
    for line in [
        "nodes (N): 40 -> 60",
        "crowd: 5 + 3 -> 5 + 4",
        "Nothing is changed yet",
    ] {
        assert!(preview.out.contains(line), "{line}: {}", preview.out);
    }
    assert_eq!(json(&place, &["show"])["epoch"], 1);
    let second = json(&place, &amend);
    assert_eq!(
        (&second["epoch"], &second["changes"][0]["after"]),
        (&2.into(), &"60".into())
    );
    let shown = json(&place, &["show"]);
    assert_eq!(
        (&shown["nodes"], &shown["padding_allowance"]),
        (&60.into(), &4.into())
    );
    not_done(&place, &amend, 4, "nothing would change");
    not_done(&place, &["amend"], 4, "nothing would change");
    not_done(&place, &["amend", "--nodes", "4"], 2, "--nodes");
    not_done(&place, &["amend", "--min-crowd", "0"], 2, "--min-crowd");
    not_done(&place, &["amend", "--draws", "off"], 2, "16/hour");
    not_done(&place, &["amend", "--draws", "often"], 2, "5/day");

    // Other words, and fewer draws. An allowance of its own does not follow C.
    fs::write(
        place.path("other.toml"),
        SLEEP_AND_QUALITY.replace("24", "48"),
    )
    .unwrap();
    let third = json(
        &place,
        &[
            "amend",
            "--vocabulary",
            "other.toml",
            "--draws",
            "4/2h",
            "--padding",
            "2",
        ],
    );
    let warned = third["warnings"].to_string();
    assert!(warned.contains("in sleep imports it again"), "{warned}");
    done(&place, &["amend", "--colluders", "5"]);
    let shown = json(&place, &["show"]);
    assert_eq!(shown["vocabulary"][0]["columns"][0]["max"], "48.0");
    assert_eq!(
        (&shown["draws_per_period"], &shown["period_secs"]),
        (&4.into(), &7200.into())
    );
    assert_eq!(
        (&shown["colluders"], &shown["padding_allowance"]),
        (&5.into(), &2.into())
    );

    // Somebody certifies for a while.
    let issuer = json(&place, &["delegate"])["issuer"].clone();
    let bob = join(&place, "bob", &ticket(&place, &[]));
    let preview = json(&place, &["unlist", &text(&issuer)[..8], "--preview"]);
    assert_eq!(preview["certificates_lost"], serde_json::json!([bob]));
    assert_eq!(json(&place, &["log"])["in_force"], 2);
    let unlisted = json(&place, &["unlist", text(&issuer)]);
    assert_eq!(
        (&unlisted["epoch"], &unlisted["certificates_lost"][0]),
        (&6.into(), &bob.into())
    );
    assert_eq!(json(&place, &["log"])["in_force"], 1);
    not_done(&place, &["unlist", text(&issuer)], 4, "not on the list");
    not_done(&place, &["unlist", "abcd"], 2, "at least 4 letters");

    // A member follows all of it.
    let folder = Path::new(text(&second["descriptor"])).parent().unwrap();
    let epochs: Vec<_> = (2..=6)
        .map(|epoch| folder.join(format!("{epoch}.cbor")).display().to_string())
        .collect();
    let mut install = vec!["install"];
    install.extend(epochs.iter().map(String::as_str));
    install.extend(["--dir", "ann"]);
    let followed = json(&place, &install);
    assert_eq!(
        (&followed["epoch"], &followed["node"]),
        (&6.into(), &ann.into())
    );
}
