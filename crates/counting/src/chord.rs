//! Lookups in Chord, with fingers that are found when they are needed.
//!
//! A node's finger i is the first node at or after its location plus 2^i. A lookup goes to the finger that is nearest before
//! the point, until the node at or before the point is reached, and from there to the node nearest to it. Some finger i lies
//! before the point just when 2^i reaches no further than that last node: so each step looks for one finger only.

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

/// A lookup under way.
#[derive(Clone, Copy, Default)]
struct Walk {
    which: usize,
    /// Where the node is that it has reached.
    here: u64,
    /// How far ahead the node at or before the point is.
    left: u64,
}

fn walk(population: &Population, lookups: &[(usize, Location)], hops: &mut [u32]) {
    let nodes = population.nodes();
    let mut walks = [Walk::default(); TOGETHER];
    for (which, (walk, (from, point))) in walks.iter_mut().zip(lookups).enumerate() {
        let here = population.location(*from).0;
        // The one before the first beyond the point.
        let beyond = point
            .0
            .checked_add(1)
            .map_or(nodes, |next| population.after(Location(next)));
        let last = population.location(beyond.checked_sub(1).unwrap_or(nodes - 1));
        let left = last.0.wrapping_sub(here);
        *walk = Walk { which, here, left };
    }
    let mut going = lookups.len();
    while going > 0 {
        let mut still = 0;
        for at in 0..going {
            let Walk { which, here, left } = walks[at];
            let Some(exponent) = left.checked_ilog2() else {
                continue;
            };
            let finger = population.after(Location(here.wrapping_add(1 << exponent))) % nodes;
            let next = population.location(finger).0;
            hops[which] += 1;
            walks[still] = Walk {
                which,
                here: next,
                left: left - next.wrapping_sub(here),
            };
            still += 1;
        }
        going = still;
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;

    use super::*;

    /// As it is defined: every finger, the nearest before the point.
    fn plainly(population: &Population, from: usize, point: Location) -> u32 {
        let nodes = population.nodes();
        let way = |place: usize| point.0.wrapping_sub(population.location(place).0);
        let (mut at, mut hops) = (from, 1);
        loop {
            let here = population.location(at).0;
            let finger = |exponent: u32| {
                population.after(Location(here.wrapping_add(1 << exponent))) % nodes
            };
            let nearest = (0..64).map(finger).min_by_key(|place| way(*place));
            match nearest.filter(|place| way(*place) < way(at)) {
                Some(next) => (at, hops) = (next, hops + 1),
                None => return hops,
            }
        }
    }

    #[test]
    fn lookups_take_the_nearest_finger() {
        for nodes in [1, 2, 3, 10, 2000] {
            let population = Population::new(nodes, nodes, 0);
            let mut rng = Rng::from_number(nodes);
            let lookups: Vec<_> = (0..300)
                .map(|number| {
                    let from = rng.below(nodes) as usize;
                    let at = population.location(rng.below(nodes) as usize);
                    let point = [Location(rng.number()), at, Location(u64::MAX), Location(0)];
                    (from, point[number % 4])
                })
                .collect();
            let mut found = Vec::new();
            hops(&population, &lookups, &mut found);
            let expected: Vec<_> = lookups
                .iter()
                .map(|(from, point)| plainly(&population, *from, *point))
                .collect();
            assert_eq!(found, expected);
        }
    }
}
