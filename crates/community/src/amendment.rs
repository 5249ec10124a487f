//! How a community changes: one descriptor follows another.
//!
//! Every member sees every epoch: a descriptor is accepted by who knows the one before it and by nobody else, so that no
//! member can be shown a history of its own without somebody's noticing. An authority that signs two descriptors of one
//! epoch has contradicted itself, and both together show it.

use base::NodeId;
use crypto::SigningKey;
use thiserror::Error;

use crate::{Community, Descriptor, DescriptorError, SignedDescriptor, Succession};

/// Why a descriptor does not follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AmendmentError {
    /// It does not hold by itself.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// Of somebody else's community.
    #[error("the descriptor is another community's")]
    AnotherCommunity,
    /// Older than what is known, the same, or some are missing in between.
    #[error("the descriptor is of epoch {offered}, but the next one is {}; get those in between first", known + 1)]
    NotNext {
        /// The epoch that is known.
        known: u64,
        /// The epoch that is offered.
        offered: u64,
    },
    /// The authority signed two different descriptors of this epoch: keep both, they are evidence.
    #[error("there are two different descriptors of epoch {0}: the authority contradicts itself")]
    Contradiction(u64),
    /// Signed by a key for which the known authority does not vouch.
    #[error("the descriptor's authority is not the known one, nor vouched for by it")]
    NotVouchedFor,
    /// The key that should sign is not the authority's.
    #[error("this key is not the authority's")]
    NotTheAuthority,
    /// Revoked, or listed as an issuer, before.
    #[error("the key is on the list already")]
    AlreadyListed,
    /// Nothing to take away.
    #[error("the key is not on the list")]
    NotListed,
}

/// What becomes of an authority's old key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// Certificates that it issued hold until they expire: it stays on the list of those who may issue. Whoever finds
    /// the key can mint certificates, but none that are in the log; so erase it.
    StillCounts,
    /// Somebody else may have it: no certificate that it issued holds any longer, and all must be renewed.
    Distrusted,
}

impl Community {
    /// The community after `signed`, if that is the next descriptor of the same community under the same authority, or
    /// under a new key for which the known one vouches.
    ///
    /// # Errors
    ///
    /// See [`AmendmentError`].
    pub fn succeed(&self, signed: SignedDescriptor) -> Result<Self, AmendmentError> {
        let next = Self::open(signed)?;
        let (known, offered) = (self.descriptor(), next.descriptor());
        if known.community != offered.community {
            return Err(AmendmentError::AnotherCommunity);
        }
        if offered.epoch == known.epoch && next.digest() != self.digest() {
            return Err(AmendmentError::Contradiction(known.epoch));
        }
        if Some(offered.epoch) != known.epoch.checked_add(1) {
            return Err(AmendmentError::NotNext {
                known: known.epoch,
                offered: offered.epoch,
            });
        }
        // A key that was replaced long ago may be in anybody's hands: what it vouches for now is worth nothing.
        let more = next
            .signed()
            .successions()
            .strip_prefix(self.signed().successions());
        match more {
            Some([]) => {}
            Some([one]) if one.epoch == offered.epoch => {}
            _ => return Err(AmendmentError::NotVouchedFor),
        }
        Ok(next)
    }

    /// The next epoch, changed by `change` and signed by the authority.
    ///
    /// # Errors
    ///
    /// When `authority` is not the authority's key, or the result is no descriptor of this community.
    pub fn amend(
        &self,
        authority: &SigningKey,
        change: impl FnOnce(&mut Descriptor),
    ) -> Result<Self, AmendmentError> {
        if authority.node() != self.descriptor().authority {
            return Err(AmendmentError::NotTheAuthority);
        }
        let mut next = self.next();
        change(&mut next);
        let successions = self.signed().successions().to_vec();
        self.succeed(SignedDescriptor::sign_after(successions, &next, authority)?)
    }

    /// Revokes a node's certificates, present and future.
    ///
    /// # Errors
    ///
    /// As [`amend`](Self::amend), and when it is revoked already.
    pub fn revoke(&self, authority: &SigningKey, node: NodeId) -> Result<Self, AmendmentError> {
        let Err(place) = self.descriptor().revoked.binary_search(&node) else {
            return Err(AmendmentError::AlreadyListed);
        };
        self.amend(authority, |next| next.revoked.insert(place, node))
    }

    /// Lets a key issue certificates.
    ///
    /// # Errors
    ///
    /// As [`amend`](Self::amend), and when it may already.
    pub fn list_issuer(&self, authority: &SigningKey, key: NodeId) -> Result<Self, AmendmentError> {
        if self.descriptor().issuers().contains(&key) {
            return Err(AmendmentError::AlreadyListed);
        }
        self.amend(authority, |next| next.enrolment.push(key))
    }

    /// Lets a key issue certificates no longer; those that it has issued hold no longer.
    ///
    /// # Errors
    ///
    /// As [`amend`](Self::amend), and when it is not listed.
    pub fn unlist_issuer(
        &self,
        authority: &SigningKey,
        key: NodeId,
    ) -> Result<Self, AmendmentError> {
        if !self.descriptor().enrolment.contains(&key) {
            return Err(AmendmentError::NotListed);
        }
        self.amend(authority, |next| {
            next.enrolment.retain(|listed| *listed != key)
        })
    }

    /// Hands the community to a new key, for which the old one vouches.
    ///
    /// # Errors
    ///
    /// As [`amend`](Self::amend), for the old key.
    pub fn rotate(
        &self,
        old: &SigningKey,
        new: &SigningKey,
        retired: Retired,
    ) -> Result<Self, AmendmentError> {
        if old.node() != self.descriptor().authority {
            return Err(AmendmentError::NotTheAuthority);
        }
        if old.node() == new.node() {
            return Err(AmendmentError::AlreadyListed);
        }
        let mut next = self.next();
        next.authority = new.node();
        next.enrolment.retain(|key| *key != new.node());
        if retired == Retired::StillCounts {
            next.enrolment.push(old.node());
        }
        let mut successions = self.signed().successions().to_vec();
        successions.push(Succession::new(
            &next.community,
            next.epoch,
            old,
            new.node(),
        ));
        self.succeed(SignedDescriptor::sign_after(successions, &next, new)?)
    }

    fn next(&self) -> Descriptor {
        let mut next = self.descriptor().clone();
        next.epoch = next.epoch.saturating_add(1);
        next
    }
}
