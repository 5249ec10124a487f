//! Lookups in CAN (Ratnasamy and others, SIGCOMM 2001), over zones that are nowhere stored.
//!
//! CAN's space is a torus of d dimensions. Every node owns a zone of it, knows the nodes whose zones abut on its own, and
//! passes a lookup on to one that is nearer to the point looked for. Zones come about by halving, along one dimension after
//! the other.
//!
//! In SEP2P a node's key fixes where it is, so the 64 bits of its location are dealt out to the dimensions in turn: bit 63 to
//! dimension 0, bit 62 to dimension 1. Then halvings along the dimensions in turn are the binary trie over the locations. A
//! node owns the largest cell of the trie in which it is alone. Where a halving leaves all nodes in one half, the other half
//! goes to the node that is nearest to it in the order of locations. That rule is ours, as CAN leaves open who has the half
//! in which neither of two nodes is: it keeps zones connected, and makes each an interval of the ring, which ends where the
//! smallest cell that holds two successive nodes is halved.

use std::iter;

use base::Location;

use super::Population;

/// Most dimensions: with more, one would have fewer than 4 bits.
const DIMENSIONS_MAX: u32 = 16;

/// A population as a CAN. A few hundred bytes beside the population.
pub struct Can<'a> {
    population: &'a Population,
    /// The bits of each dimension.
    bits: Vec<u64>,
}

/// A box of the torus: the locations that share their first `depth` bits.
///
/// Coordinates are never taken out of a location. Those of a dimension are compared and added where they are, under the
/// mask of their bits.
#[derive(Clone, Copy)]
struct Cell {
    inside: u64,
    depth: u32,
}

/// How to get from a cell to a point: the point of the cell that is nearest, and how far it is along each dimension. Both
/// have the bits of all dimensions in one number, as a location has.
struct Way {
    nearest: u64,
    left: u64,
}

impl<'a> Can<'a> {
    /// The CAN of these nodes in 1 to 16 dimensions.
    pub fn new(population: &'a Population, dimensions: u32) -> Self {
        assert!((1..=DIMENSIONS_MAX).contains(&dimensions));
        let bits = |dimension: u32| {
            let turns = (dimension..64).step_by(dimensions as usize);
            turns.fold(0, |bits, turn| bits | 1 << (63 - turn))
        };
        Self {
            population,
            bits: (0..dimensions).map(bits).collect(),
        }
    }

    /// Who owns the zone in which this point lies. Of several nodes at one location, the first owns it.
    pub fn owner(&self, point: Location) -> usize {
        let after = self.population.after(point);
        let shared = |place: usize| (self.population.location(place).0 ^ point.0).leading_zeros();
        // The smallest cell with the point and with nodes holds one of these two. It holds them both if they are at the point.
        match after.checked_sub(1) {
            Some(before) if after == self.population.nodes() => self.first_there(before),
            Some(before) if shared(before) > shared(after) => self.first_there(before),
            _ => after,
        }
    }

    /// Hops of a lookup from the node at this place to the owner of the point's zone; 0 when it owns it itself.
    ///
    /// A node that owns no zone, as another one is at its location, asks that one: a hop. Of the neighbours on a straight way
    /// to the point, one for each dimension, a lookup goes to the one in the dimension with the longest way left.
    pub fn hops(&self, from: usize, point: Location) -> u32 {
        self.route(from, point).map(|_| 1).sum()
    }

    /// The nodes to which a lookup goes in turn.
    fn route(&self, from: usize, point: Location) -> impl Iterator<Item = usize> {
        iter::successors(self.next(from, point), move |at| self.next(*at, point))
    }

    /// Where a lookup goes from here, unless the point is here.
    ///
    /// Routes end: what is left from a node, the least way left from any cell of its zone, falls with each hop, so nobody is
    /// visited twice. For the point on the other side of the face is nearer by one in one dimension, and as near in all
    /// others; it lies in a cell of the next node; and ways compare as numbers, which fall when one dimension's part does.
    fn next(&self, at: usize, point: Location) -> Option<usize> {
        let first = self.first_there(at);
        if first != at {
            return Some(first);
        }
        let ways = self.zone(at).map(|cell| self.way(cell, point));
        let way = ways.min_by_key(|way| way.left)?;
        let across = self.across(&way, point)?;
        Some(self.owner(across))
    }

    /// The point on the other side of the face, in the dimension with the longest way left.
    fn across(&self, way: &Way, point: Location) -> Option<Location> {
        let (mut longest, mut chosen) = (0, None);
        for (dimension, bits) in self.bits.iter().enumerate() {
            // As if it were dimension 0.
            let left = (way.left & bits) << dimension;
            if left > longest {
                (longest, chosen) = (left, Some(*bits));
            }
        }
        let bits = chosen?;
        let one = bits & bits.wrapping_neg();
        let (from, left) = (way.nearest & bits, way.left & bits);
        // A carry passes through the bits of other dimensions when they are set; a borrow when they are not.
        let next = if (point.0 & bits).wrapping_sub(from) & bits == left {
            (from | !bits).wrapping_add(one)
        } else {
            from.wrapping_sub(one)
        };
        Some(Location(way.nearest & !bits | next & bits))
    }

    /// The shortest way from a cell to a point, along each dimension the shorter way round the torus.
    fn way(&self, cell: Cell, point: Location) -> Way {
        let (low, high) = (cell.first(), cell.last());
        let mut way = Way {
            nearest: 0,
            left: 0,
        };
        for bits in &self.bits {
            let (low, high, wanted) = (low & bits, high & bits, point.0 & bits);
            if low <= wanted && wanted <= high {
                way.nearest |= wanted;
                continue;
            }
            let (ahead, behind) = (
                wanted.wrapping_sub(high) & bits,
                low.wrapping_sub(wanted) & bits,
            );
            let (nearest, left) = if ahead <= behind {
                (high, ahead)
            } else {
                (low, behind)
            };
            way.nearest |= nearest;
            way.left |= left;
        }
        way
    }

    /// The cells of the zone of the first node at its location: the one in which it is alone, and the empty ones that it took
    /// over.
    fn zone(&self, place: usize) -> impl Iterator<Item = Cell> {
        let own = self.population.location(place).0;
        let locations = self.population.locations();
        // The depth of the largest cell with the node that is without its neighbour in the order of locations.
        let apart = |other: &u64| (own ^ other).leading_zeros() + 1;
        let before = place
            .checked_sub(1)
            .map_or(0, |place| apart(&locations[place]));
        let later = &locations[self.after_there(place)..];
        let after = later.first().map_or(0, apart);
        let (shallow, deep) = (before.min(after), before.max(after));
        // Between these depths, only the neighbour on one side shares the cells. The siblings on the other side are empty.
        let empty = move |depth: &u32| (own >> (63 - depth) & 1 == 1) == (after > before);
        let taken = (shallow..deep).filter(empty).map(move |depth| Cell {
            inside: own ^ 1 << (63 - depth),
            depth: depth + 1,
        });
        iter::once(Cell {
            inside: own,
            depth: deep,
        })
        .chain(taken)
    }

    /// The first node at the location of this one.
    fn first_there(&self, place: usize) -> usize {
        let location = self.population.location(place);
        match place.checked_sub(1) {
            Some(before) if self.population.location(before) == location => {
                self.population.after(location)
            }
            _ => place,
        }
    }

    /// The first node after the location of this one.
    fn after_there(&self, place: usize) -> usize {
        let location = self.population.location(place);
        match location.0.checked_add(1) {
            Some(next) => self.population.after(Location(next)),
            None => self.population.nodes(),
        }
    }
}

impl Cell {
    /// The location with the least coordinate in every dimension.
    fn first(self) -> u64 {
        self.inside & !self.free()
    }

    /// The location with the greatest coordinate in every dimension.
    fn last(self) -> u64 {
        self.inside | self.free()
    }

    /// The bits that differ inside.
    fn free(self) -> u64 {
        u64::MAX.checked_shr(self.depth).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
