//! Which texts are questions, and how they are written out.

use community::{Kind, Range};
use proptest::prelude::*;

use crate::example::{PEOPLE, ask, question_text, vocabulary};
use crate::{Function, Question, QuestionError};

/// Whether an error is told on one line of bounded length.
fn is_one_line(why: &QuestionError) -> bool {
    let text = why.to_string();
    !text.chars().any(char::is_control) && text.len() < 700
}

fn range(decimals: u8, min: i64, max: i64) -> Option<Range> {
    Some(Range { decimals, min, max })
}

/// The range of the first declared column, if it is of numbers.
fn value(question: &Question) -> Option<Range> {
    match question.statistic().declaration().columns.first()?.kind {
        Kind::Number(range) => Some(range),
        _ => None,
    }
}

#[test]
fn reads_the_question_of_the_demo() {
    let question =
        ask("select avg(sleep_hours) from people where age between 40 and 49;").expect("valid");
    assert_eq!(question.function(), Function::Mean);
    assert_eq!(question.table(), "people");
    assert_eq!(question.columns(), ["age", "sleep_hours"]);
    assert_eq!(question.reads()[1].name, "sleep_hours");
    assert_eq!(value(&question), range(1, 0, 240));
    assert_eq!(
        question.sql(),
        r#"SELECT AVG("sleep_hours") FROM "people" WHERE "age" BETWEEN 40 AND 49"#
    );
    assert_eq!(
        question.local_sql(),
        r#"SELECT "sleep_hours" FROM "people" WHERE "age" BETWEEN 40 AND 49 LIMIT 2"#
    );
}

#[test]
fn derives_ranges_and_scales() {
    for (expr, expected, local) in [
        ("age + 1", range(0, 1, 121), "(\"age\" + 1)"),
        (
            "age - sleep_hours",
            range(1, -240, 1200),
            "((\"age\" * 10) - \"sleep_hours\")",
        ),
        (
            "age * sleep_hours",
            range(1, 0, 28800),
            "(\"age\" * \"sleep_hours\")",
        ),
        (
            "-balance",
            range(2, -5_000_000, 1_000_000),
            "(- \"balance\")",
        ),
        ("abs(balance)", range(2, 0, 5_000_000), "ABS(\"balance\")"),
        ("abs(age + 1)", range(0, 1, 121), "ABS((\"age\" + 1))"),
        (
            "abs(0 - age - 1)",
            range(0, 1, 121),
            "ABS(((0 - \"age\") - 1))",
        ),
        ("age / 8", range(3, 0, 15000), "(\"age\" * 125)"),
        ("age / 0.5", range(0, 0, 240), "(\"age\" * 2)"),
        ("age / -10", range(1, -120, 0), "(\"age\" * -1)"),
        ("age + 0.25", range(2, 25, 12025), "((\"age\" * 100) + 25)"),
        ("age * -2", range(0, -240, 0), "(\"age\" * -2)"),
        ("- - age", range(0, 0, 120), "\"age\""),
    ] {
        let question = ask(&format!("SELECT SUM({expr}) FROM people")).expect(expr);
        assert_eq!(value(&question), expected, "{expr}");
        let sql = format!("SELECT {local} FROM \"people\" LIMIT 2");
        assert_eq!(question.local_sql(), sql, "{expr}");
    }
}

#[test]
fn writes_conditions_canonically_and_for_stored_integers() {
    for (text, canonical, local) in [
        (
            "sleep_hours>7.25",
            "\"sleep_hours\" > 7.25",
            "(\"sleep_hours\" * 10) > 725",
        ),
        (
            "7 <= sleep_hours",
            "7 <= \"sleep_hours\"",
            "70 <= \"sleep_hours\"",
        ),
        (
            "sleep_hours != age",
            "\"sleep_hours\" <> \"age\"",
            "\"sleep_hours\" <> (\"age\" * 10)",
        ),
        (
            "sleep_hours not in (6, 7.5)",
            "NOT (\"sleep_hours\" IN (6, 7.5))",
            "NOT (\"sleep_hours\" IN (60, 75))",
        ),
        (
            "age = 1 or age = 2 and (age = 3 and gender = 'Male')",
            "\"age\" = 1 OR (\"age\" = 2 AND \"age\" = 3 AND \"gender\" = 'Male')",
            "\"age\" = 1 OR (\"age\" = 2 AND \"age\" = 3 AND \"gender\" = 'Male')",
        ),
        ("TOWN = 'it''s'", "\"town\" = 'it''s'", "\"town\" = 'it''s'"),
        (
            "town is not null",
            "\"town\" IS NOT NULL",
            "\"town\" IS NOT NULL",
        ),
        (
            "\"odd \"\"name\"\"\" < 'm'",
            "\"odd \"\"name\"\"\" < 'm'",
            "\"odd \"\"name\"\"\" < 'm'",
        ),
    ] {
        let question = ask(&format!("SELECT COUNT(*) FROM people WHERE {text}")).expect(text);
        assert_eq!(
            question.sql(),
            format!("SELECT COUNT(*) FROM \"people\" WHERE {canonical}")
        );
        let sql = format!("SELECT 1 FROM \"people\" WHERE {local} LIMIT 2");
        assert_eq!(question.local_sql(), sql);
        assert_eq!(value(&question), None);
    }
}

#[test]
fn a_count_never_takes_a_value_out() {
    let question = ask("SELECT COUNT(town) FROM people").expect("valid");
    assert_eq!(
        question.local_sql(),
        "SELECT CASE WHEN \"town\" IS NOT NULL THEN 1 END FROM \"people\" LIMIT 2"
    );
    assert_eq!(value(&question), None);
}

#[test]
fn words_of_sql_may_name_columns() {
    let question = ask("SELECT SUM(match) FROM left WHERE match = 1").expect("valid");
    assert_eq!(
        question.sql(),
        "SELECT SUM(\"match\") FROM \"left\" WHERE \"match\" = 1"
    );
    assert!(ask("SELECT SUM(count) FROM people WHERE count > 2").is_ok());
}

#[test]
fn what_is_just_not_too_deep_can_be_read_again() {
    let (mut accepted, mut refused) = (0, 0);
    for (open, close) in [
        ("(", ")"),
        ("-(1+", ")"),
        ("1+(1-", ")"),
        ("abs(-", ")"),
        ("-abs(", ")"),
        ("1-", ""),
        ("", "*1"),
        ("(", "/2)*2"),
    ] {
        for n in 0..40 {
            let value = format!("{}count{}", open.repeat(n), close.repeat(n));
            let sum = format!("SELECT SUM({value}) FROM people");
            let not = format!("SELECT COUNT(*) FROM people WHERE NOT ({value} > 1)");
            let (left, right) = ("NOT (age = 1 AND (age = 2 OR ".repeat(n), "))".repeat(n));
            let nested = format!("SELECT COUNT(*) FROM people WHERE {left}age = 3{right}");
            for text in [sum, not, nested] {
                match ask(&text) {
                    Ok(question) => {
                        accepted += 1;
                        assert_eq!(ask(question.sql()), Ok(question), "{text}");
                    }
                    Err(_) => refused += 1,
                }
            }
        }
    }
    assert!(
        accepted > 200 && refused > 200,
        "{accepted} accepted, {refused} refused"
    );
}

#[test]
fn hostile_nesting_costs_little() {
    // Parsers that try several readings of a bracket take time exponential in the depth; ten thousand of these
    // must not.
    let starts = [
        "SELECT COUNT(*) FROM people WHERE ",
        "SELECT COUNT(*) FROM (SELECT SUM(age) AS h FROM people WHERE ",
        "SELECT COUNT(*) FROM (",
        "SELECT COUNT(*) FROM people GROUP BY ",
    ];
    for pattern in [
        "(",
        "((age) = ",
        "age IN (",
        "NOT (",
        "(abs(",
        "-(",
        "(age, ",
        "((1), (",
        "age IN (SELECT ",
        "SUM(",
        "BUCKET(",
    ] {
        for start in starts {
            for end in ["", ")", &")".repeat(31), &")".repeat(60)] {
                let text = start.to_string() + &pattern.repeat(30) + end;
                assert!(ask(&text).is_err(), "{text}");
            }
        }
    }
}

proptest! {
    #[test]
    fn the_canonical_text_gives_the_same_question(text in question_text()) {
        if let Ok(question) = ask(&text) {
            prop_assert_eq!(ask(question.sql()), Ok(question));
        }
    }

    #[test]
    fn any_text_gives_a_question_or_one_line(text in "(SELECT (SUM|COUNT|LOGISTIC)\\()?.{0,80}") {
        if let Err(why) = Question::parse(&text, &vocabulary(), PEOPLE) {
            prop_assert!(is_one_line(&why), "{}", why);
        }
    }

    #[test]
    fn any_words_give_a_question_or_one_line(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "SELECT", "COUNT", "SUM", "(", ")", "*", "FROM", "people", "WHERE", "age", "gender", "AND", "OR",
                "NOT", "BETWEEN", "IN", "IS", "NULL", "=", "<", "-", "+", "/", "1", "0.5", "'Male'", ",", ".", "ABS",
                "\"town\"", ";", "count", "GROUP", "BY",
                "BUCKET", "HAVING", "AS", "TOP", "MEDIAN", "LOGISTIC", "h",
            ]),
            0..30,
        ),
    ) {
        let text = format!("SELECT COUNT(*) FROM people WHERE {}", words.join(" "));
        match ask(&text) {
            Ok(question) => prop_assert_eq!(ask(question.sql()), Ok(question)),
            Err(why) => prop_assert!(is_one_line(&why), "{}", why),
        }
    }
}
