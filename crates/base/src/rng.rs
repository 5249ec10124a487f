//! Randomness that replays: one seeded generator per node, split by label.

use std::fmt;

use chacha20::ChaCha20Rng;
use rand_core::{Infallible, Rng as _, SeedableRng, TryCryptoRng, TryRng};

use crate::Digest;

/// A cryptographic generator (ChaCha20) from a 32-byte seed.
///
/// On a live node the host draws the seed from the operating system at start; in the simulator it comes from the
/// scenario's seed. Never printed.
pub struct Rng(ChaCha20Rng);

impl Rng {
    /// The generator that this seed stands for.
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(ChaCha20Rng::from_seed(seed))
    }

    /// For tests and scenarios: a generator from a number.
    pub fn from_number(number: u64) -> Self {
        Self::from_seed(Digest::of("rng from number", &[&number.to_be_bytes()]).0)
    }

    /// An independent generator for one purpose. Two forks with the same label differ, too.
    pub fn fork(&mut self, label: &str) -> Self {
        let seed = self.bytes32();
        Self::from_seed(Digest::of("rng fork", &[&seed, label.as_bytes()]).0)
    }

    /// 32 fresh bytes.
    pub fn bytes32(&mut self) -> [u8; 32] {
        let mut bytes = [0; 32];
        self.0.fill_bytes(&mut bytes);
        bytes
    }

    /// A fresh number over the whole range.
    pub fn number(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// A number below `bound`, without bias.
    ///
    /// # Panics
    ///
    /// When `bound` is zero: there is no such number.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "no number is below zero");
        // Values under `bound`-multiples' remainder would be drawn once more often than the others.
        let rejected = bound.wrapping_neg() % bound;
        loop {
            let number = self.number();
            if number >= rejected {
                return number % bound;
            }
        }
    }

    /// A number in [0, 1) with 53 bits.
    pub fn unit(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1u64 << 53) as f64
    }
}

impl TryRng for Rng {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

impl TryCryptoRng for Rng {}

impl fmt::Debug for Rng {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Rng(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replays_and_forks_apart() {
        let (mut a, mut b) = (Rng::from_number(7), Rng::from_number(7));
        assert_eq!(a.number(), b.number());
        let (mut x, mut y) = (a.fork("x"), a.fork("x"));
        assert_ne!(x.number(), y.number());
        assert_eq!(
            b.fork("x").number(),
            Rng::from_number(7).tap_number().fork("x").number()
        );
    }

    impl Rng {
        fn tap_number(mut self) -> Self {
            self.number();
            self
        }
    }

    #[test]
    fn below_covers_its_range_only() {
        let mut rng = Rng::from_number(1);
        let mut seen = [0u32; 5];
        for _ in 0..5000 {
            seen[rng.below(5) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| (800..1200).contains(&n)), "{seen:?}");
    }

    #[test]
    fn debug_prints_no_state() {
        assert_eq!(format!("{:?}", Rng::from_number(1)), "Rng(secret)");
    }
}
