//! `commonhold demo`: many people's real nodes on this machine answer a question.
//!
//! | file | idea |
//! |---|---|
//! | `people` | a CSV file, and whose records are taken |
//! | `founding` | a community with keys, certificates, folders and vaults |
//! | `owners` | who says yes or no, and who is away |
//! | `crew` | the nodes' processes |
//! | `clear` | the same figures, computed in the clear |
//! | `comparing` | whether both say the same |
//! | `run` | the course of events |
//! | `telling` | what is printed |
//! | `showing` | one of the nodes with its page, to look at |

mod clear;
mod comparing;
mod crew;
mod founding;
mod owners;
mod people;
mod run;
mod showing;
mod telling;

use std::process::ExitCode;

use thiserror::Error;

use crate::cli::{ANSWERED, DemoOptions, FAILED, INTERRUPTED, REFUSED, TIMED_OUT, USAGE, fail};
use crate::home::HomeError;
use crate::output::tell;

/// Why a demo ended without an answer.
#[derive(Debug, Error)]
pub enum DemoError {
    /// What was asked for makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A node's folder could not be made.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// Something of this machine does not work.
    #[error("{0}")]
    Machine(String),
    /// The community's rules forbid the answer.
    #[error("{0}")]
    Refused(String),
    /// No answer in time.
    #[error("{0}")]
    TimedOut(String),
    /// Ctrl-C.
    #[error("interrupted; nothing is left behind")]
    Interrupted,
}

impl DemoError {
    fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Home(_) | Self::Machine(_) => FAILED,
            Self::Refused(_) => REFUSED,
            Self::TimedOut(_) => TIMED_OUT,
            Self::Interrupted => INTERRUPTED,
        }
    }

    fn outcome(&self) -> &'static str {
        match self {
            Self::Usage(_) => "usage",
            Self::Home(_) | Self::Machine(_) => "failed",
            Self::Refused(_) => "refused",
            Self::TimedOut(_) => "timed out",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Runs the command.
pub fn main(options: &DemoOptions) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = runtime
        .map_err(|why| DemoError::Machine(format!("cannot start: {why}")))
        .and_then(|runtime| runtime.block_on(run::run(options)));
    match result {
        Ok(told) => {
            match options {
                // It was printed before the page was opened.
                DemoOptions { open: true, .. } => {}
                DemoOptions { json: true, .. } => tell(format_args!("{:#}", told.json())),
                _ => tell(told.lines().join("\n")),
            }
            ExitCode::from(if told.wrong() { FAILED } else { ANSWERED })
        }
        Err(why) => {
            if options.json {
                let json = serde_json::json!({ "outcome": why.outcome(), "why": why.to_string() });
                tell(format_args!("{json:#}"));
                return ExitCode::from(why.code());
            }
            fail(false, &why.to_string(), why.code())
        }
    }
}
