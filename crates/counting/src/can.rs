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

use std::{array, iter};

use base::Location;

use super::Population;

/// Most dimensions: with more, one would have fewer than 4 bits.
const DIMENSIONS_MAX: u32 = 16;

/// A population as a CAN. 17 kilobytes beside the population.
pub struct Can<'a> {
    population: &'a Population,
    /// The bits of each dimension.
    bits: Vec<u64>,
    /// For each byte of a number and each of its values, where its bits go when those of one dimension are put side by side,
    /// dimension 0 first.
    sorted: Vec<[u64; 256]>,
}

/// A box of the torus: the locations that share their first `depth` bits.
///
/// Coordinates stay in the location: those of a dimension are compared and added where they are, under the mask of their bits.
/// Only to sum up a way are they put side by side.
#[derive(Clone, Copy)]
struct Cell {
    inside: u64,
    depth: u32,
}

/// Where a lookup is, and what is left of its way. Of points and ways, a number has the bits of all dimensions, as a location
/// has.
struct Stand {
    place: usize,
    /// The point of the node's zone that is nearest to the one looked for.
    nearest: u64,
    /// How far that is along each dimension, the shorter way round the torus.
    left: u64,
    /// The square of how far it is in all.
    square: u128,
}

impl<'a> Can<'a> {
    /// The CAN of these nodes in 1 to 16 dimensions.
    pub fn new(population: &'a Population, dimensions: u32) -> Self {
        assert!((1..=DIMENSIONS_MAX).contains(&dimensions));
        let bits = |dimension: u32| {
            let turns = (dimension..64).step_by(dimensions as usize);
            turns.fold(0, |bits, turn| bits | 1 << (63 - turn))
        };
        let bits: Vec<u64> = (0..dimensions).map(bits).collect();
        Self {
            population,
            sorted: sorted(&bits),
            bits,
        }
    }

    /// Its nodes.
    pub fn population(&self) -> &'a Population {
        self.population
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
    /// From the point of its zone that is nearest to the one looked for, a node can cross a face straight towards it in each
    /// dimension in which there is some way left. Of the neighbours behind those faces, it asks the one whose zone is nearest,
    /// as the crow flies; of equally near ones, that of the lower dimension. CAN asks the nearest of all neighbours, which
    /// saves 1 to 3 in 100 hops (measured with 3000 nodes). A node that owns no zone, as another one is at its location, first
    /// asks that one.
    pub fn hops(&self, from: usize, point: Location) -> u32 {
        self.route(from, point).map(|_| 1).sum()
    }

    /// The nodes that are asked, in turn.
    ///
    /// Routes end: `square` falls with each hop, so nobody is asked twice. For the point on the other side of the face is
    /// nearer by one in one dimension and as near in all others, and it lies in the zone of the one who is asked.
    fn route(&self, from: usize, point: Location) -> impl Iterator<Item = usize> {
        let first = self.first_there(from);
        let begins = self.onward(&self.stand(first, point), point);
        let later = iter::successors(begins, move |stand| self.onward(stand, point));
        let first = (first != from).then_some(first);
        first.into_iter().chain(later.map(|stand| stand.place))
    }

    /// The next to be asked, unless the point is here.
    fn onward(&self, stand: &Stand, point: Location) -> Option<Stand> {
        let across = |bits: &u64| {
            let left = stand.left & bits;
            (left > 0).then(|| across(*bits, stand.nearest, left, point.0))
        };
        let beyond = self.bits.iter().filter_map(across).map(Location);
        beyond
            .map(|beyond| self.stand(self.owner(beyond), point))
            .min_by_key(|stand| stand.square)
    }

    /// The way from the zone of the first node at its location to a point: from the nearest of its cells, and of equally near
    /// ones from that in which the node is, or from the largest.
    fn stand(&self, place: usize, point: Location) -> Stand {
        let stands = self.zone(place).map(|cell| {
            let (nearest, left) = self.way(cell, point.0);
            Stand {
                place,
                nearest,
                left,
                square: self.square(left),
            }
        });
        stands
            .min_by_key(|stand| stand.square)
            .expect("a zone has a cell")
    }

    /// The point of a cell that is nearest to the wanted one, and how far it is along each dimension.
    fn way(&self, cell: Cell, wanted: u64) -> (u64, u64) {
        let (low, high) = (cell.first(), cell.last());
        let outside = (cell.inside ^ wanted) & !cell.free();
        let (mut nearest, mut left) = (wanted, 0);
        for bits in &self.bits {
            if outside & bits == 0 {
                continue;
            }
            let (ahead, behind) = (apart(*bits, high, wanted), apart(*bits, wanted, low));
            let end = if ahead <= behind { high } else { low };
            nearest = nearest & !bits | end & bits;
            left |= ahead.min(behind);
        }
        (nearest, left)
    }

    /// The square of a way.
    fn square(&self, left: u64) -> u128 {
        let bytes = left.to_be_bytes().into_iter().zip(&self.sorted);
        let mut sorted = bytes.fold(0, |all, (byte, sorted)| all | sorted[usize::from(byte)]);
        // Dimension 0 has the most bits. Others may have one less, and count in the same units.
        let most = 64u32.div_ceil(self.bits.len() as u32);
        let mut square = 0;
        for bits in &self.bits {
            let width = bits.count_ones();
            let along = u128::from(sorted >> (64 - width) << (most - width));
            // At most half the torus: 126 bits for one dimension, and 62 for more.
            square += along * along;
            sorted = sorted.checked_shl(width).unwrap_or(0);
        }
        square
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
        let locations = self.population.locations();
        let own = locations[place];
        match locations.get(place + 1) {
            Some(next) if *next == own => {
                place + locations[place..].partition_point(|next| *next == own)
            }
            _ => place + 1,
        }
    }
}

/// See [`Can::sorted`].
fn sorted(dimensions: &[u64]) -> Vec<[u64; 256]> {
    let order = dimensions
        .iter()
        .flat_map(|bits| (0..64).rev().filter(move |bit| bits >> bit & 1 == 1));
    let order: Vec<u32> = order.collect();
    let sort = |number: u64| {
        order
            .iter()
            .fold(0, |sorted, bit| sorted << 1 | number >> bit & 1)
    };
    let byte = |byte: u32| array::from_fn(|value| sort((value as u64) << (8 * byte)));
    (0..8).rev().map(byte).collect()
}

/// How far a coordinate is ahead of another one, once round the torus.
fn apart(bits: u64, from: u64, to: u64) -> u64 {
    (to & bits).wrapping_sub(from & bits) & bits
}

/// The point that is one step nearer than `nearest` along the dimension with these bits, in which `left` is left.
fn across(bits: u64, nearest: u64, left: u64, wanted: u64) -> u64 {
    let one = bits & bits.wrapping_neg();
    // A carry passes through the bits of other dimensions where they are set, a borrow where they are not.
    let next = if apart(bits, nearest, wanted) == left {
        (nearest | !bits).wrapping_add(one)
    } else {
        (nearest & bits).wrapping_sub(one)
    };
    nearest & !bits | next & bits
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
