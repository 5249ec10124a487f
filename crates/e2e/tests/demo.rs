//! The demo, as a user runs it.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use e2e::{Api, Place, Ran, list};

fn assert_answered(ran: &Ran, people: u64) {
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told = ran.json();
    assert_eq!(told["outcome"], "answered");
    assert_eq!(told["equal"], true, "{ran:?}");
    let answer = &told["answer"];
    let people_of = |what: &str| answer[what].as_u64().unwrap_or(u64::MAX);
    let all = people_of("included") + people_of("declined") + people_of("away");
    assert_eq!(all, people);
}

#[test]
fn twelve_people_answer_in_twelve_lines_and_leave_nothing() {
    let place = Place::new();
    let ran = place.run(&["demo"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let lines: Vec<_> = ran.out.lines().collect();
    assert!(lines.len() <= 12, "{}", ran.out);
    let starts = |word: &str| lines.iter().filter(|line| line.starts_with(word)).count();
    for word in [
        "nodes", "question", "helpers", "consent", "answer", "in clear", "chances", "proof",
    ] {
        assert_eq!(starts(word), 1, "{word} in {}", ran.out);
    }
    assert!(ran.out.contains(": equal"), "{}", ran.out);
    assert!(ran.err.is_empty(), "{}", ran.err);
    place.assert_clean();
    let mut left = list(&place.path("commonhold-demo"));
    left.sort();
    assert_eq!(left, ["descriptor.cbor", "proof.cbor"]);
}

#[test]
fn twelve_people_answer() {
    let place = Place::new();
    let ran = place.run(&["demo", "--json"]);
    assert_answered(&ran, 12);
    assert_eq!(ran.json()["answer"]["included"], 12);
}

#[test]
fn forty_people_answer() {
    let place = Place::new();
    let ran = place.run(&["demo", "--people", "40", "--json"]);
    assert_answered(&ran, 40);
    // On a busy machine some are late.
    let included = ran.json()["answer"]["included"].as_u64();
    assert!(included.is_some_and(|people| people >= 20), "{ran:?}");
    place.assert_clean();
}

#[test]
fn a_helper_killed_in_the_middle_is_done_without() {
    let place = Place::new();
    let ran = place.run(&["demo", "--kill", "1", "--json"]);
    assert_answered(&ran, 12);
    let told = ran.json();
    assert_eq!(told["killed"].as_array().map(Vec::len), Some(1));
    place.assert_clean();
}

#[test]
fn owners_say_yes_or_no_or_are_away() {
    let place = Place::new();
    let ask = ["demo", "--people", "14", "--no", "3", "--away", "2"];
    let ran = place.run(&[&ask[..], &["--json"]].concat());
    assert_answered(&ran, 14);
    let told = ran.json();
    let answer = &told["answer"];
    let people = ["included", "declined", "away"].map(|what| answer[what].as_u64());
    assert_eq!(people, [Some(9), Some(3), Some(2)]);
    let owners = told["owners"].as_array().expect("a list").iter();
    let were = |what: &str| owners.clone().filter(|was| *was == what).count();
    assert_eq!((were("counted"), were("declined"), were("away")), (9, 3, 2));
    // Everybody else is still in it when a helper is killed as well, or the answer says who is not.
    let ran = place.run(&[&ask[..], &["--kill", "1"]].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let line = |name: &str| ran.out.lines().find(|line| line.starts_with(name));
    let owners = line("owners").expect("a picture");
    let picture = owners.split_whitespace().nth(1).unwrap_or_default();
    let (declined, killed) = (picture.matches('n').count(), picture.matches('x').count());
    // The one that was killed may have been about to decline.
    let all = declined == 3 || (declined, killed) == (2, 1);
    assert!(picture.len() == 14 && all, "{owners}");
    let told = format!("{declined} declined");
    assert!(
        line("consent").is_some_and(|line| line.contains(&told)),
        "{}",
        ran.out
    );
    assert!(ran.out.contains(": equal"), "{}", ran.out);
    let too_many = place.run(&["demo", "--no", "8", "--away", "5"]);
    assert_eq!(too_many.code, Some(2), "{too_many:?}");
    assert!(too_many.err.contains("there are 12 people"));
    place.assert_clean();
}

#[test]
fn too_many_killed_helpers_leave_no_answer() {
    let place = Place::new();
    let ran = place.run(&["demo", "--kill", "9", "--json"]);
    assert_eq!(ran.code, Some(5), "{ran:?}");
    assert_eq!(ran.json()["outcome"], "timed out");
    let why = ran.json()["why"].to_string();
    assert!(why.contains("too many helpers are away"), "{why}");
    assert_eq!(list(&place.path("commonhold-demo")), ["descriptor.cbor"]);
    place.assert_clean();
}

#[test]
fn a_small_crowd_is_refused() {
    let place = Place::new();
    let sql = "SELECT AVG(sleep_hours) FROM nhanes_2017_2018 WHERE age > 78";
    let ran = place.run(&["demo", "--ask", sql]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.out.is_empty());
    assert!(
        ran.err
            .contains("fewer people match than this community allows")
    );
    // On a busy machine it says how many seconds it has taken so far.
    let said = ran.err.lines().filter(|line| !line.starts_with("still "));
    let said: String = said.collect();
    assert!(!said.chars().any(|c| c.is_ascii_digit()), "no size: {said}");
    assert_eq!(list(&place.path("commonhold-demo")), ["descriptor.cbor"]);
    place.assert_clean();
}

#[test]
fn your_own_file_and_question() {
    let place = Place::new();
    let mut text = "name,hours,age\n".to_owned();
    for person in 0..15 {
        text += &format!(
            "p{person},{}.{},{}\n",
            5 + person % 5,
            person % 10,
            20 + person
        );
    }
    fs::write(place.path("Sleep diary.csv"), text).unwrap();
    let ask = |sql: &str| {
        let file = [
            "demo",
            "--people",
            "15",
            "--data",
            "Sleep diary.csv",
            "--person",
            "name",
        ];
        let ran = place.run(&[&file[..], &["--ask", sql, "--json"]].concat());
        assert_answered(&ran, 15);
        // Nobody has said what the columns hold.
        let columns = &ran.json()["columns"];
        assert_eq!(columns[1]["kind"], "number from 5.0 to 9.9");
        assert_eq!(columns[2]["kind"], "number from 20 to 34");
        ran.json()["answer"].clone()
    };
    let answer = ask("SELECT SUM(hours) FROM sleep_diary WHERE age >= 25");
    assert_eq!(
        (&answer["count"], &answer["total"]),
        (&10.into(), &"74.5".into())
    );
    let answer = ask("SELECT COUNT(*) FROM sleep_diary WHERE hours > 7 AND age < 33");
    assert_eq!(answer["count"], 7);
    // Compared as well, with what Rust computes from the same records.
    let answer = ask("SELECT LOGISTIC(hours > 7, age) FROM sleep_diary");
    assert_eq!(answer["figures"][0]["name"], "next weight of intercept");
    let answer = ask("SELECT AVG(h) FROM (SELECT MAX(hours) AS h FROM sleep_diary)");
    assert_eq!(answer["count"], 15);
    place.assert_clean();
}

#[test]
fn what_makes_no_sense_is_said_at_once() {
    let place = Place::new();
    fs::write(place.path("few.csv"), "id,x\na,1\nb,2\n").unwrap();
    fs::write(place.path("empty.csv"), "").unwrap();
    let cases: [(&[&str], &str); 9] = [
        (&["demo", "--people", "3"], "12..=1000"),
        (&["demo", "--people", "1001"], "12..=1000"),
        (&["demo", "--people", "201"], "--together"),
        (
            &["demo", "--data", "nowhere.csv"],
            "cannot read nowhere.csv",
        ),
        (
            &[
                "demo",
                "--data",
                "few.csv",
                "--ask",
                "SELECT COUNT(*) FROM few",
            ],
            "it has 2 people",
        ),
        (&["demo", "--data", "empty.csv"], "empty.csv cannot be used"),
        (
            &["demo", "--ask", "SELECT sleep_hours FROM nhanes_2017_2018"],
            "write COUNT(*)",
        ),
        (
            &["demo", "--ask", "SELECT AVG(x) FROM nhanes_2017_2018"],
            "\"x\"",
        ),
        (&["demo", "--person", "nobody"], "no column \"nobody\""),
    ];
    for (arguments, words) in cases {
        let ran = place.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?}: {ran:?}");
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
        assert!(ran.out.is_empty());
    }
    place.assert_clean();
}

/// Waits until the demo has started its nodes.
fn wait_for_nodes(place: &Place) {
    for _ in 0..1200 {
        if place.nodes() == 13 {
            return;
        }
        sleep(Duration::from_millis(25));
    }
    panic!("the nodes did not start");
}

#[test]
fn ctrl_c_leaves_nothing_behind() {
    let place = Place::new();
    let child = place.start(&["demo", "--kill", "9"]);
    wait_for_nodes(&place);
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
    let ran = Ran::of(child.wait_with_output().unwrap());
    assert_eq!(ran.code, Some(130), "{ran:?}");
    place.assert_clean();
}

#[test]
fn a_page_is_there_to_look_at_until_ctrl_c() {
    let place = Place::new();
    let mut command = place.command(&["demo", "--open"]);
    // No browser opens here.
    command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    // What holds for a node of one's own is not meant.
    command.env("COMMONHOLD_FOLDER", place.path("elsewhere"));
    let mut child = command.spawn().expect("the program starts");
    let out = BufReader::new(child.stdout.take().expect("it is a pipe"));
    let mut lines = Vec::new();
    for line in out.lines().map_while(Result::ok) {
        lines.push(line);
        if lines.last().is_some_and(|line| line.contains("Ctrl-C")) {
            break;
        }
    }
    let all = lines.join("\n");
    assert!(all.contains(": equal"), "{all}");
    let page = lines.iter().find_map(|line| line.strip_prefix("page"));
    let page = page.expect("an address").trim();
    assert!(page.starts_with("http://127.0.0.1:") && page.contains("/#code="));
    let folder = all
        .split("--dir ")
        .nth(1)
        .and_then(|rest| rest.lines().next());
    let node = Api::of(Path::new(folder.expect("the node's folder")));
    let waits = node.get("/v1/inbox").expect("it runs");
    assert_eq!(
        (&waits[0]["state"], waits.as_array().map(Vec::len)),
        (&"waiting".into(), Some(1))
    );
    let preview = format!(
        "/v1/inbox/{}/preview",
        waits[0]["id"].as_str().expect("a name")
    );
    assert_eq!(node.get(&preview).expect("it runs")["outcome"], "match");
    let asked = node.get("/v1/questions").expect("it runs");
    let asked = asked.as_array().expect("a list");
    assert_eq!(asked.len(), 2);
    for question in asked {
        assert_eq!(question["state"], "answered", "{question}");
        let check = format!(
            "/v1/questions/{}/check",
            question["id"].as_str().expect("a name")
        );
        assert_eq!(node.get(&check).expect("it runs")["holds"], true);
    }
    let sent = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(sent.is_ok_and(|status| status.success()));
    assert_eq!(child.wait().expect("it ends").code(), Some(0));
    place.assert_clean();
}

#[test]
fn nodes_end_with_a_demo_that_is_killed() {
    let place = Place::new();
    let mut child = place.start(&["demo", "--kill", "9"]);
    wait_for_nodes(&place);
    child.kill().unwrap();
    child.wait().unwrap();
    place.assert_no_nodes();
}
