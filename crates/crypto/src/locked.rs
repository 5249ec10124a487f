//! Locked files: secrets that rest on a disk, encrypted under a passphrase.
//!
//! Argon2id (RFC 9106) makes a key of the passphrase, slowly and with much memory, so that guessing is dear;
//! XChaCha20-Poly1305 encrypts with it. The file says in clear what it is, under which version, salt and cost; all of
//! that is authenticated. A reader refuses costs above its own limits before it spends anything: a file can cost it no
//! more than 256 MiB and sixteen passes over them.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base::{DecodeError, Rng, decode, encode};
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use subtle::ConstantTimeEq as _;
use thiserror::Error;
use zeroize::Zeroizing;

/// Longest secret that is locked, in bytes.
pub const LOCKED_SECRET_MAX: usize = 1 << 20;
/// Longest locked file, in bytes: the longest secret with what is written around it.
pub const LOCKED_BYTES_MAX: usize = LOCKED_SECRET_MAX + 512;

/// What every locked file starts with. A later format has another number.
const MAGIC: &[u8] = b"commonhold locked file 1\n";
const MAGIC_OF_ANY: &[u8] = b"commonhold locked file ";
/// Longest name of a purpose, in bytes.
const PURPOSE_MAX: usize = 64;

/// What one guess at a passphrase costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct LockCost {
    /// Memory in KiB, 8 per lane to 262 144 (256 MiB).
    #[n(0)]
    pub memory_kib: u32,
    /// Passes over the memory, 1 to 16.
    #[n(1)]
    pub passes: u32,
    /// Lanes, 1 to 16.
    #[n(2)]
    pub lanes: u32,
}

impl LockCost {
    /// 64 MiB, three passes, four lanes: what RFC 9106 §4 recommends second, where memory is scarce. Measured: 0.2 s.
    pub const STANDARD: Self = Self {
        memory_kib: 64 << 10,
        passes: 3,
        lanes: 4,
    };
    /// The most that a reader spends.
    const LIMIT: Self = Self {
        memory_kib: 256 << 10,
        passes: 16,
        lanes: 16,
    };

    fn params(self) -> Result<Params, UnlockError> {
        let below = self.memory_kib <= Self::LIMIT.memory_kib
            && self.passes <= Self::LIMIT.passes
            && self.lanes <= Self::LIMIT.lanes;
        let params = Params::new(
            self.memory_kib,
            self.passes,
            self.lanes,
            Some(KEY_LEN + CHECK_LEN),
        );
        params.ok().filter(|_| below).ok_or(UnlockError::Cost(self))
    }
}

/// Why a locked file was not opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnlockError {
    /// Something else, or only the beginning of one.
    #[error("this is not a locked file, or it is damaged: {0}")]
    NotLocked(DecodeError),
    /// Made by a later program.
    #[error("this locked file has another format; use the program that wrote it, or a newer one")]
    OtherFormat,
    /// A locked file, but of something else.
    #[error("this locked file holds something else")]
    OtherPurpose,
    /// Whoever wrote it wants more time or memory of the reader than any honest file does.
    #[error(
        "opening this file would take {} MiB and {} passes, which is outside what is accepted",
        .0.memory_kib >> 10, .0.passes
    )]
    Cost(LockCost),
    /// Not this passphrase.
    #[error("wrong passphrase")]
    WrongPassphrase,
    /// The passphrase is right and the content is not.
    #[error("the passphrase is right, but the file has been changed since it was written")]
    Changed,
}

const SALT_LEN: usize = 16;
const NONCE_LEN: usize = 24;
const KEY_LEN: usize = 32;
/// Tells a wrong passphrase from a changed file, and ties the file to one key: what opens under two keys could be made to
/// say two things.
const CHECK_LEN: usize = 32;

#[derive(Clone, Encode, Decode)]
struct Header {
    #[n(0)]
    purpose: String,
    #[n(1)]
    cost: LockCost,
    #[cbor(n(2), with = "minicbor::bytes")]
    salt: [u8; SALT_LEN],
    #[cbor(n(3), with = "minicbor::bytes")]
    nonce: [u8; NONCE_LEN],
    #[cbor(n(4), with = "minicbor::bytes")]
    check: [u8; CHECK_LEN],
}

#[derive(Encode, Decode)]
struct File {
    #[n(0)]
    header: Header,
    #[n(1)]
    ciphertext: ByteVec,
}

/// Locks `secret` under `passphrase`; `purpose`, at most 64 bytes, says in clear what it is.
///
/// # Panics
///
/// When `secret`, `purpose` or `cost` is beyond its limit.
pub fn lock(
    secret: &[u8],
    passphrase: &str,
    purpose: &str,
    cost: LockCost,
    rng: &mut Rng,
) -> Vec<u8> {
    assert!(
        secret.len() <= LOCKED_SECRET_MAX && purpose.len() <= PURPOSE_MAX,
        "no secret of ours is so long"
    );
    let (salt, nonce) = (Zeroizing::new(rng.bytes32()), rng.bytes32());
    let mut header = Header {
        purpose: purpose.to_owned(),
        cost,
        salt: std::array::from_fn(|i| salt[i]),
        nonce: std::array::from_fn(|i| nonce[i]),
        check: [0; CHECK_LEN],
    };
    let derived = derive(passphrase, &header).expect("we spend no more than we would to read it");
    let (key, check) = derived.split_at(KEY_LEN);
    header.check.copy_from_slice(check);
    let payload = Payload {
        msg: secret,
        aad: &encode(&header),
    };
    let ciphertext = cipher(key)
        .encrypt(&XNonce::from(header.nonce), payload)
        .expect("the secret is far below the cipher's limit");
    let file = File {
        header,
        ciphertext: ciphertext.into(),
    };
    [MAGIC, &encode(&file)].concat()
}

/// Opens what [`lock`] locked under the same passphrase for the same purpose. The secret is erased when dropped.
///
/// # Errors
///
/// See [`UnlockError`].
pub fn unlock(
    locked: &[u8],
    passphrase: &str,
    purpose: &str,
) -> Result<Zeroizing<Vec<u8>>, UnlockError> {
    let Some(body) = locked.strip_prefix(MAGIC) else {
        return Err(if locked.starts_with(MAGIC_OF_ANY) {
            UnlockError::OtherFormat
        } else {
            UnlockError::NotLocked(DecodeError::Malformed)
        });
    };
    let File { header, ciphertext } =
        decode(body, LOCKED_BYTES_MAX).map_err(UnlockError::NotLocked)?;
    if header.purpose != purpose {
        return Err(UnlockError::OtherPurpose);
    }
    let derived = derive(passphrase, &header)?;
    let (key, check) = derived.split_at(KEY_LEN);
    if !bool::from(check.ct_eq(&header.check)) {
        return Err(UnlockError::WrongPassphrase);
    }
    let payload = Payload {
        msg: &ciphertext,
        aad: &encode(&header),
    };
    cipher(key)
        .decrypt(&XNonce::from(header.nonce), payload)
        .map(Zeroizing::new)
        .map_err(|_| UnlockError::Changed)
}

/// The key, and what shows that it is the right one.
fn derive(
    passphrase: &str,
    header: &Header,
) -> Result<Zeroizing<[u8; KEY_LEN + CHECK_LEN]>, UnlockError> {
    let params = header.cost.params()?;
    let mut memory = Zeroizing::new(vec![Block::default(); params.block_count()]);
    let mut derived = Zeroizing::new([0; KEY_LEN + CHECK_LEN]);
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into_with_memory(
            passphrase.as_bytes(),
            &header.salt,
            derived.as_mut_slice(),
            memory.as_mut_slice(),
        )
        .map_err(|_| UnlockError::Cost(header.cost))?;
    Ok(derived)
}

fn cipher(key: &[u8]) -> XChaCha20Poly1305 {
    let key = Key::try_from(key).expect("the key has the cipher's length");
    XChaCha20Poly1305::new(&key)
}

#[cfg(test)]
mod tests {
    use base::Rng;
    use hex_literal::hex;
    use proptest::prelude::*;

    use super::*;

    const CHEAP: LockCost = LockCost {
        memory_kib: 16,
        passes: 1,
        lanes: 1,
    };

    fn locked() -> Vec<u8> {
        lock(
            b"secret",
            "open sesame",
            "test",
            CHEAP,
            &mut Rng::from_number(1),
        )
    }

    /// A known answer from the tests of the reference implementation (phc-winner-argon2, test.c).
    #[test]
    fn derives_what_the_reference_does() {
        let params = Params::new(65536, 2, 1, Some(32)).unwrap();
        let mut derived = [0; 32];
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(b"password", b"somesalt", &mut derived)
            .unwrap();
        assert_eq!(
            derived,
            hex!("09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7")
        );
    }

    #[test]
    fn opens_under_the_passphrase_alone() {
        let opened = unlock(&locked(), "open sesame", "test").unwrap();
        assert_eq!(opened[..], b"secret"[..]);
        let wrong = |passphrase| unlock(&locked(), passphrase, "test");
        for passphrase in ["", "open sesam", "Open sesame", "open sesame "] {
            assert_eq!(wrong(passphrase), Err(UnlockError::WrongPassphrase));
        }
        let other = unlock(&locked(), "open sesame", "other");
        assert_eq!(other, Err(UnlockError::OtherPurpose));
    }

    #[test]
    fn the_secret_and_the_passphrase_are_not_in_it_and_no_two_are_alike() {
        let (first, mut rng) = (locked(), Rng::from_number(2));
        let second = lock(b"secret", "open sesame", "test", CHEAP, &mut rng);
        assert_ne!(first[first.len() - 22..], second[second.len() - 22..]);
        for needle in [&b"secret"[..], b"sesame"] {
            assert!(!first.windows(needle.len()).any(|part| part == needle));
        }
    }

    #[test]
    fn no_changed_or_shortened_file_is_opened() {
        let good = locked();
        for at in 0..good.len() {
            let mut changed = good.clone();
            changed[at] ^= 1;
            assert!(
                unlock(&changed, "open sesame", "test").is_err(),
                "byte {at}"
            );
            assert!(unlock(&good[..at], "open sesame", "test").is_err());
        }
        let mut end = good.clone();
        *end.last_mut().unwrap() ^= 1;
        assert_eq!(
            unlock(&end, "open sesame", "test"),
            Err(UnlockError::Changed)
        );
        let longer = [good.as_slice(), b"x"].concat();
        assert!(matches!(
            unlock(&longer, "open sesame", "test"),
            Err(UnlockError::NotLocked(_))
        ));
    }

    #[test]
    fn another_format_is_named() {
        let mut later = locked();
        later[MAGIC_OF_ANY.len()] = b'2';
        assert_eq!(unlock(&later, "", "test"), Err(UnlockError::OtherFormat));
    }

    /// A file that wants 10 GB, or an hour, is refused before anything is spent.
    #[test]
    fn nobody_makes_a_reader_work() {
        let dear = [
            (10 << 20, 1, 1),
            (u32::MAX, u32::MAX, u32::MAX),
            (64, 17, 1),
            (1024, 1, 17),
            ((256 << 10) + 1, 1, 1),
            (0, 1, 1),
            (64, 0, 1),
            (64, 1, 0),
        ];
        for (memory_kib, passes, lanes) in dear {
            let cost = LockCost {
                memory_kib,
                passes,
                lanes,
            };
            let good = locked();
            let mut file: File = decode(&good[MAGIC.len()..], LOCKED_BYTES_MAX).unwrap();
            file.header.cost = cost;
            let asked = [MAGIC, &encode(&file)].concat();
            assert_eq!(
                unlock(&asked, "open sesame", "test"),
                Err(UnlockError::Cost(cost))
            );
        }
    }

    #[test]
    fn the_standard_cost_is_within_the_limits() {
        assert!(LockCost::STANDARD.params().is_ok());
    }

    proptest! {
        #[test]
        fn what_is_locked_opens(secret: Vec<u8>, passphrase: String, seed: u64) {
            let mut rng = Rng::from_number(seed);
            let file = lock(&secret, &passphrase, "test", CHEAP, &mut rng);
            prop_assert_eq!(unlock(&file, &passphrase, "test").unwrap().to_vec(), secret);
        }

        #[test]
        fn any_bytes_are_an_error(bytes: Vec<u8>) {
            prop_assert!(unlock(&bytes, "", "test").is_err());
            prop_assert!(unlock(&[MAGIC, &bytes].concat(), "", "test").is_err());
        }
    }
}
