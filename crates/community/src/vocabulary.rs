//! What a community has agreed to call its data: tables, columns, their kinds and ranges.
//!
//! The vocabulary is part of the signed descriptor, so every node derives the same range, scale and vector length for a
//! question, and a contribution cannot be larger than what everyone knows is possible.

use std::collections::BTreeSet;

use minicbor::{Decode, Encode};
use thiserror::Error;

/// Longest name of a table or column and longest word of a category, in bytes.
pub const WORD_BYTES_MAX: usize = 256;
/// Most digits after the point.
pub const DECIMALS_MAX: u8 = 9;

/// One table of the vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Table {
    /// Its name in SQL.
    #[n(0)]
    pub name: String,
    /// Its columns, in order.
    #[n(1)]
    pub columns: Vec<Column>,
}

impl Table {
    /// The column called `name`, if the table has it.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// One column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Column {
    /// Its name in SQL.
    #[n(0)]
    pub name: String,
    /// What its values are.
    #[n(1)]
    pub kind: Kind,
}

/// The kind of a column's values. An absent value is never one of them: it means "no answer".
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Kind {
    /// Numbers with a declared range and precision.
    #[n(0)]
    Number(#[n(0)] Range),
    /// One of these words.
    #[n(1)]
    Category(#[n(0)] Vec<String>),
    /// Free text: may be compared in a filter, never summed.
    #[n(2)]
    Text,
}

/// Fixed-point numbers: the value is `integer × 10^-decimals`, with `min <= integer <= max`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Range {
    /// Digits after the point, 0 to 9.
    #[n(0)]
    pub decimals: u8,
    /// Smallest value, in units of `10^-decimals`.
    #[n(1)]
    pub min: i64,
    /// Largest value, in units of `10^-decimals`.
    #[n(2)]
    pub max: i64,
}

/// What is wrong with a vocabulary, and where.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum VocabularyError {
    /// A name or word that is empty, too long, or cannot be printed.
    #[error(
        "{place}: a name or word has 1 to {WORD_BYTES_MAX} bytes, none of which controls a terminal"
    )]
    Word {
        /// Of which table and column.
        place: String,
    },
    /// Two tables, two columns of a table, or two words of a category are the same.
    #[error("{place}: \"{name}\" is there twice")]
    Twice {
        /// Of which table and column.
        place: String,
        /// What.
        name: String,
    },
    /// Nothing in it.
    #[error("{place}: there is nothing in it")]
    Empty {
        /// Which table, or which column.
        place: String,
    },
    /// More digits after the point than there are.
    #[error("{place}: decimals is {decimals}, at most {DECIMALS_MAX}")]
    Decimals {
        /// Which column.
        place: String,
        /// How many are asked for.
        decimals: u8,
    },
    /// Nothing lies between the two.
    #[error("{place}: min is above max")]
    Range {
        /// Which column.
        place: String,
    },
}

/// Whether the tables can be asked about: names and words that are distinct and can be printed, ranges that hold something.
///
/// # Errors
///
/// Names the first place that does not hold.
pub fn check(tables: &[Table]) -> Result<(), VocabularyError> {
    distinct("the vocabulary", tables.iter().map(|table| &table.name))?;
    for table in tables {
        let place = format!("table {}", table.name);
        distinct(&place, table.columns.iter().map(|column| &column.name))?;
        if table.columns.is_empty() {
            return Err(VocabularyError::Empty { place });
        }
        for column in &table.columns {
            column.check(format!("column {} of table {}", column.name, table.name))?;
        }
    }
    Ok(())
}

impl Column {
    fn check(&self, place: String) -> Result<(), VocabularyError> {
        match &self.kind {
            Kind::Number(range) if range.decimals > DECIMALS_MAX => {
                let decimals = range.decimals;
                Err(VocabularyError::Decimals { place, decimals })
            }
            Kind::Number(range) if range.min > range.max => Err(VocabularyError::Range { place }),
            Kind::Category(words) if words.is_empty() => Err(VocabularyError::Empty { place }),
            Kind::Category(words) => distinct(&place, words.iter()),
            Kind::Number(_) | Kind::Text => Ok(()),
        }
    }
}

fn distinct<'a>(
    place: &str,
    mut names: impl Iterator<Item = &'a String>,
) -> Result<(), VocabularyError> {
    let mut seen = BTreeSet::new();
    names.try_for_each(|name| one(place, name, seen.insert(name)))
}

fn one(place: &str, name: &str, is_new: bool) -> Result<(), VocabularyError> {
    let place = place.to_owned();
    if !(1..=WORD_BYTES_MAX).contains(&name.len()) || name.contains(char::is_control) {
        return Err(VocabularyError::Word { place });
    }
    let name = name.to_owned();
    match is_new {
        true => Ok(()),
        false => Err(VocabularyError::Twice { place, name }),
    }
}
