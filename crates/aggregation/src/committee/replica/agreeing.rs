//! Step 3: agree.

use base::{Digest, Input, Instant, NodeId, Outbox, Output, Protocol, decode};

use super::{AMPLE_VIEWS, Matter, Replica, SET_BYTES, TOLERANCE};
use crate::agreement::{self, Agreement, Deadline};
use crate::committee::fault::Misbehaviour;
use crate::committee::inclusion::SetBody;
use crate::committee::lanes;
use crate::committee::message::Message;
use crate::committee::protocol::{Committee, Context, Event, Timer};

impl Replica {
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

    /// Another replica's word in one of the agreements.
    pub(super) fn on_word(
        &mut self,
        context: &mut Context,
        now: Instant,
        from: NodeId,
        matter: Matter,
        message: agreement::Message,
        out: &mut Outbox<Committee>,
    ) {
        let input = Input::Message { from, message };
        self.drive(context, now, matter, input, out);
    }

    /// A deadline of one of the agreements is due.
    pub fn agreement_timer(
        &mut self,
        context: &mut Context,
        now: Instant,
        matter: Matter,
        out: &mut Outbox<Committee>,
    ) {
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
                Output::Wake { at, .. } => out.wake(at, Timer::Agreement(round, matter)),
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
            agreement::Event::Validate { view, value, bytes } => {
                let body = decode::<SetBody>(&bytes, SET_BYTES);
                let body = body.ok().filter(|body| body.round == self.round());
                match (body, matter) {
                    (Some(body), Matter::Held) => {
                        self.validate(context, now, view, value, body, out);
                        self.want_support(context, now, false, out);
                    }
                    (Some(body), Matter::Proved) => {
                        self.validate_remaining(context, now, view, value, body, out);
                    }
                    (None, _) => {
                        let invalid = agreement::Command::Invalid { view, value };
                        self.drive(context, now, matter, Input::Command(invalid), out);
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
