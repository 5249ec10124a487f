//! Keeping records for others, and seeing to it that the right nodes do.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Instant, Location, NodeId, Outbox};
use community::Contact;

use super::holders::{COPIES, is_near};
use super::message::HOLDING_MAX;
use super::{Message, Record, Records, send};
use crate::AtMost;
use crate::View;
use crate::near::nearest;
use crate::spreading::Spreading;

/// A record is kept by a node that is among so many nearest ones, though only the nearest [`COPIES`] are asked: who is
/// nearest changes back and forth.
const KEEPING: usize = 2 * COPIES;
/// Most nodes that were told what is kept here and may still ask for it. Guess: newcomers between two comparisons.
const TOLD_MAX: usize = 64;

impl Records {
    pub(super) fn on_store(
        &mut self,
        now: Instant,
        from: NodeId,
        record: Record,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) {
        let location = self.location(&record);
        if !self.keeps(now, location, view) {
            return;
        }
        let issued = record.issued();
        let same = self.shelf.get(location, now) == Some(&record);
        let takes = !same && self.shelf.has_room_for(location, &record, now);
        if same || takes && self.check(now, from, &record, out) {
            if takes {
                self.shelf.insert(location, record, now);
            }
            send(out, from, Message::Stored(location, issued));
        }
    }

    /// Whether this node is near enough to `location` to keep what lies there.
    fn keeps(&self, now: Instant, location: Location, view: &View) -> bool {
        is_near(view, self.own, location, KEEPING, |node| {
            self.away.is_there(node, now)
        })
    }

    pub(super) fn tell_nearest(
        &self,
        to: NodeId,
        location: Location,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) {
        let found = nearest(&view.cache, location, COPIES, |_| true);
        let contacts = found.iter().map(|contact| (**contact).clone()).collect();
        send(out, to, Message::Near(location, AtMost::first_of(contacts)));
    }

    /// Drops what is no longer to be kept here, and compares the rest with another keeper.
    pub fn handle_sync(&mut self, now: Instant, view: &View, out: &mut Outbox<Spreading>) {
        let Self { own, away, .. } = self;
        let there = |node| away.is_there(node, now);
        let keeps = |location| is_near(view, *own, location, KEEPING, there);
        self.shelf.retain(now, keeps);
        self.told.clear();
        self.tell_someone(now, view, out);
    }

    /// Compares with a random other keeper of a random record.
    fn tell_someone(&mut self, now: Instant, view: &View, out: &mut Outbox<Spreading>) {
        let count = self.shelf.iter().count() as u64;
        if count == 0 {
            return;
        }
        let at = self.rng.below(count) as usize;
        let place = self.shelf.iter().nth(at).map(|(location, _)| location);
        let place = place.expect("it is below their number");
        let others = |node| node != self.own && self.away.is_there(node, now);
        let others = nearest(&view.cache, place, COPIES, others);
        if !others.is_empty() {
            let chosen = others[self.rng.below(others.len() as u64) as usize].node();
            self.tell(now, chosen, view, out);
        }
    }

    /// A node cannot be reached: what it was to be told another is.
    pub(super) fn tell_another(
        &mut self,
        now: Instant,
        node: NodeId,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) {
        let known = self.away.insert(node, now);
        if self.told.remove(&node) && known {
            self.tell_someone(now, view, out);
        }
    }

    /// A node came into the view: what it should keep it is told at once.
    pub fn handle_known(
        &mut self,
        now: Instant,
        contact: &Arc<Contact>,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) {
        let node = contact.node();
        self.away.remove(node);
        let here = view.own().location();
        if node != self.own
            && is_near(view, node, here, 2 * KEEPING, |node| {
                self.away.is_there(node, now)
            })
        {
            self.tell(now, node, view, out);
        }
    }

    /// Tells `to` what is kept here that it should keep, too.
    fn tell(&mut self, now: Instant, to: NodeId, view: &View, out: &mut Outbox<Spreading>) {
        let there = |node| self.away.is_there(node, now);
        let shared = |location| is_near(view, to, location, COPIES, there);
        let all = self
            .shelf
            .iter()
            .filter(|(location, record)| now <= record.expires() && shared(*location));
        let mut all: Vec<_> = all.map(|(at, record)| (at, record.issued())).collect();
        if all.is_empty() || self.told.len() >= TOLD_MAX {
            return;
        }
        // Of more than fit, others come first next time.
        let first = self.rng.below(all.len() as u64) as usize;
        all.rotate_left(first);
        self.told.insert(to);
        send(out, to, Message::Holding(AtMost::first_of(all)));
    }

    pub(super) fn on_holding(
        &mut self,
        now: Instant,
        from: NodeId,
        theirs: Vec<(Location, Instant)>,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) {
        let mut lacking = Vec::new();
        let theirs: BTreeMap<_, _> = theirs.into_iter().collect();
        for (location, issued) in theirs {
            match self.shelf.get(location, now) {
                Some(kept) if kept.issued() > issued => {
                    send(out, from, Message::Store(Box::new(kept.clone())));
                }
                Some(kept) if kept.issued() == issued => {}
                _ if self.keeps(now, location, view) => lacking.push(location),
                _ => {}
            }
        }
        if !lacking.is_empty() {
            send(
                out,
                from,
                Message::Lacking(AtMost::<_, HOLDING_MAX>::first_of(lacking)),
            );
        }
    }

    pub(super) fn on_lacking(
        &mut self,
        now: Instant,
        from: NodeId,
        locations: Vec<Location>,
        out: &mut Outbox<Spreading>,
    ) {
        if self.told.remove(&from) {
            let locations: BTreeSet<_> = locations.into_iter().collect();
            let kept = locations.iter().filter_map(|at| self.shelf.get(*at, now));
            for record in kept {
                send(out, from, Message::Store(Box::new(record.clone())));
            }
        }
    }
}
