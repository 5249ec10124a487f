//! Answers, and what is withheld of them.

use aggregation::committee::Totals;
use aggregation::statistic::{self, Fraction, Label, TotalsError, Undefined};
use aggregation::validity::{Shape, Validity};
use community::Kind;
use proptest::prelude::*;

use super::{answer, question, row, word};
use crate::example::{ask, question_text};
use crate::{Figures, FiguresError, LocalRow, LocalValue, Measured, Outcome};

#[test]
fn only_a_match_contributes() {
    let mean = question("SELECT AVG(balance) FROM people");
    for (row, outcome, vector) in [
        (row(&[-1_000_000]), Outcome::Match, [1, 0]),
        (row(&[5_000_000]), Outcome::Match, [1, 6_000_000]),
        (row(&[-1_000_001]), Outcome::OutOfRange, [0, 0]),
        (row(&[5_000_001]), Outcome::OutOfRange, [0, 0]),
        (row(&[1, 1]), Outcome::OutOfRange, [0, 0]),
        (LocalRow::One(vec![]), Outcome::OutOfRange, [0, 0]),
        (LocalRow::One(vec![word("1")]), Outcome::OutOfRange, [0, 0]),
        (
            LocalRow::One(vec![LocalValue::Other]),
            Outcome::OutOfRange,
            [0, 0],
        ),
        (LocalRow::missing(), Outcome::Missing, [0, 0]),
        (LocalRow::NoRow, Outcome::NoMatch, [0, 0]),
        (LocalRow::SeveralRows, Outcome::SeveralRows, [0, 0]),
    ] {
        let measured = mean.measure(&row);
        assert_eq!(
            (measured.outcome, &measured.vector[..]),
            (outcome, &vector[..])
        );
    }
    let grouped = question("SELECT COUNT(town) FROM people GROUP BY gender");
    assert_eq!(grouped.local_columns(), 2);
    let of = |gender, town| grouped.measure(&LocalRow::One(vec![gender, town])).vector;
    let one = || LocalValue::Number(1);
    assert_eq!(of(word("Male"), one()), [0, 1]);
    assert_eq!(of(word("Female"), one()), [1, 0]);
    assert_eq!(of(word("Robot"), one()), [0, 0]);
    assert_eq!(of(LocalValue::Missing, one()), [0, 0]);
    assert_eq!(of(word("Male"), LocalValue::Missing), [0, 0]);
}

#[test]
fn nothing_personal_is_printed() {
    let row = row(&[42]);
    let measured: Measured = question("SELECT SUM(age) FROM people").measure(&row);
    let text = format!("{:?} {row:?} {measured:?}", word("secret word"));
    assert_eq!(text, "LocalValue(secret) LocalRow(secret) Measured(secret)");
}

#[test]
fn totals_that_nobody_can_have_made_are_refused() {
    let grouped = question("SELECT SUM(age) FROM people GROUP BY gender");
    let decode = |whole: &[u64], cells: &[Option<&[u64]>]| {
        grouped.decode(&Totals {
            whole: whole.to_vec(),
            cells: cells.iter().map(|cell| cell.map(<[u64]>::to_vec)).collect(),
        })
    };
    assert!(decode(&[5, 50], &[Some(&[2, 20]), Some(&[3, 30])]).is_ok());
    assert!(decode(&[5, 50], &[Some(&[2, 20]), None]).is_ok());
    for cells in [
        [Some(&[2, 20][..]), Some(&[2, 30][..])],
        [Some(&[6, 20]), None],
        [Some(&[2, 51]), None],
        [Some(&[2]), None],
        [Some(&[2, 20]), Some(&[3, 31])],
    ] {
        assert_eq!(decode(&[5, 50], &cells), Err(FiguresError::Parts));
    }
    let cells = FiguresError::Cells {
        expected: 2,
        found: 1,
    };
    assert_eq!(decode(&[5, 50], &[None]), Err(cells));
    let too_large = FiguresError::Totals(TotalsError::TooLarge { index: 0 });
    assert_eq!(decode(&[5, 601], &[None, None]), Err(too_large));
    assert!(decode(&[5], &[None, None]).is_err());
    assert!(decode(&[5, 50], &[Some(&[0, 20]), None]).is_err());
}

#[test]
fn small_groups_are_withheld_and_so_is_what_tells_them() {
    let mean = question("SELECT AVG(age) FROM people GROUP BY gender");
    let person = |gender, age| LocalRow::One(vec![word(gender), LocalValue::Number(age)]);
    let mut rows: Vec<_> = (0..9).map(|age| person("Male", 30 + age)).collect();
    rows.extend((0..7).map(|age| person("Female", 50 + age)));
    let told = answer(&mean, &rows, 5);
    assert_eq!((told.people, told.groups.len()), (16, 2));
    assert_eq!(told.groups[0].labels, [Label::Word("Female".into())]);
    let Some(Ok(Figures::Sums(statistic::Figures::Mean { mean: found, .. }))) =
        &told.groups[0].figures
    else {
        panic!("seven are enough");
    };
    assert_eq!(*found, Fraction::new(53, 1).expect("a fraction"));
    let told = answer(&mean, &rows[..12], 5);
    assert_eq!(told.people, 12);
    for group in &told.groups {
        assert_eq!((group.people, &group.figures), (None, &None));
    }
    assert!(told.mean().is_some());
}

#[test]
fn parts_of_too_few_people_are_withheld() {
    let histogram = question("SELECT HISTOGRAM(age, 40) FROM people");
    let rows: Vec<_> = [10, 20, 30, 45, 50, 60, 85, 90]
        .map(|age| row(&[age]))
        .into();
    let told = answer(&histogram, &rows, 3);
    let Some(Ok(Figures::Histogram(parts))) = &told.whole else {
        panic!("some parts are open");
    };
    // Two in 80 to 119 and none in 120 are too few, and too few together.
    let counts: Vec<_> = parts.iter().map(|(_, count)| *count).collect();
    assert_eq!(counts, [None, Some(3), None, None]);
    let told = answer(&histogram, &rows, 9);
    assert_eq!(told.whole, None);
    let top = answer(
        &question("SELECT TOP(BUCKET(age, 40), 2) FROM people"),
        &rows,
        3,
    );
    let Some(Ok(Figures::Top(top))) = top.whole else {
        panic!("one part is open");
    };
    assert_eq!((top.parts.len(), top.parts[0].1, top.tied), (1, 3, 0));
}

#[test]
fn an_empty_crowd_has_no_figures() {
    let mean = question("SELECT AVG(age) FROM people");
    assert_eq!(answer(&mean, &[], 0).whole, Some(Err(Undefined::NoRows)));
}

fn people() -> impl Strategy<Value = Vec<(bool, i64, i64)>> {
    prop::collection::vec((any::<bool>(), 0..=120i64, 0..=240i64), 1..60)
}

proptest! {
    #[test]
    fn grouped_means_are_the_plain_ones(people in people()) {
        let mean = question("SELECT AVG(sleep_hours) FROM people GROUP BY gender, BUCKET(age, 40)");
        let rows: Vec<_> = people.iter().map(|(male, age, hours)| {
            let gender = word(if *male { "Male" } else { "Female" });
            LocalRow::One(vec![gender, LocalValue::Number(*age), LocalValue::Number(*hours)])
        }).collect();
        let told = answer(&mean, &rows, 1);
        prop_assert_eq!(told.people, people.len() as u64);
        let sum: i64 = people.iter().map(|person| person.2).sum();
        prop_assert_eq!(told.total().map(|total| total.units), Some(sum.into()));
        for (index, group) in told.groups.iter().enumerate() {
            let here: Vec<i64> = people.iter()
                .filter(|(male, age, _)| (usize::from(*male), *age as usize / 40) == (index / 4, index % 4))
                .map(|person| person.2)
                .collect();
            if here.is_empty() {
                prop_assert_eq!(&group.figures, &None);
            } else if let Some(Ok(Figures::Sums(statistic::Figures::Mean { mean, .. }))) = &group.figures {
                let (sum, count) = (here.iter().sum::<i64>(), here.len() as i128);
                prop_assert_eq!(mean, &Fraction::new(sum.into(), count * 10).expect("somebody"));
            } else {
                // Groups of so few that an empty one would follow.
                prop_assert_eq!(&group.figures, &None);
            }
        }
    }

    #[test]
    fn quantiles_hold_the_plain_ones(people in people(), level in 0..=100u32, enough in 1..6u64) {
        let text = format!("SELECT PERCENTILE(age, {level}, 20) FROM people");
        let rows: Vec<_> = people.iter().map(|person| row(&[person.1])).collect();
        let told = answer(&question(&text), &rows, enough);
        let mut ages: Vec<_> = people.iter().map(|person| person.1).collect();
        ages.sort_unstable();
        let rank = (ages.len() * level as usize).div_ceil(100).max(1);
        if let Some(Ok(Figures::Within(bracket))) = told.whole {
            let age = i128::from(ages[rank - 1]);
            prop_assert!((bracket.low.units..=bracket.high.units).contains(&age));
        } else {
            prop_assert!(told.whole.is_none());
        }
    }

    /// Whatever is asked: an honest vector is the length of the layout, and passes its proof where there is one.
    #[test]
    fn what_is_measured_can_be_proved(text in question_text(), units in prop::collection::vec(0..100i64, 24)) {
        let Ok(question) = ask(&text) else { return Ok(()) };
        let declared = &question.statistic().declaration().columns;
        let values = (0..question.local_columns()).map(|index| match declared.get(index).map(|it| &it.kind) {
            Some(Kind::Number(range)) => LocalValue::Number(range.min + units[index] % (range.max.abs_diff(range.min).min(100) as i64 + 1)),
            Some(Kind::Category(words)) => word(&words[units[index] as usize % words.len()]),
            _ => LocalValue::Number(1),
        });
        let measured = question.measure(&LocalRow::One(values.collect()));
        prop_assert_eq!(measured.outcome, Outcome::Match, "{}", text);
        prop_assert_eq!(measured.vector.len(), question.vector_len());
        if let Ok(shape) = Shape::of(question.statistic()) {
            prop_assert_eq!(shape.vector_len(), question.vector_len());
            prop_assert!(Validity::new(shape, 2).is_ok());
        }
        let told = answer(&question, &[LocalRow::One((0..question.local_columns()).map(|_| LocalValue::Missing).collect())], 1);
        prop_assert_eq!(told.people, 0);
    }
}
