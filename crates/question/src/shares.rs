//! Where people are among the parts of a value, when the counts of some parts are withheld.

use std::ops::RangeInclusive;

use aggregation::statistic::{Bracket, LEVEL_ONE, Label, Top, Undefined};

use crate::answer::Figures;
use crate::function::Function;

/// How many people are in each part.
pub(crate) struct Shares<'a> {
    /// `None` where that is withheld.
    pub(crate) counts: &'a [Option<u64>],
    /// How many people may be in those parts together.
    pub(crate) hidden: RangeInclusive<u64>,
}

impl Shares<'_> {
    /// What is known; nothing if all is withheld.
    pub(crate) fn figures(
        &self,
        function: Function,
        label: impl Fn(usize) -> Label,
    ) -> Option<Result<Figures, Undefined>> {
        let all_hidden = self.counts.iter().all(Option::is_none);
        if all_hidden && function != Function::Histogram {
            return None;
        }
        let level = match function {
            Function::Min => 0,
            Function::Max => LEVEL_ONE,
            Function::Quantile(level) => level,
            Function::Top(count) => return Some(Ok(Figures::Top(self.top(count, label)))),
            _ => {
                let parts = self.counts.iter().enumerate();
                let parts = parts.map(|(index, count)| (label(index), *count));
                return (!all_hidden).then(|| Ok(Figures::Histogram(parts.collect())));
            }
        };
        let Some((first, last)) = self.quantile(level) else {
            return Some(Err(Undefined::NoRows));
        };
        match (label(first), label(last)) {
            (Label::Bucket(first), Label::Bucket(last)) => Some(Ok(Figures::Within(Bracket {
                low: first.low,
                high: last.high,
            }))),
            _ => None,
        }
    }

    /// The first and the last part in which the quantile can be: the r-th lowest value, with r the level times the number
    /// of people, rounded up, and at least 1. `None` of nobody.
    pub(crate) fn quantile(&self, level: u32) -> Option<(usize, usize)> {
        let open: u64 = self.counts.iter().flatten().sum();
        let closed = |part: &Option<u64>| part.is_none();
        let (first_closed, last_closed) = (
            self.counts.iter().position(closed),
            self.counts.iter().rposition(closed),
        );
        let (least, most) = match first_closed {
            Some(_) => (*self.hidden.start(), *self.hidden.end()),
            None => (0, 0),
        };
        if open + most == 0 {
            return None;
        }
        let rank = |hidden: u64| {
            let rank = u128::from(open + hidden) * u128::from(level);
            rank.div_ceil(LEVEL_ONE.into()).max(1)
        };
        // Open people in all parts before each, and behind the last.
        let before: Vec<u128> = std::iter::once(0)
            .chain(self.counts.iter().scan(0u128, |sum, count| {
                *sum += u128::from(count.unwrap_or(0));
                Some(*sum)
            }))
            .collect();
        let parts = 0..self.counts.len();
        // As low as can be: the withheld are here or lower, or as few of them as can be are higher.
        let first = parts.clone().find(|part| {
            let lower = first_closed.is_some_and(|closed| closed <= *part);
            (lower && before[part + 1] + u128::from(most) >= rank(most))
                || before[part + 1] >= rank(least)
        });
        // As high as can be: the withheld are here or higher, or as few of them as can be are lower.
        let last = parts.rev().find(|part| {
            let higher = last_closed.is_some_and(|closed| closed >= *part);
            (higher && before[*part] < rank(most))
                || before[*part] + u128::from(least) < rank(least)
        });
        Some((first?, last?))
    }

    fn top(&self, count: u16, label: impl Fn(usize) -> Label) -> Top {
        let mut order: Vec<(usize, u64)> = self
            .counts
            .iter()
            .enumerate()
            .filter_map(|(index, count)| {
                count.filter(|count| *count > 0).map(|count| (index, count))
            })
            .collect();
        // A stable sort, so that equals stay in the order of the parts.
        order.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let rest = order.split_off(usize::from(count).min(order.len()));
        let last = order.last().map(|(_, count)| *count);
        let tied = rest.iter().filter(|(_, count)| Some(*count) == last);
        Top {
            tied: tied.count(),
            parts: order
                .into_iter()
                .map(|(index, count)| (label(index), count))
                .collect(),
        }
    }
}
