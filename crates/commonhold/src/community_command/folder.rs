//! What an authority, or who issues for it, keeps in a folder.
//!
//! | file | what |
//! |---|---|
//! | `authority.locked`, `enrolment.locked` | keys, each under a passphrase |
//! | `descriptor.cbor`, `descriptors/EPOCH.cbor` | the community now, and in every epoch |
//! | `logs.cbor` | every certificate that was issued |
//! | `tickets.cbor` | every ticket that was given, without its secret |
//! | `lock` | held while a command changes something: two at once would keep two logs |

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base::{DecodeError, Rng, Wire, decode, encode};
use community::{
    Community, DESCRIPTOR_BYTES_MAX, Issuer, LOGS_BYTES_MAX, Logs, SignedDescriptor,
    TICKET_BOOK_BYTES_MAX, TicketBook,
};
use crypto::{LOCKED_BYTES_MAX, LockCost, SigningKey, UnlockError, lock, unlock};
use rustix::fs::{Access, access};
use zeroize::Zeroizing;

use super::Failure;
use super::places::{self, Role};
use crate::files;
use crate::home::Home;

/// The authority's key.
pub const AUTHORITY: &str = "authority.locked";
/// The key that follows it, until the community knows.
pub const NEXT_AUTHORITY: &str = "authority.next.locked";
/// A key that certifies and does not amend.
pub const ENROLMENT: &str = "enrolment.locked";
/// The community now.
pub const DESCRIPTOR: &str = "descriptor.cbor";
/// Every certificate.
pub const LOGS: &str = "logs.cbor";
const TICKETS: &str = "tickets.cbor";
const EPOCHS: &str = "descriptors";
/// Most epochs that are handed on at once. Guess: a community changes a few times a year.
const LATER_MAX: usize = 64;

/// What a locked key says that it is.
const PURPOSE: &str = "community key";

/// The folder of an authority or an issuer.
pub struct Folder(PathBuf);

/// Nobody else changes anything in the folder until this is dropped.
pub struct Held {
    _file: File,
}

impl Folder {
    /// This folder.
    pub fn at(path: &Path) -> Self {
        Self(path.to_path_buf())
    }

    /// The authority's folder that is meant.
    pub fn find(named: Option<&Path>) -> Result<Self, Failure> {
        places::find(named, &[Role::Authority]).map(|path| Self::at(&path))
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Makes it.
    pub fn make(&self) -> Result<(), Failure> {
        files::make_folder(&self.file(EPOCHS)).map_err(|why| cannot("make", &self.0, &why))
    }

    /// Waits until nobody else changes anything here.
    pub fn hold(&self) -> Result<Held, Failure> {
        let path = self.file("lock");
        let mut options = File::options();
        options.create(true).truncate(false).write(true).mode(0o600);
        let file = options.open(&path);
        let file = file.map_err(|why| cannot("open", &path, &why))?;
        file.lock().map_err(|why| cannot("lock", &path, &why))?;
        Ok(Held { _file: file })
    }

    /// The community as it is now.
    pub fn community(&self) -> Result<Community, Failure> {
        let path = self.file(DESCRIPTOR);
        if Home::at(&self.0).is_begun() && !path.exists() {
            return Err(Failure::Failed(format!(
                "the vault in {} belongs to no community yet; join one: commonhold community join TICKET",
                self.0.display()
            )));
        }
        let signed: SignedDescriptor = read(&path, DESCRIPTOR_BYTES_MAX)?;
        Community::open(signed).map_err(|why| damaged(&path, &why))
    }

    /// The epochs that follow this one, up to the first that is missing or cannot be read.
    pub fn later(&self, epoch: u64) -> Vec<SignedDescriptor> {
        let later = (epoch..).skip(1).take(LATER_MAX);
        let read = later.map_while(|epoch| read(&self.epoch(epoch), DESCRIPTOR_BYTES_MAX).ok());
        read.collect()
    }

    /// Everything that is known to be issued.
    pub fn logs(&self, community: &Community) -> Result<Logs, Failure> {
        let path = self.file(LOGS);
        let id = community.descriptor().community;
        if !path.exists() {
            return Ok(Logs::new(id));
        }
        let logs: Logs = read(&path, LOGS_BYTES_MAX)?;
        match logs.community() == id {
            true => Ok(logs),
            false => Err(damaged(&path, &"it is another community's")),
        }
    }

    fn book(&self) -> Result<TicketBook, Failure> {
        let path = self.file(TICKETS);
        match path.exists() {
            true => read(&path, TICKET_BOOK_BYTES_MAX),
            false => Ok(TicketBook::new()),
        }
    }

    /// An issuer with all that it remembers.
    pub fn issuer(&self, key: SigningKey, community: &Community) -> Result<Issuer, Failure> {
        let path = self.file(LOGS);
        Issuer::new(key, self.logs(community)?, self.book()?).map_err(|why| damaged(&path, &why))
    }

    /// Stores what an issuer remembers; the log first: a certificate that is logged and not written into the book is
    /// issued again, which does no harm.
    pub fn store_issuer(&self, issuer: &Issuer) -> Result<(), Failure> {
        self.store_logs(issuer.logs())?;
        write(&self.file(TICKETS), &encode(issuer.book()))
    }

    /// Stores the logs.
    pub fn store_logs(&self, logs: &Logs) -> Result<(), Failure> {
        write(&self.file(LOGS), &encode(logs))
    }

    /// Stores an epoch of the community, which is then the one of now.
    pub fn store_community(&self, community: &Community) -> Result<(), Failure> {
        let bytes = encode(community.signed());
        write(&self.epoch(community.descriptor().epoch), &bytes)?;
        write(&self.file(DESCRIPTOR), &bytes)
    }

    /// Where an epoch of the community is.
    pub fn epoch(&self, epoch: u64) -> PathBuf {
        self.file(&format!("{EPOCHS}/{epoch}.cbor"))
    }

    /// Stores a key under a passphrase.
    pub fn store_key(
        &self,
        name: &str,
        key: &SigningKey,
        passphrase: &str,
        rng: &mut Rng,
    ) -> Result<(), Failure> {
        let locked = lock(key.seed(), passphrase, PURPOSE, LockCost::STANDARD, rng);
        write(&self.file(name), &locked)
    }

    /// Puts the key that follows in the place of the authority's, which is worth nothing then.
    pub fn promote_next(&self) -> Result<(), Failure> {
        let path = self.file(AUTHORITY);
        fs::rename(self.file(NEXT_AUTHORITY), &path).map_err(|why| cannot("replace", &path, &why))
    }

    /// The key that amends the community. Whoever asks holds the folder: a change of keys that was cut short is ended.
    pub fn authority_key(
        &self,
        community: &Community,
        passphrase: &str,
    ) -> Result<SigningKey, Failure> {
        let authority = community.descriptor().authority;
        let is_current = |key: &SigningKey| key.node() == authority;
        let (name, key) = self.key(&[AUTHORITY, NEXT_AUTHORITY], passphrase, is_current)?;
        if name == NEXT_AUTHORITY {
            self.promote_next()?;
        }
        Ok(key)
    }

    /// The key that certifies: the enrolment key, if there is one that this passphrase opens, or else the authority's.
    pub fn issuing_key(
        &self,
        community: &Community,
        passphrase: &str,
    ) -> Result<SigningKey, Failure> {
        let issuers = community.descriptor().issuers();
        let names = [ENROLMENT, AUTHORITY, NEXT_AUTHORITY];
        let (_, key) = self.key(&names, passphrase, |key| issuers.contains(&key.node()))?;
        Ok(key)
    }

    /// The first key that fits, and its name.
    fn key(
        &self,
        names: &[&'static str],
        passphrase: &str,
        fits: impl Fn(&SigningKey) -> bool,
    ) -> Result<(&'static str, SigningKey), Failure> {
        let mut first = None;
        for name in names {
            let path = self.file(name);
            if !path.exists() {
                continue;
            }
            match unlocked(&path, passphrase) {
                Ok(key) if fits(&key) => return Ok((name, key)),
                Ok(_) => {
                    let path = path.display();
                    let why = format!(
                        "the key in {path} is not the one that the community's descriptor names; use the newest backup"
                    );
                    first.get_or_insert(Failure::Failed(why));
                }
                Err(why) => {
                    first.get_or_insert(why);
                }
            }
        }
        let path = self.file(names[0]);
        Err(first.unwrap_or_else(|| {
            Failure::Failed(format!(
                "there is no key in {}; bring it back from where you keep it",
                path.display()
            ))
        }))
    }
}

fn unlocked(path: &Path, passphrase: &str) -> Result<SigningKey, Failure> {
    let bytes = files::read(path, LOCKED_BYTES_MAX).map_err(|why| cannot("read", path, &why))?;
    let seed = unlock(&bytes, passphrase, PURPOSE).map_err(|why| match why {
        UnlockError::WrongPassphrase => {
            let path = path.display();
            Failure::Failed(format!("wrong passphrase for {path}; nothing was done"))
        }
        _ => damaged(path, &why),
    })?;
    let seed: Zeroizing<[u8; 32]> = Zeroizing::new(
        seed.as_slice()
            .try_into()
            .map_err(|_| damaged(path, &"no key has this length"))?,
    );
    Ok(SigningKey::from_seed(*seed))
}

/// Reads a file of ours.
pub fn read<T: Wire>(path: &Path, limit: usize) -> Result<T, Failure> {
    let bytes = files::read(path, limit).map_err(|why| cannot("read", path, &why))?;
    decode(&bytes, limit).map_err(|why: DecodeError| damaged(path, &why))
}

/// Writes a file of ours.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    files::replace(path, bytes).map_err(|why| cannot("write", path, &why))
}

/// Where a command is to write what somebody takes away: nothing may be there, and something can be.
pub fn must_be_new(path: &Path) -> Result<(), Failure> {
    if path.symlink_metadata().is_ok() {
        return Err(taken(path));
    }
    let folder = files::folder_of(path);
    let can = match folder.is_dir() {
        true => access(folder, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from),
        false => Err(io::Error::other(format!(
            "there is no folder {}",
            folder.display()
        ))),
    };
    can.map_err(|why| cannot("write", path, &why))
}

/// Writes such a file.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let lost = |why: io::Error| match why.kind() {
        ErrorKind::AlreadyExists => taken(path),
        _ => cannot("write", path, &why),
    };
    files::write_new(path, lost, |mut file| file.write_all(bytes).map_err(lost))
}

fn taken(path: &Path) -> Failure {
    Failure::Failed(format!(
        "{} exists already, and nothing was changed; name a new file",
        path.display()
    ))
}

/// The system refused.
pub fn cannot(what: &str, path: &Path, why: &dyn std::fmt::Display) -> Failure {
    let path = path.display();
    Failure::Failed(format!(
        "cannot {what} {path}: {why}; check the path, its permissions and the free space"
    ))
}

/// A file does not hold what it should.
pub fn damaged(path: &Path, why: &dyn std::fmt::Display) -> Failure {
    let path = path.display();
    Failure::Failed(format!(
        "cannot use {path}: {why}; restore it from a backup"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_handed_out_takes_no_other_files_place() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("letter");
        fs::write(&path, "dear").expect("written");
        assert!(must_be_new(&path).is_err() && write_new(&path, b"cbor").is_err());
        assert_eq!(fs::read(&path).expect("there"), b"dear");
        let path = folder.path().join("answer");
        let nowhere = folder.path().join("nowhere").join("answer");
        let why = must_be_new(&nowhere).expect_err("no folder").to_string();
        assert!(why.contains("there is no folder"), "{why}");
        assert!(must_be_new(&path.join("answer")).is_err(), "no folder yet");
        assert!(must_be_new(&path).is_ok() && write_new(&path, b"cbor").is_ok());
        assert_eq!(fs::read(&path).expect("there"), b"cbor");
    }
}
