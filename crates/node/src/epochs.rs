//! How a later epoch of the community reaches everybody.
//!
//! Nodes say which epoch they know when they have joined, once an hour to somebody at random, and to some when they learn of a
//! later one. Whoever knows a later one hands on all that lie between: an epoch is accepted on top of the one before and in no
//! other way, so that no member is shown a history of its own. Two descriptors of one epoch convict the authority; a node that
//! meets the second one keeps it and tells its owner.
//!
//! From the descriptor everything is computed: sizes, who attests whom, who may speak. So a node does not change in the middle
//! of its work: its host starts it again in the later epoch ([`Event::Amended`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Digest, Duration, Instant, NodeId, Outbox};
use community::{AmendmentError, Community, SignedDescriptor};

use crate::composition::{Event, Node, Timer};
use crate::journal::{Entry, Journal, value};
use crate::lasting::CONTACTS_MAX;
use crate::lately::Lately;
use crate::message::Message;

/// Most bytes of descriptors in one message, but for one, which is always sent whole.
const GIVEN_BYTES_MAX: usize = 256 << 10;
/// Most bytes of them that are kept, the latest. Guess: thousands of epochs of an ordinary vocabulary. Whoever was away for more
/// gets those in between from the authority.
pub(crate) const KEPT_BYTES_MAX: usize = 16 << 20;
/// How often one node is given descriptors at most.
const GIVEN_EVERY: Duration = Duration::from_secs(5);
/// How often those through whom a node joins are told of its epoch until it has joined, and some until it is given a later one
/// that it has heard of.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// How often the latter: perhaps there is none.
const SOUGHT_TIMES: u32 = 6;
/// How many at random are told of a later epoch, beside neighbours and those far away whom the ring needs.
const TOLD_AT_RANDOM: usize = 4;

/// The epochs that this node knows.
#[derive(Debug)]
pub struct Epochs {
    /// The last of them.
    latest: Arc<Community>,
    /// By number; those that are missing came before this node.
    known: BTreeMap<u64, SignedDescriptor>,
    /// Which of them are on the disk.
    stored: BTreeSet<Digest>,
    /// Two of one epoch.
    contradiction: Option<[SignedDescriptor; 2]>,
    /// Who was given descriptors.
    given: Lately,
    /// Whose words were of another epoch.
    met: Lately,
    /// Whom this node joins through.
    told: Vec<NodeId>,
    /// How often more to ask for an epoch that somebody has named and nobody given.
    sought: u32,
}

impl Epochs {
    /// What an earlier run has kept, and where its host starts this one.
    pub fn new(community: Arc<Community>, kept: Vec<SignedDescriptor>) -> Self {
        let mut epochs = Self {
            stored: kept.iter().map(SignedDescriptor::digest).collect(),
            known: BTreeMap::from([(community.descriptor().epoch, community.signed().clone())]),
            latest: community,
            contradiction: None,
            given: Lately::default(),
            met: Lately::default(),
            told: Vec::new(),
            sought: 0,
        };
        let opened = kept
            .into_iter()
            .filter_map(|signed| Community::open(signed).ok());
        let mut opened: Vec<_> = opened.collect();
        opened.sort_by_key(|kept| kept.descriptor().epoch);
        for kept in opened {
            epochs.restore(kept);
        }
        epochs
    }

    fn restore(&mut self, kept: Community) {
        let epoch = kept.descriptor().epoch;
        match self.known.get(&epoch) {
            Some(known) if known.digest() == kept.digest() => {}
            Some(known) => self.contradiction = Some([known.clone(), kept.signed().clone()]),
            None if epoch < self.latest.descriptor().epoch => {
                self.known.insert(epoch, kept.signed().clone());
            }
            // Whether such a one counts depends on the one before.
            None => _ = self.take(kept.signed().clone()),
        }
    }

    /// Takes the next one; what is known already is taken for granted.
    fn take(&mut self, signed: SignedDescriptor) -> Result<(), AmendmentError> {
        let digest = signed.digest();
        match self.latest.succeed(signed) {
            Ok(next) => {
                self.latest = Arc::new(next);
                let epoch = self.latest.descriptor().epoch;
                self.known.insert(epoch, self.latest.signed().clone());
                Ok(())
            }
            Err(AmendmentError::NotNext { known, offered }) if offered <= known => {
                match self.known.get(&offered) {
                    Some(known) if known.digest() != digest => {
                        Err(AmendmentError::Contradiction(offered))
                    }
                    // Several hand on the same.
                    _ => Ok(()),
                }
            }
            Err(why) => Err(why),
        }
    }

    fn epoch(&self) -> u64 {
        self.latest.descriptor().epoch
    }

    /// Those that follow this epoch, as many as one message takes.
    fn after(&self, epoch: u64) -> Vec<SignedDescriptor> {
        let following = (epoch..).skip(1).map_while(|epoch| self.known.get(&epoch));
        let mut bytes = 0;
        let some = following.take_while(|signed| {
            let fits = bytes == 0 || bytes + signed.size() <= GIVEN_BYTES_MAX;
            bytes += signed.size();
            fits
        });
        some.cloned().collect()
    }

    /// Descriptors that are not on the disk yet; they are from now on.
    fn unstored(&mut self) -> Vec<SignedDescriptor> {
        let all = self
            .known
            .values()
            .chain(self.contradiction.iter().flatten());
        let all = all.filter(|signed| self.stored.insert(signed.digest()));
        all.cloned().collect()
    }

    /// The oldest, if there is no room for it.
    fn surplus(&mut self) -> Option<SignedDescriptor> {
        let bytes: usize = self.known.values().map(SignedDescriptor::size).sum();
        let oldest = self.known.first_entry()?;
        let goes = bytes > KEPT_BYTES_MAX && *oldest.key() < self.latest.descriptor().epoch;
        goes.then(|| oldest.remove())
    }
}

impl Node {
    /// Tells its host once more what the last run was told.
    pub(crate) fn resume_epochs(&self, out: &mut Outbox<Self>) {
        if self.epochs.epoch() > self.community.descriptor().epoch {
            self.say_amended(out);
        }
        if let Some(both) = &self.epochs.contradiction {
            out.emit(Event::Contradicted(Box::new(both.clone())));
        }
    }

    fn say_amended(&self, out: &mut Outbox<Self>) {
        let latest = self.epochs.latest.signed().clone();
        out.emit(Event::Amended(Box::new(latest)));
    }

    /// This node is about to join, through these.
    pub(crate) fn begin_epochs(&mut self, now: Instant, told: Vec<NodeId>, out: &mut Outbox<Self>) {
        self.epochs.told = told;
        self.epochs.told.truncate(CONTACTS_MAX);
        self.tell_told(now, out);
    }

    /// Who knows another epoch than the others does not become a member among them: membership rests on the descriptor.
    pub(crate) fn tell_told(&self, now: Instant, out: &mut Outbox<Self>) {
        for node in &self.epochs.told {
            self.tell_epoch(*node, out);
        }
        out.wake(now + TELL_EVERY, Timer::Compare);
    }

    /// Tells `node` which epoch this one knows.
    pub(crate) fn tell_epoch(&self, node: NodeId, out: &mut Outbox<Self>) {
        let latest = &self.epochs.latest;
        out.send(
            node,
            Message::Epoch(latest.descriptor().epoch, latest.digest()),
        );
    }

    /// Another node says which epoch it knows.
    pub(crate) fn on_epoch(
        &mut self,
        now: Instant,
        from: NodeId,
        (epoch, digest): (u64, Digest),
        out: &mut Outbox<Self>,
    ) {
        let epochs = &mut self.epochs;
        if epoch > epochs.epoch() {
            if std::mem::replace(&mut epochs.sought, SOUGHT_TIMES) == 0 {
                out.wake(now + TELL_EVERY, Timer::Compare);
            }
            self.tell_epoch(from, out);
            return;
        }
        // Who knows another descriptor of this epoch is to see that there are two.
        let other = epochs.known.get(&epoch);
        let other = other.filter(|known| known.digest() != digest).cloned();
        let given: Vec<_> = other.into_iter().chain(epochs.after(epoch)).collect();
        if !given.is_empty() && epochs.given.may(now, from, GIVEN_EVERY) {
            out.send(from, Message::Later(given));
        }
    }

    /// Another node speaks to others of this epoch. The nodes of one epoch are a ring of their own: who had joined a ring that
    /// ends would know, and vouch for, many who are newcomers by now, and for minutes nobody could join through it.
    pub(crate) fn on_other_epoch(
        &mut self,
        now: Instant,
        from: NodeId,
        epoch: u64,
        out: &mut Outbox<Self>,
    ) {
        let epochs = &mut self.epochs;
        if !epochs.met.may(now, from, GIVEN_EVERY) {
            return;
        }
        let given = epochs.after(epoch);
        if epoch > epochs.epoch() {
            self.tell_epoch(from, out);
        } else if !given.is_empty() {
            out.send(from, Message::Later(given));
        }
    }

    /// Who named a later epoch may have been about to start again in it, and others have it too.
    pub(crate) fn seek_epoch(&mut self, now: Instant, out: &mut Outbox<Self>) {
        if self.epochs.sought == 0 {
            return;
        }
        self.epochs.sought -= 1;
        for node in self.some() {
            self.tell_epoch(node, out);
        }
        out.wake(now + TELL_EVERY, Timer::Compare);
    }

    /// Another node, or this one's host, hands on epochs.
    ///
    /// # Errors
    ///
    /// Why one of them does not follow; those before it are taken. That there are two of one epoch is nobody's error but the
    /// authority's.
    pub(crate) fn amend(
        &mut self,
        now: Instant,
        given: Vec<SignedDescriptor>,
        out: &mut Outbox<Self>,
    ) -> Result<(), AmendmentError> {
        let before = self.epochs.epoch();
        let mut result = Ok(());
        for signed in given {
            match self.epochs.take(signed.clone()) {
                Ok(()) => {}
                Err(AmendmentError::Contradiction(epoch)) => {
                    self.contradicted(now, epoch, signed, out);
                }
                Err(why) => {
                    result = Err(why);
                    break;
                }
            }
        }
        if self.epochs.epoch() > before {
            self.epochs.sought = 0;
            self.store_epochs(now, out);
            self.say_amended(out);
            for node in self.some() {
                self.tell_epoch(node, out);
            }
        }
        result
    }

    /// Keeps the evidence, and hands it to some who may know one of the two alone.
    fn contradicted(
        &mut self,
        now: Instant,
        epoch: u64,
        other: SignedDescriptor,
        out: &mut Outbox<Self>,
    ) {
        let Some(known) = self.epochs.known.get(&epoch) else {
            return;
        };
        if self.epochs.contradiction.is_some() {
            return;
        }
        let both = [known.clone(), other];
        self.epochs.contradiction = Some(both.clone());
        self.store_epochs(now, out);
        for node in self.some() {
            out.send(node, Message::Later(both.to_vec()));
        }
        out.emit(Event::Contradicted(Box::new(both)));
    }

    fn store_epochs(&mut self, now: Instant, out: &mut Outbox<Self>) {
        for signed in self.epochs.unstored() {
            self.store(now, Entry::Epoch(signed.digest()), value(&signed), out);
        }
        while let Some(oldest) = self.epochs.surplus() {
            let key = Journal::key_of_epoch(oldest.digest());
            out.emit(Event::Forget { key });
        }
    }

    /// Those around it and a few at random: so it comes round the ring, and fast.
    fn some(&mut self) -> BTreeSet<NodeId> {
        let mut some = self.around();
        some.extend(self.any_others(TOLD_AT_RANDOM));
        some
    }
}
