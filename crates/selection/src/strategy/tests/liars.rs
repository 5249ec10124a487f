//! Builders who lie to their setter, and setters who lie to their trigger, in the middle of a draw.

use super::network::Network;
use super::world::{SECOND, World};
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
