//! What each part of the language means.

use community::Kind;

use super::question;
use crate::example::{ask, vocabulary};
use crate::{Function, Question, QuestionError};

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
    let row = question.inner().expect("there is one");
    assert!(question.sql().ends_with(&format!(" FROM {}", row.sql)));
    let names: Vec<_> = row.row.columns.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(names, ["total", "n", "mean"]);
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
        "table \"the query in brackets\" has no column \"age\"; name one that it has"
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
    let vocabulary = vocabulary();
    let of = |people| Question::parse("SELECT SUM(huge) FROM people", &vocabulary, people);
    // Two limbs of a number that the field cannot add up.
    assert_eq!(of(1000).expect("valid").vector_len(), 3);
    assert!(of(0).is_err());
    assert!(of(u64::MAX).is_err());
}

#[test]
fn functions_are_called_as_they_are_asked_for() {
    for (text, function) in [
        ("COUNT(age)", Function::Count),
        ("MEDIAN(age)", Function::Quantile(500_000)),
        ("KURTOSIS(age)", Function::Kurtosis),
        ("COVAR_SAMP(age, count)", Function::CovarianceSample),
        ("LOGISTIC(age > 40, count)", Function::Logistic),
    ] {
        let question = question(&format!("SELECT {text} FROM people"));
        assert_eq!(question.function(), function);
        let call = format!("SELECT {}(", function.name());
        assert!(question.sql().starts_with(&call));
    }
}
