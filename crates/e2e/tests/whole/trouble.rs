//! What goes wrong on a machine: one line says what to do, nothing is lost, and a node that runs stays up.

use std::fs;
use std::path::Path;
use std::process::Command;

use e2e::{Place, Ran, SLEEP, Village, program};
use serde_json::Value;

/// A node alone in the folder `0`, which does not run.
fn alone() -> Village {
    let mut village = Village::new(Place::new());
    village.gather(4, SLEEP, "sleep", &[]);
    village
}

/// It is said on one line, which says what to do.
fn assert_said(ran: &Ran, code: i32, words: &[&str]) {
    assert_eq!(ran.code, Some(code), "{ran:?}");
    // What goes on may be said before, on lines of its own.
    let error = ran.err.lines().last().unwrap_or_default();
    assert!(error.starts_with("error: "), "{}", ran.err);
    let errors = ran.err.lines().filter(|line| line.starts_with("error"));
    assert_eq!(errors.count(), 1, "{}", ran.err);
    for part in words {
        assert!(error.contains(part), "no {part:?} in {}", ran.err);
    }
}

/// Runs a script as root of a small world of its own, or as an ordinary user there.
fn apart(as_root: bool, script: &str, village: &Village) -> Option<Ran> {
    let run = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--mount"]);
        match as_root {
            true => command.arg("--map-root-user"),
            false => command.args(["--map-user=1000", "--map-group=1000"]),
        };
        command
            .args(["bash", "-c", script])
            .current_dir(village.place.path(""))
            .env("PROGRAM", program())
            .env("XDG_CONFIG_HOME", village.place.path("config"))
            .env("COMMONHOLD_LISTEN", "127.0.0.1:0");
        Ran::of(command.output().expect("it starts"))
    };
    let can = match as_root {
        true => {
            "mkdir -p probe && mount -t tmpfs -o size=1m tmpfs probe && df probe | grep -q 1024"
        }
        // Who is root outside is nobody's master in there.
        false => "touch secret && chmod 000 secret && ! cat secret 2> /dev/null",
    };
    (run(can).code == Some(0)).then(|| run(script))
}

#[test]
fn a_vault_that_cannot_be_read_is_left_alone_and_said() {
    let village = alone();
    let path = village.place.path("0/vault.db");
    let beside = |end: &str| village.place.path(&format!("0/vault.db{end}"));
    // A backup is of all files of the vault.
    let files = ["", "-wal", "-shm"].map(beside);
    let good: Vec<_> = files
        .iter()
        .map(|file| (file, fs::read(file).ok()))
        .collect();
    let garbage = b"no vault at all, but long enough to be taken for one".repeat(100);
    for file in &files[1..] {
        fs::remove_file(file).ok();
    }
    fs::write(&path, &garbage).expect("written");
    let up = village.run(&["up", "--dir", "0"]);
    assert_said(&up, 1, &["the key does not open this vault", "restore"]);
    assert_eq!(fs::read(&path).expect("it is there"), garbage);
    let doctor = village.run(&["doctor", "--dir", "0"]);
    assert_eq!(doctor.code, Some(1));
    assert!(doctor.out.contains("restore"), "{}", doctor.out);
    fs::remove_file(&path).expect("removed");
    let up = village.run(&["up", "--dir", "0"]);
    assert_said(&up, 1, &["there is no vault at", "restore a backup"]);
    // From a backup all is as it was.
    for (file, bytes) in good {
        if let Some(bytes) = bytes {
            fs::write(file, bytes).expect("written");
        }
    }
    let imported = fs::write(village.place.path("sleep.csv"), "hours\n7\n");
    imported.expect("a file");
    village.done(&["data", "import", "sleep.csv", "--dir", "0"]);

    let script =
        "chmod 000 0/vault.db; \"$PROGRAM\" up --dir 0; code=$?; chmod 600 0/vault.db; exit $code";
    match apart(false, script, &village) {
        Some(up) => assert_said(&up, 1, &["permission"]),
        None => eprintln!(
            "NOT CHECKED: a vault without permission. This machine makes no user namespaces, or its root reads all."
        ),
    }
}

/// A disk of a few megabytes: filled, the node says so and goes on; with room again it remembers what is said to it.
const FULL: &str = r#"
set -eu
mkdir disk
mount -t tmpfs -o size=6m tmpfs disk
cp -r 0 disk/node
"$PROGRAM" up --dir disk/node > up.out 2> up.err &
node=$!
trap 'kill $node' EXIT
status() { "$PROGRAM" status --dir disk/node "$@"; }
for _ in $(seq 600); do status > /dev/null 2>&1 && break; sleep 0.1; done
rule() { "$PROGRAM" question rule default "$1" --dir disk/node > /dev/null 2>&1 || test $? = 1; }
rule yes
cat /dev/zero > disk/rest 2> /dev/null || true
for _ in $(seq 300); do
    rule no; rule ask
    status > full.txt
    grep -q 'cannot be written' full.txt && break
done
grep -q 'FAIL.*cannot be written' full.txt
code=0
"$PROGRAM" question rule add no --table sleep --dir disk/node > rule.txt 2> rule.err || code=$?
test $code = 1
printf 'hours\n' > sleep.csv
seq 240 >> sleep.csv
seq 240 >> sleep.csv
code=0
"$PROGRAM" data import sleep.csv --dir disk/node > import.txt 2> import.err || code=$?
test $code = 1
rm disk/rest
rule no
for _ in $(seq 300); do status > free.txt; grep -q 'cannot be written' free.txt || break; rule no; done
! grep -q 'cannot be written' free.txt
kill -9 $node
wait $node || true
"$PROGRAM" up --dir disk/node > again.out 2> again.err &
node=$!
for _ in $(seq 600); do status > /dev/null 2>&1 && break; sleep 0.1; done
"$PROGRAM" question rule list --dir disk/node > rules.txt
"#;

#[test]
fn a_full_disk_is_said_and_the_node_stays_up() {
    let village = alone();
    let Some(ran) = apart(true, FULL, &village) else {
        eprintln!("NOT CHECKED: a full disk. This machine lets nobody mount a small one.");
        return;
    };
    let read = |name: &str| fs::read_to_string(village.place.path(name)).unwrap_or_default();
    assert_eq!(
        ran.code,
        Some(0),
        "{ran:?}\n{}\n{}",
        read("full.txt"),
        read("up.err")
    );
    assert!(
        read("full.txt").contains("free some space"),
        "{}",
        read("full.txt")
    );
    for (said, part) in [
        (read("rule.err"), "it is forgotten"),
        (read("import.err"), "make room"),
    ] {
        assert!(said.contains(part) && said.lines().count() == 1, "{said}");
    }
    assert!(
        read("rules.txt").contains("all: no"),
        "{}",
        read("rules.txt")
    );
    assert!(!Path::new(&village.place.path("disk/node")).exists());
}

#[test]
fn a_ticket_that_is_over_and_a_wrong_passphrase_change_nothing() {
    let mut village = alone();
    let wrong = [("COMMONHOLD_PASSPHRASE", "wrong horse battery")];
    let invite = ["community", "invite", "--dir", "authority"];
    assert_said(
        &village.run_with(&wrong, &invite),
        1,
        &["wrong passphrase", "; "],
    );
    let up = ["up", "--dir", "0", "--enrol", "authority"];
    assert_said(&village.run_with(&wrong, &up), 1, &["wrong passphrase"]);
    assert_eq!(village.run(&["status", "--dir", "0"]).code, Some(3));
    // With the right one nothing is lost.
    village.up("0", &["--enrol", "authority"]);
    let founder = village.member("0");
    let over = village.ticket(&["--expires", "1s", "--member", &founder]);
    let used = village.ticket(&["--member", &founder]);
    village.done(&["community", "join", &used, "--dir", "1"]);
    std::thread::sleep(std::time::Duration::from_millis(2100));
    for (ticket, words) in [
        (&over, "has expired"),
        (&used, "used as often as it may be"),
    ] {
        let late = village.run(&["community", "join", ticket, "--dir", "2"]);
        assert_said(&late, 4, &[words, "ask for "]);
        assert!(!village.place.path("2").exists(), "{words}");
        // By files it is the same.
        let (request, answer) = (format!("{words}?"), format!("{words}!"));
        let join = ["community", "join", ticket, "--offline", &request];
        let asks = village.run(&[&join[..], &["--dir", "3"]].concat());
        if asks.code == Some(0) {
            let certify = ["community", "certify", &request, "--out", &answer];
            let refused = village.run(&[&certify[..], &["--dir", "authority"]].concat());
            assert_said(&refused, 4, &[words]);
        } else {
            assert_said(&asks, 4, &[words]);
        }
    }
    // The one who lets people in is up, and lets the next one in.
    let next = village.ticket(&["--member", &founder]);
    village.done(&["community", "join", &next, "--dir", "4"]);
}

/// Where Debian's `faketime` keeps what shifts a program's clock.
const SHIFTED: [&str; 2] = [
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketime.so.1",
];

/// What a node says of its clock, if that is a problem.
fn clock(status: &Value) -> Option<String> {
    let problems = status["problems"].as_array().into_iter().flatten();
    let mut said = problems.map(Value::to_string);
    said.find(|problem| problem.contains("clock"))
}

/// What lets a program live an hour later.
fn hour_ahead(library: &'static str) -> [(&'static str, &'static str); 3] {
    [
        ("LD_PRELOAD", library),
        ("FAKETIME", "+3600s"),
        // Only what it takes for the time of day: waits are to be as long as ever.
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ]
}

/// The others remember it as it was, and it answers whoever asks whether it is there.
#[test]
fn the_wrong_clock_of_one_stops_nobody_elses_question() {
    let Some(library) = SHIFTED.iter().find(|path| Path::new(path).exists()) else {
        eprintln!("NOT CHECKED: a clock that is off. The package faketime is not installed.");
        return;
    };
    let mut village = Village::asleep(Place::new(), &[Some(("7.5", "good")); 10]);
    village.down("9");
    village.up_with(&hour_ahead(library), "9", &[]);
    village.waits("9", 30, |status| clock(status).is_some());
    let ask = ["question", "ask", "SELECT AVG(hours) FROM sleep", "--wait"];
    let asked = village.run(&[&ask[..], &["--deadline", "now", "--dir", "0"]].concat());
    assert_eq!(asked.code, Some(0), "{asked:?}");
    assert!(asked.out.contains("mean 7.5"), "{asked:?}");
}

#[test]
fn a_clock_that_is_an_hour_off_is_said_and_right_again_it_works() {
    let Some(library) = SHIFTED.iter().find(|path| Path::new(path).exists()) else {
        eprintln!("NOT CHECKED: a clock that is off. The package faketime is not installed.");
        return;
    };
    let mut village = Village::new(Place::new());
    village.found(4);
    village.down("3");
    village.up_with(&hour_ahead(library), "3", &[]);
    let status = village.waits("3", 30, |status| clock(status).is_some());
    let said = clock(&status).expect("it is said");
    for part in ["ahead of the clocks of", "set the clock"] {
        assert!(said.contains(part), "no {part:?} in {said}");
    }
    let asked = village.run(&[
        "question",
        "ask",
        "SELECT COUNT(*) FROM sleep",
        "--dir",
        "3",
    ]);
    assert_eq!(asked.code, Some(4), "{asked:?}");
    assert!(asked.err.contains("while the clock is wrong"), "{asked:?}");
    // And nobody is blamed for it.
    let log = fs::read_to_string(village.place.path("3/log")).expect("a log");
    assert!(!log.contains("misbehaved"), "{log}");
    // Nobody else doubts his own clock because of it.
    for folder in ["0", "1", "2"] {
        assert_eq!(clock(&village.status(folder)), None);
    }
    village.down("3");
    village.up("3", &[]);
    village.waits("3", 30, |status| {
        status["peers_known"].as_u64() == Some(3) && clock(status).is_none()
    });
}
