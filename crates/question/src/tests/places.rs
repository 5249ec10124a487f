//! Quantiles where some counts are withheld, against trying all that these could be.

use proptest::prelude::*;

use crate::shares::Shares;

/// Every place that the hidden people can take, tried out.
fn possible(counts: &[Option<u64>], hidden: u64, level: u32) -> Vec<usize> {
    let closed: Vec<usize> = (0..counts.len()).filter(|i| counts[*i].is_none()).collect();
    let mut found = Vec::new();
    let mut tries = vec![counts.iter().map(|c| c.unwrap_or(0)).collect::<Vec<u64>>()];
    for _ in 0..hidden {
        tries = tries
            .into_iter()
            .flat_map(|counts| {
                closed.iter().map(move |part| {
                    let mut more = counts.clone();
                    more[*part] += 1;
                    more
                })
            })
            .collect();
        tries.sort();
        tries.dedup();
    }
    for counts in tries {
        let people: u64 = counts.iter().sum();
        let rank = (people * u64::from(level)).div_ceil(1_000_000).max(1);
        let mut seen = 0;
        let place = counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        found.extend(place);
    }
    found
}

proptest! {
    #[test]
    fn a_quantile_is_where_any_withheld_people_could_put_it(
        counts in prop::collection::vec(prop::option::weighted(0.6, 0..6u64), 1..6),
        hidden in 0..4u64,
        level in prop_oneof![Just(0u32), Just(500_000), Just(1_000_000), 0..=1_000_000u32],
        known in any::<bool>(),
    ) {
        let hidden = if counts.contains(&None) { hidden } else { 0 };
        let shares = Shares {
            counts: &counts,
            hidden: if known { hidden..=hidden } else { 0..=hidden },
        };
        let all: Vec<usize> = (if known { hidden } else { 0 }..=hidden)
            .flat_map(|hidden| possible(&counts, hidden, level))
            .collect();
        let found = shares.quantile(level);
        match (all.iter().min(), all.iter().max()) {
            (Some(least), Some(most)) => {
                let (first, last) = found.expect("somebody is there");
                prop_assert!(first <= *least && last >= *most, "{found:?} for {least} to {most}");
                if known && !counts.contains(&Some(0)) {
                    prop_assert_eq!((first, last), (*least, *most));
                }
            }
            _ => prop_assert_eq!(found, None),
        }
    }
}
