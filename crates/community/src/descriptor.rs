//! The community descriptor: what every node takes as common knowledge.

use base::{DecodeError, Digest, NodeId, decode, encode};
use crypto::{Batch, FirstBad, Signature, SigningKey};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::succession::{SUCCESSIONS_MAX, Succession};
use crate::vocabulary::{self, Table};

/// Longest encoded descriptor that a node reads, in bytes.
pub const DESCRIPTOR_BYTES_MAX: usize = 1 << 20;

/// Longest name of a community, in bytes.
pub const NAME_BYTES_MAX: usize = 100;

/// Most keys that may issue certificates beside the authority's. Guess: each certificate is compared with all of them.
pub const ENROLMENT_MAX: usize = 64;

/// Default size of a node cache: cheap to keep, and large enough to draw from (SEP2P §4.3).
pub const CACHE_SIZE: u32 = 512;
/// Largest size of a node cache.
pub const CACHE_SIZE_MAX: u32 = 4096;

const DOMAIN: &str = "community descriptor";

/// Common knowledge of a community (design: identity and community).
///
/// Region sizes, committee sizes and limits are computed from these numbers and never from a node's own estimate, so that
/// all honest nodes compute the same ones.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Descriptor {
    /// Grows by one with each amendment.
    #[n(0)]
    pub epoch: u64,
    /// What people call the community.
    #[n(1)]
    pub name: String,
    /// Names the community for ever: see [`Descriptor::community_of`].
    #[n(2)]
    pub community: Digest,
    /// The key that signs descriptors and may issue certificates.
    #[n(3)]
    pub authority: NodeId,
    /// Keys that may issue certificates but not amend the descriptor.
    #[n(4)]
    pub enrolment: Vec<NodeId>,
    /// N: certificates in force, rounded up.
    #[n(5)]
    pub nodes: u64,
    /// C: nodes assumed to collude, absolute.
    #[n(6)]
    pub colluders: u64,
    /// α: accepted chance that a draw falls among colluders only, in (0, 1).
    #[n(7)]
    pub alpha: f64,
    /// Share of nodes expected to go away during a question, in thousandths.
    #[n(8)]
    pub offline_permille: u32,
    /// Smallest number of people whose total may be given to anyone.
    #[n(9)]
    pub min_crowd: u64,
    /// Added to the minimum crowd against colluders who take part to lift it.
    #[n(10)]
    pub padding_allowance: u64,
    /// Draws that one node may start per period.
    #[n(11)]
    pub draws_per_period: u32,
    /// Length of that period, in seconds.
    #[n(12)]
    pub period_secs: u64,
    /// What the community calls its data.
    #[n(13)]
    pub vocabulary: Vec<Table>,
    /// Nodes whose certificates are revoked, ascending.
    #[n(14)]
    pub revoked: Vec<NodeId>,
    /// Nodes that a node cache holds on average where it does not hold everyone, 8 to 4096 (SEP2P §3.6, rs3).
    #[n(15)]
    pub cache_size: u32,
}

impl Descriptor {
    /// The name of the community that `authority` founds under `name`. A later authority key, vouched for by the
    /// old one, does not change it.
    pub fn community_of(name: &str, authority: NodeId) -> Digest {
        Digest::of("community", &[name.as_bytes(), authority.as_bytes()])
    }

    /// The first descriptor of the community that `authority` founds under `name` for so many nodes, with the defaults of
    /// everything that a founder may leave open: 1 % of colluders, crowds of five and one more, no vocabulary yet.
    pub fn founding(name: &str, authority: NodeId, nodes: u64) -> Self {
        Self {
            epoch: 1,
            name: name.to_owned(),
            community: Self::community_of(name, authority),
            authority,
            enrolment: Vec::new(),
            nodes,
            colluders: Self::default_colluders(nodes),
            alpha: 1e-6,
            offline_permille: 50,
            min_crowd: 5,
            padding_allowance: 1,
            draws_per_period: 16,
            period_secs: 3600,
            vocabulary: Vec::new(),
            revoked: Vec::new(),
            cache_size: CACHE_SIZE,
        }
    }

    /// Default number of assumed colluders: 1 % of the nodes, at least 3.
    pub fn default_colluders(nodes: u64) -> u64 {
        nodes.div_ceil(100).max(3)
    }

    /// Keys whose certificates count: the authority's and the enrolment keys.
    pub fn issuers(&self) -> Vec<NodeId> {
        std::iter::once(self.authority)
            .chain(self.enrolment.iter().copied())
            .collect()
    }

    /// Whether `node` is on the revocation list.
    pub fn is_revoked(&self, node: NodeId) -> bool {
        self.revoked.binary_search(&node).is_ok()
    }

    /// The table called `name`, if the vocabulary has it.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.vocabulary.iter().find(|table| table.name == name)
    }

    /// Count that a question must reach before anything is opened: minimum crowd plus padding allowance.
    pub fn crowd_threshold(&self) -> u64 {
        self.min_crowd.saturating_add(self.padding_allowance)
    }

    fn check(&self) -> Result<(), DescriptorError> {
        let numbers = self.nodes > 0
            && self.colluders > 0
            && self.colluders < self.nodes
            && self.alpha > 0.0
            && self.alpha < 1.0
            && self.offline_permille < 1000
            && self.min_crowd > 0
            && self.draws_per_period > 0
            && self.period_secs > 0
            && (8..=CACHE_SIZE_MAX).contains(&self.cache_size);
        let name = (1..=NAME_BYTES_MAX).contains(&self.name.len())
            && !self.name.contains(char::is_control);
        let keys = self.enrolment.len() <= ENROLMENT_MAX;
        let revoked = self.revoked.windows(2).all(|pair| pair[0] < pair[1]);
        let vocabulary = vocabulary::check(&self.vocabulary).is_ok();
        if numbers && name && keys && revoked && vocabulary {
            Ok(())
        } else {
            Err(DescriptorError::OutOfRange)
        }
    }
}

/// Why a descriptor was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DescriptorError {
    /// Not a descriptor in the one encoding.
    #[error("the descriptor cannot be read: {0}")]
    Bytes(#[from] DecodeError),
    /// A number or name that no community can have, or an unsorted list.
    #[error("the descriptor holds a number or name outside its range")]
    OutOfRange,
    /// The community is not named after its founder, or the founder's key did not vouch for the one that signs.
    #[error("the descriptor's authority is not the community's founder, nor vouched for by it")]
    Authority,
    /// Not signed by the authority that it names.
    #[error("the descriptor's signature is not its authority's")]
    Signature,
}

/// A descriptor as it travels and is stored: bytes as signed, and the authority's signature over them.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SignedDescriptor {
    #[n(0)]
    bytes: ByteVec,
    #[n(1)]
    signature: Signature,
    /// From the founding key to the one that signs; absent where they are the same.
    #[n(2)]
    successions: Option<Vec<Succession>>,
}

impl SignedDescriptor {
    /// Signs `descriptor` with the key of the authority that founded the community.
    ///
    /// # Errors
    ///
    /// Refuses numbers outside their ranges, and a key that is not the descriptor's authority or founder.
    pub fn sign(descriptor: &Descriptor, authority: &SigningKey) -> Result<Self, DescriptorError> {
        Self::sign_after(Vec::new(), descriptor, authority)
    }

    /// Signs with the key that `successions` lead to.
    pub(crate) fn sign_after(
        successions: Vec<Succession>,
        descriptor: &Descriptor,
        authority: &SigningKey,
    ) -> Result<Self, DescriptorError> {
        if authority.node() != descriptor.authority {
            return Err(DescriptorError::Signature);
        }
        let bytes = encode(descriptor);
        let signature = authority.sign(DOMAIN, &bytes);
        let signed = Self {
            bytes: bytes.into(),
            signature,
            successions: Some(successions).filter(|list| !list.is_empty()),
        };
        signed.open()?;
        Ok(signed)
    }

    /// Names exactly this descriptor: every plan binds it.
    pub fn digest(&self) -> Digest {
        Digest::of(DOMAIN, &[&self.bytes])
    }

    /// How long the bytes are that the authority signed.
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// How the authority's key came down from the founder's.
    pub fn successions(&self) -> &[Succession] {
        self.successions.as_deref().unwrap_or_default()
    }

    /// Reads and checks it: one signature check, and one more for each time that the authority changed its key.
    ///
    /// # Errors
    ///
    /// See [`DescriptorError`].
    pub fn open(&self) -> Result<Descriptor, DescriptorError> {
        let descriptor: Descriptor = decode(&self.bytes, DESCRIPTOR_BYTES_MAX)?;
        let successions = self.successions();
        let one_form = self.successions.is_none() != successions.is_empty();
        if one_form || successions.len() > SUCCESSIONS_MAX {
            return Err(DescriptorError::Authority);
        }
        let mut batch = Batch::new();
        batch.push(descriptor.authority, DOMAIN, &self.bytes, &self.signature);
        let founder = successions
            .first()
            .map_or(descriptor.authority, |first| first.old);
        if descriptor.community != Descriptor::community_of(&descriptor.name, founder)
            || !Succession::lead_to(successions, &descriptor, &mut batch)
        {
            return Err(DescriptorError::Authority);
        }
        batch.verify().map_err(|FirstBad(which)| match which {
            0 => DescriptorError::Signature,
            _ => DescriptorError::Authority,
        })?;
        descriptor.check()?;
        Ok(descriptor)
    }
}

/// A checked descriptor with its digest: what a node knows about its community.
#[derive(Debug, Clone)]
pub struct Community {
    descriptor: Descriptor,
    digest: Digest,
    signed: SignedDescriptor,
}

impl Community {
    /// Opens a signed descriptor.
    ///
    /// # Errors
    ///
    /// See [`DescriptorError`].
    pub fn open(signed: SignedDescriptor) -> Result<Self, DescriptorError> {
        Ok(Self {
            descriptor: signed.open()?,
            digest: signed.digest(),
            signed,
        })
    }

    /// The descriptor's contents.
    pub fn descriptor(&self) -> &Descriptor {
        &self.descriptor
    }

    /// The descriptor's digest.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// The descriptor as signed.
    pub fn signed(&self) -> &SignedDescriptor {
        &self.signed
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::vocabulary::{Column, Kind};

    pub(crate) fn sample(authority: &SigningKey) -> Descriptor {
        Descriptor::founding("sample", authority.node(), 13)
    }

    fn key(number: u8) -> SigningKey {
        SigningKey::from_seed([number; 32])
    }

    #[test]
    fn opens_what_the_authority_signed() {
        let signed = SignedDescriptor::sign(&sample(&key(1)), &key(1)).unwrap();
        assert_eq!(signed.open().unwrap(), sample(&key(1)));
        let again: SignedDescriptor = decode(&encode(&signed), 1 << 16).unwrap();
        assert_eq!(again.digest(), signed.digest());
    }

    #[test]
    fn refuses_another_signer_and_changed_bytes() {
        let descriptor = sample(&key(1));
        assert_eq!(
            SignedDescriptor::sign(&descriptor, &key(2)).unwrap_err(),
            DescriptorError::Signature
        );
        let signed = SignedDescriptor::sign(&descriptor, &key(1)).unwrap();
        for at in 0..signed.bytes.len() {
            let mut changed = signed.clone();
            changed.bytes[at] ^= 1;
            assert!(changed.open().is_err(), "byte {at}");
        }
    }

    #[test]
    fn refuses_numbers_outside_their_ranges() {
        let table = |name: &str| Table {
            name: name.into(),
            columns: vec![Column {
                name: "hours".into(),
                kind: Kind::Text,
            }],
        };
        let named = |d: &mut Descriptor, name: &str| {
            d.name = name.into();
            d.community = Descriptor::community_of(name, d.authority);
        };
        let break_it: [&dyn Fn(&mut Descriptor); 13] = [
            &|d| d.enrolment = vec![NodeId([3; 32]); ENROLMENT_MAX + 1],
            &|d| named(d, ""),
            &|d| named(d, &"n".repeat(NAME_BYTES_MAX + 1)),
            &|d| named(d, "bell \u{7}"),
            &|d| d.vocabulary = vec![table("sleep"), table("sleep")],
            &|d| d.vocabulary = vec![table("")],
            &|d| d.nodes = 0,
            &|d| d.colluders = d.nodes,
            &|d| d.alpha = f64::NAN,
            &|d| d.alpha = 1.0,
            &|d| d.offline_permille = 1000,
            &|d| d.min_crowd = 0,
            &|d| d.revoked = vec![NodeId([2; 32]), NodeId([1; 32])],
        ];
        for (index, change) in break_it.iter().enumerate() {
            let mut descriptor = sample(&key(1));
            change(&mut descriptor);
            let result = SignedDescriptor::sign(&descriptor, &key(1));
            assert_eq!(
                result.unwrap_err(),
                DescriptorError::OutOfRange,
                "case {index}"
            );
        }
    }
}
