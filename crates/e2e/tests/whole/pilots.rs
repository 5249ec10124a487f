//! Eight pilots in their forties, where nothing is said of fewer than ten people: nobody is told how many there are.

use std::time::Duration;

use e2e::{Api, Place, Village, eventually};
use serde_json::Value;

/// Pilots in their forties; nobody else is one, or of that age.
const MATCHING: usize = 8;
const PEOPLE: usize = 13;
/// Synthetic: jobs, ages and wages that nobody has.
const VOCABULARY: &str = r#"
[[table]]
name = "wages"
[[table.column]]
name = "job"
kind = "category"
words = ["pilot", "cook", "nurse"]
[[table.column]]
name = "age"
kind = "number"
min = 0
max = 120
[[table.column]]
name = "wage"
kind = "number"
min = 0
max = 1000000
"#;
const SQL: &str = "SELECT AVG(wage) FROM wages WHERE job = 'pilot' AND age BETWEEN 40 AND 49";

/// Asks until it is over; the exit code, and all that is said of it, in JSON first.
fn asked(village: &Village, sql: &str) -> (Option<i32>, String) {
    let ask = ["question", "ask", sql, "--dir", "0", "--wait"];
    let ran = village.run(&[&ask[..], &["--collect", "10s", "--json"]].concat());
    let question: Value = serde_json::from_str(&ran.out).expect("a question");
    // Two within a second have the same place in the list: its name tells which.
    let id = question["id"].as_str().expect("a name");
    let shown = village.run(&["question", "show", id, "--dir", "0"]);
    (
        ran.code,
        format!("{question}\n{}\n{}\n{}", ran.err, shown.out, shown.err),
    )
}

#[test]
fn nobody_is_told_how_many_too_few_are() {
    let mut village = Village::new(Place::new());
    let people: Vec<_> = (0..PEOPLE)
        .map(|person| match person < MATCHING {
            true => format!("job,age,wage\npilot,{},{}\n", 40 + person, 90_000 + person),
            false => format!("job,age,wage\ncook,{},{}\n", 20 + person, 30_000 + person),
        })
        .collect();
    let names = village.gather(10, VOCABULARY, "wages", &people);
    let variables = [
        ("COMMONHOLD_RULE", "yes"),
        ("COMMONHOLD_LOG_LEVEL", "debug"),
    ];
    village.up_with(&variables, "1", &[]);
    let peer = village.member("1");
    assert!(peer.starts_with(&names[0]));
    let variables = [&variables[..], &[("COMMONHOLD_PEERS", &peer)]].concat();
    for folder in (2..=PEOPLE).chain([0]) {
        village.up_with(&variables, &folder.to_string(), &[]);
    }
    for folder in 0..=PEOPLE {
        let api = Api::of(&village.place.path(&folder.to_string()));
        eventually("all know all", Duration::from_secs(90), || {
            let known = api.get("/v1/status")?["peers_known"].as_u64();
            (known == Some(PEOPLE as u64)).then_some(())
        });
    }

    // Eight are too few, and so are none: the same is said of both.
    let (code, few) = asked(&village, SQL);
    assert_eq!(code, Some(4), "{few}");
    assert!(few.contains("fewer people match than this community allows"));
    let nobody = SQL.replace("40 AND 49", "80 AND 89");
    let (code, none) = asked(&village, &nobody);
    assert_eq!(code, Some(4), "{none}");
    let said = |text: &str| {
        let note = text.split("\"note\":").nth(1).expect("a note");
        note.split("\",").next().unwrap_or_default().to_owned()
    };
    assert_eq!(said(&few), said(&none));
    assert!(
        !said(&few).contains(|sign: char| sign.is_ascii_digit()),
        "{few}"
    );
    // Nor does any log or list of any node, helpers' included, say how many match.
    for folder in 0..=PEOPLE {
        let log = village.place.path(&format!("{folder}/log"));
        let log = std::fs::read_to_string(log).expect("a log");
        let about = log.lines().filter_map(|line| line.split_once("question "));
        for (_, about) in about {
            let words: Vec<_> = about.split(|sign: char| !sign.is_alphanumeric()).collect();
            assert!(!words.contains(&"8"), "{about}");
        }
    }
    // Nor may anybody ask who was not given the right.
    let ask = ["question", "ask", SQL, "--dir", "1", "--json"];
    let refused = village.run(&ask);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert!(refused.out.contains("the right to ask"), "{}", refused.out);
    // Thirteen are enough.
    let (code, all) = asked(&village, "SELECT COUNT(*) FROM wages WHERE age > 19");
    assert_eq!(code, Some(0), "{all}");
    let question: Value = serde_json::from_str(all.lines().next().expect("a line")).expect("JSON");
    assert_eq!(question["answer"]["details"]["count"], PEOPLE, "{all}");
}
