//! The one place that reads a clock.

use std::time::{SystemTime, UNIX_EPOCH};

use base::{Duration, Instant};
use tokio::time::Instant as Ticks;

/// The wall clock, read once, plus elapsed monotonic time: never runs backwards while the process lives.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    wall: Instant,
    started: Ticks,
}

impl Clock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the host is where time comes from; every other crate gets it from here"
    )]
    /// Reads the wall clock.
    pub fn start() -> Self {
        // A clock set before 1970 is as wrong as one at 1970: no certificate is in force at either.
        let wall = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        Self {
            wall: Instant(0) + wall,
            started: Ticks::now(),
        }
    }

    /// The time now.
    pub fn now(&self) -> Instant {
        self.wall + self.started.elapsed()
    }

    /// When to sleep until for `at`, capped at an hour from now: the sleeper looks again.
    pub(crate) fn ticks(&self, at: Instant) -> Ticks {
        let wait = at.since(self.now()).min(Duration::from_secs(3600));
        Ticks::now() + wait
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn follows_elapsed_time() {
        let clock = Clock::start();
        let before = clock.now();
        tokio::time::sleep(Duration::from_secs(90)).await;
        assert!(clock.now().since(before) >= Duration::from_secs(90));
        assert!(before > Instant::from_secs(1_700_000_000));
    }

    #[tokio::test(start_paused = true)]
    async fn the_end_of_time_is_an_hour_away() {
        let clock = Clock::start();
        assert_eq!(
            clock.ticks(Instant(u64::MAX)) - Ticks::now(),
            Duration::from_secs(3600)
        );
        assert_eq!(clock.ticks(Instant(0)), Ticks::now());
    }
}
