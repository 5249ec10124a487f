//! How long a protocol takes where time is counted in what makes it take long (SEP2P §4.1).

use base::Protocol;

use super::crowd::Place;
use super::{NodeId, Simulation};

/// The longest chain of steps that waited for each other, everything else having been done beside it.
///
/// A node begins a step when all messages that it needs are there, makes the step's operations one after the other, and
/// sends. The two numbers are counted apart: their longest chains need not be the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Latency {
    /// Asymmetric operations.
    pub operations: u64,
    /// Messages.
    pub messages: u64,
}

impl Latency {
    /// When both have happened.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            operations: self.operations.max(other.operations),
            messages: self.messages.max(other.messages),
        }
    }

    /// So much later.
    #[must_use]
    pub fn then(self, operations: u64, messages: u64) -> Self {
        Self {
            operations: self.operations + operations,
            messages: self.messages + messages,
        }
    }
}

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
