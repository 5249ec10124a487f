//! Statistics against a plain model, known numbers, bad input and lying totals.

mod known;
mod limits;
mod lying;
mod model;
mod refused;

use community::{Column, Kind, Range};
use crypto::Vector;

use super::*;

/// A column of numbers from `min` to `max` in units of `10^-decimals`.
fn number(name: &str, decimals: u8, min: i64, max: i64) -> Column {
    Column {
        name: name.into(),
        kind: Kind::Number(Range { decimals, min, max }),
    }
}

/// A column of words.
fn words(name: &str, words: &[&str]) -> Column {
    Column {
        name: name.into(),
        kind: Kind::Category(words.iter().map(ToString::to_string).collect()),
    }
}

/// One row each of up to a thousand people, without groups.
fn declare(columns: Vec<Column>, measure: Measure) -> Declaration {
    Declaration {
        columns,
        group_by: Vec::new(),
        measure,
        contributors: 1000,
        rows: 1,
    }
}

fn statistic(columns: Vec<Column>, measure: Measure) -> Statistic {
    Statistic::new(declare(columns, measure)).expect("a sound declaration")
}

/// Everybody's encodings, added up in the field.
fn totals<'a, P: AsRef<[R]>, R: AsRef<[Value<'a>]>>(
    statistic: &Statistic,
    people: impl IntoIterator<Item = P>,
) -> Vec<u64> {
    let mut sum = Vector::zeros(statistic.layout().len());
    for rows in people {
        let encoded = statistic.encode(rows.as_ref()).expect("sound rows");
        sum.add(&Vector::from_u64s(&encoded).expect("below the modulus"))
            .expect("of the layout's length");
    }
    sum.to_u64s()
}

/// The figures of the only cell, from one row of numbers of each person.
fn figures(statistic: &Statistic, rows: &[Vec<i64>]) -> Result<Figures, Undefined> {
    let people = rows.iter().map(|row| {
        let row: Vec<_> = row.iter().copied().map(Value::Number).collect();
        [row]
    });
    let answer = statistic
        .decode(&totals(statistic, people))
        .expect("honest totals");
    answer.cells[0].figures.clone()
}
