//! The Python client: by itself, and as a script uses it on real nodes.
//!
//! Where there is no Python that is recent enough, it says so loudly and checks nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use e2e::{Place, Ran, SLEEP_AND_QUALITY, Village};

/// How long people sleep. The first of them is asked each time, the others take part in everything.
const HOURS: [&str; 6] = ["6.5", "7.5", "8.5", "5.5", "6.5", "7.5"];
/// These, and one who asks.
const NODES: usize = HOURS.len() + 1;
/// Succeeds if it is a Python that the client is for.
const RECENT: &str = "import sys; sys.exit(sys.version_info < (3, 10))";

fn there_is_python() -> bool {
    let mut python = Command::new("python3");
    let ran = python
        .args(["-c", RECENT])
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .status();
    let there = ran.is_ok_and(|status| status.success());
    if !there {
        eprintln!("NOT CHECKED: the Python client. There is no python3 of version 3.10 or later.");
    }
    there
}

/// Runs it, without leaving anything beside the sources.
fn python(arguments: &[&str]) -> Ran {
    let mut python = Command::new("python3");
    python
        .args(arguments)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    Ran::of(python.output().expect("python3 starts"))
}

fn client() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../clients/python")
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

#[test]
fn the_python_client_passes_its_own_tests() {
    if !there_is_python() {
        return;
    }
    let ran = python(&["-m", "unittest", "discover", &text(&client())]);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    // An empty folder passes as well, with older versions.
    assert!(!ran.err.contains("Ran 0 tests"), "{}", ran.err);
}

#[test]
fn a_script_asks_real_nodes() {
    if !there_is_python() {
        return;
    }
    let place = Place::new();
    std::fs::write(place.path("words.toml"), SLEEP_AND_QUALITY).expect("a file");
    let mut village = Village::new(place);
    village.found_with(NODES, &["--vocabulary", "words.toml"]);
    for (person, hours) in HOURS.iter().enumerate() {
        let folder = (person + 1).to_string();
        let quality = ["good", "bad"][person % 2];
        let rows = format!("hours,quality\n{hours},{quality}\n");
        std::fs::write(village.place.path("sleep.csv"), rows).expect("a file");
        village.done(&["data", "import", "sleep.csv", "--dir", &folder]);
        if person > 0 {
            village.done(&["question", "rule", "default", "yes", "--dir", &folder]);
        }
    }
    for node in 0..NODES {
        village.waits(&node.to_string(), 90, |status| {
            status["peers_known"] == NODES - 1
        });
    }
    let script = text(&client().join("tests/real.py"));
    let [asker, owner] = ["0", "1"].map(|folder| text(&village.place.path(folder)));
    let ran = python(&[&[&*script, &asker, &owner], &HOURS[..]].concat());
    println!("{}", ran.out);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    assert!(ran.out.ends_with("all is well\n"), "{}", ran.out);
}
