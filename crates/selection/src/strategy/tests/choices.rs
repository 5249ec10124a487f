//! What verifiers of the other strategies find, and what their triggers and setters accept.

use base::{Digest, NodeId};
use community::ContactError;
use crypto::{CertificateError, SigningKey};

use super::network::Network;
use super::world::{SECOND, START, World, certified, people, plan};
use crate::Misbehaviour;
use crate::strategy::*;

fn drawn(world: &World) -> Selected {
    Network::new(world).draw(1, 8).unwrap()
}

fn verify(world: &World, selected: &Selected) -> Result<Verified, Breach> {
    selected.verify(&world.rules, START, plan(1))
}

fn impostor() -> std::sync::Arc<community::Identity> {
    certified(
        &SigningKey::from_seed([9; 32]),
        &mut base::Rng::from_number(5),
    )
}

const FORGED: Breach =
    Breach::Certificate(ContactError::Certificate(CertificateError::UnknownIssuer));

#[test]
fn picked_actors_are_genuine_and_distinct() {
    let world = World::new(Strategy::CostOptimal, 40);
    let good = drawn(&world);
    let with = |change: fn(&mut Vec<crypto::Certificate>)| {
        let mut selected = good.clone();
        if let Evidence::Picked(actors) = &mut selected.evidence {
            change(actors);
        }
        let in_mesh = selected.verify_in_mesh(&world.rules, &world.mesh, START, plan(1));
        (verify(&world, &selected).unwrap_err(), in_mesh.unwrap_err())
    };
    let forged = with(|actors| actors[0] = impostor().certificate.clone());
    assert_eq!(forged, (FORGED, Breach::NotInMesh));
    let double = with(|actors| actors[0] = actors[1].clone());
    assert_eq!(double, (Breach::DoubleSeat, Breach::DoubleSeat));
    assert_eq!(with(Vec::clear), (Breach::Seats, Breach::Seats));
}

#[test]
fn ranked_actors_need_all_participants() {
    let world = World::new(Strategy::SecurityOptimal, 40);
    let good = drawn(&world);
    let with = |change: fn(&mut Vec<Part>)| {
        let mut selected = good.clone();
        if let Evidence::Ranked(parts, _) = &mut selected.evidence {
            change(parts);
        }
        verify(&world, &selected).unwrap_err()
    };
    let too_few = Breach::Signers(Misbehaviour::NoSuchRow);
    assert_eq!(with(|parts| drop(parts.pop())), too_few);
    let twice = Breach::Signers(Misbehaviour::Order);
    assert_eq!(with(|parts| parts[0] = parts[1].clone()), twice);
    assert_eq!(with(|parts| parts.swap(0, 1)), twice);
    assert_eq!(with(|parts| parts[2].random.0[0] ^= 1), Breach::Signature);
}

#[test]
fn participants_are_known_to_who_knows_everyone() {
    let world = World::new(Strategy::SecurityOptimal, 40);
    let selected = drawn(&world);
    let Evidence::Ranked(parts, _) = &selected.evidence else {
        panic!("not ranked");
    };
    let mut mesh = (*world.mesh).clone();
    mesh.remove(parts[2].node());
    let in_mesh = selected.verify_in_mesh(&world.rules, &mesh, START, plan(1));
    assert_eq!(in_mesh, Err(Breach::NotInMesh));
}

#[test]
fn only_who_knows_everyone_can_check_ranks() {
    let world = World::new(Strategy::SecurityOptimal, 40);
    let mut selected = drawn(&world);
    let names = selected.actors();
    let Evidence::Ranked(parts, actors) = &mut selected.evidence else {
        panic!("not ranked");
    };
    assert_eq!(
        by_rank(&world.mesh, &value_of(parts), 8),
        Some(names.clone())
    );
    let other = (0..40).map(|person| people().node(person));
    let other = other
        .into_iter()
        .find(|node| !names.contains(node))
        .unwrap();
    actors[3] = people().identity(other).certificate.clone();
    assert!(verify(&world, &selected).is_ok());
    let in_mesh = selected.verify_in_mesh(&world.rules, &world.mesh, START, plan(1));
    assert_eq!(in_mesh, Err(Breach::Rank));
}

/// What somebody does to a setter's choice.
fn changed(
    world: &World,
    drawn: &Selected,
    change: impl Fn(&mut Choice),
) -> Result<Verified, Breach> {
    let mut selected = drawn.clone();
    match &mut selected.evidence {
        Evidence::EsNav(choice) | Evidence::EsAv(choice, _) => change(choice),
        other => panic!("no choice: {other:?}"),
    }
    verify(world, &selected)
}

fn choice_with(world: &World, change: impl Fn(&mut Choice)) -> Result<Verified, Breach> {
    changed(world, &drawn(world), change)
}

/// Signed by somebody else, in his name.
fn usurp(choice: &mut Choice, by: NodeId) {
    let identity = people().identity(by);
    let bytes = Choice::signed_bytes(&choice.random.value(), &choice.actors, choice.at);
    choice.setter = identity.certificate.clone();
    choice.signature = identity.key.sign(Choice::DOMAIN, &bytes);
}

#[test]
fn each_flaw_of_a_setters_choice_is_found() {
    for strategy in [Strategy::EsNav, Strategy::EsAv] {
        let world = World::new(strategy, 300);
        let drawn = drawn(&world);
        let (Evidence::EsNav(choice) | Evidence::EsAv(choice, _)) = &drawn.evidence else {
            panic!("no choice");
        };
        let point = crate::point_of(&choice.random.value());
        let mesh = &world.mesh;
        let near = near_region(&world.rules, point, tolerance(&world.rules));
        let near: Vec<_> = mesh.inside(&near).map(|contact| contact.node()).collect();
        let far = mesh.iter().map(|contact| contact.node());
        let far = far.into_iter().find(|node| !near.contains(node)).unwrap();
        // Anyone near enough can say that he is the setter: 1e-6^(1/300) of the ring, some fourteen nodes.
        assert!((5..30).contains(&near.len()), "{}", near.len());
        for by in near {
            assert!(changed(&world, &drawn, |choice| usurp(choice, by)).is_ok());
        }
        let refused = changed(&world, &drawn, |choice| usurp(choice, far));
        assert_eq!(refused, Err(Breach::NotNear));

        let wrong = changed(&world, &drawn, |choice| choice.at = choice.at + SECOND);
        assert_eq!(wrong, Err(Breach::Signature));
        let late = changed(&world, &drawn, |choice| {
            choice.at = choice.at + 121 * SECOND
        });
        assert_eq!(late, Err(Breach::Time));
        let random = changed(&world, &drawn, |choice| {
            choice.random.parts[0].random.0[0] ^= 1
        });
        assert_eq!(random, Err(Breach::Signature));
        let forged = changed(&world, &drawn, |choice| {
            choice.setter = impostor().certificate.clone();
        });
        assert_eq!(forged, Err(FORGED));
    }
}

#[test]
fn actors_of_a_choice_are_genuine_only_where_they_are_verified() {
    let fakes: Vec<_> = (0..8u8).map(|number| NodeId([number; 32])).collect();
    let world = World::new(Strategy::EsNav, 40);
    let faked = choice_with(&world, |choice| {
        choice.actors.clone_from(&fakes);
        usurp(choice, choice.setter.node());
    });
    assert!(faked.is_ok());

    let world = World::new(Strategy::EsAv, 40);
    let faked = choice_with(&world, |choice| {
        choice.actors.clone_from(&fakes);
        usurp(choice, choice.setter.node());
    });
    assert_eq!(faked, Err(Breach::OtherActors));
    let mut selected = drawn(&world);
    if let Evidence::EsAv(choice, actors) = &mut selected.evidence {
        actors[2] = impostor().certificate.clone();
        choice.actors[2] = actors[2].node();
        usurp(choice, choice.setter.node());
    }
    assert_eq!(verify(&world, &selected), Err(FORGED));
}

#[test]
fn seats_of_a_choice_are_distinct() {
    let world = World::new(Strategy::EsNav, 40);
    let double = choice_with(&world, |choice| {
        choice.actors[0] = choice.actors[1];
        usurp(choice, choice.setter.node());
    });
    assert_eq!(double, Err(Breach::DoubleSeat));
    let none = choice_with(&world, |choice| choice.actors.clear());
    assert_eq!(none, Err(Breach::Seats));
}

#[test]
fn hashed_actors_are_near_their_points() {
    let world = World::new(Strategy::MHash, 300);
    let good = drawn(&world);
    let with = |change: &dyn Fn(&mut Vec<crypto::Certificate>)| {
        let mut selected = good.clone();
        if let Evidence::Hashed(_, actors) = &mut selected.evidence {
            change(actors);
        }
        verify(&world, &selected).unwrap_err()
    };
    assert_eq!(with(&|actors| actors.swap(0, 1)), Breach::NotNear);
    let forged = with(&|actors| {
        let mut rng = base::Rng::from_number(5);
        let forger = SigningKey::from_seed([9; 32]);
        let place = actors[0].location();
        let fakes = std::iter::repeat_with(|| certified(&forger, &mut rng));
        let mut fakes = fakes.map(|fake| fake.certificate.clone());
        actors[0] = fakes
            .find(|fake| fake.location().distance(place) < 1 << 57)
            .unwrap();
    });
    assert_eq!(forged, FORGED);
    assert_eq!(with(&|actors| actors.clear()), Breach::Seats);
}

#[test]
fn points_are_one_hash_after_the_other() {
    let random = plan(3);
    let [first, second] = points(&random, 2)[..] else {
        panic!("two points");
    };
    assert_eq!(first, base::Location::of(&rehash(&random)));
    assert_eq!(second, base::Location::of(&rehash(&rehash(&random))));
}

/// How a trigger takes a choice that somebody changed on the way.
fn draw_with_a_lying_setter(strategy: Strategy, lie: impl Fn(&mut Choice), breach: Breach) {
    let world = World::new(strategy, 40);
    let mut network = Network::meddled(&world, |_, _, message| {
        if let Message::Chosen(draw, choice, _) = message
            && draw.attempt == 0
        {
            lie(choice);
        }
        true
    });
    let selected = network.draw(1, 8).unwrap();
    assert_eq!(selected.draw.attempt, 1);
    assert!(matches!(network.accusations()[..], [(_, what)] if what == breach));
}

#[test]
fn a_trigger_finds_a_bad_choice() {
    type Lie = (fn(&mut Choice), Breach);
    let lies: [Lie; 6] = [
        (|choice| choice.actors.swap(0, 1), Breach::Signature),
        (
            |choice| choice.actors[0] = choice.actors[1],
            Breach::DoubleSeat,
        ),
        (|choice| choice.actors.truncate(7), Breach::Seats),
        (
            |choice| drop(choice.random.parts.pop()),
            Breach::OtherRandom,
        ),
        (
            |choice| usurp(choice, people().node(0)),
            Breach::OtherActors,
        ),
        (|choice| choice.at = choice.at - 121 * SECOND, Breach::Time),
    ];
    for (lie, breach) in lies {
        draw_with_a_lying_setter(Strategy::EsNav, lie, breach);
        draw_with_a_lying_setter(Strategy::EsAv, lie, breach);
    }
}

#[test]
fn an_honest_setter_does_not_choose_for_what_does_not_hold() {
    let world = World::new(Strategy::EsNav, 300);
    let request = |change: fn(&mut Request)| {
        let mut request = Request {
            random: world.random(1, START),
            relocations: Vec::new(),
            seats: 8,
        };
        change(&mut request);
        Box::new(request)
    };
    let (trigger, draw) = (people().node(0), world.draw(1));
    let setter = world.setter(&request(|_| ()).value());
    let far = people().contact(setter).location().0.wrapping_add(1 << 63);
    let far = world
        .mesh
        .nearest(base::Location(far), |_| true)
        .unwrap()
        .node();
    let refused = |to, change: fn(&mut Request), why| {
        let mut network = Network::new(&world);
        let answers = network.say(trigger, to, Message::Set(draw, request(change)));
        assert_eq!(answers, [Message::Refused(draw, why)]);
    };
    refused(far, |_| (), Refusal::Invalid);
    let forge: fn(&mut Request) = |request| request.random.parts[0].at = START + SECOND;
    refused(setter, forge, Refusal::Invalid);
    refused(setter, |request| request.seats = 301, Refusal::TooFew);
    refused(setter, |request| request.seats = 0, Refusal::TooFew);
}

#[test]
fn nodes_play_the_roles_of_their_own_strategy_only() {
    for strategy in Strategy::ALL {
        let world = World::new(strategy, 40);
        let request = Request {
            random: world.random(1, START),
            relocations: Vec::new(),
            seats: 8,
        };
        let (trigger, draw) = (people().node(0), world.draw(1));
        let near = world.setter(&request.value());
        let mut network = Network::new(&world);
        let set = Message::Set(draw, Box::new(request.clone()));
        let answers = network.say(trigger, near, set);
        let sets = [Strategy::EsNav, Strategy::EsAv, Strategy::Paper].contains(&strategy);
        let refused = [Message::Refused(draw, Refusal::Invalid)];
        assert_eq!(answers != refused, sets, "{strategy}");

        let mut network = Network::new(&world);
        let answers = network.say(trigger, near, Message::Build(draw, Box::new(request), 4));
        assert_eq!(
            answers != refused,
            strategy == Strategy::Paper,
            "{strategy}"
        );
    }
}

#[test]
fn an_honest_pick_favours_nobody() {
    let mesh = World::new(Strategy::CostOptimal, 10).mesh;
    let mut rng = base::Rng::from_number(3);
    let mut counts = std::collections::BTreeMap::<_, u32>::new();
    for _ in 0..2000 {
        for picked in pick(&mesh, 3, &mut rng).unwrap() {
            *counts.entry(picked.node()).or_default() += 1;
        }
    }
    assert_eq!(counts.len(), 10);
    assert!(
        counts.values().all(|count| (500..700).contains(count)),
        "{counts:?}"
    );
    assert!(pick(&mesh, 11, &mut rng).is_none());
}

#[test]
fn ranks_favour_nobody_and_are_distinct() {
    let mut counts = [0u32; 10];
    let mut random = plan(1);
    for _ in 0..2000 {
        random = Digest::of("next", &[&random.0]);
        let mut ranks = ranks(&random, 10, 3).unwrap();
        ranks.iter().for_each(|rank| counts[*rank] += 1);
        ranks.sort_unstable();
        ranks.dedup();
        assert_eq!(ranks.len(), 3);
    }
    assert!(
        counts.iter().all(|count| (500..700).contains(count)),
        "{counts:?}"
    );
    assert_eq!(ranks(&random, 10, 11), None);
    let mut all = ranks(&random, 10, 10).unwrap();
    all.sort_unstable();
    assert!(all.into_iter().eq(0..10));
}
