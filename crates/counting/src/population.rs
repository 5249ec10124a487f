//! Who sits where on the ring, and who colludes.

use base::{Location, Rng};

use crate::parallel;

/// The nodes of a network, sorted by location: 8 bytes a node, and 1 to 2 of index.
pub struct Population {
    seed: u64,
    locations: Vec<u64>,
    /// `first[b]` nodes sit before bucket b; a bucket is an equal part of the ring that holds 2 to 4 nodes on average.
    first: Vec<u32>,
    bucket_bits: u32,
    /// A bit for each node.
    colluders: Vec<u64>,
    names: Names,
}

/// What stands for the public keys, of which the first 64 bits decide who is drawn.
enum Names {
    /// Derived from the location.
    Derived,
    /// Those of real keys, by place.
    Given(Vec<u64>),
}

/// Most nodes of a population: places are kept in 32 bits.
pub const POPULATION_MAX: u64 = 1 << 30;

/// A number that looks random, for each number another (the finaliser of SplitMix64, Steele and others 2014).
pub(crate) fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

impl Population {
    /// `nodes` nodes at uniform locations, of whom `colluders` collude, wherever chance puts them. At least 1 node, at most
    /// [`POPULATION_MAX`], and no more colluders than nodes.
    pub fn new(seed: u64, nodes: u64, colluders: u64) -> Self {
        assert!((1..=POPULATION_MAX).contains(&nodes) && colluders <= nodes);
        let start = Rng::from_number(seed).fork("locations").number();
        let parts = parallel::map(nodes, |range| {
            let location = |number: u64| mixed(start.wrapping_add(number.wrapping_mul(GOLDEN)));
            let mut part: Vec<_> = range.map(location).collect();
            part.sort_unstable();
            part
        });
        let locations = parts.into_iter().reduce(merged).unwrap_or_default();
        let mut new = Self::of(seed, locations, Names::Derived);
        let mut rng = Rng::from_number(seed).fork("colluders");
        // Floyd's sampling: each set of so many places is equally likely.
        for last in nodes - colluders..nodes {
            let place = rng.below(last + 1);
            let taken = new.colludes(place as usize);
            new.set_colludes(if taken { last } else { place } as usize);
        }
        new
    }

    /// Real members: location, first 64 bits of the name, and whether they collude; sorted by location.
    pub fn of_members(members: impl IntoIterator<Item = (Location, u64, bool)>) -> Self {
        let members: Vec<_> = members.into_iter().collect();
        let locations = members.iter().map(|(location, ..)| location.0).collect();
        let names = members.iter().map(|(_, name, _)| *name).collect();
        let mut new = Self::of(0, locations, Names::Given(names));
        for (place, (.., colludes)) in members.iter().enumerate() {
            if *colludes {
                new.set_colludes(place);
            }
        }
        new
    }

    fn of(seed: u64, locations: Vec<u64>, names: Names) -> Self {
        assert!(locations.is_sorted() && !locations.is_empty());
        let bucket_bits = (locations.len() as u64 / 2).max(1).ilog2();
        let buckets = 1usize << bucket_bits;
        let mut first = Vec::with_capacity(buckets);
        let mut place = 0;
        for bucket in 0..buckets as u128 {
            let begins = bucket << (64 - bucket_bits);
            while place < locations.len() && u128::from(locations[place]) < begins {
                place += 1;
            }
            first.push(place as u32);
        }
        Self {
            seed,
            colluders: vec![0; locations.len().div_ceil(64)],
            locations,
            first,
            bucket_bits,
            names,
        }
    }

    fn set_colludes(&mut self, place: usize) {
        self.colluders[place / 64] |= 1 << (place % 64);
    }

    /// N.
    pub fn nodes(&self) -> usize {
        self.locations.len()
    }

    /// From what it was drawn.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// All locations, ascending.
    pub fn locations(&self) -> &[u64] {
        &self.locations
    }

    /// Where the node at this place sits.
    pub fn location(&self, place: usize) -> Location {
        Location(self.locations[place])
    }

    /// The first 64 bits of its name: for [`new`](Self::new) populations uniform numbers that have nothing to do with each
    /// other.
    pub fn name(&self, place: usize) -> u64 {
        match &self.names {
            Names::Derived => mixed(self.locations[place] ^ self.seed),
            Names::Given(names) => names[place],
        }
    }

    /// Whether it colludes.
    pub fn colludes(&self, place: usize) -> bool {
        self.colluders[place / 64] >> (place % 64) & 1 == 1
    }

    /// C.
    pub fn colluders(&self) -> u64 {
        self.colluders
            .iter()
            .map(|word| u64::from(word.count_ones()))
            .sum()
    }

    /// How many nodes sit before `point`: the place of the first at it or after it, or N.
    #[inline]
    pub fn after(&self, point: Location) -> usize {
        let mut place = self.first_of_bucket(point);
        // Four at a time without a branch: where to go on depends on memory that is not there yet.
        while let Some(four) = self.locations[place..].first_chunk::<4>() {
            let before = four.map(|location| usize::from(location < point.0));
            let before: usize = before.iter().sum();
            place += before;
            if before < 4 {
                return place;
            }
        }
        let rest = &self.locations[place..];
        place + rest.partition_point(|location| *location < point.0)
    }

    /// The nodes from `begin` to `end`, clockwise, both included: the place of the first, and how many.
    pub fn arc(&self, begin: Location, end: Location) -> (usize, usize) {
        let nodes = self.nodes();
        let first = self.after(begin);
        // After the last one that is still inside.
        let last = end.0.checked_add(1);
        let last = last.map_or(nodes, |next| self.after(Location(next)));
        let count = if begin <= end {
            last - first
        } else {
            last + nodes - first
        };
        (first % nodes, count)
    }

    /// The nodes up to `reach` away from a place: the first, clockwise, and how many.
    pub fn within(&self, centre: Location, reach: u64) -> (usize, usize) {
        if reach >= 1 << 63 {
            return (0, self.nodes());
        }
        let begin = Location(centre.0.wrapping_sub(reach));
        self.arc(begin, Location(centre.0.wrapping_add(reach)))
    }

    fn first_of_bucket(&self, point: Location) -> usize {
        // A shift by all 64 bits is no shift.
        let bucket = (point.0 >> 1) >> (63 - self.bucket_bits);
        self.first[bucket as usize] as usize
    }
}

/// 2^64 over the golden ratio: its multiples are spread evenly.
pub(crate) const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

fn merged(one: Vec<u64>, other: Vec<u64>) -> Vec<u64> {
    let mut all = Vec::with_capacity(one.len() + other.len());
    let (mut one, mut other) = (&one[..], &other[..]);
    while let (Some(&a), Some(&b)) = (one.first(), other.first()) {
        if a <= b {
            all.push(a);
            one = &one[1..];
        } else {
            all.push(b);
            other = &other[1..];
        }
    }
    all.extend_from_slice(one);
    all.extend_from_slice(other);
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_sorted_and_has_its_colluders() {
        let one = Population::new(3, 10_000, 123);
        assert!(one.locations().is_sorted());
        assert_eq!((one.nodes(), one.colluders()), (10_000, 123));
        let crowded = Population::new(3, 10, 10);
        assert_eq!(crowded.colluders(), 10);
    }

    #[test]
    fn finds_who_is_within_reach() {
        for nodes in [1, 2, 30] {
            let one = Population::new(nodes, nodes, 0);
            let mut rng = Rng::from_number(nodes);
            for _ in 0..300 {
                let centre = Location(rng.number());
                let reach = rng.number() >> rng.below(8);
                let (first, count) = one.within(centre, reach);
                let inside = |place: &usize| centre.distance(one.location(*place)) <= reach;
                let mut expected: Vec<_> = (0..one.nodes()).filter(inside).collect();
                let mut found: Vec<_> = (first..first + count)
                    .map(|place| place % one.nodes())
                    .collect();
                expected.sort_unstable();
                found.sort_unstable();
                assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn finds_places() {
        for nodes in [1, 2, 7, 100, 5000] {
            let one = Population::new(nodes, nodes, 0);
            let mut rng = Rng::from_number(nodes);
            for _ in 0..500 {
                let point = Location(rng.number());
                let expected = one
                    .locations()
                    .partition_point(|location| *location < point.0);
                assert_eq!(one.after(point), expected);
            }
            for (place, location) in one.locations().iter().enumerate() {
                assert_eq!(one.after(Location(*location)), place);
            }
        }
    }
}
