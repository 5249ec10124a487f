//! Published answers: they reach all, also who was away, and what does not hold reaches nobody.

use std::collections::BTreeSet;

use base::{Digest, Duration, NodeId};
use node::{Answer, Command, Message, PUBLISHED_BYTES_MAX, Publication, PublishError};
use sim::community::{Outcome, Settings, World};
use sim::{Action, NetworkModel, PER_MILLION};

const SQL: &str = "SELECT AVG(hours) FROM sleep";

fn answered(seed: u64) -> (World, Answer) {
    let mut world = World::new(seed, &Settings::of(12));
    world.meet();
    let answer = ask(&mut world, SQL);
    (world, answer)
}

fn ask(world: &mut World, sql: &str) -> Answer {
    let outcome = world.ask(sql, Duration::from_secs(10));
    outcome.answers[0].clone()
}

fn publish(world: &mut World, by: NodeId, question: Digest, proof: Vec<u8>) {
    world
        .simulation
        .command(by, Command::Publish { question, proof });
}

fn run_for(world: &mut World, secs: u64) -> Outcome {
    world.run(world.simulation.now() + Duration::from_secs(secs))
}

fn told(outcome: &Outcome) -> BTreeSet<NodeId> {
    outcome.published.iter().map(|(node, _)| *node).collect()
}

#[test]
fn all_are_told_once_and_what_they_checked_themselves() {
    let (mut world, answer) = answered(1);
    let quiet = run_for(&mut world, 60);
    assert!(quiet.published.is_empty(), "nobody is told before");
    let question = answer.verified.question;
    let asker = world.asker;
    publish(&mut world, asker, question, answer.proof.clone());
    let outcome = run_for(&mut world, 30);
    assert_eq!(told(&outcome).len(), 13);
    assert_eq!(outcome.published.len(), 13, "each of them once");
    for (_, published) in &outcome.published {
        assert_eq!(
            (&published.verified, &published.proof),
            (&answer.verified, &answer.proof)
        );
    }
    assert!(outcome.accusations.is_empty(), "{:?}", outcome.accusations);
}

#[test]
fn who_was_away_gets_it_from_others_when_its_asker_is_gone() {
    let (mut world, answer) = answered(2);
    let (asker, away) = (world.asker, world.people[4]);
    world.crash(away);
    publish(&mut world, asker, answer.verified.question, answer.proof);
    let outcome = run_for(&mut world, 30);
    assert_eq!(told(&outcome).len(), 12);
    world.crash(asker);
    // What was fetched once outlives the processes that fetched it.
    for node in world.people.clone() {
        world.restart(node);
    }
    let outcome = run_for(&mut world, 300);
    assert_eq!(told(&outcome), BTreeSet::from([away]));
    assert!(outcome.accusations.is_empty(), "{:?}", outcome.accusations);
    // And on coming back the asker knows what it published.
    world.restart(asker);
    assert!(run_for(&mut world, 300).published.is_empty());
}

#[test]
fn who_publishes_before_it_knows_anybody_is_heard_later() {
    let (mut world, answer) = answered(6);
    let asker = world.asker;
    world.restart(asker);
    publish(&mut world, asker, answer.verified.question, answer.proof);
    let outcome = run_for(&mut world, 60);
    assert_eq!(told(&outcome).len(), 13);
    assert_eq!(outcome.published.len(), 13);
}

/// Its asker's laptop sleeps in the middle, and messages are lost for an hour.
#[test]
fn neither_sleep_nor_losses_keep_it_from_anybody() {
    let (mut world, answer) = answered(7);
    let asker = world.asker;
    publish(&mut world, asker, answer.verified.question, answer.proof);
    let sleep = Action::Pause(asker, Duration::from_secs(15));
    let soon = world.simulation.now() + Duration::from_millis(20);
    world.simulation.at(soon, sleep);
    let outcome = run_for(&mut world, 60);
    assert_eq!(told(&outcome).len(), 13);

    let other = ask(&mut world, "SELECT COUNT(*) FROM sleep");
    let lossy = NetworkModel {
        losses: PER_MILLION / 5,
        ..NetworkModel::INTERNET
    };
    world
        .simulation
        .at(world.simulation.now(), Action::Network(lossy));
    publish(&mut world, asker, other.verified.question, other.proof);
    let mut outcome = run_for(&mut world, 3600);
    let calm = Action::Network(NetworkModel::INTERNET);
    world.simulation.at(world.simulation.now(), calm);
    outcome.merge(run_for(&mut world, 4 * 3600));
    assert_eq!(told(&outcome).len(), 13);
    assert!(outcome.accusations.is_empty(), "{:?}", outcome.accusations);
}

/// A liar offers something, and gives what nobody may believe.
#[test]
fn what_does_not_hold_is_refused_and_who_gave_it_is_named() {
    let (mut world, answer) = answered(3);
    let other = ask(&mut world, "SELECT COUNT(*) FROM sleep");
    let (asker, question) = (world.asker, answer.verified.question);
    let key = world.identity(asker).key.clone();
    let changed = |at: usize| {
        let mut proof = answer.proof.clone();
        let len = proof.len();
        proof[at % len] ^= 1;
        Publication::new(&key, proof)
    };
    let lies = [
        (changed(answer.proof.len() - 9), "does not hold"),
        (Publication::new(&key, other.proof), "not of this question"),
        (Publication::new(&key, b"no proof".to_vec()), "no proof"),
        (
            Publication::new(&key, vec![0; PUBLISHED_BYTES_MAX + 1]),
            "bytes",
        ),
        // Its asker gave the proof to a friend, who shows it to all.
        (
            Publication::new(&world.identity(world.people[0]).key, answer.proof.clone()),
            "its asker has not published it",
        ),
    ];
    for (place, (lie, why)) in lies.into_iter().enumerate() {
        let (liar, victim) = (world.people[place], world.people[place + 6]);
        let mut say = |message| world.simulation.inject(liar, victim, &message);
        say(Message::Published(vec![question]));
        say(Message::Publication(Box::new(lie)));
        let outcome = run_for(&mut world, 5);
        assert!(outcome.published.is_empty(), "{why}");
        let [(by, whom, what)] = &outcome.accusations[..] else {
            panic!("{why}: {:?}", outcome.accusations)
        };
        assert_eq!((*by, *whom), (victim, liar));
        assert!(what.contains(why), "{what}");
    }
    // The true one reaches all of them all the same.
    publish(&mut world, asker, question, answer.proof);
    assert_eq!(told(&run_for(&mut world, 30)).len(), 13);
}

#[test]
fn only_its_asker_publishes_an_answer_and_only_with_its_proof() {
    let (mut world, answer) = answered(4);
    let (asker, other) = (world.asker, world.people[0]);
    let question = answer.verified.question;
    let mut changed = answer.proof.clone();
    let last = changed.len() - 9;
    changed[last] ^= 1;
    for (by, question, proof, why) in [
        (
            other,
            question,
            answer.proof.clone(),
            PublishError::NotTheAsker,
        ),
        (
            asker,
            Digest([7; 32]),
            answer.proof,
            PublishError::OtherQuestion,
        ),
        (asker, question, vec![1, 2, 3], PublishError::Bytes),
        (
            asker,
            question,
            vec![0; PUBLISHED_BYTES_MAX + 1],
            PublishError::TooLong(PUBLISHED_BYTES_MAX + 1),
        ),
    ] {
        publish(&mut world, by, question, proof);
        let outcome = run_for(&mut world, 5);
        assert_eq!(
            (outcome.unpublished, outcome.published),
            (vec![why], vec![])
        );
    }
    publish(&mut world, asker, question, changed);
    let outcome = run_for(&mut world, 5);
    assert!(matches!(outcome.unpublished[..], [PublishError::Proof(_)]));
    assert!(outcome.published.is_empty());
}

/// Who offers what there is not holds up others for as long as one answer may take.
#[test]
fn empty_offers_hold_nobody_up_for_long() {
    let (mut world, answer) = answered(5);
    let victim = world.people[3];
    let junk = |from: u8| {
        let names = (0..200u8).map(|number| Digest::of("junk", &[&[from, number]]));
        Message::Published(names.collect())
    };
    for place in 0..2 {
        let liar = world.people[place + 5];
        for _ in 0..3 {
            world.simulation.inject(liar, victim, &junk(place as u8));
        }
    }
    let asker = world.asker;
    publish(&mut world, asker, answer.verified.question, answer.proof);
    let outcome = run_for(&mut world, 75);
    assert!(told(&outcome).contains(&victim));
    assert!(outcome.accusations.is_empty(), "silence is no fault");
    // Neither is asking again and again answered for ever.
    let asks = Message::Fetch(answer.verified.question);
    for _ in 0..2000 {
        world.simulation.inject(victim, asker, &asks);
    }
    let before = world.simulation.counters(asker).sent;
    run_for(&mut world, 5);
    let sent = world.simulation.counters(asker).sent - before;
    assert!((200..300).contains(&sent), "{sent} were sent");
}
