//! Which nodes keep what lies at a place.

use base::{Location, NodeId};

use crate::View;
use crate::near::nearest;

/// r: nodes that keep one record. With half of all nodes away at once, all copies are away for one record in 256; with
/// 1 % of colluders, all keepers collude with a chance of 1e-16. It is about the k of the sound k-table (7 to 9).
pub const COPIES: usize = 8;

/// Whether `node` is one of the `count` nodes nearest to `place`, as far as this node knows.
pub fn is_near(
    view: &View,
    node: NodeId,
    place: Location,
    count: usize,
    keep: impl Fn(NodeId) -> bool,
) -> bool {
    let found = || nearest(&view.cache, place, count, &keep);
    view.region().contains(place) && found().iter().any(|contact| contact.node() == node)
}
