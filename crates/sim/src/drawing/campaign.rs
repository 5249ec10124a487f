//! Many draws, and what they cost and leak.

use std::cell::RefCell;
use std::ops::Range;
use std::rc::Rc;
use std::sync::Arc;

use base::{Digest, Rng};
use crypto::Operations;

use super::contender::{Contender, Outcome, Question};
use super::crowd::Crowd;
use super::gang::{Adversary, Colluding, Gang};
use super::play::{Played, Scene, play};
use crate::Latency;

/// What is played again and again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Campaign {
    /// A.
    pub seats: u32,
    /// What the colluders do. T is one of them, unless they do as told.
    pub adversary: Adversary,
    /// How often the gang may spoil one draw that it does not like.
    pub patience: u32,
    /// Nodes that do not answer, in a million.
    pub away_per_million: u64,
    /// Everything follows from it.
    pub seed: u64,
}

/// What came of many draws; those of several threads add up.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Summary {
    /// Draws.
    pub runs: u64,
    /// Those that ended with actors in whom a verifier believes.
    pub drawn: u64,
    /// Those whose actors no verifier believes in.
    pub refused: u64,
    /// Colluders among all believed actors.
    pub corrupted: u64,
    /// Believed actors.
    pub actors: u64,
    /// Believed actors, and colluders among them, of draws that a colluder set up.
    pub set_by_gang: (u64, u64),
    /// Signature checks of one verifier, over all draws with actors.
    pub checks: u64,
    /// Asymmetric operations of all nodes.
    pub work: u64,
    /// Asymmetric operations, and messages, that waited for each other.
    pub latency: Latency,
    /// Messages, lookups included.
    pub messages: u64,
    /// Bytes.
    pub bytes: u64,
    /// Attempts of T.
    pub attempts: u64,
    /// Moves to another point.
    pub relocations: u64,
    /// Outcomes that the gang has spoilt.
    pub spoilt: u64,
    /// Breaches that honest nodes noticed.
    pub breaches: u64,
    /// Seconds of each draw, on a simulated internet.
    pub seconds: Vec<f64>,
}

impl Campaign {
    /// Plays the draws of these numbers.
    pub fn run<P: Colluding>(
        &self,
        crowd: &Arc<Crowd>,
        setup: &P::Setup,
        numbers: Range<u64>,
        mut progress: impl FnMut(),
    ) -> Summary {
        let mut summary = Summary::default();
        for number in numbers {
            let (played, set_by_gang) = self.play_one::<P>(crowd, setup, number, &mut summary);
            summary.note(crowd, &played, set_by_gang);
            progress();
        }
        summary
    }

    fn play_one<P: Colluding>(
        &self,
        crowd: &Arc<Crowd>,
        setup: &P::Setup,
        number: u64,
        summary: &mut Summary,
    ) -> (Played<P>, bool) {
        let mut rng = Rng::from_number(self.seed ^ number.rotate_left(20)).fork("draw");
        let colludes = self.adversary != Adversary::None;
        let colluders: Vec<_> = crowd.colluders().filter(|_| colludes).collect();
        let place = match colluders.len() as u64 {
            0 => rng.below(crowd.len() as u64) as usize,
            some => colluders[rng.below(some) as usize],
        };
        let gang = Gang::new(self.adversary, crowd, self.seats as usize, self.patience);
        let gang = colludes.then(|| Rc::new(RefCell::new(gang)));
        let question = Question {
            digest: Digest::of("simulated plan", &[&number.to_be_bytes()]),
            trigger: crowd.contact(place).node(),
            seats: self.seats,
        };
        let scene = Scene {
            crowd: Arc::clone(crowd),
            setup: setup.clone(),
            gang: gang.clone(),
            away_per_million: self.away_per_million,
            seed: rng.number(),
            listener: None,
        };
        let played = play(&scene, question);
        let spoilt = gang.as_ref().map_or(0, |gang| gang.borrow().spoilt);
        summary.spoilt += u64::from(spoilt);
        let set_by_gang = gang.is_some_and(|gang| gang.borrow().has_set_up());
        (played, set_by_gang)
    }
}

impl Summary {
    fn note<P: Contender>(&mut self, crowd: &Crowd, played: &Played<P>, set_by_gang: bool) {
        self.runs += 1;
        self.work += played.work.total();
        let Latency {
            operations,
            messages,
        } = played.latency;
        self.latency = self.latency.then(operations, messages);
        self.messages += played.messages;
        self.bytes += played.bytes;
        self.breaches += played.breaches;
        self.seconds.push(played.took.as_micros() as f64 / 1e6);
        let Outcome::Drawn(selected) = &played.outcome else {
            return;
        };
        let (verified, cost) = Operations::of(|| P::verify(selected, crowd, played.at));
        let (attempts, relocations) = P::course(selected);
        self.attempts += u64::from(attempts);
        self.relocations += u64::from(relocations);
        if verified.is_err() {
            self.refused += 1;
            return;
        }
        self.drawn += 1;
        self.checks += cost.checked;
        let actors = P::actors(selected);
        let corrupted = actors
            .iter()
            .filter(|actor| crowd.is_corrupt(**actor))
            .count();
        let (actors, corrupted) = (actors.len() as u64, corrupted as u64);
        self.actors += actors;
        self.corrupted += corrupted;
        if set_by_gang {
            self.set_by_gang.0 += actors;
            self.set_by_gang.1 += corrupted;
        }
    }

    /// These and those.
    pub fn and(mut self, other: &Self) -> Self {
        self.runs += other.runs;
        self.drawn += other.drawn;
        self.refused += other.refused;
        self.corrupted += other.corrupted;
        self.actors += other.actors;
        self.set_by_gang.0 += other.set_by_gang.0;
        self.set_by_gang.1 += other.set_by_gang.1;
        self.checks += other.checks;
        self.work += other.work;
        self.latency = (self.latency).then(other.latency.operations, other.latency.messages);
        self.messages += other.messages;
        self.bytes += other.bytes;
        self.attempts += other.attempts;
        self.relocations += other.relocations;
        self.spoilt += other.spoilt;
        self.breaches += other.breaches;
        self.seconds.extend(&other.seconds);
        self
    }

    /// How many times as many colluders a gang seats as chance would, in draws that one of them sets up.
    pub fn gain_as_setter(&self, crowd: &Crowd) -> Option<f64> {
        let (actors, corrupted) = self.set_by_gang;
        let ideal = actors as f64 * share(crowd);
        (actors > 0).then(|| corrupted as f64 / ideal)
    }

    /// Colluders per draw if chance alone had seated them, over colluders per draw (SEP2P §3.1, definition 1). 1 is ideal;
    /// nothing when no colluder was seated.
    pub fn effectiveness(&self, crowd: &Crowd) -> Option<f64> {
        let ideal = self.actors as f64 * share(crowd);
        (self.corrupted > 0).then(|| ideal / self.corrupted as f64)
    }

    /// Half of the draws took less.
    pub fn median_seconds(&self) -> f64 {
        let mut seconds = self.seconds.clone();
        seconds.sort_by(f64::total_cmp);
        seconds.get(seconds.len() / 2).copied().unwrap_or(0.0)
    }
}

/// C / N.
fn share(crowd: &Crowd) -> f64 {
    crowd.colluders().count() as f64 / crowd.len() as f64
}
