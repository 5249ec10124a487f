//! What goes wrong by accident.

use std::fmt;
use std::str::FromStr;

use aggregation::committee::Terms;
use base::{Duration, NodeId, Rng};
use thiserror::Error;

use super::player::Player;
use super::setting::shuffle;
use crate::{Action, Direction, NetworkModel, START, Simulation};

/// What goes wrong, in percent of those whom it can happen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// Helpers that crash for good, each at some moment of the computation.
    pub crash: u64,
    /// Contributors that vanish: before, in or after their one message.
    pub vanish: u64,
    /// Messages that are lost.
    pub loss: u64,
    /// Helpers that sleep for up to five seconds.
    pub pause: u64,
    /// Helpers that are cut off from the others, for up to five seconds.
    pub partition: u64,
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = [
            ("crash", self.crash),
            ("vanish", self.vanish),
            ("loss", self.loss),
            ("pause", self.pause),
            ("partition", self.partition),
        ];
        let some = all.iter().filter(|(_, percent)| *percent > 0);
        let texts: Vec<_> = some
            .map(|(name, percent)| format!("{name}:{percent}"))
            .collect();
        f.write_str(if texts.is_empty() { "none" } else { "" })?;
        f.write_str(&texts.join(","))
    }
}

/// Not a list of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("give faults in percent, such as crash:30,vanish:5,loss:1,pause:10,partition:40")]
pub struct UnknownFault;

impl FromStr for Faults {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let mut faults = Self::default();
        if text == "none" {
            return Ok(faults);
        }
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (name, percent) = part.split_once(':').ok_or(UnknownFault)?;
            let percent = percent.parse().ok().filter(|percent| *percent <= 100);
            let fault = match name {
                "crash" => &mut faults.crash,
                "vanish" => &mut faults.vanish,
                "loss" => &mut faults.loss,
                "pause" => &mut faults.pause,
                "partition" => &mut faults.partition,
                _ => return Err(UnknownFault),
            };
            *fault = percent.ok_or(UnknownFault)?;
        }
        Ok(faults)
    }
}

/// Within which accidents happen: most computations are over by then.
const WHEN: u64 = 6_000_000;

impl Faults {
    /// The network with its losses.
    pub(super) fn network(&self) -> NetworkModel {
        NetworkModel {
            losses: self.loss * 10_000,
            ..NetworkModel::INTERNET
        }
    }

    /// Puts everything on the script. Exactly the stated share of the helpers crashes.
    pub(super) fn script(
        &self,
        simulation: &mut Simulation<Player>,
        terms: &Terms,
        contributors: &[NodeId],
        rng: &mut Rng,
    ) {
        let moment = |rng: &mut Rng| START + Duration::from_micros(rng.below(WHEN));
        let some = |of: &[NodeId], percent: u64, rng: &mut Rng| {
            let mut all = of.to_vec();
            shuffle(&mut all, rng);
            all.truncate((of.len() as u64 * percent / 100) as usize);
            all
        };
        for seat in some(&terms.seats, self.crash, rng) {
            simulation.at(moment(rng), Action::Crash(seat));
        }
        let alone: Vec<_> = contributors
            .iter()
            .filter(|node| terms.seat(**node).is_none())
            .copied()
            .collect();
        for node in some(&alone, self.vanish, rng) {
            // Contributions are called for after about half a second.
            let at = START + Duration::from_micros(rng.below(1_500_000));
            simulation.at(at, Action::Crash(node));
        }
        for seat in some(&terms.seats, self.pause, rng) {
            let lasting = Duration::from_micros(rng.below(5_000_000));
            simulation.at(moment(rng), Action::Pause(seat, lasting));
        }
        let side = some(&terms.seats, self.partition, rng);
        if !side.is_empty() {
            let others = terms.seats.iter().filter(|seat| !side.contains(seat));
            let partition = Action::Partition {
                b: others.copied().collect(),
                a: side.into_iter().collect(),
                direction: Direction::Both,
                lasting: Duration::from_micros(rng.below(5_000_000)),
            };
            simulation.at(moment(rng), partition);
        }
    }
}
