//! Where the consent log ended, kept in a file beside the vault: a chain of digests cannot tell that its end was cut off, or
//! that a vault of last month was put in the place of today's.

use std::fmt;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use thiserror::Error;
use vault::{LogEnd, LogFault, Vault, VaultError};

use crate::files;

/// The file, in the node's folder.
pub const CONSENT_END: &str = "consent.end";

/// Keeps where the consent log ended.
#[derive(Debug, Clone)]
pub struct Witness(PathBuf);

/// What is known of a consent log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Examined {
    /// It holds, as far as its witness has seen it and beyond.
    Holds(LogEnd),
    /// It holds by itself; there is no witness.
    Unwitnessed(LogEnd),
}

/// What is wrong with it.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ConsentLogError {
    /// The log itself, or it and its witness do not agree.
    #[error("{fault}; {}", advice(.fault, .witness))]
    Log {
        /// What it is.
        fault: LogFault,
        /// The witness.
        witness: PathBuf,
    },
    /// The witness.
    #[error("{} does not say where the log ended; if you changed it, delete it and start the node again", .0.display())]
    Witness(PathBuf),
    /// It cannot be read.
    #[error("{} cannot be read: {why}; check its permissions", .witness.display())]
    Io {
        /// The witness.
        witness: PathBuf,
        /// Why.
        why: ErrorKind,
    },
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

fn advice(fault: &LogFault, witness: &Path) -> String {
    match fault {
        LogFault::Changed { .. } | LogFault::Missing { .. } => {
            "no version of this program does that: somebody else has written to the vault, or the disk is damaged; restore a backup"
                .into()
        }
        LogFault::CutOff { .. } | LogFault::Rewritten { .. } => format!(
            "if you put an older vault in its place, delete {} and start the node again, which the log then says; otherwise \
             somebody else did it: restore a backup",
            witness.display()
        ),
    }
}

impl Witness {
    /// Of the node in this folder.
    pub fn at(folder: &Path) -> Self {
        Self(folder.join(CONSENT_END))
    }

    /// Keeps where the log ends now.
    pub fn keep(&self, end: LogEnd) -> io::Result<()> {
        files::replace(&self.0, Written(end).to_string().as_bytes())
    }

    /// Checks the whole log.
    pub fn examine(&self, vault: &Vault) -> Result<Examined, ConsentLogError> {
        let witnessed = self.read()?;
        match vault.check_log(witnessed)? {
            Ok(end) if witnessed.is_some() => Ok(Examined::Holds(end)),
            Ok(end) => Ok(Examined::Unwitnessed(end)),
            Err(fault) => Err(ConsentLogError::Log {
                fault,
                witness: self.0.clone(),
            }),
        }
    }

    fn read(&self) -> Result<Option<LogEnd>, ConsentLogError> {
        match fs::read_to_string(&self.0) {
            Ok(text) => {
                let read = parse(&text).map(Some);
                read.ok_or_else(|| ConsentLogError::Witness(self.0.clone()))
            }
            Err(why) if why.kind() == ErrorKind::NotFound => Ok(None),
            Err(why) => Err(ConsentLogError::Io {
                witness: self.0.clone(),
                why: why.kind(),
            }),
        }
    }
}

/// As the file has it: the number of entries and the last digest.
struct Written(LogEnd);

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.0.entries, self.0.digest)
    }
}

fn parse(text: &str) -> Option<LogEnd> {
    let (entries, digest) = text.strip_suffix('\n')?.split_once(' ')?;
    Some(LogEnd {
        entries: entries.parse().ok()?,
        digest: digest.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use base::Rng;
    use tempfile::{TempDir, tempdir};
    use vault::VaultKey;

    use super::*;

    fn logged(entries: u8) -> (TempDir, Vault, Witness) {
        let folder = tempdir().expect("a folder");
        let key = VaultKey::generate(&mut Rng::from_number(1));
        let mut vault = Vault::create(&folder.path().join("vault.db"), &key).expect("created");
        let witness = Witness::at(folder.path());
        for entry in 0..entries {
            let end = vault.log(&[entry]).expect("logged");
            witness.keep(end).expect("kept");
        }
        (folder, vault, witness)
    }

    #[test]
    fn a_witness_finds_a_vault_of_before() {
        let (_folder, vault, witness) = logged(3);
        let now = vault.log_end().expect("read");
        assert_eq!(witness.examine(&vault), Ok(Examined::Holds(now)));
        let (_other, before, _) = logged(2);
        let why = witness.examine(&before).expect_err("an end is cut off");
        let said = why.to_string();
        assert!(said.contains("ends after 2 entries, and had 3"), "{said}");
        assert!(
            said.contains("delete ") && said.contains(CONSENT_END),
            "{said}"
        );
    }

    #[test]
    fn without_a_witness_it_is_said_that_there_is_none() {
        let (folder, vault, witness) = logged(3);
        let file = folder.path().join(CONSENT_END);
        let text = fs::read_to_string(&file).expect("read");
        assert!(text.starts_with("3 ") && text.len() == 67, "{text}");
        fs::remove_file(&file).expect("removed");
        let end = vault.log_end().expect("read");
        assert_eq!(witness.examine(&vault), Ok(Examined::Unwitnessed(end)));
        for damaged in ["", "3", "3 ab\n", &text.replace('3', "-")] {
            fs::write(&file, damaged).expect("written");
            let why = witness.examine(&vault).expect_err("damaged");
            assert!(matches!(why, ConsentLogError::Witness(_)), "{damaged}");
        }
    }
}
