//! What is wrong with a configuration, and where that stands.

use std::fmt;
use std::path::PathBuf;

use thiserror::Error;

/// What is wrong with a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}: {why}; name another file with --config FILE")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        why: String,
    },
    /// It is not TOML.
    #[error(
        "{path} is not TOML: {why}; correct that line, or move the file away and have it written anew: commonhold init"
    )]
    Toml {
        /// Which.
        path: String,
        /// Where and why.
        why: String,
    },
    /// A key that there is not.
    #[error("{from} sets \"{name}\", which is no key; {instead}")]
    Unknown {
        /// Where it stands.
        from: String,
        /// What stands there.
        name: String,
        /// What may have been meant.
        instead: String,
    },
    /// A value that the key cannot have.
    #[error("{from} sets {name} to \"{value}\"; give {expected}")]
    Value {
        /// Where it stands.
        from: String,
        /// Which key.
        name: &'static str,
        /// What stands there.
        value: String,
        /// What can.
        expected: String,
    },
    /// The account has no home.
    #[error("there is no home folder to look in; name the node's folder with --dir DIR")]
    NoHome,
    /// Nodes of several communities.
    #[error(
        "this account has several nodes: {}; name one with --dir DIR, or with the key folder of config.toml",
        shown(.0)
    )]
    SeveralNodes(Vec<PathBuf>),
}

fn shown(folders: &[PathBuf]) -> String {
    let folders: Vec<_> = folders
        .iter()
        .map(|folder| folder.display().to_string())
        .collect();
    folders.join(", ")
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// [`KEYS`](super::KEYS).
    Default,
    /// The configuration file.
    File(PathBuf),
    /// A variable of the environment.
    Environment(String),
    /// An option that was typed.
    Flag(&'static str),
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("the default"),
            Self::File(path) => write!(f, "{}", path.display()),
            Self::Environment(name) => write!(f, "the environment's {name}"),
            Self::Flag(name) => write!(f, "the option {name}"),
        }
    }
}
