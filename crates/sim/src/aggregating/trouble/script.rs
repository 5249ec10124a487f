//! Who suffers what, and when.

use std::collections::{BTreeMap, BTreeSet};

use base::{Duration, Instant, NodeId, Rng};

use super::{Death, Faults, Step};
use crate::aggregating::player::Player;
use crate::aggregating::setting::shuffle;
use crate::{Action, Direction, START, Simulation};

/// Within which accidents happen: about as long as a computation takes without any.
const WHEN: u64 = 2_000_000;
/// Most messages of a step that one who dies in it still sends, and one more. Guess: as many as the shortest steps have.
const SAID_MAX: u64 = 2;
/// Within which helpers are cut off for good: most computations are not over yet.
const CUT_WHEN: u64 = 800_000;
/// Contributions are called for after about half a second, so that this is mostly before.
const BEFORE_CALL: u64 = 600_000;
/// For how long slow helpers are slow: until everybody has given up.
const SLOW_FOR: u64 = 56_000_000;
/// How often they wake up. Guess: a machine that has far too much to do.
const SLOW_EVERY: u64 = 500_000;
/// Longer than any computation.
const FOR_GOOD: Duration = Duration::from_secs(3600);

fn moment(rng: &mut Rng) -> Instant {
    START + Duration::from_micros(rng.below(WHEN))
}

/// Exactly this share of them.
fn some(of: &[NodeId], percent: u64, rng: &mut Rng) -> Vec<NodeId> {
    let mut all = of.to_vec();
    shuffle(&mut all, rng);
    all.truncate((of.len() as u64 * percent / 100) as usize);
    all
}

impl Faults {
    /// Who dies of itself, and when.
    pub(in crate::aggregating) fn deaths(
        &self,
        seats: &[NodeId],
        seatless: &[NodeId],
        rng: &mut Rng,
    ) -> BTreeMap<NodeId, Death> {
        let mut deaths = BTreeMap::new();
        for node in some(seatless, self.vanish, rng) {
            let ways = [Death::Before, Death::InBundle, Death::AfterBundle];
            deaths.insert(node, ways[rng.below(3) as usize]);
        }
        if let Some(step) = self.crash_at {
            let victims = self.victims_of(step, seats, rng);
            let death = |node| (node, Death::In(step, rng.below(SAID_MAX)));
            deaths.extend(victims.into_iter().map(death));
        }
        deaths
    }

    fn victims_of(&self, step: Step, seats: &[NodeId], rng: &mut Rng) -> Vec<NodeId> {
        let mut seats = seats.to_vec();
        if !step.leads() {
            shuffle(&mut seats, rng);
        }
        // Seats lead in their order.
        let count = (seats.len() as u64 * self.crash / 100).max(1);
        seats.truncate(count as usize);
        seats
    }

    /// Puts everything else on the script. Exactly the stated share of the helpers crashes.
    pub(in crate::aggregating) fn script(
        &self,
        simulation: &mut Simulation<Player>,
        seats: &[NodeId],
        deaths: &BTreeMap<NodeId, Death>,
        rng: &mut Rng,
    ) {
        if self.crash_at.is_none() {
            for seat in some(seats, self.crash, rng) {
                simulation.at(moment(rng), Action::Crash(seat));
            }
        }
        let before = deaths.iter().filter(|(_, death)| **death == Death::Before);
        for (node, _) in before {
            let at = START + Duration::from_micros(rng.below(BEFORE_CALL));
            simulation.at(at, Action::Crash(*node));
        }
        for seat in some(seats, self.pause, rng) {
            let lasting = Duration::from_micros(rng.below(5_000_000));
            simulation.at(moment(rng), Action::Pause(seat, lasting));
        }
        for seat in some(seats, self.slow, rng) {
            for at in (0..SLOW_FOR).step_by(SLOW_EVERY as usize) {
                let lasting = Duration::from_micros(rng.below(SLOW_EVERY));
                let at = START + Duration::from_micros(at);
                simulation.at(at, Action::Pause(seat, lasting));
            }
        }
        let lasting = Duration::from_micros(rng.below(5_000_000));
        let side = some(seats, self.partition, rng);
        simulation.at(moment(rng), apart(seats, side, lasting));
        let at = START + Duration::from_micros(rng.below(CUT_WHEN));
        let side = some(seats, self.cut, rng);
        simulation.at(at, apart(seats, side, FOR_GOOD));
    }
}

fn apart(seats: &[NodeId], side: Vec<NodeId>, lasting: Duration) -> Action<Player> {
    let side: BTreeSet<_> = side.into_iter().collect();
    let others = seats.iter().filter(|seat| !side.contains(seat));
    Action::Partition {
        b: others.copied().collect(),
        a: side,
        direction: Direction::Both,
        lasting,
    }
}
