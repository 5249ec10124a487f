//! Nodes that could not be reached of late.

use std::collections::BTreeMap;

use base::{Duration, Instant, NodeId};

/// How long a node that could not be reached counts as gone, unless it gives a sign of life. Guess: it is tried again
/// twice an hour.
const AWAY: Duration = Duration::from_secs(1800);
/// Most nodes counted as gone at a time. Guess: a part of a cache.
const AWAY_MAX: usize = 256;

/// Who could not be reached within [`AWAY`], and when.
#[derive(Debug, Default)]
pub struct Away(BTreeMap<NodeId, Instant>);

impl Away {
    /// Whether a node counts as there.
    pub fn is_there(&self, node: NodeId, now: Instant) -> bool {
        let since = self.0.get(&node);
        since.is_none_or(|since| now.since(*since) >= AWAY)
    }

    /// It could not be reached. Answers whether there is room to remember it.
    pub fn insert(&mut self, node: NodeId, now: Instant) -> bool {
        self.0.retain(|_, since| now.since(*since) < AWAY);
        let room = self.0.len() < AWAY_MAX;
        if room {
            self.0.insert(node, now);
        }
        room
    }

    /// It gave a sign of life.
    pub fn remove(&mut self, node: NodeId) {
        self.0.remove(&node);
    }
}
