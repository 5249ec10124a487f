//! Bad SQL, as far as it comes: each text is refused with one line that says what to do, or answered, in bounded time and
//! memory, and the vault is as it was.

use std::fs;
use std::path::Path;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use base::Rng;
use community::{Column, Kind, Range, Table};
use question::{LocalRow, LocalValue, MAX_TEXT, Question};
use tempfile::{TempDir, tempdir};
use vault::{Vault, VaultKey, import_csv};

/// Longest time for the texts of a test, on a busy machine (measured: 0.1 s on an idle one).
const PATIENCE: Duration = Duration::from_secs(10);
/// What reading it may take of a stack.
const STACK: usize = 1 << 20;
/// What all texts together may take of memory, in kilobytes, besides what the test has.
const MEMORY_KB: u64 = 48 << 10;

fn number(name: &str, max: i64) -> Column {
    let range = Range {
        decimals: 0,
        min: 0,
        max,
    };
    Column {
        name: name.into(),
        kind: Kind::Number(range),
    }
}

fn vocabulary() -> Vec<Table> {
    let word = |name: &str, kind| Column {
        name: name.into(),
        kind,
    };
    let people = Table {
        name: "people".into(),
        columns: vec![
            number("age", 120),
            number("balance", i64::MAX),
            word("town", Kind::Text),
            word("sex", Kind::Category(vec!["m".into(), "f".into()])),
        ],
    };
    let films = Table {
        name: "films".into(),
        columns: vec![number("rating", 5)],
    };
    vec![people, films]
}

fn vault() -> (TempDir, Vault) {
    let folder = tempdir().expect("a folder");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let mut vault = Vault::create(&folder.path().join("vault.db"), &key).expect("created");
    let csv = "age,balance,town,sex,secret\n40,7,Lyon,m,1\n";
    import_csv(&mut vault, csv.as_bytes(), &vocabulary()[0], None).expect("imported");
    vault.journal_put(b"vote", b"yes").expect("stored");
    (folder, vault)
}

/// What an owner's node makes of a stranger's text; the error as the owner or the asker reads it.
fn put(vault: &Vault, sql: &str) -> Result<LocalRow, String> {
    let question = Question::parse(sql, &vocabulary(), 1000).map_err(|why| why.to_string());
    let row = question.and_then(|question| vault.answer(&question).map_err(|why| why.to_string()));
    if let Err(why) = &row {
        assert!(!why.chars().any(char::is_control), "{why:?}");
        assert!(why.len() < 500, "{why}");
    }
    row
}

/// Runs a test on a small stack, and waits for it no longer than users would.
fn on_a_small_stack(test: impl FnOnce() + Send + 'static) {
    let (done, waits) = mpsc::channel();
    let test = move || {
        test();
        done.send(()).expect("somebody waits");
    };
    let thread = thread::Builder::new().stack_size(STACK).spawn(test);
    let thread = thread.expect("a thread");
    let late = waits.recv_timeout(PATIENCE) == Err(mpsc::RecvTimeoutError::Timeout);
    assert!(!late, "it takes longer than {PATIENCE:?}");
    thread.join().expect("the test passes");
}

/// Puts each text; each must be refused with these words.
fn all_refused(texts: Vec<(String, &'static str)>) {
    let before = memory_kb();
    on_a_small_stack(move || {
        let (_folder, vault) = vault();
        for (sql, instead) in &texts {
            let why = put(&vault, sql).expect_err(sql);
            assert!(why.contains(instead), "{sql:.80}: {why}");
        }
        unharmed(&vault);
    });
    let more = memory_kb().saturating_sub(before);
    assert!(more < MEMORY_KB, "{more} kB");
}

fn unharmed(vault: &Vault) {
    let sql = "SELECT SUM(age) FROM people WHERE town = 'Lyon'";
    assert!(put(vault, sql) == Ok(LocalRow::number(40)));
    assert_eq!(vault.journal_all().expect("read").len(), 1);
}

/// The most memory that this process has had; 0 where the system does not tell.
fn memory_kb() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().next());
    number.and_then(|number| number.parse().ok()).unwrap_or(0)
}

fn owned(texts: &[(&str, &'static str)]) -> Vec<(String, &'static str)> {
    let texts = texts.iter();
    texts
        .map(|(sql, instead)| (sql.to_string(), *instead))
        .collect()
}

#[test]
fn tables_that_nobody_declared_are_out_of_reach() {
    let join = "name that table alone";
    let unknown = "take one that its vocabulary declares";
    all_refused(owned(&[
        ("SELECT COUNT(*) FROM salaries", unknown),
        ("SELECT COUNT(*) FROM peeple", "did you mean \"people\"?"),
        ("SELECT COUNT(*) FROM sqlite_schema", unknown),
        ("SELECT COUNT(*) FROM commonhold_journal", unknown),
        (
            "SELECT COUNT(*) FROM main.people",
            "a table has a name of one part",
        ),
        ("SELECT COUNT(*) FROM people, salaries", join),
        ("SELECT COUNT(*) FROM people JOIN salaries ON 1 = 1", join),
        ("SELECT COUNT(*) FROM people NATURAL JOIN salaries", join),
        (
            "SELECT COUNT(*) FROM people LEFT JOIN salaries USING (age)",
            join,
        ),
        ("SELECT COUNT(*) FROM people CROSS JOIN films", join),
        ("SELECT SUM(salaries.pay) FROM people", join),
        (
            "SELECT COUNT(*) FROM people WHERE commonhold_journal.key = 'vote'",
            join,
        ),
        ("SELECT COUNT(secret) FROM people", "name one that it has"),
        ("SELECT COUNT(rowid) FROM people", "name one that it has"),
        (
            "SELECT AVG(h) FROM (SELECT SUM(pay) AS h FROM salaries)",
            unknown,
        ),
        (
            "SELECT COUNT(*) FROM pragma_table_info('people')",
            "the function pragma_table_info",
        ),
        (
            "SELECT COUNT(*) FROM people WHERE age IN (SELECT age FROM salaries)",
            "one query may stand in brackets",
        ),
        (
            "SELECT COUNT(*) FROM people WHERE EXISTS (SELECT 1 FROM salaries)",
            "AND, OR, NOT",
        ),
        (
            "SELECT COUNT(*) FROM people UNION SELECT age FROM salaries",
            "join conditions with OR",
        ),
        // Declared, but nothing was imported.
        ("SELECT AVG(rating) FROM films", "import it first"),
    ]));
}

#[test]
fn nothing_is_written_and_no_pragma_is_heard() {
    let reads = "a question only reads; begin with SELECT";
    let second = "one question is one statement";
    let function = "a value is computed with +, -, *, / and ABS";
    let mut texts = owned(&[
        ("SELECT COUNT(*) FROM people; DELETE FROM people", second),
        ("SELECT COUNT(*) FROM people; PRAGMA rekey = 'x'", second),
        ("SELECT age INTO stolen FROM people", "in double quotes"),
        (
            "SELECT COUNT(*) FROM people -- ; DROP TABLE people",
            "say what it is for in the purpose",
        ),
        (
            "SELECT COUNT(load_extension('/lib/evil.so')) FROM people",
            function,
        ),
        ("SELECT SUM(randomblob(1000000000)) FROM people", function),
        (
            "SELECT SUM(sqlcipher_export('stolen')) FROM people",
            function,
        ),
        (
            "SELECT SUM(writefile('stolen', town)) FROM people",
            function,
        ),
        (
            "SELECT SUM(age) FROM people WHERE town = ?",
            "write the value itself",
        ),
    ]);
    for statement in [
        "INSERT INTO people (age) VALUES (1)",
        "UPDATE people SET age = 1",
        "REPLACE INTO people (age) VALUES (1)",
        "DELETE FROM people",
        "DROP TABLE people",
        "CREATE TABLE more (a)",
        "CREATE TEMP VIEW v AS SELECT age FROM people",
        "CREATE TRIGGER t AFTER INSERT ON people BEGIN SELECT 1; END",
        "ALTER TABLE people RENAME TO stolen",
        "ATTACH 'stolen.db' AS stolen KEY ''",
        "VACUUM INTO 'stolen.db'",
        "PRAGMA key",
        "PRAGMA rekey = 'x'",
        "PRAGMA user_version",
        "PRAGMA writable_schema = ON",
        "PRAGMA cipher_log = stderr",
        "EXPLAIN SELECT COUNT(*) FROM people",
        "BEGIN",
        "REINDEX",
        "ANALYZE",
        "VALUES (1)",
    ] {
        texts.push((
            statement.to_owned(),
            if statement.contains("; ") {
                second
            } else {
                reads
            },
        ));
    }
    all_refused(texts);
}

#[test]
fn huge_literals_end_where_fixed_point_does() {
    let digits = |count: usize| "9".repeat(count);
    let where_age = |number: &str| format!("SELECT COUNT(*) FROM people WHERE age < {number}");
    let long = "list fewer values or conditions";
    let smaller = "use smaller numbers";
    all_refused(vec![
        (where_age(&digits(20)), smaller),
        (where_age(&digits(4000)), smaller),
        (where_age(&format!("-{}", digits(4000))), smaller),
        (where_age(&digits(1_000_000)), long),
        (where_age(&format!("0.{}", digits(4000))), "rounder numbers"),
        (where_age("1e999999999"), "plain digits"),
        (where_age("0xffffffffffffffffffff"), "plain digits"),
        (
            where_age(&format!("'{}'", digits(3900))),
            "compare numbers with numbers",
        ),
        (
            where_age(&format!("({})", "9, ".repeat(1000) + "9")),
            "is not a number",
        ),
        ("SELECT SUM(balance * balance) FROM people".into(), smaller),
        (
            format!("SELECT SUM(age{}) FROM people", " * 1000000".repeat(9)),
            smaller,
        ),
        (
            format!("SELECT AVG(age / {}) FROM people", digits(18)),
            "divide the answer instead",
        ),
        (
            "SELECT HISTOGRAM(balance, 1) FROM people".into(),
            "at most 4096",
        ),
        (
            format!("SELECT TOP(age, {}) FROM people", digits(18)),
            "a number from 1 to 1000",
        ),
        (
            format!(
                "SELECT LOGISTIC(age > 3, age, {}, 0.5) FROM people",
                digits(18) + "9"
            ),
            smaller,
        ),
        (
            format!(
                "SELECT SUM(n) FROM (SELECT COUNT(*) AS n FROM people HAVING COUNT(*) <= {})",
                digits(18)
            ),
            "up to 1000000",
        ),
        (
            format!(
                "SELECT COUNT(*) FROM people WHERE sex = '{}'",
                "x".repeat(4000)
            ),
            "name one of its words",
        ),
        (
            format!("SELECT COUNT(*) FROM \"{}\"", "x".repeat(4000)),
            "take one that its vocabulary declares",
        ),
        (
            format!(
                "SELECT COUNT(*) FROM people WHERE town = '{}'",
                "x".repeat(1 << 20)
            ),
            long,
        ),
    ]);
    // What fits is answered: a long word, and a number that a row's value times it leaves.
    let (_folder, vault) = vault();
    let word = format!(
        "SELECT COUNT(*) FROM people WHERE town <> '{}'",
        "x".repeat(4000)
    );
    assert!(put(&vault, &word) == Ok(LocalRow::number(1)));
    assert!(put(&vault, &where_age(&digits(18))) == Ok(LocalRow::number(1)));
    unharmed(&vault);
}

#[test]
fn recursion_ends() {
    let count = |condition: String| format!("SELECT COUNT(*) FROM people WHERE {condition}");
    let sum = |value: String| format!("SELECT SUM({value}) FROM people");
    let flatter = "write it flatter";
    let inner = "one query may stand in brackets";
    let nested = |open: &str, close: &str, times: usize| {
        format!("{}age{}", open.repeat(times), close.repeat(times))
    };
    all_refused(vec![
        (
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) FROM n".into(),
            "in brackets after FROM",
        ),
        (sum(nested("(", ")", 1900)), flatter),
        (sum(nested("ABS(", ")", 700)), flatter),
        (sum(nested("-(", ")", 1000)), flatter),
        (sum(nested("- ", "", 1900)), flatter),
        (sum(nested("1 + ", "", 900)), flatter),
        (count(format!("{}age = 1", "NOT ".repeat(800))), flatter),
        (count(nested("(", " = 1)", 600)), flatter),
        (count(format!("{}age = 1", "NOT (age = 2 OR ".repeat(200))), flatter),
        (count(nested("age IN (SELECT ", ")", 25)), inner),
        (format!("SELECT COUNT(*) FROM {}people", "(SELECT SUM(age) AS h FROM ".repeat(25)), inner),
        (sum(nested("(", ")", 1_000_000)), "list fewer values or conditions"),
        (sum(format!("CASE {}", "WHEN age > 1 THEN CASE ".repeat(100))), "group by BUCKET(x, 10)"),
        (sum(nested("SUM(", ")", 20)), "put the arithmetic inside its brackets"),
    ]);
    // What is not too deep is answered, also on a small stack.
    on_a_small_stack(move || {
        let (_folder, vault) = vault();
        for (sql, expected) in [
            (sum(nested("(", ")", 31)), 40),
            (sum(nested("ABS(", ")", 30)), 40),
            (sum(nested("1 + ", "", 30)), 70),
            (count(format!("{}age = 40", "NOT ".repeat(30))), 1),
            (count(vec!["age = 40"; 200].join(" OR ")), 1),
        ] {
            match put(&vault, &sql) {
                Ok(LocalRow::One(values)) => {
                    assert!(values == [LocalValue::Number(expected)], "{sql}")
                }
                other => panic!("{sql}: {other:?}"),
            }
        }
    });
}

/// What fuzzing the language found and started from, over this vocabulary and the one of that corpus.
#[test]
fn nothing_of_the_corpus_harms_a_vault() {
    let (_folder, mut vault) = vault();
    let sleep = Table {
        name: "sleep".into(),
        columns: vec![number("hours", 24), number("age", 120)],
    };
    import_csv(&mut vault, &b"hours,age\n7,40\n"[..], &sleep, None).expect("imported");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/question");
    let mut understood = 0;
    for file in fs::read_dir(folder).expect("there is a corpus") {
        let bytes = fs::read(file.expect("a file").path()).expect("read");
        let text = String::from_utf8_lossy(&bytes);
        for text in [
            text.to_string(),
            text.replace("sleep", "people").replace("hours", "age"),
        ] {
            if put(&vault, &text).is_ok() {
                understood += 1;
            }
            if let Ok(question) = Question::parse(&text, std::slice::from_ref(&sleep), 1000) {
                let row = vault.answer(&question).expect("it reads its own table");
                assert_eq!(question.measure(&row).vector.len(), question.vector_len());
                assert!(question.sql().len() <= MAX_TEXT);
                understood += 1;
            }
        }
    }
    assert!(understood >= 10, "{understood} were understood");
    unharmed(&vault);
}
