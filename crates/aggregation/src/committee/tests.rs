//! Whole computations between nodes in memory, honest and not.
//!
//! Twelve seats, all of whose holders contribute, three more people, and a querier. In every test with an adversary the
//! totals are those of the agreed set, or there are none, and nobody honest is accused.

mod contributors;
mod querying;
mod replicas;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{
    Digest, Duration, Input, Instant, NodeId, Outbox, Output, Protocol, Rng, decode, encode,
};
use community::{Community, Descriptor, Identity, SignedDescriptor, draw_keys, enrol};
use crypto::{Rights, SigningKey, Vector};

use crate::committee::protocol::{Command, Committee, Event};
use crate::committee::{Evidence, Failure, Message, Misbehaviour, Terms};
use crate::sizes::Sizes;

const START: Instant = Instant::from_secs(1_800_000_000);
const LATENCY: Duration = Duration::from_millis(20);
const DISK: Duration = Duration::from_millis(2);
const SEATS: usize = 12;
const PEOPLE: usize = 15;

/// What an adversary on the wire does to a message; `false` loses it.
type Tamper = Box<dyn FnMut(NodeId, NodeId, &mut Message) -> bool>;

struct Net {
    now: Instant,
    terms: Arc<Terms>,
    community: Arc<Community>,
    identities: BTreeMap<NodeId, Arc<Identity>>,
    people: Vec<NodeId>,
    querier: NodeId,
    values: BTreeMap<NodeId, Option<u64>>,
    nodes: BTreeMap<NodeId, Committee>,
    dead: BTreeSet<NodeId>,
    /// Whose disks hang.
    hanging: BTreeSet<NodeId>,
    /// Who dies when the call for contributions goes out.
    die_when_called: BTreeSet<NodeId>,
    queue: BTreeMap<(Instant, u64), (NodeId, Input<Committee>)>,
    queued: u64,
    tamper: Tamper,
    /// Messages and bytes to the querier.
    told: Vec<usize>,
    sets: BTreeMap<NodeId, BTreeSet<NodeId>>,
    accusations: Vec<(NodeId, NodeId, Misbehaviour)>,
    ended: Option<Result<Evidence, Failure>>,
}

/// How a computation ended.
type Ended = Result<Vec<u64>, Failure>;

impl Net {
    fn new() -> Self {
        Self::with_threshold(5)
    }

    fn with_threshold(threshold: u64) -> Self {
        let mut rng = Rng::from_number(1);
        let authority = SigningKey::generate(&mut rng);
        let descriptor = Descriptor {
            epoch: 1,
            name: "test".into(),
            community: Descriptor::community_of("test", authority.node()),
            authority: authority.node(),
            enrolment: vec![],
            nodes: PEOPLE as u64 + 1,
            colluders: 3,
            alpha: 1e-6,
            offline_permille: 50,
            min_crowd: threshold.max(1),
            padding_allowance: 0,
            draws_per_period: 16,
            period_secs: 3600,
            vocabulary: vec![],
            revoked: vec![],
        };
        let signed = SignedDescriptor::sign(&descriptor, &authority).expect("a community");
        let community = Arc::new(Community::open(signed).expect("just signed"));
        let identities: Vec<_> = (0..=PEOPLE)
            .map(|_| Arc::new(member(&authority, &descriptor, START, &mut rng)))
            .collect();
        let names: Vec<_> = identities.iter().map(|identity| identity.node()).collect();
        let people = names[..PEOPLE].to_vec();
        let querier = names[PEOPLE];
        let terms = Arc::new(Terms {
            question: Digest([1; 32]),
            list: Digest([2; 32]),
            seats: people[..SEATS].to_vec(),
            sizes: Sizes {
                lanes: 4,
                replicas: 3,
            },
            liars: 3,
            vector_len: 2,
            threshold,
            querier,
            closes_at: START + Duration::from_secs(10),
        });
        let node = |identity: &Arc<Identity>| {
            let rng = rng_of(identity.node());
            Committee::new(Arc::clone(identity), Arc::clone(&community), rng)
        };
        let nodes = identities.iter().map(|i| (i.node(), node(i))).collect();
        let values = people.iter().zip(1..).map(|(p, value)| (*p, Some(value)));
        Self {
            now: START,
            terms,
            values: values.collect(),
            nodes,
            community: Arc::clone(&community),
            identities: names.iter().copied().zip(identities).collect(),
            people,
            querier,
            dead: BTreeSet::new(),
            hanging: BTreeSet::new(),
            die_when_called: BTreeSet::new(),
            queue: BTreeMap::new(),
            queued: 0,
            tamper: Box::new(|_, _, _| true),
            told: Vec::new(),
            sets: BTreeMap::new(),
            accusations: Vec::new(),
            ended: None,
        }
    }

    fn key(&self, node: NodeId) -> SigningKey {
        self.identities[&node].key.clone()
    }

    /// From the seats' being taken to the end.
    fn run(&mut self) -> Ended {
        let members: BTreeSet<_> = self.people.iter().copied().collect();
        self.give(self.querier, Command::Ask(Arc::clone(&self.terms)));
        for seat in self.terms.seats.clone() {
            let serve = Command::Serve(Arc::clone(&self.terms), members.clone());
            self.give(seat, serve);
        }
        self.go_on()
    }

    /// Until the querier knows.
    fn go_on(&mut self) -> Ended {
        while self.ended.is_none() {
            let next = self.queue.pop_first();
            let ((at, _), (node, input)) = next.expect("a computation ends");
            self.now = self.now.max(at);
            assert!(self.now <= self.terms.ends_at() + LATENCY, "in time");
            self.handle(node, input);
        }
        // Those who are late still must come to the same set.
        let late = self.now + Duration::from_secs(2);
        while let Some(((at, _), (node, input))) = self.queue.pop_first() {
            if at > late {
                break;
            }
            self.now = at;
            self.handle(node, input);
        }
        self.check_sets();
        match self.ended.clone().expect("it has ended") {
            Ok(evidence) => {
                let totals = evidence.verify(&self.terms).expect("the evidence holds");
                assert_eq!(totals, self.reference());
                assert_eq!(evidence.set.included, self.included().len() as u64);
                Ok(totals)
            }
            Err(why) => Err(why),
        }
    }

    fn check_sets(&self) {
        let distinct: BTreeSet<_> = self.sets.values().collect();
        assert!(distinct.len() <= 1, "never two sets");
    }

    fn included(&self) -> BTreeSet<NodeId> {
        self.sets.values().next().cloned().unwrap_or_default()
    }

    /// What the agreed set adds up to.
    fn reference(&self) -> Vec<u64> {
        let included = self.included();
        let values = included.iter().map(|node| self.values[node].unwrap_or(0));
        let total = values.sum();
        let matching = |node: &&NodeId| self.values[*node] != Some(0);
        vec![included.iter().filter(matching).count() as u64, total]
    }

    fn give(&mut self, node: NodeId, command: Command) {
        self.handle(node, Input::Command(command));
    }

    fn inject(&mut self, from: NodeId, to: NodeId, message: Message) {
        self.handle(to, Input::Message { from, message });
    }

    fn handle(&mut self, node: NodeId, input: Input<Committee>) {
        if self.dead.contains(&node) {
            return;
        }
        let mut out = Outbox::new();
        let committee = self.nodes.get_mut(&node).expect("a member");
        committee.handle(self.now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, message } => self.send(node, to, message),
                Output::Wake { at, timer } => {
                    let wait = at.since(self.now);
                    self.push(node, wait, Input::Timer(timer));
                }
                Output::Event(event) => self.hear(node, event),
            }
        }
    }

    fn send(&mut self, from: NodeId, to: NodeId, mut message: Message) {
        if !(self.tamper)(from, to, &mut message) {
            return;
        }
        let bytes = encode(&message);
        if to == self.querier {
            self.told.push(bytes.len());
        }
        let message = decode(&bytes, 1 << 22).expect("what is sent can be read");
        self.push(to, LATENCY, Input::Message { from, message });
    }

    fn push(&mut self, to: NodeId, wait: Duration, input: Input<Committee>) {
        self.queued += 1;
        let at = (self.now + wait, self.queued);
        self.queue.insert(at, (to, input));
    }

    fn hear(&mut self, node: NodeId, event: Event) {
        match event {
            Event::LanesReady(round, keys) => {
                for (lane, key) in keys.iter().enumerate() {
                    key.check(&self.terms, lane).expect("the lane keys hold");
                }
                self.dead.extend(&self.die_when_called);
                let keys: Vec<_> = keys.iter().map(|key| key.body.public).collect();
                for person in self.people.clone() {
                    let collecting = Command::Collecting(round, keys.clone());
                    self.push(person, LATENCY, Input::Command(collecting));
                    let command = match self.values[&person] {
                        None => Command::Decline(Arc::clone(&self.terms)),
                        Some(value) => {
                            let vector = vector(value);
                            Command::Contribute(Arc::clone(&self.terms), keys.clone(), vector)
                        }
                    };
                    self.push(person, LATENCY, Input::Command(command));
                }
            }
            Event::Opened(_, evidence) => self.ended = Some(Ok(*evidence)),
            Event::Failed(_, why) => self.ended = Some(Err(why)),
            Event::Persist { round, number, .. } if !self.hanging.contains(&node) => {
                let persisted = Command::Persisted(round, number);
                self.push(node, DISK, Input::Command(persisted));
            }
            Event::SetAgreed(_, members) => {
                let earlier = self.sets.insert(node, members);
                assert!(earlier.is_none(), "a set is agreed on once");
            }
            Event::Misbehaved { node: whom, what } => self.accusations.push((node, whom, what)),
            Event::Accepted(_) | Event::Persist { .. } => {}
        }
    }

    /// Fails when anybody but `liars` is accused.
    fn assert_only_accused(&self, liars: &[NodeId]) {
        let innocent = self
            .accusations
            .iter()
            .find(|(_, whom, _)| !liars.contains(whom));
        assert_eq!(innocent, None);
    }

    fn assert_accused(&self, whom: NodeId, what: Misbehaviour) {
        let accusation = |(_, node, why): &(_, _, _)| (*node, *why) == (whom, what);
        assert!(
            self.accusations.iter().any(accusation),
            "{:?}",
            self.accusations
        );
        self.assert_only_accused(&[whom]);
    }
}

fn rng_of(node: NodeId) -> Rng {
    Rng::from_seed(node.0)
}

/// One who matches with this value; zero for one who does not match.
fn vector(value: u64) -> Vector {
    Vector::from_u64s(&[u64::from(value > 0), value]).expect("small numbers")
}

fn member(
    authority: &SigningKey,
    descriptor: &Descriptor,
    from: Instant,
    rng: &mut Rng,
) -> Identity {
    let (key, vrf, request) = draw_keys(&descriptor.community, rng);
    let terms = community::Terms {
        rights: Rights { ask: true },
        valid_from: from,
        valid_until: from + Duration::from_secs(3600),
    };
    let certificate =
        enrol(authority, descriptor, &request, terms, rng).expect("possession is proved");
    Identity {
        key,
        vrf,
        certificate,
    }
}

#[test]
fn honest_nodes_add_up_exactly() {
    let mut net = Net::new();
    assert_eq!(net.run(), Ok(vec![15, 120]));
    assert_eq!(net.sets.len(), SEATS);
    net.assert_only_accused(&[]);
    assert!(
        net.now < START + Duration::from_secs(4),
        "closed when all had answered"
    );
}

#[test]
fn owners_who_decline_or_do_not_match_are_told_apart_from_nobody_who_matters() {
    let mut net = Net::new();
    let people = net.people.clone();
    net.values.insert(people[3], None);
    net.values.insert(people[14], None);
    net.values.insert(people[5], Some(0));
    net.dead.insert(people[13]);
    assert_eq!(net.run(), Ok(vec![11, 120 - 4 - 15 - 6 - 14]));
    let evidence = net.ended.clone().unwrap().unwrap();
    assert_eq!((evidence.set.included, evidence.set.declined), (12, 2));
    assert_eq!(evidence.set.away(), 1);
}
