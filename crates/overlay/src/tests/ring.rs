//! Regions that are real: caches equal the truth whatever happens, and everything is found.

use std::collections::BTreeSet;

use base::{Input, Location, NodeId, Rng};
use crypto::Operations;

use super::network::{LATENCY, Network, SECOND};
use super::world::World;
use crate::Standing;
use crate::membership;
use crate::ring::{Command, Event, say};

/// All join, so many at a time.
fn grow<'a>(world: &'a World, seed: u64, burst: usize, loss_percent: u64) -> Network<'a> {
    let mut network = Network::new(world, seed);
    network.loss_percent = loss_percent;
    for person in 0..world.people.len() {
        network.join(person, &[person / 2, person / 3]);
        if person % burst == burst - 1 {
            network.run_for(SECOND);
        }
    }
    network
}

impl Network<'_> {
    /// Looks for points from these nodes; answers how many questions and answers one after the other it took, on average
    /// and at most.
    fn find_from(&mut self, people: &[usize], rng: &mut Rng) -> (f64, u32) {
        self.events.clear();
        let truth = self.truth();
        let trip = 2 * LATENCY;
        let (mut all, mut most) = (0, 0);
        for &person in people {
            let target = Location(rng.number());
            let before = self.now;
            self.command(person, Command::Find(target));
            while self.found(target).is_none() {
                self.run_for(LATENCY);
            }
            let trips = (self.now.since(before).as_micros() / trip.as_micros()) as u32;
            (all, most) = (all + trips, most.max(trips));
            let nearest = truth.iter().map(|(place, node)| target.rank(*node, *place));
            let nearest = nearest.min().map(|(_, node)| node);
            assert_eq!(self.found(target), Some(nearest));
        }
        (f64::from(all) / people.len() as f64, most)
    }

    fn found(&self, target: Location) -> Option<Option<NodeId>> {
        self.events.iter().find_map(|(_, event)| match event {
            Event::Found(point, contact) if *point == target => Some(Some(contact[0].node())),
            Event::NotFound(point) if *point == target => Some(None),
            _ => None,
        })
    }
}

#[test]
fn small_communities_hold_everybody() {
    for (size, loss) in [(1, 0), (2, 0), (5, 0), (5, 5), (20, 0), (20, 5)] {
        let mut world = World::with(size, 1000, 3);
        world.descriptor.cache_size = 1000;
        let mut network = grow(&world, size as u64, 1, loss);
        network.heal(60);
        assert!(network.up().all(|(_, member)| member.cache().len() == size));
        network.find_from(&(0..size).collect::<Vec<_>>(), &mut Rng::from_number(2));
        // Three may collude, so four attest: with fewer others a node is founding for good.
        network.run_for(150 * SECOND);
        let settled = network.standing(Some(Standing::Settled));
        assert_eq!(settled, if size < 4 { 0 } else { size }, "of {size}");
        assert_eq!(network.errors(), 0);
        network.assert_nobody_is_blamed();
    }
}

#[test]
fn seventy_join_one_after_the_other() {
    let world = World::with_regions(70);
    let mut network = grow(&world, 1, 1, 0);
    network.heal(5);
    assert_eq!(network.standing(None), 0);
    network.run_for(100 * SECOND);
    assert_eq!(network.errors(), 0);
    let everybody: Vec<_> = (0..70).collect();
    let (mean, most) = network.find_from(&everybody, &mut Rng::from_number(2));
    // log2 of 70 / 20 is 2; with fingers on both sides, a hop and a last look at who is there.
    assert!(mean > 0.5 && mean < 3.0 && most <= 6, "{mean} {most}");
    // Where three do not sit close together, nobody can attest.
    let settled = network.standing(Some(Standing::Settled));
    assert!(settled >= 60, "{settled}");
    network.assert_nobody_is_blamed();
    let fingers = network.up().map(|(_, member)| member.view().fingers.len());
    assert!(fingers.max() <= Some(16));
}

/// Otherwise those who remember how it crashed would have it back before the others do, and attest different caches.
#[test]
fn a_newcomer_is_not_up_before_it_has_joined() {
    let world = World::with_regions(2);
    let mut network = Network::new(&world, 1);
    network.join(0, &[1]);
    let (newcomer, other) = (world.node(0), world.node(1));
    let ping = say(membership::Message::Ping);
    network.down.insert(other);
    let pongs = |network: &mut Network<'_>| {
        let before = network.kinds.get("pong").copied();
        let (from, message) = (other, ping.clone());
        network.input(newcomer, Input::Message { from, message });
        network.kinds.get("pong").copied() != before
    };
    assert!(!pongs(&mut network));
    // A member it is, when it founds a community.
    network.join(0, &[]);
    assert!(pongs(&mut network));
}

/// Who looks after its fingers asks nodes that it met before.
#[test]
fn nobody_is_checked_again_for_nothing() {
    // One colluder alone: any two nodes attest, so that all are soon settled.
    let mut world = World::with(40, 1000, 1);
    world.descriptor.cache_size = 280;
    let mut network = grow(&world, 6, 1, 0);
    // Since the last one joined, each node has come round all its fingers twice, one a minute.
    network.run_for(600 * SECOND);
    assert_eq!(network.standing(Some(Standing::Settled)), 40);
    let asked = network.kinds["near"];
    let ((), done) = Operations::of(|| network.run_for(120 * SECOND));
    assert!(network.kinds["near"] - asked > 2 * 2 * 40);
    assert_eq!(done.total(), 0);
    // But whoever starts again is, by all.
    network.join(7, &[3]);
    let ((), done) = Operations::of(|| network.run_for(120 * SECOND));
    assert!(done.checked > 2 * 40);
    network.assert_nobody_is_blamed();
}

#[test]
fn bursts_and_losses_end_in_true_caches() {
    let world = World::with_regions(50);
    let mut network = grow(&world, 3, 20, 5);
    let took = network.heal(90);
    assert!(took <= 75, "{took} s");
    network.find_from(&[1, 20, 40, 49], &mut Rng::from_number(4));
    network.assert_nobody_is_blamed();
}

#[test]
fn a_fifth_crashes_at_once() {
    let world = World::with_regions(40);
    let mut network = grow(&world, 5, 10, 5);
    network.heal(90);
    let mut rng = Rng::from_number(6);
    while network.down.len() < 8 {
        let victim = rng.below(40) as usize;
        network.crash(victim);
    }
    let took = network.heal(180);
    assert!(took <= 120, "{took} s");
    let up = (0..40).filter(|p| !network.down.contains(&world.node(*p)));
    let up: Vec<_> = up.step_by(10).collect();
    network.find_from(&up, &mut rng);
    network.assert_nobody_is_blamed();
}

#[test]
fn who_leaves_is_forgotten_at_once_and_taken_back_when_it_starts_again() {
    let world = World::with_regions(40);
    let mut network = grow(&world, 7, 10, 0);
    network.heal(60);
    let leaving = [7, 21, 30];
    for person in leaving {
        let told = network.kinds.get("farewell").copied().unwrap_or(0);
        network.command(person, Command::Leave);
        network.crash(person);
        // A hop for each octave of distance at most, of which forty nodes have five or six.
        network.run_for(4 * LATENCY);
        assert_eq!(network.errors(), 0);
        let messages = network.kinds["farewell"] - told;
        assert!(messages <= 40, "{messages}");
    }
    // Nothing brings them back but themselves.
    network.run_for(200 * SECOND);
    assert_eq!(network.errors(), 0);
    for person in leaving {
        network.join(person, &[0]);
    }
    network.heal(5);
    network.assert_nobody_is_blamed();
}

/// Those who would have passed on the words of some are among them.
#[test]
fn many_who_leave_at_one_moment_are_forgotten_within_seconds() {
    let world = World::with_regions(40);
    let mut network = grow(&world, 7, 10, 0);
    network.heal(60);
    for person in (0..40).step_by(4) {
        network.command(person, Command::Leave);
        network.crash(person);
    }
    let took = network.heal(30);
    assert!(took <= 5, "{took} s");
    network.assert_nobody_is_blamed();
}

#[test]
fn churn_ends_in_true_caches() {
    let world = World::with_regions(40);
    let mut network = grow(&world, 8, 10, 5);
    network.heal(90);
    let mut rng = Rng::from_number(9);
    for _ in 0..40 {
        let person = 1 + rng.below(39) as usize;
        if network.down.contains(&world.node(person)) {
            network.join(person, &[0, (person + 1) % 40]);
        } else if rng.below(3) == 0 {
            network.command(person, Command::Leave);
            network.crash(person);
        } else {
            network.crash(person);
        }
        network.run_for(2 * SECOND);
    }
    let took = network.heal(180);
    assert!(took <= 60, "{took} s");
    network.assert_nobody_is_blamed_but_for_churn();
}

#[test]
fn the_halves_of_a_cut_network_find_each_other_again() {
    let world = World::with_regions(30);
    let mut network = grow(&world, 10, 10, 0);
    network.heal(60);
    let west: BTreeSet<_> = (0..15).map(|person| world.node(person)).collect();
    let side = west.clone();
    network.cut = Some(Box::new(move |a, b| side.contains(&a) != side.contains(&b)));
    network.run_for(200 * SECOND);
    for (node, member) in network.up() {
        let others = member.cache().iter().map(|contact| contact.node());
        assert!(
            others
                .into_iter()
                .all(|other| west.contains(&other) == west.contains(&node))
        );
    }
    network.cut = None;
    let took = network.heal(120);
    assert!(took <= 60, "{took} s");
    network.assert_nobody_is_blamed();
}

/// A node that is told of a failure sees for itself.
#[test]
fn nobody_is_dropped_on_hearsay() {
    let world = World::with_regions(20);
    let mut network = grow(&world, 11, 5, 0);
    network.heal(60);
    let slandered = world.node(3);
    for person in (0..20).filter(|person| *person != 3) {
        let gone = membership::Message::Gone(slandered);
        network.send(world.node(5), world.node(person), &say(gone));
        let node = world.node(person);
        network.input(node, Input::Unreachable(slandered));
    }
    network.run_for(100 * SECOND);
    assert_eq!(network.errors(), 0);
    let dropped = |(_, event): &&(_, Event)| matches!(event, Event::Gone(_));
    assert_eq!(network.events.iter().filter(dropped).count(), 0);
}

#[test]
fn two_runs_from_one_seed_are_the_same() {
    let world = World::with_regions(20);
    let run = || {
        let mut network = grow(&world, 12, 10, 5);
        network.run_for(60 * SECOND);
        (network.messages, network.bytes, network.kinds)
    };
    let (one, other) = (run(), run());
    assert!(one == other && one.0 > 0);
}
