//! What travels: in Prio3's own encodings, which have no lengths in them, each inside one byte string.

use std::fmt;

use minicbor::{Decode, Encode};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// What all lanes must know of a contribution to check it: part of its header.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct PublicShare(#[cbor(n(0), with = "minicbor::bytes")] pub(super) Vec<u8>);

impl PublicShare {
    /// Whether it is as long as one for so many lanes.
    pub(crate) fn fits(&self, lanes: usize) -> bool {
        self.0.len() == 32 * lanes
    }
}

/// One lane's share of a contribution and of its proofs: sealed to the lane.
#[derive(Clone, Zeroize, ZeroizeOnDrop, Encode, Decode)]
#[cbor(transparent)]
pub struct InputShare(#[cbor(n(0), with = "minicbor::bytes")] pub(super) Vec<u8>);

impl fmt::Debug for InputShare {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "InputShare(secret, {} bytes)", self.0.len())
    }
}

/// What one lane says of a contribution's proofs. Tells nothing of the contribution, but that it is valid.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct VerifierShare(#[cbor(n(0), with = "minicbor::bytes")] pub(super) Vec<u8>);

/// What follows from all lanes' verifier shares of a contribution that is valid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct Decision(#[cbor(n(0), with = "minicbor::bytes")] pub(super) [u8; 32]);
