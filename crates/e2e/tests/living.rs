//! A community that comes to be over the network: founded, joined by ticket while a node runs, asked.

use std::path::Path;
use std::process::Stdio;

use e2e::{Place, Ran};
use serde_json::Value;

const PASSPHRASE: &str = "correct horse battery";
const VOCABULARY: &str = r#"
[[table]]
name = "sleep"
[[table.column]]
name = "hours"
kind = "number"
min = 0
max = 24
decimals = 1
"#;

/// Nodes that are stopped when the test ends, however it does.
struct Village {
    place: Place,
    up: Vec<String>,
}

impl Village {
    fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = self.place.command(arguments);
        command
            .env("XDG_DATA_HOME", self.place.path("data"))
            .env("XDG_CONFIG_HOME", self.place.path("config"))
            .env("COMMONHOLD_PASSPHRASE", PASSPHRASE)
            .env("COMMONHOLD_LISTEN", "127.0.0.1:0")
            .env("COMMONHOLD_API", "127.0.0.1:0")
            .stdin(Stdio::null());
        Ran::of(command.output().expect("the program starts"))
    }

    fn done(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, Some(0), "{arguments:?}: {ran:?}");
        ran
    }

    fn json(&self, arguments: &[&str]) -> Value {
        self.done(&[arguments, &["--json"]].concat()).json()
    }

    fn up(&mut self, folder: &str, more: &[&str]) {
        self.up.push(folder.to_owned());
        self.done(&[&["up", "--detach", "--dir", folder], more].concat());
    }

    /// NODE@ADDRESS of a node that runs.
    fn member(&self, folder: &str) -> String {
        let status = self.json(&["status", "--dir", folder]);
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        format!(
            "{}@{}",
            text(&status["node"]),
            text(&status["announces"][0])
        )
    }

    fn ticket(&self, more: &[&str]) -> String {
        let invite = ["community", "invite", "--dir", "authority"];
        let ran = self.done(&[&invite, more].concat());
        ran.out.trim().to_owned()
    }
}

impl Drop for Village {
    fn drop(&mut self) {
        for folder in std::mem::take(&mut self.up) {
            let down = self.run(&["down", "--dir", &folder]);
            if !std::thread::panicking() {
                assert_eq!(down.code, Some(0), "{down:?}");
            }
        }
    }
}

fn exists(path: &Path) -> bool {
    path.exists()
}

#[test]
fn people_join_over_the_network_and_answer() {
    let place = Place::new();
    std::fs::write(place.path("words.toml"), VOCABULARY).expect("a file");
    let mut village = Village {
        place,
        up: Vec::new(),
    };
    let create = ["community", "create", "Gardeners", "--dir", "authority"];
    let sized = ["--nodes", "6", "--colluders", "1", "--min-crowd", "2"];
    village.done(&[&create[..], &sized, &["--vocabulary", "words.toml"]].concat());

    // The founder is a member like others, by files, and lets people in.
    let first = village.ticket(&["--rights", "ask"]);
    let asks = [
        "community",
        "join",
        &first,
        "--offline",
        "request",
        "--dir",
        "0",
    ];
    village.done(&asks);
    let certify = ["community", "certify", "request", "--out", "answer"];
    village.done(&[&certify[..], &["--dir", "authority"]].concat());
    village.done(&["community", "install", "answer", "--dir", "0"]);
    village.up("0", &["--enrol", "authority"]);
    let founder = village.member("0");

    // Four join by one ticket over the network, a fifth comes too late.
    let ticket = village.ticket(&["--uses", "4", "--member", &founder]);
    for folder in ["1", "2", "3", "4"] {
        let joined = village.json(&["community", "join", &ticket, "--dir", folder]);
        assert_eq!(joined["name"], "Gardeners");
        village.up(folder, &[]);
        village.done(&["question", "rule", "set", "yes", "--dir", folder]);
    }
    let late = village.run(&["community", "join", &ticket, "--dir", "6"]);
    assert_eq!(late.code, Some(4), "{late:?}");
    assert!(
        late.err.contains("used as often as it may be"),
        "{}",
        late.err
    );
    assert!(!exists(&village.place.path("6/keys.cbor")));
    let another = village.ticket(&["--member", &founder]);
    village.done(&["community", "join", &another, "--dir", "5"]);
    village.up("5", &[]);
    village.done(&["question", "rule", "set", "yes", "--dir", "5"]);
    let listed = village.json(&["community", "log", "--dir", "authority"]);
    assert_eq!(
        listed["entries"].as_array().map(Vec::len),
        Some(6),
        "{listed}"
    );

    // All meet through whom the ticket named, and a question comes to all.
    let mut known = 0;
    for _ in 0..200 {
        known = village.json(&["status", "--dir", "3"])["peers_known"]
            .as_u64()
            .expect("a number");
        if known >= 5 {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(250));
    }
    assert!(known >= 5, "{known} are known");
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
    let wrong = village.run(&["data", "import", "words.toml", "--dir", "1"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.err.contains("nothing was changed"), "{}", wrong.err);
    assert!(
        !wrong.err.contains("kind ="),
        "no content of the file: {}",
        wrong.err
    );
}

#[test]
fn who_reaches_nobody_is_told_what_to_do() {
    let village = Village {
        place: Place::new(),
        up: Vec::new(),
    };
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
