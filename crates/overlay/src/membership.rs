//! How nodes keep their caches the same where their regions overlap.
//!
//! A newcomer says hello to all in its region: as all regions have one size, these are the nodes whose regions contain it.
//! It tells a few, who pass it on ([`Stretch`]), and so do farewells travel. From then on each node compares with a member
//! of its cache from time to time, often while a comparison brings news and rarely otherwise, about the arc that lies in
//! both regions, so that caches converge whatever was lost or held back. Two nodes that compare exchange short names first, so that a contact travels only to who lacks it.
//!
//! Nothing enters a cache unchecked: a contact costs two signature checks, once. A peer whose contact fails them is not
//! listened to for a while, and a node that keeps giving new addresses is heard rarely, so that neither can keep others
//! busy. Contacts leave when their certificates expire, when a node says farewell, and when it is found gone. Revocation
//! comes with a new descriptor.

mod learning;
mod message;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Digest, Duration, Instant, NodeId, Outbox, Rng};
use community::{Community, Contact};

use crate::at_most::AtMost;
use crate::breach::RingBreach;
use crate::liveness::{Farewell, Liveness};
use crate::ring::{Event, Ring, Timer, say};
use crate::stretch::Stretch;
use crate::view::{CACHE_MAX, NEIGHBOURS, View};
pub use message::{Message, Name};

/// Time between news and the next comparison, a few round trips; each further pause is half as long again, so that many
/// comparisons fall into the first seconds and none is needed to know that there is quiet. Guess.
const TICK_BUSY: Duration = Duration::from_millis(150);
/// Longest time between two comparisons. Guess.
pub const TICK_IDLE: Duration = Duration::from_secs(15);
/// Most contacts in one message: with certificates of about half a kilobyte, 160 KB.
pub const CONTACTS_MAX: usize = 256;
/// How long a peer's contacts are not read after one of them had a bad signature. Guess: long beside the two checks that
/// it cost, short beside the life of a node that was wrongly blamed.
pub const DISTRUST: Duration = Duration::from_secs(15);
/// Most peers remembered as having sent what does not hold.
pub const REFUSED_MAX: usize = 1024;
/// Least time between two changes of one node's contact. Guess: a node starts anew less often.
pub const CHANGE_EVERY: Duration = Duration::from_secs(2);

/// Keeps one node's cache.
pub struct Membership {
    community: Arc<Community>,
    /// Who is up.
    pub liveness: Liveness,
    /// Time between the last comparison and the next.
    pause: Duration,
    /// When the next comparison is due; earlier timers are stale.
    next_tick: Instant,
    /// No certificate in the view ends before.
    expiry: Instant,
    /// Whose word was refused within [`DISTRUST`], when, and whether it was a forgery.
    refused: BTreeMap<NodeId, (Instant, bool)>,
    /// Whose contact changed within [`CHANGE_EVERY`], and when.
    changed: BTreeMap<NodeId, Instant>,
    /// Of this node's name and not of this run, told last.
    namesake: Option<Digest>,
    rng: Rng,
}

impl Membership {
    /// Nothing has happened yet.
    pub fn new(community: Arc<Community>, rng: Rng) -> Self {
        Self {
            community,
            liveness: Liveness::default(),
            pause: TICK_BUSY,
            next_tick: Instant(u64::MAX),
            expiry: Instant(u64::MAX),
            refused: BTreeMap::new(),
            changed: BTreeMap::new(),
            namesake: None,
            rng,
        }
    }

    /// A member from now on: compares, and watches its neighbours.
    pub fn start(&mut self, now: Instant, view: &View, out: &mut Outbox<Ring>) {
        self.news(now, out);
        self.liveness.watch(now, view, &mut self.rng, out);
    }

    /// Compares with somebody, if it is time.
    pub fn handle_tick(&mut self, now: Instant, view: &View, out: &mut Outbox<Ring>) {
        if now < self.next_tick {
            return;
        }
        if let Some(chosen) = self.partner(view) {
            let summary = view.summary(chosen.location());
            out.send(chosen.node(), say(Message::Compare(summary)));
        }
        self.next_tick = Instant(u64::MAX);
        self.pause = (self.pause * 3 / 2).min(TICK_IDLE);
        self.tick_by(now + self.pause, out);
    }

    /// With whom to compare: while there is news with those to whom words are passed on, as connections to them are there
    /// or soon will be; in quiet times with anybody, so that no few colluders decide what a node learns.
    fn partner(&mut self, view: &View) -> Option<Arc<Contact>> {
        let own = view.own().node();
        let among: Vec<_> = match self.pause < TICK_IDLE {
            true => {
                let parts = Stretch::both_sides(view).map(|side| side.split(view));
                let told = parts.into_iter().flatten();
                told.filter_map(|(node, _)| view.cache.get(node)).collect()
            }
            false => view.cache.iter().filter(|c| c.node() != own).collect(),
        };
        let chosen = self.rng.below(among.len().max(1) as u64) as usize;
        among.get(chosen).map(|chosen| Arc::clone(chosen))
    }

    /// Looks after the neighbours.
    pub fn handle_watch(&mut self, now: Instant, view: &View, out: &mut Outbox<Ring>) {
        self.liveness.watch(now, view, &mut self.rng, out);
    }

    /// Tells everybody in the region, and neighbours who sit outside of it, that we are here.
    pub fn hello(view: &View, out: &mut Outbox<Ring>) {
        let own = || Box::new((**view.own()).clone());
        Self::tell_all(view, |stretch| Message::Hello(own(), stretch), out);
    }

    /// Tells `nodes` alone that we are here.
    pub fn hello_to(view: &View, nodes: impl IntoIterator<Item = NodeId>, out: &mut Outbox<Ring>) {
        for node in nodes {
            let own = Box::new((**view.own()).clone());
            out.send(node, say(Message::Hello(own, None)));
        }
    }

    fn tell_all(view: &View, word: impl Fn(Option<Stretch>) -> Message, out: &mut Outbox<Ring>) {
        for side in Stretch::both_sides(view) {
            for (node, part) in side.split(view) {
                out.send(node, say(word(Some(part))));
            }
        }
        let outside = view.neighbours(NEIGHBOURS).into_iter();
        for neighbour in outside.filter(|contact| !view.cache.contains(contact.node())) {
            out.send(neighbour.node(), say(word(None)));
        }
    }

    /// Drops what time has made worthless.
    pub fn forget(&mut self, now: Instant, view: &mut View, out: &mut Outbox<Ring>) {
        self.refused.retain(|_, (at, _)| now.since(*at) < DISTRUST);
        self.changed.retain(|_, at| now.since(*at) < CHANGE_EVERY);
        if now <= self.expiry {
            return;
        }
        let own = view.own().node();
        let ends = |contact: &Contact| contact.certificate().valid_until();
        let keep = |contact: &Contact| contact.node() == own || now <= ends(contact);
        let expired = view.cache.iter().filter(|contact| !keep(contact));
        expired.for_each(|contact| out.emit(Event::Gone(contact.node())));
        view.cache.retain(keep);
        view.fingers.retain(keep);
        let others = view.cache.iter().chain(view.fingers.iter());
        let others = others.filter(|contact| contact.node() != own);
        let first = others.map(|contact| ends(contact)).min();
        self.expiry = first.unwrap_or(Instant(u64::MAX));
    }

    /// Makes sure that comparisons go on often for a while.
    fn news(&mut self, now: Instant, out: &mut Outbox<Ring>) {
        self.pause = TICK_BUSY;
        self.tick_by(now + TICK_BUSY, out);
    }

    /// Makes sure that the next comparison is not later than `at`.
    fn tick_by(&mut self, at: Instant, out: &mut Outbox<Ring>) {
        if self.next_tick > at {
            self.next_tick = at;
            out.wake(at, Timer::Tick);
        }
    }
}

/// What peers say.
impl Membership {
    /// A contact from its own node.
    pub fn on_hello(
        &mut self,
        now: Instant,
        from: NodeId,
        contact: Contact,
        stretch: Option<Stretch>,
        view: &mut View,
        out: &mut Outbox<Ring>,
    ) {
        if contact.node() == from {
            let gone = self.liveness.gone(from);
            if gone.is_some_and(|gone| gone.farewell.is_none()) {
                self.liveness.raise(from);
            }
        }
        let told = Box::new(contact.clone());
        if self.learn_all(now, from, vec![contact], view, out) {
            for (node, part) in stretch.map_or(vec![], |stretch| stretch.split(view)) {
                out.send(node, say(Message::Hello(told.clone(), Some(part))));
            }
        }
    }

    /// A comparison begins.
    pub fn on_compare(&self, from: NodeId, theirs: Digest, view: &View, out: &mut Outbox<Ring>) {
        match view.cache.get(from) {
            None => out.send(from, say(Message::Unknown)),
            Some(other) if view.summary(other.location()) == theirs => {}
            Some(_) => self.tell_names(from, view, out),
        }
    }

    /// A comparison goes on: gives what the other lacks, wants what we do, and says who of them is gone.
    pub fn on_have(
        &mut self,
        now: Instant,
        from: NodeId,
        theirs: &[Name],
        view: &View,
        out: &mut Outbox<Ring>,
    ) {
        let Some(other) = view.cache.get(from) else {
            return out.send(from, say(Message::Unknown));
        };
        let theirs: BTreeSet<_> = theirs.iter().copied().collect();
        let shared = view.shared(other.location());
        let lacks = shared.filter(|(digest, _)| !theirs.contains(&Name::of(digest)));
        Self::give(from, lacks.map(|(_, contact)| (**contact).clone()), out);
        let ours = view.shared(other.location());
        let ours: BTreeSet<_> = ours.map(|(digest, _)| Name::of(digest)).collect();
        let mut lacking: BTreeSet<_> = theirs.difference(&ours).copied().collect();
        if lacking.is_empty() {
            return;
        }
        let gone = self.liveness.all_gone();
        let gone = gone.filter(|gone| lacking.remove(&gone.name));
        let gone: Vec<_> = gone.map(|gone| Arc::clone(&gone.contact)).collect();
        for contact in gone {
            self.is_gone(now, &contact, out);
            self.tell_of(from, contact.node(), view, out);
        }
        if !lacking.is_empty() {
            let names = AtMost::first_of(lacking.into_iter().collect());
            out.send(from, say(Message::Want(names)));
        }
    }

    /// Hands over contacts.
    pub fn on_want(&self, from: NodeId, names: &[Name], view: &View, out: &mut Outbox<Ring>) {
        let names: BTreeSet<_> = names.iter().copied().collect();
        let wanted = view.cache.digests();
        let wanted = wanted.filter(|(digest, _)| names.contains(&Name::of(digest)));
        Self::give(from, wanted.map(|(_, contact)| (**contact).clone()), out);
    }

    /// Takes contacts.
    pub fn on_members(
        &mut self,
        now: Instant,
        from: NodeId,
        contacts: Vec<Contact>,
        view: &mut View,
        out: &mut Outbox<Ring>,
    ) {
        if self.learn_all(now, from, contacts, view, out) {
            self.news(now, out);
        }
    }

    /// A node answers: one that was given up is back.
    pub fn on_pong(&mut self, now: Instant, from: NodeId, view: &mut View, out: &mut Outbox<Ring>) {
        let gone = self.liveness.gone(from);
        if gone.is_some_and(|gone| gone.farewell.is_none())
            && let Some(contact) = self.liveness.raise(from)
            && now <= contact.certificate().valid_until()
        {
            self.take(contact, view, out);
            self.news(now, out);
        }
    }

    /// Somebody says that a node is gone.
    pub fn on_gone(&mut self, now: Instant, node: NodeId, view: &View, out: &mut Outbox<Ring>) {
        if view.get(node).is_some() && node != view.own().node() {
            self.liveness.check(now, node, out);
        }
    }

    /// Tells `to`, who takes it for a member, that a node went.
    fn tell_of(&self, to: NodeId, node: NodeId, view: &View, out: &mut Outbox<Ring>) {
        let gone = self.liveness.gone(node);
        if let Some(gone) = gone.filter(|_| to != view.own().node() && to != node) {
            out.send(
                to,
                say(match &gone.farewell {
                    Some(farewell) => Message::Farewell(farewell.clone(), None),
                    None => Message::Gone(node),
                }),
            );
        }
    }

    /// A node leaves.
    pub fn on_farewell(
        &mut self,
        now: Instant,
        from: NodeId,
        farewell: Farewell,
        stretch: Option<Stretch>,
        view: &mut View,
        out: &mut Outbox<Ring>,
    ) {
        let Some(contact) = view.get(farewell.node).cloned() else {
            return;
        };
        let ours = contact.node() == view.own().node();
        let old = farewell.at < contact.issued() || farewell.at > now + community::ISSUED_AHEAD_MAX;
        if ours || old || self.distrusts(from) {
            return;
        }
        if !farewell.holds(self.community.descriptor().community) {
            self.distrust(now, from, true);
            let what = RingBreach::BadFarewell;
            return out.emit(Event::Misbehaved { node: from, what });
        }
        self.drop_from(view, contact.node(), out);
        for (node, part) in stretch.map_or(vec![], |stretch| stretch.split(view)) {
            out.send(node, say(Message::Farewell(farewell.clone(), Some(part))));
        }
        self.liveness.bury(now, contact, Some(farewell));
        // Others may not have heard, should those who were to tell them be leaving too.
        self.news(now, out);
    }

    /// A ping's time is over.
    pub fn on_ping_timer(
        &mut self,
        now: Instant,
        node: NodeId,
        view: &mut View,
        out: &mut Outbox<Ring>,
    ) {
        if !self.liveness.on_timer(now, node, out) {
            return;
        }
        if let Some(contact) = self.drop_from(view, node, out) {
            self.liveness.bury(now, Arc::clone(&contact), None);
            Self::tell_gone(&contact, view, out);
        }
    }

    /// Says that a node is gone to those on our side of it whose regions contain it, if we are next to it on that side, and
    /// to the next one on the other side.
    fn tell_gone(lost: &Contact, view: &View, out: &mut Outbox<Ring>) {
        let (own, place) = (view.own().location(), lost.location());
        let before = view.between(own, place).is_empty();
        let after = view.between(place, own).is_empty();
        let next = match (before, after) {
            (true, false) => view.between(place, own).into_iter().next(),
            (false, true) => view.between(own, place).into_iter().next_back(),
            _ => None,
        };
        if let Some(next) = next {
            out.send(next.node(), say(Message::Gone(lost.node())));
        }
        let region = view.region_of(place);
        for contact in view.cache.inside(&region) {
            let is_before = place.0.wrapping_sub(contact.location().0) < 1 << 63;
            let ours = if is_before { before } else { after };
            if ours && contact.node() != view.own().node() {
                out.send(contact.node(), say(Message::Gone(lost.node())));
            }
        }
    }

    fn drop_from(
        &self,
        view: &mut View,
        node: NodeId,
        out: &mut Outbox<Ring>,
    ) -> Option<Arc<Contact>> {
        let known = view.cache.contains(node);
        let contact = view.remove(node)?;
        if known {
            out.emit(Event::Gone(node));
        }
        Some(contact)
    }

    /// Tells `to` the names of what we hold in both regions.
    pub fn tell_names(&self, to: NodeId, view: &View, out: &mut Outbox<Ring>) {
        if let Some(other) = view.cache.get(to) {
            let names = view.shared(other.location());
            let names = names.map(|(digest, _)| Name::of(digest)).collect();
            out.send(to, say(Message::Have(AtMost::first_of(names))));
        }
    }

    fn give(to: NodeId, contacts: impl Iterator<Item = Contact>, out: &mut Outbox<Ring>) {
        let contacts: Vec<_> = contacts.collect();
        for part in contacts.chunks(CONTACTS_MAX) {
            out.send(to, say(Message::Members(AtMost::first_of(part.to_vec()))));
        }
    }
}

/// Farewells.
impl Membership {
    /// How many peers are remembered as having sent what does not hold.
    #[cfg(test)]
    pub fn distrusted(&self) -> usize {
        self.refused.len()
    }

    /// Farewell to all who have us in their regions, and to the neighbours.
    pub fn part(&self, farewell: &Farewell, view: &View, out: &mut Outbox<Ring>) {
        Self::tell_all(
            view,
            |stretch| Message::Farewell(farewell.clone(), stretch),
            out,
        );
    }

    /// Whose regions we are in, and our neighbours, should they sit farther away.
    pub fn those_concerned(view: &View) -> BTreeSet<NodeId> {
        let region = view.cache.iter().map(|contact| contact.node());
        let neighbours = view.neighbours(NEIGHBOURS).into_iter();
        let mut all: BTreeSet<_> = region.chain(neighbours.map(|c| c.node())).collect();
        all.remove(&view.own().node());
        all
    }
}

/// Most nodes of a region before it is called full.
pub fn cache_limit(cache_size: u32) -> usize {
    // Nodes fall into regions as a Poisson process: 512 expected are never 1088, 5 never 74.
    (2 * cache_size as usize).saturating_add(64).min(CACHE_MAX)
}
