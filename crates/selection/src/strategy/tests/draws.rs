//! Each strategy, with nobody in its way.

use base::{decode, encode};

use super::network::Network;
use super::world::{SECOND, World, people, plan};
use crate::strategy::*;

fn world(strategy: Strategy, size: usize) -> World {
    // Who knows the whole ring needs no lookup; the full mesh is the point of one strategy.
    let partial = size == 300 && strategy != Strategy::SecurityOptimal;
    World::sparse(strategy, size, if partial { 0.3 } else { 1.0 })
}

#[test]
fn every_strategy_draws_and_convinces_at_its_cost() {
    for strategy in Strategy::ALL {
        for (size, seats) in [(40, 8), (300, 16)] {
            let world = world(strategy, size);
            let mut network = Network::new(&world);
            for number in 0..3 {
                let selected = network.draw(number, seats).unwrap();
                let digest = plan(number);
                let verified = selected.verify(&world.rules, network.now, digest);
                let checks = selected.checks();
                assert_eq!(verified, Ok(Verified { checks }), "{strategy} of {size}");
                assert_eq!(selected.strategy(), strategy);
                assert_eq!(selected.actors().len(), seats as usize);

                let other = selected.verify(&world.rules, network.now, plan(99));
                assert_eq!(other, Err(Breach::OtherDigest));
                let bytes = encode(&selected);
                assert_eq!(decode(&bytes, bytes.len()), Ok(selected));
            }
            assert_eq!(network.accusations(), []);
        }
    }
}

#[test]
fn costs_are_the_papers_and_what_it_leaves_out() {
    for strategy in Strategy::ALL {
        let world = world(strategy, 40);
        let selected = Network::new(&world).draw(1, 8).unwrap();
        let k = world.witnesses().len();
        let left_out = match strategy {
            Strategy::CostOptimal | Strategy::SecurityOptimal | Strategy::Paper => 0,
            Strategy::MHash => 1,
            Strategy::EsAv => 2,
            Strategy::EsNav => 3,
        };
        let paper = strategy.checks_of_paper(k, 3, 8);
        assert_eq!(selected.checks(), paper + left_out, "{strategy}");
    }
}

#[test]
fn who_knows_everyone_checks_less() {
    for (strategy, checks) in [(Strategy::CostOptimal, 0), (Strategy::SecurityOptimal, 4)] {
        let world = world(strategy, 40);
        let mut network = Network::new(&world);
        let selected = network.draw(1, 8).unwrap();
        let mesh = &world.mesh;
        let verify =
            |selected: &Selected| selected.verify_in_mesh(&world.rules, mesh, network.now, plan(1));
        assert_eq!(verify(&selected), Ok(Verified { checks }));
    }
    let world = world(Strategy::Paper, 40);
    let mut network = Network::new(&world);
    let selected = network.draw(1, 8).unwrap();
    let in_mesh = selected.verify_in_mesh(&world.rules, &world.mesh, network.now, plan(1));
    assert_eq!(in_mesh, selected.verify(&world.rules, network.now, plan(1)));
}

#[test]
fn far_points_are_looked_up_and_near_ones_are_not() {
    let world = World::sparse(Strategy::MHash, 300, 0.3);
    let mut network = Network::new(&world);
    network.draw(1, 64).unwrap();
    // Seven tenths of the points, and a few at the edge.
    assert!((30..64).contains(&network.lookups), "{}", network.lookups);

    let world = World::new(Strategy::MHash, 300);
    let mut network = Network::new(&world);
    network.draw(1, 64).unwrap();
    assert_eq!(network.lookups, 0);
}

#[test]
fn actors_of_a_paper_list_are_the_least_of_all_candidates() {
    let world = World::sparse(Strategy::Paper, 300, 0.2);
    let mut network = Network::new(&world);
    let Evidence::Listed(list) = network.draw(1, 16).unwrap().evidence else {
        panic!("no list");
    };
    let openings = network
        .sent
        .iter()
        .find_map(|(_, _, message)| match message {
            Message::Opens(_, openings, _) => Some(openings),
            _ => None,
        });
    let openings = openings.unwrap();
    let random = xor(openings.iter().map(|opening| &opening.random));
    let mut all: Vec<_> = openings
        .iter()
        .flat_map(|opening| opening.candidates.nodes().to_vec())
        .collect();
    let key = |node: &base::NodeId| xor([&base::Digest(node.0), &random]);
    all.sort_by_key(key);
    all.dedup();
    assert!((40..90).contains(&all.len()), "{}", all.len());
    assert_eq!(list.actors, all[..16]);

    let region = base::Region::new(crate::point_of(&list.random), 0.2);
    let places = list.actors.iter().map(|actor| people().contact(*actor));
    assert!(
        places
            .clone()
            .all(|actor| region.contains(actor.location()))
    );
}

#[test]
fn nodes_come_to_rest() {
    for strategy in Strategy::ALL {
        let world = world(strategy, 40);
        let mut network = Network::new(&world);
        network.draw(1, 8).unwrap();
        let later = network.now + 20 * SECOND;
        while network.step(later) {}
        let mut nodes = network.nodes.values();
        assert!(nodes.all(|node| node.is_at_rest(network.now)), "{strategy}");
    }
}

#[test]
fn two_draws_differ() {
    for strategy in Strategy::ALL {
        let world = world(strategy, 300);
        let mut network = Network::new(&world);
        let (one, other) = (network.draw(1, 16), network.draw(2, 16));
        assert_ne!(one.unwrap().actors(), other.unwrap().actors(), "{strategy}");
    }
}
