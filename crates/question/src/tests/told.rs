//! What people are told of a question.

use super::question;

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
            "The average of s, from people (each person's s is SUM(age) and n is COUNT(*) of rows with gender is 'Male'), of those with n above 2",
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
