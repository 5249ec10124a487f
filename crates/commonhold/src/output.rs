//! What the program says to whoever runs it: the one place that prints.
//!
//! A reader who has seen enough (`commonhold plan … | head -1`) closes the pipe. That is no failure: the command goes on, so
//! that it tidies up after itself and ends with its own code, and what it would still say is lost. Any other output that
//! cannot be written, to a disk that is full for example, fails the command in the end.

use std::fmt::Display;
use std::io::{ErrorKind, Write, stderr, stdout};
use std::process::ExitCode;
use std::sync::OnceLock;

use crate::cli::FAILED;

/// Why some of the output is lost, other than that nobody wants it.
static LOST: OnceLock<String> = OnceLock::new();

/// A line, or several, on standard output.
pub fn tell(text: impl Display) {
    note(writeln!(stdout(), "{text}"));
}

/// The same on standard error: what went wrong, or how it goes on.
pub fn warn(text: impl Display) {
    // There is nowhere to say that this cannot be said.
    drop(writeln!(stderr(), "{text}"));
}

/// The exit code of a command that ends with `code`: its own, unless its output is lost.
pub fn end(code: ExitCode) -> ExitCode {
    note(stdout().flush());
    match LOST.get() {
        None => code,
        Some(why) => {
            warn(format_args!("error: the output cannot be written: {why}"));
            ExitCode::from(FAILED)
        }
    }
}

fn note(written: std::io::Result<()>) {
    if let Err(why) = written
        && why.kind() != ErrorKind::BrokenPipe
    {
        LOST.get_or_init(|| why.to_string());
    }
}
