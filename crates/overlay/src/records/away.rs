//! Nodes that could not be reached of late.

use std::collections::BTreeMap;

use base::{Duration, Instant, NodeId};

/// How long a node that could not be reached counts as gone. Guess: as long as it takes to start anew.
const AWAY: Duration = Duration::from_secs(120);
/// Most nodes counted as gone at a time. Guess: a part of a cache.
const AWAY_MAX: usize = 256;

/// Who could not be reached within [`AWAY`], and when.
#[derive(Debug, Default)]
pub struct Away(BTreeMap<NodeId, Instant>);

impl Away {
    /// Tells the nodes that count as there.
    pub fn is_there(&self, now: Instant) -> impl Fn(NodeId) -> bool + '_ {
        move |node| {
            let since = self.0.get(&node);
            since.is_none_or(|since| now.since(*since) >= AWAY)
        }
    }

    /// It could not be reached.
    pub fn insert(&mut self, node: NodeId, now: Instant) {
        self.0.retain(|_, since| now.since(*since) < AWAY);
        if self.0.len() < AWAY_MAX {
            self.0.insert(node, now);
        }
    }

    /// It gave a sign of life.
    pub fn remove(&mut self, node: NodeId) {
        self.0.remove(&node);
    }
}
