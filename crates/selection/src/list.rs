//! The actor list: the drawn helpers, with the 2k signature checks that convince anyone (SEP2P §3.5 step 9).

use std::collections::BTreeSet;

use base::{Digest, Instant, Location, NodeId, encode};
use community::{ContactError, Descriptor, check_certificate_in};
use crypto::{Batch, Certificate, CertificateError, FirstBad, Signature};
use minicbor::{Decode, Encode};

use crate::fault::Misbehaviour;
use crate::limit::{SEATS_MAX, WITNESSES_MAX, at_most};
use crate::random::{DRAW_TOLERANCE, Draw, check_legitimate};
use crate::rules::Rules;
use crate::site::Site;

const DOMAIN: &str = "actor list";

/// What the list builders sign.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ListBody {
    /// The descriptor under which it was drawn.
    #[n(0)]
    pub descriptor: Digest,
    /// What it was drawn for.
    #[n(1)]
    pub draw: Draw,
    /// RND_T, which each builder has checked.
    #[n(2)]
    pub random: Digest,
    /// The execution setter (S).
    #[n(3)]
    pub setter: NodeId,
    /// When the setter began.
    #[n(4)]
    pub at: Instant,
    /// The actors; their roles follow this order.
    #[cbor(n(5), decode_with = "at_most::<SEATS_MAX, _, _>")]
    pub actors: Vec<NodeId>,
    /// Which of the random's points it was drawn around.
    #[n(6)]
    pub site: Site,
}

impl ListBody {
    /// The bytes that builders sign.
    pub fn signed_bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Signature domain of a list.
    pub const DOMAIN: &str = DOMAIN;
}

/// One list builder's signature.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Builder {
    /// The builder (SL).
    #[n(0)]
    pub certificate: Certificate,
    /// Over the list's body.
    #[n(1)]
    pub signature: Signature,
}

/// A verifiable actor list.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ActorList {
    /// What is signed.
    #[n(0)]
    pub body: ListBody,
    /// k builders, nearest to the drawn point first.
    #[cbor(n(1), decode_with = "at_most::<WITNESSES_MAX, _, _>")]
    pub builders: Vec<Builder>,
}

impl ActorList {
    /// Names exactly this list.
    pub fn digest(&self) -> Digest {
        Digest::of(DOMAIN, &[&self.body.signed_bytes()])
    }

    /// The drawn point, around which the actors sit.
    pub fn point(&self) -> Location {
        self.body.site.point(&self.body.random)
    }

    /// The actors, in order of their roles.
    pub fn actors(&self) -> &[NodeId] {
        &self.body.actors
    }

    /// The seat of `node`, if it has one.
    pub fn seat(&self, node: NodeId) -> Option<usize> {
        self.body.actors.iter().position(|actor| *actor == node)
    }

    /// Number of signature checks that [`ActorList::verify`] makes: 2k, whatever N and the number of actors are.
    pub fn checks(&self) -> usize {
        2 * self.builders.len()
    }

    /// Checks that this list was drawn for `digest` by k legitimate nodes, one of which is honest but for a chance below
    /// α: exactly 2k signature checks. `at` is the time of use, so that an archived list stays checkable.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn verify(&self, rules: &Rules, at: Instant, digest: Digest) -> Result<(), Misbehaviour> {
        let body = &self.body;
        if body.draw.digest != digest {
            return Err(Misbehaviour::OtherDigest);
        }
        if body.descriptor != rules.community().digest() {
            return Err(Misbehaviour::OtherDescriptor);
        }
        if body.at.distance(at) > DRAW_TOLERANCE {
            return Err(Misbehaviour::Time);
        }
        self.check_seats()?;
        if !body.site.is_valid() {
            return Err(Misbehaviour::Site);
        }
        let point = self.point();
        let excluded = [body.draw.trigger, body.setter];
        let signed = (DOMAIN, &body.signed_bytes()[..]);
        check_builders(rules, at, point, &excluded, &self.builders, signed)
    }

    fn check_seats(&self) -> Result<(), Misbehaviour> {
        let actors = self.actors();
        if actors.is_empty() || actors.len() > SEATS_MAX {
            return Err(Misbehaviour::Seats);
        }
        let distinct: BTreeSet<_> = actors.iter().collect();
        if distinct.len() != actors.len() || distinct.contains(&self.body.draw.trigger) {
            return Err(Misbehaviour::DoubleSeat);
        }
        Ok(())
    }
}

/// Checks that `builders` are k legitimate nodes of `point` who signed these bytes in this domain: 2k signature checks.
///
/// # Errors
///
/// The first check that fails.
pub fn check_builders(
    rules: &Rules,
    at: Instant,
    point: Location,
    excluded: &[NodeId],
    builders: &[Builder],
    (domain, bytes): (&str, &[u8]),
) -> Result<(), Misbehaviour> {
    let signers: Vec<_> = builders.iter().map(|one| &one.certificate).collect();
    check_legitimate(rules, point, &signers, excluded)?;
    let descriptor = rules.community().descriptor();
    let mut batch = Batch::new();
    for Builder {
        certificate,
        signature,
    } in builders
    {
        check_certificate_in(&mut batch, certificate, descriptor, at)?;
        batch.push(certificate.node(), domain, bytes, signature);
    }
    batch.verify().map_err(of_signer)
}

/// What it means that a signature does not hold, when each signer's certificate is followed by what it signed.
pub fn of_signer(FirstBad(which): FirstBad) -> Misbehaviour {
    if which % 2 == 0 {
        ContactError::from(CertificateError::BadSignature).into()
    } else {
        Misbehaviour::Signature
    }
}

/// Checks one builder's candidates: ascending, without the trigger and without revoked nodes.
///
/// # Errors
///
/// [`Misbehaviour::Candidates`].
pub fn check_candidates(
    descriptor: &Descriptor,
    trigger: NodeId,
    candidates: &[NodeId],
) -> Result<(), Misbehaviour> {
    let ascending = candidates.windows(2).all(|pair| pair[0] < pair[1]);
    let barred = |node: &NodeId| *node == trigger || descriptor.is_revoked(*node);
    if ascending && !candidates.iter().any(barred) {
        Ok(())
    } else {
        Err(Misbehaviour::Candidates)
    }
}

/// Puts `candidates` in the order that the setter's random gives them and seats the first `seats` (SEP2P §3.5 step 8e).
///
/// The paper orders by key XOR random; a hash of both gives each candidate the same chance whatever its key looks like.
pub fn seat_by_lot(candidates: &BTreeSet<NodeId>, random: &Digest, seats: usize) -> Vec<NodeId> {
    let lot = |node: &NodeId| Digest::of("seat", &[&random.0, node.as_bytes()]);
    let mut order: Vec<_> = candidates.iter().copied().collect();
    order.sort_by_cached_key(lot);
    order.truncate(seats);
    order
}
