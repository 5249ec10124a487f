//! The program that a node runs: the committee engine, with what liars and accidents make of it.
//!
//! A liar that says two things at once runs the engine twice, with one name and one key, and lets each *face* speak to a part
//! of the others (as Bano et al., "Twins: BFT systems made robust", 2020): whatever it signs twice, the engine has signed.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use aggregation::committee::{Command, Committee, Expected, Message, Terms};
use base::{Digest, Input, Instant, NodeId, Outbox, Output, Protocol, Rng};
use community::Identity;
use crypto::{Operations, SealingPublicKey, SigningKey, Vector};

use super::ledger::{Ledger, Overheard};
use super::liar::Liar;
use super::trouble::Death;

/// One node.
pub struct Player {
    /// One, or two of a liar with two faces.
    pub(super) faces: Vec<Committee>,
    pub(super) key: SigningKey,
    pub(super) identity: Arc<Identity>,
    /// Of the committee in which it has a seat.
    pub(super) terms: Arc<Terms>,
    /// Of the committee that opens the totals.
    pub(super) root: Arc<Terms>,
    pub(super) lies: Option<Liar>,
    /// All liars.
    pub(super) friends: Rc<BTreeSet<NodeId>>,
    /// Whom helpers leave out who leave somebody out.
    pub(super) victim: Option<NodeId>,
    /// What the second face contributes.
    pub(super) other: Option<Vector>,
    /// When it dies of itself.
    pub(super) death: Option<Death>,
    /// Messages that it sends twice, in percent.
    pub(super) duplicates: u64,
    pub(super) rng: Rng,
    pub(super) ledger: Rc<RefCell<Ledger>>,
    pub(super) state: State,
}

/// What a player remembers.
#[derive(Default)]
pub struct State {
    dead: bool,
    /// To what, and sealed to which keys, it contributes.
    pub(super) contributing: Option<(Arc<Terms>, Vec<SealingPublicKey>)>,
    /// By liar who leads: what it has proposed, in order. The faces of friends vote for one each.
    pub(super) proposals: BTreeMap<NodeId, Vec<Digest>>,
    /// What was said and heard, to be said again.
    pub(super) memory: Vec<Message>,
}

impl Player {
    pub(super) fn node(&self) -> NodeId {
        self.key.node()
    }

    fn command(&mut self, now: Instant, command: Command, out: &mut [Outbox<Committee>]) {
        if let ([_, second], [_, out]) = (&mut *self.faces, &mut *out)
            && let Some(command) = second_command(&command, self.victim, self.other.as_ref())
        {
            second.handle(now, Input::Command(command), out);
        }
        if let Command::Contribute(terms, keys, _) = &command {
            self.state.contributing = Some((Arc::clone(terms), keys.clone()));
        }
        let command = match command {
            Command::Serve(terms, expected) if self.lies == Some(Liar::LeavesOut) => {
                Command::Serve(terms, without(expected, self.victim))
            }
            command => command,
        };
        self.faces[0].handle(now, Input::Command(command), &mut out[0]);
    }

    fn receive(
        &mut self,
        now: Instant,
        from: NodeId,
        message: Message,
        out: &mut [Outbox<Committee>],
    ) {
        self.remember(&message);
        for (face, out) in out.iter_mut().enumerate() {
            if let Some(message) = self.heard_by(face, from, &message) {
                self.faces[face].handle(now, Input::Message { from, message }, out);
            }
        }
    }

    fn send(&mut self, now: Instant, to: NodeId, message: Message, out: &mut Outbox<Self>) {
        let (leaves, lives) = match &mut self.death {
            None => (true, true),
            Some(death) => death.meets(&message),
        };
        let mut ledger = self.ledger.borrow_mut();
        if !lives {
            self.state.dead = true;
            ledger.fallen.push(self.key.node());
        }
        if !leaves {
            return;
        }
        if self.lies.is_none() {
            ledger.hear(&self.root, &message);
        }
        let from = self.key.node();
        if let Some(overheard) = &mut ledger.overheard {
            let message = message.clone();
            let at = now;
            overheard.push(Overheard {
                at,
                from,
                to,
                message,
            });
        }
        if self.duplicates > 0 && self.rng.below(100) < self.duplicates {
            out.send(to, message.clone());
        }
        out.send(to, message);
    }
}

/// What the second face is told to do when the first one is told this: it serves beside it without the one whom it leaves
/// out, and contributes something else.
fn second_command(
    command: &Command,
    victim: Option<NodeId>,
    other: Option<&Vector>,
) -> Option<Command> {
    match command {
        // Who contributes twice has one seat.
        Command::Serve(..) if other.is_some() => None,
        Command::Serve(terms, expected) => {
            let expected = without(expected.clone(), victim);
            Some(Command::Serve(Arc::clone(terms), expected))
        }
        Command::Collecting(round, keys) => Some(Command::Collecting(*round, keys.clone())),
        Command::Persisted(round, number) => Some(Command::Persisted(*round, *number)),
        Command::Contribute(terms, keys, _) => {
            let other = other?.clone();
            let terms = Arc::clone(terms);
            Some(Command::Contribute(terms, keys.clone(), other))
        }
        Command::Ask(_) | Command::Await(_) | Command::Decline(_) => None,
    }
}

fn without(mut expected: Expected, victim: Option<NodeId>) -> Expected {
    if let Expected::All(everybody) = &mut expected {
        everybody.retain(|member| Some(*member) != victim);
    }
    expected
}

impl Protocol for Player {
    type Message = Message;
    type Command = Command;
    type Event = <Committee as Protocol>::Event;
    type Timer = <Committee as Protocol>::Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        if self.state.dead {
            return;
        }
        let mut outs: Vec<Outbox<Committee>> = self.faces.iter().map(|_| Outbox::new()).collect();
        let before = Operations::so_far();
        match input {
            Input::Command(command) => self.command(now, command, &mut outs),
            Input::Message { from, message } => self.receive(now, from, message, &mut outs),
            Input::Timer(timer) => {
                for (face, out) in self.faces.iter_mut().zip(&mut outs) {
                    face.handle(now, Input::Timer(timer), out);
                }
            }
            Input::Unreachable(node) => {
                for (face, out) in self.faces.iter_mut().zip(&mut outs) {
                    face.handle(now, Input::Unreachable(node), out);
                }
            }
        }
        let node = self.node();
        let done = Operations::so_far() - before;
        if done != Operations::default() {
            let mut ledger = self.ledger.borrow_mut();
            let work = ledger.work.entry(node).or_default();
            *work = *work + done;
        }
        for (face, mut said) in outs.into_iter().enumerate() {
            for output in said.drain() {
                match output {
                    Output::Send { to, message } => {
                        for (to, message) in self.said_by(face, to, message) {
                            if !self.state.dead {
                                self.send(now, to, message, out);
                            }
                        }
                    }
                    Output::Wake { at, timer } => out.wake(at, timer),
                    Output::Event(event) => out.emit(event),
                }
            }
        }
    }
}
