//! A record: a few bytes that their owner signs, found by anybody under a name.

use base::{Digest, Duration, Instant, Location, NodeId, encode};
use community::{Descriptor, ISSUED_AHEAD_MAX, check_certificate};
use crypto::{Certificate, Signature, SigningKey, verify};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::spreading::breach::SpreadingBreach;

/// Longest key of a record, in bytes.
pub const KEY_MAX: usize = 64;
/// Longest value of a record, in bytes.
pub const VALUE_MAX: usize = 1 << 10;
/// Longest time from a record's issue to its end. Guess: who still means it says so again.
pub const LIFE_MAX: Duration = Duration::from_secs(30 * 86400);

const DOMAIN: &str = "record";

/// Whose word a record is.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Owner {
    /// A member's, by its certificate.
    #[n(0)]
    Member(#[n(0)] Certificate),
    /// The community's authority's.
    #[n(1)]
    Authority(#[n(0)] NodeId),
}

impl Owner {
    /// The key that signs.
    pub fn node(&self) -> NodeId {
        match self {
            Self::Member(certificate) => certificate.node(),
            Self::Authority(node) => *node,
        }
    }
}

/// What an owner says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Names it among the owner's records: at most [`KEY_MAX`] bytes.
    pub key: &'a [u8],
    /// At most [`VALUE_MAX`] bytes.
    pub value: &'a [u8],
    /// A later record under the same key replaces an earlier one.
    pub issued: Instant,
    /// Vanishes then: at most [`LIFE_MAX`] later.
    pub expires: Instant,
}

/// A small, signed, expiring word, kept by the nodes nearest to its place.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Record {
    #[n(0)]
    owner: Owner,
    #[n(1)]
    key: ByteVec,
    #[n(2)]
    value: ByteVec,
    #[n(3)]
    issued: Instant,
    #[n(4)]
    expires: Instant,
    #[n(5)]
    signature: Signature,
}

impl Record {
    /// What the owner, whose key this is, says in a community.
    pub fn new(owner: Owner, key: &SigningKey, community: &Digest, entry: Entry<'_>) -> Self {
        let mut record = Self {
            owner,
            key: entry.key.to_vec().into(),
            value: entry.value.to_vec().into(),
            issued: entry.issued,
            expires: entry.expires,
            signature: Signature([0; 64]),
        };
        record.signature = key.sign(DOMAIN, &record.signed_bytes(community));
        record
    }

    /// Where the record of this owner under this key is kept.
    pub fn location_of(community: &Digest, owner: NodeId, key: &[u8]) -> Location {
        let parts = [&community.0[..], owner.as_bytes(), key];
        Location::of(&Digest::of(DOMAIN, &parts))
    }

    /// Where it is kept.
    pub fn location(&self, community: &Digest) -> Location {
        Self::location_of(community, self.owner.node(), &self.key)
    }

    /// Whose word it is.
    pub fn owner(&self) -> &Owner {
        &self.owner
    }

    /// Its name among its owner's records.
    pub fn key(&self) -> &[u8] {
        &self.key
    }

    /// What it says.
    pub fn value(&self) -> &[u8] {
        &self.value
    }

    /// When it was said.
    pub fn issued(&self) -> Instant {
        self.issued
    }

    /// When it vanishes.
    pub fn expires(&self) -> Instant {
        self.expires
    }

    /// Whether both are one owner's under one key.
    pub fn is_of_same_name(&self, other: &Self) -> bool {
        self.owner.node() == other.owner.node() && self.key == other.key
    }

    /// Whether this is the later word. Of two from one moment the one with the greater digest counts as the later, so that
    /// all who know both keep the same.
    pub fn is_later_than(&self, other: &Self) -> bool {
        let order = self.issued.cmp(&other.issued);
        order.is_gt() || (order.is_eq() && self.digest() > other.digest())
    }

    fn digest(&self) -> Digest {
        Digest::of(DOMAIN, &[&encode(self)])
    }

    /// Checks everything, from the cheapest check on: two signature checks at most.
    ///
    /// Clocks may be off by [`ISSUED_AHEAD_MAX`], so that a keeper whose clock is late is not blamed for passing on what
    /// has just expired.
    ///
    /// # Errors
    ///
    /// What the node that sent it did wrong.
    pub fn verify(&self, descriptor: &Descriptor, now: Instant) -> Result<(), SpreadingBreach> {
        if self.key.len() > KEY_MAX {
            return Err(SpreadingBreach::KeyTooLong);
        }
        if self.value.len() > VALUE_MAX {
            return Err(SpreadingBreach::ValueTooLong);
        }
        if self.expires <= self.issued || self.expires > self.issued + LIFE_MAX {
            return Err(SpreadingBreach::Lifetime);
        }
        if self.issued > now + ISSUED_AHEAD_MAX {
            return Err(SpreadingBreach::FromTheFuture);
        }
        if now > self.expires + ISSUED_AHEAD_MAX {
            return Err(SpreadingBreach::Expired);
        }
        match &self.owner {
            Owner::Member(certificate) => check_certificate(certificate, descriptor, now)?,
            Owner::Authority(node) if *node == descriptor.authority => {}
            Owner::Authority(_) => return Err(SpreadingBreach::NotTheAuthority),
        }
        let bytes = self.signed_bytes(&descriptor.community);
        verify(self.owner.node(), DOMAIN, &bytes, &self.signature)
            .map_err(|_| SpreadingBreach::Signature)
    }

    fn signed_bytes(&self, community: &Digest) -> Vec<u8> {
        let Self {
            owner,
            key,
            value,
            issued,
            expires,
            ..
        } = self;
        encode(&(community, owner, key, value, issued, expires))
    }
}

#[cfg(test)]
impl Record {
    /// The same with a bad signature.
    pub(crate) fn forged(mut self) -> Self {
        self.signature.0[9] ^= 1;
        self
    }
}
