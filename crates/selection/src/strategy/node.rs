//! The roles of one node, for all strategies.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Digest, Input, Instant, Location, NodeId, Outbox, Protocol, Rng};
use community::{Contact, Identity};
use overlay::NodeCache;

use super::builder::Builder;
use super::context::{Context, Setup};
use super::fault::{Breach, Refusal};
use super::message::{Message, Request};
use super::name::Strategy;
use super::selected::Selected;
use super::setter::{Outcome, Setter, choose};
use super::trigger::{Progress, Trigger};
use super::witness::Witness;
use crate::protocol::{Failure, SETTING_MAX};
use crate::random::Draw;
use crate::rules::Rules;

/// One node of a community that selects by some strategy: as trigger of its own draws, and as witness, setter and builder
/// of others'.
pub struct StrategyNode {
    pub(super) context: Context,
    rng: Rng,
    drawing: BTreeMap<Digest, Trigger>,
    setting: BTreeMap<Draw, Setter>,
    witness: Witness,
    builder: Builder,
}

/// From the application.
#[derive(Debug)]
pub enum Command {
    /// A genuine node became known.
    Know(Arc<Contact>),
    /// A node left: it is nobody's witness any more.
    Forget(NodeId),
    /// Answers [`Event::Lookup`]: the genuine node nearest to this point.
    Found {
        /// Which was asked for.
        point: Location,
        /// Who is there.
        contact: Arc<Contact>,
    },
    /// Draw this many actors for the plan with this digest: ends with `Drawn` or `Failed`, within about a minute.
    Draw {
        /// Of the plan.
        digest: Digest,
        /// A.
        seats: u32,
    },
}

/// To the application.
#[derive(Debug)]
pub enum Event {
    /// Which node is nearest to this point? Answered by [`Command::Found`]; without an answer the draw starts anew.
    Lookup {
        /// Anywhere on the ring, outside of where our cache tells.
        point: Location,
        /// Nodes that do not count.
        without: Vec<NodeId>,
    },
    /// The draw is done.
    Drawn(Box<Selected>),
    /// No actors.
    Failed(Digest, Failure),
    /// A peer did what no honest one does.
    Misbehaved {
        /// Who.
        node: NodeId,
        /// Which check failed.
        what: Breach,
    },
}

/// A deadline of one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Of our own draw for a plan.
    Trigger(Digest),
    /// Of a draw that we set up.
    Setter(Draw),
}

/// What a node hands to its host.
pub type Out = Outbox<StrategyNode>;

impl StrategyNode {
    /// A node that knows the nodes of `cache`, itself among them. Costs next to nothing, so that a host can make a node
    /// when a message for it arrives.
    pub fn new(
        identity: Arc<Identity>,
        rules: Rules,
        setup: Setup,
        cache: impl Into<Arc<NodeCache>>,
        rng: Rng,
    ) -> Self {
        let context = Context {
            identity,
            rules,
            setup,
            cache: cache.into(),
        };
        Self {
            context,
            rng,
            drawing: BTreeMap::new(),
            setting: BTreeMap::new(),
            witness: Witness::default(),
            builder: Builder::default(),
        }
    }

    /// How its community selects.
    pub fn setup(&self) -> &Setup {
        &self.context.setup
    }

    /// Whom it knows.
    pub fn cache(&self) -> &Arc<NodeCache> {
        &self.context.cache
    }

    /// Whether no draw is under way here, so that a host may drop this node and make it anew when it is needed. What is
    /// lost is how often each trigger has asked it in this period.
    pub fn is_at_rest(&self, now: Instant) -> bool {
        let roles = self.drawing.is_empty() && self.setting.is_empty();
        roles && self.witness.is_at_rest(now) && self.builder.is_at_rest(now)
    }

    fn handle_command(&mut self, now: Instant, command: Command, out: &mut Out) {
        match command {
            Command::Know(contact) => {
                let descriptor = self.context.rules.community().descriptor();
                if !descriptor.is_revoked(contact.node()) {
                    Arc::make_mut(&mut self.context.cache).insert(contact);
                }
            }
            Command::Forget(node) => {
                Arc::make_mut(&mut self.context.cache).remove(node);
            }
            Command::Found { point, contact } => {
                self.with_all_triggers(out, |trigger, context, out| {
                    trigger.handle_found(context, now, point, &contact, out)
                });
            }
            Command::Draw { digest, seats } if !self.drawing.contains_key(&digest) => {
                match Trigger::new(&self.context, now, digest, seats) {
                    Ok(mut trigger) => {
                        let progress = trigger.begin(&self.context, now, &mut self.rng, out);
                        self.drawing.insert(digest, trigger);
                        self.conclude(digest, progress, out);
                    }
                    Err(why) => out.emit(Event::Failed(digest, why)),
                }
            }
            Command::Draw { .. } => {}
        }
    }

    fn with_trigger(
        &mut self,
        digest: Digest,
        out: &mut Out,
        act: impl FnOnce(&mut Trigger, &Context, &mut Out) -> Progress,
    ) {
        if let Some(trigger) = self.drawing.get_mut(&digest) {
            let progress = act(trigger, &self.context, out);
            self.conclude(digest, progress, out);
        }
    }

    fn with_all_triggers(
        &mut self,
        out: &mut Out,
        mut act: impl FnMut(&mut Trigger, &Context, &mut Out) -> Progress,
    ) {
        let drawing: Vec<_> = self.drawing.keys().copied().collect();
        for digest in drawing {
            self.with_trigger(digest, out, &mut act);
        }
    }

    fn conclude(&mut self, digest: Digest, progress: Progress, out: &mut Out) {
        match progress {
            Ok(None) => return,
            Ok(Some(selected)) => out.emit(Event::Drawn(selected)),
            Err(why) => out.emit(Event::Failed(digest, why)),
        }
        self.drawing.remove(&digest);
    }

    fn with_setter(
        &mut self,
        draw: Draw,
        out: &mut Out,
        act: impl FnOnce(&mut Setter, &Context, &mut Out) -> Outcome,
    ) {
        if let Some(setter) = self.setting.get_mut(&draw)
            && let Outcome::Over = act(setter, &self.context, out)
        {
            self.setting.remove(&draw);
        }
    }

    fn on_message(&mut self, now: Instant, from: NodeId, message: Message, out: &mut Out) {
        let Self { context, rng, .. } = self;
        let digest = message.draw().digest;
        match message {
            Message::Ask(draw, k) => self.witness.on_ask(context, now, (from, draw), k, rng, out),
            Message::Hashes(draw, hashes) => {
                self.witness
                    .on_hashes(context, now, (from, draw), &hashes, out);
            }
            Message::Build(draw, request, k) => {
                let random = Digest(rng.bytes32());
                let asked = (*request, k);
                self.builder
                    .on_build(context, now, (from, draw), asked, random, out);
            }
            Message::Commits(draw, hashes) => {
                self.builder.on_commits(context, (from, draw), hashes, out);
            }
            Message::Opens(draw, openings, actors) => {
                let opened = (&openings[..], &actors[..]);
                self.builder
                    .on_opens(context, now, (from, draw), opened, out);
            }
            Message::Set(draw, request) => self.on_set(now, from, draw, *request, out),
            message @ (Message::Commit(draw, _)
            | Message::Open(draw, ..)
            | Message::Signed(draw, ..)
            | Message::Sparse(draw, ..)) => self.with_setter(draw, out, |setter, context, out| {
                setter.on_message(context, now, from, message, out)
            }),
            Message::Refused(draw, _) if draw.trigger != context.own() => {
                self.with_setter(draw, out, |setter, _, out| setter.on_refused(from, out));
            }
            message => self.with_trigger(digest, out, |trigger, context, out| {
                trigger.on_message(context, now, from, message, out)
            }),
        }
    }

    fn on_set(&mut self, now: Instant, from: NodeId, draw: Draw, request: Request, out: &mut Out) {
        let context = &self.context;
        let is_own = draw.trigger == from && request.random.trigger.node() == from;
        match context.setup.strategy {
            Strategy::EsNav | Strategy::EsAv if is_own => {
                choose(context, now, draw, request, &mut self.rng, out);
            }
            Strategy::Paper if is_own => {
                if self.setting.contains_key(&draw) || self.setting.len() >= SETTING_MAX {
                    out.send(from, Message::Refused(draw, Refusal::Busy));
                } else if let Some(setter) = Setter::start(context, now, draw, request, out) {
                    self.setting.insert(draw, setter);
                }
            }
            _ => out.send(from, Message::Refused(draw, Refusal::Invalid)),
        }
    }

    fn on_unreachable(&mut self, now: Instant, node: NodeId, out: &mut Out) {
        self.with_all_triggers(out, |trigger, context, out| {
            trigger.on_silent(context, now, &[node], out)
        });
        let setting: Vec<_> = self.setting.keys().copied().collect();
        for draw in setting {
            self.with_setter(draw, out, |setter, _, out| setter.on_refused(node, out));
        }
    }
}

impl Protocol for StrategyNode {
    type Message = Message;
    type Command = Command;
    type Event = Event;
    type Timer = Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Out) {
        match input {
            Input::Command(command) => self.handle_command(now, command, out),
            Input::Message { from, message } => self.on_message(now, from, message, out),
            Input::Unreachable(node) => self.on_unreachable(now, node, out),
            Input::Timer(Timer::Trigger(digest)) => {
                self.with_trigger(digest, out, |trigger, context, out| {
                    trigger.handle_timer(context, now, out)
                });
            }
            Input::Timer(Timer::Setter(draw)) => {
                self.with_setter(draw, out, |setter, _, out| setter.handle_timer(now, out))
            }
        }
    }
}
