use base::{Digest, Instant, NodeId};
use crypto::SigningKey;
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::committee::place::Place;
use crate::committee::statement::{LaneCount, LaneTotal};
use crate::sizes::Sizes;

fn terms(sizes: Sizes, outvotes: bool) -> Terms {
    Terms {
        question: Digest([1; 32]),
        list: Digest([2; 32]),
        seats: vec![NodeId([0; 32]); sizes.seats()],
        sizes,
        liars: 0,
        outvotes,
        vector_len: 1,
        cells: 1,
        proof: None,
        threshold: 1,
        querier: NodeId([9; 32]),
        closes_at: Instant(0),
        place: Place::default(),
    }
}

fn said(seat: usize, number: u64) -> Signed<LaneCount> {
    let total = LaneTotal {
        round: Digest([1; 32]),
        set: Digest([2; 32]),
        sums: vec![number],
        open: Vec::new(),
    };
    Signed::new(&SigningKey::from_seed([1; 32]), seat, LaneCount(total))
}

/// What the lanes are believed to say; `None` when they contradict themselves, or too few have spoken.
fn believed(tally: &Tally<LaneCount>, terms: &Terms) -> Option<Vec<u64>> {
    let endorsed = tally.endorsed(terms).filter(|_| !tally.conflicts(terms))?;
    Some(endorsed.iter().map(|lane| lane.body.0.sums[0]).collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// Each seat says one of two things, those of the second part of the order later.
    #[test]
    fn what_is_settled_stays(
        lanes in 2..4u16, replicas in 1..6u16, signers in 1..6u16, outvotes: bool,
        words in vec(prop_oneof![9 => Just(0u64), 1 => Just(1)], 18),
        order in Just((0..18usize).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let sizes = Sizes { lanes, replicas, signers: signers.min(replicas) };
        let terms = terms(sizes, outvotes);
        let mut tally = Tally::default();
        let mut settled = None;
        for seat in order.into_iter().filter(|seat| *seat < sizes.seats()) {
            tally.insert(said(seat, words[seat]));
            if let Some(settled) = &settled {
                prop_assert_eq!(settled, &believed(&tally, &terms));
            } else if tally.is_settled(&terms) {
                settled = Some(believed(&tally, &terms));
            }
        }
        prop_assert!(settled.is_some(), "all have spoken");
    }
}

#[test]
fn the_last_of_a_lane_need_not_speak() {
    let sizes = Sizes {
        lanes: 2,
        replicas: 5,
        signers: 2,
    };
    for (outvotes, expected) in [(true, 8), (false, 10)] {
        let terms = terms(sizes, outvotes);
        let mut tally = Tally::default();
        let mut spoken = 0;
        while !tally.is_settled(&terms) {
            // One of each lane in turn.
            tally.insert(said(spoken % 2 * 5 + spoken / 2, 7));
            spoken += 1;
        }
        assert_eq!(spoken, expected);
    }
}
