//! The first steps: a name, the recovery words, a community; what keeps the vault's key, and a backup.

use std::fmt;
use std::fs::File;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use zeroize::{Zeroize, ZeroizeOnDrop};

/// How far the owner is with the first steps. How much data there is, `/v1/data` says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Beginning {
    /// What the owner calls this node; empty as long as it has no name. Nobody else is told.
    pub name: String,
    /// Whether the owner has said that the recovery words of now are written down.
    pub words_kept: bool,
    /// Whether the node belongs to a community. Until then, most paths reply `not_member`.
    pub member: bool,
    /// What keeps the vault's key: `file`, `passphrase` or `keyring`.
    pub key_kept_by: String,
    /// The same in words.
    pub key_kept_where: String,
    /// The node's folder.
    pub folder: String,
}

/// What is new of the first steps; what is left out stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBeginning {
    /// Another name, at most 60 characters; empty for none.
    #[serde(default)]
    pub name: Option<String>,
    /// Whether the recovery words of now are written down.
    #[serde(default)]
    pub words_kept: Option<bool>,
}

/// A ticket to join a community with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMember {
    /// The line that a member gave.
    #[schema(value_type = String)]
    pub ticket: Secret,
}

/// The community that was joined.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Joined {
    /// The node's name, 64 hexadecimal digits.
    pub node: String,
    /// The community's name.
    pub community: String,
}

/// Who wants to see the recovery words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowWords {
    /// The passphrase, where one keeps the key.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub passphrase: Option<Secret>,
}

/// The words that are the vault's key: whoever has them opens it, and every backup made under this key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RecoveryWords {
    /// 24 words, in their order.
    #[schema(value_type = Vec<String>)]
    pub words: Vec<Secret>,
}

/// Another key for the vault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewKey {
    /// The passphrase of now, where one keeps the key.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub passphrase: Option<Secret>,
    /// The passphrase that is to keep the new key, at least 8 characters; without one, a file in the node's folder keeps it.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub new_passphrase: Option<Secret>,
}

/// A backup to make.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewBackup {
    /// A passphrase of its own, at least 8 characters, with which it opens as well as with the recovery words.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub passphrase: Option<Secret>,
}

/// What opens the backup that was brought: one of the two.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewRestore {
    /// The 24 recovery words of the time when it was made, with spaces in between.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub words: Option<Secret>,
    /// Its own passphrase.
    #[serde(default)]
    #[schema(value_type = Option<String>)]
    pub passphrase: Option<Secret>,
}

/// What a backup held that lives here now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Restored {
    /// The community of its node; none, if it was made before there was one.
    pub community: Option<String>,
    /// Where the configuration that was in it is, in words, if one was.
    pub config: Option<String>,
}

/// A backup that was made: its file has no name any more, and is gone when this is.
#[derive(Debug)]
pub struct Backup {
    /// What to call it.
    pub name: String,
    /// It, from its beginning.
    pub file: File,
    /// Its length.
    pub bytes: u64,
}

/// A text that is nobody else's business: never printed by `{:?}`, and overwritten when it is dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// It, for what needs it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Secret {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret")
    }
}
