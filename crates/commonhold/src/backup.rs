//! `commonhold backup`: all that a node is and has, in one encrypted file, and back.
//!
//! | file | idea |
//! |---|---|
//! | `creating` | `create`: one moment of a vault that may be in use |
//! | `reading` | `verify`, and what the entries are |
//! | `restoring` | `restore`: the same node in a folder where there is none |

mod creating;
mod reading;
mod restoring;

use std::path::PathBuf;
use std::process::ExitCode;

use base::{Instant, NodeId};
use clap::{Args, Subcommand};
use crypto::secret_of;
use minicbor::{Decode, Encode};
use serde_json::json;
use vault::VaultKey;
use vault::backup::{BackupError, Opener};
use zeroize::Zeroizing;

pub use self::creating::make;
pub use self::restoring::over;
use crate::cli::{FAILED, REFUSED};
use crate::daemon::Where;
use crate::data::{Failed, Said, home, say};
use crate::home::KeyError;
use crate::key_command::{KeeperOptions, failed, words_typed};
use crate::passphrase::{Given, OF_BACKUP};
use crate::verify::utc;

/// The file in the node's folder of a backup that is being given out.
pub const GIVEN: &str = "given.backup";
/// That of one that was brought to be restored.
pub const BROUGHT: &str = "brought.backup";

/// What can be done with backups.
#[derive(Debug, Subcommand)]
pub enum BackupCommand {
    /// Write a backup
    ///
    /// The node may run meanwhile: the file holds one moment of its vault, with all data, rules, the journal and the history, its
    /// keys and certificate, the community and config.toml. It opens with the 24 recovery words of now (commonhold key show
    /// --words), and with a passphrase of its own if you give one. Needs as much free space beside the vault as the vault
    /// takes. Exit code: 0 done, 1 failed.
    Create(CreateOptions),
    /// Read a backup to its end and check every byte
    ///
    /// On the machine where it was made it opens by itself; elsewhere it asks for the recovery words. Exit code: 0 it is whole,
    /// 1 it is not, 4 it does not open.
    Verify(VerifyOptions),
    /// Be the same node again, on a machine where there is none
    ///
    /// Restore one node only once: two that run under one name get in each other's way, and are stopped. The restored node
    /// leaves questions alone that were asked before. Exit code: 0 done, 1 failed, 4 the file does not open.
    Restore(RestoreOptions),
}

/// Of `backup create`.
#[derive(Debug, Args)]
pub struct CreateOptions {
    /// Where to; the file must not be there [default: named after node and day, in this folder]
    pub file: Option<PathBuf>,
    /// Have it open with a passphrase of its own as well
    #[arg(long)]
    pub passphrase: bool,
    /// The file that holds this passphrase [default: the variable COMMONHOLD_BACKUP_PASSPHRASE, or asked for]
    #[arg(long, value_name = "FILE")]
    pub passphrase_file: Option<PathBuf>,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What opens a backup.
#[derive(Debug, Clone, Args)]
pub struct OpenerOptions {
    /// A file with the 24 recovery words, or - for standard input [default: asked for on the terminal]
    #[arg(long, value_name = "FILE", group = "opener")]
    pub words_file: Option<PathBuf>,
    /// Open it with its passphrase
    #[arg(long, group = "opener")]
    pub passphrase: bool,
    /// The file that holds the passphrase [default: the variable COMMONHOLD_BACKUP_PASSPHRASE, or asked for]
    #[arg(long, value_name = "FILE", group = "opener")]
    pub passphrase_file: Option<PathBuf>,
}

/// Of `backup verify`.
#[derive(Debug, Args)]
pub struct VerifyOptions {
    /// The backup
    pub file: PathBuf,
    /// What opens it.
    #[command(flatten)]
    pub opener: OpenerOptions,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Of `backup restore`.
#[derive(Debug, Args)]
pub struct RestoreOptions {
    /// The backup
    pub file: PathBuf,
    /// A file with the 24 recovery words, or - for standard input [default: asked for on the terminal]
    #[arg(long, value_name = "FILE", group = "opener")]
    pub words_file: Option<PathBuf>,
    /// The file that holds the backup's own passphrase
    #[arg(long, value_name = "FILE", group = "opener")]
    pub passphrase_file: Option<PathBuf>,
    /// What is to keep the key from now on [default: a file in the node's folder].
    #[command(flatten)]
    pub keeper: KeeperOptions,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// The first entry: what the backup is of.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct About {
    /// Nobody, if the vault waits for its node.
    #[n(0)]
    node: Option<NodeId>,
    /// The community's name; empty where there is no node.
    #[n(1)]
    community: String,
    /// When, in seconds since 1970.
    #[n(2)]
    made_utc_s: u64,
    /// The version of the program.
    #[n(3)]
    program: String,
}

/// Names of entries, in their order; those of files are only there where the node has them.
mod name {
    pub const ABOUT: &str = "about";
    pub const KEYS: &str = "keys";
    /// Of a vault that waits for its node, instead of keys and descriptor.
    pub const KEY: &str = "key";
    pub const DESCRIPTOR: &str = "descriptor";
    pub const MEMBERS: &str = "members";
    pub const CONFIG: &str = "config";
    pub const VAULT: &str = "vault";
}

/// Runs the command.
pub fn main(command: &BackupCommand) -> ExitCode {
    let (json, said) = match command {
        BackupCommand::Create(options) => (options.json, creating::create(options)),
        BackupCommand::Verify(options) => (options.json, reading::verify(options)),
        BackupCommand::Restore(options) => (options.json, restoring::restore(options)),
    };
    say(json, said)
}

impl About {
    fn json(&self, bytes: u64) -> serde_json::Value {
        json!({
            "node": self.node.map(|node| node.to_string()), "community": self.node.map(|_| &self.community), "made_utc_s": self.made_utc_s,
            "made_utc": utc(self.made_utc_s), "program": self.program, "bytes": bytes,
        })
    }

    fn words(&self) -> String {
        let what = match self.node {
            Some(node) => format!("node {node} of \"{}\"", self.community),
            None => "a vault whose owner belongs to no community yet".into(),
        };
        format!("{what}, as it was at {}", utc(self.made_utc_s))
    }
}

fn passphrase(file: Option<&std::path::Path>) -> Given<'_> {
    Given {
        option: "--passphrase-file",
        file,
        variable: OF_BACKUP,
    }
}

/// What opens a backup, in the caller's hands.
pub enum Secret {
    /// The vault's key, which the recovery words are.
    Key(VaultKey),
    /// A passphrase of its own.
    Passphrase(Zeroizing<String>),
}

impl Secret {
    /// Of the recovery words.
    pub fn known(words: &str) -> Result<Self, Failed> {
        let key = secret_of(words).map_err(|why| failed(KeyError::from(why).into()))?;
        Ok(Self::Key(VaultKey::from_bytes(&key)))
    }

    fn of_words(file: Option<&std::path::Path>) -> Result<Self, Failed> {
        Self::known(&words_typed(file)?)
    }

    fn of_passphrase(file: Option<&std::path::Path>) -> Result<Self, Failed> {
        let known = passphrase(file).known("the backup");
        known
            .map(Self::Passphrase)
            .map_err(|why| failed(KeyError::from(why).into()))
    }

    fn opener(&self) -> Opener<'_> {
        match self {
            Self::Key(key) => Opener::Key(key),
            Self::Passphrase(passphrase) => Opener::Passphrase(passphrase),
        }
    }
}

fn unread(why: BackupError) -> Failed {
    let code = match why {
        BackupError::OtherWords | BackupError::WrongPassphrase | BackupError::NoPassphrase => {
            REFUSED
        }
        _ => FAILED,
    };
    (why.to_string(), code)
}

fn now() -> Instant {
    net::Clock::start().now()
}
