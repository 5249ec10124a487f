//! LOGISTIC: how it is written, and what a step says.

use aggregation::statistic::{self, Exactness, Fixed, Fraction, LogisticStep, Measure, Undefined};
use community::{Column, Kind, Range, Table};
use proptest::prelude::*;

use super::{answer, question, row};
use crate::example::{PEOPLE, ask};
use crate::{Answer, Construct, Figures, Function, LocalRow, LocalValue, Question, QuestionError};

#[test]
fn defaults_are_written_out() {
    for (text, canonical) in [
        (
            "logistic(sleep_hours < 7, age)",
            "\"sleep_hours\" < 7, \"age\", 0, 0, 0.000001",
        ),
        (
            "LOGISTIC(gender = 'Female', age, sleep_hours, -1.50, .25, 0)",
            "\"gender\" = 'Female', \"age\", \"sleep_hours\", -1.5, 0.25, 0, 0.000001",
        ),
        (
            "logistic((NOT (age > 3 and town is null)), count + 1, 0, 0, 0.1)",
            "NOT (\"age\" > 3 AND \"town\" IS NULL), \"count\" + 1, 0, 0, 0.1",
        ),
        (
            "logistic(age in (1, 2) or age between 5 and 6, count, 1, 2, 1.0)",
            "\"age\" IN (1, 2) OR \"age\" BETWEEN 5 AND 6, \"count\", 1, 2, 1",
        ),
        // Squares of 50,000 with more digits would be too fine for doubles.
        (
            "logistic(age < 7, balance)",
            "\"age\" < 7, \"balance\", 0, 0, 0.0001",
        ),
    ] {
        let question = question(&format!("SELECT {text} FROM people"));
        let expected = format!("SELECT LOGISTIC({canonical}) FROM \"people\"");
        assert_eq!(question.sql(), expected);
        assert_eq!(ask(question.sql()).as_ref(), Ok(&question));
        assert_eq!(question.function(), Function::Logistic);
    }
    let plain = ask("SELECT LOGISTIC(match, -match) FROM left").expect("0 and 1");
    assert_eq!(
        plain.sql(),
        "SELECT LOGISTIC(\"match\", -\"match\", 0, 0, 0.000001) FROM \"left\""
    );
}

#[test]
fn the_row_holds_whether_it_is_so() {
    let question = question(
        "SELECT LOGISTIC(sleep_hours < 7 OR gender = 'Male', age, 0.5, -0.25) FROM people WHERE age > 9 GROUP BY gender",
    );
    assert_eq!(
        question.local_sql(),
        "SELECT \"gender\", (\"sleep_hours\" < 70 OR \"gender\" = 'Male'), \"age\" FROM \"people\" WHERE \"age\" > 9 LIMIT 2"
    );
    assert_eq!(question.columns(), ["age", "gender", "sleep_hours"]);
    let declaration = question.statistic().declaration();
    let expected = Measure::Logistic {
        response: 1,
        predictors: vec![2],
        weights: vec![50, -25],
        weight_decimals: 2,
        decimals: 6,
    };
    assert_eq!(declaration.measure, expected);
    let binary = Range {
        decimals: 0,
        min: 0,
        max: 1,
    };
    assert_eq!(declaration.columns[1].kind, Kind::Number(binary));
    // Of several rows, and long texts.
    let inner = "FROM (SELECT AVG(sleep_hours) AS h, COUNT(*) AS n FROM people WHERE age > 2)";
    let nights = ask(&format!("SELECT LOGISTIC(h < 7, n) {inner} WHERE n > 5")).expect("valid");
    assert!(
        nights
            .local_sql()
            .starts_with("SELECT (\"h\" < 70), \"n\" FROM (SELECT ")
    );
    let list: Vec<_> = (0..120).map(|age| age.to_string()).collect();
    let long = format!(
        "SELECT LOGISTIC(age IN ({}), count) FROM people",
        list.join(", ")
    );
    let long = ask(&long).expect("valid");
    assert_eq!(long.statistic().declaration().columns[0].name, "value 1");
}

#[test]
fn refuses_with_what_works_instead() {
    for (call, instead) in [
        ("LOGISTIC()", "LOGISTIC(y, x1, x2)"),
        ("LOGISTIC(*)", "only COUNT takes *"),
        ("LOGISTIC(age > 3)", "LOGISTIC(y, x1, x2)"),
        ("LOGISTIC(age > 3, 1, 2)", "LOGISTIC(y, x1, x2)"),
        ("LOGISTIC(age, count)", "\"age\" is not just 0 or 1"),
        (
            "LOGISTIC(gender, count)",
            "column \"gender\" is not just 0 or 1",
        ),
        (
            "LOGISTIC(town, count)",
            "as in LOGISTIC(sleep_hours < 7, age)",
        ),
        ("LOGISTIC(1, count)", "reads no column"),
        ("LOGISTIC(1 = 1, count)", "reads no column"),
        ("LOGISTIC(age = 'x', count)", "cannot be compared"),
        (
            "LOGISTIC(age > 3, gender)",
            "column \"gender\" is not a number",
        ),
        ("LOGISTIC(age > 3, age > 4)", "a comparison is not a number"),
        (
            "LOGISTIC(age > 3, count, 0)",
            "as weights 1 numbers stand after the predictors: write 2",
        ),
        (
            "LOGISTIC(age > 3, count, 0, 0, 0.1, 0)",
            "as weights 4 numbers stand after the predictors: write 2",
        ),
        (
            "LOGISTIC(age > 3, count, 0, age)",
            "name all predictors first",
        ),
        ("LOGISTIC(age > 3, count, 1 + 1, 0)", "in digits"),
        (
            "LOGISTIC(age > 3, count, 0, 0, 0.5)",
            "write a power of ten",
        ),
        ("LOGISTIC(age > 3, count, 0, 0, -1)", "write a power of ten"),
        ("LOGISTIC(age > 3, count, 0, 0, 10)", "write a power of ten"),
        (
            "LOGISTIC(age > 3, count, 0.000000001, 9000000000000000000)",
            "9000000000000000000 could exceed",
        ),
        (
            "LOGISTIC(age > 3, count, 0.0000000001, 0)",
            "more than 9 digits",
        ),
        ("LOGISTIC(age > 3, count, count)", "all different"),
        ("LOGISTIC(age > 3, huge)", "take a coarser step, or divide"),
        (
            "LOGISTIC(age > 3, balance, 0, 0, 0.000001)",
            "take a coarser step",
        ),
        (
            "LOGISTIC(AVG(age) > 3, count)",
            "statistic inside an expression",
        ),
    ] {
        let why = ask(&format!("SELECT {call} FROM people"));
        let why = why.expect_err(call).to_string();
        assert!(
            why.contains(instead) && !why.contains('\n'),
            "{call}: {why}"
        );
    }
    let all = (0..17).map(|n| format!("age + {n}")).collect::<Vec<_>>();
    let many = ask(&format!(
        "SELECT LOGISTIC(age > 3, {}) FROM people",
        all.join(", ")
    ));
    assert!(matches!(many, Err(QuestionError::Statistic(_))));
    assert_eq!(
        ask("SELECT LOGISTIC_REGRESSION(age > 3, count) FROM people"),
        Err(Construct::Function("LOGISTIC_REGRESSION".into()).into())
    );
}

fn step(answer: &Answer) -> &LogisticStep {
    match &answer.whole {
        Some(Ok(Figures::Sums(statistic::Figures::Logistic(step)))) => step,
        other => panic!("no step: {other:?}"),
    }
}

/// Hours of study and passing, twenty students (the example of the English Wikipedia's "Logistic regression"), asked again
/// and again as a person would: with the next weights as they are told.
#[test]
fn asking_again_with_the_next_weights_converges() {
    let number = |name: &str, decimals, max| Column {
        name: name.into(),
        kind: Kind::Number(Range {
            decimals,
            min: 0,
            max,
        }),
    };
    let students = [Table {
        name: "students".into(),
        columns: vec![number("passed", 0, 1), number("hours", 2, 1000)],
    }];
    let hours = [
        50, 75, 100, 125, 150, 175, 175, 200, 225, 250, 275, 300, 325, 350, 400, 425, 450, 475,
        500, 550,
    ];
    let passed = [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1];
    let mut rows: Vec<_> = passed
        .into_iter()
        .zip(hours)
        .map(|(y, x)| row(&[y, x]))
        .collect();
    // Who did not say counts for nothing.
    rows.push(LocalRow::One(vec![
        LocalValue::Missing,
        LocalValue::Number(100),
    ]));
    let mut weights = String::new();
    for round in 0..8 {
        let sql = format!("SELECT LOGISTIC(passed, hours{weights}) FROM students");
        let question = Question::parse(&sql, &students, PEOPLE).expect("valid");
        let told = answer(&question, &rows, 5);
        assert_eq!(told.people, 20);
        let rounding = Fixed {
            units: 1,
            decimals: 6,
        };
        assert_eq!(told.exactness, Exactness::Rounded { step: rounding });
        let found = step(&told);
        assert_eq!(
            (found.rounding, &found.predictors[..]),
            (rounding, &["hours".to_owned()][..])
        );
        weights = found
            .weights
            .iter()
            .map(|weight| format!(", {weight:.9}"))
            .collect();
        if round == 7 {
            for (found, known) in found.weights.iter().zip([-4.0777, 1.5046]) {
                assert!((found - known).abs() < 1e-4, "{found}");
            }
            for (found, known) in found.standard_errors.iter().zip([1.7610, 0.6287]) {
                assert!((found - known).abs() < 1e-4, "{found}");
            }
            for slope in &found.gradient {
                assert!(slope.as_f64().abs() <= 20.0 * 1e-6);
            }
        }
    }
}

#[test]
fn a_column_that_says_nothing_new_is_named() {
    let same = question("SELECT LOGISTIC(sleep_hours < 7, age) FROM people");
    let rows: Vec<_> = (0..9).map(|place| row(&[place % 2, 40])).collect();
    let told = answer(&same, &rows, 1);
    let expected = Undefined::Collinear {
        column: "age".into(),
    };
    assert_eq!(told.whole, Some(Err(expected)));
    let nobody = answer(&same, &[LocalRow::NoRow], 1);
    assert_eq!(nobody.whole, Some(Err(Undefined::NoRows)));
}

proptest! {
    /// Against the sums over people in doubles: gradient and curvature to a step for each person.
    #[test]
    fn steps_are_those_of_the_people(
        people in prop::collection::vec((0..=240i64, 0..=120i64, -1_000_000..=5_000_000i64, 0..2usize), 1..30),
        weights in prop::array::uniform3(-3000..3000i64),
        step_decimals in 0..=4usize,
    ) {
        let stated = [(weights[0], 1000.0), (weights[1], 100_000.0), (weights[2], 1e9)]
            .map(|(units, scale)| units as f64 / scale);
        let [a, b, c] = stated.map(|weight| format!("{weight:.9}"));
        let power = format!("{:.step_decimals$}", 10f64.powi(-(step_decimals as i32)));
        let question = question(&format!(
            "SELECT LOGISTIC(sleep_hours < 7, age, balance, {a}, {b}, {c}, {power}) FROM people GROUP BY gender"
        ));
        let local = |person: &(i64, i64, i64, usize)| LocalRow::One(vec![
            LocalValue::Word(["Female", "Male"][person.3].into()),
            LocalValue::Number(i64::from(person.0 < 70)),
            LocalValue::Number(person.1),
            LocalValue::Number(person.2),
        ]);
        let rows: Vec<_> = people.iter().map(local).collect();
        let told = answer(&question, &rows, 1);
        let near = 10f64.powi(-(step_decimals as i32));
        let both = [told.whole.as_ref(), told.groups[0].figures.as_ref(), told.groups[1].figures.as_ref()];
        for (crowd, figures) in both.into_iter().enumerate() {
            let Some(Ok(Figures::Sums(statistic::Figures::Logistic(found)))) = figures else { continue };
            let members: Vec<_> = people.iter().filter(|person| crowd == 0 || person.3 + 1 == crowd).collect();
            let mut gradient = [0.0; 3];
            let mut curvature = [[0.0; 3]; 3];
            for person in &members {
                let x = [1.0, person.1 as f64, person.2 as f64 / 100.0];
                let linear: f64 = x.iter().zip(stated).map(|(x, weight)| x * weight).sum();
                let chance = 1.0 / (1.0 + (-linear).exp());
                let so = f64::from(u8::from(person.0 < 70));
                for (i, x_i) in x.iter().enumerate() {
                    gradient[i] += (so - chance) * x_i;
                    for (j, x_j) in x.iter().enumerate() {
                        curvature[i][j] += chance * (1.0 - chance) * x_i * x_j;
                    }
                }
            }
            let close = |found: f64, plain: f64| {
                (found - plain).abs() <= members.len() as f64 * near + plain.abs() * 1e-9
            };
            for (i, row) in found.information.iter().enumerate() {
                let row: Vec<_> = row.iter().map(Fraction::as_f64).collect();
                prop_assert!(close(found.gradient[i].as_f64(), gradient[i]));
                prop_assert!(row.iter().zip(curvature[i]).all(|(found, plain)| close(*found, plain)));
                // The step solves: curvature times it is the gradient. So the next weights follow from what is told.
                let products = || row.iter().zip(&found.step).map(|(entry, step)| entry * step);
                let (product, size) = (products().sum::<f64>(), products().map(f64::abs).sum::<f64>());
                prop_assert!((product - found.gradient[i].as_f64()).abs() <= 1e-6 * (1.0 + size));
                prop_assert!((found.weights[i] - stated[i] - found.step[i]).abs() <= 1e-9 * (1.0 + found.step[i].abs()));
            }
        }
    }
}
