//! What keeps a vault's key: a file, a passphrase, or the system's keyring.

use std::fmt;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use base::{Rng, decode, encode};
use crypto::{LockCost, Stream, UnlockError, WordsError, lock, unlock};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use thiserror::Error;
use vault::VaultKey;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::files;
use super::keyring;
use super::passphrase::PassphraseError;

/// The key's file, if its owner names no other.
pub const KEY_FILE: &str = "vault.key";
/// What the locked file of a passphrase is for.
const PURPOSE: &str = "vault key";
/// Longest key file: a line for each of the nodes that share it.
const KEY_FILE_BYTES_MAX: usize = 16 << 10;
/// Longest sealed secrets.
const SECRETS_BYTES_MAX: usize = 512;

/// What the owner wants the key to be kept by.
pub enum Choice {
    /// A file for the owner's account alone; in the node's folder, if none is named.
    File(Option<PathBuf>),
    /// A passphrase.
    Passphrase(Zeroizing<String>),
    /// The system's keyring.
    Keyring,
}

/// What keeps a key, as it is stored.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Protection {
    /// A file: this one, or the usual one.
    #[n(0)]
    File(#[n(0)] Option<String>),
    /// A locked file under a passphrase, which holds the key.
    #[n(1)]
    Passphrase(#[n(0)] ByteVec),
    /// The keyring, under the slot's name.
    #[n(2)]
    Keyring,
}

/// One key of a vault: what keeps it, and what it opens besides the vault. Which key it is cannot be seen.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Slot {
    /// What keeps the key.
    #[n(0)]
    pub protection: Protection,
    #[cbor(n(1), with = "minicbor::bytes")]
    salt: [u8; 32],
    /// [`Secrets`] under the key.
    #[n(2)]
    sealed: ByteVec,
}

/// Who the node is.
#[derive(Clone, Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(map)]
pub struct Secrets {
    /// The seed of its signing key.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub signing: [u8; 32],
    /// The seed of its VRF key.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub vrf: [u8; 32],
    /// While the vault gets another key: the one of the two that is not this slot's.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub other: Option<[u8; 32]>,
}

/// Why a key is not to be had.
#[derive(Debug, Error)]
pub enum KeyError {
    /// No passphrase was given.
    #[error(transparent)]
    Passphrase(#[from] PassphraseError),
    /// Not this one.
    #[error(
        "wrong passphrase of this node's key; try again, or get in with the 24 recovery words: commonhold key recover"
    )]
    WrongPassphrase,
    /// What the passphrase opens was damaged.
    #[error(
        "this node's key cannot be unlocked: {0}; get in with the 24 recovery words: commonhold key recover"
    )]
    Locked(UnlockError),
    /// No file, or none that can be used.
    #[error(
        "cannot use the key file {path}: {why}; bring it back, or get in with the 24 recovery words: commonhold key recover"
    )]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The key cannot be written there.
    #[error(
        "cannot keep the key in {path}: {why}; name a new file in a folder of yours, or one in which this program keeps keys"
    )]
    Keep {
        /// Where.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// The keys that there are open nothing here.
    #[error(
        "what keeps this node's key ({0}) holds another key; bring the right one back, or get in with the 24 recovery words: commonhold key recover"
    )]
    OtherKey(String),
    /// The keyring.
    #[error(
        "the system's keyring does not work: {0}; unlock it, or have a passphrase or a file keep the key; with the 24 recovery words one always gets in: commonhold key recover"
    )]
    Keyring(String),
    /// No recovery words.
    #[error(transparent)]
    Words(#[from] WordsError),
    /// Those of another key.
    #[error(
        "these are the recovery words of another vault, or of a key that was replaced since; use those that were shown last"
    )]
    OtherWords,
}

impl Slot {
    /// Hands `key` to what is to keep it, and seals `secrets` under it. What was kept before stays until
    /// [`forget`](Self::forget).
    pub fn make(
        folder: &Path,
        choice: &Choice,
        key: &VaultKey,
        secrets: &Secrets,
        rng: &mut Rng,
    ) -> Result<Self, KeyError> {
        let salt = rng.bytes32();
        let protection = match choice {
            Choice::File(named) => {
                let path = named.clone().unwrap_or_else(|| folder.join(KEY_FILE));
                keep_in_file(&path, key).map_err(|why| match why {
                    KeyError::File { path, why } => KeyError::Keep { path, why },
                    why => why,
                })?;
                Protection::File(
                    named
                        .as_ref()
                        .map(|path| path.to_string_lossy().into_owned()),
                )
            }
            Choice::Passphrase(passphrase) => {
                let locked = lock(key.as_bytes(), passphrase, PURPOSE, LockCost::STANDARD, rng);
                Protection::Passphrase(locked.into())
            }
            Choice::Keyring => {
                let label = format!("Commonhold: key of the vault in {}", folder.display());
                keyring::store(&name(&salt), &label, &hex(key)).map_err(KeyError::Keyring)?;
                Protection::Keyring
            }
        };
        Ok(Self {
            protection,
            salt,
            sealed: seal(key, &salt, secrets),
        })
    }

    /// The same key, kept as before, with other secrets.
    pub fn with(&self, key: &VaultKey, secrets: &Secrets, rng: &mut Rng) -> Self {
        // The keyring knows the key by the salt, and a salt seals once: the name is made of its first half.
        let mut salt = rng.bytes32();
        salt[..16].copy_from_slice(&self.salt[..16]);
        Self {
            protection: self.protection.clone(),
            salt,
            sealed: seal(key, &salt, secrets),
        }
    }

    /// The keys that what keeps this one gives; `ask` is for the passphrase.
    pub fn keys(
        &self,
        folder: &Path,
        ask: impl FnOnce() -> Result<Zeroizing<String>, PassphraseError>,
    ) -> Result<Vec<VaultKey>, KeyError> {
        match &self.protection {
            Protection::File(_) => read_file(&self.file(folder)),
            Protection::Passphrase(locked) => {
                let passphrase = ask()?;
                let key = unlock(locked, &passphrase, PURPOSE).map_err(|why| match why {
                    UnlockError::WrongPassphrase => KeyError::WrongPassphrase,
                    why => KeyError::Locked(why),
                })?;
                let bytes = <&[u8; 32]>::try_from(&key[..]);
                let bytes = bytes.map_err(|_| KeyError::Locked(UnlockError::OtherPurpose))?;
                Ok(vec![VaultKey::from_bytes(bytes)])
            }
            Protection::Keyring => {
                let text = keyring::look_up(&name(&self.salt)).map_err(KeyError::Keyring)?;
                Ok(text.lines().filter_map(of_hex).collect())
            }
        }
    }

    /// What is sealed under this key; `None` when it is another.
    pub fn open(&self, key: &VaultKey) -> Option<Secrets> {
        let mut stream = Stream::new(key.as_bytes(), PURPOSE, &self.salt);
        let secrets = stream.open(&self.sealed).ok()?;
        decode(&secrets, SECRETS_BYTES_MAX).ok()
    }

    /// What keeps the key need not keep it any more.
    pub fn forget(&self, folder: &Path, key: &VaultKey) -> Result<(), KeyError> {
        match &self.protection {
            Protection::File(_) => drop_from_file(&self.file(folder), key),
            Protection::Passphrase(_) => Ok(()),
            Protection::Keyring => self.forget_in_keyring().map_err(KeyError::Keyring),
        }
    }

    /// The keyring forgets the key.
    pub fn forget_in_keyring(&self) -> Result<(), String> {
        keyring::forget(&name(&self.salt))
    }

    /// Whether a passphrase keeps the key.
    pub fn asks(&self) -> bool {
        matches!(self.protection, Protection::Passphrase(_))
    }

    /// The key's file.
    fn file(&self, folder: &Path) -> PathBuf {
        match &self.protection {
            Protection::File(Some(path)) => path.into(),
            _ => folder.join(KEY_FILE),
        }
    }

    /// What is wrong with the file that keeps the key, if one does.
    pub fn trouble(&self, folder: &Path) -> Option<String> {
        let Protection::File(_) = self.protection else {
            return None;
        };
        let path = self.file(folder);
        match std::fs::metadata(&path) {
            Err(why) => Some(KeyError::File { path, why }.to_string()),
            Ok(about) if about.mode() & 0o077 != 0 => {
                let path = path.display();
                Some(format!(
                    "the key file {path} can be read or written by others on this machine; take that from them: chmod 600 {path}"
                ))
            }
            Ok(_) => None,
        }
    }

    /// What keeps the key, in words for its owner.
    pub fn told(&self, folder: &Path) -> String {
        match &self.protection {
            Protection::File(_) => told_file(&self.file(folder)),
            Protection::Passphrase(_) => "a passphrase".into(),
            Protection::Keyring => "the system's keyring".into(),
        }
    }
}

/// Takes out of the folder's own key file what a rotation that was killed has left there: keys that open nothing here.
pub fn tidy(folder: &Path, slots: &[Slot], key: &VaultKey) -> Result<(), KeyError> {
    let path = folder.join(KEY_FILE);
    let in_file = |slot: &Slot| matches!(slot.protection, Protection::File(_));
    let is_used = slots
        .iter()
        .any(|slot| in_file(slot) && slot.file(folder) == path);
    for kept in read_file(&path)? {
        if !is_used || kept.as_bytes() != key.as_bytes() {
            drop_from_file(&path, &kept)?;
        }
    }
    Ok(())
}

impl Protection {
    /// One word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::File(_) => "file",
            Self::Passphrase(_) => "passphrase",
            Self::Keyring => "keyring",
        }
    }
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File(_) => "File",
            Self::Passphrase(_) => "Passphrase(secret)",
            Self::Keyring => "Keyring",
        })
    }
}

fn seal(key: &VaultKey, salt: &[u8; 32], secrets: &Secrets) -> ByteVec {
    let bytes = Zeroizing::new(encode(secrets));
    Stream::new(key.as_bytes(), PURPOSE, salt)
        .seal(&bytes)
        .into()
}

/// Under which the keyring knows a key.
fn name(salt: &[u8; 32]) -> String {
    salt[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A line of a key file.
fn hex(key: &VaultKey) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(64));
    for byte in key.as_bytes() {
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(digit.into(), 16).expect("below sixteen"));
        }
    }
    text
}

fn of_hex(line: &str) -> Option<VaultKey> {
    let digits = line.trim_end().as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let mut key = Zeroizing::new([0; 32]);
    if digits.len() != 64 {
        return None;
    }
    for (byte, pair) in key.iter_mut().zip(digits.chunks(2)) {
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(VaultKey::from_bytes(&key))
}

/// A file that keeps the key, in words for its owner. Whoever can change what is stored cannot write to the terminal.
pub fn told_file(path: &Path) -> String {
    let path = path.display().to_string();
    format!("the file {}", path.replace(char::is_control, "?"))
}

/// The keys in a file, the one that was kept last first.
pub fn read_file(path: &Path) -> Result<Vec<VaultKey>, KeyError> {
    let failed = |why| KeyError::File {
        path: path.to_path_buf(),
        why,
    };
    // Whoever opens a pipe waits for somebody to write to it.
    if std::fs::metadata(path).is_ok_and(|there| !there.is_file()) {
        return Err(failed(io::Error::other("what is there is no file")));
    }
    let bytes = files::read(path, KEY_FILE_BYTES_MAX).map_err(failed)?;
    let text = std::str::from_utf8(&bytes).ok();
    let keys = text.and_then(|text| text.lines().map(of_hex).collect::<Option<Vec<_>>>());
    // Whoever names another file by mistake finds it untouched.
    keys.ok_or_else(|| failed(io::Error::other("it holds something else than keys")))
}

/// Adds a key to those in the file, which may be other nodes'; the file is made, if it is not there.
pub fn keep_in_file(path: &Path, key: &VaultKey) -> Result<(), KeyError> {
    if path.symlink_metadata().is_ok_and(|there| !there.is_file()) {
        let why = io::Error::other("what is there is no file");
        let path = path.to_path_buf();
        return Err(KeyError::File { path, why });
    }
    // One whose process was killed before the vault knew of it; whoever cannot do so is told of the writing below.
    drop(super::elsewhere::tidy_beside(path, false));
    let mut keys = match read_file(path) {
        Err(KeyError::File { why, .. }) if why.kind() == io::ErrorKind::NotFound => Vec::new(),
        read => read?,
    };
    keys.retain(|kept| kept.as_bytes() != key.as_bytes());
    keys.insert(0, key.clone());
    write_file(path, &keys)
}

/// Takes a key out of the file, and the file away when it was the last.
fn drop_from_file(path: &Path, key: &VaultKey) -> Result<(), KeyError> {
    let mut keys = match read_file(path) {
        Err(KeyError::File { why, .. }) if why.kind() == io::ErrorKind::NotFound => return Ok(()),
        read => read?,
    };
    let before = keys.len();
    keys.retain(|kept| kept.as_bytes() != key.as_bytes());
    match (keys.len() == before, keys.is_empty()) {
        (true, _) => Ok(()),
        (false, false) => write_file(path, &keys),
        (false, true) => std::fs::remove_file(path).map_err(|why| KeyError::File {
            path: path.to_path_buf(),
            why,
        }),
    }
}

/// As a file holds them.
pub fn lines(keys: &[VaultKey]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(keys.len() * 65));
    for key in keys {
        text.push_str(&hex(key));
        text.push('\n');
    }
    text
}

/// Whether this can be a file of keys, or the beginning of one.
pub fn may_be_keys(bytes: &[u8]) -> bool {
    let is_key = |line: &[u8]| line.len() <= 64 && line.iter().all(u8::is_ascii_hexdigit);
    bytes.split(|&byte| byte == b'\n').all(is_key)
}

fn write_file(path: &Path, keys: &[VaultKey]) -> Result<(), KeyError> {
    files::replace(path, lines(keys).as_bytes()).map_err(|why| KeyError::File {
        path: path.to_path_buf(),
        why,
    })
}

#[cfg(test)]
#[path = "protection/tests.rs"]
mod tests;
