//! What a community has agreed to call its data: tables, columns, their kinds and ranges.
//!
//! The vocabulary is part of the signed descriptor, so every node derives the same range, scale and vector length for a
//! question, and a contribution cannot be larger than what everyone knows is possible.

use minicbor::{Decode, Encode};

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
