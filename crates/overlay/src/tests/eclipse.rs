//! Colluders who want a newcomer to know only them, or not to know somebody.

use std::collections::BTreeSet;
use std::sync::Arc;

use base::{Duration, NodeId};
use community::{Contact, Identity};

use super::network::{Network, SECOND};
use super::world::{START, World};
use crate::attestation::{Attested, Entry, Listing};
use crate::breach::RingBreach;
use crate::membership::Message as Said;
use crate::ring::{Event, Message};
use crate::routing::Message as Asked;
use crate::{AtMost, Standing};

const SIZE: usize = 50;
const VICTIM: usize = SIZE - 1;

fn world() -> World {
    World::with_regions(SIZE)
}

/// Everybody but the victim is there, for long.
fn settled(world: &World) -> Network<'_> {
    let mut network = Network::new(world, 1);
    for person in 0..VICTIM {
        network.join(person, &[person / 2]);
        if person % 10 == 9 {
            network.run_for(SECOND);
        }
    }
    network.run_for(75 * SECOND);
    assert_eq!(network.errors(), 0);
    network
}

/// All but the victim, clockwise from it.
fn after_victim(world: &World) -> Vec<usize> {
    let place = |person: usize| world.people[person].certificate.location().0;
    let mut order: Vec<_> = (0..VICTIM).collect();
    order.sort_by_key(|person| place(*person).wrapping_sub(place(VICTIM)));
    order
}

/// The list without those who are not `kept`, signed by these.
fn forge(
    world: &World,
    listing: &Listing,
    kept: impl Fn(NodeId) -> bool,
    by: &[usize],
) -> Attested {
    let sits = |identity: &&Arc<Identity>, entry: &Entry| {
        identity.certificate.location() == entry.location
    };
    let mut entries = listing.entries.clone().into_inner();
    entries.retain(|entry| {
        let identity = world.people.iter().find(|identity| sits(identity, entry));
        kept(identity.expect("one of them").node())
    });
    let listing = Listing {
        entries: AtMost::first_of(entries),
        ..listing.clone()
    };
    let sign = |person: &usize| (world.node(*person), listing.sign(&world.people[*person]));
    let signatures = AtMost::first_of(by.iter().map(sign).collect());
    Attested {
        listing,
        signatures,
    }
}

impl Network<'_> {
    fn blamed(&self, victim: NodeId) -> Vec<(NodeId, RingBreach)> {
        let events = self.events.iter().filter(|(node, _)| *node == victim);
        let blamed = events.filter_map(|(_, event)| match event {
            Event::Misbehaved { node, what } => Some((*node, *what)),
            _ => None,
        });
        blamed.collect()
    }
}

/// As many as are assumed, wherever they sit: they show only each other, from the bootstrap on.
#[test]
fn a_newcomer_shown_only_colluders_never_settles_and_is_freed_by_one_honest_node() {
    let world = &world();
    let mut network = settled(world);
    let colluders = [10, 20, 30];
    let names = colluders.map(|person| world.node(person));
    let victim = world.node(VICTIM);
    network.lie = Some(Box::new(move |_, from, to, message| {
        if to != victim || !names.contains(&from) {
            return Some(message);
        }
        let only = |contact: &Contact| names.contains(&contact.node());
        Some(match message {
            Message::Routing(Asked::Nodes(target, _)) => {
                let all = colluders.map(|person| world.contact(person, START));
                Message::Routing(Asked::Nodes(target, AtMost::first_of(all.to_vec())))
            }
            Message::Membership(Said::Attested(attested)) => {
                let shown = |node: NodeId| names.contains(&node);
                let forged = forge(world, &attested.listing, shown, &colluders);
                Message::Membership(Said::Attested(Box::new(forged)))
            }
            Message::Membership(Said::Members(contacts)) => {
                let mut contacts = contacts.into_inner();
                contacts.retain(only);
                Message::Membership(Said::Members(AtMost::first_of(contacts)))
            }
            Message::Membership(Said::Have(_) | Said::Compare(_)) => return None,
            other => other,
        })
    }));
    network.join(VICTIM, &colluders);
    for _ in 0..15 {
        network.run_for(2 * SECOND);
        assert_ne!(network.member(VICTIM).standing(), Some(Standing::Settled));
    }
    // It starts again with one honest node among those that it is told of.
    network.join(VICTIM, &[10, 20, 30, 7]);
    network.run_for(30 * SECOND);
    assert_eq!(network.member(VICTIM).standing(), Some(Standing::Settled));
    assert_eq!(network.errors(), 0);
}

/// A successor that leaves somebody out has too few friends near it to attest that.
#[test]
fn a_neighbour_alone_cannot_hide_anybody() {
    let world = &world();
    let mut network = settled(world);
    let order = after_victim(world);
    let (liar, hidden) = (order[0], world.node(order[3]));
    let (victim, friends) = (world.node(VICTIM), [liar, order[20], order[40]]);
    let from_liar = world.node(liar);
    network.lie = Some(Box::new(move |_, from, to, message| match message {
        Message::Membership(Said::Attested(attested)) if from == from_liar && to == victim => {
            let forged = forge(world, &attested.listing, |node| node != hidden, &friends);
            Some(Message::Membership(Said::Attested(Box::new(forged))))
        }
        other => Some(other),
    }));
    network.join(VICTIM, &[0]);
    network.run_for(20 * SECOND);
    let member = network.member(VICTIM);
    assert_eq!(member.standing(), Some(Standing::Settled));
    assert!(member.cache().contains(hidden));
    assert_eq!(network.errors(), 0);
    let blamed = network.blamed(victim);
    assert!(!blamed.is_empty() && blamed.iter().all(|(node, _)| *node == from_liar));
}

/// More colluders around the successor than the k-table fears: the list holds, but the other side knows better.
#[test]
fn one_honest_side_is_enough_to_find_who_is_hidden() {
    let world = &world();
    let mut network = settled(world);
    let order = after_victim(world);
    let liars: Vec<_> = order[..5].to_vec();
    let names: BTreeSet<_> = liars.iter().map(|person| world.node(*person)).collect();
    let hidden = world.node(order[7]);
    let victim = world.node(VICTIM);
    let liars_nodes = names.clone();
    network.lie = Some(Box::new(move |_, from, to, message| match message {
        Message::Membership(Said::Attested(attested)) if names.contains(&from) && to == victim => {
            let attesters = &liars[..3];
            let forged = forge(world, &attested.listing, |node| node != hidden, attesters);
            Some(Message::Membership(Said::Attested(Box::new(forged))))
        }
        other => Some(other),
    }));
    network.join(VICTIM, &[0]);
    network.run_for(Duration::from_secs(60));
    let member = network.member(VICTIM);
    assert_eq!(member.standing(), Some(Standing::Settled));
    assert!(member.cache().contains(hidden));
    assert_eq!(network.errors(), 0);
    let blamed = network.blamed(victim);
    assert!(blamed.iter().all(|(node, _)| liars_nodes.contains(node)));
    assert!(
        blamed
            .iter()
            .any(|(_, what)| *what == RingBreach::Hides(hidden)),
        "{blamed:?}"
    );
}
