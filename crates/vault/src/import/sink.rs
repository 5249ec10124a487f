//! Where importers put what they read: checked against the vocabulary, stored once, counted.

use std::collections::BTreeMap;

use base::Digest;
use question::{Decimal, quoted};
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, Statement};

use crate::error::{ImportError, VaultError};
use crate::fault::{Faults, Place, Reason};
use crate::import::days::Touched;
use crate::number;
use crate::rows::{MAX_CELL, has_controls};
use crate::time::{Moment, parse};
use crate::vault::declare;
use crate::vocabulary::{Field, Holds, Shape, shape};

/// The column that tells rows of one moment apart: a digest of what the row says.
pub(crate) const DIGEST: &str = "commonhold_digest";
/// The column that tells which import brought a row; 0 is what the owner typed in.
pub(crate) const IMPORT: &str = "commonhold_import";

/// What a file says for one column.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Cell<'a> {
    /// Nothing.
    Missing,
    /// A number, in units of the column's `10^-decimals`.
    Units(i64),
    /// A number as the file writes it.
    Number(&'a str),
    /// A number that was computed.
    Float(f64),
    /// A word or text.
    Word(&'a str),
}

/// How the names of columns end that hold moments.
pub(crate) const MOMENT_END: &str = "utc_s";

/// A name and what stands under it.
pub(crate) type Named<'a> = (&'static str, Cell<'a>);

/// What is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Stored<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
}

/// How an import goes.
pub(crate) struct Sink<'t> {
    connection: &'t Connection,
    import: i64,
    /// Minutes that local time is ahead, for files that do not tell.
    zone: Option<i64>,
    tables: Vec<Ready<'t>>,
    pub(crate) kept: BTreeMap<&'static str, u64>,
    /// First and last moment of the rows that are new, by table.
    pub(crate) touched: BTreeMap<&'static str, Touched>,
    pub(crate) duplicate: u64,
    /// Of whom the first record was that names somebody.
    pub(crate) person: Option<String>,
    pub(crate) faults: Faults,
}

/// A table that takes rows.
struct Ready<'t> {
    shape: &'static Shape,
    insert: Statement<'t>,
    /// Where `start_utc_s` and `end_utc_s` are, if there are both.
    span: Option<(usize, usize)>,
}

impl<'t> Sink<'t> {
    pub(crate) fn new(connection: &'t Connection, import: i64, zone: Option<i64>) -> Self {
        Self {
            connection,
            import,
            zone,
            tables: Vec::new(),
            kept: BTreeMap::new(),
            touched: BTreeMap::new(),
            person: None,
            duplicate: 0,
            faults: Faults::default(),
        }
    }

    /// Keeps a row, unless it is there already or cannot be kept.
    pub(crate) fn keep(
        &mut self,
        place: Place,
        table: &'static str,
        cells: &[Named<'_>],
    ) -> Result<(), ImportError> {
        let ready = self.ready(table)?;
        let (shape, span) = (self.tables[ready].shape, self.tables[ready].span);
        let Some(values) = self.values(place, shape, cells) else {
            return Ok(());
        };
        if let Some((start, end)) = span
            && let (Stored::Integer(start), Stored::Integer(end)) = (values[start], values[end])
            && end < start
        {
            self.faults.skip(place, Reason::Backwards);
            return Ok(());
        }
        let digest = digest(shape.name, &values);
        if shape.single
            && let Some(there) = there(self.connection, shape)?
        {
            match there == digest {
                true => self.duplicate += 1,
                false => self.faults.skip(place, Reason::OtherProfile),
            }
            return Ok(());
        }
        let changed = store(&mut self.tables[ready].insert, &values, digest, self.import)?;
        if changed == 0 {
            self.duplicate += 1;
            return Ok(());
        }
        *self.kept.entry(shape.name).or_default() += 1;
        if let (Some(_), Some(Stored::Integer(at))) = (shape.moment(), values.first()) {
            let touched = self.touched.entry(shape.name).or_insert((*at, *at));
            *touched = (touched.0.min(*at), touched.1.max(*at));
        }
        Ok(())
    }

    /// Leaves a record out.
    pub(crate) fn skip(&mut self, place: Place, reason: Reason) {
        self.faults.skip(place, reason);
    }

    /// The moment that the file writes as `text`; a local time is of the zone that the owner said, or else of UTC.
    pub(crate) fn time(&self, text: &str) -> Option<Moment> {
        self.zoned(parse(text)?)
    }

    /// The same for a moment read otherwise.
    pub(crate) fn zoned(&self, read: Moment) -> Option<Moment> {
        match (read.offset_min, self.zone) {
            (None, Some(zone)) => Some(Moment {
                utc_s: read.utc_s - zone * 60,
                offset_min: Some(zone),
            }),
            _ => Some(read),
        }
    }

    /// Minutes that local time is ahead, where the owner said so.
    pub(crate) fn zone(&self) -> Option<i64> {
        self.zone
    }

    fn ready(&mut self, table: &'static str) -> Result<usize, ImportError> {
        let known = self.tables.iter().position(|it| it.shape.name == table);
        if let Some(known) = known {
            return Ok(known);
        }
        let shape = shape(table).expect("importers name tables of the vocabulary");
        create(self.connection, shape)?;
        let at = |name| shape.columns.iter().position(|it| it.name == name);
        let marks = vec!["?"; shape.columns.len() + 2].join(", ");
        let sql = format!("INSERT OR IGNORE INTO {} VALUES ({marks})", quoted(table));
        self.tables.push(Ready {
            shape,
            insert: self.connection.prepare(&sql).map_err(VaultError::from)?,
            span: at("start_utc_s").zip(at("end_utc_s")),
        });
        Ok(self.tables.len() - 1)
    }

    /// What is stored for each column; nothing if the row cannot be kept, which is noted.
    fn values<'a>(
        &mut self,
        place: Place,
        shape: &Shape,
        cells: &[Named<'a>],
    ) -> Option<Vec<Stored<'a>>> {
        debug_assert!(
            cells
                .iter()
                .all(|(name, _)| shape.columns.iter().any(|it| it.name == *name)),
            "a column that table {} does not have",
            shape.name
        );
        let mut values = Vec::with_capacity(shape.columns.len());
        for field in shape.columns {
            let cell = cells.iter().find(|(name, _)| *name == field.name);
            let found = cell.map_or(Ok(Stored::Null), |(_, cell)| stored(field, *cell));
            match found {
                Ok(Stored::Null) if field.required => {
                    let column = Some(field.name);
                    self.faults.skip_for(place, column, Reason::Missing);
                    return None;
                }
                Ok(value) => values.push(value),
                Err(reason) if field.required => {
                    self.faults.skip_for(place, Some(field.name), reason);
                    return None;
                }
                Err(reason) => {
                    self.faults.note(place, field.name, reason);
                    values.push(Stored::Null);
                }
            }
        }
        Some(values)
    }
}

/// A row of a table, with its digest; or the column that does not fit, and why.
pub(crate) fn one_row(
    shape: &Shape,
    cells: &[Named<'_>],
) -> Result<(Vec<Value>, i64), (&'static str, Reason)> {
    let mut values = Vec::with_capacity(shape.columns.len());
    for field in shape.columns {
        let cell = cells.iter().find(|(name, _)| *name == field.name);
        let value = cell.map_or(Ok(Stored::Null), |(_, cell)| stored(field, *cell));
        values.push(value.map_err(|reason| (field.name, reason))?);
    }
    let digest = digest(shape.name, &values);
    let owned = |value: &Stored<'_>| match value {
        Stored::Null => Value::Null,
        Stored::Integer(units) => Value::Integer(*units),
        Stored::Text(text) => Value::Text((*text).to_owned()),
    };
    Ok((values.iter().map(owned).collect(), digest))
}

/// Makes the table of this shape, if it is not there.
pub(crate) fn create(connection: &Connection, shape: &Shape) -> Result<(), ImportError> {
    let declared = crate::vault::declaration(connection, shape.name)?;
    match declared {
        Some(table) if table == shape.table() => return Ok(()),
        Some(_) => {
            return Err(ImportError::Taken {
                name: shape.name.into(),
            });
        }
        None => {}
    }
    let key = match (shape.is_computed(), shape.moment()) {
        (true, _) => {
            let keys = shape
                .columns
                .iter()
                .filter(|it| is_key(it))
                .map(|it| quoted(it.name));
            keys.collect::<Vec<_>>().join(", ")
        }
        (false, Some(moment)) => format!("{moment}, {DIGEST}"),
        (false, None) => DIGEST.into(),
    };
    let own = match shape.is_computed() {
        true => String::new(),
        false => format!("{DIGEST} INTEGER NOT NULL, {IMPORT} INTEGER NOT NULL, "),
    };
    declare(
        connection,
        &shape.table(),
        &format!(", {own}PRIMARY KEY ({key})"),
        "WITHOUT ROWID",
    )?;
    Ok(())
}

/// Whether the column is one of those that tell the rows of a computed table apart.
fn is_key(field: &Field) -> bool {
    let word = matches!(field.holds, Holds::Words(_));
    word || field.name == "day" || field.name.ends_with("_deg")
}

/// The digest of the one row, if there is one.
fn there(connection: &Connection, shape: &Shape) -> Result<Option<i64>, ImportError> {
    let sql = format!("SELECT {DIGEST} FROM {}", quoted(shape.name));
    let found = connection.query_row(&sql, [], |row| row.get(0)).optional();
    Ok(found.map_err(VaultError::from)?)
}

fn store(
    insert: &mut Statement<'_>,
    values: &[Stored<'_>],
    digest: i64,
    import: i64,
) -> Result<usize, ImportError> {
    let mut bind = || {
        for (place, value) in values.iter().enumerate() {
            match value {
                Stored::Null => insert.raw_bind_parameter(place + 1, rusqlite::types::Null)?,
                Stored::Integer(units) => insert.raw_bind_parameter(place + 1, units)?,
                Stored::Text(text) => insert.raw_bind_parameter(place + 1, text)?,
            }
        }
        insert.raw_bind_parameter(values.len() + 1, digest)?;
        insert.raw_bind_parameter(values.len() + 2, import)?;
        insert.raw_execute()
    };
    Ok(bind().map_err(VaultError::from)?)
}

/// A name for what the row says: the same for the same row, whichever import brings it.
///
/// 64 bits of SHA-256. Rows of the same moment alone are told apart by it (in tables without moments all are): among a
/// million rows two different ones are taken for one with a chance of 3e-8.
fn digest(table: &str, values: &[Stored<'_>]) -> i64 {
    let mut bytes = Vec::with_capacity(128);
    for value in values {
        match value {
            Stored::Null => bytes.push(0),
            Stored::Integer(units) => {
                bytes.push(1);
                bytes.extend(units.to_be_bytes());
            }
            Stored::Text(text) => {
                bytes.push(2);
                bytes.extend((text.len() as u64).to_be_bytes());
                bytes.extend(text.as_bytes());
            }
        }
    }
    let digest = Digest::of("vault row", &[table.as_bytes(), &bytes]);
    let first = digest.as_bytes().first_chunk::<8>().expect("it has 32");
    i64::from_be_bytes(*first)
}

fn stored<'a>(field: &Field, cell: Cell<'a>) -> Result<Stored<'a>, Reason> {
    match field.holds {
        Holds::Number { decimals, min, max } => match units(cell, decimals)? {
            Some(units) if (min..=max).contains(&units) => Ok(Stored::Integer(units)),
            Some(_) => Err(Reason::OutOfRange),
            None => Ok(Stored::Null),
        },
        Holds::Words(words) => match text(cell)? {
            "" => Ok(Stored::Null),
            word => {
                let known = words.iter().find(|known| known.eq_ignore_ascii_case(word));
                known
                    .map(|known| Stored::Text(known))
                    .ok_or(Reason::UnknownWord)
            }
        },
        Holds::Text => match text(cell)? {
            "" => Ok(Stored::Null),
            text => Ok(Stored::Text(text)),
        },
    }
}

fn units(cell: Cell<'_>, decimals: u8) -> Result<Option<i64>, Reason> {
    let scaled = |number: Decimal| number.scaled_to(decimals).ok_or(Reason::OutOfRange);
    match cell {
        Cell::Missing => Ok(None),
        Cell::Units(units) => Ok(Some(units)),
        Cell::Number(text) if text.trim().is_empty() => Ok(None),
        Cell::Number(text) | Cell::Word(text) => {
            let number = number::parse(text.trim()).ok_or(Reason::NotANumber)?;
            scaled(number).map(Some)
        }
        Cell::Float(number) if !number.is_finite() => Err(Reason::NotANumber),
        Cell::Float(number) => {
            let units = (number * 10f64.powi(i32::from(decimals))).round();
            // Both ends are powers of two, and so exact.
            match (-(2f64.powi(63))..2f64.powi(63)).contains(&units) {
                true => Ok(Some(units as i64)),
                false => Err(Reason::OutOfRange),
            }
        }
    }
}

fn text(cell: Cell<'_>) -> Result<&str, Reason> {
    match cell {
        Cell::Word(text) | Cell::Number(text) => match text.trim() {
            text if text.len() > MAX_CELL => Err(Reason::TooLong),
            text if has_controls(text) => Err(Reason::Control),
            text => Ok(text),
        },
        Cell::Missing => Ok(""),
        Cell::Units(_) | Cell::Float(_) => Err(Reason::UnknownWord),
    }
}

/// The moment's two columns.
pub(crate) fn offset(moment: Moment) -> Cell<'static> {
    moment.offset_min.map_or(Cell::Missing, Cell::Units)
}
