//! Against a CAN whose zones and neighbours are really there.

use std::collections::BTreeSet;

use base::Rng;

use super::*;

/// A zone's box: the least and the greatest coordinate in each dimension, both inside.
struct Box {
    owner: usize,
    sides: Vec<(u64, u64)>,
}

/// A CAN that has made its zones by halving and its lists of neighbours by looking who abuts on whom.
struct Explicit {
    /// Coordinates in each dimension go to here.
    sizes: Vec<u128>,
    nodes: Vec<Vec<u64>>,
    boxes: Vec<Box>,
}

/// The coordinates that a location stands for.
fn dealt(location: u64, dimensions: usize) -> Vec<u64> {
    let mut coordinates = vec![0; dimensions];
    for turn in 0..64 {
        let coordinate = &mut coordinates[turn % dimensions];
        *coordinate = *coordinate << 1 | location >> (63 - turn) & 1;
    }
    coordinates
}

impl Explicit {
    fn new(population: &Population, dimensions: usize) -> Self {
        let locations = population.locations();
        let mut new = Self {
            sizes: dealt(u64::MAX, dimensions)
                .iter()
                .map(|last| u128::from(*last) + 1)
                .collect(),
            nodes: locations
                .iter()
                .map(|location| dealt(*location, dimensions))
                .collect(),
            boxes: Vec::new(),
        };
        let all = new
            .sizes
            .iter()
            .map(|size| (0, (size - 1) as u64))
            .collect();
        let distinct = (0..locations.len())
            .filter(|place| *place == 0 || locations[place - 1] != locations[*place]);
        new.split(all, &distinct.collect::<Vec<_>>(), 0, 0);
        new
    }

    /// Halves until everybody is alone. The heir is the node nearest to a half without nodes.
    fn split(&mut self, sides: Vec<(u64, u64)>, inside: &[usize], heir: usize, turn: usize) {
        let owner = match inside {
            [] => Some(heir),
            [alone] => Some(*alone),
            _ => None,
        };
        if let Some(owner) = owner {
            return self.boxes.push(Box { owner, sides });
        }
        let dimension = turn % sides.len();
        let (low, high) = sides[dimension];
        let middle = low + (high - low) / 2;
        let (mut lower, mut upper) = (sides.clone(), sides);
        lower[dimension].1 = middle;
        upper[dimension].0 = middle + 1;
        // In order of locations, this half's nodes come first.
        let below = inside.partition_point(|place| self.nodes[*place][dimension] <= middle);
        let (below, above) = inside.split_at(below);
        let last = *below.last().unwrap_or(&heir);
        self.split(lower, below, *above.first().unwrap_or(&heir), turn + 1);
        self.split(upper, above, last, turn + 1);
    }

    fn abut(&self, one: &Box, other: &Box) -> bool {
        let mut touching = 0;
        for (dimension, (a, b)) in one.sides.iter().zip(&other.sides).enumerate() {
            if a.0 <= b.1 && b.0 <= a.1 {
                continue;
            }
            let meets = |end: u64, begin: u64| {
                (u128::from(end) + 1) % self.sizes[dimension] == u128::from(begin)
            };
            if !meets(a.1, b.0) && !meets(b.1, a.0) {
                return false;
            }
            touching += 1;
        }
        touching == 1
    }

    fn neighbours(&self) -> Vec<BTreeSet<usize>> {
        let mut all = vec![BTreeSet::new(); self.nodes.len()];
        for (index, one) in self.boxes.iter().enumerate() {
            for other in &self.boxes[..index] {
                if one.owner != other.owner && self.abut(one, other) {
                    all[one.owner].insert(other.owner);
                    all[other.owner].insert(one.owner);
                }
            }
        }
        all
    }

    fn away(&self, sides: &[(u64, u64)], point: &[u64]) -> Vec<f64> {
        sides
            .iter()
            .zip(point)
            .zip(&self.sizes)
            .map(|((side, wanted), size)| {
                if side.0 <= *wanted && *wanted <= side.1 {
                    return 0.0;
                }
                let a = (i128::from(*wanted) - i128::from(side.1)).rem_euclid(*size as i128);
                let b = (i128::from(side.0) - i128::from(*wanted)).rem_euclid(*size as i128);
                a.min(b) as f64 / *size as f64
            })
            .collect()
    }
}

#[test]
#[ignore]
fn compare() {
    for d in [1usize, 2, 3, 4, 8, 10, 16] {
        let n = 3000;
        let population = Population::new(1, n, 0);
        let can = Can::new(&population, d as u32);
        let ex = Explicit::new(&population, d);
        let neigh = ex.neighbours();
        let mut by_owner: Vec<Vec<usize>> = vec![vec![]; n as usize];
        for (i, b) in ex.boxes.iter().enumerate() {
            by_owner[b.owner].push(i);
        }
        let mut rng = Rng::from_number(4);
        let mut sums = [0u64; 4];
        let rounds = 500;
        for _ in 0..rounds {
            let from = rng.below(n) as usize;
            let point = rng.number();
            let p = dealt(point, d);
            sums[0] += u64::from(can.hops(from, Location(point)));
            for which in 1..3 {
                let measure = |o: usize| {
                    by_owner[o]
                        .iter()
                        .map(|b| {
                            let a = ex.away(&ex.boxes[*b].sides, &p);
                            if which == 1 {
                                a.iter().map(|x| x * x).sum::<f64>()
                            } else {
                                a.iter().sum()
                            }
                        })
                        .min_by(f64::total_cmp)
                        .unwrap()
                };
                let mut at = from;
                let mut m = measure(at);
                while m > 0.0 {
                    let (nm, next) = neigh[at]
                        .iter()
                        .map(|o| (measure(*o), *o))
                        .min_by(|a, b| a.0.total_cmp(&b.0))
                        .unwrap();
                    assert!(nm < m);
                    (m, at) = (nm, next);
                    sums[which] += 1;
                }
            }
        }
        let mean = |i: usize| sums[i] as f64 / rounds as f64;
        let deg = neigh.iter().map(|x| x.len()).sum::<usize>() as f64 / n as f64;
        println!(
            "d {d}: ours {:.3} euclid {:.3} l1 {:.3} formula {:.3} degree {deg:.1}",
            mean(0),
            mean(1),
            mean(2),
            d as f64 / 4.0 * (n as f64).powf(1.0 / d as f64)
        );
    }
}
