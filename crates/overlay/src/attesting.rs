//! The settled side of a join: gathering attestations for one's own cache, and giving them for others' (SEP2P §3.6).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Duration, Instant, NodeId, Outbox};
use community::Identity;
use crypto::Signature;

use crate::KTable;
use crate::at_most::AtMost;
use crate::attestation::{Attested, Listing, RECENT};
use crate::breach::RingBreach;
use crate::liveness::Liveness;
use crate::membership::{Membership, Message};
use crate::ring::{Event, Ring, Timer, say};
use crate::view::View;

/// How long attesters may take. Guess: several round trips.
const SIGN_WAIT: Duration = Duration::from_millis(1500);
/// Time for an attester's comparison with us before it is asked again. Guess: two round trips.
const COMPARE_WAIT: Duration = Duration::from_millis(400);
/// How often one attester may differ before another one is taken.
const DIFFERS_MAX: u8 = 3;
/// Most times that the attesters are asked for one list.
const ROUNDS_MAX: u8 = 10;
/// How long an attestation serves newcomers while the cache stays the same. Guess: well within [`RECENT`].
const SERVES: Duration = Duration::from_secs(20);
/// Most newcomers that wait at a time; others ask again.
const WAITING_MAX: usize = 64;

/// Attests caches, and has its own attested.
pub struct Attesting {
    identity: Arc<Identity>,
    table: Arc<KTable>,
    gathering: Option<Gathering>,
    last: Option<Attested>,
    waiting: BTreeSet<NodeId>,
}

struct Gathering {
    listing: Listing,
    signatures: Vec<(NodeId, Signature)>,
    /// Who has yet to sign; empty while attesters compare.
    missing: BTreeSet<NodeId>,
    /// How often each differed.
    differed: BTreeMap<NodeId, u8>,
    /// Who was silent once.
    silent: BTreeSet<NodeId>,
    /// Who is passed over: silent, or of another mind for good.
    passed_over: BTreeSet<NodeId>,
    rounds: u8,
    due: Instant,
}

impl Attesting {
    /// Nobody has asked yet.
    pub fn new(identity: Arc<Identity>, table: Arc<KTable>) -> Self {
        Self {
            identity,
            table,
            gathering: None,
            last: None,
            waiting: BTreeSet::new(),
        }
    }

    /// A newcomer asks for our cache.
    pub fn on_ask(&mut self, now: Instant, from: NodeId, view: &View, out: &mut Outbox<Ring>) {
        let listing = Listing::of(view, now);
        let serves = |last: &&Attested| {
            now.since(last.listing.at) < SERVES && last.listing.entries == listing.entries
        };
        if let Some(last) = self.last.as_ref().filter(serves) {
            return out.send(from, say(Message::Attested(Box::new(last.clone()))));
        }
        if self.waiting.len() < WAITING_MAX {
            self.waiting.insert(from);
        }
        if self.gathering.is_none() {
            self.gathering = Some(Gathering {
                listing,
                signatures: Vec::new(),
                missing: BTreeSet::new(),
                differed: BTreeMap::new(),
                silent: BTreeSet::new(),
                passed_over: BTreeSet::new(),
                rounds: 0,
                due: now,
            });
            self.ask(now, true, view, out);
        }
    }

    /// Asks the attesters of the present cache: the k nearest, or all where no row has enough.
    /// Signatures under a list that is still right are kept, unless `anew`.
    fn ask(&mut self, now: Instant, anew: bool, view: &View, out: &mut Outbox<Ring>) {
        let Some(gathering) = &mut self.gathering else {
            return;
        };
        gathering.rounds += 1;
        if gathering.rounds > ROUNDS_MAX {
            self.gathering = None;
            return self.waiting.clear();
        }
        let own = view.own();
        let listing = Listing::of(view, now);
        if !anew && listing.entries == gathering.listing.entries {
            return self.repeat(now, out);
        }
        gathering.listing = listing;
        let passed_over = &gathering.passed_over;
        let keep = |node| !passed_over.contains(&node);
        let nearest = self.table.legitimate(&view.cache, own.location(), keep);
        let attesters = nearest.unwrap_or_else(|| self.table.founders(&view.cache, own.location()));
        let attesters = attesters.iter().map(|contact| contact.node());
        gathering.missing = attesters.filter(|node| *node != own.node()).collect();
        let signature = gathering.listing.sign(&self.identity);
        gathering.signatures = vec![(own.node(), signature)];
        self.repeat(now, out);
        self.finish(out);
    }

    /// Asks those who have not signed the present list.
    fn repeat(&mut self, now: Instant, out: &mut Outbox<Ring>) {
        let Some(gathering) = &mut self.gathering else {
            return;
        };
        gathering.due = now + SIGN_WAIT;
        for node in &gathering.missing {
            let listing = Box::new(gathering.listing.clone());
            out.send(*node, say(Message::Sign(listing)));
        }
        out.wake(gathering.due, Timer::Attest);
    }

    fn finish(&mut self, out: &mut Outbox<Ring>) {
        let all = |gathering: &mut Gathering| gathering.missing.is_empty();
        if let Some(gathering) = self.gathering.take_if(all) {
            let attested = Attested {
                listing: gathering.listing,
                signatures: AtMost::first_of(gathering.signatures),
            };
            for node in std::mem::take(&mut self.waiting) {
                out.send(node, say(Message::Attested(Box::new(attested.clone()))));
            }
            self.last = Some(attested);
        }
    }

    /// Signs a neighbour's list, or compares with it.
    pub fn on_sign(
        &self,
        now: Instant,
        from: NodeId,
        listing: &Listing,
        view: &View,
        membership: &Membership,
        out: &mut Outbox<Ring>,
    ) {
        if !view.cache.contains(from) {
            return out.send(from, say(Message::Unknown));
        }
        let doubted = membership.liveness.doubted();
        let doubted = doubted.filter_map(|node| Some(view.cache.get(node)?.digest()));
        let doubted: BTreeSet<_> = doubted.collect();
        let agrees = listing.of == from
            && listing.at.distance(now) <= RECENT
            && listing.agrees_with(view, |digest| doubted.contains(digest));
        if agrees {
            let signature = listing.sign(&self.identity);
            out.send(from, say(Message::Signed(listing.at, signature)));
        } else {
            out.send(from, say(Message::Differs(listing.at)));
            membership.tell_names(from, view, out);
        }
    }

    /// An attester agrees: one signature check.
    pub fn on_signed(
        &mut self,
        from: NodeId,
        at: Instant,
        signature: Signature,
        out: &mut Outbox<Ring>,
    ) {
        let Some(gathering) = &mut self.gathering else {
            return;
        };
        if gathering.listing.at != at || !gathering.missing.contains(&from) {
            return;
        }
        if !gathering.listing.is_signed_by(from, &signature) {
            // It is passed over when its time is over.
            let what = RingBreach::BadAttestation;
            return out.emit(Event::Misbehaved { node: from, what });
        }
        gathering.missing.remove(&from);
        gathering.signatures.push((from, signature));
        self.finish(out);
    }

    /// An attester is of another mind: it has begun to compare, and is asked again, with all others, about the list that
    /// comes of this.
    pub fn on_differs(&mut self, now: Instant, from: NodeId, at: Instant, out: &mut Outbox<Ring>) {
        let Some(gathering) = &mut self.gathering else {
            return;
        };
        if gathering.listing.at != at || !gathering.missing.contains(&from) {
            return;
        }
        let times = gathering.differed.entry(from).or_default();
        *times += 1;
        if *times >= DIFFERS_MAX {
            gathering.passed_over.insert(from);
        }
        gathering.due = now + COMPARE_WAIT;
        out.wake(gathering.due, Timer::Attest);
    }

    /// Asks once more: after comparing, or without those who are silent for the second time.
    pub fn handle_timer(
        &mut self,
        now: Instant,
        view: &View,
        liveness: &mut Liveness,
        out: &mut Outbox<Ring>,
    ) {
        let due = |gathering: &&mut Gathering| gathering.due <= now;
        let Some(gathering) = self.gathering.as_mut().filter(due) else {
            return;
        };
        let mut passes_over = false;
        for node in &gathering.missing {
            if !gathering.differed.contains_key(node) && !gathering.silent.insert(*node) {
                liveness.check(now, *node, out);
                passes_over |= gathering.passed_over.insert(*node);
            }
            passes_over |= gathering.differed.get(node) == Some(&DIFFERS_MAX);
        }
        self.ask(now, passes_over, view, out);
    }
}
