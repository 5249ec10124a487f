//! Sealing: encryption to a public key by hybrid public key encryption (RFC 9180).
//!
//! Base mode, DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20Poly1305. It hides and protects the content, and says
//! nothing about who sealed it: sign what must have an author.

use std::fmt;

use base::{Digest, Rng};
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem as _, OpModeR, OpModeS, Serializable as _};
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder, decode};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::charged;
use crate::count::count;

/// Bytes that sealing adds to a plaintext: the encapsulated key (32) and the authentication tag (16).
pub const SEALING_OVERHEAD: usize = KEY_LEN + 16;

const KEY_LEN: usize = 32;

/// The secret half of a [`SealingPublicKey`]: an X25519 key. Never printed, erased when dropped.
///
/// It has a codec because the replicas of a lane hand it to each other over an encrypted link (design: aggregation,
/// step 1). Only the clamped form of RFC 7748 §5 is encoded and accepted.
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey(PrivateKey);

impl SealingKey {
    /// A fresh key.
    pub fn generate(rng: &mut Rng) -> Self {
        Self::from_bytes(&Zeroizing::new(rng.bytes32()))
    }

    /// The key that these 32 secret bytes stand for once clamped (RFC 7748 §5). All bytes are valid.
    pub fn from_bytes(bytes: &[u8; KEY_LEN]) -> Self {
        Self(PrivateKey::from_bytes(bytes).expect("the length is right and any bytes are a key"))
    }

    /// The secret bytes, clamped.
    pub fn to_bytes(&self) -> Zeroizing<[u8; KEY_LEN]> {
        let mut bytes = Zeroizing::new([0; KEY_LEN]);
        self.0.write_exact(bytes.as_mut_slice());
        bytes
    }

    /// The public half.
    pub fn public(&self) -> SealingPublicKey {
        if charged::is_on() {
            let secret = self.to_bytes();
            return SealingPublicKey(Digest::of("charged key", &[secret.as_slice()]).0);
        }
        SealingPublicKey(X25519HkdfSha256::sk_to_pk(&self.0).to_bytes().into())
    }
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(secret)")
    }
}

impl<C> Encode<C> for SealingKey {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(self.to_bytes().as_slice())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for SealingKey {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, decode::Error> {
        d.bytes()?
            .try_into()
            .map(Self::from_bytes)
            .map_err(|_| decode::Error::message("expected 32 bytes"))
    }
}

/// To whom something is sealed: the 32 bytes of an X25519 public key. Not checked until [`seal`] uses it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct SealingPublicKey(#[cbor(n(0), with = "minicbor::bytes")] pub [u8; KEY_LEN]);

impl fmt::Debug for SealingPublicKey {
    /// The first four bytes: enough to tell two apart in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, ..] = self.0;
        write!(f, "SealingPublicKey({a:02x}{b:02x}{c:02x}{d:02x})")
    }
}

/// Why nothing was sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SealError {
    /// Anybody could open what is sealed to a key of small order (RFC 9180 §7.1.4).
    #[error("the recipient's public key is of small order")]
    BadPublicKey,
}

/// Why something sealed was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum OpenError {
    /// Shorter than what sealing nothing gives.
    #[error("shorter than an encapsulated key and a tag")]
    TooShort,
    /// The encapsulated key is of small order, so that the secret is known to all (RFC 9180 §7.1.4).
    #[error("the encapsulated key is of small order")]
    BadEncapsulatedKey,
    /// Sealed to another key, with other `info` or `aad`, or changed since.
    #[error("sealed otherwise, or changed since")]
    Refused,
}

/// Seals `plaintext` to the owner of the key `to`; the result is [`SEALING_OVERHEAD`] bytes longer.
///
/// `info` names the use and `aad` the circumstances (question, sender, lane): both must be the same on opening.
/// Neither is sent.
///
/// # Errors
///
/// When `to` is of small order.
pub fn seal(
    to: &SealingPublicKey,
    info: &[u8],
    aad: &[u8],
    plaintext: &[u8],
    rng: &mut Rng,
) -> Result<Vec<u8>, SealError> {
    count(|done| &mut done.sealed);
    if charged::is_on() {
        let head = rng.bytes32();
        let (hidden, tag) = charged::hide(&to.0, &head, [info, aad], plaintext);
        return Ok([head.as_slice(), &hidden, &tag].concat());
    }
    let to = PublicKey::from_bytes(&to.0).expect("the length is right and any bytes are a key");
    let (key, ciphertext) = hpke::single_shot_seal_with_rng::<
        ChaCha20Poly1305,
        HkdfSha256,
        X25519HkdfSha256,
    >(&OpModeS::Base, &to, info, plaintext, aad, rng)
    // The only other cause would be a plaintext of 256 GiB.
    .map_err(|_| SealError::BadPublicKey)?;
    Ok([key.to_bytes().as_slice(), &ciphertext].concat())
}

/// Opens what [`seal`] sealed to `key` with the same `info` and `aad`. The plaintext is erased when dropped.
///
/// # Errors
///
/// When `sealed` is anything else.
pub fn open(
    key: &SealingKey,
    info: &[u8],
    aad: &[u8],
    sealed: &[u8],
) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    if sealed.len() < SEALING_OVERHEAD {
        return Err(OpenError::TooShort);
    }
    count(|done| &mut done.opened);
    let (encapsulated, ciphertext) = sealed.split_at(KEY_LEN);
    if charged::is_on() {
        let (hidden, tag) = ciphertext.split_at(ciphertext.len() - 16);
        let public = key.public().0;
        let (text, expected) = charged::hide(&public, encapsulated, [info, aad], hidden);
        return if expected == tag {
            Ok(Zeroizing::new(text))
        } else {
            Err(OpenError::Refused)
        };
    }
    let encapsulated =
        EncappedKey::from_bytes(encapsulated).expect("the length is right and any bytes are a key");
    hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
        &OpModeR::Base,
        &key.0,
        &encapsulated,
        info,
        ciphertext,
        aad,
    )
    .map(Zeroizing::new)
    .map_err(|error| match error {
        hpke::HpkeError::DecapError => OpenError::BadEncapsulatedKey,
        _ => OpenError::Refused,
    })
}

type PrivateKey = <X25519HkdfSha256 as hpke::Kem>::PrivateKey;
type PublicKey = <X25519HkdfSha256 as hpke::Kem>::PublicKey;
type EncappedKey = <X25519HkdfSha256 as hpke::Kem>::EncappedKey;

#[cfg(test)]
mod tests {
    use base::{DecodeError, Rng, VERSION, decode, encode};
    use hex_literal::hex;
    use proptest::prelude::*;

    use super::*;

    fn rng() -> Rng {
        Rng::from_number(1)
    }

    /// RFC 9180 appendix A.2.1, the first encryption.
    #[test]
    fn opens_the_published_ciphertext() {
        let key = SealingKey::from_bytes(&hex!(
            "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb"
        ));
        assert_eq!(
            key.public().0,
            hex!("4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a")
        );
        let sealed = hex!(
            "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a"
            "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db21993c62ce81883d2dd1b51a28"
        );
        let plaintext = open(
            &key,
            &hex!("4f6465206f6e2061204772656369616e2055726e"),
            b"Count-0",
            &sealed,
        );
        assert_eq!(plaintext.unwrap()[..], b"Beauty is truth, truth beauty"[..]);
    }

    #[test]
    fn opens_only_what_was_sealed_so() {
        let (key, other) = (
            SealingKey::generate(&mut rng()),
            SealingKey::from_bytes(&[9; 32]),
        );
        let sealed = seal(&key.public(), b"info", b"aad", b"text", &mut rng()).unwrap();
        assert_eq!(sealed.len(), b"text".len() + SEALING_OVERHEAD);
        assert_eq!(
            open(&key, b"info", b"aad", &sealed).unwrap()[..],
            b"text"[..]
        );
        assert_eq!(
            open(&other, b"info", b"aad", &sealed),
            Err(OpenError::Refused)
        );
        assert_eq!(
            open(&key, b"infp", b"aad", &sealed),
            Err(OpenError::Refused)
        );
        assert_eq!(
            open(&key, b"info", b"aae", &sealed),
            Err(OpenError::Refused)
        );
        assert_eq!(
            open(&key, b"infoa", b"ad", &sealed),
            Err(OpenError::Refused)
        );
    }

    #[test]
    fn refuses_truncated_and_changed_bytes() {
        let key = SealingKey::generate(&mut rng());
        let sealed = seal(&key.public(), b"", b"", b"text", &mut rng()).unwrap();
        for len in 0..sealed.len() {
            let expected = if len < SEALING_OVERHEAD {
                OpenError::TooShort
            } else {
                OpenError::Refused
            };
            assert_eq!(
                open(&key, b"", b"", &sealed[..len]),
                Err(expected),
                "{len} bytes"
            );
        }
        for i in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[i] ^= 0x80;
            assert_eq!(
                open(&key, b"", b"", &changed),
                Err(OpenError::Refused),
                "byte {i}"
            );
        }
        assert_eq!(
            open(&key, b"", b"", &[sealed, vec![0]].concat()),
            Err(OpenError::Refused)
        );
    }

    #[test]
    fn refuses_keys_of_small_order() {
        let points = [
            hex!("0000000000000000000000000000000000000000000000000000000000000000"),
            hex!("0100000000000000000000000000000000000000000000000000000000000000"),
            hex!("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
            hex!("5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157"),
            hex!("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            hex!("edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
            hex!("eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        ];
        for point in points {
            let to = SealingPublicKey(point);
            assert_eq!(
                seal(&to, b"", b"", b"text", &mut rng()),
                Err(SealError::BadPublicKey)
            );
            let sealed = [&point[..], &[0; 20]].concat();
            let key = SealingKey::generate(&mut rng());
            assert_eq!(
                open(&key, b"", b"", &sealed),
                Err(OpenError::BadEncapsulatedKey)
            );
        }
    }

    #[test]
    fn the_same_text_never_looks_the_same() {
        let (to, mut rng) = (SealingKey::from_bytes(&[9; 32]).public(), rng());
        let first = seal(&to, b"", b"", b"text", &mut rng).unwrap();
        let second = seal(&to, b"", b"", b"text", &mut rng).unwrap();
        assert_ne!(first[..KEY_LEN], second[..KEY_LEN]);
        assert_ne!(first[KEY_LEN..], second[KEY_LEN..]);
    }

    #[test]
    fn a_key_travels_in_one_form() {
        let key = SealingKey::generate(&mut rng());
        let bytes = encode(&key);
        assert_eq!(decode::<SealingKey>(&bytes, 35).as_ref(), Ok(&key));
        assert_eq!(SealingKey::from_bytes(&key.to_bytes()), key);
        let mut unclamped = bytes.clone();
        unclamped[3] |= 1;
        assert_eq!(
            decode::<SealingKey>(&unclamped, 35),
            Err(DecodeError::NotCanonical)
        );
        let short = [&[VERSION, 0x58, 31], &bytes[3..34]].concat();
        assert_eq!(
            decode::<SealingKey>(&short, 35),
            Err(DecodeError::Malformed)
        );
        assert_eq!(decode(&encode(&key.public()), 35), Ok(key.public()));
    }

    #[test]
    fn debug_prints_no_secret() {
        assert_eq!(
            format!("{:?}", SealingKey::generate(&mut rng())),
            "SealingKey(secret)"
        );
    }

    proptest! {
        #[test]
        fn what_is_sealed_opens(seed: u64, info: Vec<u8>, aad: Vec<u8>, text: Vec<u8>) {
            let mut rng = Rng::from_number(seed);
            let key = SealingKey::generate(&mut rng);
            let sealed = seal(&key.public(), &info, &aad, &text, &mut rng).unwrap();
            prop_assert_eq!(open(&key, &info, &aad, &sealed).unwrap().to_vec(), text);
        }

        #[test]
        fn any_bytes_are_an_error(bytes: Vec<u8>) {
            prop_assert!(open(&SealingKey::from_bytes(&[9; 32]), b"", b"", &bytes).is_err());
        }
    }
}
