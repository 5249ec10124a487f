//! Many computations under many seeds.

use std::collections::BTreeMap;
use std::ops::Range;

use base::Duration;

use super::liar::Liar;
use super::run::{Busiest, Ended, Run};
use super::setting::Setting;
use crate::parallel;

/// What came of many computations; in the order of their seeds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Computations.
    pub runs: u64,
    /// Those with exact totals.
    pub exact: u64,
    /// Those without, and why, by seed.
    pub without: Vec<(u64, String)>,
    /// What must never happen and did, by seed.
    pub broken: Vec<(u64, String)>,
    /// How long those with totals took.
    pub took: Vec<Duration>,
    /// How long those with totals took from the first contribution.
    pub since_contributed: Vec<Duration>,
    /// What fell to the busiest nodes in any run.
    pub busiest: Busiest,
    /// People in all signed sets.
    pub included: u64,
    /// Messages.
    pub messages: u64,
    /// Bytes.
    pub bytes: u64,
    /// Liars who were named, over all runs.
    pub named: u64,
    /// What came of each kind of lie; of no lie under nothing.
    pub by_liar: BTreeMap<Option<Liar>, Tally>,
}

/// What came of the runs with one kind of liar.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Computations.
    pub runs: u64,
    /// Those with exact totals.
    pub exact: u64,
    /// Liars who were named.
    pub named: u64,
}

impl Setting {
    /// Runs it under each of these seeds, on all cores; `progress` is told of each that is done.
    pub fn campaign(&self, seeds: Range<u64>, progress: impl Fn() + Sync) -> Summary {
        let count = seeds.end.saturating_sub(seeds.start);
        let parts = parallel::map(count, |numbers| {
            let mut summary = Summary::default();
            for number in numbers {
                let seed = seeds.start + number;
                summary.add(seed, &self.run(seed));
                progress();
            }
            summary
        });
        parts.into_iter().fold(Summary::default(), Summary::and)
    }
}

impl Summary {
    fn add(&mut self, seed: u64, run: &Run) {
        self.runs += 1;
        self.included += run.included;
        self.messages += run.messages;
        self.bytes += run.bytes;
        self.named += run.named as u64;
        self.busiest = self.busiest.or(run.busiest);
        let tally = self.by_liar.entry(run.liar).or_default();
        tally.runs += 1;
        tally.exact += u64::from(matches!(run.ended, Ended::Exact(_)));
        tally.named += run.named as u64;
        let broken = run.broken.iter().map(|what| (seed, what.clone()));
        self.broken.extend(broken);
        match &run.ended {
            Ended::Exact(_) => {
                self.exact += 1;
                self.took.push(run.took);
                self.since_contributed.push(run.since_contributed);
            }
            Ended::NoAnswer(why) => self.without.push((seed, why.to_string())),
            Ended::Nothing => self
                .without
                .push((seed, "the asker never heard of it again".into())),
        }
    }

    /// These and those.
    #[must_use]
    fn and(mut self, other: Self) -> Self {
        self.runs += other.runs;
        self.exact += other.exact;
        self.without.extend(other.without);
        self.broken.extend(other.broken);
        self.took.extend(other.took);
        self.since_contributed.extend(other.since_contributed);
        self.busiest = self.busiest.or(other.busiest);
        self.included += other.included;
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.named += other.named;
        for (liar, tally) in other.by_liar {
            let known = self.by_liar.entry(liar).or_default();
            known.runs += tally.runs;
            known.exact += tally.exact;
            known.named += tally.named;
        }
        self
    }

    /// Half of the computations with totals took less.
    pub fn median(&self) -> Duration {
        median(&self.took)
    }

    /// The same from the first contribution on.
    pub fn median_since_contributed(&self) -> Duration {
        median(&self.since_contributed)
    }
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .copied()
        .unwrap_or(Duration::ZERO)
}
