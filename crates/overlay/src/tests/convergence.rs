//! All caches become equal, whatever is lost, and then there is quiet.

use base::Input;
use community::Contact;

use super::network::{Network, SECOND};
use super::world::{START, World, contact};
use crate::membership::{Message, TICK_IDLE};
use crate::ring::say;
use crate::ring::{Command, Event};

/// Bytes that a contact takes in a message, about.
const CONTACT_BYTES: u64 = 560;

impl Network<'_> {
    /// Seconds until all caches are equal.
    fn converge(&mut self, at_most: u32) -> u32 {
        (0..at_most)
            .find(|_| {
                self.run_for(SECOND);
                self.has_converged()
            })
            .unwrap_or_else(|| panic!("not within {at_most} s"))
    }
}

#[test]
fn one_bootstrap_brings_all_together() {
    for size in [2, 5, 40] {
        let world = World::new(size);
        let mut network = Network::new(&world, 1);
        network.start(size, &[0]);
        network.converge(2);
        let cache = network.member(size - 1).cache();
        assert_eq!(cache.len(), size);
        assert!((0..size).all(|person| {
            *cache.get(world.node(person)).unwrap().as_ref() == world.contact(person, START)
        }));
        // Everybody was told of everybody else, once.
        let known = network.events.iter();
        let known = known.filter(|(_, event)| matches!(event, Event::Known(_)));
        assert_eq!(known.count(), size * (size - 1));
        network.assert_nobody_is_blamed();
    }
}

#[test]
fn sixty_converge_fall_silent_and_take_in_a_newcomer() {
    let world = World::new(61);
    let mut network = Network::new(&world, 2);
    network.start(60, &[0]);
    network.converge(3);
    assert_eq!(network.member(45).cache().len(), 60);
    // No more than twice what it takes to tell everybody of everybody.
    assert!(
        network.bytes < 2 * 60 * 60 * CONTACT_BYTES,
        "{}",
        network.bytes
    );

    network.run_for(300 * SECOND);
    let (messages, _) = network.cost(|network| network.run_for(4 * TICK_IDLE));
    // Four comparisons, pings among the nearest, and some founding nodes that ask again.
    assert!(messages < 60 * 4 * 10, "{messages}");

    network.join(60, &[17]);
    let (_, bytes) = network.cost(|network| {
        network.converge(4);
    });
    // The newcomer hears of 60, they hear of one, and names are compared.
    assert!(bytes < 3 * 60 * (2 * CONTACT_BYTES + 60 * 9), "{bytes}");
    network.assert_nobody_is_blamed();
}

#[test]
fn a_fifth_of_the_messages_may_be_lost() {
    let world = World::new(15);
    for seed in 0..6 {
        let mut network = Network::new(&world, seed);
        network.loss_percent = 20;
        network.start(15, &[0]);
        network.converge(60);
    }
}

#[test]
fn late_joiners_become_known_to_all() {
    let world = World::new(12);
    let mut network = Network::new(&world, 3);
    network.start(8, &[0]);
    for person in 8..12 {
        network.run_for(100 * SECOND);
        network.join(person, &[person - 5]);
        network.converge(3);
        assert_eq!(network.member(0).cache().len(), person + 1);
    }
}

#[test]
fn one_bootstrap_of_three_is_enough() {
    let world = World::new(8);
    let mut network = Network::new(&world, 4);
    (2..8).for_each(|person| network.join(person, &[0, 1, 2]));
    // All are newcomers, so one of them founds.
    network.converge(20);
    assert_eq!(network.member(7).cache().len(), 6);
    // The others are still being tried, rarely, and found when they are back.
    network.run_for(100 * SECOND);
    network.join(0, &[]);
    network.join(1, &[]);
    network.converge(2 * TICK_IDLE.as_secs() as u32);
    assert_eq!(network.member(7).cache().len(), 8);
}

#[test]
fn a_member_alone_says_nothing() {
    let world = World::new(1);
    let mut network = Network::new(&world, 5);
    // Not even to itself.
    network.start(1, &[0]);
    network.run_for(3600 * SECOND);
    assert_eq!(network.messages, 0);
}

#[test]
fn new_addresses_reach_everybody() {
    let world = World::new(6);
    let mut network = Network::new(&world, 6);
    network.start(6, &[0]);
    network.run_for(60 * SECOND);
    network.join(3, &[1]);
    let issued = network.now;
    network.converge(3);
    for person in 0..6 {
        let cache = network.member(person).cache();
        assert_eq!(cache.get(world.node(3)).unwrap().issued(), issued);
    }
}

/// A node that says two things at one moment, to different members, must not keep them comparing for ever.
#[test]
fn two_words_of_one_moment_end_as_one() {
    let world = World::new(5);
    let mut network = Network::new(&world, 7);
    network.start(5, &[0]);
    network.run_for(60 * SECOND);
    let issued = network.now;
    for person in 0..4 {
        let word = contact(&world.people[4], World::address(person % 2), issued);
        let to = world.node(person);
        network.send(
            world.node(4),
            to,
            &say(Message::Hello(Box::new(word), None)),
        );
    }
    network.run_for(4 * TICK_IDLE);
    let held = |person| network.member(person).cache().get(world.node(4)).cloned();
    assert!((0..4).all(|person| held(person) == held(0) && held(0).unwrap().issued() == issued));
}

#[test]
fn expired_members_are_forgotten_without_blame() {
    let mut world = World::new(4);
    let expires = START + 50 * SECOND;
    world.people[3] = world.enrol(expires).into();
    let mut network = Network::new(&world, 9);
    network.start(4, &[0]);
    network.converge(2);
    assert_eq!(network.member(0).cache().len(), 4);
    network.down = [world.node(3)].into();
    network.run_for(50 * SECOND + TICK_IDLE);
    assert!(network.has_converged());
    assert_eq!(network.member(0).cache().len(), 3);
    network.assert_nobody_is_blamed();
}

#[test]
fn contacts_from_the_host_are_checked_too() {
    let mut world = World::new(3);
    let expired = world.enrol(START - SECOND);
    let mut network = Network::new(&world, 10);
    network.join(0, &[]);
    let bad = contact(&expired, World::address(9), START);
    let forged = super::peers::forged(&world.contact(1, START));
    let kept: Vec<Contact> = vec![
        forged,
        bad,
        world.contact(1, START),
        world.contact(2, START),
    ];
    network.input(world.node(0), Input::Command(Command::Know(kept)));
    assert_eq!(network.member(0).cache().len(), 3);
    let refused = |(_, event): &&(_, Event)| matches!(event, Event::Refused { .. });
    assert_eq!(network.events.iter().filter(refused).count(), 2);
}

#[test]
fn a_told_address_counts_until_the_node_gives_its_own() {
    let world = World::new(2);
    let mut network = Network::new(&world, 11);
    network.join(1, &[0]);
    let of = |network: &Network<'_>| network.member(1).addresses(world.node(0));
    assert_eq!(of(&network), [World::address(0)]);
    let elsewhere = contact(&world.people[0], World::address(7), START);
    network.command(1, Command::Know(vec![elsewhere]));
    assert_eq!(of(&network), [World::address(7)]);
    assert_eq!(network.member(1).addresses(world.authority.node()), []);
}
