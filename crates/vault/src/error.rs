//! What can go wrong with a vault or an import. No text here ever holds a value of the owner's data.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::fault::{Fault, Place, Reason};
use crate::migration::SCHEMA;
use crate::rows::{MAX_COLUMNS, MAX_RECORD};
use crate::vault::{MAX_JOURNAL_VALUE, MAX_NAME, MAX_SETTING};

/// Why a vault cannot do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VaultError {
    /// A vault is created only where there is no file.
    #[error("there already is a file at {0}; open it, or choose another place")]
    Exists(PathBuf),
    /// No file to open.
    #[error(
        "there is no vault at {0}; bring it back, or move its folder away and restore a backup: commonhold backup restore FILE"
    )]
    NotFound(PathBuf),
    /// The key does not fit.
    #[error(
        "the key does not open this vault: it is another vault's key, or the file is damaged or no vault; \
         use the key that it was created with, or restore both from a backup"
    )]
    WrongKey,
    /// The creation of the vault was cut short.
    #[error(
        "the vault's file holds nothing: it was emptied, or never completed; move its folder away, and restore a backup: \
         commonhold backup restore FILE"
    )]
    Unfinished,
    /// Made by a later version of this program.
    #[error(
        "this vault has format {found}, and this program knows formats up to {SCHEMA}; use a newer program"
    )]
    Version {
        /// The format found.
        found: i64,
    },
    /// The file system refused.
    #[error("the vault's file cannot be used: {0}; check its folder, permissions and free space")]
    Io(io::ErrorKind),
    /// No room is left.
    #[error("the disk of the vault is full; nothing was changed: make room and try again")]
    Full,
    /// The file or its folder may not be written.
    #[error(
        "the vault's file or folder may not be written; nothing was changed: check its permissions and whose it is"
    )]
    ReadOnly,
    /// Another process is writing.
    #[error(
        "another command or the node is writing to the vault; nothing was changed: try again when it has ended"
    )]
    Busy,
    /// Somebody has the vault open, or exchanges it.
    #[error(
        "a node or another command has the vault open, or is giving it another key; wait for the command, or stop the node: commonhold down"
    )]
    InUse,
    /// Pages are not as they were written.
    #[error(
        "the vault's file is damaged: {0}; move its folder away, and restore a backup: commonhold backup restore FILE"
    )]
    Damaged(String),
    /// SQLite refused.
    #[error(
        "the vault's database reports: {0}; check free space, or restore a backup if it is damaged"
    )]
    Database(String),
    /// The vault holds no such table.
    #[error("this vault holds no data for table \"{0}\"; import it first")]
    NoTable(String),
    /// The data was imported under another declaration than the question's.
    #[error(
        "column \"{column}\" of table \"{table}\" was imported under another declaration than the community's present one; \
         import the data again"
    )]
    OtherDeclaration {
        /// The table asked.
        table: String,
        /// The column asked.
        column: String,
    },
    /// The authorizer did not allow a statement.
    #[error(
        "a question may only read its own table and columns, and this one was stopped before it ran; decline it, and report it: no question of the language does more"
    )]
    Refused,
    /// The step limit was reached.
    #[error(
        "the question took too long on this vault's data and was stopped; nothing was answered, so ask for a simpler condition"
    )]
    TooSlow,
    /// A name, setting or journal entry beyond its limit.
    #[error(
        "too long: names have at most {MAX_NAME} bytes, settings {MAX_SETTING}, journal entries {MAX_JOURNAL_VALUE}"
    )]
    TooLong,
}

impl From<io::Error> for VaultError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

impl From<rusqlite::Error> for VaultError {
    /// Keeps SQLite's message, which names tables and columns, and drops everything that could hold a statement or value.
    fn from(error: rusqlite::Error) -> Self {
        use rusqlite::ErrorCode::{
            AuthorizationForStatementDenied, CannotOpen, DatabaseBusy, DatabaseCorrupt, DiskFull,
            NotADatabase, OperationInterrupted, ReadOnly,
        };
        /// No room for what several processes share of a file.
        const SHARED_MEMORY: i32 = rusqlite::ffi::SQLITE_IOERR_SHMSIZE;
        if error
            .sqlite_error()
            .is_some_and(|it| it.extended_code == SHARED_MEMORY)
        {
            return Self::Full;
        }
        match error.sqlite_error_code() {
            Some(AuthorizationForStatementDenied) => return Self::Refused,
            Some(OperationInterrupted) => return Self::TooSlow,
            Some(NotADatabase) => return Self::WrongKey,
            Some(DatabaseCorrupt) => {
                return Self::Damaged("a page is not as it was written".into());
            }
            Some(DiskFull) => return Self::Full,
            Some(ReadOnly | CannotOpen) => return Self::ReadOnly,
            Some(DatabaseBusy) => return Self::Busy,
            _ => {}
        }
        match error {
            // How SQLite reports a denied function, under a code that says nothing.
            rusqlite::Error::SqlInputError { msg, .. } if msg.starts_with("not authorized") => {
                Self::Refused
            }
            // How a copy that finds no room says so, under a code that says nothing.
            rusqlite::Error::SqliteFailure(_, Some(message))
                if message.contains("disk is full") =>
            {
                Self::Full
            }
            rusqlite::Error::SqliteFailure(_, Some(message)) => Self::Database(message),
            rusqlite::Error::SqliteFailure(error, None) => Self::Database(error.to_string()),
            rusqlite::Error::SqlInputError { msg, .. } => Self::Database(msg),
            rusqlite::Error::MultipleStatement => Self::Refused,
            _ => Self::Database("a row of an unexpected shape".into()),
        }
    }
}

/// Why a file was not imported. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImportError {
    /// Reading failed.
    #[error("the file cannot be read: {0}; nothing was changed")]
    Io(io::ErrorKind),
    /// Not even a header.
    #[error("the file is empty; its first line must name the columns")]
    Empty,
    /// A header but nothing to import.
    #[error("no row was found to import; nothing was changed")]
    NoRows,
    /// The columns are not separated by commas.
    #[error(
        "the columns seem to be separated by {0:?}; save the file again with commas, or say it in a mapping file: --map FILE"
    )]
    Separator(char),
    /// More columns than a table can have.
    #[error("the file has {found} columns; at most {MAX_COLUMNS} can be imported, so remove some")]
    TooManyColumns {
        /// Columns found.
        found: usize,
    },
    /// A column without name.
    #[error("column {position} has no name; name every column in the first line")]
    UnnamedColumn {
        /// Counted from 1.
        position: usize,
    },
    /// A name that is not text.
    #[error("the name of column {position} is not UTF-8 text; save the file again as UTF-8")]
    NameNotUtf8 {
        /// Counted from 1.
        position: usize,
    },
    /// Two columns of one name.
    #[error("two columns are called \"{name}\", apart from capitals; rename one in the first line")]
    DuplicateColumn {
        /// The name.
        name: String,
    },
    /// A table or column name that cannot be used.
    #[error(
        "\"{name}\" cannot name a table or column: use 1 to {MAX_NAME} bytes without control characters, \
         and no table name that begins with commonhold_ or sqlite_"
    )]
    BadName {
        /// The name, control characters escaped.
        name: String,
    },
    /// The vocabulary declares what cannot be stored.
    #[error(
        "the declaration of column \"{column}\" has an impossible range; its community must correct it"
    )]
    BadRange {
        /// The column.
        column: String,
    },
    /// A table without columns.
    #[error("the community declares no column for this table; there is nothing to import")]
    NoColumns,
    /// A column that is needed is not there.
    #[error(
        "the file has no column \"{name}\" in its first line; it may be a file of another kind; if it is not, add the column, or name the file's own so"
    )]
    MissingColumn {
        /// The column.
        name: String,
    },
    /// One record is larger than can be sensible.
    #[error(
        "the record at line {line} is larger than {MAX_RECORD} bytes; perhaps a quotation mark is never closed"
    )]
    RecordTooLong {
        /// The line it begins at.
        line: u64,
    },
    /// Everything after a quotation mark is one cell.
    #[error(
        "a quotation mark is opened at line {line} and never closed; close it, or double those that are meant as such"
    )]
    OpenQuote {
        /// The line at which the record begins.
        line: u64,
    },
    /// Text of two bytes a character.
    #[error("the file is UTF-16 text; save it again as UTF-8")]
    Utf16,
    /// XML in an encoding that no reader here knows.
    #[error(
        "the file says that its text is in an encoding that is not read here; save it again as UTF-8"
    )]
    Encoding,
    /// No bytes at all.
    #[error("the file is empty")]
    EmptyFile,
    /// None of the formats.
    #[error(
        "what kind of file this is cannot be told from what is in it; if you know, say so with --as FORMAT"
    )]
    UnknownFormat,
    /// A table whose columns mean nothing here.
    #[error(
        "what the columns of this table mean is not known; say so in a mapping file: --map FILE (docs/vocabulary.md \
         shows one)"
    )]
    NeedsMapping,
    /// The mapping does not fit the file.
    #[error(
        "the mapping names the column \"{name}\", which the file does not have in its first line"
    )]
    NotMapped {
        /// The column named.
        name: String,
    },
    /// Damaged in the middle.
    #[error("{place}: {what}; nothing was changed: export the file again")]
    Malformed {
        /// Where.
        place: Place,
        /// What was found.
        what: &'static str,
    },
    /// Cut off.
    #[error(
        "the file ends in the middle, at {place}; nothing was changed: copy or export it again"
    )]
    Truncated {
        /// Where.
        place: Place,
    },
    /// One record is larger than can be sensible.
    #[error("{place}: one record is larger than {MAX_RECORD} bytes; nothing was changed")]
    TooLarge {
        /// Where it begins.
        place: Place,
    },
    /// Elements within elements without end.
    #[error(
        "{place}: parts are nested too deeply for any file that people export; nothing was changed"
    )]
    TooDeep {
        /// Where.
        place: Place,
    },
    /// Definitions by which a small file becomes a huge one.
    #[error("{place}: the file defines entities, which no export does; nothing was changed")]
    Entities {
        /// Where.
        place: Place,
    },
    /// An archive that is damaged, or made to do harm.
    #[error("the archive cannot be used: {0}; nothing was changed")]
    Archive(String),
    /// A file of an archive is why it was refused.
    #[error("file {name} of the archive: {why}")]
    Within {
        /// Its name, in quotation marks.
        name: String,
        /// What is wrong with it.
        why: Box<Self>,
    },
    /// Somebody wrote to the file meanwhile.
    #[error(
        "the file was changed while it was read; nothing was imported: try again when it is complete"
    )]
    Changed,
    /// Records of more than one person.
    #[error(
        "{place}: the file tells of several people; nothing was changed: say which one you are with --person, by the name \
         that the file has for it, such as Patient/123"
    )]
    SeveralPeople {
        /// Where the second one is.
        place: Place,
    },
    /// Records of one person, who is not the one of earlier imports.
    #[error(
        "{place}: the file tells of somebody whom your imports before were not about; nothing was changed: if it is you, under \
         another name, say so with --person, by the name that the file has, such as Patient/123"
    )]
    SomebodyElse {
        /// Where the person is named.
        place: Place,
    },
    /// Born in another year, or of another sex.
    #[error(
        "{place}: the file tells of somebody whose year of birth or sex is not that of your profile; nothing was changed: if it \
         is you, correct the profile (commonhold profile set) and import the file again"
    )]
    OtherOwner {
        /// Where it is told.
        place: Place,
    },
    /// Nothing that can be kept.
    #[error("nothing was read from the file: {0}; nothing was changed")]
    NothingRead(String),
    /// Nothing to undo.
    #[error("there is no import {import} to undo; see: commonhold data sources")]
    NoImport {
        /// Its number.
        import: i64,
    },
    /// What it replaced is gone.
    #[error(
        "what was in the table before import {import} is not kept any longer; to take out what is there now: commonhold data delete {table}"
    )]
    NotKept {
        /// Which was to be undone.
        import: i64,
        /// What it filled.
        table: String,
    },
    /// A later import has replaced what this one brought.
    #[error(
        "import {import} filled a table of your community whose rows import {by} has replaced; undo that one first: commonhold data undo {by}"
    )]
    Replaced {
        /// Which was to be undone.
        import: i64,
        /// The later one.
        by: i64,
    },
    /// The community's own table of that name is there.
    #[error(
        "the table {name} holds data that was imported for your community under its own declaration; remove it first: \
         commonhold data delete {name}"
    )]
    Taken {
        /// Which table.
        name: String,
    },
    /// Imports of other files have filled the table.
    #[error(
        "the table {name} holds what you imported from other files, and a file for your community would replace it; \
         remove it first: commonhold data delete {name}"
    )]
    Holds {
        /// Which table.
        name: String,
    },
    /// A table that the vault computes.
    #[error("{name} is computed from {from} and follows it; nothing was changed")]
    Computed {
        /// Which table.
        name: String,
        /// From which.
        from: &'static str,
    },
    /// A word for the profile that it does not have.
    #[error("{0}")]
    Profile(String),
    /// The vault refused.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl ImportError {
    /// Whether its text says what holds for all of them, that nothing was changed: where the file is damaged or cannot be used
    /// at all, and where it is no fault of the file's.
    pub fn says_that_nothing_was_changed(&self) -> bool {
        if let Self::Within { why, .. } = self {
            return why.says_that_nothing_was_changed();
        }
        matches!(
            self,
            Self::Io(_)
                | Self::NoRows
                | Self::Malformed { .. }
                | Self::Truncated { .. }
                | Self::TooLarge { .. }
                | Self::TooDeep { .. }
                | Self::Entities { .. }
                | Self::Archive(_)
                | Self::SeveralPeople { .. }
                | Self::SomebodyElse { .. }
                | Self::OtherOwner { .. }
                | Self::NothingRead(_)
                | Self::Computed { .. }
                | Self::Vault(VaultError::Full | VaultError::ReadOnly | VaultError::Busy)
        )
    }

    /// All of so many records were left out, most of them for one reason, of which the first is told; or there was none.
    pub(crate) fn nothing_read(records: u64, faults: &[Fault], commonest: Option<&str>) -> Self {
        let is_common = |fault: &&Fault| commonest == Some(fault.reason.summary());
        let Some(first) = faults.iter().find(is_common).or(faults.first()) else {
            return Self::NoRows;
        };
        let is_first = faults.first() == Some(first);
        let left_out = match records {
            1 => "its only record was left out".into(),
            _ => format!("all its {records} records were left out"),
        };
        let why = first.about_the_first(records > 1, is_first);
        let mut mine = faults
            .iter()
            .filter(|fault| fault.reason == Reason::OtherProfile && *fault != first);
        Self::NothingRead(match mine.next() {
            None => format!("{left_out}; {why}"),
            Some(mine) => format!("{left_out}; {why}; {}", mine.about_mine()),
        })
    }
}

impl From<io::Error> for ImportError {
    fn from(error: io::Error) -> Self {
        Self::Io(error.kind())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_a_text_is_so() {
        let (place, name) = (Place::Line(2), String::from("x"));
        let errors = [
            ImportError::Io(io::ErrorKind::Other),
            ImportError::Empty,
            ImportError::NoRows,
            ImportError::MissingColumn { name: name.clone() },
            ImportError::RecordTooLong { line: 2 },
            ImportError::Malformed { place, what: "x" },
            ImportError::Truncated { place },
            ImportError::TooLarge { place },
            ImportError::TooDeep { place },
            ImportError::Entities { place },
            ImportError::Archive(name.clone()),
            ImportError::Within {
                name: name.clone(),
                why: Box::new(ImportError::Truncated { place }),
            },
            ImportError::Within {
                name: name.clone(),
                why: Box::new(ImportError::NeedsMapping),
            },
            ImportError::Encoding,
            ImportError::Changed,
            ImportError::SeveralPeople { place },
            ImportError::SomebodyElse { place },
            ImportError::OtherOwner { place },
            ImportError::Replaced { import: 1, by: 2 },
            ImportError::NothingRead(name.clone()),
            ImportError::Holds { name: name.clone() },
            ImportError::Computed { name, from: "y" },
            ImportError::Vault(VaultError::Full),
            ImportError::Vault(VaultError::ReadOnly),
            ImportError::Vault(VaultError::Busy),
            ImportError::Vault(VaultError::TooSlow),
        ];
        for error in errors {
            let text = error.to_string();
            let said = text.contains("nothing was changed");
            assert_eq!(error.says_that_nothing_was_changed(), said, "{text}");
        }
    }
}
