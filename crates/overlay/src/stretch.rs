//! What lies on one side of a node: how a word reaches everybody there over few connections.
//!
//! A word for all of a region goes to a node in each octave of distance, and each of these passes it on up to where the next
//! one begins. Whom a node tells follows from distances to its own place alone, so that words of all nodes travel over the
//! same connections, about two times the logarithm of the region's nodes each, where telling all of them directly makes one
//! to each.

use base::{Location, NodeId};
use minicbor::{Decode, Encode};

use crate::View;

/// The places on one side of a node, before a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Stretch {
    #[n(0)]
    before: Location,
    #[n(1)]
    clockwise: bool,
}

impl Stretch {
    /// The two halves of the region around a node.
    pub fn both_sides(view: &View) -> [Self; 2] {
        let begins = view.region().begins();
        let own = view.own().location().0;
        let half = own.wrapping_sub(begins.0);
        [(true, own.wrapping_add(half)), (false, begins.0)].map(|(clockwise, before)| Self {
            before: Location(before),
            clockwise,
        })
    }

    /// Who is told, and what each of them sees to: the first known node of each octave, and what lies behind it up to the
    /// next. Nobody is in two of the parts, and no part holds our own place.
    pub fn split(self, view: &View) -> Vec<(NodeId, Self)> {
        let own = view.own().location();
        let mut known = match self.clockwise {
            true => view.between(own, self.before),
            false => view.between(self.before, own),
        };
        if !self.clockwise {
            known.reverse();
        }
        let way = |place: Location| match self.clockwise {
            true => place.0.wrapping_sub(own.0),
            false => own.0.wrapping_sub(place.0),
        };
        let mut octave = None;
        known.retain(|contact| {
            let found = way(contact.location()).checked_ilog2();
            found.is_some() && octave.replace(found) != Some(found)
        });
        let ends = known.iter().skip(1).map(|next| next.location());
        let ends = ends.chain([self.before]);
        known
            .iter()
            .zip(ends)
            .map(|(contact, before)| (contact.node(), Self { before, ..self }))
            .collect()
    }
}

#[cfg(test)]
mod tests;
