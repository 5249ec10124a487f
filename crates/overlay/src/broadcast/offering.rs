//! Offering a payload to who may have been left out, and asking for what one lacks.

use std::collections::BTreeSet;

use base::{Digest, Duration, Instant, Location, NodeId, Outbox};

use super::message::{COMPARED_MAX, OFFERS_MAX};
use super::passing::send;
use super::{Announcement, Broadcast, Message, Receipt};
use crate::AtMost;
use crate::View;
use crate::spreading::{Spreading, Timer};

/// Nodes on each side to which a payload is offered: with one honest on each side, two holes in a row heal.
const NEIGHBOURS: usize = 2;
/// Nodes far away to which a payload is offered that came down the tree.
const FAR: usize = 2;
/// Nodes far away to which a payload is offered that came by an offer: the sender is in a hole, and who else is.
pub(super) const FAR_FROM_HOLE: usize = 8;
/// Time in which a node gives what it has offered. Guess, as for receipts.
const GIVEN_WITHIN: Duration = Duration::from_secs(2);
/// Most nodes to which one payload is given: so many ask only after a lie near the root, and they give it on.
const GIVEN_MAX: usize = 64;

impl Broadcast {
    /// The tree should be done: who was left out?
    pub fn handle_offer(
        &mut self,
        now: Instant,
        id: Digest,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) {
        let heard = self.heard.get(&id);
        let Some(heard) = heard.filter(|heard| heard.is_on_offer(now)) else {
            return;
        };
        let far = if heard.by_offer { FAR_FROM_HOLE } else { FAR };
        let mut chosen = neighbours(view);
        let away = if view.fingers.is_empty() {
            &view.cache
        } else {
            &view.fingers
        };
        let rng = &mut self.rng;
        let lots = self
            .far
            .get_or_insert_with(|| std::array::from_fn(|_| rng.number()));
        for lot in &lots[..far] {
            let at = (u128::from(*lot) * away.len() as u128) >> 64;
            chosen.extend(away.iter().nth(at as usize).map(|contact| contact.node()));
        }
        chosen.remove(&view.own().node());
        for node in chosen {
            send(out, node, Message::Offer(AtMost::first_of(vec![id])));
        }
    }

    /// Compares with somebody of the cache.
    pub fn handle_compare(&mut self, now: Instant, view: &View, out: &mut Outbox<Spreading>) {
        self.heard.forget(now);
        let nodes = view.cache.iter().map(|contact| contact.node());
        let others: Vec<_> = nodes.filter(|node| *node != view.own().node()).collect();
        if !others.is_empty() {
            let chosen = others[self.rng.below(others.len() as u64) as usize];
            let ids = AtMost::<_, COMPARED_MAX>::first_of(self.heard.ids());
            send(out, chosen, Message::Compare(ids));
        }
    }

    pub(super) fn on_compare(
        &mut self,
        now: Instant,
        from: NodeId,
        theirs: Vec<Digest>,
        out: &mut Outbox<Spreading>,
    ) {
        let known: BTreeSet<_> = theirs.iter().copied().collect();
        let mut ours = self.heard.ids();
        ours.retain(|id| {
            let heard = self.heard.get(id);
            !known.contains(id) && heard.is_some_and(|heard| heard.is_on_offer(now))
        });
        if !ours.is_empty() {
            let ours = AtMost::<_, OFFERS_MAX>::first_of(ours);
            send(out, from, Message::Offer(ours));
        }
    }

    pub(super) fn on_offer(
        &mut self,
        now: Instant,
        from: NodeId,
        ids: Vec<Digest>,
        out: &mut Outbox<Spreading>,
    ) {
        for id in ids {
            if !self.heard.contains(&id) && self.wanted.offered(id, from, now + GIVEN_WITHIN) {
                self.ask(now, from, id, out);
            }
        }
    }

    fn ask(&self, now: Instant, whom: NodeId, id: Digest, out: &mut Outbox<Spreading>) {
        send(out, whom, Message::Want(id));
        out.wake(now + GIVEN_WITHIN, Timer::Wanted(id));
    }

    /// Asks another for a broadcast that did not come in time.
    pub fn ask_next(&mut self, now: Instant, id: Digest, out: &mut Outbox<Spreading>) {
        if let Some(next) = self.wanted.next(&id, now, now + GIVEN_WITHIN) {
            self.ask(now, next, id, out);
        }
    }

    pub(super) fn on_want(
        &mut self,
        now: Instant,
        from: NodeId,
        id: Digest,
        out: &mut Outbox<Spreading>,
    ) {
        let Some(heard) = self.heard.get_mut(&id) else {
            return;
        };
        if heard.given.len() < GIVEN_MAX && !heard.given.contains(&from) {
            let fresh = heard.fresh(now).cloned();
            heard.given.insert(from);
            if let Some(announcement) = fresh {
                send(out, from, Message::Give(announcement));
            }
        }
    }

    pub(super) fn on_give(
        &mut self,
        now: Instant,
        from: NodeId,
        announcement: Announcement,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) {
        let id = announcement.id();
        if let Receipt::First = self.receive(now, from, announcement, out) {
            let heard = self.heard.get_mut(&id).expect("it was received");
            heard.by_offer = true;
            if heard.is_on_offer(now) {
                self.handle_offer(now, id, view, out);
            } else {
                out.wake(heard.offered_at(), Timer::Offer(id));
            }
        }
    }
}

fn neighbours(view: &View) -> BTreeSet<NodeId> {
    let (own, here) = (view.own().node(), view.own().location());
    let ahead = view.cache.clockwise(Location(here.0.wrapping_add(1)));
    let behind = view.cache.anticlockwise(here);
    let near = ahead.take(NEIGHBOURS).chain(behind.take(NEIGHBOURS));
    let nodes = near.map(|contact| contact.node());
    nodes.filter(|node| *node != own).collect()
}
