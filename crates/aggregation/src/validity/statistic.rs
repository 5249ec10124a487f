//! What a contribution can be proved to be.

use crypto::Vector;
use thiserror::Error;

/// Most categories of a histogram or groups of a sum. Guess: 10 times what anybody reads; the work of checking a
/// proof grows with it.
pub const GROUPS_MAX: u32 = 1 << 14;

/// A statistic whose contributions can be proved to be in range, with the vector that one person contributes.
///
/// The first element of every vector counts the person: one for who matches, and zero, with zeros after it, for who
/// does not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Statistic {
    /// How many match: `[match]`.
    Count,
    /// The sum of an integer in `0..=max`: `[match, value]`.
    Sum {
        /// The greatest value, at least one.
        max: u64,
    },
    /// In which of several buckets, groups or categories each is: `[match, bucket, bucket, …]`, exactly one bucket of
    /// who matches holding a one. Counting by groups is the same.
    Histogram {
        /// From two to [`GROUPS_MAX`].
        buckets: u32,
    },
    /// The sum of an integer in `0..=max` for each group: `[match, count, count, …, sum, sum, …]`, everything but the
    /// count and sum of one's own group being zero.
    GroupedSum {
        /// From two to [`GROUPS_MAX`].
        groups: u32,
        /// The greatest value, at least one.
        max: u64,
    },
}

impl Statistic {
    /// Numbers that one person contributes, the match count included.
    pub fn vector_len(self) -> usize {
        match self {
            Self::Count => 1,
            Self::Sum { .. } => 2,
            Self::Histogram { buckets } => 1 + buckets as usize,
            Self::GroupedSum { groups, .. } => 1 + 2 * groups as usize,
        }
    }

    /// Checks the limits.
    ///
    /// # Errors
    ///
    /// The limit that is exceeded.
    pub(super) fn check(self) -> Result<(), Unprovable> {
        let groups = self.groups();
        let grouped = matches!(self, Self::Histogram { .. } | Self::GroupedSum { .. });
        if grouped && !(2..=GROUPS_MAX).contains(&groups) {
            return Err(Unprovable::Groups { groups });
        }
        match self.max() {
            Some(max) if !(1..Vector::MODULUS).contains(&max) => Err(Unprovable::Range { max }),
            _ => Ok(()),
        }
    }

    /// Groups that are told apart.
    pub(super) fn groups(self) -> u32 {
        match self {
            Self::Count | Self::Sum { .. } => 1,
            Self::Histogram { buckets: groups } | Self::GroupedSum { groups, .. } => groups,
        }
    }

    /// The greatest value of what is summed.
    pub(super) fn max(self) -> Option<u64> {
        match self {
            Self::Count | Self::Histogram { .. } => None,
            Self::Sum { max } | Self::GroupedSum { max, .. } => Some(max),
        }
    }
}

/// Why contributions to a statistic cannot be proved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unprovable {
    /// Too few buckets or groups to tell anything apart, or too many.
    #[error("{groups} groups, proofs are made for 2 to {GROUPS_MAX}")]
    Groups {
        /// As asked for.
        groups: u32,
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
