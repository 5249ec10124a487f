//! A whole community of real nodes in the simulator: owners, values, disks, and a reference model of the answer.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use base::{Digest, Duration, Instant, NodeId, Rng, encode};
use community::{
    Column, Community, Descriptor, Identity, Kind, Range, SignedDescriptor, Table, Terms,
    draw_keys, enrol,
};
use crypto::{Certificate, Remembering, Rights, SigningKey};
use node::recording::Start;
use node::{
    Answer, Ask, Budget, CONTACTS_MAX, Command, Event, Failure, Node, PlanError, PublishError,
    Published, Setup,
};
use question::{ConsentRule, LocalRow, LocalValue, Rules};

use crate::disk::{self, Disk};
use crate::{Action, Direction, NetworkModel, START, Simulation, Tap};

/// Of a thousand nodes, how many communities are sized to do without.
pub const OFFLINE_PERMILLE: u32 = 50;
/// How often a host looks whether its node is to start again. Guess.
const HOST: Duration = Duration::from_millis(200);
/// How long a node that has learnt of a later epoch goes on in the old one.
const HAND_ON: Duration = Duration::from_secs(2);
/// How long it takes at most to start again: what it has to say to whom is not there is waited for.
const GAP: Duration = Duration::from_secs(4);
/// How much later some nodes end, on busy machines. Guess.
const LATE: Duration = Duration::from_secs(6);
/// How long a vault takes to answer. Guess.
const VAULT: Duration = Duration::from_millis(5);

/// What a simulated community is like.
#[derive(Debug, Clone)]
pub struct Settings {
    /// People with a node and a value each; one more node asks.
    pub people: usize,
    /// Assumed colluders (C).
    pub colluders: u64,
    /// Smallest crowd.
    pub min_crowd: u64,
    /// Added to it.
    pub padding_allowance: u64,
    /// The weather.
    pub network: NetworkModel,
    /// How many nodes each knows around it, on average; in a small community each knows all.
    pub cache_size: u32,
    /// Whether to keep what all nodes hear, not the asker alone.
    pub listen: bool,
    /// The tables that questions can be about.
    pub vocabulary: Vec<Table>,
}

impl Settings {
    /// So many people, three assumed colluders, a crowd of five, the network of the design's predictions.
    pub fn of(people: usize) -> Self {
        Self {
            people,
            colluders: 3,
            min_crowd: 4,
            padding_allowance: 1,
            network: NetworkModel::INTERNET,
            cache_size: 512,
            listen: false,
            vocabulary: vocabulary(),
        }
    }
}

/// One simulated community.
pub struct World {
    /// Its nodes.
    pub simulation: Simulation<Tap<Node>>,
    /// What all of them know at first.
    pub community: Arc<Community>,
    /// The key that signs its descriptors.
    pub authority: SigningKey,
    /// The node that asks.
    pub asker: NodeId,
    /// Everybody else.
    pub people: Vec<NodeId>,
    seats: BTreeMap<NodeId, Person>,
    listen: bool,
    /// Nodes that have learnt of a later epoch.
    starting: BTreeMap<NodeId, Starting>,
}

/// A node that is to start again, in a later epoch.
#[derive(Debug)]
struct Starting {
    community: Arc<Community>,
    ends_at: Instant,
    starts_at: Instant,
}

/// One owner with the disk of the node.
#[derive(Debug)]
struct Person {
    identity: Arc<Identity>,
    /// In the epoch in which the node starts.
    community: Arc<Community>,
    address: SocketAddr,
    value: LocalRow,
    consent: Rules,
    budget: Option<Budget>,
    answers: Option<bool>,
    /// How long the owner takes to say it.
    ponders: Duration,
    /// Questions that were put to the owner and are not called off.
    inbox: BTreeSet<Digest>,
    disk: Disk,
    /// Whom it was told of: somebody who came earlier; later those whom it had met.
    told: BTreeSet<NodeId>,
    rng: Rng,
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The answers, of which there is at most one to a question.
    pub answers: Vec<Answer>,
    /// Why there was none.
    pub failures: Vec<Failure>,
    /// Why a question was not even announced.
    pub unasked: Vec<PlanError>,
    /// When each question ended.
    pub ended_at: Vec<Instant>,
    /// By round, then by replica: whose contributions it adds up.
    pub sets: BTreeMap<Digest, BTreeMap<NodeId, BTreeSet<NodeId>>>,
    /// Accusations: accuser, accused, what.
    pub accusations: Vec<(NodeId, NodeId, String)>,
    /// Answers that were published: who was told, and what.
    pub published: Vec<(NodeId, Published)>,
    /// Why one was not.
    pub unpublished: Vec<PublishError>,
    /// Stages that the asker's question reached.
    pub stages: Vec<(Instant, node::Stage)>,
    /// Who was told that there are two descriptors of which epoch.
    pub contradicted: Vec<(NodeId, u64)>,
}

/// The table that simulated people have: a number of one decimal.
pub fn vocabulary() -> Vec<Table> {
    vec![Table {
        name: "sleep".into(),
        columns: vec![Column {
            name: "hours".into(),
            kind: Kind::Number(Range {
                decimals: 1,
                min: 0,
                max: 240,
            }),
        }],
    }]
}

impl World {
    /// A community of `settings`, all running, in which nobody knows more than one other node. Values are drawn from the
    /// seed: most people match.
    pub fn new(seed: u64, settings: &Settings) -> Self {
        let mut simulation = Simulation::new(seed, settings.network.clone());
        let mut rng = simulation.fork("people");
        let authority = SigningKey::generate(&mut rng);
        let nodes = settings.people as u64 + 1;
        let descriptor = Descriptor {
            colluders: settings.colluders,
            offline_permille: OFFLINE_PERMILLE,
            min_crowd: settings.min_crowd,
            padding_allowance: settings.padding_allowance,
            vocabulary: settings.vocabulary.clone(),
            cache_size: settings.cache_size,
            ..Descriptor::founding("simulated", authority.node(), nodes)
        };
        let signed = SignedDescriptor::sign(&descriptor, &authority)
            .expect("the settings are those of a possible community");
        let community = Arc::new(Community::open(signed).expect("it was just signed"));
        let mut seats = BTreeMap::new();
        let mut people = Vec::new();
        for place in 0..nodes {
            let is_asker = place == 0;
            let mut person = Person::new(&authority, &community, is_asker, &mut rng);
            person.address = address(place);
            if place > 0 {
                person.told.extend(people.get(rng.below(place) as usize));
            }
            people.push(person.identity.node());
            seats.insert(person.identity.node(), person);
        }
        let asker = people.remove(0);
        let mut world = Self {
            simulation,
            community,
            authority,
            asker,
            people,
            seats,
            listen: settings.listen,
            starting: BTreeMap::new(),
        };
        let all: Vec<_> = world.seats.keys().copied().collect();
        for node in all {
            let protocol = world.process(node, START);
            world.simulation.add(node, protocol);
            world.join(node);
        }
        world
    }

    /// What the data of this person say, to whatever question. Set it before the question.
    pub fn set_value(&mut self, person: NodeId, value: LocalRow) {
        self.person(person).value = value;
    }

    /// What this owner answers to questions: the standing rule, and what is said when asked (`None`: nothing).
    pub fn set_consent(&mut self, person: NodeId, rule: ConsentRule, when_asked: Option<bool>) {
        self.person(person).answers = when_asked;
        self.set_rules(person, rule.into());
    }

    /// The standing words of this owner from now on.
    pub fn set_rules(&mut self, person: NodeId, rules: Rules) {
        self.person(person).consent = rules.clone();
        self.simulation.command(person, Command::SetConsent(rules));
    }

    /// How long this owner takes to answer when asked.
    pub fn set_pondering(&mut self, person: NodeId, time: Duration) {
        self.person(person).ponders = time;
    }

    /// How many questions this owner's data may go into.
    pub fn set_budget(&mut self, person: NodeId, budget: Budget) {
        self.person(person).budget = Some(budget);
        self.simulation
            .command(person, Command::SetBudget(Some(budget)));
    }

    /// The questions that were put to this owner, as long as they are not called off.
    pub fn inbox(&self, person: NodeId) -> &BTreeSet<Digest> {
        &self.seats[&person].inbox
    }

    /// The keys of this node.
    pub fn identity(&self, node: NodeId) -> &Arc<Identity> {
        &self.seats[&node].identity
    }

    /// The questions about which owners may still decide, as this node knows them.
    pub fn open_questions(&self, node: NodeId) -> Vec<Digest> {
        let now = self.simulation.local_time(node);
        let process = self.simulation.node(&node);
        process.inner().open_questions(now)
    }

    /// For a while what one node sends to another is lost, and nobody hears that it was: as in a connection to a process that
    /// was killed. From now on the network is the internet that notices no loss.
    pub fn swallow(&mut self, from: NodeId, to: NodeId, lasting: Duration) {
        let network = NetworkModel {
            noticed: 0,
            ..NetworkModel::INTERNET
        };
        let now = self.simulation.now();
        self.simulation.at(now, Action::Network(network));
        let lost = Action::Partition {
            a: BTreeSet::from([from]),
            b: BTreeSet::from([to]),
            direction: Direction::OneWay,
            lasting,
        };
        self.simulation.at(now, lost);
    }

    /// Lets this node die; it keeps what it was told to be on its disk.
    pub fn crash(&mut self, node: NodeId) {
        self.keep_contacts(node);
        self.simulation.crash(node);
        let now = self.simulation.now();
        self.person(node).disk.crash(now);
    }

    /// Hosts keep whom their nodes have met.
    fn keep_contacts(&mut self, node: NodeId) {
        if self.simulation.is_up(&node) {
            let process = self.simulation.node(&node);
            let known = process.inner().overlay().cache().iter();
            let met = known
                .map(|contact| contact.node())
                .filter(|met| *met != node);
            let met: BTreeSet<_> = met.take(CONTACTS_MAX).collect();
            self.person(node).told.extend(met);
        }
    }

    /// How many entries the journal of this node has.
    pub fn journal_len(&self, node: NodeId) -> usize {
        self.seats[&node].disk.entries().len()
    }

    /// Starts the node of this person again from what is on its disk.
    pub fn restart(&mut self, node: NodeId) {
        self.crash(node);
        let now = self.simulation.local_time(node);
        let process = self.process(node, now);
        self.simulation.restart(node, process);
        self.join(node);
    }

    /// Starts the node of this person again, and keeps what it is told: how it starts, then one piece for each input.
    pub fn record(&mut self, node: NodeId) -> Arc<Mutex<Vec<Vec<u8>>>> {
        let at = self.simulation.local_time(node);
        let person = self.person(node);
        let community = Arc::clone(&person.community);
        let journal = person.disk.entries();
        let start = Start {
            node,
            at,
            seed: person.rng.bytes32(),
            descriptor: community.signed().clone(),
            addresses: vec![person.address],
            consent: person.consent.clone(),
            budget: person.budget,
            journal: journal
                .map(|(key, value)| (key.into(), value.into()))
                .collect(),
        };
        let pieces = Arc::new(Mutex::new(vec![encode(&start)]));
        let setup = start.setup(Arc::clone(&person.identity), community);
        let mut process = Node::new(at, setup).expect("this community can draw");
        let sink = Arc::clone(&pieces);
        process.record(Box::new(move |piece| {
            sink.lock().expect("nobody fails with it").push(piece);
        }));
        self.simulation.restart(node, tapped(process, self.listen));
        self.join(node);
        pieces
    }

    /// Lets everybody meet: at most two minutes.
    pub fn meet(&mut self) -> Outcome {
        let limit = self.simulation.now() + Duration::from_secs(120);
        let mut outcome = Outcome::default();
        while self.simulation.now() < limit && !self.have_met() {
            let until = self.simulation.now() + Duration::from_millis(500);
            outcome.merge(self.run(until));
        }
        outcome
    }

    /// Whether every running node is a member and knows every node of its region.
    pub fn have_met(&self) -> bool {
        let all = self
            .seats
            .values()
            .map(|person| &person.identity.certificate);
        let places: Vec<_> = all.map(Certificate::location).collect();
        self.simulation.running().all(|(_, node)| {
            let overlay = node.inner().overlay();
            let region = overlay.view().region();
            let near = places.iter().filter(|place| region.contains(**place));
            overlay.standing().is_some() && overlay.cache().len() == near.count()
        })
    }

    /// Puts a question and runs until it has ended, at most two minutes after the last contribution is taken.
    pub fn ask(&mut self, sql: &str, collect_for: Duration) -> Outcome {
        self.put(sql, collect_for);
        let limit = self.simulation.now() + collect_for + Duration::from_secs(120);
        let mut outcome = Outcome::default();
        while self.simulation.now() < limit
            && outcome.answers.is_empty()
            && outcome.failures.is_empty()
        {
            let until = self.simulation.now() + Duration::from_millis(250);
            outcome.merge(self.run(until));
        }
        // Late replicas may still learn the set.
        let until = self.simulation.now() + Duration::from_secs(5);
        outcome.merge(self.run(until));
        outcome
    }

    /// Puts a question at once.
    pub fn put(&mut self, sql: &str, collect_for: Duration) {
        self.put_for(Duration::ZERO, sql, collect_for);
    }

    /// Puts a question about which owners have so long to decide.
    pub fn put_for(&mut self, consent_for: Duration, sql: &str, collect_for: Duration) {
        let ask = Ask {
            sql: sql.into(),
            purpose: "a simulated purpose".into(),
            consent_for,
            collect_for,
        };
        self.simulation.command(self.asker, Command::Ask(ask));
    }

    /// Runs with owners, vaults and disks at work. A node that has learnt of a later epoch starts again in it.
    pub fn run(&mut self, until: Instant) -> Outcome {
        let mut outcome = Outcome::default();
        loop {
            let soon = self.simulation.now() + HOST;
            outcome.merge(self.run_for_a_while(until.min(soon)));
            if self.simulation.now() >= until {
                return outcome;
            }
        }
    }

    fn run_for_a_while(&mut self, until: Instant) -> Outcome {
        let _remembering = Remembering::begin();
        let mut outcome = Outcome::default();
        let mut later = BTreeMap::new();
        let seats = &mut self.seats;
        self.simulation.run_with(until, &mut |at, node, event| {
            let person = seats.get_mut(&node).expect("every node has an owner");
            outcome.note(at, node, &event);
            if let Event::Amended(signed) = &event {
                later.insert(node, (**signed).clone());
            }
            person.respond(at, event)
        });
        let now = self.simulation.now();
        for (node, signed) in later {
            let community = Community::open(signed).expect("nodes check what they take");
            let rng = &mut self.person(node).rng;
            let mut up_to =
                |most: Duration| Duration::from_micros(rng.below(most.as_micros() as u64));
            let ends_at = now + HAND_ON + up_to(LATE);
            let starting = Starting {
                community: Arc::new(community),
                ends_at,
                starts_at: ends_at + up_to(GAP),
            };
            self.starting.insert(node, starting);
        }
        let ends = |(_, starting): &(&NodeId, &Starting)| now >= starting.ends_at;
        let ending: Vec<_> = self
            .starting
            .iter()
            .filter(ends)
            .map(|(node, _)| *node)
            .collect();
        for node in ending {
            if self.simulation.is_up(&node) {
                self.person(node).disk.flush();
                self.crash(node);
            }
        }
        let starts = self
            .starting
            .extract_if(.., |_, starting| now >= starting.starts_at);
        for (node, starting) in starts.collect::<Vec<_>>() {
            self.person(node).community = starting.community;
            self.restart(node);
        }
        outcome
    }

    /// This person's node starts again in an epoch that somebody has brought.
    pub fn install(&mut self, node: NodeId, community: Community) {
        let now = self.simulation.now();
        let person = self.person(node);
        for epoch in [&*person.community, &community] {
            let (key, value) = node::entry_of_epoch(epoch.signed());
            person.disk.write(now, key, Some(value));
        }
        person.disk.flush();
        person.community = Arc::new(community);
        self.restart(node);
    }

    /// The community as this node knows it.
    pub fn community_of(&self, node: NodeId) -> Arc<Community> {
        Arc::clone(&self.seats[&node].community)
    }

    /// The epoch in which this node started.
    pub fn epoch(&self, node: NodeId) -> u64 {
        self.seats[&node].community.descriptor().epoch
    }

    /// The reference model: what the values of these people add up to, in units of a tenth: `(how many match, sum)`.
    pub fn reference(&self, people: &BTreeSet<NodeId>) -> (u64, i128) {
        let values = people
            .iter()
            .filter_map(|node| match &self.seats[node].value {
                LocalRow::One(values) => match values.as_slice() {
                    [LocalValue::Number(value)] if (0..=240).contains(value) => {
                        Some(i128::from(*value))
                    }
                    _ => None,
                },
                _ => None,
            });
        values.fold((0, 0), |(count, sum), value| (count + 1, sum + value))
    }

    fn person(&mut self, node: NodeId) -> &mut Person {
        self.seats.get_mut(&node).expect("every node has an owner")
    }

    fn process(&mut self, node: NodeId, now: Instant) -> Tap<Node> {
        let keep = self.listen || node == self.asker;
        let person = self.person(node);
        let setup = Setup {
            identity: Arc::clone(&person.identity),
            community: Arc::clone(&person.community),
            addresses: vec![person.address],
            consent: person.consent.clone(),
            budget: person.budget,
            journal: person.disk.entries().collect(),
            rng: person.rng.fork("process"),
        };
        let node = Node::new(now, setup).expect("this community can draw");
        tapped(node, keep)
    }

    fn join(&mut self, node: NodeId) {
        let told = self.seats[&node].told.iter();
        let told = told.map(|node| (*node, self.seats[node].address)).collect();
        self.simulation.command(node, Command::Join(told));
    }
}

impl Person {
    fn new(
        authority: &SigningKey,
        community: &Arc<Community>,
        may_ask: bool,
        rng: &mut Rng,
    ) -> Self {
        let descriptor = community.descriptor();
        let (key, vrf, request) = draw_keys(&descriptor.community, rng);
        let terms = Terms {
            rights: Rights { ask: may_ask },
            valid_from: Instant::from_secs(START.as_secs() - 86_400),
            valid_until: Instant::from_secs(START.as_secs() + 86_400 * 365),
        };
        let certificate = enrol(authority, descriptor, &request, terms, rng)
            .expect("the request proves possession of its key");
        let value = match rng.below(10) {
            0 => LocalRow::NoRow,
            1 => LocalRow::missing(),
            _ => LocalRow::number(rng.below(241) as i64),
        };
        Self {
            identity: Arc::new(Identity {
                key,
                vrf,
                certificate,
            }),
            community: Arc::clone(community),
            address: address(0),
            value,
            consent: ConsentRule::Yes.into(),
            budget: None,
            answers: None,
            ponders: Duration::from_secs(1),
            inbox: BTreeSet::new(),
            disk: Disk::default(),
            told: BTreeSet::new(),
            rng: rng.fork("node"),
        }
    }

    fn respond(&mut self, at: Instant, event: Event) -> Vec<(Duration, Command)> {
        match event {
            Event::Measure { question, .. } => {
                let row = self.value.clone();
                vec![(VAULT, Command::Measured { question, row })]
            }
            Event::Store { number, key, value } => {
                self.disk.write(at, key, Some(value));
                vec![(disk::DELAY, Command::Stored(number))]
            }
            Event::Forget { key } => {
                self.disk.write(at, key, None);
                Vec::new()
            }
            Event::AskOwner(asked) => {
                let question = asked.question;
                self.inbox.insert(question);
                let answer = |yes| (self.ponders, Command::Consent { question, yes });
                self.answers.map(answer).into_iter().collect()
            }
            Event::CalledOff(question) => {
                self.inbox.remove(&question);
                Vec::new()
            }
            _ => Vec::new(),
        }
    }
}

fn tapped(node: Node, keep: bool) -> Tap<Node> {
    Tap::new(node, |node, to| !node.addresses(to).is_empty(), keep)
}

/// Where the node that joined in this place is found.
fn address(place: u64) -> SocketAddr {
    let [.., high, low] = place.to_be_bytes();
    ([10, 0, high, low], 4000).into()
}

impl Outcome {
    fn note(&mut self, at: Instant, node: NodeId, event: &Event) {
        if let Event::Answered(_) | Event::Ended(..) = event {
            self.ended_at.push(at);
        }
        match event {
            Event::Answered(answer) => self.answers.push((**answer).clone()),
            Event::Ended(_, why) => self.failures.push(why.clone()),
            Event::NotAsked(why) => self.unasked.push(why.clone()),
            Event::SetAgreed(round, members) => {
                let sets = self.sets.entry(*round).or_default();
                sets.insert(node, members.clone());
            }
            Event::Misbehaved {
                node: accused,
                what,
            } => {
                self.accusations.push((node, *accused, what.clone()));
            }
            Event::Published(published) => self.published.push((node, (**published).clone())),
            Event::NotPublished(_, why) => self.unpublished.push(why.clone()),
            Event::Stage(_, stage) => self.stages.push((at, stage.clone())),
            Event::Contradicted(both) => {
                let opened = both[1].open().expect("nodes check what they keep");
                self.contradicted.push((node, opened.epoch));
            }
            _ => {}
        }
    }

    /// Adds what happened later.
    pub fn merge(&mut self, later: Self) {
        self.answers.extend(later.answers);
        self.failures.extend(later.failures);
        self.unasked.extend(later.unasked);
        self.published.extend(later.published);
        self.unpublished.extend(later.unpublished);
        self.ended_at.extend(later.ended_at);
        for (round, sets) in later.sets {
            self.sets.entry(round).or_default().extend(sets);
        }
        self.accusations.extend(later.accusations);
        self.stages.extend(later.stages);
        self.contradicted.extend(later.contradicted);
    }
}
