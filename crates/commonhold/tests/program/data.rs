//! An owner's data, by the commands: in, looked at, out again, taken back.

use std::fs;

use crate::common::Village;

const TRACK: &str = r#"<gpx creator="x"><trk><trkseg>
    <trkpt lat="1" lon="2"><time>2020-01-01T00:00:00Z</time></trkpt>
    <trkpt lat="1" lon="2"><time>2020-01-01T00:00:00Z</time></trkpt>
    <trkpt lat="95" lon="2"><time>2020-01-01T00:00:01Z</time></trkpt></trkseg></trk></gpx>"#;

#[test]
fn files_go_in_and_come_out_and_are_taken_back() {
    let village = Village::found("person,hours\nada,7\nbob,8\n");
    let file = village.home(0).with_file_name("ride.xyz");
    fs::write(&file, TRACK).expect("written");
    let file = file.to_str().expect("a path");

    let seen = village.json(1, &["data", "import", "--preview", file]);
    assert_eq!(
        (&seen["format"], &seen["import"]),
        (&"gpx".into(), &serde_json::Value::Null)
    );
    let first = village.json(1, &["data", "import", file]);
    assert_eq!(
        (
            &first["import"],
            &first["kept"]["positions"],
            &first["duplicate"]
        ),
        (&1.into(), &1.into(), &1.into())
    );
    assert_eq!(first["skipped"]["out of range"], 1);
    let again = village.run(1, &["data", "import", file]);
    assert_eq!(again.status.code(), Some(0));
    let said = String::from_utf8_lossy(&again.stdout).into_owned();
    assert!(
        said.contains("nothing new") && said.contains("duplicate  2"),
        "{said}"
    );

    let listed = village.json(1, &["data", "list"]);
    let tables: Vec<_> = listed["tables"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| it["table"].as_str())
        .collect();
    assert_eq!(
        tables,
        [Some("daily_cells"), Some("people"), Some("positions")]
    );
    let shown = village.json(1, &["data", "show", "positions", "--rows", "1"]);
    assert_eq!(shown["csv"].as_str().expect("text").lines().count(), 2);

    let out = village.home(0).with_file_name("positions.csv");
    let out = out.to_str().expect("a path");
    assert_eq!(
        village.json(1, &["data", "export", "positions", "--out", out])["rows"],
        1
    );
    assert_eq!(
        village.json(2, &["data", "import", out])["kept"]["positions"],
        1
    );
    assert_eq!(
        village
            .run(1, &["data", "export", "positions", "--out", out])
            .status
            .code(),
        Some(1)
    );

    assert_eq!(
        village.json(1, &["data", "sources"])["imports"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let several = village.home(0).with_file_name("several.csv");
    let several = ["data", "export", "--out", several.to_str().expect("a path")];
    assert_eq!(
        village.run(1, &several).status.code(),
        Some(2),
        "it would be JSON"
    );
    assert_eq!(village.json(1, &["data", "undo", "1"])["removed"], 1);
    let listed = village.json(1, &["data", "list"])["tables"].take();
    let names: Vec<_> = listed.as_array().expect("a list").iter().collect();
    assert_eq!(
        names.len(),
        1,
        "tables without rows are not shown: {names:?}"
    );
    assert_eq!(
        village.run(1, &["data", "undo", "1"]).status.code(),
        Some(2)
    );
    assert_eq!(
        village
            .run(1, &["data", "delete", "positions"])
            .status
            .code(),
        Some(4)
    );
    assert_eq!(
        village.json(1, &["data", "delete", "positions", "--yes"])["removed"],
        0
    );
}

#[test]
fn what_cannot_be_read_is_wrong_use() {
    let village = Village::found("person,hours\nada,7\nbob,8\n");
    let write = |name: &str, bytes: &[u8]| {
        let path = village.home(0).with_file_name(name);
        fs::write(&path, bytes).expect("written");
        path.to_str().expect("a path").to_owned()
    };
    let (noise, cut, other) = (
        write("noise", b"\x7fELF\0\0"),
        write("cut.gpx", &TRACK.as_bytes()[..100]),
        write("other.csv", b"Date,Amount\n2020-01-01,7\n"),
    );
    for (arguments, code, part) in [
        (vec!["data", "import", &noise], 2, "--as FORMAT"),
        (vec!["data", "import", &cut], 2, "ends in the middle"),
        (vec!["data", "import", "/no/such/file"], 1, "check the path"),
        (vec!["data", "import", "/"], 2, "is no file"),
        (
            vec!["data", "import", &noise, "--as", "exe"],
            2,
            "there is no format",
        ),
        (
            vec!["data", "import", &noise, "--zone", "Paris"],
            2,
            "write it as +01:00",
        ),
        (vec!["data", "show", "films"], 2, "it has people"),
        (vec!["data", "import", &other], 2, "docs/vocabulary.md"),
        (
            vec!["data", "import", &other],
            2,
            "your community's table people",
        ),
        (
            vec!["data", "import", &other, "--table", "nosuch"],
            2,
            "no table \"nosuch\"",
        ),
        (vec!["data", "undo", "x"], 2, "data sources"),
        (vec!["data", "undo", "-1"], 2, "data sources"),
        (
            vec!["data", "show", "people", "--rows", "-1"],
            2,
            "from 0 on",
        ),
        (vec!["profile", "set", "shoe=9"], 2, "it has birth_year"),
        (vec!["profile", "set", "shoe"], 2, "NAME=VALUE"),
    ] {
        let output = village.run(1, &arguments);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {said}");
        assert!(said.contains(part), "{arguments:?}: {said}");
    }
    // A file for the community's own table, as ever.
    let hours = write("hours.csv", b"person,hours\neve,7\neve,x\n");
    let seen = village.json(1, &["data", "import", "--preview", &hours]);
    assert_eq!(
        (&seen["table"], &seen["import"], &seen["kept"]),
        (&"people".into(), &serde_json::Value::Null, &2.into())
    );
    // Nobody is called Eve in this vocabulary.
    assert_eq!(seen["unusable_cells"], 3, "a look tells all faults");
    let before = village.json(1, &["data", "list"]);
    assert_eq!(before["tables"][0]["rows"], 1, "and changes nothing");
    let mut done = village.json(1, &["data", "import", &hours]);
    done["import"] = serde_json::Value::Null;
    assert_eq!(done, seen);
    // All that there is includes it, and comes back in either form.
    let (csv, json) = (write("all.csv", b""), write("all.json", b""));
    for file in [&csv, &json] {
        fs::remove_file(file).expect("gone");
    }
    let all = village.json(1, &["data", "export", "--out", &csv]);
    assert_eq!(
        (&all["tables"][0], &all["rows"]),
        (&"people".into(), &2.into())
    );
    village.json(1, &["data", "export", "--format", "json", "--out", &json]);
    let same = village.json(1, &["data", "import", &json]);
    assert_eq!(same["tables"][0]["unchanged"], true, "{same:#}");
    village.json(1, &["data", "delete", "people", "--yes"]);
    let back = village.json(1, &["data", "import", &json]);
    assert_eq!(back["tables"][0]["kept"], 2, "{back:#}");
    let again = write("again.csv", b"");
    fs::remove_file(&again).expect("gone");
    village.json(1, &["data", "export", "people", "--out", &again]);
    assert_eq!(
        fs::read(&again).expect("read"),
        fs::read(&csv).expect("read")
    );
    let said = village.json(1, &["profile", "set", "town=Paris", "birth-year=1981"]);
    assert_eq!(
        (&said["profile"]["town"], &said["profile"]["birth_year"]),
        (&"Paris".into(), &"1981".into())
    );
}
