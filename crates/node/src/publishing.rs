//! Answers that their askers show to everybody.
//!
//! An asker signs that the proof of an answer of its own is public, and offers it, by the question's name, to all whom it
//! knows. Who lacks it fetches it, checks the whole proof, and only then keeps it, tells its owner, and offers it in turn when
//! it compares open questions with somebody: so who was away gets it from anybody, also when its asker is gone. In a community
//! where not everybody is known it also offers it round the ring. Since
//! nobody honest offers what it has not checked, who gives a false proof is at fault, whoever made it.
//!
//! The overlay's records hold a kilobyte for 30 days at most; a proof has five to ten and is to last.

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Duration, Instant, NodeId, Outbox, decode};
use crypto::{Signature, SigningKey, verify};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::composition::{Event, Node, Timer};
use crate::journal::{Entry, Journal, value};
use crate::message::Message;
use crate::plan::PlanError;
use crate::proof::{Proof, ProofError, Verified};

/// Longest proof that can be published. Measured: one of 200 people has 10 kB (BENCHMARKS.md).
pub const PUBLISHED_BYTES_MAX: usize = 256 << 10;
/// Most answers that are kept, the latest.
pub const PUBLISHED_MAX: usize = 128;
/// Most of them by one asker, the latest.
pub const OF_ONE_ASKER_MAX: usize = 16;
/// Most bytes of all of them.
pub(crate) const HELD_BYTES_MAX: usize = 8 << 20;
/// Most answers that are still to be fetched: what four nodes can have.
const WANTED_MAX: usize = 4 * PUBLISHED_MAX;
/// How long an answer may take to come until it is asked for again.
const FETCHED_WITHIN: Duration = Duration::from_secs(10);
/// How often the same is asked of the same node: messages are lost, and laptops sleep.
const FETCH_TRIES: u32 = 3;
/// How long a node is not believed again that offered what it did not give, or what does not hold.
const DISTRUSTED_FOR: Duration = Duration::from_secs(3600);
/// Most nodes of which that is remembered, and most to whom something was given lately.
const REMEMBERED_MAX: usize = 1024;
/// How many answers one node is given within an hour: all that there are, and as many again.
const GIVEN_MAX: u32 = 2 * PUBLISHED_MAX as u32;
const HOUR: Duration = Duration::from_secs(3600);

const DOMAIN: &str = "published answer";

/// An answer that its asker shows to everybody.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Publication {
    #[n(0)]
    proof: ByteVec,
    #[n(1)]
    signature: Signature,
}

impl Publication {
    /// The holder of `key` makes this proof public.
    pub fn new(key: &SigningKey, proof: Vec<u8>) -> Self {
        let signature = key.sign(DOMAIN, &proof);
        Self {
            proof: proof.into(),
            signature,
        }
    }

    /// The proof file.
    pub fn proof(&self) -> &[u8] {
        &self.proof
    }
}

/// An answer that its asker shows to everybody, checked by this node.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// What the proof says.
    pub verified: Verified,
    /// The proof file.
    pub proof: Vec<u8>,
}

/// Why an answer is not published.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum PublishError {
    /// Somebody else has asked.
    #[error("only who asked a question can publish its answer")]
    NotTheAsker,
    /// The proof is of another question.
    #[error("the proof is not of this question")]
    OtherQuestion,
    /// The proof is too long.
    #[error(
        "the proof has {0} bytes, and at most {PUBLISHED_BYTES_MAX} can be published; give the file to others by hand"
    )]
    TooLong(usize),
    /// The community has a later descriptor.
    #[error(
        "the community's descriptor has changed since, and others could not check the proof; give them the file and the \
         descriptor of that time by hand"
    )]
    OtherDescriptor,
    /// The proof does not hold.
    #[error("the proof does not hold: {0}")]
    Proof(ProofError),
    /// The asker's signature under it does not hold.
    #[error("its asker has not published it")]
    Signature,
    /// Not a proof at all.
    #[error("it is no proof")]
    Bytes,
}

impl From<ProofError> for PublishError {
    fn from(why: ProofError) -> Self {
        match why {
            ProofError::Plan(PlanError::OtherDescriptor) => Self::OtherDescriptor,
            why => Self::Proof(why),
        }
    }
}

#[derive(Debug)]
struct Held {
    asker: NodeId,
    closed_at: Instant,
    publication: Publication,
}

#[derive(Debug, Clone, Copy)]
struct Fetch {
    question: Digest,
    from: NodeId,
    until: Instant,
    tries: u32,
}

/// What is kept, and what is on its way here, one at a time.
#[derive(Debug, Default)]
pub struct Publishing {
    held: BTreeMap<Digest, Held>,
    /// Who has offered it.
    wanted: BTreeMap<Digest, NodeId>,
    fetch: Option<Fetch>,
    /// Older than what is kept: not to be fetched again.
    let_go: BTreeSet<Digest>,
    distrusted: BTreeMap<NodeId, Instant>,
    /// To whom how many were given since when.
    given: BTreeMap<NodeId, (Instant, u32)>,
}

impl Publishing {
    /// What an earlier run has kept. It was checked then.
    pub fn restore(&mut self, question: Digest, proof: &Proof, publication: Publication) {
        let held = Held {
            asker: proof.plan.plan.asker,
            closed_at: proof.evidence.set.at,
            publication,
        };
        self.held.insert(question, held);
    }

    /// The questions whose published answers are kept.
    pub fn held(&self) -> impl Iterator<Item = Digest> {
        self.held.keys().copied()
    }

    /// What has to go so that there is room: the oldest of an asker with too many, else the oldest of all, what `own` has
    /// published last.
    fn surplus(&self, own: NodeId) -> Option<Digest> {
        let of = |asker| {
            self.held
                .values()
                .filter(move |held| held.asker == asker)
                .count()
        };
        let bytes: usize = self
            .held
            .values()
            .map(|held| held.publication.proof.len())
            .sum();
        let is_full = self.held.len() > PUBLISHED_MAX || bytes > HELD_BYTES_MAX;
        let goes = self
            .held
            .iter()
            .filter(|(_, held)| is_full || of(held.asker) > OF_ONE_ASKER_MAX);
        let first = goes.min_by_key(|(_, held)| {
            let within = of(held.asker) <= OF_ONE_ASKER_MAX;
            (within, held.asker == own, held.closed_at)
        });
        first.map(|(question, _)| *question)
    }

    fn distrust(&mut self, now: Instant, node: NodeId) {
        self.wanted.retain(|_, from| *from != node);
        self.distrusted.retain(|_, until| now < *until);
        if self.distrusted.len() < REMEMBERED_MAX {
            self.distrusted.insert(node, now + DISTRUSTED_FOR);
        }
    }

    /// Whether this node may be given another one. Counts it.
    fn may_give(&mut self, now: Instant, to: NodeId) -> bool {
        self.given.retain(|_, (since, _)| now < *since + HOUR);
        if !self.given.contains_key(&to) && self.given.len() >= REMEMBERED_MAX {
            return false;
        }
        let (_, count) = self.given.entry(to).or_insert((now, 0));
        *count += 1;
        *count <= GIVEN_MAX
    }
}

impl Node {
    /// The owner shows the answer to an own question to everybody.
    pub(crate) fn publish(
        &mut self,
        now: Instant,
        question: Digest,
        proof: Vec<u8>,
        out: &mut Outbox<Self>,
    ) {
        let publication = Publication::new(&self.identity.key, proof);
        match self.check_published(question, &publication) {
            Ok(verified) if verified.asker != self.own() => {
                out.emit(Event::NotPublished(question, PublishError::NotTheAsker));
            }
            Ok(verified) => {
                self.hold(now, publication, verified, out);
                for node in self.others() {
                    out.send(node, Message::Published(vec![question]));
                }
            }
            // Signed by us, it is another's.
            Err(PublishError::Signature) => {
                out.emit(Event::NotPublished(question, PublishError::NotTheAsker));
            }
            Err(why) => out.emit(Event::NotPublished(question, why)),
        }
    }

    /// A node says which answers it could give.
    pub(crate) fn on_published(
        &mut self,
        now: Instant,
        from: NodeId,
        offered: &[Digest],
        out: &mut Outbox<Self>,
    ) {
        let publishing = &mut self.publishing;
        if publishing
            .distrusted
            .get(&from)
            .is_some_and(|until| now < *until)
        {
            return;
        }
        let of_it = publishing.wanted.values().filter(|node| **node == from);
        let room = PUBLISHED_MAX.saturating_sub(of_it.count());
        for question in offered.iter().take(room) {
            let is_known =
                publishing.held.contains_key(question) || publishing.let_go.contains(question);
            if !is_known && publishing.wanted.len() < WANTED_MAX {
                publishing.wanted.entry(*question).or_insert(from);
            }
        }
        self.fetch_next(now, out);
    }

    /// A node wants an answer.
    pub(crate) fn on_fetch(
        &mut self,
        now: Instant,
        from: NodeId,
        question: Digest,
        out: &mut Outbox<Self>,
    ) {
        if self.publishing.held.contains_key(&question) && self.publishing.may_give(now, from) {
            let publication = self.publishing.held[&question].publication.clone();
            out.send(from, Message::Publication(Box::new(publication)));
        }
    }

    /// An answer has come.
    pub(crate) fn on_publication(
        &mut self,
        now: Instant,
        from: NodeId,
        publication: Publication,
        out: &mut Outbox<Self>,
    ) {
        // Too late, or never asked for.
        let Some(fetch) = self.publishing.fetch.filter(|fetch| fetch.from == from) else {
            return;
        };
        self.publishing.fetch = None;
        match self.check_published(fetch.question, &publication) {
            Ok(verified) => self.hold(now, publication, verified, out),
            Err(why) => {
                self.publishing.distrust(now, from);
                // One of us has not heard of the latest descriptor.
                if why != PublishError::OtherDescriptor {
                    let what = format!("a published answer that does not hold: {why}");
                    Self::misbehaved(from, what, out);
                }
            }
        }
        self.fetch_next(now, out);
    }

    /// Whether what was asked for has come in time. Silence is no fault, but others may have what a silent node has offered.
    pub(crate) fn fetch_timer(&mut self, now: Instant, out: &mut Outbox<Self>) {
        let late = self.publishing.fetch.filter(|fetch| now >= fetch.until);
        let Some(fetch) = late else {
            return;
        };
        if fetch.tries < FETCH_TRIES {
            self.fetch(now, fetch.question, fetch.from, fetch.tries + 1, out);
        } else {
            self.publishing.fetch = None;
            self.publishing.distrust(now, fetch.from);
            self.fetch_next(now, out);
        }
    }

    /// Offers what is kept to a node that may have been away.
    pub(crate) fn offer_published(&self, node: NodeId, out: &mut Outbox<Self>) {
        let held: Vec<_> = self.publishing.held().collect();
        if !held.is_empty() {
            out.send(node, Message::Published(held));
        }
    }

    /// Offers to all what this node has published itself: perhaps it knew nobody then.
    pub(crate) fn offer_own(&self, out: &mut Outbox<Self>) {
        let own = self.own();
        let held = self.publishing.held.iter();
        let published = held.filter(|(_, held)| held.asker == own);
        let published: Vec<_> = published.map(|(question, _)| *question).collect();
        if !published.is_empty() {
            for node in self.others() {
                out.send(node, Message::Published(published.clone()));
            }
        }
    }

    /// Where not everybody is known, whoever has an answer offers it to its neighbours and to those far away whom it knows:
    /// so it comes round the ring.
    fn offer_onwards(&self, question: Digest, out: &mut Outbox<Self>) {
        if self.overlay.view().is_whole() {
            return;
        }
        for node in self.around() {
            out.send(node, Message::Published(vec![question]));
        }
    }

    fn fetch_next(&mut self, now: Instant, out: &mut Outbox<Self>) {
        if self.publishing.fetch.is_some() {
            return;
        }
        if let Some((question, from)) = self.publishing.wanted.pop_first() {
            self.fetch(now, question, from, 1, out);
        }
    }

    fn fetch(
        &mut self,
        now: Instant,
        question: Digest,
        from: NodeId,
        tries: u32,
        out: &mut Outbox<Self>,
    ) {
        let until = now + FETCHED_WITHIN;
        self.publishing.fetch = Some(Fetch {
            question,
            from,
            until,
            tries,
        });
        out.send(from, Message::Fetch(question));
        out.wake(until, Timer::Fetch);
    }

    fn check_published(
        &self,
        question: Digest,
        publication: &Publication,
    ) -> Result<Verified, PublishError> {
        let bytes = publication.proof();
        if bytes.len() > PUBLISHED_BYTES_MAX {
            return Err(PublishError::TooLong(bytes.len()));
        }
        let proof: Proof = decode(bytes, PUBLISHED_BYTES_MAX).map_err(|_| PublishError::Bytes)?;
        let plan = &proof.plan.plan;
        if plan.digest() != question {
            return Err(PublishError::OtherQuestion);
        }
        verify(plan.asker, DOMAIN, bytes, &publication.signature)
            .map_err(|_| PublishError::Signature)?;
        Ok(proof.verify(&self.rules)?)
    }

    /// Keeps what was checked, and tells the owner: before the disk, so that a crash in between only means to fetch it again.
    fn hold(
        &mut self,
        now: Instant,
        publication: Publication,
        verified: Verified,
        out: &mut Outbox<Self>,
    ) {
        let question = verified.question;
        let stored = value(&publication);
        let held = Held {
            asker: verified.asker,
            closed_at: verified.closed_at,
            publication: publication.clone(),
        };
        self.publishing.held.insert(question, held);
        self.publishing.wanted.remove(&question);
        out.emit(Event::Published(Box::new(Published {
            verified,
            proof: publication.proof.into(),
        })));
        self.store(now, Entry::Published(question), stored, out);
        self.offer_onwards(question, out);
        let own = self.own();
        while let Some(surplus) = self.publishing.surplus(own) {
            self.publishing.held.remove(&surplus);
            if self.publishing.let_go.len() >= REMEMBERED_MAX {
                self.publishing.let_go.clear();
            }
            self.publishing.let_go.insert(surplus);
            out.emit(Event::Forget {
                key: Journal::key_of_published(surplus),
            });
        }
    }
}

#[cfg(test)]
mod tests;
