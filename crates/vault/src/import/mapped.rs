//! Tables of any shape, by a mapping.

use std::borrow::Cow;
use std::io::Read;

use crate::error::ImportError;
use crate::fault::Reason;
use crate::import::Options;
use crate::import::mapping::{Mapping, Taken};
use crate::import::sink::{Cell, Named, Sink};
use crate::number;
use crate::rows::{Row, Rows};
use crate::time::{DAY_S, Moment, parse, parse_as};

/// Where a column's parts stand in the file.
struct Column<'a> {
    name: &'static str,
    taken: &'a Taken,
    positions: Vec<usize>,
}

/// What a cell became.
enum Made<'a> {
    Nothing,
    Units(i64),
    Number(f64),
    Text(Cow<'a, str>),
}

pub(crate) fn read(
    input: impl Read,
    options: &Options<'_>,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let mapping = options.mapping.ok_or(ImportError::NeedsMapping)?;
    let mut rows = Rows::separated(input, mapping.separator)?;
    let columns = placed(mapping, &rows)?;
    loop {
        let Some(row) = rows.next(&mut sink.faults)? else {
            return Ok(());
        };
        let place = row.place();
        match record(mapping, &columns, &row, sink) {
            Ok((made, offset)) => {
                let mut cells: Vec<Named<'_>> = made
                    .iter()
                    .map(|(name, made)| (*name, made.cell()))
                    .collect();
                if let Some(offset) = offset
                    && !mapping.columns.iter().any(|(name, _)| *name == OFFSET)
                {
                    cells.push((OFFSET, Cell::Units(offset)));
                }
                sink.keep(place, mapping.shape, &cells)?;
            }
            Err((column, reason)) => sink.faults.skip_for(place, Some(column), reason),
        }
    }
}

const OFFSET: &str = "utc_offset_min";

fn placed<'a, R: Read>(
    mapping: &'a Mapping,
    rows: &Rows<R>,
) -> Result<Vec<Column<'a>>, ImportError> {
    let mut columns = Vec::new();
    for (name, taken) in &mapping.columns {
        let find = |name: &String| {
            rows.position(name)
                .ok_or_else(|| ImportError::NotMapped { name: name.clone() })
        };
        let positions = taken
            .from
            .all()
            .iter()
            .map(find)
            .collect::<Result<_, _>>()?;
        columns.push(Column {
            name,
            taken,
            positions,
        });
    }
    Ok(columns)
}

/// What a record is made into, with the offset that its times tell.
type Record<'a> = (Vec<(&'static str, Made<'a>)>, Option<i64>);

fn record<'a>(
    mapping: &'a Mapping,
    columns: &'a [Column<'a>],
    row: &Row<'a>,
    sink: &Sink,
) -> Result<Record<'a>, (&'static str, Reason)> {
    let (mut made, mut offset) = (Vec::with_capacity(columns.len()), None);
    for column in columns {
        let text = text(column, row).map_err(|reason| (column.name, reason))?;
        let value = match text.is_empty() {
            true => Ok(Made::Nothing),
            false => convert(mapping, column, text, sink, &mut offset),
        };
        made.push((column.name, value.map_err(|reason| (column.name, reason))?));
    }
    Ok((made, offset))
}

fn text<'a>(column: &'a Column<'a>, row: &Row<'a>) -> Result<Cow<'a, str>, Reason> {
    if let Some(value) = &column.taken.value {
        return Ok(value.into());
    }
    if let [only] = column.positions[..] {
        return row.cell(only).map(Cow::from);
    }
    let mut joined = String::new();
    for &position in &column.positions {
        let part = row.cell(position)?;
        if !joined.is_empty() && !part.is_empty() {
            joined.push(' ');
        }
        joined.push_str(part);
    }
    Ok(joined.into())
}

fn convert<'a>(
    mapping: &Mapping,
    column: &Column<'a>,
    text: Cow<'a, str>,
    sink: &Sink,
    offset: &mut Option<i64>,
) -> Result<Made<'a>, Reason> {
    let taken = column.taken;
    let text = match taken.words.get(&*text) {
        Some(word) => word.into(),
        None => text,
    };
    let is_day = column.name.ends_with("_day") && column.name != "all_day";
    if column.name.ends_with("utc_s") || is_day {
        let moment = match &taken.time {
            Some(pattern) => parse_as(&text, pattern),
            None => parse(&text),
        };
        let moment = moment
            .and_then(|moment| sink.zoned(moment))
            .ok_or(Reason::NotATime)?;
        if is_day {
            return Ok(Made::Units(local_day(moment)));
        }
        *offset = offset.or(moment.offset_min);
        return Ok(Made::Units(moment.utc_s));
    }
    let plain = match mapping.decimal {
        '.' => None,
        sign => Some(text.replace(sign, ".")),
    };
    match (taken.times, plain) {
        // A comma is for numbers alone.
        (None, Some(plain)) if number::parse(&plain).is_some() => Ok(Made::Text(plain.into())),
        (None, _) => Ok(Made::Text(text)),
        (Some(factor), plain) => {
            let plain = plain.as_deref().unwrap_or(&text);
            let number: f64 = plain.parse().map_err(|_| Reason::NotANumber)?;
            Ok(Made::Number(number * factor))
        }
    }
}

/// The day on the calendar of that place, counted from 1970.
pub(crate) fn local_day(moment: Moment) -> i64 {
    (moment.utc_s + 60 * moment.offset_min.unwrap_or(0)).div_euclid(DAY_S)
}

impl Made<'_> {
    fn cell(&self) -> Cell<'_> {
        match self {
            Self::Nothing => Cell::Missing,
            Self::Units(units) => Cell::Units(*units),
            Self::Number(number) => Cell::Float(*number),
            Self::Text(text) => Cell::Word(text),
        }
    }
}
