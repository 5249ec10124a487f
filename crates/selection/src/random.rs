//! The verifiable random that a trigger obtains from its legitimate nodes (SEP2P §3.4, hardened).
//!
//! The paper commits and opens; here each legitimate node gives the one value that its VRF key has for
//! (trigger, plan digest, attempt). Nobody chooses a value, so there is nothing to commit to, and withholding one costs
//! the trigger an attempt.

use base::{Digest, Duration, Instant, Location, NodeId, encode};
use community::{Descriptor, check_certificate, check_certificate_in};
use crypto::{Batch, Certificate, Signature, VrfProof};
use minicbor::{Decode, Encode};

use crate::fault::Misbehaviour;
use crate::limit::{SKIPPED_MAX, WITNESSES_MAX, at_most};
use crate::list::of_signer;
use crate::rules::Rules;

/// How far apart the clocks of honest nodes and the steps of one draw may be.
pub const DRAW_TOLERANCE: Duration = Duration::from_secs(120);

const DOMAIN: &str = "trigger part";

/// What one draw is for: everything in it is bound by each value and signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct Draw {
    /// Who draws (T).
    #[n(0)]
    pub trigger: NodeId,
    /// Digest of the whole plan.
    #[n(1)]
    pub digest: Digest,
    /// Counts up with each new try at the same plan.
    #[n(2)]
    pub attempt: u32,
}

impl Draw {
    /// What legitimate node `witness` evaluates its VRF on. Its name is in it: else somebody could have another node's
    /// VRF key certified as his own and repeat that node's value.
    pub fn random_input(&self, witness: NodeId) -> [u8; 32] {
        Digest::of("trigger random", &[&encode(&(self, witness))]).0
    }

    /// The bytes that a legitimate node signs: the draw, the time and who else was asked.
    pub fn part_bytes(&self, at: Instant, chosen: &[NodeId], skipped: &[NodeId]) -> Vec<u8> {
        encode(&(self, at, chosen, skipped))
    }
}

/// One legitimate node's part.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TriggerPart {
    /// The legitimate node (TL).
    #[n(0)]
    pub certificate: Certificate,
    /// Its value for this draw, with the proof.
    #[n(1)]
    pub proof: VrfProof,
    /// When it answered.
    #[n(2)]
    pub at: Instant,
    /// Over draw, time and nodes asked.
    #[n(3)]
    pub signature: Signature,
}

impl TriggerPart {
    /// Signature domain of a part.
    pub const DOMAIN: &str = DOMAIN;
}

/// RND_T with its evidence: k parts by the nodes nearest to the trigger.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct VerifiableRandom {
    /// What it was drawn for.
    #[n(0)]
    pub draw: Draw,
    /// The trigger's certificate.
    #[n(1)]
    pub trigger: Certificate,
    /// Nearer nodes that did not answer, as each TL found, too.
    #[cbor(n(2), decode_with = "at_most::<SKIPPED_MAX, _, _>")]
    pub skipped: Vec<NodeId>,
    /// The parts, nearest first.
    #[cbor(n(3), decode_with = "at_most::<WITNESSES_MAX, _, _>")]
    pub parts: Vec<TriggerPart>,
}

impl VerifiableRandom {
    /// Checks everything and gives the random value.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn verify(&self, rules: &Rules, now: Instant) -> Result<Digest, Misbehaviour> {
        let descriptor = rules.community().descriptor();
        check_certificate(&self.trigger, descriptor, now)?;
        if self.trigger.node() != self.draw.trigger {
            return Err(Misbehaviour::Signature);
        }
        let centre = self.trigger.location();
        let signers: Vec<_> = self.parts.iter().map(|part| &part.certificate).collect();
        check_legitimate(rules, centre, &signers, &[self.draw.trigger])?;
        let chosen: Vec<_> = signers
            .iter()
            .map(|certificate| certificate.node())
            .collect();
        let mut batch = Batch::new();
        for part in &self.parts {
            self.check_part_in(&mut batch, part, descriptor, &chosen, now)?;
        }
        batch.verify().map_err(of_signer)?;
        let values: Result<Vec<_>, _> = self.parts.iter().map(|part| self.value(part)).collect();
        Ok(random_of(&values?))
    }

    /// Checks one part by itself and gives its value.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn verify_part(
        &self,
        part: &TriggerPart,
        descriptor: &Descriptor,
        chosen: &[NodeId],
        now: Instant,
    ) -> Result<Digest, Misbehaviour> {
        let mut batch = Batch::new();
        self.check_part_in(&mut batch, part, descriptor, chosen, now)?;
        batch.verify().map_err(of_signer)?;
        self.value(part)
    }

    /// All but the signatures, of the certificate and the part, and the value.
    fn check_part_in(
        &self,
        batch: &mut Batch,
        part: &TriggerPart,
        descriptor: &Descriptor,
        chosen: &[NodeId],
        now: Instant,
    ) -> Result<(), Misbehaviour> {
        check_certificate_in(batch, &part.certificate, descriptor, now)?;
        if part.at.distance(now) > DRAW_TOLERANCE {
            return Err(Misbehaviour::Time);
        }
        let bytes = self.draw.part_bytes(part.at, chosen, &self.skipped);
        batch.push(part.certificate.node(), DOMAIN, &bytes, &part.signature);
        Ok(())
    }

    fn value(&self, part: &TriggerPart) -> Result<Digest, Misbehaviour> {
        let input = self.draw.random_input(part.certificate.node());
        let proven = part.certificate.vrf().verify(&input, &part.proof);
        proven.map_err(|_| Misbehaviour::RandomProof)
    }
}

/// RND_T: the values of all parts together, nearest first.
pub fn random_of(outputs: &[Digest]) -> Digest {
    let parts: Vec<&[u8]> = outputs.iter().map(|output| &output.0[..]).collect();
    Digest::of("random of trigger", &parts)
}

/// Checks that `signers` are distinct, nearest first, inside the region for their number, and none of `excluded`.
///
/// # Errors
///
/// The first check that fails.
pub fn check_legitimate(
    rules: &Rules,
    centre: Location,
    signers: &[&Certificate],
    excluded: &[NodeId],
) -> Result<(), Misbehaviour> {
    let region = rules
        .region(centre, signers.len())
        .ok_or(Misbehaviour::NoSuchRow)?;
    let ranks: Vec<_> = signers
        .iter()
        .map(|signer| centre.rank(signer.node(), signer.location()))
        .collect();
    if !ranks.windows(2).all(|pair| pair[0] < pair[1]) {
        return Err(Misbehaviour::Order);
    }
    if signers
        .iter()
        .any(|signer| excluded.contains(&signer.node()))
    {
        return Err(Misbehaviour::OwnWitness);
    }
    if !signers
        .iter()
        .all(|signer| region.contains(signer.location()))
    {
        return Err(Misbehaviour::NotLegitimate);
    }
    Ok(())
}
