//! What no honest node does.

use base::NodeId;
use community::ContactError;
use thiserror::Error;

/// A peer's fault: one variant per check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum RingBreach {
    /// The attestation of its cache is older, or more in the future, than is accepted.
    #[error("the attestation of its cache is not recent")]
    StaleAttestation,
    /// A listed place or date is not the contact's.
    #[error("its cache lists a node at a place where the node does not sit, or at another date")]
    WrongEntry,
    /// A listed node is not in the region of the one that lists it, or the list is not in order.
    #[error("its cache lists a node outside of its region, or in the wrong order")]
    OutsideRegion,
    /// It does not list itself.
    #[error("its cache does not list itself")]
    LeavesItselfOut,
    /// One node attested twice.
    #[error("one node attested its cache twice")]
    DuplicateAttester,
    /// An attester is not in the attested list.
    #[error("an attester of its cache is not listed in it")]
    UnlistedAttester,
    /// An attester is not legitimate for its location: too far away for this k.
    #[error("an attester of its cache sits in another region")]
    ForeignAttester,
    /// Fewer attesters than the nodes around it allow.
    #[error("too few nodes attested its cache")]
    TooFewAttesters,
    /// An attester's signature does not cover the list.
    #[error("a signature under its cache does not hold")]
    BadAttestation,
    /// Its attested cache leaves out a node of its region that has been there for long, and answers. Where many messages
    /// are lost, or many nodes come and go, this happens to honest nodes, rarely.
    #[error("its cache hides {0:?}, which is there")]
    Hides(NodeId),
    /// It told of a node by a contact that does not hold.
    #[error("it told of a contact that does not hold: {0}")]
    Contact(#[from] ContactError),
    /// A farewell that the leaving node did not sign.
    #[error("a farewell is not signed by the node that it speaks of")]
    BadFarewell,
}
