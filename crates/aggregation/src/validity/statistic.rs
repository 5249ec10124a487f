//! What a contribution can be proved to be.

use crypto::Vector;
use thiserror::Error;

/// Most categories of a histogram or groups of a sum. Guess: 10 times what anybody reads; the work of checking a
/// proof grows with it.
pub const GROUPS_MAX: u32 = 1 << 14;

/// A statistic whose contributions can be proved to be in range, with the vector that one person contributes.
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
        /// From two to [`GROUPS_MAX`].
        buckets: u32,
    },
    /// How many match in each group: `[count, count, …]`.
    GroupedCount {
        /// From two to [`GROUPS_MAX`].
        groups: u32,
    },
    /// The sum of an integer in `0..=max` for each group: `[count, count, …, sum, sum, …]`.
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
            Self::GroupedCount { groups } => groups as usize,
            Self::GroupedSum { groups, .. } => 2 * groups as usize,
        }
    }

    /// Checks the limits.
    ///
    /// # Errors
    ///
    /// The limit that is exceeded.
    pub(super) fn check(self) -> Result<(), Unprovable> {
        let groups = self.groups();
        let one = matches!(self, Self::Count | Self::Sum { .. });
        if !one && !(2..=GROUPS_MAX).contains(&groups) {
            return Err(Unprovable::Groups { groups });
        }
        match self.max() {
            Some(max) if !(1..Vector::MODULUS).contains(&max) => Err(Unprovable::Range { max }),
            _ => Ok(()),
        }
    }

    /// Groups or buckets that are told apart.
    pub(super) fn groups(self) -> u32 {
        match self {
            Self::Count | Self::Sum { .. } => 1,
            Self::Histogram { buckets: groups }
            | Self::GroupedCount { groups }
            | Self::GroupedSum { groups, .. } => groups,
        }
    }

    /// The greatest value of what is summed.
    pub(super) fn max(self) -> Option<u64> {
        match self {
            Self::Count | Self::Histogram { .. } | Self::GroupedCount { .. } => None,
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
