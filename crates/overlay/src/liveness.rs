//! Who is up: pings among neighbours, and the memory of those who went.
//!
//! Each node watches its nearest neighbours on both sides: it pings those ahead, and those behind when their own pings stay
//! away. One that does not answer several pings is gone; the neighbour next to it on each side then tells those on its own
//! side whose regions contain it, and the next node on the other. Nobody is dropped on hearsay: who is told pings for
//! itself. A node that leaves says so, signed, to those who have it in their region.
//!
//! Who went is remembered for a while, so that a comparison does not bring it back, and pinged now and then, so that the
//! two halves of a network that was cut find each other again. It is taken back when it speaks itself or answers, or with a
//! later contact.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Digest, Duration, Instant, NodeId, Outbox, Rng, encode};
use community::{Contact, Identity};
use crypto::{Signature, verify};
use minicbor::{Decode, Encode};

use crate::membership::{Message, Name};
use crate::ring::{Ring, Timer, say};
use crate::view::View;

/// Time between two looks at the neighbours. Guess: with the pings below, a failure is noticed within a minute.
pub const WATCH_EVERY: Duration = Duration::from_secs(15);
/// How long the first ping may take. Each further one is given twice as long, half a minute together: a node whose link
/// is busy with a large message is not gone.
const PING_WAIT: Duration = Duration::from_secs(1);
/// How soon the next ping follows when the host says that the node cannot be reached.
const PING_AGAIN: Duration = Duration::from_millis(500);
/// Unanswered pings after which a node is gone. With 5 % of the messages lost, a node that is up misses so many once in
/// 10^5 looks.
pub const MISSED_MAX: u8 = 5;
/// Unanswered pings after which a node is doubted: it may be listed in a cache or not.
const MISSED_DOUBT: u8 = 2;
/// How many neighbours on each side are watched: both are gone at once rarely, and then the next ones take over.
const WATCHED: usize = 2;
/// Most nodes that are pinged at a time.
const CHECKS_MAX: usize = 256;
/// Most nodes remembered as gone; the one that went first is forgotten first.
const GONE_MAX: usize = 256;
/// How long they are remembered. Guess.
const GONE_FOR: Duration = Duration::from_secs(3600);

const DOMAIN: &str = "farewell";

/// A node's word that it leaves. A later contact of the same node ends it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Farewell {
    /// Who leaves.
    #[n(0)]
    pub node: NodeId,
    /// When, by its clock.
    #[n(1)]
    pub at: Instant,
    #[n(2)]
    signature: Signature,
}

impl Farewell {
    /// The word of this node.
    pub fn new(identity: &Identity, community: Digest, at: Instant) -> Self {
        let bytes = encode(&(community, at));
        Self {
            node: identity.node(),
            at,
            signature: identity.key.sign(DOMAIN, &bytes),
        }
    }

    /// Whether the node said so: one signature check.
    pub fn holds(&self, community: Digest) -> bool {
        let bytes = encode(&(community, self.at));
        verify(self.node, DOMAIN, &bytes, &self.signature).is_ok()
    }
}

/// A node that went.
pub struct Gone {
    /// What it last said of itself.
    pub contact: Arc<Contact>,
    /// Names this contact.
    pub name: Name,
    /// Its word, if it gave one.
    pub farewell: Option<Farewell>,
    since: Instant,
}

/// What one node knows about who is up.
#[derive(Default)]
pub struct Liveness {
    /// Who is being pinged.
    checks: BTreeMap<NodeId, Check>,
    /// The watched neighbours, and when each was last heard.
    heard: BTreeMap<NodeId, Instant>,
    gone: BTreeMap<NodeId, Gone>,
}

#[derive(Clone, Copy)]
struct Check {
    missed: u8,
    due: Instant,
}

impl Liveness {
    /// Pings the neighbours that have not been heard lately, and one of those who went.
    pub fn watch(&mut self, now: Instant, view: &View, rng: &mut Rng, out: &mut Outbox<Ring>) {
        self.gone.retain(|_, gone| now.since(gone.since) < GONE_FOR);
        let neighbours = view.neighbours(WATCHED);
        let own = view.own().location();
        let mut heard = BTreeMap::new();
        let mut silent = Vec::new();
        for contact in neighbours {
            let node = contact.node();
            // A new neighbour has all the time that the others have.
            let at = *self.heard.get(&node).unwrap_or(&now);
            heard.insert(node, at);
            let is_ahead = contact.location().0.wrapping_sub(own.0) < 1 << 63;
            if is_ahead || now.since(at) >= 2 * WATCH_EVERY {
                silent.push(node);
            }
        }
        self.heard = heard;
        let left = self.gone.values().filter(|gone| gone.farewell.is_none());
        let left: Vec<_> = left.map(|gone| gone.contact.node()).collect();
        if !left.is_empty() {
            silent.push(left[rng.below(left.len() as u64) as usize]);
        }
        for node in silent {
            self.check(now, node, out);
        }
        out.wake(now + WATCH_EVERY, Timer::Watch);
    }

    /// Pings `node` until it is heard or gone.
    pub fn check(&mut self, now: Instant, node: NodeId, out: &mut Outbox<Ring>) {
        if self.checks.len() < CHECKS_MAX && !self.checks.contains_key(&node) {
            let (missed, due) = (0, now);
            self.checks.insert(node, Check { missed, due });
            self.ping(now, node, out);
        }
    }

    fn ping(&mut self, now: Instant, node: NodeId, out: &mut Outbox<Ring>) {
        if let Some(check) = self.checks.get_mut(&node) {
            check.due = now + PING_WAIT * (1 << check.missed);
            out.send(node, say(Message::Ping));
            out.wake(check.due, Timer::Ping(node));
        }
    }

    /// A ping's time is over; answers whether the node is gone.
    pub fn on_timer(&mut self, now: Instant, node: NodeId, out: &mut Outbox<Ring>) -> bool {
        let Some(check) = self.checks.get_mut(&node).filter(|check| check.due <= now) else {
            return false;
        };
        check.missed += 1;
        let gone = check.missed >= MISSED_MAX;
        match gone {
            true => drop(self.checks.remove(&node)),
            false => self.ping(now, node, out),
        }
        gone
    }

    /// The host could not deliver something: no proof, but a reason to ask at once.
    pub fn on_unreachable(
        &mut self,
        now: Instant,
        node: NodeId,
        view: &View,
        out: &mut Outbox<Ring>,
    ) {
        let again = now + PING_AGAIN;
        match self.checks.get_mut(&node) {
            Some(check) if check.due > again => {
                check.due = again;
                out.wake(again, Timer::Ping(node));
            }
            None if view.get(node).is_some() => self.check(now, node, out),
            _ => {}
        }
    }

    /// A node said something.
    pub fn heard(&mut self, now: Instant, from: NodeId) {
        self.checks.remove(&from);
        if let Some(at) = self.heard.get_mut(&from) {
            *at = now;
        }
    }

    /// Whether `node` has left pings unanswered.
    pub fn doubts(&self, node: NodeId) -> bool {
        let check = self.checks.get(&node);
        check.is_some_and(|check| check.missed >= MISSED_DOUBT)
    }

    /// Who is doubted.
    pub fn doubted(&self) -> impl Iterator<Item = NodeId> {
        let nodes = self.checks.keys().copied();
        nodes.filter(|node| self.doubts(*node))
    }

    /// Remembers that a node went.
    pub fn bury(&mut self, now: Instant, contact: Arc<Contact>, farewell: Option<Farewell>) {
        if self.gone.len() >= GONE_MAX {
            let first = self.gone.iter().min_by_key(|(_, gone)| gone.since);
            let first = first.map(|(node, _)| *node);
            first.map(|node| self.gone.remove(&node));
        }
        self.checks.remove(&contact.node());
        let gone = Gone {
            name: Name::of(&contact.digest()),
            farewell,
            since: now,
            contact,
        };
        self.gone.insert(gone.contact.node(), gone);
    }

    /// What is remembered of a node that went.
    pub fn gone(&self, node: NodeId) -> Option<&Gone> {
        self.gone.get(&node)
    }

    /// All who went.
    pub fn all_gone(&self) -> impl Iterator<Item = &Gone> {
        self.gone.values()
    }

    /// Forgets that a node went: it is back.
    pub fn raise(&mut self, node: NodeId) -> Option<Arc<Contact>> {
        self.gone.remove(&node).map(|gone| gone.contact)
    }
}
