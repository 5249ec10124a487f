//! Filling a data table from a CSV file.

use std::collections::HashSet;
use std::hash::RandomState;
use std::io::Read;

use community::{Kind, Range, Table};
use question::{MAX_DECIMALS, quoted};
use rusqlite::types::Value;
use rusqlite::{Transaction, params_from_iter};

use crate::error::{ImportError, VaultError};
use crate::fault::{Fault, Faults, Reason};
use crate::import::record::{self, Origin};
use crate::number;
use crate::rows::{Row, Rows, check_distinct, check_name};
use crate::vault::{Vault, check_table_name, declaration, declare};
use crate::vocabulary::{Shape, shape};

/// Most different records that later ones are compared with. Guess: some 20 MB of memory.
const COMPARED_MAX: usize = 1 << 20;

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Records now in the table.
    pub kept: u64,
    /// Whether the table held something before, which they replace.
    pub replaces: bool,
    /// Records of other people.
    pub other_people: u64,
    /// Records left out because they have another number of cells than the first line.
    pub skipped_rows: u64,
    /// Cells of kept records that could not be used and count as missing.
    pub unusable_cells: u64,
    /// Kept records that are, cell by cell, the same as one before them in the file: the owner's rows may well be, so they
    /// count, and the owner is told. Of long files those are noticed that are the same as one of the first
    /// million different ones.
    pub repeated_rows: u64,
    /// Cells of kept records with more digits than the vocabulary keeps, rounded.
    pub rounded_cells: u64,
    /// The first skipped records and unusable cells, one by one.
    pub faults: Vec<Fault>,
}

/// Replaces the data of `table` by the records of a CSV file: all of them, or with `person` given as a column and a value,
/// those that hold this value in this column.
///
/// The file's columns are found by name; those that `table` does not declare are left out (the column that tells the
/// person need not be declared). A cell that is empty, or that its declaration does not admit, is stored as missing.
/// Either everything is imported when this returns, or nothing was changed.
///
/// # Errors
///
/// A declaration or header that cannot be used, a file without any matching record, or a failure to read or write.
pub fn import_csv(
    vault: &mut Vault,
    reader: impl Read,
    table: &Table,
    person: Option<(&str, &str)>,
) -> Result<Imported, ImportError> {
    replace(vault, reader, table, person, None).map(|(_, imported)| imported)
}

/// The same for all records of a file, as an import that is recorded and can be undone: what was in the table is kept until
/// the next one. Gives its number; none for a preview, which reads everything and changes nothing.
///
/// # Errors
///
/// As [`import_csv`].
pub fn import_table(
    vault: &mut Vault,
    reader: impl Read,
    table: &Table,
    origin: &Origin<'_>,
) -> Result<(Option<i64>, Imported), ImportError> {
    let (number, imported) = replace(vault, reader, table, None, Some(origin))?;
    Ok(((!origin.preview).then_some(number), imported))
}

fn replace(
    vault: &mut Vault,
    reader: impl Read,
    table: &Table,
    person: Option<(&str, &str)>,
    origin: Option<&Origin<'_>>,
) -> Result<(i64, Imported), ImportError> {
    check_table(table)?;
    let mut input = Rows::new(reader)?;
    let find = |input: &Rows<_>, name: &str| {
        input
            .position(name)
            .ok_or_else(|| ImportError::MissingColumn {
                name: name.to_string(),
            })
    };
    let person = match person {
        Some((column, value)) => Some((find(&input, column)?, value.trim())),
        None => None,
    };
    let positions = table
        .columns
        .iter()
        .map(|column| find(&input, &column.name))
        .collect::<Result<Vec<_>, _>>()?;
    let transaction = vault.begin()?;
    let number = record::next(&transaction)?;
    let before = clear(&transaction, table, number, origin.is_some())?;
    let imported = Imported {
        replaces: before.is_some(),
        ..fill(&transaction, table, &mut input, &positions, person)?
    };
    if imported.kept == 0 {
        let (records, faults) = (imported.skipped_rows, &imported.faults);
        return Err(ImportError::nothing_read(records, faults, None));
    }
    if let Some(origin) = origin {
        if origin.preview {
            transaction.rollback().map_err(VaultError::from)?;
            return Ok((number, imported));
        }
        let (name, before) = (&table.name, before.as_ref());
        record::write_table(&transaction, number, name, origin, &imported, before)?;
    }
    transaction.commit().map_err(VaultError::from)?;
    Ok((number, imported))
}

/// Makes room for other rows: those that are there are kept for the import that replaces them, if it is recorded; gives how
/// they were declared.
fn clear(
    transaction: &Transaction<'_>,
    table: &Table,
    number: i64,
    is_recorded: bool,
) -> Result<Option<Table>, ImportError> {
    if shape(&table.name).is_some_and(|shape| stored_as(transaction, shape)) {
        return Err(ImportError::Holds {
            name: table.name.clone(),
        });
    }
    if is_recorded {
        return Ok(record::make_room(transaction, number, &table.name)?);
    }
    let gone = format!("DROP TABLE IF EXISTS {}", quoted(&table.name));
    transaction.execute(&gone, []).map_err(VaultError::from)?;
    Ok(None)
}

fn check_table(table: &Table) -> Result<(), ImportError> {
    check_table_name(&table.name)?;
    if table.columns.is_empty() {
        return Err(ImportError::NoColumns);
    }
    for column in &table.columns {
        check_name(&column.name)?;
        if let Kind::Number(range) = column.kind
            && (range.decimals > MAX_DECIMALS || range.min > range.max)
        {
            return Err(ImportError::BadRange {
                column: column.name.clone(),
            });
        }
    }
    check_distinct(table.columns.iter().map(|column| column.name.as_str()))
}

/// Makes the table and copies the records into it.
fn fill<R: Read>(
    transaction: &Transaction<'_>,
    table: &Table,
    input: &mut Rows<R>,
    positions: &[usize],
    person: Option<(usize, &str)>,
) -> Result<Imported, ImportError> {
    let name = quoted(&table.name);
    declare(transaction, table, "", "")?;
    let places = vec!["?"; table.columns.len()].join(", ");
    let sql = format!("INSERT INTO {name} VALUES ({places})");
    let mut insert = transaction.prepare(&sql).map_err(VaultError::from)?;
    let (mut kept, mut other_people, mut rounded, mut repeated) = (0, 0, 0, 0);
    let mut seen = Seen::default();
    let mut faults = Faults::default();
    while let Some(row) = input.next(&mut faults)? {
        if let Some((position, value)) = person
            // A fault in a stranger's record is no matter of ours.
            && row.text(position, &mut Faults::default()) != Some(value)
        {
            other_people += 1;
            continue;
        }
        repeated += u64::from(seen.has(&row));
        let cells = table
            .columns
            .iter()
            .zip(positions)
            .map(|(column, &position)| {
                stored(&row, position, &column.kind, &mut rounded, &mut faults)
            });
        insert
            .execute(params_from_iter(cells))
            .map_err(VaultError::from)?;
        kept += 1;
    }
    Ok(Imported {
        kept,
        replaces: false,
        other_people,
        skipped_rows: faults.records,
        repeated_rows: repeated,
        unusable_cells: faults.cells,
        rounded_cells: rounded,
        faults: faults.first,
    })
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

/// Whether imports of other files have filled the table of this name.
fn stored_as(transaction: &Transaction<'_>, shape: &Shape) -> bool {
    let declared = declaration(transaction, shape.name);
    declared.is_ok_and(|table| table.is_some_and(|table| table == shape.table()))
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

#[cfg(test)]
mod tests;
