//! Time as a number that the host hands in.

use std::fmt;
use std::ops::{Add, Sub};

use minicbor::{Decode, Encode};

pub use std::time::Duration;

/// A moment: microseconds since the Unix epoch, as told by the host.
///
/// A host reads its wall clock once at start and adds elapsed monotonic time, so that an instant never runs backwards
/// within one process and is comparable between honest nodes to within their clocks' error. One type therefore serves
/// both timers and the dates in certificates and signatures.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Encode, Decode)]
#[cbor(transparent)]
pub struct Instant(#[n(0)] pub u64);

impl Instant {
    /// From whole seconds since the Unix epoch.
    pub const fn from_secs(secs: u64) -> Self {
        Self(secs * 1_000_000)
    }

    /// Whole seconds since the Unix epoch.
    pub const fn as_secs(self) -> u64 {
        self.0 / 1_000_000
    }

    /// Time elapsed since `earlier`, zero when `earlier` is later.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }

    /// Distance between two moments, whichever comes first.
    pub fn distance(self, other: Self) -> Duration {
        Duration::from_micros(self.0.abs_diff(other.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    /// Saturates at the end of time rather than wrap: a peer may name any deadline.
    fn add(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_add(micros))
    }
}

impl Sub<Duration> for Instant {
    type Output = Self;

    fn sub(self, duration: Duration) -> Self {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Self(self.0.saturating_sub(micros))
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:06}s", self.as_secs(), self.0 % 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn saturates_at_both_ends() {
        assert_eq!(Instant(u64::MAX) + Duration::MAX, Instant(u64::MAX));
        assert_eq!(Instant(3) - Duration::from_secs(1), Instant(0));
        assert_eq!(Instant(3).since(Instant(5)), Duration::ZERO);
        assert_eq!(Instant(3).distance(Instant(5)), Duration::from_micros(2));
    }
}
