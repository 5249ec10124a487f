//! Peers who are not listened to for a while, because they sent a forgery.

use std::collections::BTreeMap;

use base::{Duration, Instant, NodeId};

/// How long a peer's signatures are not checked after one was bad. Guess: long beside the two checks that it cost, short
/// beside the life of a node that was wrongly blamed.
pub const DISTRUST: Duration = Duration::from_secs(15);
/// Most peers distrusted at a time; of more, the one with the first name is forgiven. Guess.
const DISTRUSTED_MAX: usize = 1024;

/// Whose forgery was found within [`DISTRUST`], and when.
#[derive(Debug, Default)]
pub struct Distrust(BTreeMap<NodeId, Instant>);

impl Distrust {
    /// Whether `node` is not to be listened to now.
    pub fn contains(&self, node: NodeId, now: Instant) -> bool {
        let since = self.0.get(&node);
        since.is_some_and(|since| now.since(*since) < DISTRUST)
    }

    /// Stops listening to `node`.
    pub fn insert(&mut self, node: NodeId, now: Instant) {
        self.0.retain(|_, since| now.since(*since) < DISTRUST);
        if self.0.len() >= DISTRUSTED_MAX {
            self.0.pop_first();
        }
        self.0.insert(node, now);
    }
}
