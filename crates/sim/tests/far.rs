//! A community in which nobody knows everybody: questions are broadcast, and helpers are looked up.

use std::collections::BTreeSet;

use base::{Duration, NodeId};
use node::{Message, Stage};
use sim::community::{Outcome, Settings, World};

const SQL: &str = "SELECT SUM(hours) FROM sleep";
const COLLECT: Duration = Duration::from_secs(12);

/// Of 161 nodes each knows about 64.
fn world(seed: u64) -> World {
    let mut settings = Settings::of(160);
    settings.colluders = 1;
    settings.cache_size = 64;
    let mut world = World::new(seed, &settings);
    world.meet();
    assert!(world.have_met());
    world
}

/// Whom the answer counts.
fn included(outcome: &Outcome) -> BTreeSet<NodeId> {
    let mut sets = outcome.sets.values().flat_map(|sets| sets.values());
    let set = sets.next().expect("a set is agreed on").clone();
    assert!(sets.all(|other| *other == set));
    set
}

#[test]
fn the_answer_is_exact_and_counts_everybody() {
    let mut world = world(1);
    let views = world.simulation.running();
    assert!(
        views
            .into_iter()
            .all(|(_, node)| !node.inner().overlay().view().is_whole())
    );
    let outcome = world.ask(SQL, COLLECT);
    let [answer] = &outcome.answers[..] else {
        panic!("{:?}", outcome.failures);
    };
    let everybody: BTreeSet<_> = world.people.iter().copied().collect();
    assert_eq!(included(&outcome), everybody);
    let (people, sum) = world.reference(&everybody);
    let figures = &answer.verified.answer;
    assert_eq!(
        (figures.people, figures.total().map(|t| t.units)),
        (people, Some(sum))
    );
    assert_eq!(outcome.accusations, []);
    // How many there are is a guess where not everybody is known.
    let told = outcome.stages.iter().find_map(|(_, stage)| match stage {
        Stage::Announced { nodes, .. } => Some(*nodes),
        _ => None,
    });
    assert!(
        (110..230).contains(&told.expect("it is announced")),
        "{told:?}"
    );
}

/// The asker tells few, and they tell the others.
#[test]
fn the_asker_does_not_tell_each_by_itself() {
    let mut world = world(2);
    let before = world.simulation.counters(world.asker).sent;
    world.put_for(Duration::from_secs(60), SQL, COLLECT);
    let until = world.simulation.now() + Duration::from_secs(20);
    world.run(until);
    let heard = world
        .people
        .iter()
        .filter(|node| world.open_questions(**node).len() == 1);
    assert_eq!(heard.count(), 160);
    let sent = world.simulation.counters(world.asker).sent - before;
    assert!(sent < 60, "{sent} messages, those of the upkeep included");
}

#[test]
fn helpers_and_neighbours_may_be_away() {
    let mut world = world(3);
    let away: BTreeSet<_> = world.people.iter().copied().step_by(23).collect();
    for node in &away {
        world.crash(*node);
    }
    let outcome = world.ask(SQL, COLLECT);
    let [answer] = &outcome.answers[..] else {
        panic!("{:?}", outcome.failures);
    };
    let set = included(&outcome);
    assert!(set.is_disjoint(&away));
    let present = 160 - away.len();
    assert!(set.len() + 3 >= present, "{} of {present}", set.len());
    let (people, sum) = world.reference(&set);
    let figures = &answer.verified.answer;
    assert_eq!(
        (figures.people, figures.total().map(|t| t.units)),
        (people, Some(sum))
    );
}

#[test]
fn a_published_answer_comes_round_the_ring() {
    let mut world = world(6);
    let outcome = world.ask(SQL, COLLECT);
    let answer = outcome.answers.first().expect("it is answered").clone();
    let (question, proof) = (answer.verified.question, answer.proof);
    let asker = world.asker;
    let publish = node::Command::Publish { question, proof };
    world.simulation.command(asker, publish);
    let outcome = world.run(world.simulation.now() + Duration::from_secs(30));
    assert_eq!(outcome.published.len(), 161, "each once");
    assert_eq!(outcome.accusations, []);
}

#[test]
fn all_hear_that_a_question_is_called_off() {
    let mut world = world(4);
    for person in world.people.clone() {
        world.set_consent(person, question::ConsentRule::Ask, None);
    }
    world.put_for(Duration::from_secs(600), SQL, COLLECT);
    let until = world.simulation.now() + Duration::from_secs(20);
    world.run(until);
    let asked = |world: &World| {
        let waiting = world
            .people
            .iter()
            .filter(|node| world.inbox(**node).len() == 1);
        waiting.count()
    };
    assert_eq!(asked(&world), 160);
    let question = *world.inbox(world.people[0]).first().expect("it was asked");
    world
        .simulation
        .command(world.asker, node::Command::Cancel(question));
    let until = world.simulation.now() + Duration::from_secs(20);
    world.run(until);
    assert_eq!(asked(&world), 0);
}

#[test]
fn a_later_epoch_comes_round_the_ring() {
    let mut world = world(7);
    let next = world
        .community
        .amend(&world.authority, |next| next.min_crowd += 1);
    let told = world.people[40];
    let amend = node::Command::Amend(vec![next.expect("it follows").signed().clone()]);
    world.simulation.command(told, amend);
    let until = world.simulation.now() + Duration::from_secs(20);
    world.run(until);
    let late = world.people.iter().filter(|node| world.epoch(**node) != 2);
    assert_eq!(late.count(), 0);
    // Everybody has started again, and they are one ring.
    world.meet();
    assert!(world.have_met());
}

/// What is broadcast is news of questions, or nothing.
#[test]
fn whoever_broadcasts_something_else_is_named() {
    let mut world = world(5);
    let (liar, victim) = (world.people[0], world.people[1]);
    let now = world.simulation.local_time(liar);
    for payload in [b"hello".to_vec(), base::encode(&Message::Open(Vec::new()))] {
        let identity = world.identity(liar);
        let announcement = overlay::broadcast::Announcement::new(identity, now, payload);
        let give = overlay::broadcast::Message::Give(announcement);
        let spread = overlay::Message::Spreading(overlay::spreading::Message::Broadcast(give));
        world
            .simulation
            .inject(world.people[2], victim, &Message::Overlay(1, spread));
        let until = world.simulation.now();
        let outcome = world.run(until);
        let named = outcome
            .accusations
            .iter()
            .any(|(by, whom, _)| (*by, *whom) == (victim, liar));
        assert!(named, "{:?}", outcome.accusations);
    }
}

/// As after a power cut: each knows one other, and many have joined through somebody who was no member yet. Islands that form
/// in the first seconds find the others.
#[test]
fn all_who_start_at_one_moment_become_one_ring() {
    for seed in [1, 2, 4, 6] {
        drop(world(seed));
    }
}
