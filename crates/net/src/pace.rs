//! How fast one peer may speak.
//!
//! Whoever is faster is read later, which QUIC's windows tell the sender: nothing is dropped here. A peer has one pace for
//! all its connections. Besides, few of its messages wait for the protocol at a time, so that however slow the protocol is,
//! another peer's message has few before it.

use std::sync::{Mutex, PoisonError};

use base::Duration;
use tokio::time::Instant as Ticks;

/// How much of its time a peer may use up at once: after a silence it may say twice what it may say in a second.
const AT_ONCE: Duration = Duration::from_secs(2);

/// One peer's messages and bytes.
#[derive(Debug)]
pub(crate) struct Pace {
    per_message: Duration,
    per_mib: Duration,
    /// When all that was read would have been read at the pace that is allowed: of messages, and of bytes.
    paid: Mutex<(Ticks, Ticks)>,
}

impl Pace {
    /// So many messages and bytes a second, at least one of each.
    pub(crate) fn new(messages: u32, bytes: u32, now: Ticks) -> Self {
        let second = Duration::from_secs(1);
        Self {
            per_message: second / messages.max(1),
            per_mib: second * (1 << 20) / bytes.max(1),
            paid: Mutex::new((now, now)),
        }
    }

    /// Counts a message of so many bytes. How long its reader waits before it hands it over.
    pub(crate) fn wait(&self, now: Ticks, bytes: usize) -> Duration {
        let length = u32::try_from(bytes).unwrap_or(u32::MAX);
        let cost = self.per_mib.mul_f64(f64::from(length) / f64::from(1 << 20));
        let mut paid = self.paid.lock().unwrap_or_else(PoisonError::into_inner);
        paid.0 = paid.0.max(now) + self.per_message;
        paid.1 = paid.1.max(now) + cost;
        let ahead = paid.0.max(paid.1) - now;
        ahead.saturating_sub(AT_ONCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn who_is_slow_never_waits_and_who_is_fast_keeps_the_pace() {
        let start = Ticks::now();
        let pace = Pace::new(100, 1 << 20, start);
        for second in 0..10 {
            for _ in 0..100 {
                assert_eq!(pace.wait(start + second * SECOND, 1000), Duration::ZERO);
            }
        }
        // All at once: two seconds' worth are free, the rest takes its time.
        let now = start + 60 * SECOND;
        let waits: Vec<_> = (0..500).map(|_| pace.wait(now, 10)).collect();
        assert!(waits[..200].iter().all(Duration::is_zero));
        assert_eq!(waits[499], 3 * SECOND);
    }

    #[test]
    fn bytes_count_as_well() {
        let now = Ticks::now();
        let pace = Pace::new(u32::MAX, 1 << 20, now);
        let waits: Vec<_> = (0..8).map(|_| pace.wait(now, 1 << 20)).collect();
        assert!(waits[..2].iter().all(Duration::is_zero));
        let (least, most) = (Duration::from_millis(5990), Duration::from_millis(6010));
        assert!((least..=most).contains(&waits[7]), "{waits:?}");
    }
}
