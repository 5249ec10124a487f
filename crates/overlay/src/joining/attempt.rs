//! One attempt at a join: two lists, what they say about each other, and those whom only one has.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use base::{Digest, Duration, Instant, NodeId, Outbox};
use community::Contact;

use crate::at_most::AtMost;
use crate::attestation::{Attested, KNOWN_BY_ALL, Standing};
use crate::breach::RingBreach;
use crate::membership::{Message, Name};
use crate::ring::{Event, Ring, say};
use crate::view::View;
use crate::{KTable, NodeCache};

/// How long a neighbour may take to have its cache attested and to hand over its contacts. Guess: it may have to compare
/// with its attesters first.
pub const ASK_WAIT: Duration = Duration::from_secs(6);
/// When a question to a neighbour is repeated. Guess: a neighbour without quarrels has answered by then.
const AGAIN: Duration = Duration::from_millis(1500);
/// Most nodes that two lists may disagree about. More is not a matter of some messages lost.
const DISPUTED_MAX: usize = 64;

/// How long a disputed node may take to answer. Guess: many round trips, as its link may be busy.
const DISPUTED_WAIT: Duration = Duration::from_secs(2);

/// What an attempt has so far.
pub struct Attempt {
    pub searching: bool,
    pub sides: Vec<Side>,
    /// Contacts that hold, of the lists.
    pub contacts: BTreeMap<Digest, Arc<Contact>>,
    /// Nodes that one list leaves out: whether they answered.
    pub disputed: BTreeMap<NodeId, bool>,
    pub disputed_until: Instant,
    /// Who answered the search.
    pub answered: Vec<Arc<Contact>>,
}

/// A neighbour on one side, and who comes after it.
pub struct Side {
    pub queue: VecDeque<Arc<Contact>>,
    pub answer: Option<Attested>,
    pub standing: Option<Standing>,
    /// When the question is repeated, should it have been lost.
    pub again: Instant,
    pub until: Instant,
}

/// What the lists say about each other.
pub enum Dispute {
    /// Nothing is left to ask.
    None,
    /// Some have been asked and have time to answer.
    Open,
    /// A list was refused.
    Refused,
    /// They have little in common.
    TooMany,
}

impl Attempt {
    pub fn missing(&self, from: NodeId) -> BTreeSet<Digest> {
        let sides = self.sides.iter().filter(|side| side.is_asking(from));
        sides
            .flat_map(|side| side.missing(&self.contacts))
            .collect()
    }

    pub fn listed(&self, side: &Side) -> NodeCache {
        let list = side.answer.iter().flat_map(|a| a.listing.entries.iter());
        let contacts = list.filter_map(|entry| self.contacts.get(&entry.digest));
        contacts.cloned().collect()
    }

    /// Nodes that lie in both regions, that have been there for a while, and that only one list has: the side that leaves
    /// each out.
    pub fn left_out(&self, view: &View) -> Vec<(usize, Arc<Contact>)> {
        let own = view.own().node();
        let lists: Vec<_> = self.sides.iter().map(|side| self.listed(side)).collect();
        let mut found = Vec::new();
        for (index, side) in self.sides.iter().enumerate() {
            let Some(owner) = side.queue.front() else {
                continue;
            };
            let region = view.region_of(owner.location());
            let at = side
                .answer
                .as_ref()
                .map_or(Instant(0), |list| list.listing.at);
            let others = lists.iter().flat_map(NodeCache::iter);
            let left_out = others.filter(|contact| {
                region.contains(contact.location())
                    && contact.node() != own
                    && contact.issued() + KNOWN_BY_ALL < at
                    && !lists[index].contains(contact.node())
            });
            found.extend(left_out.map(|contact| (index, Arc::clone(contact))));
        }
        found
    }

    pub fn is_disputed(&self, now: Instant, view: &View) -> bool {
        let asked = |contact: &Contact| match self.disputed.get(&contact.node()) {
            None => false,
            Some(answered) => *answered || now >= self.disputed_until,
        };
        let mut left_out = self.left_out(view).into_iter();
        left_out.any(|(_, contact)| !asked(&contact) || self.has_answered(&contact))
    }

    pub fn has_answered(&self, disputed: &Contact) -> bool {
        self.disputed.get(&disputed.node()) == Some(&true)
    }

    /// Asks those whom one list leaves out, and refuses lists that leave out who answers.
    pub fn settle_disputes(
        &mut self,
        now: Instant,
        view: &View,
        out: &mut Outbox<Ring>,
    ) -> Dispute {
        let left_out = self.left_out(view);
        if left_out.len() > DISPUTED_MAX {
            return Dispute::TooMany;
        }
        for (index, contact) in &left_out {
            if self.has_answered(contact) {
                let node = self.sides[*index].queue[0].node();
                let told = AtMost::first_of(vec![(**contact).clone()]);
                out.send(node, say(Message::Members(told)));
                self.sides[*index].reject(now, RingBreach::Hides(contact.node()), out);
                return Dispute::Refused;
            }
        }
        let nodes: BTreeSet<_> = left_out.iter().map(|(_, contact)| contact.node()).collect();
        let unasked = nodes
            .iter()
            .filter(|node| !self.disputed.contains_key(node));
        let unasked: Vec<_> = unasked.copied().collect();
        if !unasked.is_empty() {
            self.disputed_until = now + DISPUTED_WAIT;
        }
        for node in unasked {
            out.send(node, say(Message::Ping));
            self.disputed.insert(node, false);
        }
        let open = |node: &NodeId| self.disputed.get(node) == Some(&false);
        if nodes.iter().any(open) && now < self.disputed_until {
            Dispute::Open
        } else {
            Dispute::None
        }
    }
}

impl Side {
    pub fn new(queue: VecDeque<Arc<Contact>>) -> Self {
        Self {
            queue,
            answer: None,
            standing: None,
            again: Instant(0),
            until: Instant(0),
        }
    }

    pub fn is_asking(&self, node: NodeId) -> bool {
        let asked = self.queue.front();
        asked.is_some_and(|contact| contact.node() == node)
    }

    pub fn ask(&mut self, now: Instant, out: &mut Outbox<Ring>) {
        (self.answer, self.standing) = (None, None);
        (self.again, self.until) = (now + AGAIN, now + ASK_WAIT);
        if let Some(contact) = self.queue.front() {
            out.send(contact.node(), say(Message::Ask));
        }
    }

    /// The next neighbour of this side takes the place of one that gave a bad list.
    pub fn reject(&mut self, now: Instant, what: RingBreach, out: &mut Outbox<Ring>) {
        if let Some(contact) = self.queue.pop_front() {
            let node = contact.node();
            out.emit(Event::Misbehaved { node, what });
        }
        self.ask(now, out);
    }

    /// Checks the list once its contacts are there; gives up on a neighbour that is silent.
    pub fn check(
        &mut self,
        now: Instant,
        table: &KTable,
        view: &View,
        contacts: &BTreeMap<Digest, Arc<Contact>>,
        out: &mut Outbox<Ring>,
    ) {
        if self.standing.is_some() {
            return;
        }
        let checked = self.answer.as_ref();
        let checked = checked.map(|answer| answer.verify(now, table, view, contacts));
        match checked {
            Some(Ok(Some(standing))) => self.standing = Some(standing),
            Some(Err(what)) => self.reject(now, what, out),
            None | Some(Ok(None)) if now >= self.until => {
                self.queue.pop_front();
                self.ask(now, out);
            }
            // List or contacts are on their way, or lost.
            None | Some(Ok(None)) if now >= self.again => {
                self.again = now + AGAIN;
                self.repeat(contacts, out);
            }
            None | Some(Ok(None)) => {}
        }
    }

    pub fn repeat(&self, contacts: &BTreeMap<Digest, Arc<Contact>>, out: &mut Outbox<Ring>) {
        let Some(asked) = self.queue.front() else {
            return;
        };
        if self.answer.is_none() {
            out.send(asked.node(), say(Message::Ask));
        }
        let missing = self.missing(contacts);
        if !missing.is_empty() {
            let names = missing.iter().map(Name::of).collect();
            out.send(asked.node(), say(Message::Want(AtMost::first_of(names))));
        }
    }

    pub fn missing(&self, contacts: &BTreeMap<Digest, Arc<Contact>>) -> BTreeSet<Digest> {
        let list = self.answer.iter().flat_map(|a| a.listing.entries.iter());
        let digests = list.map(|entry| entry.digest);
        digests
            .filter(|digest| !contacts.contains_key(digest))
            .collect()
    }
}
