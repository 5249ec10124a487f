//! Reading a CSV file record by record, with a bound on everything and a place for what is wrong.

use std::cell::Cell;
use std::fmt;
use std::io::{self, Read};
use std::rc::Rc;

use csv::{ByteRecord, ErrorKind, Reader, ReaderBuilder, Trim};

use crate::error::ImportError;
use crate::vault::MAX_NAME;

/// Most columns of a file: SQLite's limit for a table.
pub const MAX_COLUMNS: usize = 2000;

/// Most bytes of one record (a guess: 2000 columns of 500 bytes).
pub const MAX_RECORD: usize = 1 << 20;

/// Most bytes of one cell that is kept (a guess: no answer in a survey is longer).
pub const MAX_CELL: usize = 1 << 16;

/// Most faults that are described one by one; the others are counted.
pub const MAX_FAULTS: usize = 100;

/// Something in a file that could not be used, by place and reason. Never holds the value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The line that the record begins at, counted from 1.
    pub line: u64,
    /// The column, unless the whole record is meant.
    pub column: Option<String>,
    /// What is wrong.
    pub reason: Reason,
}

/// What is wrong with a record or cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// The cell of a number column is not a number.
    NotANumber,
    /// The number lies outside its declared range.
    OutOfRange,
    /// The word is not among those declared for its column.
    UnknownWord,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}", self.line)?;
        if let Some(column) = &self.column {
            write!(f, ", column \"{column}\"")?;
        }
        write!(f, ": {}", self.reason)
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cells { expected, found } => {
                write!(f, "has {found} cells where the first line has {expected}")
            }
            Self::NotUtf8 => f.write_str("is not UTF-8 text"),
            Self::TooLong => write!(f, "is longer than {MAX_CELL} bytes"),
            Self::NotANumber => f.write_str("is not a number"),
            Self::OutOfRange => f.write_str("lies outside the declared range"),
            Self::UnknownWord => f.write_str("is not one of the declared words"),
        }
    }
}

/// What was wrong in a file: counted, and the first [`MAX_FAULTS`] described.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Faults {
    pub(crate) records: u64,
    pub(crate) cells: u64,
    pub(crate) first: Vec<Fault>,
}

impl Faults {
    /// Notes a record, or one of its cells if `column` is given.
    pub(crate) fn note(&mut self, line: u64, column: Option<&str>, reason: Reason) {
        match column {
            Some(_) => self.cells += 1,
            None => self.records += 1,
        }
        if self.first.len() < MAX_FAULTS {
            self.first.push(Fault {
                line,
                column: column.map(String::from),
                reason,
            });
        }
    }
}

/// The records of a CSV file with a header.
pub(crate) struct Rows<R> {
    reader: Reader<Bounded<R>>,
    budget: Rc<Cell<usize>>,
    header: Vec<String>,
    record: ByteRecord,
}

impl<R: Read> Rows<R> {
    /// Reads and checks the header: at least one column, all named differently.
    pub(crate) fn new(input: R) -> Result<Self, ImportError> {
        let budget = Rc::new(Cell::new(MAX_RECORD));
        let bounded = Bounded {
            input,
            budget: Rc::clone(&budget),
        };
        let reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .trim(Trim::All)
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
                    line: self.line(),
                    header: &self.header,
                    record: &self.record,
                }));
            }
            faults.note(self.line(), None, Reason::Cells { expected, found });
        }
        Ok(None)
    }

    fn line(&self) -> u64 {
        self.record.position().map_or(0, csv::Position::line)
    }

    fn advance(&mut self) -> Result<bool, ImportError> {
        let line = self.reader.position().line();
        self.budget.set(MAX_RECORD);
        self.reader
            .read_byte_record(&mut self.record)
            .map_err(|error| match error.kind() {
                ErrorKind::Io(io) if io.kind() == io::ErrorKind::FileTooLarge => {
                    ImportError::RecordTooLong { line }
                }
                ErrorKind::Io(io) => ImportError::Io(io.kind()),
                _ => ImportError::Io(io::ErrorKind::InvalidData),
            })
    }
}

/// One record.
pub(crate) struct Row<'a> {
    pub(crate) line: u64,
    header: &'a [String],
    record: &'a ByteRecord,
}

impl<'a> Row<'a> {
    /// The text at `position`, `None` if it is empty; one that is no text, or too long, is noted and counts as empty.
    pub(crate) fn text(&self, position: usize, faults: &mut Faults) -> Option<&'a str> {
        let bytes = self.record.get(position).unwrap_or_default();
        let fault = match std::str::from_utf8(bytes) {
            Ok("") => return None,
            Ok(text) if text.len() <= MAX_CELL => return Some(text),
            Ok(_) => Reason::TooLong,
            Err(_) => Reason::NotUtf8,
        };
        self.note(position, fault, faults);
        None
    }

    /// Notes that the cell at `position` cannot be used.
    pub(crate) fn note(&self, position: usize, reason: Reason, faults: &mut Faults) {
        faults.note(self.line, Some(&self.header[position]), reason);
    }
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

fn header(record: &ByteRecord) -> Result<Vec<String>, ImportError> {
    if record.len() > MAX_COLUMNS {
        return Err(ImportError::TooManyColumns {
            found: record.len(),
        });
    }
    let mut names = Vec::with_capacity(record.len());
    for (index, cell) in record.iter().enumerate() {
        let position = index + 1;
        let name = std::str::from_utf8(cell).map_err(|_| ImportError::NameNotUtf8 { position })?;
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

/// A reader that fails once one record has taken more than its budget, so that an open quote cannot fill the memory.
struct Bounded<R> {
    input: R,
    budget: Rc<Cell<usize>>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let budget = self.budget.get();
        if budget == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = self.input.read(buffer)?;
        self.budget.set(budget.saturating_sub(read));
        Ok(read)
    }
}
