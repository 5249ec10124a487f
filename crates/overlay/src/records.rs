//! Small signed words that outlive their owner's being online (design: overlay).
//!
//! A record lies at a place of the ring, a hash of community, owner and key, and the eight nodes nearest to it keep it
//! until it expires or its owner replaces it. Who is nearest to a place of its own region a node knows; for another, it
//! asks for somebody near there (`Find`) and that node for its neighbours, so that one liar there cannot hide a record.
//!
//! From time to time each keeper compares what it keeps with some neighbour, and as soon as a newcomer is near, with it.
//! So a record goes where it should be when nodes come and go. A node that cannot be reached counts as gone for a while.
//! What has moved away is dropped when twice as many nodes as keep it are nearer.
//!
//! Nobody needs to believe a keeper: owners sign, and of several answers the latest counts.

mod away;
mod holders;
mod keeping;
mod message;
mod record;
mod requests;
mod searching;
mod shelf;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Instant, Location, NodeId, Outbox, Rng};
use community::{Community, Identity};

use crate::View;
use crate::distrust::Distrust;
use crate::spreading::breach::SpreadingBreach;
use crate::spreading::{self, Event, Spreading};
use away::Away;
pub use holders::COPIES;
pub use message::Message;
pub use record::{Entry, KEY_MAX, LIFE_MAX, Owner, Record, VALUE_MAX};
use requests::Request;
pub use requests::{REQUESTS_MAX, RecordError};
use shelf::Shelf;

/// One node's part in all records.
pub struct Records {
    community: Arc<Community>,
    own: NodeId,
    rng: Rng,
    shelf: Shelf,
    /// What this node wants to put or get, numbered.
    requests: BTreeMap<u64, Request>,
    requested: u64,
    /// To whom was told what is kept here, and who has not answered yet.
    told: BTreeSet<NodeId>,
    away: Away,
    distrust: Distrust,
}

impl Records {
    /// A node that keeps nothing.
    pub fn new(community: Arc<Community>, identity: &Identity, rng: Rng) -> Self {
        Self {
            community,
            own: identity.node(),
            rng,
            shelf: Shelf::new(identity.certificate.location()),
            requests: BTreeMap::new(),
            requested: 0,
            told: BTreeSet::new(),
            away: Away::default(),
            distrust: Distrust::default(),
        }
    }

    /// The record that is kept here for this place, if any.
    pub fn record(&self, location: Location, now: Instant) -> Option<&Record> {
        self.shelf.get(location, now)
    }

    /// How many records are kept here.
    pub fn kept(&self) -> usize {
        self.shelf.iter().count()
    }

    /// A message from a peer.
    pub fn on_message(
        &mut self,
        now: Instant,
        from: NodeId,
        message: Message,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) {
        self.away.remove(from);
        match message {
            Message::Store(record) => self.on_store(now, from, *record, view, out),
            Message::Fetch(location) => {
                let record = self.shelf.get(location, now).cloned().map(Box::new);
                send(out, from, Message::Fetched(location, record));
            }
            Message::Nearest(location) => self.tell_nearest(from, location, view, out),
            Message::Holding(theirs) => self.on_holding(now, from, theirs.into_inner(), view, out),
            Message::Lacking(locations) => {
                self.on_lacking(now, from, locations.into_inner(), out);
            }
            Message::Stored(location, issued) => self.on_stored(from, location, issued, out),
            Message::Fetched(location, record) => {
                self.on_fetched(now, from, location, record, out);
            }
            Message::Near(location, contacts) => {
                self.on_near(now, from, location, contacts.into_inner(), view, out);
            }
        }
    }

    /// A message to `node` could not be delivered.
    pub fn on_unreachable(
        &mut self,
        now: Instant,
        node: NodeId,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) {
        self.tell_another(now, node, view, out);
        self.give_up_on(now, node, out);
    }

    /// Checks a record of `from` and blames it when it does not hold.
    fn check(
        &mut self,
        now: Instant,
        from: NodeId,
        record: &Record,
        out: &mut Outbox<Spreading>,
    ) -> bool {
        if self.distrust.contains(from, now) {
            return false;
        }
        let checked = record.verify(self.community.descriptor(), now);
        checked
            .map_err(|what| self.blame(now, from, what, out))
            .is_ok()
    }

    fn blame(
        &mut self,
        now: Instant,
        node: NodeId,
        what: SpreadingBreach,
        out: &mut Outbox<Spreading>,
    ) {
        if what.is_forgery() {
            self.distrust.insert(node, now);
        }
        out.emit(Event::Misbehaved { node, what });
    }

    fn location(&self, record: &Record) -> Location {
        record.location(&self.community.descriptor().community)
    }
}

fn send(out: &mut Outbox<Spreading>, to: NodeId, message: Message) {
    out.send(to, spreading::Message::Records(message));
}

#[cfg(test)]
mod tests;
