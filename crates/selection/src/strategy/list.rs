//! VAL: the actor list that k builders signed, and their word that a region is too sparse (SEP2P §3.5, §3.6).

use std::collections::BTreeSet;

use base::{Digest, Instant, NodeId, encode};
use crypto::{Certificate, Signature};
use minicbor::{Decode, Encode};

use super::checker::Checker;
use super::fault::Breach;
use crate::limit::{SEATS_MAX, WITNESSES_MAX, at_most};
use crate::random::check_legitimate;
use crate::site::point_of;

/// One builder's signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Signer {
    /// The builder (SL).
    #[n(0)]
    pub certificate: Certificate,
    /// When it signed (§3.6 (i)).
    #[n(1)]
    pub at: Instant,
    /// Over what was built, and the time.
    #[n(2)]
    pub signature: Signature,
}

/// VAL (§3.5 step 9).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedList {
    /// RND_T, rehashed as often as the draw was relocated.
    #[n(0)]
    pub random: Digest,
    /// AL.
    #[cbor(n(1), decode_with = "at_most::<SEATS_MAX, _, _>")]
    pub actors: Vec<NodeId>,
    /// k builders; the paper leaves their order open, here it is nearest to the drawn point first.
    #[cbor(n(2), decode_with = "at_most::<WITNESSES_MAX, _, _>")]
    pub signers: Vec<Signer>,
}

impl SignedList {
    /// Signature domain of a list.
    pub const DOMAIN: &str = "paper actor list";

    /// The bytes that a builder signs: (RND_T, AL) and the time. As in the paper the question is not among them.
    pub fn signed_bytes(random: &Digest, actors: &[NodeId], at: Instant) -> Vec<u8> {
        encode(&(random, actors, at))
    }

    /// The verifier's check: each builder's certificate, legitimacy and signature. 2k signature checks.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn check(&self, checker: &mut Checker<'_>) -> Result<(), Breach> {
        check_seats(&self.actors)?;
        let bytes = |at| Self::signed_bytes(&self.random, &self.actors, at);
        check_signers(&self.random, &self.signers, Self::DOMAIN, bytes, checker)
    }
}

/// The word of k builders that R3 around a point holds fewer candidates than seats: it moves the draw to the point of the
/// rehashed random (§3.6).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Relocation {
    /// The k builders, nearest to the abandoned point first.
    #[cbor(n(0), decode_with = "at_most::<WITNESSES_MAX, _, _>")]
    pub signers: Vec<Signer>,
}

impl Relocation {
    /// Signature domain of a relocation.
    pub const DOMAIN: &str = "paper relocation";

    /// The bytes that a builder signs: the random whose region is too sparse, for how many seats, and the time.
    pub fn signed_bytes(random: &Digest, seats: u32, at: Instant) -> Vec<u8> {
        encode(&(random, seats, at))
    }

    /// Checks that it moves a draw away from `random`'s point. 2k signature checks.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn check(
        &self,
        random: &Digest,
        seats: u32,
        checker: &mut Checker<'_>,
    ) -> Result<(), Breach> {
        let bytes = |at| Self::signed_bytes(random, seats, at);
        check_signers(random, &self.signers, Self::DOMAIN, bytes, checker)
    }
}

/// Checks that k nodes, legitimate with respect to `random`'s point and R2, signed.
fn check_signers(
    random: &Digest,
    signers: &[Signer],
    domain: &str,
    bytes: impl Fn(Instant) -> Vec<u8>,
    checker: &mut Checker<'_>,
) -> Result<(), Breach> {
    let certificates: Vec<_> = signers.iter().map(|signer| &signer.certificate).collect();
    check_legitimate(checker.rules(), point_of(random), &certificates, &[])?;
    checker.together(|checker| {
        for signer in signers {
            checker.certificate(&signer.certificate)?;
            let signed = (signer.at, &bytes(signer.at)[..]);
            checker.signature(signer.certificate.node(), domain, signed, &signer.signature)?;
        }
        Ok(())
    })
}

/// Checks that there are actors, and that no node holds two seats.
///
/// # Errors
///
/// [`Breach::Seats`] or [`Breach::DoubleSeat`].
pub fn check_seats(actors: &[NodeId]) -> Result<(), Breach> {
    if actors.is_empty() || actors.len() > SEATS_MAX {
        return Err(Breach::Seats);
    }
    let distinct: BTreeSet<_> = actors.iter().collect();
    if distinct.len() != actors.len() {
        return Err(Breach::DoubleSeat);
    }
    Ok(())
}
