//! Where a committee is in a tree of committees (design: aggregation, steps 5 and 6).
//!
//! A *leaf* takes people's contributions. Its replicas give each lane's sum to the same lane of the committee *above*, which
//! takes it as a leaf takes a contribution: it counts when enough of the child's lane signed it, the children of which enough
//! of every lane hold a sum are agreed on, and what they come to is passed on in turn. The *root* counts, opens or refuses.
//! No sum but the root's is ever opened. A child whose sums do not arrive in time is left out: its people are away.

use base::{Digest, Instant, Location, NodeId};

use crate::committee::terms::Terms;
use crate::sizes::FAN_IN_MAX;

/// The neighbours of a committee in its tree. None at all for a committee alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// Whose lanes get this committee's lane sums; none at the root.
    pub above: Option<Above>,
    /// Whose sums this committee adds up; none at a leaf.
    pub below: Vec<Below>,
    /// At a leaf of a tree: whose contributions it takes. All of them where it is alone.
    pub catchment: Option<Catchment>,
}

/// One of equal arcs of the ring. In which one somebody lives follows from the certificate, so nobody contributes to two leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Catchment {
    /// Where the first arc begins.
    pub from: Location,
    /// Which of them, from 0.
    pub number: u64,
    /// How many there are.
    pub of: u64,
}

impl Catchment {
    /// That of this location, among so many.
    pub fn of(location: Location, from: Location, of: u64) -> Self {
        let ahead = u128::from(location.0.wrapping_sub(from.0));
        let number = (ahead * u128::from(of)) >> 64;
        Self {
            from,
            number: number as u64,
            of,
        }
    }

    /// Whether this location is in it.
    pub fn contains(&self, location: Location) -> bool {
        Self::of(location, self.from, self.of) == *self
    }
}

/// The committee above.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Above {
    /// Its [`Terms::round`].
    pub round: Digest,
    /// Its seats, lane by lane, as many as those of this committee.
    pub seats: Vec<NodeId>,
    /// Until when the root takes sums: so long this committee keeps its own for who asks.
    pub closes_at: Instant,
}

/// A committee below.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Below {
    /// Its [`Terms::round`].
    pub round: Digest,
    /// Names the agreement on its set: its [`Terms::final_instance`].
    pub instance: Digest,
    /// Its seats, lane by lane, as many as those of this committee.
    pub seats: Vec<NodeId>,
    /// How many leaves are under it, itself included if it is one.
    pub leaves: u64,
}

impl Below {
    /// By which a child is named among the contributors.
    pub fn name(&self) -> NodeId {
        NodeId(self.round.0)
    }
}

impl Place {
    /// Whether people contribute here.
    pub fn is_leaf(&self) -> bool {
        self.below.is_empty()
    }

    /// Whether totals are opened here.
    pub fn is_root(&self) -> bool {
        self.above.is_none()
    }

    /// The child of this round.
    pub fn child(&self, round: Digest) -> Option<&Below> {
        self.below.iter().find(|child| child.round == round)
    }

    pub(super) fn is_possible(&self, terms: &Terms) -> bool {
        let as_many = |seats: &Vec<NodeId>| seats.len() == terms.seats.len();
        let rounds: std::collections::BTreeSet<_> = self.below.iter().map(|c| c.round).collect();
        self.below.len() as u64 <= FAN_IN_MAX
            && rounds.len() == self.below.len()
            && self
                .catchment
                .is_none_or(|one| one.number < one.of && self.is_leaf())
            && self.below.iter().all(|child| as_many(&child.seats))
            && self
                .above
                .as_ref()
                .is_none_or(|above| as_many(&above.seats) && above.closes_at >= terms.closes_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_location_is_in_one_catchment() {
        for from in [0, 1, 1 << 40, u64::MAX] {
            for of in [1, 3, 1954] {
                for location in [0, 1, 1 << 63, u64::MAX, from, from.wrapping_sub(1)] {
                    let (location, from) = (Location(location), Location(from));
                    let own = Catchment::of(location, from, of);
                    assert!(own.number < of && own.contains(location));
                    let other = Catchment {
                        number: (own.number + 1) % of,
                        ..own
                    };
                    assert_eq!(other.contains(location), of == 1);
                }
            }
        }
        let first = Catchment::of(Location(7), Location(7), 3);
        assert_eq!(first.number, 0);
        assert_eq!(Catchment::of(Location(6), Location(7), 3).number, 2);
    }
}
