//! What replicas tell each other of proofs: a lane's verifier shares, and what its seats sign of them.

use base::{Digest, encode};
use minicbor::{Decode, Encode};

use crate::committee::statement::statement;
use crate::validity::VerifierShare;

/// A lane's verifier shares of some candidates, in order; nothing for one whose share cannot be checked at all.
pub type Verifiers = Vec<Option<VerifierShare>>;

/// What a seat found when it checked its lane's shares of all candidates: the same for every honest seat of the lane.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Checked {
    /// The computation.
    #[n(0)]
    pub round: Digest,
    /// Digest of the candidates' set.
    #[n(1)]
    pub set: Digest,
    /// Digests of the lane's verifier shares, part by part.
    #[n(2)]
    pub parts: Vec<Digest>,
}

statement!(Checked, "checked", checked => checked.round);

/// Names exactly these verifier shares.
pub fn digest(verifiers: &[Option<VerifierShare>]) -> Digest {
    Digest::of("verifier shares", &[&encode(verifiers)])
}
