//! One broadcast in a large community, with silent and lying relays: who is reached, over how many hops, at what price.
//!
//! `cargo run --release -p sim --example broadcast -- 100000 50 0` (nodes, silent and lying ones per thousand)
//!
//! The nodes are the real state machines with real signatures. Each knows 32 nodes around it and its true fingers. Lying
//! relays acknowledge everything and do nothing else. Messages take 20 to 220 ms.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;

use base::{
    Duration, Input, Instant, Location, NodeId, Outbox, Output, Protocol as _, Rng, encode,
};
use community::{
    Community, Contact, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol,
};
use crypto::{Rights, SigningKey};
use overlay::broadcast;
use overlay::spreading::{Command, Event, Message, Spreading, Timer};

const START: Instant = Instant::from_secs(1_800_000_000);
const DAY: Duration = Duration::from_secs(86400);
/// Nodes that each node knows around it.
const CACHE: usize = 32;
const PAYLOAD: usize = 2048;

enum Due {
    Message(usize, Message),
    Timer(Timer),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Honest,
    /// Takes messages and does nothing.
    Silent,
    /// Acknowledges and does nothing else.
    Liar,
}

/// One thing that is going to happen: to whom, and what.
struct Queued(Reverse<(Instant, u64)>, usize, Due);

impl PartialEq for Queued {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}
impl Eq for Queued {}
impl PartialOrd for Queued {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Queued {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.cmp(&other.0)
    }
}

/// All nodes in order of the ring, the queue, and what was counted.
struct World {
    contacts: Vec<Arc<Contact>>,
    index: Vec<(NodeId, usize)>,
    nodes: Vec<Spreading>,
    kinds: Vec<Kind>,
    queue: BinaryHeap<Queued>,
    caused: u64,
    rng: Rng,
    hops: Vec<Option<u32>>,
    heard_at: Vec<Option<Instant>>,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    messages: u64,
    bytes: u64,
    payloads: u64,
    sent_payloads: Vec<u64>,
}

fn main() {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .map(|text| text.parse().expect("a number"))
        .collect();
    let of = |at: usize, default| arguments.get(at).copied().unwrap_or(default);
    let (size, silent, lying) = (of(0, 100_000) as usize, of(1, 50), of(2, 0));
    let mut world = World::new(size, silent, lying);
    println!("{size} nodes, {silent} ‰ silent, {lying} ‰ lying, payload of {PAYLOAD} bytes");
    world.run();
    world.report();
}

impl World {
    fn new(size: usize, silent: u64, lying: u64) -> Self {
        let mut rng = Rng::from_number(5);
        let authority = SigningKey::generate(&mut rng);
        let descriptor = descriptor(&authority, size as u64);
        let signed = SignedDescriptor::sign(&descriptor, &authority).expect("a good descriptor");
        let community = Arc::new(Community::open(signed).expect("a good descriptor"));
        let mut people: Vec<_> = (0..size)
            .map(|_| person(&authority, &descriptor, &mut rng))
            .collect();
        people.sort_by_key(|identity| identity.certificate.location());
        let contact = |identity: &Arc<Identity>| {
            let certificate = identity.certificate.clone();
            Arc::new(Contact::new(&identity.key, certificate, vec![], START))
        };
        let contacts: Vec<_> = people.iter().map(contact).collect();
        let mut index: Vec<_> = contacts.iter().map(|c| c.node()).zip(0..).collect();
        index.sort();
        let mut world = Self {
            contacts,
            index,
            nodes: Vec::new(),
            kinds: Vec::new(),
            queue: BinaryHeap::new(),
            caused: 0,
            rng,
            hops: vec![None; size],
            heard_at: vec![None; size],
            counts: Counts {
                sent_payloads: vec![0; size],
                ..Counts::default()
            },
        };
        for (at, identity) in people.into_iter().enumerate() {
            let kind = match world.rng.below(1000) {
                _ if at == 0 => Kind::Honest,
                chance if chance < silent => Kind::Silent,
                chance if chance < silent + lying => Kind::Liar,
                _ => Kind::Honest,
            };
            world.kinds.push(kind);
            let (own, rng) = (Arc::clone(&world.contacts[at]), world.rng.fork("node"));
            let community = Arc::clone(&community);
            let size = CACHE as f64 / size as f64;
            world
                .nodes
                .push(Spreading::new(community, identity, own, size, rng));
        }
        for at in 0..size {
            world.introduce(at);
        }
        world
    }

    /// Tells a node who is around it, and its fingers.
    fn introduce(&mut self, at: usize) {
        let size = self.contacts.len();
        let own = self.contacts[at].location();
        let around = (1..CACHE).flat_map(|step| [at + step, at + size - step]);
        let around = around.map(|other| other % size);
        let region = *self.nodes[at].view().region();
        let mut known: BTreeSet<_> = around
            .filter(|other| region.contains(self.contacts[*other].location()))
            .collect();
        for bit in 1..64 {
            let point = Location(own.0.wrapping_add(1 << (64 - bit)));
            known.insert(self.contacts.partition_point(|c| c.location() < point) % size);
        }
        known.remove(&at);
        for other in known {
            let know = Command::Know(Arc::clone(&self.contacts[other]));
            self.input(START, at, None, Input::Command(know));
        }
    }

    fn push(&mut self, at: Instant, to: usize, due: Due) {
        self.caused += 1;
        self.queue.push(Queued(Reverse((at, self.caused)), to, due));
    }

    fn input(&mut self, now: Instant, to: usize, from: Option<usize>, input: Input<Spreading>) {
        let mut out = Outbox::new();
        self.nodes[to].handle(now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to: other, message } => {
                    let other = self.index_of(other);
                    self.send(now, to, other, message);
                }
                Output::Wake { at, timer } => self.push(at, to, Due::Timer(timer)),
                Output::Event(Event::Heard { .. }) => {
                    assert!(self.hops[to].is_none(), "heard twice");
                    let from = from.expect("heard from a peer");
                    self.hops[to] = self.hops[from].map(|hops| hops + 1);
                    self.heard_at[to] = Some(now);
                }
                Output::Event(event) => panic!("{event:?}"),
            }
        }
    }

    fn index_of(&self, node: NodeId) -> usize {
        let at = self.index.binary_search_by_key(&node, |(node, _)| *node);
        self.index[at.expect("a node of this community")].1
    }

    fn send(&mut self, now: Instant, from: usize, to: usize, message: Message) {
        self.counts.messages += 1;
        self.counts.bytes += encode(&message).len() as u64;
        if let Message::Broadcast(broadcast::Message::Pass(..) | broadcast::Message::Give(_)) =
            message
        {
            self.counts.payloads += 1;
            self.counts.sent_payloads[from] += 1;
        }
        let latency = Duration::from_micros(20_000 + self.rng.below(200_000));
        self.push(now + latency, to, Due::Message(from, message));
    }

    fn run(&mut self) {
        self.hops[0] = Some(0);
        let payload = vec![7; PAYLOAD];
        self.input(START, 0, None, Input::Command(Command::Broadcast(payload)));
        let end = START + Duration::from_secs(60);
        while let Some(Queued(Reverse((now, _)), to, due)) = self.queue.pop() {
            if now > end {
                break;
            }
            match (self.kinds[to], due) {
                (Kind::Honest, Due::Message(from, message)) => {
                    let sender = self.contacts[from].node();
                    let input = Input::Message {
                        from: sender,
                        message,
                    };
                    self.input(now, to, Some(from), input);
                }
                (Kind::Honest, Due::Timer(timer)) => {
                    self.input(now, to, None, Input::Timer(timer));
                }
                (Kind::Liar, Due::Message(from, message)) => self.lie(now, to, from, message),
                _ => {}
            }
        }
    }

    fn lie(&mut self, now: Instant, liar: usize, to: usize, message: Message) {
        use broadcast::Message::{Also, Pass, Received};
        let answer = match message {
            Message::Broadcast(Pass(announcement, span)) => Received(announcement.id(), span),
            Message::Broadcast(Also(id, span)) => Received(id, span),
            _ => return,
        };
        self.send(now, liar, to, Message::Broadcast(answer));
    }

    fn report(&mut self) {
        let honest = |at: &usize| self.kinds[*at] == Kind::Honest;
        let live: Vec<_> = (0..self.kinds.len()).filter(honest).collect();
        let reached: Vec<_> = live.iter().filter_map(|at| self.hops[*at]).collect();
        let deepest = reached.iter().max().expect("the initiator");
        let mean = reached.iter().sum::<u32>() as f64 / reached.len() as f64;
        println!("live honest nodes:  {}", live.len());
        println!("reached:            {}", reached.len());
        println!("hops:               {deepest} at most, {mean:.1} on average");
        let mut times: Vec<_> = live.iter().filter_map(|at| self.heard_at[*at]).collect();
        times.sort();
        for percent in [50, 90, 99, 100] {
            let at = times[(times.len() * percent / 100).min(times.len() - 1)];
            println!(
                "reached {percent:>3} % after: {:.1} s",
                at.since(START).as_secs_f64()
            );
        }
        let per_node = |count: u64| count as f64 / live.len() as f64;
        let Counts {
            messages,
            bytes,
            payloads,
            sent_payloads,
            ..
        } = &self.counts;
        println!(
            "messages:           {messages}, {:.2} per node",
            per_node(*messages)
        );
        println!(
            "payloads:           {payloads}, {:.3} per node",
            per_node(*payloads)
        );
        println!(
            "  of one node:      {} at most",
            sent_payloads.iter().max().expect("nodes")
        );
        println!(
            "bytes:              {bytes}, {:.0} per node",
            per_node(*bytes)
        );
    }
}

fn person(authority: &SigningKey, descriptor: &Descriptor, rng: &mut Rng) -> Arc<Identity> {
    let terms = Terms {
        rights: Rights::default(),
        valid_from: START - DAY,
        valid_until: START + DAY,
    };
    let (key, vrf, request) = draw_keys(&descriptor.community, rng);
    let certificate = enrol(authority, descriptor, &request, terms, rng).expect("a good request");
    Arc::new(Identity {
        key,
        vrf,
        certificate,
    })
}

fn descriptor(authority: &SigningKey, nodes: u64) -> Descriptor {
    Descriptor::founding("broadcast", authority.node(), nodes)
}
