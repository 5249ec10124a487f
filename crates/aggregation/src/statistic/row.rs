//! One person's values, checked against the declared columns.

use std::fmt;

use community::{Column, Kind, Range};
use thiserror::Error;

use super::declaration::{Declaration, Measure};
use super::domain::{Buckets, Domain};
use super::fixed::Fixed;
use super::layout::Layout;

/// One value of a row. Never printed: it is personal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Value<'a> {
    /// A number, in units of its column's step: see [`to_units`](super::to_units) for doubles.
    Number(i64),
    /// A word of its column.
    Word(&'a str),
}

impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Value(secret)")
    }
}

/// Why a person's rows are refused, on that person's own node. No text holds a value.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RowError {
    /// More rows than a person may contribute.
    #[error("{found} rows, one person contributes at most {limit}")]
    TooManyRows {
        /// As given.
        found: usize,
        /// As declared.
        limit: u16,
    },
    /// Not one value for each column.
    #[error("a row of {found} values, there are {expected} columns")]
    Length {
        /// As given.
        found: usize,
        /// As declared.
        expected: usize,
    },
    /// A number for a word, or a word for a number.
    #[error("column \"{column}\": a value of the wrong kind")]
    Kind {
        /// Its name.
        column: String,
    },
    /// Not a number, or infinite.
    #[error("column \"{column}\": not a finite number")]
    NotFinite {
        /// Its name.
        column: String,
    },
    /// Outside the declared range.
    #[error("column \"{column}\": a value outside of {low} to {high}")]
    OutOfRange {
        /// Its name.
        column: String,
        /// As declared.
        low: Fixed,
        /// As declared.
        high: Fixed,
    },
    /// None of the declared words.
    #[error("column \"{column}\": none of its {words} words")]
    UnknownWord {
        /// Its name.
        column: String,
        /// How many were declared.
        words: usize,
    },
}

impl RowError {
    pub(super) fn out_of_range(column: &str, range: Range) -> Self {
        let fixed = |units: i64| Fixed {
            units: units.into(),
            decimals: range.decimals,
        };
        Self::OutOfRange {
            column: column.to_string(),
            low: fixed(range.min),
            high: fixed(range.max),
        }
    }
}

/// A row each of whose values is in its column's range or list of words.
pub(super) struct Row<'a> {
    pub(super) declaration: &'a Declaration,
    /// Units above the lowest value, or the word's place.
    places: Vec<u64>,
}

impl<'a> Row<'a> {
    pub(super) fn checked(
        declaration: &'a Declaration,
        values: &[Value<'_>],
    ) -> Result<Self, RowError> {
        if values.len() != declaration.columns.len() {
            return Err(RowError::Length {
                found: values.len(),
                expected: declaration.columns.len(),
            });
        }
        let places = declaration.columns.iter().zip(values);
        Ok(Self {
            declaration,
            places: places
                .map(|(column, value)| place(column, *value))
                .collect::<Result<_, _>>()?,
        })
    }

    /// Steps of a number above the lowest of its column.
    pub(super) fn steps(&self, column: u16) -> u128 {
        self.places[usize::from(column)].into()
    }

    /// A number in units of its column's step.
    pub(super) fn units(&self, column: u16) -> i128 {
        let Kind::Number(range) = self.declaration.columns[usize::from(column)].kind else {
            panic!("the declaration was checked: this column holds numbers");
        };
        i128::from(range.min) + i128::from(self.places[usize::from(column)])
    }

    /// The cell that it is in.
    pub(super) fn cell(&self, layout: &Layout) -> usize {
        let groups = &self.declaration.group_by;
        layout.cell(groups.iter().map(|domain| self.part(domain)))
    }

    /// The bucket that it is in, of a measure that has any.
    pub(super) fn bucket(&self) -> Option<usize> {
        match &self.declaration.measure {
            Measure::Histogram { domain } | Measure::Top { domain, .. } => Some(self.part(domain)),
            Measure::Quantiles { buckets, .. } | Measure::Extremes { buckets } => {
                Some(self.part_of_buckets(buckets))
            }
            _ => None,
        }
    }

    fn part(&self, domain: &Domain) -> usize {
        match domain {
            Domain::Words(column) => usize::try_from(self.places[usize::from(*column)])
                .expect("a list of words is shorter"),
            Domain::Buckets(buckets) => self.part_of_buckets(buckets),
        }
    }

    fn part_of_buckets(&self, buckets: &Buckets) -> usize {
        let units = i64::try_from(self.units(buckets.column));
        buckets.index(units.expect("within the column's range"))
    }
}

fn place(column: &Column, value: Value<'_>) -> Result<u64, RowError> {
    match (&column.kind, value) {
        (Kind::Number(range), Value::Number(units)) => {
            if (range.min..=range.max).contains(&units) {
                Ok(units.abs_diff(range.min))
            } else {
                Err(RowError::out_of_range(&column.name, *range))
            }
        }
        (Kind::Category(words), Value::Word(word)) => words
            .iter()
            .position(|known| known == word)
            .map(|index| index as u64)
            .ok_or_else(|| RowError::UnknownWord {
                column: column.name.clone(),
                words: words.len(),
            }),
        _ => Err(RowError::Kind {
            column: column.name.clone(),
        }),
    }
}
