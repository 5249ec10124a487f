//! Passing a payload on, down the tree.

use base::{Digest, Duration, Instant, NodeId, Outbox};

use super::{Announcement, Broadcast, Message, OFFER_AFTER, Receipt, Span};
use crate::View;
use crate::spreading::{self, Spreading, Timer};

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
        out: &mut Outbox<Spreading>,
    ) {
        let id = announcement.id();
        match self.receive(now, from, announcement, out) {
            Receipt::First => out.wake(now + OFFER_AFTER, Timer::Offer(id)),
            Receipt::Again => {}
            Receipt::Refused => return,
        }
        self.on_span(now, from, id, span, view, out);
    }

    /// Sees to a span. Without the payload it cannot, and says nothing.
    pub(super) fn on_span(
        &mut self,
        now: Instant,
        from: NodeId,
        id: Digest,
        span: Span,
        view: &View,
        out: &mut Outbox<Spreading>,
    ) {
        let heard = self.heard.get_mut(&id);
        if let Some(heard) = heard.filter(|heard| heard.spans < SPANS_MAX) {
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
        out: &mut Outbox<Spreading>,
    ) {
        let Some(heard) = self.heard.get(&id) else {
            return;
        };
        let Some(announcement) = heard.fresh(now) else {
            return;
        };
        let until = now + RECEIPT_WITHIN;
        let split = span.split(view, |node| !heard.silent.contains(&node));
        let pass = |part| Message::Pass(announcement.clone(), part);
        let relays = split.relays.into_iter();
        let passed = relays.map(|(node, part)| (node, part, pass(part)));
        let helper = split.helper.into_iter();
        let also = helper.map(|(node, part)| (node, part, Message::Also(id, part)));
        for (node, part, message) in passed.chain(also) {
            if self.passing.len() < PASSING_MAX {
                self.passing.insert((id, node, part), until);
                out.wake(until, Timer::Receipts);
            }
            send(out, node, message);
        }
    }

    /// Splits the spans of relays that should have answered by now.
    pub fn handle_receipts_due(&mut self, now: Instant, view: &View, out: &mut Outbox<Spreading>) {
        self.pass_around(now, |_, until| until <= now, view, out);
    }

    /// Gives up on the relays that `silent` names and splits their spans again.
    pub(super) fn pass_around(
        &mut self,
        now: Instant,
        silent: impl Fn(&(Digest, NodeId, Span), Instant) -> bool,
        view: &View,
        out: &mut Outbox<Spreading>,
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

pub(super) fn send(out: &mut Outbox<Spreading>, to: NodeId, message: Message) {
    out.send(to, spreading::Message::Broadcast(message));
}
