//! Which numbers one person contributes, and what ties them to each other.

use crypto::Vector;

use crate::statistic::{LIMB_BITS, VECTOR_LEN_MAX};
use crate::validity::statistic::{GROUPS_MAX, Statistic, Unprovable};

/// The vector that one person contributes, as far as a proof goes: who matches is in one group, and there in one bucket,
/// and has numbers that are in range or products of each other; all else is zero.
///
/// Elements are in the order of a committee's cells: the match count of each group, of which there is one without groups;
/// then, group by group, that of each bucket and the numbers. A [`Statistic`] is one of the simple shapes; [`Shape::of`]
/// gives that of a declared statistic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Groups with a match count each; one without groups.
    pub(super) groups: u32,
    /// Buckets of each group.
    pub(super) buckets: Option<u32>,
    /// Of each group. A factor comes before its products.
    pub(super) numbers: Vec<Number>,
}

/// A number that is added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Number {
    pub(super) origin: Origin,
    /// The greatest value of each limb, the lowest first; just one of a number that is an element itself.
    pub(super) limbs: Vec<u64>,
}

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// A person's own, in `0..=max`.
    Column { max: u64 },
    /// The product of the numbers of these indices.
    Product(usize, usize),
}

impl Number {
    /// Whether no limbs in range make a number that the field wraps around: then limbs and products are the integers
    /// that they should be.
    pub(super) fn fits(&self) -> bool {
        let greatest = self.limbs.iter().rev().try_fold(0u128, |greatest, limb| {
            (greatest << LIMB_BITS)
                .checked_add((*limb).into())
                .filter(|greatest| *greatest < Vector::MODULUS.into())
        });
        greatest.is_some()
    }
}

impl Shape {
    /// Several sums of integers, each in its range from zero: the match count of each group, then the sums of each.
    pub fn sums(groups: u32, maxima: &[u64]) -> Self {
        let column = |max: &u64| Number {
            origin: Origin::Column { max: *max },
            limbs: vec![*max],
        };
        Self {
            groups,
            buckets: None,
            numbers: maxima.iter().map(column).collect(),
        }
    }

    /// Numbers that one person contributes, match counts included.
    pub fn vector_len(&self) -> usize {
        let width: usize = self.numbers.iter().map(|number| number.limbs.len()).sum();
        self.cells() * (1 + self.bucket_count() + width)
    }

    /// Checks the limits.
    ///
    /// # Errors
    ///
    /// The limit that is exceeded.
    pub(super) fn check(&self) -> Result<(), Unprovable> {
        let slots = self.groups.saturating_mul(self.buckets.unwrap_or(1));
        if !(1..=GROUPS_MAX).contains(&slots) {
            return Err(Unprovable::Groups { groups: slots });
        }
        for number in &self.numbers {
            if let Origin::Column { max } = number.origin
                && !(1..Vector::MODULUS).contains(&max)
            {
                return Err(Unprovable::Range { max });
            }
        }
        let len = self.vector_len();
        if len > VECTOR_LEN_MAX {
            return Err(Unprovable::Length { len });
        }
        Ok(())
    }

    /// Groups, or one without.
    pub(super) fn cells(&self) -> usize {
        self.groups as usize
    }

    /// Buckets of each group, or none.
    pub(super) fn bucket_count(&self) -> usize {
        self.buckets.unwrap_or(0) as usize
    }

    /// Places of which a person is in one: buckets of each group, or groups.
    pub(super) fn slots(&self) -> usize {
        self.cells() * self.buckets.unwrap_or(1) as usize
    }
}

impl From<Statistic> for Shape {
    fn from(statistic: Statistic) -> Self {
        match statistic {
            Statistic::Count => Self::sums(1, &[]),
            Statistic::Sum { max } => Self::sums(1, &[max]),
            Statistic::Histogram { buckets } => Self {
                groups: 1,
                buckets: Some(buckets),
                numbers: Vec::new(),
            },
            Statistic::GroupedCount { groups } => Self::sums(groups, &[]),
            Statistic::GroupedSum { groups, max } => Self::sums(groups, &[max]),
        }
    }
}
