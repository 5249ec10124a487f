//! What every role of a draw needs: who we are, the rules, whom we know, which questions are open.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Digest, Duration, Instant, Location, NodeId, Outbox};
use community::{Contact, Identity};
use overlay::NodeCache;

use crate::fault::Refusal;
use crate::message::{Message, SetterRequest};
use crate::protocol::{Event, Selection};
use crate::rules::Rules;

/// How long a witness waits for a node that is said to be away. Guess: several round trips.
pub const PROBE: Duration = Duration::from_millis(700);
/// How long T and S wait for one step of their witnesses, probing included.
pub const STEP: Duration = Duration::from_millis(2000);
/// How long T waits for S, which may have to replace builders.
pub const SETTER: Duration = Duration::from_millis(7000);
/// Most questions remembered as announced; the oldest goes first.
pub const ANNOUNCED_MAX: usize = 1024;

/// A question that this node has heard of: it witnesses draws for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// Who asks.
    pub trigger: NodeId,
    /// Seats of each of its committees.
    pub seats: u32,
    /// Committees of its plan.
    pub committees: u32,
    /// End of its consent phase.
    pub opens_at: Instant,
}

/// Shared by the roles of one node.
pub struct Context {
    /// Our keys.
    pub identity: Arc<Identity>,
    /// The community's rules.
    pub rules: Rules,
    /// Whom we know: certificates in force only.
    pub cache: NodeCache,
    /// No certificate in the cache ends before.
    expiry: Instant,
    announced: BTreeMap<Digest, Announced>,
}

impl Context {
    /// A node that knows nobody.
    #[cfg(test)]
    pub fn new(identity: Arc<Identity>, rules: Rules) -> Self {
        Self::knowing(identity, rules, NodeCache::new())
    }

    /// A node that knows these.
    pub fn knowing(identity: Arc<Identity>, rules: Rules, cache: NodeCache) -> Self {
        let ends = cache
            .iter()
            .map(|contact| contact.certificate().valid_until());
        Self {
            identity,
            rules,
            expiry: ends.min().unwrap_or(Instant(u64::MAX)),
            cache,
            announced: BTreeMap::new(),
        }
    }

    /// Our own name.
    pub fn own(&self) -> NodeId {
        self.identity.node()
    }

    /// Takes a checked contact, unless its certificate is revoked.
    pub fn know(&mut self, contact: Arc<Contact>) {
        let descriptor = self.rules.community().descriptor();
        if !descriptor.is_revoked(contact.node()) {
            self.expiry = self.expiry.min(contact.certificate().valid_until());
            self.cache.insert(contact);
        }
    }

    /// Forgets a node, but never ourselves.
    pub fn forget_node(&mut self, node: NodeId) {
        if node != self.own() {
            self.cache.remove(node);
        }
    }

    /// Forgets whose certificates have ended: else a node that no verifier accepts would be the nearest for ever.
    pub fn forget(&mut self, now: Instant) {
        if now <= self.expiry {
            return;
        }
        let ends = |contact: &Contact| contact.certificate().valid_until();
        self.cache.retain(|contact| now <= ends(contact));
        let first = self.cache.iter().map(|contact| ends(contact)).min();
        self.expiry = first.unwrap_or(Instant(u64::MAX));
    }

    /// A peer told of a contact that we may lack: passes it on when it holds.
    pub fn hear(&self, now: Instant, from: NodeId, contact: Contact, out: &mut Outbox<Selection>) {
        if !self.cache.is_news(&contact) {
            return;
        }
        match contact.verify(self.rules.community().descriptor(), now) {
            Ok(()) => out.emit(Event::Heard(Box::new(contact))),
            Err(why) => out.emit(Event::Misbehaved {
                node: from,
                what: why.into(),
            }),
        }
    }

    /// Tells `to` of a node that it did not know, if we do.
    pub fn introduce(&self, to: NodeId, node: NodeId, out: &mut Outbox<Selection>) {
        if let Some(contact) = self.cache.get(node) {
            out.send(to, Message::Introduce(Box::new((**contact).clone())));
        }
    }

    /// Remembers an announced question.
    pub fn announce(&mut self, digest: Digest, announced: Announced) {
        let known = self.announced.contains_key(&digest);
        if !known && self.announced.len() >= ANNOUNCED_MAX {
            let questions = self.announced.iter();
            let oldest = questions.min_by_key(|(_, entry)| entry.opens_at);
            let oldest = oldest.map(|(digest, _)| *digest);
            oldest.map(|digest| self.announced.remove(&digest));
        }
        self.announced.insert(digest, announced);
    }

    /// How many questions are remembered.
    #[cfg(test)]
    pub fn announced(&self) -> usize {
        self.announced.len()
    }

    /// The announced question that a draw may be made for now.
    ///
    /// # Errors
    ///
    /// Unknown, of another trigger, or still open for consent.
    pub fn open_question(
        &self,
        now: Instant,
        digest: Digest,
        trigger: NodeId,
    ) -> Result<Announced, Refusal> {
        match self.announced.get(&digest) {
            None => Err(Refusal::NotAnnounced),
            Some(question) if question.trigger != trigger => Err(Refusal::Invalid),
            Some(question) if now < question.opens_at => Err(Refusal::TooEarly),
            Some(question) => Ok(*question),
        }
    }

    /// Checks a request to set a draw up that `from` sends or passes on: its question is open and asks for this, it holds, and
    /// `setter` is the node nearest to its point. Gives RND_T.
    ///
    /// # Errors
    ///
    /// The first check that fails; `from` is blamed for evidence that does not hold.
    pub fn check_setting(
        &self,
        now: Instant,
        from: NodeId,
        setter: NodeId,
        request: &SetterRequest,
        out: &mut Outbox<Selection>,
    ) -> Result<Digest, Refusal> {
        let draw = request.random.draw;
        let question = self.open_question(now, draw.digest, draw.trigger)?;
        if (question.seats, question.committees) != (request.seats, request.site.committees) {
            return Err(Refusal::Invalid);
        }
        self.check_here(&request.skipped)?;
        let random = request.verify(&self.rules, now).map_err(|what| {
            out.emit(Event::Misbehaved { node: from, what });
            Refusal::Invalid
        })?;
        let nearest = self.setter(request.site.point(&random), draw.trigger, &request.skipped);
        let nearest = nearest.ok_or(Refusal::Invalid)?;
        if nearest.node() == setter {
            Ok(random)
        } else {
            Err(Refusal::Nearer(Box::new((**nearest).clone())))
        }
    }

    /// Who may get a seat around `point` in a draw of `trigger` with so many committees, ascending.
    pub fn candidates(&self, trigger: NodeId, point: Location, committees: u32) -> Vec<NodeId> {
        let region = self.rules.candidates(point, committees);
        let nodes = self.cache.inside(&region).map(|contact| contact.node());
        let mut candidates: Vec<_> = nodes.filter(|node| *node != trigger).collect();
        candidates.sort_unstable();
        candidates
    }

    /// The setter of a draw: the node nearest to its point, given those that are away.
    pub fn setter(
        &self,
        point: Location,
        trigger: NodeId,
        skipped: &[NodeId],
    ) -> Option<&Arc<Contact>> {
        let keep = |node| node != trigger && !skipped.contains(&node);
        self.cache.nearest(point, keep)
    }

    /// Whether our cache holds everyone who can be the setter at `point`.
    pub fn oversees(&self, point: Location) -> bool {
        let own = self.identity.certificate.location();
        self.rules.overseen(own).contains(point)
    }

    /// The k nodes around `centre` that must witness, nearest first, given those that cannot.
    pub fn witnesses(
        &self,
        centre: Location,
        excluded: &[NodeId],
        skipped: &[NodeId],
    ) -> Option<Vec<Arc<Contact>>> {
        let keep = |node| !excluded.contains(&node) && !skipped.contains(&node);
        self.rules.legitimate(&self.cache, centre, keep)
    }

    /// Checks that we are asked with exactly the nodes that we would have chosen, in their order: nobody picks a subset,
    /// and nobody picks an order, of which the drawn random is a function.
    ///
    /// # Errors
    ///
    /// Names a nearer node that was left out, or one that we do not know.
    pub fn check_witnesses(
        &self,
        centre: Location,
        chosen: &[NodeId],
        excluded: &[NodeId],
        skipped: &[NodeId],
    ) -> Result<(), Refusal> {
        self.check_here(skipped)?;
        let unknown = chosen.iter().find(|node| !self.cache.contains(**node));
        if let Some(unknown) = unknown {
            return Err(Refusal::Unknown(*unknown));
        }
        let expected = self.witnesses(centre, excluded, skipped);
        let expected = expected.ok_or(Refusal::Invalid)?;
        let missing = expected
            .iter()
            .find(|contact| !chosen.contains(&contact.node()));
        if let Some(contact) = missing {
            return Err(Refusal::Nearer(Box::new((**contact).clone())));
        }
        if names(&expected) == chosen && chosen.contains(&self.own()) {
            Ok(())
        } else {
            Err(Refusal::Invalid)
        }
    }

    /// Checks that we are not said to be away ourselves.
    ///
    /// # Errors
    ///
    /// [`Refusal::SkippedIsAlive`].
    pub fn check_here(&self, skipped: &[NodeId]) -> Result<(), Refusal> {
        if skipped.contains(&self.own()) {
            Err(Refusal::SkippedIsAlive(self.own()))
        } else {
            Ok(())
        }
    }
}

/// The names of some contacts, in their order.
pub fn names(contacts: &[Arc<Contact>]) -> Vec<NodeId> {
    contacts.iter().map(|contact| contact.node()).collect()
}
