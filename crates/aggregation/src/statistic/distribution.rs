//! Figures from counts of the parts of a domain.

use community::Column;

use super::answer::Figures;
use super::declaration::LEVEL_ONE;
use super::domain::{Bracket, Buckets, Domain, Label};
use super::totals::Totals;

/// Where a quantile lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantile {
    /// In millionths.
    pub level: u32,
    /// Its rank r among the n rows: the level times n, rounded up, and at least 1. The quantile is the r-th lowest value
    /// (the inverse of the empirical distribution; definition 1 of Hyndman and Fan 1996).
    pub rank: u64,
    /// It is in here.
    pub bracket: Bracket,
}

/// The parts with most rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Top {
    /// With their rows, most first, equals in the order of the domain. Parts without rows are not among them.
    pub parts: Vec<(Label, u64)>,
    /// How many parts were left out that have as many rows as the last of these.
    pub tied: usize,
}

pub(super) fn histogram(columns: &[Column], domain: &Domain, totals: &Totals) -> Figures {
    let parts = totals.buckets.iter().enumerate();
    Figures::Histogram(
        parts
            .map(|(index, &rows)| (domain.label(columns, index), rows))
            .collect(),
    )
}

/// Of at least one row.
pub(super) fn quantiles(
    columns: &[Column],
    buckets: &Buckets,
    levels: &[u32],
    totals: &Totals,
) -> Figures {
    let ends: Vec<u64> = totals
        .buckets
        .iter()
        .scan(0, |end, &rows| {
            *end += rows;
            Some(*end)
        })
        .collect();
    let quantile = |&level: &u32| {
        let rank = u128::from(totals.rows) * u128::from(level);
        let rank = rank.div_ceil(LEVEL_ONE.into()).max(1);
        let rank = u64::try_from(rank).expect("a level is at most 1");
        Quantile {
            level,
            rank,
            bracket: buckets.bracket(columns, ends.partition_point(|&end| end < rank)),
        }
    };
    Figures::Quantiles(levels.iter().map(quantile).collect())
}

/// Of at least one row.
pub(super) fn extremes(columns: &[Column], buckets: &Buckets, totals: &Totals) -> Figures {
    let filled = |&rows: &u64| rows > 0;
    let first = totals.buckets.iter().position(filled);
    let last = totals.buckets.iter().rposition(filled);
    let bracket = |index: Option<usize>| {
        buckets.bracket(columns, index.expect("buckets add up to at least one row"))
    };
    Figures::Extremes {
        min: bracket(first),
        max: bracket(last),
    }
}

pub(super) fn top(columns: &[Column], domain: &Domain, count: u16, totals: &Totals) -> Figures {
    let mut order: Vec<usize> = (0..totals.buckets.len())
        .filter(|&index| totals.buckets[index] > 0)
        .collect();
    // A stable sort, so that equals stay in the order of the domain.
    order.sort_by_key(|&index| std::cmp::Reverse(totals.buckets[index]));
    let rest = order.split_off(usize::from(count).min(order.len()));
    let last = order.last().map(|&index| totals.buckets[index]);
    let tied = rest
        .iter()
        .filter(|&&index| Some(totals.buckets[index]) == last)
        .count();
    let parts = order.into_iter();
    Figures::Top(Top {
        parts: parts
            .map(|index| (domain.label(columns, index), totals.buckets[index]))
            .collect(),
        tied,
    })
}
