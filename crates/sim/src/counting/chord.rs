//! Lookups in Chord, with fingers that are found when they are needed.
//!
//! A node's finger i is the first node at or after its location plus 2^i. A lookup goes to the finger that is nearest before
//! the point, until the node at or before the point is reached, and from there to the node nearest to it.

use base::Location;

use super::population::Population;

/// Lookups that take their steps in turns: while one waits for memory, the others go on.
const TOGETHER: usize = 32;

/// Hops of a lookup from each of these places to the node nearest to the point beside it.
pub fn hops(population: &Population, lookups: &[(usize, Location)], hops: &mut Vec<u32>) {
    hops.clear();
    for lookups in lookups.chunks(TOGETHER) {
        let begins = hops.len();
        hops.resize(begins + lookups.len(), 1);
        walk(population, lookups, &mut hops[begins..]);
    }
}

/// A lookup under way: where it is and how far before the point.
#[derive(Clone, Copy, Default)]
struct Walk {
    which: usize,
    place: usize,
    left: u64,
    /// Of the finger that is tried next: 2^exponent ahead. 64 when none is left.
    exponent: u32,
}

fn walk(population: &Population, lookups: &[(usize, Location)], hops: &mut [u32]) {
    let mut walks = [Walk::default(); TOGETHER];
    let mut going = lookups.len();
    for (which, (walk, (from, point))) in walks.iter_mut().zip(lookups).enumerate() {
        let left = point.0.wrapping_sub(population.location(*from).0);
        *walk = Walk {
            which,
            place: *from,
            left,
            exponent: left.checked_ilog2().unwrap_or(64),
        };
    }
    while going > 0 {
        let mut at = 0;
        while at < going {
            let walk = &mut walks[at];
            if walk.exponent == 64 {
                // The nearest one is this or the next.
                going -= 1;
                walks.swap(at, going);
                continue;
            }
            let (_, point) = lookups[walk.which];
            // No finger lies further ahead than the point.
            let reach = point
                .0
                .wrapping_sub(walk.left)
                .wrapping_add(1 << walk.exponent);
            let finger = population.after(Location(reach)) % population.nodes();
            let left = point.0.wrapping_sub(population.location(finger).0);
            if left < walk.left {
                hops[walk.which] += 1;
                (walk.place, walk.left) = (finger, left);
                walk.exponent = left.checked_ilog2().unwrap_or(64);
            } else {
                walk.exponent = walk.exponent.checked_sub(1).unwrap_or(64);
            }
            at += 1;
        }
    }
}
