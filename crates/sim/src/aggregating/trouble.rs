//! What goes wrong by accident.

mod script;
mod step;

use std::fmt;
use std::str::FromStr;

use base::{Duration, Rng};
use thiserror::Error;

pub use step::{Death, Step};

use super::choice::Choice;
use crate::NetworkModel;

/// What goes wrong, in percent of those whom it can happen to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Faults {
    /// Helpers that crash for good, each at some moment of the computation.
    pub crash: u64,
    /// They crash when they come to this step instead; without `crash` one of them does.
    pub crash_at: Option<Step>,
    /// Contributors that vanish: before, in or after their one message.
    pub vanish: u64,
    /// Messages that are lost.
    pub loss: u64,
    /// Messages that are sent twice.
    pub duplicate: u64,
    /// Messages that overtake others: of two seconds by how much a message may be late.
    pub reorder: u64,
    /// Helpers that sleep for up to five seconds.
    pub pause: u64,
    /// Helpers that do nothing most of the time, and then everything at once.
    pub slow: u64,
    /// Helpers that are cut off from the others, for up to five seconds.
    pub partition: u64,
    /// Helpers that are cut off from the others for good.
    pub cut: u64,
}

impl Faults {
    fn percents(&self) -> [(&'static str, u64); 9] {
        [
            ("crash", self.crash),
            ("vanish", self.vanish),
            ("loss", self.loss),
            ("duplicate", self.duplicate),
            ("reorder", self.reorder),
            ("pause", self.pause),
            ("slow", self.slow),
            ("partition", self.partition),
            ("cut", self.cut),
        ]
    }

    fn percent_mut(&mut self, name: &str) -> Option<&mut u64> {
        Some(match name {
            "crash" => &mut self.crash,
            "vanish" => &mut self.vanish,
            "loss" => &mut self.loss,
            "duplicate" => &mut self.duplicate,
            "reorder" => &mut self.reorder,
            "pause" => &mut self.pause,
            "slow" => &mut self.slow,
            "partition" => &mut self.partition,
            "cut" => &mut self.cut,
            _ => return None,
        })
    }

    /// Some of everything, each kind in one run of three: so much that a quorum mostly lives.
    pub(super) fn draw(rng: &mut Rng) -> Self {
        let mut some = |most: u64| {
            let percent = 1 + rng.below(most);
            if rng.below(3) == 0 { percent } else { 0 }
        };
        let mut faults = Self {
            crash: some(12),
            crash_at: None,
            vanish: some(30),
            loss: some(3),
            duplicate: some(50),
            reorder: some(50),
            pause: some(30),
            slow: some(100),
            partition: some(40),
            cut: some(12),
        };
        faults.crash_at = (rng.below(2) == 0).then(|| Step::draw(rng));
        faults
    }

    /// The network with its losses and detours.
    pub(super) fn network(&self) -> NetworkModel {
        /// How late a message is at most when everything is out of order. Guess: beyond a view of the agreement.
        const LATEST: Duration = Duration::from_secs(2);
        let internet = NetworkModel::INTERNET;
        NetworkModel {
            losses: self.loss * 10_000,
            jitter: internet.jitter + LATEST.saturating_mul(self.reorder as u32) / 100,
            ..internet
        }
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percents = self.percents().into_iter();
        let some = percents.filter(|(_, percent)| *percent > 0);
        let mut texts: Vec<_> = some
            .map(|(name, percent)| format!("{name}:{percent}"))
            .collect();
        texts.extend(self.crash_at.map(|step| format!("crash-at:{step}")));
        f.write_str(if texts.is_empty() { "none" } else { "" })?;
        f.write_str(&texts.join(","))
    }
}

/// Not a list of faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "give faults in percent, such as crash:30,vanish:5,loss:1,duplicate:20,reorder:50,pause:10,slow:100,partition:40,cut:10, or crash-at:STEP with one of {names}; or all", names = Step::names()
)]
pub struct UnknownFault;

impl FromStr for Faults {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        let mut faults = Self::default();
        if text == "none" {
            return Ok(faults);
        }
        for part in text.split(',').filter(|part| !part.is_empty()) {
            let (name, value) = part.split_once(':').ok_or(UnknownFault)?;
            if name == "crash-at" {
                faults.crash_at = Some(value.parse()?);
                continue;
            }
            let percent = value.parse().ok().filter(|percent| *percent <= 100);
            let fault = faults.percent_mut(name).ok_or(UnknownFault)?;
            *fault = percent.ok_or(UnknownFault)?;
        }
        Ok(faults)
    }
}

impl FromStr for Choice<Faults> {
    type Err = UnknownFault;

    fn from_str(text: &str) -> Result<Self, UnknownFault> {
        match text {
            "all" => Ok(Self::Any),
            text => text.parse().map(Self::This),
        }
    }
}

impl fmt::Display for Choice<Faults> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::This(faults) => faults.fmt(f),
            Self::Any => f.write_str("all"),
        }
    }
}
