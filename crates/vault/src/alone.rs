//! Who has a vault open: any number of processes together, or one that exchanges the file.
//!
//! SQLite's own locks lie on the file, and a process that waits for one would go on with the file that was there before.

use std::fs::{File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::error::VaultError;
use crate::vault::beside;

/// How long somebody who wants to read waits for one who exchanges the file. Guess: a gigabyte is written anew in it.
const READER_WAITS: Duration = Duration::from_secs(60);
/// How long one who wants to exchange it waits: commands that just look are over by then.
const WRITER_WAITS: Duration = Duration::from_secs(1);
/// Between two tries.
const BETWEEN: Duration = Duration::from_millis(20);

/// As long as this is there, nobody exchanges the vault's file.
#[derive(Debug)]
pub struct Shared {
    _lock: File,
}

/// As long as this is there, nobody else has the vault open.
#[derive(Debug)]
pub struct Alone {
    pub(crate) path: PathBuf,
    _lock: File,
}

impl Shared {
    /// Holds the vault at `path`, whether there is one or not. Waits a minute for one who exchanges it.
    ///
    /// # Errors
    ///
    /// [`VaultError::InUse`], or the file system's.
    pub fn take(path: &Path) -> Result<Self, VaultError> {
        let lock = open(path)?;
        wait(READER_WAITS, || lock.try_lock_shared())?;
        Ok(Self { _lock: lock })
    }
}

impl Alone {
    /// Keeps everybody else from the vault at `path`, whether there is one or not.
    ///
    /// # Errors
    ///
    /// [`VaultError::InUse`] when somebody has it open, this process included; or the file system's.
    pub fn take(path: &Path) -> Result<Self, VaultError> {
        Self::within(WRITER_WAITS, path)
    }

    /// The same for one who wants what another may be doing already: waits as long as a reader.
    pub(crate) fn wait_for(path: &Path) -> Result<Self, VaultError> {
        Self::within(READER_WAITS, path)
    }

    fn within(patience: Duration, path: &Path) -> Result<Self, VaultError> {
        let lock = open(path)?;
        wait(patience, || lock.try_lock())?;
        Ok(Self {
            path: path.to_path_buf(),
            _lock: lock,
        })
    }
}

/// The file is never removed while a vault is there: who holds another file of the same name holds nothing.
fn open(path: &Path) -> Result<File, VaultError> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    Ok(options.open(beside(path, ".lock"))?)
}

fn wait(
    patience: Duration,
    attempt: impl Fn() -> Result<(), TryLockError>,
) -> Result<(), VaultError> {
    let tries = patience.as_millis() / BETWEEN.as_millis();
    for _ in 0..tries {
        match attempt() {
            Ok(()) => return Ok(()),
            Err(TryLockError::WouldBlock) => thread::sleep(BETWEEN),
            Err(TryLockError::Error(why)) => return Err(why.into()),
        }
    }
    Err(VaultError::InUse)
}
