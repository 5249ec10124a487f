//! What questions mean, on an owner's data.

use base::Rng;
use community::Table;

use super::*;
use crate::example::{number, people, vault};
use crate::import::import_csv;

fn ask(vault: &Vault, sql: &str) -> LocalRow {
    let question = Question::parse(sql, &[people()], 100).expect(sql);
    vault.answer(&question).expect(sql)
}

#[test]
fn answers_questions() {
    let (_folder, vault) = vault();
    for (sql, expected) in [
        (
            "SELECT COUNT(*) FROM people WHERE age = 40",
            LocalRow::number(1),
        ),
        (
            "SELECT COUNT(*) FROM people WHERE age > 40",
            LocalRow::SeveralRows,
        ),
        (
            "SELECT COUNT(*) FROM people WHERE age > 60",
            LocalRow::NoRow,
        ),
        (
            "SELECT AVG(hours) FROM people WHERE age = 40",
            LocalRow::number(75),
        ),
        (
            "SELECT AVG(hours) FROM people WHERE age = 50",
            LocalRow::missing(),
        ),
        (
            "SELECT COUNT(hours) FROM people WHERE age = 50",
            LocalRow::missing(),
        ),
        (
            "SELECT COUNT(town) FROM people WHERE age = 50",
            LocalRow::number(1),
        ),
        (
            "SELECT SUM(ABS(hours - age)) FROM people WHERE id = 3",
            LocalRow::number(540),
        ),
        (
            "SELECT SUM(age / 8) FROM people WHERE town = 'Nice'",
            LocalRow::number(7500),
        ),
        // A comparison with a missing value is neither true nor false.
        (
            "SELECT COUNT(*) FROM people WHERE hours > 6",
            LocalRow::number(1),
        ),
        (
            "SELECT COUNT(*) FROM people WHERE NOT hours > 6",
            LocalRow::number(1),
        ),
        (
            "SELECT COUNT(*) FROM people WHERE hours IS NULL",
            LocalRow::number(1),
        ),
    ] {
        assert!(ask(&vault, sql) == expected, "{sql}");
    }
}

#[test]
fn gives_groups_and_values_in_one_row() {
    let (_folder, vault) = vault();
    let sql = "SELECT CORR(hours, age) FROM people WHERE id = 3 GROUP BY town";
    let nice = LocalValue::Word("Nice".into());
    let [age, hours] = [60, 60].map(LocalValue::Number);
    assert!(ask(&vault, sql) == LocalRow::One(vec![nice, hours, age]));
    let sql = "SELECT AVG(hours) FROM people WHERE id = 2 GROUP BY town, BUCKET(age, 10)";
    let lyon = LocalValue::Word("Lyon".into());
    let age = LocalValue::Number(50);
    let row = LocalRow::One(vec![lyon, age, LocalValue::Missing]);
    assert!(ask(&vault, sql) == row);
}

#[test]
fn tells_whether_it_is_so_as_0_or_1() {
    let (_folder, vault) = vault();
    let so = |condition: &str, id: u8| {
        let sql = format!("SELECT LOGISTIC({condition}, age) FROM people WHERE id = {id}");
        match ask(&vault, &sql) {
            LocalRow::One(values) => values.into_iter().next().expect("two values"),
            _ => panic!("one row matches"),
        }
    };
    let [no, yes] = [0, 1].map(LocalValue::Number);
    for (condition, id, expected) in [
        ("hours > 7", 1, &yes),
        ("hours > 7.5", 1, &no),
        // A comparison with a missing value is neither, unless the rest decides.
        ("hours > 7", 2, &LocalValue::Missing),
        ("NOT hours > 7", 2, &LocalValue::Missing),
        ("hours > 7 OR town = 'Lyon'", 2, &yes),
        ("hours IS NULL", 2, &yes),
        ("town IN ('Nice')", 2, &no),
        ("hours BETWEEN 5.5 AND 6 AND NOT town = 'Lyon'", 3, &yes),
    ] {
        assert!(so(condition, id) == *expected, "{condition} of {id}");
    }
}

#[test]
fn brings_the_rows_of_a_person_down_to_one() {
    let (_folder, vault) = vault();
    let brings = |outer: &str, inner: &str, rest: &str, expected: LocalRow| {
        let sql = format!("SELECT {outer} FROM (SELECT {inner} AS h FROM people{rest})");
        assert!(ask(&vault, &sql) == expected, "{sql}");
    };
    for (inner, rest, expected) in [
        ("SUM(hours)", "", 135),
        ("COUNT(*)", "", 3),
        ("COUNT(hours)", "", 2),
        ("COUNT(town)", " WHERE town = 'Lyon'", 2),
        ("MIN(hours)", "", 60),
        ("MAX(age + 1)", "", 61),
        // 6.75, to the digits of hours.
        ("AVG(hours)", "", 68),
        ("AVG(-hours)", "", -67),
        ("COUNT(*)", " WHERE age > 90", 0),
        // Who has more rows than are allowed does not match, see below.
        ("SUM(age)", " HAVING COUNT(*) <= 3", 150),
    ] {
        brings("AVG(h)", inner, rest, LocalRow::number(expected));
    }
    brings("SUM(h * 2)", "SUM(age)", "", LocalRow::number(300));
    brings("COUNT(*)", "SUM(age)", "", LocalRow::number(1));
    brings("AVG(h)", "SUM(age)", " WHERE age > 90", LocalRow::missing());
    brings(
        "AVG(h)",
        "SUM(age)",
        " HAVING COUNT(*) <= 2",
        LocalRow::NoRow,
    );
    let inner = "FROM (SELECT SUM(hours) AS h, COUNT(*) AS n FROM people)";
    let both = ask(&vault, &format!("SELECT CORR(h, n) {inner} WHERE n > 2"));
    assert!(both == LocalRow::One([135, 3].map(LocalValue::Number).into()));
    assert!(ask(&vault, &format!("SELECT CORR(h, n) {inner} WHERE n > 3")) == LocalRow::NoRow);
}

#[test]
fn computes_as_the_question_declares() {
    // Against plain arithmetic over random rows: the scale, the range and the value of every expression.
    let mut rng = Rng::from_number(5);
    let mut csv = "id,a,b\n".to_string();
    let mut rows = Vec::new();
    for id in 0..40i64 {
        let (a, b) = (rng.below(2001) as i64 - 1000, rng.below(21) as i64 - 10);
        csv += &format!(
            "{id},{}{}.{:02},{b}\n",
            if a < 0 { "-" } else { "" },
            a.abs() / 100,
            a.abs() % 100
        );
        rows.push((
            id,
            i128::from(a) * 10_000_000,
            i128::from(b) * 1_000_000_000,
        ));
    }
    let columns = vec![
        number("id", 0, 0, 99),
        number("a", 2, -1000, 1000),
        number("b", 0, -10, 10),
    ];
    let table = Table {
        name: "t".into(),
        columns,
    };
    let (_folder, mut vault) = vault();
    import_csv(&mut vault, csv.as_bytes(), &table, None).expect("imported");

    // In units of 10^-9.
    const ONE: i128 = 1_000_000_000;
    type Compute = fn(i128, i128) -> i128;
    let values: [(&str, Compute); 8] = [
        ("a", |a, _| a),
        ("a + b", |a, b| a + b),
        ("b - a - 0.125", |a, b| b - a - ONE / 8),
        ("a * b", |a, b| a * b / ONE),
        ("-(a - b) * 2.5", |a, b| (b - a) * 5 / 2),
        ("ABS(a) / 8 - ABS(b)", |a, b| a.abs() / 8 - b.abs()),
        ("(a + 1) * (b - 1) / -0.4", |a, b| {
            (a + ONE) * (b - ONE) / ONE * -5 / 2
        }),
        ("b * b * b", |_, b| b * b / ONE * b / ONE),
    ];
    for (text, compute) in values {
        for &(id, a, b) in &rows {
            let sql = format!("SELECT SUM({text}) FROM t WHERE id = {id}");
            let question = Question::parse(&sql, std::slice::from_ref(&table), 100).expect(text);
            let Kind::Number(range) = question.statistic().declaration().columns[0].kind else {
                panic!("a sum is of numbers");
            };
            let value = compute(a, b) / 10i128.pow(9 - u32::from(range.decimals));
            let value = i64::try_from(value).expect("small");
            assert!((range.min..=range.max).contains(&value), "{text}");
            assert!(
                vault.answer(&question) == Ok(LocalRow::number(value)),
                "{text}"
            );
        }
    }
    type Test = fn(i128, i128) -> bool;
    let conditions: [(&str, Test); 7] = [
        ("a > 2.345", |a, _| a > 2_345_000_000),
        ("a >= b", |a, b| a >= b),
        ("a * 3 < b + 0.5", |a, b| a * 3 < b + ONE / 2),
        ("a BETWEEN b AND 5", |a, b| (b..=5 * ONE).contains(&a)),
        ("NOT (b IN (1, -2.0, 2.5) OR a < 0)", |a, b| {
            !([ONE, -2 * ONE].contains(&b) || a < 0)
        }),
        ("b <> 3 AND (a < 0 OR b > 0)", |a, b| {
            b != 3 * ONE && (a < 0 || b > 0)
        }),
        ("7 > ABS(b)", |_, b| b.abs() < 7 * ONE),
    ];
    for (text, test) in conditions {
        for &(id, a, b) in &rows {
            let sql = format!("SELECT COUNT(*) FROM t WHERE id = {id} AND ({text})");
            let question = Question::parse(&sql, std::slice::from_ref(&table), 100).expect(text);
            let expected = if test(a, b) {
                LocalRow::number(1)
            } else {
                LocalRow::NoRow
            };
            assert!(vault.answer(&question) == Ok(expected), "{text}");
        }
    }
}

#[test]
fn refuses_data_of_another_declaration() {
    let (_folder, vault) = vault();
    let mut finer = people();
    finer.columns[2] = number("hours", 2, 0, 2400);
    let question = Question::parse("SELECT SUM(hours) FROM people", &[finer], 100).expect("valid");
    let expected = VaultError::OtherDeclaration {
        table: "people".into(),
        column: "hours".into(),
    };
    assert!(vault.answer(&question) == Err(expected));

    let mut text = people();
    text.columns[1].kind = Kind::Text;
    let question = Question::parse("SELECT COUNT(age) FROM people", &[text], 100).expect("valid");
    assert!(matches!(
        vault.answer(&question),
        Err(VaultError::OtherDeclaration { .. })
    ));

    let missing = Table {
        name: "films".into(),
        columns: vec![number("rating", 0, 0, 5)],
    };
    let question =
        Question::parse("SELECT SUM(rating) FROM films", &[missing], 100).expect("valid");
    assert!(vault.answer(&question) == Err(VaultError::NoTable("films".into())));
}

#[test]
fn the_vaults_own_tables_answer_nothing() {
    let (_folder, vault) = vault();
    let journal = Column {
        name: "key".into(),
        kind: Kind::Text,
    };
    let table = Table {
        name: "commonhold_journal".into(),
        columns: vec![journal],
    };
    let question =
        Question::parse("SELECT COUNT(key) FROM commonhold_journal", &[table], 100).expect("valid");
    assert!(matches!(
        vault.answer(&question),
        Err(VaultError::NoTable(_))
    ));
}

#[test]
fn the_rows_that_a_query_in_brackets_takes_are_counted_however_many() {
    let (_folder, vault) = vault();
    let rows = |sql: &str| {
        let question = Question::parse(sql, &[people()], 100).expect(sql);
        vault.rows_asked(&question).expect(sql)
    };
    let all = "SELECT AVG(n) FROM (SELECT COUNT(*) AS n FROM people";
    assert_eq!(
        rows(&format!("{all} WHERE age > 40)")),
        rows(&format!("{all} WHERE age > 40 HAVING COUNT(*) <= 1)"))
    );
    let older = ask(&vault, &format!("{all} WHERE age > 40)"));
    assert!(
        older
            == LocalRow::number(
                rows(&format!("{all} WHERE age > 40)"))
                    .expect("some")
                    .cast_signed()
            )
    );
    assert_eq!(rows(&format!("{all} WHERE age > 60)")), Some(0));
    assert_eq!(rows("SELECT COUNT(*) FROM people"), None);
}

/// The connection that reads has seen the table where it was before the file was written anew.
#[test]
fn a_table_that_has_moved_in_the_file_is_asked_at_once() {
    let (_folder, vault) = vault();
    let other = Table {
        name: "other".into(),
        columns: vec![number("age", 0, 0, 120)],
    };
    let question = Question::parse("SELECT AVG(age) FROM other WHERE age = 40", &[other], 100);
    let question = question.expect("valid");
    let before = vault.root_page("other").expect("there");
    assert!(vault.answer(&question) == Ok(LocalRow::number(40)));
    let moved = vault.writer.execute_batch("DROP TABLE people; VACUUM");
    moved.expect("written anew");
    assert!(vault.answer(&question) == Ok(LocalRow::number(40)));
    assert_ne!(vault.root_page("other").expect("there"), before);
}
