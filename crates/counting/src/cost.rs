//! What a protocol costs: asymmetric operations and messages (SEP2P §4.1).

use std::ops::AddAssign;

use crypto::Operations;

/// Of all nodes together: the paper's total work.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Cost {
    /// Asymmetric operations.
    pub operations: Operations,
    /// Messages, those of lookups included.
    pub messages: u64,
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.operations = self.operations + other.operations;
        self.messages += other.messages;
    }
}
