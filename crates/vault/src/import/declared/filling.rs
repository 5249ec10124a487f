//! The records that fill a table, whatever file they come from.

use std::collections::{BTreeSet, HashSet};
use std::hash::RandomState;
use std::io::Read;

use community::{Kind, Range, Table};
use csv::ByteRecord;
use question::quoted;
use rusqlite::types::Value;
use rusqlite::{Statement, Transaction, params_from_iter};

use super::Imported;
use crate::error::{ImportError, VaultError};
use crate::fault::{Faults, Place, Reason};
use crate::import::{rows_again, source};
use crate::number;
use crate::rows::{MAX_COLUMNS, Row, Rows};
use crate::vault::declare;

/// Most different records that later ones are compared with. Guess: some 20 MB of memory.
const COMPARED_MAX: usize = 1 << 20;

/// What fills a table.
pub(super) struct Input<'a, R> {
    records: Records<R>,
    /// Where the table's columns are.
    positions: Vec<usize>,
    /// Whose records are meant: where that is told, and what it says then.
    person: Option<(usize, &'a str)>,
}

enum Records<R> {
    Csv(Box<Rows<R>>),
    Json(R),
}

impl<'a, R: Read> Input<'a, R> {
    /// A CSV file, whose header must name the columns.
    pub(super) fn csv(
        reader: R,
        table: &Table,
        person: Option<(&str, &'a str)>,
    ) -> Result<Self, ImportError> {
        let rows = Rows::new(reader)?;
        let find = |name: &str| {
            let missing = || ImportError::MissingColumn {
                name: name.to_string(),
            };
            rows.position(name).ok_or_else(missing)
        };
        let person = match person {
            Some((column, value)) => Some((find(column)?, value.trim())),
            None => None,
        };
        let positions = table.columns.iter().map(|column| find(&column.name));
        Ok(Self {
            positions: positions.collect::<Result<_, _>>()?,
            person,
            records: Records::Csv(Box::new(rows)),
        })
    }

    /// JSON that a vault has exported: the rows of this table.
    pub(super) fn json(reader: R, table: &Table) -> Self {
        Self {
            records: Records::Json(reader),
            positions: (0..table.columns.len()).collect(),
            person: None,
        }
    }

    /// Makes the table and copies the records into it.
    pub(super) fn fill(
        self,
        transaction: &Transaction<'_>,
        table: &Table,
    ) -> Result<Imported, ImportError> {
        declare(transaction, table, "", "")?;
        let places = vec!["?"; table.columns.len()].join(", ");
        let sql = format!("INSERT INTO {} VALUES ({places})", quoted(&table.name));
        let mut filling = Filling {
            table,
            positions: self.positions,
            person: self.person,
            insert: transaction.prepare(&sql).map_err(VaultError::from)?,
            seen: Seen::default(),
            kept: 0,
            other_people: 0,
            repeated: 0,
            rounded: 0,
        };
        let mut faults = Faults::default();
        match self.records {
            Records::Csv(mut rows) => {
                while let Some(row) = rows.next(&mut faults)? {
                    filling.take(&row, &mut faults)?;
                }
            }
            Records::Json(reader) => {
                let names: Vec<_> = table.columns.iter().map(|it| it.name.clone()).collect();
                let mut keys = BTreeSet::new();
                rows_again::each_json(source(reader), &mut |number, name, row| {
                    if name != table.name {
                        return Ok(());
                    }
                    for key in row.keys() {
                        if keys.len() <= MAX_COLUMNS && !keys.contains(key) {
                            keys.insert(key.clone());
                        }
                    }
                    let cell = |name: &String| match row.get(name) {
                        None | Some(serde_json::Value::Null) => String::new(),
                        Some(serde_json::Value::String(text)) => text.clone(),
                        Some(other) => other.to_string(),
                    };
                    let record: ByteRecord = names.iter().map(cell).collect::<Vec<_>>().into();
                    let row = Row::new(Place::Record(number), &names, &record);
                    filling.take(&row, &mut faults)
                })?;
                // What is missing everywhere may be a column that nobody fills, or one that has another name there.
                let is_known = |key: &String| key == "commonhold_table" || names.contains(key);
                let missing = names.iter().find(|name| !keys.contains(*name));
                if let Some(name) = missing
                    && !keys.iter().all(is_known)
                {
                    let name = name.clone();
                    return Err(ImportError::MissingColumn { name });
                }
            }
        }
        if filling.kept == 0 {
            return Err(ImportError::nothing_read(
                faults.records,
                &faults.first,
                None,
            ));
        }
        Ok(Imported {
            kept: filling.kept,
            replaces: false,
            unchanged: false,
            other_people: filling.other_people,
            skipped_rows: faults.records,
            repeated_rows: filling.repeated,
            unusable_cells: faults.cells,
            rounded_cells: filling.rounded,
            faults: faults.first,
        })
    }
}

/// A table that is being filled.
struct Filling<'a> {
    table: &'a Table,
    positions: Vec<usize>,
    person: Option<(usize, &'a str)>,
    insert: Statement<'a>,
    seen: Seen,
    kept: u64,
    other_people: u64,
    repeated: u64,
    rounded: u64,
}

impl Filling<'_> {
    fn take(&mut self, row: &Row<'_>, faults: &mut Faults) -> Result<(), ImportError> {
        if let Some((position, value)) = self.person
            // A fault in a stranger's record is no matter of ours.
            && row.text(position, &mut Faults::default()) != Some(value)
        {
            self.other_people += 1;
            return Ok(());
        }
        self.repeated += u64::from(self.seen.has(row));
        let columns = self.table.columns.iter().zip(&self.positions);
        let rounded = &mut self.rounded;
        let cells =
            columns.map(|(column, &position)| stored(row, position, &column.kind, rounded, faults));
        self.insert
            .execute(params_from_iter(cells))
            .map_err(VaultError::from)?;
        self.kept += 1;
        Ok(())
    }
}

/// Records by a digest of 64 bits each.
#[derive(Default)]
struct Seen {
    digests: HashSet<u64>,
    state: RandomState,
}

impl Seen {
    /// Whether a record before this one was the same.
    fn has(&mut self, row: &Row<'_>) -> bool {
        let digest = row.digest(&self.state);
        match self.digests.len() < COMPARED_MAX {
            true => !self.digests.insert(digest),
            false => self.digests.contains(&digest),
        }
    }
}

/// What is stored for the cell at `position`: NULL if it is missing or its declaration does not admit it.
fn stored(
    row: &Row<'_>,
    position: usize,
    kind: &Kind,
    rounded: &mut u64,
    faults: &mut Faults,
) -> Value {
    let Some(text) = row.text(position, faults) else {
        return Value::Null;
    };
    let value = match kind {
        Kind::Number(range) => scaled(text, range, rounded).map(Value::Integer),
        Kind::Category(words) if !words.iter().any(|word| word == text) => Err(Reason::UnknownWord),
        Kind::Category(_) | Kind::Text => Ok(Value::Text(text.to_string())),
    };
    value.unwrap_or_else(|reason| {
        row.note(position, reason, faults);
        Value::Null
    })
}

fn scaled(text: &str, range: &Range, rounded: &mut u64) -> Result<i64, Reason> {
    let number = number::parse(text).ok_or(Reason::NotANumber)?;
    let value = number::rounded(text, range.decimals).and_then(|units| i64::try_from(units).ok());
    let value = value.ok_or(Reason::OutOfRange)?;
    if !(range.min..=range.max).contains(&value) {
        return Err(Reason::OutOfRange);
    }
    *rounded += u64::from(number.decimals > range.decimals);
    Ok(value)
}
