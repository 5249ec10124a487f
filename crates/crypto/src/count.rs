//! How much asymmetric cryptography has been done: what SEP2P counts the cost of a protocol in (§4.1).

use std::cell::Cell;
use std::ops::{Add, Sub};

thread_local! {
    static DONE: Cell<Operations> = const { Cell::new(Operations::NONE) };
}

/// Asymmetric operations of one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Operations {
    /// Signatures made.
    pub signed: u64,
    /// Signatures checked, alone or in a batch.
    pub checked: u64,
    /// Verifiable random values made.
    pub drawn: u64,
    /// Verifiable random values checked.
    pub proven: u64,
    /// Messages sealed.
    pub sealed: u64,
    /// Messages opened, or tried to.
    pub opened: u64,
}

impl Operations {
    const NONE: Self = Self {
        signed: 0,
        checked: 0,
        drawn: 0,
        proven: 0,
        sealed: 0,
        opened: 0,
    };

    /// What this thread has done since it began. Only differences tell something.
    pub fn so_far() -> Self {
        DONE.get()
    }

    /// Does something, and counts.
    pub fn of<T>(work: impl FnOnce() -> T) -> (T, Self) {
        let before = Self::so_far();
        let result = work();
        (result, Self::so_far() - before)
    }

    /// All of them.
    pub fn total(&self) -> u64 {
        self.signed + self.checked + self.drawn + self.proven + self.sealed + self.opened
    }
}

impl Add for Operations {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            signed: self.signed + other.signed,
            checked: self.checked + other.checked,
            drawn: self.drawn + other.drawn,
            proven: self.proven + other.proven,
            sealed: self.sealed + other.sealed,
            opened: self.opened + other.opened,
        }
    }
}

impl Sub for Operations {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            signed: self.signed - before.signed,
            checked: self.checked - before.checked,
            drawn: self.drawn - before.drawn,
            proven: self.proven - before.proven,
            sealed: self.sealed - before.sealed,
            opened: self.opened - before.opened,
        }
    }
}

/// Counts one operation.
pub(crate) fn count(which: impl FnOnce(&mut Operations) -> &mut u64) {
    let mut done = DONE.get();
    *which(&mut done) += 1;
    DONE.set(done);
}

#[cfg(test)]
mod tests {
    use base::Rng;

    use super::*;
    use crate::{Batch, SigningKey, VrfSecretKey, verify};

    #[test]
    fn counts_what_is_done_and_where() {
        let mut rng = Rng::from_number(1);
        let (key, vrf) = (
            SigningKey::generate(&mut rng),
            VrfSecretKey::generate(&mut rng),
        );
        let (signature, made) = Operations::of(|| key.sign("d", b"m"));
        assert_eq!((made.signed, made.total()), (1, 1));
        let ((), checked) = Operations::of(|| {
            assert_eq!(verify(key.node(), "d", b"m", &signature), Ok(()));
            let mut batch = Batch::new();
            batch.push(key.node(), "d", b"m", &signature);
            batch.push(key.node(), "d", b"n", &signature);
            assert!(batch.verify().is_err());
        });
        assert_eq!((checked.checked, checked.total()), (3, 3));
        let ((), drawn) = Operations::of(|| {
            let proof = vrf.prove(b"input");
            assert!(vrf.public().verify(b"input", &proof).is_ok());
        });
        assert_eq!((drawn.drawn, drawn.proven, drawn.total()), (1, 1, 2));
        // Another thread's work is its own.
        let other = std::thread::spawn(Operations::so_far).join().unwrap();
        assert_eq!(other.total(), 0);
    }
}
