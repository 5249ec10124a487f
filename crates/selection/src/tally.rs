//! How often a node witnesses: attempts per trigger and period, rounds per draw. Each chance to get another random is one
//! that colluders may take or leave, so what they can do is bounded by what the honest witness counts.

use std::collections::BTreeMap;

use base::{Digest, Duration, Instant, NodeId, encode};
use community::Descriptor;

use crate::fault::Refusal;
use crate::message::{Step, TriggerRequest};
use crate::random::{DRAW_TOLERANCE, Draw};
use crate::site::Site;

/// Most triggers whose draws are counted.
pub const TRIGGERS_MAX: usize = 4096;
/// Most sites of draws whose rounds are counted.
pub const BUILDS_MAX: usize = 4096;
/// Rounds of one draw at one site, of all its setters together, in which one builder takes part.
pub const ROUNDS_PER_DRAW: usize = 8;
/// How long rounds are counted: until the parts of the draw's random are too old.
const BUILDS_KEPT: Duration = DRAW_TOLERANCE.saturating_mul(2);

/// How often one node may draw, and from when on it may again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DrawLimit {
    /// Most draws in a period, failed attempts among them.
    pub draws: u32,
    /// Length of a period, in seconds.
    pub period_secs: u64,
    /// When the next one begins.
    pub again_at: Instant,
}

impl DrawLimit {
    /// That of a community, in the period of `now`.
    pub fn of(descriptor: &Descriptor, now: Instant) -> Self {
        let period_secs = descriptor.period_secs;
        let begins = (period(descriptor, now) + 1).saturating_mul(period_secs);
        Self {
            draws: descriptor.draws_per_period,
            period_secs,
            again_at: Instant(0) + Duration::from_secs(begins),
        }
    }
}

/// In which period attempts at this moment are counted.
pub fn period(descriptor: &Descriptor, now: Instant) -> u64 {
    now.as_secs() / descriptor.period_secs
}

/// What one witness has counted.
#[derive(Debug, Default)]
pub struct Tally {
    triggers: BTreeMap<NodeId, Attempts>,
    builds: BTreeMap<(Draw, Site), Rounds>,
}

/// Of one trigger in one period.
#[derive(Debug)]
struct Attempts {
    period: u64,
    /// By plan and attempt: who was asked.
    seen: BTreeMap<(Digest, u32), Digest>,
}

/// Of one draw.
#[derive(Debug)]
struct Rounds {
    until: Instant,
    seen: Vec<(NodeId, u32)>,
}

impl Tally {
    /// Counts an attempt of a trigger, whatever it is for. A second request for one attempt must be the first again: one
    /// attempt has one set of witnesses, so that leaving a silent one out costs an attempt.
    ///
    /// # Errors
    ///
    /// Too many in this period, or another set.
    pub fn count_attempt(
        &mut self,
        now: Instant,
        descriptor: &Descriptor,
        request: &TriggerRequest,
    ) -> Result<(), Refusal> {
        let period = period(descriptor, now);
        self.triggers.retain(|_, draws| draws.period == period);
        let trigger = request.draw.trigger;
        if !self.triggers.contains_key(&trigger) && self.triggers.len() >= TRIGGERS_MAX {
            return Err(Refusal::Busy);
        }
        let attempts = self.triggers.entry(trigger).or_insert(Attempts {
            period,
            seen: BTreeMap::new(),
        });
        let this = (request.draw.digest, request.draw.attempt);
        let asked = Digest::of("asked", &[&encode(&(&request.chosen, &request.skipped))]);
        match attempts.seen.get(&this) {
            Some(before) if *before == asked => Ok(()),
            Some(_) => Err(Refusal::Invalid),
            None if attempts.seen.len() >= descriptor.draws_per_period as usize => {
                Err(Refusal::TooManyDraws)
            }
            None => {
                attempts.seen.insert(this, asked);
                Ok(())
            }
        }
    }

    /// Counts a round of a setter. Each happens once: what was committed before one random is known cannot be
    /// committed anew after.
    ///
    /// # Errors
    ///
    /// Seen before, or too many of this draw.
    pub fn count_round(
        &mut self,
        now: Instant,
        Step { draw, round, site }: Step,
        setter: NodeId,
    ) -> Result<(), Refusal> {
        self.builds.retain(|_, rounds| now <= rounds.until);
        let this = (draw, site);
        if !self.builds.contains_key(&this) && self.builds.len() >= BUILDS_MAX {
            return Err(Refusal::Busy);
        }
        let rounds = self.builds.entry(this).or_insert(Rounds {
            until: now + BUILDS_KEPT,
            seen: Vec::new(),
        });
        if rounds.seen.contains(&(setter, round)) || rounds.seen.len() >= ROUNDS_PER_DRAW {
            return Err(Refusal::Invalid);
        }
        rounds.seen.push((setter, round));
        Ok(())
    }
}
