//! The three roles of the committee engine in one protocol.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Digest, Duration, Input, Instant, NodeId, Outbox, Protocol, Rng};
use community::{Community, Identity};
use crypto::{SealingKey, SealingPublicKey, Vector};

use crate::committee::contribution::{Bundle, Unfit};
use crate::committee::contributor::Contributor;
use crate::committee::evidence::Evidence;
use crate::committee::expected::Expected;
use crate::committee::fault::{Failure, Misbehaviour};
use crate::committee::lanes::LaneKey;
use crate::committee::message::Message;
use crate::committee::querier::Querier;
use crate::committee::replica::{Matter, Replica};
use crate::committee::statement::Signed;
use crate::committee::terms::Terms;

/// Most computations in which this node has one role at a time.
const ROUNDS_MAX: usize = 64;
/// Most lane secrets kept for computations that this node has not heard of yet.
const EARLY_MAX: usize = 64;
/// Most of these from one node.
const EARLY_OF_ONE_MAX: usize = 4;
/// How long they are kept. Guess: news of a computation is at most seconds behind.
const EARLY_FOR: Duration = Duration::from_secs(10);

/// The committee engine at one node.
pub struct Committee {
    context: Context,
    serving: BTreeMap<Digest, Replica>,
    contributing: BTreeMap<Digest, Contributor>,
    asking: BTreeMap<Digest, Querier>,
    /// Lane secrets that overtook the news of their computation, and since when.
    early: BTreeMap<(Digest, NodeId), (Instant, SealingKey)>,
}

/// Shared by the roles of one node.
pub struct Context {
    /// Our keys.
    pub identity: Arc<Identity>,
    /// Whose certificates count.
    pub community: Arc<Community>,
    /// For keys, shares and salts.
    pub rng: Rng,
}

/// From the application, which has checked the plan and the actor list.
#[derive(Debug)]
pub enum Command {
    /// Be a replica; whose contributions there may be.
    Serve(Arc<Terms>, Expected),
    /// The querier calls for contributions, sealed to these keys of the lanes, which were checked
    /// ([`Terms::check_lanes`]).
    Collecting(Digest, Vec<Signed<LaneKey>>),
    /// Be the querier.
    Ask(Arc<Terms>),
    /// Be the querier again, of a computation to which people were called before this process started.
    Await(Arc<Terms>),
    /// Contribute this vector, sealed to these lanes. At most once per question: the application sees to that.
    Contribute(Arc<Terms>, Vec<SealingPublicKey>, Vector),
    /// Say that the owner stays out.
    Decline(Arc<Terms>),
    /// The state of [`Event::Persist`] with this number is on the disk.
    Persisted(Digest, u64),
}

/// To the application. Each names the round ([`Terms::round`]).
#[derive(Debug)]
pub enum Event {
    /// At the querier: a key for each lane, of which enough of the lane hold the secret, with one of their signatures.
    LanesReady(Digest, Vec<Signed<LaneKey>>),
    /// At the querier: the totals.
    Opened(Digest, Box<Evidence>),
    /// At the querier: no totals.
    Failed(Digest, Failure),
    /// At a contributor: a replica has passed the contribution on.
    Accepted(Digest),
    /// At a contributor: nothing was contributed.
    Unfit(Digest, Unfit),
    /// At a replica: store this in place of any earlier state, then answer [`Command::Persisted`].
    Persist {
        /// The computation.
        round: Digest,
        /// Ascending from 1.
        number: u64,
        /// That this node has voted, and how.
        state: Vec<u8>,
    },
    /// At a replica: how far it is, but for [`Event::SetAgreed`].
    Serves(Digest, Service),
    /// At a replica: whose shares are added up.
    SetAgreed(Digest, BTreeSet<NodeId>),
    /// A peer did what no honest one does.
    Misbehaved {
        /// Who.
        node: NodeId,
        /// Which check failed.
        what: Misbehaviour,
    },
}

/// What a replica has done last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Taken its seat.
    Seated,
    /// Heard the call for contributions.
    Collecting,
    /// Said what it holds, and takes nothing more.
    Closed,
    /// Given its lane's sum, or said that there is none.
    Gave,
}

/// A deadline of one role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Of a replica.
    Replica(Digest),
    /// Of one of a replica's agreements.
    Agreement(Digest, Matter),
    /// Of a contributor.
    Contributor(Digest),
    /// Of a querier.
    Querier(Digest),
}

impl Committee {
    /// A node without any computation.
    pub fn new(identity: Arc<Identity>, community: Arc<Community>, rng: Rng) -> Self {
        Self {
            context: Context {
                identity,
                community,
                rng,
            },
            serving: BTreeMap::new(),
            contributing: BTreeMap::new(),
            asking: BTreeMap::new(),
            early: BTreeMap::new(),
        }
    }

    fn ask(&mut self, terms: Arc<Terms>, is_called: bool, out: &mut Outbox<Self>) {
        let round = terms.round();
        if self.asking.len() < ROUNDS_MAX && terms.are_possible() {
            self.asking
                .insert(round, Querier::start(terms, is_called, out));
        } else {
            out.emit(Event::Failed(round, Failure::TimedOut));
        }
    }

    fn command(&mut self, now: Instant, command: Command, out: &mut Outbox<Self>) {
        match command {
            Command::Serve(terms, expected) => self.serve(now, terms, expected, out),
            Command::Collecting(round, keys) => {
                if let Some(replica) = self.serving.get_mut(&round) {
                    replica.collecting(now, keys, out);
                }
            }
            Command::Ask(terms) => self.ask(terms, false, out),
            Command::Await(terms) => self.ask(terms, true, out),
            Command::Contribute(terms, lanes, vector) => {
                let (identity, rng) = (&self.context.identity, &mut self.context.rng);
                match Bundle::new(identity, &terms, &lanes, &vector, rng) {
                    Ok(bundle) => self.contribute(now, terms, bundle, out),
                    Err(why) => out.emit(Event::Unfit(terms.round(), why)),
                }
            }
            Command::Decline(terms) => {
                let bundle = Bundle::declining(&self.context.identity, &terms);
                self.contribute(now, terms, bundle, out);
            }
            Command::Persisted(round, number) => {
                self.with_replica(round, out, |replica, context, out| {
                    replica.persisted(context, now, number, out);
                });
            }
        }
    }

    fn serve(
        &mut self,
        now: Instant,
        terms: Arc<Terms>,
        expected: Expected,
        out: &mut Outbox<Self>,
    ) {
        let round = terms.round();
        if self.serving.contains_key(&round) || self.serving.len() >= ROUNDS_MAX {
            return;
        }
        let Some(replica) = Replica::start(&mut self.context, now, terms, expected, out) else {
            return;
        };
        self.serving.insert(round, replica);
        let early: Vec<_> = self
            .early
            .extract_if(.., |(of, _), _| *of == round)
            .collect();
        for ((_, from), (_, secret)) in early {
            self.receive(now, from, Message::LaneSecret(round, secret), out);
        }
    }

    fn contribute(
        &mut self,
        now: Instant,
        terms: Arc<Terms>,
        bundle: Bundle,
        out: &mut Outbox<Self>,
    ) {
        if self.contributing.len() < ROUNDS_MAX {
            let round = terms.round();
            let contributor = Contributor::start(terms, bundle, now, out);
            self.contributing.insert(round, contributor);
        }
    }

    fn with_replica(
        &mut self,
        round: Digest,
        out: &mut Outbox<Self>,
        act: impl FnOnce(&mut Replica, &mut Context, &mut Outbox<Self>),
    ) {
        if let Some(replica) = self.serving.get_mut(&round) {
            act(replica, &mut self.context, out);
            if replica.is_over() {
                self.serving.remove(&round);
            }
        }
    }

    fn receive(&mut self, now: Instant, from: NodeId, message: Message, out: &mut Outbox<Self>) {
        let round = message.round();
        let result = match message {
            Message::Accepted(_) => {
                let handed = |contributor: &Contributor| contributor.has_tried(from);
                if self.contributing.get(&round).is_some_and(handed) {
                    self.contributing.remove(&round);
                    out.emit(Event::Accepted(round));
                }
                Ok(())
            }
            Message::Sum(_) | Message::Denied(_) if !self.asking.contains_key(&round) => return,
            Message::LaneKey(_) | Message::Sum(_) | Message::Denied(_)
                if let Some(querier) = self.asking.get_mut(&round) =>
            {
                let result = querier.receive(now, from, message, out);
                if querier.is_over() {
                    self.asking.remove(&round);
                }
                result
            }
            Message::LaneSecret(_, secret) if !self.serving.contains_key(&round) => {
                self.keep_early(now, round, from, secret);
                Ok(())
            }
            message => {
                let mut result = Ok(());
                self.with_replica(round, out, |replica, context, out| {
                    result = replica.receive(context, now, from, message, out);
                });
                result
            }
        };
        if let Err(what) = result {
            out.emit(Event::Misbehaved { node: from, what });
        }
    }

    fn keep_early(&mut self, now: Instant, round: Digest, from: NodeId, secret: SealingKey) {
        self.early
            .retain(|_, (since, _)| now.since(*since) < EARLY_FOR);
        let of_one = self.early.keys().filter(|(_, node)| *node == from).count();
        if self.early.len() < EARLY_MAX && of_one < EARLY_OF_ONE_MAX {
            self.early.insert((round, from), (now, secret));
        }
    }

    fn wake(&mut self, now: Instant, timer: Timer, out: &mut Outbox<Self>) {
        match timer {
            Timer::Replica(round) => self.with_replica(round, out, |replica, context, out| {
                replica.handle_timer(context, now, out);
            }),
            Timer::Agreement(round, matter) => {
                self.with_replica(round, out, |replica, context, out| {
                    replica.agreement_timer(context, now, matter, out);
                });
            }
            Timer::Contributor(round) => {
                if let Some(contributor) = self.contributing.get_mut(&round)
                    && contributor.handle_timer(now, out)
                {
                    self.contributing.remove(&round);
                }
            }
            Timer::Querier(round) => {
                if let Some(querier) = self.asking.get_mut(&round) {
                    querier.handle_timer(now, out);
                    if querier.is_over() {
                        self.asking.remove(&round);
                    }
                }
            }
        }
    }

    fn unreachable(&mut self, now: Instant, node: NodeId, out: &mut Outbox<Self>) {
        self.contributing
            .retain(|_, contributor| !contributor.on_unreachable(node, now, out));
    }
}

#[cfg(test)]
impl Committee {
    /// How many lane secrets wait for news of their computation.
    pub fn early_secrets_for_tests(&self) -> usize {
        self.early.len()
    }

    /// How large the state of one computation is here, if it has any.
    pub fn footprint_for_tests(&self, round: Digest) -> Vec<(&'static str, usize)> {
        let replica = self.serving.get(&round);
        replica.map_or(Vec::new(), |r| r.footprint_for_tests().to_vec())
    }
}

impl Protocol for Committee {
    type Message = Message;
    type Command = Command;
    type Event = Event;
    type Timer = Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(command) => self.command(now, command, out),
            Input::Message { from, message } => self.receive(now, from, message, out),
            Input::Timer(timer) => self.wake(now, timer, out),
            Input::Unreachable(node) => self.unreachable(now, node, out),
        }
    }
}
