//! Passing a payload on, down the tree.

use base::{Digest, Duration, Instant, NodeId, Outbox};

use super::{Announcement, Broadcast, Message, OFFER_AFTER, Receipt, Span};
use crate::View;
use crate::protocol::{self, Overlay, Timer};

/// Time in which a relay says that it has a payload. Guess: some payloads of 64 KiB up a slow line, and a long round trip.
pub(super) const RECEIPT_WITHIN: Duration = Duration::from_secs(2);
/// Most spans of one broadcast that a node sees to: its own, and some near it whose relays are silent. The rest is not
/// acknowledged, so that the sender turns to another.
pub(super) const SPANS_MAX: usize = 8;
/// Most silent relays of one broadcast that a node splits around; the nodes behind more than these learn by offers. Guess:
/// a node passes to few dozens.
const SILENT_MAX: usize = 64;
/// Most receipts waited for; around further relays nobody splits. Guess: those of a hundred broadcasts at a time.
const PASSING_MAX: usize = 4096;

impl Broadcast {
    pub(super) fn on_pass(
        &mut self,
        now: Instant,
        from: NodeId,
        announcement: Announcement,
        span: Span,
        view: &View,
        out: &mut Outbox<Overlay>,
    ) {
        let id = announcement.id();
        match self.receive(now, from, announcement, out) {
            Receipt::First => out.wake(now + OFFER_AFTER, Timer::Offer(id)),
            Receipt::Again => {}
            Receipt::Refused => return,
        }
        let heard = self.heard.get_mut(&id).expect("it was received");
        if heard.spans < SPANS_MAX {
            heard.spans += 1;
            send(out, from, Message::Received(id, span));
            self.pass(now, id, span, view, out);
        }
    }

    /// Splits `span` among nodes that are not known to be silent.
    pub(super) fn pass(
        &mut self,
        now: Instant,
        id: Digest,
        span: Span,
        view: &View,
        out: &mut Outbox<Overlay>,
    ) {
        let Some(heard) = self.heard.get(&id) else {
            return;
        };
        let Some(announcement) = heard.fresh(now) else {
            return;
        };
        let until = now + RECEIPT_WITHIN;
        let parts = span.split(view, |node| !heard.silent.contains(&node));
        if !parts.is_empty() {
            out.wake(until, Timer::Receipts);
        }
        for (node, part) in parts {
            if self.passing.len() < PASSING_MAX {
                self.passing.insert((id, node, part), until);
            }
            send(out, node, Message::Pass(announcement.clone(), part));
        }
    }

    /// Splits the spans of relays that should have answered by now.
    pub fn handle_receipts_due(&mut self, now: Instant, view: &View, out: &mut Outbox<Overlay>) {
        self.pass_around(now, |_, until| until <= now, view, out);
    }

    /// Gives up on the relays that `silent` names and splits their spans again.
    pub(super) fn pass_around(
        &mut self,
        now: Instant,
        silent: impl Fn(&(Digest, NodeId, Span), Instant) -> bool,
        view: &View,
        out: &mut Outbox<Overlay>,
    ) {
        let mut given_up = Vec::new();
        self.passing.retain(|passed, until| {
            let is_silent = silent(passed, *until);
            if is_silent {
                given_up.push(*passed);
            }
            !is_silent
        });
        given_up.retain(|(id, node, _)| {
            let heard = self.heard.get_mut(id);
            heard.is_some_and(|heard| {
                let room = heard.silent.len() < SILENT_MAX;
                if room {
                    heard.silent.insert(*node);
                }
                room
            })
        });
        for (id, _, span) in given_up {
            self.pass(now, id, span, view, out);
        }
    }
}

pub(super) fn send(out: &mut Outbox<Overlay>, to: NodeId, message: Message) {
    out.send(to, protocol::Message::Broadcast(message));
}
