//! Reaching nodes that this one does not know: telling everybody, and learning where helpers are found.

use base::{Digest, Input, Instant, Location, NodeId, Outbox, decode, encode};
use overlay::broadcast::{BroadcastError, PAYLOAD_MAX};
use thiserror::Error;

use crate::composition::Node;
use crate::message::Message;

/// Most nodes that one tells by itself, where it knows everybody: a call for contributions has up to some 20 kB. Guess.
const DIRECT_MAX: usize = 128;
/// Most messages that wait until this node is a member. Its own questions, at most.
const UNTOLD_MAX: usize = 64;
/// Most steps that wait for addresses; of more, each goes on with those that are known.
const AWAITED_MAX: usize = 256;

/// Messages to everybody, and steps that wait for addresses.
#[derive(Debug, Default)]
pub struct Reaching {
    /// What everybody is to be told once this node is a member.
    untold: Vec<Message>,
    /// Why the last broadcast was none.
    failed: Option<BroadcastError>,
    /// What goes on once addresses are known, by the number of the search for them.
    awaited: std::collections::BTreeMap<u64, Step>,
    searches: u64,
}

/// What is done once addresses are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The asker offers the seats of this question.
    Offer(Digest),
    /// A helper takes its seat.
    Serve(Digest),
    /// An owner contributes.
    Contribute(Digest),
}

/// A broadcast that no honest node makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("it told everybody what is no news of a question")]
pub struct NoNews;

impl Node {
    /// Tells all others, at once or when this node is a member.
    ///
    /// # Errors
    ///
    /// Why nobody will be told.
    pub(crate) fn tell_all(
        &mut self,
        now: Instant,
        message: Message,
        out: &mut Outbox<Self>,
    ) -> Result<(), BroadcastError> {
        if self.overlay.standing().is_none() {
            if self.reaching.untold.len() >= UNTOLD_MAX {
                return Err(BroadcastError::Newcomer);
            }
            self.reaching.untold.push(message);
            return Ok(());
        }
        if self.tells_directly() {
            for node in self.others() {
                out.send(node, message.clone());
            }
            return Ok(());
        }
        let broadcast = overlay::Command::Broadcast(encode(&message));
        self.drive_overlay(now, Input::Command(broadcast), out);
        self.reaching.failed.take().map_or(Ok(()), Err)
    }

    /// Whether everybody is known, and few enough for this node to tell each of them.
    pub(crate) fn tells_directly(&self) -> bool {
        self.overlay.view().is_whole() && self.overlay.cache().len() <= DIRECT_MAX + 1
    }

    /// This node is a member: what it had to tell, it tells now.
    pub(crate) fn tell_untold(&mut self, now: Instant, out: &mut Outbox<Self>) {
        for message in std::mem::take(&mut self.reaching.untold) {
            // An own question that others take no more of ends by its draw.
            self.tell_all(now, message, out).ok();
        }
    }

    pub(crate) fn broadcast_failed(&mut self, why: BroadcastError) {
        self.reaching.failed = Some(why);
    }

    /// Somebody has told everybody.
    pub(crate) fn on_broadcast(
        &mut self,
        now: Instant,
        from: NodeId,
        payload: &[u8],
        out: &mut Outbox<Self>,
    ) {
        match decode(payload, PAYLOAD_MAX) {
            Ok(message @ (Message::Announce(_) | Message::Collect(..) | Message::Cancelled(_))) => {
                self.receive(now, from, message, out);
            }
            Ok(_) | Err(_) => Self::misbehaved(from, NoNews, out),
        }
    }

    /// Learns where these nodes are, which sit around a point, then goes on.
    pub(crate) fn reach(
        &mut self,
        now: Instant,
        near: Location,
        nodes: Vec<NodeId>,
        step: Step,
        out: &mut Outbox<Self>,
    ) {
        if self.reaching.awaited.len() >= AWAITED_MAX {
            return self.reached(now, step, out);
        }
        self.reaching.searches += 1;
        let number = self.reaching.searches;
        self.reaching.awaited.insert(number, step);
        let locate = overlay::Command::Locate(number, near, nodes);
        self.drive_overlay(now, Input::Command(locate), out);
    }

    /// The search with this number is over.
    pub(crate) fn located(&mut self, now: Instant, number: u64, out: &mut Outbox<Self>) {
        if let Some(step) = self.reaching.awaited.remove(&number) {
            self.reached(now, step, out);
        }
    }

    fn reached(&mut self, now: Instant, step: Step, out: &mut Outbox<Self>) {
        match step {
            Step::Offer(question) => self.offer_seats(now, question, out),
            Step::Serve(question) => self.serve(now, question, out),
            Step::Contribute(question) => {
                if let Some(known) = self.questions.get_mut(question) {
                    known.reaches_helpers = true;
                    self.contribute(now, question, out);
                }
            }
        }
    }
}
