//! What Letterboxd and IMDb export of somebody's ratings.

use std::io::Read;

use crate::error::ImportError;
use crate::fault::Reason;
use crate::import::mapped::local_day;
use crate::import::sink::{Cell, Sink};
use crate::number;
use crate::rows::{Row, Rows};

/// Which column holds what.
struct Columns {
    source: &'static str,
    title: &'static str,
    year: &'static str,
    rating: &'static str,
    /// By what ratings are multiplied to lie between 0 and 10.
    times: f64,
    day: &'static str,
    reference: &'static str,
    work: Option<&'static str>,
}

/// `Date,Name,Year,Letterboxd URI,Rating`, with half stars from 0.5 to 5.
pub(crate) fn letterboxd(input: impl Read, sink: &mut Sink) -> Result<(), ImportError> {
    let columns = Columns {
        source: "Letterboxd",
        title: "Name",
        year: "Year",
        rating: "Rating",
        times: 2.0,
        day: "Date",
        reference: "Letterboxd URI",
        work: None,
    };
    read(input, &columns, sink)
}

/// `Const,Your Rating,Date Rated,Title,…`, from 1 to 10.
pub(crate) fn imdb(input: impl Read, sink: &mut Sink) -> Result<(), ImportError> {
    let columns = Columns {
        source: "IMDb",
        title: "Title",
        year: "Year",
        rating: "Your Rating",
        times: 1.0,
        day: "Date Rated",
        reference: "Const",
        work: Some("Title Type"),
    };
    read(input, &columns, sink)
}

fn read(input: impl Read, columns: &Columns, sink: &mut Sink) -> Result<(), ImportError> {
    let mut rows = Rows::new(input)?;
    let find = |name: &str| {
        let missing = || ImportError::MissingColumn { name: name.into() };
        rows.position(name).ok_or_else(missing)
    };
    let at = [
        find(columns.title)?,
        find(columns.year)?,
        find(columns.rating)?,
        find(columns.day)?,
        find(columns.reference)?,
    ];
    let work = columns.work.and_then(|name| rows.position(name));
    loop {
        let Some(row) = rows.next(&mut sink.faults)? else {
            return Ok(());
        };
        let place = row.place();
        if let Err(reason) = keep(&row, columns, at, work, sink)? {
            sink.skip(place, reason);
        }
    }
}

fn keep(
    row: &Row<'_>,
    columns: &Columns,
    at: [usize; 5],
    work: Option<usize>,
    sink: &mut Sink,
) -> Result<Result<(), Reason>, ImportError> {
    let texts = at.map(|position| row.cell(position));
    let [Ok(title), Ok(year), Ok(rating), Ok(day), Ok(reference)] = texts else {
        return Ok(Err(Reason::NotUtf8));
    };
    let work = work.map_or(Ok("film"), |position| row.cell(position));
    let Ok(work) = work else {
        return Ok(Err(Reason::NotUtf8));
    };
    if rating.is_empty() {
        return Ok(Err(Reason::Missing("rating")));
    }
    let Some(number) = number::parse(rating).and_then(|number| number.scaled_to(3)) else {
        return Ok(Err(Reason::NotANumber));
    };
    let day = sink
        .time(day)
        .map_or(Cell::Missing, |moment| Cell::Units(local_day(moment)));
    let cells = [
        ("title", Cell::Word(title)),
        ("release_year", Cell::Number(year)),
        ("work", Cell::Word(work)),
        (
            "rating_of_10",
            Cell::Float(number as f64 / 1000.0 * columns.times),
        ),
        ("rated_day", day),
        ("reference", Cell::Word(reference)),
        ("source", Cell::Word(columns.source)),
    ];
    sink.keep(row.place(), "ratings", &cells).map(Ok)
}
