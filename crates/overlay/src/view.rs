//! Whom a node knows: everyone near it, and single nodes far away.

use std::sync::Arc;

use base::{Location, NodeId, Region};
use community::{Contact, Descriptor};

use crate::{KTable, NodeCache};

/// The widest region in which nodes must know who is legitimate, as a share of the ring: that of the k-table's last row, or
/// less where so few collude that this is the whole ring. For the k nodes nearest to a point are all within `4 k + 100`
/// nodes, but for a chance below 2^-64 (Chernoff).
pub fn widest_region(descriptor: &Descriptor, table: &KTable) -> f64 {
    let widest = table.rows().last().map_or(1.0, |row| {
        let holds_k = f64::from(4 * row.k + 100) / descriptor.nodes as f64;
        row.region_size.min(holds_k)
    });
    widest.min(1.0)
}

/// rs3: the share of the ring around a node of which it knows everyone; 1 in a small community. At least four times the
/// widest region, so that the caches of those who are legitimate for one point have most nodes in common.
pub fn cache_share(descriptor: &Descriptor, table: &KTable) -> f64 {
    let wanted = f64::from(descriptor.cache_size) / descriptor.nodes as f64;
    wanted.max(4.0 * widest_region(descriptor, table)).min(1.0)
}

/// One node's picture of the ring.
///
/// The node cache is complete in the node's region R3, as far as the node has been told; in a small community that is the
/// whole ring. The fingers are single nodes outside of it (Chord), by which any point is reached in few steps.
#[derive(Debug, Clone)]
pub struct View {
    own: Arc<Contact>,
    region: Region,
    /// Contacts of the region, our own among them.
    pub cache: NodeCache,
    /// Contacts outside of the region.
    pub fingers: NodeCache,
}

impl View {
    /// A node that knows itself. Its region is the share `size` (0 to 1) of the ring around it.
    pub fn new(own: Arc<Contact>, size: f64) -> Self {
        let region = Region::new(own.location(), size);
        let cache = [Arc::clone(&own)].into_iter().collect();
        let fingers = NodeCache::new();
        Self {
            own,
            region,
            cache,
            fingers,
        }
    }

    /// What this node says of itself.
    pub fn own(&self) -> &Arc<Contact> {
        &self.own
    }

    /// R3: where the cache is complete.
    pub fn region(&self) -> &Region {
        &self.region
    }

    /// What is known of `node`.
    pub fn get(&self, node: NodeId) -> Option<&Arc<Contact>> {
        self.cache.get(node).or_else(|| self.fingers.get(node))
    }

    /// The known node nearest to `point` that `keep` keeps.
    pub fn nearest(&self, point: Location, keep: impl Fn(NodeId) -> bool) -> Option<&Arc<Contact>> {
        let found = [&self.cache, &self.fingers].map(|cache| cache.nearest(point, &keep));
        let found = found.into_iter().flatten();
        found.min_by_key(|contact| point.rank(contact.node(), contact.location()))
    }

    /// The known nodes after `from`, before `until` clockwise, in this order and without ourselves. The whole ring but
    /// `from` when both are the same.
    pub fn between(&self, from: Location, until: Location) -> Vec<Arc<Contact>> {
        let way = |to: Location| to.0.wrapping_sub(from.0).wrapping_sub(1);
        let inside = |contact: &&Arc<Contact>| way(contact.location()) < way(until);
        let known = [&self.cache, &self.fingers];
        let found = known.map(|cache| {
            cache
                .clockwise(Location(from.0.wrapping_add(1)))
                .take_while(inside)
        });
        let found = found.into_iter().flatten();
        let others = found.filter(|contact| contact.node() != self.own.node());
        let mut found: Vec<_> = others.cloned().collect();
        found.sort_by_key(|contact| (way(contact.location()), contact.node()));
        found
    }
}
