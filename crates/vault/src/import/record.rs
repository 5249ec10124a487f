//! What was imported, and taking it back.

use community::Table;
use question::quoted;
use rusqlite::{Connection, OptionalExtension};

use crate::error::{ImportError, VaultError};
use crate::export::{count, drop_table};
use crate::fault::Reason;
use crate::import::days::{days_of, make, recount, told_of};
use crate::import::sink::IMPORT;
use crate::import::{Format, Imported, Options, Report};
use crate::vault::{Vault, declaration};
use crate::vocabulary::{Shape, vocabulary};

/// Longest name of a file that is remembered, in bytes; the end of a longer one is left out.
const MAX_FILE_NAME: usize = 255;

/// One import, as it is remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// Its number.
    pub import: i64,
    /// What the file was called.
    pub name: String,
    /// What it was.
    pub format: String,
    /// Its length.
    pub bytes: u64,
    /// When, seconds since 1970 in UTC.
    pub at_utc_s: i64,
    /// Rows that were new.
    pub kept: u64,
    /// Rows that were there already.
    pub duplicate: u64,
    /// Records left out, by reason.
    pub skipped: Vec<(String, u64)>,
    /// When it was undone.
    pub undone_utc_s: Option<i64>,
}

/// What a file for a table of the community is.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its length.
    pub bytes: u64,
    /// When it is imported, seconds since 1970 in UTC.
    pub now_utc_s: i64,
    /// Whether everything is to be read and nothing changed.
    pub preview: bool,
}

/// What undoing did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Undone {
    /// Rows that are gone.
    pub removed: u64,
    /// Rows that are back, which it had replaced.
    pub back: u64,
}

/// The number of the next import.
pub(crate) fn next(connection: &Connection) -> Result<i64, VaultError> {
    let sql = "SELECT COALESCE(MAX(import), 0) + 1 FROM commonhold_imports";
    Ok(connection.query_row(sql, [], |row| row.get(0))?)
}

/// By which names the imports that stand know the owner.
pub(crate) fn known_as(connection: &Connection) -> Result<Vec<String>, VaultError> {
    let sql = "SELECT DISTINCT person FROM commonhold_imports WHERE person IS NOT NULL AND undone_utc_s IS NULL";
    let mut query = connection.prepare(sql)?;
    let names = query.query_map([], |row| row.get(0))?;
    Ok(names.collect::<Result<_, _>>()?)
}

/// Remembers an import of a file for tables of the vocabulary, about `person` if it says about whom.
pub(crate) fn write(
    connection: &Connection,
    import: i64,
    options: &Options<'_>,
    report: &Report,
    person: Option<&str>,
) -> Result<(), VaultError> {
    let skipped = report.skipped.iter();
    let recorded = Recorded {
        import,
        name: options.name.into(),
        format: report.format.name().into(),
        bytes: report.bytes,
        at_utc_s: options.now_utc_s,
        kept: report.total_kept(),
        duplicate: report.duplicate,
        skipped: skipped
            .map(|(why, number)| ((*why).into(), *number))
            .collect(),
        undone_utc_s: None,
    };
    insert(connection, &recorded)?;
    let sql = "UPDATE commonhold_imports SET person = ?2 WHERE import = ?1";
    connection.execute(sql, (import, person))?;
    Ok(())
}

/// Remembers an import that has filled a table of the community, in which [`make_room`] has found this.
pub(crate) fn write_table(
    connection: &Connection,
    import: i64,
    (table, before): (&str, Option<&Table>),
    (origin, format): (&Origin<'_>, Format),
    imported: &Imported,
) -> Result<(), VaultError> {
    let left_out = Reason::Cells {
        expected: 0,
        found: 0,
    }
    .summary();
    let skipped = (imported.skipped_rows > 0).then(|| (left_out.into(), imported.skipped_rows));
    let recorded = Recorded {
        import,
        name: origin.name.into(),
        format: format.name().into(),
        bytes: origin.bytes,
        at_utc_s: origin.now_utc_s,
        kept: imported.kept,
        duplicate: 0,
        skipped: skipped.into_iter().collect(),
        undone_utc_s: None,
    };
    insert(connection, &recorded)?;
    let sql = "UPDATE commonhold_imports SET community_table = ?2, replaced = ?3 WHERE import = ?1";
    connection.execute(sql, (import, table, before.map(base::encode)))?;
    Ok(())
}

fn insert(connection: &Connection, recorded: &Recorded) -> Result<(), VaultError> {
    let name = &recorded.name[..recorded.name.floor_char_boundary(MAX_FILE_NAME)];
    let signed = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    connection.execute(
        "INSERT INTO commonhold_imports (import, name, format, bytes, at_utc_s, kept, duplicate)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        (
            recorded.import,
            name,
            &recorded.format,
            signed(recorded.bytes),
            recorded.at_utc_s,
            signed(recorded.kept),
            signed(recorded.duplicate),
        ),
    )?;
    for (reason, number) in &recorded.skipped {
        connection.execute(
            "INSERT INTO commonhold_skipped (import, reason, number) VALUES (?1, ?2, ?3)",
            (recorded.import, reason, signed(*number)),
        )?;
    }
    Ok(())
}

/// Keeps what is in a table of the community for the import that is to fill it: undoing that brings it back. Gives its
/// declaration.
pub(crate) fn make_room(
    connection: &Connection,
    import: i64,
    table: &str,
) -> Result<Option<Table>, VaultError> {
    let before = declaration(connection, table)?;
    if before.is_some() {
        let (from, to) = (quoted(table), replaced(import));
        connection.execute(&format!("ALTER TABLE {from} RENAME TO {to}"), [])?;
    }
    Ok(before)
}

/// Whether the table holds the same rows in the same order as before this import, for which [`make_room`] has kept those.
pub(crate) fn is_unchanged(
    connection: &Connection,
    import: i64,
    table: &Table,
) -> Result<bool, VaultError> {
    let (now, before) = (quoted(&table.name), replaced(import));
    let same = table.columns.iter().map(|column| {
        let column = quoted(&column.name);
        format!("now.{column} IS before.{column}")
    });
    let same = same.collect::<Vec<_>>().join(" AND ");
    // Rows are numbered as they come in, and none goes alone. What columns are called hides their number.
    let mut numbers = ["rowid", "oid", "_rowid_"].into_iter();
    let is_column = |name: &str| {
        let mut columns = table.columns.iter();
        columns.any(|column| column.name.eq_ignore_ascii_case(name))
    };
    let Some(number) = numbers.find(|name| !is_column(name)) else {
        return Ok(false);
    };
    let sql = format!(
        "SELECT (SELECT COUNT(*) FROM {now}) = (SELECT COUNT(*) FROM {before})
         AND NOT EXISTS (SELECT 1 FROM {now} AS now LEFT JOIN {before} AS before ON now.{number} = before.{number} WHERE NOT ({same}))"
    );
    Ok(connection.query_row(&sql, [], |row| row.get(0))?)
}

/// A table of the community that is gone: no import of it can be undone any more.
pub(crate) fn forget_table(connection: &Connection, table: &str) -> Result<(), VaultError> {
    let sql = "SELECT import FROM commonhold_imports WHERE replaced IS NOT NULL AND community_table = ?1 COLLATE NOCASE";
    let mut query = connection.prepare(sql)?;
    let imports = query.query_map([table], |row| row.get(0))?;
    let imports: Vec<i64> = imports.collect::<Result<_, _>>()?;
    for import in imports {
        forget_replaced(connection, import)?;
    }
    let sql = "UPDATE commonhold_imports SET community_table = NULL WHERE community_table = ?1 COLLATE NOCASE";
    connection.execute(sql, [table])?;
    Ok(())
}

/// Drops what this import has replaced.
pub(crate) fn forget_replaced(connection: &Connection, import: i64) -> Result<(), VaultError> {
    connection.execute(&format!("DROP TABLE {}", replaced(import)), [])?;
    forget(connection, import)
}

fn forget(connection: &Connection, import: i64) -> Result<(), VaultError> {
    let sql = "UPDATE commonhold_imports SET replaced = NULL WHERE import = ?1";
    connection.execute(sql, [import])?;
    Ok(())
}

/// Brings back what was in the table before this import.
fn undo_table(connection: &Connection, import: i64, table: &str) -> Result<Undone, ImportError> {
    let number = |sql: &str| -> Result<i64, VaultError> {
        Ok(connection.query_row(sql, (table, import), |row| row.get(0))?)
    };
    // Earlier programs kept what the last eight had replaced: nobody is sent from one import to the next in vain.
    let lost = "SELECT COUNT(*) FROM commonhold_imports AS it
                WHERE it.community_table = ?1 COLLATE NOCASE AND it.undone_utc_s IS NULL AND it.import >= ?2 AND it.replaced IS NULL
                AND EXISTS (SELECT 1 FROM commonhold_imports AS before
                            WHERE before.community_table = ?1 COLLATE NOCASE AND before.undone_utc_s IS NULL
                            AND before.import < it.import)";
    if number(lost)? > 0 {
        let table = table.to_owned();
        return Err(ImportError::NotKept { import, table });
    }
    let last = "SELECT MAX(import) FROM commonhold_imports
                WHERE community_table = ?1 COLLATE NOCASE AND undone_utc_s IS NULL AND import >= ?2";
    let last = number(last)?;
    if last != import {
        return Err(ImportError::Replaced { import, by: last });
    }
    let sql = "SELECT replaced FROM commonhold_imports WHERE import = ?1";
    let before: Option<Vec<u8>> = connection
        .query_row(sql, [import], |row| row.get(0))
        .map_err(VaultError::from)?;
    let mut undone = Undone {
        removed: drop_table(connection, table)?,
        back: 0,
    };
    if let Some(before) = before {
        let (from, to) = (replaced(import), quoted(table));
        let renamed = connection.execute(&format!("ALTER TABLE {from} RENAME TO {to}"), []);
        renamed.map_err(VaultError::from)?;
        let sql = "INSERT INTO commonhold_tables (name, declaration) VALUES (?1, ?2)";
        let declared = connection.execute(sql, (table, before));
        declared.map_err(VaultError::from)?;
        forget(connection, import)?;
        undone.back = count(connection, table)?;
    }
    Ok(undone)
}

/// Where rows lie that an import has replaced.
fn replaced(import: i64) -> String {
    format!("commonhold_replaced_{import}")
}

impl Vault {
    /// All imports, undone ones too, the first first.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn imports(&self) -> Result<Vec<Recorded>, VaultError> {
        let mut query = self.writer.prepare(
            "SELECT import, name, format, bytes, at_utc_s, kept, duplicate, undone_utc_s FROM commonhold_imports
             ORDER BY import",
        )?;
        let rows = query.query_map([], |row| {
            let unsigned = |place| row.get::<_, i64>(place).map(i64::unsigned_abs);
            Ok(Recorded {
                import: row.get(0)?,
                name: row.get(1)?,
                format: row.get(2)?,
                bytes: unsigned(3)?,
                at_utc_s: row.get(4)?,
                kept: unsigned(5)?,
                duplicate: unsigned(6)?,
                skipped: Vec::new(),
                undone_utc_s: row.get(7)?,
            })
        })?;
        let mut all = rows.collect::<Result<Vec<_>, _>>()?;
        let sql = "SELECT reason, number FROM commonhold_skipped WHERE import = ?1 ORDER BY reason";
        let mut query = self.writer.prepare(sql)?;
        for recorded in &mut all {
            let rows = query.query_map([recorded.import], |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
            })?;
            recorded.skipped = rows.collect::<Result<_, _>>()?;
        }
        Ok(all)
    }

    /// Takes back what an import has brought: of a table of the community, whose rows a file replaces, those before it come
    /// back, unless another import has replaced them since; of others, the rows that were new with it go. A row that another file held too goes as
    /// well, if this import was the first to bring it; import that file again to have it back.
    ///
    /// # Errors
    ///
    /// [`ImportError::NoImport`] if there is none of this number, or it is undone already.
    pub fn undo(&mut self, import: i64, now_utc_s: i64) -> Result<Undone, ImportError> {
        let transaction = self.begin()?;
        let sql = "SELECT undone_utc_s, community_table FROM commonhold_imports WHERE import = ?1";
        let found = transaction.query_row(sql, [import], |row| {
            Ok((
                row.get::<_, Option<i64>>(0)?,
                row.get::<_, Option<String>>(1)?,
            ))
        });
        let table = match found.optional().map_err(VaultError::from)? {
            None | Some((Some(_), _)) => return Err(ImportError::NoImport { import }),
            Some((None, table)) => table,
        };
        let Undone { mut removed, back } = match &table {
            Some(table) => undo_table(&transaction, import, table)?,
            None => Undone::default(),
        };
        let these = format!("{IMPORT} = {import}");
        for shape in filled(&transaction)? {
            let mut told = Vec::new();
            for (table, daily) in told_of(shape) {
                if let Some(mut days) = make(&transaction, table, daily)? {
                    days.extend(days_of(&transaction, shape, &these)?);
                    told.push((table, daily, days));
                }
            }
            let sql = format!("DELETE FROM {} WHERE {these}", shape.name);
            removed += transaction.execute(&sql, []).map_err(VaultError::from)? as u64;
            for (table, daily, days) in told {
                recount(&transaction, table, daily, &days)?;
            }
        }
        let sql = "UPDATE commonhold_imports SET undone_utc_s = ?2 WHERE import = ?1";
        transaction
            .execute(sql, [import, now_utc_s])
            .map_err(VaultError::from)?;
        transaction.commit().map_err(VaultError::from)?;
        self.give_back();
        Ok(Undone { removed, back })
    }
}

/// The tables of the vocabulary that are there and filled by imports.
pub(crate) fn filled(connection: &Connection) -> Result<Vec<&'static Shape>, VaultError> {
    let mut there = Vec::new();
    for shape in vocabulary().filter(|shape| !shape.is_computed()) {
        if declaration(connection, shape.name)?.is_some_and(|table| table == shape.table()) {
            there.push(shape);
        }
    }
    Ok(there)
}
