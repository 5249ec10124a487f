//! `commonhold community`: founding a community, letting people in and out, and looking at it. Works on files alone, but for
//! `join`.
//!
//! | file | idea |
//! |---|---|
//! | `options` | what can be typed |
//! | `folder` | what the authority keeps in its folder |
//! | `places` | which folder is meant |
//! | `founding`, `vocabulary_file` | `create` |
//! | `issuing` | `invite`, `certify`, `renew` |
//! | `doors` | nodes on this machine that let people in |
//! | `reception` | letting people in over the network, while a node runs |
//! | `amending` | `revoke`, `rotate`, `delegate`, `unlist`, `amend` |
//! | `changes` | what one descriptor has otherwise than the one before it |
//! | `joining` | `join`, `install`: the newcomer's side |
//! | `telling` | `show`, `log` |

mod amending;
mod changes;
mod doors;
mod folder;
mod founding;
mod issuing;
mod joining;
pub mod options;
mod places;
mod reception;
mod telling;
mod vocabulary_file;

use std::process::ExitCode;

use serde_json::Value;
use thiserror::Error;

pub use self::changes::Changes;
pub use self::folder::AUTHORITY;
pub use self::joining::{Newcomer, members};
use self::options::CommunityCommand;
pub use self::places::only_node;
pub use self::reception::{Received, Reception, Standing};
pub use self::telling::kind;
use crate::cli::{ANSWERED, FAILED, REFUSED, TIMED_OUT, USAGE, fail};
use crate::output::tell;
use crate::passphrase::PassphraseError;

/// Why a command did nothing: one line that says what happened and what to do.
#[derive(Debug, Error)]
pub enum Failure {
    /// What was typed makes no sense.
    #[error("{0}")]
    Usage(String),
    /// A file, a passphrase or the machine.
    #[error("{0}")]
    Failed(String),
    /// The community's rules, or somebody's signature.
    #[error("{0}")]
    Refused(String),
    /// Nobody answered.
    #[error("{0}")]
    Silence(String),
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Usage(_) => USAGE,
            Self::Failed(_) => FAILED,
            Self::Refused(_) => REFUSED,
            Self::Silence(_) => TIMED_OUT,
        }
    }
}

impl From<PassphraseError> for Failure {
    fn from(why: PassphraseError) -> Self {
        match why {
            PassphraseError::Usage(why) => Self::Usage(why),
            PassphraseError::Failed(why) => Self::Failed(why),
        }
    }
}

/// What a command did.
struct Told {
    json: Value,
    lines: Vec<String>,
}

/// Runs the command.
pub fn main(command: &CommunityCommand) -> ExitCode {
    let (json, told) = match command {
        CommunityCommand::Create(options) => (options.json, founding::create(options)),
        CommunityCommand::Invite(options) => (options.authority.json, issuing::invite(options)),
        CommunityCommand::Join(options) => (options.json, joining::join(options)),
        CommunityCommand::Certify(options) => (options.authority.json, issuing::certify(options)),
        CommunityCommand::Install(options) => (options.json, joining::install(options)),
        CommunityCommand::Revoke(options) => (options.authority.json, amending::revoke(options)),
        CommunityCommand::Renew(options) => (options.authority.json, issuing::renew(options)),
        CommunityCommand::Rotate(options) => (options.authority.json, amending::rotate(options)),
        CommunityCommand::Delegate(options) => {
            (options.authority.json, amending::delegate(options))
        }
        CommunityCommand::Unlist(options) => (options.authority.json, amending::unlist(options)),
        CommunityCommand::Amend(options) => (options.authority.json, amending::amend(options)),
        CommunityCommand::Show(options) => (options.json, telling::show(options)),
        CommunityCommand::Log(options) => (options.json, telling::log(options)),
    };
    match told {
        Ok(told) if json => {
            tell(format_args!("{:#}", told.json));
            ExitCode::from(ANSWERED)
        }
        Ok(told) => {
            tell(told.lines.join("\n"));
            ExitCode::from(ANSWERED)
        }
        Err(why) => fail(json, &why.to_string(), why.code()),
    }
}
