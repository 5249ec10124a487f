//! One computation from the first seat's being taken to the answer, watched all the way.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use aggregation::committee::{Command, Committee, Failure, Terms, Totals};
use base::{Digest, Duration, NodeId, Rng};
use crypto::{Operations, Remembering};

use super::choice::Choice;
use super::ledger::{Ledger, Overheard};
use super::liar::Liar;
use super::player::{Player, State};
use super::setting::{Cast, Setting, field, shuffle};
use super::trouble::{Death, Faults};
use super::watch::Watch;
use crate::Simulation;

/// How much later than that by which everybody gives up the last message may be: clocks differ.
const LATE: Duration = Duration::from_secs(5);

/// How a computation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// Exactly what the signed set adds up to.
    Exact(Totals),
    /// No totals, and why.
    NoAnswer(Failure),
    /// The asker never heard the end of it.
    Nothing,
}

/// What came of one computation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// What went wrong in it.
    pub faults: Faults,
    /// Who lied, if anybody did.
    pub liar: Option<Liar>,
    /// How it ended.
    pub ended: Ended,
    /// What must never happen and did; empty.
    pub broken: Vec<String>,
    /// From the first message to the answer.
    pub took: Duration,
    /// From the first contribution to the answer.
    pub since_contributed: Duration,
    /// The most bytes that one node sent, and that one received; and the most asymmetric work that one did.
    pub busiest: Busiest,
    /// Nodes that died in the middle of what they said.
    pub fallen: usize,
    /// People in the signed set.
    pub included: u64,
    /// Messages.
    pub messages: u64,
    /// Bytes.
    pub bytes: u64,
    /// Liars whom an honest node could name.
    pub named: usize,
}

/// What fell to those nodes to which most fell.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Busiest {
    /// Bytes that one node sent.
    pub sent: u64,
    /// Bytes that one node received.
    pub received: u64,
    /// Signatures, seals and openings, by the node that made and checked most.
    pub work: Operations,
}

impl Busiest {
    /// The more of each.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            sent: self.sent.max(other.sent),
            received: self.received.max(other.received),
            work: if other.work.total() > self.work.total() {
                other.work
            } else {
                self.work
            },
        }
    }
}

/// From which the nodes of one run are made.
pub(super) struct Stage<'a> {
    pub(super) setting: &'a Setting,
    /// Leaves first, the one that opens the totals last; with the people of each.
    pub(super) committees: Vec<(Arc<Terms>, BTreeSet<NodeId>)>,
    pub(super) faults: Faults,
    pub(super) cast: Cast,
    friends: Rc<BTreeSet<NodeId>>,
    deaths: BTreeMap<NodeId, Death>,
    pub(super) ledger: Rc<RefCell<Ledger>>,
}

impl Setting {
    /// Runs it once; everything that chance decides follows from `seed`.
    pub fn run(&self, seed: u64) -> Run {
        self.play(seed, false).0
    }

    /// As [`run`](Self::run), with everything that anybody says to another, in order.
    pub fn overhear(&self, seed: u64) -> (Run, Vec<Overheard>) {
        self.play(seed, true)
    }

    fn play(&self, seed: u64, listens: bool) -> (Run, Vec<Overheard>) {
        let _remembering = Remembering::begin();
        let mut rng = Rng::from_number(seed);
        let stage = Stage::new(self, seed, listens, &mut rng);
        let mut simulation = Simulation::new(seed, stage.faults.network());
        for place in &self.people {
            let node = self.crowd.identity(*place).node();
            simulation.add(node, stage.player(*place, rng.fork("node")));
        }
        stage
            .faults
            .script(&mut simulation, &self.seats(), &stage.deaths, &mut rng);
        let terms = Arc::clone(stage.root());
        simulation.command(terms.querier, Command::Ask(Arc::clone(&terms)));
        for (terms, people) in &stage.committees {
            for seat in &terms.seats {
                let serve = Command::Serve(Arc::clone(terms), people.clone().into());
                simulation.command(*seat, serve);
            }
        }
        let ledger = Rc::clone(&stage.ledger);
        let vectors = self.vectors(seed, &stage.cast);
        let mut watch = Watch::new(stage, vectors, rng);
        let limit = terms.ends_at() + LATE;
        while !watch.has_ended() && simulation.now() < limit && simulation.step() {
            watch.look(&mut simulation);
        }
        let ended = simulation.now();
        // Those who are late must come to the same set.
        let late = simulation.now() + Duration::from_secs(3);
        while simulation.now() < late && simulation.step() {
            watch.look(&mut simulation);
        }
        let total = simulation.total();
        let mut ledger = ledger.borrow_mut();
        let busiest = self
            .people
            .iter()
            .fold(Busiest::default(), |busiest, place| {
                let node = self.crowd.identity(*place).node();
                let counters = simulation.counters(node);
                busiest.or(Busiest {
                    sent: counters.sent_bytes,
                    received: counters.received_bytes,
                    work: ledger.work.get(&node).copied().unwrap_or_default(),
                })
            });
        let overheard = ledger.overheard.take();
        drop(ledger);
        let run = watch.conclude(ended, total, busiest);
        (run, overheard.unwrap_or_default())
    }
}

impl<'a> Stage<'a> {
    fn new(setting: &'a Setting, seed: u64, listens: bool, rng: &mut Rng) -> Self {
        let mut choice = Rng::from_number(seed).fork("choice");
        let faults = match setting.faults {
            Choice::This(faults) => faults,
            Choice::Any => Faults::draw(&mut choice),
        };
        let lies = setting.liars.map(|(liar, count)| match liar {
            Choice::This(liar) => (liar, count),
            Choice::Any => (setting.any_liar(&mut choice), count),
        });
        let mut stage = Self {
            setting,
            committees: setting
                .committees
                .iter()
                .map(|one| {
                    let people = one.people.iter().copied().collect();
                    (Arc::new(one.terms.clone()), people)
                })
                .collect(),
            faults,
            cast: Cast::new(setting, lies, rng),
            friends: Rc::default(),
            deaths: BTreeMap::new(),
            ledger: Rc::default(),
        };
        stage.friends = Rc::new(stage.cast.liars.clone());
        stage.deaths = faults.deaths(&setting.seats(), &setting.seatless(), rng);
        stage.ledger.borrow_mut().overheard = listens.then(Vec::new);
        stage
    }

    /// The committee of this round, with its people.
    pub(super) fn committee(&self, round: Digest) -> Option<&(Arc<Terms>, BTreeSet<NodeId>)> {
        let mut committees = self.committees.iter();
        committees.find(|(terms, _)| terms.round() == round)
    }

    /// What all parties know of the committee that opens the totals.
    pub(super) fn root(&self) -> &Arc<Terms> {
        let root = self.committees.last();
        &root.expect("a computation has a committee").0
    }

    /// The committee in which this node has a seat, if it has one; the first if it has several.
    fn seated(&self, node: NodeId) -> Option<&Arc<Terms>> {
        let mut committees = self.committees.iter().map(|(terms, _)| terms);
        committees.find(|terms| terms.seat(node).is_some())
    }

    /// The program of one node.
    pub(super) fn player(&self, place: usize, mut rng: Rng) -> Player {
        let identity = self.setting.crowd.identity(place);
        let node = identity.node();
        let lies = self.cast.liar.filter(|_| self.cast.liars.contains(&node));
        let faces = if matches!(lies, Some(Liar::TwoSets | Liar::TwoBundles)) {
            2
        } else {
            1
        };
        let face = |_| {
            let community = Arc::clone(self.setting.crowd.rules().community());
            Committee::new(Arc::clone(identity), community, rng.fork("face"))
        };
        let [_, other] = self.setting.two_vectors();
        Player {
            faces: (0..faces).map(face).collect(),
            key: identity.key.clone(),
            identity: Arc::clone(identity),
            terms: Arc::clone(self.seated(node).unwrap_or(self.root())),
            root: Arc::clone(self.root()),
            lies,
            friends: Rc::clone(&self.friends),
            victim: self.cast.victim,
            other: (lies == Some(Liar::TwoBundles)).then(|| field(&other)),
            death: self.deaths.get(&node).copied(),
            duplicates: self.faults.duplicate,
            rng,
            ledger: Rc::clone(&self.ledger),
            state: State::default(),
        }
    }
}

impl Cast {
    fn new(setting: &Setting, lies: Option<(Liar, usize)>, rng: &mut Rng) -> Self {
        let (seats, seatless) = (setting.seats(), setting.seatless());
        let leader = seats[0];
        let mut able = seats;
        shuffle(&mut able, rng);
        let Some((liar, count)) = lies else {
            return Self {
                liar: None,
                liars: BTreeSet::new(),
                victim: None,
            };
        };
        if liar.contributes() {
            // In a small community everybody has a seat.
            let mut first = seatless.clone();
            shuffle(&mut first, rng);
            able.splice(0..0, first);
        }
        if liar.leads() {
            // One of them leads the first view.
            let first = able.iter().position(|seat| *seat == leader);
            able.swap(0, first.unwrap_or(0));
        }
        let honest = able.split_off(count.min(able.len()));
        let victims = seatless.iter().chain(&honest);
        Self {
            liar: Some(liar),
            victim: victims.copied().find(|node| !able.contains(node)),
            liars: able.into_iter().collect(),
        }
    }
}

/// Names a run in a few bytes: two runs with one fingerprint ended the same way.
impl Run {
    /// Of everything that it says.
    pub fn fingerprint(&self) -> Digest {
        Digest::of("run", &[format!("{self:?}").as_bytes()])
    }
}
