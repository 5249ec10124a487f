//! What every role of a draw needs: who we are, the rules, whom we know, which questions are open.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Digest, Duration, Instant, Location, NodeId};
use community::{Contact, Identity};
use overlay::NodeCache;

use crate::fault::Refusal;
use crate::rules::Rules;

/// How long a witness waits for a node that is said to be away. Guess: several round trips.
pub const PROBE: Duration = Duration::from_millis(700);
/// How long T and S wait for one step of their witnesses, probing included.
pub const STEP: Duration = Duration::from_millis(2000);
/// How long T waits for S, which may have to replace builders.
pub const SETTER: Duration = Duration::from_millis(7000);
/// Most questions remembered as announced; the oldest goes first.
const ANNOUNCED_MAX: usize = 1024;

/// A question that this node has heard of: it witnesses draws for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Announced {
    /// Who asks.
    pub trigger: NodeId,
    /// Seats of its plan.
    pub seats: u32,
    /// End of its consent phase.
    pub opens_at: Instant,
}

/// Shared by the roles of one node.
pub struct Context {
    /// Our keys.
    pub identity: Arc<Identity>,
    /// The community's rules.
    pub rules: Rules,
    /// Whom we know.
    pub cache: NodeCache,
    announced: BTreeMap<Digest, Announced>,
}

impl Context {
    /// A node that knows nobody.
    pub fn new(identity: Arc<Identity>, rules: Rules) -> Self {
        Self {
            identity,
            rules,
            cache: NodeCache::new(),
            announced: BTreeMap::new(),
        }
    }

    /// Our own name.
    pub fn own(&self) -> NodeId {
        self.identity.node()
    }

    /// Remembers an announced question.
    pub fn announce(&mut self, digest: Digest, announced: Announced) {
        if self.announced.len() >= ANNOUNCED_MAX {
            let oldest = self
                .announced
                .iter()
                .min_by_key(|(_, entry)| entry.opens_at);
            let oldest = oldest.map(|(digest, _)| *digest);
            oldest.map(|digest| self.announced.remove(&digest));
        }
        self.announced.insert(digest, announced);
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

    /// The k nodes around `centre` that must witness, given those that cannot.
    pub fn witnesses(
        &self,
        centre: Location,
        excluded: &[NodeId],
        skipped: &[NodeId],
    ) -> Option<Vec<Arc<Contact>>> {
        let keep = |node| !excluded.contains(&node) && !skipped.contains(&node);
        self.rules.legitimate(&self.cache, centre, keep)
    }

    /// Checks that `chosen` are the nodes that we would have chosen, so that nobody picks a subset.
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
        if let Some(unknown) = chosen.iter().find(|node| !self.cache.contains(**node)) {
            return Err(Refusal::Unknown(*unknown));
        }
        let expected = self
            .witnesses(centre, excluded, skipped)
            .ok_or(Refusal::Invalid)?;
        let missing = expected
            .iter()
            .find(|contact| !chosen.contains(&contact.node()));
        match missing {
            Some(contact) => Err(Refusal::Nearer(Box::new((**contact).clone()))),
            None if expected.len() == chosen.len() => Ok(()),
            None => Err(Refusal::Invalid),
        }
    }
}

/// The names of some contacts, in their order.
pub fn names(contacts: &[Arc<Contact>]) -> Vec<NodeId> {
    contacts.iter().map(|contact| contact.node()).collect()
}
