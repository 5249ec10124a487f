//! From older formats of the vault to the present one, with a backup.
//!
//! The format is SQLite's `user_version`. Each step of the ladder leads from one format to the next, and all that are needed
//! take effect together or not at all. Before that the file is copied as it is, encrypted, to a file beside it. The copy is
//! kept until the program has started with the vault once more: it holds what its owner may want gone.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, Transaction, TransactionBehavior};

use crate::error::VaultError;
use crate::vault::beside;

/// Step `n` leads from format `n + 1` to the next.
const LADDER: [&str; 3] = [
    // Some vaults of the first format have it already.
    "CREATE TABLE IF NOT EXISTS commonhold_history (
        key BLOB PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;",
    // The record of imports.
    "CREATE TABLE commonhold_imports (
        import INTEGER PRIMARY KEY, name TEXT NOT NULL, format TEXT NOT NULL, bytes INTEGER NOT NULL,
        at_utc_s INTEGER NOT NULL, kept INTEGER NOT NULL, duplicate INTEGER NOT NULL, undone_utc_s INTEGER) STRICT;
    CREATE TABLE commonhold_skipped (
        import INTEGER NOT NULL, reason TEXT NOT NULL, number INTEGER NOT NULL,
        PRIMARY KEY (import, reason)) STRICT, WITHOUT ROWID;",
    // The consent log.
    "CREATE TABLE commonhold_consent (
        number INTEGER PRIMARY KEY, entry BLOB NOT NULL, digest BLOB NOT NULL) STRICT;",
];

/// The format that this program writes. Zero is a file that was never completed.
pub(crate) const SCHEMA: i64 = LADDER.len() as i64 + 1;

/// How often the file is copied anew because somebody else wrote to it meanwhile.
const TRIES: usize = 10;

/// Brings the vault at `path` to the present format. Whether it had another.
pub(crate) fn migrate(path: &Path, writer: &mut Connection) -> Result<bool, VaultError> {
    let found = version(writer)?;
    if found == SCHEMA {
        return Ok(false);
    }
    if found == 0 {
        return Err(VaultError::Unfinished);
    }
    let place = usize::try_from(found - 1).ok();
    let steps = place.and_then(|place| LADDER.get(place..));
    let steps = steps.ok_or(VaultError::Version { found })?;
    for _ in 0..TRIES {
        // All of it into the one file that is copied.
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
        let transaction = writer.transaction_with_behavior(TransactionBehavior::Immediate)?;
        if version(&transaction)? != found {
            // Another process did it.
            return Ok(false);
        }
        if !is_empty(&beside(path, "-wal"))? {
            continue;
        }
        back_up(path, found)?;
        return climb(transaction, steps).map(|()| true);
    }
    Err(VaultError::Io(io::ErrorKind::ResourceBusy))
}

/// Deletes the copies of older formats of the vault at `path`.
pub(crate) fn forget_backups(path: &Path) -> Result<(), VaultError> {
    for format in 1..SCHEMA {
        for copy in [backup(path, format), unfinished(path, format)] {
            match fs::remove_file(copy) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why.into()),
                _ => {}
            }
        }
    }
    Ok(())
}

fn climb(transaction: Transaction<'_>, steps: &[&str]) -> Result<(), VaultError> {
    for step in steps {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    Ok(transaction.commit()?)
}

/// Copies the file, which nobody writes to meanwhile; the copy is whole or not there.
fn back_up(path: &Path, format: i64) -> Result<(), VaultError> {
    let new = unfinished(path, format);
    // With the mode of the file itself.
    fs::copy(path, &new)?;
    File::open(&new)?.sync_all()?;
    fs::rename(&new, backup(path, format))?;
    Ok(File::open(folder_of(path))?.sync_all()?)
}

/// Where a file is.
pub(crate) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

fn version(connection: &Connection) -> Result<i64, VaultError> {
    Ok(connection.query_row("PRAGMA user_version", [], |row| row.get(0))?)
}

pub(crate) fn is_empty(path: &Path) -> Result<bool, VaultError> {
    match fs::metadata(path) {
        Ok(found) => Ok(found.len() == 0),
        Err(why) if why.kind() == io::ErrorKind::NotFound => Ok(true),
        Err(why) => Err(why.into()),
    }
}

fn backup(path: &Path, format: i64) -> PathBuf {
    beside(path, &format!(".format-{format}"))
}

fn unfinished(path: &Path, format: i64) -> PathBuf {
    beside(path, &format!(".format-{format}.new"))
}

#[cfg(test)]
mod tests;
