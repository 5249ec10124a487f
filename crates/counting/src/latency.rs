//! How long a protocol takes where time is counted in what makes it take long (SEP2P §4.1).

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
