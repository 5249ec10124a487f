//! Agreement of a committee's replicas on one value, although some of them lie, crash or are cut off.
//!
//! The design's step "Agree": the inclusion set is final when a quorum signed it, and there are never two sets. With
//! `n` replicas and a quorum `q` ([`quorum`]) any two quorums share `2q − n` replicas; while fewer than that lie, two
//! different values cannot both be decided, whatever the network does. While at least `q` honest replicas are up and
//! hear each other, a value is decided. Otherwise there is no answer rather than two.
//!
//! The form is known from PBFT (Castro and Liskov 1999). In each *view* one replica leads:
//!
//! 1. The leader sends a **proposal**. Replicas whose application finds it valid send all others a signed **prevote**.
//! 2. A quorum of prevotes is a certificate. Who has one is **locked** on the value and sends all others a signed
//!    **commit** vote.
//! 3. A quorum of commit votes decides.
//!
//! That votes go to all costs each replica some 100 bytes for each other one. Went they to the leader, to come back as
//! certificates (HotStuff, Yin et al. 2019), it would have to send n times a quorum of signatures: six megabytes with 276
//! seats, and everybody would wait for two more messages.
//!
//! When a view takes too long, a replica signs that it leaves it and names its lock. The next leader needs a quorum of
//! these statements and must propose the value of the highest lock among them, with its certificate. Statements go to all,
//! so every replica checks the choice against those that it has heard; who lacks them asks the leader. A value that may have been decided has a lock in every
//! quorum and thus is the only one that can be proposed.
//!
//! Views are kept together as in PBFT: a replica that left a view waits, repeating its statement, until a quorum has
//! left it too, and only then starts the next timeout; one that hears enough statements to know that an honest replica
//! is ahead catches up. So after a partition everybody meets within a few timeouts, however long it lasted.
//!
//! **What must survive a crash** is handed out as [`Event::Persist`] *before* anything that depends on it is sent. A
//! replica that is given its last state never votes twice in a view and never forgets a lock.
//!
//! What this does not do: hide the value, agree on more than one value, or bear more liars than assumed.

mod certificate;
mod config;
mod message;
mod state;
mod views;
mod voting;

use std::collections::BTreeMap;

use base::{Digest, Input, Instant, NodeId, Outbox, Protocol, encode};
use crypto::SigningKey;

pub use certificate::{CertificateError, QuorumCertificate, quorum};
pub use config::{Config, ConfigError, value_digest};
pub use message::{Claim, Decision, Justification, Lock, Message, Misbehaviour, NewView, Vote};
use state::State;
use voting::{Proposal, Unjustified};

/// How many tell a late replica the decision: a hundred would send it a megabyte. That as many next to each other are away
/// has a chance of 4·10^-9 when 30 % are.
const TELLERS: usize = 16;

/// From the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Begin, once, also after a restart: timeouts count from here.
    Start,
    /// What this replica proposes when it leads and is free to choose. The latest one counts; one that is longer than
    /// [`Config::max_value`] would be refused by all and is not proposed.
    Propose(Vec<u8>),
    /// The answer to [`Event::Validate`].
    Valid {
        /// As asked.
        view: u64,
        /// As asked.
        value: Digest,
    },
    /// The answer to [`Event::Validate`]: this replica does not wait for the leader any longer.
    Invalid {
        /// As asked.
        view: u64,
        /// As asked.
        value: Digest,
    },
    /// The state of [`Event::Persist`] with this or a higher number is on the disk.
    Persisted(u64),
}

/// To the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// May this value be agreed on? Honest replicas should come to the same answer, though not at the same time. Not asked
    /// for one's own candidate, nor for a value that a quorum, and so an honest replica, has already found valid: to
    /// refuse that one for a local reason could block the agreement for ever.
    Validate {
        /// Give it back with the answer.
        view: u64,
        /// The value's name; give it back with the answer.
        value: Digest,
        /// What is proposed.
        bytes: Vec<u8>,
    },
    /// Store this state in place of any earlier one, then answer [`Command::Persisted`]. Until then nothing that depends on
    /// it is sent.
    Persist {
        /// Ascending from 1, anew after a restart: never give an answer to a later process than asked.
        number: u64,
        /// For [`Agreement::new`] after a restart.
        state: Vec<u8>,
    },
    /// The agreed value and its proof. Told once, and again after a restart.
    Decided(Decision),
    /// A peer sent what no honest replica sends; the message was dropped. Not evidence for others.
    Misbehaved {
        /// The sender.
        node: NodeId,
        /// What was wrong.
        fault: Misbehaviour,
    },
}

/// The only timer. Whether it is stale is seen from the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline;

/// One replica of one agreement.
///
/// Bounded: at most one statement and two votes per seat, one proposal, one lock and one candidate are kept, whatever peers
/// send.
pub struct Agreement {
    config: Config,
    me: NodeId,
    key: SigningKey,
    candidate: Option<Vec<u8>>,
    state: State,
    /// Whether a quorum is known to have moved to this view, so that its timeout runs.
    entered: bool,
    deadline: Option<Instant>,
    proposal: Option<Proposal>,
    /// By view: proposals that rest on statements which have not arrived.
    unjustified: BTreeMap<u64, Unjustified>,
    /// What this replica proposed last, with all that it rests on.
    proposed: Option<Message>,
    /// Each seat's latest statement.
    statements: BTreeMap<u16, NewView>,
    /// Each seat's latest prevote. It may come before the proposal.
    prevotes: BTreeMap<u16, Vote>,
    /// Each seat's latest commit vote.
    commits: BTreeMap<u16, Vote>,
    /// What waits for the disk.
    pending: Option<Pending>,
    persists: u64,
    /// When each late replica was last sent the decision.
    answered: BTreeMap<NodeId, Instant>,
}

struct Pending {
    number: u64,
    messages: Vec<(NodeId, Message)>,
}

impl Agreement {
    /// The replica `me` of the committee, which signs with `key`. `state` is that of its last [`Event::Persist`] if it
    /// has taken part before; to leave it out then breaks the promise that no two values are decided.
    ///
    /// # Errors
    ///
    /// When the configuration cannot work, or the state is not one of this agreement.
    pub fn new(
        config: Config,
        me: NodeId,
        key: SigningKey,
        state: Option<&[u8]>,
    ) -> Result<Self, ConfigError> {
        config.check()?;
        config.seat(me).ok_or(ConfigError::NoSeat)?;
        let state = match state {
            None => State::new(config.instance),
            Some(bytes) => State::restore(bytes, me, &config)?,
        };
        Ok(Self {
            entered: state.view == 0,
            config,
            me,
            key,
            candidate: None,
            state,
            deadline: None,
            proposal: None,
            unjustified: BTreeMap::new(),
            proposed: None,
            statements: BTreeMap::new(),
            prevotes: BTreeMap::new(),
            commits: BTreeMap::new(),
            pending: None,
            persists: 0,
            answered: BTreeMap::new(),
        })
    }

    /// The current view.
    pub fn view(&self) -> u64 {
        self.state.view
    }

    /// The decision, once there is one.
    pub fn decision(&self) -> Option<&Decision> {
        self.state.decision.as_ref()
    }
}

impl Protocol for Agreement {
    type Message = Message;
    type Command = Command;
    type Event = Event;
    type Timer = Deadline;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(command) => self.command(now, command, out),
            Input::Message { from, message } => self.receive(now, from, message, out),
            Input::Timer(Deadline) => self.wake(now, out),
            // A lost message is made up for by the next view.
            Input::Unreachable(_) => {}
        }
    }
}

/// What the application and the clock want.
impl Agreement {
    fn command(&mut self, now: Instant, command: Command, out: &mut Outbox<Self>) {
        match command {
            Command::Start => self.start(now, out),
            Command::Propose(value) => {
                if value.len() <= self.config.max_value {
                    self.candidate = Some(value);
                    self.propose(now, out);
                }
            }
            Command::Valid { view, value } => {
                if self.is_current(view, value) {
                    self.prevote(value, Vec::new(), out);
                }
            }
            Command::Invalid { view, value } => {
                if self.is_current(view, value) {
                    self.move_on(now, view.saturating_add(1), out);
                }
            }
            Command::Persisted(number) => self.persisted(now, number, out),
        }
    }

    fn start(&mut self, now: Instant, out: &mut Outbox<Self>) {
        if let Some(decision) = &self.state.decision {
            out.emit(Event::Decided(decision.clone()));
        } else if self.entered {
            self.set_deadline(now + self.config.timeout(self.state.view), out);
        } else {
            self.state_view(now, out);
        }
    }

    fn wake(&mut self, now: Instant, out: &mut Outbox<Self>) {
        self.ask_leader(now, out);
        let due = self.deadline.is_some_and(|deadline| deadline <= now);
        if !due || self.state.decision.is_some() {
            return;
        }
        if self.entered {
            self.move_on(now, self.state.view.saturating_add(1), out);
        } else {
            self.state_view(now, out);
        }
    }

    fn persisted(&mut self, now: Instant, number: u64, out: &mut Outbox<Self>) {
        let Some(pending) = self.pending.take_if(|pending| pending.number <= number) else {
            return;
        };
        for (to, message) in pending.messages {
            if to == self.me {
                self.receive(now, to, message, out);
            } else {
                out.send(to, message);
            }
        }
    }

    /// Whether an answer about a value still matters.
    fn is_current(&self, view: u64, value: Digest) -> bool {
        self.state.decision.is_none()
            && self.state.view == view
            && self.lock_view() < Some(view)
            && self
                .proposal
                .as_ref()
                .is_some_and(|proposal| proposal.name == value)
    }
}

/// What peers say. Each `on_*` changes nothing when it finds a fault.
impl Agreement {
    fn receive(&mut self, now: Instant, from: NodeId, message: Message, out: &mut Outbox<Self>) {
        let result = match self.config.seat(from) {
            None => Err(Misbehaviour::NotAReplica),
            Some(seat) if self.state.decision.is_some() => {
                if let Message::NewView { .. } = message
                    && self.answers(seat)
                {
                    self.tell_decision(now, self.config.replicas[usize::from(seat)], out);
                }
                Ok(())
            }
            Some(seat) => match message {
                Message::Proposal {
                    view,
                    value,
                    justification,
                } => self.on_proposal(now, from, view, value, justification.as_ref(), out),
                Message::Prevote(vote) => self.on_prevote(seat, vote, out),
                Message::Commit(vote) => self.on_commit(seat, vote, out),
                Message::NewView { statement, lock } => {
                    self.on_new_view(now, seat, statement, lock, out)
                }
                Message::Decided(decision) => self.on_decided(decision, out),
            },
        };
        if let Err(fault) = result {
            out.emit(Event::Misbehaved { node: from, fault });
        }
    }
}

/// What leaves this replica.
impl Agreement {
    /// Sends `messages` once the state is stored. What waited for an earlier state is dropped: the new one overtook it.
    fn persist(&mut self, messages: Vec<(NodeId, Message)>, out: &mut Outbox<Self>) {
        self.persists += 1;
        self.pending = Some(Pending {
            number: self.persists,
            messages,
        });
        out.emit(Event::Persist {
            number: self.persists,
            state: encode(&self.state),
        });
    }

    fn others(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.config
            .replicas
            .iter()
            .copied()
            .filter(|&to| to != self.me)
    }

    /// The same to all, this replica included.
    fn to_all(&self, message: &Message) -> Vec<(NodeId, Message)> {
        let to = |node: &NodeId| (*node, message.clone());
        self.config.replicas.iter().map(to).collect()
    }

    /// Whether this replica is among those who tell `seat` the decision when it is late.
    fn answers(&self, seat: u16) -> bool {
        let (n, own) = (self.config.replicas.len(), self.config.seat(self.me));
        let distance = |own: u16| (usize::from(own) + n - usize::from(seat)) % n;
        own.is_some_and(|own| distance(own) <= TELLERS)
    }

    /// Tells a late replica the decision, at most twice in the time after which an honest one repeats itself: a value is much
    /// larger than the question.
    fn tell_decision(&mut self, now: Instant, node: NodeId, out: &mut Outbox<Self>) {
        let pause = self.config.first_timeout / 2;
        let recently = self
            .answered
            .get(&node)
            .is_some_and(|&last| now < last + pause);
        if let Some(decision) = self
            .state
            .decision
            .clone()
            .filter(|_| !recently && node != self.me)
        {
            self.answered.insert(node, now);
            out.send(node, Message::Decided(decision));
        }
    }
}

#[cfg(test)]
mod tests;
