//! Nodes find each other again, and say how they can be reached.

use std::io::{BufRead, BufReader};
use std::net::UdpSocket;
use std::process::{Child, Stdio};
use std::thread::sleep;
use std::time::Duration;

use e2e::{Place, Village};
use serde_json::Value;

fn knows(status: &Value, others: u64) -> bool {
    status["peers_known"].as_u64() >= Some(others)
}

fn problems(status: &Value) -> String {
    status["problems"].to_string()
}

#[test]
fn a_node_comes_back_through_whom_it_has_met_and_says_when_there_is_nobody() {
    let mut village = Village::new(Place::new());
    village.found(4);
    // Within a batch of the last of them.
    let met = village.waits("3", 90, |status| {
        knows(status, 3) && status["peers_remembered"].as_u64() >= Some(3)
    });
    assert!(!problems(&met).contains("peers:"), "{met:#}");
    // On one machine everybody is reached; the members say so.
    let reached = village.waits("3", 90, |status| status["reach"]["reached"] == "yes");
    let yes = reached["reach"]["yes"].as_u64();
    assert!(yes >= Some(2), "{reached:#}");
    let purposes = reached["traffic"]["by_purpose"].as_array();
    let took = |purpose: &str| {
        let mut flows = purposes.expect("a list").iter();
        let flow = flows.find(|flow| flow["purpose"] == purpose);
        flow.expect("listed")["bytes_in"]
            .as_u64()
            .expect("a number")
    };
    assert!(took("membership") > 0 && took("letting in") > 0);
    assert_eq!(took("computing"), 0, "nobody has asked anything");

    // The only one of whom it was told is gone.
    village.down("3");
    village.down("0");
    village.up("3", &[]);
    village.waits("3", 60, |status| knows(status, 2));

    // Nobody is there: it tries on, and says so. Once somebody is back at the old place, it is found.
    let free = UdpSocket::bind("127.0.0.1:0").expect("a port");
    let port = free.local_addr().expect("an address").to_string();
    drop(free);
    let at_port = [("COMMONHOLD_LISTEN", &*port)];
    village.down("1");
    village.waits("3", 60, |status| status["peers_known"] == 1);
    village.up_with(&at_port, "1", &[]);
    // Until the one that is to find it has heard of the new place: whoever is stopped before knows the old one alone.
    village.waits("3", 60, |status| knows(status, 2));
    for folder in ["3", "2", "1"] {
        village.down(folder);
    }
    village.up("3", &[]);
    let alone = village.waits("3", 30, |status| {
        problems(status).contains("no other member is known")
    });
    assert!(problems(&alone).contains("are tried again"), "{alone:#}");
    sleep(Duration::from_secs(8));
    village.up_with(&at_port, "1", &[]);
    let back = village.waits("3", 120, |status| knows(status, 1));
    assert!(
        !problems(&back).contains("no other member is known"),
        "{back:#}"
    );
    // One of three, of whom it has heard: whether the others are up is not for it to know.
    assert!(
        problems(&back).contains("heard lately 1 is known"),
        "{back:#}"
    );
}

/// Kills the process in the end.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn connections(status: &Value) -> u64 {
    let connections = &status["traffic"]["connections"];
    connections.as_u64().expect("a number")
}

#[test]
fn two_whom_nobody_reaches_meet_by_a_relay() {
    let mut village = Village::new(Place::new());
    village.found(3);
    village.down("1");
    village.down("2");
    // Others are told a place where nobody is.
    let hidden = ("COMMONHOLD_ANNOUNCE", "127.0.0.1:9");
    for folder in ["1", "2"] {
        village.up_with(&[hidden], folder, &[]);
    }
    sleep(Duration::from_secs(15));
    let apart = village.status("1");
    assert!(
        !knows(&apart, 2) && connections(&apart) <= 1,
        "without a relay they do not meet: {apart:#}"
    );

    let relay = ["relay", "--dir", "0", "--listen", "127.0.0.1:0"];
    let mut command = village.place.command(&relay);
    command
        .env("XDG_CONFIG_HOME", village.place.path("config"))
        .stdout(Stdio::null());
    let mut relay = Running(command.spawn().expect("the program starts"));
    let said = relay.0.stderr.take().expect("a pipe");
    let mut said = BufReader::new(said).lines();
    let said = said.next().expect("a line").expect("of text");
    let at = said.split_whitespace().rev().nth(1).expect("an address");
    let relays = ("COMMONHOLD_RELAYS", at);
    for folder in ["1", "2"] {
        village.down(folder);
        village.up_with(&[hidden, relays], folder, &[]);
    }
    let met = village.waits("1", 150, |status| {
        knows(status, 2) && connections(status) >= 2
    });
    assert_eq!(met["relays"][0], at);
}
