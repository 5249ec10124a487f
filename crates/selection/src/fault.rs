//! What a peer can do wrong in a draw, one variant per check.

use base::NodeId;
use community::{Contact, ContactError};
use minicbor::{Decode, Encode};
use thiserror::Error;

/// A breach by a peer, found by checking what it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Misbehaviour {
    /// A certificate in the evidence does not hold.
    #[error("certificate refused: {0}")]
    Certificate(#[from] ContactError),
    /// The k-table has no row for this many signers.
    #[error("no row of the k-table has this many nodes")]
    NoSuchRow,
    /// A signer sits outside the region that makes it legitimate.
    #[error("a signer lies outside the region")]
    NotLegitimate,
    /// Signers are not in order of distance, or one appears twice.
    #[error("signers are not distinct and in order of distance")]
    Order,
    /// A point that is none of this draw's, or without the evidence that led there.
    #[error("not a point of this draw, or no evidence of how it came there")]
    Site,
    /// The trigger or the setter signs for itself.
    #[error("a node signed its own draw")]
    OwnWitness,
    /// A verifiable random value does not prove.
    #[error("a random value's proof does not hold")]
    RandomProof,
    /// A signature does not hold.
    #[error("a signature does not hold")]
    Signature,
    /// Signed too long ago, or in the future.
    #[error("signed too long ago or in the future")]
    Time,
    /// Made for another plan than the one in hand.
    #[error("made for another question")]
    OtherDigest,
    /// Made for another attempt at the same plan, or with another random.
    #[error("made for another draw")]
    OtherDraw,
    /// Made under another community descriptor.
    #[error("made under another descriptor")]
    OtherDescriptor,
    /// The number of seats is not the plan's.
    #[error("not the plan's number of seats")]
    Seats,
    /// A node holds two seats, or the trigger holds one.
    #[error("a node holds two seats, or the asker holds one")]
    DoubleSeat,
    /// A candidate list names the trigger, a revoked node or one from elsewhere, or is not in order.
    #[error(
        "a candidate list names the asker, a revoked node or one from elsewhere, or is out of order"
    )]
    Candidates,
    /// Another setter than the one that was asked.
    #[error("the setter is not the nearest node to the drawn point")]
    WrongSetter,
    /// Opened something else than was committed.
    #[error("an opened candidate list is not the committed one")]
    Commitment,
    /// A message that no honest node sends at this point.
    #[error("a message out of turn")]
    OutOfTurn,
}

/// Why a node declines to take part in a draw, as told to the one who asked.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Refusal {
    /// This node has not heard of the question (yet): try again.
    #[n(0)]
    NotAnnounced,
    /// The question's consent phase is still open.
    #[n(1)]
    TooEarly,
    /// A nearer node exists: here it is.
    #[n(2)]
    Nearer(#[n(0)] Box<Contact>),
    /// This node does not know one of those named.
    #[n(3)]
    Unknown(#[n(0)] NodeId),
    /// A node said to be away answers.
    #[n(4)]
    SkippedIsAlive(#[n(0)] NodeId),
    /// Too many draws in this period.
    #[n(5)]
    TooManyDraws,
    /// Something in the request does not hold.
    #[n(6)]
    Invalid,
    /// This node takes part in as many draws as it can: try again.
    #[n(7)]
    Busy,
}
