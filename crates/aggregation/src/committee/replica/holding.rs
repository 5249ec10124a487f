//! Step 2: contributions.

use base::{Digest, Instant, NodeId, Outbox};

use super::{BATCH, BATCH_MAX, Held, Replica};
use crate::committee::contribution::{Bundle, Item, longest_sealed, open_share};
use crate::committee::fault::Misbehaviour;
use crate::committee::inclusion::CONTRIBUTORS_MAX;
use crate::committee::message::Message;
use crate::committee::protocol::{Committee, Context, Timer};

impl Replica {
    pub(super) fn on_bundle(
        &mut self,
        context: &mut Context,
        now: Instant,
        from: NodeId,
        bundle: Bundle,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if bundle.header.node() != from {
            return Err(Misbehaviour::Signature);
        }
        if !bundle.has_shape(&self.terms) {
            return Err(Misbehaviour::Shape);
        }
        if self.closed.is_some() || self.batch.iter().any(|b| b.header.node() == from) {
            return Ok(());
        }
        let item = bundle.item(self.lane);
        if let Some(held) = self.held.get(&from) {
            // Passed on by another replica, whose word may not have reached the contributor.
            if held.item.header == item.header {
                out.send(from, Message::Accepted(self.round()));
            }
            return Ok(());
        }
        self.hold(context, now, item)?;
        self.batch.push(bundle);
        if self.batch.len() >= BATCH_MAX {
            self.flush(context, now, out);
        } else if self.flush_at.is_none() {
            self.flush_at = Some(now + BATCH);
            out.wake(now + BATCH, Timer::Replica(self.round()));
        }
        Ok(())
    }

    pub(super) fn flush(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        self.flush_at = None;
        let batch = std::mem::take(&mut self.batch);
        let round = self.round();
        for (seat, node) in self.terms.seats.iter().enumerate() {
            if seat != self.seat {
                let lane = self.terms.sizes.lane_of(seat);
                let items = batch.iter().map(|bundle| bundle.item(lane)).collect();
                out.send(*node, Message::Forward(round, items));
            }
        }
        for bundle in &batch {
            out.send(bundle.header.node(), Message::Accepted(round));
        }
        self.close_if_complete(context, now, out);
    }

    pub(super) fn on_forward(
        &mut self,
        context: &mut Context,
        now: Instant,
        items: Vec<Item>,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if items.len() > BATCH_MAX {
            return Err(Misbehaviour::Shape);
        }
        let mut result = Ok(());
        for item in items {
            result = result.and(self.hold(context, now, item));
        }
        self.close_if_complete(context, now, out);
        if self.decided.is_some() {
            self.advance(context, now, out);
        }
        result
    }

    /// Keeps a contribution: the first header of each contributor, or the one that was agreed on.
    pub(super) fn hold(
        &mut self,
        context: &Context,
        now: Instant,
        item: Item,
    ) -> Result<(), Misbehaviour> {
        let node = item.header.node();
        let digest = item.header.digest(self.round());
        let agreed = self.agreed_header(node);
        if let Some(held) = self.held.get(&node) {
            let replaces = agreed == Some(digest) && held.digest != digest;
            if held.is_complete() && !replaces {
                return Ok(());
            }
            if held.digest != digest && !replaces {
                return Ok(());
            }
        }
        if self.closed.is_some() && agreed.is_some_and(|agreed| agreed != digest) {
            return Ok(());
        }
        if self.held.len() >= CONTRIBUTORS_MAX || item.sealed.len() > longest_sealed(&self.terms) {
            return Err(Misbehaviour::Shape);
        }
        item.header.check(&self.terms, &context.community, now)?;
        let share = if item.header.declines() {
            None
        } else {
            // The lane's secret may still be on its way.
            let open = |secret| open_share(&self.terms, self.lane, &item, secret);
            self.chosen_secret().map(open).transpose()?
        };
        self.held.insert(
            node,
            Held {
                item,
                digest,
                share,
            },
        );
        Ok(())
    }

    pub(super) fn open_waiting(&mut self) {
        let Some(secret) = self.chosen_secret().cloned() else {
            return;
        };
        for held in self.held.values_mut().filter(|held| !held.is_complete()) {
            held.share = open_share(&self.terms, self.lane, &held.item, &secret).ok();
        }
    }

    pub(super) fn agreed_header(&self, node: NodeId) -> Option<Digest> {
        let entries = self.decided.as_ref()?.entries.as_ref()?;
        let at = entries
            .binary_search_by(|entry| entry.contributor.cmp(&node))
            .ok()?;
        Some(entries[at].header)
    }
}
