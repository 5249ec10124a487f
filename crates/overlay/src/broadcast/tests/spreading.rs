//! Every live, honest node hears everything once, whatever is lost and whoever lies.

use std::collections::BTreeSet;

use base::{Duration, NodeId};

use crate::broadcast::{AGE_MAX, OFFER_AFTER};
use crate::spreading::tests::network::Network;
use crate::spreading::tests::world::{SECOND, TICK, world};
use crate::spreading::{Command, Event};

/// Sizes, and caches if they do not hold everyone.
const COMMUNITIES: [(usize, Option<usize>); 7] = [
    (1, None),
    (2, None),
    (5, None),
    (40, None),
    (100, None),
    (40, Some(16)),
    (200, Some(40)),
];

impl Network {
    fn broadcast(&mut self, person: usize, payload: &[u8]) {
        self.command(person, Command::Broadcast(payload.to_vec()));
    }

    /// Who should hear what `person` says.
    fn audience(&self, person: usize) -> BTreeSet<NodeId> {
        let nodes = self.nodes().map(|(node, _)| *node);
        let initiator = world().people[person].node();
        nodes
            .filter(|node| *node != initiator && self.is_honest(*node))
            .collect()
    }

    /// Who heard it, and over how many hops at most.
    fn reached(&self, person: usize, payload: &[u8]) -> (BTreeSet<NodeId>, u32) {
        let initiator = world().people[person].node();
        let (mut reached, mut deepest) = (BTreeSet::new(), 0);
        for (node, heard) in &self.heard {
            let of_this =
                |(from, what, _): &&(NodeId, Vec<u8>, u32)| *from == initiator && what == payload;
            for (_, _, hops) in heard.iter().filter(of_this) {
                assert!(reached.insert(*node), "heard twice");
                deepest = deepest.max(*hops);
            }
        }
        (reached, deepest)
    }

    fn assert_all_heard(&self, person: usize, payload: &[u8]) -> u32 {
        let (reached, deepest) = self.reached(person, payload);
        assert_eq!(reached, self.audience(person));
        assert!(deepest <= 25, "{deepest} hops");
        assert!(self.events.is_empty(), "{:?}", self.events);
        deepest
    }

    /// Marks a share of the nodes but the first.
    fn choose(&mut self, percent: u64) -> BTreeSet<NodeId> {
        let first = world().people[0].node();
        let all: Vec<_> = self.nodes().map(|(node, _)| *node).collect();
        let others = all.into_iter().filter(|node| *node != first);
        others.filter(|_| self.rng.below(100) < percent).collect()
    }
}

#[test]
fn everyone_gets_one_payload_and_answers_once() {
    for (size, cache) in COMMUNITIES {
        let mut network = Network::new(size, cache, 1);
        network.broadcast(0, b"hello");
        network.run_for(OFFER_AFTER - SECOND);
        let deepest = network.assert_all_heard(0, b"hello");
        assert!(deepest <= size.ilog2() + 2, "{deepest} hops of {size}");
        assert_eq!(network.payloads, size as u64 - 1);
        // The offers that come later find nobody who lacks it.
        network.run_for(60 * SECOND);
        network.assert_all_heard(0, b"hello");
        assert_eq!(network.payloads, size as u64 - 1);
    }
}

/// With 16 nodes known around each of 200, one or two of a region of average size fail to reach the next finger.
#[test]
fn the_smallest_caches_reach_everyone_too() {
    for seed in 0..3 {
        let mut network = Network::new(200, Some(16), seed);
        network.broadcast(seed as usize, b"hello");
        network.run_for(20 * SECOND);
        network.assert_all_heard(seed as usize, b"hello");
    }
}

#[test]
fn what_cannot_be_reached_is_passed_around_at_once() {
    for (size, cache) in [(40, None), (200, Some(32))] {
        let mut network = Network::new(size, cache, 2);
        network.down = network.choose(10);
        network.broadcast(0, b"hello");
        network.run_for(3 * SECOND);
        let (reached, _) = network.reached(0, b"hello");
        if cache.is_none() {
            assert_eq!(reached, network.audience(0));
        }
        network.run_for(20 * SECOND);
        network.assert_all_heard(0, b"hello");
    }
}

#[test]
fn silent_relays_are_passed_around() {
    for (size, cache, seed) in [
        (40, None, 3),
        (100, None, 4),
        (200, Some(32), 5),
        (200, Some(16), 6),
    ] {
        let mut network = Network::new(size, cache, seed);
        network.silent = network.choose(5);
        network.broadcast(0, b"hello");
        network.run_for(30 * SECOND);
        network.assert_all_heard(0, b"hello");
        // Not much more than one for each who is there and one for each who is not.
        assert!(
            network.payloads < size as u64 * 13 / 10,
            "{}",
            network.payloads
        );
    }
}

/// In a community where everybody knows everybody, no offers are needed to get around the silent ones.
#[test]
fn the_tree_alone_gets_around_silent_relays() {
    let mut network = Network::new(100, None, 7);
    network.silent = network.choose(5);
    network.broadcast(0, b"hello");
    network.run_for(OFFER_AFTER - TICK);
    network.assert_all_heard(0, b"hello");
}

#[test]
fn what_liars_leave_out_heals() {
    let mut holes = 0;
    for (size, cache, seed) in [
        (40, None, 8),
        (100, None, 9),
        (200, Some(32), 10),
        (200, Some(16), 11),
    ] {
        let mut network = Network::new(size, cache, seed);
        network.liars = network.choose(5);
        network.broadcast(0, b"hello");
        network.run_for(OFFER_AFTER);
        holes += network.audience(0).len() - network.reached(0, b"hello").0.len();
        network.run_for(30 * SECOND);
        network.assert_all_heard(0, b"hello");
    }
    assert!(
        holes > 30,
        "{holes}: nobody was left out, so nothing was tested"
    );
}

#[test]
fn silence_lies_and_losses_together() {
    for seed in 20..24 {
        let mut network = Network::new(120, Some(32), seed);
        network.silent = network.choose(5);
        network.liars = network.choose(5);
        network.loss_percent = 10;
        network.broadcast(0, b"hello");
        network.run_for(120 * SECOND);
        network.assert_all_heard(0, b"hello");
    }
}

/// All relays of the initiator lie, but its neighbour does not.
#[test]
fn one_honest_neighbour_is_enough() {
    let mut network = Network::new(40, None, 12);
    network.broadcast(0, b"hello");
    // Nothing has arrived yet: whoever was chosen as a relay lies, but the last.
    let mut ring = world().contacts[..40].to_vec();
    let here = world().contacts[0].location();
    ring.sort_by_key(|contact| contact.location().0.wrapping_sub(here.0));
    network.liars = network.choose(100);
    network.liars.remove(&ring[39].node());
    for honest in 1..10 {
        network.liars.remove(&ring[3 * honest].node());
    }
    network.run_for(300 * SECOND);
    network.assert_all_heard(0, b"hello");
}

#[test]
fn two_at_a_time_do_not_mix() {
    for (size, cache) in [(40, None), (200, Some(32))] {
        let mut network = Network::new(size, cache, 13);
        network.silent = network.choose(3);
        network.silent.remove(&world().people[1].node());
        network.broadcast(0, b"one");
        network.broadcast(1, b"other");
        // Two of one node at one time, too.
        network.broadcast(0, b"and more");
        network.run_for(30 * SECOND);
        network.assert_all_heard(0, b"one");
        network.assert_all_heard(1, b"other");
        network.assert_all_heard(0, b"and more");
    }
}

#[test]
fn who_joins_in_the_middle_hears_what_is_still_passed_on() {
    for cache in [None, Some(32)] {
        let mut network = Network::new(100, cache, 14);
        network.broadcast(0, b"hello");
        network.run_for(SECOND / 10);
        network.join(100);
        network.run_for(60 * SECOND);
        network.join(101);
        network.run_for(60 * SECOND);
        network.assert_all_heard(0, b"hello");
        network.run_for(AGE_MAX);
        network.join(102);
        network.run_for(60 * SECOND);
        assert!(!network.heard.contains_key(&world().people[102].node()));
        // In the end nobody says a word about it.
        let before = network.payloads;
        network.run_for(2 * AGE_MAX);
        assert_eq!(network.payloads, before);
    }
}

#[test]
fn a_lossy_network_needs_more_messages_only() {
    for seed in 30..32 {
        let mut network = Network::new(60, None, seed);
        network.loss_percent = 20;
        network.broadcast(0, b"hello");
        network.run_for(Duration::from_secs(180));
        network.assert_all_heard(0, b"hello");
    }
}

#[test]
fn the_same_words_at_the_same_moment_are_one_broadcast() {
    let mut network = Network::new(5, None, 15);
    network.broadcast(0, b"hello");
    network.broadcast(0, b"hello");
    network.run_for(10 * SECOND);
    network.assert_all_heard(0, b"hello");
    assert_eq!(network.payloads, 4);
    network.broadcast(0, b"hello");
    network.run_for(10 * SECOND);
    assert!(network.heard.values().all(|heard| heard.len() == 2));
    let failed = |(_, event): &(NodeId, Event)| matches!(event, Event::BroadcastFailed(_));
    assert!(!network.events.iter().any(failed));
}
