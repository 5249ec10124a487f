//! Where importers put what they read: checked against the vocabulary, on its way to the [`writer`](super::writer).

use std::collections::BTreeMap;
use std::sync::mpsc::SyncSender;

use question::quoted;
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::error::ImportError;
use crate::fault::{Faults, Place, Reason};
use crate::import::batch::{Batch, Stored, digest};
use crate::import::writer::Told;
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
/// How names of columns with days end, which count from 1970.
pub(crate) const DAY_END: &str = "day";

/// A name and what stands under it.
pub(crate) type Named<'a> = (&'static str, Cell<'a>);

/// How an import goes: what its reader puts where.
pub(crate) struct Sink {
    /// Minutes that local time is ahead, for files that do not tell.
    zone: Option<i64>,
    told: SyncSender<Told>,
    tables: Vec<Filling>,
    /// The digest of the row of each table that has one at most, once there is one.
    single: BTreeMap<&'static str, i64>,
    /// Rows of such tables that are there already.
    duplicate: u64,
    /// Room to compute digests in.
    bytes: Vec<u8>,
    /// Of whom the first record was that names somebody, or whom the owner has said that it is.
    pub(crate) person: Option<String>,
    /// Year of birth and sex, as the profile says or the first record of this import that tells; empty where nothing does.
    pub(crate) born: [String; 2],
    /// By which names earlier imports knew the owner.
    pub(crate) known_as: Vec<String>,
    pub(crate) faults: Faults,
}

/// A table that takes rows.
struct Filling {
    batch: Batch,
    /// Where `start_utc_s` and `end_utc_s` are, if there are both.
    span: Option<(usize, usize)>,
}

impl Sink {
    pub(crate) fn new(
        told: SyncSender<Told>,
        zone: Option<i64>,
        single: BTreeMap<&'static str, i64>,
    ) -> Self {
        Self {
            zone,
            told,
            tables: Vec::new(),
            single,
            duplicate: 0,
            bytes: Vec::with_capacity(256),
            person: None,
            known_as: Vec::new(),
            born: Default::default(),
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
        let filling = self.filling(table);
        let Filling { batch, span } = &mut self.tables[filling];
        let kept = fill(batch, *span, place, cells, &mut self.faults);
        if !kept {
            batch.drop_begun();
            return Ok(());
        }
        let shape = batch.shape;
        let digest = digest(shape.name, batch.begun(), &mut self.bytes);
        if shape.single {
            match self.single.get(shape.name) {
                None => drop(self.single.insert(shape.name, digest)),
                Some(there) => {
                    batch.drop_begun();
                    match *there == digest {
                        true => self.duplicate += 1,
                        false => self.faults.skip(place, Reason::OtherProfile),
                    }
                    return Ok(());
                }
            }
        }
        batch.end(digest);
        match batch.is_full() {
            true => self.hand_over(filling),
            false => Ok(()),
        }
    }

    /// Hands over what is left. Gives what could not be used, how many rows of tables that have one were there, and whom it was
    /// about.
    pub(crate) fn end(mut self) -> Result<(Faults, u64, Option<String>), ImportError> {
        for filling in 0..self.tables.len() {
            if !self.tables[filling].batch.is_empty() {
                self.hand_over(filling)?;
            }
        }
        Ok((self.faults, self.duplicate, self.person))
    }

    /// Sees that it is the owner who was born then and is of this sex, as far as both are known.
    pub(crate) fn must_be_owner(
        &mut self,
        place: Place,
        birth_year: &str,
        sex: &str,
    ) -> Result<(), ImportError> {
        for (known, told) in self.born.iter_mut().zip([birth_year, sex]) {
            match (known.is_empty(), told.is_empty()) {
                (_, true) => {}
                (true, false) => told.clone_into(known),
                (false, false) if known != told => return Err(ImportError::OtherOwner { place }),
                (false, false) => {}
            }
        }
        Ok(())
    }

    /// Leaves a record out.
    pub(crate) fn skip(&mut self, place: Place, reason: Reason) {
        self.faults.skip(place, reason);
    }

    /// The moment that the file writes as `text`; a local time is of the zone that the owner said, or else of UTC.
    pub(crate) fn time(&self, text: &str) -> Option<Moment> {
        let read = parse(text)?;
        // A moment of UTC says nothing of the local time; its owner may.
        let is_utc = text.trim_end().ends_with(['Z', 'z']);
        match self.zone.filter(|_| is_utc) {
            Some(zone) => Some(Moment {
                offset_min: Some(zone),
                ..read
            }),
            None => self.zoned(read),
        }
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

    fn filling(&mut self, table: &'static str) -> usize {
        let known = self
            .tables
            .iter()
            .position(|it| it.batch.shape.name == table);
        known.unwrap_or_else(|| {
            let shape = shape(table).expect("importers name tables of the vocabulary");
            let at = |name| shape.columns.iter().position(|it| it.name == name);
            self.tables.push(Filling {
                batch: Batch::new(shape),
                span: at("start_utc_s").zip(at("end_utc_s")),
            });
            self.tables.len() - 1
        })
    }

    fn hand_over(&mut self, filling: usize) -> Result<(), ImportError> {
        let batch = &mut self.tables[filling].batch;
        let empty = Batch::new(batch.shape);
        let full = std::mem::replace(batch, empty);
        // Who writes has given up, and says why; nobody hears this.
        let gone = |_| ImportError::Io(std::io::ErrorKind::BrokenPipe);
        self.told.send(Told::Rows(full)).map_err(gone)
    }
}

/// Puts what is stored for each column into the batch. Whether it is a row; if not, that is noted.
fn fill(
    batch: &mut Batch,
    span: Option<(usize, usize)>,
    place: Place,
    cells: &[Named<'_>],
    faults: &mut Faults,
) -> bool {
    let shape = batch.shape;
    debug_assert!(
        cells
            .iter()
            .all(|(name, _)| shape.columns.iter().any(|it| it.name == *name)),
        "a column that table {} does not have",
        shape.name
    );
    let mut row = Spanned::default();
    // Most importers give cells in the order of the columns.
    let mut next = 0;
    for (position, field) in shape.columns.iter().enumerate() {
        let cell = match cells.get(next).filter(|(name, _)| *name == field.name) {
            Some(cell) => {
                next += 1;
                Some(cell)
            }
            None => cells.iter().find(|(name, _)| *name == field.name),
        };
        let found = cell.map_or(Ok(Stored::Null), |(_, cell)| stored(field, *cell));
        let value = match found {
            Ok(Stored::Null) if field.required => {
                faults.skip_for(place, Some(field.name), Reason::Missing("value"));
                return false;
            }
            Ok(value) => value,
            Err(reason) if field.required => {
                faults.skip_for(place, Some(field.name), reason);
                return false;
            }
            Err(reason) => {
                faults.note(place, field.name, reason);
                Stored::Null
            }
        };
        row.see(span, position, value);
        batch.push(value);
    }
    if row.is_backwards() {
        faults.skip(place, Reason::Backwards);
        return false;
    }
    true
}

/// When a row says that something began and ended.
#[derive(Default)]
struct Spanned {
    start: Option<i64>,
    end: Option<i64>,
}

impl Spanned {
    fn see(&mut self, span: Option<(usize, usize)>, position: usize, value: Stored<'_>) {
        let (Some((start, end)), Stored::Integer(at)) = (span, value) else {
            return;
        };
        if position == start {
            self.start = Some(at);
        } else if position == end {
            self.end = Some(at);
        }
    }

    fn is_backwards(&self) -> bool {
        self.start
            .zip(self.end)
            .is_some_and(|(start, end)| end < start)
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
    let digest = digest(shape.name, values.iter().copied(), &mut Vec::new());
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
    match cell {
        Cell::Missing => Ok(None),
        Cell::Units(units) => Ok(Some(units)),
        Cell::Number(text) if text.trim().is_empty() => Ok(None),
        Cell::Number(text) | Cell::Word(text) => {
            let text = text.trim();
            if let Some(units) = number::plain(text, decimals) {
                return Ok(Some(units));
            }
            number::parse(text).ok_or(Reason::NotANumber)?;
            let units = number::rounded(text, decimals);
            let units = units.and_then(|units| i64::try_from(units).ok());
            units.map(Some).ok_or(Reason::OutOfRange)
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
