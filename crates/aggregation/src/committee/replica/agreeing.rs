//! Step 3: close and agree.

use std::sync::Arc;

use base::{Digest, Input, Instant, NodeId, Outbox, Output, Protocol, decode};

use super::{
    AMPLE_VIEWS, BACKED_MAX, GRACE, Held, Matter, Replica, SET_BYTES, Supported, TOLERANCE,
};
use crate::agreement::{self, Agreement, Deadline};
use crate::committee::fault::Misbehaviour;
use crate::committee::inclusion::{
    CONTRIBUTORS_MAX, Holdings, SetBody, Support, Underivable, check_holdings, covers_lanes,
};
use crate::committee::lanes;
use crate::committee::message::Message;
use crate::committee::protocol::{Committee, Context, Event, Timer};
use crate::committee::statement::Signed;

impl Replica {
    pub(super) fn close_if_complete(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        let answered = |node: &NodeId| self.held.get(node).is_some_and(Held::is_complete);
        if self.lanes.is_some() && self.batch.is_empty() && self.members.iter().all(answered) {
            self.close(context, now, out);
        }
    }

    pub(super) fn close(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        if self.closed.is_some() {
            return;
        }
        let held = self.held.values().filter(|held| held.is_complete());
        let holdings = Holdings {
            round: self.round(),
            asked: self.members.len() as u64,
            entries: held.map(|held| held.entry).collect(),
        };
        self.closed = Some(Signed::new(&context.identity.key, self.seat, holdings));
        let start = Input::Command(agreement::Command::Start);
        self.drive(context, now, Matter::Held, start, out);
    }

    pub(super) fn leader(&self) -> usize {
        (self.agreement.view() % self.terms.seats.len() as u64) as usize
    }

    /// Tells the leader of the current view what this replica holds.
    pub(super) fn follow_leader(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        let view = self.agreement.view();
        let Some(closed) = self.closed.clone() else {
            return;
        };
        if self.told_in == Some(view) || self.candidates.is_some() {
            return;
        }
        self.told_in = Some(view);
        let leader = self.leader();
        if leader == self.seat {
            self.heard.insert(closed.seat, closed);
            self.consider_proposal(context, now, out);
        } else {
            out.send(
                self.terms.seats[leader],
                Message::Holdings(Box::new(closed)),
            );
        }
    }

    pub(super) fn on_holdings(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        holdings: Signed<Holdings>,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        if holdings.index() != seat {
            return Err(Misbehaviour::Seat);
        }
        if self.heard.contains_key(&holdings.seat) || self.candidates.is_some() {
            return Ok(());
        }
        if holdings.body.entries.len() > CONTRIBUTORS_MAX {
            return Err(Misbehaviour::Shape);
        }
        check_holdings(&self.terms, &holdings)?;
        self.heard.insert(holdings.seat, holdings);
        self.consider_proposal(context, now, out);
        Ok(())
    }

    pub(super) fn consider_proposal(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        let seats = self.heard.keys().map(|seat| usize::from(*seat));
        if self.leader() != self.seat || !covers_lanes(&self.terms, seats) {
            return;
        }
        if self.heard.len() == self.terms.seats.len() {
            self.propose(context, now, out);
        } else if self.propose_at.is_none() {
            self.propose_at = Some(now + GRACE);
            out.wake(now + GRACE, Timer::Replica(self.round()));
        }
    }

    /// Proposes the set that follows from what was heard, once per view.
    pub(super) fn propose(
        &mut self,
        context: &mut Context,
        now: Instant,
        out: &mut Outbox<Committee>,
    ) {
        self.propose_at = None;
        let view = self.agreement.view();
        let done = self.proposed_in == Some(view) || self.candidates.is_some();
        let Some(lanes) = self.lanes.as_deref() else {
            return;
        };
        if done || self.leader() != self.seat {
            return;
        }
        let salt = context.rng.bytes32();
        let support = Support::new(&self.terms, lanes, salt, now, &self.heard, &self.below);
        let Some((support, inclusion)) = support else {
            return;
        };
        self.proposed_in = Some(view);
        let value = inclusion.body.bytes();
        for other in self.others() {
            out.send(other, Message::Support(Box::new(support.clone())));
        }
        let own = Arc::new(Supported { support, inclusion });
        self.offered.insert(self.seat, Arc::clone(&own));
        self.back(own);
        let propose = agreement::Command::Propose(value);
        self.drive(context, now, Matter::Held, Input::Command(propose), out);
    }

    pub(super) fn on_support(
        &mut self,
        context: &mut Context,
        now: Instant,
        seat: usize,
        support: Support,
        out: &mut Outbox<Committee>,
    ) -> Result<(), Misbehaviour> {
        let known = |known: &Arc<Supported>| known.support == support;
        if self.offered.get(&seat).is_some_and(known) {
            return Ok(());
        }
        let inclusion = match support.derive(&self.terms, &self.below) {
            Ok(inclusion) => inclusion,
            Err(Underivable::False(what)) => return Err(what),
            Err(Underivable::Unknown(children)) => {
                if self.early_supports.insert(seat, support).is_none() {
                    self.want_shares(&children, out);
                }
                return Ok(());
            }
        };
        let offer = Supported { support, inclusion };
        self.offered.insert(seat, Arc::new(offer));
        if let Some((view, value, body)) = self.asked_valid.take() {
            self.validate(context, now, view, value, body, out);
        }
        self.advance(context, now, out);
        Ok(())
    }

    pub(super) fn on_support_wanted(&self, from: NodeId, out: &mut Outbox<Committee>) {
        let known = match &self.candidates {
            Some(candidates) => self.supported(&candidates.body),
            None => self.offered.get(&self.seat),
        };
        if let Some(known) = known {
            out.send(from, Message::Support(Box::new(known.support.clone())));
        }
    }

    pub(super) fn supported(&self, body: &SetBody) -> Option<&Arc<Supported>> {
        let known = self.backed.iter().chain(self.offered.values());
        known
            .into_iter()
            .find(|known| known.inclusion.body == *body)
    }

    /// Keeps the reasons for a set, whatever else their sender sends later.
    pub(super) fn back(&mut self, supported: Arc<Supported>) {
        let body = &supported.inclusion.body;
        if self
            .backed
            .iter()
            .any(|known| known.inclusion.body == *body)
        {
            return;
        }
        if self.backed.len() >= BACKED_MAX {
            self.backed.remove(0);
        }
        self.backed.push(supported);
    }

    pub(super) fn want_support(&self, out: &mut Outbox<Committee>) {
        if self.asked_valid.is_some() {
            let leader = self.terms.seats[self.leader()];
            out.send(leader, Message::SupportWanted(self.round()));
        }
    }

    /// Answers the agreement, now or when the support arrives.
    pub(super) fn validate(
        &mut self,
        context: &mut Context,
        now: Instant,
        view: u64,
        value: Digest,
        body: SetBody,
        out: &mut Outbox<Committee>,
    ) {
        self.asked_valid = None;
        let own = self.lanes.as_deref().map(lanes::digest);
        let other_lanes = own.is_some_and(|own| own != body.lanes);
        let answer = if other_lanes || body.at.distance(now) > TOLERANCE {
            agreement::Command::Invalid { view, value }
        } else if let Some(supported) = self.supported(&body).cloned() {
            if view < AMPLE_VIEWS && !supported.support.covers_amply(&self.terms) {
                agreement::Command::Invalid { view, value }
            } else {
                self.back(supported);
                agreement::Command::Valid { view, value }
            }
        } else {
            self.asked_valid = Some((view, value, body));
            return;
        };
        self.drive(context, now, Matter::Held, Input::Command(answer), out);
    }

    /// The state with this number is on the disk.
    pub fn persisted(
        &mut self,
        context: &mut Context,
        now: Instant,
        number: u64,
        out: &mut Outbox<Committee>,
    ) {
        let later = self.storing.split_off(&number.saturating_add(1));
        let stored = std::mem::replace(&mut self.storing, later);
        for (matter, number) in stored.into_values() {
            let persisted = agreement::Command::Persisted(number);
            self.drive(context, now, matter, Input::Command(persisted), out);
        }
    }

    /// A deadline of the first agreement, or of the second one, is due.
    pub fn agreement_timer(
        &mut self,
        context: &mut Context,
        now: Instant,
        settlement: bool,
        out: &mut Outbox<Committee>,
    ) {
        let matter = if settlement {
            Matter::Proved
        } else {
            Matter::Held
        };
        self.drive(context, now, matter, Input::Timer(Deadline), out);
    }

    pub(super) fn drive(
        &mut self,
        context: &mut Context,
        now: Instant,
        matter: Matter,
        input: Input<Agreement>,
        out: &mut Outbox<Committee>,
    ) {
        let round = self.round();
        let mut said = Outbox::new();
        match (matter, &mut self.settlement) {
            (Matter::Held, _) => self.agreement.handle(now, input, &mut said),
            (Matter::Proved, Some(settlement)) => settlement.handle(now, input, &mut said),
            (Matter::Proved, None) => return,
        }
        let said: Vec<_> = said.drain().collect();
        for output in said {
            match output {
                Output::Send { to, message } => {
                    let message = Box::new(message);
                    out.send(
                        to,
                        match matter {
                            Matter::Held => Message::Agreement(round, message),
                            Matter::Proved => Message::Settlement(round, message),
                        },
                    );
                }
                Output::Wake { at, .. } => out.wake(
                    at,
                    match matter {
                        Matter::Held => Timer::Agreement(round),
                        Matter::Proved => Timer::Settlement(round),
                    },
                ),
                Output::Event(event) => self.on_agreement(context, now, matter, event, out),
            }
        }
        self.follow_leader(context, now, out);
    }

    pub(super) fn on_agreement(
        &mut self,
        context: &mut Context,
        now: Instant,
        matter: Matter,
        event: agreement::Event,
        out: &mut Outbox<Committee>,
    ) {
        match event {
            agreement::Event::Validate { view, value, bytes } if matter == Matter::Proved => {
                self.asked_about_remaining(context, now, view, value, &bytes, out);
            }
            agreement::Event::Validate { view, value, bytes } => {
                match decode::<SetBody>(&bytes, SET_BYTES) {
                    Ok(body) if body.round == self.round() => {
                        self.validate(context, now, view, value, body, out);
                        self.want_support(out);
                    }
                    _ => {
                        let invalid = agreement::Command::Invalid { view, value };
                        self.drive(context, now, Matter::Held, Input::Command(invalid), out);
                    }
                }
            }
            agreement::Event::Persist { number, state } => {
                self.stored += 1;
                self.storing.insert(self.stored, (matter, number));
                out.emit(Event::Persist {
                    round: self.round(),
                    number: self.stored,
                    state,
                });
            }
            agreement::Event::Decided(decision) => {
                self.on_decided(context, now, matter, decision, out);
            }
            agreement::Event::Misbehaved { node, .. } => out.emit(Event::Misbehaved {
                node,
                what: Misbehaviour::Quorum,
            }),
        }
    }
}
