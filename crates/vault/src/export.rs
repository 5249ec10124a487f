//! What the vault holds, to look at, to take elsewhere, and to delete.

use std::io::{self, Write};

use community::{Kind, Table};
use question::quoted;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Row};

use crate::error::{ImportError, VaultError};
use crate::import::days;
use crate::import::record::forget_table;
use crate::import::sink::{DAY_END, MOMENT_END};
use crate::looking::Cells;
use crate::vault::{Vault, declaration};
use crate::vocabulary::{shape, shown};

/// Numbers with fewer units than this are the same after a reader has made them floating point.
const EXACT: u64 = 1 << 50;

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Export {
    /// One table, its columns named in the first line.
    Csv,
    /// One object with a list of rows, each with the name of its table.
    Json,
}

/// A table that holds something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Held {
    /// Its declaration.
    pub table: Table,
    /// Rows in it.
    pub rows: u64,
    /// The first and the last moment of its rows, seconds since 1970 in UTC, where they have moments or days.
    pub span_utc_s: Option<(i64, i64)>,
    /// Whether the vault computes it from others.
    pub computed: bool,
    /// Whether it is of the vocabulary of this crate, and not a community's own.
    pub own: bool,
}

impl Vault {
    /// All tables that hold data, by name.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn held(&self) -> Result<Vec<Held>, VaultError> {
        let sql = "SELECT name FROM commonhold_tables ORDER BY name";
        let mut query = self.writer.prepare(sql)?;
        let names = query.query_map([], |row| row.get(0))?;
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        let held = names.iter().map(|name| self.held_in(name));
        Ok(held
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect())
    }

    fn held_in(&self, name: &str) -> Result<Option<Held>, VaultError> {
        let Some(table) = declaration(&self.writer, name)? else {
            return Ok(None);
        };
        let known = shape(name).filter(|shape| shape.table() == table);
        let rows = count(&self.writer, name)?;
        let span = match moment_of(&table).filter(|_| known.is_some()) {
            None => None,
            Some(moment) => {
                let name = quoted(name);
                let sql = format!("SELECT MIN({moment}), MAX({moment}) FROM {name}");
                self.writer.query_row(&sql, [], |row| {
                    Ok(row.get::<_, Option<i64>>(0)?.zip(row.get(1)?))
                })?
            }
        };
        Ok(Some(Held {
            rows,
            span_utc_s: span,
            computed: known.is_some_and(|shape| shape.is_computed()),
            own: known.is_some(),
            table,
        }))
    }

    /// Writes the rows of these tables; of one table alone as CSV. Gives how many there were.
    ///
    /// What is written is read back by [`import`](crate::import()) to the same rows, and a community's own table by
    /// [`import_table`](crate::import_table).
    ///
    /// # Errors
    ///
    /// [`VaultError::NoTable`], or a failure to read or write.
    pub fn export(
        &self,
        tables: &[&str],
        format: Export,
        out: &mut dyn Write,
    ) -> Result<u64, VaultError> {
        let mut rows = 0;
        if format == Export::Json {
            out.write_all(b"{\"rows\":[")?;
        }
        for name in tables {
            let missing = || VaultError::NoTable((*name).to_string());
            let table = declaration(&self.writer, name)?.ok_or_else(missing)?;
            rows += match format {
                Export::Csv => self.csv(&table, out)?,
                Export::Json => self.json(&table, rows, out)?,
            };
        }
        if format == Export::Json {
            out.write_all(b"\n]}\n")?;
        }
        out.flush()?;
        Ok(rows)
    }

    /// Forgets all rows of the table called `name`. Gives how many there were.
    ///
    /// # Errors
    ///
    /// [`ImportError::Computed`] for one that is computed from another, [`ImportError::Vault`] with [`VaultError::NoTable`] if there is no such table, or a failure to write.
    pub fn delete(&mut self, name: &str) -> Result<u64, ImportError> {
        let transaction = self.begin()?;
        let Some(table) = declaration(&transaction, name)? else {
            return Err(VaultError::NoTable(name.into()).into());
        };
        let known = shape(name).filter(|shape| shape.table() == table);
        if let Some(daily) = known.and_then(|shape| shape.computed) {
            return Err(ImportError::Computed {
                name: name.into(),
                from: daily.from,
            });
        }
        forget_table(&transaction, name)?;
        let rows = drop_table(&transaction, name)?;
        days::follow(&transaction)?;
        transaction.commit().map_err(VaultError::from)?;
        self.give_back();
        Ok(rows)
    }

    fn csv(&self, table: &Table, out: &mut dyn Write) -> Result<u64, VaultError> {
        let mut writer = csv::Writer::from_writer(out);
        let names = table.columns.iter().map(|column| &column.name);
        writer.write_record(names).map_err(lost)?;
        let mut rows = 0;
        self.each(table, &mut |values| {
            rows += 1;
            let cells = values
                .iter()
                .map(|value| value.as_ref().map_or("", Written::text));
            writer.write_record(cells).map_err(lost)
        })?;
        writer.flush()?;
        Ok(rows)
    }

    fn json(&self, table: &Table, before: u64, out: &mut dyn Write) -> Result<u64, VaultError> {
        let mut rows = 0;
        self.each(table, &mut |values| {
            let comma = if before + rows > 0 { "," } else { "" };
            rows += 1;
            write!(
                out,
                "{comma}\n{{\"commonhold_table\":{}",
                json_text(&table.name)
            )?;
            for (column, value) in table.columns.iter().zip(values) {
                match value {
                    None => {}
                    Some(Written::Exact(number)) => {
                        write!(out, ",{}:{number}", json_text(&column.name))?;
                    }
                    Some(Written::Text(text)) => {
                        write!(out, ",{}:{}", json_text(&column.name), json_text(text))?;
                    }
                }
            }
            Ok(out.write_all(b"}")?)
        })?;
        Ok(rows)
    }

    /// Gives each row to `take`.
    fn each(&self, table: &Table, take: &mut Take<'_>) -> Result<(), VaultError> {
        let columns: Vec<String> = table.columns.iter().map(|it| quoted(&it.name)).collect();
        let sql = format!("SELECT {} FROM {}", columns.join(", "), quoted(&table.name));
        let mut query = self.writer.prepare(&sql)?;
        let mut rows = query.query([])?;
        while let Some(row) = rows.next()? {
            take(&values_of(table, row)?)?;
        }
        Ok(())
    }
}

/// A row's moment, seconds since 1970 in UTC, as an SQL expression: that of its first moment, or the beginning of its day.
/// None where it has neither.
pub(crate) fn moment_of(table: &Table) -> Option<String> {
    let ending = |end: &str| {
        let mut columns = table.columns.iter();
        columns.find(|column| column.name.ends_with(end))
    };
    match ending(MOMENT_END) {
        Some(moment) => Some(quoted(&moment.name)),
        None => ending(DAY_END).map(|day| format!("{} * 86400", quoted(&day.name))),
    }
}

/// The cells of a row that begins with the table's columns, as a file has them.
pub(crate) fn each_cell(table: &Table, row: &Row<'_>) -> Result<Cells, VaultError> {
    let values = values_of(table, row)?.into_iter();
    Ok(values.map(|value| value.map(Written::into_text)).collect())
}

fn values_of(table: &Table, row: &Row<'_>) -> Result<Vec<Option<Written>>, VaultError> {
    let mut values = Vec::with_capacity(table.columns.len());
    for (place, column) in table.columns.iter().enumerate() {
        let decimals = match column.kind {
            Kind::Number(range) => range.decimals,
            Kind::Category(_) | Kind::Text => 0,
        };
        values.push(written(row.get_ref(place)?, decimals));
    }
    Ok(values)
}

/// Who takes the rows.
type Take<'a> = dyn FnMut(&[Option<Written>]) -> Result<(), VaultError> + 'a;

/// A value as a file has it.
enum Written {
    /// A number that every reader takes for what it is.
    Exact(String),
    /// Text, or a number that is safer as such.
    Text(String),
}

impl Written {
    fn text(&self) -> &str {
        match self {
            Self::Exact(text) | Self::Text(text) => text,
        }
    }

    fn into_text(self) -> String {
        match self {
            Self::Exact(text) | Self::Text(text) => text,
        }
    }
}

fn written(value: ValueRef<'_>, decimals: u8) -> Option<Written> {
    match value {
        ValueRef::Integer(units) if units.unsigned_abs() < EXACT => {
            Some(Written::Exact(shown(units, decimals)))
        }
        ValueRef::Integer(units) => Some(Written::Text(shown(units, decimals))),
        ValueRef::Text(text) => Some(Written::Text(String::from_utf8_lossy(text).into_owned())),
        ValueRef::Null | ValueRef::Real(_) | ValueRef::Blob(_) => None,
    }
}

fn json_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn lost(why: csv::Error) -> VaultError {
    let kind = match why.kind() {
        csv::ErrorKind::Io(why) => why.kind(),
        _ => io::ErrorKind::Other,
    };
    VaultError::Io(kind)
}

/// Drops a table that is declared. Gives how many rows it had.
pub(crate) fn drop_table(connection: &Connection, name: &str) -> Result<u64, VaultError> {
    let rows = count(connection, name)?;
    connection.execute(&format!("DROP TABLE {}", quoted(name)), [])?;
    let sql = "DELETE FROM commonhold_tables WHERE name = ?1";
    connection.execute(sql, [name])?;
    Ok(rows)
}

/// How many rows the table of this name has.
pub(crate) fn count(connection: &Connection, name: &str) -> Result<u64, VaultError> {
    let sql = format!("SELECT COUNT(*) FROM {}", quoted(name));
    let rows: i64 = connection.query_row(&sql, [], |row| row.get(0))?;
    Ok(rows.unsigned_abs())
}
