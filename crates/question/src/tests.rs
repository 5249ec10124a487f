//! From local rows to the answer, against plain arithmetic.

use aggregation::committee::Totals;
use aggregation::statistic::{self, Fraction, Label, TotalsError, Undefined};
use aggregation::suppression;
use aggregation::validity::{Shape, Validity};
use community::Kind;
use proptest::prelude::*;

use crate::example::{ask, question_text};
use crate::shares::Shares;
use crate::{
    Answer, Figures, FiguresError, Function, LocalRow, LocalValue, Measured, Outcome, Question,
    QuestionError,
};

fn question(sql: &str) -> Question {
    ask(sql).expect(sql)
}

fn row(values: &[i64]) -> LocalRow {
    LocalRow::One(values.iter().copied().map(LocalValue::Number).collect())
}

fn word(word: &str) -> LocalValue {
    LocalValue::Word(word.into())
}

/// What a committee opens of everybody's contributions, when fewer than `enough` may not be counted together.
fn opened(question: &Question, rows: &[LocalRow], enough: u64) -> Totals {
    let mut total = vec![0u64; question.vector_len()];
    for row in rows {
        for (sum, part) in total.iter_mut().zip(question.measure(row).vector) {
            *sum += part;
        }
    }
    let layout = question.statistic().layout();
    let cells: Vec<Vec<u64>> = (0..question.cells())
        .map(|cell| layout.elements(cell).map(|index| total[index]).collect())
        .collect();
    let whole = (0..cells[0].len())
        .map(|index| cells.iter().map(|cell| cell[index]).sum())
        .collect();
    let counts: Vec<u64> = cells.iter().map(|cell| cell[0]).collect();
    let open = suppression::open(&counts, enough).cells;
    let cells = if cells.len() == 1 {
        Vec::new()
    } else {
        let both = cells.into_iter().zip(open);
        both.map(|(cell, open)| open.then_some(cell)).collect()
    };
    Totals { whole, cells }
}

fn answer(question: &Question, rows: &[LocalRow], enough: u64) -> Answer {
    let totals = opened(question, rows, enough);
    question.decode(&totals).expect("honest totals")
}

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
fn defaults_are_written_out() {
    for (text, canonical) in [
        ("MEDIAN(sleep_hours)", "MEDIAN(\"sleep_hours\", 0.5)"),
        ("quantile(age, .5)", "MEDIAN(\"age\", 5)"),
        ("percentile(age, 97.5)", "QUANTILE(\"age\", 0.975, 5)"),
        ("min(age)", "MIN(\"age\", 5)"),
        ("max(age, 10)", "MAX(\"age\", 10)"),
        ("histogram(count)", "HISTOGRAM(\"count\", 1)"),
        ("histogram(gender)", "HISTOGRAM(\"gender\")"),
        ("histogram(bucket(age, 20))", "HISTOGRAM(\"age\", 20)"),
        ("mode(gender)", "TOP(\"gender\", 1)"),
        ("top(bucket(age), 3)", "TOP(BUCKET(\"age\", 5), 3)"),
        ("stddev(age)", "STDDEV_SAMP(\"age\")"),
        ("variance(age)", "VAR_SAMP(\"age\")"),
        ("median(huge)", "MEDIAN(\"huge\", 200000000000000000)"),
    ] {
        let question = question(&format!("SELECT {text} FROM people"));
        assert_eq!(
            question.sql(),
            format!("SELECT {canonical} FROM \"people\"")
        );
    }
    let grouped =
        question("select avg(sleep_hours) from people where age > 9 group by gender, bucket(age)");
    assert_eq!(
        grouped.sql(),
        "SELECT AVG(\"sleep_hours\") FROM \"people\" WHERE \"age\" > 9 GROUP BY \"gender\", BUCKET(\"age\", 5)"
    );
    assert_eq!(
        grouped.local_sql(),
        "SELECT \"gender\", \"age\", \"sleep_hours\" FROM \"people\" WHERE \"age\" > 9 LIMIT 2"
    );
    assert_eq!(grouped.cells(), 2 * 25);
    assert_eq!(grouped.groupings(), ["\"gender\"", "BUCKET(\"age\", 5)"]);
}

#[test]
fn a_column_is_read_once() {
    let question = question("SELECT AVG(age) FROM people GROUP BY BUCKET(age, 40)");
    assert_eq!(
        question.local_sql(),
        "SELECT \"age\" FROM \"people\" LIMIT 2"
    );
    assert_eq!(question.vector_len(), 8);
}

#[test]
fn the_inner_query_bounds_what_a_person_can_have() {
    let inner = "SELECT SUM(balance) AS total, COUNT(*) AS n, AVG(balance) AS mean FROM people WHERE age > 2";
    let question = question(&format!("SELECT REGR(total, n, mean) FROM ({inner})"));
    let ranges: Vec<_> = question
        .statistic()
        .declaration()
        .columns
        .iter()
        .map(|column| match &column.kind {
            Kind::Number(range) => (range.decimals, range.min, range.max),
            _ => panic!("numbers"),
        })
        .collect();
    assert_eq!(
        ranges,
        [
            (2, -1_000_000_000, 5_000_000_000),
            (0, 0, 1000),
            (2, -1_000_000, 5_000_000)
        ]
    );
    assert_eq!(
        (question.table(), question.columns()),
        ("people", &["age".to_owned(), "balance".to_owned()][..])
    );
    assert!(question.sql().contains("HAVING COUNT(*) <= 1000)"));
    let few = ask(&format!(
        "SELECT SUM(total) FROM ({inner} HAVING COUNT(*) <= 7) WHERE n < 5"
    ));
    let few = few.expect("valid");
    assert!(few.local_sql().ends_with(
        "FROM \"people\" WHERE \"age\" > 2 HAVING COUNT(*) <= 7) WHERE \"n\" < 5 LIMIT 2"
    ));
    let huge = ask("SELECT SUM(h) FROM (SELECT SUM(huge) AS h FROM people)");
    assert!(matches!(huge, Err(QuestionError::TooLarge { .. })));
    let outside = ask("SELECT SUM(age) FROM (SELECT SUM(age) AS h FROM people)");
    assert_eq!(
        outside.expect_err("no such value").to_string(),
        "table \"the query in brackets\" has no column \"age\""
    );
}

#[test]
fn refuses_with_what_works_instead() {
    for (text, instead) in [
        ("AVG(age) FROM people GROUP BY age", "BUCKET(\"age\", 5)"),
        ("AVG(age) FROM people GROUP BY town", "category column"),
        ("QUANTILE(age, 90) FROM people", "PERCENTILE(x, 90)"),
        ("QUANTILE(age) FROM people", "QUANTILE(x, 0.9)"),
        ("TOP(gender, 0) FROM people", "from 1 to 1000"),
        ("TOP(gender) FROM people", "TOP(x, 3)"),
        ("CORR(age) FROM people", "CORR(y, x)"),
        ("CORR(age, age) FROM people", "all different"),
        ("REGR(age) FROM people", "REGR(y, x1, x2)"),
        ("HISTOGRAM(age, 0.5) FROM people", "a multiple of 1"),
        ("HISTOGRAM(age, 0) FROM people", "a multiple of 1"),
        ("HISTOGRAM(balance, 1) FROM people", "at most 4096"),
        ("HISTOGRAM(town) FROM people", "category column"),
        ("MEDIAN(gender) FROM people", "number columns"),
        ("SUM(age * 0) FROM people", "lower end"),
        ("KURTOSIS(huge) FROM people", "narrow its range"),
        (
            "COUNT(*) FROM people GROUP BY gender, other_gender, gender, gender, gender",
            "at most 4",
        ),
        (
            "COUNT(*) FROM people GROUP BY BUCKET(age, 1), BUCKET(sleep_hours, 1), gender",
            "4096 cells",
        ),
        (
            "SUM(h) FROM (SELECT SUM(age) AS h FROM people HAVING COUNT(*) <= 0)",
            "up to 1000000",
        ),
        ("SUM(h) FROM (SELECT age FROM people)", "SUM(hours) AS h"),
    ] {
        let why = ask(&format!("SELECT {text}")).expect_err(text).to_string();
        assert!(why.contains(instead), "{text}: {why}");
    }
}

#[test]
fn more_people_need_wider_sums_or_none() {
    let vocabulary = crate::example::vocabulary();
    let of = |people| Question::parse("SELECT SUM(huge) FROM people", &vocabulary, people);
    // Two limbs of a number that the field cannot add up.
    assert_eq!(of(1000).expect("valid").vector_len(), 3);
    assert!(of(0).is_err());
    assert!(of(u64::MAX).is_err());
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

/// Every place that the hidden people can take, tried out.
fn possible(counts: &[Option<u64>], hidden: u64, level: u32) -> Vec<usize> {
    let closed: Vec<usize> = (0..counts.len()).filter(|i| counts[*i].is_none()).collect();
    let mut found = Vec::new();
    let mut tries = vec![counts.iter().map(|c| c.unwrap_or(0)).collect::<Vec<u64>>()];
    for _ in 0..hidden {
        tries = tries
            .into_iter()
            .flat_map(|counts| {
                closed.iter().map(move |part| {
                    let mut more = counts.clone();
                    more[*part] += 1;
                    more
                })
            })
            .collect();
        tries.sort();
        tries.dedup();
    }
    for counts in tries {
        let people: u64 = counts.iter().sum();
        let rank = (people * u64::from(level)).div_ceil(1_000_000).max(1);
        let mut seen = 0;
        let place = counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        found.extend(place);
    }
    found
}

fn people() -> impl Strategy<Value = Vec<(bool, i64, i64)>> {
    prop::collection::vec((any::<bool>(), 0..=120i64, 0..=240i64), 1..60)
}

proptest! {
    #[test]
    fn a_quantile_is_where_any_withheld_people_could_put_it(
        counts in prop::collection::vec(prop::option::weighted(0.6, 0..6u64), 1..6),
        hidden in 0..4u64,
        level in prop_oneof![Just(0u32), Just(500_000), Just(1_000_000), 0..=1_000_000u32],
        known in any::<bool>(),
    ) {
        let hidden = if counts.contains(&None) { hidden } else { 0 };
        let shares = Shares {
            counts: &counts,
            hidden: if known { hidden..=hidden } else { 0..=hidden },
        };
        let all: Vec<usize> = (if known { hidden } else { 0 }..=hidden)
            .flat_map(|hidden| possible(&counts, hidden, level))
            .collect();
        let found = shares.quantile(level);
        match (all.iter().min(), all.iter().max()) {
            (Some(least), Some(most)) => {
                let (first, last) = found.expect("somebody is there");
                prop_assert!(first <= *least && last >= *most, "{found:?} for {least} to {most}");
                if known && !counts.contains(&Some(0)) {
                    prop_assert_eq!((first, last), (*least, *most));
                }
            }
            _ => prop_assert_eq!(found, None),
        }
    }

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

#[test]
fn functions_are_called_as_they_are_asked_for() {
    for (text, function) in [
        ("COUNT(age)", Function::Count),
        ("MEDIAN(age)", Function::Quantile(500_000)),
        ("KURTOSIS(age)", Function::Kurtosis),
        ("COVAR_SAMP(age, count)", Function::CovarianceSample),
    ] {
        let question = question(&format!("SELECT {text} FROM people"));
        assert_eq!(question.function(), function);
        let call = format!("SELECT {}(", function.name());
        assert!(question.sql().starts_with(&call));
    }
}
