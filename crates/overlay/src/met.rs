//! Where nodes outside of the view were last found.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::NodeId;
use community::Contact;

use crate::locating::LOCATED_MAX;

/// Most nodes that are remembered, the latest: those of two committees, and of searches.
const MET_MAX: usize = 2 * LOCATED_MAX + 256;

/// Nodes that searches have found, those that records talk to and those that were asked for.
#[derive(Debug, Default)]
pub struct Met {
    /// Each with the number of the meeting: looked up for every message that is sent, searched for the earliest only when
    /// one too many is met.
    nodes: BTreeMap<NodeId, (u64, Arc<Contact>)>,
    meetings: u64,
}

impl Met {
    /// The latest contact of `node`.
    pub fn get(&self, node: NodeId) -> Option<&Arc<Contact>> {
        self.nodes.get(&node).map(|(_, contact)| contact)
    }

    /// Remembers a contact; forgets that of the node met longest ago, if there are too many.
    pub fn insert(&mut self, contact: Arc<Contact>) {
        self.meetings += 1;
        self.nodes.insert(contact.node(), (self.meetings, contact));
        if self.nodes.len() > MET_MAX {
            let earliest = self.nodes.iter().min_by_key(|(_, (number, _))| *number);
            let earliest = earliest.map(|(node, _)| *node);
            earliest.and_then(|node| self.nodes.remove(&node));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::world::{START, World};

    #[test]
    fn forgets_whom_it_met_longest_ago() {
        let mut world = World::new(0);
        let mut contact = || {
            let identity = world.enrol(START);
            Arc::new(crate::tests::world::contact(
                &identity,
                World::address(0),
                START,
            ))
        };
        let contacts: Vec<_> = (0..=MET_MAX).map(|_| contact()).collect();
        let mut met = Met::default();
        for contact in &contacts[..MET_MAX] {
            met.insert(Arc::clone(contact));
        }
        // Met once more, the first is no longer the first to go.
        met.insert(Arc::clone(&contacts[0]));
        met.insert(Arc::clone(&contacts[MET_MAX]));
        let known = |at: usize| met.get(contacts[at].node()).is_some();
        assert!(known(0) && !known(1) && known(2) && known(MET_MAX));
    }
}
