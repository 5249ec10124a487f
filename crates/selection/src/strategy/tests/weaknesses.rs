//! What colluders can do against each strategy, as the module's comment lists it: each is found to work.

use base::{Digest, NodeId};

use super::network::Network;
use super::world::{START, World, people, plan};
use crate::point_of;
use crate::strategy::*;

/// The colluders, by whom every seat should be held in the end.
fn friends(count: usize) -> Vec<NodeId> {
    (30..30 + count)
        .map(|person| people().node(person))
        .collect()
}

#[test]
fn a_trigger_or_a_setter_that_chooses_seats_its_friends() {
    let world = World::new(Strategy::CostOptimal, 40);
    let friends = friends(8);
    let certificates = friends.iter().map(|node| people().identity(*node));
    let picked = certificates.map(|of| of.certificate.clone()).collect();
    let selected = Selected {
        draw: world.draw(1),
        evidence: Evidence::Picked(picked),
    };
    assert!(selected.verify(&world.rules, START, plan(1)).is_ok());

    let random = world.random(1, START);
    let value = random.value();
    let setter = people().identity(world.setter(&value));
    let bytes = Choice::signed_bytes(&value, &friends, START);
    let choice = Choice {
        random,
        setter: setter.certificate.clone(),
        at: START,
        signature: setter.key.sign(Choice::DOMAIN, &bytes),
        actors: friends,
    };
    let selected = Selected {
        draw: world.draw(1),
        evidence: Evidence::EsNav(Box::new(choice)),
    };
    assert!(selected.verify(&world.rules, START, plan(1)).is_ok());
}

#[test]
fn a_friend_near_a_point_takes_the_seat_of_m_hash() {
    let world = World::new(Strategy::MHash, 300);
    let mut selected = Network::new(&world).draw(1, 8).unwrap();
    let Evidence::Hashed(random, actors) = &mut selected.evidence else {
        panic!("not hashed");
    };
    let mesh = &world.mesh;
    let points = points(&random.value(), 8);
    let seated: Vec<_> = actors.iter().map(|actor| actor.node()).collect();
    for (actor, point) in actors.iter_mut().zip(points) {
        // The second nearest.
        let second = mesh.nearest(point, |node| {
            node != actor.node() && !seated.contains(&node)
        });
        *actor = second.unwrap().certificate().clone();
    }
    assert!(
        selected
            .actors()
            .iter()
            .all(|actor| !seated.contains(actor))
    );
    assert!(selected.verify(&world.rules, START, plan(1)).is_ok());
}

#[test]
fn k_friends_that_sit_together_sign_whatever_they_like() {
    let world = World::new(Strategy::Paper, 300);
    // They look for any number whose point suits them: no verifier asks where it came from.
    let random = (0..).map(plan).find(|random| {
        let place = people().contact(people().node(30)).location();
        place.distance(point_of(random)) < 1 << 58
    });
    let random = random.unwrap();
    let around = world.builders(&random, people().node(0));
    let list = world.list(random, friends(8), &around, START);
    let selected = Selected {
        draw: world.draw(1),
        evidence: Evidence::Listed(Box::new(list)),
    };
    assert!(selected.verify(&world.rules, START, plan(1)).is_ok());
}

#[test]
fn a_list_serves_another_question() {
    for strategy in Strategy::ALL {
        let world = World::new(strategy, 40);
        let mut selected = Network::new(&world).draw(1, 8).unwrap();
        selected.draw.digest = plan(2);
        let verified = selected.verify(&world.rules, START, plan(2));
        assert!(verified.is_ok(), "{strategy}");
    }
}

#[test]
fn the_last_to_open_learns_the_random_first_and_may_fall_silent() {
    let world = World::new(Strategy::Paper, 40);
    let last = *world.witnesses().last().unwrap();
    // T plays along: the others' parts reach it before this one is asked to open.
    let mut parts = Vec::new();
    let mut network = Network::meddled(&world, |from, _, message| {
        let Message::Part(draw, part) = message else {
            return true;
        };
        if draw.attempt == 0 {
            parts.push(part.random);
        }
        draw.attempt > 0 || from != last
    });
    let selected = network.draw(1, 8).unwrap();
    // The random that it knew is gone, and another one came, at the price of one query of the trigger.
    assert_eq!(selected.draw.attempt, 1);
    let Evidence::Listed(list) = selected.evidence else {
        panic!("no list");
    };
    drop(network);
    assert_eq!(parts.len(), world.witnesses().len());
    assert_ne!(list.random, xor(&parts));
}

/// The paper has each node look for its own hash in L, and no one for a hash that is there twice.
#[test]
fn a_copied_commitment_cancels_the_honest_number() {
    let world = World::new(Strategy::Paper, 40);
    let witnesses = world.witnesses();
    let (trigger, draw) = (people().node(0), world.draw(1));
    let (honest, k) = (witnesses[0], witnesses.len() as u32);
    let mut network = Network::new(&world);
    let answers = network.say(trigger, honest, Message::Ask(draw, k));
    let [Message::Hash(_, copied)] = answers[..] else {
        panic!("{answers:?}");
    };
    // The trigger and the three others collude: two numbers that they choose, and the honest one's hash once more.
    let wanted = plan(42);
    let chosen = [plan(1), xor(&[plan(1), wanted])];
    let hashes = vec![
        copied,
        copied,
        commitment(&chosen[0]),
        commitment(&chosen[1]),
    ];
    let answers = network.say(trigger, honest, Message::Hashes(draw, hashes.clone()));
    let [Message::Part(_, part)] = &answers[..] else {
        panic!("{answers:?}");
    };
    // Now they know it, and say that the second of them had drawn the same.
    let randoms = [part.random, part.random, chosen[0], chosen[1]];
    let colluders = witnesses[1..].iter().zip(&randoms[1..]);
    let lies = colluders
        .map(|(node, random)| Part::sign(people().identity(*node), *random, &hashes, network.now));
    let random = CommittedRandom {
        trigger: people().identities[0].certificate.clone(),
        parts: [(**part).clone()].into_iter().chain(lies).collect(),
    };
    let mut checker = Checker::new(&world.rules, network.now);
    assert_eq!(random.check(&mut checker), Ok(wanted));
}

#[test]
fn a_trigger_may_choose_among_its_witnesses() {
    // The paper has any k of R1, so that those whom it asked so often before are not asked again.
    let world = World::with(Strategy::Paper, 40, |d| d.draws_per_period = 1);
    let mut network = Network::new(&world);
    let (trigger, k) = (people().node(0), world.witnesses().len() as u32);
    let others = (1..40).map(|person| people().node(person));
    let mut queries = 0;
    for (number, witness) in others.enumerate() {
        let mut draw = world.draw(number as u64);
        draw.attempt = number as u32;
        let answers = network.say(trigger, witness, Message::Ask(draw, k));
        queries += usize::from(matches!(answers[..], [Message::Hash(..)]));
    }
    assert_eq!(queries, 39);
}

#[test]
fn a_setter_asks_its_builders_again_until_it_likes_the_list() {
    let world = World::new(Strategy::Paper, 40);
    let request = Request {
        random: world.random(1, START),
        relocations: Vec::new(),
        seats: 8,
    };
    let random: Digest = request.value();
    let setter = world.setter(&random);
    let builders = world.builders(&random, setter);
    let mut network = Network::new(&world);
    let build = Message::Build(world.draw(1), Box::new(request), builders.len() as u32);
    let mut hashes = Vec::new();
    for _ in 0..20 {
        let answers = network.say(setter, builders[0], build.clone());
        let [Message::Commit(_, hash)] = answers[..] else {
            panic!("{answers:?}");
        };
        hashes.push(hash);
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 20, "another lot each time, and nobody counts");
}
