//! Whom a node knows: everyone near it, and single nodes far away.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::sync::Arc;

use base::{Digest, Location, NodeId, Region};
use community::Contact;

use crate::{KTable, NodeCache};

/// Most nodes that a cache holds, whatever is configured: a list of them must fit into a message. Twice the
/// largest size that a descriptor may name.
pub const CACHE_MAX: usize = 8192;

/// How many of the nearest nodes on each side are kept wherever they sit, so that the ring is closed even where it is
/// thin. As many neighbours would have to fail at once to tear it. Guess, Chord keeps as many as log2 N.
pub const NEIGHBOURS: usize = 4;

/// The widest region in which nodes must know who is legitimate, as a share of the ring: that of the k-table's last row, or
/// less where so few collude that this is the whole ring. For the k nodes nearest to a point are then among `2 k + 24`
/// nodes around it, but for a chance below 10^-9 (the sum of the Poisson law below k).
pub fn widest_region(nodes: u64, table: &KTable) -> f64 {
    let widest = table.rows().last().map_or(1.0, |row| {
        let holds_k = f64::from(2 * row.k + 24) / nodes as f64;
        row.region_size.min(holds_k)
    });
    widest.min(1.0)
}

/// rs3: the share of the ring around a node of which it knows everyone, so that a cache holds `cache_size` of N nodes on
/// average; 1 in a small community. At least twice the widest
/// region, so that those who are legitimate for one point have the nodes around it in common.
pub fn cache_share(nodes: u64, cache_size: u32, table: &KTable) -> f64 {
    let wanted = f64::from(cache_size) / nodes as f64;
    wanted.max(2.0 * widest_region(nodes, table)).min(1.0)
}

/// One node's picture of the ring.
///
/// The node cache is complete in the node's region R3, as far as the node has been told; in a small community that is the
/// whole ring. The fingers are single nodes outside of it (Chord), by which any point is reached in few steps: those
/// nearest to the points at plus and minus 2^-i from our own location, and our neighbours, should the region be so thin
/// that they sit outside.
#[derive(Debug, Clone)]
pub struct View {
    own: Arc<Contact>,
    size: f64,
    region: Region,
    limit: usize,
    /// Contacts of the region, our own among them.
    pub cache: NodeCache,
    /// Contacts outside of the region.
    pub fingers: NodeCache,
}

impl View {
    /// A node that knows itself. Its region is the share `size` (0 to 1) of the ring around it, its cache holds at most
    /// `limit` nodes (at most 8192).
    pub fn new(own: Arc<Contact>, size: f64, limit: usize) -> Self {
        let region = Region::new(own.location(), size);
        let cache = [Arc::clone(&own)].into_iter().collect();
        let fingers = NodeCache::new();
        Self {
            own,
            size,
            region,
            limit: limit.min(CACHE_MAX),
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

    /// R3 of a node at `location`. All regions have one size, so a node is in the region of exactly those that are in its.
    pub fn region_of(&self, location: Location) -> Region {
        Region::new(location, self.size)
    }

    /// Whether the region is the whole ring, so that everybody is known.
    pub fn is_whole(&self) -> bool {
        self.size >= 1.0
    }

    /// How many nodes there are, this one included: exactly where everybody is known, and elsewhere as many as there would be
    /// if they sat everywhere as closely as in the region.
    pub fn population(&self) -> u64 {
        let known = self.cache.len() as f64;
        (known / self.size.min(1.0)).round() as u64
    }

    /// What is known of `node`.
    pub fn get(&self, node: NodeId) -> Option<&Arc<Contact>> {
        self.cache.get(node).or_else(|| self.fingers.get(node))
    }

    /// Adds a checked contact where it belongs; answers whether that is in the cache and was news. A full cache takes no
    /// new nodes.
    pub fn admit(&mut self, contact: Arc<Contact>) -> bool {
        if self.region.contains(contact.location()) {
            let room = self.cache.len() < self.limit || self.cache.contains(contact.node());
            self.fingers.remove(contact.node());
            return room && self.cache.insert(contact);
        }
        // A new certificate may have moved it.
        self.cache.remove(contact.node());
        if self.fingers.insert(contact) {
            let wanted = self.wanted();
            self.fingers
                .retain(|contact| wanted.contains(&contact.node()));
        }
        false
    }

    /// Whether [`admit`](Self::admit) would keep this contact, were it news.
    pub fn wants(&self, contact: &Contact) -> bool {
        let (node, place) = (contact.node(), contact.location());
        if self.region.contains(place) {
            return self.cache.len() < self.limit || self.cache.contains(node);
        }
        let own = self.own.location();
        let few = |between: Vec<_>| between.len() < NEIGHBOURS;
        let is_nearer = |point: &Location| {
            let known = self.fingers.nearest(*point, |_| true);
            let rank = point.rank(node, place);
            known.is_none_or(|known| rank <= point.rank(known.node(), known.location()))
        };
        few(self.between(own, place))
            || few(self.between(place, own))
            || self.get(node).is_some()
            || self.finger_points().iter().any(is_nearer)
    }

    /// Forgets a node; answers what was known of it.
    pub fn remove(&mut self, node: NodeId) -> Option<Arc<Contact>> {
        let contact = self.get(node).cloned();
        self.cache.remove(node);
        self.fingers.remove(node);
        contact
    }

    /// Whether nobody else is known.
    pub fn is_alone(&self) -> bool {
        self.cache.len() <= 1 && self.fingers.is_empty()
    }

    /// Whether some of the neighbours sit outside of the region: the cache does not tell who comes.
    pub fn is_thin(&self) -> bool {
        let neighbours = self.neighbours(NEIGHBOURS);
        let mut nodes = neighbours.iter().map(|contact| contact.node());
        nodes.any(|node| self.fingers.contains(node))
    }

    /// The points near which fingers are wanted, the farthest first: all at plus and minus 2^-i outside of the region.
    pub fn finger_points(&self) -> Vec<Location> {
        let own = self.own.location().0;
        let steps = (0..64).rev().map(|i| 1u64 << i);
        let outside = steps.take_while(|step| {
            let point = Location(own.wrapping_add(*step));
            !self.region.contains(point)
        });
        let both = outside.flat_map(|step| [own.wrapping_add(step), own.wrapping_sub(step)]);
        both.map(Location).collect()
    }

    /// The nodes nearest to us on each side, at most `count` on each, without ourselves.
    pub fn neighbours(&self, count: usize) -> Vec<Arc<Contact>> {
        let own = self.own.node();
        let mut seen = BTreeSet::new();
        let sides = self.sides(self.own.location(), count + 1).into_iter();
        let others = sides.flat_map(|side| {
            let others = side.into_iter().filter(|contact| contact.node() != own);
            others.take(count)
        });
        others
            .filter(|contact| seen.insert(contact.node()))
            .collect()
    }

    /// The known nodes nearest to `point` on each side, at most `count` on each, ourselves included, nearest first:
    /// clockwise from it (a node right there is among these) and anticlockwise. In a small ring one node may be on both.
    pub fn sides(&self, point: Location, count: usize) -> [Vec<Arc<Contact>>; 2] {
        let known = [&self.cache, &self.fingers];
        let after = known.map(|cache| cache.clockwise(point).take(count));
        let before = known.map(|cache| cache.anticlockwise(point).take(count));
        let way = |contact: &Contact| contact.location().0.wrapping_sub(point.0);
        let mut after: Vec<_> = after.into_iter().flatten().cloned().collect();
        after.sort_by_key(|contact| (way(contact), contact.node()));
        after.truncate(count);
        let mut before: Vec<_> = before.into_iter().flatten().cloned().collect();
        before.sort_by_key(|contact| Reverse((way(contact), contact.node())));
        before.truncate(count);
        [after, before]
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

    /// What this node and one at `other` must both know: the contacts of both regions, with their digests, clockwise
    /// from 0.
    pub fn shared(&self, other: Location) -> impl Iterator<Item = (&Digest, &Arc<Contact>)> {
        let theirs = self.region_of(other);
        let known = self.cache.digests();
        known.filter(move |(_, contact)| theirs.contains(contact.location()))
    }

    /// A digest that this node and one at `other` share exactly when they agree about both regions' contacts.
    pub fn summary(&self, other: Location) -> Digest {
        let parts: Vec<_> = self
            .shared(other)
            .map(|(digest, _)| &digest.0[..])
            .collect();
        Digest::of("node cache", &parts)
    }

    /// The fingers worth keeping.
    fn wanted(&self) -> BTreeSet<NodeId> {
        let neighbours = self.neighbours(NEIGHBOURS).into_iter();
        let points = self.finger_points();
        let nearest = points
            .iter()
            .filter_map(|point| self.fingers.nearest(*point, |_| true));
        let nodes = nearest.map(|contact| contact.node());
        nodes
            .chain(neighbours.map(|contact| contact.node()))
            .collect()
    }
}
