use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;

use base::Rng;
use proptest::prelude::*;
use tempfile::tempdir;

use super::*;
use crate::import::days::days_of;
use crate::import::{Options, import};
use crate::vocabulary::{shape, vocabulary};
use crate::{Vault, VaultKey, import_csv, propose};

/// What an owner does.
#[derive(Debug, Clone)]
enum Step {
    /// Imports a file of these rows of all that there are: from the first, so many, each so far from the one before.
    Import(u32, u32, usize),
    /// Undoes one of the imports that are there.
    Undo(usize),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let import = (0..500u32, 1..300u32, 1..4usize);
    let step = prop_oneof![
        3 => import.prop_map(|(first, count, apart)| Step::Import(first, count, apart)),
        1 => any::<usize>().prop_map(Step::Undo),
    ];
    prop::collection::vec(step, 1..8)
}

fn new_vault() -> (tempfile::TempDir, Vault) {
    let folder = tempdir().expect("a folder");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let vault = Vault::create(&folder.path().join("v"), &key).expect("created");
    (folder, vault)
}

fn file_of(rows: impl IntoIterator<Item = String>) -> File {
    let mut file = tempfile::tempfile().expect("a file");
    let rows: Vec<_> = rows.into_iter().collect();
    let text = format!("{{\"rows\":[\n{}\n]}}", rows.join(",\n"));
    file.write_all(text.as_bytes()).expect("written");
    file
}

/// A row of each table that is told by day: some forty a day, from several places and devices. Every tenth is the same as
/// the one before.
fn rows_of(number: u32) -> [String; 4] {
    let number = number - u32::from(number % 10 == 9);
    let at = 1_600_000_000 + number * 2_000;
    let ahead = ["null", "-660", "840"][number as usize % 3];
    let span = format!(
        "\"start_utc_s\":{at},\"end_utc_s\":{},\"utc_offset_min\":{ahead}",
        at + number % 7
    );
    let source = ["watch", "telephone"][number as usize % 2];
    let mode = ["walking", "train", "other"][number as usize / 3 % 3];
    let flow = ["used", "given"][number as usize / 5 % 2];
    let degrees = f64::from(number / 6 % 5) * 0.01 - 0.0235;
    let metres = ["null", "1500"][number as usize / 2 % 2];
    let table = "\"commonhold_table\"";
    [
        format!(
            "{{{table}:\"positions\",\"at_utc_s\":{at},\"utc_offset_min\":{ahead},\"latitude_deg\":{degrees:.7},\"longitude_deg\":-0.5037}}"
        ),
        format!(
            "{{{table}:\"steps\",{span},\"steps_count\":{},\"source\":\"{source}\"}}",
            number % 90
        ),
        format!("{{{table}:\"trips\",{span},\"mode\":\"{mode}\",\"distance_m\":{metres}}}"),
        format!(
            "{{{table}:\"energy\",{span},\"commodity\":\"gas\",\"flow\":\"{flow}\",\"energy_wh\":{number}}}"
        ),
    ]
}

type Rows = BTreeMap<&'static str, Vec<Vec<Value>>>;

/// What the tables by day hold.
fn told(connection: &Connection) -> Rows {
    let computed = vocabulary().filter(|table| table.is_computed());
    let mut rows = Rows::new();
    for table in computed {
        let sql = format!("SELECT * FROM {} ORDER BY day", table.name);
        // None is there before the first import.
        let Ok(mut query) = connection.prepare(&sql) else {
            continue;
        };
        let width = table.columns.len();
        let read = query
            .query_map([], |row| (0..width).map(|at| row.get(at)).collect())
            .expect("read");
        rows.insert(table.name, read.collect::<Result<_, _>>().expect("read"));
    }
    rows
}

/// What they would hold if all of it were computed anew.
fn told_anew(vault: &mut Vault) -> Rows {
    let transaction = vault.begin().expect("begun");
    for name in told(&transaction).into_keys() {
        let table = shape(name).expect("of the vocabulary");
        let daily = table.computed.expect("computed");
        let forget = format!("DELETE FROM {name}");
        transaction.execute(&forget, []).expect("forgotten");
        let from = shape(daily.from).expect("of the vocabulary");
        let days = days_of(&transaction, from, "TRUE").expect("read");
        recount(&transaction, table, daily, &days).expect("computed");
    }
    told(&transaction)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    /// Whatever is imported, again, in part or twice in a file, and undone.
    #[test]
    fn adding_gives_the_same_as_computing_anew(steps in steps()) {
        let (_folder, mut vault) = new_vault();
        let mut there = Vec::new();
        for step in steps {
            match step {
                Step::Import(first, count, apart) => {
                    let numbers = (first..first + count).step_by(apart);
                    let file = file_of(numbers.flat_map(rows_of));
                    let report = import(&mut vault, &file, &Options::default(), &mut |_| {});
                    there.extend(report.expect("imported").import);
                }
                Step::Undo(_) if there.is_empty() => {}
                Step::Undo(which) => {
                    let import = there.swap_remove(which % there.len());
                    vault.undo(import, 0).expect("undone");
                }
            }
            let anew = told_anew(&mut vault);
            prop_assert_eq!(told(&vault.writer), anew);
        }
    }
}

/// More cells than are held at once, each brought by two files.
#[test]
fn cells_without_number() {
    let (_folder, mut vault) = new_vault();
    let cells = MOST_CELLS as u32 + 100;
    let place = |number: u32, later: u32| {
        let (south, west) = (number / 300, number % 300);
        format!(
            "{{\"commonhold_table\":\"positions\",\"at_utc_s\":{},\"latitude_deg\":{}.{:02},\"longitude_deg\":{}.{:02}}}",
            1_600_000_000 + later,
            south / 100,
            south % 100,
            west / 100,
            west % 100
        )
    };
    for later in [0, 1] {
        let file = file_of((0..cells).map(|number| place(number, later)));
        import(&mut vault, &file, &Options::default(), &mut |_| {}).expect("imported");
        let sql = "SELECT COUNT(*), MIN(positions_count), MAX(positions_count) FROM daily_cells";
        let counts = vault.writer.query_row(sql, [], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get::<_, u32>(2)?])
        });
        assert_eq!(counts, Ok([cells, later + 1, later + 1]));
    }
}

/// A community's own table stays as it is until its owner deletes it; then ours takes the name, with all that is there.
#[test]
fn a_name_that_was_taken() {
    let (_folder, mut vault) = new_vault();
    let theirs = "day,positions\n1,2\n2,3\n";
    let proposed = propose(theirs.as_bytes(), "daily_cells").expect("proposed");
    import_csv(&mut vault, theirs.as_bytes(), &proposed.table, None).expect("imported");
    let numbers = |numbers: std::ops::Range<u32>| file_of(numbers.flat_map(rows_of));
    let count = |vault: &Vault| {
        let sql = "SELECT COUNT(*) FROM daily_cells";
        let count = vault.writer.query_row(sql, [], |row| row.get::<_, u32>(0));
        count.expect("read")
    };
    import(
        &mut vault,
        &numbers(0..300),
        &Options::default(),
        &mut |_| {},
    )
    .expect("imported");
    assert_eq!(count(&vault), 2);
    vault.delete("daily_cells").expect("deleted");
    assert!(count(&vault) > 7, "a week, from several places");
    assert_eq!(told(&vault.writer), told_anew(&mut vault));
    import(
        &mut vault,
        &numbers(200..400),
        &Options::default(),
        &mut |_| {},
    )
    .expect("imported");
    assert_eq!(told(&vault.writer), told_anew(&mut vault));
    vault.delete("positions").expect("deleted");
    assert_eq!(count(&vault), 0);
}
