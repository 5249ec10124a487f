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
    pub(super) after: Location,
    #[n(1)]
    pub(super) before: Location,
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
    /// Relays are the first known ones behind a half, a quarter, an eighth of the span and so on. Fingers sit there (Chord),
    /// so that every span has about half the length of the one it came from. What is before the first one goes to the
    /// known node that is nearest before it, unless we know ourselves who sits there.
    pub fn split(self, view: &View, keep: impl Fn(NodeId) -> bool) -> Split {
        let relays = self.relays(view, &keep);
        let places = relays.iter().map(|(_, place)| *place);
        let ends = places.clone().skip(1).chain([self.before]);
        let spans = places
            .zip(ends)
            .map(|(after, before)| Self { after, before });
        let nodes = relays.iter().map(|(node, _)| *node);
        let gap = Self {
            before: relays.first().map_or(self.before, |(_, place)| *place),
            ..self
        };
        Split {
            relays: nodes.zip(spans).collect(),
            helper: gap.helper(view, keep).map(|node| (node, gap)),
        }
    }

    /// Who gets the payload, in order of the ring.
    fn relays(self, view: &View, keep: impl Fn(NodeId) -> bool) -> Vec<(NodeId, Location)> {
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
        let relays = known.iter();
        relays
            .map(|contact| (contact.node(), contact.location()))
            .collect()
    }

    /// Who may know more nodes here than we do, who know none: the known node nearest before, if it is not we.
    fn helper(self, view: &View, keep: impl Fn(NodeId) -> bool) -> Option<NodeId> {
        if self.is_known(view) {
            return None;
        }
        let until = Location(self.after.0.wrapping_add(1));
        let before = view.between(view.own().location(), until);
        let mut nearest = before.iter().rev().map(|contact| contact.node());
        nearest.find(|node| keep(*node))
    }

    /// Whether the cache holds everyone there.
    fn is_known(self, view: &View) -> bool {
        let begins = view.region().begins();
        let inside = |place: Location| view.region().contains(place);
        let from_begin = |place: Location| place.0.wrapping_sub(begins.0);
        let ends = inside(self.after) && inside(self.before);
        let antipode = Location(view.own().location().0.wrapping_add(1 << 63));
        inside(antipode) || ends && from_begin(self.after) <= from_begin(self.before)
    }
}

/// Who sees to which part of a span.
#[derive(Debug, PartialEq, Eq)]
pub struct Split {
    /// Nodes in the span, in order of the ring, with what comes after each of them.
    pub relays: Vec<(NodeId, Span)>,
    /// A node before the span, to see to what is before the first relay.
    pub helper: Option<(NodeId, Span)>,
}
