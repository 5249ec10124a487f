//! Step 2: from the replica that was handed a contribution to all others.
//!
//! It gives each lane's item to one seat of the lane, which passes it on to its mates, and all who hold it tell the first one
//! so. When no more say so, those who have not get it from the first one: a seat that died or lies delays its lane, and no
//! more. So the first replica sends a contribution once to each lane, and not to each seat; and where messages are slow because
//! links are busy, it does not make them busier by sending again what is on its way.

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Instant, NodeId, Outbox};

use super::{BATCH_BYTES, BATCH_MAX, Replica, longest_item};
use crate::committee::contribution::{Bundle, Item};
use crate::committee::message::{Message, Way};
use crate::committee::protocol::{Committee, Context, Timer};
use crate::committee::terms::Terms;

/// A contribution that was passed on.
pub(super) struct Handing {
    bundle: Bundle,
    held_by: BTreeSet<usize>,
    /// When those who have not said that they hold it get it again.
    due: Instant,
    /// When it was passed on.
    since: Instant,
    /// Whether its author knows that it is in safe hands.
    is_accepted: bool,
}

impl Replica {
    /// Contributions in one message, so that it is no longer than [`BATCH_BYTES`].
    pub(super) fn batch_max(&self) -> usize {
        (BATCH_BYTES / longest_item(&self.terms, self.longest_sealed)).clamp(1, BATCH_MAX)
    }

    pub(super) fn flush(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        self.flush_at = None;
        let batch = std::mem::take(&mut self.batch);
        let mut first: BTreeMap<usize, Vec<Item>> = BTreeMap::new();
        for bundle in &batch {
            for lane in (0..self.terms.lanes()).filter(|lane| *lane != self.lane) {
                let seat = self.first_of(lane, bundle.header.node());
                first.entry(seat).or_default().push(bundle.item(lane));
            }
        }
        for (seat, items) in first {
            let to = self.terms.seats[seat];
            out.send(to, Message::Forward(self.round(), items, Way::Lane));
        }
        let own = batch.iter().map(|bundle| bundle.item(self.lane)).collect();
        self.pass_on(self.seat, own, out);
        let due = put_off(&self.terms, now, now);
        for bundle in batch {
            let handing = Handing {
                held_by: BTreeSet::from([self.seat]),
                due,
                since: now,
                is_accepted: false,
                bundle,
            };
            self.handing.insert(handing.bundle.header.node(), handing);
        }
        out.wake(due, Timer::Replica(self.round()));
        self.close_if_complete(context, now, out);
    }

    /// Which seat of `lane` gets a person's contribution first: for each person and lane another one, if it answers.
    fn first_of(&self, lane: usize, person: NodeId) -> usize {
        let number = (lane as u64).to_be_bytes();
        let lot = Digest::of("first of the lane", &[person.as_bytes(), &number]).0;
        let seats = self.terms.lane(lane);
        let turn = u64::from_be_bytes(*lot.first_chunk().expect("a digest has 32 bytes"));
        let turn = (turn % seats.len() as u64) as usize;
        let mut others = seats.clone().cycle().skip(turn).take(seats.len());
        let answering = others.find(|seat| !self.silent.contains(seat));
        answering.unwrap_or(seats.start + turn)
    }

    /// Gives the lane mates what came from `first`, who was handed it.
    pub(super) fn pass_on(&self, first: usize, items: Vec<Item>, out: &mut Outbox<Committee>) {
        if items.is_empty() {
            return;
        }
        let way = Way::From(u16::try_from(first).unwrap_or(u16::MAX));
        let first = self.terms.seats[first];
        for mate in self.mates().filter(|mate| *mate != first) {
            out.send(mate, Message::Forward(self.round(), items.clone(), way));
        }
    }

    /// Tells the replica that was handed these contributions which of them are held here under these headers.
    pub(super) fn say_held(
        &self,
        from: usize,
        way: Way,
        names: &[(NodeId, Digest)],
        out: &mut Outbox<Committee>,
    ) {
        let first = match way {
            Way::Here => return,
            Way::Lane => from,
            Way::From(seat) => usize::from(seat),
        };
        let is_held = |(name, header): &&(NodeId, Digest)| {
            let held = self.held.get(name);
            held.is_some_and(|held| held.entry.header == *header)
        };
        let names: Vec<_> = names.iter().filter(is_held).map(|(n, _)| *n).collect();
        let first = self.terms.seats.get(first).filter(|_| !names.is_empty());
        if let Some(first) = first.filter(|first| **first != self.terms.seats[self.seat]) {
            out.send(*first, Message::Held(self.round(), names));
        }
    }

    pub(super) fn on_held(
        &mut self,
        now: Instant,
        seat: usize,
        names: &[NodeId],
        out: &mut Outbox<Committee>,
    ) {
        self.silent.remove(&seat);
        let round = self.round();
        for name in names.iter().take(BATCH_MAX) {
            let Some(handing) = self.handing.get_mut(name) else {
                continue;
            };
            if handing.held_by.insert(seat) {
                handing.due = put_off(&self.terms, handing.since, now);
            }
            if !handing.is_accepted && handing.is_safe(&self.terms) {
                handing.is_accepted = true;
                out.send(*name, Message::Accepted(round));
            }
            if handing.held_by.len() == self.terms.seats.len() {
                self.handing.remove(name);
            }
        }
    }

    /// Gives what is due to those who have not said that they hold it. Then it cannot get lost with this replica.
    pub(super) fn hand_over(&mut self, now: Instant, out: &mut Outbox<Committee>) {
        let due: Vec<_> = self
            .handing
            .extract_if(.., |_, handing| now >= handing.due)
            .map(|(_, handing)| handing)
            .collect();
        if let Some(next) = self.handing.values().map(|handing| handing.due).min() {
            out.wake(next, Timer::Replica(self.round()));
        }
        let mut lacking: BTreeMap<usize, Vec<Item>> = BTreeMap::new();
        for handing in &due {
            for seat in (0..self.terms.seats.len()).filter(|s| !handing.held_by.contains(s)) {
                if self.silent.contains(&seat) && self.is_held_in_lane(handing, seat) {
                    // Likely dead; if it comes back, it can ask.
                    continue;
                }
                let item = handing.bundle.item(self.terms.sizes.lane_of(seat));
                lacking.entry(seat).or_default().push(item);
            }
        }
        self.silent.extend(lacking.keys());
        for (seat, items) in lacking {
            for part in items.chunks(self.batch_max()) {
                let forward = Message::Forward(self.round(), part.to_vec(), Way::Here);
                out.send(self.terms.seats[seat], forward);
            }
        }
        for handing in due.iter().filter(|handing| !handing.is_accepted) {
            let author = handing.bundle.header.node();
            out.send(author, Message::Accepted(self.round()));
        }
    }

    /// Whether enough of the lane of `seat` hold it.
    fn is_held_in_lane(&self, handing: &Handing, seat: usize) -> bool {
        let lane = self.terms.sizes.lane_of(seat);
        handing.held_in(&self.terms, lane) >= usize::from(self.terms.sizes.signers)
    }
}

/// When a contribution that was passed on at `since` is due again for those who have not said by `now` that they hold it: each
/// who says so puts it off, but not beyond the time at which its author tries somebody else.
fn put_off(terms: &Terms, since: Instant, now: Instant) -> Instant {
    let patience = terms.patience(since);
    (now + patience / 3).min(since + patience * 5 / 6)
}

impl Handing {
    fn held_in(&self, terms: &Terms, lane: usize) -> usize {
        self.held_by.range(terms.lane(lane)).count()
    }

    /// Whether so many of each lane hold it that it is in the set whichever of their lists that is made of: of the 2t - 1 or
    /// more of a lane that must be used, t hold it.
    fn is_safe(&self, terms: &Terms) -> bool {
        let sizes = terms.sizes;
        let enough = usize::from(sizes.replicas - sizes.signers + 1);
        (0..terms.lanes()).all(|lane| self.held_in(terms, lane) >= enough)
    }
}
