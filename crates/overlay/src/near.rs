//! The nodes nearest to a place, and whether one knows them all.

use std::sync::Arc;

use base::{Location, NodeId};
use community::Contact;

use crate::{NodeCache, View};

/// The `count` nodes of a cache nearest to `place` that `keep` keeps, nearest first.
pub fn nearest(
    cache: &NodeCache,
    place: Location,
    count: usize,
    keep: impl Fn(NodeId) -> bool,
) -> Vec<Arc<Contact>> {
    let kept = |contact: &&Arc<Contact>| keep(contact.node());
    let ahead = cache.clockwise(place).filter(kept).take(count);
    let behind = cache.anticlockwise(place).filter(kept).take(count);
    let mut found: Vec<_> = ahead.chain(behind).cloned().collect();
    found.sort_by_key(|contact| place.rank(contact.node(), contact.location()));
    found.dedup_by_key(|contact| contact.node());
    found.truncate(count);
    found
}

/// The `count` nodes nearest to `place` that `keep` keeps, nearest first, if this node knows them: nobody nearer can be
/// outside of its region.
pub fn all_near(
    view: &View,
    place: Location,
    count: usize,
    keep: impl Fn(NodeId) -> bool,
) -> Option<Vec<Arc<Contact>>> {
    let found = nearest(&view.cache, place, count, keep);
    let last = found.last().filter(|_| found.len() == count);
    let reach = last.map_or(1 << 63, |contact| place.distance(contact.location()));
    let here = view.own().location();
    let half = here.0.wrapping_sub(view.region().begins().0);
    let known = here.distance(place).checked_add(reach);
    let is_whole = view
        .region()
        .contains(Location(here.0.wrapping_add(1 << 63)));
    let is_known = last.is_some() && known.is_some_and(|known| known <= half);
    (is_whole || is_known).then_some(found)
}
