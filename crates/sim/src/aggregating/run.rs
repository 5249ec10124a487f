//! One computation from the first seat's being taken to the answer, watched all the way.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use aggregation::committee::{Command, Committee, Event, Evidence, Failure, Totals};
use base::{Digest, Duration, NodeId, Rng};

use super::player::{Opened, Player};
use super::setting::{Setting, field};
use crate::{START, Simulation};

/// How long storing a vote takes.
const DISK: Duration = Duration::from_millis(2);
/// How long it takes until everybody has heard that contributions are called for.
const CALL: Duration = Duration::from_millis(80);
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
    /// How it ended.
    pub ended: Ended,
    /// What must never happen and did; empty.
    pub broken: Vec<String>,
    /// From the first message to the answer.
    pub took: Duration,
    /// People in the signed set.
    pub included: u64,
    /// Messages.
    pub messages: u64,
    /// Bytes.
    pub bytes: u64,
    /// Liars whom an honest node could name.
    pub named: usize,
}

/// What an application of each node would keep.
struct Watch<'a> {
    setting: &'a Setting,
    vectors: BTreeMap<NodeId, Arc<[u64]>>,
    liars: BTreeSet<NodeId>,
    /// As the helpers that reached agreement have it.
    sets: BTreeMap<NodeId, BTreeSet<NodeId>>,
    named: BTreeSet<NodeId>,
    ended: Option<Result<Evidence, Failure>>,
    broken: Vec<String>,
}

impl Setting {
    /// Runs it once; everything that chance decides follows from `seed`.
    pub fn run(&self, seed: u64) -> Run {
        let mut rng = Rng::from_number(seed);
        let mut simulation = Simulation::new(seed, self.faults.network());
        let opened = Opened::default();
        let liars = self.cast(&mut simulation, &opened, &mut rng);
        let contributors: Vec<_> = self.contributors().collect();
        self.faults
            .script(&mut simulation, &self.terms, &contributors, &mut rng);
        let terms = Arc::new(self.terms.clone());
        let members: BTreeSet<_> = contributors.iter().copied().collect();
        simulation.command(terms.querier, Command::Ask(Arc::clone(&terms)));
        for seat in &terms.seats {
            let serve = Command::Serve(Arc::clone(&terms), members.clone());
            simulation.command(*seat, serve);
        }
        let mut watch = Watch {
            setting: self,
            vectors: self.vectors(seed),
            liars,
            sets: BTreeMap::new(),
            named: BTreeSet::new(),
            ended: None,
            broken: Vec::new(),
        };
        let limit = terms.ends_at() + LATE;
        while watch.ended.is_none() && simulation.now() < limit && simulation.step() {
            watch.look(&mut simulation, &terms);
        }
        let took = simulation.now().since(START);
        // Those who are late must come to the same set.
        let late = simulation.now() + Duration::from_secs(3);
        while simulation.now() < late && simulation.step() {
            watch.look(&mut simulation, &terms);
        }
        if opened.borrow().len() > 1 {
            watch.broken.push("sums over two sets were given".into());
        }
        let ended = watch.judge();
        let total = simulation.total();
        Run {
            took,
            included: watch.included(),
            messages: total.sent,
            bytes: total.sent_bytes,
            named: watch.named.intersection(&watch.liars).count(),
            broken: watch.broken,
            ended,
        }
    }

    /// Seats everybody; says who lies.
    fn cast(
        &self,
        simulation: &mut Simulation<Player>,
        opened: &Opened,
        rng: &mut Rng,
    ) -> BTreeSet<NodeId> {
        let mut seats = self.terms.seats.clone();
        super::setting::shuffle(&mut seats, rng);
        let (liar, count) = self
            .liars
            .map_or((None, 0), |(liar, count)| (Some(liar), count));
        let liars: BTreeSet<_> = seats.into_iter().take(count).collect();
        for place in &self.people {
            let identity = self.crowd.identity(*place);
            let node = identity.node();
            let community = Arc::clone(self.crowd.rules().community());
            let committee = Committee::new(Arc::clone(identity), community, rng.fork("node"));
            let player = Player {
                committee,
                key: identity.key.clone(),
                lies: liar.filter(|_| liars.contains(&node)),
                opened: Opened::clone(opened),
            };
            simulation.add(node, player);
        }
        liars
    }
}

impl Watch<'_> {
    /// Does what applications do.
    fn look(
        &mut self,
        simulation: &mut Simulation<Player>,
        terms: &Arc<aggregation::committee::Terms>,
    ) {
        let events: Vec<_> = simulation.drain_events().collect();
        for (_, node, event) in events {
            match event {
                Event::LanesReady(round, keys) => {
                    for seat in &terms.seats {
                        let collecting = Command::Collecting(round, keys.clone());
                        simulation.command_after(CALL, *seat, collecting);
                    }
                    let keys: Vec<_> = keys.into_iter().map(|key| key.body.public).collect();
                    for (person, vector) in &self.vectors {
                        let vector = field(vector);
                        let contribute =
                            Command::Contribute(Arc::clone(terms), keys.clone(), vector);
                        if simulation.is_up(person) {
                            simulation.command_after(CALL, *person, contribute);
                        }
                    }
                }
                Event::Persist { round, number, .. } => {
                    simulation.command_after(DISK, node, Command::Persisted(round, number));
                }
                Event::SetAgreed(_, members) => self.agreed(node, members),
                Event::Misbehaved { node: whom, what } => {
                    self.named.insert(whom);
                    if !self.liars.contains(&whom) && !self.liars.contains(&node) {
                        self.broken
                            .push(format!("somebody honest was accused: {what}"));
                    }
                }
                Event::Opened(_, evidence) => self.end(Ok(*evidence)),
                Event::Failed(_, why) => self.end(Err(why)),
                Event::Unfit(_, why) => self.broken.push(format!("nothing was contributed: {why}")),
                Event::Accepted(_) => {}
            }
        }
    }

    fn end(&mut self, ended: Result<Evidence, Failure>) {
        if self.ended.replace(ended).is_some() {
            self.broken.push("it ended twice".into());
        }
    }

    fn agreed(&mut self, node: NodeId, members: BTreeSet<NodeId>) {
        if self.liars.contains(&node) {
            return;
        }
        if self.sets.values().any(|known| *known != members) {
            self.broken.push("honest helpers agreed on two sets".into());
        }
        self.sets.insert(node, members);
    }

    fn included(&self) -> u64 {
        self.sets.values().next().map_or(0, |set| set.len() as u64)
    }

    /// Compares with the numbers in the clear.
    fn judge(&mut self) -> Ended {
        let evidence = match self.ended.take() {
            None => return Ended::Nothing,
            Some(Err(why)) => return Ended::NoAnswer(why),
            Some(Ok(evidence)) => evidence,
        };
        let terms = &self.setting.terms;
        let totals = match evidence.verify(terms) {
            Ok(totals) => totals,
            Err(why) => {
                self.broken
                    .push(format!("the evidence does not hold: {why}"));
                return Ended::Nothing;
            }
        };
        let Some(members) = self.sets.values().next() else {
            self.broken
                .push("totals of a set that no honest helper knows".into());
            return Ended::Nothing;
        };
        let mut expected = vec![0; terms.vector_len];
        for member in members {
            let added = expected.iter_mut().zip(&*self.vectors[member]);
            added.for_each(|(sum, number)| *sum += number);
        }
        if !self.fits(&totals, &expected) || evidence.set.included != members.len() as u64 {
            self.broken
                .push("the totals are not those of the signed set".into());
        }
        Ended::Exact(totals)
    }

    fn fits(&self, totals: &Totals, expected: &[u64]) -> bool {
        let (cells, width) = (self.setting.terms.cells, self.setting.terms.width());
        let cell = |at: usize| -> Vec<u64> {
            let numbers = &expected[cells + at * (width - 1)..][..width - 1];
            [&expected[at..=at], numbers].concat()
        };
        let mut whole = vec![0; width];
        for at in 0..cells {
            whole
                .iter_mut()
                .zip(cell(at))
                .for_each(|(sum, number)| *sum += number);
        }
        let open = totals.cells.iter().enumerate();
        let fits = |(at, open): (usize, &Option<Vec<u64>>)| {
            open.as_ref().is_none_or(|open| *open == cell(at))
        };
        totals.whole == whole && open.into_iter().all(fits)
    }
}

/// Names a run in a few bytes: two runs with one fingerprint ended the same way.
impl Run {
    /// Of everything that it says.
    pub fn fingerprint(&self) -> Digest {
        Digest::of("run", &[format!("{self:?}").as_bytes()])
    }
}
