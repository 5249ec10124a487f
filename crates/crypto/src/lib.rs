//! Everything that is secret, signed, sealed, shared or drawn, behind types that are hard to misuse.
//!
//! | question | answer |
//! |---|---|
//! | Who said this? | [`SigningKey::sign`], [`verify`] (Ed25519, RFC 8032, one rule for all, also in a [`Batch`]) |
//! | Who belongs, and where? | [`Certificate`] (X.509, RFC 5280), asked for by [`CertificateRequest`] |
//! | Who decides by chance? | [`VrfSecretKey::prove`], [`VrfPublicKey::verify`] (RFC 9381) |
//! | Who may read this? | [`seal`], [`open`] (HPKE, RFC 9180) |
//! | Who may open this file? | [`lock`], [`unlock`] (Argon2id, RFC 9106, and XChaCha20-Poly1305) |
//! | How does a person write a key down? | [`words_of`], [`secret_of`] (BIP-39) |
//! | How can many add up what none may see? | [`split`], [`Share`], [`Vector`], [`commit`] |
//!
//! All randomness comes from the [`base::Rng`] that a caller hands in. Secrets are never printed and are erased when
//! dropped; the buffers that [`base::encode`] makes of them are the caller's to erase. Nothing here keeps keys,
//! decides whom to trust, or knows what a question is.
//!
//! ```
//! use base::{Digest, Instant, Rng};
//! use crypto::*;
//!
//! let mut rng = Rng::from_number(1);
//!
//! // An authority certifies a node.
//! let (authority, node) = (SigningKey::generate(&mut rng), SigningKey::generate(&mut rng));
//! let vrf = VrfSecretKey::generate(&mut rng);
//! let community = Digest::of("example community", &[]);
//! let request = CertificateRequest::new(&node, &vrf.public(), &community);
//! let (from, until) = (Instant::from_secs(1_800_000_000), Instant::from_secs(1_900_000_000));
//! let nonce = rng.bytes32();
//! let rights = Rights { ask: true };
//! let certificate =
//!     Certificate::issue(&authority, &community, &request, nonce, rights, from, until, 1)?;
//! certificate.verify(&community, &[authority.node()], from)?;
//!
//! // The node signs, and draws a number that it could not choose.
//! let signature = node.sign("example", b"hello");
//! verify(certificate.node(), "example", b"hello", &signature)?;
//! let proof = vrf.prove(b"some input");
//! assert_eq!(certificate.vrf().verify(b"some input", &proof), proof.output());
//!
//! // It splits its values into three shares and seals one of them. All three add up to the values again.
//! let shares = split(&Vector::from_u64s(&[3, 4])?, 3, &mut rng);
//! let helper = SealingKey::generate(&mut rng);
//! let sealed = seal(&helper.public(), b"share", b"", &base::encode(&shares[1]), &mut rng)?;
//! assert_eq!(base::decode(&open(&helper, b"share", b"", &sealed)?, 64), Ok(shares[1].clone()));
//! let mut sum = Vector::zeros(2);
//! for share in &shares {
//!     sum.add(&share.expand(2)?)?;
//! }
//! assert_eq!(sum.to_u64s(), [3, 4]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod batch;
mod certificate;
mod charged;
mod count;
mod keys;
mod locked;
mod remembering;
mod sealing;
mod share;
mod stream;
mod vrf;
mod words;

pub use batch::{Batch, FirstBad};
pub use certificate::{
    Certificate, CertificateError, CertificateRequest, MAX_CERTIFICATE_LEN,
    MAX_CERTIFICATE_MESSAGE_LEN, Rights,
};
#[cfg(feature = "charged")]
pub use charged::Charged;
pub use count::Operations;
pub use keys::{BadSignature, Signature, SigningKey, verify};
pub use locked::{LOCKED_BYTES_MAX, LOCKED_SECRET_MAX, LockCost, UnlockError, lock, unlock};
pub use remembering::Remembering;
pub use sealing::{
    OpenError, SEALING_OVERHEAD, SealError, SealingKey, SealingPublicKey, open, seal,
};
pub use share::{LengthMismatch, Share, Vector, VectorError, commit, split};
pub use stream::{Damaged, Stream};
pub use vrf::{BadProof, BadVrfKey, VrfProof, VrfPublicKey, VrfSecretKey};
pub use words::{WORDS, WordsError, secret_of, words_in, words_of};
