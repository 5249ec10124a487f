//! Bytes of a seat, by what they are for, in an honest computation.

use std::collections::BTreeMap;

use super::*;
use crate::sizes::{Load, Plan, Sizes, costs};

const SIZES: Sizes = Sizes {
    lanes: 8,
    replicas: 5,
    signers: 3,
};

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
    let mut net = Net::sized(60, SIZES, 4);
    let all: u64 = (1..=60).sum();
    assert_eq!(net.run(), Ok(vec![60, all]));
    let (kinds, busiest) = busiest(&net);
    let seats = by_seat(&net);
    for (way, bytes) in busiest.into_iter().enumerate() {
        let all = seats.values().map(|kinds| total(kinds)[way]);
        let mean = all.sum::<usize>() / seats.len();
        assert!(bytes < 2 * mean, "{kinds:?}, mean {mean}");
    }
    assert!(busiest.iter().sum::<usize>() < 350_000, "{kinds:?}");
    net.assert_only_accused(&[]);
}

/// What `plan` says of the busiest seat is about what it is.
#[test]
fn traffic_is_as_foreseen() {
    let mut plan = Plan::choose(crate::sizes::Terms {
        candidates: 60,
        contributors: 60,
        colluders: 1,
        offline_permille: 10,
    })
    .expect("a community of sixty has a plan");
    plan.sizes = SIZES;
    plan.quorum = SIZES.quorum(4).expect("four liars are borne");
    let load = Load {
        elements: 2,
        proven: None,
    };
    let costs = costs(&plan, load);
    let foreseen = costs.replica + costs.root;
    let mut net = Net::sized(60, SIZES, 4);
    net.run().expect("all are honest");
    let (kinds, busiest) = busiest(&net);
    for (is, said) in busiest.into_iter().zip([foreseen.sent, foreseen.received]) {
        let ratio = said / is as f64;
        assert!(
            (0.8..1.6).contains(&ratio),
            "{ratio} {foreseen:?} {kinds:?}"
        );
    }
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
