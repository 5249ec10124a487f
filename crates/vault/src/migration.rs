//! From older formats of the vault to the present one, with a backup.
//!
//! The format is SQLite's `user_version`. What is in the vault is copied into a new file, encrypted as files are now; there each
//! step of the ladder leads from one format to the next. When the new file is whole, one of the old as it is, encrypted too, is
//! laid beside it, and the new one takes its name: whenever this is cut short, the vault is the old one or the new one. The copy
//! is kept until the program has started with the vault once more: it holds what its owner may want gone.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use crate::alone::Alone;
use crate::copying::{check, new_file, remove};
use crate::error::VaultError;
use crate::key::VaultKey;
use crate::vault::{beside, connect, connect_as};

/// How the pages of all older formats are encrypted: as SQLCipher does by itself, 4 kB with a code by SHA-512.
const SMALL_PAGES: &str = "PRAGMA cipher_compatibility = 4";

/// Step `n` leads from format `n + 1` to the next.
const LADDER: [&str; 4] = [
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
    // Other pages; whom an import was about, which table of the community it filled, and what it found there.
    "ALTER TABLE commonhold_imports ADD COLUMN person TEXT;
    ALTER TABLE commonhold_imports ADD COLUMN community_table TEXT;
    ALTER TABLE commonhold_imports ADD COLUMN replaced BLOB",
];

/// The format that this program writes. Zero is a file that was never completed.
pub(crate) const SCHEMA: i64 = LADDER.len() as i64 + 1;

/// Opens the vault at `path` if it has the present format; none if it has an older one.
pub(crate) fn present(path: &Path, key: &VaultKey) -> Result<Option<Connection>, VaultError> {
    let (connection, found) = open(path, key)?;
    Ok((found == SCHEMA).then_some(connection))
}

/// Brings the vault to the present format. Whether it had another. Takes as much room again as the vault, twice.
pub(crate) fn migrate(alone: &Alone, key: &VaultKey) -> Result<bool, VaultError> {
    let path = &alone.path;
    let (old, found) = open(path, key)?;
    if found == SCHEMA {
        // Another process did it.
        return Ok(false);
    }
    // All of it into the one file that is copied.
    old.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(()))?;
    drop(old);
    if !is_empty(&beside(path, "-wal"))? {
        return Err(VaultError::InUse);
    }
    let new = beside(path, ".migrated");
    // Of a try that was cut short.
    remove(&new)?;
    let made = copy_and_climb(path, &new, key, found).and_then(|()| back_up(path, found));
    if let Err(why) = made {
        remove(&new)?;
        return Err(why);
    }
    fs::rename(&new, path)?;
    File::open(folder_of(path))?.sync_all()?;
    Ok(true)
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

/// Opens the file as it is, and which format it has, one that this program knows.
fn open(path: &Path, key: &VaultKey) -> Result<(Connection, i64), VaultError> {
    let mode = OpenFlags::SQLITE_OPEN_READ_WRITE;
    let connection = match connect(path, key, mode) {
        Err(VaultError::WrongKey) => connect_as(SMALL_PAGES, path, key, mode)?,
        other => other?,
    };
    match version(&connection)? {
        0 => Err(VaultError::Unfinished),
        found @ 1..=SCHEMA => Ok((connection, found)),
        found => Err(VaultError::Version { found }),
    }
}

/// Copies the vault at `path`, of format `found`, into a new file in the present format, and sees it through to the disk.
fn copy_and_climb(path: &Path, to: &Path, key: &VaultKey, found: i64) -> Result<(), VaultError> {
    let file = new_file(to)?;
    let mut new = connect(to, key, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    // Nobody reads it before it is whole: there is nothing to go back to, and no journal to be left behind.
    new.query_row("PRAGMA journal_mode = MEMORY", [], |_| Ok(()))?;
    // SQLCipher takes what is attached for a file with small pages. An error would hold no key: it is no part of the statement.
    let name = path
        .to_str()
        .ok_or(VaultError::Io(io::ErrorKind::InvalidFilename))?;
    new.execute("ATTACH ?1 AS old KEY ?2", (name, key.raw().as_str()))?;
    let transaction = new.transaction()?;
    transaction.query_row("SELECT sqlcipher_export('main', 'old')", [], |_| Ok(()))?;
    let steps = usize::try_from(found - 1).ok();
    for step in steps
        .and_then(|steps| LADDER.get(steps..))
        .unwrap_or_default()
    {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "user_version", SCHEMA)?;
    transaction.commit()?;
    check(&new)?;
    drop(new);
    Ok(file.sync_all()?)
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
