//! The newcomer's side of a join (SEP2P §3.6).
//!
//! A newcomer searches for its own place, asks its successor and its predecessor for their caches, attested, fetches the
//! contacts, checks everything ([`Attested::verify`]), and compares what the two say about what lies in both their regions.
//! Of nodes that only one of them lists it asks the nodes themselves: contacts certify themselves, so an answer is
//! evidence. A list that leaves out a node that answers, and that has been there for long, is refused, and the next
//! neighbour of that side asked. What lies in the newcomer's own region of the union of both is its cache; then it says
//! hello to all of them. Before that it is in nobody's cache and attests nothing.
//!
//! A founding node ([`Standing`]) does the same again from time to time, as a member, and so does a member that has lost
//! everybody once it is told of somebody.
//!
//! Who finds nobody tries for ever, after waits that grow and are never the same for two nodes: of those that it was told
//! of a few at a time, in turn, so that many who are gone cannot hide the one who is back.

mod attempt;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;

use base::{Duration, Instant, NodeId, Outbox, Rng};
use community::{Community, Contact};

use crate::KTable;
use crate::attestation::{Attested, Standing};
use crate::breach::RingBreach;
use crate::membership::Membership;
use crate::ring::{Ring, Timer};
use crate::routing::Lookup;
use crate::view::View;
use attempt::{ASK_WAIT, Attempt, Dispute, Side};

/// Least and most time between two attempts of one who knows nobody, long ones up to a quarter more by chance. The most is a guess:
/// somebody who is back is found within a minute and a half, and who is never back costs a handful of packets a minute.
const RETRY: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(60));
/// The most where somebody answers.
const RETRY_ANSWERED: Duration = Duration::from_secs(4);
/// The shortest wait that chance makes longer.
const SPREAD_FROM: Duration = Duration::from_secs(4);
/// Least and most time between two attempts of a founding node. Guess.
const AUDIT: (Duration, Duration) = (Duration::from_secs(15), Duration::from_secs(240));
/// How long newcomers who find only each other wait for somebody else. Guess.
const FOUND_AFTER: Duration = Duration::from_secs(5);
/// Most bootstrap nodes; the first ones count.
const BOOTSTRAP_MAX: usize = 64;
/// Of how many of them one attempt begins: should all be silent, they take 16 / 3 times three seconds, and leave a quarter
/// of a search's questions.
const ASKED_AT_ONCE: usize = 16;
/// Most newcomers remembered as having asked us while we were one.
const NEWCOMERS_MAX: usize = 8;
/// Brings one node into the ring.
pub struct Joining {
    community: Arc<Community>,
    table: Arc<KTable>,
    standing: Option<Standing>,
    bootstrap: Vec<(NodeId, SocketAddr)>,
    /// Whose turn it is among the bootstrap nodes.
    turn: usize,
    newcomers: BTreeSet<NodeId>,
    began: Instant,
    attempt: Option<Attempt>,
    /// When the next step or attempt is due; earlier timers are stale.
    due: Instant,
    pause: Duration,
    rng: Rng,
}

impl Joining {
    /// A node that has not been told to join.
    pub fn new(community: Arc<Community>, table: Arc<KTable>, rng: Rng) -> Self {
        Self {
            community,
            table,
            standing: None,
            bootstrap: Vec::new(),
            turn: 0,
            newcomers: BTreeSet::new(),
            began: Instant(0),
            attempt: None,
            due: Instant(u64::MAX),
            pause: RETRY.0,
            rng,
        }
    }

    /// How this node stands; `None` for a newcomer.
    pub fn standing(&self) -> Option<Standing> {
        self.standing
    }

    /// Where a bootstrap node was said to be.
    pub fn told(&self, node: NodeId) -> impl Iterator<Item = SocketAddr> {
        let told = self.bootstrap.iter();
        told.filter(move |(told, _)| *told == node)
            .map(|(_, at)| *at)
    }

    /// The bootstrap nodes that this one has never met.
    pub fn unmet(&self, view: &View) -> BTreeSet<NodeId> {
        let told = self.bootstrap.iter().map(|(node, _)| *node);
        told.filter(|node| view.get(*node).is_none()).collect()
    }

    /// What is known of a node that is being asked.
    pub fn contact(&self, node: NodeId) -> Option<&Arc<Contact>> {
        let attempt = self.attempt.as_ref()?;
        let queued = attempt.sides.iter().flat_map(|side| &side.queue);
        let mut known = queued.chain(attempt.contacts.values());
        known.find(|contact| contact.node() == node)
    }

    /// Takes the bootstrap nodes; the first attempt is due at once. A node that was told of nobody founds a community.
    pub fn begin(
        &mut self,
        now: Instant,
        told: Vec<(NodeId, SocketAddr)>,
        view: &View,
        out: &mut Outbox<Ring>,
    ) -> bool {
        let own = view.own().node();
        self.bootstrap = told.into_iter().filter(|(node, _)| *node != own).collect();
        self.bootstrap.truncate(BOOTSTRAP_MAX);
        (self.began, self.turn, self.pause) = (now, 0, RETRY.0);
        self.wake(now, out);
        let alone = self.bootstrap.is_empty() && view.cache.len() == 1;
        let founds = alone && self.standing.is_none();
        if founds {
            self.standing = Some(Standing::Founding);
        }
        founds
    }

    fn wake(&mut self, at: Instant, out: &mut Outbox<Ring>) {
        self.due = at;
        out.wake(at, Timer::Join);
    }

    /// Another newcomer searches: it may be all there is, and more may be there now than when we searched in vain.
    pub fn on_newcomer(&mut self, now: Instant, from: NodeId, out: &mut Outbox<Ring>) {
        let is_news = self.newcomers.len() < NEWCOMERS_MAX && self.newcomers.insert(from);
        let waits = self.attempt.is_none() && self.due < Instant(u64::MAX);
        if is_news && waits && self.due > now + RETRY.0 {
            self.pause = RETRY.0;
            self.wake(now + RETRY.0, out);
        }
    }

    /// Whom a search for our place begins with, if it is time for one.
    pub fn handle_timer(
        &mut self,
        now: Instant,
        view: &View,
        out: &mut Outbox<Ring>,
    ) -> Option<BTreeSet<NodeId>> {
        let idle = self.attempt.is_none() && !view.is_alone();
        if now < self.due || (idle && self.standing == Some(Standing::Settled)) {
            return None;
        }
        self.due = Instant(u64::MAX);
        if self.attempt.is_some() {
            self.step(now, view, out);
            return None;
        }
        if self.standing.is_some() && !self.is_worth_it(view) {
            self.wake(now + AUDIT.0, out);
            return None;
        }
        let known = view.cache.digests();
        self.attempt = Some(Attempt {
            searching: true,
            sides: Vec::new(),
            contacts: known
                .map(|(d, contact)| (*d, Arc::clone(contact)))
                .collect(),
            disputed: BTreeMap::new(),
            disputed_until: now,
            answered: Vec::new(),
        });
        let mut told = self.next_told();
        told.extend(&self.newcomers);
        Some(told)
    }

    /// The bootstrap nodes whose turn it is.
    fn next_told(&mut self) -> BTreeSet<NodeId> {
        let told: BTreeSet<_> = self.bootstrap.iter().map(|(node, _)| *node).collect();
        let first = self.turn;
        self.turn = (first + ASKED_AT_ONCE).checked_rem(told.len()).unwrap_or(0);
        let turns = told.iter().cycle().skip(first);
        turns.take(told.len().min(ASKED_AT_ONCE)).copied().collect()
    }

    /// Whether a founding node may learn something: there are enough nodes for a row, or some were never reached, or there is
    /// hardly anybody in its region.
    fn is_worth_it(&self, view: &View) -> bool {
        let place = view.own().location();
        let enough = self.table.legitimate(&view.cache, place, |_| true);
        enough.is_some() || !self.unmet(view).is_empty() || view.is_thin()
    }

    /// The search for our place is over. Answers whether that makes us a member.
    pub fn on_found(
        &mut self,
        now: Instant,
        lookup: &Lookup,
        view: &View,
        out: &mut Outbox<Ring>,
    ) -> bool {
        let Some(attempt) = self.attempt.as_mut().filter(|attempt| attempt.searching) else {
            return false;
        };
        attempt.searching = false;
        attempt.answered = lookup.answered();
        let own = view.own();
        if attempt.answered.is_empty() {
            let mut newcomers = lookup.newcomers.iter();
            let first = newcomers.all(|other| own.node() < *other);
            let alone = !lookup.newcomers.is_empty() && now.since(self.began) >= FOUND_AFTER;
            let founds = self.standing.is_none() && alone && first && !lookup.was_answered();
            if founds {
                self.standing = Some(Standing::Founding);
            }
            let nobody = lookup.newcomers.is_empty();
            self.fail(now, nobody, view, out);
            return founds;
        }
        let way = |contact: &Arc<Contact>| contact.location().0.wrapping_sub(own.location().0);
        let mut after = attempt.answered.clone();
        after.sort_by_key(|contact| (way(contact), contact.node()));
        let before: VecDeque<_> = after.iter().rev().cloned().collect();
        let queues = match after.len() {
            1 => vec![before],
            _ => vec![after.into(), before],
        };
        attempt.sides = queues.into_iter().map(Side::new).collect();
        for side in &mut attempt.sides {
            side.ask(now, out);
        }
        self.step(now, view, out);
        false
    }

    /// The attempt has come to nothing, because `nobody` answered or for another reason; another one follows.
    fn fail(&mut self, now: Instant, nobody: bool, view: &View, out: &mut Outbox<Ring>) {
        self.attempt = None;
        let (least, most) = match self.standing {
            Some(_) if !view.is_alone() => AUDIT,
            _ if nobody => RETRY,
            _ => (RETRY.0, RETRY_ANSWERED),
        };
        let pause = self.pause.clamp(least, most);
        self.pause = 2 * pause;
        // Who has waited for long has waited with others, for the same node or network.
        let spread = match view.is_alone() && pause >= SPREAD_FROM {
            true => self.rng.below(pause.as_micros() as u64 / 4 + 1),
            false => 0,
        };
        self.wake(now + pause + Duration::from_micros(spread), out);
    }

    /// A neighbour gives its cache.
    pub fn on_attested(
        &mut self,
        now: Instant,
        from: NodeId,
        attested: &Attested,
        view: &View,
        out: &mut Outbox<Ring>,
    ) {
        let Some(attempt) = &mut self.attempt else {
            return;
        };
        let sides = attempt.sides.iter_mut();
        for side in sides.filter(|side| side.answer.is_none() && side.is_asking(from)) {
            let owner = side.queue[0].location();
            let listing = attested.listing.of == from;
            let checked = match listing {
                true => attested.check_list(now, view, owner),
                false => Err(RingBreach::LeavesItselfOut),
            };
            match checked {
                Ok(()) => side.answer = Some(attested.clone()),
                Err(what) => side.reject(now, what, out),
            }
        }
        let mut asked = attempt.sides.iter();
        if let Some(side) = asked.find(|side| side.answer.is_some() && side.is_asking(from)) {
            side.repeat(&attempt.contacts, out);
        }
        self.step(now, view, out);
    }

    /// Whether contacts of this node's list are missing.
    pub fn awaits(&self, node: NodeId) -> bool {
        let attempt = self.attempt.as_ref();
        attempt.is_some_and(|attempt| !attempt.missing(node).is_empty())
    }

    /// Contacts of a list that we asked for.
    pub fn on_members(
        &mut self,
        now: Instant,
        from: NodeId,
        contacts: Vec<Contact>,
        view: &View,
        membership: &mut Membership,
        out: &mut Outbox<Ring>,
    ) {
        let Some(attempt) = &mut self.attempt else {
            return;
        };
        let mut missing = attempt.missing(from);
        for contact in contacts {
            let digest = contact.digest();
            if !missing.remove(&digest) || membership.distrusts(from) {
                continue;
            }
            match contact.verify(self.community.descriptor(), now) {
                Ok(()) => {
                    membership.meet_namesake(&contact, view, out);
                    attempt.contacts.insert(digest, Arc::new(contact));
                }
                Err(why) => {
                    membership.refuse(now, from, why, view, out);
                    for side in attempt.sides.iter_mut().filter(|side| side.is_asking(from)) {
                        side.reject(now, why.into(), out);
                    }
                    break;
                }
            }
        }
        self.step(now, view, out);
    }

    /// A disputed node answers.
    pub fn on_pong(&mut self, now: Instant, from: NodeId, view: &View, out: &mut Outbox<Ring>) {
        if let Some(attempt) = &mut self.attempt
            && let Some(answered) = attempt.disputed.get_mut(&from)
        {
            *answered = true;
            self.step(now, view, out);
        }
    }

    /// Goes on with the attempt as far as it gets.
    fn step(&mut self, now: Instant, view: &View, out: &mut Outbox<Ring>) {
        let Some(attempt) = &mut self.attempt else {
            return;
        };
        for side in &mut attempt.sides {
            side.check(now, &self.table, view, &attempt.contacts, out);
        }
        if !attempt.searching && attempt.sides.iter().any(|side| side.queue.is_empty()) {
            return self.fail(now, false, view, out);
        }
        let checked = |side: &&Side| side.standing.is_some();
        let waiting = attempt.sides.iter().filter(|side| !checked(side));
        let mut due = waiting.map(|side| side.again.min(side.until)).min();
        if !attempt.sides.is_empty() && due.is_none() {
            match attempt.settle_disputes(now, view, out) {
                Dispute::Open => due = Some(attempt.disputed_until),
                Dispute::TooMany => return self.fail(now, false, view, out),
                Dispute::Refused => due = Some(now + ASK_WAIT),
                // The caller takes the result.
                Dispute::None => {}
            }
        }
        if let Some(due) = due {
            self.wake(due, out);
        }
    }

    /// The caches that a finished attempt has found, with all who answered it, and how they are attested.
    pub fn take_result(
        &mut self,
        now: Instant,
        view: &View,
        out: &mut Outbox<Ring>,
    ) -> Option<(Vec<Arc<Contact>>, Standing)> {
        let attempt = self.attempt.as_ref()?;
        let standings = attempt.sides.iter().map(|side| side.standing);
        let standing = standings.min()??;
        let open = |node: &NodeId| attempt.disputed.get(node) == Some(&false);
        if attempt.is_disputed(now, view) {
            return None;
        }
        let lists = attempt.sides.iter().filter_map(|side| side.answer.as_ref());
        let listed = lists.flat_map(|list| list.listing.entries.iter());
        let listed = listed.filter_map(|entry| attempt.contacts.get(&entry.digest));
        let there = listed.filter(|contact| !open(&contact.node()));
        let all = there.chain(&attempt.answered).cloned();
        let all = all.filter(|contact| contact.node() != view.own().node());
        let all: Vec<_> = all.collect();
        self.attempt = None;
        self.standing = Some(standing);
        if standing == Standing::Founding {
            let pause = self.pause.clamp(AUDIT.0, AUDIT.1);
            self.pause = 2 * pause;
            self.wake(now + pause, out);
        }
        Some((all, standing))
    }
}
