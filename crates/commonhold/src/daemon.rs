//! `commonhold up`: a node that runs until it is told to stop, and the commands that speak to it.
//!
//! | file | idea |
//! |---|---|
//! | `core` | the one loop: programs' requests, the node's events, the vault |
//! | `hearing` | what the node is told and says, in the daemon's words |
//! | `ledger` | the lists of questions, asked and received |
//! | `contacts` | whom the node has met, for the next start |
//! | `reach` | whether others reach the node |
//! | `checks` | what can be wrong, and what to do about it |
//! | `folder` | one process per folder; where its API is |
//! | `relaying` | `relay` |
//! | `running` | `up`, `down`, `status`, `doctor` |
//! | `leaving` | `leave` |
//! | `asking` | `question ask` and the others |
//! | `beginning` | before the node belongs to a community |
//! | `keys` | its name, the recovery words, the vault's key, backups |
//! | `opening` | `open` |
//! | `owning` | `question rule`, `question budget` and `consent revoke` |
//! | `shown` | how things are printed |

mod asking;
mod beginning;
mod checks;
mod contacts;
mod core;
mod folder;
mod hearing;
mod keys;
mod leaving;
mod ledger;
mod opening;
mod owning;
mod reach;
mod relaying;
mod running;
mod shown;

use std::path::PathBuf;
use std::process::ExitCode;

use api::{Client, ClientError, Kind};
use clap::Args;

pub use asking::{QuestionsCommand, main as questions};
pub use folder::{Claimed, client};
pub use leaving::{LeaveOptions, leave};
pub use opening::{OpenOptions, open, shows};
pub use owning::{RevokeOptions, revoke};
pub use relaying::{RelayOptions, relay};
pub use running::{
    DoctorOptions, StatusOptions, UpOptions, doctor, down, status, up, up_until_input_ends,
};
pub use shown::{plain, short};

use crate::cli::{ANSWERED, FAILED, NOT_RUNNING, REFUSED, TIMED_OUT, USAGE, fail};
use crate::community_command;
use crate::config::{Config, ConfigError, Environment, Typed, Values};
use crate::daemon::folder::FolderError;
use crate::home::Home;
use crate::output::tell;
use crate::passphrase::PassphraseError;

/// Which node.
#[derive(Debug, Clone, Args)]
pub struct Where {
    /// The node's folder [default: the key folder of config.toml]
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// The configuration [default: commonhold/config.toml in $XDG_CONFIG_HOME or ~/.config]
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// A file with the passphrase of the node's key, or - for standard input, where a passphrase keeps it [default: the
    /// variable COMMONHOLD_KEY_PASSPHRASE, or asked for on the terminal]
    #[arg(long, value_name = "FILE")]
    pub key_passphrase_file: Option<PathBuf>,
}

impl Where {
    /// All values that hold for it.
    pub fn values(&self) -> Result<Values, ConfigError> {
        let typed = Typed {
            config: self.config.clone(),
            folder: self.dir.clone(),
        };
        Values::gather(&typed, &Environment::own())
    }

    /// The folder of the node that is meant.
    pub fn home(&self) -> Result<Home, ConfigError> {
        let config = self.values().and_then(|values| values.config())?;
        Ok(self.home_of(&config))
    }

    /// The same, where the configuration is known.
    pub fn home_of(&self, config: &Config) -> Home {
        Home::at(&config.folder).with_passphrase_file(self.key_passphrase_file.clone())
    }

    fn config(&self) -> Result<Config, Failure> {
        Ok(self.values().and_then(|values| values.config())?)
    }

    fn client(&self) -> Result<Client, Failure> {
        let client = client(&self.config()?.folder);
        client.map_err(|why| match why {
            FolderError::Nobody(_) => Failure::new(why, NOT_RUNNING),
            why => why.into(),
        })
    }
}

/// Why a command failed, in one line, and its exit code.
#[derive(Debug)]
pub struct Failure {
    why: String,
    code: u8,
}

impl Failure {
    fn new(why: impl ToString, code: u8) -> Self {
        let why = why.to_string();
        Self { why, code }
    }

    fn exit(&self, json: bool) -> ExitCode {
        fail(json, &self.why, self.code)
    }
}

impl From<ConfigError> for Failure {
    fn from(why: ConfigError) -> Self {
        Self::new(why, USAGE)
    }
}

impl From<community_command::Failure> for Failure {
    fn from(why: community_command::Failure) -> Self {
        Self::new(&why, why.code())
    }
}

impl From<PassphraseError> for Failure {
    fn from(why: PassphraseError) -> Self {
        community_command::Failure::from(why).into()
    }
}

impl From<FolderError> for Failure {
    fn from(why: FolderError) -> Self {
        let code = match why {
            FolderError::Idle(_) => NOT_RUNNING,
            _ => FAILED,
        };
        Self::new(why, code)
    }
}

impl From<ClientError> for Failure {
    fn from(why: ClientError) -> Self {
        let code = match &why {
            ClientError::NotRunning(_) => NOT_RUNNING,
            ClientError::TimedOut => TIMED_OUT,
            ClientError::Strange(..) => FAILED,
            ClientError::Refused(fault) => match fault.kind {
                Kind::Request | Kind::Unknown | Kind::Method | Kind::Long | Kind::Format => USAGE,
                Kind::WhichTable | Kind::WhichPerson => USAGE,
                Kind::Refused
                | Kind::Late
                | Kind::NotMember
                | Kind::Passphrase
                | Kind::Token
                | Kind::Foreign => REFUSED,
                Kind::Slow => TIMED_OUT,
                Kind::Failed | Kind::Busy => FAILED,
            },
        };
        Self::new(why, code)
    }
}

/// Prints what the node replied.
fn print<T: serde::Serialize>(
    json: bool,
    value: &T,
    lines: impl FnOnce() -> Vec<String>,
) -> Result<u8, Failure> {
    if json {
        tell(format_args!("{:#}", serde_json::json!(value)));
    } else {
        tell(lines().join("\n"));
    }
    Ok(ANSWERED)
}

/// Runs a command's conversation with the node.
fn converse(json: bool, talk: impl Future<Output = Result<u8, Failure>>) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let result = match runtime {
        Ok(runtime) => runtime.block_on(talk),
        Err(why) => Err(Failure::new(format!("cannot start: {why}"), FAILED)),
    };
    match result {
        Ok(code) => ExitCode::from(code),
        Err(failure) => failure.exit(json),
    }
}
