//! Bytes from peers: what is written is read, and nothing else is.

use base::{DecodeError, Digest, Input, NodeId, Rng, decode, encode};
use crypto::Signature;
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::network::Network;
use super::world::{SECOND, START, World, people, plan};
use crate::strategy::*;

const LIMIT: usize = 1 << 22;

/// One message of each kind, as said in draws.
fn spoken() -> Vec<Message> {
    let mut spoken: Vec<Message> = Vec::new();
    for (strategy, seats) in [
        (Strategy::Paper, 8),
        (Strategy::Paper, 41),
        (Strategy::EsAv, 8),
    ] {
        let world = World::new(strategy, 40);
        let mut network = Network::new(&world);
        let _ended = network.draw(1, seats);
        for (_, _, message) in network.sent {
            let kind = std::mem::discriminant(&message);
            if !spoken
                .iter()
                .any(|known| std::mem::discriminant(known) == kind)
            {
                spoken.push(message);
            }
        }
    }
    let draw = World::new(Strategy::Paper, 40).draw(1);
    spoken.push(Message::Refused(draw, Refusal::LargerK));
    spoken
}

#[test]
fn messages_are_read_as_they_were_written_and_not_when_cut() {
    let spoken = spoken();
    assert_eq!(spoken.len(), 16, "one of each kind");
    for message in spoken {
        let bytes = encode(&message);
        assert_eq!(decode(&bytes, bytes.len()).as_ref(), Ok(&message));
        for len in (0..bytes.len()).step_by(1 + bytes.len() / 40) {
            assert!(decode::<Message>(&bytes[..len], LIMIT).is_err());
        }
        let longer = [&bytes[..], &[0]].concat();
        assert_eq!(
            decode::<Message>(&longer, LIMIT),
            Err(DecodeError::NotCanonical)
        );
    }
}

#[test]
fn oversized_lists_are_refused() {
    let world = World::new(Strategy::Paper, 40);
    let draw = world.draw(1);
    let part = world.random(1, START).parts.remove(0);
    let certificate = part.certificate.clone();
    let signer = Signer {
        certificate: certificate.clone(),
        at: START,
        signature: Signature([0; 64]),
    };
    let opening = Opening {
        random: plan(1),
        candidates: Candidates::new([]),
    };
    let list = |actors: usize, signers| SignedList {
        random: plan(1),
        actors: (0..actors)
            .map(|number| NodeId(plan(number as u64).0))
            .collect(),
        signers: vec![signer.clone(); signers],
    };
    let request = |parts, relocations| Request {
        random: CommittedRandom {
            trigger: certificate.clone(),
            parts: vec![part.clone(); parts],
        },
        relocations: vec![Relocation { signers: vec![] }; relocations],
        seats: 1,
    };
    let set = |parts, relocations| Message::Set(draw, Box::new(request(parts, relocations)));
    let listed = |actors, signers| Message::List(draw, Box::new(list(actors, signers)));
    let relocate = |count| {
        Message::Relocate(
            draw,
            Relocation {
                signers: vec![signer.clone(); count],
            },
        )
    };
    let opens = |openings, shown| {
        let openings = vec![opening.clone(); openings];
        Message::Opens(draw, openings, vec![certificate.clone(); shown])
    };
    let open = |shown| Message::Open(draw, opening.clone(), vec![certificate.clone(); shown]);
    // The longest that is read and the shortest that is not.
    let pairs = [
        (set(1024, 0), set(1025, 0)),
        (set(0, RELOCATIONS_MAX), set(0, RELOCATIONS_MAX + 1)),
        (listed(4096, 0), listed(4097, 0)),
        (listed(0, 1024), listed(0, 1025)),
        (relocate(1024), relocate(1025)),
        (opens(1024, 0), opens(1025, 0)),
        (opens(0, 4096), opens(0, 4097)),
        (open(STRANGERS_MAX), open(STRANGERS_MAX + 1)),
        (
            Message::Hashes(draw, vec![plan(1); 1024]),
            Message::Hashes(draw, vec![plan(1); 1025]),
        ),
        (
            Message::Commits(draw, vec![plan(1); 1024]),
            Message::Commits(draw, vec![plan(1); 1025]),
        ),
    ];
    for (place, (longest, too_long)) in pairs.into_iter().enumerate() {
        assert!(
            decode::<Message>(&encode(&longest), LIMIT).is_ok(),
            "{place}"
        );
        let refused = decode::<Message>(&encode(&too_long), LIMIT);
        assert_eq!(refused, Err(DecodeError::Malformed), "{place}");
    }
}

fn named(bytes: &[u8]) -> Result<Candidates, DecodeError> {
    let mut encoded = vec![base::VERSION];
    minicbor::Encoder::new(&mut encoded).bytes(bytes).unwrap();
    decode(&encoded, LIMIT)
}

#[test]
fn candidates_are_a_set_in_one_encoding() {
    let (one, two) = ([1; 32], [2; 32]);
    let both = Candidates::new([NodeId(two), NodeId(one), NodeId(two)]);
    assert_eq!(named(&[one, two].concat()), Ok(both));
    for bad in [[two, one].concat(), [one, one].concat(), one[1..].to_vec()] {
        assert_eq!(named(&bad), Err(DecodeError::Malformed));
    }
    let many = |count: u64| -> Vec<u8> {
        let names = (0..count).map(|number| {
            let mut name = [0; 32];
            name[..8].copy_from_slice(&number.to_be_bytes());
            name
        });
        names.flatten().collect()
    };
    assert!(named(&many(4096)).is_ok());
    assert_eq!(named(&many(4097)), Err(DecodeError::Malformed));
}

proptest! {
    #[test]
    fn candidates_round_trip(names: Vec<[u8; 32]>) {
        let candidates = Candidates::new(names.iter().copied().map(NodeId));
        prop_assert!(names.iter().all(|name| candidates.contains(NodeId(*name))));
        prop_assert_eq!(decode(&encode(&candidates), LIMIT), Ok(candidates));
    }

    #[test]
    fn actors_are_the_least_by_key_and_random(
        lists in proptest::collection::vec(proptest::collection::vec(proptest::array::uniform32(0u8..), 0..20), 1..5),
        random: [u8; 32],
        seats in 1..30usize,
    ) {
        let candidates: Vec<_> = lists
            .iter()
            .map(|list| Candidates::new(list.iter().copied().map(NodeId)))
            .collect();
        let mut all: Vec<_> = lists.into_iter().flatten().collect();
        all.sort_by_key(|name| -> [u8; 32] { std::array::from_fn(|at| name[at] ^ random[at]) });
        all.dedup();
        let expected = (all.len() >= seats).then(|| {
            all[..seats].iter().copied().map(NodeId).collect::<Vec<_>>()
        });
        prop_assert_eq!(draw_actors(&Digest(random), &candidates, seats), expected);
    }
}

/// Nothing that a peer says makes a node panic, or keeps it from drawing afterwards.
#[test]
fn damaged_and_misplaced_messages_do_no_harm() {
    for strategy in [Strategy::Paper, Strategy::EsAv, Strategy::MHash] {
        let world = World::with(strategy, 40, |d| d.draws_per_period = 10_000);
        let mut network = Network::new(&world);
        network.draw(1, 8).unwrap();
        let recorded = std::mem::take(&mut network.sent);
        let mut rng = Rng::from_number(3);
        let mut read = 0;
        for step in 0..600 {
            if step % 100 == 0 {
                let draw = Command::Draw {
                    digest: plan(1000 + step),
                    seats: 8,
                };
                network.command(people().node(0), draw);
            }
            let (mut from, mut to, message) =
                recorded[rng.below(recorded.len() as u64) as usize].clone();
            let mut bytes = encode(&message);
            match rng.below(4) {
                0 => from = people().node(rng.below(300) as usize),
                1 => to = people().node(rng.below(40) as usize),
                _ => {
                    let at = 1 + rng.below(bytes.len() as u64 - 1) as usize;
                    bytes[at] = bytes[at].wrapping_add(1);
                }
            }
            if let Ok(message) = decode::<Message>(&bytes, LIMIT) {
                read += 1;
                network.input(to, Input::Message { from, message });
            }
            if rng.below(10) == 0 {
                let timers = [Timer::Setter(world.draw(1)), Timer::Trigger(plan(1))];
                network.input(to, Input::Timer(timers[rng.below(2) as usize]));
                network.input(to, Input::Unreachable(from));
            }
            while rng.below(3) != 0 && network.step(network.now + SECOND) {}
        }
        assert!(read > 200, "{read}");
        let later = network.now + 100 * SECOND;
        while network.step(later) {}
        assert!(network.draw(9999, 8).is_ok(), "{strategy}");
    }
}
