//! What replicas say to each other.

use base::{Digest, NodeId, encode};
use crypto::{Signature, SigningKey};
use minicbor::{Decode, Encode};
use thiserror::Error;

#[cfg(not(test))]
use crypto::verify;

use super::certificate::{CertificateError, QuorumCertificate};
#[cfg(test)]
use super::tests::verify_once as verify;

/// From one replica to another.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Message {
    /// Leader to all: vote for this value in this view.
    #[n(0)]
    Proposal {
        /// The view.
        #[n(0)]
        view: u64,
        /// What is to be agreed on.
        #[cbor(n(1), with = "minicbor::bytes")]
        value: Vec<u8>,
        /// Why this value may be proposed in this view: present exactly in views after the first.
        #[n(2)]
        justification: Option<Justification>,
    },
    /// Replica to all: its prevote.
    #[n(1)]
    Prevote(#[n(0)] Vote),
    /// Replica to all: its commit vote.
    #[n(3)]
    Commit(#[n(0)] Vote),
    /// Replica to all: it has left all earlier views.
    #[n(4)]
    NewView {
        /// The signed statement.
        #[n(0)]
        statement: NewView,
        /// To the leader of the new view only: the value and certificate that prove the claim, or later ones.
        #[n(1)]
        lock: Option<Lock>,
    },
    /// To one who is late: it is settled.
    #[n(5)]
    Decided(#[n(0)] Decision),
}

/// A signed vote, of the phase that its message names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Vote {
    /// The view.
    #[n(0)]
    pub view: u64,
    /// Name of the value.
    #[n(1)]
    pub value: Digest,
    /// Over instance, view and value.
    #[n(2)]
    pub signature: Signature,
}

/// A value that a quorum prevoted: it may have been decided, so it is carried from view to view.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Lock {
    /// The value.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub value: Vec<u8>,
    /// A quorum of prevotes for it.
    #[n(1)]
    pub certificate: QuorumCertificate,
}

/// A value with the quorum of commit votes that makes it final.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Decision {
    /// The value.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub value: Vec<u8>,
    /// A quorum of commit votes for it.
    #[n(1)]
    pub certificate: QuorumCertificate,
}

/// The view and name of a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Claim {
    /// The view of the prevotes.
    #[n(0)]
    pub view: u64,
    /// Name of the value.
    #[n(1)]
    pub value: Digest,
}

/// A replica's signed statement that it will not vote in any view before `view`, and what it was locked on by then.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NewView {
    /// The view that it moves to; at least 1.
    #[n(0)]
    pub view: u64,
    /// Its highest lock, if it has any; always of an earlier view.
    #[n(1)]
    pub claim: Option<Claim>,
    /// Over instance, view and claim.
    #[n(2)]
    pub signature: Signature,
}

impl NewView {
    const DOMAIN: &'static str = "commonhold agreement new view";

    pub(super) fn sign(
        key: &SigningKey,
        instance: Digest,
        view: u64,
        claim: Option<Claim>,
    ) -> Self {
        let body = NewViewBody {
            instance,
            view,
            claim,
        };
        Self {
            view,
            claim,
            signature: key.sign(Self::DOMAIN, &encode(&body)),
        }
    }

    /// Checks that `node` made this statement and that it can be true.
    pub(super) fn check(&self, node: NodeId, instance: Digest) -> Result<(), Misbehaviour> {
        if self.view == 0 || self.claim.is_some_and(|claim| claim.view >= self.view) {
            return Err(Misbehaviour::ImpossibleClaim);
        }
        let body = NewViewBody {
            instance,
            view: self.view,
            claim: self.claim,
        };
        verify(node, Self::DOMAIN, &encode(&body), &self.signature)
            .map_err(|_| Misbehaviour::Signature)
    }
}

/// What the signature of a [`NewView`] covers.
#[derive(Encode)]
#[cbor(map)]
struct NewViewBody {
    #[n(0)]
    instance: Digest,
    #[n(1)]
    view: u64,
    #[n(2)]
    claim: Option<Claim>,
}

/// Why a value may be proposed in a view after the first.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Justification {
    /// Seats and their statements for this very view, by ascending seat, exactly as many as the quorum; or none, where all
    /// have heard enough of them themselves.
    #[n(0)]
    pub statements: Vec<(u16, NewView)>,
    /// A quorum of prevotes for the proposed value, in a view no earlier than any that the statements claim. Absent only
    /// when they claim none.
    #[n(1)]
    pub certificate: Option<QuorumCertificate>,
}

/// A message that an honest replica would not have sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Misbehaviour {
    /// The sender has no seat.
    #[error("not a replica of this committee")]
    NotAReplica,
    /// Only the leader of the view sends this.
    #[error("not the leader of the view")]
    NotTheLeader,
    /// The value is longer than agreed.
    #[error("a value of {len} bytes, at most {limit} are accepted")]
    TooLong {
        /// Length of the value.
        len: usize,
        /// The limit.
        limit: usize,
    },
    /// A signature that is not the sender's for this instance, view and value.
    #[error("the signature is not valid for this instance, view and value")]
    Signature,
    /// A certificate that does not prove what it is attached to.
    #[error("certificate refused: {0}")]
    Certificate(CertificateError),
    /// A second value in one view, or a second statement for one view.
    #[error("contradicts what the same replica said in this view")]
    Equivocation,
    /// A vote for a value that this leader did not propose.
    #[error("a vote for a value that was not proposed")]
    UnknownValue,
    /// A claim of a lock in a view that had not ended.
    #[error("claims a lock of a view that is not earlier")]
    ImpossibleClaim,
    /// A claim of a lock without the certificate that proves it.
    #[error("claims a lock without proof")]
    UnprovenClaim,
    /// A proposal without a quorum of statements for its view, or with one in the first view.
    #[error("proposal is not justified by a quorum that moved to its view")]
    Unjustified,
    /// A proposal that passes over a value that may have been decided.
    #[error("proposal passes over the highest lock of its own justification")]
    PassesOverLock,
}

impl From<CertificateError> for Misbehaviour {
    fn from(error: CertificateError) -> Self {
        Self::Certificate(error)
    }
}
