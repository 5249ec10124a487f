//! VRND_T: a random that k nodes committed to before any of them opened (SEP2P §3.4).

use base::{Digest, Instant, NodeId, encode};
use community::Identity;
use crypto::{Certificate, Signature};
use minicbor::{Decode, Encode};

use super::checker::Checker;
use super::fault::Breach;
use super::lot::{commitment, xor};
use crate::limit::{WITNESSES_MAX, at_most};
use crate::random::check_legitimate;

/// One legitimate node's part: sign_i(L), RND_i (step 4).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Part {
    /// The node (TL).
    #[n(0)]
    pub certificate: Certificate,
    /// RND_i.
    #[n(1)]
    pub random: Digest,
    /// When it signed (§3.6 (i)).
    #[n(2)]
    pub at: Instant,
    /// Over L and the time.
    #[n(3)]
    pub signature: Signature,
}

impl Part {
    /// Signature domain of a part.
    pub const DOMAIN: &str = "paper part";

    /// The bytes that a node signs: L, in the order in which the trigger gave it, and the time. As in the paper neither
    /// the trigger nor the question is among them.
    pub fn signed_bytes(hashes: &[Digest], at: Instant) -> Vec<u8> {
        encode(&(hashes, at))
    }

    /// What `identity` says to this list.
    pub fn sign(identity: &Identity, random: Digest, hashes: &[Digest], at: Instant) -> Self {
        let bytes = Self::signed_bytes(hashes, at);
        Self {
            certificate: identity.certificate.clone(),
            random,
            at,
            signature: identity.key.sign(Self::DOMAIN, &bytes),
        }
    }

    /// The signer.
    pub fn node(&self) -> NodeId {
        self.certificate.node()
    }

    /// Checks the signature, of a node that is known to be genuine: one signature check.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn check_signature(
        &self,
        hashes: &[Digest],
        checker: &mut Checker<'_>,
    ) -> Result<(), Breach> {
        let bytes = Self::signed_bytes(hashes, self.at);
        checker.signature(
            self.node(),
            Self::DOMAIN,
            (self.at, &bytes),
            &self.signature,
        )
    }
}

/// VRND_T with its evidence (step 5).
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CommittedRandom {
    /// cert_T: where R1 has its centre.
    #[n(0)]
    pub trigger: Certificate,
    /// k parts; the paper leaves their order open, here it is nearest to T first.
    #[cbor(n(1), decode_with = "at_most::<WITNESSES_MAX, _, _>")]
    pub parts: Vec<Part>,
}

impl CommittedRandom {
    /// RND_T, unchecked: RND_1 ⊕ … ⊕ RND_k.
    pub fn value(&self) -> Digest {
        value_of(&self.parts)
    }

    /// Checks everything and gives RND_T, in the paper's two passes: (i) cert_T, and L from all RND_i; (ii) for each TL its
    /// certificate, that it is legitimate with respect to T and R1, and its signature over L. 2k + 1 signature checks.
    ///
    /// T is no witness of its own random.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn check(&self, checker: &mut Checker<'_>) -> Result<Digest, Breach> {
        checker.together(|checker| {
            checker.certificate(&self.trigger)?;
            let hashes = hashes_of(&self.parts);
            let signers: Vec<_> = self.parts.iter().map(|part| &part.certificate).collect();
            let (centre, trigger) = (self.trigger.location(), [self.trigger.node()]);
            check_legitimate(checker.rules(), centre, &signers, &trigger)?;
            check_parts(&self.parts, &hashes, checker)
        })?;
        Ok(self.value())
    }

    /// [`checks`](Self::check) that this takes.
    pub fn checks(&self) -> usize {
        2 * self.parts.len() + 1
    }
}

/// L: the hashes of all RND_i, in order of the parts.
pub fn hashes_of(parts: &[Part]) -> Vec<Digest> {
    parts.iter().map(|part| commitment(&part.random)).collect()
}

/// RND_T of these parts.
pub fn value_of(parts: &[Part]) -> Digest {
    xor(parts.iter().map(|part| &part.random))
}

/// Pass (ii) without legitimacy: each part's certificate and signature, 2 signature checks a part.
///
/// # Errors
///
/// The first check that fails.
pub fn check_parts(
    parts: &[Part],
    hashes: &[Digest],
    checker: &mut Checker<'_>,
) -> Result<(), Breach> {
    checker.together(|checker| {
        for part in parts {
            checker.certificate(&part.certificate)?;
            part.check_signature(hashes, checker)?;
        }
        Ok(())
    })
}
