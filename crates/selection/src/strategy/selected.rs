//! The result of any strategy, with the evidence that its verifiers ask for.

use base::{Digest, Instant, NodeId, Region, encode};
use crypto::{Certificate, Signature};
use minicbor::{Decode, Encode};
use overlay::NodeCache;

use super::checker::Checker;
use super::fault::Breach;
use super::list::{SignedList, check_seats};
use super::lot::{near_region, near_size, points, ranks};
use super::name::Strategy;
use super::random::{CommittedRandom, Part, check_parts, hashes_of, value_of};
use crate::fault::Misbehaviour;
use crate::limit::{SEATS_MAX, WITNESSES_MAX, at_most};
use crate::random::Draw;
use crate::rules::Rules;
use crate::site::point_of;

/// Selected actors.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Selected {
    /// What they were drawn for, as their holder says: as in the paper no signature covers it.
    #[n(0)]
    pub draw: Draw,
    /// Who they are, and why.
    #[n(1)]
    pub evidence: Evidence,
}

/// What a verifier is shown.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Evidence {
    /// Cost-optimal: the actors that T picked.
    #[n(0)]
    Picked(#[cbor(n(0), decode_with = "at_most::<SEATS_MAX, _, _>")] Vec<Certificate>),
    /// Security-optimal: C + 1 parts, ascending by node, then the actors.
    #[n(1)]
    Ranked(
        #[cbor(n(0), decode_with = "at_most::<WITNESSES_MAX, _, _>")] Vec<Part>,
        #[cbor(n(1), decode_with = "at_most::<SEATS_MAX, _, _>")] Vec<Certificate>,
    ),
    /// ES.NAV: what S chose.
    #[n(2)]
    EsNav(#[n(0)] Box<Choice>),
    /// ES.AV: what S chose, then the actors' certificates in order of the seats.
    #[n(3)]
    EsAv(
        #[n(0)] Box<Choice>,
        #[cbor(n(1), decode_with = "at_most::<SEATS_MAX, _, _>")] Vec<Certificate>,
    ),
    /// M.Hash: the random, then the actors, each near its point.
    #[n(4)]
    Hashed(
        #[n(0)] Box<CommittedRandom>,
        #[cbor(n(1), decode_with = "at_most::<SEATS_MAX, _, _>")] Vec<Certificate>,
    ),
    /// SEP2P as in the paper: VAL.
    #[n(5)]
    Listed(#[n(0)] Box<SignedList>),
}

/// The actors that S chose, in its own word.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Choice {
    /// VRND_T, which makes S the setter.
    #[n(0)]
    pub random: CommittedRandom,
    /// S.
    #[n(1)]
    pub setter: Certificate,
    /// When it chose.
    #[n(2)]
    pub at: Instant,
    /// Whom it chose.
    #[cbor(n(3), decode_with = "at_most::<SEATS_MAX, _, _>")]
    pub actors: Vec<NodeId>,
    /// Over RND_T, the actors and the time.
    #[n(4)]
    pub signature: Signature,
}

impl Choice {
    /// Signature domain of a setter's choice.
    pub const DOMAIN: &str = "setter's choice";

    /// The bytes that S signs.
    pub fn signed_bytes(random: &Digest, actors: &[NodeId], at: Instant) -> Vec<u8> {
        encode(&(random, actors, at))
    }

    /// Checks S's signature: one signature check.
    ///
    /// # Errors
    ///
    /// [`Breach::Time`] or [`Breach::Signature`].
    pub fn check_signature(
        &self,
        random: &Digest,
        checker: &mut Checker<'_>,
    ) -> Result<(), Breach> {
        let bytes = Self::signed_bytes(random, &self.actors, self.at);
        let signed = (self.at, &bytes[..]);
        checker.signature(self.setter.node(), Self::DOMAIN, signed, &self.signature)
    }

    /// The random, S's certificate, that S sits near the random's point, and S's signature: 2k + 3 signature checks.
    fn check(&self, checker: &mut Checker<'_>) -> Result<(), Breach> {
        check_seats(&self.actors)?;
        let random = self.random.check(checker)?;
        checker.certificate(&self.setter)?;
        let rules = checker.rules();
        let near = near_region(rules, point_of(&random), tolerance(rules));
        if !near.contains(self.setter.location()) {
            return Err(Breach::NotNear);
        }
        self.check_signature(&random, checker)
    }

    /// S's certificate and signature, and all that the random takes.
    fn checks(&self) -> usize {
        self.random.checks() + 2
    }
}

/// What a check found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Asymmetric operations that it took.
    pub checks: usize,
}

impl Selected {
    /// By which strategy. A verifier accepts the one of its community only: each proves what its strategy promises, and
    /// some promise little.
    pub fn strategy(&self) -> Strategy {
        match &self.evidence {
            Evidence::Picked(_) => Strategy::CostOptimal,
            Evidence::Ranked(..) => Strategy::SecurityOptimal,
            Evidence::EsNav(_) => Strategy::EsNav,
            Evidence::EsAv(..) => Strategy::EsAv,
            Evidence::Hashed(..) => Strategy::MHash,
            Evidence::Listed(_) => Strategy::Paper,
        }
    }

    /// The actors, in order of their seats.
    pub fn actors(&self) -> Vec<NodeId> {
        match &self.evidence {
            Evidence::Picked(actors)
            | Evidence::Ranked(_, actors)
            | Evidence::Hashed(_, actors) => names(actors),
            Evidence::EsNav(choice) | Evidence::EsAv(choice, _) => choice.actors.clone(),
            Evidence::Listed(list) => list.actors.clone(),
        }
    }

    /// How many asymmetric operations [`verify`](Self::verify) takes:
    ///
    /// | strategy | ours | the paper | ours counts besides |
    /// |---|---|---|---|
    /// | cost-optimal | A | A | |
    /// | security-optimal | 2 (C + 1) + A | 2 (C + 1) + A | |
    /// | ES.NAV | 2k + 3 | 2k | cert_T, S's certificate, S's signature |
    /// | ES.AV | 2k + A + 3 | 2k + A + 1 | cert_T, S's signature |
    /// | M.Hash | 2k + A + 1 | 2k + A | cert_T |
    /// | paper | 2k | 2k | |
    ///
    /// §3.4 has cert_T checked, in pass (i), and §4.2 leaves it out. S signs its choice, which the paper does not say:
    /// else anyone could speak for S.
    pub fn checks(&self) -> usize {
        match &self.evidence {
            Evidence::Picked(actors) => actors.len(),
            Evidence::Ranked(parts, actors) => 2 * parts.len() + actors.len(),
            Evidence::EsNav(choice) => choice.checks(),
            Evidence::EsAv(choice, actors) => choice.checks() + actors.len(),
            Evidence::Hashed(random, actors) => random.checks() + actors.len(),
            Evidence::Listed(list) => 2 * list.signers.len(),
        }
    }

    /// What a verifier of this strategy checks when it knows none of the nodes (a DHT). `at` is the time of use.
    ///
    /// `digest` is the question in hand. It is compared with what the holder says: as in the paper no signature binds it.
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn verify(&self, rules: &Rules, at: Instant, digest: Digest) -> Result<Verified, Breach> {
        if self.draw.digest != digest {
            return Err(Breach::OtherDigest);
        }
        let mut checker = Checker::new(rules, at);
        match &self.evidence {
            Evidence::Picked(actors) => check_genuine(actors, &mut checker)?,
            Evidence::Ranked(parts, actors) => {
                check_ranked(rules, parts)?;
                check_parts(parts, &hashes_of(parts), &mut checker)?;
                check_genuine(actors, &mut checker)?;
            }
            Evidence::EsNav(choice) => choice.check(&mut checker)?,
            Evidence::EsAv(choice, actors) => {
                if names(actors) != choice.actors {
                    return Err(Breach::OtherActors);
                }
                choice.check(&mut checker)?;
                check_genuine(actors, &mut checker)?;
            }
            Evidence::Hashed(random, actors) => {
                let random = random.check(&mut checker)?;
                check_near(rules, &random, actors)?;
                check_genuine(actors, &mut checker)?;
            }
            Evidence::Listed(list) => list.check(&mut checker)?,
        }
        Ok(Verified {
            checks: checker.made(),
        })
    }

    /// What a verifier checks that knows all nodes of the network (a full mesh, §3.1): 0 signatures for cost-optimal, C + 1
    /// for security-optimal, whose actors are now known to be the drawn ones. Otherwise as [`verify`](Self::verify).
    ///
    /// # Errors
    ///
    /// The first check that fails.
    pub fn verify_in_mesh(
        &self,
        rules: &Rules,
        mesh: &NodeCache,
        at: Instant,
        digest: Digest,
    ) -> Result<Verified, Breach> {
        let known = |certificate: &Certificate| {
            let contact = mesh.get(certificate.node());
            contact.is_some_and(|contact| contact.certificate() == certificate)
        };
        let mut checker = Checker::new(rules, at);
        match &self.evidence {
            _ if self.draw.digest != digest => return Err(Breach::OtherDigest),
            Evidence::Picked(actors) => {
                check_seats(&names(actors))?;
                if !actors.iter().all(known) {
                    return Err(Breach::NotInMesh);
                }
            }
            Evidence::Ranked(parts, actors) => {
                check_ranked(rules, parts)?;
                if !parts.iter().all(|part| known(&part.certificate)) {
                    return Err(Breach::NotInMesh);
                }
                let drawn = by_rank(mesh, &value_of(parts), actors.len());
                if drawn.ok_or(Breach::Seats)? != names(actors) {
                    return Err(Breach::Rank);
                }
                let hashes = hashes_of(parts);
                for part in parts {
                    part.check_signature(&hashes, &mut checker)?;
                }
            }
            _ => return self.verify(rules, at, digest),
        }
        Ok(Verified {
            checks: checker.made(),
        })
    }
}

/// The accepted chance that no node at all is "near" a point: α.
pub fn tolerance(rules: &Rules) -> f64 {
    rules.community().descriptor().alpha
}

/// §3.1: the actors that a random names in the sorted list of all nodes. `None` when there are fewer nodes than seats.
pub fn by_rank(mesh: &NodeCache, random: &Digest, seats: usize) -> Option<Vec<NodeId>> {
    let mut all: Vec<_> = mesh.iter().map(|contact| contact.node()).collect();
    all.sort_unstable();
    let ranks = ranks(random, all.len(), seats)?;
    Some(ranks.into_iter().map(|rank| all[rank]).collect())
}

fn names(certificates: &[Certificate]) -> Vec<NodeId> {
    let nodes = certificates.iter().map(|certificate| certificate.node());
    nodes.collect()
}

/// Distinct genuine nodes: one signature check each.
fn check_genuine(actors: &[Certificate], checker: &mut Checker<'_>) -> Result<(), Breach> {
    check_seats(&names(actors))?;
    let mut actors = actors.iter();
    checker.together(|checker| actors.try_for_each(|actor| checker.certificate(actor)))
}

/// C + 1 distinct participants, so that one is honest.
fn check_ranked(rules: &Rules, parts: &[Part]) -> Result<(), Breach> {
    if parts.len() as u64 != rules.community().descriptor().colluders + 1 {
        return Err(Misbehaviour::NoSuchRow.into());
    }
    if !parts.is_sorted_by(|a, b| a.node() < b.node()) {
        return Err(Misbehaviour::Order.into());
    }
    Ok(())
}

/// Each actor sits near its point.
fn check_near(rules: &Rules, random: &Digest, actors: &[Certificate]) -> Result<(), Breach> {
    let size = near_size(rules.community().descriptor().nodes, tolerance(rules));
    let points = points(random, actors.len());
    let near =
        |(point, actor): (_, &Certificate)| Region::new(point, size).contains(actor.location());
    if points.into_iter().zip(actors).all(near) {
        Ok(())
    } else {
        Err(Breach::NotNear)
    }
}
