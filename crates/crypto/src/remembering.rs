//! Signatures that one thread has found valid and need not check again.
//!
//! In a simulation all nodes of a community live in one process, and each checks what the others have checked. A signature that
//! held once holds always, so the second node may take the first one's word: nothing is skipped that could fail. Each check is
//! counted as ever ([`Operations`](crate::Operations)).
//!
//! Off unless a thread asks for it, which no node on a network does.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

/// Most signatures that a thread remembers: some thirty megabytes. Beyond it, it begins anew.
const REMEMBERED_MAX: usize = 1 << 18;

/// What a signature's validity depends on: the hash of R, signer and message, which is part of what is checked, and S.
pub(crate) type Name = ([u8; 32], [u8; 32]);

thread_local! {
    static ON: Cell<bool> = const { Cell::new(false) };
    static HELD: RefCell<HashSet<Name>> = RefCell::default();
}

/// While it lives, this thread remembers which signatures held.
#[derive(Debug)]
pub struct Remembering {
    was_on: bool,
}

impl Remembering {
    /// From now on.
    pub fn begin() -> Self {
        Self {
            was_on: ON.replace(true),
        }
    }
}

impl Drop for Remembering {
    fn drop(&mut self) {
        ON.set(self.was_on);
    }
}

/// Whether this signature is known to hold.
pub(crate) fn is_known(name: impl FnOnce() -> Name) -> bool {
    ON.get() && HELD.with_borrow(|held| held.contains(&name()))
}

/// This signature holds.
pub(crate) fn remember(name: impl FnOnce() -> Name) {
    if ON.get() {
        HELD.with_borrow_mut(|held| {
            if held.len() >= REMEMBERED_MAX {
                held.clear();
            }
            held.insert(name());
        });
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;

    use super::*;
    use crate::{Batch, Operations, Signature, SigningKey, verify};

    fn held() -> usize {
        HELD.with_borrow(HashSet::len)
    }

    #[test]
    fn only_what_held_is_known() {
        let rng = &mut Rng::from_number(1);
        let (one, other) = (SigningKey::generate(rng), SigningKey::generate(rng));
        let signature = one.sign("d", b"m");
        let forged = Signature({
            let mut bytes = signature.0;
            bytes[40] ^= 1;
            bytes
        });
        let checks = || {
            let alone = [
                verify(one.node(), "d", b"m", &signature).is_ok(),
                verify(one.node(), "d", b"n", &signature).is_ok(),
                verify(one.node(), "e", b"m", &signature).is_ok(),
                verify(other.node(), "d", b"m", &signature).is_ok(),
                verify(one.node(), "d", b"m", &forged).is_ok(),
            ];
            let mut batch = Batch::new();
            batch.push(one.node(), "d", b"m", &signature);
            let good = batch.verify().is_ok();
            batch.push(other.node(), "d", b"m", &signature);
            (alone, good, batch.verify().is_ok())
        };
        let expected = ([true, false, false, false, false], true, false);
        let (found, work) = Operations::of(checks);
        assert_eq!((found, held()), (expected, 0), "off unless asked for");
        let _remembering = Remembering::begin();
        for _ in 0..2 {
            let (found, again) = Operations::of(checks);
            assert_eq!((found, held()), (expected, 1));
            assert_eq!(again, work, "it is counted all the same");
        }
        {
            let _inner = Remembering::begin();
        }
        assert!(ON.get(), "the outer one still lives");
    }

    #[test]
    fn what_a_batch_finds_is_known_too() {
        let _remembering = Remembering::begin();
        let key = SigningKey::generate(&mut Rng::from_number(2));
        let mut batch = Batch::new();
        for message in [b"1", b"2", b"3"] {
            batch.push(key.node(), "d", message, &key.sign("d", message));
        }
        assert!(batch.verify().is_ok());
        assert_eq!(held(), 3);
        let bad = key.sign("d", b"5");
        batch.push(key.node(), "d", b"4", &bad);
        assert_eq!(batch.verify().map_err(|bad| bad.0), Err(3));
        assert_eq!(held(), 3);
    }
}
