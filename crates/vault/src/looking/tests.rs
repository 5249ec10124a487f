use std::fs::File;
use std::io::{Seek, Write};

use base::Rng;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::{Options, VaultKey, import};

/// With a place for each of these moments.
fn been(moments: &[&str]) -> (TempDir, Vault) {
    let folder = tempdir().expect("a folder");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let mut vault = Vault::create(&folder.path().join("vault.db"), &key).expect("a vault");
    let mut file = tempfile::tempfile().expect("a file");
    let point = |(place, moment): (usize, &&str)| {
        let north = place as f64 / 8.0 - 10.0;
        format!("<trkpt lat=\"{north}\" lon=\"100.5\"><time>{moment}</time></trkpt>")
    };
    let points: String = moments.iter().enumerate().map(point).collect();
    let track = format!("<gpx creator=\"x\"><trk><trkseg>{points}</trkseg></trk></gpx>");
    file.write_all(track.as_bytes()).expect("written");
    file.rewind().expect("rewound");
    bring(&mut vault, &file);
    (folder, vault)
}

fn bring(vault: &mut Vault, file: &File) {
    let options = Options {
        name: "a.gpx",
        now_utc_s: 1,
        ..Options::default()
    };
    import(vault, file, &options, &mut |_| {}).expect("imported");
}

#[test]
fn days_are_whole() {
    let (_folder, vault) = been(&[
        "2019-12-30T23:59:59Z",
        "2019-12-31T00:00:00Z",
        "2019-12-31T23:59:59Z",
        "2020-01-01T00:00:00Z",
        "2020-01-03T00:00:00Z",
    ]);
    let days = |from, to| {
        let tables = vault.calendar(from, to).expect("read");
        let mut tables = tables.into_iter().filter(|(name, _)| name == "positions");
        tables.next().map(|(_, days)| days)
    };
    let all = vec![(18_260, 1), (18_261, 2), (18_262, 1), (18_264, 1)];
    assert_eq!(days(18_200, 18_300).as_ref(), Some(&all));
    assert_eq!(days(i64::MIN, i64::MAX), Some(all));
    assert_eq!(days(18_261, 18_262), Some(vec![(18_261, 2), (18_262, 1)]));
    assert_eq!(days(18_263, 18_263), None);
    let last = |day| vault.last_day(day).expect("read");
    assert_eq!((last(18_263), last(99_999)), (Some(18_262), Some(18_264)));
    assert_eq!(last(18_259), None);
    // What is told by day has its first and its last, too.
    let held = vault.held().expect("told");
    let cells = held.iter().find(|held| held.table.name == "daily_cells");
    let span = cells.and_then(|held| held.span_utc_s);
    assert_eq!(span, Some((18_260 * 86_400, 18_264 * 86_400)));
}

#[test]
fn places_are_evenly_taken() {
    let moments: Vec<_> = (0..10).map(|n| format!("2020-01-01T00:00:0{n}Z")).collect();
    let moments: Vec<_> = moments.iter().map(String::as_str).collect();
    let (_folder, vault) = been(&moments);
    let (count, all) = vault.places(100).expect("read");
    assert_eq!((count, all.len(), all[1]), (10, 10, [-9.875, 100.5]));
    let (count, some) = vault.places(5).expect("read");
    assert_eq!((count, some.len(), some[4]), (10, 5, [-9.0, 100.5]));
    let folder = tempdir().expect("a folder");
    let key = VaultKey::generate(&mut Rng::from_number(1));
    let empty = Vault::create(&folder.path().join("vault.db"), &key).expect("a vault");
    assert_eq!(empty.places(5), Ok((0, vec![])));
}

#[test]
fn rows_come_part_by_part() {
    let (_folder, vault) = been(&[
        "2020-01-01T00:00:00Z",
        "2020-01-01T00:00:01Z",
        "2020-01-01T00:00:02Z",
    ]);
    let (columns, first) = vault.rows_after("positions", 0, 2).expect("read");
    assert_eq!((first.len(), first[0].len()), (2, columns.len()));
    let (_, rest) = vault.rows_after("positions", 2, 2).expect("read");
    assert_eq!(rest.len(), 1);
    let north = columns
        .iter()
        .position(|name| name == "latitude_deg")
        .expect("a column");
    assert_eq!(rest[0][north].as_deref(), Some("-9.7500000"));
    let missing = vault
        .rows_after("nothing", 0, 1)
        .expect_err("there is none");
    assert_eq!(missing, VaultError::NoTable("nothing".into()));
}
