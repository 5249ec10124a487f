//! A committee in memory: latency, disks, crashes, and an adversary on every wire.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use base::{
    Digest, Duration, Input, Instant, NodeId, Outbox, Output, Protocol, Rng, decode, encode,
};
use community::{Community, Descriptor, Identity, SignedDescriptor, draw_keys, enrol};
use crypto::{Rights, SealingKey, SealingPublicKey, SigningKey, Vector};

use crate::committee::contribution::{Bundle, Unfit};
use crate::committee::protocol::{Command, Committee, Event};
use crate::committee::{
    Above, Below, Evidence, Failure, LaneKey, Message, Misbehaviour, Place, Signed, Terms,
};
use crate::sizes::Sizes;

pub const START: Instant = Instant::from_secs(1_800_000_000);
pub const LATENCY: Duration = Duration::from_millis(20);
pub const DISK: Duration = Duration::from_millis(2);
pub const SEATS: usize = 12;
pub const PEOPLE: usize = 15;

/// What an adversary on the wire does to a message; `false` loses it.
type Tamper = Box<dyn FnMut(NodeId, NodeId, &mut Message) -> bool>;
/// Whether a message is the one before which its sender dies.
type Crash = Box<dyn FnMut(NodeId, NodeId, &Message) -> bool>;
/// How much later than usual a message arrives.
type Delay = Box<dyn FnMut(NodeId, NodeId, &Message) -> Duration>;
/// What happens when the call for contributions goes out.
type Called = Box<dyn FnOnce(&mut Net, &[SealingPublicKey])>;
/// What a liar sends besides, from one node to another.
pub type Extra = Rc<RefCell<Vec<(NodeId, NodeId, Message)>>>;

pub struct Net {
    pub now: Instant,
    /// Of the committee that opens the totals.
    pub terms: Arc<Terms>,
    /// To which people contribute, each with its people; the one committee, unless there is a tree.
    pub leaves: Vec<(Arc<Terms>, Vec<NodeId>)>,
    /// The keys of the lanes, once they are called for.
    pub lanes: Vec<Signed<LaneKey>>,
    pub community: Arc<Community>,
    pub identities: BTreeMap<NodeId, Arc<Identity>>,
    pub people: Vec<NodeId>,
    pub querier: NodeId,
    pub values: BTreeMap<NodeId, Option<u64>>,
    /// Who is not in the first group.
    pub groups: BTreeMap<NodeId, usize>,
    pub nodes: BTreeMap<NodeId, Committee>,
    pub dead: BTreeSet<NodeId>,
    /// Whose disks hang.
    pub hanging: BTreeSet<NodeId>,
    /// What each disk was asked to store of a computation, and what it has stored.
    pub disks: BTreeMap<(NodeId, Digest), (u64, u64)>,
    /// Whose owners neither contribute nor decline.
    pub silent: BTreeSet<NodeId>,
    /// Who has decided, so that it does so once, whoever calls.
    pub contributed: BTreeSet<NodeId>,
    /// Who is not told of the call for contributions.
    pub uncalled: BTreeSet<NodeId>,
    /// Who dies when the call for contributions goes out.
    pub die_when_called: BTreeSet<NodeId>,
    pub queue: BTreeMap<(Instant, u64), (NodeId, Input<Committee>)>,
    pub queued: u64,
    pub tamper: Tamper,
    /// Whether the sender dies rather than send this message and what it was to send after it.
    pub crash: Crash,
    /// What is added to the latency.
    pub delay: Delay,
    pub called: Option<Called>,
    pub extra: Extra,
    /// Whether senders learn that a message could not be delivered.
    pub tells_unreachable: bool,
    pub ended_at: Instant,
    /// Messages and bytes to the querier.
    pub told: Vec<usize>,
    /// Bytes by node and kind of message: what it sent, and what it received.
    pub traffic: BTreeMap<(NodeId, &'static str), [usize; 2]>,
    /// As each replica of the committee that opens the totals has it.
    pub sets: BTreeMap<NodeId, BTreeSet<NodeId>>,
    /// Of each leaf in a tree.
    pub leaf_sets: BTreeMap<Digest, BTreeSet<NodeId>>,
    /// Who was told that its contribution is passed on, and when.
    pub accepted: BTreeMap<NodeId, Instant>,
    /// Replicas that have added their lane up.
    pub counted: BTreeSet<NodeId>,
    pub accusations: Vec<(NodeId, NodeId, Misbehaviour)>,
    /// Who had nothing fit to contribute.
    pub unfit: Vec<(NodeId, Unfit)>,
    pub ended: Option<Result<Evidence, Failure>>,
}

/// How a computation ended.
pub type Ended = Result<Vec<u64>, Failure>;

impl Net {
    pub fn new() -> Self {
        Self::with_threshold(5)
    }

    pub fn with_threshold(threshold: u64) -> Self {
        Self::of(PEOPLE, threshold)
    }

    /// Three leaves of twelve seats and thirteen people each, under a root whose seats are theirs as well.
    pub fn tree() -> Self {
        let each = SEATS + 1;
        let mut net = Self::of(3 * each, 5);
        let base = Terms {
            outvotes: true,
            ..(*net.terms).clone()
        };
        let leaves: Vec<Vec<NodeId>> = net.people.chunks(each).map(<[_]>::to_vec).collect();
        let seats = |committee: &[NodeId]| committee[..SEATS].to_vec();
        let mut of_all = leaves.iter().flat_map(|leaf| leaf.iter().copied().skip(9));
        let root = Terms {
            seats: of_all.by_ref().take(SEATS).collect(),
            list: Digest([50; 32]),
            closes_at: base.closes_at + Duration::from_secs(20),
            ..base.clone()
        };
        let leaf = |number: usize| Terms {
            seats: seats(&leaves[number]),
            list: Digest([60 + number as u8; 32]),
            place: Place {
                above: Some(Above {
                    round: root.round(),
                    seats: root.seats.clone(),
                    closes_at: root.closes_at,
                }),
                below: Vec::new(),
                catchment: None,
            },
            ..base.clone()
        };
        let of_leaves: Vec<_> = (0..3).map(leaf).collect();
        let below = of_leaves.iter().map(|leaf| Below {
            round: leaf.round(),
            instance: leaf.final_instance(),
            seats: leaf.seats.clone(),
            leaves: 1,
        });
        let place = Place {
            above: None,
            below: below.collect(),
            catchment: None,
        };
        net.terms = Arc::new(Terms { place, ..root });
        net.leaves = of_leaves.into_iter().map(Arc::new).zip(leaves).collect();
        net
    }

    /// A committee of other sizes.
    pub fn sized(people: usize, sizes: Sizes, liars: u64) -> Self {
        let mut net = Self::of(people, 5);
        let seats = net.people[..sizes.seats()].to_vec();
        let terms = Arc::make_mut(&mut net.terms);
        (terms.seats, terms.sizes, terms.liars) = (seats, sizes, liars);
        net
    }

    fn of(people: usize, threshold: u64) -> Self {
        let mut rng = Rng::from_number(1);
        let authority = SigningKey::generate(&mut rng);
        assert_eq!(authority.node(), self::authority().node());
        let descriptor = Descriptor {
            colluders: 3,
            min_crowd: threshold.max(1),
            padding_allowance: 0,
            ..Descriptor::founding("test", authority.node(), people as u64 + 1)
        };
        let signed = SignedDescriptor::sign(&descriptor, &authority).expect("a community");
        let community = Arc::new(Community::open(signed).expect("just signed"));
        let identities: Vec<_> = (0..=people)
            .map(|_| Arc::new(member(&authority, &descriptor, START, &mut rng)))
            .collect();
        let names: Vec<_> = identities.iter().map(|identity| identity.node()).collect();
        let querier = names[people];
        let people = names[..people].to_vec();
        let terms = Arc::new(Terms {
            question: Digest([1; 32]),
            list: Digest([2; 32]),
            seats: people[..SEATS].to_vec(),
            sizes: Sizes {
                lanes: 4,
                replicas: 3,
                signers: 2,
            },
            liars: 3,
            outvotes: false,
            vector_len: 2,
            cells: 1,
            proof: None,
            threshold,
            querier,
            closes_at: START + Duration::from_secs(10),
            place: Place::default(),
        });
        let node = |identity: &Arc<Identity>| {
            let rng = rng_of(identity.node());
            Committee::new(Arc::clone(identity), Arc::clone(&community), rng)
        };
        let nodes = identities.iter().map(|i| (i.node(), node(i))).collect();
        let values = people.iter().zip(1..).map(|(p, value)| (*p, Some(value)));
        Self {
            now: START,
            leaves: Vec::new(),
            terms,
            lanes: Vec::new(),
            values: values.collect(),
            groups: BTreeMap::new(),
            nodes,
            community: Arc::clone(&community),
            identities: names.iter().copied().zip(identities).collect(),
            people,
            querier,
            dead: BTreeSet::new(),
            hanging: BTreeSet::new(),
            disks: BTreeMap::new(),
            silent: BTreeSet::new(),
            contributed: BTreeSet::new(),
            uncalled: BTreeSet::new(),
            die_when_called: BTreeSet::new(),
            queue: BTreeMap::new(),
            queued: 0,
            tamper: Box::new(|_, _, _| true),
            crash: Box::new(|_, _, _| false),
            delay: Box::new(|_, _, _| Duration::ZERO),
            called: None,
            extra: Extra::default(),
            tells_unreachable: false,
            ended_at: START,
            told: Vec::new(),
            traffic: BTreeMap::new(),
            sets: BTreeMap::new(),
            leaf_sets: BTreeMap::new(),
            accepted: BTreeMap::new(),
            counted: BTreeSet::new(),
            accusations: Vec::new(),
            unfit: Vec::new(),
            ended: None,
        }
    }

    /// People in groups of these sizes, in order, and the group of each.
    pub fn grouped(sizes: &[usize], threshold: u64) -> Self {
        let mut net = Self::with_threshold(threshold);
        let terms = Arc::make_mut(&mut net.terms);
        (terms.cells, terms.vector_len) = (sizes.len(), 2 * sizes.len());
        let groups = sizes.iter().enumerate();
        let groups = groups.flat_map(|(group, size)| std::iter::repeat_n(group, *size));
        net.groups = net.people.iter().copied().zip(groups).collect();
        net
    }

    /// Lets sums be proved, up to 1000.
    pub fn prove_sums(&mut self) {
        let proof = Some(crate::validity::Statistic::Sum { max: 1000 }.into());
        if self.leaves.is_empty() {
            Arc::make_mut(&mut self.terms).proof = proof.clone();
        }
        for (leaf, _) in &mut self.leaves {
            Arc::make_mut(leaf).proof = proof.clone();
        }
        let root = Arc::make_mut(&mut self.terms);
        for (child, (leaf, _)) in root.place.below.iter_mut().zip(&self.leaves) {
            child.instance = leaf.final_instance();
        }
    }

    fn vector_of(&self, node: NodeId, value: u64) -> Vector {
        let cells = self.terms.cells;
        let group = self.groups.get(&node).copied().unwrap_or(0);
        let mut numbers = vec![0; 2 * cells];
        numbers[group] = u64::from(value > 0);
        numbers[cells + group] = value;
        Vector::from_u64s(&numbers).expect("small numbers")
    }

    /// What `node` would hand in.
    pub fn bundle_of(&self, node: NodeId, value: u64, keys: &[SealingPublicKey]) -> Bundle {
        let (identity, rng) = (&self.identities[&node], &mut Rng::from_number(77));
        Bundle::new(identity, &self.terms, keys, &vector(value), rng).expect("usable keys")
    }

    pub fn key(&self, node: NodeId) -> SigningKey {
        self.identities[&node].key.clone()
    }

    /// From the seats' being taken to the end.
    pub fn run(&mut self) -> Ended {
        self.give(self.querier, Command::Ask(Arc::clone(&self.terms)));
        self.take_seats();
        self.go_on()
    }

    /// A committee whose seats are taken, without anybody who asks.
    pub fn waiting() -> Self {
        let mut net = Self::new();
        net.take_seats();
        net
    }

    pub fn take_seats(&mut self) {
        for (terms, people) in self.committees() {
            let members: BTreeSet<_> = people.iter().copied().collect();
            for seat in &terms.seats {
                let serve = Command::Serve(Arc::clone(&terms), members.clone().into());
                self.give(*seat, serve);
            }
        }
    }

    /// The leaves, then the root if it is another.
    fn committees(&self) -> Vec<(Arc<Terms>, Vec<NodeId>)> {
        let mut committees = self.leaves.clone();
        if committees.is_empty() {
            committees.push((Arc::clone(&self.terms), self.people.clone()));
        } else {
            committees.push((Arc::clone(&self.terms), Vec::new()));
        }
        committees
    }

    /// Lets a node know of revocations that others have not heard of.
    pub fn tell_revoked(&mut self, node: NodeId, revoked: NodeId) {
        let mut descriptor = self.community.descriptor().clone();
        descriptor.epoch += 1;
        descriptor.revoked = vec![revoked];
        let signed = SignedDescriptor::sign(&descriptor, &authority()).expect("a community");
        let community = Arc::new(Community::open(signed).expect("just signed"));
        let identity = Arc::clone(&self.identities[&node]);
        let node_with_news = Committee::new(identity, community, rng_of(node));
        self.nodes.insert(node, node_with_news);
    }

    /// Until the querier knows.
    pub fn go_on(&mut self) -> Ended {
        while self.ended.is_none() {
            let next = self.queue.pop_first();
            let ((at, _), (node, input)) = next.expect("a computation ends");
            self.now = self.now.max(at);
            assert!(self.now <= self.terms.ends_at() + LATENCY, "in time");
            self.handle(node, input);
        }
        self.ended_at = self.now;
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
                assert_eq!(totals.whole, self.reference());
                assert_eq!(evidence.set.included, self.included().len() as u64);
                Ok(totals.whole)
            }
            Err(why) => Err(why),
        }
    }

    fn check_sets(&self) {
        let distinct: BTreeSet<_> = self.sets.values().collect();
        assert!(distinct.len() <= 1, "never two sets");
    }

    /// Whose numbers are in the totals; in a tree, through the leaves that are in them.
    pub fn included(&self) -> BTreeSet<NodeId> {
        let set = self.sets.values().next().cloned().unwrap_or_default();
        if self.leaves.is_empty() {
            return set;
        }
        let leaves = set.iter().map(|name| &self.leaf_sets[&Digest(name.0)]);
        leaves.flatten().copied().collect()
    }

    /// What the agreed set adds up to.
    pub fn reference(&self) -> Vec<u64> {
        let included = self.included();
        let values = included.iter().map(|node| self.values[node].unwrap_or(0));
        let total = values.sum();
        let matching = |node: &&NodeId| self.values[*node] != Some(0);
        vec![included.iter().filter(matching).count() as u64, total]
    }

    pub fn give(&mut self, node: NodeId, command: Command) {
        self.handle(node, Input::Command(command));
    }

    /// Delivers a message of an adversary now.
    pub fn inject(&mut self, from: NodeId, to: NodeId, message: Message) {
        self.handle(to, Input::Message { from, message });
    }

    /// Delivers a message of an adversary later.
    pub fn deliver(&mut self, wait: Duration, from: NodeId, to: NodeId, message: Message) {
        self.push(to, wait, Input::Message { from, message });
    }

    pub fn handle(&mut self, node: NodeId, input: Input<Committee>) {
        if self.dead.contains(&node) {
            return;
        }
        if let Input::Command(Command::Persisted(round, number)) = input {
            self.disks.entry((node, round)).or_default().1 = number;
        }
        let disks = self.disks.clone();
        let mut out = Outbox::new();
        let committee = self.nodes.get_mut(&node).expect("a member");
        committee.handle(self.now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, message } => {
                    if (self.crash)(node, to, &message) {
                        self.dead.insert(node);
                        return;
                    }
                    let disk = disks.get(&(node, message.round()));
                    let (asked, stored) = disk.copied().unwrap_or_default();
                    assert!(asked == stored || !is_vote(&message), "said before stored");
                    self.send(node, to, message);
                }
                Output::Wake { at, timer } => {
                    let wait = at.since(self.now);
                    self.push(node, wait, Input::Timer(timer));
                }
                Output::Event(event) => self.hear(node, event),
            }
        }
    }

    fn send(&mut self, from: NodeId, to: NodeId, mut message: Message) {
        let arrives = (self.tamper)(from, to, &mut message);
        let extra: Vec<_> = self.extra.borrow_mut().drain(..).collect();
        for (from, to, message) in extra {
            self.deliver(LATENCY / 2, from, to, message);
        }
        if !arrives {
            return;
        }
        if matches!(message, Message::Count(_)) {
            self.counted.insert(from);
        }
        let bytes = encode(&message);
        for (node, way) in [(from, 0), (to, 1)] {
            let of_kind = self.traffic.entry((node, kind(&message))).or_default();
            of_kind[way] += bytes.len();
        }
        if to == self.querier {
            self.told.push(bytes.len());
        }
        if self.tells_unreachable && self.dead.contains(&to) {
            return self.push(from, LATENCY, Input::Unreachable(to));
        }
        let message = decode(&bytes, 1 << 22).expect("what is sent can be read");
        let wait = LATENCY + (self.delay)(from, to, &message);
        self.deliver(wait, from, to, message);
    }

    pub fn push(&mut self, to: NodeId, wait: Duration, input: Input<Committee>) {
        self.queued += 1;
        let at = (self.now + wait, self.queued);
        self.queue.insert(at, (to, input));
    }

    fn hear(&mut self, node: NodeId, event: Event) {
        match event {
            Event::LanesReady(round, keys) => {
                let committees = self.committees();
                let of_round = |(terms, _): &(Arc<Terms>, _)| terms.round() == round;
                let (terms, people) = committees.into_iter().find(of_round).expect("a leaf");
                terms.check_lanes(&keys).expect("the lane keys hold");
                self.lanes = keys.clone();
                self.dead.extend(&self.die_when_called);
                let lanes = keys.clone();
                let keys: Vec<_> = keys.iter().map(|key| key.body.public).collect();
                if let Some(called) = self.called.take() {
                    called(self, &keys);
                }
                for person in people {
                    if self.uncalled.contains(&person) {
                        continue;
                    }
                    let collecting = Command::Collecting(round, lanes.clone());
                    self.push(person, LATENCY, Input::Command(collecting));
                    if self.silent.contains(&person) {
                        continue;
                    }
                    let command = match self.values[&person] {
                        _ if !self.contributed.insert(person) => continue,
                        None => Command::Decline(Arc::clone(&terms)),
                        Some(value) => {
                            let vector = self.vector_of(person, value);
                            Command::Contribute(Arc::clone(&terms), keys.clone(), vector)
                        }
                    };
                    self.push(person, LATENCY, Input::Command(command));
                }
            }
            Event::Opened(_, evidence) => self.ended = Some(Ok(*evidence)),
            Event::Failed(_, why) => self.ended = Some(Err(why)),
            Event::Persist { round, number, .. } => {
                self.disks.entry((node, round)).or_default().0 = number;
                if !self.hanging.contains(&node) {
                    let persisted = Command::Persisted(round, number);
                    self.push(node, DISK, Input::Command(persisted));
                }
            }
            Event::SetAgreed(round, members) if round != self.terms.round() => {
                let known = self.leaf_sets.entry(round);
                assert_eq!(*known.or_insert_with(|| members.clone()), members);
            }
            Event::SetAgreed(_, members) => {
                let earlier = self.sets.insert(node, members);
                assert!(earlier.is_none(), "a set is agreed on once");
            }
            Event::Misbehaved { node: whom, what } => self.accusations.push((node, whom, what)),
            Event::Unfit(_, why) => self.unfit.push((node, why)),
            Event::Serves(..) => {}
            Event::Accepted(_) => {
                self.accepted.insert(node, self.now);
            }
        }
    }

    /// Fails when anybody but `liars` is accused by an honest node.
    pub fn assert_only_accused(&self, liars: &[NodeId]) {
        let innocent = |(who, whom, _): &&(_, _, _)| !liars.contains(who) && !liars.contains(whom);
        assert_eq!(self.accusations.iter().find(innocent), None);
    }

    /// Fails unless `whom` is accused of this, and nobody else of anything.
    pub fn assert_accused(&self, whom: NodeId, what: Misbehaviour) {
        let accusations = &self.accusations;
        let accusation = |(_, node, why): &(_, _, _)| (*node, *why) == (whom, what);
        assert!(accusations.iter().any(accusation), "{accusations:?}");
        self.assert_only_accused(&[whom]);
    }
}

/// Any keys, where it does not matter to whom a share is sealed.
pub fn some_keys() -> Vec<SealingPublicKey> {
    let rng = &mut Rng::from_number(5);
    (0..4).map(|_| SealingKey::generate(rng).public()).collect()
}

/// What traffic is counted by.
fn kind(message: &Message) -> &'static str {
    match message {
        Message::Bundle(..) => "bundle",
        Message::Forward(..) => "forward",
        Message::Held(..) => "held",
        Message::Holdings(_) => "holdings",
        Message::Support(_) => "support",
        Message::Agreement(..) | Message::Settlement(..) => "agreement",
        Message::Count(_) => "count",
        Message::Sum(_) => "sum",
        Message::LaneKey(_) | Message::LaneSecret(..) => "keys",
        _ => "others",
    }
}

/// Whether this is a word by which its sender is bound, and which must not leave before it is stored.
fn is_vote(message: &Message) -> bool {
    use crate::agreement::Message as Word;
    let (Message::Agreement(_, word) | Message::Settlement(_, word)) = message else {
        return false;
    };
    matches!(
        **word,
        Word::Prevote(_) | Word::Commit(_) | Word::NewView { .. }
    )
}

/// Who certifies the members.
pub fn authority() -> SigningKey {
    SigningKey::generate(&mut Rng::from_number(1))
}

pub fn rng_of(node: NodeId) -> Rng {
    Rng::from_seed(node.0)
}

/// One who matches with this value; zero for one who does not match.
pub fn vector(value: u64) -> Vector {
    Vector::from_u64s(&[u64::from(value > 0), value]).expect("small numbers")
}

pub fn member(
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
