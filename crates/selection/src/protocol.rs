//! The three roles of a draw in one protocol.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Digest, Input, Instant, Location, NodeId, Outbox, Protocol};
use community::{Contact, Identity};
use overlay::NodeCache;
use thiserror::Error;

use crate::context::{Announced, Context};
use crate::fault::{Misbehaviour, Refusal};
use crate::limit::SEATS_MAX;
use crate::list::ActorList;
use crate::message::{Message, SetterRequest, Step};
use crate::random::Draw;
use crate::rules::Rules;
use crate::setter::{Outcome, Setter};
use crate::site::{COMMITTEES_MAX, Site};
use crate::tally::DrawLimit;
use crate::trigger::{Progress, Trigger};
use crate::witness::Witness;

/// Most draws that this node sets up for others at a time.
pub const SETTING_MAX: usize = 64;

/// Selection at one node: as trigger of its own draws, as setter and as witness of others'.
pub struct Selection {
    pub(crate) context: Context,
    drawing: BTreeMap<Digest, Trigger>,
    setting: BTreeMap<(Draw, Site), Setter>,
    witness: Witness,
}

/// From the application.
#[derive(Debug)]
pub enum Command {
    /// A node became known, or its addresses changed.
    Know(Arc<Contact>),
    /// A node is gone: nobody waits for it any more, until it is known again.
    Forget(NodeId),
    /// A question was announced: draws for its plan may be witnessed.
    Announce(Digest, Announced),
    /// Draw actors for a plan: ends with `Drawn` or `Failed`, within about a minute.
    Draw(Wanted),
    /// The answer to [`Event::Find`]: the nodes nearest to a point of which the application knows, checked.
    Found(Location, Vec<Arc<Contact>>),
}

/// What to draw.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Digest of the whole plan.
    pub digest: Digest,
    /// Seats of each committee, at least 1.
    pub seats: u32,
    /// Committees, at least 1, all from one random: at equal distances round the ring, each within its own arc.
    pub committees: u32,
}

/// To the application.
#[derive(Debug)]
pub enum Event {
    /// The draw is done: the lists hold, one for each committee in their order.
    Drawn(Vec<ActorList>),
    /// Look the nodes nearest to this point up; it is far from here.
    Find(Location),
    /// No list.
    Failed(Digest, Failure),
    /// A contact that this node lacked; to be checked before it is used.
    Heard(Box<Contact>),
    /// A node that must help has not heard of the question with this digest: tell it.
    Unheard(Digest, NodeId),
    /// What this node does for somebody else's draw for this question.
    Helps(Digest, Help),
    /// A peer did what no honest one does.
    Misbehaved {
        /// Who.
        node: NodeId,
        /// Which check failed.
        what: Misbehaviour,
    },
}

/// A part in a draw of somebody else's, and how far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Help {
    /// It has given its part of the trigger's random (TL).
    GavePart,
    /// It sets the draw up (S).
    SetsUp,
    /// The list that it set up is with the trigger.
    HasSetUp,
    /// It builds the list with others (SL).
    Builds,
    /// It has signed the list.
    HasSigned,
}

/// Why a draw ended without a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Failure {
    /// Not a number of seats that a list can have.
    #[error("an actor list has 1 to {SEATS_MAX} seats")]
    Seats,
    /// Not a number of committees that a draw can have.
    #[error("a draw has 1 to {COMMITTEES_MAX} committees")]
    Committees,
    /// More seats than nodes live around a point.
    #[error(
        "more seats than nodes are near any point of the ring; ask for fewer, or for several committees"
    )]
    RegionTooSmall,
    /// No row of the k-table finds enough nodes.
    #[error(
        "too few nodes are known to witness a draw; wait until more of the community is online"
    )]
    TooFewWitnesses,
    /// Fewer members online than seats.
    #[error(
        "too few nodes are known to fill the seats; wait until more of the community is online"
    )]
    TooFewCandidates,
    /// The descriptor's limit.
    #[error(
        "this node has drawn {} times within {} s, as often as its community allows; try again when the next such period begins",
        .0.draws, .0.period_secs
    )]
    TooManyDraws(DrawLimit),
    /// Witnesses or setters kept failing.
    #[error("the draw failed too many times; too many nodes are away")]
    TooManyAttempts,
}

/// A deadline of one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Of our own draw for a plan.
    Trigger(Digest),
    /// Of a committee that we set up.
    Setter(Draw, Site),
    /// Of nodes that we probe.
    Probe,
}

impl Selection {
    /// A node that knows nobody.
    pub fn new(identity: Arc<Identity>, rules: Rules) -> Self {
        Self::knowing(identity, rules, NodeCache::new())
    }

    /// A node that knows these, itself among them: checked contacts whose certificates are in force and not revoked.
    pub fn knowing(identity: Arc<Identity>, rules: Rules, cache: NodeCache) -> Self {
        Self {
            context: Context::knowing(identity, rules, cache),
            drawing: BTreeMap::new(),
            setting: BTreeMap::new(),
            witness: Witness::default(),
        }
    }

    /// The rules in force.
    pub fn rules(&self) -> &Rules {
        &self.context.rules
    }

    /// Whether no draw is under way here.
    #[cfg(test)]
    pub(crate) fn is_at_rest(&self) -> bool {
        self.drawing.is_empty() && self.setting.is_empty() && self.witness.is_at_rest()
    }

    fn handle_command(&mut self, now: Instant, command: Command, out: &mut Outbox<Self>) {
        match command {
            Command::Know(contact) => self.context.know(contact),
            Command::Forget(node) => self.context.forget_node(node),
            Command::Announce(digest, announced) => self.context.announce(digest, announced),
            Command::Draw(wanted) if self.drawing.contains_key(&wanted.digest) => {}
            Command::Draw(wanted) => match Trigger::start(&self.context, now, wanted, out) {
                Ok(trigger) => {
                    self.drawing.insert(wanted.digest, trigger);
                }
                Err(why) => out.emit(Event::Failed(wanted.digest, why)),
            },
            Command::Found(point, contacts) => {
                let drawing: Vec<_> = self.drawing.keys().copied().collect();
                for digest in drawing {
                    self.with_trigger(digest, out, |trigger, context, out| {
                        trigger.on_found(context, now, point, &contacts, out)
                    });
                }
            }
        }
    }

    fn handle_timer(&mut self, now: Instant, timer: Timer, out: &mut Outbox<Self>) {
        match timer {
            Timer::Trigger(digest) => {
                self.with_trigger(digest, out, |trigger, context, out| {
                    trigger.handle_timer(context, now, out)
                });
            }
            Timer::Setter(draw, site) => {
                self.with_setter((draw, site), out, |setter, context, out| {
                    setter.handle_timer(context, now, out)
                });
            }
            Timer::Probe => self.witness.resume(&self.context, now, out),
        }
    }

    fn with_trigger(
        &mut self,
        digest: Digest,
        out: &mut Outbox<Self>,
        act: impl FnOnce(&mut Trigger, &Context, &mut Outbox<Self>) -> Progress,
    ) {
        if let Some(trigger) = self.drawing.get_mut(&digest)
            && let Err(why) = act(trigger, &self.context, out)
        {
            self.drawing.remove(&digest);
            out.emit(Event::Failed(digest, why));
        }
    }

    fn with_setter(
        &mut self,
        which: (Draw, Site),
        out: &mut Outbox<Self>,
        act: impl FnOnce(&mut Setter, &Context, &mut Outbox<Self>) -> Outcome,
    ) {
        if let Some(setter) = self.setting.get_mut(&which)
            && let Outcome::Over = act(setter, &self.context, out)
        {
            self.setting.remove(&which);
        }
    }

    fn on_message(&mut self, now: Instant, from: NodeId, message: Message, out: &mut Outbox<Self>) {
        let context = &self.context;
        match message {
            Message::Trigger(request) => self.witness.on_trigger(context, now, from, request, out),
            Message::Build(request) => self.witness.on_build(context, now, from, request, out),
            Message::Commits(step, commitments) => {
                self.witness
                    .on_commits(context, from, step, commitments, out);
            }
            Message::Opens(step, opened) => {
                self.witness
                    .on_opens(context, now, from, step, &opened, out);
            }
            Message::Alive => self.witness.on_alive(from, out),
            Message::Introduce(contact) => {
                self.witness
                    .on_introduction(context, now, from, *contact, out);
            }
            Message::Probe => out.send(from, Message::Alive),
            Message::Part(digest, attempt, part) => {
                self.with_trigger(digest, out, |trigger, context, out| {
                    trigger.on_part(context, now, from, attempt, *part, out)
                });
            }
            Message::List(list) => self.on_list(now, from, list, out),
            Message::SetterGaveUp(draw, site) => {
                self.with_trigger(draw.digest, out, |trigger, _, out| {
                    trigger.on_setter_gave_up(now, from, (draw, site), out)
                });
            }
            Message::Sparse(sparse) => {
                let digest = sparse.body.draw.digest;
                self.with_trigger(digest, out, |trigger, context, out| {
                    trigger.on_sparse(context, now, from, *sparse, out)
                });
            }
            Message::Setter(request) => self.on_setter(now, from, *request, out),
            Message::Commit(step, commitment) => {
                self.as_setter(from, step, out, |setter, context, out| {
                    setter.on_commit(context, now, from, commitment, out)
                });
            }
            Message::Open(step, opening) => {
                self.as_setter(from, step, out, |setter, context, out| {
                    setter.on_open(context, now, from, opening, out)
                });
            }
            Message::Signed(step, signature) => {
                self.as_setter(from, step, out, |setter, context, out| {
                    setter.on_signed(context, now, from, signature, out)
                });
            }
            Message::Refused(step, why) => self.on_refused(now, from, step, why, out),
        }
    }

    fn as_setter(
        &mut self,
        from: NodeId,
        step: Step,
        out: &mut Outbox<Self>,
        act: impl FnOnce(&mut Setter, &Context, &mut Outbox<Self>) -> Outcome,
    ) {
        self.with_setter((step.draw, step.site), out, |setter, context, out| {
            if setter.expects(from, step) {
                act(setter, context, out)
            } else {
                Outcome::Going
            }
        });
    }

    fn on_setter(
        &mut self,
        now: Instant,
        from: NodeId,
        request: SetterRequest,
        out: &mut Outbox<Self>,
    ) {
        let step = request.step();
        let which = (step.draw, step.site);
        if self.setting.contains_key(&which) {
            return;
        }
        if self.setting.len() >= SETTING_MAX {
            out.send(from, Message::Refused(step, Refusal::Busy));
            return;
        }
        if let Some(setter) = Setter::start(&self.context, now, from, request, out) {
            self.setting.insert(which, setter);
        }
    }

    fn on_list(
        &mut self,
        now: Instant,
        from: NodeId,
        list: Box<ActorList>,
        out: &mut Outbox<Self>,
    ) {
        let digest = list.body.draw.digest;
        let mut lists = None;
        self.with_trigger(digest, out, |trigger, context, out| {
            lists = trigger.on_list(context, now, from, list, out)?;
            Ok(())
        });
        if let Some(lists) = lists {
            self.drawing.remove(&digest);
            out.emit(Event::Drawn(lists));
        }
    }

    fn on_refused(
        &mut self,
        now: Instant,
        from: NodeId,
        step: Step,
        why: Refusal,
        out: &mut Outbox<Self>,
    ) {
        let draw = step.draw;
        if draw.trigger == self.context.own() {
            self.with_trigger(draw.digest, out, |trigger, context, out| {
                trigger.on_refused(context, now, from, step, why, out)
            });
        } else {
            self.as_setter(from, step, out, |setter, context, out| {
                setter.on_refused(context, now, from, why, out)
            });
        }
    }

    fn on_unreachable(&mut self, now: Instant, node: NodeId, out: &mut Outbox<Self>) {
        self.witness.on_unreachable(&self.context, now, node, out);
        let drawing: Vec<_> = self.drawing.keys().copied().collect();
        for digest in drawing {
            self.with_trigger(digest, out, |trigger, context, out| {
                trigger.on_unreachable(context, now, node, out)
            });
        }
        let setting: Vec<_> = self.setting.keys().copied().collect();
        for which in setting {
            self.with_setter(which, out, |setter, context, out| {
                setter.on_unreachable(context, now, node, out)
            });
        }
    }
}

impl Protocol for Selection {
    type Message = Message;
    type Command = Command;
    type Event = Event;
    type Timer = Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        self.context.forget(now);
        match input {
            Input::Command(command) => self.handle_command(now, command, out),
            Input::Message { from, message } => self.on_message(now, from, message, out),
            Input::Timer(timer) => self.handle_timer(now, timer, out),
            Input::Unreachable(node) => self.on_unreachable(now, node, out),
        }
    }
}
