//! Questions about which owners have hours to decide: asked, thought about, called off; through restarts of anybody.

use std::collections::BTreeSet;

use base::{Digest, Duration, NodeId};
use node::{Budget, Cancellation, Command, Failure, Message, Stage};
use question::{ConsentRule, LocalRow, Question, Rule, Rules};
use sim::community::{Outcome, Settings, World};

const SQL: &str = "SELECT AVG(hours) FROM sleep";
const HOUR: Duration = Duration::from_secs(3600);
const CONSENT: Duration = Duration::from_secs(3 * 3600);
const COLLECT: Duration = Duration::from_secs(10);
/// From the end of the time for consent to the end of the question.
const END: Duration = Duration::from_secs(90);

fn community(people: usize) -> World {
    let mut world = World::new(people as u64, &Settings::of(people));
    world.meet();
    world
}

fn run_for(world: &mut World, time: Duration) -> Outcome {
    world.run(world.simulation.now() + time)
}

/// The exact answer over so many people.
fn check(world: &World, outcome: &Outcome, included: usize) {
    assert_eq!(outcome.failures, []);
    assert!(outcome.accusations.is_empty(), "{:?}", outcome.accusations);
    let [answer] = outcome.answers.as_slice() else {
        panic!("{} answers", outcome.answers.len());
    };
    let mut sets = outcome.sets.values().flat_map(|sets| sets.values());
    let set = sets.next().expect("an answer is over an agreed set");
    let (count, sum) = world.reference(set);
    let figures = &answer.verified.answer;
    assert_eq!(figures.people, count);
    assert_eq!(figures.total().map(|total| total.units), Some(sum));
    assert_eq!(answer.verified.included, included as u64);
}

#[test]
fn owners_have_until_the_deadline() {
    let mut world = community(14);
    let asked = world.simulation.now();
    let owners = world.people.clone();
    for (place, owner) in owners.iter().enumerate() {
        // Two never answer, one says no, one is too late.
        let says = match place {
            0 | 1 => None,
            2 => Some(false),
            _ => Some(true),
        };
        world.set_consent(*owner, ConsentRule::Ask, says);
        world.set_pondering(*owner, Duration::from_secs(600 * place as u64));
    }
    world.set_pondering(owners[3], CONSENT + HOUR);
    world.put_for(CONSENT, SQL, COLLECT);
    let mut outcome = run_for(&mut world, CONSENT + END);
    outcome.merge(run_for(&mut world, HOUR * 2));
    check(&world, &outcome, 10);
    let verified = &outcome.answers[0].verified;
    assert_eq!((verified.declined, verified.away), (1, 3));
    let drawn = outcome
        .stages
        .iter()
        .find(|(_, stage)| matches!(stage, Stage::Drawn { .. }));
    assert!(
        drawn.expect("helpers were drawn").0 >= asked + CONSENT,
        "nobody is drawn earlier"
    );
}

#[test]
fn an_owner_may_think_again() {
    let mut world = community(12);
    world.put_for(CONSENT, SQL, COLLECT);
    let outcome = run_for(&mut world, Duration::from_secs(60));
    assert!(outcome.answers.is_empty());
    let question = asked(&world);
    // All have said yes by their rule.
    for (owner, yes) in [(0, false), (1, false), (1, true)] {
        let command = Command::Consent { question, yes };
        world.simulation.command(world.people[owner], command);
    }
    let outcome = run_for(&mut world, CONSENT + END);
    check(&world, &outcome, 11);
    assert_eq!(outcome.answers[0].verified.declined, 1);
}

/// The one question that somebody has been asked about, of which the rule may be yes.
fn asked(world: &World) -> Digest {
    let open = world.open_questions(world.people[0]);
    assert_eq!(open.len(), 1);
    open[0]
}

#[test]
fn everybody_may_restart_before_the_deadline() {
    let mut world = community(14);
    for owner in world.people.clone() {
        world.set_consent(owner, ConsentRule::Ask, Some(true));
    }
    world.put_for(CONSENT, SQL, COLLECT);
    run_for(&mut world, HOUR);
    let all: Vec<NodeId> = world.people.iter().copied().chain([world.asker]).collect();
    for node in &all {
        world.restart(*node);
        run_for(&mut world, Duration::from_secs(20));
    }
    let outcome = run_for(&mut world, CONSENT + END);
    check(&world, &outcome, 14);
    // What was kept for the question is forgotten; that each has contributed, or voted, is not.
    run_for(&mut world, HOUR * 3);
    for node in all {
        assert!(world.journal_len(node) <= 2, "{}", world.journal_len(node));
    }
}

#[test]
fn who_was_away_hears_of_it_on_coming_back() {
    let mut world = community(14);
    let away = world.people[4];
    world.crash(away);
    world.put_for(CONSENT, SQL, COLLECT);
    run_for(&mut world, HOUR);
    world.restart(away);
    run_for(&mut world, Duration::from_secs(60));
    assert_eq!(world.open_questions(away).len(), 1);
    let outcome = run_for(&mut world, CONSENT + END);
    check(&world, &outcome, 14);
}

#[test]
fn who_is_not_reached_at_first_is_told_again() {
    let mut world = community(14);
    let missed = world.people[4];
    world.swallow(world.asker, missed, Duration::from_secs(5));
    world.put_for(CONSENT, SQL, COLLECT);
    run_for(&mut world, Duration::from_secs(5));
    assert_eq!(world.open_questions(missed), []);
    run_for(&mut world, Duration::from_secs(10));
    assert_eq!(world.open_questions(missed).len(), 1);
    let outcome = run_for(&mut world, CONSENT + END);
    check(&world, &outcome, 14);
}

#[test]
fn who_is_away_at_the_deadline_is_away() {
    let mut world = community(14);
    world.put_for(CONSENT, SQL, COLLECT);
    // So shortly before that the others do not know of it yet.
    run_for(&mut world, CONSENT - Duration::from_secs(5));
    let away: BTreeSet<_> = world.people[..2].iter().copied().collect();
    for node in &away {
        world.crash(*node);
    }
    let outcome = run_for(&mut world, END);
    check(&world, &outcome, 12);
    assert_eq!(outcome.answers[0].verified.away, 2);
}

#[test]
fn the_asker_may_restart_while_people_contribute() {
    let mut world = community(14);
    // One is away, so that the collection lasts.
    world.crash(world.people[3]);
    world.put(SQL, COLLECT);
    let mut outcome = Outcome::default();
    while !outcome
        .stages
        .iter()
        .any(|(_, stage)| *stage == Stage::Collecting)
    {
        outcome.merge(run_for(&mut world, Duration::from_millis(50)));
    }
    outcome.merge(run_for(&mut world, Duration::from_millis(500)));
    world.restart(world.asker);
    outcome.merge(run_for(&mut world, END));
    check(&world, &outcome, 13);
}

/// Whoever has taken a seat takes no other for the same question, so the asker must come back with the same helpers.
#[test]
fn the_asker_may_restart_when_helpers_are_drawn() {
    for later in 0..20 {
        let mut world = community(14);
        world.put(SQL, COLLECT);
        let mut outcome = Outcome::default();
        while outcome.stages.len() < 2 {
            outcome.merge(run_for(&mut world, Duration::from_millis(1)));
        }
        // Before the list is on the disk, on its way, and after.
        outcome.merge(run_for(&mut world, Duration::from_millis(4 * later)));
        world.restart(world.asker);
        outcome.merge(run_for(&mut world, END));
        check(&world, &outcome, 14);
    }
}

#[test]
fn what_is_called_off_is_drawn_by_nobody() {
    let mut world = community(12);
    let away = world.people[4];
    for owner in world.people.clone() {
        world.set_consent(owner, ConsentRule::Ask, None);
    }
    world.put_for(CONSENT, SQL, COLLECT);
    run_for(&mut world, Duration::from_secs(60));
    assert_eq!(world.inbox(away).len(), 1);
    world.crash(away);
    let question = asked(&world);
    world
        .simulation
        .command(world.asker, Command::Cancel(question));
    let mut outcome = run_for(&mut world, HOUR);
    world.restart(away);
    outcome.merge(run_for(&mut world, CONSENT + END));
    assert_eq!(outcome.failures, [Failure::CalledOff]);
    assert!(outcome.answers.is_empty() && outcome.sets.is_empty());
    assert!(outcome.accusations.is_empty());
    for person in &world.people {
        assert!(world.inbox(*person).is_empty());
    }
}

/// What an owner says about a kind of questions holds for one that waits, and for one that an older rule decided, but not for
/// one about which the owner has spoken.
#[test]
fn a_rule_decides_what_came_before_it() {
    let mut world = community(14);
    let (asker, owners) = (world.asker, world.people.clone());
    for (place, owner) in owners.iter().enumerate() {
        let (rule, says) = match place {
            0 => (ConsentRule::Ask, Some(false)),
            1..4 => (ConsentRule::Ask, None),
            _ => (ConsentRule::Yes, None),
        };
        world.set_consent(*owner, rule, says);
    }
    world.put_for(CONSENT, SQL, COLLECT);
    let mut outcome = run_for(&mut world, Duration::from_secs(60));
    let descriptor = world.community.descriptor();
    let question = Question::parse(SQL, &descriptor.vocabulary, descriptor.nodes).expect("valid");
    let rules = |otherwise: ConsentRule, rule: Rule| {
        let mut rules = Rules::from(otherwise);
        rules.add(rule).expect("room");
        rules
    };
    let always = Rule::always(asker, &question);
    let never = Rule::never(asker);
    let given = [
        // Said no once, and that counts.
        (0, rules(ConsentRule::Ask, always.clone())),
        (1, rules(ConsentRule::Ask, always)),
        (2, rules(ConsentRule::Ask, never.clone())),
        // Waited, and still does.
        (3, rules(ConsentRule::Ask, Rule::never(owners[3]))),
        (4, rules(ConsentRule::Yes, never.clone())),
        // Waits now.
        (5, Rules::from(ConsentRule::Ask)),
    ];
    for (place, rules) in given {
        world.set_rules(owners[place], rules);
    }
    // Said and taken back.
    world.set_rules(owners[6], rules(ConsentRule::Yes, never));
    outcome.merge(run_for(&mut world, HOUR));
    world.set_rules(owners[6], Rules::from(ConsentRule::Yes));
    assert_eq!(world.inbox(owners[5]).len(), 1);
    for restarted in [1, 2, 4, 5] {
        world.restart(owners[restarted]);
    }
    outcome.merge(run_for(&mut world, CONSENT + END));
    check(&world, &outcome, 9);
    let verified = &outcome.answers[0].verified;
    assert_eq!((verified.declined, verified.away), (3, 2));
}

/// Only who asked can call off.
#[test]
fn others_cannot_call_a_question_off() {
    let mut world = community(12);
    world.put_for(HOUR, SQL, COLLECT);
    run_for(&mut world, Duration::from_secs(60));
    let question = asked(&world);
    let (liar, victim) = (world.people[2], world.people[3]);
    world.simulation.command(liar, Command::Cancel(question));
    let forged = Cancellation::new(&world.identity(liar).key, question);
    let other = Cancellation::new(&world.identity(liar).key, Digest([7; 32]));
    for said in [forged, other] {
        world
            .simulation
            .inject(liar, victim, &Message::Cancelled(said));
    }
    let mut outcome = run_for(&mut world, HOUR + END);
    let accusations = std::mem::take(&mut outcome.accusations);
    let by: Vec<_> = accusations
        .iter()
        .map(|(by, whom, _)| (*by, *whom))
        .collect();
    assert_eq!(
        by,
        [(victim, liar)],
        "for the one of a question that there is"
    );
    check(&world, &outcome, 12);
}

/// Comparing costs who is asked more than who asks: each is answered rarely.
#[test]
fn who_compares_often_is_answered_rarely() {
    let mut world = community(12);
    world.put_for(CONSENT, SQL, COLLECT);
    run_for(&mut world, Duration::from_secs(60));
    let (one, other) = (world.people[2], world.people[3]);
    let sent = |world: &World| world.simulation.counters(other).sent;
    let quiet = sent(&world);
    run_for(&mut world, Duration::from_secs(5));
    let usual = sent(&world) - quiet;
    for _ in 0..200 {
        world
            .simulation
            .inject(one, other, &Message::Open(Vec::new()));
    }
    let before = sent(&world);
    run_for(&mut world, Duration::from_secs(5));
    let more = sent(&world) - before;
    assert!(
        (1..usual + 20).contains(&more),
        "{more} messages, usually {usual}"
    );
}

#[test]
fn a_budget_that_is_spent_declines() {
    let mut world = community(12);
    let careful = world.people[5];
    let budget = Budget {
        questions: 1,
        period: HOUR,
    };
    world.set_budget(careful, budget);
    for (wait, included) in [
        (Duration::ZERO, 12),
        (Duration::from_secs(60), 11),
        (HOUR, 12),
    ] {
        run_for(&mut world, wait);
        world.restart(careful);
        run_for(&mut world, Duration::from_secs(20));
        let outcome = world.ask(SQL, COLLECT);
        check(&world, &outcome, included);
        assert_eq!(outcome.answers[0].verified.declined, 12 - included as u64);
    }
}

/// A querier who asks the same twice, the second time without somebody: the difference is that person's number. Nothing of what
/// helpers do can keep that; owners do, who give only so many answers.
#[test]
fn who_asks_twice_to_isolate_somebody_is_stopped_by_budgets() {
    for careful in [false, true] {
        let mut world = community(16);
        let victim = world.people[3];
        for person in world.people.clone() {
            let tenths = if person == victim { 123 } else { 70 };
            world.set_value(person, LocalRow::number(tenths));
            if careful {
                let budget = Budget {
                    questions: 1,
                    period: HOUR,
                };
                world.set_budget(person, budget);
            }
        }
        let all = world.ask(SQL, COLLECT);
        check(&world, &all, 16);
        world.crash(victim);
        run_for(&mut world, Duration::from_secs(60));
        let others = world.ask(SQL, COLLECT);
        if careful {
            assert_eq!(others.answers, []);
            assert!(others.failures[0].is_refusal(), "{:?}", others.failures);
        } else {
            let total = |outcome: &Outcome| outcome.answers[0].verified.answer.total();
            let units = |outcome| total(outcome).map(|total| total.units);
            assert_eq!(
                units(&all).zip(units(&others)).map(|(a, b)| a - b),
                Some(123)
            );
        }
    }
}
