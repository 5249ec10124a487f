//! A real survey, through everything that a question passes on one owner's node: the sum over all people is exact.

use std::fs;
use std::path::PathBuf;

use aggregation::committee::Totals;
use base::Rng;
use community::{Kind, Range, Table};
use question::{Answer, LocalRow, Outcome, Question};
use tempfile::tempdir;
use vault::{Vault, VaultKey, import_csv, propose};

/// People in one vault at a time: small enough that asking for each is quick.
const BATCH: usize = 400;

fn file() -> String {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../examples/data/nhanes_2017_2018.csv");
    fs::read_to_string(path).expect("the survey comes with the source code")
}

/// The number at `column` of a line, in tenths, read without any of our code.
fn tenths(line: &str, column: usize) -> Option<i64> {
    let (whole, tenth) = line.split(',').nth(column)?.split_once('.')?;
    Some(whole.parse::<i64>().ok()? * 10 + tenth.parse::<i64>().ok()?)
}

fn new_vault(folder: &std::path::Path) -> Vault {
    let key = VaultKey::generate(&mut Rng::from_number(1));
    Vault::create(&folder.join("vault.db"), &key).expect("created")
}

/// Asks each person of the file, and adds up what they contribute.
fn ask_everyone(csv: &str, table: &Table, statistic: &str, condition: &str) -> Answer {
    let folder = tempdir().expect("a folder");
    let mut vault = new_vault(folder.path());
    let (header, people) = csv.split_once('\n').expect("a header");
    let lines: Vec<&str> = people.lines().collect();
    let mut totals = vec![0, 0];
    let mut decoder = None;
    for batch in lines.chunks(BATCH) {
        let part = format!("{header}\n{}\n", batch.join("\n"));
        let imported = import_csv(&mut vault, part.as_bytes(), table, None).expect("imported");
        assert_eq!(imported.kept as usize, batch.len());
        assert_eq!((imported.unusable_cells, imported.rounded_cells), (0, 0));
        for line in batch {
            let person = line.split(',').next().expect("a number");
            let sql = format!(
                "SELECT {statistic} FROM nhanes WHERE person_id = {person} AND ({condition})"
            );
            let question =
                Question::parse(&sql, std::slice::from_ref(table), 10_000).expect("valid");
            let measured = question.measure(&vault.answer(&question).expect("answered"));
            assert!(
                !matches!(measured.outcome, Outcome::OutOfRange | Outcome::SeveralRows),
                "the proposal was made from these very values"
            );
            for (total, part) in totals.iter_mut().zip(&measured.vector) {
                *total += part;
            }
            decoder = Some(question);
        }
    }
    decoder
        .expect("people")
        .decode(&Totals {
            whole: totals,
            cells: Vec::new(),
        })
        .expect("an honest sum")
}

#[test]
fn proposes_a_table_for_the_survey() {
    let proposal = propose(file().as_bytes(), "nhanes").expect("proposed");
    assert_eq!((proposal.rows, proposal.table.columns.len()), (8366, 35));
    assert_eq!((proposal.skipped_rows, proposal.unusable_cells), (0, 0));
    let kind = |name: &str| &proposal.table.column(name).expect(name).kind;
    assert_eq!(
        *kind("sleep_hours"),
        Kind::Number(Range {
            decimals: 1,
            min: 20,
            max: 140
        })
    );
    assert_eq!(
        *kind("age"),
        Kind::Number(Range {
            decimals: 0,
            min: 1,
            max: 80
        })
    );
    assert_eq!(
        *kind("gender"),
        Kind::Category(vec!["Female".into(), "Male".into()])
    );
}

#[test]
fn the_mean_of_everyone_is_exact() {
    let csv = file();
    let table = propose(csv.as_bytes(), "nhanes").expect("proposed").table;
    let figures = ask_everyone(&csv, &table, "AVG(sleep_hours)", "age >= 0");

    let column = csv
        .split(',')
        .position(|name| name == "sleep_hours")
        .expect("a column");
    let values: Vec<i64> = csv
        .lines()
        .skip(1)
        .filter_map(|line| tenths(line, column))
        .collect();
    assert!(values.len() > 5000);
    assert_eq!(figures.people, values.len() as u64);
    let total = figures.total().expect("a total");
    assert_eq!(
        (total.units, total.decimals),
        (i128::from(values.iter().sum::<i64>()), 1)
    );
}

#[test]
fn people_in_their_forties_sleep_as_published() {
    let csv = file();
    let table = propose(csv.as_bytes(), "nhanes").expect("proposed").table;
    let figures = ask_everyone(&csv, &table, "AVG(sleep_hours)", "age BETWEEN 40 AND 49");
    assert_eq!(figures.people, 776);
    assert_eq!(figures.mean().expect("a mean").rounded(4), "7.3608");
}

#[test]
fn one_person_has_one_row() {
    let csv = file();
    let table = propose(csv.as_bytes(), "nhanes").expect("proposed").table;
    let folder = tempdir().expect("a folder");
    let mut vault = new_vault(folder.path());
    let imported = import_csv(
        &mut vault,
        csv.as_bytes(),
        &table,
        Some(("person_id", "93705")),
    );
    let imported = imported.expect("imported");
    assert_eq!((imported.kept, imported.other_people), (1, 8365));
    let ask = |sql: &str| {
        let question = Question::parse(sql, std::slice::from_ref(&table), 100).expect("valid");
        vault.answer(&question).expect("answered")
    };
    assert!(ask("SELECT SUM(person_id) FROM nhanes") == LocalRow::number(93705));
    assert!(ask("SELECT COUNT(*) FROM nhanes WHERE person_id <> 93705") == LocalRow::NoRow);
}
