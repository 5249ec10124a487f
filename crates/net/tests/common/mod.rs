//! A community for tests, and a small protocol to host.

#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test program uses its own part of this"
)]

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base::{Digest, Duration, Input, Instant, NodeId, Outbox, Protocol, Rng};
use crypto::{Certificate, CertificateRequest, Rights, SigningKey, VrfSecretKey};
use iroh::endpoint::presets;
use iroh::{Endpoint, EndpointAddr, PublicKey, RelayMode, SecretKey, TransportAddr};
use minicbor::{Decode, Encode};
use net::{Bound, CertificateAdmission, HostConfig, HostHandle, Hosted, Limits, Relays};
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

/// Answers pings, reports everything.
#[derive(Default)]
pub struct Pal {
    addresses: BTreeMap<NodeId, SocketAddr>,
}

#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Note {
    #[n(0)]
    Ping(#[n(0)] u64),
    #[n(1)]
    Pong(#[n(0)] u64),
    #[n(2)]
    Blob(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
}

#[derive(Debug)]
pub enum Order {
    Know(NodeId, SocketAddr),
    Send(NodeId, Note),
    Remind(Duration, u64),
}

#[derive(Debug, Clone, PartialEq)]
pub enum Report {
    Heard(NodeId, Note),
    Unreachable(NodeId),
    Reminded {
        name: u64,
        due: Instant,
        now: Instant,
    },
}

impl Protocol for Pal {
    type Message = Note;
    type Command = Order;
    type Event = Report;
    type Timer = (u64, Instant);

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(Order::Know(node, address)) => {
                self.addresses.insert(node, address);
            }
            Input::Command(Order::Send(to, note)) => out.send(to, note),
            Input::Command(Order::Remind(wait, name)) => out.wake(now + wait, (name, now + wait)),
            Input::Message { from, message } => {
                if let Note::Ping(number) = message {
                    out.send(from, Note::Pong(number));
                }
                out.emit(Report::Heard(from, message));
            }
            Input::Timer((name, due)) => out.emit(Report::Reminded { name, due, now }),
            Input::Unreachable(node) => out.emit(Report::Unreachable(node)),
        }
    }
}

impl Hosted for Pal {
    const PURPOSES: &'static [&'static str] = &["talk", "blobs"];

    fn purpose(message: &Note) -> usize {
        usize::from(matches!(message, Note::Blob(_)))
    }

    fn addresses(&self, node: NodeId) -> Vec<SocketAddr> {
        self.addresses.get(&node).copied().into_iter().collect()
    }
}

/// A community and its authority.
pub struct Community {
    pub name: Digest,
    pub authority: SigningKey,
    pub rng: Rng,
}

pub struct Member {
    pub seed: [u8; 32],
    pub certificate: Certificate,
}

/// Of the loopback interface.
pub fn any_port() -> SocketAddr {
    "127.0.0.1:0".parse().expect("an address")
}

/// In force at any time at which these tests are run.
pub const FROM: Instant = Instant::from_secs(1_577_836_800);
pub const UNTIL: Instant = Instant::from_secs(4_102_444_800);

impl Community {
    pub fn new(name: &str) -> Self {
        let mut rng = Rng::from_seed(Digest::of("test community", &[name.as_bytes()]).0);
        Self {
            name: Digest::of(name, &[]),
            authority: SigningKey::generate(&mut rng),
            rng,
        }
    }

    pub fn member(&mut self) -> Member {
        self.member_until(UNTIL)
    }

    pub fn member_until(&mut self, until: Instant) -> Member {
        let seed = self.rng.bytes32();
        let (key, vrf) = (
            SigningKey::from_seed(seed),
            VrfSecretKey::generate(&mut self.rng),
        );
        let request = CertificateRequest::new(&key, &vrf.public(), &self.name);
        let certificate = Certificate::issue(
            &self.authority,
            &self.name,
            &request,
            self.rng.bytes32(),
            Rights::default(),
            FROM,
            until,
            1,
        );
        Member {
            seed,
            certificate: certificate.expect("a valid request"),
        }
    }

    pub async fn start(&mut self, limits: Limits) -> Node {
        let member = self.member();
        self.start_as(&member, any_port(), limits).await
    }

    pub async fn start_as(&self, member: &Member, bind: SocketAddr, limits: Limits) -> Node {
        self.start_by(member, bind, limits, Vec::new()).await
    }

    /// A node that uses these relays.
    pub async fn start_by(
        &self,
        member: &Member,
        bind: SocketAddr,
        limits: Limits,
        relays: Vec<SocketAddr>,
    ) -> Node {
        let bound = loop {
            let key = SigningKey::from_seed(member.seed);
            let limits = limits.clone();
            match Bound::bind(HostConfig {
                key,
                bind,
                limits,
                door: None,
                relays: Relays {
                    at: relays.clone(),
                    shown: member.certificate.der().to_vec(),
                },
            })
            .await
            {
                Ok(bound) => break bound,
                // The port of a host that has just shut down.
                Err(_) => sleep(Duration::from_millis(5)).await,
            }
        };
        let admission = self.admission(member);
        let (handle, reports) = bound.run(Pal::default(), admission);
        Node { handle, reports }
    }

    pub fn admission(&self, member: &Member) -> CertificateAdmission {
        CertificateAdmission {
            community: self.name,
            issuers: vec![self.authority.node()],
            own: member.certificate.clone(),
        }
    }

    pub async fn start_many(&mut self, count: usize, limits: &Limits) -> Vec<Node> {
        let mut nodes = Vec::new();
        for _ in 0..count {
            nodes.push(self.start(limits.clone()).await);
        }
        for a in &nodes {
            for b in &nodes {
                a.knows(b).await;
            }
        }
        nodes
    }
}

pub struct Node {
    pub handle: HostHandle<Pal>,
    pub reports: mpsc::Receiver<Report>,
}

impl Node {
    pub fn id(&self) -> NodeId {
        self.handle.node()
    }

    pub async fn order(&self, order: Order) {
        self.handle.command(order).await.expect("a running host");
    }

    pub async fn knows(&self, other: &Self) {
        self.order(Order::Know(other.id(), other.handle.local_addr()))
            .await;
    }

    pub async fn send(&self, to: NodeId, note: Note) {
        self.order(Order::Send(to, note)).await;
    }

    pub async fn ping(&self, to: NodeId, number: u64) {
        self.send(to, Note::Ping(number)).await;
    }

    /// The next report; fails when there is none for long.
    pub async fn next(&mut self) -> Report {
        let report = timeout(Duration::from_secs(30), self.reports.recv()).await;
        report.expect("a report in time").expect("a running host")
    }

    /// The next `count` reports.
    pub async fn take(&mut self, count: usize) -> Vec<Report> {
        let mut taken = Vec::new();
        while taken.len() < count {
            taken.push(self.next().await);
        }
        taken
    }

    /// Waits until this many connections are open.
    pub async fn settles_at(&self, connections: u64) {
        for _ in 0..500 {
            if self.handle.counters().connections == connections {
                return;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("{} are open", self.handle.counters().connections);
    }

    /// Fails when anything is reported for a while.
    pub async fn hears_nothing_for(&mut self, wait: Duration) {
        if let Ok(report) = timeout(wait, self.reports.recv()).await {
            panic!("unexpected: {report:?}");
        }
    }
}

/// An endpoint on the loopback interface that speaks what it is told to.
pub async fn bare(seed: [u8; 32], bind: SocketAddr, alpns: &[&[u8]]) -> Endpoint {
    let alpns = alpns.iter().map(|alpn| alpn.to_vec()).collect();
    let builder = Endpoint::builder(presets::Minimal)
        .secret_key(SecretKey::from_bytes(&seed))
        .relay_mode(RelayMode::Disabled)
        .alpns(alpns)
        .clear_ip_transports();
    let bound = builder.bind_addr(bind).expect("an address").bind().await;
    bound.expect("a free port")
}

/// Where a node is, for a bare endpoint.
pub fn place(node: NodeId, at: SocketAddr) -> EndpointAddr {
    let key = PublicKey::from_bytes(node.as_bytes()).expect("a key");
    EndpointAddr::from_parts(key, [TransportAddr::Ip(at)])
}

pub fn framed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

pub fn ping_from(node: &Node, number: u64) -> Report {
    Report::Heard(node.id(), Note::Ping(number))
}

pub fn pong_from(node: &Node, number: u64) -> Report {
    Report::Heard(node.id(), Note::Pong(number))
}
