//! An authority's key vouching for the one that follows it.

use base::{Digest, NodeId, encode};
use crypto::{Batch, Signature, SigningKey};
use minicbor::{Decode, Encode};

use crate::Descriptor;

/// Most changes of an authority's key. Guess: one a year for a lifetime.
pub const SUCCESSIONS_MAX: usize = 64;

const DOMAIN: &str = "authority succession";

/// The old key's word that from an epoch on the new one signs the community's descriptors.
///
/// The chain of them travels with each descriptor, from the founding key, after which the community is named, to the key
/// that signs. So whoever knows nothing but the community's digest can check any descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Succession {
    /// The first epoch that the new key signs.
    #[n(0)]
    pub epoch: u64,
    /// Who vouches.
    #[n(1)]
    pub old: NodeId,
    /// For whom.
    #[n(2)]
    pub new: NodeId,
    #[n(3)]
    signature: Signature,
}

impl Succession {
    /// Vouches for `new`.
    pub fn new(community: &Digest, epoch: u64, old: &SigningKey, new: NodeId) -> Self {
        let signed = signed_bytes(community, epoch, old.node(), new);
        Self {
            epoch,
            old: old.node(),
            new,
            signature: old.sign(DOMAIN, &signed),
        }
    }

    /// Whether the list ends at the descriptor's authority without a gap, in ascending epochs up to the descriptor's. The
    /// signatures are left to `batch`.
    pub(crate) fn lead_to(list: &[Self], descriptor: &Descriptor, batch: &mut Batch) -> bool {
        for step in list {
            let signed = signed_bytes(&descriptor.community, step.epoch, step.old, step.new);
            batch.push(step.old, DOMAIN, &signed, &step.signature);
        }
        let ascending = |pair: &[Self]| pair[0].epoch < pair[1].epoch && pair[0].new == pair[1].old;
        list.windows(2).all(ascending)
            && list.last().is_none_or(|last| {
                last.epoch <= descriptor.epoch && last.new == descriptor.authority
            })
    }
}

fn signed_bytes(community: &Digest, epoch: u64, old: NodeId, new: NodeId) -> Vec<u8> {
    encode(&(community, epoch, old, new))
}
