//! A committee in memory, without latency, some of whose replicas are watched.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration as Span;

use aggregation::committee::{
    Command, Committee, Event, Evidence, LaneKey, Message, Place, Signed, Terms, Timer,
};
use aggregation::sizes::Sizes;
use aggregation::validity::Statistic;
use base::{
    Digest, Duration, Input, Instant, NodeId, Outbox, Output, Protocol as _, Rng, decode, encode,
};
use crypto::{SealingPublicKey, Vector};
use overlay::Form;
use sim::START;
use sim::drawing::{Crowd, Size};

use crate::timing::cpu_time;

/// Buckets of the histogram to which all contribute.
pub const BUCKETS: usize = 100;
/// Seats that the agreement bears to lie.
const LIARS: u64 = 3;

/// Terms of a histogram with proofs for these seats.
pub fn terms(round: u64, seats: Vec<NodeId>, sizes: Sizes, querier: NodeId) -> Terms {
    let statistic = Statistic::Histogram {
        buckets: BUCKETS as u32,
    };
    Terms {
        question: Digest::of("bench question", &[&round.to_be_bytes()]),
        list: Digest::of("bench list", &[]),
        seats,
        sizes,
        liars: LIARS,
        outvotes: true,
        vector_len: 1 + BUCKETS,
        cells: 1,
        proof: Some(statistic.into()),
        threshold: 5,
        querier,
        closes_at: START + Duration::from_secs(10),
        place: Place::default(),
    }
}

/// What somebody in a bucket contributes.
pub fn vector(bucket: usize) -> Vector {
    let mut numbers = vec![0; 1 + BUCKETS];
    (numbers[0], numbers[1 + bucket % BUCKETS]) = (1, 1);
    Vector::from_u64s(&numbers).expect("small numbers")
}

/// To what a contributor seals.
pub fn publics(lanes: &[Signed<LaneKey>]) -> Vec<SealingPublicKey> {
    lanes.iter().map(|signed| signed.body.public).collect()
}

/// Everybody: who asks, who has a seat, then who contributes.
pub struct People {
    crowd: Crowd,
    sizes: Sizes,
}

impl People {
    /// So many contributors.
    pub fn new(sizes: Sizes, contributors: usize) -> Self {
        let everybody = (1 + sizes.seats() + contributors) as u64;
        let size = Size::new(everybody, LIARS, 1e-6);
        Self {
            crowd: Crowd::of(1, &size, Form::Sound).expect("there is such a community"),
            sizes,
        }
    }

    /// The terms of the committee of these people.
    pub fn terms(&self, round: u64) -> Terms {
        let seats = (1..=self.sizes.seats()).map(|place| self.node(place));
        terms(round, seats.collect(), self.sizes, self.node(0))
    }

    fn node(&self, place: usize) -> NodeId {
        self.crowd.contact(place).node()
    }

    /// The engine at the node of this place.
    fn committee(&self, place: usize, seed: u64) -> Committee {
        let identity = Arc::clone(self.crowd.identity(place));
        let rng = Rng::from_number(seed).fork(&place.to_string());
        Committee::new(identity, Arc::clone(self.crowd.rules().community()), rng)
    }

    /// The places of those who contribute.
    pub fn contributors(&self) -> std::ops::Range<usize> {
        1 + self.sizes.seats()..self.crowd.len()
    }

    /// The community that all belong to.
    pub fn community(&self) -> &community::Community {
        self.crowd.rules().community()
    }

    /// A contributor's whole part, from checking the keys of the lanes to what is sent: how long it took, and that.
    pub fn contribute(
        &self,
        place: usize,
        terms: &Arc<Terms>,
        lanes: &[Signed<LaneKey>],
    ) -> (Span, Message) {
        let mut author = self.committee(place, 2);
        let (vector, mut out) = (vector(place), Outbox::new());
        let (spent, ()) = cpu_time(|| {
            terms.check_lanes(lanes).expect("seats signed them");
            let contribute = Command::Contribute(Arc::clone(terms), publics(lanes), vector);
            author.handle(START, Input::Command(contribute), &mut out);
        });
        let sent = out.drain().find_map(|output| match output {
            Output::Send { message, .. } => Some(message),
            _ => None,
        });
        (spent, sent.expect("the vector is one that can be proved"))
    }
}

/// What a watched replica computed for.
#[derive(Debug, Default, Clone, Copy)]
pub struct Spent {
    /// Reading what follows from bytes.
    pub reading: Span,
    /// Taking contributions from who passes them on.
    pub taking: Span,
    /// Proofs: from the last seed to the proposal of who remains.
    pub proving: Span,
}

/// One computation.
pub struct Computation<'a> {
    people: &'a People,
    terms: Arc<Terms>,
    now: Instant,
    nodes: BTreeMap<NodeId, Committee>,
    queue: VecDeque<(NodeId, Input<Committee>)>,
    /// Seeds wait until nothing else is to be done, so that the last one lets everything begin.
    seeds: VecDeque<(NodeId, Input<Committee>)>,
    timers: BTreeMap<(Instant, u64), (NodeId, Timer)>,
    /// Timers so far.
    woken: u64,
    watched: BTreeMap<NodeId, Spent>,
    lanes: Option<Vec<Signed<LaneKey>>>,
    evidence: Option<Evidence>,
}

impl<'a> Computation<'a> {
    /// Takes the seats, makes the lanes' keys, has everybody's bundle handed to the seat `passing`, and goes on to the
    /// totals. What the seats `watched` spent, in their order, and the outcome.
    pub fn run(
        people: &'a People,
        round: u64,
        passing: usize,
        watched: &[usize],
    ) -> (Vec<Spent>, Arc<Terms>, Evidence) {
        let terms = Arc::new(people.terms(round));
        let everybody = 0..=terms.seats.len();
        let nodes = everybody.map(|place| (people.node(place), people.committee(place, round)));
        let seat = |seat: &usize| terms.seats[*seat];
        let mut computation = Self {
            people,
            now: START,
            nodes: nodes.collect(),
            queue: VecDeque::new(),
            seeds: VecDeque::new(),
            timers: BTreeMap::new(),
            woken: 0,
            watched: watched
                .iter()
                .map(|w| (seat(w), Spent::default()))
                .collect(),
            lanes: None,
            evidence: None,
            terms: Arc::clone(&terms),
        };
        computation.collect(passing);
        let evidence = computation.until(|this| this.evidence.take());
        let spent = watched.iter().map(|w| computation.watched[&seat(w)]);
        (spent.collect(), terms, evidence)
    }

    fn collect(&mut self, passing: usize) {
        let terms = Arc::clone(&self.terms);
        let contributors = self.people.contributors();
        let members: BTreeSet<_> = contributors.clone().map(|p| self.people.node(p)).collect();
        let ask = Command::Ask(Arc::clone(&terms));
        self.give(terms.querier, Input::Command(ask));
        for seat in &terms.seats {
            let serve = Command::Serve(Arc::clone(&terms), members.clone().into());
            self.give(*seat, Input::Command(serve));
        }
        let lanes = self.until(|this| this.lanes.take());
        for seat in &terms.seats {
            let collecting = Command::Collecting(terms.round(), lanes.clone());
            self.give(*seat, Input::Command(collecting));
        }
        for place in contributors {
            let (_, message) = self.people.contribute(place, &terms, &lanes);
            let from = self.people.node(place);
            self.give(terms.seats[passing], Input::Message { from, message });
        }
    }

    fn give(&mut self, to: NodeId, input: Input<Committee>) {
        self.queue.push_back((to, input));
    }

    fn until<T>(&mut self, found: impl Fn(&mut Self) -> Option<T>) -> T {
        loop {
            if let Some(found) = found(self) {
                return found;
            }
            let next = self.queue.pop_front().or_else(|| self.seeds.pop_front());
            if let Some((to, input)) = next {
                self.handle(to, input);
            } else {
                let next = self.timers.pop_first();
                let ((at, _), (node, timer)) = next.expect("a computation goes on");
                self.now = self.now.max(at);
                self.handle(node, Input::Timer(timer));
            }
        }
    }

    fn handle(&mut self, node: NodeId, input: Input<Committee>) {
        let mut out = Outbox::new();
        // Somebody whose message arrives after all is done, or one who only contributes.
        let Some(committee) = self.nodes.get_mut(&node) else {
            return;
        };
        match (self.watched.get_mut(&node), input) {
            (Some(spent), Input::Message { from, message }) => {
                let bytes = encode(&message);
                let counted = match message {
                    Message::Forward(..) => Some(&mut spent.taking),
                    Message::Seed(..) | Message::Checked(..) | Message::Verifiers(..) => {
                        Some(&mut spent.proving)
                    }
                    _ => None,
                };
                let (read, message) =
                    cpu_time(|| decode(&bytes, bytes.len()).expect("just written"));
                let input = Input::Message { from, message };
                let (handled, ()) = cpu_time(|| committee.handle(self.now, input, &mut out));
                if let Some(counted) = counted {
                    *counted += handled;
                    spent.reading += read;
                }
            }
            (_, input) => committee.handle(self.now, input, &mut out),
        }
        for output in out.drain() {
            self.carry(node, output);
        }
    }

    fn carry(&mut self, node: NodeId, output: Output<Committee>) {
        match output {
            Output::Send { to, message } => {
                let is_seed = matches!(message, Message::Seed(..));
                let sent = (
                    to,
                    Input::Message {
                        from: node,
                        message,
                    },
                );
                if is_seed {
                    self.seeds.push_back(sent);
                } else {
                    self.queue.push_back(sent);
                }
            }
            Output::Wake { at, timer } => {
                self.woken += 1;
                self.timers.insert((at, self.woken), (node, timer));
            }
            Output::Event(Event::Persist { round, number, .. }) => {
                self.give(node, Input::Command(Command::Persisted(round, number)));
            }
            Output::Event(Event::LanesReady(_, lanes)) => self.lanes = Some(lanes),
            Output::Event(Event::Opened(_, evidence)) => self.evidence = Some(*evidence),
            Output::Event(Event::SetAgreed(..) | Event::Serves(..)) => {}
            Output::Event(event) => panic!("nobody lies and nothing fails here: {event:?}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_computation_comes_to_its_end() {
        let sizes = Sizes {
            lanes: 2,
            replicas: 3,
            signers: 2,
        };
        let (people, watched) = (People::new(sizes, 12), [1]);
        let (spent, terms, evidence) = Computation::run(&people, 1, 4, &watched);
        assert!(spent[0].taking > Span::ZERO && spent[0].proving > Span::ZERO);
        assert_eq!(evidence.sums.len(), terms.lanes());
    }
}
