//! Which numbers one person contributes, and what ties them to each other.

use crypto::Vector;

use crate::statistic::{LIMB_BITS, VECTOR_LEN_MAX};
use crate::validity::statistic::{GROUPS_MAX, Statistic, Unprovable};

/// The vector that one person contributes, as far as a proof goes: who matches is in one group, and there in one bucket,
/// and has numbers that are in range or products of each other; all else is zero.
///
/// Elements are in this order: the match count; that of each group; that of each bucket of each group; the numbers of
/// each group. A [`Statistic`] is one of the simple shapes; [`Shape::of`] gives that of a
/// declared statistic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shape {
    /// Whether the vector begins with the match count over all groups.
    pub(super) whole: bool,
    /// Groups with a match count each.
    pub(super) groups: Option<u32>,
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
    /// Several sums of integers, each in its range from zero: `[match, sum, sum, …]`, or by groups the match count of
    /// each, then the sums of each.
    pub fn sums(groups: Option<u32>, maxima: &[u64]) -> Self {
        let column = |max: &u64| Number {
            origin: Origin::Column { max: *max },
            limbs: vec![*max],
        };
        Self {
            whole: groups.is_none(),
            groups,
            buckets: None,
            numbers: maxima.iter().map(column).collect(),
        }
    }

    /// The match count, then those of groups and buckets if there are any, then numbers.
    pub(super) fn whole(groups: Option<u32>, buckets: Option<u32>, numbers: Vec<Number>) -> Self {
        Self {
            whole: true,
            groups,
            buckets,
            numbers,
        }
    }

    /// Numbers that one person contributes, match counts included.
    pub fn vector_len(&self) -> usize {
        let cells = self.cells();
        let buckets = self.buckets.map_or(0, |_| self.slots());
        let width: usize = self.numbers.iter().map(|number| number.limbs.len()).sum();
        usize::from(self.whole) + self.groups.map_or(0, |_| cells) + buckets + cells * width
    }

    /// Checks the limits.
    ///
    /// # Errors
    ///
    /// The limit that is exceeded.
    pub(super) fn check(&self) -> Result<(), Unprovable> {
        let groups = self.groups.unwrap_or(1);
        let slots = groups.saturating_mul(self.buckets.unwrap_or(1));
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
        self.groups.unwrap_or(1) as usize
    }

    /// Places of which a person is in one: buckets of each group, or groups.
    pub(super) fn slots(&self) -> usize {
        self.cells() * self.buckets.unwrap_or(1) as usize
    }
}

impl From<Statistic> for Shape {
    fn from(statistic: Statistic) -> Self {
        match statistic {
            Statistic::Count => Self::sums(None, &[]),
            Statistic::Sum { max } => Self::sums(None, &[max]),
            Statistic::Histogram { buckets } => Self::whole(None, Some(buckets), Vec::new()),
            Statistic::GroupedCount { groups } => Self::sums(Some(groups), &[]),
            Statistic::GroupedSum { groups, max } => Self::sums(Some(groups), &[max]),
        }
    }
}
