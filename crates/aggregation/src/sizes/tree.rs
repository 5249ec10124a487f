//! How many committees for so many people, and which adds up whose sums.

use std::ops::Range;

/// About how many people a leaf committee serves (design: aggregation).
pub const CONTRIBUTORS_PER_LEAF: u64 = 512;
/// Most children of one committee (design: aggregation).
pub const FAN_IN_MAX: u64 = 32;
/// Fewest leaves of a tree. One committee bears the work of two, and two children would be worse for privacy than one
/// committee: whoever knows the total and the sum of one knows the other's (`links`).
const LEAVES_MIN: u64 = 3;
/// How many candidates there should be around each committee: so many that the largest one, of 300 seats, finds them with
/// a chance of 1 - 1e-12, and fewer than those whom a node cache of 512 is sure to hold around the point: 454 to 481
/// when 1 % of 10 000 to ten million collude (selection: candidates).
const CANDIDATES_PER_COMMITTEE: u64 = 440;

/// A tree of committees: each leaf serves the people of an arc of the ring, each other committee adds up its children's
/// sums lane by lane, the last one is the root. A single committee is leaf and root.
///
/// Committees are numbered level by level, leaves first; number i of T sits i/T of the ring after the point that was drawn,
/// and takes its seats from its own arc. The children of a level are dealt out evenly, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tree {
    leaves: u64,
    fan_in: u64,
    depth: u32,
}

impl Tree {
    /// One committee.
    pub const SINGLE: Self = Self {
        leaves: 1,
        fan_in: 1,
        depth: 1,
    };

    /// For so many people who contribute, in a community of so many from whom seats are drawn.
    ///
    /// Leaves of [`CONTRIBUTORS_PER_LEAF`], or a little larger where the community is too small to give so many
    /// committees seats from arcs of their own; one committee where that makes fewer than three leaves, so up to 1024
    /// contributors always and up to 1759 in a community of no more. Of trees with a fan-in of at most
    /// [`FAN_IN_MAX`], the lowest, and of those the one with the least fan-in, which spares the busiest.
    pub fn of(contributors: u64, candidates: u64) -> Self {
        let wanted = contributors.min(candidates).div_ceil(CONTRIBUTORS_PER_LEAF);
        let room = candidates / CANDIDATES_PER_COMMITTEE;
        let leaves = (LEAVES_MIN..=wanted).rev();
        let mut trees = leaves.map(Self::with_leaves);
        let fits = trees.find(|tree| tree.committees() <= room);
        fits.unwrap_or(Self::SINGLE)
    }

    pub(super) fn with_leaves(leaves: u64) -> Self {
        let reach = |fan_in: u64, depth: u32| fan_in.saturating_pow(depth - 1);
        let mut depth = 1;
        while reach(FAN_IN_MAX, depth) < leaves {
            depth += 1;
        }
        let mut fan_in = 1;
        while reach(fan_in, depth) < leaves {
            fan_in += 1;
        }
        Self {
            leaves,
            fan_in,
            depth,
        }
    }

    /// Committees to which people contribute.
    pub fn leaves(&self) -> u64 {
        self.leaves
    }

    /// Most children of one committee; 1 where there is a single one.
    pub fn fan_in(&self) -> u64 {
        self.fan_in
    }

    /// Number of levels, at least 1.
    pub fn depth(&self) -> u32 {
        self.depth
    }

    /// How many committees each level has, leaves first; the last is 1.
    pub fn committees_per_level(&self) -> Vec<u64> {
        (0..self.depth).map(|level| self.on_level(level)).collect()
    }

    /// How many committees there are (T).
    pub fn committees(&self) -> u64 {
        self.committees_per_level().iter().sum()
    }

    fn on_level(&self, level: u32) -> u64 {
        (0..level).fold(self.leaves, |below, _| below.div_ceil(self.fan_in))
    }

    /// Which committees of the level below are the children of this one. Empty on the level of leaves and where there
    /// is no such committee.
    pub fn children(&self, level: u32, index: u64) -> Range<u64> {
        let parents = self.on_level(level.min(self.depth));
        if level == 0 || level >= self.depth || index >= parents {
            return 0..0;
        }
        let below = self.on_level(level - 1);
        let (each, more) = (below / parents, below % parents);
        let start = |index: u64| index * each + index.min(more);
        start(index)..start(index + 1)
    }

    /// How many parents on this level, from 1, have how many children: those with fewest, then those with one more.
    pub fn families(&self, level: u32) -> [(u64, u64); 2] {
        let (below, parents) = (self.on_level(level - 1), self.on_level(level));
        let (each, more) = (below / parents, below % parents);
        [(parents - more, each), (more, each + 1)]
    }
}

impl Tree {
    /// The tree of so many levels in which each parent has so many children: as deep as one of a large community, and narrower,
    /// so that it can be simulated.
    pub fn full(fan_in: u64, depth: u32) -> Self {
        Self {
            leaves: fan_in.saturating_pow(depth.saturating_sub(1)),
            fan_in,
            depth,
        }
    }
}

#[cfg(test)]
impl Tree {
    /// Any shape, so that small ones can be looked at whole.
    pub fn shaped_for_tests(leaves: u64, fan_in: u64, depth: u32) -> Self {
        Self {
            leaves,
            fan_in,
            depth,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::SEATS_MAX;
    use super::*;

    #[test]
    fn a_few_people_need_one_committee() {
        for (contributors, candidates) in [
            (0, 0),
            (11, 11),
            (512, 512),
            (1024, 1 << 40),
            (1759, 1759),
            (u64::MAX, 1000),
        ] {
            let tree = Tree::of(contributors, candidates);
            assert_eq!(tree, Tree::SINGLE, "{contributors} {candidates}");
        }
        assert_eq!(Tree::SINGLE.committees_per_level(), [1]);
        assert_eq!(Tree::of(1025, 10_000).committees_per_level(), [3, 1]);
        assert_eq!(Tree::of(1760, 1760).committees_per_level(), [3, 1]);
    }

    #[test]
    fn a_full_tree_has_as_many_levels_as_it_is_told() {
        assert_eq!(Tree::full(3, 4).committees_per_level(), [27, 9, 3, 1]);
        assert_eq!(Tree::full(5, 2).committees_per_level(), [5, 1]);
        assert_eq!(Tree::full(3, 1).committees_per_level(), [1]);
    }

    #[test]
    fn trees_grow_with_the_people() {
        for (people, levels, fan_in) in [
            (10_000, vec![20, 1], 20),
            (100_000, vec![196, 14, 1], 14),
            (1_000_000, vec![1954, 151, 12, 1], 13),
            (10_000_000, vec![19_532, 724, 27, 1], 27),
        ] {
            let tree = Tree::of(people, people);
            assert_eq!(tree.committees_per_level(), levels);
            assert_eq!((tree.leaves(), tree.fan_in()), (levels[0], fan_in));
            assert_eq!(tree.committees(), levels.iter().sum::<u64>());
        }
    }

    #[test]
    fn nobody_is_the_child_of_a_leaf_or_of_no_committee() {
        let tree = Tree::of(100_000, 100_000);
        for (level, index) in [(0, 0), (0, 195), (1, 14), (2, 1), (3, 0), (u32::MAX, 0)] {
            assert!(tree.children(level, index).is_empty(), "{level} {index}");
        }
        assert_eq!(tree.children(2, 0), 0..14);
        assert_eq!(Tree::SINGLE.children(1, 0), 0..0);
    }

    /// The chance that fewer than 300 nodes are found where 440 are expected, among endlessly many.
    #[test]
    fn arcs_hold_the_largest_committee() {
        let mean = CANDIDATES_PER_COMMITTEE as f64;
        let mut chance = (-mean).exp();
        let mut fewer = 0.0;
        for number in 0..SEATS_MAX as u32 {
            fewer += chance;
            chance *= mean / f64::from(number + 1);
        }
        assert!((1e-13..1e-12).contains(&fewer), "{fewer:e}");
    }

    proptest! {
        #[test]
        fn every_committee_has_one_parent(contributors: u64, candidates: u64, shift in 0..64u32) {
            let tree = Tree::of(contributors >> shift, candidates >> shift);
            let levels = tree.committees_per_level();
            prop_assert_eq!(levels.len(), tree.depth() as usize);
            prop_assert_eq!(levels.last(), Some(&1));
            prop_assert!(tree.fan_in() <= FAN_IN_MAX);
            prop_assert_ne!(tree.leaves(), 2);
            for level in 1..tree.depth() {
                let (below, here) = (levels[level as usize - 1], levels[level as usize]);
                let [(some, few), (others, many)] = tree.families(level);
                prop_assert_eq!((some + others, some * few + others * many), (here, below));
                prop_assert!(few >= 2 && (others == 0 || many <= tree.fan_in()));
                prop_assert_eq!(tree.children(level, 0).start, 0);
                prop_assert_eq!(tree.children(level, here - 1).end, below);
                for index in (0..here - 1).take(50) {
                    let (this, next) = (tree.children(level, index), tree.children(level, index + 1));
                    prop_assert_eq!(this.end, next.start);
                    prop_assert!(this.end - this.start == few || this.end - this.start == many);
                }
            }
            if tree.depth() > 1 {
                let wanted = (contributors >> shift).div_ceil(CONTRIBUTORS_PER_LEAF);
                prop_assert!(tree.leaves() <= wanted);
                prop_assert!(tree.committees() <= (candidates >> shift) / CANDIDATES_PER_COMMITTEE);
            }
        }
    }
}
