//! Statements that do more than questions do.

use community::Table;
use question::{LocalRow, LocalValue};

use super::*;
use crate::example::{number, vault};
use crate::import::import_csv;
use crate::vault::Vault;

fn run_for(vault: &Vault, sql: &str, looks: u32) -> Result<LocalRow, VaultError> {
    let allowed = Allowed {
        table: "people",
        root_page: vault.root_page("people")?,
        columns: &["age".to_string()],
        looks,
    };
    vault.run(sql, 1, &allowed)
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
    assert!(run(&vault, "SELECT ABS(age) FROM people WHERE age = 50") == Ok(LocalRow::number(50)));
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

#[test]
fn a_sum_beyond_64_bits_counts_for_nothing() {
    let (_folder, vault) = vault();
    let sql = "SELECT h FROM (SELECT SUM(age * 200000000000000000) AS h FROM people)";
    let expected = LocalRow::One(vec![LocalValue::Other]);
    assert!(run(&vault, sql) == Ok(expected));
}
