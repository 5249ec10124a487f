//! What a connection between two members costs: some meet, each with each, and say one word, again to whom it may not have
//! reached.
//!
//! `cargo run --release -p net --example meeting -- 40`

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use base::{Digest, Input, Instant, NodeId, Outbox, Protocol, Rng};
use crypto::{Certificate, CertificateRequest, Rights, SigningKey, VrfSecretKey};
use net::{Bound, CertificateAdmission, HostConfig, Hosted, Limits, Relays};

/// Says one word to each of those whom it is told of, and reports from whom it hears one.
struct Guest {
    others: Vec<(NodeId, SocketAddr)>,
}

/// What is said.
const WORD: u64 = 1;

impl Protocol for Guest {
    type Message = u64;
    type Command = ();
    type Event = NodeId;
    type Timer = ();

    fn handle(&mut self, _now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(()) => {
                for (other, _) in &self.others {
                    out.send(*other, WORD);
                }
            }
            Input::Message { from, .. } => out.emit(from),
            // Of so many dials at once some take too long. The host waits before the next one.
            Input::Unreachable(other) => out.send(other, WORD),
            Input::Timer(()) => {}
        }
    }
}

impl Hosted for Guest {
    const PURPOSES: &'static [&'static str] = &["words"];

    fn purpose(_: &u64) -> usize {
        0
    }

    fn addresses(&self, node: NodeId) -> Vec<SocketAddr> {
        let known = self.others.iter().filter(|(other, _)| *other == node);
        known.map(|(_, address)| *address).collect()
    }
}

/// Processor time of this process so far, in milliseconds, and the most memory that it has held, in kilobytes.
fn used() -> (u64, u64) {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<_> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|field| field.parse::<u64>().ok())
            .unwrap_or(0)
    };
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM"));
    let peak = peak.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    // A tick is a hundredth of a second.
    (10 * (ticks(11) + ticks(12)), peak.unwrap_or(0))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let guests: usize = std::env::args().nth(1).map_or(Ok(40), |n| n.parse())?;
    let mut rng = Rng::from_number(1);
    let authority = SigningKey::generate(&mut rng);
    let community = Digest::of("a meeting", &[]);
    let mut bound = Vec::new();
    for serial in 1..=guests {
        let key = SigningKey::generate(&mut rng);
        let vrf = VrfSecretKey::generate(&mut rng).public();
        let request = CertificateRequest::new(&key, &vrf, &community);
        let (from, until) = (Instant(0), Instant::from_secs(4_000_000_000));
        let nonce = rng.bytes32();
        let own = Certificate::issue(
            &authority,
            &community,
            &request,
            nonce,
            Rights::default(),
            from,
            until,
            serial as u64,
        )?;
        let bind = "127.0.0.1:0".parse()?;
        let config = HostConfig {
            key,
            bind,
            limits: Limits::default(),
            door: None,
            relays: Relays::default(),
        };
        let issuers = vec![authority.node()];
        let admission = CertificateAdmission {
            community,
            issuers,
            own,
        };
        bound.push((Bound::bind(config).await?, admission));
    }
    let all: Vec<_> = bound
        .iter()
        .map(|(bound, _)| (bound.node(), bound.local_addr()))
        .collect();
    let mut hosts = Vec::new();
    for (place, (bound, admission)) in bound.into_iter().enumerate() {
        // Each pair once, so that nobody dials while he is dialled.
        let others = all[..place].to_vec();
        hosts.push(bound.run(Guest { others }, admission));
    }
    let (before, memory_before) = used();
    for (host, _) in &hosts {
        host.command(()).await?;
    }
    for (place, (_, words)) in hosts.iter_mut().enumerate() {
        let mut heard = BTreeSet::new();
        while heard.len() < guests - 1 - place {
            heard.insert(words.recv().await.ok_or("a guest has gone")?);
        }
    }
    // What follows by itself: larger packets are tried, paths are confirmed.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let (after, memory) = used();
    let connections = (guests * (guests - 1) / 2) as u64;
    println!(
        "{connections} connections: {:.2} ms of processor time and {:.0} kB each, both ends together",
        (after - before) as f64 / connections as f64,
        (memory - memory_before) as f64 / connections as f64
    );
    for (host, _) in hosts {
        host.shutdown().await;
    }
    Ok(())
}
