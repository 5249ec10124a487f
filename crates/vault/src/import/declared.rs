//! Filling a data table from a CSV file, or from JSON that this vault has exported.

mod filling;

use std::io::{BufRead, BufReader, Read};

use community::{Kind, Table};
use question::{MAX_DECIMALS, quoted};
use rusqlite::Transaction;

use self::filling::Input;
use crate::error::{ImportError, VaultError};
use crate::fault::Fault;
use crate::import::record::{self, Origin};
use crate::import::{Format, detect};
use crate::rows::{check_distinct, check_name};
use crate::vault::{Vault, check_table_name, declaration};
use crate::vocabulary::{Shape, shape};

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Records now in the table.
    pub kept: u64,
    /// Whether the table held something before, which they replace.
    pub replaces: bool,
    /// Whether that was just these records, in this order, so that nothing was changed.
    pub unchanged: bool,
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
    check_table(table)?;
    let input = Input::csv(reader, table, person)?;
    let transaction = vault.begin()?;
    check_free(&transaction, table)?;
    let gone = format!("DROP TABLE IF EXISTS {}", quoted(&table.name));
    transaction.execute(&gone, []).map_err(VaultError::from)?;
    let imported = input.fill(&transaction, table)?;
    transaction.commit().map_err(VaultError::from)?;
    Ok(imported)
}

/// The same for all records of a file, or for those of this table in JSON that a vault has exported, as an import that is
/// recorded and can be undone: what was in the table is kept for that. Gives its number; none for a preview, which reads
/// everything and changes nothing, nor for a file that says just what the table holds.
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
    let transaction = vault.begin()?;
    let brought = table_within(&transaction, reader, table, origin)?;
    transaction.commit().map_err(VaultError::from)?;
    Ok(brought)
}

/// Whether a CSV file has all columns of a table.
pub fn fits(reader: impl Read, table: &Table) -> bool {
    check_table(table).is_ok() && Input::csv(BufReader::new(reader), table, None).is_ok()
}

/// As [`import_table`], by whoever ends the transaction.
pub(super) fn table_within(
    transaction: &Transaction<'_>,
    reader: impl Read,
    table: &Table,
    origin: &Origin<'_>,
) -> Result<(Option<i64>, Imported), ImportError> {
    check_table(table)?;
    let mut reader = BufReader::with_capacity(detect::HEAD, reader);
    let (input, format) = match detect::of(reader.fill_buf()?) {
        Ok(Format::RowsJson) => (Input::json(reader, table), Format::RowsJson),
        _ => (Input::csv(reader, table, None)?, Format::Csv),
    };
    check_free(transaction, table)?;
    let run = |sql: &str| transaction.execute_batch(sql).map_err(VaultError::from);
    run("SAVEPOINT before_table")?;
    let number = record::next(transaction)?;
    let before = record::make_room(transaction, number, &table.name)?;
    let mut imported = input.fill(transaction, table)?;
    imported.replaces = before.is_some();
    imported.unchanged =
        before.as_ref() == Some(table) && record::is_unchanged(transaction, number, table)?;
    if origin.preview || imported.unchanged {
        run("ROLLBACK TO before_table; RELEASE before_table")?;
        return Ok((None, imported));
    }
    let before = before.as_ref();
    record::write_table(
        transaction,
        number,
        (&table.name, before),
        (origin, format),
        &imported,
    )?;
    run("RELEASE before_table")?;
    Ok((Some(number), imported))
}

/// Whether imports of other files have not filled the table of this name.
fn check_free(transaction: &Transaction<'_>, table: &Table) -> Result<(), ImportError> {
    match shape(&table.name).is_some_and(|shape| stored_as(transaction, shape)) {
        true => Err(ImportError::Holds {
            name: table.name.clone(),
        }),
        false => Ok(()),
    }
}

/// Whether other files have filled this table.
pub(super) fn stored_as(transaction: &Transaction<'_>, shape: &Shape) -> bool {
    let declared = declaration(transaction, shape.name);
    declared.is_ok_and(|table| table.is_some_and(|table| table == shape.table()))
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

#[cfg(test)]
mod tests;
