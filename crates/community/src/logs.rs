//! The logs of all issuers together: who is certified, how often, and by whom it was not told.

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Duration, Instant, NodeId};
use crypto::Certificate;
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::{
    Descriptor, ENROLMENT_MAX, Evidence, Head, LOG_BYTES_MAX, Log, LogEntry, LogError,
    SUCCESSIONS_MAX,
};

/// Most logs: one for each issuer that a community can have had.
pub const LOGS_MAX: usize = ENROLMENT_MAX + SUCCESSIONS_MAX + 1;
/// Longest encoding of all logs that is read, in bytes: a few full ones.
pub const LOGS_BYTES_MAX: usize = 4 * LOG_BYTES_MAX;

/// A year, for limits per year.
pub const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// What the logs say of a certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    /// It is logged.
    Logged,
    /// Its issuer's log is not known so far: ask for a longer one. If none ever is, somebody mints.
    NotYetSeen,
    /// It was minted: there is another certificate in its place.
    Minted(Box<Evidence>),
}

/// Why a log was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MergeError {
    /// It does not hold by itself.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Of another community.
    #[error("the log is another community's")]
    AnotherCommunity,
    /// Of somebody who may not issue.
    #[error("the log is of a key that the community does not list")]
    UnknownIssuer,
    /// More issuers than a community can have.
    #[error("more than {LOGS_MAX} logs")]
    TooMany,
    /// Not the log that is known: the issuer keeps two.
    #[error("the issuer keeps two logs; tell the others")]
    Fork(Box<Evidence>),
}

/// All that is known of what a community's issuers have issued.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Logs {
    #[n(0)]
    community: Digest,
    #[n(1)]
    logs: BTreeMap<NodeId, Log>,
}

impl Logs {
    /// Nothing is known.
    pub fn new(community: Digest) -> Self {
        Self {
            community,
            logs: BTreeMap::new(),
        }
    }

    /// Of which community.
    pub fn community(&self) -> Digest {
        self.community
    }

    /// The logs, by issuer.
    pub fn iter(&self) -> impl Iterator<Item = &Log> {
        self.logs.values()
    }

    /// One issuer's.
    pub fn of(&self, issuer: NodeId) -> Option<&Log> {
        self.logs.get(&issuer)
    }

    /// One issuer's, to be added to; empty unless it is known.
    pub(crate) fn own(&mut self, issuer: NodeId) -> &mut Log {
        let community = self.community;
        self.logs
            .entry(issuer)
            .or_insert_with(|| Log::new(community, issuer))
    }

    /// Checks all of them, as read from a file.
    ///
    /// # Errors
    ///
    /// The first that does not hold.
    pub fn verify(&self) -> Result<(), MergeError> {
        if self.logs.len() > LOGS_MAX {
            return Err(MergeError::TooMany);
        }
        for (issuer, log) in &self.logs {
            if log.community() != self.community || log.issuer() != *issuer {
                return Err(MergeError::AnotherCommunity);
            }
            log.verify()?;
        }
        Ok(())
    }

    /// Takes a log that somebody shows, if it holds; whether it is longer than what is known.
    ///
    /// # Errors
    ///
    /// See [`MergeError`]; nothing is changed then.
    pub fn merge(&mut self, log: Log, descriptor: &Descriptor) -> Result<bool, MergeError> {
        if log.community() != self.community {
            return Err(MergeError::AnotherCommunity);
        }
        let known = self.logs.get(&log.issuer());
        // Whoever makes keys can make logs: those of strangers are not kept.
        if known.is_none() && !descriptor.issuers().contains(&log.issuer()) {
            return Err(MergeError::UnknownIssuer);
        }
        if known.is_none() && self.logs.len() >= LOGS_MAX {
            return Err(MergeError::TooMany);
        }
        log.verify()?;
        if let Some(known) = known {
            let (shorter, longer) = match known.entries().len() <= log.entries().len() {
                true => (known, &log),
                false => (&log, known),
            };
            if let Some(fork) = shorter.head().and_then(|head| fork(head, longer)) {
                return Err(MergeError::Fork(Box::new(fork)));
            }
            if longer.entries().len() == known.entries().len() {
                return Ok(false);
            }
        }
        self.logs.insert(log.issuer(), log);
        Ok(true)
    }

    /// Whether a head that somebody shows is of a log that is known; the evidence if its issuer keeps two. Nothing is said
    /// of a head that is of more entries than are known, or not signed.
    pub fn contradiction(&self, head: &Head) -> Option<Evidence> {
        let log = self.logs.get(&head.issuer)?;
        let ours = head.community == self.community && head.verify().is_ok();
        if ours { fork(head, log) } else { None }
    }

    /// Whether a certificate that holds by itself is logged.
    pub fn standing(&self, certificate: &Certificate) -> Standing {
        let log = self.logs.get(&certificate.issuer());
        let found = log.and_then(|log| Some((log.inclusion(certificate.serial())?, *log.head()?)));
        match found {
            None => Standing::NotYetSeen,
            Some(((entry, _), _)) if entry.certificate == *certificate => Standing::Logged,
            Some(((entry, path), head)) => Standing::Minted(Box::new(Evidence::Minted {
                certificate: certificate.clone(),
                logged: Box::new(entry.clone()),
                head,
                path,
            })),
        }
    }

    /// The nodes that have a certificate in force: what N has to be at least.
    pub fn in_force(&self, descriptor: &Descriptor, at: Instant) -> BTreeSet<NodeId> {
        let issuers = descriptor.issuers();
        let certificates = self.entries().map(|entry| &entry.certificate);
        certificates
            .filter(|certificate| {
                issuers.contains(&certificate.issuer())
                    && certificate.valid_from() <= at
                    && at <= certificate.valid_until()
                    && !descriptor.is_revoked(certificate.node())
            })
            .map(Certificate::node)
            .collect()
    }

    /// Nodes that were certified for two places: their issuers let them choose, or did not know of each other.
    pub fn in_two_places(&self) -> BTreeSet<NodeId> {
        let mut places = BTreeMap::new();
        let certificates = self.entries().map(|entry| &entry.certificate);
        certificates
            .filter(|certificate| {
                let first = *places
                    .entry(certificate.node())
                    .or_insert_with(|| certificate.location());
                first != certificate.location()
            })
            .map(Certificate::node)
            .collect()
    }

    /// Nodes in whose place several others were certified, and these: a person is one node, so that whoever certified the
    /// second either did not know of the first or let somebody be two.
    pub fn replaced_twice(&self) -> BTreeMap<NodeId, BTreeSet<NodeId>> {
        let mut followers = BTreeMap::<_, BTreeSet<_>>::new();
        for (old, new) in self.moves() {
            followers.entry(old).or_default().insert(new);
        }
        followers.retain(|_, new| new.len() > 1);
        followers
    }

    /// Who has been certified in the place of `old`, if not `new` itself.
    pub(crate) fn other_follower(&self, old: NodeId, new: NodeId) -> Option<NodeId> {
        let other = |&(replaced, follower): &(NodeId, NodeId)| replaced == old && follower != new;
        self.moves().find(other).map(|(_, follower)| follower)
    }

    /// The node that stands in the place of `old` now, if that was replaced.
    pub(crate) fn last_follower(&self, old: NodeId) -> Option<NodeId> {
        let mut after: BTreeMap<_, _> = self.moves().collect();
        let (mut at, mut last) = (old, None);
        // Taken out, so that a circle ends.
        while let Some(new) = after.remove(&at) {
            (at, last) = (new, Some(new));
        }
        last
    }

    /// Which node was replaced by which.
    fn moves(&self) -> impl Iterator<Item = (NodeId, NodeId)> {
        let entries = self.entries();
        entries.filter_map(|entry| Some((entry.replaces?, entry.certificate.node())))
    }

    /// The certificate that a node was given last.
    pub fn last_of(&self, node: NodeId) -> Option<&LogEntry> {
        let of_node = self
            .entries()
            .filter(|entry| entry.certificate.node() == node);
        of_node.max_by_key(|entry| entry.at)
    }

    /// How often a node was certified after `since`.
    pub fn certified_since(&self, node: NodeId, since: Instant) -> usize {
        let entries = self.entries();
        entries
            .filter(|entry| entry.certificate.node() == node && entry.at > since)
            .count()
    }

    /// How often the person behind `node` has taken new keys after `since`, followed back from node to node.
    pub fn moves_since(&self, node: NodeId, since: Instant) -> usize {
        let mut before = BTreeMap::new();
        for entry in self.entries().filter(|entry| entry.at > since) {
            if let Some(old) = entry.replaces {
                before.insert(entry.certificate.node(), old);
            }
        }
        let (mut at, mut moves) = (node, 0);
        // Taken out, so that a circle ends.
        while let Some(old) = before.remove(&at) {
            (at, moves) = (old, moves + 1);
        }
        moves
    }

    fn entries(&self) -> impl Iterator<Item = &LogEntry> {
        self.logs.values().flat_map(Log::entries)
    }
}

/// The evidence that `head` is not of the log's first entries, if there are as many and it is not.
fn fork(head: &Head, log: &Log) -> Option<Evidence> {
    let root = log.root_of_first(head.size)?;
    if head.size == 0 || root == head.root {
        return None;
    }
    Some(Evidence::Fork {
        shorter: *head,
        longer: *log.head()?,
        root,
        path: log.consistency(head.size),
    })
}
