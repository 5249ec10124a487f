//! The same figure, computed in the clear: by SQLite alone, with its own arithmetic, on a plain table of all records.

use std::fmt::Write as _;

use community::{Kind, Table};
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

/// What SQLite says, as one number; `None` when it says nothing (a mean of nobody).
pub fn figure(table: &Table, sql: &str, files: &[&[u8]]) -> Result<Option<f64>, String> {
    let text = |why: rusqlite::Error| why.to_string();
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
    let marks = vec!["?"; table.columns.len()].join(", ");
    let mut insert = memory
        .prepare(&format!("INSERT INTO {name} VALUES ({marks})"))
        .map_err(text)?;
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
    memory.query_row(sql, [], |row| row.get(0)).map_err(text)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether two figures are the same but for the rounding of both.
pub fn same(told: f64, clear: f64) -> bool {
    (told - clear).abs() <= 1e-4_f64.max(clear.abs() * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_values_are_no_zeros() {
        let table = vault::propose("id,x\na,1\nb,2.5\nc,\n".as_bytes(), "t")
            .unwrap()
            .table;
        let files: [&[u8]; 3] = [b"id,x\na,1\n", b"id,x\nb,2.5\n", b"id,x\nc,\n"];
        let figure = |sql| figure(&table, sql, &files).unwrap();
        assert_eq!(figure("SELECT AVG(x) FROM t"), Some(1.75));
        assert_eq!(figure("SELECT COUNT(*) FROM t"), Some(3.0));
        assert_eq!(figure("SELECT AVG(x) FROM t WHERE x > 9"), None);
    }

    #[test]
    fn small_differences_are_not_rounding() {
        assert!(same(7.3608, 7.36082474));
        assert!(!same(7.3608, 7.3611));
        assert!(!same(1e9 + 2.0, 1e9));
    }
}
