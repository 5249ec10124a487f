//! What colluders learn, by linear algebra over all that they hold, beside the event and its bound.

use base::Rng;

use super::super::draw::Draw;
use super::super::law::bad_seats;
use super::super::placements::Placements;
use super::super::{Sizes, Tree};

/// A prime for coefficients: what is a combination over the rationals in trees this small is one over this field.
const PRIME: i64 = 97;

/// The committees of a small tree, level by level; the root is the last.
struct Shape {
    children: Vec<Vec<usize>>,
    /// Which leaves are below or are the committee itself: the coefficients of its sum.
    rows: Vec<Vec<i64>>,
    leaves: usize,
}

impl Shape {
    fn new(tree: Tree) -> Self {
        let levels = tree.committees_per_level();
        let leaves = tree.leaves() as usize;
        let mut children: Vec<Vec<usize>> = Vec::new();
        let mut rows: Vec<Vec<i64>> = Vec::new();
        let mut below = 0;
        for (level, many) in (0..).zip(levels) {
            let first = children.len();
            for index in 0..many {
                let of = tree.children(level, index);
                let of: Vec<_> = of.map(|child| below + child as usize).collect();
                let is_below = |leaf: usize| match level {
                    0 => leaf as u64 == index,
                    _ => of.iter().any(|child| rows[*child][leaf] == 1),
                };
                rows.push((0..leaves).map(|leaf| is_below(leaf).into()).collect());
                children.push(of);
            }
            below = first;
        }
        Self {
            children,
            rows,
            leaves,
        }
    }

    /// Whether anything but the total is a combination of what is held in every lane: `open[lane][committee]`.
    fn leaks(&self, open: &[Vec<bool>]) -> bool {
        // What is orthogonal to all that some lane holds; what all lanes can combine is orthogonal to that.
        let mut forbidden = Vec::new();
        for lane in open {
            let mut held = vec![self.rows[self.rows.len() - 1].clone()];
            for committee in (0..lane.len()).filter(|c| lane[*c]) {
                held.push(self.rows[committee].clone());
                let children = self.children[committee].iter();
                held.extend(children.map(|child| self.rows[*child].clone()));
            }
            forbidden.extend(orthogonal(held, self.leaves));
        }
        self.leaves - reduce(&mut forbidden, self.leaves).len() > 1
    }

    /// The event of the module's description.
    fn is_in_event(&self, open: &[Vec<bool>]) -> bool {
        (0..self.children.len()).any(|parent| {
            let children = &self.children[parent];
            (1..(1u32 << children.len()).saturating_sub(1)).any(|part| {
                open.iter().all(|lane| {
                    let all = |inside: bool| {
                        let part_of = |i: usize| (part >> i & 1 == 1) == inside;
                        let mut these = (0..children.len()).filter(|i| part_of(*i));
                        these.all(|i| self.is_derivable(lane, children[i]))
                    };
                    lane[parent] || all(true) || all(false)
                })
            })
        })
    }

    fn is_derivable(&self, lane: &[bool], committee: usize) -> bool {
        let children = &self.children[committee];
        let from_all = || children.iter().all(|child| self.is_derivable(lane, *child));
        lane[committee] || (!children.is_empty() && from_all())
    }

    /// By lane and committee, whether a colluder sits there; seats lie committee by committee, lane by lane.
    fn open(
        &self,
        lanes: usize,
        replicas: usize,
        is_bad: impl Fn(usize) -> bool,
    ) -> Vec<Vec<bool>> {
        let is_open = |lane: usize, committee: usize| {
            let first = (committee * lanes + lane) * replicas;
            (first..first + replicas).any(&is_bad)
        };
        let committees = self.children.len();
        (0..lanes)
            .map(|lane| (0..committees).map(|c| is_open(lane, c)).collect())
            .collect()
    }
}

/// Reduced rows with the column of their leading one.
fn reduce(rows: &mut Vec<Vec<i64>>, width: usize) -> Vec<usize> {
    let mut leading = Vec::new();
    for column in 0..width {
        let done = leading.len();
        let Some(pivot) = (done..rows.len()).find(|row| rows[*row][column] != 0) else {
            continue;
        };
        rows.swap(done, pivot);
        let inverse = (1..PRIME)
            .find(|x| x * rows[done][column] % PRIME == 1)
            .expect("a field");
        let scaled: Vec<_> = rows[done].iter().map(|x| x * inverse % PRIME).collect();
        for row in (0..rows.len()).filter(|row| *row != done) {
            let factor = rows[row][column];
            for (x, y) in rows[row].iter_mut().zip(&scaled) {
                *x = (*x - factor * y).rem_euclid(PRIME);
            }
        }
        rows[done] = scaled;
        leading.push(column);
    }
    rows.truncate(leading.len());
    leading
}

fn orthogonal(mut rows: Vec<Vec<i64>>, width: usize) -> Vec<Vec<i64>> {
    let leading = reduce(&mut rows, width);
    let free = (0..width).filter(|column| !leading.contains(column));
    free.map(|free| {
        let mut vector = vec![0; width];
        vector[free] = 1;
        for (row, column) in rows.iter().zip(&leading) {
            vector[*column] = (PRIME - row[free]) % PRIME;
        }
        vector
    })
    .collect()
}

/// The bound, for lanes too small to be allowed.
fn bound(tree: Tree, lanes: u16, replicas: u16, candidates: u64, colluders: u64) -> f64 {
    let draw = Draw::of_tree(candidates, colluders, 0, tree);
    let sizes = Sizes {
        lanes,
        replicas,
        signers: 1,
    };
    draw.bounds(sizes).privacy
}

/// Every set of colluders of every small community.
#[test]
fn holds_for_all_cases_of_small_trees() {
    let mut tight: f64 = f64::INFINITY;
    for (tree, lanes, replicas, candidates) in [
        (Tree::shaped_for_tests(2, 2, 2), 2, 1, 9u32),
        (Tree::shaped_for_tests(2, 2, 2), 2, 2, 13),
        (Tree::shaped_for_tests(3, 3, 2), 3, 1, 14),
        (Tree::shaped_for_tests(4, 4, 2), 2, 1, 12),
        (Tree::shaped_for_tests(4, 2, 3), 2, 1, 14),
        (Tree::shaped_for_tests(5, 3, 3), 1, 1, 10),
    ] {
        let shape = Shape::new(tree);
        let mut cases = vec![[0u32; 3]; candidates as usize + 1];
        for bad in 0u32..1 << candidates {
            let open = shape.open(lanes, replicas, |seat| bad >> seat & 1 == 1);
            let (leaks, is_in_event) = (shape.leaks(&open), shape.is_in_event(&open));
            assert!(!leaks || is_in_event, "{tree:?} {open:?}");
            let of = &mut cases[bad.count_ones() as usize];
            *of = [
                of[0] + 1,
                of[1] + u32::from(leaks),
                of[2] + u32::from(is_in_event),
            ];
        }
        for (colluders, [all, leaks, events]) in cases.into_iter().enumerate() {
            let chance = |part: u32| f64::from(part) / f64::from(all);
            let bound = bound(
                tree,
                lanes as u16,
                replicas as u16,
                candidates.into(),
                colluders as u64,
            );
            let about = 1.0 + 1e-12;
            assert!(chance(leaks) <= chance(events) && chance(events) <= bound * about);
            if leaks > 0 {
                tight = tight.min(bound / chance(leaks));
            }
        }
    }
    assert!(tight < 1.01, "{tight}");
}

/// In communities of thousands, against draws of all seats.
#[test]
fn agrees_with_drawn_seats() {
    let mut rng = Rng::from_seed([7; 32]);
    for (tree, lanes, replicas, candidates, colluders) in [
        (Tree::with_leaves(3), 4, 3, 2_000u64, 300u64),
        (Tree::with_leaves(6), 5, 3, 3_000, 450),
        (Tree::with_leaves(33), 6, 3, 40_000, 4_000),
        (Tree::shaped_for_tests(4, 2, 3), 5, 3, 3_000, 300),
    ] {
        let shape = Shape::new(tree);
        let seats = shape.children.len() * lanes * replicas;
        let draws = 1_000;
        let mut found = 0;
        for _ in 0..draws {
            let (mut left, mut bad_left) = (candidates, colluders);
            let bad: Vec<_> = (0..seats)
                .map(|_| {
                    let bad = rng.below(left) < bad_left;
                    left -= 1;
                    bad_left -= u64::from(bad);
                    bad
                })
                .collect();
            found += u32::from(shape.is_in_event(&shape.open(lanes, replicas, |seat| bad[seat])));
        }
        let found = f64::from(found) / f64::from(draws);
        let bound = bound(tree, lanes as u16, replicas as u16, candidates, colluders);
        // Four standard deviations of the count.
        let doubt = 4.0 * (bound.min(1.0) / f64::from(draws)).sqrt();
        assert!(found <= bound + doubt, "{tree:?} {found} {bound}");
        assert!(found >= bound / 2.0 - doubt, "{tree:?} {found} {bound}");
        assert!((0.01..0.9).contains(&bound), "{tree:?} {bound}");
    }
}

/// The design's link, exactly: each lane has 2 r holders, of whom one colludes.
#[test]
fn a_wide_parent_leaks_as_its_links_do() {
    for (lanes, replicas, candidates, colluders) in [
        (10, 9, 10_000_000u64, 100_000u64),
        (20, 11, 1_000_000, 10_000),
        (8, 7, 100_000, 500),
    ] {
        let mut double = Placements::of_one_lane(2 * replicas);
        for _ in 1..lanes {
            double.add_lane();
        }
        let bad = bad_seats(usize::from(2 * replicas * lanes), candidates, colluders);
        let link: f64 = (bad.iter().enumerate())
            .map(|(j, chance)| chance * double.share_in_every_lane(j))
            .sum();
        let tree = Tree::with_leaves(32);
        let ratio = bound(tree, lanes, replicas, candidates, colluders) / (32.0 * link);
        // Less, since the links count more than once that all lanes are open at the parent; or more, since lanes are taken
        // as if the colluders of one did not lack in another.
        assert!((0.9..1.1).contains(&ratio), "{ratio}");
        // With two children a third seat of each lane counts.
        let pair = Tree::shaped_for_tests(2, 2, 2);
        assert!(bound(pair, lanes, replicas, candidates, colluders) > 10.0 * link);
    }
}
