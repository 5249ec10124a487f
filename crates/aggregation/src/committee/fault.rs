//! What no honest node sends, and why there is no answer.

use community::ContactError;
use thiserror::Error;

/// A check that a message or a proof failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Misbehaviour {
    /// Signed for another computation.
    #[error("it belongs to another computation")]
    OtherRound,
    /// No such seat, or not that seat's place to say this.
    #[error("it is not for that seat to say")]
    Seat,
    /// A signature that is not its signer's.
    #[error("a signature does not hold")]
    Signature,
    /// Not signed by as many of one lane as it takes.
    #[error("it is not signed by enough of the lane")]
    TooFew,
    /// The contributor's certificate is not in force.
    #[error("the contributor's certificate does not hold: {0}")]
    Certificate(#[from] ContactError),
    /// The querier must not contribute.
    #[error("the querier contributes to its own question")]
    QuerierContributes,
    /// Contributes to a leaf that takes other people's contributions.
    #[error("its author's place on the ring is another leaf's")]
    OtherLeaf,
    /// A header or vector has the wrong number of parts.
    #[error("it has the wrong number of parts")]
    Shape,
    /// A second header of one contributor for one computation.
    #[error("it contributes a second time, and differently")]
    TwoHeaders,
    /// A ciphertext that does not hold the committed share.
    #[error("a sealed share is not the committed one")]
    Commitment,
    /// A contributor is listed twice or out of order.
    #[error("a list is not in order, or names somebody twice")]
    Order,
    /// The set does not follow from what replicas hold.
    #[error("the set does not follow from what the replicas hold")]
    Set,
    /// The quorum's certificate of the set does not hold.
    #[error("the set is not signed by a quorum of the helpers")]
    Quorum,
    /// The lane sums are about another set.
    #[error("a lane's sum is about another set")]
    OtherSet,
    /// A lane's seed that is not the committed one.
    #[error("a lane's seed is not the committed one")]
    Seed,
    /// Something else about the lane's proofs than follows from its shares.
    #[error("what it says of the proofs does not follow from the lane's shares")]
    Checked,
    /// Another sum than the lane's shares add up to, or than enough of its lane say.
    #[error("a lane's sum is not what its shares add up to")]
    Sum,
    /// Totals of too few people, or from which such totals follow.
    #[error("it tells about too few people")]
    SmallCell,
    /// A time too far from ours.
    #[error("its time is not now")]
    Time,
}

/// Why a computation ended without totals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Failure {
    /// Refused by the helpers: fewer people match than the community allows to be counted.
    #[error(
        "fewer people match than this community allows to be counted; ask about a larger group"
    )]
    SmallCrowd,
    /// Helpers contradict each other.
    #[error("helpers signed different results, so some of them lie; ask again for new helpers")]
    Conflict,
    /// Time ran out.
    #[error("too many helpers are away, and time ran out; ask again")]
    TimedOut,
}
