//! The daemon as people run it: real processes, real folders.

mod common;

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use base::Duration;
use common::{Village, damage, eventually, said};

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
    // Problems come first, for people as well.
    let text = village.run(0, &["status"]);
    let text = String::from_utf8_lossy(&text.stdout).into_owned();
    assert!(text.starts_with("PROBLEM"), "{text}");
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
    for name in ["config", "permissions", "disk", "port", "vault", "clock"] {
        assert_eq!(verdict(name), "ok", "{name}");
    }
    assert_eq!(village.run(0, &["doctor"]).status.code(), Some(0));
    let running = village.up(0, &[]);
    for name in ["config", "permissions", "disk", "port", "vault", "clock"] {
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

/// Ages that nothing else on this machine is likely to say.
const AGES: [u32; 12] = [
    40_417, 40_429, 40_433, 40_459, 40_471, 40_483, 40_487, 40_493, 40_499, 40_507, 40_519, 40_529,
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
        // The last one is asked.
        let rule = if place + 1 == village.nodes.len() {
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
    let sql = "SELECT AVG(age) FROM people WHERE age > 40418";
    let refused = village.run(0, &["question", "ask", "SELECT age FROM people"]);
    assert_eq!(refused.status.code(), Some(4), "{}", said(&refused));
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
    // Whose rule says yes is not asked, and sees what came all the same.
    let ruled = village.json(1, &["question", "inbox"])[0].clone();
    assert_eq!(
        (&ruled["state"], &ruled["by_rule"]),
        (&"yes".into(), &true.into())
    );
    assert_eq!(ruled["purpose"], "zanzibar");
    assert_eq!(ruled["asker"], village.nodes[0].to_string());
    let word = village.json(others, &["question", "answer", &id[..10], "always"]);
    assert_eq!(word["state"], "yes");
    // Until the deadline the last word counts.
    for (word, state) in [("no", "no"), ("yes", "yes")] {
        let again = village.json(others, &["question", "answer", &id, word]);
        assert_eq!(again["state"], state);
    }
    let rule = village.json(others, &["question", "rule", "show"]);
    assert_eq!(
        (&rule["rule"], &rule["standing"][0]["yes"]),
        (&"ask".into(), &true.into())
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
    // Another question is answered by the word that was given once for all, and waited for.
    let waited = village.run(0, &["question", "ask", sql, "--deadline", "3s", "--wait"]);
    assert_eq!(waited.status.code(), Some(0), "{}", said(&waited));
    assert!(String::from_utf8_lossy(&waited.stdout).contains("mean"));
    assert_eq!(
        village.json(others, &["question", "inbox"])[0]["by_rule"],
        true
    );
    // The lists outlive the process.
    assert_eq!(village.run(0, &["down"]).status.code(), Some(0));
    assert_eq!(running[0].end(), Some(0));
    let log = village.log(0);
    running[0] = village.up(0, &[]);
    let list = village.json(0, &["question", "list"]);
    assert_eq!(list.as_array().map(Vec::len), Some(2));
    assert_eq!(list[1]["id"], id);
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
            .chain(["quixote", "zanzibar", "SELECT", "40418"])
        {
            assert!(!log.contains(personal), "a log says {personal}:\n{log}");
        }
    }
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
