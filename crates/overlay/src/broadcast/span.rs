//! The part of the ring that one relay answers for, and how it is split.

use base::{Location, NodeId};
use minicbor::{Decode, Encode};

use crate::View;

/// A span with no more known nodes than this is split into one span for each: one hop instead of three. Guess.
const FLAT_MAX: usize = 8;

/// All places after one point and before another, clockwise; the whole ring but the point when both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct Span {
    #[n(0)]
    after: Location,
    #[n(1)]
    before: Location,
}

impl Span {
    /// The whole ring but one's own place.
    pub fn all_but(own: Location) -> Self {
        Self {
            after: own,
            before: own,
        }
    }

    fn way(self, to: Location) -> u64 {
        to.0.wrapping_sub(self.after.0).wrapping_sub(1)
    }

    /// Splits it among known nodes that `keep` keeps, each of which is to get what lies between itself and the next.
    ///
    /// Relays sit at about a half, a quarter, an eighth of the span and so on (Chord's fingers), so that every span has at
    /// most half the length of the one it came from. What is before the first one goes to the node that is nearest
    /// before it, unless we know ourselves who sits there.
    pub fn split(self, view: &View, keep: impl Fn(NodeId) -> bool) -> Vec<(NodeId, Self)> {
        let mut known = view.between(self.after, self.before);
        known.retain(|contact| keep(contact.node()));
        known.dedup_by_key(|contact| contact.location());
        let length = self.way(self.before);
        let flat = known.len() <= FLAT_MAX;
        let mut level = u32::MAX;
        known.retain(|contact| {
            let halvings = (length / self.way(contact.location()).max(1))
                .max(1)
                .ilog2();
            let first = halvings != level;
            level = halvings;
            first || flat
        });

        let places = known.iter().map(|contact| contact.location());
        let ends = places.clone().skip(1).chain([self.before]);
        let spans = places
            .zip(ends)
            .map(|(after, before)| Self { after, before });
        let nodes = known.iter().map(|contact| contact.node());
        let mut parts: Vec<_> = nodes.zip(spans).collect();

        let first = known.first().map(|contact| contact.location());
        let gap = Self {
            before: first.unwrap_or(self.before),
            ..self
        };
        if !gap.is_known(view) {
            let here = view.own().location();
            let until = Location(self.after.0.wrapping_add(1));
            let mut nearer = view.between(here, until);
            nearer.retain(|contact| keep(contact.node()));
            parts.extend(nearer.last().map(|contact| (contact.node(), gap)));
        }
        parts
    }

    /// Whether the cache holds everyone there.
    fn is_known(self, view: &View) -> bool {
        let begins = view.region().begins();
        let inside = |place: Location| view.region().contains(place);
        let from_begin = |place: Location| place.0.wrapping_sub(begins.0);
        let ends = inside(self.after) && inside(self.before);
        ends && from_begin(self.after) <= from_begin(self.before)
    }
}
