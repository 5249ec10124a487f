//! What the program says to whoever runs it: the one place that prints.
//!
//! A reader who has seen enough (`commonhold plan … | head -1`) closes the pipe. That is no failure: the command goes on, so
//! that it tidies up after itself and ends with its own code, and what it would still say is lost. Any other output that
//! cannot be written, to a disk that is full for example, fails the command in the end.

use std::fmt::Display;
use std::io::{ErrorKind, IsTerminal, Write, stderr, stdout};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::thread;

use base::Duration;

use crate::cli::FAILED;

/// How often those are told who wait, in the first minute and later.
const OFTEN: Duration = Duration::from_secs(10);
const RARELY: Duration = Duration::from_secs(60);

/// Why some of the output is lost, other than that nobody wants it.
static LOST: OnceLock<String> = OnceLock::new();

/// What the command is doing.
static DOING: Mutex<String> = Mutex::new(String::new());

/// Notes what the command is doing now, for those who wait.
pub fn doing(what: impl Into<String>) {
    *DOING.lock().unwrap_or_else(PoisonError::into_inner) = what.into();
}

/// Says now and then that the command is still at work, until this is dropped: where standard error is no terminal, on which
/// bars and lines show more.
pub struct Patience {
    _until_dropped: Option<Sender<()>>,
}

impl Patience {
    /// From now on.
    pub fn begin() -> Self {
        if stderr().is_terminal() {
            return Self {
                _until_dropped: None,
            };
        }
        let (sender, dropped) = channel::<()>();
        thread::spawn(move || {
            let mut waited = Duration::ZERO;
            loop {
                let pause = if waited < RARELY { OFTEN } else { RARELY };
                if dropped.recv_timeout(pause) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
                waited += pause;
                let doing = DOING.lock().unwrap_or_else(PoisonError::into_inner);
                warn(still(&doing, waited));
            }
        });
        Self {
            _until_dropped: Some(sender),
        }
    }
}

fn still(doing: &str, waited: Duration) -> String {
    let doing = if doing.is_empty() { "at work" } else { doing };
    format!("still {doing}; {} s so far", waited.as_secs())
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_waits_is_told_for_what_and_how_long() {
        assert_eq!(still("", OFTEN), "still at work; 10 s so far");
        let said = still("waiting for question ab: collecting", OFTEN * 2);
        assert_eq!(
            said,
            "still waiting for question ab: collecting; 20 s so far"
        );
    }
}
