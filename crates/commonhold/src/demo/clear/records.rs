//! People's records in plain tables of SQLite.

use std::fmt::Write as _;

use community::{Kind, Table};
use question::{InnerQuery, quoted};
use rusqlite::types::Value;
use rusqlite::{Connection, Error, params_from_iter};

/// All records, in one table.
pub fn all(table: &Table, files: &[&[u8]]) -> Result<Connection, String> {
    let memory = with_table(table)?;
    let mut insert = insert_into(&memory, table)?;
    for file in files {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(*file);
        for record in reader.records() {
            let record = record.map_err(|why| why.to_string())?;
            let cells =
                (0..table.columns.len()).map(|place| match record.get(place).map(str::trim) {
                    None | Some("") => Value::Null,
                    Some(cell) => Value::Text(cell.to_owned()),
                });
            insert.execute(params_from_iter(cells)).map_err(text)?;
        }
    }
    drop(insert);
    Ok(memory)
}

/// What each person's records come down to: each file is one person's, and SQLite runs the query over these alone.
pub fn each_person(
    table: &Table,
    inner: &InnerQuery,
    files: &[&[u8]],
) -> Result<Connection, String> {
    let memory = with_table(&inner.row)?;
    let mut insert = insert_into(&memory, &inner.row)?;
    for file in files {
        let own = all(table, &[*file])?;
        let sql = format!("SELECT * FROM {}", inner.sql);
        let row = own.query_row(&sql, [], |row| {
            let columns = inner.row.columns.iter().enumerate();
            let values = columns.map(|(index, column)| {
                let value: Option<f64> = row.get(index)?;
                Ok(value.map(|value| rounded(value, &column.kind)))
            });
            values.collect::<Result<Vec<_>, Error>>()
        });
        match row {
            Ok(row) => drop(insert.execute(params_from_iter(row)).map_err(text)?),
            // More records than the question allows.
            Err(Error::QueryReturnedNoRows) => {}
            Err(why) => return Err(why.to_string()),
        }
    }
    drop(insert);
    Ok(memory)
}

/// To the digits of the column, half up, as questions define a person's mean; sums have no more digits.
fn rounded(value: f64, kind: &Kind) -> f64 {
    let decimals = match kind {
        Kind::Number(range) => range.decimals,
        Kind::Category(_) | Kind::Text => 0,
    };
    let scale = 10f64.powi(decimals.into());
    // A mean such as 0.25 may be a little less in doubles.
    (value * scale + 0.5 + 1e-9).floor() / scale
}

fn with_table(table: &Table) -> Result<Connection, String> {
    let memory = Connection::open_in_memory().map_err(text)?;
    let mut columns = String::new();
    for column in &table.columns {
        let affinity = match column.kind {
            Kind::Number(_) => "REAL",
            Kind::Category(_) | Kind::Text => "TEXT",
        };
        let comma = if columns.is_empty() { "" } else { ", " };
        let name = quoted(&column.name);
        write!(columns, "{comma}{name} {affinity}").expect("writing to a string cannot fail");
    }
    let name = quoted(&table.name);
    memory
        .execute_batch(&format!("CREATE TABLE {name} ({columns})"))
        .map_err(text)?;
    Ok(memory)
}

fn insert_into<'c>(
    memory: &'c Connection,
    table: &Table,
) -> Result<rusqlite::Statement<'c>, String> {
    let marks = vec!["?"; table.columns.len()].join(", ");
    let name = quoted(&table.name);
    memory
        .prepare(&format!("INSERT INTO {name} VALUES ({marks})"))
        .map_err(text)
}

fn text(why: Error) -> String {
    why.to_string()
}
