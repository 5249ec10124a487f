//! Whole copies of a vault: under another key in its place, or beside it for a backup.
//!
//! SQLite copies page by page what one moment's readers see, whoever writes meanwhile; each page is decrypted under the one
//! key and encrypted under the other. A copy is complete on the disk before it gets its name.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use crate::alone::Alone;
use crate::error::VaultError;
use crate::key::VaultKey;
use crate::migration::{folder_of, forget_backups, is_empty};
use crate::vault::{Vault, beside, connect};

/// Between two tries where somebody else has a lock.
const BETWEEN: Duration = Duration::from_millis(20);
/// How often it is tried: a minute.
const TRIES: u32 = 3000;

impl Vault {
    /// Copies all that is in the vault now into a new file at `to`, under `key`. Others may go on writing; what they write
    /// meanwhile is not in it.
    ///
    /// # Errors
    ///
    /// [`VaultError::Exists`], or a failure to write; then there is no copy.
    pub fn copy_to(&self, to: &Path, key: &VaultKey) -> Result<(), VaultError> {
        let copied = copy(&self.reader.borrow(), to, key);
        if !matches!(copied, Ok(()) | Err(VaultError::Exists(_))) {
            // What is left of it is of no use; the cause is told anyway.
            let _ = fs::remove_file(to);
        }
        copied
    }

    /// Reads every page of the file: a gigabyte in a second or two.
    ///
    /// # Errors
    ///
    /// [`VaultError::Damaged`] if one is not as it was written, and failures to read.
    pub fn check_pages(&self) -> Result<(), VaultError> {
        whole(&self.writer)
    }
}

/// Looks twice before it says that a page is damaged: somebody else may have been writing it.
fn whole(connection: &Connection) -> Result<(), VaultError> {
    if damage(connection)?.is_none() {
        return Ok(());
    }
    thread::sleep(BETWEEN * 10);
    match damage(connection)? {
        None => Ok(()),
        Some(what) => Err(VaultError::Damaged(what)),
    }
}

impl Alone {
    /// Whether this key opens the vault.
    ///
    /// # Errors
    ///
    /// [`VaultError::WrongKey`] if it does not, and others as [`Vault::open`].
    pub fn fits(&self, key: &VaultKey) -> Result<(), VaultError> {
        if !self.path.try_exists()? {
            return Err(VaultError::NotFound(self.path.clone()));
        }
        connect(&self.path, key, OpenFlags::SQLITE_OPEN_READ_WRITE).map(drop)
    }

    /// Puts the vault under another key. Whenever this is cut short, the file is under the one key or under the other.
    /// Needs as much room again as the vault takes.
    ///
    /// # Errors
    ///
    /// [`VaultError::WrongKey`] if `old` does not open it; others as [`Vault::copy_to`]. Then it is under the old key.
    pub fn rekey(&self, old: &VaultKey, new: &VaultKey) -> Result<(), VaultError> {
        let path = &self.path;
        self.fits(old)?;
        let source = connect(path, old, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        // All of it into the one file: a log of the old file must never meet the new one.
        source.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
        let log = beside(path, "-wal");
        if !is_empty(&log)? {
            return Err(VaultError::InUse);
        }
        let new_file = beside(path, ".rekeyed");
        // Of a try that was cut short.
        remove(&new_file)?;
        let copied = copy(&source, &new_file, new);
        drop(source);
        if let Err(why) = copied {
            remove(&new_file)?;
            return Err(why);
        }
        remove(&log)?;
        fs::rename(&new_file, path)?;
        File::open(folder_of(path))?.sync_all()?;
        // Those of older formats are under the old key.
        forget_backups(path)
    }
}

/// Copies into a new file that only its owner's account may read, and sees it through to the disk.
fn copy(source: &Connection, to: &Path, key: &VaultKey) -> Result<(), VaultError> {
    // What is copied gets codes of its own, and what is damaged would look sound.
    whole(source)?;
    let file = new_file(to)?;
    let mut target = connect(to, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Nobody reads it before it is whole: there is nothing to go back to, and no journal to be left behind.
    target.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(()))?;
    let backup = Backup::new(source, &mut target)?;
    for _ in 0..TRIES {
        match backup.step(-1)? {
            StepResult::Done => {
                drop(backup);
                check(&target)?;
                drop(target);
                return Ok(file.sync_all()?);
            }
            _ => thread::sleep(BETWEEN),
        }
    }
    Err(VaultError::Busy)
}

/// Makes a file that only its owner's account may read.
pub(crate) fn new_file(at: &Path) -> Result<File, VaultError> {
    let mut options = OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o600).open(at);
    file.map_err(|why| match why.kind() {
        io::ErrorKind::AlreadyExists => VaultError::Exists(at.to_path_buf()),
        _ => why.into(),
    })
}

/// Reads every page of a copy.
pub(crate) fn check(copy: &Connection) -> Result<(), VaultError> {
    match damage(copy)? {
        None => Ok(()),
        Some(what) => Err(VaultError::Database(format!("the copy is damaged: {what}"))),
    }
}

/// What is wrong with the first page that is not as it was written: each has its authentication code.
fn damage(connection: &Connection) -> Result<Option<String>, VaultError> {
    let mut query = connection.prepare("PRAGMA cipher_integrity_check")?;
    let mut rows = query.query([])?;
    Ok(rows.next()?.map(|row| row.get(0)).transpose()?)
}

pub(crate) fn remove(path: &Path) -> Result<(), VaultError> {
    match fs::remove_file(path) {
        Err(why) if why.kind() != io::ErrorKind::NotFound => Err(why.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
