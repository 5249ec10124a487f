//! Chord: any point of the ring is found in about log2 N hops (SEP2P §2.2; design: overlay).
//!
//! A node's fingers are the nodes nearest to the points at plus and minus 2^-i from it; only those outside of its region
//! are needed, as the cache knows the rest. On both sides, because distances count both ways here: with fingers on one
//! side only, a point a little behind would be reached by going around. Fingers are refreshed one after the other, by
//! searching; whoever answers a search and sits better than a finger takes its place.

mod checked;
mod lookup;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Duration, Instant, Location, NodeId, Outbox};
use community::{Community, Contact};
use minicbor::{Decode, Encode};

use crate::at_most::AtMost;
use crate::breach::RingBreach;
use crate::ring::{self, Event, Ring, Timer};
use crate::view::View;
use checked::Checked;
use lookup::{ANSWER_WAIT, Next};
pub use lookup::{Lookup, Purpose};

/// How many nodes on each side of the point an answer tells of.
const TOLD: usize = 2;
/// How many on each side of the point must have answered. Two: one liar on each side does not end a search.
const WIDTH: usize = 2;
/// The same for a newcomer, which may have to ask another neighbour.
const WIDTH_JOIN: usize = 4;
/// Most searches at a time.
const LOOKUPS_MAX: usize = 64;
/// Time between two refreshed fingers. Guess: in a community of ten million, half an hour for all.
const REFRESH_EVERY: Duration = Duration::from_secs(60);

/// Time between the fingers that a new member takes. Guess: a search is about as long.
const REFRESH_FIRST: Duration = Duration::from_millis(250);

/// Between nodes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// Whom do you know next to this point?
    #[n(0)]
    Near(#[n(0)] Location),
    /// These: the nearest on each side.
    #[n(1)]
    Nodes(#[n(0)] Location, #[n(1)] AtMost<Contact, { 2 * TOLD }>),
    /// The sender is a newcomer itself.
    #[n(2)]
    Newcomer(#[n(0)] Location),
}

/// Finds nodes for one node.
pub struct Routing {
    community: Arc<Community>,
    lookups: BTreeMap<u64, Lookup>,
    met: Checked,
    started: u64,
    /// Which finger is refreshed next.
    turn: usize,
    /// Fingers that a new member has yet to find, at once.
    first: usize,
}

impl Routing {
    /// A node that searches nothing.
    pub fn new(community: Arc<Community>) -> Self {
        Self {
            community,
            lookups: BTreeMap::new(),
            met: Checked::default(),
            started: 0,
            turn: 0,
            first: 0,
        }
    }

    /// Starts a search from the known nodes nearest to the point, and `told`, of whom only the name is known. Answers it
    /// when it is already over.
    pub fn start(
        &mut self,
        now: Instant,
        purpose: Purpose,
        target: Location,
        told: &BTreeSet<NodeId>,
        view: &View,
        out: &mut Outbox<Ring>,
    ) -> Option<Lookup> {
        let width = match purpose {
            Purpose::Join => WIDTH_JOIN,
            Purpose::Find | Purpose::Finger => WIDTH,
        };
        let mut lookup = Lookup::new(purpose, target, width);
        let own = view.own().node();
        for node in told.iter().filter(|node| **node != own) {
            lookup.seed(*node, view.get(*node).cloned());
        }
        for contact in view.sides(target, width + 1).into_iter().flatten() {
            if contact.node() != own {
                lookup.seed(contact.node(), Some(contact));
            }
        }
        if self.lookups.len() >= LOOKUPS_MAX {
            return Some(Lookup::new(purpose, target, width));
        }
        self.started += 1;
        self.lookups.insert(self.started, lookup);
        self.advance(now, self.started, out)
    }

    fn advance(&mut self, now: Instant, number: u64, out: &mut Outbox<Ring>) -> Option<Lookup> {
        let lookup = self.lookups.get_mut(&number)?;
        loop {
            match lookup.next(now, self.community.descriptor(), &mut self.met) {
                Next::Ask(node) => {
                    out.send(node, ring::Message::Routing(Message::Near(lookup.target)));
                    out.wake(now + ANSWER_WAIT, Timer::Lookup(number));
                }
                Next::Blame(node, why) => out.emit(Event::Misbehaved {
                    node,
                    what: RingBreach::Contact(why),
                }),
                Next::Wait => return None,
                Next::Done => return self.lookups.remove(&number),
            }
        }
    }

    /// Answers a search of somebody else's.
    pub fn on_near(&self, from: NodeId, target: Location, view: &View, out: &mut Outbox<Ring>) {
        let mut told = BTreeSet::from([from]);
        let sides = view.sides(target, TOLD + 1).into_iter();
        let nodes = sides.flat_map(|side| {
            let others = side.into_iter().filter(|contact| contact.node() != from);
            others.take(TOLD)
        });
        let nodes = nodes.filter(|contact| told.insert(contact.node()));
        let nodes = nodes.map(|contact| (*contact).clone());
        let nodes = AtMost::first_of(nodes.collect());
        out.send(from, ring::Message::Routing(Message::Nodes(target, nodes)));
    }

    /// An answer to a search of ours; answers the searches that are over.
    pub fn on_nodes(
        &mut self,
        now: Instant,
        from: NodeId,
        target: Location,
        nodes: Vec<Contact>,
        view: &View,
        out: &mut Outbox<Ring>,
    ) -> Vec<Lookup> {
        let own = view.own().node();
        let nodes = nodes.into_iter().map(Arc::new);
        let nodes: Vec<_> = nodes.filter(|contact| contact.node() != own).collect();
        self.on_each(now, out, |lookup| {
            let answers = lookup.target == target && lookup.on_answer(from, false);
            if answers {
                for contact in &nodes {
                    let checked = view.get(contact.node()) == Some(contact);
                    lookup.hear(from, Arc::clone(contact), checked);
                }
            }
            answers
        })
    }

    /// A node that was asked is a newcomer; answers the searches that are over.
    pub fn on_newcomer(
        &mut self,
        now: Instant,
        from: NodeId,
        target: Location,
        out: &mut Outbox<Ring>,
    ) -> Vec<Lookup> {
        self.on_each(now, out, |lookup| {
            let answers = lookup.target == target && lookup.on_answer(from, true);
            if answers {
                lookup.newcomers.push(from);
            }
            answers
        })
    }

    /// A node cannot be reached; answers the searches that are over.
    pub fn on_unreachable(
        &mut self,
        now: Instant,
        node: NodeId,
        out: &mut Outbox<Ring>,
    ) -> Vec<Lookup> {
        self.on_each(now, out, |lookup| lookup.on_answer(node, true))
    }

    fn on_each(
        &mut self,
        now: Instant,
        out: &mut Outbox<Ring>,
        mut act: impl FnMut(&mut Lookup) -> bool,
    ) -> Vec<Lookup> {
        let changed = self.lookups.iter_mut().filter_map(|(number, lookup)| {
            let changed = act(lookup);
            changed.then_some(*number)
        });
        let changed: Vec<_> = changed.collect();
        changed
            .into_iter()
            .filter_map(|number| self.advance(now, number, out))
            .collect()
    }

    /// A question's time is over: who did not answer, and the search if that ended it.
    pub fn on_timer(
        &mut self,
        now: Instant,
        number: u64,
        out: &mut Outbox<Ring>,
    ) -> (Vec<NodeId>, Option<Lookup>) {
        let lookup = self.lookups.get_mut(&number);
        let silent = lookup.map(|lookup| lookup.expire(now)).unwrap_or_default();
        let over = self.advance(now, number, out);
        (silent, over)
    }

    /// A member from now on: finds its fingers, and refreshes them for ever.
    pub fn begin(&mut self, now: Instant, view: &View, out: &mut Outbox<Ring>) {
        self.first = view.finger_points().len() + 1;
        out.wake(now, Timer::Refresh);
    }

    /// Refreshes the next finger; answers the search if it is already over.
    pub fn refresh(&mut self, now: Instant, view: &View, out: &mut Outbox<Ring>) -> Option<Lookup> {
        self.first = self.first.saturating_sub(1);
        let busy = self.first > 0;
        let every = if busy { REFRESH_FIRST } else { REFRESH_EVERY };
        out.wake(now + every, Timer::Refresh);
        let mut points = view.finger_points();
        if view.is_thin() {
            // Chord's stabilising.
            points.push(view.own().location());
        }
        self.turn = (self.turn + 1).checked_rem(points.len())?;
        let target = points[self.turn];
        self.start(now, Purpose::Finger, target, &BTreeSet::new(), view, out)
    }

    /// What is known of a node that is being asked.
    pub fn contact(&self, node: NodeId) -> Option<&Arc<Contact>> {
        self.lookups
            .values()
            .find_map(|lookup| lookup.contact(node))
    }
}
