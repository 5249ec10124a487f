//! One person's contribution: a signed header that commits to all shares, and one ciphertext per lane.

use base::{Digest, Instant, NodeId, Rng, decode, encode};
use community::{Community, ContactError, Identity, check_certificate_in};
use crypto::{
    Batch, Certificate, CertificateError, FirstBad, SealError, SealingKey, SealingPublicKey, Share,
    Signature, Vector, commit, open, seal, split,
};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use zeroize::{Zeroize, Zeroizing};

use crate::committee::fault::Misbehaviour;
use crate::committee::terms::Terms;

const DOMAIN: &str = "contribution";

/// Bytes that the encoding of a share needs besides nine for each number.
const SHARE_OVERHEAD: usize = 128;

/// Says that its author takes part, with which shares, or that it declines.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Header {
    /// The contributor.
    #[n(0)]
    pub certificate: Certificate,
    /// A commitment to each lane's share; none when the owner declines.
    #[n(1)]
    pub commitments: Vec<Digest>,
    #[n(2)]
    signature: Signature,
}

impl Header {
    fn new(identity: &Identity, round: Digest, commitments: Vec<Digest>) -> Self {
        Self {
            signature: identity
                .key
                .sign(DOMAIN, &signed_bytes(round, &commitments)),
            certificate: identity.certificate.clone(),
            commitments,
        }
    }

    /// Whose it is.
    pub fn node(&self) -> NodeId {
        self.certificate.node()
    }

    /// Whether its author stays out.
    pub fn declines(&self) -> bool {
        self.commitments.is_empty()
    }

    /// Names exactly this header.
    pub fn digest(&self, round: Digest) -> Digest {
        Digest::of(
            DOMAIN,
            &[
                self.node().as_bytes(),
                &signed_bytes(round, &self.commitments),
            ],
        )
    }

    /// Checks certificate, signature and shape: two signature checks.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn check(
        &self,
        terms: &Terms,
        community: &Community,
        now: Instant,
    ) -> Result<(), Misbehaviour> {
        let mut batch = Batch::new();
        self.check_in(&mut batch, terms, community, now)?;
        Self::judge(&batch)
    }

    /// What it means when a batch with the signatures of one header alone does not hold.
    ///
    /// # Errors
    ///
    /// Which of the two it is.
    pub fn judge(batch: &Batch) -> Result<(), Misbehaviour> {
        batch.verify().map_err(|FirstBad(which)| match which {
            0 => ContactError::from(CertificateError::BadSignature).into(),
            _ => Misbehaviour::Signature,
        })
    }

    /// As [`check`](Self::check), but leaves the two signatures to be checked with others, in about half the time.
    ///
    /// # Errors
    ///
    /// What is wrong besides signatures.
    pub fn check_in(
        &self,
        batch: &mut Batch,
        terms: &Terms,
        community: &Community,
        now: Instant,
    ) -> Result<(), Misbehaviour> {
        if !self.declines() && self.commitments.len() != terms.lanes() {
            return Err(Misbehaviour::Shape);
        }
        if self.node() == terms.querier {
            return Err(Misbehaviour::QuerierContributes);
        }
        check_certificate_in(batch, &self.certificate, community.descriptor(), now)?;
        let bytes = signed_bytes(terms.round(), &self.commitments);
        batch.push(self.node(), DOMAIN, &bytes, &self.signature);
        Ok(())
    }
}

fn signed_bytes(round: Digest, commitments: &[Digest]) -> Vec<u8> {
    encode(&(round, commitments))
}

/// A header with the ciphertext for one lane.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Item {
    /// The author's word.
    #[n(0)]
    pub header: Header,
    /// Its share for the lane of the receiver, sealed to the lane; empty when the owner declines.
    #[n(1)]
    pub sealed: ByteVec,
}

/// A header with the ciphertexts for all lanes, to the replica that passes them on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Bundle {
    /// The author's word.
    #[n(0)]
    pub header: Header,
    /// By lane; none when the owner declines.
    #[n(1)]
    pub sealed: Vec<ByteVec>,
}

impl Bundle {
    /// Says that the owner declines.
    pub fn declining(identity: &Identity, terms: &Terms) -> Self {
        Self {
            header: Header::new(identity, terms.round(), Vec::new()),
            sealed: Vec::new(),
        }
    }

    /// Splits `vector` and seals one share to each lane.
    ///
    /// # Errors
    ///
    /// When a lane's key is none to which one can seal.
    pub fn new(
        identity: &Identity,
        terms: &Terms,
        lanes: &[SealingPublicKey],
        vector: &Vector,
        rng: &mut Rng,
    ) -> Result<Self, SealError> {
        let round = terms.round();
        let mut commitments = Vec::with_capacity(lanes.len());
        let mut sealed = Vec::with_capacity(lanes.len());
        for (lane, share) in split(vector, lanes.len(), rng).into_iter().enumerate() {
            let context = context(round, identity.node(), lane);
            let salted = Salted {
                salt: rng.bytes32(),
                share,
            };
            commitments.push(commit(&context, &salted.salt, &salted.share));
            let plain = Zeroizing::new(encode(&salted));
            let ciphertext = seal(&lanes[lane], INFO, context.as_bytes(), &plain, rng)?;
            sealed.push(ciphertext.into());
        }
        Ok(Self {
            header: Header::new(identity, round, commitments),
            sealed,
        })
    }

    /// Whether there is a ciphertext of plausible length for every lane, or none from one who declines.
    pub fn has_shape(&self, terms: &Terms) -> bool {
        self.sealed.len() == self.header.commitments.len()
            && self
                .sealed
                .iter()
                .all(|sealed| sealed.len() <= longest_sealed(terms))
    }

    /// What the replicas of `lane` get.
    pub fn item(&self, lane: usize) -> Item {
        Item {
            header: self.header.clone(),
            sealed: match self.sealed.get(lane) {
                Some(sealed) => sealed.clone(),
                None => Vec::new().into(),
            },
        }
    }
}

const INFO: &[u8] = b"commonhold lane share";

/// A share as it is sealed.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Salted {
    #[cbor(n(0), with = "minicbor::bytes")]
    salt: [u8; 32],
    #[n(1)]
    share: Share,
}

impl Drop for Salted {
    fn drop(&mut self) {
        self.salt.zeroize();
    }
}

fn context(round: Digest, contributor: NodeId, lane: usize) -> Digest {
    Digest::of(
        "share of",
        &[
            round.as_bytes(),
            contributor.as_bytes(),
            &(lane as u64).to_be_bytes(),
        ],
    )
}

/// Longest ciphertext that an honest contributor sends.
pub fn longest_sealed(terms: &Terms) -> usize {
    terms.vector_len * 9 + SHARE_OVERHEAD + crypto::SEALING_OVERHEAD
}

/// Opens the share of `lane` with the lane's secret, and checks it against the commitment.
///
/// # Errors
///
/// When the secret does not open it, or it is not the committed share of the right length.
pub fn open_share(
    terms: &Terms,
    lane: usize,
    item: &Item,
    secret: &SealingKey,
) -> Result<Vector, Misbehaviour> {
    let context = context(terms.round(), item.header.node(), lane);
    let plain = open(secret, INFO, context.as_bytes(), &item.sealed)
        .map_err(|_| Misbehaviour::Commitment)?;
    let salted: Salted =
        decode(&plain, longest_sealed(terms)).map_err(|_| Misbehaviour::Commitment)?;
    let committed = item.header.commitments.get(lane);
    if committed != Some(&commit(&context, &salted.salt, &salted.share)) {
        return Err(Misbehaviour::Commitment);
    }
    salted
        .share
        .expand(terms.vector_len)
        .map_err(|_| Misbehaviour::Commitment)
}
