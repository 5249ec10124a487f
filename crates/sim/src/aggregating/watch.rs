//! What the applications of all nodes would see, held against the numbers in the clear after every event.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aggregation::committee::{Command, Event, Evidence, Failure, LaneKey, Signed, Terms, Totals};
use base::{Digest, Duration, Instant, NodeId, Rng};
use crypto::SealingPublicKey;

use super::liar::Liar;
use super::player::Player;
use super::run::{Busiest, Ended, Run, Stage};
use super::setting::{CROWD_MIN, field};
use crate::{Action, Counters, START, Simulation};

/// How long storing a vote takes.
const DISK: Duration = Duration::from_millis(2);
/// How long it takes until everybody has heard that contributions are called for.
const CALL: Duration = Duration::from_millis(80);
/// Within which those restart who contribute again, in microseconds after the call.
const AGAIN: u64 = 2_000_000;

/// Watches one run.
pub struct Watch<'a> {
    stage: Stage<'a>,
    vectors: BTreeMap<NodeId, Arc<[u64]>>,
    /// By committee, as the honest helpers that reached agreement have it.
    sets: BTreeMap<Digest, BTreeSet<NodeId>>,
    /// How many died in the middle of what they said.
    fallen: usize,
    /// When the first are called to contribute.
    contributed_at: Option<Instant>,
    /// Who has been called to contribute.
    called: BTreeSet<NodeId>,
    named: BTreeSet<NodeId>,
    ended: Option<Ended>,
    rng: Rng,
}

impl<'a> Watch<'a> {
    pub fn new(stage: Stage<'a>, vectors: BTreeMap<NodeId, Arc<[u64]>>, rng: Rng) -> Self {
        Self {
            stage,
            vectors,
            sets: BTreeMap::new(),
            fallen: 0,
            contributed_at: None,
            called: BTreeSet::new(),
            named: BTreeSet::new(),
            ended: None,
            rng,
        }
    }

    /// Whether the asker knows.
    pub fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Does what applications do, after each event.
    pub fn look(&mut self, simulation: &mut Simulation<Player>) {
        let fallen = std::mem::take(&mut self.stage.ledger.borrow_mut().fallen);
        for node in fallen {
            self.fallen += 1;
            simulation.crash(node);
        }
        let events: Vec<_> = simulation.drain_events().collect();
        for (_, node, event) in events {
            match event {
                Event::LanesReady(round, keys) => {
                    self.call(simulation, round, &keys);
                }
                Event::Persist { round, number, .. } => {
                    simulation.command_after(DISK, node, Command::Persisted(round, number));
                }
                Event::SetAgreed(round, members) => self.agreed(round, node, members),
                Event::Misbehaved { node: whom, what } => self.accused(node, whom, &what),
                Event::Opened(_, evidence) => {
                    let ended = self.judge(&evidence);
                    self.end(ended);
                }
                Event::Failed(_, why) => {
                    self.judge_failure(why);
                    self.end(Ended::NoAnswer(why));
                }
                Event::Unfit(_, why) => self.broke(format!("nothing was contributed: {why}")),
                Event::Accepted(_) | Event::Serves(..) => {}
            }
        }
    }

    /// What came of it until it ended.
    pub fn conclude(mut self, ended: Instant, total: Counters, busiest: Busiest) -> Run {
        let liars = &self.stage.cast.liars;
        Run {
            faults: self.stage.faults,
            liar: self.stage.cast.liar,
            took: ended.since(START),
            since_contributed: ended.since(self.contributed_at.unwrap_or(ended)),
            busiest,
            fallen: self.fallen,
            included: self.members().map_or(0, |set| set.len() as u64),
            messages: total.sent,
            bytes: total.sent_bytes,
            named: self.named.intersection(liars).count(),
            broken: std::mem::take(&mut self.stage.ledger.borrow_mut().broken),
            ended: self.ended.take().unwrap_or(Ended::Nothing),
        }
    }

    fn terms(&self) -> &Arc<Terms> {
        self.stage.root()
    }

    fn broke(&self, what: impl Into<String>) {
        self.stage.ledger.borrow_mut().broken.push(what.into());
    }

    fn is_liar(&self, node: NodeId) -> bool {
        self.stage.cast.liars.contains(&node)
    }

    fn call(
        &mut self,
        simulation: &mut Simulation<Player>,
        round: Digest,
        lanes: &[Signed<LaneKey>],
    ) {
        let Some((terms, people)) = self.stage.committee(round) else {
            return self.broke("people are called by no committee");
        };
        for seat in &terms.seats {
            let collecting = Command::Collecting(round, lanes.to_vec());
            simulation.command_after(CALL, *seat, collecting);
        }
        self.contributed_at.get_or_insert(simulation.now() + CALL);
        let keys: Vec<_> = lanes.iter().map(|key| key.body.public).collect();
        for person in people {
            if !self.called.insert(*person) {
                continue;
            }
            let vector = field(&self.vectors[person]);
            let terms = Arc::clone(terms);
            let contribute = Command::Contribute(terms, keys.to_vec(), vector);
            if simulation.is_up(person) {
                simulation.command_after(CALL, *person, contribute);
            }
        }
        if self.stage.cast.liar == Some(Liar::TwoLeaves) && terms.place.catchment.is_some() {
            // They contribute to every leaf that calls.
            for liar in self.stage.cast.liars.difference(people) {
                let vector = field(&self.vectors[liar]);
                let contribute = Command::Contribute(Arc::clone(terms), keys.clone(), vector);
                simulation.command_after(CALL, *liar, contribute);
            }
        }
        if self.stage.cast.liar == Some(Liar::Again) {
            self.call_again(simulation, &keys);
        }
    }

    /// Those who contribute again have restarted, and know of nothing.
    fn call_again(&mut self, simulation: &mut Simulation<Player>, keys: &[SealingPublicKey]) {
        let setting = self.stage.setting;
        let [_, other] = setting.two_vectors();
        for place in &setting.people {
            let node = setting.crowd.identity(*place).node();
            if !self.is_liar(node) || !simulation.is_up(&node) {
                continue;
            }
            let at = simulation.now() + CALL + Duration::from_micros(self.rng.below(AGAIN));
            let player = self.stage.player(*place, self.rng.fork("again"));
            simulation.at(at, Action::Restart(node, Box::new(move |_| player)));
            let mut leaves = self.stage.committees.iter();
            let own = leaves.find(|(_, people)| people.contains(&node));
            let terms = own.map_or(self.terms(), |(terms, _)| terms);
            let contribute = Command::Contribute(Arc::clone(terms), keys.to_vec(), field(&other));
            simulation.at(at, Action::Command(node, contribute));
        }
    }

    fn accused(&mut self, by: NodeId, whom: NodeId, what: &dyn std::fmt::Display) {
        if self.is_liar(by) {
            return;
        }
        self.named.insert(whom);
        if !self.is_liar(whom) {
            self.broke(format!("somebody honest was accused: {what}"));
        }
    }

    fn agreed(&mut self, round: Digest, node: NodeId, members: BTreeSet<NodeId>) {
        if self.is_liar(node) {
            return;
        }
        if self.sets.get(&round).is_some_and(|known| *known != members) {
            self.broke("honest helpers agreed on two sets");
        }
        self.sets.insert(round, members);
    }

    /// Whose numbers are in the totals: of the set that was agreed on, in a tree through all committees that are in it.
    fn members(&self) -> Option<BTreeSet<NodeId>> {
        let mut members = BTreeSet::new();
        let mut open = vec![self.terms().round()];
        while let Some(round) = open.pop() {
            let (terms, _) = self.stage.committee(round)?;
            let set = self.sets.get(&round)?;
            if terms.place.is_leaf() {
                members.extend(set);
            } else {
                open.extend(set.iter().map(|child| Digest(child.0)));
            }
        }
        Some(members)
    }

    fn end(&mut self, ended: Ended) {
        if self.ended.replace(ended).is_some() {
            self.broke("it ended twice");
        }
    }

    /// Compares with the numbers in the clear.
    fn judge(&self, evidence: &Evidence) -> Ended {
        let totals = match evidence.verify(self.terms()) {
            Ok(totals) => totals,
            Err(why) => {
                self.broke(format!("the evidence does not hold: {why}"));
                return Ended::Nothing;
            }
        };
        let Some(members) = self.members() else {
            self.broke("totals of a set that no honest helper knows");
            return Ended::Nothing;
        };
        let fits = self
            .expected(&members)
            .any(|sums| self.fits(&totals, &sums));
        if !fits || evidence.set.included != members.len() as u64 {
            self.broke("the totals are not those of the signed set");
        }
        if self.honest_crowd(&members) < CROWD_MIN {
            self.broke("a total of fewer honest people than the minimum crowd");
        }
        Ended::Exact(totals)
    }

    fn judge_failure(&self, why: Failure) {
        let Some(members) = self.members() else {
            return;
        };
        let cells = self.terms().cells;
        let crowd = |sums: Vec<u64>| sums[..cells].iter().sum::<u64>();
        let is_large = |sums| crowd(sums) >= self.terms().threshold;
        if why == Failure::SmallCrowd && self.expected(&members).all(is_large) {
            self.broke("refused, although the crowd is large enough");
        }
    }

    /// Honest people of the set who match.
    fn honest_crowd(&self, members: &BTreeSet<NodeId>) -> u64 {
        let cells = self.terms().cells;
        let honest = members.iter().filter(|member| !self.is_liar(**member));
        let matching = honest.map(|member| self.vectors[member][..cells].iter().sum::<u64>());
        matching.sum()
    }

    /// What the set may add up to: one sum, but where some contributed two vectors of which either may count.
    fn expected<'b>(&'b self, members: &BTreeSet<NodeId>) -> impl Iterator<Item = Vec<u64>> + 'b {
        let mut sums = vec![0; self.terms().vector_len];
        let mut twice = 0;
        for member in members {
            if self.stage.cast.has_two_vectors(*member) {
                twice += 1;
            } else {
                add(&mut sums, &self.vectors[member], 1);
            }
        }
        let [one, other] = self.stage.setting.two_vectors();
        (0..=twice).map(move |others| {
            let mut sums = sums.clone();
            add(&mut sums, &one, twice - others);
            add(&mut sums, &other, others);
            sums
        })
    }

    fn fits(&self, totals: &Totals, expected: &[u64]) -> bool {
        let (cells, width) = (self.terms().cells, self.terms().width());
        let cell = |at: usize| -> Vec<u64> {
            let numbers = &expected[cells + at * (width - 1)..][..width - 1];
            [&expected[at..=at], numbers].concat()
        };
        let mut whole = vec![0; width];
        for at in 0..cells {
            add(&mut whole, &cell(at), 1);
        }
        let open = totals.cells.iter().enumerate();
        let fits = |(at, open): (usize, &Option<Vec<u64>>)| {
            open.as_ref().is_none_or(|open| *open == cell(at))
        };
        totals.whole == whole && open.into_iter().all(fits)
    }
}

fn add(sums: &mut [u64], vector: &[u64], times: u64) {
    let added = sums.iter_mut().zip(vector);
    added.for_each(|(sum, number)| *sum += times * number);
}
