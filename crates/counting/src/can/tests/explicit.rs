//! A CAN that makes its zones by halving and its lists of neighbours by looking who abuts on whom. Slow, and in plain
//! coordinates.

use std::collections::{BTreeMap, BTreeSet};

use crate::Population;

/// Every zone, in one or more blocks.
pub struct Explicit {
    /// How many coordinates each dimension has.
    sizes: Vec<u128>,
    nodes: Vec<Vec<u64>>,
    /// Those of each owner: first the one in which it is, then the largest.
    blocks: BTreeMap<usize, Vec<Block>>,
}

/// The least and the greatest coordinate in each dimension, both inside.
type Block = Vec<(u64, u64)>;

/// The coordinates that a location stands for.
fn dealt(location: u64, dimensions: usize) -> Vec<u64> {
    let mut coordinates = vec![0; dimensions];
    for turn in 0..64 {
        let coordinate = &mut coordinates[turn % dimensions];
        *coordinate = *coordinate << 1 | location >> (63 - turn) & 1;
    }
    coordinates
}

fn holds(block: &Block, point: &[u64]) -> bool {
    let mut sides = block.iter().zip(point);
    sides.all(|((low, high), at)| low <= at && at <= high)
}

fn volume(block: &Block) -> u128 {
    let sides = block.iter().map(|(low, high)| u128::from(high - low) + 1);
    sides.product()
}

impl Explicit {
    pub fn new(population: &Population, dimensions: usize) -> Self {
        let locations = population.locations();
        let last = dealt(u64::MAX, dimensions);
        let nodes = locations
            .iter()
            .map(|location| dealt(*location, dimensions));
        let mut new = Self {
            sizes: last.iter().map(|last| u128::from(*last) + 1).collect(),
            nodes: nodes.collect(),
            blocks: BTreeMap::new(),
        };
        let first = |place: &usize| *place == 0 || locations[place - 1] != locations[*place];
        let owners: Vec<_> = (0..locations.len()).filter(first).collect();
        new.split(last.iter().map(|last| (0, *last)).collect(), &owners, 0, 0);
        for (owner, blocks) in &mut new.blocks {
            let node = &new.nodes[*owner];
            blocks.sort_by_key(|block| (!holds(block, node), u128::MAX - volume(block)));
        }
        new
    }

    /// Halves until everybody is alone. The heir is the node to whom a block without nodes falls.
    fn split(&mut self, block: Block, inside: &[usize], heir: usize, turn: usize) {
        let owner = match inside {
            [] => heir,
            [alone] => *alone,
            _ => return self.halve(block, inside, turn),
        };
        self.blocks.entry(owner).or_default().push(block);
    }

    fn halve(&mut self, block: Block, inside: &[usize], turn: usize) {
        let dimension = turn % block.len();
        let (low, high) = block[dimension];
        let middle = low + (high - low) / 2;
        let (mut lower, mut upper) = (block.clone(), block);
        lower[dimension].1 = middle;
        upper[dimension].0 = middle + 1;
        // In order of locations, those of the lower half come first.
        let below = inside.partition_point(|place| self.nodes[*place][dimension] <= middle);
        let (below, above) = inside.split_at(below);
        self.split(lower, below, inside[0], turn + 1);
        self.split(upper, above, inside[inside.len() - 1], turn + 1);
    }

    pub fn volume(&self) -> u128 {
        self.blocks.values().flatten().map(volume).sum()
    }

    /// Whose blocks hold this point, once for each block.
    pub fn owners(&self, point: u64) -> Vec<usize> {
        let point = dealt(point, self.sizes.len());
        let mut all = Vec::new();
        for (owner, blocks) in &self.blocks {
            all.extend(
                blocks
                    .iter()
                    .filter(|block| holds(block, &point))
                    .map(|_| *owner),
            );
        }
        all
    }

    /// The neighbours of each owner of a zone.
    pub fn neighbours(&self) -> BTreeMap<usize, BTreeSet<usize>> {
        let mut all: BTreeMap<_, _> = self
            .blocks
            .keys()
            .map(|owner| (*owner, BTreeSet::new()))
            .collect();
        for (one, blocks) in &self.blocks {
            for (other, others) in self.blocks.range(..one) {
                if blocks
                    .iter()
                    .any(|block| others.iter().any(|other| self.abut(block, other)))
                {
                    all.entry(*one).or_default().insert(*other);
                    all.entry(*other).or_default().insert(*one);
                }
            }
        }
        all
    }

    /// Whether they meet in one dimension and overlap in all others.
    fn abut(&self, one: &Block, other: &Block) -> bool {
        let mut meeting = 0;
        for ((a, b), size) in one.iter().zip(other).zip(&self.sizes) {
            let meets = |end: u64, begin: u64| (u128::from(end) + 1) % size == u128::from(begin);
            if a.0 <= b.1 && b.0 <= a.1 {
                continue;
            }
            if meeting == 1 || !(meets(a.1, b.0) || meets(b.1, a.0)) {
                return false;
            }
            meeting = 1;
        }
        meeting == 1
    }

    /// Steps ahead and steps back to a coordinate from the side of a block; none from inside.
    fn steps(&self, dimension: usize, (low, high): (u64, u64), wanted: u64) -> (u128, u128) {
        if low <= wanted && wanted <= high {
            return (0, 0);
        }
        let size = self.sizes[dimension];
        let round = |from: u64, to: u64| (u128::from(to) + size - u128::from(from)) % size;
        (round(high, wanted), round(wanted, low))
    }

    /// The square of the distance to a block, in units of the finest dimension.
    fn square(&self, block: &Block, wanted: &[u64]) -> u128 {
        let sides = block.iter().zip(wanted).enumerate();
        let squares = sides.map(|(dimension, (side, wanted))| {
            let (ahead, back) = self.steps(dimension, *side, *wanted);
            (ahead.min(back) * (self.sizes[0] / self.sizes[dimension])).pow(2)
        });
        squares.sum()
    }

    fn nearest_block(&self, owner: usize, wanted: &[u64]) -> (u128, &Block) {
        let blocks = self.blocks[&owner].iter();
        let squares = blocks.map(|block| (self.square(block, wanted), block));
        squares.min_by_key(|(square, _)| *square).unwrap()
    }

    /// The neighbours straight towards a point, by dimension.
    pub fn straight(&self, at: usize, wanted: &[u64]) -> Vec<usize> {
        let (_, block) = self.nearest_block(at, wanted);
        let mut found = Vec::new();
        for crossed in 0..wanted.len() {
            let mut beyond = Vec::new();
            for (dimension, (side, wanted)) in block.iter().zip(wanted).enumerate() {
                let (ahead, back) = self.steps(dimension, *side, *wanted);
                let one = u128::from(dimension == crossed);
                let size = self.sizes[dimension];
                let coordinate = match (ahead, back) {
                    (0, 0) => u128::from(*wanted),
                    _ if ahead <= back => (u128::from(side.1) + one) % size,
                    _ => (u128::from(side.0) + size - one) % size,
                };
                beyond.push(coordinate as u64);
            }
            let there =
                |(_, blocks): &(_, &Vec<Block>)| blocks.iter().any(|block| holds(block, &beyond));
            let (owner, _) = self.blocks.iter().find(there).unwrap();
            if !holds(block, &beyond) {
                found.push(*owner);
            }
        }
        found
    }

    /// A lookup that always goes on to the nearest of the neighbours it is given.
    pub fn walk(
        &self,
        from: usize,
        point: u64,
        given: impl Fn(usize, &[u64]) -> Vec<usize>,
    ) -> Vec<usize> {
        let wanted = dealt(point, self.sizes.len());
        let left = |owner: usize| self.nearest_block(owner, &wanted).0;
        let (mut at, mut route) = (from, Vec::new());
        while left(at) > 0 {
            let next = given(at, &wanted)
                .into_iter()
                .min_by_key(|owner| left(*owner))
                .unwrap();
            assert!(left(next) < left(at), "a hop that leads away");
            at = next;
            route.push(at);
        }
        route
    }
}
