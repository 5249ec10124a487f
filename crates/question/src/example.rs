//! A small vocabulary for the tests of this crate.

use community::{Column, Kind, Range, Table};
use proptest::prelude::*;

use crate::error::QuestionError;
use crate::question::Question;

/// Most people who answer.
pub(crate) const PEOPLE: u64 = 1000;

pub(crate) fn vocabulary() -> Vec<Table> {
    let number = |name: &str, decimals, min, max| Column {
        name: name.into(),
        kind: Kind::Number(Range { decimals, min, max }),
    };
    let category = |name: &str, words: &[&str]| Column {
        name: name.into(),
        kind: Kind::Category(words.iter().map(|word| word.to_string()).collect()),
    };
    let people = vec![
        number("age", 0, 0, 120),
        number("sleep_hours", 1, 0, 240),
        number("balance", 2, -1_000_000, 5_000_000),
        number("huge", 0, 0, i64::MAX),
        number("fine", 9, -5, 5),
        number("count", 0, 0, 9),
        category("gender", &["Female", "Male"]),
        category("other_gender", &["Female", "Male", "it's"]),
        Column {
            name: "town".into(),
            kind: Kind::Text,
        },
        Column {
            name: "odd \"name\"".into(),
            kind: Kind::Text,
        },
        number("broken", 10, 0, 1),
    ];
    vec![
        Table {
            name: "people".into(),
            columns: people,
        },
        Table {
            name: "left".into(),
            columns: vec![number("match", 0, 0, 1)],
        },
    ]
}

pub(crate) fn ask(sql: &str) -> Result<Question, QuestionError> {
    Question::parse(sql, &vocabulary(), PEOPLE)
}

/// Texts of number expressions, most of which are valid.
pub(crate) fn number_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("age".to_string()),
        Just("\"sleep_hours\"".to_string()),
        Just("people.balance".to_string()),
        Just("Count".to_string()),
        (0..2000u32).prop_map(|n| n.to_string()),
        (0..2000u32).prop_map(|n| format!("{}.{:02}", n / 100, n % 100)),
    ];
    leaf.prop_recursive(5, 24, 2, |inner| {
        prop_oneof![
            (inner.clone(), "[-+*]", inner.clone()).prop_map(|(a, op, b)| format!("{a} {op} {b}")),
            (inner.clone(), "[-+*]", inner.clone())
                .prop_map(|(a, op, b)| format!("({a}) {op} ({b})")),
            (inner.clone(), "2|4|10|0.5|-8").prop_map(|(a, b)| format!("{a} / {b}")),
            inner.clone().prop_map(|a| format!("- {a}")),
            inner.clone().prop_map(|a| format!("-({a})")),
            inner.prop_map(|a| format!("abs({a})")),
        ]
    })
}

/// Texts of conditions, most of which are valid.
pub(crate) fn condition_text() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        (number_text(), "=|<>|!=|<|<=|>|>=", number_text())
            .prop_map(|(a, op, b)| format!("{a} {op} {b}")),
        ("(NOT )?", number_text(), number_text())
            .prop_map(|(not, a, b)| format!("age {not}BETWEEN {a} AND {b}")),
        ("(NOT )?", prop::collection::vec(number_text(), 1..4))
            .prop_map(|(not, list)| format!("sleep_hours {not}IN ({})", list.join(", "))),
        (number_text(), "(NOT )?").prop_map(|(a, not)| format!("({a}) IS {not}NULL")),
        "gender (=|<>) '(Male|Female)'",
        "(town|\"odd \"\"name\"\"\") (=|<|>=) '[a-c'']{0,3}'"
            .prop_filter("balanced quotes", |text| text.matches('\'').count() % 2
                == 0),
        "gender IN \\('Male'(, 'Female')?\\)",
        Just("gender = other_gender".to_string()),
    ];
    leaf.prop_recursive(4, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(|all| all.join(" AND ")),
            prop::collection::vec(inner.clone(), 2..4).prop_map(|any| any.join(" OR ")),
            inner.clone().prop_map(|a| format!("NOT {a}")),
            inner.prop_map(|a| format!("({a})")),
        ]
    })
}

/// Texts of what people are divided into, most of which are valid.
fn parting_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("gender".to_string()),
        Just("OTHER_GENDER".to_string()),
        "bucket\\((age|balance|-sleep_hours|age \\+ 1)(, (5|20|100))?\\)",
    ]
}

/// Texts of statistics, most of which are valid.
fn statistic_text() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("count(*)".to_string()),
        Just("COUNT(town)".to_string()),
        number_text().prop_map(|a| format!("SUM({a})")),
        number_text().prop_map(|a| format!("avg({a})")),
        (
            "VAR_POP|var_samp|Variance|STDDEV|stddev_pop|SKEWNESS|KURTOSIS|MEDIAN|MIN|MAX",
            number_text()
        )
            .prop_map(|(name, a)| format!("{name}({a})")),
        ("HISTOGRAM|MODE", parting_text()).prop_map(|(name, a)| format!("{name}({a})")),
        "TOP\\(gender, [0-9]{1,2}\\)",
        "(QUANTILE|PERCENTILE)\\(age, 0?\\.[0-9]{1,5}(, [0-9])?\\)",
        "(HISTOGRAM|MEDIAN|MIN)\\((balance|sleep_hours), (0\\.5|20|1000)\\)",
        (
            "COVAR_POP|COVAR_SAMP|CORR|REGR",
            number_text(),
            number_text()
        )
            .prop_map(|(name, a, b)| format!("{name}({a}, {b})")),
        Just("REGR(balance, age, sleep_hours, count)".to_string()),
        (
            condition_text(),
            number_text(),
            "(, -?[0-9]\\.[0-9]{1,9}){2}(, 0\\.01)?|"
        )
            .prop_map(|(so, x, weights)| format!("LOGISTIC({so}, {x}{weights})")),
    ]
}

/// Texts of questions, most of which are valid.
pub(crate) fn question_text() -> impl Strategy<Value = String> {
    let condition = || prop::option::of(condition_text());
    let filter =
        |text: Option<String>| text.map_or(String::new(), |text| format!("\n WHERE {text}"));
    let groups = prop::collection::vec(parting_text(), 0..5);
    let plain =
        (statistic_text(), condition(), groups).prop_map(move |(head, condition, groups)| {
            let groups = match groups.as_slice() {
                [] => String::new(),
                groups => format!(" group by {}", groups.join(", ")),
            };
            format!("select {head} from People{}{groups};", filter(condition))
        });
    let outer = "AVG\\(h\\)|SUM\\(h \\+ n\\)|MEDIAN\\(n\\)|CORR\\(h, n\\)|COUNT\\(\\*\\)";
    let by = "( GROUP BY BUCKET\\(n, [1-9]0\\))?";
    let limit = "( having count\\(\\*\\) <= [0-9]{1,4})?";
    let inner = (
        outer,
        "SUM|MIN|MAX|AVG|count",
        number_text(),
        condition(),
        limit,
        by,
    );
    let inner = inner.prop_map(move |(outer, name, x, condition, limit, by)| {
        let condition = filter(condition);
        let rows = format!("select {name}({x}) as h, count(*) as N from people{condition}{limit}");
        let rows = rows.replace("as N", "as \"n\"");
        format!("select {outer} from ({rows}) where n > 0{by}")
    });
    prop_oneof![plain, inner]
}
