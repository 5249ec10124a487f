//! A node that is told again what it was told says the same again; where it was told something else, it is found out.

use std::sync::Arc;

use base::{Duration, NodeId, decode};
use node::recording::{PIECE_MAX, Replay, ReplayError, Start};
use sim::community::{Settings, World};

const SQL: &str = "SELECT SUM(hours) FROM sleep";

/// A question in which the node whom `choose` names is recorded from its start on.
fn recorded(seed: u64, choose: impl Fn(&World) -> NodeId) -> (World, NodeId, Vec<Vec<u8>>) {
    let mut world = World::new(seed, &Settings::of(14));
    world.meet();
    let node = choose(&world);
    let pieces = world.record(node);
    world.meet();
    let outcome = world.ask(SQL, Duration::from_secs(8));
    assert_eq!(outcome.answers.len(), 1, "{:?}", outcome.failures);
    let pieces = pieces.lock().expect("nobody failed with it").clone();
    (world, node, pieces)
}

/// How many inputs and outputs there were.
fn replay(world: &World, node: NodeId, pieces: &[Vec<u8>]) -> Result<(u64, u64), ReplayError> {
    let start: Start = decode(&pieces[0], PIECE_MAX).expect("how it started");
    let mut replay = Replay::new(Arc::clone(world.identity(node)), start)?;
    for piece in &pieces[1..] {
        replay.play(piece)?;
    }
    Ok((replay.inputs(), replay.outputs()))
}

#[test]
fn askers_and_owners_say_the_same_again() {
    for choose in [(|world| world.asker) as fn(&World) -> NodeId, |world| {
        world.people[3]
    }] {
        let (world, node, pieces) = recorded(1, choose);
        let (inputs, outputs) = replay(&world, node, &pieces).unwrap();
        assert_eq!(inputs as usize, pieces.len() - 1);
        assert!(inputs > 50 && outputs > inputs, "{inputs} {outputs}");
    }
}

#[test]
fn what_was_told_otherwise_is_found_out() {
    let (world, node, pieces) = recorded(2, |world| world.people[5]);
    // One input less: the first message that made a difference.
    let mut least = None;
    for without in (1..pieces.len()).step_by(7) {
        let mut fewer = pieces.clone();
        fewer.remove(without);
        if let Err(why) = replay(&world, node, &fewer) {
            let found = matches!(why, ReplayError::Differs { .. } | ReplayError::Timer(_));
            assert!(found, "{why}");
            least.get_or_insert(why);
        }
    }
    assert!(least.is_some(), "no input mattered");
    let other = world.people[6];
    assert_eq!(
        replay(&world, other, &pieces),
        Err(ReplayError::OtherNode(node))
    );
    let mut garbled = pieces;
    garbled[9] = b"something else".to_vec();
    assert_eq!(
        replay(&world, node, &garbled),
        Err(ReplayError::Unreadable(9))
    );
}
