//! Output that nobody reads, and output that cannot be written.

use std::fs::OpenOptions;
use std::io::pipe;
use std::process::{Command, Output, Stdio};

const PLAN: &[&str] = &[
    "plan",
    "--nodes",
    "1000",
    "--colluders",
    "10",
    "--offline",
    "5",
];
/// No plan is safe, which is said in JSON.
const UNSAFE: &[&str] = &[
    "plan",
    "--nodes",
    "3",
    "--colluders",
    "2",
    "--offline",
    "5",
    "--json",
];
const COMMANDS: [(&[&str], i32); 6] = [
    (PLAN, 0),
    (UNSAFE, 4),
    (
        &[
            "k-table",
            "--nodes",
            "1000",
            "--colluders",
            "10",
            "--alpha",
            "1e-6",
        ],
        0,
    ),
    (&["completions", "bash"], 0),
    (&["question", "verify", "/nowhere", "--json"], 1),
    (&["--help"], 0),
];

fn run(arguments: &[&str], stdout: impl Into<Stdio>, stderr: impl Into<Stdio>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_commonhold"));
    command.args(arguments).stdout(stdout).stderr(stderr);
    command.output().expect("it runs")
}

/// A pipe whose reader has gone: what `head -1` leaves behind.
fn closed() -> Stdio {
    let (reader, writer) = pipe().expect("a pipe");
    drop(reader);
    writer.into()
}

#[test]
fn a_reader_who_has_gone_is_no_failure() {
    for (arguments, code) in COMMANDS {
        let open = run(arguments, Stdio::piped(), Stdio::piped());
        assert_eq!(open.status.code(), Some(code), "{arguments:?}: {open:?}");
        let output = run(arguments, closed(), Stdio::piped());
        assert_eq!(
            output.status.code(),
            Some(code),
            "{arguments:?}: {output:?}"
        );
        assert_eq!(
            output.stderr, open.stderr,
            "{arguments:?} says something else"
        );
        let neither = run(arguments, closed(), closed());
        assert_eq!(neither.status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn output_that_is_lost_is_a_failure() {
    let full = || OpenOptions::new().write(true).open("/dev/full");
    let output = run(PLAN, full().expect("there is one"), Stdio::piped());
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        said.contains("the output cannot be written: No space"),
        "{said}"
    );
}
