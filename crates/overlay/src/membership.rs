//! How nodes of a small community, whose caches hold everyone, come to know each other.
//!
//! A newcomer says hello to the nodes it was told of and receives what they know. From then on each node compares caches
//! with a random member from time to time, often while there is news and rarely otherwise, so that all caches converge
//! whatever was lost. Nothing enters a cache unchecked: a contact costs two signature checks, once.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use base::{Digest, Duration, Input, Instant, NodeId, Outbox, Protocol, Rng};
use community::{Community, Contact, ContactError};
use minicbor::{Decode, Encode};

use crate::NodeCache;

/// Time between two comparisons while there is news. Guess: a few round trips.
const TICK_BUSY: Duration = Duration::from_millis(150);
/// Time between two comparisons when nothing has changed for [`SETTLE`]. Guess.
const TICK_IDLE: Duration = Duration::from_secs(15);
/// How long after the last news a node goes on comparing often. Guess: the gossip needs about log2 of the community rounds.
const SETTLE: Duration = Duration::from_secs(2);
/// Most contacts in one message: with certificates of about half a kilobyte, 128 KB.
const CONTACTS_MAX: usize = 256;
/// Most nodes that a cache holds: the paper's 512 and room for small communities without regions.
const CACHE_MAX: usize = 1024;

/// Keeps one node's cache.
pub struct Membership {
    community: Arc<Community>,
    own: Arc<Contact>,
    cache: NodeCache,
    bootstrap: Vec<(NodeId, SocketAddr)>,
    last_news: Instant,
    /// When the next comparison is due; earlier timers are stale.
    next_tick: Instant,
    rng: Rng,
}

/// Between nodes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// A newcomer introduces itself to a node that it was told of.
    #[n(0)]
    Hello(#[n(0)] Contact),
    /// All that the sender knows, or a part of it.
    #[n(1)]
    Members {
        /// Contacts that the receiver may lack.
        #[n(0)]
        contacts: Vec<Contact>,
        /// Whether this is all: the receiver then answers with what the sender lacks.
        #[n(1)]
        all: bool,
    },
    /// The sender's cache in brief; a receiver that holds something else answers with [`Message::Members`].
    #[n(2)]
    Compare(#[n(0)] Digest),
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
    /// A peer sent a contact that does not hold.
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
            rng,
        }
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

    fn hello(&self, out: &mut Outbox<Self>) {
        for &(node, _) in self
            .bootstrap
            .iter()
            .filter(|(node, _)| !self.cache.contains(*node))
        {
            out.send(node, Message::Hello((*self.own).clone()));
        }
    }

    fn on_hello(&mut self, now: Instant, from: NodeId, contact: Contact, out: &mut Outbox<Self>) {
        self.learn(now, from, contact, out);
        self.send_all(from, out);
    }

    fn on_compare(&self, from: NodeId, theirs: Digest, out: &mut Outbox<Self>) {
        if self.cache.summary() != theirs {
            self.send_all(from, out);
        }
    }

    fn on_members(
        &mut self,
        now: Instant,
        from: NodeId,
        contacts: Vec<Contact>,
        all: bool,
        out: &mut Outbox<Self>,
    ) {
        let told: BTreeSet<NodeId> = contacts.iter().map(Contact::node).collect();
        for contact in contacts.into_iter().take(CONTACTS_MAX) {
            self.learn(now, from, contact, out);
        }
        if all {
            let lacking = self
                .cache
                .iter()
                .filter(|contact| !told.contains(&contact.node()));
            let contacts: Vec<_> = lacking
                .take(CONTACTS_MAX)
                .map(|contact| (**contact).clone())
                .collect();
            if !contacts.is_empty() {
                out.send(
                    from,
                    Message::Members {
                        contacts,
                        all: false,
                    },
                );
            }
        }
    }

    fn send_all(&self, to: NodeId, out: &mut Outbox<Self>) {
        let contacts: Vec<_> = self
            .cache
            .iter()
            .map(|contact| (**contact).clone())
            .collect();
        let all = contacts.len() <= CONTACTS_MAX;
        for part in contacts.chunks(CONTACTS_MAX) {
            out.send(
                to,
                Message::Members {
                    contacts: part.to_vec(),
                    all,
                },
            );
        }
    }

    fn learn(&mut self, now: Instant, from: NodeId, contact: Contact, out: &mut Outbox<Self>) {
        let known = self.cache.get(contact.node());
        if known.is_some_and(|known| known.issued() >= contact.issued())
            || (known.is_none() && self.cache.len() >= CACHE_MAX)
        {
            return;
        }
        match contact.verify(self.community.descriptor(), now) {
            Ok(()) => {
                let contact = Arc::new(contact);
                self.cache.insert(Arc::clone(&contact));
                self.last_news = now;
                self.tick_by(now + TICK_BUSY, out);
                out.emit(Event::Known(contact));
            }
            Err(why) => out.emit(Event::Refused { from, why }),
        }
    }

    /// Makes sure that the next comparison is not later than `at`.
    fn tick_by(&mut self, at: Instant, out: &mut Outbox<Self>) {
        if self.next_tick > at {
            self.next_tick = at;
            out.wake(at, Tick);
        }
    }

    fn handle_tick(&mut self, now: Instant, out: &mut Outbox<Self>) {
        if now < self.next_tick {
            return;
        }
        self.hello(out);
        let others: Vec<_> = self
            .cache
            .iter()
            .map(|contact| contact.node())
            .filter(|&n| n != self.own.node())
            .collect();
        if !others.is_empty() {
            let chosen = others[self.rng.below(others.len() as u64) as usize];
            out.send(chosen, Message::Compare(self.cache.summary()));
        }
        let busy = now.since(self.last_news) < SETTLE;
        self.next_tick = Instant(u64::MAX);
        self.tick_by(now + if busy { TICK_BUSY } else { TICK_IDLE }, out);
    }
}

impl Protocol for Membership {
    type Message = Message;
    type Command = Command;
    type Event = Event;
    type Timer = Tick;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        match input {
            Input::Command(Command::Join(told)) => self.handle_join(now, told, out),
            Input::Command(Command::Know(contacts)) => {
                let own = self.own.node();
                contacts
                    .into_iter()
                    .for_each(|contact| self.learn(now, own, contact, out));
            }
            Input::Message {
                from,
                message: Message::Hello(contact),
            } => {
                self.on_hello(now, from, contact, out);
            }
            Input::Message {
                from,
                message: Message::Members { contacts, all },
            } => {
                self.on_members(now, from, contacts, all, out);
            }
            Input::Message {
                from,
                message: Message::Compare(theirs),
            } => {
                self.on_compare(from, theirs, out);
            }
            Input::Timer(Tick) => self.handle_tick(now, out),
            // The next comparison goes to another member.
            Input::Unreachable(_) => {}
        }
    }
}
