//! An asker who would single somebody out by asking twice: what is refused, and what is not.

use base::Duration;
use question::LocalRow;
use sim::community::{Outcome, Settings, World};

const SQL: &str = "SELECT SUM(hours) FROM sleep";
const COLLECT: Duration = Duration::from_secs(10);

/// People who match, and their sum.
fn figures(outcome: &Outcome) -> (u64, i128) {
    let answer = outcome.answers.first();
    let answer = &answer.expect("it is answered").verified.answer;
    let total = answer.total().expect("a sum is asked for");
    (answer.people, total.units)
}

/// What is not prevented, so that nobody believes that it is: each asking is a question of its own, and the difference of two
/// exact totals over crowds that differ by one person is that person's number. The minimum crowd and its allowance look at
/// one question alone. What is left to an owner is to be asked, or to say no.
#[test]
fn who_asks_twice_learns_the_number_of_the_one_who_was_away() {
    let mut world = World::new(4, &Settings::of(14));
    for person in world.people.clone() {
        world.set_value(person, LocalRow::number(70));
    }
    let person = world.people[9];
    world.set_value(person, LocalRow::number(123));
    world.meet();
    let with = figures(&world.ask(SQL, COLLECT));
    world.simulation.crash(person);
    let without = figures(&world.ask(SQL, COLLECT));
    assert_eq!((with.0, without.0), (14, 13));
    assert_eq!(with.1 - without.1, 123);
}

/// What is: a crowd that is narrowed to one person, or to fewer than the minimum and its allowance.
#[test]
fn nothing_is_told_of_a_crowd_that_is_narrowed_to_few() {
    let mut settings = Settings::of(14);
    (settings.min_crowd, settings.padding_allowance) = (4, 3);
    let mut world = World::new(5, &settings);
    // Six match: enough without the allowance for colluders among them, too few with it.
    for (at, person) in world.people.clone().into_iter().enumerate() {
        let value = match at {
            0..6 => LocalRow::number(50),
            _ => LocalRow::NoRow,
        };
        world.set_value(person, value);
    }
    world.meet();
    let outcome = world.ask("SELECT SUM(hours) FROM sleep WHERE hours < 6", COLLECT);
    assert_eq!((outcome.answers.len(), outcome.failures.len()), (0, 1));
}
