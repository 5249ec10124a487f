//! One person's part: hand the contribution to a replica, to a second one when the first stays silent, and leave.

use std::sync::Arc;

use base::{Duration, Instant, NodeId, Outbox, Rng};

use crate::committee::contribution::Bundle;
use crate::committee::message::Message;
use crate::committee::protocol::{Committee, Timer};
use crate::committee::terms::Terms;

/// How long a replica may take to acknowledge. Guess: several round trips.
const ACKNOWLEDGE: Duration = Duration::from_millis(1500);
/// How many replicas a contribution is handed to.
const REPLICAS_MAX: usize = 2;

/// A contribution on its way.
pub struct Contributor {
    terms: Arc<Terms>,
    bundle: Box<Bundle>,
    tried: Vec<NodeId>,
    retry_at: Instant,
}

impl Contributor {
    /// Hands `bundle` to a replica.
    pub fn start(
        terms: Arc<Terms>,
        bundle: Bundle,
        now: Instant,
        rng: &mut Rng,
        out: &mut Outbox<Committee>,
    ) -> Self {
        let mut contributor = Self {
            terms,
            bundle: Box::new(bundle),
            tried: Vec::new(),
            retry_at: now,
        };
        contributor.hand_over(now, rng, out);
        contributor
    }

    /// Tries another replica when it is time. Whether this contribution is over.
    pub fn handle_timer(
        &mut self,
        now: Instant,
        rng: &mut Rng,
        out: &mut Outbox<Committee>,
    ) -> bool {
        now >= self.retry_at && !self.hand_over(now, rng, out)
    }

    /// Tries another replica when this was the one. Whether this contribution is over.
    pub fn on_unreachable(
        &mut self,
        node: NodeId,
        now: Instant,
        rng: &mut Rng,
        out: &mut Outbox<Committee>,
    ) -> bool {
        self.tried.last() == Some(&node) && !self.hand_over(now, rng, out)
    }

    /// Whether `node` was handed the contribution.
    pub fn has_tried(&self, node: NodeId) -> bool {
        self.tried.contains(&node)
    }

    fn hand_over(&mut self, now: Instant, rng: &mut Rng, out: &mut Outbox<Committee>) -> bool {
        let fresh: Vec<_> = self
            .terms
            .seats
            .iter()
            .copied()
            .filter(|seat| !self.tried.contains(seat))
            .collect();
        if self.tried.len() >= REPLICAS_MAX || fresh.is_empty() {
            return false;
        }
        let chosen = fresh[rng.below(fresh.len() as u64) as usize];
        self.tried.push(chosen);
        let round = self.terms.round();
        out.send(chosen, Message::Bundle(round, self.bundle.clone()));
        self.retry_at = now + ACKNOWLEDGE;
        out.wake(self.retry_at, Timer::Contributor(round));
        true
    }
}
