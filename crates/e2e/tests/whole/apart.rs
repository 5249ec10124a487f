//! Twelve people far apart: each on a machine of its own, behind a wire with 30 ms of delay and 2 % of loss, which is cut in the
//! middle.
#![cfg(target_os = "linux")]

use std::net::Ipv4Addr;
use std::path::Path;
use std::time::Duration;

use e2e::host::{Host, can_isolate};
use e2e::router::{Router, Weather};
use e2e::{Place, SLEEP, program};
use serde_json::Value;

const PEOPLE: usize = 12;
const WEATHER: Weather = Weather {
    delay: Duration::from_millis(30),
    jitter: Duration::from_millis(10),
    lost_permille: 20,
    seed: 12,
};
const ENVIRONMENT: [(&str, &str); 3] = [
    ("COMMONHOLD_PASSPHRASE", "correct horse battery"),
    ("COMMONHOLD_RULE", "yes"),
    ("COMMONHOLD_LISTEN", "0.0.0.0:14766"),
];

/// The hosts, the first of which founded the community and asks.
struct Land {
    hosts: Vec<Host>,
    router: Router,
    _place: Place,
}

impl Land {
    fn done(&mut self, host: usize, arguments: &[&str]) -> String {
        let program = program();
        let program = program.to_str().expect("a path of the build");
        let ran = self.hosts[host].run(&[&[program], arguments].concat());
        assert_eq!(ran.code, Some(0), "{host}: {arguments:?}: {ran:?}");
        ran.out
    }

    fn json(&mut self, host: usize, arguments: &[&str]) -> Value {
        let out = self.done(host, &[arguments, &["--json"]].concat());
        serde_json::from_str(&out).unwrap_or_else(|why| panic!("{why}: {out}"))
    }

    /// Waits until everybody in `hosts` knows so many others.
    fn meet(&mut self, hosts: std::ops::Range<usize>, others: u64) {
        let mut known = Vec::new();
        for _ in 0..240 {
            known = hosts
                .clone()
                .map(|host| self.json(host, &["status"])["peers_known"].as_u64())
                .collect();
            if known.iter().all(|known| *known >= Some(others)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(500));
        }
        panic!("they know {known:?} others");
    }

    /// People in the answer, and their total; or why there is none.
    fn ask(&mut self, collect: &str) -> Result<(u64, String), String> {
        let program = program();
        let sql = "SELECT SUM(hours) FROM sleep";
        let program = program.to_str().expect("a path of the build");
        let ask = [program, "question", "ask", sql, "--wait", "--json"];
        let ran = self.hosts[0].run(&[&ask[..], &["--collect", collect]].concat());
        if ran.code != Some(0) {
            return Err(format!("{ran:?}"));
        }
        let details = &ran.json()["answer"]["details"];
        let total = details["total"].as_str().expect("a total").to_owned();
        Ok((details["included"].as_u64().expect("a number"), total))
    }
}

fn land() -> Land {
    let place = Place::new();
    let folder = place.path("");
    let wires = folder.join("w");
    std::fs::create_dir(&wires).expect("a folder");
    let router = Router::start(&wires, WEATHER).expect("a router");
    let host = |number: usize| {
        let address = Ipv4Addr::new(10, 9, 0, number as u8 + 1);
        let own = folder.join(number.to_string());
        let tunnel = Path::new(env!("CARGO_BIN_EXE_tunnel"));
        Host::start(address, &own, &wires, tunnel, &ENVIRONMENT)
    };
    Land {
        hosts: (0..PEOPLE).map(host).collect(),
        router,
        _place: place,
    }
}

/// Tenths of an hour that this person sleeps.
fn sleeps(person: usize) -> usize {
    60 + 3 * person
}

fn total_of(people: impl Iterator<Item = usize>) -> String {
    let tenths: usize = people.map(sleeps).sum();
    if tenths.is_multiple_of(10) {
        (tenths / 10).to_string()
    } else {
        format!("{}.{}", tenths / 10, tenths % 10)
    }
}

#[test]
fn people_far_apart_get_exact_answers_also_when_the_network_is_torn() {
    if !can_isolate() {
        eprintln!(
            "NOT CHECKED: people far apart, on a network that loses and is torn. This machine allows no network namespaces \
             with devices in them."
        );
        return;
    }
    let mut land = land();
    let own = |host: usize| land_folder(&land, host);
    std::fs::write(own(0).join("words.toml"), SLEEP).expect("a file");
    let create = [
        "community",
        "create",
        "Far",
        "--dir",
        "authority",
        "--nodes",
        "12",
    ];
    let sized = [
        "--colluders",
        "1",
        "--min-crowd",
        "2",
        "--vocabulary",
        "words.toml",
    ];
    land.done(0, &[&create[..], &sized].concat());
    let invite = ["community", "invite", "--dir", "authority"];
    let first = land.done(0, &[&invite[..], &["--rights", "ask"]].concat());
    land.done(
        0,
        &["community", "join", first.trim(), "--offline", "request"],
    );
    let certify = ["community", "certify", "request", "--out", "answer"];
    land.done(0, &[&certify[..], &["--dir", "authority"]].concat());
    land.done(0, &["community", "install", "answer"]);
    land.done(0, &["up", "--detach", "--enrol", "authority"]);
    let status = land.json(0, &["status"]);
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    assert_eq!(text(&status["announces"][0]), "10.9.0.1:14766");
    let founder = format!("{}@10.9.0.1:14766", text(&status["node"]));
    let uses = (PEOPLE - 1).to_string();
    let ticket = [&invite[..], &["--uses", &uses, "--member", &founder]].concat();
    let ticket = land.done(0, &ticket);
    for host in 1..PEOPLE {
        land.done(host, &["community", "join", ticket.trim()]);
        let hours = sleeps(host);
        let file = format!("hours\n{}.{}\n", hours / 10, hours % 10);
        std::fs::write(land_folder(&land, host).join("sleep.csv"), file).expect("a file");
        land.done(host, &["up", "--detach"]);
        land.done(host, &["data", "import", "sleep.csv"]);
    }
    land.meet(0..PEOPLE, PEOPLE as u64 - 1);

    let everybody = Ok((PEOPLE as u64 - 1, total_of(1..PEOPLE)));
    assert_eq!(land.ask("20s"), everybody);

    // Two are cut off: they are away, and the others' answer is exact, or there is none.
    let island: Vec<_> = land.hosts[10..].iter().map(|host| host.address).collect();
    land.router.cut(island);
    let torn = land.ask("8s");
    assert!(
        torn == Ok((PEOPLE as u64 - 3, total_of(1..10))) || torn.is_err(),
        "{torn:?}"
    );
    eprintln!("while two were cut off: {torn:?}");

    // Once the network is whole again, so is the community.
    land.router.cut([]);
    land.meet(0..PEOPLE, PEOPLE as u64 - 1);
    assert_eq!(land.ask("20s"), everybody);
    let counts = land.router.counts();
    assert!(counts.lost > 100 && counts.cut > 10, "{counts:?}");
    for host in 0..PEOPLE {
        land.done(host, &["down"]);
    }
}

fn land_folder(land: &Land, host: usize) -> std::path::PathBuf {
    land._place.path(&host.to_string())
}
