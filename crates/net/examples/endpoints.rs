//! Measures hosts in one process over the loopback interface: `cargo run --release -p net --example endpoints [nodes]`.
//!
//! Prints the time to stand them up, the latency of a first message (dial, handshake, greeting, message, answer) and of
//! a later one, the time for a full mesh, memory, and the idle cost. Linux only: it reads `/proc`.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base::{Duration, Input, Instant, NodeId, Outbox, Protocol, Rng};
use crypto::SigningKey;
use net::{Admission, Bound, HostConfig, HostHandle, Hosted, Limits, Refusal, Relays};
use tokio::sync::mpsc;
use tokio::time::{Instant as Ticks, sleep};

/// Answers 1 by 2 and reports every 2.
struct Echo(BTreeMap<NodeId, SocketAddr>);

impl Protocol for Echo {
    type Message = u64;
    type Command = NodeId;
    type Event = NodeId;
    type Timer = ();

    fn handle(&mut self, _: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(to) => out.send(to, 1),
            Input::Message { from, message: 1 } => out.send(from, 2),
            Input::Message { from, .. } | Input::Unreachable(from) => out.emit(from),
            Input::Timer(()) => {}
        }
    }
}

impl Hosted for Echo {
    const PURPOSES: &'static [&'static str] = &["echoes"];

    fn purpose(_: &u64) -> usize {
        0
    }

    fn addresses(&self, node: NodeId) -> Vec<SocketAddr> {
        self.0.get(&node).copied().into_iter().collect()
    }
}

/// Lets everyone in: what is measured is the network.
struct Open;

impl Admission for Open {
    fn presented(&self) -> Vec<u8> {
        vec![0; 570]
    }

    fn admit(&self, _: NodeId, _: &[u8], _: Instant) -> Result<(), Refusal> {
        Ok(())
    }
}

type Node = (HostHandle<Echo>, mpsc::Receiver<NodeId>);

#[tokio::main]
async fn main() {
    let count = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(40);
    let empty = memory();
    let started = Ticks::now();
    let mut nodes = stand_up(count).await;
    println!("{count} endpoints stand after {:?}", started.elapsed());
    println!("{} KiB per endpoint", (memory() - empty) / count);

    let pairs = count.min(40) / 2;
    println!("first answer: median {:?}", median(&mut nodes, pairs).await);
    println!("later answer: median {:?}", median(&mut nodes, pairs).await);

    let (before, started) = (memory(), Ticks::now());
    mesh(&mut nodes).await;
    let open = nodes
        .iter()
        .map(|(handle, _)| handle.counters().connections)
        .sum::<u64>()
        / 2;
    println!("full mesh of {open} connections: {:?}", started.elapsed());
    println!(
        "{} KiB per connection, both ends",
        (memory() - before) / open.max(1) as usize
    );

    let busy = cpu();
    sleep(Duration::from_secs(10)).await;
    println!("idle: {:.1} % of a core", (cpu() - busy) / 10.0 * 100.0);

    let started = Ticks::now();
    for (handle, _) in &nodes {
        handle.shutdown().await;
    }
    println!("shut down one after the other in {:?}", started.elapsed());
}

async fn stand_up(count: usize) -> Vec<Node> {
    let mut rng = Rng::from_number(1);
    let mut bound = Vec::new();
    for _ in 0..count {
        let config = HostConfig {
            key: SigningKey::generate(&mut rng),
            bind: "127.0.0.1:0".parse().expect("an address"),
            limits: Limits::default(),
            door: None,
            relays: Relays::default(),
        };
        bound.push(Bound::bind(config).await.expect("a free port"));
    }
    let book: BTreeMap<_, _> = bound
        .iter()
        .map(|bound| (bound.node(), bound.local_addr()))
        .collect();
    bound
        .into_iter()
        .map(|bound| bound.run(Echo(book.clone()), Open))
        .collect()
}

/// The median time from a command to the answer, one pair of nodes after the other.
async fn median(nodes: &mut [Node], pairs: usize) -> Duration {
    let mut times = Vec::new();
    for pair in nodes.chunks_exact_mut(2).take(pairs) {
        let to = pair[1].0.node();
        let started = Ticks::now();
        pair[0].0.command(to).await.expect("a running host");
        pair[0].1.recv().await.expect("an answer");
        times.push(started.elapsed());
    }
    times.sort_unstable();
    times[times.len() / 2]
}

/// Everyone writes to everyone with a greater place at once.
async fn mesh(nodes: &mut [Node]) {
    let ids: Vec<_> = nodes.iter().map(|(handle, _)| handle.node()).collect();
    for (place, (handle, _)) in nodes.iter().enumerate() {
        for &to in &ids[place + 1..] {
            handle.command(to).await.expect("a running host");
        }
    }
    for (place, (_, answers)) in nodes.iter_mut().enumerate() {
        for _ in place + 1..ids.len() {
            answers.recv().await.expect("an answer");
        }
    }
}

/// Resident memory in KiB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status
        .lines()
        .find(|line| line.starts_with("VmRSS"))
        .expect("a known format");
    line.split_whitespace()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .expect("a number")
}

/// Seconds of processor time so far, at the usual 100 ticks a second.
fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux");
    let fields: Vec<_> = stat
        .rsplit(") ")
        .next()
        .expect("a known format")
        .split(' ')
        .collect();
    let ticks = |place: usize| fields[place].parse::<f64>().expect("a number");
    (ticks(11) + ticks(12)) / 100.0
}
