//! The daemon as people run it: real processes, real folders.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::common::{Village, damage, eventually, said};
use base::Duration;

const ALONE: &str = "person,age\nada,41\nbob,29\n";

#[test]
fn a_node_starts_answers_and_stops() {
    let village = Village::found(ALONE);
    let status = village.run(0, &["status"]);
    assert_eq!(status.status.code(), Some(3));
    assert!(said(&status).contains("commonhold up"), "{}", said(&status));
    let mut running = village.up(0, &[]);
    let status = village.json(0, &["status"]);
    assert_eq!(status["node"], village.nodes[0].to_string());
    assert_eq!(status["community"]["name"], "village");
    assert_eq!(status["peers_known"], 0);
    // Of a crash no dump with keys and data is left.
    let limits = fs::read_to_string(format!("/proc/{}/limits", running.id())).expect("Linux");
    let core = limits.lines().find(|line| line.starts_with("Max core"));
    let core: Vec<_> = core.expect("a limit").split_whitespace().collect();
    assert!(
        ["0", "1"].contains(&core[4]) && ["0", "1"].contains(&core[5]),
        "{core:?}"
    );
    // Problems come first, for people as well.
    let text = village.run(0, &["status"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.starts_with("warn"), "{text}");
    // What status and doctor both tell is of one kind in both.
    let doctor = village.run(0, &["doctor"]);
    let doctor = String::from_utf8_lossy(&doctor.stdout).into_owned();
    let kind = |text: &str, what| {
        let line = text.lines().find(|line| line.contains(what));
        let word = line.and_then(|line| line.split_whitespace().next());
        word.map(str::to_owned)
    };
    for what in [
        "which only this machine can reach",
        "no other member is known",
    ] {
        assert_eq!(kind(&text, what).as_deref(), Some("warn"), "{text}");
        assert_eq!(kind(&doctor, what), kind(&text, what), "{doctor}");
    }
    assert!(text.contains("no other member is known"), "{text}");
    let second = village.run(0, &["up"]);
    assert_eq!(second.status.code(), Some(1));
    assert!(said(&second).contains("is running in"), "{}", said(&second));
    let clock = net::Clock::start();
    let began = clock.now();
    assert_eq!(village.run(0, &["down"]).status.code(), Some(0));
    assert_eq!(running.end(), Some(0));
    assert!(clock.now().since(began) < Duration::from_secs(10));
    assert_eq!(village.run(0, &["down"]).status.code(), Some(3));
    assert!(!village.home(0).join("api.address").exists());
}

#[test]
fn a_signal_stops_it_and_a_kill_leaves_nothing_that_is_in_the_way() {
    let village = Village::found(ALONE);
    for (signal, code) in [("-TERM", Some(0)), ("-INT", Some(0)), ("-KILL", None)] {
        let mut running = village.up(0, &[]);
        let sent = Command::new("kill")
            .args([signal, &running.id().to_string()])
            .status();
        assert!(sent.expect("sent").success());
        assert_eq!(running.end(), code, "{signal}");
        assert_eq!(
            village.run(0, &["status"]).status.code(),
            Some(3),
            "{signal}"
        );
    }
    village.up(0, &[]);
}

#[test]
fn detached_it_returns_once_it_runs() {
    let village = Village::found(ALONE);
    let up = village.run(0, &["up", "--detach"]);
    assert_eq!(up.status.code(), Some(0), "{}", said(&up));
    assert_eq!(village.run(0, &["status"]).status.code(), Some(0));
    let again = village.run(0, &["up", "--detach"]);
    assert_eq!(again.status.code(), Some(1));
    assert_eq!(village.run(0, &["down"]).status.code(), Some(0));
    let log = fs::read_to_string(village.home(0).join("log")).expect("a log");
    assert!(
        log.contains("listens on") && log.contains("stopped"),
        "{log}"
    );
    // Why it did not start is said here.
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    let mut command = village.command(&["up", "--detach", "--dir"]);
    command.arg(village.home(0)).env("COMMONHOLD_API", &address);
    let output = command.output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("key api"), "{}", said(&output));
}

#[test]
fn what_a_node_was_told_can_be_told_again() {
    let village = Village::found(ALONE);
    let file = village.home(0).with_file_name("recording");
    let record = file.to_str().expect("a path of the test");
    let up = ["up", "--detach", "--record", record];
    assert_eq!(village.run(0, &up).status.code(), Some(0));
    let status = village.json(0, &["status"]);
    let listens = status["listens"].as_str().expect("an address");
    let first = format!("{}@{listens}", village.nodes[0]);
    let mut other = village.up(1, &[("COMMONHOLD_PEERS", &first)]);
    eventually("they know each other", || {
        village.json(0, &["status"])["peers_known"] == 1
    });
    let replay = ["simulate", "replay", record];
    // While the node runs, as far as it has come.
    let told = village.json(0, &replay);
    assert!(told["inputs"].as_u64() > Some(5), "{told}");
    assert_eq!(village.run(0, &["down"]).status.code(), Some(0));
    assert_eq!(village.run(1, &["down"]).status.code(), Some(0));
    other.end();
    let whole = village.json(0, &replay);
    assert_eq!(whole["whole"], true);
    assert!(
        whole["inputs"].as_u64() >= told["inputs"].as_u64(),
        "{whole}"
    );
    // Nobody else can read it, and nothing is overwritten.
    let bytes = fs::read(&file).expect("it is there");
    let needle = village.nodes[1].0;
    assert!(!bytes.windows(32).any(|window| window == needle));
    let mode = fs::metadata(&file)
        .expect("it is there")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
    let others = village.run(1, &replay);
    assert_eq!(others.status.code(), Some(1));
    assert!(said(&others).contains("--dir"), "{}", said(&others));
    let again = village.run(0, &up);
    assert_eq!(again.status.code(), Some(1));
    assert!(said(&again).contains("not there yet"), "{}", said(&again));
    // A crash in the middle of a piece leaves the others.
    fs::write(&file, &bytes[..bytes.len() - 3]).expect("it can be written");
    assert_eq!(village.json(0, &replay)["whole"], false);
    fs::write(&file, &bytes[..40]).expect("it can be written");
    assert!(said(&village.run(0, &replay)).contains("no recording"));
}

#[test]
fn a_port_in_use_is_said_with_what_to_do() {
    let village = Village::found(ALONE);
    let taken = UdpSocket::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    let up = |name: &str, address: &str| {
        let mut command = village.command(&["up", "--dir"]);
        command.arg(village.home(0)).env(name, address);
        command.output().expect("it runs")
    };
    let output = up("COMMONHOLD_LISTEN", &address);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains(&address) && said(&output).contains("choose another"),
        "{}",
        said(&output)
    );
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("bound");
    let address = taken.local_addr().expect("an address").to_string();
    let output = up("COMMONHOLD_API", &address);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("key api"), "{}", said(&output));
}

#[test]
fn a_folder_that_cannot_be_used_is_said_with_what_to_do() {
    let village = Village::found(ALONE);
    let nobody = village.run(7, &["status"]);
    assert_eq!(nobody.status.code(), Some(3));
    assert!(
        said(&nobody).contains("no node lives in"),
        "{}",
        said(&nobody)
    );
    let nobody = village.run(7, &["up"]);
    assert_eq!(nobody.status.code(), Some(1));
    assert!(
        said(&nobody).contains("no node lives in"),
        "{}",
        said(&nobody)
    );
    damage(&village.home(0));
    let damaged = village.run(0, &["up"]);
    assert_eq!(damaged.status.code(), Some(1));
    assert!(
        said(&damaged).contains("keys.cbor is damaged"),
        "{}",
        said(&damaged)
    );
    // Nobody, root included, reads a folder as a file.
    let keys = village.home(1).join("keys.cbor");
    fs::remove_file(&keys).expect("removed");
    fs::create_dir(&keys).expect("made");
    let unreadable = village.run(1, &["up"]);
    assert_eq!(unreadable.status.code(), Some(1));
    assert!(
        said(&unreadable).contains("cannot use"),
        "{}",
        said(&unreadable)
    );
}

#[test]
fn a_typing_error_in_the_configuration_stops_it() {
    let village = Village::found(ALONE);
    let file = village.home(0).join("config.toml");
    fs::write(&file, "lisen = \"127.0.0.1:0\"\n").expect("written");
    for command in [&["up"][..], &["config", "check"], &["status"]] {
        let mut process = village.command(command);
        process
            .arg("--dir")
            .arg(village.home(0))
            .arg("--config")
            .arg(&file);
        let output = process.output().expect("it runs");
        assert_eq!(output.status.code(), Some(2), "{command:?}");
        assert!(
            said(&output).contains("did you mean listen?"),
            "{}",
            said(&output)
        );
    }
    fs::write(&file, "log_level = \"debug\"\n").expect("written");
    let mut process = village.command(&["config", "show", "--config"]);
    let shown = process.arg(&file).output().expect("it runs");
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    assert!(
        shown.contains("log_level = \"debug\"") && shown.contains("COMMONHOLD_LISTEN"),
        "{shown}"
    );
}

#[test]
fn the_doctor_looks_at_a_node_that_runs_and_at_one_that_does_not() {
    let village = Village::found(ALONE);
    let verdict = |name: &str| {
        let checks = village.json(0, &["doctor"]);
        let checks = checks["checks"].as_array().expect("checks").clone();
        let check = checks.into_iter().find(|check| check["name"] == name);
        check.unwrap_or_else(|| panic!("no check called {name}"))["verdict"].clone()
    };
    for name in [
        "config",
        "permissions",
        "disk",
        "port",
        "vault",
        "certificate",
        "clock",
    ] {
        assert_eq!(verdict(name), "ok", "{name}");
    }
    assert_eq!(village.run(0, &["doctor"]).status.code(), Some(0));
    let running = village.up(0, &[]);
    for name in [
        "config",
        "permissions",
        "disk",
        "port",
        "vault",
        "certificate",
        "clock",
    ] {
        assert_eq!(verdict(name), "ok", "{name}");
    }
    assert_eq!(verdict("peers"), "warn");
    fs::set_permissions(village.home(0), fs::Permissions::from_mode(0o755)).expect("set");
    assert_eq!(verdict("permissions"), "warn");
    drop(running);
    damage(&village.home(0));
    assert_eq!(verdict("vault"), "fail");
    assert_eq!(village.run(0, &["doctor"]).status.code(), Some(1));
}

/// Ages that nothing else on this machine is likely to say: too large for a port, too long to be part of a name by chance.
const AGES: [u32; 12] = [
    70_040_417, 70_040_429, 70_040_433, 70_040_459, 70_040_471, 70_040_483, 70_040_487, 70_040_493,
    70_040_499, 70_040_507, 70_040_519, 70_040_529,
];

#[test]
fn a_question_goes_through_daemons_and_leaves_nothing_personal_behind() {
    let mut csv = String::from("person,age\n");
    for (place, age) in AGES.iter().enumerate() {
        csv += &format!("quixote{place},{age}\n");
    }
    let village = Village::found(&csv);
    let mut running = vec![village.up(0, &[("COMMONHOLD_LOG_LEVEL", "debug")])];
    let status = village.json(0, &["status"]);
    let first = format!(
        "{}@{}",
        village.nodes[0],
        status["listens"].as_str().expect("an address")
    );
    for place in 1..village.nodes.len() {
        // The last two are asked.
        let rule = if place + 2 >= village.nodes.len() {
            "ask"
        } else {
            "yes"
        };
        let environment = [
            ("COMMONHOLD_LOG_LEVEL", "debug"),
            ("COMMONHOLD_RULE", rule),
            ("COMMONHOLD_PEERS", &first),
        ];
        running.push(village.up(place, &environment));
    }
    let others = village.nodes.len() - 1;
    eventually("all know all", || {
        (0..=others).all(|place| village.json(place, &["status"])["peers_known"] == others)
    });
    let sql = "SELECT AVG(age) FROM people WHERE age > 70040418";
    let refused = village.run(0, &["question", "ask", "SELECT age FROM people"]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    // Says the same as what holds where no rule does.
    village.json(1, &["question", "rule", "add", "yes", "--table", "people"]);
    let asked = village.json(
        0,
        &[
            "question",
            "ask",
            sql,
            "--purpose",
            "zanzibar",
            "--deadline",
            "8s",
            "--collect",
            "10s",
        ],
    );
    assert_eq!(asked["state"], "announced");
    let id = asked["id"].as_str().expect("a name").to_owned();
    // The owner who is asked says yes.
    eventually("the question arrives", || {
        village.json(others, &["question", "inbox"])[0]["state"] == "waiting"
    });
    assert_eq!(
        village.json(others, &["question", "inbox"])[0]["purpose"],
        "zanzibar"
    );
    // In the form that says all.
    assert_eq!(
        village.json(others, &["question", "inbox"])[0]["sql"],
        r#"SELECT AVG("age") FROM "people" WHERE "age" > 70040418"#
    );
    // Another says yes to all of this kind, and to this one with them.
    let add = |columns: &str| {
        let add = [
            "question",
            "rule",
            "add",
            "yes",
            "--table",
            "People",
            "--columns",
        ];
        village.json(others - 1, &[&add[..], &[columns]].concat())
    };
    let slip = add("agge")["why"].to_string();
    assert!(slip.contains("did you mean"), "{slip}");
    assert_eq!(add("AGE")["columns"][0], "age");
    eventually("the rule decides what waits", || {
        let entry = village.json(others - 1, &["question", "inbox"])[0].clone();
        (&entry["state"], &entry["rule"]) == (&"yes".into(), &1.into())
    });
    // Whose rule says yes is not asked, and sees what came all the same.
    let ruled = village.json(1, &["question", "inbox"])[0].clone();
    assert_eq!(
        (&ruled["state"], &ruled["by_rule"]),
        (&"yes".into(), &true.into())
    );
    assert_eq!(
        (&ruled["purpose"], &ruled["rule"]),
        (&"zanzibar".into(), &1.into())
    );
    // Who takes the rule back is told that it takes part all the same, and sees why.
    let revoked = village.run(1, &["consent", "revoke", "--rule", "1"]);
    let told = String::from_utf8_lossy(&revoked.stdout).into_owned();
    assert!(
        told.contains("still takes part, as what holds where no rule does"),
        "{told}"
    );
    let ruled = village.json(1, &["question", "inbox"])[0].clone();
    assert_eq!(
        (&ruled["state"], &ruled["rule"]),
        (&"yes".into(), &().into())
    );
    // The log, which is for ever, says no more than that.
    let log = village.json(1, &["consent", "list"]).to_string();
    assert!(
        log.contains(
            "a rule was taken back; nothing had left; 1 question still takes part as before"
        ),
        "{log}"
    );
    assert!(!log.contains("consent was taken back"), "{log}");
    assert_eq!(ruled["asker"], village.nodes[0].to_string());
    let word = village.json(others, &["question", "answer", &id[..10], "always"]);
    assert_eq!(word["state"], "yes");
    // Until the deadline the last word counts.
    for (word, state) in [("no", "no"), ("yes", "yes")] {
        let again = village.json(others, &["question", "answer", &id, word]);
        assert_eq!(again["state"], state);
    }
    let rules = village.json(others, &["question", "rule", "list"]);
    assert_eq!(
        (&rules["default"], &rules["rules"][0]["says"]),
        (&"ask".into(), &"yes".into())
    );
    let watched = village.run(0, &["question", "watch", &id[..10], "--json"]);
    assert_eq!(
        watched.status.code(),
        Some(0),
        "{}\n{}",
        said(&watched),
        village.log(0)
    );
    let answer = village.json(0, &["question", "show", &id])["answer"]["details"].clone();
    assert_eq!(
        (&answer["count"], &answer["included"]),
        (&11.into(), &12.into()),
        "{answer}"
    );
    let total: u32 = AGES[1..].iter().sum();
    assert_eq!(answer["total"], total.to_string());
    // Too late to take it back.
    assert_eq!(
        village.run(0, &["question", "cancel", &id]).status.code(),
        Some(4)
    );
    // Another question is answered by the word that was given once for all, and waited for. One has had enough for today.
    let budget = village.json(2, &["question", "budget", "set", "1/day"]);
    assert_eq!(
        (&budget["spent"], &budget["limit"]["questions"]),
        (&1.into(), &1.into())
    );
    let waited = village.run(0, &["question", "ask", sql, "--deadline", "3s", "--wait"]);
    assert_eq!(waited.status.code(), Some(0), "{}", said(&waited));
    assert!(String::from_utf8_lossy(&waited.stdout).contains("mean"));
    // How it goes on is said without a terminal as well.
    for step in [
        "announced to ",
        "all are called to contribute",
        "answered: ",
    ] {
        assert!(
            said(&waited).contains(step),
            "no {step:?} in {}",
            said(&waited)
        );
    }
    assert_eq!(
        village.json(others, &["question", "inbox"])[0]["by_rule"],
        true
    );
    let spent = village.json(2, &["question", "inbox"])[0].clone();
    assert_eq!(spent["state"], "over_budget");
    let note = spent["note"].as_str().expect("why");
    assert_eq!(note, "refused: your budget of 1 a day is spent");
    // What left cannot be taken back, and that is said; the next time it can.
    let late = village.run(others, &["consent", "revoke", "--question", &id, "--json"]);
    assert_eq!(late.status.code(), Some(4), "{}", said(&late));
    assert!(String::from_utf8_lossy(&late.stdout).contains("too_late"));
    let asked = village.json(0, &["question", "ask", sql, "--deadline", "60s"]);
    let next = asked["id"].as_str().expect("a name").to_owned();
    eventually("the rule says yes again", || {
        let entry = village.json(others, &["question", "inbox"])[0].clone();
        (&entry["id"], &entry["state"]) == (&next.clone().into(), &"yes".into())
    });
    let some = village.run(others, &["consent", "revoke", "--all", "--json"]);
    assert_eq!(some.status.code(), Some(5), "{}", said(&some));
    let some: serde_json::Value = serde_json::from_slice(&some.stdout).expect("JSON");
    assert_eq!(some["questions"], serde_json::json!([next]));
    assert_eq!(some["left"]["rules"], serde_json::json!([]));
    assert_eq!(some["too_late"].as_array().map(Vec::len), Some(2), "{some}");
    let steps = |log: &serde_json::Value| -> Vec<String> {
        let entries = log["entries"].as_array().expect("entries").iter();
        let step = |one: &serde_json::Value| one["entry"]["step"].as_str().map(Into::into);
        entries.map(|one| step(one).expect("a step")).collect()
    };
    let log = village.json(others, &["consent", "list", "--question", &id[..10]]);
    assert_eq!(log["holds"], true, "{log}");
    assert_eq!(
        steps(&log),
        [
            "came", "decided", "decided", "decided", "sent", "taken", "revoked"
        ]
    );
    let log = village.json(others, &["consent", "list", "--question", &next]);
    assert_eq!(steps(&log), ["came", "decided"], "{log}");
    // A log that was tampered with is found, whether the node runs or not.
    let doctor = || {
        let checks = village.json(others, &["doctor"])["checks"].clone();
        let checks = checks.as_array().cloned().expect("checks");
        let check = checks.into_iter().find(|check| check["name"] == "consent");
        check.expect("one about the log")["verdict"].clone()
    };
    assert_eq!(doctor(), "ok");
    let end = village.home(others).join("consent.end");
    let kept = fs::read_to_string(&end).expect("kept");
    fs::write(&end, kept.replacen(' ', "9 ", 1)).expect("written");
    assert_eq!(doctor(), "fail");
    let list = village.run(others, &["consent", "list"]);
    assert_eq!(list.status.code(), Some(1), "{}", said(&list));
    fs::write(&end, kept).expect("written");
    assert_eq!(doctor(), "ok");
    let file = village.home(others).join("log.json");
    let path = file.to_str().expect("a path").to_owned();
    let export = village.run(others, &["consent", "export", "--out", &path]);
    assert_eq!(export.status.code(), Some(0), "{}", said(&export));
    let export: serde_json::Value =
        serde_json::from_slice(&fs::read(&file).expect("written")).expect("JSON");
    assert!(
        export["entries"]
            .as_array()
            .is_some_and(|all| all.len() > 10)
    );
    let status = village.run(2, &["status"]);
    let status = String::from_utf8_lossy(&status.stdout).into_owned();
    assert!(
        status.contains("1 a day; 1 spent; the next from"),
        "{status}"
    );
    // The lists outlive the process.
    assert_eq!(village.run(0, &["down"]).status.code(), Some(0));
    assert_eq!(running[0].end(), Some(0));
    let log = village.log(0);
    let listens = village.json(1, &["status"])["listens"].clone();
    let listens = listens.as_str().expect("an address");
    let second = format!("{}@{listens}", village.nodes[1]);
    running[0] = village.up(0, &[("COMMONHOLD_PEERS", &second)]);
    let list = village.json(0, &["question", "list"]);
    assert_eq!(list.as_array().map(Vec::len), Some(3));
    assert_eq!(list[2]["id"], id);
    let proof = village.home(0).join("proof.cbor");
    let path = proof.to_str().expect("a path").to_owned();
    assert_eq!(
        village
            .run(0, &["question", "proof", &id, &path])
            .status
            .code(),
        Some(0)
    );
    let verified = village
        .command(&["question", "verify", &path])
        .output()
        .expect("it runs");
    assert_eq!(verified.status.code(), Some(0), "{}", said(&verified));
    // Published, the other answer reaches those who were asked, with its proof.
    assert_eq!(
        village.json(3, &["question", "published"]),
        serde_json::json!([])
    );
    // The one before is still open.
    let latest = list[1]["id"].as_str().expect("a name").to_owned();
    let published = village.json(0, &["question", "publish", &latest[..12]]);
    assert_eq!(published["published"], true, "{published}");
    assert_eq!(
        village.json(0, &["question", "publish", &latest])["published"],
        true
    );
    eventually("the answer is published", || {
        (0..=others).all(|place| village.json(place, &["question", "published"])[0]["id"] == latest)
    });
    let seen = village.json(3, &["question", "published"])[0].clone();
    assert_eq!(seen["asker"], village.nodes[0].to_string());
    assert_eq!(seen["answer"], list[1]["answer"]);
    let theirs = village.home(3).join("published.cbor");
    let path = theirs.to_str().expect("a path");
    let written = village.run(3, &["question", "proof", &latest, path]);
    assert_eq!(written.status.code(), Some(0), "{}", said(&written));
    let verified = village.command(&["question", "verify", path]).output();
    assert_eq!(verified.expect("it runs").status.code(), Some(0));
    let foreign = village.run(3, &["question", "publish", &latest]);
    assert_eq!(foreign.status.code(), Some(2), "{}", said(&foreign));
    // Of all that went on, logs tell nothing personal.
    let logs: Vec<_> = (1..=others)
        .map(|place| village.log(place))
        .chain([log])
        .collect();
    assert!(
        logs.iter().all(|log| log.contains(&id[..8])),
        "each log names the question"
    );
    for log in &logs {
        let ages = AGES.map(|age| age.to_string());
        for personal in ages
            .iter()
            .map(String::as_str)
            .chain(["quixote", "zanzibar", "SELECT", "70040418"])
        {
            assert!(!log.contains(personal), "a log says {personal}:\n{log}");
        }
    }
}

#[test]
fn who_leaves_says_so_and_is_wiped_if_meant() {
    let village = Village::found(ALONE);
    let _first = village.up(0, &[]);
    let listens = village.json(0, &["status"])["listens"].clone();
    let peer = format!(
        "{}@{}",
        village.nodes[0],
        listens.as_str().expect("an address")
    );
    let mut second = village.up(1, &[("COMMONHOLD_PEERS", &peer)]);
    let known = |count: u64| village.json(0, &["status"])["peers_known"] == count;
    eventually("they meet", || known(1));
    assert_eq!(village.run(1, &["leave"]).status.code(), Some(0));
    assert_eq!(second.end(), Some(0));
    eventually("the other knows that it has gone", || known(0));
    let again = village.run(1, &["leave"]);
    assert_eq!(again.status.code(), Some(3), "{}", said(&again));
    // It can come back.
    let mut second = village.up(1, &[("COMMONHOLD_PEERS", &peer)]);
    eventually("they meet again", || known(1));
    // Without its name nothing is done.
    let unsure = village.run(1, &["leave", "--wipe"]);
    assert_eq!(unsure.status.code(), Some(4), "{}", said(&unsure));
    assert!(said(&unsure).contains(&village.nodes[1].to_string()));
    assert_eq!(village.run(1, &["status"]).status.code(), Some(0));
    let mut sure = village.command(&["leave", "--wipe", "--json", "--dir"]);
    let folder = village.home(1);
    let name = village.home(0).join("name");
    fs::write(&name, format!("{}\n", &village.nodes[1].to_string()[..8])).expect("written");
    // What the test itself has put there is not the node's.
    let stderr = folder.join("stderr");
    sure.arg(&folder)
        .stdin(fs::File::open(name).expect("opened"));
    let sure = sure.output().expect("it runs");
    assert_eq!(sure.status.code(), Some(0), "{}", said(&sure));
    let told: serde_json::Value = serde_json::from_slice(&sure.stdout).expect("JSON");
    assert_eq!(
        (&told["told_others"], &told["wiped"]),
        (&true.into(), &true.into())
    );
    assert_eq!(told["remaining"], serde_json::json!([stderr]));
    assert_eq!(second.end(), Some(0));
    eventually("the other knows that it has gone", || known(0));
    assert_eq!(village.run(1, &["up"]).status.code(), Some(1));
    assert_eq!(
        village.run(1, &["leave", "--wipe", "--yes"]).status.code(),
        Some(3)
    );
}

#[test]
fn a_folder_that_is_half_wiped_says_so_and_is_wiped_again() {
    let village = Village::found(ALONE);
    let folder = village.home(1);
    // As the power may have left it: the keys have gone, the vault has not.
    fs::write(folder.join("wiped"), village.nodes[1].to_string()).expect("written");
    fs::remove_file(folder.join("keys.cbor")).expect("removed");
    for command in [
        &["up"][..],
        &["up", "--detach"],
        &["status"],
        &["doctor"],
        &["down"],
    ] {
        let output = village.run(1, command);
        assert!(!output.status.success(), "{command:?}");
        let text = said(&output) + &String::from_utf8_lossy(&output.stdout);
        assert!(text.contains("leave --wipe"), "{command:?}: {text}");
    }
    let authority = folder.join("authority.locked");
    fs::write(&authority, "the community's").expect("written");
    let refused = village.run(1, &["leave", "--wipe"]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
    fs::remove_file(authority).expect("removed");
    // Meant once is meant.
    let wiped = village.run(1, &["leave", "--wipe"]);
    assert_eq!(wiped.status.code(), Some(0), "{}", said(&wiped));
    let text = String::from_utf8_lossy(&wiped.stdout).into_owned();
    assert!(
        text.contains(&format!("revoke {}", village.nodes[1])),
        "{text}"
    );
    assert!(!folder.exists());
}

#[test]
fn standing_words_are_checked_and_outlive_the_process() {
    let village = Village::found(ALONE);
    let environment = [("COMMONHOLD_RULE", "no"), ("COMMONHOLD_BUDGET", "20/2w")];
    let mut running = village.up(0, &environment);
    let rules = |arguments: &[&str]| village.json(0, &[&["question", "rule"], arguments].concat());
    assert_eq!(rules(&["list"])["default"], "no");
    let stranger = "ab".repeat(32);
    let added = rules(&["add", "no", "--asker", &stranger]);
    assert_eq!(
        (&added["number"], &added["says"]),
        (&1.into(), &"no".into())
    );
    let sql = "select avg(age) from people";
    let very = rules(&["add", "yes", "--question", sql, "--asker", &stranger]);
    let canonical = "SELECT AVG(\"age\") FROM \"people\"";
    assert_eq!(very["question"], canonical);
    for (wrong, code, advice) in [
        (&["yes"][..], 2, "rule default"),
        (&["yes", "--asker", "abab"], 2, "64 digits"),
        (&["no", "--table", "peopel"], 4, "did you mean"),
        (
            &["no", "--question", "SELECT age FROM people"],
            4,
            "COUNT(*)",
        ),
        (&["perhaps", "--table", "people"], 2, "yes"),
    ] {
        let refused = village.run(0, &[&["question", "rule", "add"], wrong].concat());
        assert_eq!(
            refused.status.code(),
            Some(code),
            "{wrong:?}: {}",
            said(&refused)
        );
        assert!(said(&refused).contains(advice), "{}", said(&refused));
    }
    let again = village.run(0, &["question", "rule", "remove", "9"]);
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    assert_eq!(rules(&["default", "ask"])["default"], "ask");
    let text = village.run(0, &["question", "rule", "list"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    let lines: Vec<_> = text.lines().map(str::trim_start).collect();
    assert_eq!(
        lines,
        [
            &format!("2  yes to questions asked by abababab, that are {canonical}"),
            "1  no  to questions asked by abababab",
            "all others: ask you each time"
        ]
    );
    let budget =
        |arguments: &[&str]| village.json(0, &[&["question", "budget"], arguments].concat());
    assert_eq!(budget(&[])["limit"]["questions"], 20);
    assert_eq!(budget(&["set", "5/day"])["limit"]["period_secs"], 86_400);
    let wrong = village.run(0, &["question", "budget", "set", "5"]);
    assert_eq!(wrong.status.code(), Some(2), "{}", said(&wrong));
    assert!(said(&wrong).contains("5/day"), "{}", said(&wrong));
    assert_eq!(village.run(0, &["down"]).status.code(), Some(0));
    assert_eq!(running.end(), Some(0));
    // What was said goes before the configuration.
    let _running = village.up(0, &environment);
    let kept = rules(&["list"]);
    assert_eq!(
        (&kept["default"], &kept["rules"][0]),
        (&"ask".into(), &very)
    );
    assert_eq!(budget(&["show"])["limit"]["questions"], 5);
    assert!(budget(&["off"])["limit"].is_null());
    assert_eq!(
        rules(&["remove", "2"])["rules"].as_array().map(Vec::len),
        Some(1)
    );
    let status = village.json(0, &["status"]);
    assert_eq!(
        (&status["rules"], &status["rule"]),
        (&1.into(), &"ask".into())
    );
}

#[test]
fn whoever_starts_first_waits_for_the_others() {
    let village = Village::found(ALONE);
    // Free a moment ago.
    let address = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
    let address = address.expect("an address").to_string();
    let peer = format!("{}@{address}", village.nodes[0]);
    let _early = village.up(1, &[("COMMONHOLD_PEERS", &peer)]);
    let problems = village.json(1, &["status"])["problems"].to_string();
    assert!(problems.contains("no other member is known"), "{problems}");
    let _late = village.up(0, &[("COMMONHOLD_LISTEN", &address)]);
    eventually("they meet", || {
        [0, 1]
            .iter()
            .all(|place| village.json(*place, &["status"])["peers_known"] == 1)
    });
}
