//! Who is where: membership, joining, routing and liveness in one protocol, around one view of the ring.

mod hearing;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;

use base::{Duration, Input, Instant, Location, NodeId, Outbox, Protocol, Rng};
use community::{Community, Contact, ContactError, Identity};
use minicbor::{Decode, Encode};

use crate::attestation::Standing;
use crate::attesting::Attesting;
use crate::breach::RingBreach;
use crate::joining::Joining;
use crate::liveness::Farewell;
use crate::membership::{self, Membership, cache_limit};
use crate::near::{all_near, nearest};
use crate::routing::{self, Lookup, Purpose, Routing};
use crate::view::{View, cache_share};
use crate::{KTable, KTableError, NodeCache};

/// Nodes near a point that a search gives: the one sought and those that may stand in for it.
const NEAREST: usize = 9;
/// Least and most time between two looks for a part of the ring that this one has nothing to do with. Guess: the first ones
/// while a whole community starts at once, the others for what a network that was torn has left.
const REUNITE: (Duration, Duration) = (Duration::from_secs(5), Duration::from_secs(600));

/// One node's place in the ring: whom it knows, and how it finds the others.
pub struct Ring {
    community: Arc<Community>,
    identity: Arc<Identity>,
    view: View,
    membership: Membership,
    joining: Joining,
    attesting: Attesting,
    routing: Routing,
    /// Time until the next search for our place, where it may find whom we do not know.
    reunite: Duration,
    /// Said farewell.
    left: bool,
}

/// From the application.
#[derive(Debug)]
pub enum Command {
    /// Start, knowing these nodes' addresses (none for the first node of a community); or start again, once nobody is known
    /// any more.
    Join(Vec<(NodeId, SocketAddr)>),
    /// Take contacts that the host has kept from before.
    Know(Vec<Contact>),
    /// Find the node nearest to this point: ends with `Found` or `NotFound`.
    Find(Location),
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
    /// The nodes nearest to the point of which the search knows, nearest first, at most nine.
    Found(Location, Vec<Arc<Contact>>),
    /// Nobody answered.
    NotFound(Location),
    /// This node's own name, with other addresses or from another time. Told once in a row.
    Namesake(Arc<Contact>),
    /// A peer sent a contact that does not hold. Told at most twice per peer in 15 seconds.
    Refused {
        /// Who sent it.
        from: NodeId,
        /// Why it was refused.
        why: ContactError,
    },
    /// A peer did what no honest one does.
    Misbehaved {
        /// Who.
        node: NodeId,
        /// Which check failed.
        what: RingBreach,
    },
}

/// A deadline of one part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Compare caches with someone.
    Tick,
    /// Look after the neighbours.
    Watch,
    /// A ping of this node has had its time.
    Ping(NodeId),
    /// A step of our own join is due.
    Join,
    /// Our attesters have had their time.
    Attest,
    /// Of the search with this number.
    Lookup(u64),
    /// Refresh a finger.
    Refresh,
    /// Look for another part of the ring.
    Reunite,
}

/// Between nodes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// Who is there.
    #[n(0)]
    Membership(#[n(0)] membership::Message),
    /// Where is whom.
    #[n(1)]
    Routing(#[n(0)] routing::Message),
}

/// A message of membership.
pub(crate) fn say(message: membership::Message) -> Message {
    Message::Membership(message)
}

impl Ring {
    /// A node that knows itself. Its region is the share of the ring that the descriptor's numbers give, the same for all.
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
        let table = Arc::new(KTable::of(descriptor)?);
        let size = cache_share(descriptor.nodes, descriptor.cache_size, &table);
        let expected = (size * descriptor.nodes as f64) as u32;
        Ok(Self {
            view: View::new(Arc::new(own), size, cache_limit(expected)),
            membership: Membership::new(Arc::clone(&community), rng.fork("membership")),
            joining: Joining::new(
                Arc::clone(&community),
                Arc::clone(&table),
                rng.fork("joining"),
            ),
            attesting: Attesting::new(Arc::clone(&identity), table),
            routing: Routing::new(Arc::clone(&community)),
            community,
            identity,
            reunite: REUNITE.0,
            left: false,
        })
    }

    /// What this node says of itself.
    pub fn own(&self) -> &Contact {
        self.view.own()
    }

    /// Whom this node knows.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Whom this node knows in its region, itself included.
    pub fn cache(&self) -> &NodeCache {
        &self.view.cache
    }

    /// Whether this node has said farewell.
    pub fn has_left(&self) -> bool {
        self.left
    }

    /// How this node's cache is attested; `None` before it is a member.
    pub fn standing(&self) -> Option<Standing> {
        self.joining.standing()
    }

    /// Where `node` can be reached.
    pub fn addresses(&self, node: NodeId) -> Vec<SocketAddr> {
        let known = self.view.get(node);
        let known = known.or_else(|| self.joining.contact(node));
        if let Some(contact) = known.or_else(|| self.routing.contact(node)) {
            return contact.addresses().to_vec();
        }
        // It may be back elsewhere.
        let gone = self.membership.liveness.gone(node);
        let gone = gone.map_or(&[][..], |gone| gone.contact.addresses());
        gone.iter()
            .copied()
            .chain(self.joining.told(node))
            .collect()
    }

    /// How many peers are remembered as having sent what does not hold.
    #[cfg(test)]
    pub(crate) fn distrusted(&self) -> usize {
        self.membership.distrusted()
    }

    fn is_member(&self) -> bool {
        self.joining.standing().is_some()
    }
}

/// What this node wants.
impl Ring {
    fn handle_command(&mut self, now: Instant, command: Command, out: &mut Outbox<Self>) {
        match command {
            Command::Join(told) => {
                if self.joining.begin(now, told, &self.view, out) {
                    self.become_member(now, Standing::Founding, out);
                }
            }
            Command::Know(contacts) => {
                let (own, view) = (self.view.own().node(), &mut self.view);
                self.membership.learn_all(now, own, contacts, view, out);
            }
            Command::Find(target) => {
                let (purpose, view, nobody) = (Purpose::Find, &self.view, BTreeSet::new());
                let known = all_near(view, target, NEAREST, |_| true);
                if let Some(known) = known.filter(|_| self.is_member()) {
                    return out.emit(Event::Found(target, known));
                }
                let over = self.routing.start(now, purpose, target, &nobody, view, out);
                self.over(now, over, out);
            }
            Command::Leave => {
                let community = self.community.descriptor().community;
                let farewell = Farewell::new(&self.identity, community, now);
                self.membership.part(&farewell, &self.view, out);
                self.left = true;
            }
        }
    }

    fn handle_timer(&mut self, now: Instant, timer: Timer, out: &mut Outbox<Self>) {
        let (view, member) = (&mut self.view, self.joining.standing().is_some());
        match timer {
            Timer::Join => {
                if let Some(told) = self.joining.handle_timer(now, view, out) {
                    let place = view.own().location();
                    let purpose = Purpose::Join;
                    let lookup = self.routing.start(now, purpose, place, &told, view, out);
                    self.over(now, lookup, out);
                }
                self.settle(now, out);
            }
            Timer::Lookup(number) => {
                let (silent, over) = self.routing.on_timer(now, number, out);
                for node in silent.into_iter().filter(|node| view.get(*node).is_some()) {
                    self.membership.liveness.check(now, node, out);
                }
                self.over(now, over, out);
            }
            Timer::Ping(node) => self.membership.on_ping_timer(now, node, view, out),
            Timer::Tick if member => self.membership.handle_tick(now, view, out),
            Timer::Watch if member => self.membership.handle_watch(now, view, out),
            Timer::Refresh if member => {
                let over = self.routing.refresh(now, view, out);
                self.over(now, over, out);
            }
            Timer::Reunite if member => self.reunite(now, out),
            Timer::Attest if member => {
                let liveness = &mut self.membership.liveness;
                self.attesting.handle_timer(now, view, liveness, out);
            }
            Timer::Tick | Timer::Watch | Timer::Refresh | Timer::Attest | Timer::Reunite => {}
        }
    }

    /// Nodes that begin at one moment can come to form several rings that know nothing of each other. Each but one has somebody
    /// who was told of a node of another: a search for its own place, begun there, finds whom it should know. So does one of a
    /// node with hardly anybody around it, once those far away whom it knows have found the others.
    fn reunite(&mut self, now: Instant, out: &mut Outbox<Self>) {
        out.wake(now + self.reunite, Timer::Reunite);
        self.reunite = (self.reunite * 3).min(REUNITE.1);
        let unmet = self.joining.unmet(&self.view);
        if !unmet.is_empty() || self.view.is_thin() {
            let (place, view) = (self.view.own().location(), &self.view);
            let lookup = self
                .routing
                .start(now, Purpose::Finger, place, &unmet, view, out);
            self.over(now, lookup, out);
        }
    }

    /// Searches are over.
    fn over(
        &mut self,
        now: Instant,
        lookups: impl IntoIterator<Item = Lookup>,
        out: &mut Outbox<Self>,
    ) {
        for lookup in lookups {
            if self.is_member() {
                for contact in lookup.answered() {
                    let node = contact.node();
                    if self.membership.take(contact, &mut self.view, out) {
                        // A node of our region that we lacked may lack us.
                        Membership::hello_to(&self.view, [node], out);
                    }
                }
            }
            match lookup.purpose {
                Purpose::Finger => {}
                Purpose::Join => {
                    if self.joining.on_found(now, &lookup, &self.view, out) {
                        self.become_member(now, Standing::Founding, out);
                    }
                    self.settle(now, out);
                }
                Purpose::Find => self.found(&lookup, out),
            }
        }
    }

    fn found(&self, lookup: &Lookup, out: &mut Outbox<Self>) {
        let target = lookup.target;
        let mut found = lookup.answered();
        let there = |node| !lookup.has_failed(node);
        let alone = self.view.nearest(target, there).map(|c| c.node()) == Some(self.own().node());
        if self.is_member() && (alone || !found.is_empty()) {
            found.extend(nearest(&self.view.cache, target, NEAREST, there));
        }
        found.sort_by_key(|c| target.rank(c.node(), c.location()));
        found.dedup_by_key(|contact| contact.node());
        found.truncate(NEAREST);
        out.emit(if found.is_empty() {
            Event::NotFound(target)
        } else {
            Event::Found(target, found)
        });
    }

    /// Takes the result of a join, if there is one.
    fn settle(&mut self, now: Instant, out: &mut Outbox<Self>) {
        let before = self.standing();
        let Some((contacts, standing)) = self.joining.take_result(now, &self.view, out) else {
            return;
        };
        let known: BTreeSet<_> = Membership::those_concerned(&self.view);
        for contact in contacts {
            if !self.membership.is_gone(now, &contact, out) {
                self.membership.take(contact, &mut self.view, out);
            }
        }
        let all = Membership::those_concerned(&self.view);
        if before.is_none() {
            Membership::hello(&self.view, out);
            self.become_member(now, standing, out);
        } else {
            Membership::hello_to(&self.view, all.difference(&known).copied(), out);
            if before != Some(standing) {
                out.emit(Event::Joined(standing));
            }
        }
    }

    fn become_member(&mut self, now: Instant, standing: Standing, out: &mut Outbox<Self>) {
        self.membership.start(now, &self.view, out);
        self.routing.begin(now, &self.view, out);
        out.wake(now + REUNITE.0, Timer::Reunite);
        out.emit(Event::Joined(standing));
    }
}

impl Protocol for Ring {
    type Message = Message;
    type Command = Command;
    type Event = Event;
    type Timer = Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        if self.left {
            return;
        }
        self.membership.forget(now, &mut self.view, out);
        match input {
            Input::Command(command) => self.handle_command(now, command, out),
            Input::Message { from, message } => self.on_message(now, from, message, out),
            Input::Timer(timer) => self.handle_timer(now, timer, out),
            Input::Unreachable(node) => self.on_unreachable(now, node, out),
        }
    }
}
