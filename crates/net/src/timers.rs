//! The protocol's timers, earliest first.

use std::collections::BTreeMap;

use base::Instant;

/// A queue of timers. Those of one moment come back in the order in which they were set.
#[derive(Debug)]
pub(crate) struct Timers<T> {
    queue: BTreeMap<(Instant, u64), T>,
    set: u64,
}

impl<T> Timers<T> {
    pub(crate) fn new() -> Self {
        Self {
            queue: BTreeMap::new(),
            set: 0,
        }
    }

    pub(crate) fn set(&mut self, at: Instant, timer: T) {
        self.queue.insert((at, self.set), timer);
        self.set += 1;
    }

    /// When the next one is due.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.queue.first_key_value().map(|(&(at, _), _)| at)
    }

    /// Takes the next one when it is due.
    pub(crate) fn take_due(&mut self, now: Instant) -> Option<T> {
        let first = self.queue.first_entry()?;
        (first.key().0 <= now).then(|| first.remove())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn come_back_in_order_and_never_early() {
        let mut timers = Timers::new();
        for (at, name) in [(5, 'b'), (3, 'a'), (5, 'c'), (9, 'd')] {
            timers.set(Instant(at), name);
        }
        assert_eq!(timers.next(), Some(Instant(3)));
        assert_eq!(timers.take_due(Instant(2)), None);
        let due: String = std::iter::from_fn(|| timers.take_due(Instant(5))).collect();
        assert_eq!(due, "abc");
        assert_eq!(timers.next(), Some(Instant(9)));
    }
}
