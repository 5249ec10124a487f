use std::io;
use std::path::{Path, PathBuf};

use base::Rng;
use community::{Column, Range};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use question::{LocalRow, Question};
use tempfile::{TempDir, tempdir};

use super::*;
use crate::fault::{MAX_FAULTS, Reason};
use crate::key::VaultKey;
use crate::propose::propose;
use crate::rows::{MAX_CELL, MAX_COLUMNS, MAX_RECORD};
use crate::vault::tests::snapshot;

fn key() -> VaultKey {
    VaultKey::generate(&mut Rng::from_number(1))
}

fn vault() -> (TempDir, PathBuf, Vault) {
    let folder = tempdir().expect("a folder");
    let path = folder.path().join("vault.db");
    let vault = Vault::create(&path, &key()).expect("created");
    (folder, path, vault)
}

fn people() -> Table {
    let columns = vec![
        Column {
            name: "age".into(),
            kind: Kind::Number(Range {
                decimals: 0,
                min: 0,
                max: 120,
            }),
        },
        Column {
            name: "hours".into(),
            kind: Kind::Number(Range {
                decimals: 1,
                min: 0,
                max: 240,
            }),
        },
        Column {
            name: "town".into(),
            kind: Kind::Category(vec!["Lyon".into(), "Nice".into()]),
        },
    ];
    Table {
        name: "people".into(),
        columns,
    }
}

#[test]
fn rows_that_are_there_twice_are_kept_and_counted() {
    let (_folder, _path, mut vault) = vault();
    // The same but for a column that the table does not have: another row, not a repeated one.
    let file = "age,hours,town,day\n40,7.5,Lyon,1\n40,7.5,Lyon,2\n40,7.5,Lyon,1\n40,7.5,Lyon,1\n";
    let imported = import_csv(&mut vault, file.as_bytes(), &people(), None).expect("imported");
    assert_eq!((imported.kept, imported.repeated_rows), (4, 2));
    assert!(imported.faults.is_empty());
}

fn sum(vault: &Vault, expr: &str, condition: &str) -> LocalRow {
    let sql = format!("SELECT SUM({expr}) FROM people WHERE {condition}");
    let question = Question::parse(&sql, &[people()], 100).expect("valid");
    vault.answer(&question).expect("answered")
}

#[test]
fn imports_one_person() {
    let (_folder, _, mut vault) = vault();
    let csv = "person,age,hours,town\nada,41,7.5,Lyon\nbob,29,6,Nice\n\"ada \",42,8,Nice\n";
    let imported = import_csv(
        &mut vault,
        csv.as_bytes(),
        &people(),
        Some(("Person", "bob")),
    );
    let imported = imported.expect("imported");
    assert_eq!((imported.kept, imported.other_people), (1, 2));
    assert!(sum(&vault, "age", "age > 0") == LocalRow::number(29));
    assert!(sum(&vault, "hours", "town = 'Nice'") == LocalRow::number(60));
    // Another import takes its place.
    import_csv(
        &mut vault,
        csv.as_bytes(),
        &people(),
        Some(("person", "ada")),
    )
    .expect("imported");
    assert!(sum(&vault, "age", "age > 0") == LocalRow::SeveralRows);
    assert_eq!(vault.table("PEOPLE"), Ok(Some(people())));
    assert_eq!(vault.table("films"), Ok(None));
}

#[test]
fn takes_files_as_spreadsheets_write_them() {
    let (_folder, _, mut vault) = vault();
    // Byte order mark, CRLF, quotes, a comma and a line break within quotes, blank lines, columns in another order.
    let csv = "\u{feff}town,\"note, long\",HOURS,age\r\n\"Lyon\",\"one, \"\"two\"\"\nthree\",7.5, 41 \r\n\r\nNice,,,50\r\n";
    let imported = import_csv(&mut vault, csv.as_bytes(), &people(), None).expect("imported");
    assert_eq!(
        (
            imported.kept,
            imported.unusable_cells,
            imported.skipped_rows
        ),
        (2, 0, 0)
    );
    assert!(sum(&vault, "hours", "age = 41") == LocalRow::number(75));
    assert!(sum(&vault, "hours", "age = 50") == LocalRow::missing());
}

#[test]
fn says_what_it_could_not_use_and_never_the_value() {
    let (_folder, _, mut vault) = vault();
    let csv = b"age,hours,town\n41,7.25,Lyon\n42,seven,Nice\n43,30,Paris\n44\n45,1,Lyon,more\n46,\xff\xfe,Nice\n-1,2,Nice\n";
    let imported = import_csv(&mut vault, &csv[..], &people(), None).expect("imported");
    assert_eq!(
        (
            imported.kept,
            imported.skipped_rows,
            imported.unusable_cells
        ),
        (5, 2, 5)
    );
    assert_eq!(imported.rounded_cells, 1);
    let faults: Vec<String> = imported.faults.iter().map(Fault::to_string).collect();
    assert_eq!(
        faults,
        [
            "line 3, column \"hours\": is not a number",
            "line 4, column \"hours\": lies outside the range that its table allows",
            "line 4, column \"town\": is not one of the declared words",
            "line 5: has 1 cell where the first line has 3",
            "line 6: has 4 cells where the first line has 3",
            "line 7, column \"hours\": is not UTF-8 text",
            "line 8, column \"age\": lies outside the range that its table allows",
        ]
    );
    assert!(sum(&vault, "hours", "age = 41") == LocalRow::number(73));
    assert!(sum(&vault, "hours", "age = 42") == LocalRow::missing());
    assert!(sum(&vault, "hours", "age IS NULL") == LocalRow::number(20));
}

#[test]
fn refuses_files_that_cannot_be_read() {
    let (_folder, _, mut vault) = vault();
    let many = vec!["a"; MAX_COLUMNS + 1].join(",");
    let open_quote = format!("age,hours,town\n1,2,\"{}", "x\n".repeat(MAX_RECORD));
    let cases: Vec<(Vec<u8>, ImportError)> = vec![
        (b"".to_vec(), ImportError::Empty),
        (b"\xef\xbb\xbf".to_vec(), ImportError::Empty),
        (b"\n\n".to_vec(), ImportError::Empty),
        (b"age,hours,town\n".to_vec(), ImportError::NoRows),
        (
            b"age,hours,town\n1\n".to_vec(),
            ImportError::NothingRead("its only record was left out; it, at line 2, has 1 cell where the first line has 3".into()),
        ),
        (
            b"age;hours;town\n1;2;x\n".to_vec(),
            ImportError::Separator(';'),
        ),
        (
            b"age,,town\n1,2,3\n".to_vec(),
            ImportError::UnnamedColumn { position: 2 },
        ),
        (
            b"age,\xff,town\n1,2,3\n".to_vec(),
            ImportError::NameNotUtf8 { position: 2 },
        ),
        (
            b"age,hours,Age\n1,2,3\n".to_vec(),
            ImportError::DuplicateColumn { name: "Age".into() },
        ),
        (
            b"age,\"a\x07b\",town\n1,2,3\n".to_vec(),
            ImportError::BadName {
                name: "a\\u{7}b".into(),
            },
        ),
        (
            b"age,town\n1,Lyon\n".to_vec(),
            ImportError::MissingColumn {
                name: "hours".into(),
            },
        ),
        (
            many.into_bytes(),
            ImportError::TooManyColumns {
                found: MAX_COLUMNS + 1,
            },
        ),
        (
            open_quote.into_bytes(),
            ImportError::RecordTooLong { line: 2 },
        ),
        (
            vec![b'x'; 3 * MAX_RECORD],
            ImportError::RecordTooLong { line: 1 },
        ),
    ];
    for (file, error) in cases {
        assert_eq!(
            import_csv(&mut vault, &file[..], &people(), None),
            Err(error.clone())
        );
        // A proposal needs no particular column.
        if !matches!(error, ImportError::MissingColumn { .. }) {
            assert_eq!(propose(&file[..], "people"), Err(error));
        }
    }
    let csv = "age,hours,town\n1,2,Nice\n";
    let nobody = import_csv(&mut vault, csv.as_bytes(), &people(), Some(("age", "7")));
    assert_eq!(nobody, Err(ImportError::NoRows));
    let missing = import_csv(&mut vault, csv.as_bytes(), &people(), Some(("name", "7")));
    assert_eq!(
        missing,
        Err(ImportError::MissingColumn {
            name: "name".into()
        })
    );
    assert_eq!(vault.table("people"), Ok(None));
}

#[test]
fn refuses_declarations_that_cannot_be_stored() {
    let (_folder, _, mut vault) = vault();
    let mut import = |change: fn(&mut Table)| {
        let mut table = people();
        change(&mut table);
        import_csv(
            &mut vault,
            "age,hours,town\n1,2,Nice\n".as_bytes(),
            &table,
            None,
        )
    };
    assert!(matches!(
        import(|table| table.name = "commonhold_settings".into()),
        Err(ImportError::BadName { .. })
    ));
    assert!(matches!(
        import(|table| table.columns[0].name = "Hours".into()),
        Err(ImportError::DuplicateColumn { .. })
    ));
    assert_eq!(
        import(|table| table.columns[0].kind = Kind::Number(Range {
            decimals: 0,
            min: 1,
            max: 0
        })),
        Err(ImportError::BadRange {
            column: "age".into()
        })
    );
    assert_eq!(
        import(|table| table.columns[0].kind = Kind::Number(Range {
            decimals: 10,
            min: 0,
            max: 1
        })),
        Err(ImportError::BadRange {
            column: "age".into()
        })
    );
    assert!(matches!(
        import(|table| table.columns.clear()),
        Err(ImportError::NoColumns)
    ));
}

#[test]
fn takes_as_many_columns_as_a_table_has() {
    let (_folder, _, mut vault) = vault();
    let names: Vec<String> = (0..MAX_COLUMNS).map(|n| format!("c{n}")).collect();
    let csv = format!(
        "{}\n{}\n{}\n",
        names.join(","),
        vec!["1.5"; MAX_COLUMNS].join(","),
        vec!["2.5"; MAX_COLUMNS].join(",")
    );
    let table = propose(csv.as_bytes(), "wide").expect("proposed").table;
    import_csv(&mut vault, csv.as_bytes(), &table, None).expect("imported");
    let sql = "SELECT SUM(c0 + c1999) FROM wide WHERE c1000 < 2";
    let question = Question::parse(sql, &[table], 100).expect("valid");
    assert!(vault.answer(&question) == Ok(LocalRow::number(30)));
}

#[test]
fn a_long_cell_is_left_out_and_faults_are_counted() {
    let (_folder, _, mut vault) = vault();
    let row = format!("1,2,{}\n", "x".repeat(MAX_CELL + 1));
    let csv = format!("age,hours,town\n{}", row.repeat(MAX_FAULTS + 20));
    let imported = import_csv(&mut vault, csv.as_bytes(), &people(), None).expect("imported");
    assert_eq!(imported.unusable_cells, MAX_FAULTS as u64 + 20);
    assert_eq!(imported.faults.len(), MAX_FAULTS);
    assert_eq!(imported.faults[0].reason, Reason::TooLong);
}

#[test]
fn what_is_proposed_can_be_imported() {
    let (_folder, _, vault) = vault();
    let vault = std::cell::RefCell::new(vault);
    let cell = prop_oneof![
        "-?[0-9]{0,4}(\\.[0-9]{0,3})?(e-?[0-9])?",
        "[a-c\"', ;\t]{0,4}",
        "\\PC{0,6}",
        Just("99999999999999999.123456789".to_string()),
    ];
    let line = prop::collection::vec(cell, 2..4).prop_map(|cells| cells.join(","));
    let file = prop::collection::vec(line, 0..12);
    let imported = std::cell::Cell::new(0);
    TestRunner::new(Config::with_cases(200))
        .run(&file, |lines| {
            let csv = format!("a,b,c\n{}", lines.join("\n"));
            let Ok(proposal) = propose(csv.as_bytes(), "t") else {
                return Ok(());
            };
            let vault = &mut *vault.borrow_mut();
            let import = import_csv(vault, csv.as_bytes(), &proposal.table, None);
            let import = import.expect("a proposal fits its file");
            prop_assert_eq!(import.kept, proposal.rows);
            prop_assert_eq!(import.unusable_cells, 0);
            prop_assert_eq!(import.skipped_rows, proposal.skipped_rows);
            imported.set(imported.get() + 1);
            Ok(())
        })
        .expect("the property holds");
    assert!(
        imported.get() > 100,
        "only {} files were proposed",
        imported.get()
    );
}

#[test]
fn any_bytes_give_a_table_or_an_error() {
    TestRunner::new(Config::with_cases(500))
        .run(&prop::collection::vec(any::<u8>(), 0..200), |bytes| {
            let _ = propose(&bytes[..], "t");
            Ok(())
        })
        .expect("never panics");
}

/// Calls back once, after so many bytes.
struct Midway<'a, F: FnMut() -> io::Result<()>> {
    bytes: &'a [u8],
    after: usize,
    then: F,
}

impl<F: FnMut() -> io::Result<()>> Read for Midway<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let before = self.after;
        let read = self.bytes.read(buffer)?;
        self.after = self.after.saturating_sub(read);
        if before > 0 && self.after == 0 {
            (self.then)()?;
        }
        Ok(read)
    }
}

/// The table with a column to make it large.
fn noted() -> Table {
    let mut table = people();
    table.columns.push(Column {
        name: "note".into(),
        kind: Kind::Text,
    });
    table
}

const OLD: &str = "age,hours,town,note\n41,7.5,Lyon,old\n";

/// An import so large that SQLite writes most of its pages before it ends.
fn large() -> String {
    let line = format!("77,8,Nice,{}\n", "x".repeat(1000));
    format!("age,hours,town,note\n{}", line.repeat(5000))
}

fn open(path: &Path) -> Vault {
    Vault::open(path, &key()).expect("opened")
}

#[test]
fn a_kill_in_the_middle_leaves_the_old_data() {
    let (folder, path, mut vault) = vault();
    import_csv(&mut vault, OLD.as_bytes(), &noted(), None).expect("imported");
    let csv = large();
    let copy = folder.path().join("copy");
    let reader = Midway {
        bytes: csv.as_bytes(),
        after: csv.len() - 100,
        then: || {
            snapshot(&path, &copy);
            Ok(())
        },
    };
    import_csv(&mut vault, reader, &noted(), None).expect("imported");
    assert!(sum(&vault, "age", "age = 77") == LocalRow::SeveralRows);
    // What another process finds that only has the files of that moment, with most of the import in them.
    let log = std::fs::metadata(copy.join("vault.db-wal")).expect("a log");
    assert!(log.len() > 1 << 20, "only {} bytes were written", log.len());
    let killed = open(&copy.join("vault.db"));
    assert!(sum(&killed, "age", "age > 0") == LocalRow::number(41));
}

#[test]
fn a_failing_file_leaves_the_old_data() {
    let (_folder, path, mut vault) = vault();
    import_csv(&mut vault, OLD.as_bytes(), &noted(), None).expect("imported");
    let csv = large();
    let fail = || Err(io::ErrorKind::ConnectionReset.into());
    let reader = Midway {
        bytes: csv.as_bytes(),
        after: csv.len() - 100,
        then: fail,
    };
    assert_eq!(
        import_csv(&mut vault, reader, &noted(), None),
        Err(ImportError::Io(io::ErrorKind::ConnectionReset))
    );
    assert!(sum(&vault, "age", "age > 0") == LocalRow::number(41));
    drop(vault);
    assert!(sum(&open(&path), "age", "age > 0") == LocalRow::number(41));
}

#[test]
fn what_a_file_replaces_comes_back() {
    let (_folder, _, mut vault) = vault();
    let ages = |vault: &Vault| {
        let mut out = Vec::new();
        match vault.export(&["people"], crate::Export::Csv, &mut out) {
            Ok(_) => String::from_utf8(out).expect("text").lines().count() as u64 - 1,
            Err(VaultError::NoTable(_)) => 0,
            Err(why) => panic!("{why}"),
        }
    };
    let bring = |vault: &mut Vault, rows: usize| {
        let csv = format!("age,hours,town\n{}", "30,7,Oslo\n".repeat(rows));
        let origin = Origin {
            name: "mine.csv",
            bytes: csv.len() as u64,
            now_utc_s: 5,
            preview: false,
        };
        let look = Origin {
            preview: true,
            ..origin
        };
        let before = (vault.imports(), ages(vault));
        let (number, seen) =
            import_table(vault, csv.as_bytes(), &people(), &look).expect("looked at");
        assert_eq!(number, None);
        assert_eq!(
            (vault.imports(), ages(vault)),
            before,
            "a look changes nothing"
        );
        let (import, imported) =
            import_table(vault, csv.as_bytes(), &people(), &origin).expect("imported");
        assert_eq!((imported.kept, &imported), (rows as u64, &seen));
        import.expect("it is recorded")
    };
    // Not recorded, as when a program fills it.
    import_csv(
        &mut vault,
        &b"age,hours,town\n1,2,Oslo\n"[..],
        &people(),
        None,
    )
    .expect("imported");
    assert_eq!(bring(&mut vault, 2), 1);
    assert_eq!(bring(&mut vault, 3), 2);
    let recorded = vault.imports().expect("read");
    assert_eq!(
        recorded
            .iter()
            .map(|it| (it.import, it.kept))
            .collect::<Vec<_>>(),
        [(1, 2), (2, 3)]
    );
    assert_eq!(
        (recorded[1].name.as_str(), recorded[1].format.as_str()),
        ("mine.csv", "csv")
    );
    assert_eq!(
        vault.undo(1, 9),
        Err(ImportError::Replaced { import: 1, by: 2 })
    );
    assert_eq!(ages(&vault), 3);
    assert_eq!(vault.undo(2, 9).map(|it| it.removed), Ok(3));
    assert_eq!(ages(&vault), 2);
    assert_eq!(vault.undo(2, 9), Err(ImportError::NoImport { import: 2 }));
    let undone = vault.undo(1, 9).expect("undone");
    assert_eq!((undone.removed, undone.back), (2, 1));
    assert_eq!(ages(&vault), 1);
    // Each can be undone, however many there are.
    let all: Vec<i64> = (10..30).map(|rows| bring(&mut vault, rows)).collect();
    let (import, by) = (all[2], all[19]);
    assert_eq!(
        vault.undo(import, 9),
        Err(ImportError::Replaced { import, by })
    );
    for (rows, import) in all.iter().enumerate().rev() {
        vault.undo(*import, 9).expect("undone");
        assert_eq!(ages(&vault), if rows == 0 { 1 } else { 9 + rows as u64 });
    }
    // Earlier programs kept what the last eight had replaced. Nobody is sent from one to the next in vain.
    let all: Vec<i64> = (10..20).map(|rows| bring(&mut vault, rows)).collect();
    for import in &all[..2] {
        record::forget_replaced(&vault.writer, *import).expect("forgotten");
    }
    let table = || "people".to_owned();
    for import in &all[..2] {
        let (import, table) = (*import, table());
        assert_eq!(
            vault.undo(import, 9),
            Err(ImportError::NotKept { import, table })
        );
    }
    let (import, by) = (all[2], all[9]);
    assert_eq!(
        vault.undo(import, 9),
        Err(ImportError::Replaced { import, by })
    );
    for import in all.iter().rev().take(8) {
        vault.undo(*import, 9).expect("undone");
    }
    assert_eq!(ages(&vault), 11);
    let (import, table) = (all[1], table());
    assert_eq!(
        vault.undo(import, 9),
        Err(ImportError::NotKept { import, table })
    );
    // What is deleted does not come back.
    bring(&mut vault, 4);
    let last = bring(&mut vault, 5);
    assert_eq!(vault.delete("people"), Ok(5));
    assert_eq!(vault.undo(last, 9).map(|it| it.removed), Ok(0));
    assert_eq!(ages(&vault), 0);
    let left: i64 = vault
        .writer
        .query_row(
            "SELECT COUNT(*) FROM sqlite_schema WHERE name LIKE 'commonhold_replaced%'",
            [],
            |row| row.get(0),
        )
        .expect("read");
    assert_eq!(left, 0);
}

#[test]
fn a_file_that_says_what_is_there_changes_nothing() {
    let (_folder, _path, mut vault) = vault();
    let origin = Origin {
        name: "mine.csv",
        bytes: 1,
        now_utc_s: 5,
        preview: false,
    };
    let mut bring = |csv: &str| {
        let brought = import_table(&mut vault, csv.as_bytes(), &people(), &origin);
        let (number, imported) = brought.expect("imported");
        assert_eq!(number.is_none(), imported.unchanged);
        number
    };
    let rows = "age,hours,town\n30,7,Nice\n,7.5,\n30,7,Nice\n";
    assert_eq!(bring(rows), Some(1));
    assert_eq!(bring(rows), None);
    assert_eq!(
        bring("town,age,hours\nNice,30,7\n,,7.5\nNice,30,7.0\n"),
        None
    );
    // Fewer, more, others, another order.
    for (number, other) in [
        (2, "age,hours,town\n30,7,Nice\n,7.5,\n"),
        (3, rows),
        (4, "age,hours,town\n30,7,Nice\n,7.5,\n30,7,Lyon\n"),
        (5, "age,hours,town\n,7.5,\n30,7,Nice\n30,7,Nice\n"),
        (6, rows),
    ] {
        assert_eq!(bring(other), Some(number), "{other}");
    }
    assert_eq!(vault.imports().expect("read").len(), 6);
}
