//! A node that asks its router for a port, in a network of its own whose router is ours.

use std::fs;
use std::net::{Ipv4Addr, UdpSocket};
use std::process::Command;

use e2e::{Place, Ran, Village, isolated, program};

/// Where the router listens for the node, it says.
const OUTSIDE: (Ipv4Addr, u16) = (Ipv4Addr::new(198, 51, 100, 9), 40_404);
/// The port of PCP and NAT-PMP.
const SERVER: u16 = 5351;

/// Two networks: that of the node, and that of the router behind its gateway.
const SCRIPT: &str = r#"
set -eu
ip link set lo up
unshare --net sleep 60 &
router=$!
here=$(readlink /proc/self/ns/net)
for _ in $(seq 100); do [ "$(readlink /proc/$router/ns/net)" != "$here" ] && break; sleep 0.05; done
ip link add way type veth peer name beyond
ip link set way addrgenmode none
ip link set beyond addrgenmode none
ip link set beyond netns $router
nsenter -t $router -n ip link set lo up
nsenter -t $router -n ip address add 192.0.2.2/24 dev beyond
nsenter -t $router -n ip link set beyond up
ip address add 192.0.2.1/24 dev way
ip link set way up
ip route add default via 192.0.2.2
tcpdump --immediate-mode -U -i way -w capture.pcap 2> tcpdump.log &
capture=$!
for _ in $(seq 100); do grep -q 'listening on' tcpdump.log && break; sleep 0.05; done
nsenter -t $router -n "$TESTS" --exact gateway::a_router --ignored --nocapture > router.log 2>&1 &
answers=$!
for _ in $(seq 100); do grep -q 'the router listens' router.log && break; sleep 0.05; done
status=0
"$PROGRAM" up --detach --dir 0 || status=$?
"$PROGRAM" status --dir 0 --json > status.json || status=$?
"$PROGRAM" down --dir 0 || status=$?
sleep 0.2
kill $capture $answers $router
wait $capture || true
exit $status
"#;

/// Answers NAT-PMP (RFC 6886): not a test, but what the test runs as its router.
#[test]
#[ignore = "runs beside the test below, in a network of its own"]
fn a_router() {
    let socket = UdpSocket::bind((Ipv4Addr::new(192, 0, 2, 2), SERVER)).expect("the gateway");
    println!("the router listens");
    let mut request = [0; 1100];
    loop {
        let (length, from) = socket.recv_from(&mut request).expect("a request");
        let epoch = [0, 0, 1, 0];
        let answer = match &request[..length] {
            [0, 0] => [&[0, 128, 0, 0], &epoch[..], &OUTSIDE.0.octets()].concat(),
            // Internal port, the one that is liked outside, and for how long.
            [0, 1, _, _, i, n, _, _, time @ ..] => {
                let outside = OUTSIDE.1.to_be_bytes();
                [&[0, 129, 0, 0], &epoch[..], &[*i, *n], &outside, time].concat()
            }
            // Of PCP it has never heard.
            _ => continue,
        };
        socket.send_to(&answer, from).expect("sent");
    }
}

#[test]
fn the_routers_port_is_announced_and_nobody_else_is_asked() {
    let place = Place::new();
    let tried = isolated(&["true"]).output();
    if !tried.is_ok_and(|output| output.status.success()) {
        eprintln!("NOT CHECKED: the router's port. This machine allows no network namespaces.");
        return;
    }
    let mut village = Village::new(place);
    village.found(3);
    ["0", "1", "2"]
        .iter()
        .for_each(|folder| village.down(folder));
    let place = &village.place;
    let output = isolated(&["bash", "-c", SCRIPT])
        .current_dir(place.path(""))
        .env("XDG_DATA_HOME", place.path("data"))
        .env("XDG_CONFIG_HOME", place.path("config"))
        .env("COMMONHOLD_LISTEN", "0.0.0.0:14766")
        .env("COMMONHOLD_API", "127.0.0.1:0")
        .env("COMMONHOLD_MAP_PORT", "true")
        .env("PROGRAM", program())
        .env("TESTS", std::env::current_exe().expect("a test knows"))
        .output();
    let ran = Ran::of(output.expect("it starts"));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let status = fs::read(place.path("status.json")).expect("a status");
    let status: serde_json::Value = serde_json::from_slice(&status).expect("JSON");
    let outside = format!("{}:{}", OUTSIDE.0, OUTSIDE.1);
    assert_eq!(status["announces"][0], *outside, "{status:#}");
    assert_eq!(status["announces"][1], "192.0.2.1:14766");
    assert!(!status["problems"].to_string().contains("mapping"));

    let packets = |filter: &str| {
        let output = Command::new("tcpdump")
            .args(["-nn", "-r", "capture.pcap", filter])
            .current_dir(place.path(""))
            .output();
        Ran::of(output.expect("it starts")).out
    };
    let router = format!("host 192.0.2.2 and udp port {SERVER}");
    assert!(packets(&router).lines().count() >= 2, "it was asked");
    let others = packets(&format!("ip and not ({router})"));
    assert_eq!(others, "", "somebody else was asked");
}
