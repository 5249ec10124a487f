//! One person's contribution: a signed header that commits to all shares, and one ciphertext per lane.

use std::sync::Arc;

use base::{Digest, Instant, NodeId, Rng, decode, encode};
use community::{Community, ContactError, Identity, check_certificate_in};
use crypto::{
    Batch, Certificate, CertificateError, FirstBad, SealError, SealingKey, SealingPublicKey, Share,
    Signature, Vector, commit, open, seal, split,
};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use thiserror::Error;
use zeroize::{Zeroize, Zeroizing};

use crate::committee::commitments::{PATH_MAX, climb, path, root};
use crate::committee::fault::Misbehaviour;
use crate::committee::terms::Terms;
use crate::validity::{Binding, InputShare, NotInRange, PublicShare};

const DOMAIN: &str = "contribution";

/// Bytes that the encoding of a share needs besides nine for each number.
const SHARE_OVERHEAD: usize = 128;
/// Bytes of a header besides certificate, root and public share: the signature and framing.
const HEADER_OVERHEAD: usize = 128;

/// Says that its author takes part, with which shares, or that it declines.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Header {
    /// The contributor.
    #[n(0)]
    pub certificate: Certificate,
    /// Names the commitments to all lanes' shares; none when the owner declines.
    #[n(1)]
    pub root: Option<Digest>,
    #[n(2)]
    signature: Signature,
    /// What all lanes must know to check the proof, where there is one.
    #[n(3)]
    pub public: Option<PublicShare>,
}

impl Header {
    fn new(
        identity: &Identity,
        round: Digest,
        root: Option<Digest>,
        public: Option<PublicShare>,
    ) -> Self {
        let bytes = signed_bytes(round, root, public.as_ref());
        Self {
            signature: identity.key.sign(DOMAIN, &bytes),
            certificate: identity.certificate.clone(),
            root,
            public,
        }
    }

    fn signed_bytes(&self, round: Digest) -> Vec<u8> {
        signed_bytes(round, self.root, self.public.as_ref())
    }

    /// Whose it is.
    pub fn node(&self) -> NodeId {
        self.certificate.node()
    }

    /// Whether its author stays out.
    pub fn declines(&self) -> bool {
        self.root.is_none()
    }

    /// Names exactly this header.
    pub fn digest(&self, round: Digest) -> Digest {
        Digest::of(DOMAIN, &[self.node().as_bytes(), &self.signed_bytes(round)])
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
        let has_proof = terms.proof.is_some() && !self.declines();
        if self.public.is_some() != has_proof
            || self.public.as_ref().is_some_and(|p| !p.fits(terms.lanes()))
        {
            return Err(Misbehaviour::Shape);
        }
        if self.node() == terms.querier {
            return Err(Misbehaviour::QuerierContributes);
        }
        let lives_at = self.certificate.location();
        let catchment = terms.place.catchment;
        if catchment.is_some_and(|catchment| !catchment.contains(lives_at)) {
            return Err(Misbehaviour::OtherLeaf);
        }
        check_certificate_in(batch, &self.certificate, community.descriptor(), now)?;
        let bytes = self.signed_bytes(terms.round());
        batch.push(self.node(), DOMAIN, &bytes, &self.signature);
        Ok(())
    }
}

fn signed_bytes(round: Digest, root: Option<Digest>, public: Option<&PublicShare>) -> Vec<u8> {
    encode(&(round, root, public))
}

/// A header with the ciphertext for one lane.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Item {
    /// The author's word.
    #[cbor(n(0), with = "base::shared")]
    pub header: Arc<Header>,
    /// Its share for the lane of the receiver, sealed to the lane; empty when the owner declines.
    #[n(1)]
    pub sealed: ByteVec,
    /// From the lane's commitment to the header's root.
    #[n(2)]
    pub path: Vec<Digest>,
}

impl Item {
    /// Whether it is no longer than an honest one.
    pub fn has_shape(&self, longest_sealed: usize) -> bool {
        self.sealed.len() <= longest_sealed && self.path.len() <= PATH_MAX
    }
}

/// A header with the ciphertexts for all lanes, to the replica that passes them on.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Bundle {
    /// The author's word.
    #[cbor(n(0), with = "base::shared")]
    pub header: Arc<Header>,
    /// By lane; none when the owner declines.
    #[n(1)]
    pub sealed: Vec<ByteVec>,
    /// By lane, to the shares; none when the owner declines.
    #[n(2)]
    pub commitments: Vec<Digest>,
}

impl Bundle {
    /// Says that the owner declines.
    pub fn declining(identity: &Identity, terms: &Terms) -> Self {
        Self {
            header: Arc::new(Header::new(identity, terms.round(), None, None)),
            sealed: Vec::new(),
            commitments: Vec::new(),
        }
    }

    /// Splits `vector`, with a proof if the terms ask for one, and seals one share to each lane.
    ///
    /// # Errors
    ///
    /// When the vector is none that can be proved, or a lane's key is none to which one can seal.
    pub fn new(
        identity: &Identity,
        terms: &Terms,
        lanes: &[SealingPublicKey],
        vector: &Vector,
        rng: &mut Rng,
    ) -> Result<Self, Unfit> {
        let round = terms.round();
        let Some(validity) = terms.validity() else {
            let shares = split(vector, lanes.len(), rng);
            return Ok(Self::sealed(identity, round, lanes, None, shares, rng)?);
        };
        let binding = Binding::new(&round, identity.node());
        let (public, shares) = validity.shard(vector, &binding, rng)?;
        Ok(Self::sealed(
            identity,
            round,
            lanes,
            Some(public),
            shares,
            rng,
        )?)
    }

    fn sealed<S: Encode<()>>(
        identity: &Identity,
        round: Digest,
        lanes: &[SealingPublicKey],
        public: Option<PublicShare>,
        shares: Vec<S>,
        rng: &mut Rng,
    ) -> Result<Self, SealError> {
        let mut commitments = Vec::with_capacity(lanes.len());
        let mut sealed = Vec::with_capacity(lanes.len());
        for (lane, share) in shares.into_iter().enumerate() {
            let context = context(round, identity.node(), lane);
            let salt = Salt(rng.bytes32());
            commitments.push(commit(&context, &salt.0, &share));
            let plain = Zeroizing::new(encode(&Salted { salt, share }));
            let ciphertext = seal(&lanes[lane], INFO, context.as_bytes(), &plain, rng)?;
            sealed.push(ciphertext.into());
        }
        Ok(Self {
            header: Arc::new(Header::new(identity, round, root(&commitments), public)),
            sealed,
            commitments,
        })
    }

    /// Whether there are a ciphertext of plausible length and a commitment for every lane, or none from one who declines; and
    /// whether the commitments are those that were signed.
    pub fn has_shape(&self, terms: &Terms, longest_sealed: usize) -> bool {
        let lanes = if self.header.declines() {
            0
        } else {
            terms.lanes()
        };
        self.sealed.len() == lanes
            && self.commitments.len() == lanes
            && root(&self.commitments) == self.header.root
            && self
                .sealed
                .iter()
                .all(|sealed| sealed.len() <= longest_sealed)
    }

    /// What the replicas of `lane` get.
    pub fn item(&self, lane: usize) -> Item {
        Item {
            header: Arc::clone(&self.header),
            sealed: match self.sealed.get(lane) {
                Some(sealed) => sealed.clone(),
                None => Vec::new().into(),
            },
            path: path(&self.commitments, lane),
        }
    }
}

/// Why a vector is not contributed. Nothing has left the node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unfit {
    /// It would be refused: it is no contribution to this statistic.
    #[error("{0}")]
    Range(#[from] NotInRange),
    /// A lane's key is none to which one can seal, so whoever signed it lies.
    #[error("a lane's key cannot be used: {0}")]
    Key(#[from] SealError),
}

const INFO: &[u8] = b"commonhold lane share";

/// A share as it is sealed.
#[derive(Encode, Decode)]
#[cbor(map)]
struct Salted<S> {
    #[n(0)]
    salt: Salt,
    #[n(1)]
    share: S,
}

/// Keeps a share of few possible values from being guessed from its commitment.
#[derive(Encode, Decode)]
#[cbor(transparent)]
struct Salt(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]);

impl Drop for Salt {
    fn drop(&mut self) {
        self.0.zeroize();
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
    let share = match terms.validity() {
        None => terms.vector_len * 9,
        Some(validity) => validity.input_share_len(0),
    };
    share + SHARE_OVERHEAD + crypto::SEALING_OVERHEAD
}

/// Longest encoding of an item, given [`longest_sealed`].
pub fn longest_item(terms: &Terms, longest_sealed: usize) -> usize {
    longest_header(terms) + 34 * PATH_MAX + longest_sealed
}

fn longest_header(terms: &Terms) -> usize {
    let public = terms.proof.as_ref().map_or(0, |_| 32 * terms.lanes());
    HEADER_OVERHEAD + crypto::MAX_CERTIFICATE_MESSAGE_LEN + 34 + public
}

/// A lane's share of a contribution.
pub enum LaneShare {
    /// Ready to be added up.
    Plain(Vector),
    /// To be checked first.
    Proved(InputShare),
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
) -> Result<LaneShare, Misbehaviour> {
    let context = context(terms.round(), item.header.node(), lane);
    let committed = |commitment| {
        let root = climb(commitment, lane, terms.lanes(), &item.path);
        root.is_some() && root == item.header.root
    };
    let plain = open(secret, INFO, context.as_bytes(), &item.sealed)
        .map_err(|_| Misbehaviour::Commitment)?;
    if terms.proof.is_some() {
        return unsalt(&plain, &context, committed).map(LaneShare::Proved);
    }
    let share: Share = unsalt(&plain, &context, committed)?;
    let vector = share.expand(terms.vector_len);
    vector
        .map(LaneShare::Plain)
        .map_err(|_| Misbehaviour::Commitment)
}

fn unsalt<S>(
    plain: &[u8],
    context: &Digest,
    committed: impl Fn(Digest) -> bool,
) -> Result<S, Misbehaviour>
where
    S: Encode<()> + for<'b> Decode<'b, ()>,
{
    let salted: Salted<S> = decode(plain, plain.len()).map_err(|_| Misbehaviour::Commitment)?;
    if !committed(commit(context, &salted.salt.0, &salted.share)) {
        return Err(Misbehaviour::Commitment);
    }
    Ok(salted.share)
}

impl Bundle {
    /// What a liar makes of these numbers as the input of the proof's circuit, whatever they are: for those who want to know
    /// what becomes of it.
    ///
    /// # Panics
    ///
    /// Without a proof in the terms, or with a key to which one cannot seal.
    pub fn lying(
        identity: &Identity,
        terms: &Terms,
        lanes: &[SealingPublicKey],
        numbers: &[u64],
        rng: &mut Rng,
    ) -> Self {
        let round = terms.round();
        let validity = terms.validity().expect("terms with a proof");
        let binding = Binding::new(&round, identity.node());
        let (public, shares) = validity.shard_anything(numbers, &binding, rng);
        let bundle = Self::sealed(identity, round, lanes, Some(public), shares, rng);
        bundle.expect("usable keys")
    }
}
