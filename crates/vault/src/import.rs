//! Filling a data table from a CSV file.

use std::io::Read;

use community::{Kind, Range, Table};
use question::MAX_DECIMALS;
use rusqlite::types::Value;
use rusqlite::{Transaction, params_from_iter};

use crate::error::{ImportError, VaultError};
use crate::number;
use crate::rows::{Fault, Faults, Reason, Row, Rows, check_distinct, check_name};
use crate::vault::{Vault, check_table_name, quoted};

/// What an import did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// Records now in the table.
    pub kept: u64,
    /// Records of other people.
    pub other_people: u64,
    /// Records left out because they have another number of cells than the first line.
    pub skipped_rows: u64,
    /// Cells of kept records that could not be used and count as missing.
    pub unusable_cells: u64,
    /// Cells of kept records with more digits than the vocabulary keeps, rounded.
    pub rounded_cells: u64,
    /// The first skipped records and unusable cells, one by one.
    pub faults: Vec<Fault>,
}

/// Replaces the data of `table` by the records of a CSV file: all of them, or with `person` given as a column and a value,
/// those that hold this value in this column.
///
/// The file's columns are found by name; those that `table` does not declare are left out (the column that tells the
/// person need not be declared). A cell that is empty, or that its declaration does not admit, is stored as missing.
/// Either everything is imported when this returns, or nothing was changed.
///
/// # Errors
///
/// A declaration or header that cannot be used, a file without any matching record, or a failure to read or write.
pub fn import_csv(
    vault: &mut Vault,
    reader: impl Read,
    table: &Table,
    person: Option<(&str, &str)>,
) -> Result<Imported, ImportError> {
    check_table(table)?;
    let mut input = Rows::new(reader)?;
    let find = |input: &Rows<_>, name: &str| {
        input
            .position(name)
            .ok_or_else(|| ImportError::MissingColumn {
                name: name.to_string(),
            })
    };
    let person = match person {
        Some((column, value)) => Some((find(&input, column)?, value.trim())),
        None => None,
    };
    let positions = table
        .columns
        .iter()
        .map(|column| find(&input, &column.name))
        .collect::<Result<Vec<_>, _>>()?;
    let transaction = vault.begin()?;
    let imported = fill(&transaction, table, &mut input, &positions, person)?;
    if imported.kept == 0 {
        return Err(ImportError::NoRows);
    }
    transaction.commit().map_err(VaultError::from)?;
    Ok(imported)
}

fn check_table(table: &Table) -> Result<(), ImportError> {
    check_table_name(&table.name)?;
    if table.columns.is_empty() {
        return Err(ImportError::NoColumns);
    }
    for column in &table.columns {
        check_name(&column.name)?;
        if let Kind::Number(range) = column.kind
            && (range.decimals > MAX_DECIMALS || range.min > range.max)
        {
            return Err(ImportError::BadRange {
                column: column.name.clone(),
            });
        }
    }
    check_distinct(table.columns.iter().map(|column| column.name.as_str()))
}

/// Makes the table anew and copies the records into it.
fn fill<R: Read>(
    transaction: &Transaction<'_>,
    table: &Table,
    input: &mut Rows<R>,
    positions: &[usize],
    person: Option<(usize, &str)>,
) -> Result<Imported, ImportError> {
    let mut insert = declare(transaction, table)?;
    let (mut kept, mut other_people, mut rounded) = (0, 0, 0);
    let mut faults = Faults::default();
    while let Some(row) = input.next(&mut faults)? {
        if let Some((position, value)) = person
            // A fault in a stranger's record is no matter of ours.
            && row.text(position, &mut Faults::default()) != Some(value)
        {
            other_people += 1;
            continue;
        }
        let cells = table
            .columns
            .iter()
            .zip(positions)
            .map(|(column, &position)| {
                stored(&row, position, &column.kind, &mut rounded, &mut faults)
            });
        insert
            .execute(params_from_iter(cells))
            .map_err(VaultError::from)?;
        kept += 1;
    }
    Ok(Imported {
        kept,
        other_people,
        skipped_rows: faults.records,
        unusable_cells: faults.cells,
        rounded_cells: rounded,
        faults: faults.first,
    })
}

/// Creates the table, remembers its declaration, and prepares the statement that takes a record.
fn declare<'a>(
    transaction: &'a Transaction<'_>,
    table: &Table,
) -> Result<rusqlite::Statement<'a>, VaultError> {
    let columns: Vec<String> = table
        .columns
        .iter()
        .map(|column| {
            let kind = if matches!(column.kind, Kind::Number(_)) {
                "INTEGER"
            } else {
                "TEXT"
            };
            format!("{} {kind}", quoted(&column.name))
        })
        .collect();
    let name = quoted(&table.name);
    transaction.execute(&format!("DROP TABLE IF EXISTS {name}"), [])?;
    transaction.execute(
        &format!("CREATE TABLE {name} ({}) STRICT", columns.join(", ")),
        [],
    )?;
    transaction.execute(
        "INSERT OR REPLACE INTO commonhold_tables (name, declaration) VALUES (?1, ?2)",
        (&table.name, base::encode(table)),
    )?;
    let places = vec!["?"; columns.len()].join(", ");
    Ok(transaction.prepare(&format!("INSERT INTO {name} VALUES ({places})"))?)
}

/// What is stored for the cell at `position`: NULL if it is missing or its declaration does not admit it.
fn stored(
    row: &Row<'_>,
    position: usize,
    kind: &Kind,
    rounded: &mut u64,
    faults: &mut Faults,
) -> Value {
    let Some(text) = row.text(position, faults) else {
        return Value::Null;
    };
    let value = match kind {
        Kind::Number(range) => scaled(text, range, rounded).map(Value::Integer),
        Kind::Category(words) if !words.iter().any(|word| word == text) => Err(Reason::UnknownWord),
        Kind::Category(_) | Kind::Text => Ok(Value::Text(text.to_string())),
    };
    value.unwrap_or_else(|reason| {
        row.note(position, reason, faults);
        Value::Null
    })
}

fn scaled(text: &str, range: &Range, rounded: &mut u64) -> Result<i64, Reason> {
    let number = number::parse(text).ok_or(Reason::NotANumber)?;
    let value = number.scaled_to(range.decimals).ok_or(Reason::OutOfRange)?;
    if !(range.min..=range.max).contains(&value) {
        return Err(Reason::OutOfRange);
    }
    *rounded += u64::from(number.decimals > range.decimals);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::path::{Path, PathBuf};

    use base::Rng;
    use community::Column;
    use proptest::prelude::*;
    use proptest::test_runner::{Config, TestRunner};
    use question::{LocalRow, Question};
    use tempfile::{TempDir, tempdir};

    use super::*;
    use crate::key::VaultKey;
    use crate::propose::propose;
    use crate::rows::{MAX_CELL, MAX_COLUMNS, MAX_FAULTS, MAX_RECORD};
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
                "line 4, column \"hours\": lies outside the declared range",
                "line 4, column \"town\": is not one of the declared words",
                "line 5: has 1 cells where the first line has 3",
                "line 6: has 4 cells where the first line has 3",
                "line 7, column \"hours\": is not UTF-8 text",
                "line 8, column \"age\": lies outside the declared range",
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
            (b"age,hours,town\n1,2\n".to_vec(), ImportError::NoRows),
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
}
