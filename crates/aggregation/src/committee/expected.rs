//! Whose contributions a replica waits for.

use std::collections::BTreeSet;

use base::NodeId;

/// Whose contributions a replica waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expected {
    /// Everybody's: the collection is over when all have answered.
    All(BTreeSet<NodeId>),
    /// Those of about so many, of whom this node does not know everybody: it lasts as long as it may.
    About(u64),
}

impl From<BTreeSet<NodeId>> for Expected {
    fn from(everybody: BTreeSet<NodeId>) -> Self {
        Self::All(everybody)
    }
}

impl Expected {
    /// How many.
    pub fn count(&self) -> u64 {
        match self {
            Self::All(everybody) => everybody.len() as u64,
            Self::About(count) => *count,
        }
    }

    /// Whether all have answered.
    pub fn is_over(&self, has_answered: impl Fn(&NodeId) -> bool) -> bool {
        match self {
            Self::All(everybody) => everybody.iter().all(has_answered),
            Self::About(_) => false,
        }
    }
}
