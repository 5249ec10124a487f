//! How nodes of a small community, whose caches hold everyone, come to know each other.
//!
//! A newcomer says hello to the nodes it was told of and asks for what they know. From then on each node compares caches
//! with a random member from time to time, often while there is news and rarely otherwise, so that all caches converge
//! whatever was lost. Two nodes that compare exchange short names first, so that a contact travels only to who lacks it.
//!
//! Nothing enters a cache unchecked: a contact costs two signature checks, once. A peer whose contact fails them is not
//! listened to for a while, and a node that keeps giving new addresses is heard rarely, so that neither can keep others
//! busy. Contacts leave when their certificates expire. Revocation comes with a new descriptor.
//!
//! What this does not do: notice who is up. And a community with more than [`CACHE_MAX`] nodes needs caches of a region.

mod message;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use base::{Duration, Input, Instant, NodeId, Outbox, Protocol, Rng};
use community::{Community, Contact, ContactError};

use crate::NodeCache;
pub(crate) use message::AtMost;
pub use message::Message;
use message::Name;

/// Time between two comparisons while there is news. Guess: a few round trips.
const TICK_BUSY: Duration = Duration::from_millis(150);
/// Time between two comparisons when nothing has changed for [`SETTLE`]. Guess.
const TICK_IDLE: Duration = Duration::from_secs(15);
/// How long after the last news a node goes on comparing often. Guess: the gossip needs about log2 of the community rounds.
const SETTLE: Duration = Duration::from_secs(2);
/// Most contacts in one message: with certificates of about half a kilobyte, 160 KB.
const CONTACTS_MAX: usize = 256;
/// Most nodes that a cache holds: the paper's 512 and room for small communities without regions.
const CACHE_MAX: usize = 1024;
/// How long a peer's contacts are not read after one of them had a bad signature. Guess: long beside the two checks that
/// it cost, short beside the life of a node that was wrongly blamed.
const DISTRUST: Duration = Duration::from_secs(15);
/// Least time between two changes of one node's contact. Guess: a node starts anew less often.
const CHANGE_EVERY: Duration = Duration::from_secs(2);

/// Keeps one node's cache.
pub struct Membership {
    community: Arc<Community>,
    own: Arc<Contact>,
    cache: NodeCache,
    bootstrap: Vec<(NodeId, SocketAddr)>,
    last_news: Instant,
    /// When the next comparison is due; earlier timers are stale.
    next_tick: Instant,
    /// Whose contact was refused within [`DISTRUST`], when and why.
    refused: BTreeMap<NodeId, (Instant, ContactError)>,
    /// Whose contact changed within [`CHANGE_EVERY`], and when.
    changed: BTreeMap<NodeId, Instant>,
    rng: Rng,
}

/// From the application.
#[derive(Debug)]
pub enum Command {
    /// Start, knowing these nodes' addresses (none for the first node of a community).
    Join(Vec<(NodeId, SocketAddr)>),
    /// Take contacts that the host has kept from before.
    Know(Vec<Contact>),
}

/// To the application.
#[derive(Debug)]
pub enum Event {
    /// A node became known, or a known one has new addresses.
    Known(Arc<Contact>),
    /// A peer sent a contact that does not hold. Told at most twice per peer in 15 seconds.
    Refused {
        /// Who sent it.
        from: NodeId,
        /// Why it was refused.
        why: ContactError,
    },
}

/// Compare caches with someone.
#[derive(Debug, Clone, Copy)]
pub struct Tick;

impl Membership {
    /// A node that knows itself.
    pub fn new(community: Arc<Community>, own: Contact, rng: Rng) -> Self {
        let own = Arc::new(own);
        let mut cache = NodeCache::new();
        cache.insert(Arc::clone(&own));
        Self {
            community,
            own,
            cache,
            bootstrap: Vec::new(),
            last_news: Instant(0),
            next_tick: Instant(u64::MAX),
            refused: BTreeMap::new(),
            changed: BTreeMap::new(),
            rng,
        }
    }

    /// What this node says of itself.
    pub fn own(&self) -> &Contact {
        &self.own
    }

    /// Whom this node knows, itself included.
    pub fn cache(&self) -> &NodeCache {
        &self.cache
    }

    /// Where `node` can be reached.
    pub fn addresses(&self, node: NodeId) -> Vec<SocketAddr> {
        let told = self
            .bootstrap
            .iter()
            .filter(|(told, _)| *told == node)
            .map(|(_, at)| *at);
        match self.cache.get(node) {
            Some(contact) => contact.addresses().to_vec(),
            None => told.collect(),
        }
    }
}

impl Protocol for Membership {
    type Message = Message;
    type Command = Command;
    type Event = Event;
    type Timer = Tick;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        self.forget(now);
        match input {
            Input::Command(Command::Join(told)) => self.handle_join(now, told, out),
            Input::Command(Command::Know(contacts)) => {
                self.learn_all(now, self.own.node(), contacts, out);
            }
            Input::Message { from, message } => self.on_message(now, from, message, out),
            Input::Timer(Tick) => self.handle_tick(now, out),
            // The next comparison goes to another member.
            Input::Unreachable(_) => {}
        }
    }
}

/// What this node wants.
impl Membership {
    fn handle_join(
        &mut self,
        now: Instant,
        told: Vec<(NodeId, SocketAddr)>,
        out: &mut Outbox<Self>,
    ) {
        self.bootstrap = told;
        self.last_news = now;
        self.hello(out);
        self.tick_by(now + TICK_BUSY, out);
    }

    fn handle_tick(&mut self, now: Instant, out: &mut Outbox<Self>) {
        if now < self.next_tick {
            return;
        }
        self.hello(out);
        let nodes = self.cache.iter().map(|contact| contact.node());
        let others: Vec<_> = nodes.filter(|node| *node != self.own.node()).collect();
        if !others.is_empty() {
            let chosen = others[self.rng.below(others.len() as u64) as usize];
            out.send(chosen, Message::Compare(self.cache.summary()));
        }
        let busy = now.since(self.last_news) < SETTLE;
        self.next_tick = Instant(u64::MAX);
        self.tick_by(now + if busy { TICK_BUSY } else { TICK_IDLE }, out);
    }

    fn hello(&self, out: &mut Outbox<Self>) {
        let told: BTreeSet<_> = self.bootstrap.iter().map(|(node, _)| *node).collect();
        for node in told.into_iter().filter(|node| !self.cache.contains(*node)) {
            out.send(node, Message::Hello((*self.own).clone()));
        }
    }

    /// Makes sure that the next comparison is not later than `at`.
    fn tick_by(&mut self, at: Instant, out: &mut Outbox<Self>) {
        if self.next_tick > at {
            self.next_tick = at;
            out.wake(at, Tick);
        }
    }

    /// Drops what time has made worthless.
    fn forget(&mut self, now: Instant) {
        let own = self.own.node();
        self.cache
            .retain(|contact| contact.node() == own || now <= contact.certificate().valid_until());
        self.refused.retain(|_, (at, _)| now.since(*at) < DISTRUST);
        self.changed.retain(|_, at| now.since(*at) < CHANGE_EVERY);
    }
}

/// What peers say.
impl Membership {
    fn on_message(&mut self, now: Instant, from: NodeId, message: Message, out: &mut Outbox<Self>) {
        match message {
            Message::Hello(contact) => {
                self.learn_all(now, from, vec![contact], out);
                self.tell_names(from, out);
            }
            Message::Compare(theirs) if self.cache.summary() != theirs => {
                self.tell_names(from, out);
            }
            Message::Compare(_) => {}
            Message::Have(theirs) => self.on_have(from, theirs.into_inner(), out),
            Message::Want(names) => {
                let names: BTreeSet<_> = names.into_inner().into_iter().collect();
                self.tell_contacts(from, |name| names.contains(name), out);
            }
            Message::Members(contacts) => {
                self.learn_all(now, from, contacts.into_inner(), out);
            }
        }
    }

    fn on_have(&self, from: NodeId, theirs: Vec<Name>, out: &mut Outbox<Self>) {
        let theirs: BTreeSet<_> = theirs.into_iter().collect();
        let ours: BTreeSet<_> = self.names().collect();
        self.tell_contacts(from, |name| !theirs.contains(name), out);
        let lacking: Vec<_> = theirs.difference(&ours).copied().collect();
        if !lacking.is_empty() {
            out.send(from, Message::Want(AtMost::first_of(lacking)));
        }
    }

    fn names(&self) -> impl Iterator<Item = Name> {
        self.cache.digests().map(|(digest, _)| Name::of(digest))
    }

    fn tell_names(&self, to: NodeId, out: &mut Outbox<Self>) {
        let names = self.names().collect();
        out.send(to, Message::Have(AtMost::first_of(names)));
    }

    fn tell_contacts(&self, to: NodeId, keep: impl Fn(&Name) -> bool, out: &mut Outbox<Self>) {
        let kept = self.cache.digests().filter(|(d, _)| keep(&Name::of(d)));
        let contacts: Vec<_> = kept.map(|(_, contact)| (**contact).clone()).collect();
        for part in contacts.chunks(CONTACTS_MAX) {
            out.send(to, Message::Members(AtMost::first_of(part.to_vec())));
        }
    }

    fn learn_all(
        &mut self,
        now: Instant,
        from: NodeId,
        contacts: Vec<Contact>,
        out: &mut Outbox<Self>,
    ) {
        for contact in contacts {
            if self.distrusts(from) {
                return;
            }
            if let Err(why) = self.learn(now, contact, out) {
                self.refuse(now, from, why, out);
            }
        }
    }

    fn learn(
        &mut self,
        now: Instant,
        contact: Contact,
        out: &mut Outbox<Self>,
    ) -> Result<(), ContactError> {
        let node = contact.node();
        let known = self.cache.contains(node);
        let full = !known && self.cache.len() >= CACHE_MAX;
        if full || self.changed.contains_key(&node) || !self.cache.is_news(&contact) {
            return Ok(());
        }
        contact.verify(self.community.descriptor(), now)?;
        let contact = Arc::new(contact);
        self.cache.insert(Arc::clone(&contact));
        if known {
            self.changed.insert(node, now);
        }
        self.last_news = now;
        self.tick_by(now + TICK_BUSY, out);
        out.emit(Event::Known(contact));
        Ok(())
    }

    fn refuse(&mut self, now: Instant, from: NodeId, why: ContactError, out: &mut Outbox<Self>) {
        // What the host gives is not a peer's.
        if from != self.own.node() {
            let told = self.refused.contains_key(&from);
            if told && !why.is_forgery() {
                return;
            }
            if !told && self.refused.len() >= CACHE_MAX {
                self.refused.pop_first();
            }
            self.refused.insert(from, (now, why));
        }
        out.emit(Event::Refused { from, why });
    }

    /// Only a bad signature costs more than it cost the sender.
    fn distrusts(&self, from: NodeId) -> bool {
        let refused = self.refused.get(&from);
        refused.is_some_and(|(_, why)| why.is_forgery())
    }
}

#[cfg(test)]
mod tests;
