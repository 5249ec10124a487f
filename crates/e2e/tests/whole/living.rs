//! A community that comes to be over the network: founded, joined by ticket while a node runs, asked.

use std::path::Path;

use e2e::{Place, SLEEP, Village};

fn exists(path: &Path) -> bool {
    path.exists()
}

#[test]
fn people_join_over_the_network_and_answer() {
    let place = Place::new();
    std::fs::write(place.path("words.toml"), SLEEP).expect("a file");
    let mut village = Village::new(place);
    let create = ["community", "create", "Gardeners", "--dir", "authority"];
    let sized = ["--nodes", "6", "--colluders", "1", "--min-crowd", "2"];
    village.done(&[&create[..], &sized, &["--vocabulary", "words.toml"]].concat());

    // The founder is a member like others, by files, and lets people in.
    village.first();
    let founder = village.member("0");

    // Four join by one ticket over the network, a fifth comes too late.
    let ticket = village.ticket(&["--uses", "4", "--member", &founder]);
    for folder in ["1", "2", "3", "4"] {
        let joined = village.json(&["community", "join", &ticket, "--dir", folder]);
        assert_eq!(joined["name"], "Gardeners");
        village.up(folder, &[]);
        village.done(&["question", "rule", "default", "yes", "--dir", folder]);
    }
    let late = village.run(&["community", "join", &ticket, "--dir", "6"]);
    assert_eq!(late.code, Some(4), "{late:?}");
    assert!(
        late.err.contains("used as often as it may be"),
        "{}",
        late.err
    );
    // Nothing is left of it.
    assert!(!exists(&village.place.path("6")));
    let another = village.ticket(&["--member", &founder]);
    village.done(&["community", "join", &another, "--dir", "5"]);
    village.up("5", &[]);
    village.done(&["question", "rule", "default", "yes", "--dir", "5"]);
    let listed = village.json(&["community", "log", "--dir", "authority"]);
    assert_eq!(
        listed["entries"].as_array().map(Vec::len),
        Some(6),
        "{listed}"
    );

    // All meet through whom the ticket named, and a question comes to all.
    village.waits("3", 60, |status| status["peers_known"] == 5);
    let sql = "SELECT AVG(hours) FROM sleep";
    let ask = [
        "question",
        "ask",
        sql,
        "--dir",
        "0",
        "--wait",
        "--collect",
        "20s",
    ];
    // Nobody has any data yet: a crowd of none is refused.
    let asked = village.run(&ask);
    assert_eq!(asked.code, Some(4), "{asked:?}");
    // A person has a row; the nodes run on meanwhile.
    for (folder, hours) in [
        ("1", "7.5"),
        ("2", "6"),
        ("3", "8.1"),
        ("4", "x"),
        ("5", "7"),
    ] {
        let file = village.place.path("mine.csv");
        std::fs::write(file, format!("hours,mood\n{hours},good\n")).expect("a file");
        let imported = village.json(&["data", "import", "mine.csv", "--dir", folder]);
        let unusable = u64::from(hours == "x");
        let counts = (&imported["kept"], &imported["unusable_cells"]);
        assert_eq!(counts, (&1.into(), &unusable.into()), "{imported}");
    }
    let asked = village.json(&ask);
    let details = &asked["answer"]["details"];
    assert_eq!(
        (&details["count"], &details["included"], &details["total"]),
        (&4.into(), &5.into(), &"28.6".into()),
        "{details}"
    );

    // The authority revokes one of them on the machine of who lets people in. The others hear of it, and start again by
    // themselves; what they have promised and counted is still there.
    let gone = village.json(&["status", "--dir", "4"])["node"].clone();
    let gone = gone.as_str().expect("a name");
    village.done(&["community", "revoke", gone, "--dir", "authority"]);
    for folder in ["0", "1", "2", "3", "5"] {
        village.waits(folder, 60, |status| {
            status["community"]["epoch"] == 2 && status["peers_known"] == 4
        });
    }
    let shown = village.json(&["community", "show", "--dir", "3"]);
    assert_eq!(shown["revoked"], serde_json::json!([gone]), "{shown}");
    village.waits("4", 60, |status| {
        let problem = &status["problems"][0]["what"];
        let problem = problem.as_str().unwrap_or_default();
        problem.contains("revoked") || problem.contains("no other member")
    });
    let asked = village.json(&ask);
    let details = &asked["answer"]["details"];
    assert_eq!(
        (&details["count"], &details["included"], &details["total"]),
        (&4.into(), &4.into(), &"28.6".into()),
        "{details}"
    );

    // What is installed while a node runs counts at once, and comes to the others from there.
    let amend = [
        "community",
        "amend",
        "--min-crowd",
        "3",
        "--dir",
        "authority",
    ];
    village.done(&amend);
    village.done(&[
        "community",
        "install",
        "authority/descriptors/3.cbor",
        "--dir",
        "2",
    ]);
    for folder in ["2", "1"] {
        village.waits(folder, 60, |status| status["community"]["min_crowd"] == 3);
    }

    let wrong = village.run(&["data", "import", "words.toml", "--dir", "1"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("--as FORMAT"), "{}", wrong.err);
    assert!(
        !wrong.err.contains("kind ="),
        "no content of the file: {}",
        wrong.err
    );
}

/// A node starts again in its process and at its port when the community changes; who still holds the port does not end it.
#[test]
fn nobody_is_lost_when_the_community_changes() {
    const NODES: usize = 10;
    let mut village = Village::new(Place::new());
    village.found(NODES);
    for (epoch, crowd) in (2..=5).zip(["3", "2"].into_iter().cycle()) {
        village.done(&[
            "community",
            "amend",
            "--min-crowd",
            crowd,
            "--dir",
            "authority",
        ]);
        for folder in 0..NODES {
            village.waits(&folder.to_string(), 120, |status| {
                status["community"]["epoch"] == epoch
            });
        }
    }
}

#[test]
fn who_reaches_nobody_is_told_what_to_do() {
    let village = Village::new(Place::new());
    village.done(&["community", "create", "Gardeners", "--dir", "authority"]);
    let alone = village.ticket(&[]);
    let nobody = format!("{}@127.0.0.1:9", "12".repeat(32));
    let away = village.ticket(&["--member", &nobody]);
    for (ticket, said) in [(alone, "names no address"), (away, "can be reached")] {
        let ran = village.run(&["community", "join", &ticket, "--dir", "1"]);
        assert_eq!(ran.code, Some(5), "{ran:?}");
        assert!(ran.err.contains(said), "{}", ran.err);
        assert!(ran.err.contains("--offline REQUEST_FILE"), "{}", ran.err);
    }
}
