//! Reading a CSV file record by record, with a bound on everything and a place for what is wrong.

use std::hash::{BuildHasher, Hash, Hasher};
use std::io::{self, Read};

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder};

use crate::error::ImportError;
use crate::fault::{Faults, Place, Reason};
use crate::import::input::{Bounded, Budget};
use crate::vault::MAX_NAME;

/// Most columns of a file: SQLite's limit for a table.
pub const MAX_COLUMNS: usize = 2000;

/// Most bytes of one record (a guess: 2000 columns of 500 bytes).
pub const MAX_RECORD: usize = 1 << 20;

/// Most bytes of one cell that is kept (a guess: no answer in a survey is longer).
pub const MAX_CELL: usize = 1 << 16;

/// The records of a CSV file with a header.
pub(crate) struct Rows<R> {
    reader: Reader<Bounded<Ended<R>>>,
    budget: Budget,
    header: Vec<String>,
    record: ByteRecord,
}

impl<R: Read> Rows<R> {
    /// Reads and checks the header: at least one column, all named differently.
    pub(crate) fn new(input: R) -> Result<Self, ImportError> {
        Self::separated(input, b',')
    }

    /// The same for columns that are separated by this sign.
    pub(crate) fn separated(input: R, separator: u8) -> Result<Self, ImportError> {
        let (bounded, budget) = Bounded::new(Ended::new(input));
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(separator)
            .from_reader(bounded);
        let mut rows = Self {
            reader,
            budget,
            header: Vec::new(),
            record: ByteRecord::new(),
        };
        if !rows.advance()? {
            return Err(ImportError::Empty);
        }
        if [&b"\xff\xfe"[..], b"\xfe\xff"]
            .iter()
            .any(|mark| trimmed(&rows.record, 0).starts_with(mark))
        {
            return Err(ImportError::Utf16);
        }
        rows.header = header(&rows.record)?;
        Ok(rows)
    }

    /// The names of the columns.
    pub(crate) fn header(&self) -> &[String] {
        &self.header
    }

    /// Where the column called `name` is: exactly, or else the only one that differs by ASCII case alone.
    pub(crate) fn position(&self, name: &str) -> Option<usize> {
        self.header
            .iter()
            .position(|column| column.eq_ignore_ascii_case(name))
    }

    /// Moves on to the next record that has as many cells as the header; notes the others in `faults`.
    pub(crate) fn next(&mut self, faults: &mut Faults) -> Result<Option<Row<'_>>, ImportError> {
        while self.advance()? {
            let (expected, found) = (self.header.len(), self.record.len());
            if expected == found {
                return Ok(Some(Row {
                    place: Place::Line(self.line()),
                    header: &self.header,
                    record: &self.record,
                }));
            }
            faults.skip(Place::Line(self.line()), Reason::Cells { expected, found });
        }
        Ok(None)
    }

    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn advance(&mut self) -> Result<bool, ImportError> {
        let line = self.reader.position().line();
        self.budget.renew();
        let more = self
            .reader
            .read_byte_record(&mut self.record)
            .map_err(|error| match error.kind() {
                ErrorKind::Io(io) if io.kind() == io::ErrorKind::FileTooLarge => {
                    ImportError::RecordTooLong { line }
                }
                ErrorKind::Io(io) => ImportError::Io(io.kind()),
                _ => ImportError::Io(io::ErrorKind::InvalidData),
            })?;
        let last = self.record.len().checked_sub(1);
        if more && last.is_some_and(|last| trimmed(&self.record, last).ends_with(END)) {
            return match self.record.len() == 1 && trimmed(&self.record, 0) == END {
                true => Ok(false),
                // The quotation mark that is never closed has swallowed the end.
                false => Err(ImportError::OpenQuote { line: self.line() }),
            };
        }
        Ok(more)
    }
}

/// What follows the last line of a file, so that it can be told whether the file ended within quotation marks, where
/// everything after the mark would silently be one cell. No text has this sign.
const END: &[u8] = b"\x1e";

/// A file and its end.
struct Ended<R> {
    input: R,
    end: &'static [u8],
}

impl<R: Read> Ended<R> {
    fn new(input: R) -> Self {
        Self {
            input,
            end: b"\n\x1e\n",
        }
    }
}

impl<R: Read> Read for Ended<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self.input.read(buffer)? {
            0 => self.end.read(buffer),
            read => Ok(read),
        }
    }
}

/// One record.
pub(crate) struct Row<'a> {
    place: Place,
    header: &'a [String],
    record: &'a ByteRecord,
}

impl<'a> Row<'a> {
    /// One of a file that is no CSV.
    pub(crate) fn new(place: Place, header: &'a [String], record: &'a ByteRecord) -> Self {
        Self {
            place,
            header,
            record,
        }
    }

    /// Where it is.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The text at `position`, empty if nothing is there.
    pub(crate) fn cell(&self, position: usize) -> Result<&'a str, Reason> {
        let bytes = trimmed(self.record, position);
        std::str::from_utf8(bytes).map_err(|_| Reason::NotUtf8)
    }

    /// The text at `position`, `None` if it is empty; one that is no text, or too long, is noted and counts as empty.
    pub(crate) fn text(&self, position: usize, faults: &mut Faults) -> Option<&'a str> {
        let bytes = trimmed(self.record, position);
        let fault = match std::str::from_utf8(bytes) {
            Ok("") => return None,
            Ok(text) if has_controls(text) => Reason::Control,
            Ok(text) if text.len() <= MAX_CELL => return Some(text),
            Ok(_) => Reason::TooLong,
            Err(_) => Reason::NotUtf8,
        };
        self.note(position, fault, faults);
        None
    }

    /// The same for records of the same cells.
    pub(crate) fn digest(&self, state: &impl BuildHasher) -> u64 {
        let mut hasher = state.build_hasher();
        for cell in self.record {
            cell.hash(&mut hasher);
        }
        hasher.finish()
    }

    /// Notes that the cell at `position` cannot be used.
    pub(crate) fn note(&self, position: usize, reason: Reason, faults: &mut Faults) {
        faults.note(self.place, &self.header[position], reason);
    }
}

/// Whether the text has signs that no text has.
pub(crate) fn has_controls(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.any(|byte| byte < b' ' && !matches!(byte, b'\t' | b'\n' | b'\r'))
}

/// Checks that `name` can name a column.
pub(crate) fn check_name(name: &str) -> Result<(), ImportError> {
    if name.is_empty() || name.len() > MAX_NAME || name.chars().any(char::is_control) {
        let shown = name
            .chars()
            .take(MAX_NAME)
            .flat_map(char::escape_default)
            .collect();
        return Err(ImportError::BadName { name: shown });
    }
    Ok(())
}

/// Checks that no two names are alike but for ASCII case, as SQL sees them.
pub(crate) fn check_distinct<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), ImportError> {
    let mut seen = std::collections::BTreeSet::new();
    for name in names {
        if !seen.insert(name.to_ascii_lowercase()) {
            return Err(ImportError::DuplicateColumn {
                name: name.to_string(),
            });
        }
    }
    Ok(())
}

/// The cell at `position` without white space around it, empty if nothing is there. The reader could trim as well, but makes
/// a new record for it each time.
fn trimmed(record: &ByteRecord, position: usize) -> &[u8] {
    record.get(position).unwrap_or_default().trim_ascii()
}

fn header(record: &ByteRecord) -> Result<Vec<String>, ImportError> {
    if record.len() > MAX_COLUMNS {
        return Err(ImportError::TooManyColumns {
            found: record.len(),
        });
    }
    let mut names = Vec::with_capacity(record.len());
    for index in 0..record.len() {
        let position = index + 1;
        let name = std::str::from_utf8(trimmed(record, index))
            .map_err(|_| ImportError::NameNotUtf8 { position })?;
        if name.is_empty() {
            return Err(ImportError::UnnamedColumn { position });
        }
        if let (1, Some(separator)) = (
            record.len(),
            name.chars().find(|ch| matches!(ch, ';' | '\t')),
        ) {
            return Err(ImportError::Separator(separator));
        }
        check_name(name)?;
        names.push(name.to_string());
    }
    check_distinct(names.iter().map(String::as_str))?;
    Ok(names)
}
