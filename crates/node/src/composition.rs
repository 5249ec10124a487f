//! The children and the routes between them.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;

use aggregation::committee::{self, Committee};
use base::{Digest, Input, Instant, NodeId, Outbox, Output, Protocol, Rng};
use community::{Community, Contact, Identity};
use overlay::Overlay;
use question::{LocalRow, Question};
use selection::{Rules, Selection};
use thiserror::Error;

use crate::asking::{Answer, Ask, Asking, Failure, Stage};
use crate::journal::{Entry, Journal, Kept};
use crate::message::Message;
use crate::owning::{Asked, Budget};
use crate::plan::PlanError;
use crate::questions::Questions;

/// One person's node.
pub struct Node {
    pub(crate) identity: Arc<Identity>,
    pub(crate) community: Arc<Community>,
    pub(crate) rules: Rules,
    pub(crate) overlay: Overlay,
    selection: Selection,
    committee: Committee,
    pub(crate) consent: question::Rules,
    pub(crate) budget: Option<Budget>,
    pub(crate) journal: Journal,
    /// What the last run left open, until this one joins.
    pub(crate) kept: Option<Kept>,
    /// When others were told of open questions.
    pub(crate) answered: BTreeMap<NodeId, Instant>,
    pub(crate) compare_at: Instant,
    pub(crate) questions: Questions,
    pub(crate) asking: BTreeMap<Digest, Asking>,
    pub(crate) rng: Rng,
}

/// What a node is made of.
#[derive(Debug)]
pub struct Setup {
    /// Its keys and certificate.
    pub identity: Arc<Identity>,
    /// Its community.
    pub community: Arc<Community>,
    /// Where others can reach it.
    pub addresses: Vec<SocketAddr>,
    /// The owner's standing words on questions.
    pub consent: question::Rules,
    /// How many questions the owner's data may go into.
    pub budget: Option<Budget>,
    /// All that earlier runs had stored ([`Event::Store`]): key and value.
    pub journal: Vec<(Vec<u8>, Vec<u8>)>,
    /// Unpredictable: keys and shares come from it.
    pub rng: Rng,
}

/// Why a node cannot start.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum SetupError {
    /// The descriptor's numbers allow no draw.
    #[error("this community cannot draw helpers: {0}")]
    Table(#[from] overlay::KTableError),
    /// The journal holds what no version of this program wrote.
    #[error(
        "the journal in the vault is damaged; restore the vault from a backup, so that this node keeps its word"
    )]
    Journal,
}

/// From the application.
#[derive(Debug)]
pub enum Command {
    /// Start, knowing these nodes' addresses (none for the first node of a community).
    Join(Vec<(NodeId, SocketAddr)>),
    /// Put a question to the community.
    Ask(Ask),
    /// The owner's standing words from now on.
    SetConsent(question::Rules),
    /// How many questions the owner's data may go into from now on.
    SetBudget(Option<Budget>),
    /// Call off a question of this node's own, as long as nobody is drawn for it.
    Cancel(Digest),
    /// The owner's answer to [`Event::AskOwner`]; a later one replaces it until this node contributes.
    Consent {
        /// Which question.
        question: Digest,
        /// Take part or stay out.
        yes: bool,
    },
    /// The answer to [`Event::Measure`].
    Measured {
        /// Which question.
        question: Digest,
        /// What the owner's data says; [`LocalRow::NoRow`] when there is no such table.
        row: LocalRow,
    },
    /// The entry of [`Event::Store`] with this number is on the disk.
    Stored(u64),
}

/// To the application.
#[derive(Debug)]
pub enum Event {
    /// How many nodes are known now, this one included.
    Known(usize),
    /// May this node take part? Answer with [`Command::Consent`].
    AskOwner(Box<Asked>),
    /// The owner's rules have decided about a question: whether this node takes part.
    ByRule(Box<Asked>, bool),
    /// Run the local part of a question on the owner's data; answer with [`Command::Measured`].
    Measure {
        /// Which question.
        question: Digest,
        /// Its parsed form.
        parsed: Box<Question>,
    },
    /// Store this, in order; answer with [`Command::Stored`]. Nothing that depends on it is sent before.
    Store {
        /// Ascending from 1 in this run.
        number: u64,
        /// Replaces an earlier entry with the same key.
        key: Vec<u8>,
        /// For [`Setup::journal`] after a restart.
        value: Vec<u8>,
    },
    /// Nothing needs what was stored under this key any more.
    Forget {
        /// As in [`Event::Store`].
        key: Vec<u8>,
    },
    /// A question that this node heard of is called off by its asker.
    CalledOff(Digest),
    /// This node declines, although its owner said yes: its budget is spent.
    BudgetSpent(Digest),
    /// The asker's own question was not even announced.
    NotAsked(PlanError),
    /// How far the asker's question is.
    Stage(Digest, Stage),
    /// The answer to the asker's question.
    Answered(Box<Answer>),
    /// There is no answer to the asker's question.
    Ended(Digest, Failure),
    /// A helper has passed this node's contribution on.
    Contributed(Digest),
    /// At a helper: whose contributions are added up, by round. For the log of what this node helped with.
    SetAgreed(Digest, std::collections::BTreeSet<NodeId>),
    /// A peer did what no honest one does.
    Misbehaved {
        /// Who.
        node: NodeId,
        /// Which check failed.
        what: String,
    },
}

/// A deadline of a child or of an own question.
#[derive(Debug, Clone, Copy)]
pub enum Timer {
    /// Of the overlay.
    Overlay(overlay::Timer),
    /// Of selection.
    Selection(selection::Timer),
    /// Of the committee engine.
    Committee(committee::Timer),
    /// Of a question of our own.
    Asking(Digest),
    /// To compare open questions with somebody.
    Compare,
}

impl Node {
    /// A node that knows itself.
    ///
    /// # Errors
    ///
    /// See [`SetupError`].
    pub fn new(now: Instant, setup: Setup) -> Result<Self, SetupError> {
        let Setup {
            identity,
            community,
            addresses,
            consent,
            budget,
            journal,
            mut rng,
        } = setup;
        let own = Contact::new(&identity.key, identity.certificate.clone(), addresses, now);
        let rules = Rules::new(Arc::clone(&community))?;
        let (journal, kept) = Journal::restore(&journal).ok_or(SetupError::Journal)?;
        let overlay = Overlay::new(
            Arc::clone(&community),
            Arc::clone(&identity),
            own.clone(),
            rng.fork("overlay"),
        )?;
        let committee = Committee::new(
            Arc::clone(&identity),
            Arc::clone(&community),
            rng.fork("committee"),
        );
        let mut selection = Selection::new(Arc::clone(&identity), rules.clone());
        let know = selection::Command::Know(Arc::new(own));
        selection.handle(now, Input::Command(know), &mut Outbox::new());
        Ok(Self {
            identity,
            community,
            rules,
            overlay,
            selection,
            committee,
            consent,
            budget,
            journal,
            kept: Some(kept),
            answered: BTreeMap::new(),
            compare_at: now,
            questions: Questions::default(),
            asking: BTreeMap::new(),
            rng,
        })
    }

    /// Socket addresses at which `node` was last known.
    pub fn addresses(&self, node: NodeId) -> Vec<SocketAddr> {
        self.overlay.addresses(node)
    }

    /// This node's name.
    pub fn own(&self) -> NodeId {
        self.identity.node()
    }

    /// What this node says of itself to others.
    pub fn own_contact(&self) -> &Contact {
        self.overlay.own()
    }

    /// How many nodes this one knows, itself included.
    pub fn known(&self) -> usize {
        self.overlay.cache().len()
    }

    /// The questions about which owners may still decide.
    pub fn open_questions(&self, now: Instant) -> Vec<Digest> {
        self.questions
            .open(now)
            .map(|(question, _)| question)
            .collect()
    }

    /// Everybody else whom this node knows.
    pub(crate) fn others(&self) -> Vec<NodeId> {
        let own = self.own();
        let known = self.overlay.cache().iter();
        known
            .map(|contact| contact.node())
            .filter(|node| *node != own)
            .collect()
    }

    pub(crate) fn store(
        &mut self,
        at: Instant,
        entry: Entry,
        value: Vec<u8>,
        out: &mut Outbox<Self>,
    ) {
        let (number, key) = self.journal.store(at, entry);
        out.emit(Event::Store { number, key, value });
    }

    fn stored(&mut self, now: Instant, number: u64, out: &mut Outbox<Self>) {
        match self.journal.stored(number) {
            Some(Entry::Contributed(question)) => self.hand_in(now, question, out),
            Some(Entry::Voted(round, number)) => {
                let persisted = committee::Command::Persisted(round, number);
                self.committee(now, Input::Command(persisted), out);
            }
            Some(Entry::Heard(_) | Entry::Decided(_) | Entry::Asked(_) | Entry::Called(_))
            | None => {}
        }
    }

    pub(crate) fn misbehaved(node: NodeId, what: impl ToString, out: &mut Outbox<Self>) {
        let what = what.to_string();
        out.emit(Event::Misbehaved { node, what });
    }
}

/// The routes.
impl Node {
    pub(crate) fn overlay(&mut self, now: Instant, input: Input<Overlay>, out: &mut Outbox<Self>) {
        let mut said = Outbox::new();
        self.overlay.handle(now, input, &mut said);
        for output in said.drain() {
            match output {
                Output::Send { to, message } => out.send(to, Message::Overlay(message)),
                Output::Wake { at, timer } => out.wake(at, Timer::Overlay(timer)),
                Output::Event(overlay::Event::Known(contact)) => {
                    let know = selection::Command::Know(contact);
                    self.selection(now, Input::Command(know), out);
                    out.emit(Event::Known(self.overlay.cache().len()));
                }
                Output::Event(overlay::Event::Gone(node)) => {
                    let forget = selection::Command::Forget(node);
                    self.selection(now, Input::Command(forget), out);
                    out.emit(Event::Known(self.overlay.cache().len()));
                }
                Output::Event(overlay::Event::Refused { from, why }) => {
                    Self::misbehaved(from, why, out);
                }
                Output::Event(overlay::Event::Misbehaved { node, what }) => {
                    Self::misbehaved(node, what, out);
                }
                Output::Event(overlay::Event::Found(point, contacts)) => {
                    let found = selection::Command::Found(point, contacts);
                    self.selection(now, Input::Command(found), out);
                }
                Output::Event(overlay::Event::Joined(_)) => self.joined(now, out),
                // A draw whose point is not found tries another; nothing here broadcasts or keeps records yet.
                Output::Event(
                    overlay::Event::NotFound(_)
                    | overlay::Event::Heard { .. }
                    | overlay::Event::BroadcastFailed(_)
                    | overlay::Event::Stored { .. }
                    | overlay::Event::Got(..)
                    | overlay::Event::RecordFailed(_),
                ) => {}
            }
        }
    }

    pub(crate) fn selection(
        &mut self,
        now: Instant,
        input: Input<Selection>,
        out: &mut Outbox<Self>,
    ) {
        let mut said = Outbox::new();
        self.selection.handle(now, input, &mut said);
        for output in said.drain() {
            match output {
                Output::Send { to, message } => out.send(to, Message::Selection(message)),
                Output::Wake { at, timer } => out.wake(at, Timer::Selection(timer)),
                Output::Event(selection::Event::Drawn(lists)) => {
                    for list in lists {
                        self.drawn(now, list, out);
                    }
                }
                Output::Event(selection::Event::Find(point)) => {
                    let find = overlay::Command::Find(point);
                    self.overlay(now, Input::Command(find), out);
                }
                Output::Event(selection::Event::Failed(question, why)) => {
                    self.ended(question, Failure::Draw(why), out);
                }
                Output::Event(selection::Event::Heard(contact)) => {
                    let know = overlay::Command::Know(vec![*contact]);
                    self.overlay(now, Input::Command(know), out);
                }
                Output::Event(selection::Event::Unheard(question, node)) => {
                    self.pass_on(question, node, out);
                }
                Output::Event(selection::Event::Misbehaved { node, what }) => {
                    Self::misbehaved(node, what, out);
                }
            }
        }
    }

    pub(crate) fn committee(
        &mut self,
        now: Instant,
        input: Input<Committee>,
        out: &mut Outbox<Self>,
    ) {
        let mut said = Outbox::new();
        self.committee.handle(now, input, &mut said);
        for output in said.drain() {
            match output {
                Output::Send { to, message } => out.send(to, Message::Committee(message)),
                Output::Wake { at, timer } => out.wake(at, Timer::Committee(timer)),
                Output::Event(event) => self.on_committee(now, event, out),
            }
        }
    }

    fn on_committee(&mut self, now: Instant, event: committee::Event, out: &mut Outbox<Self>) {
        match event {
            committee::Event::LanesReady(round, keys) => self.lanes_ready(now, round, keys, out),
            committee::Event::Opened(round, evidence) => self.opened(round, *evidence, out),
            committee::Event::Failed(round, why) => {
                if let Some(question) = self.asked_in(round) {
                    self.ended(question, Failure::Committee(why), out);
                }
            }
            committee::Event::Accepted(round) => out.emit(Event::Contributed(round)),
            // The vault's numbers are brought into range before; a lane's false key is a helper's fault, and it cannot be
            // said whose.
            committee::Event::Unfit(..) => {}
            committee::Event::Persist {
                round,
                number,
                state,
            } => self.store(now, Entry::Voted(round, number), state, out),
            committee::Event::SetAgreed(round, members) => {
                out.emit(Event::SetAgreed(round, members));
            }
            committee::Event::Misbehaved { node, what } => Self::misbehaved(node, what, out),
        }
    }

    fn command(&mut self, now: Instant, command: Command, out: &mut Outbox<Self>) {
        match command {
            Command::Join(told) => {
                let join = overlay::Command::Join(told);
                self.overlay(now, Input::Command(join), out);
                self.resume(now, out);
            }
            Command::Ask(ask) => self.ask(now, ask, out),
            Command::SetConsent(rules) => self.consent = rules,
            Command::SetBudget(budget) => self.budget = budget,
            Command::Cancel(question) => self.cancel(question, out),
            Command::Consent { question, yes } => self.consented(now, question, yes, out),
            Command::Measured { question, row } => self.measured(now, question, &row, out),
            Command::Stored(number) => self.stored(now, number, out),
        }
    }

    fn receive(&mut self, now: Instant, from: NodeId, message: Message, out: &mut Outbox<Self>) {
        match message {
            Message::Overlay(message) => {
                self.overlay(now, Input::Message { from, message }, out);
            }
            Message::Selection(message) => {
                self.selection(now, Input::Message { from, message }, out);
            }
            Message::Committee(message) => {
                self.committee(now, Input::Message { from, message }, out);
            }
            Message::Announce(plan) => {
                if let Err(fault) = self.hear(now, *plan, out) {
                    Self::misbehaved(from, fault, out);
                }
            }
            Message::Seat(drawn) => {
                if let Err(fault) = self.take_seat(now, from, *drawn, out) {
                    Self::misbehaved(from, fault, out);
                }
            }
            Message::Open(named) => self.on_open(now, from, &named, out),
            Message::Cancelled(cancelled) => {
                if let Err(fault) = self.on_cancelled(now, cancelled, out) {
                    Self::misbehaved(from, fault, out);
                }
            }
            Message::Collect(drawn, keys) => {
                if let Err(fault) = self.called(now, from, *drawn, keys, out) {
                    Self::misbehaved(from, fault, out);
                }
            }
        }
    }
}

impl Protocol for Node {
    type Message = Message;
    type Command = Command;
    type Event = Event;
    type Timer = Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(command) => self.command(now, command, out),
            Input::Message { from, message } => self.receive(now, from, message, out),
            Input::Timer(Timer::Overlay(timer)) => {
                self.overlay(now, Input::Timer(timer), out);
            }
            Input::Timer(Timer::Selection(timer)) => self.selection(now, Input::Timer(timer), out),
            Input::Timer(Timer::Committee(timer)) => self.committee(now, Input::Timer(timer), out),
            Input::Timer(Timer::Asking(question)) => self.asking_timer(now, question, out),
            Input::Timer(Timer::Compare) => self.compare_timer(now, out),
            Input::Unreachable(node) => {
                self.overlay(now, Input::Unreachable(node), out);
                self.selection(now, Input::Unreachable(node), out);
                self.committee(now, Input::Unreachable(node), out);
            }
        }
    }
}
