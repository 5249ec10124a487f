//! How long a protocol takes where time is counted in what makes it take long (SEP2P §4.1).

use base::Protocol;
use counting::Latency;

use super::crowd::Place;
use super::{NodeId, Simulation};

/// How far one node has come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Progress {
    /// What its present step waited for.
    ready: Latency,
    /// Operations made in it so far.
    made: u64,
}

impl Progress {
    /// Something arrived.
    pub fn hear(&mut self, sent: Latency) {
        self.ready = self.ready.and(sent);
    }

    /// The node has worked.
    pub fn work(&mut self, operations: u64) {
        self.made += operations;
    }

    /// When it is done with what it has begun.
    pub fn now(&self) -> Latency {
        self.ready.then(self.made, 0)
    }

    /// It tells what it has done: its step ends.
    pub fn tell(&mut self) -> Latency {
        *self = Self {
            ready: self.now(),
            made: 0,
        };
        self.ready.then(0, 1)
    }
}

impl<P: Protocol> Simulation<P> {
    /// How much had to happen one after the other for a node to be where it is, from the first command on.
    pub fn latency(&self, node: NodeId) -> Latency {
        self.slot(node).progress.now()
    }

    pub(super) fn progress(&mut self, node: Place) -> &mut Progress {
        &mut self.crowd.at_mut(node).progress
    }
}
