//! The Python client: by itself, and as a script uses it on real nodes.
//!
//! Where there is no Python that is recent enough, it says so loudly and checks nothing.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use e2e::{Place, Ran, Village};

/// How long people sleep, but for the one who asks. The first of them is asked each time, the others take part in everything.
const HOURS: [&str; 6] = ["6.5", "7.5", "8.5", "5.5", "6.5", "7.5"];
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
    let qualities = ["good", "bad"].into_iter().cycle();
    let nights = HOURS.into_iter().zip(qualities).map(Some);
    let nights: Vec<_> = std::iter::once(None).chain(nights).collect();
    let village = Village::asleep(Place::new(), &nights);
    let script = text(&client().join("tests/real.py"));
    let [asker, owner] = ["0", "1"].map(|folder| text(&village.place.path(folder)));
    let ran = python(&[&[&*script, &asker, &owner], &HOURS[..]].concat());
    println!("{}", ran.out);
    assert_eq!(ran.code, Some(0), "{}\n{}", ran.out, ran.err);
    assert!(ran.out.ends_with("all is well\n"), "{}", ran.out);
}
