//! What a contribution can be proved to be.

use crypto::Vector;
use thiserror::Error;

use crate::statistic::VECTOR_LEN_MAX;
use crate::validity::shape::Shape;

/// Most categories of a histogram or groups of a sum. Guess: 10 times what anybody reads; the work of checking a
/// proof grows with it.
pub const GROUPS_MAX: u32 = 1 << 14;

/// A simple statistic whose contributions can be proved to be in range, with the vector that one person contributes.
///
/// Who matches is counted with a one: in the vector's first element or, by groups, in that of one's own group. Who does
/// not contributes zeros. Groups are the committee's cells, in the order that it expects: all counts, then all sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// How many match: `[match]`.
    Count,
    /// The sum of an integer in `0..=max`: `[match, value]`.
    Sum {
        /// The greatest value, at least one.
        max: u64,
    },
    /// In which of several buckets each is: `[match, bucket, bucket, …]`, one bucket of who matches holding a one.
    Histogram {
        /// From one to [`GROUPS_MAX`].
        buckets: u32,
    },
    /// How many match in each group: `[count, count, …]`.
    GroupedCount {
        /// From one to [`GROUPS_MAX`].
        groups: u32,
    },
    /// The sum of an integer in `0..=max` for each group: `[count, count, …, sum, sum, …]`.
    GroupedSum {
        /// From one to [`GROUPS_MAX`].
        groups: u32,
        /// The greatest value, at least one.
        max: u64,
    },
}

impl Statistic {
    /// Numbers that one person contributes, the match count included.
    pub fn vector_len(self) -> usize {
        Shape::from(self).vector_len()
    }
}

/// Why contributions to a statistic cannot be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unprovable {
    /// No buckets or groups, or too many; of both, their product.
    #[error("{groups} groups or buckets, proofs are made for 1 to {GROUPS_MAX}")]
    Groups {
        /// As asked for.
        groups: u32,
    },
    /// Too long a vector.
    #[error("a vector of {len} numbers, proofs are made for {VECTOR_LEN_MAX} at most")]
    Length {
        /// As asked for.
        len: usize,
    },
    /// No number but zero is in range, or the field does not hold the greatest.
    #[error("values up to {max}, proofs are made for 1 to {}", Vector::MODULUS - 1)]
    Range {
        /// As asked for.
        max: u64,
    },
    /// No lane, or more than a committee has.
    #[error("{lanes} lanes, proofs are made for 1 to {}", super::LANES_MAX)]
    Lanes {
        /// As asked for.
        lanes: usize,
    },
}
