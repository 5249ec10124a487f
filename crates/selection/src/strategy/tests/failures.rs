//! Nodes that fall silent, regions that are too sparse, and limits.

use base::NodeId;

use super::network::Network;
use super::world::{SECOND, START, World, people, plan};
use crate::Failure;
use crate::strategy::*;

/// The paper's strategy among forty, with one node dying when something is said for the first time.
fn draw_with_a_death(
    tells_unreachable: bool,
    of: impl Fn(NodeId, NodeId, &Message) -> Option<NodeId>,
) {
    let world = World::new(Strategy::Paper, 40);
    let dead = std::cell::Cell::new(None);
    let mut network = Network::meddled(&world, |from, to, message| {
        if dead.get().is_none() {
            dead.set(of(from, to, message));
        }
        // The dead say nothing.
        dead.get() != Some(from)
    });
    network.tells_unreachable = tells_unreachable;
    network.command(
        people().node(0),
        Command::Draw {
            digest: plan(1),
            seats: 8,
        },
    );
    let limit = network.now + 60 * SECOND;
    while network.step(limit) {
        network.down.extend(dead.get());
    }
    let drawn = network.events.iter().find_map(|(_, event)| match event {
        Event::Drawn(selected) => Some(selected),
        _ => None,
    });
    let selected = drawn.expect("drawn in spite of it");
    assert!(dead.get().is_some());
    assert_eq!(selected.draw.attempt, 1);
    let checked = selected.verify(&world.rules, network.now, plan(1));
    assert!(
        checked.is_ok() || checked == Err(Breach::Time),
        "{checked:?}"
    );
    assert_eq!(network.accusations(), []);
}

#[test]
fn a_dead_witness_costs_an_attempt() {
    for tells in [true, false] {
        draw_with_a_death(tells, |_, to, message| {
            matches!(message, Message::Ask(..)).then_some(to)
        });
        draw_with_a_death(tells, |_, to, message| {
            matches!(message, Message::Hashes(..)).then_some(to)
        });
    }
}

#[test]
fn a_dead_setter_costs_an_attempt() {
    for tells in [true, false] {
        draw_with_a_death(tells, |_, to, message| {
            matches!(message, Message::Set(..)).then_some(to)
        });
    }
    draw_with_a_death(false, |_, to, message| {
        matches!(message, Message::Signed(..)).then_some(to)
    });
}

#[test]
fn a_dead_builder_costs_an_attempt() {
    for tells in [true, false] {
        for step in 0..3 {
            draw_with_a_death(tells, |_, to, message| {
                let dies = match message {
                    Message::Build(..) => step == 0,
                    Message::Commits(..) => step == 1,
                    Message::Opens(..) => step == 2,
                    _ => false,
                };
                dies.then_some(to)
            });
        }
    }
}

#[test]
fn every_draw_ends() {
    for strategy in Strategy::ALL {
        for tells in [true, false] {
            let world = World::new(strategy, 40);
            let mut network = Network::new(&world);
            network.tells_unreachable = tells;
            let others = (1..40).map(|person| people().node(person));
            network.down = others.collect();
            let ended = network.draw(1, 8);
            match strategy {
                Strategy::CostOptimal => assert!(ended.is_ok()),
                _ => assert_eq!(ended, Err(Failure::TooManyAttempts), "{strategy}"),
            }
            assert!(network.now < START + 60 * SECOND);
        }
    }
}

#[test]
fn lookups_without_an_answer_end_the_draw() {
    for strategy in [Strategy::MHash, Strategy::EsAv, Strategy::Paper] {
        let world = World::sparse(strategy, 300, 0.1);
        let mut network = Network::new(&world);
        network.looks_up = false;
        let ended = network.draw(1, 32);
        // One of eight setters may lie where the trigger knows everyone.
        assert!(
            matches!(ended, Err(Failure::TooManyAttempts) | Ok(_)),
            "{ended:?}"
        );
        assert!(network.lookups > 0);
    }
}

/// A part of the ring in which eight have seats only sometimes.
fn relocated() -> (World, Vec<Selected>, usize) {
    let world = World::sparse(Strategy::Paper, 300, 0.03);
    let (mut selected, mut moves) = (Vec::new(), 0);
    for number in 0..8 {
        let mut network = Network::new(&world);
        match network.draw(number, 10) {
            Ok(drawn) => selected.push(drawn),
            Err(why) => assert_eq!(why, Failure::TooFewCandidates),
        }
        assert_eq!(network.accusations(), []);
        let sent = network.sent.iter();
        moves += sent
            .filter(|(_, _, message)| matches!(message, Message::Relocate(..)))
            .count();
    }
    (world, selected, moves)
}

#[test]
fn a_sparse_region_moves_the_draw() {
    let (world, selected, moves) = relocated();
    assert!(moves > 0 && !selected.is_empty());
    for selected in selected {
        let digest = selected.draw.digest;
        let verified = selected.verify(&world.rules, START, digest);
        let checks = selected.checks();
        assert_eq!(verified, Ok(Verified { checks }));
    }
}

#[test]
fn a_draw_moves_a_few_times_only() {
    let world = World::new(Strategy::Paper, 40);
    let mut network = Network::new(&world);
    assert_eq!(network.draw(1, 41), Err(Failure::TooFewCandidates));
    let sent = network.sent.iter();
    let moves = sent.filter(|(_, _, message)| matches!(message, Message::Relocate(..)));
    assert_eq!(moves.count(), RELOCATIONS_MAX + 1);
}

#[test]
fn a_trigger_finds_a_bad_relocation() {
    let world = World::new(Strategy::Paper, 40);
    let mut network = Network::meddled(&world, |_, _, message| {
        // A list's signatures are not about sparseness.
        if let Message::List(draw, list) = message.clone()
            && draw.attempt == 0
        {
            let signers = list.signers;
            *message = Message::Relocate(draw, Relocation { signers });
        }
        true
    });
    assert_eq!(network.draw(1, 8).unwrap().draw.attempt, 1);
    assert!(matches!(
        network.accusations()[..],
        [(_, Breach::Signature)]
    ));
}

#[test]
fn seats_have_limits() {
    for strategy in Strategy::ALL {
        let world = World::new(strategy, 40);
        let mut network = Network::new(&world);
        assert_eq!(network.draw(1, 0), Err(Failure::Seats));
        assert_eq!(network.draw(2, 5000), Err(Failure::Seats));
        let ended = network.draw(3, 41);
        match strategy {
            // Nobody finds a forty-first.
            Strategy::MHash => assert_eq!(ended, Err(Failure::TooManyAttempts)),
            _ => assert_eq!(ended, Err(Failure::TooFewCandidates), "{strategy}"),
        }
    }
}

#[test]
fn a_trigger_draws_so_often_per_period() {
    let world = World::with(Strategy::Paper, 40, |d| d.draws_per_period = 3);
    let mut network = Network::new(&world);
    for number in 0..3 {
        assert!(network.draw(number, 8).is_ok());
    }
    let refused = network.draw(3, 8);
    assert!(matches!(refused, Err(Failure::TooManyDraws(limit)) if limit.draws == 3));
}

#[test]
fn a_trigger_that_knows_too_few_learns_that_its_k_is_too_large() {
    // It has not heard of its neighbours, of whom two are enough.
    let world = World::with(Strategy::Paper, 40, |d| d.alpha = 0.03);
    assert_eq!(world.witnesses().len(), 2);
    let trigger = people().node(0);
    let region = world.rules.region(people().contact(trigger).location(), 2);
    let mut network = Network::new(&world);
    for neighbour in world.mesh.inside(&region.unwrap()) {
        network.command(trigger, Command::Forget(neighbour.node()));
    }
    assert_eq!(network.draw(1, 8), Err(Failure::TooFewWitnesses));
    let refused = |message: &Message| matches!(message, Message::Refused(_, Refusal::LargerK));
    assert!(network.sent.iter().any(|(_, _, message)| refused(message)));
}

#[test]
fn who_left_is_nobodys_witness() {
    let world = World::new(Strategy::Paper, 40);
    let mut network = Network::new(&world);
    let gone = world.witnesses()[0];
    for person in 0..40 {
        network.command(people().node(person), Command::Forget(gone));
    }
    network.draw(1, 8).unwrap();
    assert!(network.sent.iter().all(|(_, to, _)| *to != gone));
    // It comes back.
    let contact = std::sync::Arc::clone(people().contact(gone));
    network.command(people().node(0), Command::Know(contact));
    network.draw(2, 8).unwrap();
    assert!(network.sent.iter().any(|(_, to, _)| *to == gone));
}

#[test]
fn the_revoked_do_not_come_back() {
    let node = people().node(5);
    let world = World::with(Strategy::Paper, 40, |d| d.revoked = vec![node]);
    let mut network = Network::new(&world);
    let trigger = people().node(0);
    network.command(trigger, Command::Forget(node));
    let contact = std::sync::Arc::clone(people().contact(node));
    network.command(trigger, Command::Know(contact));
    assert!(!network.nodes[&trigger].cache().contains(node));
}
