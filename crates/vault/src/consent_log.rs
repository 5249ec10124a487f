//! The consent log: what was asked of the owner's data, what was decided, what was sent. Entries are only ever added.
//!
//! Each entry carries a digest over its number, its text and the digest of the one before, so that whatever is changed,
//! removed, inserted or moved breaks the chain from there on. A chain cannot tell that its end was cut off, nor that all of
//! it was written anew: who keeps its [end](LogEnd) elsewhere can ([`Vault::check_log`]).
//!
//! What is in an entry is the program's matter; here it is bytes.

use base::Digest;
use rusqlite::{Connection, OptionalExtension};
use thiserror::Error;

use crate::error::VaultError;
use crate::vault::Vault;

/// Most bytes of an entry: a question with its purpose has a tenth of it.
pub const MAX_LOG_ENTRY: usize = 64 << 10;

/// What digests of entries are for.
const DOMAIN: &str = "commonhold consent log 1";

/// Where a log ends: what a witness outside the vault keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogEnd {
    /// How many entries there are; they are numbered from 1.
    pub entries: u64,
    /// Of the last one; of nothing at all in an empty log.
    pub digest: Digest,
}

/// An entry as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// From 1, without gaps.
    pub number: u64,
    /// Its text.
    pub entry: Vec<u8>,
    /// Over its number, its text and the digest before.
    pub digest: Digest,
}

/// What is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LogFault {
    /// A number is left out.
    #[error("entry {number} is not there, although later ones are")]
    Missing {
        /// The first one.
        number: u64,
    },
    /// A digest does not follow from what is before it.
    #[error("entry {number} or one before it is not as it was written")]
    Changed {
        /// The first whose digest does not follow.
        number: u64,
    },
    /// Fewer entries than the witness has seen.
    #[error("the log ends after {found} entries, and had {witnessed} before")]
    CutOff {
        /// How many there are.
        found: u64,
        /// How many there were.
        witnessed: u64,
    },
    /// A chain that holds, but not the one that the witness has seen.
    #[error("the first {witnessed} entries are not those that were there before")]
    Rewritten {
        /// How many there were.
        witnessed: u64,
    },
}

impl LogEnd {
    /// Of a log without entries.
    pub fn empty() -> Self {
        Self {
            entries: 0,
            digest: Digest::of(DOMAIN, &[]),
        }
    }

    /// The end after this entry has been added.
    #[must_use]
    pub fn with(self, entry: &[u8]) -> Self {
        let entries = self.entries + 1;
        let parts = [&self.digest.0[..], &entries.to_be_bytes(), entry];
        Self {
            entries,
            digest: Digest::of(DOMAIN, &parts),
        }
    }
}

impl Vault {
    /// Adds an entry to the consent log. It is on the disk when this returns the new end.
    ///
    /// # Errors
    ///
    /// [`VaultError::TooLong`] beyond [`MAX_LOG_ENTRY`]; otherwise a failure to write.
    pub fn log(&mut self, entry: &[u8]) -> Result<LogEnd, VaultError> {
        if entry.len() > MAX_LOG_ENTRY {
            return Err(VaultError::TooLong);
        }
        let transaction = self.begin()?;
        let end = end(&transaction)?.with(entry);
        transaction.execute(
            "INSERT INTO commonhold_consent (number, entry, digest) VALUES (?1, ?2, ?3)",
            (end.entries.cast_signed(), entry, end.digest.0),
        )?;
        transaction.commit()?;
        Ok(end)
    }

    /// At most so many entries of the consent log from this number on, as they are stored, checked or not.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn logged(&self, from: u64, most: usize) -> Result<Vec<Logged>, VaultError> {
        let sql = "SELECT number, entry, digest FROM commonhold_consent WHERE number >= ?1 ORDER BY number LIMIT ?2";
        let mut query = self.writer.prepare(sql)?;
        let bounds = [from.min(i64::MAX as u64).cast_signed(), most as i64];
        let rows = query.query_map(bounds, read)?;
        Ok(rows.collect::<Result<_, _>>()?)
    }

    /// Where the consent log ends, by its last entry alone.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn log_end(&self) -> Result<LogEnd, VaultError> {
        end(&self.writer)
    }

    /// Checks the whole consent log against itself and against where it ended before, as a witness has kept it. Gives
    /// where it ends now.
    ///
    /// # Errors
    ///
    /// The outer one is a failure to read; the inner one says what is wrong with the log.
    pub fn check_log(
        &self,
        witnessed: Option<LogEnd>,
    ) -> Result<Result<LogEnd, LogFault>, VaultError> {
        let sql = "SELECT number, entry, digest FROM commonhold_consent ORDER BY number";
        let mut query = self.writer.prepare(sql)?;
        let mut end = LogEnd::empty();
        let mut as_witnessed = witnessed.is_none_or(|witnessed| witnessed == end);
        for row in query.query_map([], read)? {
            let row = row?;
            let next = end.with(&row.entry);
            if row.number != next.entries {
                let number = next.entries;
                return Ok(Err(LogFault::Missing { number }));
            }
            if row.digest != next.digest {
                let number = row.number;
                return Ok(Err(LogFault::Changed { number }));
            }
            end = next;
            as_witnessed |= witnessed == Some(end);
        }
        Ok(match witnessed.map_or(0, |witnessed| witnessed.entries) {
            witnessed if witnessed > end.entries => Err(LogFault::CutOff {
                found: end.entries,
                witnessed,
            }),
            witnessed if !as_witnessed => Err(LogFault::Rewritten { witnessed }),
            _ => Ok(end),
        })
    }
}

fn end(connection: &Connection) -> Result<LogEnd, VaultError> {
    let sql = "SELECT number, entry, digest FROM commonhold_consent ORDER BY number DESC LIMIT 1";
    let last = connection.query_row(sql, [], read).optional()?;
    Ok(last.map_or_else(LogEnd::empty, |last| LogEnd {
        entries: last.number,
        digest: last.digest,
    }))
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Logged> {
    let number: i64 = row.get(0)?;
    Ok(Logged {
        // A negative one, which nobody here writes, is out of order.
        number: number.cast_unsigned(),
        entry: row.get(1)?,
        digest: Digest(row.get(2)?),
    })
}

#[cfg(test)]
mod tests;
