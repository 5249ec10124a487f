use std::io::Write;

use base::Rng;
use tempfile::tempdir;

use super::*;
use crate::VaultKey;

/// Rows enough to fill many pages.
fn large() -> File {
    let mut file = tempfile::tempfile().expect("a file");
    writeln!(
        file,
        "title,release_year,work,rating_of_10,rated_day,reference,source"
    )
    .expect("written");
    for number in 0..20_000 {
        writeln!(file, "a film of {number},1999,film,5.5,,,").expect("written");
    }
    file
}

fn options() -> Options<'static> {
    Options::default()
}

#[test]
fn a_full_disk_changes_nothing() {
    let folder = tempdir().expect("a folder");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let mut vault = Vault::create(&folder.path().join("v"), &key).expect("created");
    let limit = |vault: &Vault, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        let set = vault.writer.query_row(&sql, [], |row| row.get::<_, i64>(0));
        set.expect("set");
    };
    limit(&vault, 50);
    let full = import(&mut vault, &large(), &options(), &mut |_| {});
    assert_eq!(full, Err(ImportError::Vault(VaultError::Full)));
    assert_eq!((vault.held(), vault.imports()), (Ok(vec![]), Ok(vec![])));
    limit(&vault, 1_000_000);
    let report = import(&mut vault, &large(), &options(), &mut |_| {});
    assert_eq!(report.expect("there is room now").total_kept(), 20_000);
}

#[test]
fn a_vault_that_may_not_be_written_says_so() {
    let folder = tempdir().expect("a folder");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let mut vault = Vault::create(&folder.path().join("v"), &key).expect("created");
    vault
        .writer
        .execute_batch("PRAGMA query_only = ON")
        .expect("set");
    let refused = import(&mut vault, &large(), &options(), &mut |_| {});
    assert_eq!(refused, Err(ImportError::Vault(VaultError::ReadOnly)));
}

#[test]
fn tells_how_far_it_is() {
    let folder = tempdir().expect("a folder");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let mut vault = Vault::create(&folder.path().join("v"), &key).expect("created");
    let (file, mut last) = (large(), Progress { read: 0, total: 0 });
    let report = import(&mut vault, &file, &options(), &mut |now| {
        assert!(now.read >= last.read && now.read <= now.total);
        last = now;
    });
    let bytes = report.expect("imported").bytes;
    assert_eq!(
        last,
        Progress {
            read: bytes,
            total: bytes
        }
    );
}

#[test]
fn a_communitys_own_table_and_ours_do_not_replace_each_other() {
    let folder = tempdir().expect("a folder");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let mut vault = Vault::create(&folder.path().join("v"), &key).expect("created");
    import(&mut vault, &large(), &options(), &mut |_| {}).expect("imported");
    let theirs = "title,stars\na,5\nb,4\n";
    let declared = crate::propose(theirs.as_bytes(), "ratings")
        .expect("proposed")
        .table;
    let refused = import_csv(&mut vault, theirs.as_bytes(), &declared, None);
    assert_eq!(
        refused,
        Err(ImportError::Holds {
            name: "ratings".into()
        })
    );
    vault.delete("ratings").expect("deleted");
    import_csv(&mut vault, theirs.as_bytes(), &declared, None).expect("imported");
    let refused = import(&mut vault, &large(), &options(), &mut |_| {});
    assert_eq!(
        refused,
        Err(ImportError::Taken {
            name: "ratings".into()
        })
    );
}

#[test]
fn questions_reach_what_was_imported_and_what_is_computed() {
    use question::{LocalRow, Question};
    let folder = tempdir().expect("a folder");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let mut vault = Vault::create(&folder.path().join("v"), &key).expect("created");
    let steps = "start_utc_s,end_utc_s,utc_offset_min,steps_count,source\n\
        1600000000,1600000060,120,500,watch\n1600000100,1600000160,120,700,watch\n1600000000,1600000160,120,900,phone\n";
    let mut file = tempfile::tempfile().expect("a file");
    file.write_all(steps.as_bytes()).expect("written");
    import(&mut vault, &file, &options(), &mut |_| {}).expect("imported");
    let ask = |sql: &str| {
        let vocabulary: Vec<_> = crate::vocabulary::vocabulary()
            .map(|shape| shape.table())
            .collect();
        let question = Question::parse(sql, &vocabulary, 100).expect("valid");
        vault.answer(&question).expect("answered")
    };
    assert!(
        ask("SELECT AVG(steps_count) FROM daily_steps WHERE day = 18518") == LocalRow::number(1200)
    );
    assert!(
        ask("SELECT SUM(s) FROM (SELECT SUM(steps_count) AS s FROM steps WHERE source = 'watch')")
            == LocalRow::number(1200)
    );
}

#[test]
fn days_are_those_of_the_place_however_far_apart() {
    let folder = tempdir().expect("a folder");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let mut vault = Vault::create(&folder.path().join("v"), &key).expect("created");
    let mut expected = BTreeMap::new();
    let mut bring = |vault: &mut Vault, seeds: std::ops::Range<i64>| {
        let mut file = tempfile::tempfile().expect("a file");
        writeln!(
            file,
            "start_utc_s,end_utc_s,utc_offset_min,steps_count,source"
        )
        .expect("written");
        for seed in seeds {
            // Thirty days, then years of nothing, at places from eleven hours behind to fourteen ahead.
            let at = 1_600_000_000 + seed % 60 * 43_211 + seed / 60 * 94_608_000;
            let ahead = [-660, 0, 330, 840][seed as usize % 4];
            writeln!(file, "{at},{at},{ahead},{},w", seed + 1).expect("written");
            *expected
                .entry((at + 60 * ahead).div_euclid(86_400))
                .or_insert(0) += seed + 1;
        }
        import(vault, &file, &options(), &mut |_| {}).expect("imported");
        let mut query = vault
            .writer
            .prepare("SELECT day, steps_count FROM daily_steps ORDER BY day")
            .expect("valid");
        let rows = query
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))
            .expect("read");
        let rows: Vec<(i64, i64)> = rows.collect::<Result<_, _>>().expect("read");
        assert_eq!(rows, expected.clone().into_iter().collect::<Vec<_>>());
    };
    bring(&mut vault, 0..150);
    bring(&mut vault, 150..200);
}
