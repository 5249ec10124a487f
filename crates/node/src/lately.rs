//! For whom something was done lately, so that nobody gets it too often.

use std::collections::BTreeMap;

use base::{Duration, Instant, NodeId};

/// Most nodes that are remembered; who comes beyond them waits. Guess.
const MOST: usize = 1024;

/// Nodes, each with when it was done.
#[derive(Debug, Default)]
pub struct Lately(BTreeMap<NodeId, Instant>);

impl Lately {
    /// Whether it may be done for `node` now, so long after the last time; it is remembered that it was.
    pub fn may(&mut self, now: Instant, node: NodeId, every: Duration) -> bool {
        self.0.retain(|_, at| now < *at + every);
        let may = !self.0.contains_key(&node) && self.0.len() < MOST;
        if may {
            self.0.insert(node, now);
        }
        may
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(5);

    fn node(number: usize) -> NodeId {
        let mut name = [0; 32];
        name[..8].copy_from_slice(&number.to_be_bytes());
        NodeId(name)
    }

    #[test]
    fn one_waits_its_time_and_of_too_many_the_last() {
        let (mut lately, start) = (Lately::default(), Instant::from_secs(1));
        for number in 0..MOST {
            assert!(lately.may(start, node(number), EVERY));
        }
        assert!(!lately.may(start, node(MOST), EVERY));
        let later = start + EVERY - Duration::from_micros(1);
        assert!(!lately.may(later, node(0), EVERY));
        assert!(lately.may(start + EVERY, node(0), EVERY));
        assert!(lately.may(start + EVERY, node(MOST), EVERY));
    }
}
