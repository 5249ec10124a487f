//! Nodes that find nobody, or nobody any more.

use base::{Duration, Instant, NodeId};

use super::network::Network;
use super::world::World;
use crate::Standing;
use crate::ring::Command;

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_secs(3600);

/// The seconds in which a node that is told of one silent node asks, within an hour.
fn asked_in(seed: u64) -> Vec<u64> {
    let world = World::new(2);
    let mut network = Network::new(&world, seed);
    network.join(seed as usize % 2, &[(seed as usize + 1) % 2]);
    let seconds = (0..3600).filter(|_| {
        let (messages, _) = network.cost(|network| network.run_for(SECOND));
        messages > 0
    });
    seconds.collect()
}

#[test]
fn waits_grow_to_a_bound_and_differ_between_nodes() {
    let asked = asked_in(0);
    let waits: Vec<_> = asked.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(waits[..4].iter().all(|wait| *wait < 15), "{waits:?}");
    // Unreachable at once, or given up after three seconds; then a minute and up to a quarter more.
    let late = &waits[waits.len() - 10..];
    let (least, most) = (late.iter().min().unwrap(), late.iter().max().unwrap());
    assert!((60..=79).contains(least) && *most <= 79, "{late:?}");
    assert!(least < most, "{late:?}");
    assert_ne!(asked, asked_in(1));
}

#[test]
fn one_of_many_is_found_when_it_is_back() {
    let world = World::new(61);
    let told: Vec<_> = (1..61).collect();
    // Whoever is the one, it has its turn.
    for back in [1, 30, 60] {
        let mut network = Network::new(&world, 7);
        network.join(0, &told);
        network.run_for(HOUR);
        let (messages, _) = network.cost(|network| network.run_for(HOUR));
        assert!((60..=4000).contains(&messages), "{messages} in an hour");
        assert_eq!(network.member(0).standing(), None);
        network.join(back, &[]);
        network.converge_within(4 * 90);
        assert_eq!(network.member(0).cache().len(), 2);
    }
}

/// Who finds somebody and yet is not taken in at once does not wait as long as one who finds nobody.
#[test]
fn those_who_start_again_at_once_are_soon_members_again() {
    let world = World::with(3, 3, 1);
    let mut network = Network::new(&world, 9);
    network.start(3, &[0]);
    network.converge_within(60);
    for person in [1, 2] {
        network.crash(person);
        network.join(person, &[0]);
    }
    network.converge_within(120);
}

#[test]
fn a_member_that_has_lost_everybody_comes_back_when_it_is_told_of_somebody() {
    let world = World::with(30, 30, 1);
    let mut network = Network::new(&world, 8);
    network.start(30, &[0]);
    network.run_for(300 * SECOND);
    assert_eq!(network.member(3).standing(), Some(Standing::Settled));
    let others: Vec<_> = (0..30).filter(|person| *person != 3).collect();
    others.iter().for_each(|person| network.crash(*person));
    // So long that it remembers none of those who went.
    network.run_for(2 * HOUR);
    assert_eq!(network.member(3).cache().len(), 1);
    let (messages, _) = network.cost(|network| network.run_for(HOUR));
    assert!(
        messages <= 6,
        "every ten minutes whom it was told of: {messages}"
    );

    let told = |person: &usize| (world.node(*person), World::address(*person));
    let told: Vec<(NodeId, _)> = others.iter().map(told).collect();
    network.command(3, Command::Join(told));
    network.run_for(300 * SECOND);
    network.join(0, &[]);
    let back: Vec<_> = (1..20).filter(|person| *person != 3).collect();
    back.iter().for_each(|person| network.join(*person, &[0]));
    network.converge_within(300);
    assert_eq!(network.member(3).cache().len(), 20);
    network.assert_nobody_is_blamed_but_for_churn();
}

impl Network<'_> {
    /// Runs until all who are up know all who are up.
    fn converge_within(&mut self, seconds: u64) {
        let until: Instant = self.now + Duration::from_secs(seconds);
        while !self.has_converged() {
            assert!(self.now < until, "not within {seconds} s");
            self.run_for(SECOND);
        }
    }
}
