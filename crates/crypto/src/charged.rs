//! Signatures and sealing that a simulation of millions charges instead of computing them.
//!
//! A simulation that asks what a computation over a million people takes would spend days on elliptic curves, whose cost is
//! known: so many signatures, so many times the cost of one. While a thread holds [`Charged`], its signatures are digests that
//! anybody could make, and what it seals is hidden from nobody who tries; both still tell apart what honest nodes tell apart,
//! and both are counted as ever ([`Operations`](crate::Operations)).
//!
//! Only with the feature `charged`, which no program that speaks to others is built with. Without it the functions here are
//! constants.

#[cfg(feature = "charged")]
mod on {
    use std::cell::Cell;

    thread_local! {
        static ON: Cell<bool> = const { Cell::new(false) };
    }

    /// While it lives, this thread's signatures and seals are charged instead of computed.
    #[derive(Debug)]
    pub struct Charged(());

    impl Charged {
        /// From now on.
        pub fn begin() -> Self {
            ON.set(true);
            Self(())
        }
    }

    impl Drop for Charged {
        fn drop(&mut self) {
            ON.set(false);
        }
    }

    pub fn is_on() -> bool {
        ON.get()
    }
}

#[cfg(feature = "charged")]
pub use on::Charged;

/// Whether this thread charges.
#[cfg(feature = "charged")]
pub(crate) fn is_on() -> bool {
    on::is_on()
}

/// Whether this thread charges: never.
#[cfg(not(feature = "charged"))]
pub(crate) const fn is_on() -> bool {
    false
}

use base::Digest;

/// What stands for a signature.
pub(crate) fn signature(signer: &[u8; 32], bytes: &[u8]) -> [u8; 64] {
    let half = Digest::of("charged signature", &[signer, bytes]);
    let mut signature = [0; 64];
    signature[..32].copy_from_slice(half.as_bytes());
    signature[32..].copy_from_slice(half.as_bytes());
    signature
}

/// What stands for sealing to `public` and for opening it again: as long as the real thing but for its head.
pub(crate) fn hide(
    public: &[u8; 32],
    head: &[u8],
    [info, aad]: [&[u8]; 2],
    text: &[u8],
) -> (Vec<u8>, [u8; 16]) {
    let key = Digest::of("charged sealing", &[public, head, info, aad]);
    let hidden = text.iter().zip(key.as_bytes().iter().cycle());
    let hidden = hidden.map(|(a, b)| a ^ b).collect();
    let mut tag = [0; 16];
    tag.copy_from_slice(&key.as_bytes()[..16]);
    (hidden, tag)
}

#[cfg(all(test, feature = "charged"))]
mod tests {
    use base::Rng;

    use super::*;
    use crate::{Batch, Operations, SealingKey, SigningKey, open, seal, verify};

    #[test]
    fn what_is_charged_tells_apart_what_honest_nodes_do_and_is_counted() {
        let rng = &mut Rng::from_number(1);
        let charged = Charged::begin();
        let (one, other) = (SigningKey::generate(rng), SigningKey::generate(rng));
        let key = SealingKey::generate(rng);
        let ((), done) = Operations::of(|| {
            let signature = one.sign("d", b"m");
            assert!(verify(one.node(), "d", b"m", &signature).is_ok());
            assert!(verify(one.node(), "d", b"n", &signature).is_err());
            let mut batch = Batch::new();
            batch.push(one.node(), "d", b"m", &signature);
            assert!(batch.verify().is_ok());
            batch.push(other.node(), "d", b"m", &signature);
            assert!(batch.verify().is_err());
            let rng = &mut Rng::from_number(2);
            let sealed = seal(&key.public(), b"i", b"a", b"secret", rng).unwrap();
            assert_eq!(sealed.len(), 6 + crate::SEALING_OVERHEAD);
            assert_eq!(&**open(&key, b"i", b"a", &sealed).unwrap(), b"secret");
            assert!(open(&key, b"i", b"b", &sealed).is_err());
        });
        assert_eq!(
            (done.signed, done.checked, done.sealed, done.opened),
            (1, 4, 1, 2)
        );
        drop(charged);
        // And never afterwards, nor in another thread.
        let signature = one.sign("d", b"m");
        assert_ne!(signature.0, signature_of(&one));
        assert!(verify(one.node(), "d", b"m", &signature).is_ok());
    }

    fn signature_of(key: &SigningKey) -> [u8; 64] {
        let _charged = Charged::begin();
        key.sign("d", b"m").0
    }
}
