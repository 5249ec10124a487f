//! Members of whom something is remembered.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use base::NodeId;

/// Most of them.
const MEMBERS_MAX: usize = 64;

/// A bounded set of members.
#[derive(Debug, Default)]
pub(crate) struct Noted(Mutex<BTreeSet<NodeId>>);

impl Noted {
    /// Those who come when it is full are left out.
    pub(crate) fn add(&self, member: NodeId) {
        let mut members = self.members();
        if members.len() < MEMBERS_MAX {
            members.insert(member);
        }
    }

    pub(crate) fn remove(&self, member: NodeId) {
        self.members().remove(&member);
    }

    pub(crate) fn list(&self) -> Vec<NodeId> {
        self.members().iter().copied().collect()
    }

    fn members(&self) -> MutexGuard<'_, BTreeSet<NodeId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
