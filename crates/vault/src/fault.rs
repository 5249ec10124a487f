//! What is wrong in a file, by place and reason. No text here ever holds a value.

use std::collections::BTreeMap;
use std::fmt;

use crate::rows::MAX_CELL;

/// Most faults that are described one by one; the others are counted.
pub const MAX_FAULTS: usize = 100;

/// Something in a file that could not be used. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// Which file of an archive, its name in quotation marks, cut and without control characters.
    pub file: Option<String>,
    /// Where.
    pub place: Place,
    /// The column, unless the whole record is meant.
    pub column: Option<String>,
    /// What is wrong.
    pub reason: Reason,
}

/// A place in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// The line that the record begins at, counted from 1.
    Line(u64),
    /// So many bytes after the beginning of the file, or of the file within an archive.
    Byte(u64),
    /// The record, counted from 1.
    Record(u64),
}

/// What is wrong with a record or cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// The record has another number of cells than the first line.
    Cells {
        /// As in the first line.
        expected: usize,
        /// As in this record.
        found: usize,
    },
    /// The cell is not UTF-8 text.
    NotUtf8,
    /// The cell is longer than [`MAX_CELL`].
    TooLong,
    /// The cell holds a control character.
    Control,
    /// The cell of a number column is not a number.
    NotANumber,
    /// The number, or the time, lies outside its declared range.
    OutOfRange,
    /// The word is not among those declared for its column.
    UnknownWord,
    /// The cell of a time is not a time.
    NotATime,
    /// A local time of a place that only a name tells.
    UnknownZone,
    /// It ends before it begins.
    Backwards,
    /// What is named, without which it cannot be kept, is not there.
    Missing(&'static str),
    /// It tells of somebody else.
    OtherPerson,
    /// No table takes what it tells.
    NoTable,
    /// It is of a table that is not of the vocabulary, as a community's are.
    OtherTable,
    /// It was called off or entered by mistake.
    Withdrawn,
    /// There is one profile, and it says something else.
    OtherProfile,
    /// No reader knows such files.
    UnknownFile,
}

impl Reason {
    /// The reason without what differs from record to record.
    pub fn summary(self) -> &'static str {
        match self {
            Self::Cells { .. } => "another number of cells than the first line",
            Self::NotUtf8 => "not UTF-8 text",
            Self::TooLong => "too long",
            Self::Control => "holds a control character",
            Self::NotANumber => "not a number",
            Self::OutOfRange => "out of range",
            Self::UnknownWord => "not a declared word",
            Self::NotATime => "not a time",
            Self::UnknownZone => "local time of an unknown zone",
            Self::Backwards => "ends before it begins",
            Self::Missing(_) => "incomplete",
            Self::OtherPerson => "of another person",
            Self::NoTable => "of a kind that no table takes",
            Self::OtherTable => {
                "of no table of this program (a community's come in by a file of their own)"
            }
            Self::Withdrawn => "withdrawn",
            Self::OtherProfile => "another profile than yours",
            Self::UnknownFile => "file of an unknown kind",
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Byte(byte) => write!(f, "byte {byte}"),
            Self::Record(record) => write!(f, "record {record}"),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.at())?;
        if let Some(column) = &self.column {
            write!(f, ", column \"{column}\"")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl Fault {
    /// The place, in words.
    fn at(&self) -> String {
        match (&self.file, self.reason) {
            (None, _) => self.place.to_string(),
            // The whole file is meant.
            (Some(file), Reason::UnknownFile) => format!("file {file} of the archive"),
            (Some(file), _) => format!("file {file} of the archive, {}", self.place),
        }
    }

    /// Which record is the owner's, and why it was not taken.
    pub(crate) fn about_mine(&self) -> String {
        format!("the one that is yours, at {}, {}", self.at(), self.reason)
    }

    /// The same as the end of a sentence about the first record of several, the first of most of them, or the only one.
    pub(crate) fn about_the_first(&self, of_several: bool, is_first: bool) -> String {
        let which = match (of_several, is_first) {
            (true, true) => "the first",
            (true, false) => "the first of most of them",
            (false, _) => "it",
        };
        let (at, reason) = (self.at(), self.reason);
        match &self.column {
            None => format!("{which}, at {at}, {reason}"),
            Some(column) => format!("column \"{column}\" of {which}, at {at}, {reason}"),
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Cells { expected, found } => {
                let cells = if *found == 1 { "cell" } else { "cells" };
                return write!(f, "has {found} {cells} where the first line has {expected}");
            }
            Self::TooLong => return write!(f, "is longer than {MAX_CELL} bytes"),
            Self::NotUtf8 => "is not UTF-8 text",
            Self::Control => "holds a control character",
            Self::NotANumber => "is not a number",
            Self::OutOfRange => "lies outside the range that its table allows",
            Self::UnknownWord => "is not one of the declared words",
            Self::NotATime => "is not a time",
            Self::UnknownZone => {
                "is a local time of a zone that only a name tells; say which with --zone"
            }
            Self::Backwards => "ends before it begins",
            Self::Missing(what) => return write!(f, "has no {what}"),
            Self::OtherPerson => "tells of another person",
            Self::NoTable => "is of a kind that no table takes",
            Self::OtherTable => {
                "is of no table of this program (a community's come in by a file of their own)"
            }
            Self::Withdrawn => "was called off or entered by mistake",
            Self::OtherProfile => {
                "differs from the profile that you have; change that with profile set"
            }
            Self::UnknownFile => "is a file of an unknown kind",
        })
    }
}

/// What was wrong in a file: counted, and the first [`MAX_FAULTS`] described.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Faults {
    /// Records left out.
    pub(crate) records: u64,
    /// The same, by reason.
    pub(crate) reasons: BTreeMap<&'static str, u64>,
    /// Cells left out of records that are kept.
    pub(crate) cells: u64,
    pub(crate) first: Vec<Fault>,
    /// Which file of an archive is being read.
    pub(crate) file: Option<String>,
}

impl Faults {
    /// Notes a cell that counts as missing.
    pub(crate) fn note(&mut self, place: Place, column: &str, reason: Reason) {
        self.cells += 1;
        self.describe(place, Some(column), reason);
    }

    /// Notes a record that is left out.
    pub(crate) fn skip(&mut self, place: Place, reason: Reason) {
        self.skip_for(place, None, reason);
    }

    /// The same, because of a column.
    pub(crate) fn skip_for(&mut self, place: Place, column: Option<&str>, reason: Reason) {
        self.records += 1;
        *self.reasons.entry(reason.summary()).or_default() += 1;
        self.describe(place, column, reason);
    }

    fn describe(&mut self, place: Place, column: Option<&str>, reason: Reason) {
        // The one record that is the owner's is told among however many others.
        if self.first.len() == MAX_FAULTS && reason == Reason::OtherProfile {
            self.first.pop();
        }
        if self.first.len() < MAX_FAULTS {
            self.first.push(Fault {
                file: self.file.clone(),
                place,
                column: column.map(String::from),
                reason,
            });
        }
    }
}
