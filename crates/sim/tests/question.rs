//! A community of real nodes answers a question in the simulator, whatever the weather: exactly, or not at all.

use std::collections::BTreeSet;

use aggregation::statistic::{self, Fraction};
use aggregation::validity::NoProof;
use base::{Duration, Rng};
use community::{Column, Kind, Range};
use node::{Failure, PlanError, Stage};
use question::{ConsentRule, Figures, LocalRow, LocalValue};
use sim::community::{Outcome, Settings, World};
use sim::{Action, Rerun, seed_or};

const SQL: &str = "SELECT AVG(hours) FROM sleep";
const COLLECT: Duration = Duration::from_secs(10);

/// The answer equals the reference model over the one set that the replicas agreed on, or there is none.
fn check(world: &World, outcome: &Outcome) {
    assert!(outcome.answers.len() + outcome.failures.len() <= 1);
    for sets in outcome.sets.values() {
        let distinct: BTreeSet<_> = sets.values().collect();
        assert_eq!(distinct.len(), 1, "replicas add up different sets");
    }
    for answer in &outcome.answers {
        let verified = &answer.verified;
        let set = outcome
            .sets
            .values()
            .flat_map(|sets| sets.values())
            .next()
            .expect("an answer is over an agreed set");
        let (count, sum) = world.reference(set);
        assert_eq!(verified.answer.people, count);
        assert_eq!(verified.answer.total().map(|total| total.units), Some(sum));
        assert_eq!(verified.included, set.len() as u64);
        let again = node::proof::verify(&answer.proof, &world.community);
        assert_eq!(again.as_ref(), Ok(verified));
    }
}

/// Nobody is accused where everybody is honest.
fn check_peace(outcome: &Outcome) {
    assert!(outcome.accusations.is_empty(), "{:?}", outcome.accusations);
}

fn answer_of(people: usize) -> (World, Outcome) {
    let mut world = World::new(people as u64, &Settings::of(people));
    check_peace(&world.meet());
    let outcome = world.ask(SQL, COLLECT);
    check(&world, &outcome);
    check_peace(&outcome);
    assert_eq!(outcome.answers.len(), 1, "{:?}", outcome.failures);
    let verified = &outcome.answers[0].verified;
    assert_eq!(verified.included, people as u64);
    assert_eq!((verified.declined, verified.away), (0, 0));
    (world, outcome)
}

#[test]
fn twelve_people_answer() {
    answer_of(12);
}

#[test]
fn forty_people_answer() {
    answer_of(40);
}

#[test]
fn two_hundred_people_answer() {
    answer_of(200);
}

/// In a small community almost everybody has a seat: some are off for the day, and the others do with fewer.
#[test]
fn who_is_off_for_the_day_is_not_needed() {
    for (people, off, consent_for) in [(24, 3, Duration::ZERO), (40, 9, Duration::from_secs(600))] {
        let mut world = World::new(people as u64, &Settings::of(people));
        world.meet();
        for place in 0..off {
            world.crash(world.people[place]);
        }
        world.run(world.simulation.now() + Duration::from_secs(60));
        world.put_for(consent_for, SQL, COLLECT);
        let outcome = world.run(world.simulation.now() + consent_for + Duration::from_secs(60));
        check(&world, &outcome);
        assert_eq!(outcome.answers.len(), 1, "{:?}", outcome.failures);
        let verified = &outcome.answers[0].verified;
        assert_eq!(verified.included, (people - off) as u64);
        // What it promises is of as many as there were.
        assert!(verified.sizes.seats() <= people - off && verified.bounds.privacy < 1e-12);
    }
}

#[test]
fn nobody_draws_from_too_few() {
    let mut world = World::new(5, &Settings::of(24));
    world.meet();
    for place in 0..20 {
        world.crash(world.people[place]);
    }
    world.run(world.simulation.now() + Duration::from_secs(120));
    let outcome = world.ask(SQL, COLLECT);
    assert_eq!(outcome.unasked, [PlanError::TooFew(4)]);
}

#[test]
fn who_has_asked_too_often_is_told_until_when() {
    let settings = Settings::of(24);
    let mut world = World::new(6, &settings);
    world.meet();
    let week = Duration::from_secs(7 * 86_400);
    let mut unasked = Vec::new();
    for _ in 0..65 {
        world.put_for(week, SQL, COLLECT);
        unasked.extend(
            world
                .run(world.simulation.now() + Duration::from_secs(1))
                .unasked,
        );
    }
    // Sixty-four wait for their owners; each is remembered for an hour and five minutes after its week.
    let [PlanError::TooMany { most: 64, wait }] = unasked[..] else {
        panic!("{unasked:?}");
    };
    let late = week + Duration::from_secs(3900);
    assert!(
        wait < late && wait > late - Duration::from_secs(70),
        "{wait:?}"
    );
}

/// By when a question has ended, with an answer or without: its collection, and twice the time of an agreement, since whose
/// proofs hold is agreed on as well.
const END: Duration = Duration::from_secs(120);

/// Runs one seed with crashes, restarts, lost connections and clocks that disagree.
fn stormy(seed: u64) -> (World, Outcome) {
    let mut chance = Rng::from_number(seed).fork("weather");
    let people = 12 + chance.below(14) as usize;
    let mut settings = Settings::of(people);
    settings.network.losses = [0, 0, 1_000, 5_000][chance.below(4) as usize];
    settings.network.notice_after = Duration::from_secs(3);
    let mut world = World::new(seed, &settings);
    check_peace(&world.meet());
    let asked = world.simulation.now();
    world.put(SQL, COLLECT);
    let mut restarts = Vec::new();
    for _ in 0..chance.below(5) {
        let victim = world.people[chance.below(people as u64) as usize];
        let at = asked + Duration::from_millis(chance.below(4_000));
        world.simulation.at(at, Action::Crash(victim));
        if chance.below(2) == 0 {
            restarts.push((
                at + Duration::from_millis(200 + chance.below(4_000)),
                victim,
            ));
        }
    }
    restarts.sort();
    let mut outcome = Outcome::default();
    for (at, victim) in restarts {
        outcome.merge(world.run(at));
        world.restart(victim);
    }
    outcome.merge(world.run(asked + END));
    check(&world, &outcome);
    check_peace(&outcome);
    (world, outcome)
}

/// Seeds of the storm; they share the machine's cores as tests of their own.
fn storm(first: u64, count: u64, test: &str) {
    let mut answered = 0;
    let first = seed_or(first);
    let count = if std::env::var_os("SEED").is_some() {
        1
    } else {
        count
    };
    for seed in first..first + count {
        let _rerun = Rerun::new("sim", test, seed);
        let (_, outcome) = stormy(seed);
        assert_eq!(
            outcome.answers.len() + outcome.failures.len(),
            1,
            "an end, in two minutes"
        );
        answered += outcome.answers.len() as u64;
    }
    eprintln!("{answered} of {count} answered");
    assert!(
        count == 1 || answered * 2 > count,
        "only {answered} of {count} answered"
    );
}

#[test]
fn a_hundred_storms_leave_an_exact_answer_or_none() {
    storm(0, 100, "a_hundred_storms_leave_an_exact_answer_or_none");
}

#[test]
fn another_hundred_storms_leave_an_exact_answer_or_none() {
    storm(
        100,
        100,
        "another_hundred_storms_leave_an_exact_answer_or_none",
    );
}

#[test]
fn replays_bit_for_bit() {
    for seed in 0..3 {
        let fingerprint = |seed| stormy(seed).0.simulation.fingerprint();
        assert_eq!(fingerprint(seed), fingerprint(seed));
    }
    let other = stormy(3).0.simulation.fingerprint();
    assert_ne!(stormy(2).0.simulation.fingerprint(), other);
}

/// All that the asker hears, when so many of fourteen people match.
fn asked_with_crowd(crowd: usize) -> (Outcome, Vec<(base::NodeId, Vec<u8>)>) {
    let mut world = World::new(7, &Settings::of(14));
    for (place, person) in world.people.clone().into_iter().enumerate() {
        let matches = place < crowd;
        let value = if matches {
            LocalRow::number(80)
        } else {
            LocalRow::NoRow
        };
        world.set_value(person, value);
    }
    world.meet();
    let outcome = world.ask(SQL, COLLECT);
    check(&world, &outcome);
    let heard = world.simulation.node(&world.asker).heard().to_vec();
    (outcome, heard)
}

#[test]
fn a_small_crowd_is_refused_and_its_size_is_in_no_message_to_the_asker() {
    let (refused, nobody) = asked_with_crowd(0);
    assert_eq!(refused.failures.len(), 1);
    for crowd in 1..5 {
        let (outcome, heard) = asked_with_crowd(crowd);
        let failure = outcome.failures.first().expect("refused");
        assert!(failure.is_refusal(), "{failure:?}");
        assert!(
            heard == nobody,
            "the asker hears something else when {crowd} people match"
        );
    }
    let (outcome, heard) = asked_with_crowd(5);
    assert_eq!(outcome.answers[0].verified.answer.people, 5);
    assert!(heard != nobody);
}

/// What a node hears: senders and messages.
type Heard = Vec<(base::NodeId, Vec<u8>)>;

/// Of fourteen people so many are pilots in their forties, and nothing may be said of fewer than ten: all that nodes hear
/// who do not help, the asker first.
fn asked_about_pilots(pilots: usize) -> (Outcome, Vec<Heard>) {
    let settings = Settings {
        min_crowd: 10,
        padding_allowance: 0,
        listen: true,
        ..Settings::of(14)
    };
    let mut world = World::new(10, &settings);
    for (place, person) in world.people.clone().into_iter().enumerate() {
        let row = match place < pilots {
            true => LocalRow::number(80),
            false => LocalRow::NoRow,
        };
        world.set_value(person, row);
    }
    world.meet();
    let outcome = world.ask(SQL, COLLECT);
    check(&world, &outcome);
    let drawn = outcome.stages.iter().find_map(|(_, stage)| match stage {
        Stage::Drawn { seats, .. } => Some(seats.clone()),
        _ => None,
    });
    let seats = drawn.expect("helpers are drawn");
    let others = world.people.iter().filter(|node| !seats.contains(node));
    let others = [world.asker].into_iter().chain(others.copied());
    let heard = others.map(|node| world.simulation.node(&node).heard().to_vec());
    let heard = heard.collect();
    (outcome, heard)
}

#[test]
fn nobody_hears_how_many_pilots_in_their_forties_there_are() {
    let (none, silence) = asked_about_pilots(0);
    assert_eq!(none.failures.len(), 1);
    assert!(silence.len() > 2, "some do not help");
    for pilots in [1, 8, 9] {
        let (few, heard) = asked_about_pilots(pilots);
        assert_eq!(few.failures, none.failures);
        assert!(few.failures[0].is_refusal());
        assert!(!few.failures[0].to_string().contains(char::is_numeric));
        assert!(
            heard == silence,
            "somebody hears something else when {pilots} match"
        );
    }
    let (enough, heard) = asked_about_pilots(10);
    assert_eq!(enough.answers[0].verified.answer.people, 10);
    assert!(heard[0] != silence[0]);
}

#[test]
fn a_small_crowd_of_willing_owners_is_refused_as_well() {
    let mut world = World::new(8, &Settings::of(14));
    for person in world.people.clone().into_iter().skip(4) {
        world.set_consent(person, ConsentRule::No, None);
    }
    world.meet();
    let outcome = world.ask(SQL, COLLECT);
    assert!(matches!(
        outcome.failures.as_slice(),
        [Failure::Committee(_)]
    ));
    assert!(outcome.failures[0].is_refusal());
}

#[test]
fn owners_decide() {
    let mut world = World::new(9, &Settings::of(14));
    let people = world.people.clone();
    world.set_consent(people[0], ConsentRule::No, None);
    world.set_consent(people[1], ConsentRule::Ask, Some(false));
    world.set_consent(people[2], ConsentRule::Ask, Some(true));
    world.set_consent(people[3], ConsentRule::Ask, None);
    world.meet();
    let outcome = world.ask(SQL, COLLECT);
    check(&world, &outcome);
    let verified = &outcome.answers[0].verified;
    assert_eq!(
        (verified.included, verified.declined, verified.away),
        (11, 2, 1)
    );
    let set = outcome
        .sets
        .values()
        .next()
        .unwrap()
        .values()
        .next()
        .unwrap();
    assert!(set.contains(&people[2]) && !set.contains(&people[0]) && !set.contains(&people[3]));
}

#[test]
fn only_who_has_the_right_may_ask() {
    let mut world = World::new(10, &Settings::of(12));
    world.meet();
    world.asker = world.people[0];
    let before = world.simulation.total().sent_bytes;
    world.put(SQL, COLLECT);
    let until = world.simulation.now() + Duration::from_millis(1);
    let outcome = world.run(until);
    assert!(outcome.stages.is_empty() && outcome.answers.is_empty());
    // Not even announced.
    assert!(world.simulation.total().sent_bytes - before < 1_000);
}

/// A community whose people have an age, a town and hours, set by `of` their place; and what a question says there.
fn told(people: usize, sql: &str, of: impl Fn(usize) -> LocalRow) -> question::Answer {
    let number = |name: &str, decimals, max| Column {
        name: name.into(),
        kind: Kind::Number(Range {
            decimals,
            min: 0,
            max,
        }),
    };
    let mut settings = Settings::of(people);
    let town = Kind::Category(["Lyon", "Nice", "Brest"].map(String::from).into());
    settings.vocabulary[0].columns.extend([
        number("age", 0, 120),
        Column {
            name: "town".into(),
            kind: town,
        },
    ]);
    let mut world = World::new(people as u64, &settings);
    for (place, person) in world.people.clone().into_iter().enumerate() {
        world.set_value(person, of(place));
    }
    check_peace(&world.meet());
    let outcome = world.ask(sql, COLLECT);
    check_peace(&outcome);
    assert_eq!(outcome.answers.len(), 1, "{:?}", outcome.failures);
    let verified = &outcome.answers[0].verified;
    // Rounded exponentials are no sums and products.
    let unproved = sql.contains("LOGISTIC").then_some(NoProof::Rounded);
    assert_eq!(verified.unproved, unproved);
    assert_eq!(verified.included, people as u64);
    let again = node::proof::verify(&outcome.answers[0].proof, &world.community);
    assert_eq!(again.as_ref(), Ok(verified));
    verified.answer.clone()
}

/// One of a few: half in Lyon, three in ten in Nice, two in Brest.
fn town(place: usize) -> &'static str {
    [
        "Lyon", "Lyon", "Nice", "Brest", "Lyon", "Nice", "Lyon", "Nice", "Brest", "Lyon",
    ][place % 10]
}

#[test]
fn a_mean_by_groups_is_exact_and_a_small_group_stays_closed() {
    for people in [20, 30] {
        let hours = |place: usize| (40 + place * 7 % 60) as i64;
        let answer = told(
            people,
            "SELECT AVG(hours) FROM sleep GROUP BY town",
            |place| {
                let town = LocalValue::Word(town(place).into());
                LocalRow::One(vec![town, LocalValue::Number(hours(place))])
            },
        );
        assert_eq!(answer.people, people as u64);
        let mut open = 0;
        for (group, name) in answer.groups.iter().zip(["Lyon", "Nice", "Brest"]) {
            let here: Vec<_> = (0..people).filter(|place| town(*place) == name).collect();
            let Some(figures) = &group.figures else {
                continue;
            };
            let Ok(Figures::Sums(statistic::Figures::Mean { mean, .. })) = figures else {
                panic!("a mean is asked for");
            };
            let sum: i64 = here.iter().map(|place| hours(*place)).sum();
            let exact = Fraction::new(sum.into(), here.len() as i128 * 10);
            assert_eq!(Some(mean), exact.as_ref());
            assert_eq!(group.people, Some(here.len() as u64));
            open += 1;
        }
        // Of twenty, four are in Brest, too few by one; six in Nice stay closed with them.
        assert_eq!(open, if people == 20 { 1 } else { 3 });
    }
}

#[test]
fn a_median_is_in_its_bucket() {
    // Eight in their thirties, sixteen in their forties; six in their fifties, the fewest, stay closed with empty buckets.
    let age = |place: usize| match place {
        0..8 => 30 + place as i64,
        8..24 => 40 + place as i64 % 10,
        _ => 50,
    };
    let answer = told(30, "SELECT MEDIAN(age, 10) FROM sleep", |place| {
        LocalRow::number(age(place))
    });
    let mut ages: Vec<_> = (0..30).map(age).collect();
    ages.sort_unstable();
    let Some(Ok(Figures::Within(bracket))) = answer.whole else {
        panic!("a median is asked for");
    };
    let ends = bracket.low.units..=bracket.high.units;
    assert!(ends.contains(&ages[14].into()), "{ends:?}");
    assert_eq!(ends.end() - ends.start(), 9, "one bucket");
}

#[test]
fn a_regression_is_exact() {
    // Hours are 2 + age / 10, in tenths, but for two people who sleep an hour more and less.
    let row = |place: usize| {
        let age = 20 + place as i64;
        let off = match place {
            3 => 10,
            9 => -10,
            _ => 0,
        };
        [20 + age + off, age]
    };
    let answer = told(14, "SELECT REGR(hours, age) FROM sleep", |place| {
        LocalRow::One(row(place).map(LocalValue::Number).into())
    });
    let Some(Ok(Figures::Sums(statistic::Figures::Linear(linear)))) = answer.whole else {
        panic!("a line is asked for");
    };
    // By the textbook, in integers: n Σxy − Σx Σy over n Σx² − (Σx)², and a tenth for the units.
    let rows: Vec<[i128; 2]> = (0..14).map(|place| row(place).map(i128::from)).collect();
    let sum = |of: fn(&[i128; 2]) -> i128| rows.iter().map(of).sum::<i128>();
    let (x, y) = (sum(|row| row[1]), sum(|row| row[0]));
    let above = 14 * sum(|row| row[0] * row[1]) - x * y;
    let below = 14 * sum(|row| row[1] * row[1]) - x * x;
    let slope = Fraction::new(above, below * 10);
    assert_eq!(Some(&linear.slopes[0].1.value), slope.as_ref());
    let intercept = Fraction::new(y * below - above * x, 14 * below * 10);
    assert_eq!(Some(&linear.intercept.value), intercept.as_ref());
}

#[test]
fn a_logistic_step_is_that_of_the_people() {
    // The older half sleeps less, but for two of them.
    let row = |place: usize| {
        let short = place >= 7 && place != 8 && place != 12;
        [i64::from(short), 20 + place as i64]
    };
    let sql = "SELECT LOGISTIC(hours < 7, age, 0.5, -0.01, 0.0001) FROM sleep";
    let answer = told(14, sql, |place| {
        LocalRow::One(row(place).map(LocalValue::Number).into())
    });
    let Some(Ok(Figures::Sums(statistic::Figures::Logistic(step)))) = answer.whole else {
        panic!("a step is asked for");
    };
    let (mut gradient, mut curvature) = ([0.0; 2], [0.0; 3]);
    for [short, age] in (0..14).map(row) {
        let (short, age) = (short as f64, age as f64);
        let chance = 1.0 / (1.0 + (-0.5 + 0.01 * age).exp());
        let spread = chance * (1.0 - chance);
        gradient = [
            gradient[0] + short - chance,
            gradient[1] + (short - chance) * age,
        ];
        curvature = [
            curvature[0] + spread,
            curvature[1] + spread * age,
            curvature[2] + spread * age * age,
        ];
    }
    let information = &step.information;
    let found = [
        &step.gradient[0],
        &step.gradient[1],
        &information[0][0],
        &information[0][1],
        &information[1][1],
    ];
    for (found, plain) in found.into_iter().zip(gradient.into_iter().chain(curvature)) {
        assert!(
            (found.as_f64() - plain).abs() <= 14.0 * 0.00005 + 1e-9,
            "{found}: {plain}"
        );
    }
}
