//! What is refused, by name.

use crate::example::ask;
use crate::{Construct, MAX_DEPTH, MAX_TEXT, QuestionError};

#[test]
fn refuses_each_construct_by_name() {
    use Construct::*;
    let from = |text: &str| format!("SELECT COUNT(*) FROM people {text}");
    let inner = |text: &str| format!("SELECT COUNT(*) FROM {text}");
    for (sql, construct) in [
        ("DELETE FROM people".into(), Statement("DELETE".into())),
        (
            "(SELECT COUNT(*) FROM people)".into(),
            Statement("(".into()),
        ),
        ("WITH x AS (SELECT 1) SELECT COUNT(*) FROM x".into(), With),
        (from("; DROP TABLE people"), SecondStatement),
        (from(";;"), SecondStatement),
        (from("-- all"), Comment),
        (from("/* all */ WHERE age = 1"), Comment),
        (from("WHERE age = ?"), Parameter),
        (from("WHERE age = $1"), Parameter),
        (from("WHERE age = :age"), Parameter),
        (from("WHERE age = @age"), Parameter),
        (from("WHERE age IN (SELECT age FROM people)"), Subquery),
        (from("JOIN left ON 1 = 1"), Join),
        (from(", left"), Join),
        (from("WHERE left.match = 1"), Join),
        (from("GROUP age"), GroupBy),
        (from("HAVING age > 1"), Having),
        (from("WHERE BUCKET(age) = 1"), Function("BUCKET".into())),
        ("SELECT BUCKET(age) FROM people".into(), NotAStatistic),
        (inner("(SELECT age FROM people)"), InnerValue),
        (inner("(SELECT SUM(age) FROM people)"), InnerValue),
        (inner("(SELECT MEDIAN(age) AS h FROM people)"), InnerValue),
        (
            inner("(SELECT SUM(age) AS h FROM people GROUP BY gender)"),
            InnerGroupBy,
        ),
        (
            inner("(SELECT SUM(age) AS h FROM people HAVING SUM(age) > 2)"),
            Having,
        ),
        (
            inner("(SELECT SUM(age) AS h FROM people HAVING h <= 2)"),
            Having,
        ),
        (inner("(SELECT SUM(age) AS h FROM people) AS t"), Alias),
        (inner("(SELECT SUM(age) AS h FROM people) t"), Alias),
        (inner("(SELECT SUM(age) AS h FROM people), left"), Join),
        (inner("(SELECT SUM(age) AS h FROM people p)"), Alias),
        (
            inner("(SELECT SUM(m) AS h FROM (SELECT SUM(match) AS m FROM left))"),
            Subquery,
        ),
        (
            inner("(SELECT SUM(age) AS h FROM people WHERE age IN (SELECT 1))"),
            Subquery,
        ),
        (from("ORDER BY age"), OrderBy),
        (from("LIMIT 1"), Limit),
        ("SELECT DISTINCT COUNT(*) FROM people".into(), Distinct),
        ("SELECT COUNT(DISTINCT age) FROM people".into(), Distinct),
        (from("UNION SELECT 1"), SetOperation),
        ("SELECT SUM(age) OVER () FROM people".into(), Window),
        (
            "SELECT SUM(CASE WHEN age > 1 THEN 1 END) FROM people".into(),
            Case,
        ),
        (from("WHERE town LIKE 'a%'"), Pattern("LIKE".into())),
        (from("p"), Alias),
        (from("AS p"), Alias),
        ("SELECT COUNT(*) total FROM people".into(), Alias),
        (
            "SELECT COUNT(*), SUM(age) FROM people".into(),
            SeveralResults,
        ),
        ("SELECT * FROM people".into(), NotAStatistic),
        ("SELECT age FROM people".into(), NotAStatistic),
        ("SELECT ABS(age) FROM people".into(), NotAStatistic),
        ("SELECT SUM(age) / 2 FROM people".into(), NestedStatistic),
        ("SELECT SUM(SUM(age)) FROM people".into(), NestedStatistic),
        (from("WHERE AVG(age) > 2"), NestedStatistic),
        (
            "SELECT ROUND(age) FROM people".into(),
            Function("ROUND".into()),
        ),
        (
            from("WHERE load_extension('x') = 1"),
            Function("load_extension".into()),
        ),
        (
            from("WHERE \"count\"(age) = 1"),
            Function("\"count\"".into()),
        ),
        (from("WHERE age = 1e3"), Literal("1e3".into())),
        (from("WHERE age = 0x10"), Literal("X'10'".into())),
        (from("WHERE age = TRUE"), Literal("TRUE".into())),
        (from("WHERE age % 2 = 1"), Sign("%".into())),
        (from("WHERE town || 'x' = 'y'"), Sign("||".into())),
        (from("WHERE town[1] = 'y'"), Sign("[".into())),
        (from("WHERE age::text = 'y'"), Sign("::".into())),
        (from("WHERE town = 'a\0b'"), Sign("\\u{0}".into())),
        (
            from("WHERE town COLLATE nocase = 'a'"),
            Other("COLLATE".into()),
        ),
        (from("WHERE EXISTS (SELECT 1)"), Other("EXISTS".into())),
    ] {
        let sql: String = sql;
        assert_eq!(
            ask(&sql),
            Err(QuestionError::Unsupported(construct)),
            "{sql}"
        );
    }
}

#[test]
fn refuses_names_that_the_vocabulary_lacks_and_guesses() {
    let error = |sql: &str| ask(sql).expect_err(sql).to_string();
    assert_eq!(
        error("SELECT COUNT(*) FROM peeple"),
        "the community has no table \"peeple\"; did you mean \"people\"?"
    );
    assert_eq!(
        error("SELECT SUM(sleep) FROM people"),
        "table \"people\" has no column \"sleep\"; name one that it has"
    );
    assert_eq!(
        error("SELECT SUM(sleep_hour) FROM people"),
        "table \"people\" has no column \"sleep_hour\"; did you mean \"sleep_hours\"?"
    );
    assert_eq!(
        error("SELECT COUNT(*) FROM people WHERE gender = 'female'"),
        "column \"gender\" never holds 'female'; did you mean \"Female\"?"
    );
    assert_eq!(
        error("SELECT COUNT(*) FROM people WHERE gender IN ('Male', 'Robot')"),
        "column \"gender\" never holds 'Robot'; name one of its words"
    );
}

#[test]
fn refuses_what_has_no_meaning() {
    let count = |text: &str| ask(&format!("SELECT COUNT(*) FROM people WHERE {text}"));
    assert!(matches!(
        ask("SELECT AVG(town) FROM people"),
        Err(QuestionError::NotANumber { .. })
    ));
    assert!(matches!(
        ask("SELECT SUM(age = 1) FROM people"),
        Err(QuestionError::NotANumber { .. })
    ));
    assert!(matches!(
        ask("SELECT SUM(1) FROM people"),
        Err(QuestionError::NoColumn { .. })
    ));
    assert!(matches!(
        ask("SELECT COUNT(1) FROM people"),
        Err(QuestionError::NoColumn { .. })
    ));
    for text in [
        "age",
        "1",
        "NOT town",
        "age + 1",
        "age = 1 AND age",
        "NULL",
        "'Male'",
    ] {
        assert!(
            matches!(count(text), Err(QuestionError::NotACondition { .. })),
            "{text}"
        );
    }
    for text in ["1 < age < 5", "age = NULL", "age + 'x' = 2", "age = (1, 2)"] {
        assert!(
            matches!(count(text), Err(QuestionError::NotANumber { .. })),
            "{text}"
        );
    }
    for text in [
        "1 = 1",
        "'a' = 'a'",
        "1 IN (1)",
        "1 BETWEEN 0 AND 2",
        "2 IS NULL",
    ] {
        assert!(
            matches!(count(text), Err(QuestionError::NoColumn { .. })),
            "{text}"
        );
    }
    for text in [
        "age = 'x'",
        "gender = 1",
        "town IN ('a', 2)",
        "town BETWEEN 'a' AND age",
    ] {
        assert!(
            matches!(count(text), Err(QuestionError::Incomparable { .. })),
            "{text}"
        );
    }
    for text in [
        "gender < 'Male'",
        "gender BETWEEN 'Female' AND 'Male'",
        "gender > town",
    ] {
        assert!(
            matches!(count(text), Err(QuestionError::NoOrder { .. })),
            "{text}"
        );
    }
    for sql in [
        "",
        ";",
        "SELECT",
        "SELECT COUNT(*)",
        "SELECT COUNT(*) FROM",
        "SELECT FROM people",
        "SELECT COUNT(*) FROM people WHERE",
        "SELECT COUNT(*) FROM people WHERE age = ",
        "SELECT COUNT() FROM people",
        "SELECT SUM(*) FROM people",
        "SELECT SUM(age, age) FROM people",
        "SELECT COUNT(*) FROM main.people",
        "SELECT COUNT(*) FROM people WHERE age IN ()",
        "SELECT COUNT(*) FROM people WHERE town = 'open",
        "SELECT COUNT(*) FROM people WHERE (age = 1",
    ] {
        assert!(
            matches!(
                ask(sql),
                Err(QuestionError::Syntax(_)
                    | QuestionError::Unsupported(_)
                    | QuestionError::Arguments { .. })
            ),
            "{sql}"
        );
    }
}

#[test]
fn refuses_what_fixed_point_cannot_hold() {
    let sum = |expr: &str| ask(&format!("SELECT SUM({expr}) FROM people"));
    for expr in [
        "huge + 1",
        "huge * 2",
        "huge + 0.5",
        "huge * huge",
        "huge - -1",
        "99999999999999999999",
    ] {
        assert!(
            matches!(sum(expr), Err(QuestionError::TooLarge { .. })),
            "{expr}"
        );
    }
    for expr in [
        "fine * 0.1",
        "sleep_hours * 0.123456789",
        "age * 0.0000000001",
        "fine / 10",
    ] {
        assert!(
            matches!(sum(expr), Err(QuestionError::TooPrecise { .. })),
            "{expr}"
        );
    }
    for expr in [
        "age / 3",
        "age / age",
        "age / (1 + 1)",
        "1 / age",
        "age / 60",
    ] {
        assert!(
            matches!(sum(expr), Err(QuestionError::InexactDivision { .. })),
            "{expr}"
        );
    }
    assert_eq!(sum("age / 0.00"), Err(QuestionError::DivisionByZero));
    assert_eq!(
        sum("broken"),
        Err(QuestionError::BadRange {
            column: "broken".into()
        })
    );
    // Comparing needs one scale for both sides, which must fit as well.
    let compared = ask("SELECT COUNT(*) FROM people WHERE huge > 0.5");
    assert!(matches!(compared, Err(QuestionError::TooLarge { .. })));
    assert!(sum("huge").is_ok());
}

#[test]
fn errors_are_one_line_whatever_was_written() {
    let evil = "a\nb\u{1b}[2J".repeat(300);
    for sql in [
        format!("SELECT COUNT(*) FROM \"{evil}\""),
        format!("SELECT SUM(\"{evil}\") FROM people"),
        format!("SELECT COUNT(*) FROM people WHERE gender = '{evil}'"),
        format!("SELECT COUNT(*) FROM people WHERE age = '{evil}'"),
        format!("SELECT COUNT(*) FROM people WHERE '{evil}'"),
        format!("SELECT SUM(age) FROM people \"{evil}\""),
        format!("SELECT \"{evil}\"(age) FROM people"),
        format!("SELECT TOP(gender, age + {}) FROM people", "1".repeat(2000)),
        format!("SELECT HISTOGRAM(age, {}) FROM people", "0.0"),
        format!("SELECT SUM(huge{}) FROM people", " * huge".repeat(30)),
        format!(
            "SELECT COUNT(*) FROM people WHERE age IN ({})",
            "1, ".repeat(1000)
        ),
    ] {
        // The tabulator and the end of a line are white space, other controls are refused before anything is read.
        for sql in [sql.replace('\u{1b}', "\t"), sql] {
            let why = ask(&sql).expect_err(&sql).to_string();
            assert!(!why.chars().any(char::is_control), "{why:?}");
            assert!(why.len() < 500, "{why}");
        }
    }
}

#[test]
fn bounds_length_and_depth() {
    let long = format!(
        "SELECT COUNT(*) FROM people WHERE town = '{}'",
        "x".repeat(MAX_TEXT)
    );
    assert_eq!(ask(&long), Err(QuestionError::TooLong { len: long.len() }));
    // Short enough as written, but not once every name is quoted.
    let parts = vec!["age=1"; 420].join(" OR ");
    let grows = format!("SELECT COUNT(*) FROM people WHERE {parts}");
    assert!(grows.len() <= MAX_TEXT);
    assert!(matches!(ask(&grows), Err(QuestionError::TooLong { len }) if len > MAX_TEXT));

    let brackets = |n: usize| {
        ask(&format!(
            "SELECT SUM({}age{}) FROM people",
            "(".repeat(n),
            ")".repeat(n)
        ))
    };
    assert!(brackets(MAX_DEPTH - 1).is_ok());
    assert_eq!(brackets(MAX_DEPTH), Err(QuestionError::TooDeep));
    let nots = |n: usize| {
        ask(&format!(
            "SELECT COUNT(*) FROM people WHERE {}age = 1",
            "NOT ".repeat(n)
        ))
    };
    assert!(nots(MAX_DEPTH - 2).is_ok());
    assert_eq!(nots(MAX_DEPTH - 1), Err(QuestionError::TooDeep));
    assert_eq!(nots(1000), Err(QuestionError::TooDeep));
    let minuses = format!("SELECT SUM({}age) FROM people", "- ".repeat(2000));
    assert_eq!(ask(&minuses), Err(QuestionError::TooDeep));
    let chain = format!("SELECT SUM(1{}) FROM people", "+1".repeat(2000));
    assert_eq!(ask(&chain), Err(QuestionError::TooDeep));
    // A long chain of OR is flat, however it is bracketed.
    let wide = format!(
        "SELECT COUNT(*) FROM people WHERE age=0{}",
        " OR age=1".repeat(200)
    );
    assert!(ask(&wide).is_ok());
}
