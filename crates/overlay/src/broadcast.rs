//! Telling something to every node (design: overlay; the tree is that of El-Ansary et al., "Efficient broadcast in
//! structured P2P networks", 2003).
//!
//! The initiator splits the ring into spans and passes the payload to one node in each, which does the same with its
//! span. A relay says at once that it has the payload; around one that does not, the sender splits the span again. So a
//! payload travels once to each node, over about log2 of their number hops.
//!
//! What a relay does with its span is not watched: whatever it reported, a liar would report, too. Instead every node
//! offers what it has heard, by name, to its neighbours and to some nodes far away, once the tree should be done. Who
//! lacks it asks for it, and offers it in turn, to more nodes, because what it missed others near it missed as well. So
//! what a silent or lying relay leaves out heals from all sides. And from time to time each node compares what it has
//! heard with some node of its cache: who joins in the middle, or was away, learns of it as long as anybody passes it on.
//!
//! Payloads are signed by their initiator. Each node checks two signatures per broadcast, when it first gets it.

mod announcement;
mod heard;
mod message;
mod offering;
mod passing;
mod span;
mod wanted;

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Digest, Instant, NodeId, Outbox, Rng};
use community::{Community, Identity};
use thiserror::Error;

use crate::View;
use crate::distrust::Distrust;
use crate::spreading::breach::SpreadingBreach;
use crate::spreading::{Event, Spreading, Timer};
pub use announcement::{AGE_MAX, Announcement, PAYLOAD_MAX};
pub use heard::BROADCASTS_MAX;
use heard::{Full, Heards, OFFER_AFTER};
pub use message::Message;
pub use span::Span;
use wanted::Wanted;

/// One node's part in all broadcasts.
pub struct Broadcast {
    community: Arc<Community>,
    identity: Arc<Identity>,
    rng: Rng,
    /// Which nodes far away are offered what was heard, as parts of 2^64 of those known: the same each time, as a question tells
    /// everybody twice and each new pair is a connection.
    far: Option<[u64; offering::FAR_FROM_HOLE]>,
    heard: Heards,
    /// To whom something was passed, which span it is to see to, and until when it is to say so.
    passing: BTreeMap<(Digest, NodeId, Span), Instant>,
    wanted: Wanted,
    distrust: Distrust,
}

/// Why nothing was broadcast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum BroadcastError {
    /// This node is no member yet: it knows nobody to tell.
    #[error("this node has not joined yet; try again when it has")]
    Newcomer,
    /// The payload is too long.
    #[error("at most {PAYLOAD_MAX} bytes can be broadcast; tell where the rest is found instead")]
    TooLong,
    /// This node has broadcast as often as others take it.
    #[error(
        "others take {BROADCASTS_MAX} broadcasts of one node in twelve minutes; try again later"
    )]
    TooOften,
    /// This node has heard so many broadcasts that it can remember no more.
    #[error("too many broadcasts are under way; try again later")]
    Busy,
}

/// How a broadcast came to be known here.
enum Receipt {
    First,
    Again,
    Refused,
}

impl Broadcast {
    /// A node that has heard nothing.
    pub fn new(community: Arc<Community>, identity: Arc<Identity>, rng: Rng) -> Self {
        Self {
            community,
            identity,
            far: None,
            rng,
            heard: Heards::default(),
            passing: BTreeMap::new(),
            wanted: Wanted::default(),
            distrust: Distrust::default(),
        }
    }

    /// Tells `payload` to everybody else.
    ///
    /// # Errors
    ///
    /// See [`BroadcastError`].
    pub fn start(
        &mut self,
        now: Instant,
        payload: Vec<u8>,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) -> Result<(), BroadcastError> {
        if payload.len() > PAYLOAD_MAX {
            return Err(BroadcastError::TooLong);
        }
        let announcement = Announcement::new(&self.identity, now, payload);
        let id = announcement.id();
        if self.heard.contains(&id) {
            return Ok(());
        }
        self.heard.forget(now);
        let admitted = self.heard.admits(announcement.initiator());
        admitted.map_err(|full| match full {
            Full::Initiator => BroadcastError::TooOften,
            Full::All => BroadcastError::Busy,
        })?;
        self.heard.insert(now, id, announcement);
        out.wake(now + OFFER_AFTER, Timer::Offer(id));
        self.pass(now, id, Span::all_but(view.own().location()), view, out);
        Ok(())
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
        match message {
            Message::Pass(announcement, span) => {
                self.on_pass(now, from, announcement, span, view, out);
            }
            Message::Also(id, span) => self.on_span(now, from, id, span, view, out),
            Message::Received(id, span) => {
                self.passing.remove(&(id, from, span));
            }
            Message::Offer(ids) => self.on_offer(now, from, ids.into_inner(), out),
            Message::Want(id) => self.on_want(now, from, id, out),
            Message::Give(announcement) => self.on_give(now, from, announcement, view, out),
            Message::Compare(ids) => self.on_compare(now, from, ids.into_inner(), out),
        }
    }

    /// A message to `node` could not be delivered: whatever it was, another does it.
    pub fn on_unreachable(
        &mut self,
        now: Instant,
        node: NodeId,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) {
        self.pass_around(now, |(_, to, _), _| *to == node, view, out);
        for id in self.wanted.unreachable(node, now) {
            self.ask_next(now, id, out);
        }
    }

    /// Takes a broadcast that is new: two signature checks. One that is known costs none.
    fn receive(
        &mut self,
        now: Instant,
        from: NodeId,
        announcement: Announcement,
        out: &mut Outbox<Spreading>,
    ) -> Receipt {
        let id = announcement.id();
        if self.heard.contains(&id) {
            return Receipt::Again;
        }
        if self.distrust.contains(from, now) {
            return Receipt::Refused;
        }
        if let Err(what) = announcement.verify(self.community.descriptor(), now) {
            if what.is_forgery() {
                self.distrust.insert(from, now);
            }
            out.emit(Event::Misbehaved { node: from, what });
            return Receipt::Refused;
        }
        let initiator = announcement.initiator();
        match self.heard.admits(initiator) {
            Ok(()) => {}
            Err(Full::Initiator) => {
                // Who passed it on may have taken fewer of them.
                let (node, what) = (initiator, SpreadingBreach::TooManyBroadcasts);
                out.emit(Event::Misbehaved { node, what });
                return Receipt::Refused;
            }
            Err(Full::All) => return Receipt::Refused,
        }
        let (from, payload) = (initiator, announcement.payload().to_vec());
        out.emit(Event::Heard { from, payload });
        self.wanted.came(&id);
        self.heard.insert(now, id, announcement);
        Receipt::First
    }
}

#[cfg(test)]
mod tests;
