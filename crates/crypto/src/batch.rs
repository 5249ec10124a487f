//! The one rule by which everyone judges signatures, alone or many together.
//!
//! A signature (R, S) of key A over a message holds when
//!
//! * S is below the group order;
//! * A and R are points in their one canonical encoding, neither of small order;
//! * 8 (S B − k A − R) = 0, with k = SHA-512(R ‖ A ‖ message) modulo the group order.
//!
//! RFC 8032 §5.1.7 leaves the factor 8, the cofactor, open, and libraries differ. Two nodes that differ would hold one list
//! for valid and for forged, and a rule without the cofactor cannot be batched: parts of small order, which a signer can
//! put into R and A, may cancel in a sum. With it they vanish from each equation, so that all lie in the group of prime
//! order. A sum of them under factors of 128 bits is zero when all are, and otherwise with a chance of 2^-128. The factors
//! are a hash of all that is summed: no entropy is needed, and everyone finds the same result.

use std::collections::BTreeMap;

use base::NodeId;
use curve25519_dalek::constants::ED25519_BASEPOINT_POINT;
use curve25519_dalek::traits::{IsIdentity, VartimeMultiscalarMul};
use curve25519_dalek::{EdwardsPoint, Scalar};
use sha2::{Digest as _, Sha512};
use thiserror::Error;

use crate::charged;
use crate::count::count;
use crate::keys::{Signature, public_point, signed_digest};
use crate::remembering;

/// Signatures that are checked together, in about half the time of one by one. Each is held for valid or not exactly as
/// [`verify`](crate::verify) holds it, but for a chance of 2^-128.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    checks: Vec<Check>,
}

/// The signature pushed at this place, from 0, is the first that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("signature {0} does not hold")]
pub struct FirstBad(pub usize);

impl Batch {
    /// Nothing to check.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the question whether `signer` signed `message` for the use that `domain` names.
    pub fn push(&mut self, signer: NodeId, domain: &str, message: &[u8], signature: &Signature) {
        self.push_raw(signer, signed_digest(domain, message).as_bytes(), signature);
    }

    /// Over the bytes themselves.
    pub(crate) fn push_raw(&mut self, signer: NodeId, bytes: &[u8], signature: &Signature) {
        self.checks.push(Check::new(signer, bytes, signature));
    }

    /// How many signatures are checked.
    pub fn len(&self) -> usize {
        self.checks.len()
    }

    /// Whether there is nothing to check.
    pub fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    /// Whether all hold.
    ///
    /// # Errors
    ///
    /// Names the first that does not.
    pub fn verify(&self) -> Result<(), FirstBad> {
        if self.all_hold() {
            return Ok(());
        }
        let bad = self.checks.iter().position(|check| !check.holds());
        bad.map_or(Ok(()), |place| Err(FirstBad(place)))
    }

    fn all_hold(&self) -> bool {
        if charged::is_on() {
            return self.checks.iter().all(Check::holds);
        }
        let fresh: Vec<_> = self
            .checks
            .iter()
            .filter(|check| !check.is_known())
            .collect();
        // A community's certificates have one issuer: its key is read once.
        let mut signers = BTreeMap::new();
        let mut equation = |check: &Check| {
            let signer = signers.entry(check.signer);
            let a = *signer.or_insert_with(|| public_point(check.signer.as_bytes()));
            check.equation_of(a?)
        };
        let equations: Option<Vec<_>> = fresh.iter().map(|check| equation(check)).collect();
        let hold = equations.is_some_and(|equations| sum(&fresh, &equations).is_identity());
        if hold {
            fresh.into_iter().for_each(Check::remember);
        }
        hold
    }
}

/// One signature, and what its message comes to.
#[derive(Debug, Clone)]
pub(crate) struct Check {
    signer: NodeId,
    r: [u8; 32],
    s: [u8; 32],
    k: Scalar,
    /// Where signatures are charged: whether this one is what stands for one.
    charged: Option<bool>,
}

/// A and R with S below the group order.
struct Equation {
    a: EdwardsPoint,
    r: EdwardsPoint,
    s: Scalar,
}

impl Check {
    pub(crate) fn new(signer: NodeId, bytes: &[u8], Signature(signature): &Signature) -> Self {
        count(|done| &mut done.checked);
        let (mut r, mut s) = ([0; 32], [0; 32]);
        r.copy_from_slice(&signature[..32]);
        s.copy_from_slice(&signature[32..]);
        let charged = charged::is_on().then(|| {
            let expected = charged::signature(signer.as_bytes(), bytes);
            expected == *signature
        });
        if charged.is_some() {
            let k = Scalar::ZERO;
            return Self {
                signer,
                r,
                s,
                k,
                charged,
            };
        }
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(signer.as_bytes())
            .chain_update(bytes);
        let k = Scalar::from_bytes_mod_order_wide(&hash.finalize().into());
        Self {
            signer,
            r,
            s,
            k,
            charged,
        }
    }

    fn equation(&self) -> Option<Equation> {
        self.equation_of(public_point(self.signer.as_bytes())?)
    }

    /// With the signer's key, read.
    fn equation_of(&self, a: EdwardsPoint) -> Option<Equation> {
        Some(Equation {
            a,
            r: public_point(&self.r)?,
            s: Option::from(Scalar::from_canonical_bytes(self.s))?,
        })
    }

    /// The rule for one signature.
    pub(crate) fn holds(&self) -> bool {
        if let Some(holds) = self.charged {
            return holds;
        }
        if self.is_known() {
            return true;
        }
        let holds = self.equation().is_some_and(|Equation { a, r, s }| {
            let expected = EdwardsPoint::vartime_double_scalar_mul_basepoint(&self.k, &-a, &s);
            (expected - r).is_small_order()
        });
        if holds {
            self.remember();
        }
        holds
    }

    fn is_known(&self) -> bool {
        remembering::is_known(|| self.name())
    }

    fn remember(&self) {
        remembering::remember(|| self.name());
    }

    /// R, signer and message are in k.
    fn name(&self) -> remembering::Name {
        (self.k.to_bytes(), self.s)
    }
}

/// Eight times the sum of all equations under their factors.
fn sum(checks: &[&Check], equations: &[Equation]) -> EdwardsPoint {
    let factors = factors(checks);
    let mut of_base = Scalar::ZERO;
    // A community's certificates have one issuer: its point is multiplied once.
    let mut of_signers = BTreeMap::new();
    for ((check, equation), z) in checks.iter().zip(equations).zip(&factors) {
        of_base += z * equation.s;
        let (_, sum) = of_signers
            .entry(check.signer)
            .or_insert((equation.a, Scalar::ZERO));
        *sum -= z * check.k;
    }
    let (points, scalars): (Vec<_>, Vec<_>) = of_signers.into_values().unzip();
    // A short factor is cheap while it is positive: the point takes the sign.
    let negated = equations.iter().map(|equation| -equation.r);
    let points = [ED25519_BASEPOINT_POINT]
        .into_iter()
        .chain(points)
        .chain(negated);
    let scalars = [of_base].into_iter().chain(scalars).chain(factors);
    EdwardsPoint::vartime_multiscalar_mul(scalars, points).mul_by_cofactor()
}

/// 128 bits for each check, which nobody knows before all checks are chosen.
fn factors(checks: &[&Check]) -> Vec<Scalar> {
    let all = checks.iter().fold(Sha512::new(), |hash, check| {
        // The message is in k.
        let parts = hash.chain_update(check.signer.as_bytes());
        let parts = parts.chain_update(check.r).chain_update(check.s);
        parts.chain_update(check.k.as_bytes())
    });
    let seed = all.finalize();
    let factor = |place: u64| {
        let hash = Sha512::new().chain_update(seed);
        let hash = hash.chain_update(place.to_be_bytes()).finalize();
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash[..16]);
        Scalar::from(u128::from_le_bytes(bytes))
    };
    (0..checks.len() as u64).map(factor).collect()
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::EIGHT_TORSION;
    use proptest::prelude::*;

    use super::*;
    use crate::SigningKey;
    use crate::keys::tests::{SMALL_ORDER, add_group_order};

    /// A signature of a secret scalar, with these points of small order added to A and R.
    fn signed(secret: u64, message: &[u8], in_a: usize, in_r: usize) -> Check {
        let (a, r) = (
            Scalar::from(secret | 1),
            Scalar::from(secret ^ 0x5555) + Scalar::ONE,
        );
        let point = |scalar: Scalar, torsion: usize| {
            (EdwardsPoint::mul_base(&scalar) + EIGHT_TORSION[torsion % 8]).compress()
        };
        let signer = NodeId(point(a, in_a).to_bytes());
        let mut bytes = [0; 64];
        bytes[..32].copy_from_slice(point(r, in_r).as_bytes());
        let k = Check::new(signer, message, &Signature(bytes)).k;
        bytes[32..].copy_from_slice((r + k * a).as_bytes());
        Check::new(signer, message, &Signature(bytes))
    }

    fn alone(check: &Check) -> bool {
        let batch = Batch {
            checks: vec![check.clone()],
        };
        assert_eq!(batch.verify().is_ok(), check.holds());
        check.holds()
    }

    /// Whoever is asked, and together with whatever else, says the same.
    fn agrees(checks: &[Check]) {
        let first_bad = checks.iter().position(|check| !alone(check));
        let batch = Batch {
            checks: checks.to_vec(),
        };
        assert_eq!(batch.all_hold(), first_bad.is_none());
        assert_eq!(
            batch.verify(),
            first_bad.map_or(Ok(()), |bad| Err(FirstBad(bad)))
        );
    }

    #[test]
    fn nothing_holds() {
        assert!(Batch::new().is_empty());
        assert_eq!(Batch::new().verify(), Ok(()));
    }

    /// All eight, in every way that they can be written, as key and as R, beside honest signatures.
    #[test]
    fn points_of_small_order_are_refused_alone_and_in_company() {
        let honest = [signed(1, b"m", 0, 0), signed(2, b"m", 0, 0)];
        let good = SigningKey::from_seed([7; 32]).node();
        for small in SMALL_ORDER {
            for other in SMALL_ORDER.into_iter().chain([good.0]) {
                for (key, r) in [(small, other), (other, small)] {
                    let mut bytes = [0; 64];
                    bytes[..32].copy_from_slice(&r);
                    let check = Check::new(NodeId(key), b"m", &Signature(bytes));
                    assert!(!alone(&check));
                    agrees(&[honest[0].clone(), check, honest[1].clone()]);
                }
            }
        }
    }

    /// Signatures that only hold with the cofactor: libraries disagree on them, and sums under factors of theirs hold by
    /// luck. Here they hold always.
    #[test]
    fn parts_of_small_order_count_for_nothing() {
        let every: Vec<_> = (0..64)
            .map(|pair| signed(pair as u64 + 9, b"m", pair / 8, pair % 8))
            .collect();
        assert!(every.iter().all(alone));
        agrees(&every);
    }

    #[test]
    fn a_second_way_to_write_s_is_refused() {
        let mut check = signed(3, b"m", 0, 0);
        add_group_order(&mut check.s);
        assert!(!alone(&check));
        agrees(&[signed(4, b"m", 0, 0), check]);
    }

    /// Two errors that would cancel in a plain sum.
    #[test]
    fn errors_do_not_cancel() {
        let (mut one, mut other) = (signed(3, b"m", 0, 0), signed(3, b"m", 0, 0));
        let shift = |check: &Check, by: Scalar| {
            let s: Option<Scalar> = Scalar::from_canonical_bytes(check.s).into();
            (s.unwrap() + by).to_bytes()
        };
        one.s = shift(&one, Scalar::ONE);
        other.s = shift(&other, -Scalar::ONE);
        agrees(&[one, other]);
    }

    #[test]
    fn names_are_part_of_the_question() {
        let key = SigningKey::from_seed([1; 32]);
        let signature = key.sign("domain", b"message");
        let mut batch = Batch::new();
        batch.push(key.node(), "domain", b"message", &signature);
        assert_eq!((batch.len(), batch.verify()), (1, Ok(())));
        batch.push(key.node(), "other", b"message", &signature);
        assert_eq!(batch.verify(), Err(FirstBad(1)));
    }

    proptest! {
        #[test]
        fn one_judgement_whatever_the_company(
            signatures in proptest::collection::vec((0..5u64, 0..8usize, 0..8usize, 0..12usize), 0..12),
            byte in 0..64usize,
        ) {
            let checks: Vec<_> = signatures.iter().map(|&(secret, in_a, in_r, change)| {
                let mut check = signed(secret, b"m", in_a, in_r);
                match change {
                    0 => check.r[byte % 32] ^= 1,
                    1 => check.s[byte % 32] ^= 1,
                    2 => check.signer.0[byte % 32] ^= 1,
                    3 => check.k += Scalar::ONE,
                    _ => {}
                }
                check
            }).collect();
            agrees(&checks);
        }
    }
}
