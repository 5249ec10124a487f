//! Declared parts into which rows fall: a column's words, or buckets of its numbers.

use community::{Column, Range};
use minicbor::{Decode, Encode};

use super::column;
use super::declaration::CELLS_MAX;
use super::fixed::Fixed;
use super::refusal::DeclarationError;

/// Parts of a column's values: each value is in exactly one.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Domain {
    /// The words of the column of this index.
    #[n(0)]
    Words(#[n(0)] u16),
    /// Buckets of a column of numbers.
    #[n(1)]
    Buckets(#[n(0)] Buckets),
}

/// A column's range, cut into buckets.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Buckets {
    /// The column's index.
    #[n(0)]
    pub column: u16,
    /// The lowest value of each bucket but the first, ascending, in units of the column's step. The first bucket begins
    /// with the lowest value of the range, the last one ends with the highest.
    #[n(1)]
    pub starts: Vec<i64>,
}

impl Buckets {
    /// `count` buckets of the same width, give or take one step; of one step each when the range has no more.
    pub fn equal(column: u16, range: Range, count: u16) -> Self {
        let values = column::span(range) + 1;
        let count = u128::from(count.max(1)).min(values);
        let starts = (1..count).map(|i| {
            // Below 2^64 + 1 values times 2^16 buckets.
            let above =
                i128::try_from(values * i / count).expect("a range has at most 2^64 values");
            i64::try_from(i128::from(range.min) + above).expect("a bucket begins within the range")
        });
        Self {
            column,
            starts: starts.collect(),
        }
    }
}

/// The part of a domain, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Label {
    /// This word.
    Word(String),
    /// These numbers.
    Bucket(Bracket),
}

/// Numbers from `low` to `high`, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bracket {
    /// The lowest.
    pub low: Fixed,
    /// The highest.
    pub high: Fixed,
}

impl Domain {
    /// The column's index.
    pub fn column(&self) -> u16 {
        match self {
            Self::Words(column) => *column,
            Self::Buckets(buckets) => buckets.column,
        }
    }

    /// The number of parts, of a domain of a checked declaration of these columns.
    ///
    /// # Panics
    ///
    /// When it does not fit them.
    pub fn parts(&self, columns: &[Column]) -> usize {
        self.check(columns)
            .expect("the domain of a checked declaration fits its columns")
    }

    /// The number of parts.
    ///
    /// # Errors
    ///
    /// When it does not fit its column.
    pub(super) fn check(&self, columns: &[Column]) -> Result<usize, DeclarationError> {
        match self {
            Self::Words(index) => column::words(columns, *index).map(<[String]>::len),
            Self::Buckets(Buckets {
                column: index,
                starts,
            }) => {
                let range = column::range(columns, *index)?;
                let first = starts.first().is_none_or(|&first| first > range.min);
                let last = starts.last().is_none_or(|&last| last <= range.max);
                let ascends = starts.windows(2).all(|pair| pair[0] < pair[1]);
                if first && last && ascends && starts.len() < CELLS_MAX {
                    Ok(starts.len() + 1)
                } else {
                    Err(DeclarationError::Buckets {
                        column: column::name(columns, *index),
                    })
                }
            }
        }
    }

    /// What part `index` is called; of a checked domain.
    pub(super) fn label(&self, columns: &[Column], index: usize) -> Label {
        match self {
            Self::Words(column) => {
                let words = column::words(columns, *column).expect("checked");
                Label::Word(words[index].clone())
            }
            Self::Buckets(buckets) => Label::Bucket(buckets.bracket(columns, index)),
        }
    }
}

impl Buckets {
    /// The numbers of bucket `index`; of a checked domain.
    pub(super) fn bracket(&self, columns: &[Column], index: usize) -> Bracket {
        let range = column::range(columns, self.column).expect("checked");
        let low = match index.checked_sub(1) {
            Some(before) => self.starts[before],
            None => range.min,
        };
        let high = match self.starts.get(index) {
            Some(next) => next - 1,
            None => range.max,
        };
        let fixed = |units: i64| Fixed {
            units: units.into(),
            decimals: range.decimals,
        };
        Bracket {
            low: fixed(low),
            high: fixed(high),
        }
    }

    /// The bucket of a number within the range.
    pub(super) fn index(&self, units: i64) -> usize {
        self.starts.partition_point(|&start| start <= units)
    }
}
