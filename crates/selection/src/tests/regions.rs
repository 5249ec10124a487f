//! Communities in which nobody knows everybody: far points, several committees, sparse regions.

use std::collections::BTreeSet;

use base::{NodeId, Region};

use super::network::{LONG, Network, wanted};
use super::world::{START, World, people, plan};
use crate::relocation::check_moves;
use crate::site::{COMMITTEES_MAX, MOVES_MAX, Site};
use crate::{ActorList, Command, Event, Failure, Message, Misbehaviour, Opening, Sparse, Wanted};

fn region(world: &World, list: &ActorList) -> Region {
    let site = list.body.site;
    world
        .rules
        .candidates(site.point(&list.body.random), site.committees)
}

fn lists(network: &Network<'_>) -> Option<Vec<ActorList>> {
    network.events.iter().find_map(|(_, event)| match event {
        Event::Drawn(lists) => Some(lists.clone()),
        _ => None,
    })
}

/// Draws so many committees for the first plan and waits for the end.
fn draw_committees(network: &mut Network<'_>, seats: u32, committees: u32) {
    network.announce_committees(plan(1), seats, committees, START);
    let wanted = Wanted {
        committees,
        ..wanted(1, seats)
    };
    network.command(people().node(0), Command::Draw(wanted));
    network.run_for(LONG);
}

#[test]
fn the_large_community_is_one() {
    let world = World::large();
    assert!(!world.rules.is_small());
    let everyone = people().cache(1000);
    let sizes: Vec<_> = (0..1000)
        .map(|person| world.cache_of(people().node(person), &everyone).len())
        .collect();
    assert!(sizes.iter().all(|size| (50..150).contains(size)));
    let expected = world.rules.candidates_expected(1);
    assert!((70.0..100.0).contains(&expected), "{expected}");
}

#[test]
fn a_far_point_is_looked_up_and_drawn_around() {
    let world = World::large();
    let mut found = 0;
    for number in 1..6 {
        let mut network = Network::new(&world);
        let list = network.draw(number, 20).unwrap();
        assert_eq!(list.verify(&world.rules, network.now, plan(number)), Ok(()));
        assert_eq!(network.accusations(), []);
        assert_eq!(list.body.site, Site::FIRST);
        assert_eq!(list.body.setter, world.setter(list.body.random, &[]));
        let region = region(&world, &list);
        let inside = |actor: &NodeId| region.contains(people().contact(*actor).location());
        assert!(list.actors().iter().all(inside));
        let is_search = |(_, event): &&(NodeId, Event)| matches!(event, Event::Find(_));
        found += network.events.iter().filter(is_search).count();
        assert_eq!(network.count(|m| matches!(m, Message::Refused(..))), 0);
    }
    // Nearly all points are far from the trigger.
    assert!((4..=5).contains(&found), "{found}");
}

#[test]
fn a_setter_that_is_away_is_replaced_at_a_far_point() {
    let world = World::large();
    let honest = Network::new(&world).draw(1, 20).unwrap();
    let nearest = honest.body.setter;
    let mut network = Network::new(&world);
    network.down.insert(nearest);
    // It was up when it was found.
    network.finds = false;
    network.start(1, 20);
    while !network
        .events
        .iter()
        .any(|(_, event)| matches!(event, Event::Find(_)))
    {
        assert!(network.step(START + LONG));
    }
    let point = Site::FIRST.point(&honest.body.random);
    let mut near = people()
        .cache(1000)
        .within(point, &Region::new(point, 1.0), |_| true);
    near.truncate(3);
    let answer = Command::Found(point, near);
    network.command(people().node(0), answer);
    let list = network.finish(1).unwrap();
    assert_eq!(list.body.random, honest.body.random);
    assert_eq!(list.body.setter, world.setter(list.body.random, &[nearest]));
    assert_eq!(network.accusations(), []);
}

#[test]
fn a_point_that_nobody_finds_costs_attempts_and_ends() {
    let world = World::large();
    let mut network = Network::new(&world);
    network.finds = false;
    // Some attempt may come upon a near point.
    let result = network.draw(1, 20);
    assert!(matches!(result, Err(Failure::TooManyAttempts)) || network.now > START);
    assert!(network.nodes[&people().node(0)].is_at_rest());
}

#[test]
fn several_committees_come_from_one_random_and_share_nobody() {
    let world = World::large();
    let mut network = Network::new(&world);
    draw_committees(&mut network, 15, 8);
    let lists = lists(&network).expect("eight lists");
    assert_eq!(network.accusations(), []);
    assert_eq!(lists.len(), 8);
    let randoms: BTreeSet<_> = lists.iter().map(|list| list.body.random).collect();
    assert_eq!(randoms.len(), 1);
    let actors: BTreeSet<_> = lists.iter().flat_map(|list| list.actors()).collect();
    assert_eq!(actors.len(), 8 * 15);
    for (committee, list) in (0..8).zip(&lists) {
        assert_eq!(list.verify(&world.rules, START, plan(1)), Ok(()));
        let site = Site {
            committee,
            ..Site::all(8).next().unwrap()
        };
        assert_eq!(list.body.site, site);
        let region = region(&world, list);
        let inside = |actor: &NodeId| region.contains(people().contact(*actor).location());
        assert!(list.actors().iter().all(inside));
    }
    // One random for all.
    assert_eq!(network.count(|m| matches!(m, Message::Setter(_))), 8);
}

#[test]
fn a_small_community_draws_several_committees_as_well() {
    let world = World::new(40);
    let mut network = Network::new(&world);
    draw_committees(&mut network, 3, 4);
    let lists = lists(&network).expect("four lists");
    let actors: BTreeSet<_> = lists.iter().flat_map(|list| list.actors()).collect();
    assert_eq!(actors.len(), 12);
}

#[test]
fn a_setter_whose_list_shares_an_actor_is_caught() {
    let world = World::new(40);
    // The second list is said to be the first one, put elsewhere: its signatures cannot hold.
    let mut first: Option<ActorList> = None;
    let mut network = Network::meddled(&world, move |_, _, message| {
        if let Message::List(list) = message {
            match &first {
                None => first = Some((**list).clone()),
                Some(other) => list.body.actors = other.body.actors.clone(),
            }
        }
        true
    });
    network.announce_committees(plan(1), 3, 2, START);
    let wanted = Wanted {
        committees: 2,
        ..wanted(1, 3)
    };
    network.command(people().node(0), Command::Draw(wanted));
    network.run_for(LONG);
    let caught = network.accusations();
    assert!(
        caught
            .iter()
            .any(|(_, _, what)| matches!(what, Misbehaviour::Signature | Misbehaviour::DoubleSeat))
    );
}

#[test]
fn numbers_that_no_draw_can_have() {
    let world = World::large();
    for (seats, committees, why) in [
        (20, 0, Failure::Committees),
        (20, COMMITTEES_MAX + 1, Failure::Committees),
        (0, 1, Failure::Seats),
        (101, 1, Failure::RegionTooSmall),
        (20, 100, Failure::RegionTooSmall),
    ] {
        let mut network = Network::new(&world);
        draw_committees(&mut network, seats, committees);
        let failed =
            |(_, event): &(NodeId, Event)| matches!(event, Event::Failed(_, w) if *w == why);
        assert!(network.events.iter().any(failed), "{seats} {committees}");
        assert_eq!(network.sent.len(), 0);
    }
}

/// As many seats as nodes are near a point on average: about half of the points have fewer.
fn relocated(world: &World) -> (ActorList, Vec<Sparse>, usize) {
    let seats = world.rules.candidates_expected(1) as u32;
    for number in 1.. {
        let mut network = Network::new(world);
        let Ok(list) = network.draw(number, seats) else {
            continue;
        };
        assert_eq!(list.verify(&world.rules, network.now, plan(number)), Ok(()));
        assert_eq!(network.accusations(), []);
        let evidence: Vec<_> = network
            .sent
            .iter()
            .filter_map(|(_, _, message)| match message {
                Message::Sparse(sparse) if sparse.body.draw == list.body.draw => {
                    Some((**sparse).clone())
                }
                _ => None,
            })
            .collect();
        if list.body.site.moves >= 1 {
            return (list, evidence, seats as usize);
        }
    }
    unreachable!("half of all draws move on")
}

#[test]
fn a_sparse_region_is_left_with_evidence() {
    let world = World::large();
    let (list, evidence, seats) = relocated(&world);
    let site = list.body.site;
    assert_eq!(evidence.len(), site.moves as usize);
    assert_eq!(list.actors().len(), seats);
    let draw = (list.body.draw, list.body.random);
    let check = |evidence: &[Sparse], seats, site| {
        check_moves(&world.rules, START, draw, seats, site, evidence)
    };
    let seats = seats as u32;
    assert_eq!(check(&evidence, seats, site), Ok(()));
    // Without evidence, with too much, or for other seats there is no move.
    assert_eq!(check(&[], seats, site), Err(Misbehaviour::Site));
    assert_eq!(
        check(&evidence, seats, Site::FIRST),
        Err(Misbehaviour::Site)
    );
    assert_eq!(check(&evidence, seats + 1, site), Err(Misbehaviour::Site));
    let far = Site {
        moves: MOVES_MAX + 1,
        ..site
    };
    assert_eq!(check(&evidence, seats, far), Err(Misbehaviour::Site));
    // Each part of the evidence is signed.
    let changed = |change: &dyn Fn(&mut Sparse)| {
        let mut evidence = evidence.clone();
        change(&mut evidence[0]);
        check(&evidence, seats, site)
    };
    assert_eq!(
        changed(&|sparse| sparse.body.at = START + super::world::SECOND),
        Err(Misbehaviour::Signature)
    );
    assert_eq!(
        changed(&|sparse| sparse.body.at = START + super::world::SECOND * 121),
        Err(Misbehaviour::Time)
    );
    assert_eq!(
        changed(&|sparse| sparse.body.random = plan(1)),
        Err(Misbehaviour::OtherDraw)
    );
    assert_eq!(
        changed(&|sparse| sparse.body.descriptor = plan(1)),
        Err(Misbehaviour::OtherDescriptor)
    );
    assert_eq!(
        changed(&|sparse| sparse.body.setter = people().node(0)),
        Err(Misbehaviour::Signature)
    );
    assert_eq!(
        changed(&|sparse| drop(sparse.builders.pop())),
        Err(
            match world
                .rules
                .table()
                .row(evidence[0].builders.len() as u32 - 1)
            {
                None => Misbehaviour::NoSuchRow,
                Some(_) => Misbehaviour::NotLegitimate,
            }
        )
    );
    assert_eq!(
        changed(&|sparse| sparse.builders.reverse()),
        Err(Misbehaviour::Order)
    );
}

#[test]
fn no_verifier_takes_a_list_at_another_site() {
    let world = World::large();
    let (list, ..) = relocated(&world);
    let number = list.body.draw.digest;
    for moves in [0, list.body.site.moves + 1, MOVES_MAX + 1] {
        let mut moved = list.clone();
        moved.body.site.moves = moves;
        assert!(moved.verify(&world.rules, START, number).is_err());
    }
    let mut split = list;
    split.body.site.committees = 2;
    split.body.site.committee = 2;
    assert_eq!(
        split.verify(&world.rules, START, number),
        Err(Misbehaviour::Site)
    );
}

/// A builder who names nodes from elsewhere is caught before anything is signed.
#[test]
fn candidates_from_elsewhere_are_refused() {
    let world = World::large();
    let honest = Network::new(&world).draw(1, 20).unwrap();
    let liar = honest.builders[0].certificate.node();
    let region = region(&world, &honest);
    let point = Site::FIRST.point(&honest.body.random);
    // The nearest one outside: everyone around knows it.
    let everyone = people().cache(1000);
    let everywhere = Region::new(point, 1.0);
    let sorted = everyone.within(point, &everywhere, |_| true);
    let stranger = sorted
        .iter()
        .find(|c| !region.contains(c.location()))
        .unwrap()
        .node();
    // Its own program sees what it has said itself.
    let false_commitment = Opening::commitment(&[stranger]);
    let mut own = None;
    let mut network = Network::meddled(&world, move |from, to, message| {
        match message {
            Message::Commit(_, commitment) if from == liar => {
                own = Some(std::mem::replace(commitment, false_commitment));
            }
            Message::Open(_, opening) if from == liar => opening.candidates = vec![stranger],
            Message::Commits(_, commitments) if to == liar => {
                let false_ones = commitments.iter_mut().filter(|c| **c == false_commitment);
                false_ones.for_each(|c| *c = own.expect("it has committed"));
            }
            _ => {}
        }
        true
    });
    network.start(1, 20);
    network.run_for(LONG);
    let caught = network.accusations();
    assert!(caught.contains(&(honest.body.setter, liar, Misbehaviour::Candidates)));
}
