//! A draw for every node as its setter (SEP2P §4.1: "the exhaustive set of cases for a given network setting").

use selection::strategy::Strategy;

use super::draw::{Counted, Counter};
use super::overlay::Overlay;
use super::population::{Population, mixed};
use super::setting::Setting;
use super::statistic::Statistic;
use super::values::Forced;
use crate::parallel;

/// Draws that are counted together, so that their lookups take turns.
const TOGETHER: usize = 256;

/// Which draws.
#[derive(Clone, Copy)]
pub struct Survey<'a> {
    /// The network.
    pub overlay: Overlay<'a>,
    /// What its nodes go by.
    pub setting: &'a Setting,
    /// How they draw.
    pub strategy: Strategy,
    /// Whether T colludes, and all colluders do what gains most.
    pub attacked: bool,
    /// What chance decides follows from it.
    pub seed: u64,
}

/// What the draws of all setters cost and leak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Totals {
    /// Draws.
    pub draws: u64,
    /// Those that ended with actors.
    pub drawn: u64,
    /// Signature checks of one verifier, where there are actors.
    pub checks: Statistic,
    /// Asymmetric operations that waited for each other.
    pub latency_operations: Statistic,
    /// Messages that waited for each other.
    pub latency_messages: Statistic,
    /// Asymmetric operations of all nodes.
    pub operations: Statistic,
    /// Messages of all nodes.
    pub messages: Statistic,
    /// k of the witnesses.
    pub witnesses: Statistic,
    /// Moves to another point.
    pub moves: Statistic,
    /// Draws that moved at all.
    pub moved: u64,
    /// New randoms after a failed try.
    pub restarts: Statistic,
    /// Actors that are not honest, where there are actors.
    pub corrupted: Statistic,
}

impl Survey<'_> {
    /// Counts a draw for every setter, on all cores; `progress` is told how many more are done. The same totals on any
    /// number of cores.
    pub fn run(&self, progress: &(dyn Fn(u64) + Sync)) -> Totals {
        let triggers = Triggers::new(self);
        let parts = parallel::map(self.population().nodes() as u64, |setters| {
            let counter = Counter::new(self.overlay, self.setting, self.strategy);
            let mut counter = if self.attacked {
                counter.attacked()
            } else {
                counter
            };
            let mut totals = Totals::default();
            let mut draws = Vec::with_capacity(TOGETHER);
            for first in setters.clone().step_by(TOGETHER) {
                let together = first..setters.end.min(first + TOGETHER as u64);
                let done = together.end - together.start;
                let draw = |setter: u64| {
                    let values = Forced::new(self.population(), setter as usize, self.seed);
                    (triggers.of(setter), values)
                };
                draws.clear();
                draws.extend(together.map(draw));
                counter.count(&draws, |counted| totals.add(&counted));
                progress(done);
            }
            totals
        });
        let all = parts.into_iter().reduce(|all, part| all.and(&part));
        all.unwrap_or_default()
    }

    fn population(&self) -> &Population {
        self.overlay.population()
    }
}

/// Who is T when a node is to be S.
struct Triggers {
    nodes: u64,
    /// Prime to `nodes`, so that each node is T of one draw; and one less nearly so, so that it is not S of the same.
    step: u64,
    /// If T is to collude.
    colluders: Option<Vec<u32>>,
    seed: u64,
}

impl Triggers {
    fn new(survey: &Survey<'_>) -> Self {
        let population = survey.population();
        let nodes = population.nodes() as u64;
        let golden = (nodes as f64 * 0.618) as u64;
        let is_good = |step: &u64| gcd(*step, nodes) == 1 && gcd(step - 1, nodes) <= 2;
        let step = (golden.max(1)..).find(is_good);
        let places = 0..nodes as usize;
        let colluders = || {
            places
                .filter(|place| population.colludes(*place))
                .map(|place| place as u32)
        };
        Self {
            nodes,
            step: step.expect("some prime above a number fits"),
            colluders: survey.attacked.then(|| colluders().collect()),
            seed: survey.seed,
        }
    }

    fn of(&self, setter: u64) -> usize {
        if let Some(colluders) = &self.colluders {
            let which = mixed(setter ^ mixed(self.seed)) % colluders.len().max(1) as u64;
            return colluders
                .get(which as usize)
                .map_or(0, |place| *place as usize);
        }
        let along = u128::from(setter) * u128::from(self.step) + 1;
        let trigger = (along % u128::from(self.nodes)) as u64;
        // S of its own draw is nobody; one node would be at most.
        let trigger = if trigger == setter {
            (trigger + 1) % self.nodes
        } else {
            trigger
        };
        trigger as usize
    }
}

fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl Totals {
    fn add(&mut self, counted: &Counted) {
        self.draws += 1;
        self.latency_operations.add(counted.latency.operations);
        self.latency_messages.add(counted.latency.messages);
        self.operations.add(counted.work.operations.total());
        self.messages.add(counted.work.messages);
        self.witnesses.add(counted.witnesses as u64);
        self.moves.add(u64::from(counted.moves));
        self.moved += u64::from(counted.moves > 0);
        self.restarts.add(u64::from(counted.restarts));
        if counted.drawn {
            self.drawn += 1;
            self.checks.add(counted.checks);
            self.corrupted.add(counted.corrupted as u64);
        }
    }

    /// These and those.
    #[must_use]
    pub fn and(self, other: &Self) -> Self {
        Self {
            draws: self.draws + other.draws,
            drawn: self.drawn + other.drawn,
            checks: self.checks.and(other.checks),
            latency_operations: self.latency_operations.and(other.latency_operations),
            latency_messages: self.latency_messages.and(other.latency_messages),
            operations: self.operations.and(other.operations),
            messages: self.messages.and(other.messages),
            witnesses: self.witnesses.and(other.witnesses),
            moves: self.moves.and(other.moves),
            moved: self.moved + other.moved,
            restarts: self.restarts.and(other.restarts),
            corrupted: self.corrupted.and(other.corrupted),
        }
    }

    /// Colluders among the actors if chance alone had seated them, over those that there were (SEP2P §3.1, definition 1).
    /// 1 is ideal; nothing when no colluder was seated. `share`: C / N.
    pub fn effectiveness(&self, seats: usize, share: f64) -> Option<f64> {
        let ideal = self.drawn as f64 * seats as f64 * share;
        let corrupted = self.corrupted.sum();
        (corrupted > 0).then(|| ideal / corrupted as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Terms;

    fn terms(nodes: u64) -> Terms {
        Terms {
            parameters: overlay::Parameters {
                form: overlay::Form::Paper,
                ..overlay::Parameters::new(nodes, nodes / 20, 1e-4)
            },
            cache: 100,
            seats: 8,
        }
    }

    #[test]
    fn each_node_is_trigger_and_setter_once() {
        let setting = Setting::new(&terms(1000)).unwrap();
        let population = Population::new(1, 1000, 50);
        let survey = Survey {
            overlay: Overlay::Chord(&population),
            setting: &setting,
            strategy: Strategy::Paper,
            attacked: false,
            seed: 1,
        };
        let triggers = Triggers::new(&survey);
        let mut all: Vec<_> = (0..1000).map(|setter| triggers.of(setter)).collect();
        assert!(
            all.iter()
                .zip(0..)
                .all(|(trigger, setter)| *trigger != setter)
        );
        all.sort_unstable();
        all.dedup();
        assert!(all.len() >= 999);
        let attacked = Triggers::new(&Survey {
            attacked: true,
            ..survey
        });
        assert!((0..1000).all(|setter| population.colludes(attacked.of(setter))));
    }

    /// What is known without counting: an ideal draw, and one in which whoever is near enough chooses.
    #[test]
    fn draws_leak_as_much_as_they_should() {
        let terms = terms(4000);
        let setting = Setting::new(&terms).unwrap();
        let population = Population::new(1, 4000, 200);
        let run = |strategy, attacked| {
            let survey = Survey {
                overlay: Overlay::Chord(&population),
                setting: &setting,
                strategy,
                attacked,
                seed: 1,
            };
            let totals = survey.run(&|_| ());
            (totals, totals.effectiveness(8, 0.05).unwrap())
        };
        for strategy in [Strategy::Paper, Strategy::MHash, Strategy::SecurityOptimal] {
            let (totals, effectiveness) = run(strategy, false);
            assert_eq!(totals.draws, 4000);
            assert!(
                (0.9..1.1).contains(&effectiveness),
                "{strategy} {effectiveness}"
            );
        }
        let (_, paper) = run(Strategy::Paper, true);
        assert!((0.9..1.1).contains(&paper), "{paper}");
        // On average ln 10^4 nodes are near, of whom one in twenty colludes.
        let none_near = (-0.05 * 1e4f64.ln()).exp();
        let expected = 0.05 / ((1.0 - none_near) + none_near * 0.05);
        for strategy in [Strategy::EsNav, Strategy::EsAv] {
            let (_, found) = run(strategy, true);
            assert!(
                (found / expected - 1.0).abs() < 0.1,
                "{strategy} {found} {expected}"
            );
        }
        let (_, hashed) = run(Strategy::MHash, true);
        assert!(hashed < 0.2, "{hashed}");
        let (_, optimal) = run(Strategy::CostOptimal, true);
        assert!((optimal / 0.05 - 1.0).abs() < 1e-9);
    }
}
