//! The children, and what goes in and out.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use aggregation::committee::{self, Committee};
use base::{Digest, Input, Instant, NodeId, Outbox, Protocol, Rng};
use community::{AmendmentError, Community, Contact, Identity, SignedDescriptor};
use minicbor::{Decode, Encode};
use overlay::{NEIGHBOURS, Overlay};
use question::{LocalRow, Question};
use selection::{Rules, Selection};
use thiserror::Error;

use crate::asking::{Answer, Ask, Asking, Failure, Stage};
use crate::epochs::Epochs;
use crate::helping::{Progress, Role};
use crate::journal::{Entry, Journal, Kept};
use crate::lately::Lately;
use crate::owning::{Asked, Budget};
use crate::plan::PlanError;
use crate::publishing::{PublishError, Published, Publishing};
use crate::questions::Questions;
use crate::reaching::Reaching;
use crate::recording::{Recorder, Sink};

/// One person's node.
pub struct Node {
    pub(crate) identity: Arc<Identity>,
    pub(crate) community: Arc<Community>,
    pub(crate) rules: Rules,
    pub(crate) overlay: Overlay,
    pub(crate) selection: Selection,
    pub(crate) committee: Committee,
    pub(crate) consent: question::Rules,
    pub(crate) budget: Option<Budget>,
    pub(crate) journal: Journal,
    /// What the last run left open, until this one joins.
    pub(crate) kept: Option<Kept>,
    /// Who was told of open questions.
    pub(crate) answered: Lately,
    pub(crate) compare_at: Instant,
    pub(crate) questions: Questions,
    pub(crate) asking: BTreeMap<Digest, Asking>,
    /// When others have forgotten each question that was asked here.
    pub(crate) remembered_until: Vec<Instant>,
    pub(crate) publishing: Publishing,
    pub(crate) reaching: Reaching,
    pub(crate) epochs: Epochs,
    pub(crate) rng: Rng,
    pub(crate) recorder: Option<Recorder>,
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
#[derive(Debug, Encode, Decode)]
pub enum Command {
    /// Start, knowing these nodes' addresses (none for the first node of a community); or start again, once nobody is known
    /// any more.
    #[n(0)]
    Join(#[n(0)] Vec<(NodeId, SocketAddr)>),
    /// Tell whom to join through another time: answered by [`Event::Contacts`].
    #[n(1)]
    Contacts,
    /// Put a question to the community.
    #[n(2)]
    Ask(#[n(0)] Ask),
    /// The owner's standing words from now on, also about questions that wait or that older rules have decided.
    #[n(3)]
    SetConsent(#[n(0)] question::Rules),
    /// How many questions the owner's data may go into from now on.
    #[n(4)]
    SetBudget(#[n(0)] Option<Budget>),
    /// Call off a question of this node's own, as long as nobody is drawn for it.
    #[n(5)]
    Cancel(#[n(0)] Digest),
    /// The owner's answer to [`Event::AskOwner`]; a later one replaces it until this node contributes.
    #[n(6)]
    Consent {
        /// Which question.
        #[n(0)]
        question: Digest,
        /// Take part or stay out.
        #[n(1)]
        yes: bool,
    },
    /// Show the answer to a question of this node's own to everybody; it cannot be taken back.
    #[n(7)]
    Publish {
        /// Which.
        #[n(0)]
        question: Digest,
        /// Its proof file.
        #[cbor(n(1), with = "minicbor::bytes")]
        proof: Vec<u8>,
    },
    /// The answer to [`Event::Measure`].
    #[n(8)]
    Measured {
        /// Which question.
        #[n(0)]
        question: Digest,
        /// What the owner's data says; [`LocalRow::NoRow`] when there is no such table.
        #[n(1)]
        row: LocalRow,
    },
    /// The entry of [`Event::Store`] with this number is on the disk.
    #[n(9)]
    Stored(#[n(0)] u64),
    /// Tell the others that this node goes. Stop it once it has said [`Event::Left`].
    #[n(10)]
    Leave,
    /// Epochs of the community, in order: answered by [`Event::Amended`] or [`Event::NotAmended`], or not at all when they are
    /// known.
    #[n(11)]
    Amend(#[n(0)] Vec<SignedDescriptor>),
    /// Answered by [`Event::Echo`]: whatever the node has said to earlier commands comes before it.
    #[n(12)]
    Echo,
}

/// To the application.
#[derive(Debug)]
pub enum Event {
    /// How many nodes are known now, this one included.
    Known(usize),
    /// Others and where they are, those first that have been up for longest: at most [`CONTACTS_MAX`](crate::CONTACTS_MAX).
    Contacts(Vec<(NodeId, Vec<SocketAddr>)>),
    /// May this node take part? Answer with [`Command::Consent`].
    AskOwner(Box<Asked>),
    /// The owner's rules have decided about a question, for the first time or otherwise than before.
    ByRule {
        /// It.
        asked: Box<Asked>,
        /// Whether this node takes part.
        yes: bool,
        /// The rule that decided; none where the general word did.
        rule: Option<u32>,
    },
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
    /// When this node made the contributions that count towards its budget now, in any order; none without a budget.
    Budget(Vec<Instant>),
    /// The asker's own question was not even announced.
    NotAsked(PlanError),
    /// How far the asker's question is.
    Stage(Digest, Stage),
    /// The answer to the asker's question.
    Answered(Box<Answer>),
    /// An answer that its asker shows to everybody, this node's own too. May be told again after a restart.
    Published(Box<Published>),
    /// The answer to a question of this node's own is not published.
    NotPublished(Digest, PublishError),
    /// There is no answer to the asker's question.
    Ended(Digest, Failure),
    /// A helper has taken this node's contribution to this question, or its word that it gives none.
    Contributed(Digest),
    /// What this node does for somebody else's question.
    Helps {
        /// Which question.
        question: Digest,
        /// Whose.
        asker: NodeId,
        /// As what.
        role: Role,
        /// How far.
        progress: Progress,
    },
    /// At a helper: whose contributions are added up, by round. For the log of what this node helped with.
    SetAgreed(Digest, BTreeSet<NodeId>),
    /// The answer to [`Command::Echo`].
    Echo,
    /// The others are told that this node goes.
    Left,
    /// The community has a later epoch: start this node again with this descriptor. Told again after a restart in an older
    /// one.
    Amended(Box<SignedDescriptor>),
    /// What the host offered does not follow.
    NotAmended(AmendmentError),
    /// The authority signed two descriptors of one epoch. Told once in each run.
    Contradicted(Box<[SignedDescriptor; 2]>),
    /// What this node's key has signed, and this run of it has not, says of where it is: an earlier run did, or another one
    /// that runs now.
    Namesake(Box<Contact>),
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
    /// For a published answer to come.
    Fetch,
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
        let (journal, mut kept) = Journal::restore(&journal).ok_or(SetupError::Journal)?;
        let epochs = Epochs::new(Arc::clone(&community), std::mem::take(&mut kept.epochs));
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
            answered: Lately::default(),
            compare_at: now,
            questions: Questions::default(),
            asking: BTreeMap::new(),
            remembered_until: Vec::new(),
            publishing: Publishing::default(),
            reaching: Reaching::default(),
            epochs,
            rng,
            recorder: None,
        })
    }

    /// From now on hands all that it is told to a sink; right after it was made, so that the rest can be told again.
    pub fn record(&mut self, sink: Sink) {
        self.recorder = Some(Recorder::new(sink));
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

    /// Whom it knows, and where it sits.
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
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

    /// So many of them at random, or all.
    pub(crate) fn any_others(&mut self, count: usize) -> Vec<NodeId> {
        let mut others = self.others();
        let picked = (0..count.min(others.len())).map(|_| {
            let chosen = self.rng.below(others.len() as u64) as usize;
            others.swap_remove(chosen)
        });
        picked.collect()
    }

    /// Its neighbours and those far away whom it knows: whom something is told that is to come round the ring.
    pub(crate) fn around(&self) -> BTreeSet<NodeId> {
        let view = self.overlay.view();
        let near = view.neighbours(NEIGHBOURS);
        let known = near.iter().chain(view.fingers.iter());
        known.map(|contact| contact.node()).collect()
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

    pub(crate) fn stored(&mut self, now: Instant, number: u64, out: &mut Outbox<Self>) {
        match self.journal.stored(number) {
            Some(Entry::Contributed(question)) => self.hand_in(now, question, out),
            Some(Entry::Voted(round, number)) => {
                let persisted = committee::Command::Persisted(round, number);
                self.committee(now, Input::Command(persisted), out);
            }
            Some(Entry::Drawn(question)) => self.seat(now, question, out),
            Some(Entry::Called(question)) => self.call(now, question, out),
            Some(
                Entry::Heard(_)
                | Entry::Decided(_)
                | Entry::Asked(_)
                | Entry::Published(_)
                | Entry::Epoch(_),
            )
            | None => {}
        }
    }

    pub(crate) fn misbehaved(node: NodeId, what: impl ToString, out: &mut Outbox<Self>) {
        let what = what.to_string();
        out.emit(Event::Misbehaved { node, what });
    }
}
