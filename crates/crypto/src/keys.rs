//! Node keys, signatures, and the one rule by which everyone judges them.

use std::fmt;

use base::{Digest, NodeId, Rng};
use curve25519_dalek::EdwardsPoint;
use curve25519_dalek::edwards::CompressedEdwardsY;
use ed25519_dalek::Signer as _;
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::batch::Check;
use crate::charged;
use crate::count::count;

/// The secret half of a [`NodeId`]: an Ed25519 key (RFC 8032). Never printed, erased when dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// The key that these 32 secret bytes stand for (RFC 8032 §5.1.5). Every seed is valid.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// A fresh key.
    pub fn generate(rng: &mut Rng) -> Self {
        Self::from_seed(rng.bytes32())
    }

    /// The secret bytes, for the encrypted place where the key is kept.
    pub fn seed(&self) -> &[u8; 32] {
        self.0.as_bytes()
    }

    /// The public half, which names the node.
    pub fn node(&self) -> NodeId {
        NodeId(self.0.verifying_key().to_bytes())
    }

    /// Signs `message` for one use, which `domain` names: a signature given for one use is worthless for any other.
    pub fn sign(&self, domain: &str, message: &[u8]) -> Signature {
        self.sign_raw(signed_digest(domain, message).as_bytes())
    }

    /// Signs bytes of somebody else's format (a certificate). Those must never be 32 bytes long, or they could be
    /// taken for the digest that [`sign`](Self::sign) signs.
    pub(crate) fn sign_raw(&self, bytes: &[u8]) -> Signature {
        count(|done| &mut done.signed);
        if charged::is_on() {
            return Signature(charged::signature(self.node().as_bytes(), bytes));
        }
        Signature(self.0.sign(bytes).to_bytes())
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SigningKey(secret)")
    }
}

/// An Ed25519 signature: R, then S (RFC 8032 §5.1.6). On the wire one CBOR byte string of exactly 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Signature(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 64]);

impl fmt::Debug for Signature {
    /// The first four bytes: enough to tell two apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "Signature({a:02x}{b:02x}{c:02x}{d:02x})")
    }
}

/// The signer did not sign this message for this use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a valid signature of this signer over this message")]
pub struct BadSignature;

/// Whether `signer` signed `message` for the use that `domain` names, by the one [rule](crate::Batch) for single signatures
/// and many.
///
/// # Errors
///
/// [`BadSignature`], whatever does not hold.
pub fn verify(
    signer: NodeId,
    domain: &str,
    message: &[u8],
    signature: &Signature,
) -> Result<(), BadSignature> {
    verify_raw(signer, signed_digest(domain, message).as_bytes(), signature)
}

/// The rule of [`verify`] over the bytes themselves.
pub(crate) fn verify_raw(
    signer: NodeId,
    bytes: &[u8],
    signature: &Signature,
) -> Result<(), BadSignature> {
    if Check::new(signer, bytes, signature).holds() {
        Ok(())
    } else {
        Err(BadSignature)
    }
}

/// The point that a public key stands for, if `bytes` are its one canonical encoding (RFC 8032 §5.1.3) and it is not
/// of small order. The curve library alone also reads coordinates that are not below the field's prime.
pub(crate) fn public_point(bytes: &[u8; 32]) -> Option<EdwardsPoint> {
    let point = CompressedEdwardsY(*bytes).decompress()?;
    // The second ways to write x = 0 are of small order.
    (is_below_prime(bytes) && !point.is_small_order()).then_some(point)
}

/// Whether y, all but the highest bit, is below 2^255 - 19.
fn is_below_prime(bytes: &[u8; 32]) -> bool {
    let high = bytes[31] & 0x7f == 0x7f && bytes[1..31].iter().all(|byte| *byte == 0xff);
    !high || bytes[0] < 0xed
}

pub(crate) fn signed_digest(domain: &str, message: &[u8]) -> Digest {
    Digest::of("commonhold signature", &[domain.as_bytes(), message])
}

#[cfg(test)]
pub(crate) mod tests {
    use base::{decode, encode};
    use curve25519_dalek::Scalar;
    use ed25519_dalek::Verifier as _;
    use hex_literal::hex;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha512};

    use super::*;

    /// Every encoding that the curve library reads as a point of small order: the eight points, then six more ways to
    /// write four of them.
    pub(crate) const SMALL_ORDER: [[u8; 32]; 14] = [
        hex!("0100000000000000000000000000000000000000000000000000000000000000"),
        hex!("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        hex!("0000000000000000000000000000000000000000000000000000000000000000"),
        hex!("0000000000000000000000000000000000000000000000000000000000000080"),
        hex!("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"),
        hex!("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85"),
        hex!("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
        hex!("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
        hex!("0100000000000000000000000000000000000000000000000000000000000080"),
        hex!("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
        hex!("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        hex!("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
        hex!("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        hex!("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"),
    ];

    /// The group order L = 2^252 + 27742317777372353535851937790883648493, little endian (RFC 8032 §5.1).
    const GROUP_ORDER: [u8; 32] =
        hex!("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");

    /// The edge cases of "Taming the many EdDSAs" (Chalkias, Garillot, Nikolaenko 2020), on which verifiers disagree,
    /// as message, key, R, S.
    const EDGE_CASES: [[[u8; 32]; 4]; 10] = [
        [
            hex!("8c93255d71dcab10e8f379c26200f3c7bd5f09d9bc3068d3ef4edeb4853022b6"),
            hex!("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
            hex!("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"),
            hex!("0000000000000000000000000000000000000000000000000000000000000000"),
        ],
        [
            hex!("9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79"),
            hex!("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
            hex!("f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"),
            hex!("a5bb704786be79fc476f91d3f3f89b03984d8068dcf1bb7dfc6637b45450ac04"),
        ],
        [
            hex!("aebf3f2601a0c8c5d39cc7d8911642f740b78168218da8471772b35f9d35b9ab"),
            hex!("f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"),
            hex!("c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"),
            hex!("8c4bd45aecaca5b24fb97bc10ac27ac8751a7dfe1baff8b953ec9f5833ca260e"),
        ],
        [
            hex!("9bd9f44f4dcc75bd531b56b2cd280b0bb38fc1cd6d1230e14861d861de092e79"),
            hex!("cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"),
            hex!("9046a64750444938de19f227bb80485e92b83fdb4b6506c160484c016cc1852f"),
            hex!("87909e14428a7a1d62e9f22f3d3ad7802db02eb2e688b6c52fcd6648a98bd009"),
        ],
        [
            hex!("e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c"),
            hex!("cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"),
            hex!("160a1cb0dc9c0258cd0a7d23e94d8fa878bcb1925f2c64246b2dee1796bed512"),
            hex!("5ec6bc982a269b723e0668e540911a9a6a58921d6925e434ab10aa7940551a09"),
        ],
        [
            hex!("e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec4011eaccd55b53f56c"),
            hex!("cdb267ce40c5cd45306fa5d2f29731459387dbf9eb933b7bd5aed9a765b88d4d"),
            hex!("21122a84e0b5fca4052f5b1235c80a537878b38f3142356b2c2384ebad4668b7"),
            hex!("e40bc836dac0f71076f9abe3a53f9c03c1ceeeddb658d0030494ace586687405"),
        ],
        [
            hex!("85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40"),
            hex!("442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623"),
            hex!("e96f66be976d82e60150baecff9906684aebb1ef181f67a7189ac78ea23b6c0e"),
            hex!("547f7690a0e2ddcd04d87dbc3490dc19b3b3052f7ff0538cb68afb369ba3a514"),
        ],
        [
            hex!("85e241a07d148b41e47d62c63f830dc7a6851a0b1f33ae4bb2f507fb6cffec40"),
            hex!("442aad9f089ad9e14647b1ef9099a1ff4798d78589e66f28eca69c11f582a623"),
            hex!("8ce5b96c8f26d0ab6c47958c9e68b937104cd36e13c33566acd2fe8d38aa1942"),
            hex!("7e71f98a473474f2f13f06f97c20d58cc3f54b8bd0d272f42b695dd7e89a8c22"),
        ],
        [
            hex!("fdaebc429f4a735932a160da1301080c13280eea8bc280d1b392c6b9e6ba3a5a"),
            hex!("f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"),
            hex!("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            hex!("454d370c8d9fc323a41450f8d513eafeb5b0697390c1e505a0d4ddc71f566607"),
        ],
        [
            hex!("84b698d39be126ff55fe45079e6c8bf64a0d7db6994560b4e96b7021eb39c1a1"),
            hex!("f7badec5b8abeaf699583992219b7b223f1df3fbbea919844e3f7c554a43dd43"),
            hex!("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            hex!("084d5b99c2a9463d9c8bd5026916996984eeec87ddf1d3be329006ace1b37b09"),
        ],
    ];

    /// Writes a scalar a second way.
    pub(crate) fn add_group_order(scalar: &mut [u8]) {
        let mut carry = 0u16;
        for (byte, order) in scalar.iter_mut().zip(GROUP_ORDER) {
            carry += u16::from(*byte) + u16::from(order);
            *byte = carry as u8;
            carry >>= 8;
        }
    }

    fn key() -> SigningKey {
        SigningKey::from_seed([7; 32])
    }

    fn joined(r: [u8; 32], s: [u8; 32]) -> Signature {
        Signature([r, s].concat().try_into().unwrap())
    }

    #[test]
    fn rfc_8032_vectors() {
        let vectors = [
            (
                hex!("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
                hex!("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
                &hex!("")[..],
                hex!(
                    "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
                    "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
                ),
            ),
            (
                hex!("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
                hex!("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
                &hex!("72")[..],
                hex!(
                    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
                    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
                ),
            ),
            (
                hex!("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"),
                hex!("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
                &hex!("af82")[..],
                hex!(
                    "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
                    "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
                ),
            ),
        ];
        for (seed, public, message, signature) in vectors {
            let key = SigningKey::from_seed(seed);
            assert_eq!(key.node(), NodeId(public));
            assert_eq!(key.sign_raw(message), Signature(signature));
            assert_eq!(
                verify_raw(NodeId(public), message, &Signature(signature)),
                Ok(())
            );
        }
    }

    /// Small A; small A; small R; mixed order and right without the cofactor; right only with it (twice); S above L
    /// (twice); R not canonical (twice).
    #[test]
    fn published_edge_cases() {
        let valid = EDGE_CASES.map(|[message, public, r, s]| {
            verify_raw(NodeId(public), &message, &joined(r, s)).is_ok()
        });
        assert_eq!(
            valid,
            [
                false, false, false, true, true, true, false, false, false, false
            ]
        );
    }

    #[test]
    fn refuses_keys_of_small_order() {
        for public in SMALL_ORDER {
            assert_eq!(public_point(&public), None);
            // S = 0 and R a multiple of A: with a key of order dividing 8, one in eight messages verifies loosely.
            for r in SMALL_ORDER {
                let signature = joined(r, [0; 32]);
                assert_eq!(
                    verify(NodeId(public), "d", b"m", &signature),
                    Err(BadSignature)
                );
            }
        }
    }

    #[test]
    fn refuses_points_written_a_second_way() {
        // y = 3 + p: a point of large order, not below the field's prime.
        let second = hex!("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
        let first = hex!("0300000000000000000000000000000000000000000000000000000000000000");
        assert!(CompressedEdwardsY(second).decompress().is_some());
        assert_eq!(public_point(&second), None);
        assert!(public_point(&first).is_some());
    }

    /// R = identity and S = k·a solve the equation exactly, yet R says nothing.
    #[test]
    fn refuses_r_of_small_order() {
        let (r, message) = (SMALL_ORDER[0], b"message");
        let public = key().0.verifying_key();
        let hash = Sha512::new()
            .chain_update(r)
            .chain_update(public.as_bytes())
            .chain_update(message)
            .finalize();
        let k = Scalar::from_bytes_mod_order_wide(&hash.into());
        let signature = joined(r, (k * key().0.to_scalar()).to_bytes());
        assert!(
            public.verify(message, &signature.0.into()).is_ok(),
            "valid without our rule"
        );
        assert_eq!(
            verify_raw(key().node(), message, &signature),
            Err(BadSignature)
        );
    }

    #[test]
    fn refuses_s_above_the_group_order() {
        let mut signature = key().sign("d", b"m");
        add_group_order(&mut signature.0[32..]);
        assert_eq!(
            verify(key().node(), "d", b"m", &signature),
            Err(BadSignature)
        );
    }

    #[test]
    fn refuses_any_changed_byte() {
        let signature = key().sign("d", b"m");
        assert_eq!(verify(key().node(), "d", b"m", &signature), Ok(()));
        for i in 0..64 {
            for change in [1, 0x10, 0x80, 0xff] {
                let mut changed = signature;
                changed.0[i] ^= change;
                assert_eq!(
                    verify(key().node(), "d", b"m", &changed),
                    Err(BadSignature),
                    "byte {i}"
                );
                let mut other = key().node();
                other.0[i / 2] ^= change;
                assert_eq!(
                    verify(other, "d", b"m", &signature),
                    Err(BadSignature),
                    "byte {i}"
                );
            }
        }
    }

    #[test]
    fn a_signature_serves_one_domain_and_message() {
        let signature = key().sign("domain", b"message");
        assert_eq!(
            verify(key().node(), "domain", b"messagf", &signature),
            Err(BadSignature)
        );
        assert_eq!(
            verify(key().node(), "domainm", b"essage", &signature),
            Err(BadSignature)
        );
        assert_eq!(
            verify_raw(key().node(), b"message", &signature),
            Err(BadSignature)
        );
    }

    #[test]
    fn wire_form_is_64_bytes() {
        let signature = key().sign("d", b"m");
        let bytes = encode(&signature);
        assert_eq!(bytes[..3], [base::VERSION, 0x58, 64]);
        assert_eq!(decode::<Signature>(&bytes, 67), Ok(signature));
        let short = [&[base::VERSION, 0x58, 63], &bytes[3..66]].concat();
        assert!(decode::<Signature>(&short, 67).is_err());
    }

    #[test]
    fn debug_prints_no_secret() {
        assert_eq!(format!("{:?}", key()), "SigningKey(secret)");
        assert_eq!(
            format!("{:?}", Signature([0xab; 64])),
            "Signature(abababab)"
        );
    }

    proptest! {
        #[test]
        fn what_is_signed_verifies(seed: [u8; 32], domain: String, message: Vec<u8>) {
            let key = SigningKey::from_seed(seed);
            let signature = key.sign(&domain, &message);
            prop_assert_eq!(verify(key.node(), &domain, &message, &signature), Ok(()));
            prop_assert_eq!(key.seed(), &seed);
        }
    }
}
