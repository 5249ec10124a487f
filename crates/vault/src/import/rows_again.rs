//! What this vault has exported, read back to the same rows.

use std::io::Read;

use serde_json::{Map, Value};

use crate::error::ImportError;
use crate::fault::{Place, Reason};
use crate::import::Source;
use crate::import::json::{Piece, pieces};
use crate::import::sink::{Cell, Named, Sink};
use crate::rows::Rows;
use crate::vocabulary::{Shape, vocabulary};

/// The first key of such a JSON file; its value is the table's name.
pub(crate) const SIGN: &str = "\"commonhold_table\"";

/// The table whose columns this line names, all of them in order.
pub(crate) fn table_of(line: &str) -> Option<&'static Shape> {
    let names = |shape: &Shape| {
        shape
            .columns
            .iter()
            .map(|field| field.name)
            .collect::<Vec<_>>()
            .join(",")
    };
    let line = line.trim_start_matches('\u{feff}');
    vocabulary().find(|shape| !shape.is_computed() && names(shape) == line)
}

pub(crate) fn read_csv(input: impl Read, sink: &mut Sink) -> Result<(), ImportError> {
    let mut rows = Rows::new(input)?;
    let shape = table_of(&rows.header().join(",")).ok_or(ImportError::NeedsMapping)?;
    'rows: loop {
        let Some(row) = rows.next(&mut sink.faults)? else {
            return Ok(());
        };
        let place = row.place();
        let mut cells: Vec<Named<'_>> = Vec::with_capacity(shape.columns.len());
        for (position, field) in shape.columns.iter().enumerate() {
            match row.cell(position) {
                Ok(text) => cells.push((field.name, Cell::Word(text).unless_empty())),
                Err(reason) => {
                    sink.faults.skip_for(place, Some(field.name), reason);
                    continue 'rows;
                }
            }
        }
        sink.keep(place, shape.name, &cells)?;
    }
}

/// Who takes a row: its number, the name of its table, which is empty if it says none, and its cells.
type Take<'a> = dyn FnMut(u64, &str, &Map<String, Value>) -> Result<(), ImportError> + 'a;

/// Hands out each row of such a JSON file.
pub(crate) fn each_json<R: Read>(
    source: Source<R>,
    take: &mut Take<'_>,
) -> Result<(), ImportError> {
    let mut number = 0;
    pieces(source, &["rows"], false, &mut |piece| {
        let Piece::Element(_, Value::Object(row)) = piece else {
            return Ok(());
        };
        number += 1;
        let name = row.get("commonhold_table").and_then(Value::as_str);
        take(number, name.unwrap_or_default(), &row)
    })
}

/// Reads the rows of this crate's tables; those of the tables `elsewhere` are read by somebody else.
pub(crate) fn read_json<R: Read>(
    source: Source<R>,
    elsewhere: &[&str],
    sink: &mut Sink,
) -> Result<(), ImportError> {
    each_json(source, &mut |number, name, row| {
        let place = Place::Record(number);
        if elsewhere.contains(&name) {
            return Ok(());
        }
        let found = vocabulary().find(|shape| shape.name == name && !shape.is_computed());
        let Some(shape) = found else {
            let computed = vocabulary().any(|shape| shape.name == name);
            let reason = match computed {
                true => Reason::NoTable,
                false => Reason::OtherTable,
            };
            sink.skip(place, reason);
            return Ok(());
        };
        let cell = |field: &crate::vocabulary::Field| {
            let cell = match row.get(field.name) {
                Some(Value::String(text)) => Cell::Word(text),
                Some(Value::Number(number)) => number.as_f64().map_or(Cell::Missing, Cell::Float),
                _ => Cell::Missing,
            };
            (field.name, cell.unless_empty())
        };
        let cells: Vec<Named<'_>> = shape.columns.iter().map(cell).collect();
        sink.keep(place, shape.name, &cells)
    })
}

impl Cell<'_> {
    fn unless_empty(self) -> Self {
        match self {
            Self::Word("") => Self::Missing,
            other => other,
        }
    }
}
