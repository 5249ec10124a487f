//! What people are told of a question.

use community::{Column, Kind, Range, Table};

use super::question;
use crate::Question;

#[test]
fn a_question_is_told_in_plain_words() {
    for (sql, told) in [
        (
            "SELECT COUNT(*) FROM people",
            "How many people, from people",
        ),
        (
            "SELECT COUNT(age) FROM people",
            "How many people have age, from people",
        ),
        (
            "SELECT TOP(BUCKET(age, 20), 10) FROM people",
            "The 10 most frequent of age in steps of 20, from people",
        ),
        (
            "SELECT MODE(gender) FROM people",
            "The most frequent gender, from people",
        ),
        (
            "SELECT QUANTILE(age, 0.29, 10) FROM people",
            "The age below which 29 % lie in steps of 10, from people",
        ),
        (
            "SELECT PERCENTILE(age, 99.5, 10) FROM people",
            "The age below which 99.5 % lie in steps of 10, from people",
        ),
        (
            "SELECT AVG(sleep_hours) FROM people WHERE age IS NOT NULL AND NOT (gender = 'Male' OR age < 3)",
            "The average of sleep_hours, from people, of those with age known and not (gender is 'Male' or age below 3)",
        ),
        (
            "SELECT COUNT(*) FROM people WHERE age NOT BETWEEN 1 AND 5 AND gender NOT IN ('Female', 'Male') GROUP BY BUCKET(age, 10), gender",
            "How many people, from people, of those with age not between 1 and 5 and gender none of 'Female' or 'Male', by age in steps of 10 and gender",
        ),
        (
            "SELECT LOGISTIC(age > 40 AND town IN ('a', 'b'), balance, sleep_hours) FROM people",
            "How likely balance and sleep_hours make it that age above 40 and town one of 'a' or 'b', from people",
        ),
        (
            "SELECT LOGISTIC(age > 40, balance) FROM people",
            "How likely balance makes it that age above 40, from people",
        ),
        (
            "SELECT REGR(age, balance, sleep_hours) FROM people",
            "How age depends on balance and sleep_hours, from people",
        ),
        (
            "SELECT AVG(s) FROM (SELECT SUM(age) AS s, COUNT(*) AS n FROM people WHERE gender = 'Male') WHERE n > 2",
            "The average of s, from people (each person's s is the total of age and n is the number of rows, of at most 1,000 rows with gender is 'Male'), of those with n above 2",
        ),
        (
            "SELECT AVG(h) FROM (SELECT MAX(age) AS h FROM people HAVING COUNT(*) <= 250000)",
            "The average of h, from people (each person's h is the highest age, of at most 250,000 rows)",
        ),
        (
            "SELECT COUNT(*) FROM (SELECT COUNT(*) AS n FROM people WHERE age > 40) WHERE n >= 1",
            "How many people have 1 to 1,000 rows in people with age above 40",
        ),
        (
            "SELECT COUNT(*) FROM (SELECT COUNT(*) AS n FROM people) WHERE n > 1",
            "How many people, from people (each person's n is the number of rows, of at most 1,000 rows), of those with n above 1",
        ),
    ] {
        assert_eq!(question(sql).title(), told);
    }
}

/// Quotes within what is compared with must not hide a column, nor make one of a word.
#[test]
fn what_is_read_does_not_depend_on_the_words_that_are_compared_with() {
    let hidden = question(
        r#"SELECT COUNT(*) FROM people WHERE town <> '"' AND age > 30 AND town <> '" AND "balance" is ''"'"#,
    );
    assert_eq!(hidden.columns(), ["age", "town"]);
    assert_eq!(
        hidden.filter(),
        Some(r#""town" <> '"' AND "age" > 30 AND "town" <> '" AND "balance" is ''"'"#)
    );
    assert_eq!(
        hidden.title(),
        r#"How many people, from people, of those with town is not '"' and age above 30 and town is not '" AND "balance" is ''"'"#
    );
    let odd = question(r#"SELECT COUNT(*) FROM people WHERE "odd ""name""" = 'it''s'"#);
    assert_eq!(odd.columns(), ["odd \"name\""]);
    assert_eq!(
        odd.title(),
        r#"How many people, from people, of those with odd "name" is 'it''s'"#
    );
    assert_eq!(question("SELECT COUNT(*) FROM people").filter(), None);
}

#[test]
fn a_query_in_brackets_reads_the_columns_of_its_table() {
    let summed = question("SELECT AVG(s) FROM (SELECT SUM(age) AS s FROM people WHERE town = 'x')");
    assert_eq!(summed.table(), "people");
    assert_eq!(summed.columns(), ["age", "town"]);
    assert_eq!(summed.filter(), None);
    let inner = summed.inner().expect("there is one");
    assert!(inner.sql.contains(r#"WHERE "town" = 'x'"#), "{}", inner.sql);
}

#[test]
fn moments_and_days_are_told_as_dates() {
    let whole = |decimals| {
        Kind::Number(Range {
            decimals,
            min: 0,
            max: 4_000_000_000,
        })
    };
    let column = |name: &str| Column {
        name: name.into(),
        kind: whole(0),
    };
    let stays = Table {
        name: "stays".into(),
        columns: ["at_utc_s", "day", "steps"].map(column).into(),
    };
    let sql = "SELECT COUNT(*) FROM stays WHERE at_utc_s BETWEEN 1200000000 AND 1500000000 AND 19000 < day AND steps IN (1, 2) GROUP BY BUCKET(steps, 1000000)";
    let asked = Question::parse(sql, &[stays], 100).expect("valid");
    let told = "at_utc_s between 2008-01-10 21:20 UTC and 2017-07-14 02:40 UTC and 2022-01-08 below day and steps one of 1 or 2";
    assert_eq!(asked.filter_told(), Some(told));
    assert_eq!(asked.groupings_told(), ["steps in steps of 1000000"]);
    assert_eq!(asked.rows_sql(), None);
}

#[test]
fn the_owner_can_count_the_rows_that_a_query_in_brackets_takes() {
    let asked = question(
        "SELECT AVG(h) FROM (SELECT SUM(balance) AS h FROM people WHERE sleep_hours > 7 HAVING COUNT(*) <= 20)",
    );
    assert_eq!(
        asked.rows_sql(),
        Some(r#"SELECT COUNT(*) FROM "people" WHERE "sleep_hours" > 70 LIMIT 2"#)
    );
    assert_eq!(asked.inner().map(|inner| inner.rows_max), Some(20));
}
