//! One person's part: hand the contribution to a replica, to another one when that stays silent, and leave.

use std::sync::Arc;

use base::{Instant, NodeId, Outbox};

use crate::committee::contribution::Bundle;
use crate::committee::message::Message;
use crate::committee::protocol::{Committee, Timer};
use crate::committee::terms::Terms;

/// A contribution on its way.
pub struct Contributor {
    terms: Arc<Terms>,
    bundle: Box<Bundle>,
    doors: Vec<NodeId>,
    /// How many of these were tried.
    tried: usize,
    retry_at: Instant,
}

impl Contributor {
    /// Hands `bundle` to the first of the person's [`doors`](Terms::doors).
    pub fn start(
        terms: Arc<Terms>,
        bundle: Bundle,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) -> Self {
        let mut contributor = Self {
            doors: terms.doors(bundle.header.node()),
            terms,
            bundle: Box::new(bundle),
            tried: 0,
            retry_at: now,
        };
        contributor.hand_over(now, out);
        contributor
    }

    /// Tries another replica when it is time. Whether this contribution is over.
    pub fn handle_timer(&mut self, now: Instant, out: &mut Outbox<Committee>) -> bool {
        now >= self.retry_at && !self.hand_over(now, out)
    }

    /// Tries another replica when this was the one. Whether this contribution is over.
    pub fn on_unreachable(
        &mut self,
        node: NodeId,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) -> bool {
        self.doors[..self.tried].last() == Some(&node) && !self.hand_over(now, out)
    }

    /// Whether `node` was handed the contribution.
    pub fn has_tried(&self, node: NodeId) -> bool {
        self.doors[..self.tried].contains(&node)
    }

    fn hand_over(&mut self, now: Instant, out: &mut Outbox<Committee>) -> bool {
        let Some(door) = self.doors.get(self.tried) else {
            return false;
        };
        self.tried += 1;
        let round = self.terms.round();
        out.send(*door, Message::Bundle(round, self.bundle.clone()));
        self.retry_at = now + self.terms.patience(now);
        out.wake(self.retry_at, Timer::Contributor(round));
        true
    }
}
