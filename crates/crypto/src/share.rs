//! Secret shares: vectors over a prime field, split into random-looking parts that add up to them.

use std::fmt;

use base::{Digest, Rng, encode};
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode};
use prio::field::{Field64, FieldElement as _};
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::{DefaultIsZeroes, Zeroize, ZeroizeOnDrop, Zeroizing};

/// A vector of at most [`MAX_LEN`](Self::MAX_LEN) integers modulo [`MODULUS`](Self::MODULUS).
///
/// Whether it holds a person's values, a share or a sum, it is treated as a secret: never printed, erased when
/// dropped, compared in constant time. On the wire one CBOR byte string, each element as 8 bytes, little endian.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Vector(Vec<Element>);

impl Vector {
    /// The prime 2^64 − 2^32 + 1, the field of 64 bits that Prio3 uses (RFC draft `irtf-cfrg-vdaf`, `Field64`).
    pub const MODULUS: u64 = 0xffff_ffff_0000_0001;

    /// The greatest number of elements, 8 MiB on the wire. A guess at what nobody needs to exceed.
    pub const MAX_LEN: usize = 1 << 20;

    /// `len` zeros.
    ///
    /// # Panics
    ///
    /// When `len` exceeds [`MAX_LEN`](Self::MAX_LEN): check lengths that a peer names first.
    pub fn zeros(len: usize) -> Self {
        assert!(
            len <= Self::MAX_LEN,
            "a vector has at most {} elements",
            Self::MAX_LEN
        );
        Self(vec![Element::default(); len])
    }

    /// These integers.
    ///
    /// # Errors
    ///
    /// When there are too many, or one is not below [`MODULUS`](Self::MODULUS).
    pub fn from_u64s(values: &[u64]) -> Result<Self, VectorError> {
        if values.len() > Self::MAX_LEN {
            return Err(VectorError::TooLong { len: values.len() });
        }
        if values.iter().any(|&value| value >= Self::MODULUS) {
            return Err(VectorError::NotBelowModulus);
        }
        Ok(Self(
            values.iter().map(|&value| Element(value.into())).collect(),
        ))
    }

    /// The elements as integers below [`MODULUS`](Self::MODULUS).
    pub fn to_u64s(&self) -> Vec<u64> {
        self.0.iter().map(|element| element.0.into()).collect()
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds `other`, element by element.
    ///
    /// # Errors
    ///
    /// When the lengths differ; then nothing is changed.
    pub fn add(&mut self, other: &Self) -> Result<(), LengthMismatch> {
        self.check_len(other.len())?;
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(ours, theirs)| ours.0 += theirs.0);
        Ok(())
    }

    /// Subtracts `other`, element by element.
    ///
    /// # Errors
    ///
    /// When the lengths differ; then nothing is changed.
    pub fn sub(&mut self, other: &Self) -> Result<(), LengthMismatch> {
        self.check_len(other.len())?;
        self.0
            .iter_mut()
            .zip(&other.0)
            .for_each(|(ours, theirs)| ours.0 -= theirs.0);
        Ok(())
    }

    fn check_len(&self, expected: usize) -> Result<(), LengthMismatch> {
        if self.len() == expected {
            Ok(())
        } else {
            Err(LengthMismatch {
                expected,
                len: self.len(),
            })
        }
    }
}

impl PartialEq for Vector {
    /// In a time that depends on the lengths only.
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self
                .0
                .iter()
                .zip(&other.0)
                .fold(subtle::Choice::from(1), |equal, (a, b)| {
                    equal & a.0.ct_eq(&b.0)
                })
                .into()
    }
}

impl Eq for Vector {}

impl fmt::Debug for Vector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Vector(secret, {} elements)", self.len())
    }
}

impl<C> Encode<C> for Vector {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        let mut bytes = Zeroizing::new(Vec::with_capacity(8 * self.len()));
        for element in &self.0 {
            bytes.extend_from_slice(&u64::from(element.0).to_le_bytes());
        }
        e.bytes(&bytes)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Vector {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let (chunks, rest) = d.bytes()?.as_chunks::<8>();
        if !rest.is_empty() {
            return Err(decode::Error::message("expected 8 bytes per element"));
        }
        if chunks.len() > Self::MAX_LEN {
            return Err(decode::Error::message("too many elements"));
        }
        let values = Zeroizing::new(
            chunks
                .iter()
                .copied()
                .map(u64::from_le_bytes)
                .collect::<Vec<_>>(),
        );
        Self::from_u64s(&values)
            .map_err(|_| decode::Error::message("element not below the modulus"))
    }
}

/// Why integers or a share do not make a vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum VectorError {
    /// More elements than [`Vector::MAX_LEN`].
    #[error("{len} elements, a vector has at most {}", Vector::MAX_LEN)]
    TooLong {
        /// The number of elements asked for.
        len: usize,
    },
    /// An integer outside the field.
    #[error("an element is not below the field's modulus")]
    NotBelowModulus,
    /// The vector of a share is not as long as the vectors of this computation.
    #[error(transparent)]
    Length(#[from] LengthMismatch),
}

/// Two vectors that should be equally long are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a vector of {len} elements where {expected} are expected")]
pub struct LengthMismatch {
    /// The length asked for.
    pub expected: usize,
    /// The length found.
    pub len: usize,
}

/// One of the parts that [`split`] makes: uniformly random to whoever lacks one of the others.
#[derive(Clone, Zeroize, ZeroizeOnDrop, Encode, Decode)]
pub enum Share {
    /// 32 bytes that stand for the vector drawn from them.
    #[n(0)]
    Seed(#[cbor(n(0), with = "minicbor::bytes")] [u8; 32]),
    /// The vector itself.
    #[n(1)]
    Vector(#[n(0)] Vector),
}

impl Share {
    /// The vector of `len` elements that this share stands for.
    ///
    /// A seed keys ChaCha20 by the digest of domain "share seed"; each element is the next 8 bytes (little endian) of
    /// the stream that are below the modulus, so that all elements are equally likely.
    ///
    /// # Errors
    ///
    /// When `len` exceeds [`Vector::MAX_LEN`], or the share is a vector of another length.
    pub fn expand(&self, len: usize) -> Result<Vector, VectorError> {
        if len > Vector::MAX_LEN {
            return Err(VectorError::TooLong { len });
        }
        match self {
            Self::Seed(seed) => {
                let mut rng = Rng::from_seed(Digest::of("share seed", &[seed]).0);
                Ok(Vector(
                    (0..len).map(|_| Element::random(&mut rng)).collect(),
                ))
            }
            Self::Vector(vector) => {
                vector.check_len(len)?;
                Ok(vector.clone())
            }
        }
    }
}

impl PartialEq for Share {
    /// In a time that depends on the kinds and lengths only.
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Seed(a), Self::Seed(b)) => a.ct_eq(b).into(),
            (Self::Vector(a), Self::Vector(b)) => a == b,
            _ => false,
        }
    }
}

impl Eq for Share {}

impl fmt::Debug for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Seed(_) => f.write_str("Share(secret seed)"),
            Self::Vector(vector) => write!(f, "Share({vector:?})"),
        }
    }
}

/// Splits `values` into `m` shares whose expansions add up to them (design: aggregation, step 2).
///
/// The first share is a vector, the others are seeds. Any `m − 1` of them are independent of the values. A single
/// share (`m` = 1) is the values themselves: nothing is hidden.
///
/// # Panics
///
/// When `m` is zero: no shares add up to anything.
pub fn split(values: &Vector, m: usize, rng: &mut Rng) -> Vec<Share> {
    assert!(m > 0, "a vector is split into at least one share");
    let seeds: Vec<Share> = (1..m).map(|_| Share::Seed(rng.bytes32())).collect();
    let mut first = values.clone();
    for seed in &seeds {
        let mask = seed
            .expand(values.len())
            .expect("a vector is never longer than MAX_LEN");
        first
            .sub(&mask)
            .expect("a seed expands to the length asked for");
    }
    std::iter::once(Share::Vector(first)).chain(seeds).collect()
}

/// Binds a contributor to `share` without showing it: SHA-256 over context, salt and the share's encoding.
///
/// `context` names the question, the contributor and the lane; `salt` is fresh and secret until the share is shown,
/// because a share of few possible values could be guessed from a bare digest. What a share is, is the caller's business:
/// one that comes with a proof is more than a [`Share`].
pub fn commit(context: &Digest, salt: &[u8; 32], share: &impl Encode<()>) -> Digest {
    let encoding = Zeroizing::new(encode(share));
    Digest::of("share commitment", &[context.as_bytes(), salt, &encoding])
}

/// A field element that can be erased.
#[derive(Clone, Copy)]
struct Element(Field64);

impl Element {
    /// Draws by rejection. (`Rng::below` divides, in a time that depends on the secret number.)
    fn random(rng: &mut Rng) -> Self {
        loop {
            let number = rng.number();
            if number < Vector::MODULUS {
                return Self(number.into());
            }
        }
    }
}

impl Default for Element {
    fn default() -> Self {
        Self(Field64::zero())
    }
}

impl DefaultIsZeroes for Element {}

#[cfg(test)]
mod tests {
    use base::{DecodeError, Rng, VERSION, decode};
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn vector(values: &[u64]) -> Vector {
        Vector::from_u64s(values).unwrap()
    }

    fn sum(shares: &[Share], len: usize) -> Vector {
        let mut sum = Vector::zeros(len);
        for share in shares {
            sum.add(&share.expand(len).unwrap()).unwrap();
        }
        sum
    }

    /// Pearson's statistic over 16 equal ranges of the field: 15 on average for uniform elements, above 50 once in
    /// 10^5.
    fn chi_squared(vector: &Vector) -> f64 {
        let mut counts = [0u32; 16];
        for element in vector.to_u64s() {
            counts[(element >> 60) as usize] += 1;
        }
        let expected = vector.len() as f64 / 16.0;
        counts
            .iter()
            .map(|&count| (f64::from(count) - expected).powi(2) / expected)
            .sum()
    }

    #[test]
    fn arithmetic_wraps_at_the_modulus() {
        assert_eq!(
            <Field64 as prio::field::FieldElementWithInteger>::modulus(),
            Vector::MODULUS
        );
        let mut a = vector(&[Vector::MODULUS - 1, 5]);
        a.add(&vector(&[3, 6])).unwrap();
        assert_eq!(a.to_u64s(), [2, 11]);
        a.sub(&vector(&[3, 6])).unwrap();
        assert_eq!(a.to_u64s(), [Vector::MODULUS - 1, 5]);
        assert_eq!(
            (a.len(), a.is_empty(), Vector::zeros(0).is_empty()),
            (2, false, true)
        );
    }

    #[test]
    fn refuses_other_lengths_and_changes_nothing() {
        let mut a = vector(&[1, 2]);
        let mismatch = LengthMismatch {
            expected: 1,
            len: 2,
        };
        assert_eq!(a.add(&vector(&[1])), Err(mismatch));
        assert_eq!(a.sub(&vector(&[1])), Err(mismatch));
        assert_eq!(a.to_u64s(), [1, 2]);
        assert_eq!(
            Share::Vector(a.clone()).expand(1),
            Err(VectorError::Length(mismatch))
        );
        assert_ne!(a, vector(&[1]));
    }

    #[test]
    fn refuses_too_many_and_too_large() {
        let len = Vector::MAX_LEN + 1;
        assert_eq!(
            Vector::from_u64s(&vec![0; len]),
            Err(VectorError::TooLong { len })
        );
        assert_eq!(
            Share::Seed([0; 32]).expand(len),
            Err(VectorError::TooLong { len })
        );
        assert_eq!(
            Vector::from_u64s(&[Vector::MODULUS]),
            Err(VectorError::NotBelowModulus)
        );
        let wire = [
            &[VERSION, 0x5a, 0x00, 0x80, 0x00, 0x08],
            &vec![0; 8 * len][..],
        ]
        .concat();
        assert_eq!(
            decode::<Vector>(&wire, wire.len()),
            Err(DecodeError::Malformed)
        );
        assert_eq!(Vector::zeros(Vector::MAX_LEN).len(), Vector::MAX_LEN);
    }

    #[test]
    fn wire_form_is_little_endian_and_below_the_modulus() {
        let bytes = encode(&vector(&[1, 0x0203]));
        assert_eq!(
            bytes,
            [
                VERSION, 0x50, 1, 0, 0, 0, 0, 0, 0, 0, 3, 2, 0, 0, 0, 0, 0, 0
            ]
        );
        let one = |element: u64| [&[VERSION, 0x48], &element.to_le_bytes()[..]].concat();
        assert!(decode::<Vector>(&one(Vector::MODULUS - 1), 10).is_ok());
        assert_eq!(
            decode::<Vector>(&one(Vector::MODULUS), 10),
            Err(DecodeError::Malformed)
        );
        assert_eq!(
            decode::<Vector>(&one(u64::MAX), 10),
            Err(DecodeError::Malformed)
        );
        assert_eq!(
            decode::<Vector>(&[VERSION, 0x41, 0], 10),
            Err(DecodeError::Malformed)
        );
        let seed = encode(&Share::Seed([7; 32]));
        assert_eq!(seed.len(), 38);
        assert!(decode::<Share>(&seed[..37], 38).is_err());
    }

    /// Computed by an independent program from the documented definition.
    #[test]
    fn a_seed_stands_for_these_elements() {
        let elements = Share::Seed([7; 32]).expand(100).unwrap().to_u64s();
        assert_eq!(
            elements[..2],
            [0xdadf_295e_c331_6152, 0x587b_fb03_44c8_8fce]
        );
        assert_eq!(elements[99], 0x9c29_0b6b_61c9_b028);
    }

    #[test]
    fn a_single_share_hides_nothing() {
        let values = vector(&[1, 2]);
        assert_eq!(
            split(&values, 1, &mut Rng::from_number(1)),
            [Share::Vector(values)]
        );
    }

    #[test]
    fn any_shares_but_all_look_uniform() {
        let values = Vector::zeros(4096);
        for seed in 0..5 {
            let shares = split(&values, 3, &mut Rng::from_number(seed));
            for some in [
                &shares[..1],
                &shares[1..2],
                &shares[2..],
                &shares[..2],
                &shares[1..],
            ] {
                assert!(chi_squared(&sum(some, 4096)) < 50.0);
            }
            let outer = [shares[0].clone(), shares[2].clone()];
            assert!(chi_squared(&sum(&outer, 4096)) < 50.0);
            assert!(
                chi_squared(&sum(&shares, 4096)) > 50.0,
                "all together are the zeros"
            );
        }
    }

    #[test]
    fn a_commitment_binds_each_part() {
        let (context, share) = (Digest::of("c", &[]), Share::Seed([1; 32]));
        let commitment = commit(&context, &[2; 32], &share);
        assert_eq!(commitment, commit(&context, &[2; 32], &share));
        assert_ne!(commitment, commit(&Digest::of("d", &[]), &[2; 32], &share));
        assert_ne!(commitment, commit(&context, &[3; 32], &share));
        assert_ne!(
            commitment,
            commit(&context, &[2; 32], &Share::Seed([2; 32]))
        );
        let same_bytes = vector(&[0x0101_0101_0101_0101; 4]);
        assert_ne!(
            commitment,
            commit(&context, &[2; 32], &Share::Vector(same_bytes))
        );
    }

    #[test]
    fn debug_prints_no_secret() {
        let values = vector(&[123_456]);
        assert_eq!(format!("{values:?}"), "Vector(secret, 1 elements)");
        assert_eq!(format!("{:?}", Share::Seed([7; 32])), "Share(secret seed)");
        assert_eq!(
            format!("{:?}", Share::Vector(values)),
            "Share(Vector(secret, 1 elements))"
        );
    }

    #[test]
    fn erasing_leaves_nothing() {
        let mut share = Share::Seed([7; 32]);
        share.zeroize();
        assert_eq!(share, Share::Seed([0; 32]));
        let mut element = Element(5.into());
        element.zeroize();
        assert_eq!(u64::from(element.0), 0);
    }

    proptest! {
        #[test]
        fn shares_add_up(values in vec(0..Vector::MODULUS, 0..20), m in 1..8usize, seed: u64) {
            let values = vector(&values);
            let shares = split(&values, m, &mut Rng::from_number(seed));
            prop_assert_eq!(shares.len(), m);
            prop_assert_eq!(sum(&shares, values.len()), values);
        }

        #[test]
        fn sums_of_shares_are_shares_of_sums(
            pairs in vec((0..Vector::MODULUS, 0..Vector::MODULUS), 0..20),
            m in 1..5usize,
            seed: u64,
        ) {
            let mut rng = Rng::from_number(seed);
            let (a, b): (Vec<u64>, Vec<u64>) = pairs.into_iter().unzip();
            let (mut a, b) = (vector(&a), vector(&b));
            let lanes = split(&a, m, &mut rng).into_iter().zip(split(&b, m, &mut rng));
            let mut total = Vector::zeros(a.len());
            for (of_a, of_b) in lanes {
                let mut lane = of_a.expand(a.len()).unwrap();
                lane.add(&of_b.expand(a.len()).unwrap()).unwrap();
                total.add(&lane).unwrap();
            }
            a.add(&b).unwrap();
            prop_assert_eq!(total, a);
        }

        #[test]
        fn wire_form_round_trips(values in vec(0..Vector::MODULUS, 0..20), seed: [u8; 32]) {
            let vector = vector(&values);
            prop_assert_eq!(&vector.to_u64s(), &values);
            prop_assert_eq!(decode::<Vector>(&encode(&vector), 1 << 10), Ok(vector.clone()));
            for share in [Share::Vector(vector), Share::Seed(seed)] {
                prop_assert_eq!(decode(&encode(&share), 1 << 10), Ok(share));
            }
        }
    }
}
