//! Columns: their ranges and words, and numbers in units of their step.

use std::collections::BTreeSet;

use community::{Column, Kind, Range};

use super::declaration::{CELLS_MAX, COLUMNS_MAX, DECIMALS_MAX, NAME_BYTES_MAX};
use super::refusal::DeclarationError;
use super::row::RowError;

/// The double `value` in units of the column's step, rounded to the nearest one: off by half a step at most.
///
/// # Errors
///
/// When the column holds no numbers, or when `value` is not a number, infinite or outside the declared range.
pub fn to_units(column: &Column, value: f64) -> Result<i64, RowError> {
    let Kind::Number(range) = column.kind else {
        return Err(RowError::Kind {
            column: column.name.clone(),
        });
    };
    if !value.is_finite() {
        return Err(RowError::NotFinite {
            column: column.name.clone(),
        });
    }
    let units = (value * 10f64.powi(range.decimals.into())).round();
    // The cast saturates. What it makes of numbers beyond 64 bits is compared as a double as well.
    let inside = (range.min as f64..=range.max as f64).contains(&units)
        && (range.min..=range.max).contains(&(units as i64));
    if inside {
        Ok(units as i64)
    } else {
        Err(RowError::out_of_range(&column.name, range))
    }
}

/// Checks all columns of a row.
pub(super) fn check(columns: &[Column]) -> Result<(), DeclarationError> {
    if columns.len() > COLUMNS_MAX {
        return Err(DeclarationError::Columns {
            found: columns.len(),
        });
    }
    let mut names = BTreeSet::new();
    for (index, column) in columns.iter().enumerate() {
        let len = column.name.len();
        if len == 0 || len > NAME_BYTES_MAX || !names.insert(&column.name) {
            return Err(DeclarationError::Name { index });
        }
        check_kind(column)?;
    }
    Ok(())
}

fn check_kind(column: &Column) -> Result<(), DeclarationError> {
    let name = || column.name.clone();
    match &column.kind {
        Kind::Text => Err(DeclarationError::Text { column: name() }),
        Kind::Category(words) => {
            let different = words.iter().collect::<BTreeSet<_>>().len();
            if words.is_empty() || words.len() > CELLS_MAX || different != words.len() {
                return Err(DeclarationError::Words { column: name() });
            }
            Ok(())
        }
        Kind::Number(range) if range.decimals > DECIMALS_MAX => Err(DeclarationError::Decimals {
            column: name(),
            found: range.decimals,
        }),
        Kind::Number(range) if range.min >= range.max => Err(DeclarationError::EmptyRange {
            column: name(),
            low: range.min,
            high: range.max,
        }),
        Kind::Number(_) => Ok(()),
    }
}

fn column(columns: &[Column], index: u16) -> Result<&Column, DeclarationError> {
    columns
        .get(usize::from(index))
        .ok_or(DeclarationError::NoColumn { index })
}

/// The name of a column, or nothing.
pub(super) fn name(columns: &[Column], index: u16) -> String {
    column(columns, index).map_or(String::new(), |column| column.name.clone())
}

/// The range of a column of numbers.
pub(super) fn range(columns: &[Column], index: u16) -> Result<Range, DeclarationError> {
    match &column(columns, index)?.kind {
        Kind::Number(range) => Ok(*range),
        _ => Err(DeclarationError::NotNumbers {
            column: name(columns, index),
        }),
    }
}

/// The words of a column of words.
pub(super) fn words(columns: &[Column], index: u16) -> Result<&[String], DeclarationError> {
    match &column(columns, index)?.kind {
        Kind::Category(words) => Ok(words),
        _ => Err(DeclarationError::NotWords {
            column: name(columns, index),
        }),
    }
}

/// Steps from the lowest value to the highest, below 2^64.
pub(super) fn span(range: Range) -> u128 {
    u128::from(range.max.abs_diff(range.min))
}
