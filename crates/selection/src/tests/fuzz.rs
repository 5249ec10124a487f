//! Nothing that a peer says makes a node panic, or keeps it from drawing afterwards.

use base::{Input, NodeId, Rng, decode, encode};

use super::network::Network;
use super::world::{World, people, plan};
use crate::site::Site;
use crate::{Message, Timer};

/// What was said in an honest draw, in its bytes.
fn recorded(world: &World) -> Vec<(NodeId, NodeId, Vec<u8>)> {
    let mut network = Network::new(world);
    network.draw(1, 6).unwrap();
    let sent = network.sent.drain(..);
    sent.map(|(from, to, message)| (from, to, encode(&message)))
        .collect()
}

/// One to three bytes changed.
fn damage(bytes: &mut [u8], rng: &mut Rng) {
    for _ in 0..=rng.below(3) {
        let at = 1 + rng.below(bytes.len() as u64 - 1) as usize;
        bytes[at] = match rng.below(3) {
            0 => rng.number() as u8,
            1 => bytes[at] ^ (1 << rng.below(8)),
            _ => bytes[at].wrapping_add(1),
        };
    }
}

#[test]
fn damaged_and_misplaced_messages_do_no_harm() {
    let world = World::with(13, |d| d.draws_per_period = 1000);
    let recorded = recorded(&world);
    let mut rng = Rng::from_number(3);
    let mut network = Network::new(&world);
    network.announce(plan(1), 6, network.now);
    let mut read = 0;
    for step in 0..3000 {
        // Draws are under way meanwhile.
        if step % 300 == 0 {
            network.start(100 + step, 6);
        }
        let pick = |rng: &mut Rng| &recorded[rng.below(recorded.len() as u64) as usize];
        let (mut from, mut to, mut bytes) = pick(&mut rng).clone();
        match rng.below(4) {
            0 => from = people().node(rng.below(200) as usize),
            1 => to = people().node(rng.below(13) as usize),
            _ => damage(&mut bytes, &mut rng),
        }
        if let Ok(message) = decode::<Message>(&bytes, 1 << 20) {
            read += 1;
            network.input(to, Input::Message { from, message });
        }
        if rng.below(10) == 0 {
            let draw = world.draw(1, rng.below(2) as u32);
            let timers = [
                Timer::Probe,
                Timer::Setter(draw, Site::FIRST),
                Timer::Trigger(plan(1)),
            ];
            network.input(to, Input::Timer(timers[rng.below(3) as usize]));
            network.input(to, Input::Unreachable(from));
        }
        while rng.below(3) != 0 && network.step(network.now + super::world::SECOND) {}
    }
    assert!(read > 1000, "{read}");
    network.run_for(super::network::LONG);
    network.events.clear();
    let list = network.draw(9999, 6).unwrap();
    assert_eq!(list.verify(&world.rules, network.now, plan(9999)), Ok(()));
}
