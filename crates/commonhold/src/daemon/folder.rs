//! What a running node keeps in its folder besides its home: that it runs, where its API is, and the API's token.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use api::{Client, Token};
use base::{Duration, Rng};
use thiserror::Error;

use crate::home::{Home, HomeError, WIPED};
use crate::wiping::LOCK;

/// The address of its API, while it runs.
const ADDRESS: &str = "api.address";
/// The token of its API.
pub const TOKEN: &str = "api.token";

/// Longest of these files.
const BYTES_MAX: u64 = 256;
/// How often a lock is tried: somebody may just be looking whether there is one.
const TRIES: u32 = 10;
/// Between two tries.
const BETWEEN: Duration = Duration::from_millis(20);

/// Why a folder cannot be used so.
#[derive(Debug, Error)]
pub enum FolderError {
    /// Nobody lives there.
    #[error("{}", HomeError::Nobody(.0.clone()))]
    Nobody(PathBuf),
    /// Somebody lived there.
    #[error("{}", HomeError::Orphaned(.0.clone()))]
    Orphaned(PathBuf),
    /// Somebody was to live there.
    #[error("{}", HomeError::CutShort(.0.clone()))]
    CutShort(PathBuf),
    /// It is being erased.
    #[error("{} was being wiped; finish that: commonhold leave --wipe --dir {}", .0.display(), .0.display())]
    Wiped(PathBuf),
    /// A node runs there.
    #[error(
        "a node is running in {0} already, or a command that needs its place; use it, or stop it: commonhold down"
    )]
    Taken(PathBuf),
    /// No node runs there.
    #[error("no node is running in {0}; start it: commonhold up")]
    Idle(PathBuf),
    /// The file system refused.
    #[error("cannot use {path}: {why}; check the folder, its permissions and the free space")]
    Io {
        /// What.
        path: PathBuf,
        /// Why.
        why: io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path} is damaged: {why}")]
    Damaged {
        /// Which.
        path: PathBuf,
        /// How.
        why: String,
    },
}

/// The folder of a node that runs, by this process.
#[derive(Debug)]
pub struct Claimed {
    folder: PathBuf,
    _lock: File,
}

impl Claimed {
    /// Sees to it that no other process runs the node in `folder`.
    pub fn claim(folder: &Path) -> Result<Self, FolderError> {
        not_wiped(folder)?;
        if !lives(folder) && !unreadable(folder) {
            return Err(nobody(folder));
        }
        Self::hold(folder)
    }

    /// The same, whoever lives or lived there.
    pub fn hold(folder: &Path) -> Result<Self, FolderError> {
        let path = folder.join(LOCK);
        let lock = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(0o600)
            .open(&path)
            .map_err(|why| failed(&path, why))?;
        for _ in 0..TRIES {
            match lock.try_lock() {
                Ok(()) => {
                    // One that a killed process left behind may be another program's by now.
                    drop(fs::remove_file(folder.join(ADDRESS)));
                    let folder = folder.into();
                    return Ok(Self {
                        folder,
                        _lock: lock,
                    });
                }
                Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN),
                Err(TryLockError::Error(why)) => return Err(failed(&path, why)),
            }
        }
        Err(FolderError::Taken(folder.into()))
    }

    /// The API's token, made if there is none.
    pub fn token(&self, rng: &mut Rng) -> Result<Token, FolderError> {
        let path = self.folder.join(TOKEN);
        match read(&path) {
            Ok(text) => parse(&path, &text),
            Err(FolderError::Io { why, .. }) if why.kind() == io::ErrorKind::NotFound => {
                let token = Token::new(rng.bytes32());
                write(&path, token.as_str())?;
                Ok(token)
            }
            Err(why) => Err(why),
        }
    }

    /// Says where the API is, until this is dropped.
    pub fn publish(&self, address: SocketAddr) -> Result<(), FolderError> {
        write(&self.folder.join(ADDRESS), &address.to_string())
    }
}

impl Drop for Claimed {
    fn drop(&mut self) {
        drop(fs::remove_file(self.folder.join(ADDRESS)));
    }
}

/// Speaks to the node that runs in `folder`.
pub fn client(folder: &Path) -> Result<Client, FolderError> {
    not_wiped(folder)?;
    let idle = || match lives(folder) {
        true => FolderError::Idle(folder.into()),
        false => nobody(folder),
    };
    // Whoever listens at an address that was left behind must not be shown the token.
    let lock = match File::open(folder.join(LOCK)) {
        Err(why) if why.kind() == io::ErrorKind::NotFound => {
            return Err(idle());
        }
        opened => opened.map_err(|why| failed(&folder.join(LOCK), why))?,
    };
    match lock.try_lock_shared() {
        Ok(()) => return Err(idle()),
        Err(TryLockError::WouldBlock) => {}
        Err(TryLockError::Error(why)) => return Err(failed(&folder.join(LOCK), why)),
    }
    let path = folder.join(ADDRESS);
    let address = match read(&path) {
        Ok(address) => parse(&path, &address)?,
        // It is just starting or stopping.
        Err(FolderError::Io { why, .. }) if why.kind() == io::ErrorKind::NotFound => {
            return Err(idle());
        }
        Err(why) => return Err(why),
    };
    let path = folder.join(TOKEN);
    let token = parse(&path, &read(&path)?)?;
    Ok(Client::new(address, token))
}

/// Free space where `folder` is, in bytes.
pub fn disk_free(folder: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(folder).ok()?;
    Some(disk.f_bavail.saturating_mul(disk.f_frsize))
}

fn not_wiped(folder: &Path) -> Result<(), FolderError> {
    match folder.join(WIPED).exists() {
        true => Err(FolderError::Wiped(folder.into())),
        false => Ok(()),
    }
}

/// Whether there is a node, or a vault whose node is yet to come.
fn lives(folder: &Path) -> bool {
    let home = Home::at(folder);
    home.is_inhabited() || home.is_begun()
}

/// Nobody lives here any more, or yet.
fn nobody(folder: &Path) -> FolderError {
    match Home::at(folder).nobody() {
        HomeError::Orphaned(folder) => FolderError::Orphaned(folder),
        HomeError::CutShort(folder) => FolderError::CutShort(folder),
        _ => FolderError::Nobody(folder.into()),
    }
}

fn unreadable(folder: &Path) -> bool {
    let found = fs::metadata(folder.join("keys.cbor"));
    found.is_err_and(|why| why.kind() == io::ErrorKind::PermissionDenied)
}

fn failed(path: &Path, why: io::Error) -> FolderError {
    FolderError::Io {
        path: path.into(),
        why,
    }
}

fn parse<T: std::str::FromStr<Err: ToString>>(path: &Path, text: &str) -> Result<T, FolderError> {
    text.trim_end()
        .parse()
        .map_err(|why: T::Err| FolderError::Damaged {
            path: path.into(),
            why: why.to_string(),
        })
}

fn read(path: &Path) -> Result<String, FolderError> {
    let mut text = String::new();
    let file = File::open(path).map_err(|why| failed(path, why))?;
    let read = file.take(BYTES_MAX).read_to_string(&mut text);
    read.map_err(|why| failed(path, why))?;
    Ok(text)
}

/// Whole or not at all, and for the owner alone.
fn write(path: &Path, text: &str) -> Result<(), FolderError> {
    let new = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&new)
        .map_err(|why| failed(&new, why))?;
    let written = writeln!(file, "{text}").and_then(|()| fs::rename(&new, path));
    written.map_err(|why| failed(path, why))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("keys.cbor"), b"").expect("written");
        folder
    }

    #[test]
    fn one_process_has_it() {
        let folder = folder();
        let path = folder.path();
        assert!(matches!(client(path), Err(FolderError::Idle(_))));
        let claimed = Claimed::claim(path).expect("free");
        assert!(matches!(Claimed::claim(path), Err(FolderError::Taken(_))));
        assert!(
            matches!(client(path), Err(FolderError::Idle(_))),
            "no address yet"
        );
        claimed.token(&mut Rng::from_number(1)).expect("made");
        claimed
            .publish(([127, 0, 0, 1], 7).into())
            .expect("written");
        assert!(client(path).is_ok());
        drop(claimed);
        assert!(matches!(client(path), Err(FolderError::Idle(_))));
        assert!(Claimed::claim(path).is_ok());
    }

    #[test]
    fn an_address_that_was_left_behind_counts_for_nothing() {
        let folder = folder();
        let claimed = Claimed::claim(folder.path()).expect("free");
        claimed.token(&mut Rng::from_number(1)).expect("made");
        drop(claimed);
        fs::write(folder.path().join(ADDRESS), "127.0.0.1:7\n").expect("written");
        assert!(matches!(client(folder.path()), Err(FolderError::Idle(_))));
        // Nor does it while the next process starts.
        let _claimed = Claimed::claim(folder.path()).expect("free");
        assert!(matches!(client(folder.path()), Err(FolderError::Idle(_))));
    }

    #[test]
    fn the_token_is_the_owners_and_lasts() {
        let folder = folder();
        let claimed = Claimed::claim(folder.path()).expect("free");
        let token = claimed.token(&mut Rng::from_number(1)).expect("made");
        let again = claimed.token(&mut Rng::from_number(2)).expect("read");
        assert!(again.is(token.as_str().as_bytes()));
        let path = folder.path().join(TOKEN);
        let mode = fs::metadata(&path).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        fs::write(path, "short").expect("written");
        let why = claimed
            .token(&mut Rng::from_number(3))
            .expect_err("damaged");
        assert!(why.to_string().contains("delete the file"));
    }

    #[test]
    fn nobody_lives_in_an_empty_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(matches!(
            Claimed::claim(folder.path()),
            Err(FolderError::Nobody(_))
        ));
        // Nor where a command that makes one has held it, or was cut short.
        drop(Claimed::hold(folder.path()).expect("free"));
        assert!(matches!(client(folder.path()), Err(FolderError::Nobody(_))));
        fs::write(folder.path().join("vault.db.founding"), b"").expect("written");
        let cut_short = client(folder.path());
        assert!(matches!(cut_short, Err(FolderError::CutShort(_))));
        Home::at(folder.path()).give_up().expect("removed");
        assert!(matches!(client(folder.path()), Err(FolderError::Nobody(_))));
        assert!(disk_free(folder.path()).is_some_and(|bytes| bytes > 0));
    }
}
