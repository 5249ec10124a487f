//! Members who lie to nodes in the middle of a question.

use std::collections::BTreeSet;

use aggregation::committee;
use base::{Duration, NodeId, decode};
use node::Message;
use sim::community::{Outcome, Settings, World};

const SQL: &str = "SELECT SUM(hours) FROM sleep";
const COLLECT: Duration = Duration::from_secs(10);

fn listening(seed: u64) -> World {
    let mut settings = Settings::of(14);
    settings.listen = true;
    let mut world = World::new(seed, &settings);
    world.meet();
    world
}

/// What a node has heard, with the senders.
fn heard(world: &World, node: NodeId) -> Vec<(NodeId, Message)> {
    let heard = world.simulation.node(&node).heard().iter();
    heard
        .map(|(from, bytes)| (*from, decode(bytes, 1 << 22).expect("it was sent")))
        .collect()
}

/// The call for contributions that this node has heard.
fn call(world: &World, node: NodeId) -> Message {
    let is_call = |(_, message): &(NodeId, Message)| matches!(message, Message::Collect(..));
    let call = heard(world, node).into_iter().find(is_call);
    call.expect("everybody is called").1
}

fn accused(outcome: &Outcome, whom: NodeId, words: &str) -> bool {
    let accusation =
        |(_, accused, what): &(_, NodeId, String)| *accused == whom && what.contains(words);
    outcome.accusations.iter().any(accusation)
}

/// Lets a member say something to another, and gives what came of it at once.
fn say(world: &mut World, from: NodeId, to: NodeId, message: &Message) -> Outcome {
    world.simulation.inject(from, to, message);
    let now = world.simulation.now();
    world.run(now)
}

#[test]
fn only_the_asker_calls_for_contributions_and_names_helpers() {
    let mut world = listening(1);
    world.put(SQL, COLLECT);
    let until = world.simulation.now() + Duration::from_secs(3);
    world.run(until);
    let (liar, victim) = (world.people[3], world.people[4]);
    let call = call(&world, victim);
    let Message::Collect(drawn, _) = call.clone() else {
        panic!("a call");
    };
    let asker = world.simulation.node(&world.asker).inner();
    let asker = Box::new(asker.own_contact().clone());
    for message in [call, Message::Seat(drawn, asker)] {
        let outcome = say(&mut world, liar, victim, &message);
        assert!(
            accused(&outcome, liar, "a node that does not ask it"),
            "{:?}",
            outcome.accusations
        );
    }
}

#[test]
fn a_call_with_other_keys_helpers_or_plan_is_refused() {
    let mut world = listening(2);
    world.put(SQL, COLLECT);
    let until = world.simulation.now() + Duration::from_secs(3);
    world.run(until);
    let asker = world.asker;
    let call = call(&world, world.people[0]);
    let Message::Collect(drawn, keys) = call else {
        panic!("a call");
    };
    // A newcomer to the question, so that nothing is known to it.
    let victim = world.people[5];
    world.restart(victim);
    let until = world.simulation.now() + Duration::from_secs(1);
    world.run(until);

    let mut refused = |message: &Message, words: &str| {
        let outcome = say(&mut world, asker, victim, message);
        assert!(
            accused(&outcome, asker, words),
            "{words}: {:?}",
            outcome.accusations
        );
    };
    let mut plan = drawn.clone();
    plan.plan.plan.min_crowd = 0;
    refused(
        &Message::Collect(plan, keys.clone()),
        "not signed by its asker",
    );
    let mut list = drawn.clone();
    list.list.body.actors.swap(0, 1);
    refused(
        &Message::Collect(list, keys.clone()),
        "a signature does not hold",
    );
    let mut fewer = keys.clone();
    fewer.pop();
    refused(
        &Message::Collect(drawn.clone(), fewer),
        "wrong number of parts",
    );
    let mut swapped = keys.clone();
    swapped.swap(0, 1);
    refused(
        &Message::Collect(drawn.clone(), swapped),
        "not for that seat to say",
    );
    let mut forged = keys;
    forged[2].body.public = forged[1].body.public;
    refused(
        &Message::Collect(drawn, forged),
        "a signature does not hold",
    );
}

#[test]
fn nobody_contributes_twice_not_even_after_a_restart() {
    let mut world = listening(3);
    world.put(SQL, COLLECT);
    let person = world.people[6];
    let end = world.simulation.now() + Duration::from_secs(40);
    let mut outcome = Outcome::default();
    // Killed and started again, over and over, while it is called and called again.
    while world.simulation.now() < end {
        let until = world.simulation.now() + Duration::from_millis(700);
        outcome.merge(world.run(until));
        world.restart(person);
    }
    let contributions: BTreeSet<_> = world
        .people
        .iter()
        .filter(|node| **node != person)
        .flat_map(|node| heard(&world, *node))
        .filter_map(|(from, message)| match message {
            Message::Committee(committee::Message::Bundle(_, bundle)) if from == person => {
                Some(format!("{bundle:?}"))
            }
            _ => None,
        })
        .collect();
    assert!(
        contributions.len() <= 1,
        "one contribution, however often it is handed over"
    );
    for answer in &outcome.answers {
        let set = outcome.sets.values().flat_map(|sets| sets.values()).next();
        let (count, sum) = world.reference(set.expect("an agreed set"));
        let answer = &answer.verified.answer;
        assert_eq!(
            (answer.people, answer.total().map(|total| total.units)),
            (count, Some(sum))
        );
    }
    assert_eq!(outcome.answers.len(), 1, "{:?}", outcome.failures);
}

#[test]
fn a_question_that_is_put_again_is_contributed_to_once() {
    let mut world = listening(4);
    let outcome = world.ask(SQL, COLLECT);
    assert_eq!(outcome.answers.len(), 1, "{:?}", outcome.failures);
    let (asker, person) = (world.asker, world.people[6]);
    let call = call(&world, person);
    let Message::Collect(drawn, _) = call.clone() else {
        panic!("a call");
    };
    let announced = Message::Announce(Box::new(drawn.plan.clone()));
    let contributed = |world: &World| {
        let others = world.people.iter().filter(|node| **node != person);
        let heard = others.flat_map(|node| heard(world, *node));
        let is_bundle = |(from, message): &(NodeId, Message)| {
            let is_bundle = matches!(message, Message::Committee(committee::Message::Bundle(..)));
            *from == person && is_bundle
        };
        heard.filter(is_bundle).count()
    };
    let before = contributed(&world);
    assert!(before > 0);
    // The very same words again: at once, after a restart, and when the time for it is long over.
    for wait in [0, 5, 7200] {
        if wait > 0 {
            world.restart(person);
        }
        let until = world.simulation.now() + Duration::from_secs(wait);
        world.run(until);
        let mut outcome = say(&mut world, asker, person, &announced);
        outcome.merge(say(&mut world, asker, person, &call));
        let until = world.simulation.now() + Duration::from_secs(5);
        outcome.merge(world.run(until));
        assert_eq!(contributed(&world), before, "after {wait} s");
        let late = accused(&outcome, asker, "the time for this question is over");
        assert_eq!(late, wait > 3600, "{:?}", outcome.accusations);
    }
}
