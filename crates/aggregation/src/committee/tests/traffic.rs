//! Bytes of a seat, by what they are for, in an honest computation.

use std::collections::BTreeMap;

use super::*;
use crate::sizes::Sizes;

type ByKind = BTreeMap<&'static str, [usize; 2]>;

/// What each seat sent and received.
fn by_seat(net: &Net) -> BTreeMap<NodeId, ByKind> {
    let mut seats = BTreeMap::<_, ByKind>::new();
    for ((node, kind), bytes) in &net.traffic {
        if net.terms.seats.contains(node) {
            seats.entry(*node).or_default().insert(kind, *bytes);
        }
    }
    seats
}

fn total(kinds: &ByKind) -> [usize; 2] {
    let sum = |way: usize| kinds.values().map(|bytes| bytes[way]).sum();
    [sum(0), sum(1)]
}

fn busiest(net: &Net) -> (ByKind, [usize; 2]) {
    let seats = by_seat(net).into_values();
    let seats = seats.map(|kinds| (total(&kinds), kinds));
    let (total, kinds) = seats
        .max_by_key(|(total, _)| total[0] + total[1])
        .expect("seats");
    (kinds, total)
}

/// Nobody does much more than the others: what all have is told once, and no seat has to tell it to all.
#[test]
fn work_is_spread_over_the_seats() {
    let sizes = Sizes {
        lanes: 8,
        replicas: 5,
        signers: 3,
    };
    let mut net = Net::sized(60, sizes, 4);
    let all: u64 = (1..=60).sum();
    assert_eq!(net.run(), Ok(vec![60, all]));
    let (kinds, busiest) = busiest(&net);
    let seats = by_seat(&net);
    for way in 0..2 {
        let mean = seats.values().map(|kinds| total(kinds)[way]).sum::<usize>() / seats.len();
        assert!(busiest[way] < 2 * mean, "{kinds:?}, mean {mean}");
    }
    assert!(busiest.iter().sum::<usize>() < 350_000, "{kinds:?}");
    net.assert_only_accused(&[]);
}

/// The sizes of a leaf among a million people. Prints what BENCHMARKS.md has.
#[test]
#[ignore = "takes minutes"]
fn a_leaf_of_a_million_people() {
    for away in [0, 83] {
        let sizes = Sizes {
            lanes: 23,
            replicas: 12,
            signers: 4,
        };
        let mut net = Net::sized(512, sizes, 25);
        let mut rng = Rng::from_number(7);
        while net.die_when_called.len() < away {
            let seat = net.terms.seats[rng.below(276) as usize];
            net.die_when_called.insert(seat);
        }
        let ended = net.run();
        println!(
            "{away} away: {ended:?} after {}",
            net.ended_at.since(START).as_millis()
        );
        let (kinds, busiest) = busiest(&net);
        println!("busiest {busiest:?}: {kinds:?}");
        println!("first leader: {:?}", by_seat(&net)[&net.terms.seats[0]]);
        let sent = by_seat(&net).values().map(|k| total(k)[0]).max();
        let received = by_seat(&net).values().map(|k| total(k)[1]).max();
        println!("most sent {sent:?}, most received {received:?}");
    }
}
