//! What the owner's program remembers of questions, asked and received, and of their answers.
//!
//! Unlike the journal it is nothing that the node itself needs to keep its word: entries may be forgotten.

use rusqlite::OptionalExtension;

use crate::error::VaultError;
use crate::vault::{JournalEntry, MAX_NAME, Vault};

/// Most bytes of an entry of the history: a proof file is the largest.
pub const MAX_HISTORY_VALUE: usize = 4 << 20;

impl Vault {
    /// Remembers `value` under `key`, in place of what was there. It is on the disk when this returns.
    ///
    /// # Errors
    ///
    /// [`VaultError::TooLong`] beyond [`MAX_NAME`] and [`MAX_HISTORY_VALUE`]; otherwise a failure to write.
    pub fn remember(&mut self, key: &[u8], value: &[u8]) -> Result<(), VaultError> {
        if key.len() > MAX_NAME || value.len() > MAX_HISTORY_VALUE {
            return Err(VaultError::TooLong);
        }
        self.writer.execute(
            "INSERT OR REPLACE INTO commonhold_history (key, value) VALUES (?1, ?2)",
            (key, value),
        )?;
        Ok(())
    }

    /// What is remembered under `key`.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn recall(&self, key: &[u8]) -> Result<Option<Vec<u8>>, VaultError> {
        let sql = "SELECT value FROM commonhold_history WHERE key = ?1";
        let value = self.writer.query_row(sql, [key], |row| row.get(0));
        Ok(value.optional()?)
    }

    /// All whose keys begin with the byte `kind`, by key.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn recall_all(&self, kind: u8) -> Result<Vec<JournalEntry>, VaultError> {
        let sql =
            "SELECT key, value FROM commonhold_history WHERE substr(key, 1, 1) = ?1 ORDER BY key";
        let mut query = self.writer.prepare(sql)?;
        let entries = query.query_map([[kind]], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(entries.collect::<Result<_, _>>()?)
    }

    /// Forgets what is remembered under `key`, if anything is.
    ///
    /// # Errors
    ///
    /// A failure to write.
    pub fn forget(&mut self, key: &[u8]) -> Result<(), VaultError> {
        let sql = "DELETE FROM commonhold_history WHERE key = ?1";
        self.writer.execute(sql, [key])?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;
    use tempfile::tempdir;

    use super::*;
    use crate::VaultKey;

    #[test]
    fn remembers_until_told_to_forget() {
        let folder = tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        let key = VaultKey::generate(&mut Rng::from_number(1));
        let mut vault = Vault::create(&path, &key).expect("created");
        for (name, value) in [(b"qa", b"1"), (b"qb", b"2"), (b"pa", b"3"), (b"qa", b"4")] {
            vault.remember(name, value).expect("stored");
        }
        drop(vault);
        let mut vault = Vault::open(&path, &key).expect("opened");
        assert_eq!(vault.recall(b"pa"), Ok(Some(b"3".to_vec())));
        let entry = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
        assert_eq!(
            vault.recall_all(b'q'),
            Ok(vec![entry(b"qa", b"4"), entry(b"qb", b"2")])
        );
        vault.forget(b"qa").expect("forgotten");
        vault.forget(b"qz").expect("nothing to forget");
        assert_eq!(vault.recall(b"qa"), Ok(None));
        assert_eq!(vault.journal_all(), Ok(vec![]));
        assert_eq!(
            vault.remember(b"q", &vec![0; MAX_HISTORY_VALUE + 1]),
            Err(VaultError::TooLong)
        );
        assert_eq!(
            vault.remember(&[0; MAX_NAME + 1], b""),
            Err(VaultError::TooLong)
        );
    }
}
