//! What a demo sends, captured in a network namespace of its own.

use std::fs;
use std::process::Command;

use e2e::{Place, Ran, isolated, program};

/// A value that no chance produces in so few bytes.
const VALUE: u64 = 1_234_567_890_123;
/// A word of the data.
const WORD: &str = "zephyrine-quixotic";
/// An address outside that the control writes to.
const STRANGER: &str = "198.51.100.7";
/// Sent in the clear while the capture runs: the control.
const CONTROL: &str = "a word that anybody on the wire can read";

/// In a namespace with a way out that leads nowhere, so that packets to the outside would be seen: captures everything while
/// the demo and the control run.
const SCRIPT: &str = r#"
set -eu
ip link set lo up
ip link add way type veth peer name beyond
ip link set way addrgenmode none
ip link set beyond addrgenmode none
ip address add 192.0.2.1/24 dev way
ip link set way up
ip link set beyond up
ip neighbour add 192.0.2.2 lladdr 02:00:00:00:00:02 dev way
ip route add default via 192.0.2.2
tcpdump --immediate-mode -U -i any -w capture.pcap 2> tcpdump.log &
for _ in $(seq 100); do grep -q 'listening on' tcpdump.log && break; sleep 0.05; done
bash -c "echo '$CONTROL' > /dev/udp/127.0.0.1/9"
status=0
"$PROGRAM" demo --data data.csv --ask 'SELECT SUM(value) FROM data' --json > demo.json || status=$?
bash -c "echo leaving > /dev/udp/$STRANGER/9"
sleep 0.2
kill %1
wait %1 || true
exit $status
"#;

fn can_isolate() -> bool {
    let tried = isolated(&["true"]).output();
    tried.is_ok_and(|output| output.status.success())
}

#[test]
fn only_loopback_is_used_and_nothing_is_readable() {
    let place = Place::new();
    if !can_isolate() {
        eprintln!(
            "NOT CHECKED: what goes over the wire. This machine allows no network namespaces."
        );
        return;
    }
    let mut data = "id,value,word\n".to_owned();
    for person in 0..12 {
        data += &format!("p{person},{},{WORD}-{person}\n", VALUE + person);
    }
    fs::write(place.path("data.csv"), data).unwrap();
    let output = isolated(&["bash", "-c", SCRIPT])
        .current_dir(place.path(""))
        .env("TMPDIR", place.path("tmp"))
        .env("PROGRAM", program())
        .env("CONTROL", CONTROL)
        .env("STRANGER", STRANGER)
        .output();
    let ran = Ran::of(output.unwrap());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let told: serde_json::Value =
        serde_json::from_slice(&fs::read(place.path("demo.json")).unwrap()).unwrap();
    assert_eq!(told["equal"], true, "{told}");

    let packets = |filter: &str| {
        let output = Command::new("tcpdump")
            .args(["-nn", "-r", "capture.pcap", filter])
            .current_dir(place.path(""))
            .output();
        Ran::of(output.unwrap()).out
    };
    let inside = "src net 127.0.0.0/8 and dst net 127.0.0.0/8";
    assert!(packets(inside).lines().count() > 100);
    let outside = packets(&format!("not ({inside})"));
    let (control, leaks): (Vec<_>, Vec<_>) =
        outside.lines().partition(|line| line.contains(STRANGER));
    assert!(!control.is_empty(), "what leaves must be seen");
    assert!(leaks.is_empty(), "{leaks:?}");

    let captured = fs::read(place.path("capture.pcap")).unwrap();
    let has = |needle: &[u8]| {
        captured
            .windows(needle.len())
            .any(|window| window == needle)
    };
    assert!(has(CONTROL.as_bytes()), "the control must be found");
    assert!(!has(WORD.as_bytes()));
    assert!(!has(b"SELECT SUM"));
    for person in 0..12 {
        let value = VALUE + person;
        assert!(!has(value.to_string().as_bytes()));
        // Significant bytes in either order, whatever precedes or follows them.
        assert!(!has(&value.to_be_bytes()[2..]));
        assert!(!has(&value.to_le_bytes()[..6]));
    }
    let total = told["answer"]["total"].as_str().unwrap();
    assert!(!has(total.as_bytes()));
    place.assert_clean();
}
