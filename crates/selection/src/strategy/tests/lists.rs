//! The paper's actor list: what a verifier finds wrong with it, and what it costs.

use base::{Digest, Instant, NodeId, Rng};
use community::ContactError;
use crypto::{CertificateError, SigningKey};

use super::world::{SECOND, START, World, certified, people, plan};
use crate::strategy::*;
use crate::{DRAW_TOLERANCE, Misbehaviour};

fn world() -> World {
    World::new(Strategy::Paper, 40)
}

fn actors(count: usize) -> Vec<NodeId> {
    (20..20 + count)
        .map(|person| people().node(person))
        .collect()
}

fn selected(world: &World, list: SignedList) -> Selected {
    Selected {
        draw: world.draw(1),
        evidence: Evidence::Listed(Box::new(list)),
    }
}

/// Eight actors that nobody drew, by those whose word counts at this point.
fn good(world: &World, at: Instant) -> SignedList {
    let random = plan(5);
    let builders = world.builders(&random, world.setter(&random));
    world.list(random, actors(8), &builders, at)
}

fn verify(world: &World, list: SignedList, at: Instant) -> Result<usize, Breach> {
    let verified = selected(world, list).verify(&world.rules, at, plan(1));
    verified.map(|verified| verified.checks)
}

#[test]
fn costs_2k_whatever_the_number_of_actors() {
    let world = world();
    let builders = good(&world, START).signers.len();
    for count in [1, 8, 20] {
        let random = plan(5);
        let signers = world.builders(&random, world.setter(&random));
        let list = world.list(random, actors(count), &signers, START);
        assert_eq!(verify(&world, list, START), Ok(2 * builders));
    }
}

type Change = (fn(&World, &mut SignedList), Breach);

#[test]
fn each_flaw_of_a_list_is_found() {
    let changes: [Change; 12] = [
        (|_, list| list.actors.swap(0, 1), Breach::Signature),
        (
            |_, list| list.actors[0] = people().node(1),
            Breach::Signature,
        ),
        (
            |_, list| list.signers[0].signature = list.signers[1].signature,
            Breach::Signature,
        ),
        (
            |_, list| list.signers[0].at = START + SECOND,
            Breach::Signature,
        ),
        // Signed for another random, by nodes that are legitimate for both.
        (
            |world, list| {
                let builders = list.signers.iter().map(|s| s.certificate.node());
                let builders: Vec<_> = builders.collect();
                let other = world.list(plan(6), list.actors.clone(), &builders, START);
                list.signers = other.signers;
            },
            Breach::Signature,
        ),
        (
            |_, list| list.actors[0] = list.actors[1],
            Breach::DoubleSeat,
        ),
        (|_, list| list.actors.clear(), Breach::Seats),
        (
            |_, list| list.signers.swap(0, 1),
            Breach::Signers(Misbehaviour::Order),
        ),
        (
            |_, list| list.signers[1] = list.signers[0].clone(),
            Breach::Signers(Misbehaviour::Order),
        ),
        (
            |_, list| list.signers.truncate(1),
            Breach::Signers(Misbehaviour::NoSuchRow),
        ),
        (
            |_, list| list.signers.truncate(2),
            Breach::Signers(Misbehaviour::NotLegitimate),
        ),
        (
            |_, list| {
                let mut rng = Rng::from_number(5);
                let impostor = certified(&SigningKey::from_seed([9; 32]), &mut rng);
                let nearest = list.signers[0].certificate.location();
                assert_ne!(impostor.certificate.location(), nearest);
                list.signers[3].certificate = impostor.certificate.clone();
            },
            Breach::Certificate(ContactError::Certificate(CertificateError::UnknownIssuer)),
        ),
    ];
    let world = world();
    for (place, (change, breach)) in changes.into_iter().enumerate() {
        let mut list = good(&world, START);
        change(&world, &mut list);
        let found = verify(&world, list, START);
        // An impostor may sit out of order: then that is found first.
        let order = Err(Breach::Signers(Misbehaviour::Order));
        assert!(
            found == Err(breach) || place == 11 && found == order,
            "change {place}: {found:?}"
        );
    }
}

#[test]
fn stale_and_future_lists_are_refused() {
    let world = world();
    let list = good(&world, START);
    let tick = std::time::Duration::from_micros(1);
    for at in [START - DRAW_TOLERANCE, START + DRAW_TOLERANCE] {
        assert!(verify(&world, list.clone(), at).is_ok());
    }
    for at in [START - DRAW_TOLERANCE - tick, START + DRAW_TOLERANCE + tick] {
        assert_eq!(verify(&world, list.clone(), at), Err(Breach::Time));
    }
}

#[test]
fn a_relocation_is_the_word_of_those_around_the_abandoned_point() {
    let world = world();
    let random = plan(5);
    let builders = world.builders(&random, world.setter(&random));
    let signed = |random: &Digest, seats| {
        let bytes = Relocation::signed_bytes(random, seats, START);
        let signers = builders.iter();
        let signers =
            signers.map(|node| super::world::signer(*node, Relocation::DOMAIN, &bytes, START));
        Relocation {
            signers: signers.collect(),
        }
    };
    let check = |relocation: Relocation| {
        let mut checker = Checker::new(&world.rules, START);
        relocation.check(&random, 8, &mut checker)?;
        Ok(checker.made())
    };
    assert_eq!(check(signed(&random, 8)), Ok(2 * builders.len()));
    assert_eq!(check(signed(&random, 9)), Err(Breach::Signature));
    assert_eq!(check(signed(&plan(6), 8)), Err(Breach::Signature));
    // A list's signatures are no relocation's.
    let list = world.list(random, actors(8), &builders, START);
    let signers = list.signers;
    assert_eq!(check(Relocation { signers }), Err(Breach::Signature));
}

#[test]
fn a_list_on_a_relocated_point_needs_the_nodes_there() {
    let world = World::new(Strategy::Paper, 300);
    let random = plan(5);
    let moved = rehash(&random);
    let signers = world.builders(&moved, world.setter(&moved));
    assert!(verify(&world, world.list(moved, actors(8), &signers, START), START).is_ok());
}
