//! Evidence that too few nodes are near a drawn point, so that the draw moves on to the next (SEP2P §3.6).

use base::{Digest, Instant, NodeId, encode};
use minicbor::{Decode, Encode};

use crate::fault::Misbehaviour;
use crate::limit::{WITNESSES_MAX, at_most};
use crate::list::{Builder, check_builders};
use crate::random::{DRAW_TOLERANCE, Draw};
use crate::rules::Rules;
use crate::site::Site;

/// What the list builders of a point sign when all that they know there is fewer than the seats.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SparseBody {
    /// The descriptor in force.
    #[n(0)]
    pub descriptor: Digest,
    /// What was to be drawn.
    #[n(1)]
    pub draw: Draw,
    /// RND_T, which each builder has checked.
    #[n(2)]
    pub random: Digest,
    /// Where too few were found.
    #[n(3)]
    pub site: Site,
    /// The execution setter (S).
    #[n(4)]
    pub setter: NodeId,
    /// When the setter began.
    #[n(5)]
    pub at: Instant,
    /// Number of seats that could not be filled.
    #[n(6)]
    pub seats: u32,
}

/// The builders' word that a draw must move on: 2k signature checks.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Sparse {
    /// What is signed.
    #[n(0)]
    pub body: SparseBody,
    /// k builders, nearest to the point first.
    #[cbor(n(1), decode_with = "at_most::<WITNESSES_MAX, _, _>")]
    pub builders: Vec<Builder>,
}

impl SparseBody {
    /// Signature domain.
    pub const DOMAIN: &str = "sparse region";

    /// The bytes that builders sign.
    pub fn signed_bytes(&self) -> Vec<u8> {
        encode(self)
    }
}

impl Sparse {
    /// Checks that k legitimate nodes of the point, one of them honest but for a chance below α, found too few candidates.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn verify(&self, rules: &Rules, now: Instant) -> Result<(), Misbehaviour> {
        let body = &self.body;
        if body.descriptor != rules.community().digest() {
            return Err(Misbehaviour::OtherDescriptor);
        }
        if body.at.distance(now) > DRAW_TOLERANCE {
            return Err(Misbehaviour::Time);
        }
        let point = body.site.point(&body.random);
        let excluded = [body.draw.trigger, body.setter];
        let signed = (SparseBody::DOMAIN, &body.signed_bytes()[..]);
        check_builders(rules, now, point, &excluded, &self.builders, signed)
    }
}

/// Checks that a draw has been at each site before `site` and found too few candidates there.
///
/// # Errors
///
/// The first check that fails.
pub fn check_moves(
    rules: &Rules,
    now: Instant,
    (draw, random): (Draw, Digest),
    seats: u32,
    site: Site,
    moves: &[Sparse],
) -> Result<(), Misbehaviour> {
    if !site.is_valid() || moves.len() != site.moves as usize {
        return Err(Misbehaviour::Site);
    }
    for (sparse, moves) in moves.iter().zip(0..) {
        let body = &sparse.body;
        if (body.draw, body.random) != (draw, random) {
            return Err(Misbehaviour::OtherDraw);
        }
        if body.site != (Site { moves, ..site }) || body.seats != seats {
            return Err(Misbehaviour::Site);
        }
        sparse.verify(rules, now)?;
    }
    Ok(())
}
