//! The owner's own data: one encrypted SQLite file that answers questions and keeps what must survive a restart.
//!
//! The file is a SQLCipher database (AES-256 with an authentication code per page) under a raw 256-bit key, from its
//! first byte: there is no moment at which a value lies on the disk in the clear. It holds
//!
//! * **data tables**. [`import()`] fills those of the [`vocabulary()`] from files as people export them, each row once, and
//!   each import can be undone; [`import_csv`] fills those that a community declares. Numbers are integers in units of the
//!   declared `10^-decimals`, so that what a question computes is exact;
//! * the **journal**: what a node promised and must remember before it says so to others (votes, contributions made);
//! * **settings**, such as the owner's consent rule;
//! * the **history**: what the owner's program remembers of questions and answers;
//! * the **consent log**: what was asked, decided and sent, as a chain of digests to which entries are only added.
//!
//! One vault may be open in several processes; exchanging its file for one under another key wants it [`Alone`].
//!
//! A vault of an older format is brought to the present one when it is opened, and copied before, as it is.
//!
//! [`Vault::answer`] runs a question's local part. The statement was built by the `question` crate from a checked
//! question, and still it is not trusted: it runs on a connection that can only read, under SQLite's authorizer, which
//! allows the question's table and columns and nothing else, and it is stopped after a bounded number of steps.
//!
//! This crate reads and writes files, and so may not be used by a pure protocol crate. It needs the development files of
//! the system's OpenSSL to build (Debian: `libssl-dev`) and its library to run (`libssl3`).
//!
//! ```
//! use base::Rng;
//! use question::{LocalRow, Question};
//! use vault::{Vault, VaultKey, import_csv, propose};
//!
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("vault.db");
//! let csv = "person,age,sleep_hours\nada,41,7.5\nbob,29,6\n";
//! let table = propose(csv.as_bytes(), "people")?.table;
//!
//! let mut vault = Vault::create(&path, &VaultKey::generate(&mut Rng::from_number(1)))?;
//! import_csv(&mut vault, csv.as_bytes(), &table, Some(("person", "ada")))?;
//!
//! let question = Question::parse("SELECT AVG(sleep_hours) FROM people WHERE age > 40", &[table], 100)?;
//! assert!(vault.answer(&question)? == LocalRow::number(75));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod allowed;
mod alone;
mod answer;
pub mod backup;
mod consent_log;
mod copying;
mod error;
#[cfg(test)]
mod example;
mod export;
mod fault;

mod history;
mod import;
mod key;
mod looking;
mod migration;
mod number;
mod profile;
mod propose;
mod rows;
mod time;
mod vault;
mod vocabulary;

pub use alone::{Alone, Shared};
pub use consent_log::{LogEnd, LogFault, Logged, MAX_LOG_ENTRY};
pub use error::{ImportError, VaultError};
pub use export::{Export, Held};
pub use fault::{Fault, MAX_FAULTS, Place, Reason};
pub use history::MAX_HISTORY_VALUE;
pub use import::{
    Brought, Format, Imported, Mapping, MappingError, Options, Origin, Progress, Recorded, Report,
    Undone, fits, import, import_csv, import_exported, import_table, read_hostile,
};
pub use key::VaultKey;
pub use looking::{Cells, DayRows};
pub use propose::{MAX_CATEGORIES, Proposal, propose};
pub use rows::{MAX_CELL, MAX_COLUMNS, MAX_RECORD};
pub use time::utc_offset_min;
pub use vault::{JournalEntry, MAX_JOURNAL_VALUE, MAX_NAME, MAX_SETTING, Vault};
pub use vocabulary::{Field, Shape, describe, shape, vocabulary};
