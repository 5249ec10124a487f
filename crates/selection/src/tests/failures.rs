//! Nodes die, messages are lost, caches differ, and too few are there: the draw goes on, or ends and says why.

use std::sync::Arc;

use base::{Duration, NodeId};

use super::network::wanted;
use super::network::{LONG, Network};
use super::world::{SECOND, START, World, people, plan};
use crate::{ActorList, Command, Event, Failure, Message, Selection};

/// A plan's number, and its list when all is well. No witness has two roles, so that each can be made to fail in one.
fn rehearse(world: &World) -> (u64, ActorList) {
    let witnesses = world.trigger_witnesses(&[]);
    let rehearsed = |number| (number, Network::new(world).draw(number, 9).unwrap());
    let disjoint = |(_, list): &(u64, ActorList)| {
        let setter = list.body.setter;
        let second = world.setter(list.body.random, &[setter]);
        let mut others = builders(list);
        others.extend([setter, second]);
        !others.iter().any(|node| witnesses.contains(node))
    };
    (1..).map(rehearsed).find(disjoint).unwrap()
}

fn builders(list: &ActorList) -> Vec<NodeId> {
    let builders = list.builders.iter();
    builders.map(|builder| builder.certificate.node()).collect()
}

/// The draw succeeds without these, nobody is blamed, and the list holds.
fn succeeds_without(network: &mut Network<'_>, number: u64, dead: &[NodeId]) -> ActorList {
    let list = network.finish(number).unwrap();
    let verified = list.verify(&network.world.rules, network.now, plan(number));
    assert_eq!(verified, Ok(()));
    assert!(!dead.contains(&list.body.setter));
    assert!(builders(&list).iter().all(|node| !dead.contains(node)));
    assert_eq!(network.accusations(), []);
    list
}

/// Whether senders are told that a node is down, or hear nothing.
fn both_ways(world: &World, run: impl Fn(Network<'_>)) {
    for tells_unreachable in [true, false] {
        let mut network = Network::new(world);
        network.tells_unreachable = tells_unreachable;
        run(network);
    }
}

#[test]
fn dead_witnesses_are_replaced_in_a_new_attempt() {
    let world = World::new(40);
    let witnesses = world.trigger_witnesses(&[]);
    for dead in [&witnesses[..1], &witnesses[2..3], &witnesses[..4]] {
        both_ways(&world, |mut network| {
            network.down.extend(dead);
            network.start(1, 9);
            let list = succeeds_without(&mut network, 1, dead);
            assert_eq!(list.body.draw.attempt, 1);
            assert!(network.now < START + SECOND * 5);
        });
    }
}

#[test]
fn a_dead_setter_is_replaced_by_the_next_nearest() {
    let world = World::new(40);
    let (number, honest) = rehearse(&world);
    let first = honest.body.setter;
    let second = world.setter(honest.body.random, &[first]);
    for dead in [&[first][..], &[first, second][..]] {
        both_ways(&world, |mut network| {
            network.down.extend(dead);
            network.start(number, 9);
            let list = succeeds_without(&mut network, number, dead);
            // Nobody got another random by it.
            assert_eq!(list.body.random, honest.body.random);
            assert_eq!(list.body.setter, world.setter(honest.body.random, dead));
        });
    }
}

#[test]
fn dead_builders_are_replaced_whenever_they_die() {
    let world = World::new(40);
    let (number, honest) = rehearse(&world);
    let doomed = builders(&honest)[1];
    let kinds: [fn(&Message) -> bool; 3] = [
        |m| matches!(m, Message::Build(_)),
        |m| matches!(m, Message::Commits(..)),
        |m| matches!(m, Message::Opens(..)),
    ];
    for kind in kinds {
        both_ways(&world, |mut network| {
            network.start(number, 9);
            die_at(&mut network, doomed, |_, to, m| to == doomed && kind(m));
            let list = succeeds_without(&mut network, number, &[doomed]);
            assert_eq!(list.body.random, honest.body.random);
            assert_eq!(list.body.setter, honest.body.setter);
            assert!(network.now < START + SECOND * 6);
        });
    }
}

#[test]
fn a_setter_that_dies_midway_is_replaced() {
    let world = World::new(40);
    let (number, honest) = rehearse(&world);
    let doomed = honest.body.setter;
    let kinds: [fn(&Message) -> bool; 3] = [
        |m| matches!(m, Message::Build(_)),
        |m| matches!(m, Message::Commits(..)),
        |m| matches!(m, Message::Opens(..)),
    ];
    for kind in kinds {
        both_ways(&world, |mut network| {
            network.start(number, 9);
            die_at(&mut network, doomed, |from, _, m| from == doomed && kind(m));
            succeeds_without(&mut network, number, &[doomed]);
        });
    }
}

/// In whatever role it is needed.
#[test]
fn who_has_not_heard_of_the_question_is_told_and_helps() {
    let world = World::new(40);
    let (number, honest) = rehearse(&world);
    let witness = world.trigger_witnesses(&[])[1];
    for deaf in [witness, honest.body.setter, builders(&honest)[1]] {
        let mut network = Network::new(&world);
        network.announce(plan(number), 9, START);
        network.restart(deaf);
        let draw = Command::Draw(wanted(number, 9));
        network.command(people().node(0), draw);
        let list = network.finish(number).unwrap();
        assert_eq!(list.body.draw.attempt, 1);
        let unheard = |event: &Event| matches!(event, Event::Unheard(_, node) if *node == deaf);
        let told = network.events.iter().filter(|(_, event)| unheard(event));
        assert_eq!(told.count(), 1);
        assert_eq!(network.accusations(), []);
    }
}

/// Runs until such a message is on its way, and kills the node.
fn die_at(
    network: &mut Network<'_>,
    doomed: NodeId,
    when: impl Fn(NodeId, NodeId, &Message) -> bool,
) {
    while !network.sent.iter().any(|(from, to, m)| when(*from, *to, m)) {
        assert!(network.step(START + LONG));
    }
    network.down.insert(doomed);
}

#[test]
fn a_quarter_of_the_community_is_away() {
    let world = World::new(40);
    for first in [1, 2, 3] {
        both_ways(&world, |mut network| {
            let dead: Vec<_> = (first..40).step_by(4).map(|p| people().node(p)).collect();
            network.down.extend(&dead);
            network.start(1, 9);
            succeeds_without(&mut network, 1, &dead);
        });
    }
}

/// Then somebody is thought away that is not: the next witnesses find out, and it is asked again.
#[test]
fn any_one_message_may_be_lost() {
    let world = World::new(40);
    let kinds: [fn(&Message) -> bool; 10] = [
        |m| matches!(m, Message::Trigger(_)),
        |m| matches!(m, Message::Part(..)),
        |m| matches!(m, Message::Setter(_)),
        |m| matches!(m, Message::Build(_)),
        |m| matches!(m, Message::Commit(..)),
        |m| matches!(m, Message::Commits(..)),
        |m| matches!(m, Message::Open(..)),
        |m| matches!(m, Message::Opens(..)),
        |m| matches!(m, Message::Signed(..)),
        |m| matches!(m, Message::List(_)),
    ];
    for (case, kind) in kinds.iter().enumerate() {
        let mut lost = 0;
        let mut network = Network::meddled(&world, |_, _, message| {
            lost += u32::from(kind(message));
            lost != 1 || !kind(message)
        });
        network.start(1, 9);
        succeeds_without(&mut network, 1, &[]);
        let passed = network.now.since(START);
        // Whoever was thought away was probed, and said otherwise.
        assert!(
            network.count(|m| matches!(m, Message::Alive)) > 0,
            "case {case}"
        );
        assert!(passed < SECOND * 12, "case {case}: {passed:?}");
    }
}

#[test]
fn a_trigger_that_lacks_a_witness_is_told_of_it() {
    let world = World::new(40);
    let mut network = Network::new(&world);
    let (trigger, nearest) = (people().node(0), world.trigger_witnesses(&[])[0]);
    network.forget(trigger, nearest);
    network.start(1, 9);
    let list = succeeds_without(&mut network, 1, &[]);
    assert_eq!(list.body.draw.attempt, 1);
    let heard = |event: &(NodeId, Event)| matches!(event, (node, Event::Heard(contact)) if *node == trigger && contact.node() == nearest);
    assert!(network.events.iter().any(heard));
}

#[test]
fn a_trigger_that_lacks_the_setter_is_told_of_it() {
    let world = World::new(40);
    let (number, honest) = rehearse(&world);
    let setter = honest.body.setter;
    let mut network = Network::new(&world);
    network.forget(people().node(0), setter);
    network.start(number, 9);
    assert_eq!(
        succeeds_without(&mut network, number, &[])
            .body
            .draw
            .attempt,
        1
    );
}

#[test]
fn a_witness_that_lacks_another_is_introduced() {
    let world = World::new(40);
    let witnesses = world.trigger_witnesses(&[]);
    let mut network = Network::new(&world);
    network.forget(witnesses[3], witnesses[0]);
    network.start(1, 9);
    let list = succeeds_without(&mut network, 1, &[]);
    assert_eq!(list.body.draw.attempt, 1);
    let known = &network.nodes[&witnesses[3]].context.cache;
    assert!(known.contains(witnesses[0]));
}

#[test]
fn a_witness_that_lacks_the_trigger_is_introduced() {
    let world = World::new(40);
    let witnesses = world.trigger_witnesses(&[]);
    let mut network = Network::new(&world);
    network.forget(witnesses[1], people().node(0));
    // The trigger knows itself.
    network.start(1, 9);
    assert_eq!(succeeds_without(&mut network, 1, &[]).body.draw.attempt, 1);
}

#[test]
fn a_builder_that_lacks_another_or_the_setter_is_introduced() {
    let world = World::new(40);
    let (number, honest) = rehearse(&world);
    let builders = builders(&honest);
    for lacking in [builders[0], honest.body.setter] {
        let mut network = Network::new(&world);
        network.forget(builders[2], lacking);
        network.start(number, 9);
        let list = succeeds_without(&mut network, number, &[]);
        assert_eq!(list.body.draw.attempt, 1);
        let known = &network.nodes[&builders[2]].context.cache;
        assert!(known.contains(lacking));
    }
}

#[test]
fn a_setter_that_lacks_a_builder_is_told_of_it_and_another_point_is_drawn() {
    let world = World::new(40);
    let (number, honest) = rehearse(&world);
    let mut network = Network::new(&world);
    network.forget(honest.body.setter, builders(&honest)[1]);
    network.start(number, 9);
    assert_eq!(
        succeeds_without(&mut network, number, &[])
            .body
            .draw
            .attempt,
        1
    );
    let known = &network.nodes[&honest.body.setter].context.cache;
    assert!(known.contains(builders(&honest)[1]));
}

#[test]
fn a_builder_that_lacks_an_actor_is_shown_its_certificate() {
    let world = World::new(40);
    let (number, honest) = rehearse(&world);
    let builders = builders(&honest);
    // One that the builder needs for nothing else.
    let mut actors = honest.actors().iter();
    let actor = actors.find(|actor| !builders.contains(actor) && **actor != honest.body.setter);
    let mut network = Network::new(&world);
    network.forget(builders[0], *actor.unwrap());
    network.start(number, 9);
    assert_eq!(succeeds_without(&mut network, number, &[]), honest);
    let shown = |m: &Message| matches!(m, Message::Opens(_, opened) if opened.contacts.len() == 1);
    assert_eq!(network.count(shown), builders.len());
}

#[test]
fn an_actor_that_neither_setter_nor_builder_knows_costs_an_attempt() {
    let world = World::new(40);
    let (number, honest) = rehearse(&world);
    let builders = builders(&honest);
    let mut actors = honest.actors().iter();
    let actor = *actors
        .find(|actor| !builders.contains(actor) && **actor != honest.body.setter)
        .unwrap();
    let mut network = Network::new(&world);
    network.forget(builders[0], actor);
    network.forget(honest.body.setter, actor);
    network.start(number, 9);
    assert_eq!(
        succeeds_without(&mut network, number, &[])
            .body
            .draw
            .attempt,
        1
    );
}

/// Ends as told, soon, and leaves nothing behind.
fn fails(network: &mut Network<'_>, seats: u32, why: Failure, within: Duration) {
    let began = network.now;
    assert_eq!(network.draw(1, seats), Err(why));
    let took = network.now.since(began);
    assert!(took <= within, "{took:?}");
    network.run_for(LONG);
    let sent = network.sent.len();
    network.run_for(LONG);
    assert_eq!(network.sent.len(), sent);
    assert!(network.nodes.values().all(Selection::is_at_rest));
}

#[test]
fn too_few_witnesses_are_known() {
    let world = World::new(13);
    let mut network = Network::new(&world);
    let trigger = people().node(0);
    for person in 4..13 {
        network.forget(trigger, people().node(person));
    }
    fails(&mut network, 2, Failure::TooFewWitnesses, Duration::ZERO);
    assert_eq!(network.sent.len(), 0);
}

#[test]
fn too_few_candidates_are_known() {
    let world = World::new(13);
    let mut network = Network::new(&world);
    fails(&mut network, 13, Failure::TooFewCandidates, Duration::ZERO);
    // The trigger may know more than those whom it asks.
    let trigger = people().node(0);
    let mut network = Network::new(&world);
    // Far away, so that it is not asked itself.
    let centre = people().contacts[0].location();
    let strangers = people().contacts[13..].iter();
    let farthest = strangers.max_by_key(|contact| centre.distance(contact.location()));
    let more = Arc::clone(farthest.unwrap());
    network.command(trigger, Command::Know(more));
    let told = |m: &Message| matches!(m, Message::Sparse(_));
    let result = network.draw(1, 13);
    assert!(matches!(
        result,
        Err(Failure::TooFewCandidates | Failure::TooManyAttempts)
    ));
    assert!(network.now < START + SECOND * 60);
    assert!(network.count(told) > 0);
}

#[test]
fn no_list_has_so_many_seats() {
    let world = World::new(13);
    for seats in [0, 4097, u32::MAX] {
        let mut network = Network::new(&world);
        fails(&mut network, seats, Failure::Seats, Duration::ZERO);
    }
}

#[test]
fn nobody_has_heard_of_the_question() {
    let world = World::new(13);
    let mut network = Network::new(&world);
    network.command(people().node(0), Command::Draw(wanted(1, 5)));
    assert_eq!(network.finish(1), Err(Failure::TooManyAttempts));
    assert!(network.now < START + SECOND * 10);
}

#[test]
fn a_question_that_spreads_late_is_waited_for() {
    let world = World::new(13);
    let mut network = Network::new(&world);
    network.command(people().node(0), Command::Draw(wanted(1, 5)));
    network.run_for(SECOND);
    network.announce(plan(1), 5, START);
    succeeds_without(&mut network, 1, &[]);
}

#[test]
fn everybody_is_away() {
    let world = World::new(40);
    both_ways(&world, |mut network| {
        network.down = (1..40).map(|person| people().node(person)).collect();
        fails(&mut network, 9, Failure::TooManyAttempts, SECOND * 30);
    });
}

#[test]
fn all_but_the_witnesses_are_away() {
    let world = World::new(40);
    let here = world.trigger_witnesses(&[]);
    both_ways(&world, |mut network| {
        network.down = (1..40).map(|person| people().node(person)).collect();
        network.down.retain(|node| !here.contains(node));
        // A minute, and a last wait for a setter.
        fails(&mut network, 9, Failure::TooManyAttempts, SECOND * 70);
    });
}

#[test]
fn six_of_thirteen_are_here_and_that_is_enough() {
    let world = World::new(13);
    both_ways(&world, |mut network| {
        // The trigger, a setter and four builders.
        let dead: Vec<_> = (6..13).map(|person| people().node(person)).collect();
        network.down.extend(&dead);
        network.start(1, 9);
        succeeds_without(&mut network, 1, &dead);
    });
}

#[test]
fn draws_are_limited_per_period_whatever_they_are_for() {
    let world = World::with(13, |d| d.draws_per_period = 5);
    let mut network = Network::new(&world);
    for number in 1..=5 {
        network.draw(number, 5).unwrap();
    }
    let Err(Failure::TooManyDraws(limit)) = network.draw(6, 5) else {
        panic!("the limit holds");
    };
    assert_eq!((limit.draws, limit.period_secs), (5, 3600));
    assert_eq!(network.accusations(), []);
    // What is told is true.
    let wait = limit.again_at.since(network.now);
    assert!(wait > Duration::ZERO && wait <= Duration::from_secs(3600));
    network.run_for(wait);
    network.draw(7, 5).unwrap();
}

/// A node that is gone is nobody's witness, and nobody probes it; when it is back it is one again.
#[test]
fn who_is_gone_is_not_waited_for() {
    let world = World::new(40);
    let gone = world.trigger_witnesses(&[])[0];
    let mut network = Network::new(&world);
    network.down.insert(gone);
    network.tells_unreachable = false;
    let forget = |network: &mut Network<'_>| {
        for person in 0..40 {
            network.command(people().node(person), Command::Forget(gone));
        }
    };
    forget(&mut network);
    let list = network.draw(1, 9).unwrap();
    assert!(!list.actors().contains(&gone));
    assert_eq!(network.count(|m| *m == Message::Probe), 0);
    assert!(network.now < START + SECOND);
    // Nobody forgets itself.
    network.command(people().node(1), Command::Forget(people().node(1)));
    network.down.clear();
    for person in 0..40 {
        let back = Arc::clone(people().contact(gone));
        network.command(people().node(person), Command::Know(back));
    }
    network.sent.clear();
    assert!(network.draw(2, 9).is_ok());
    let asked = network
        .sent
        .iter()
        .any(|(_, to, m)| *to == gone && matches!(m, Message::Trigger(_)));
    assert!(asked);
}
