//! From what one person's data says to the vector that the person contributes (design: aggregation).

use std::fmt;

use aggregation::statistic::Value;

use minicbor::{Decode, Encode};

use crate::question::Question;

/// One value that the owner's data gives. Never printed: it is personal.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum LocalValue {
    /// None.
    #[n(0)]
    Missing,
    /// A number, in units of its column's `10^-decimals`.
    #[n(1)]
    Number(#[n(0)] i64),
    /// A word.
    #[n(2)]
    Word(#[n(0)] String),
    /// Neither an integer of 64 bits nor a word.
    #[n(3)]
    Other,
}

impl fmt::Debug for LocalValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalValue(secret)")
    }
}

/// What the owner's data says to [`Question::local_sql`]. Never printed: it is personal.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum LocalRow {
    /// No row matches.
    #[n(0)]
    NoRow,
    /// One row matches: [`Question::local_columns`] values.
    #[n(1)]
    One(#[n(0)] Vec<LocalValue>),
    /// Several rows match.
    #[n(2)]
    SeveralRows,
}

impl LocalRow {
    /// A row of one number.
    pub fn number(value: i64) -> Self {
        Self::One(vec![LocalValue::Number(value)])
    }

    /// A row of one value, which is absent.
    pub fn missing() -> Self {
        Self::One(vec![LocalValue::Missing])
    }
}

impl fmt::Debug for LocalRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalRow(secret)")
    }
}

/// What became of a local row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It counts.
    Match,
    /// No row matches, or more rows than the inner query allows: zeros.
    NoMatch,
    /// A value is absent, which is no answer, never zero: zeros.
    Missing,
    /// A value lies outside the range or the words that the vocabulary declares: zeros.
    OutOfRange,
    /// More than one row matches, and a person contributes one: zeros. A question for several rows has an inner query.
    SeveralRows,
}

/// One person's contribution. Never printed: it is personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Measured {
    /// As many numbers as [`Question::vector_len`] says; all zero unless the outcome is [`Outcome::Match`].
    pub vector: Vec<u64>,
    /// Why, for the owner's own log.
    pub outcome: Outcome,
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Measured(secret)")
    }
}

impl Question {
    /// What this row contributes. Whoever does not match contributes zeros, so that taking part tells nothing.
    pub fn measure(&self, row: &LocalRow) -> Measured {
        let (outcome, vector) = match row {
            LocalRow::NoRow => (Outcome::NoMatch, None),
            LocalRow::SeveralRows => (Outcome::SeveralRows, None),
            LocalRow::One(values) if values.contains(&LocalValue::Missing) => {
                (Outcome::Missing, None)
            }
            LocalRow::One(values) => match self.encode(values) {
                Some(vector) => (Outcome::Match, Some(vector)),
                None => (Outcome::OutOfRange, None),
            },
        };
        Measured {
            vector: vector.unwrap_or_else(|| vec![0; self.vector_len()]),
            outcome,
        }
    }

    fn encode(&self, values: &[LocalValue]) -> Option<Vec<u64>> {
        if values.len() != self.local_columns() {
            return None;
        }
        let declared = self.statistic().declaration().columns.len();
        let row: Option<Vec<_>> = values[..declared]
            .iter()
            .map(|value| match value {
                LocalValue::Number(units) => Some(Value::Number(*units)),
                LocalValue::Word(word) => Some(Value::Word(word)),
                LocalValue::Missing | LocalValue::Other => None,
            })
            .collect();
        self.statistic().encode(&[row?]).ok()
    }
}
