//! What a peer can do wrong in one of these protocols, one variant per check.

use community::ContactError;
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::fault::Misbehaviour;

/// A breach by a peer, found by checking what it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Breach {
    /// A certificate does not hold: its node is not genuine.
    #[error("certificate refused: {0}")]
    Certificate(#[from] ContactError),
    /// The signers are not distinct and in order, or not those that the k-table asks for.
    #[error("the signers are not legitimate: {0}")]
    Signers(#[from] Misbehaviour),
    /// A signature does not hold for what it should be over.
    #[error("a signature does not hold")]
    Signature,
    /// Signed too long ago, or in the future (§3.6 (i)).
    #[error("signed too long ago or in the future")]
    Time,
    /// For another question, as far as its holder says.
    #[error("drawn for another question")]
    OtherDigest,
    /// Over another random than the one in hand.
    #[error("made with another random")]
    OtherRandom,
    /// Not the number of seats asked for, or no number that a list can have.
    #[error("not the number of seats asked for")]
    Seats,
    /// An actor holds two seats.
    #[error("an actor holds two seats")]
    DoubleSeat,
    /// The hashes are not k, or ours is not among them (§3.4 step 4, §3.5 step 6).
    #[error("the list of hashes lacks one's own, or is not k long")]
    HashMissing,
    /// What was opened is not what was committed to (§3.5 step 8b).
    #[error("an opened value is not the committed one")]
    Opening,
    /// A drawn actor that not every builder named sits outside of R3, or nobody can tell (§3.5 step 8f).
    #[error("an actor is not legitimate with respect to R3")]
    ActorNotLegitimate,
    /// A node is not near the point that it should be nearest to.
    #[error("a node is not near its point")]
    NotNear,
    /// An actor is not the node of its rank in the full list.
    #[error("an actor is not the node of its rank")]
    Rank,
    /// A node is not in the full list of nodes.
    #[error("a node that the full list of nodes lacks")]
    NotInMesh,
    /// The certificates are not those of the actors.
    #[error("the certificates are not those of the actors")]
    OtherActors,
    /// A message that no honest node sends at this point.
    #[error("a message out of turn")]
    OutOfTurn,
}

/// Why a node declines to take part, as told to the one who asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub enum Refusal {
    /// The trigger did not choose the smallest k of the k-table (§3.6 (ii)).
    #[n(0)]
    LargerK,
    /// Too many queries of this trigger in this period (§3.6 (ii)).
    #[n(1)]
    TooManyDraws,
    /// This node does not know the one who asks.
    #[n(2)]
    Unknown,
    /// Something in the request does not hold.
    #[n(3)]
    Invalid,
    /// This node takes part in as many draws as it can.
    #[n(4)]
    Busy,
    /// Too few nodes around the point, to build or to pick from.
    #[n(5)]
    TooFew,
    /// One of the list builders does not answer, declined or lied.
    #[n(6)]
    Builder,
}
