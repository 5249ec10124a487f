//! Unique randomness: a verifiable random function (RFC 9381, ECVRF-EDWARDS25519-SHA512-ELL2).
//!
//! A key's output for an input looks random, exists once, and comes with a proof. Its owner can withhold it but not
//! choose it, which a signature would allow: Ed25519 has many valid signatures for one message.
//!
//! `vrf-rfc9381` computes; it also validates keys (RFC 9381 §5.4.5). It reads points and scalars in several
//! encodings, where RFC 9381 §5.4.4 allows one, so canonical form is checked here. (`vrf-r255` would force a second,
//! older curve library into the build and is not one of the suites of the RFC.)

use std::fmt;

use base::{Digest, Rng};
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode};
use thiserror::Error;
use vrf_rfc9381::ec::edwards25519::EdVrfProof;
use vrf_rfc9381::ec::edwards25519::elligator2::{
    EdVrfEdwards25519Ell2PublicKey as Verifier, EdVrfEdwards25519Ell2SecretKey as Prover,
};
use vrf_rfc9381::{Ciphersuite, Proof as _, Prover as _, Verifier as _};
use zeroize::Zeroizing;

use crate::count::count;
use crate::keys::public_point;

const SUITE: Ciphersuite = Ciphersuite::ECVRF_EDWARDS25519_SHA512_ELL2;

/// The secret half of a [`VrfPublicKey`]. Never printed, erased when dropped.
#[derive(Clone)]
pub struct VrfSecretKey(Zeroizing<[u8; 32]>);

impl VrfSecretKey {
    /// The key that these 32 secret bytes stand for. Every seed is valid. Must not also be a signing key's seed.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// A fresh key.
    pub fn generate(rng: &mut Rng) -> Self {
        Self::from_seed(rng.bytes32())
    }

    /// The secret bytes, for the encrypted place where the key is kept.
    pub fn seed(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public half.
    pub fn public(&self) -> VrfPublicKey {
        // RFC 9381 §5.5 derives this suite's keys as Ed25519 does.
        VrfPublicKey(
            ed25519_dalek::SigningKey::from_bytes(&self.0)
                .verifying_key()
                .to_bytes(),
        )
    }

    /// Proves the output for `input` (RFC 9381 §5.1). The same proof every time.
    pub fn prove(&self, input: &[u8]) -> VrfProof {
        count(|done| &mut done.drawn);
        let prover = Prover::from_slice(self.0.as_slice()).expect("the length is right");
        let proof = prover
            .prove(input)
            .expect("this suite's encoding to the curve cannot fail");
        VrfProof(
            proof
                .encode_to_pi()
                .try_into()
                .expect("a proof has 80 bytes"),
        )
    }
}

impl fmt::Debug for VrfSecretKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VrfSecretKey(secret)")
    }
}

/// Whose outputs they are: the 32 bytes of a validated point, so that each input has one output at most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct VrfPublicKey([u8; 32]);

impl VrfPublicKey {
    /// Validates a key (RFC 9381 §5.4.5).
    ///
    /// # Errors
    ///
    /// When the bytes are not the canonical encoding of a point, or the point is of small order.
    pub fn from_bytes(bytes: [u8; 32]) -> Result<Self, BadVrfKey> {
        public_point(&bytes).map(|_| Self(bytes)).ok_or(BadVrfKey)
    }

    /// The bytes themselves.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Checks that `proof` is this key's for `input` and gives the output: the digest, of domain "vrf output", of the
    /// 64 bytes that RFC 9381 §5.2 calls beta.
    ///
    /// The owner can make many valid proofs for one input, but all of them give the same output: compare and count
    /// outputs, never proofs.
    ///
    /// # Errors
    ///
    /// When the proof is another key's or input's, or not canonically encoded.
    pub fn verify(&self, input: &[u8], proof: &VrfProof) -> Result<Digest, BadProof> {
        count(|done| &mut done.proven);
        let verifier = Verifier::from_slice(&self.0).expect("validated when made");
        let beta = verifier
            .verify(input, proof.decode()?)
            .map_err(|_| BadProof)?;
        Ok(output(&beta))
    }
}

impl fmt::Debug for VrfPublicKey {
    /// The first four bytes: enough to tell two apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "VrfPublicKey({a:02x}{b:02x}{c:02x}{d:02x})")
    }
}

impl<C> Encode<C> for VrfPublicKey {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.0)?.ok()
    }
}

impl<'b, C> Decode<'b, C> for VrfPublicKey {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        let bytes = d
            .bytes()?
            .try_into()
            .map_err(|_| decode::Error::message("expected 32 bytes"))?;
        Self::from_bytes(bytes).map_err(|_| decode::Error::message("not a valid VRF key"))
    }
}

/// A proof: Gamma, challenge and scalar (RFC 9381 §5.5). On the wire one CBOR byte string of exactly 80 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(transparent)]
pub struct VrfProof(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; 80]);

impl VrfProof {
    /// What [`VrfPublicKey::verify`] will give for this proof. Only for who made it: nothing is checked, so the
    /// output of a proof that somebody else sent must come from `verify`.
    ///
    /// # Errors
    ///
    /// When it is not the canonical encoding of any proof.
    pub fn output(&self) -> Result<Digest, BadProof> {
        let beta = self.decode()?.proof_to_hash(SUITE).map_err(|_| BadProof)?;
        Ok(output(&beta))
    }

    /// Reads the one encoding that RFC 9381 §5.4.4 allows.
    fn decode(&self) -> Result<EdVrfProof, BadProof> {
        let proof = EdVrfProof::decode_pi(&self.0).map_err(|_| BadProof)?;
        if proof.encode_to_pi() == self.0 {
            Ok(proof)
        } else {
            Err(BadProof)
        }
    }
}

impl fmt::Debug for VrfProof {
    /// The first four bytes: enough to tell two apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "VrfProof({a:02x}{b:02x}{c:02x}{d:02x})")
    }
}

/// Not the canonical encoding of a point, or one of small order: such a key has several outputs per input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a valid key of the verifiable random function")]
pub struct BadVrfKey;

/// Not this key's proof for this input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not a valid proof of this key for this input")]
pub struct BadProof;

fn output(beta: &[u8]) -> Digest {
    Digest::of("vrf output", &[beta])
}

#[cfg(test)]
mod tests {
    use base::{VERSION, decode, encode};
    use curve25519_dalek::edwards::CompressedEdwardsY;
    use curve25519_dalek::{EdwardsPoint, Scalar};
    use hex_literal::hex;
    use proptest::prelude::*;
    use sha2::{Digest as _, Sha512};

    use super::*;
    use crate::keys::tests::{SMALL_ORDER, add_group_order};

    fn key() -> VrfSecretKey {
        VrfSecretKey::from_seed([7; 32])
    }

    /// RFC 9381 appendix B.4, examples 19 to 21.
    #[test]
    fn published_vectors() {
        let vectors = [
            (
                hex!("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"),
                hex!("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a"),
                &hex!("")[..],
                hex!(
                    "7d9c633ffeee27349264cf5c667579fc583b4bda63ab71d001f89c10003ab46f"
                    "14adf9a3cd8b8412d9038531e865c341"
                    "cafa73589b023d14311c331a9ad15ff2fb37831e00f0acaa6d73bc9997b06501"
                ),
                hex!(
                    "9d574bf9b8302ec0fc1e21c3ec5368269527b87b462ce36dab2d14ccf80c53cc"
                    "cf6758f058c5b1c856b116388152bbe509ee3b9ecfe63d93c3b4346c1fbc6c54"
                ),
            ),
            (
                hex!("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
                hex!("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
                &hex!("72")[..],
                hex!(
                    "47b327393ff2dd81336f8a2ef10339112401253b3c714eeda879f12c509072ef"
                    "055b48372bb82efbdce8e10c8cb9a2f9"
                    "d60e93908f93df1623ad78a86a028d6bc064dbfc75a6a57379ef855dc6733801"
                ),
                hex!(
                    "38561d6b77b71d30eb97a062168ae12b667ce5c28caccdf76bc88e093e463598"
                    "7cd96814ce55b4689b3dd2947f80e59aac7b7675f8083865b46c89b2ce9cc735"
                ),
            ),
            (
                hex!("c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7"),
                hex!("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025"),
                &hex!("af82")[..],
                hex!(
                    "926e895d308f5e328e7aa159c06eddbe56d06846abf5d98c2512235eaa57fdce"
                    "35b46edfc655bc828d44ad09d1150f31"
                    "374e7ef73027e14760d42e77341fe05467bb286cc2c9d7fde29120a0b2320d04"
                ),
                hex!(
                    "121b7f9b9aaaa29099fc04a94ba52784d44eac976dd1a3cca458733be5cd090a"
                    "7b5fbd148444f17f8daf1fb55cb04b1ae85a626e30a54b4b0f8abf4a43314a58"
                ),
            ),
        ];
        for (seed, public, input, proof, beta) in vectors {
            let key = VrfSecretKey::from_seed(seed);
            assert_eq!(key.public(), VrfPublicKey(public));
            assert_eq!(key.prove(input), VrfProof(proof));
            let expected = Ok(Digest::of("vrf output", &[&beta]));
            assert_eq!(key.public().verify(input, &VrfProof(proof)), expected);
            assert_eq!(VrfProof(proof).output(), expected);
        }
    }

    #[test]
    fn refuses_any_changed_byte() {
        let proof = key().prove(b"input");
        for i in 0..80 {
            for change in [1, 0x80, 0xff] {
                let mut changed = proof;
                changed.0[i] ^= change;
                assert_eq!(
                    key().public().verify(b"input", &changed),
                    Err(BadProof),
                    "byte {i}"
                );
            }
        }
    }

    #[test]
    fn a_proof_serves_one_key_and_input() {
        let (proof, other) = (key().prove(b"input"), VrfSecretKey::from_seed([8; 32]));
        assert_eq!(key().public().verify(b"inpuu", &proof), Err(BadProof));
        assert_eq!(other.public().verify(b"input", &proof), Err(BadProof));
        assert_ne!(other.prove(b"input").output(), proof.output());
        assert_ne!(key().prove(b"inpuu").output(), proof.output());
    }

    #[test]
    fn refuses_keys_of_small_order_or_in_a_second_form() {
        for bytes in SMALL_ORDER {
            assert_eq!(VrfPublicKey::from_bytes(bytes), Err(BadVrfKey));
            let wire = [&[VERSION, 0x58, 32], &bytes[..]].concat();
            assert!(decode::<VrfPublicKey>(&wire, 35).is_err());
        }
        // y = 3 + p, a point of large order.
        let second = hex!("f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f");
        assert_eq!(VrfPublicKey::from_bytes(second), Err(BadVrfKey));
        // y = 2, not on the curve.
        let mut off_curve = [0; 32];
        off_curve[0] = 2;
        assert_eq!(VrfPublicKey::from_bytes(off_curve), Err(BadVrfKey));
    }

    /// The library alone accepts this proof.
    #[test]
    fn refuses_s_above_the_group_order() {
        let mut proof = key().prove(b"input");
        add_group_order(&mut proof.0[48..]);
        let verifier = Verifier::from_slice(&key().public().0).unwrap();
        let loose = EdVrfProof::decode_pi(&proof.0).unwrap();
        assert!(
            verifier.verify(b"input", loose).is_ok(),
            "valid without our check"
        );
        assert_eq!(key().public().verify(b"input", &proof), Err(BadProof));
        assert_eq!(proof.output(), Err(BadProof));
    }

    /// What a dishonest owner can do by choosing the nonce `k` and shifting Gamma.
    struct Owner {
        x: Scalar,
        public: EdwardsPoint,
        h: EdwardsPoint,
    }

    impl Owner {
        fn new(key: &VrfSecretKey, input: &[u8]) -> Self {
            let x = ed25519_dalek::SigningKey::from_bytes(key.seed()).to_scalar();
            let public = key.public();
            let h = EdwardsPoint::encode_to_curve::<Sha512>(
                &[public.as_bytes(), input],
                &[b"ECVRF_", b"edwards25519_XMD:SHA-512_ELL2_NU_", &[4]],
            );
            Self {
                x,
                public: public_point(public.as_bytes()).unwrap(),
                h,
            }
        }

        /// The challenge and proof for `gamma` with nonce `k` (RFC 9381 §5.1, steps 5 to 8).
        fn prove(&self, gamma: EdwardsPoint, k: Scalar) -> (Scalar, VrfProof) {
            let (u, v) = (EdwardsPoint::mul_base(&k), k * self.h);
            let mut hash = Sha512::new().chain_update([4, 2]);
            for point in [self.public, self.h, gamma, u, v] {
                hash.update(point.compress().as_bytes());
            }
            let hash = hash.chain_update([0]).finalize();
            let mut challenge = [0; 32];
            challenge[..16].copy_from_slice(&hash[..16]);
            let c = Scalar::from_bytes_mod_order(challenge);
            let s = k + c * self.x;
            let proof = [gamma.compress().as_bytes(), &challenge[..16], s.as_bytes()].concat();
            (c, VrfProof(proof.try_into().unwrap()))
        }
    }

    #[test]
    fn every_proof_an_owner_can_make_gives_one_output() {
        let (public, output) = (key().public(), key().prove(b"input").output());
        let owner = Owner::new(&key(), b"input");
        let gamma = owner.x * owner.h;
        let torsion = CompressedEdwardsY(SMALL_ORDER[4]).decompress().unwrap();
        let mut accepted = Vec::new();
        for k in (1u64..=64).map(Scalar::from) {
            let (_, proof) = owner.prove(gamma, k);
            assert_eq!(public.verify(b"input", &proof), output, "another nonce");
            // Passes when the challenge happens to be a multiple of 8, so that it cancels the torsion.
            let (c, shifted) = owner.prove(gamma + torsion, k);
            if c.as_bytes()[0] % 8 == 0 {
                assert_eq!(
                    public.verify(b"input", &shifted),
                    output,
                    "shifted by torsion"
                );
                accepted.push(shifted);
            } else {
                assert_eq!(public.verify(b"input", &shifted), Err(BadProof));
            }
            // Another output would need another large-order part, which no nonce supports.
            let (_, forged) = owner.prove(gamma + EdwardsPoint::mul_base(&Scalar::ONE), k);
            assert_eq!(public.verify(b"input", &forged), Err(BadProof));
        }
        assert!(!accepted.is_empty(), "the torsion case was met");
    }

    #[test]
    fn wire_forms_have_one_length() {
        let (public, proof) = (key().public(), key().prove(b"input"));
        assert_eq!(decode(&encode(&public), 35), Ok(public));
        assert_eq!(decode(&encode(&proof), 83), Ok(proof));
        let short = [&[VERSION, 0x58, 79], &proof.0[..79]].concat();
        assert!(decode::<VrfProof>(&short, 83).is_err());
    }

    #[test]
    fn debug_prints_no_secret() {
        assert_eq!(format!("{:?}", key()), "VrfSecretKey(secret)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn what_is_proved_verifies(seed: [u8; 32], input: Vec<u8>) {
            let key = VrfSecretKey::from_seed(seed);
            let proof = key.prove(&input);
            prop_assert_eq!(key.public().verify(&input, &proof), proof.output());
            prop_assert!(proof.output().is_ok());
        }
    }
}
