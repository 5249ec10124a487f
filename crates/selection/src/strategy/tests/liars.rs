//! Builders who lie to their setter, and setters who lie to their trigger, in the middle of a draw.

use super::network::Network;
use super::world::{SECOND, World, people, plan};
use crate::Failure;
use crate::strategy::*;

fn world() -> World {
    World::new(Strategy::Paper, 40)
}

/// One of the builders lies to the setter; the trigger's next attempt is made elsewhere, or with others.
fn draw_with_a_lying_builder(lie: impl Fn(&mut Message), breach: Breach) {
    let world = world();
    let mut liar = None;
    let mut network = Network::meddled(&world, |from, _, message| {
        if message.draw().attempt == 0 {
            let before = message.clone();
            if liar.is_none_or(|liar| liar == from) {
                lie(message);
            }
            if *message != before {
                liar = Some(from);
            }
        }
        true
    });
    let selected = network.draw(1, 8).unwrap();
    let accused = network.accusations();
    drop(network);
    assert_eq!(selected.draw.attempt, 1);
    assert_eq!(accused, [(liar.unwrap(), breach)]);
}

#[test]
fn a_setter_finds_a_lying_builder() {
    draw_with_a_lying_builder(
        |message| {
            if let Message::Open(_, opening, _) = message {
                opening.random.0[0] ^= 1;
            }
        },
        Breach::Opening,
    );
    draw_with_a_lying_builder(
        |message| {
            if let Message::Signed(_, at, _) = message {
                *at = *at + SECOND;
            }
        },
        Breach::Signature,
    );
    draw_with_a_lying_builder(
        |message| {
            if let Message::Signed(_, at, _) = message {
                *at = *at - 121 * SECOND;
            }
        },
        Breach::Time,
    );
    draw_with_a_lying_builder(
        |message| {
            if let Message::Signed(draw, at, signature) = message {
                *message = Message::Sparse(*draw, *at, *signature);
            }
        },
        Breach::OutOfTurn,
    );
    draw_with_a_lying_builder(
        |message| {
            if let Message::Open(draw, opening, _) = message {
                *message = Message::Commit(*draw, opening.random);
            }
        },
        Breach::OutOfTurn,
    );
}

#[test]
fn a_trigger_finds_a_lying_setter() {
    type Lie = (fn(&mut SignedList), Breach);
    let lies: [Lie; 4] = [
        (|list| list.random.0[0] ^= 1, Breach::OtherRandom),
        (
            |list| {
                list.actors.pop();
            },
            Breach::Seats,
        ),
        (|list| list.actors.swap(0, 1), Breach::Signature),
        (|list| list.actors[1] = list.actors[0], Breach::DoubleSeat),
    ];
    let world = world();
    for (lie, breach) in lies {
        let mut network = Network::meddled(&world, |_, _, message| {
            if let Message::List(draw, list) = message
                && draw.attempt == 0
            {
                lie(list);
            }
            true
        });
        let selected = network.draw(1, 8).unwrap();
        assert_eq!(selected.draw.attempt, 1);
        assert!(matches!(network.accusations()[..], [(_, what)] if what == breach));
    }
}

#[test]
fn a_setter_finds_a_bad_word_on_sparseness() {
    let world = world();
    let mut liar = None;
    let mut network = Network::meddled(&world, |from, _, message| {
        if let Message::Sparse(_, at, _) = message
            && liar.is_none()
        {
            *at = *at + SECOND;
            liar = Some(from);
        }
        true
    });
    assert_eq!(network.draw(1, 41), Err(Failure::TooFewCandidates));
    let accused = network.accusations();
    drop(network);
    assert_eq!(accused, [(liar.unwrap(), Breach::Signature)]);
}

#[test]
fn a_witness_opens_to_a_trigger_once() {
    let world = world();
    let [twice, silent, ..] = world.witnesses()[..] else {
        panic!("too few witnesses");
    };
    let mut network = Network::meddled(&world, |from, _, message| {
        from != silent || !matches!(message, Message::Part(..))
    });
    let trigger = people().node(0);
    let digest = plan(1);
    network.command(trigger, Command::Draw { digest, seats: 8 });
    let limit = network.now + SECOND;
    while network.step(limit) {}
    let mut sent = network.sent.iter();
    let part =
        sent.find(|(from, _, message)| *from == twice && matches!(message, Message::Part(..)));
    let (_, _, part) = part.cloned().unwrap();
    network.send(twice, trigger, part);
    assert!(network.draw(1, 8).is_ok());
    assert_eq!(network.accusations(), [(twice, Breach::OutOfTurn)]);
}

#[test]
fn who_was_not_asked_is_not_heard() {
    let world = world();
    let witnesses = world.witnesses();
    let mut others = (1..40).map(|person| people().node(person));
    let intruder = others.find(|node| !witnesses.contains(node)).unwrap();
    let mut network = Network::new(&world);
    let draw = world.draw(1);
    let digest = draw.digest;
    let trigger = draw.trigger;
    network.command(trigger, Command::Draw { digest, seats: 8 });
    network.send(intruder, trigger, Message::Hash(draw, digest));
    network.send(
        intruder,
        trigger,
        Message::Refused(draw, Refusal::TooManyDraws),
    );
    let selected = network.draw(1, 8).unwrap();
    assert_eq!((selected.draw.attempt, network.accusations()), (0, vec![]));
}
