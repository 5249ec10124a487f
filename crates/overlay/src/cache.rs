//! The node cache: the certified nodes around one's own location (SEP2P §3.5, §3.6).

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Digest, Location, NodeId, Region};
use community::Contact;

/// Certificates and addresses of the nodes that this node knows, each checked before it came in.
///
/// In a small community the cache's region is the whole ring and it holds everyone. Cloning shares the contacts.
#[derive(Debug, Clone, Default)]
pub struct NodeCache {
    contacts: BTreeMap<NodeId, Arc<Contact>>,
}

impl NodeCache {
    /// A cache that knows nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a checked contact; answers whether it was news (a new node, or a later word of a known one).
    pub fn insert(&mut self, contact: Arc<Contact>) -> bool {
        let known = self.contacts.get(&contact.node());
        let news = known.is_none_or(|known| known.issued() < contact.issued());
        if news {
            self.contacts.insert(contact.node(), contact);
        }
        news
    }

    /// What is known of `node`.
    pub fn get(&self, node: NodeId) -> Option<&Arc<Contact>> {
        self.contacts.get(&node)
    }

    /// Whether `node` is known.
    pub fn contains(&self, node: NodeId) -> bool {
        self.contacts.contains_key(&node)
    }

    /// How many nodes are known.
    pub fn len(&self) -> usize {
        self.contacts.len()
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty()
    }

    /// All contacts, in order of their names.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Contact>> {
        self.contacts.values()
    }

    /// The nodes of `region` that `keep` keeps, nearest to `centre` first.
    pub fn within(
        &self,
        centre: Location,
        region: &Region,
        keep: impl Fn(NodeId) -> bool,
    ) -> Vec<Arc<Contact>> {
        let inside =
            |contact: &&Arc<Contact>| region.contains(contact.location()) && keep(contact.node());
        let mut found: Vec<_> = self.iter().filter(inside).cloned().collect();
        found.sort_by_key(|contact| centre.rank(contact.node(), contact.location()));
        found
    }

    /// The node nearest to `point` that `keep` keeps.
    pub fn nearest(&self, point: Location, keep: impl Fn(NodeId) -> bool) -> Option<&Arc<Contact>> {
        self.iter()
            .filter(|contact| keep(contact.node()))
            .min_by_key(|contact| point.rank(contact.node(), contact.location()))
    }

    /// A digest that two caches share exactly when they hold the same contacts.
    pub fn summary(&self) -> Digest {
        let digests: Vec<_> = self.iter().map(|contact| contact.digest()).collect();
        let parts: Vec<_> = digests.iter().map(|digest| &digest.0[..]).collect();
        Digest::of("node cache", &parts)
    }
}
