//! Whole communities that are asked while their nodes die: what comes of it, held against the sum in the clear.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Range;
use std::str::FromStr;

use base::{Duration, Instant, NodeId, Rng};
use node::Stage;
use thiserror::Error;

use crate::community::{Outcome, Settings, World};
use crate::parallel;

const SQL: &str = "SELECT SUM(hours) FROM sleep";
/// Longest time for contributions to arrive. All of it passes when somebody stays away.
const COLLECT: Duration = Duration::from_secs(4);
/// How often it is looked who is to die.
const STEP: Duration = Duration::from_millis(20);
/// Within which somebody dies, after the question or after helpers are drawn, in microseconds: about as long as all takes.
const DIES_WITHIN: u64 = 2_500_000;
/// Within which a node starts again, in microseconds.
const BACK_WITHIN: u64 = 5_000_000;
/// What is left to happen after the answer, for those who are late.
const AFTERMATH: Duration = Duration::from_secs(8);
/// Longest time to the answer, beyond the collection.
const ANSWERED_WITHIN: Duration = Duration::from_secs(240);

/// Who dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Victims {
    /// So many of the helpers, once they are drawn.
    Helpers(usize),
    /// So many of all nodes, the asker among them, at any moment of the question.
    Anybody(usize),
}

/// Not the name of victims.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("give helpers:NUMBER, anybody:NUMBER or nobody")]
pub struct UnknownVictims;

impl FromStr for Victims {
    type Err = UnknownVictims;

    fn from_str(text: &str) -> Result<Self, UnknownVictims> {
        if text == "nobody" {
            return Ok(Self::Helpers(0));
        }
        let (who, number) = text.split_once(':').ok_or(UnknownVictims)?;
        let number = number.parse().map_err(|_| UnknownVictims)?;
        match who {
            "helpers" => Ok(Self::Helpers(number)),
            "anybody" => Ok(Self::Anybody(number)),
            _ => Err(UnknownVictims),
        }
    }
}

impl fmt::Display for Victims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Helpers(0) => f.write_str("nobody"),
            Self::Helpers(number) => write!(f, "helpers:{number}"),
            Self::Anybody(number) => write!(f, "anybody:{number}"),
        }
    }
}

/// One question each to many communities.
#[derive(Debug, Clone)]
pub struct Trial {
    /// The communities.
    pub settings: Settings,
    /// Who dies. Half of them start again, the asker always does.
    pub victims: Victims,
}

/// What came of one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// The sum of those whom the helpers have signed for, exactly.
    Exact {
        /// How many.
        included: usize,
    },
    /// No answer, and why.
    Without(String),
    /// What must never happen.
    Broken(String),
}

/// What came of many, by seed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Summary {
    /// Questions.
    pub asked: u64,
    /// Exact answers.
    pub exact: u64,
    /// People in these.
    pub included: u64,
    /// Questions without an answer, and why.
    pub without: Vec<(u64, String)>,
    /// What must never happen and did.
    pub broken: Vec<(u64, String)>,
    /// How many of each role died.
    pub died: BTreeMap<&'static str, u64>,
}

impl Trial {
    /// Asks once under each of these seeds, on all cores; `progress` is told of each that is done.
    pub fn campaign(&self, seeds: Range<u64>, progress: impl Fn() + Sync) -> Summary {
        let count = seeds.end.saturating_sub(seeds.start);
        let parts = parallel::map(count, |numbers| {
            let mut summary = Summary::default();
            for number in numbers {
                let seed = seeds.start + number;
                let (ended, died) = self.run(seed);
                summary.add(seed, ended, died);
                progress();
            }
            summary
        });
        parts.into_iter().fold(Summary::default(), Summary::and)
    }

    /// One question to one community, with the roles of those who died in it.
    pub fn run(&self, seed: u64) -> (Ended, Vec<&'static str>) {
        let mut run = Run::new(self, seed);
        let ended = run.play();
        let roles = run.died.iter().map(|node| run.role(*node)).collect();
        (ended, roles)
    }
}

struct Run {
    world: World,
    rng: Rng,
    victims: Victims,
    outcome: Outcome,
    seats: BTreeSet<NodeId>,
    setter: Option<NodeId>,
    /// Who dies when.
    doomed: Vec<(Instant, NodeId)>,
    /// Who starts again when.
    back: Vec<(Instant, NodeId)>,
    died: Vec<NodeId>,
}

impl Run {
    fn new(trial: &Trial, seed: u64) -> Self {
        let mut world = World::new(seed, &trial.settings);
        world.meet();
        Self {
            world,
            rng: Rng::from_number(seed).fork("victims"),
            victims: trial.victims,
            outcome: Outcome::default(),
            seats: BTreeSet::new(),
            setter: None,
            doomed: Vec::new(),
            back: Vec::new(),
            died: Vec::new(),
        }
    }

    fn play(&mut self) -> Ended {
        if !self.world.have_met() {
            return Ended::Broken("they do not meet".into());
        }
        if let Victims::Anybody(number) = self.victims {
            let everybody = self.world.people.iter().chain([&self.world.asker]);
            let everybody: Vec<_> = everybody.copied().collect();
            self.doom(everybody, number);
        }
        self.world.put(SQL, COLLECT);
        let limit = self.world.simulation.now() + COLLECT + ANSWERED_WITHIN;
        while !self.has_ended() && self.world.simulation.now() < limit {
            self.step();
        }
        let until = self.world.simulation.now() + AFTERMATH;
        while self.world.simulation.now() < until {
            self.step();
        }
        self.judge()
    }

    fn has_ended(&self) -> bool {
        !self.outcome.answers.is_empty() || !self.outcome.failures.is_empty()
    }

    fn step(&mut self) {
        let now = self.world.simulation.now();
        for node in due(&mut self.doomed, now) {
            self.world.crash(node);
            self.died.push(node);
            if node == self.world.asker || self.rng.below(2) == 0 {
                let later = Duration::from_micros(self.rng.below(BACK_WITHIN));
                self.back.push((now + later, node));
            }
        }
        for node in due(&mut self.back, now) {
            self.world.restart(node);
        }
        let came = self.world.run(now + STEP);
        self.outcome.merge(came);
        let drawn = self
            .outcome
            .stages
            .iter()
            .find_map(|(_, stage)| match stage {
                Stage::Drawn { seats, setter, .. } => Some((seats.clone(), *setter)),
                _ => None,
            });
        if let (Some((seats, setter)), true) = (drawn, self.seats.is_empty()) {
            self.setter = Some(setter);
            self.seats = seats.iter().copied().collect();
            if let Victims::Helpers(number) = self.victims {
                self.doom(seats, number);
            }
        }
    }

    /// Some of these are to die soon.
    fn doom(&mut self, mut among: Vec<NodeId>, number: usize) {
        let now = self.world.simulation.now();
        for _ in 0..number.min(among.len()) {
            let chosen = self.rng.below(among.len() as u64) as usize;
            let later = Duration::from_micros(self.rng.below(DIES_WITHIN));
            self.doomed.push((now + later, among.swap_remove(chosen)));
        }
    }

    fn role(&self, node: NodeId) -> &'static str {
        match node {
            node if node == self.world.asker => "asker",
            node if self.seats.contains(&node) => "helper",
            node if self.setter == Some(node) => "setter",
            _ => "another",
        }
    }

    fn judge(&self) -> Ended {
        let Outcome {
            answers,
            failures,
            sets,
            accusations,
            ..
        } = &self.outcome;
        if let Some((by, whom, what)) = accusations.first() {
            return Ended::Broken(format!("{by:?} accuses the honest {whom:?}: {what}"));
        }
        let agreed: BTreeSet<_> = sets.values().flat_map(BTreeMap::values).collect();
        if agreed.len() > 1 {
            return Ended::Broken("two sets were agreed on".into());
        }
        match (answers.as_slice(), failures.as_slice()) {
            ([], []) => Ended::Broken("the asker never heard of it again".into()),
            ([], [why, ..]) => Ended::Without(why.to_string()),
            ([answer], []) => {
                let Some(set) = agreed.first() else {
                    return Ended::Broken("an answer over no set".into());
                };
                let figures = &answer.verified.answer;
                let told = (figures.people, figures.total().map(|total| total.units));
                let (people, sum) = self.world.reference(set);
                if told == (people, Some(sum)) {
                    Ended::Exact {
                        included: set.len(),
                    }
                } else {
                    Ended::Broken(format!("{told:?} instead of {:?}", (people, sum)))
                }
            }
            _ => Ended::Broken("one question ended twice".into()),
        }
    }
}

/// Takes those out whose time has come.
fn due(waiting: &mut Vec<(Instant, NodeId)>, now: Instant) -> Vec<NodeId> {
    let due = waiting.extract_if(.., |(at, _)| now >= *at);
    due.map(|(_, node)| node).collect()
}

impl Summary {
    fn add(&mut self, seed: u64, ended: Ended, died: Vec<&'static str>) {
        self.asked += 1;
        match ended {
            Ended::Exact { included } => {
                self.exact += 1;
                self.included += included as u64;
            }
            Ended::Without(why) => self.without.push((seed, why)),
            Ended::Broken(what) => self.broken.push((seed, what)),
        }
        for role in died {
            *self.died.entry(role).or_default() += 1;
        }
    }

    #[must_use]
    fn and(mut self, other: Self) -> Self {
        self.asked += other.asked;
        self.exact += other.exact;
        self.included += other.included;
        self.without.extend(other.without);
        self.broken.extend(other.broken);
        for (role, number) in other.died {
            *self.died.entry(role).or_default() += number;
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(victims: Victims) -> Trial {
        Trial {
            settings: Settings::of(14),
            victims,
        }
    }

    #[test]
    fn whoever_dies_the_answer_is_exact_or_there_is_none() {
        // Twelve of fourteen are helpers: two who die may be too many.
        for (victims, least) in [(Victims::Helpers(1), 6), (Victims::Anybody(2), 4)] {
            let summary = trial(victims).campaign(1..9, || ());
            assert_eq!(summary.broken, [], "{victims}");
            assert!(summary.exact >= least, "{victims}: {summary:?}");
            assert!(summary.died.values().sum::<u64>() >= 8, "{summary:?}");
        }
    }

    #[test]
    fn nobody_dies_unless_asked_for() {
        let (ended, died) = trial(Victims::Helpers(0)).run(3);
        assert_eq!((ended, died), (Ended::Exact { included: 14 }, Vec::new()));
    }

    #[test]
    fn victims_are_read_as_they_are_written() {
        for text in ["nobody", "helpers:1", "anybody:3"] {
            let victims: Victims = text.parse().unwrap();
            assert_eq!(victims.to_string(), text);
        }
        for text in ["", "helpers", "helpers:", "helpers:-1", "all:2"] {
            assert_eq!(text.parse::<Victims>(), Err(UnknownVictims));
        }
    }
}
