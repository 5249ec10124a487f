//! Running a question's local part where it can do no harm.

use community::{Column, Kind};
use question::{LocalRow, LocalValue, Question};
use rusqlite::Connection;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::types::ValueRef;

use crate::error::VaultError;
use crate::vault::Vault;

/// Steps of SQLite's machine between two looks at the budget.
const STEPS_PER_LOOK: i32 = 10_000;

/// Looks before a question is stopped: a thousand million steps, about three seconds (measured: 330 million a second on
/// one core of a small server).
const MAX_LOOKS: u32 = 100_000;

/// Longest statement: a question's text, each of whose names may be joined by a factor and brackets.
const MAX_STATEMENT: i32 = 1 << 16;

/// Largest row that is read.
const MAX_ROW: i32 = 4 << 20;

impl Vault {
    /// What the owner's data says to `question`.
    ///
    /// Only the question's table and columns can be read, nothing can be written, and after a thousand
    /// million steps, some seconds, it is stopped.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoTable`] if nothing was imported for its table, [`VaultError::OtherDeclaration`] if its columns
    /// were imported with another scale or kind (the answer would be wrong), [`VaultError::TooSlow`], or a failure to
    /// read.
    pub fn answer(&self, question: &Question) -> Result<LocalRow, VaultError> {
        let name = question.table();
        let stored = self
            .table(name)?
            .ok_or_else(|| VaultError::NoTable(name.to_string()))?;
        for column in question.reads() {
            let found = stored
                .columns
                .iter()
                .find(|it| it.name.eq_ignore_ascii_case(&column.name));
            if !found.is_some_and(|found| same_storage(found, column)) {
                return Err(VaultError::OtherDeclaration {
                    table: name.to_string(),
                    column: column.name.clone(),
                });
            }
        }
        let statement = Statement {
            sql: question.local_sql(),
            width: question.local_columns(),
            table: name,
            columns: question.columns(),
        };
        self.run(&statement, MAX_LOOKS)
    }

    /// Runs a statement, stopped after `looks`.
    fn run(&self, statement: &Statement<'_>, looks: u32) -> Result<LocalRow, VaultError> {
        let Statement {
            sql,
            width,
            table,
            columns,
        } = *statement;
        let mut reader = self.reader.borrow_mut();
        confine(&mut reader, table, columns, looks)?;
        check_program(&reader, sql, self.root_page(table)?)?;
        let mut statement = reader.prepare(sql)?;
        if !statement.readonly() || statement.column_count() != width {
            return Err(VaultError::Refused);
        }
        let mut rows = statement.query([])?;
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(LocalRow::NoRow),
            Err(error) if is_overflow(&error) => {
                return Ok(LocalRow::One(vec![LocalValue::Other; width]));
            }
            Err(error) => return Err(error.into()),
        };
        let values = (0..width).map(|index| row.get_ref(index).map(value));
        let values = values.collect::<Result<_, _>>()?;
        Ok(if rows.next()?.is_some() {
            LocalRow::SeveralRows
        } else {
            LocalRow::One(values)
        })
    }
}

/// A statement that is not trusted.
#[derive(Clone, Copy)]
struct Statement<'a> {
    sql: &'a str,
    /// Columns of its result.
    width: usize,
    /// The one table that it may read.
    table: &'a str,
    /// The columns of it that it may read.
    columns: &'a [String],
}

fn value(value: ValueRef<'_>) -> LocalValue {
    match value {
        ValueRef::Integer(units) => LocalValue::Number(units),
        ValueRef::Null => LocalValue::Missing,
        ValueRef::Text(word) => match str::from_utf8(word) {
            Ok(word) => LocalValue::Word(word.to_owned()),
            Err(_) => LocalValue::Other,
        },
        ValueRef::Real(_) | ValueRef::Blob(_) => LocalValue::Other,
    }
}

/// Whether a sum left 64 bits: a person's who has more rows than the question allows, or values beyond their declaration.
fn is_overflow(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(_, Some(text)) if text == "integer overflow")
}

/// Whether values of the two declarations are stored alike.
fn same_storage(stored: &Column, asked: &Column) -> bool {
    match (&stored.kind, &asked.kind) {
        (Kind::Number(stored), Kind::Number(asked)) => stored.decimals == asked.decimals,
        (Kind::Number(_), _) | (_, Kind::Number(_)) => false,
        _ => true,
    }
}

/// Puts the connection under the rules for the next statement.
fn confine(
    connection: &mut Connection,
    table: &str,
    columns: &[String],
    looks: u32,
) -> Result<(), VaultError> {
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_STATEMENT),
        (Limit::SQLITE_LIMIT_LENGTH, MAX_ROW),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 0),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    let (table, columns) = (table.to_string(), columns.to_vec());
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        judge(&context, &table, &columns)
    }))?;
    let mut left = looks;
    connection.progress_handler(
        STEPS_PER_LOOK,
        Some(move || {
            left = left.saturating_sub(1);
            left == 0
        }),
    )?;
    Ok(())
}

/// Looks through SQLite's program for the statement: it may open the table once, and lists of its own making.
///
/// The authorizer alone is not enough. It is not asked about the columns that `JOIN … USING` compares, so that a statement
/// could tell whether a value stands in another table or column (seen with SQLite 3.53).
fn check_program(reader: &Connection, sql: &str, root_page: i64) -> Result<(), VaultError> {
    let mut program = reader.prepare(&format!("EXPLAIN {sql}"))?;
    let mut steps = program.query([])?;
    let mut opened = false;
    while let Some(step) = steps.next()? {
        let (code, page, database): (String, i64, i64) = (step.get(1)?, step.get(3)?, step.get(4)?);
        let allowed = match code.as_str() {
            "OpenRead" => {
                page == root_page && database == 0 && !std::mem::replace(&mut opened, true)
            }
            // The values of IN.
            "OpenEphemeral" => true,
            other => !other.contains("Open"),
        };
        if !allowed {
            return Err(VaultError::Refused);
        }
    }
    Ok(())
}

/// The rules: SELECT, the columns of the one table, ABS, and what an inner query computes of all rows. Everything that is
/// not named here is denied.
fn judge(context: &AuthContext<'_>, table: &str, columns: &[String]) -> Authorization {
    let direct = context.accessor.is_none();
    let allowed = match context.action {
        AuthAction::Select => direct,
        AuthAction::Read {
            table_name,
            column_name,
        } => {
            // SQLite reports an empty column where a statement needs the rows of a table and none of its columns.
            let own_column = column_name.is_empty()
                || columns
                    .iter()
                    .any(|column| column.eq_ignore_ascii_case(column_name));
            direct
                && context.database_name.is_none_or(|name| name == "main")
                && table_name.eq_ignore_ascii_case(table)
                && own_column
        }
        AuthAction::Function { function_name } => ["abs", "count", "sum", "min", "max"]
            .iter()
            .any(|name| function_name.eq_ignore_ascii_case(name)),
        _ => false,
    };
    if allowed {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;
    use community::{Range, Table};
    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::import::import_csv;
    use crate::key::VaultKey;

    const CSV: &str = "id,age,hours,town,secret\n1,40,7.5,Lyon,1\n2,50,,Lyon,2\n3,60,6.0,Nice,3\n";

    fn number(name: &str, decimals: u8, min: i64, max: i64) -> Column {
        Column {
            name: name.into(),
            kind: Kind::Number(Range { decimals, min, max }),
        }
    }

    fn people() -> Table {
        let columns = vec![
            number("id", 0, 0, 9_000_000_000_000_000_000),
            number("age", 0, 0, 120),
            number("hours", 1, 0, 240),
            Column {
                name: "town".into(),
                kind: Kind::Category(vec!["Lyon".into(), "Nice".into()]),
            },
            number("secret", 0, 0, 9),
        ];
        Table {
            name: "people".into(),
            columns,
        }
    }

    fn vault() -> (TempDir, Vault) {
        let folder = tempdir().expect("a folder");
        let key = VaultKey::generate(&mut Rng::from_number(1));
        let mut vault = Vault::create(&folder.path().join("vault.db"), &key).expect("created");
        import_csv(&mut vault, CSV.as_bytes(), &people(), None).expect("imported");
        let other = Table {
            name: "other".into(),
            columns: vec![number("age", 0, 0, 120)],
        };
        import_csv(&mut vault, CSV.as_bytes(), &other, None).expect("imported");
        vault.journal_put(b"vote", b"yes").expect("stored");
        (folder, vault)
    }

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
    fn brings_the_rows_of_a_person_down_to_one() {
        let (_folder, vault) = vault();
        for (outer, inner, expected) in [
            (
                "AVG(h)",
                "SUM(hours) AS h FROM people",
                LocalRow::number(135),
            ),
            ("AVG(h)", "COUNT(*) AS h FROM people", LocalRow::number(3)),
            (
                "AVG(h)",
                "COUNT(hours) AS h FROM people",
                LocalRow::number(2),
            ),
            (
                "AVG(h)",
                "COUNT(town) AS h FROM people WHERE town = 'Lyon'",
                LocalRow::number(2),
            ),
            (
                "AVG(h)",
                "MIN(hours) AS h FROM people",
                LocalRow::number(60),
            ),
            (
                "AVG(h)",
                "MAX(age + 1) AS h FROM people",
                LocalRow::number(61),
            ),
            // 6.75, to the digits of hours.
            (
                "AVG(h)",
                "AVG(hours) AS h FROM people",
                LocalRow::number(68),
            ),
            (
                "AVG(h)",
                "AVG(-hours) AS h FROM people",
                LocalRow::number(-67),
            ),
            (
                "SUM(h * 2)",
                "SUM(age) AS h FROM people",
                LocalRow::number(300),
            ),
            (
                "AVG(h)",
                "SUM(age) AS h FROM people WHERE age > 90",
                LocalRow::missing(),
            ),
            (
                "AVG(h)",
                "COUNT(*) AS h FROM people WHERE age > 90",
                LocalRow::number(0),
            ),
            ("COUNT(*)", "SUM(age) AS h FROM people", LocalRow::number(1)),
            // Who has more rows than are allowed does not match.
            (
                "AVG(h)",
                "SUM(age) AS h FROM people HAVING COUNT(*) <= 3",
                LocalRow::number(150),
            ),
            (
                "AVG(h)",
                "SUM(age) AS h FROM people HAVING COUNT(*) <= 2",
                LocalRow::NoRow,
            ),
        ] {
            let sql = format!("SELECT {outer} FROM (SELECT {inner})");
            assert!(ask(&vault, &sql) == expected, "{sql}");
        }
        let inner = "FROM (SELECT SUM(hours) AS h, COUNT(*) AS n FROM people)";
        let both = ask(&vault, &format!("SELECT CORR(h, n) {inner} WHERE n > 2"));
        assert!(both == LocalRow::One([135, 3].map(LocalValue::Number).into()));
        assert!(ask(&vault, &format!("SELECT CORR(h, n) {inner} WHERE n > 3")) == LocalRow::NoRow);
    }

    #[test]
    fn a_sum_beyond_64_bits_counts_for_nothing() {
        let (_folder, vault) = vault();
        let sql = "SELECT h FROM (SELECT SUM(age * 200000000000000000) AS h FROM people)";
        let expected = LocalRow::One(vec![LocalValue::Other]);
        assert!(run(&vault, sql) == Ok(expected));
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
                let question =
                    Question::parse(&sql, std::slice::from_ref(&table), 100).expect(text);
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
                let question =
                    Question::parse(&sql, std::slice::from_ref(&table), 100).expect(text);
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
        let question =
            Question::parse("SELECT SUM(hours) FROM people", &[finer], 100).expect("valid");
        let expected = VaultError::OtherDeclaration {
            table: "people".into(),
            column: "hours".into(),
        };
        assert!(vault.answer(&question) == Err(expected));

        let mut text = people();
        text.columns[1].kind = Kind::Text;
        let question =
            Question::parse("SELECT COUNT(age) FROM people", &[text], 100).expect("valid");
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
        let question = Question::parse("SELECT COUNT(key) FROM commonhold_journal", &[table], 100)
            .expect("valid");
        assert!(matches!(
            vault.answer(&question),
            Err(VaultError::NoTable(_))
        ));
    }

    fn run_for(vault: &Vault, sql: &str, looks: u32) -> Result<LocalRow, VaultError> {
        let statement = Statement {
            sql,
            width: 1,
            table: "people",
            columns: &["age".to_string()],
        };
        vault.run(&statement, looks)
    }

    fn run(vault: &Vault, sql: &str) -> Result<LocalRow, VaultError> {
        run_for(vault, sql, 100)
    }

    #[test]
    fn hostile_statements_are_stopped_before_they_run() {
        let (folder, vault) = vault();
        let stolen = folder.path().join("stolen.db");
        let into = format!("VACUUM INTO '{}'", stolen.display());
        let attach = format!("ATTACH '{}' AS stolen KEY ''", stolen.display());
        for sql in [
            "SELECT secret FROM people",
            "SELECT age FROM people WHERE secret = 1",
            "SELECT age FROM people ORDER BY secret",
            "SELECT rowid FROM people",
            "SELECT * FROM people",
            "SELECT age FROM other",
            "SELECT 1 FROM other",
            "SELECT age FROM people JOIN other USING (age)",
            "SELECT age FROM people NATURAL JOIN other",
            "SELECT p.age FROM people p JOIN people q USING (secret)",
            "SELECT age FROM people WHERE age IN (SELECT age FROM people)",
            "SELECT age FROM people WHERE age IN other",
            "SELECT age FROM people WHERE age = (SELECT age FROM other)",
            "SELECT age FROM people UNION SELECT age FROM other",
            "SELECT (SELECT value FROM commonhold_journal) FROM people",
            "SELECT key FROM commonhold_journal",
            "SELECT value FROM commonhold_settings",
            "SELECT sql FROM sqlite_schema",
            "SELECT name FROM sqlite_master",
            "SELECT name FROM pragma_table_info('people')",
            "SELECT value FROM json_each('[1]')",
            "SELECT pageno FROM dbstat",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n",
            "SELECT load_extension('/lib/evil.so')",
            "SELECT randomblob(1000000000) FROM people",
            "SELECT printf('%.*c', 1000000000, 'x') FROM people",
            "SELECT COUNT(secret) FROM people",
            "SELECT MAX(secret) FROM people",
            "SELECT TOTAL(age) FROM people",
            "SELECT GROUP_CONCAT(age) FROM people",
            "SELECT h FROM (SELECT SUM(secret) AS h FROM people)",
            "SELECT h FROM (SELECT SUM(age) AS h FROM other)",
            "SELECT h FROM (SELECT SUM(age) AS h FROM people), (SELECT age FROM people)",
            "SELECT age LIKE '%' FROM people",
            "SELECT sqlcipher_export('stolen')",
            &attach,
            &into,
            "PRAGMA key",
            "PRAGMA rekey = 'x'",
            "PRAGMA user_version",
            "PRAGMA writable_schema = ON",
            "PRAGMA query_only = OFF",
            "PRAGMA cipher_log = stderr",
            "INSERT INTO people (age) VALUES (1)",
            "UPDATE people SET age = 1",
            "DELETE FROM people",
            "DROP TABLE people",
            "CREATE TABLE more (a)",
            "CREATE TEMP TABLE more (a)",
            "CREATE TEMP VIEW v AS SELECT age FROM people",
            "ALTER TABLE people RENAME TO stolen",
            "REINDEX",
            "ANALYZE",
            "BEGIN",
            "COMMIT",
            "SAVEPOINT s",
            "SELECT age, age FROM people",
            "SELECT age FROM people; SELECT age FROM people",
            "SELECT age FROM people; DELETE FROM people",
        ] {
            assert!(run(&vault, sql) == Err(VaultError::Refused), "{sql}");
        }
        for sql in [
            "",
            "SELECT",
            "SELECT ?1 FROM people",
            "SELECT missing FROM people",
            "EXPLAIN SELECT age FROM people",
            "EXPLAIN QUERY PLAN SELECT age FROM people",
            "QUERY PLAN SELECT age FROM people",
            "SELECT \"missing\" FROM people",
            "SELECT age FROM nowhere",
            &format!("SELECT {} FROM people", "1+".repeat(40_000)),
        ] {
            let result = run(&vault, sql);
            assert!(
                matches!(result, Err(VaultError::Database(_) | VaultError::Refused)),
                "{sql:.40}"
            );
        }
        assert!(!stolen.exists());
        // The rules allow what questions need, still, and nothing has changed.
        assert!(run(&vault, "SELECT age FROM people WHERE age = 40") == Ok(LocalRow::number(40)));
        assert!(run(&vault, "SELECT 1 FROM people LIMIT 2") == Ok(LocalRow::SeveralRows));
        assert!(
            run(&vault, "SELECT ABS(age) FROM people WHERE age = 50") == Ok(LocalRow::number(50))
        );
        assert_eq!(vault.journal_all().expect("read").len(), 1);
    }

    #[test]
    fn long_statements_are_stopped() {
        let (_folder, mut vault) = vault();
        let ages: String = (0..5000).map(|n| format!("{}\n", n % 100)).collect();
        let table = Table {
            name: "people".into(),
            columns: vec![number("age", 0, 0, 120)],
        };
        import_csv(&mut vault, format!("age\n{ages}").as_bytes(), &table, None).expect("imported");
        let scan = "SELECT age FROM people WHERE age * age < 0";
        assert!(run_for(&vault, scan, 1) == Err(VaultError::TooSlow));
        // With a larger budget, the next one comes to its end.
        assert!(run_for(&vault, scan, 100) == Ok(LocalRow::NoRow));
    }

    #[test]
    fn a_value_beyond_64_bits_is_no_number() {
        // A question's ranges exclude this; data that breaks its declaration could still bring it about.
        let (_folder, vault) = vault();
        let sql = "SELECT age * 9223372036854775807 FROM people WHERE age = 40";
        assert!(run(&vault, sql) == Ok(LocalRow::One(vec![LocalValue::Other])));
    }
}
