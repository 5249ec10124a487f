//! Draws in which everybody does as told.

use std::collections::{BTreeMap, BTreeSet};

use base::{NodeId, encode};
use crypto::Operations;

use super::network::Network;
use super::world::{START, World, people, plan};
use crate::site::point_of;
use crate::{ActorList, Message};

/// Everything that a list promises, by looking at everyone.
fn check(world: &World, list: &ActorList, seats: usize) {
    // What is promised to whoever checks a list: 2k signature checks, and no other asymmetric operation.
    let (verified, cost) = Operations::of(|| list.verify(&world.rules, START, plan(1)));
    assert_eq!(verified, Ok(()));
    assert_eq!(
        (cost.checked, cost.total()),
        (list.checks() as u64, list.checks() as u64)
    );
    let actors: BTreeSet<_> = list.actors().iter().copied().collect();
    assert_eq!((actors.len(), list.actors().len()), (seats, seats));
    assert!(!actors.contains(&people().node(0)));
    let members: BTreeSet<_> = (0..world.size).map(|p| people().node(p)).collect();
    assert!(actors.is_subset(&members));
    for (place, actor) in list.actors().iter().enumerate() {
        assert_eq!(list.seat(*actor), Some(place));
    }
    assert_eq!(list.seat(people().node(0)), None);

    let setter = world.setter(list.body.random, &[]);
    assert_eq!(list.body.setter, setter);
    let builders: Vec<_> = list.builders.iter().map(|b| b.certificate.node()).collect();
    assert_eq!(builders, world.builders(list.body.random, setter, &[]));
    let k = builders.len();
    assert!(world.rules.table().row(k as u32).is_some());
    assert_eq!(list.checks(), 2 * k);
}

fn honest(world: &World, seats: u32) -> ActorList {
    let mut network = Network::new(world);
    let list = network.draw(1, seats).unwrap();
    check(world, &list, seats as usize);
    assert_eq!(network.accusations(), []);
    // At most 14 builders who each name 199 candidates.
    assert!(network.longest < 100_000);
    // Each witness is asked once, says one thing in each step, and nobody is probed.
    let k = list.builders.len();
    let tl = world.trigger_witnesses(&[]).len();
    for (kind, times) in [
        (
            &(|m: &Message| matches!(m, Message::Trigger(_))) as &dyn Fn(&Message) -> bool,
            tl,
        ),
        (&|m| matches!(m, Message::Part(..)), tl),
        (&|m| matches!(m, Message::Setter(_)), 1),
        (&|m| matches!(m, Message::Build(_)), k),
        (&|m| matches!(m, Message::Commit(..)), k),
        (&|m| matches!(m, Message::Commits(..)), k),
        (&|m| matches!(m, Message::Open(..)), k),
        (&|m| matches!(m, Message::Opens(..)), k),
        (&|m| matches!(m, Message::Signed(..)), k),
        (&|m| matches!(m, Message::List(_)), 1),
        (&|m| matches!(m, Message::Probe | Message::Refused(..)), 0),
    ] {
        assert_eq!(network.count(kind), times);
    }
    list
}

#[test]
fn thirteen_people_seat_up_to_twelve() {
    let world = World::new(13);
    // C = 3: any four of a small community include an honest one.
    assert_eq!(honest(&world, 1).builders.len(), 4);
    honest(&world, 6);
    let all = honest(&world, 12);
    let seated: BTreeSet<_> = all.actors().iter().copied().collect();
    assert!((1..13).all(|person| seated.contains(&people().node(person))));
}

#[test]
fn forty_people() {
    honest(&World::new(40), 15);
}

#[test]
fn two_hundred_people() {
    honest(&World::new(200), 60);
}

/// With a tenth of the community colluding, the witnesses sit in a region and not just anywhere.
#[test]
fn two_hundred_people_of_whom_twenty_collude() {
    let world = World::with(200, |d| d.colluders = 20);
    let list = honest(&world, 30);
    let k = list.builders.len();
    let row = *world.rules.table().row(k as u32).unwrap();
    assert!(k > 4 && row.region_size < 1.0);
    let region = world.rules.region(point_of(&list.body.random), k).unwrap();
    let mut builders = list.builders.iter();
    assert!(builders.all(|b| region.contains(b.certificate.location())));
}

#[test]
fn the_same_again_is_the_same_to_the_last_bit() {
    let world = World::new(40);
    let run = |number| {
        let mut network = Network::new(&world);
        let list = network.draw(number, 9).unwrap();
        (encode(&list), network.bytes, network.now)
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1).0, run(2).0);
}

#[test]
fn several_draws_at_once_do_not_disturb_each_other() {
    let world = World::new(40);
    let mut network = Network::new(&world);
    for number in 1..=5 {
        network.start(number, 9);
    }
    let lists: Vec<_> = (1..=5).map(|n| network.finish(n).unwrap()).collect();
    let alone: Vec<_> = (1..=5)
        .map(|n| Network::new(&world).draw(n, 9).unwrap())
        .collect();
    let actors = |lists: &[ActorList]| -> Vec<_> {
        lists.iter().map(|list| list.actors().to_vec()).collect()
    };
    assert_eq!(actors(&lists), actors(&alone));
    assert_eq!(network.accusations(), []);
}

#[test]
fn a_draw_that_is_under_way_is_not_started_again() {
    let world = World::new(13);
    let mut network = Network::new(&world);
    network.start(1, 5);
    network.start(1, 5);
    network.finish(1).unwrap();
    network.run_for(super::network::LONG);
    assert_eq!(network.count(|m| matches!(m, Message::Trigger(_))), 4);
    assert_eq!(network.count(|m| matches!(m, Message::List(_))), 1);
}

/// Over many plans everybody is drawn about as often: 40 plans of 6 seats are 20 seats for each of the twelve others.
#[test]
fn seats_are_spread_evenly() {
    let world = World::with(13, |d| d.draws_per_period = 1000);
    let mut network = Network::new(&world);
    let mut seats: BTreeMap<NodeId, u32> = BTreeMap::new();
    for number in 0..40 {
        let list = network.draw(number, 6).unwrap();
        for actor in list.actors() {
            *seats.entry(*actor).or_default() += 1;
        }
    }
    assert_eq!(seats.len(), 12);
    // Standard deviation: 3.2.
    assert!(seats.values().all(|n| (8..=32).contains(n)), "{seats:?}");
}
