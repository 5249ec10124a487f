//! The whole overlay: who is where, and what is told to all and kept by some.
//!
//! The ring finds the nodes; broadcast and records are told of them, and have it search for them what is far away.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use base::{Input, Instant, Location, NodeId, Outbox, Output, Protocol, Rng};
use community::{Community, Contact, ContactError, Identity};
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::at_most::AtMost;
use crate::attestation::Standing;
use crate::breach::RingBreach;
use crate::broadcast::BroadcastError;
use crate::locating::{self, Locating};
use crate::met::Met;
use crate::records::{Record, RecordError};
use crate::ring::{self, Ring};
use crate::spreading::breach::SpreadingBreach;
use crate::spreading::{self, Spreading};
use crate::view::{View, cache_share};
use crate::{KTable, KTableError, NodeCache};

/// Most searches under way at a time for each of those who want them; nothing is found of more.
const SEARCHES_MAX: usize = 64;
/// Who wants something found.
const APPLICATION: usize = 0;
const RECORDS: usize = 1;
const LOCATING: usize = 2;

/// One node's overlay.
pub struct Overlay {
    community: Arc<Community>,
    ring: Ring,
    spreading: Spreading,
    locating: Locating,
    /// Points that the [`APPLICATION`] wants found, and those that [`RECORDS`] and [`LOCATING`] do.
    wanted: [BTreeSet<Location>; 3],
    met: Met,
}

/// Between nodes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// Who is where.
    #[n(0)]
    Ring(#[n(0)] ring::Message),
    /// What is told to all and kept by some.
    #[n(1)]
    Spreading(#[n(0)] spreading::Message),
    /// Where named nodes are.
    #[n(2)]
    Locating(#[n(0)] locating::Message),
}

/// From the application.
#[derive(Debug)]
pub enum Command {
    /// Start, knowing these nodes' addresses (none for the first node of a community); or start again, once nobody is known
    /// any more.
    Join(Vec<(NodeId, SocketAddr)>),
    /// Take contacts that the host has kept from before.
    Know(Vec<Contact>),
    /// Find the nodes nearest to this point: ends with `Found` or `NotFound`.
    Find(Location),
    /// Learn the addresses of these nodes, at most [`LOCATED_MAX`](locating::LOCATED_MAX), which sit around a point: ends with
    /// `Located` of the same number.
    Locate(u64, Location, Vec<NodeId>),
    /// Take the contact of a node that may sit anywhere.
    Meet(Box<Contact>),
    /// Tell every node.
    Broadcast(Vec<u8>),
    /// Put a record at its place: ends with `Stored` or `RecordFailed`.
    Put(Box<Record>),
    /// Get the record at a place: ends with `Got` or `RecordFailed`.
    Get(Location),
    /// Say farewell, and be silent from then on: who comes back starts anew, with a contact issued later.
    Leave,
}

/// To the application.
#[derive(Debug)]
pub enum Event {
    /// A node of the region became known, or a known one has new addresses.
    Known(Arc<Contact>),
    /// A node of the region left, or is gone.
    Gone(NodeId),
    /// This node is a member, its cache attested like this. Told again when it is attested better.
    Joined(Standing),
    /// The nodes nearest to the point of which the search knows, nearest first.
    Found(Location, Vec<Arc<Contact>>),
    /// Nobody answered.
    NotFound(Location),
    /// The addresses that were asked for under this number are known, as far as anybody told them.
    Located(u64),
    /// A node told everybody.
    Heard {
        /// Who.
        from: NodeId,
        /// What.
        payload: Vec<u8>,
    },
    /// Nothing was broadcast.
    BroadcastFailed(BroadcastError),
    /// A record was put.
    Stored {
        /// Its place.
        location: Location,
        /// How many nodes say that they keep it.
        copies: usize,
    },
    /// The latest record found at a place, if any.
    Got(Location, Option<Box<Record>>),
    /// Nothing was put or asked.
    RecordFailed(RecordError),
    /// A contact that this node's key has signed and this run of it has not: an earlier run did, or another one that runs
    /// now. Told once in a row.
    Namesake(Arc<Contact>),
    /// A peer sent a contact that does not hold. Told at most twice per peer in 15 seconds.
    Refused {
        /// Who sent it.
        from: NodeId,
        /// Why it was refused.
        why: ContactError,
    },
    /// A peer did what no honest one does, unless it is behind the community's epochs ([`Misbehaviour::is_outdated`]).
    Misbehaved {
        /// Who.
        node: NodeId,
        /// Which check failed.
        what: Misbehaviour,
    },
}

/// A peer's fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Misbehaviour {
    /// In saying who is where.
    #[error(transparent)]
    Ring(#[from] RingBreach),
    /// In spreading or keeping.
    #[error(transparent)]
    Spreading(#[from] SpreadingBreach),
}

impl Misbehaviour {
    /// Whether the peer passed on what may have held in another epoch, of which it may not have heard.
    pub fn is_outdated(&self) -> bool {
        match self {
            Self::Ring(RingBreach::Contact(why))
            | Self::Spreading(SpreadingBreach::Certificate(why)) => why.is_outdated(),
            _ => false,
        }
    }
}

/// A deadline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Of the ring.
    Ring(ring::Timer),
    /// Of broadcast and records.
    Spreading(spreading::Timer),
    /// Of looking for nodes, by number.
    Locate(u64),
}

impl Overlay {
    /// A node that knows itself.
    ///
    /// # Errors
    ///
    /// When the descriptor's numbers allow no k-table.
    pub fn new(
        community: Arc<Community>,
        identity: Arc<Identity>,
        own: Contact,
        mut rng: Rng,
    ) -> Result<Self, KTableError> {
        let descriptor = community.descriptor();
        let table = KTable::of(descriptor)?;
        let share = cache_share(descriptor.nodes, descriptor.cache_size, &table);
        let ours = (Arc::clone(&community), Arc::clone(&identity));
        let contact = Arc::new(own.clone());
        Ok(Self {
            community: Arc::clone(&community),
            locating: Locating::new(Arc::clone(&community), rng.fork("locating")),
            spreading: Spreading::new(ours.0, ours.1, contact, share, rng.fork("spreading")),
            ring: Ring::new(community, identity, own, rng.fork("ring"))?,
            wanted: Default::default(),
            met: Met::default(),
        })
    }

    /// What this node says of itself.
    pub fn own(&self) -> &Contact {
        self.ring.own()
    }

    /// Whom this node knows.
    pub fn view(&self) -> &View {
        self.ring.view()
    }

    /// Whom this node knows in its region, itself included.
    pub fn cache(&self) -> &NodeCache {
        self.ring.cache()
    }

    /// How this node's cache is attested; `None` before it is a member.
    pub fn standing(&self) -> Option<Standing> {
        self.ring.standing()
    }

    /// Where `node` can be reached.
    pub fn addresses(&self, node: NodeId) -> Vec<SocketAddr> {
        let known = self.ring.addresses(node);
        if !known.is_empty() {
            return known;
        }
        let met = self.met.get(node).map(|met| met.addresses().to_vec());
        met.unwrap_or_default()
    }

    /// What is known of `node`, wherever it sits.
    pub fn contact(&self, node: NodeId) -> Option<&Arc<Contact>> {
        let known = self.ring.view().get(node);
        known.or_else(|| self.met.get(node))
    }

    /// Remembers where nodes are that may be outside of the view.
    fn meet(&mut self, contacts: impl IntoIterator<Item = Arc<Contact>>) {
        let view = self.ring.view();
        let far = contacts
            .into_iter()
            .filter(|contact| view.get(contact.node()).is_none());
        far.for_each(|contact| self.met.insert(contact));
    }
}

/// From one to the other, and out.
impl Overlay {
    fn ring(&mut self, now: Instant, input: Input<Ring>, out: &mut Outbox<Self>) {
        let mut said = Outbox::new();
        self.ring.handle(now, input, &mut said);
        for output in said.drain() {
            match output {
                Output::Send { to, message } => out.send(to, Message::Ring(message)),
                Output::Wake { at, timer } => out.wake(at, Timer::Ring(timer)),
                Output::Event(event) => self.on_ring_event(now, event, out),
            }
        }
        let fingers = &self.ring.view().fingers;
        self.spreading.see_fingers(fingers);
    }

    fn on_ring_event(&mut self, now: Instant, event: ring::Event, out: &mut Outbox<Self>) {
        match event {
            ring::Event::Known(contact) => {
                let know = spreading::Command::Know(Arc::clone(&contact));
                self.spreading(now, Input::Command(know), out);
                out.emit(Event::Known(contact));
            }
            ring::Event::Gone(node) => {
                let forget = spreading::Command::Forget(node);
                self.spreading(now, Input::Command(forget), out);
                out.emit(Event::Gone(node));
            }
            ring::Event::Joined(standing) => out.emit(Event::Joined(standing)),
            ring::Event::Found(point, contacts) => self.found(now, point, contacts, out),
            ring::Event::NotFound(point) => self.found(now, point, Vec::new(), out),
            ring::Event::Namesake(contact) => out.emit(Event::Namesake(contact)),
            ring::Event::Refused { from, why } => out.emit(Event::Refused { from, why }),
            ring::Event::Misbehaved { node, what } => {
                let what = what.into();
                out.emit(Event::Misbehaved { node, what });
            }
        }
    }

    /// A search is over: for whom it was.
    fn found(
        &mut self,
        now: Instant,
        point: Location,
        contacts: Vec<Arc<Contact>>,
        out: &mut Outbox<Self>,
    ) {
        self.meet(contacts.iter().cloned());
        for which in [APPLICATION, RECORDS, LOCATING] {
            if self.wanted[which].remove(&point) {
                self.answer(now, which, point, contacts.clone(), out);
            }
        }
    }

    fn answer(
        &mut self,
        now: Instant,
        which: usize,
        point: Location,
        contacts: Vec<Arc<Contact>>,
        out: &mut Outbox<Self>,
    ) {
        if which == RECORDS {
            let found = spreading::Command::Found(point, contacts);
            self.spreading(now, Input::Command(found), out);
        } else if which == LOCATING {
            let own = self.own().node();
            let found = contacts.iter().map(|contact| contact.node());
            let found: Vec<_> = found.filter(|node| *node != own).collect();
            let over = self.locating.on_found(now, point, &found, out);
            Self::located(over, out);
        } else if contacts.is_empty() {
            out.emit(Event::NotFound(point));
        } else {
            out.emit(Event::Found(point, contacts));
        }
    }

    fn find(&mut self, now: Instant, which: usize, point: Location, out: &mut Outbox<Self>) {
        if self.wanted[which].len() >= SEARCHES_MAX {
            return self.answer(now, which, point, Vec::new(), out);
        }
        self.wanted[which].insert(point);
        self.ring(now, Input::Command(ring::Command::Find(point)), out);
    }

    fn locate(
        &mut self,
        now: Instant,
        (number, near): (u64, Location),
        nodes: Vec<NodeId>,
        out: &mut Outbox<Self>,
    ) {
        let lacking = nodes
            .into_iter()
            .filter(|node| self.contact(*node).is_none());
        let lacking: BTreeSet<_> = lacking.collect();
        if lacking.is_empty() || !self.locating.start(number, near, lacking) {
            return out.emit(Event::Located(number));
        }
        self.find(now, LOCATING, near, out);
    }

    fn located(over: Vec<u64>, out: &mut Outbox<Self>) {
        over.into_iter()
            .for_each(|number| out.emit(Event::Located(number)));
    }

    fn on_locating(
        &mut self,
        now: Instant,
        from: NodeId,
        message: locating::Message,
        out: &mut Outbox<Self>,
    ) {
        match message {
            locating::Message::Where(names) => {
                let known = names.iter().filter_map(|node| self.contact(*node));
                let known = known.map(|contact| (**contact).clone()).collect();
                let there = locating::Message::There(AtMost::first_of(known));
                out.send(from, Message::Locating(there));
            }
            locating::Message::There(contacts) => {
                let contacts = contacts.into_inner();
                let (met, over) = self.locating.on_there(now, from, contacts, out);
                self.meet(met);
                Self::located(over, out);
            }
        }
    }

    fn spreading(&mut self, now: Instant, input: Input<Spreading>, out: &mut Outbox<Self>) {
        let mut said = Outbox::new();
        self.spreading.handle(now, input, &mut said);
        for output in said.drain() {
            match output {
                Output::Send { to, message } => out.send(to, Message::Spreading(message)),
                Output::Wake { at, timer } => out.wake(at, Timer::Spreading(timer)),
                Output::Event(event) => self.on_spreading_event(now, event, out),
            }
        }
    }

    fn on_spreading_event(
        &mut self,
        now: Instant,
        event: spreading::Event,
        out: &mut Outbox<Self>,
    ) {
        match event {
            spreading::Event::Heard { from, payload } => out.emit(Event::Heard { from, payload }),
            spreading::Event::BroadcastFailed(why) => out.emit(Event::BroadcastFailed(why)),
            spreading::Event::Find(point) => self.find(now, RECORDS, point, out),
            spreading::Event::Met(contact) => self.meet([contact]),
            spreading::Event::Stored { location, copies } => {
                out.emit(Event::Stored { location, copies });
            }
            spreading::Event::Got(location, record) => out.emit(Event::Got(location, record)),
            spreading::Event::RecordFailed(why) => out.emit(Event::RecordFailed(why)),
            spreading::Event::Misbehaved { node, what } => {
                let what = what.into();
                out.emit(Event::Misbehaved { node, what });
            }
        }
    }

    fn handle_command(&mut self, now: Instant, command: Command, out: &mut Outbox<Self>) {
        let ring = match command {
            Command::Join(told) => ring::Command::Join(told),
            Command::Know(contacts) => ring::Command::Know(contacts),
            Command::Leave => ring::Command::Leave,
            Command::Find(point) => return self.find(now, APPLICATION, point, out),
            Command::Locate(number, near, nodes) => {
                return self.locate(now, (number, near), nodes, out);
            }
            Command::Meet(contact) => {
                // What does not hold is of no use, and costs whoever sent it nothing more.
                if contact.verify(self.community.descriptor(), now).is_ok() {
                    self.meet([Arc::new(*contact)]);
                }
                return;
            }
            Command::Broadcast(_) if self.standing().is_none() => {
                return out.emit(Event::BroadcastFailed(BroadcastError::Newcomer));
            }
            Command::Put(_) | Command::Get(_) if self.standing().is_none() => {
                return out.emit(Event::RecordFailed(RecordError::Newcomer));
            }
            Command::Broadcast(payload) => {
                let broadcast = spreading::Command::Broadcast(payload);
                return self.spreading(now, Input::Command(broadcast), out);
            }
            Command::Put(record) => {
                let put = spreading::Command::Put(record);
                return self.spreading(now, Input::Command(put), out);
            }
            Command::Get(location) => {
                let get = spreading::Command::Get(location);
                return self.spreading(now, Input::Command(get), out);
            }
        };
        self.ring(now, Input::Command(ring), out);
    }
}

impl Protocol for Overlay {
    type Message = Message;
    type Command = Command;
    type Event = Event;
    type Timer = Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        if self.ring.has_left() {
            return;
        }
        match input {
            Input::Command(command) => self.handle_command(now, command, out),
            Input::Message { from, message } => match message {
                Message::Ring(message) => self.ring(now, Input::Message { from, message }, out),
                // Who is no member yet has nobody to pass anything on to, and catches up when it is.
                Message::Spreading(_) | Message::Locating(locating::Message::Where(_))
                    if self.standing().is_none() => {}
                Message::Locating(message) => self.on_locating(now, from, message, out),
                Message::Spreading(message) => {
                    self.spreading(now, Input::Message { from, message }, out);
                }
            },
            Input::Timer(Timer::Ring(timer)) => self.ring(now, Input::Timer(timer), out),
            Input::Timer(Timer::Spreading(timer)) => self.spreading(now, Input::Timer(timer), out),
            Input::Timer(Timer::Locate(number)) => {
                if self.locating.handle_timer(now, number, out) {
                    out.emit(Event::Located(number));
                }
            }
            Input::Unreachable(node) => {
                self.ring(now, Input::Unreachable(node), out);
                self.spreading(now, Input::Unreachable(node), out);
                let over = self.locating.on_unreachable(now, node, out);
                Self::located(over, out);
            }
        }
    }
}

#[cfg(test)]
mod tests;
