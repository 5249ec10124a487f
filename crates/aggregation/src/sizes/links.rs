//! What colluders learn in a tree of committees, where a parent's replicas of a lane hold its children's lane sums too.
//!
//! **What must stay secret.** The total of all people is what a question is for. Anything else that is a sum over honest
//! people, one person's value or the sum of one committee's people, must not be learnt by colluders who sit in
//! committees, even with a querier who colludes: it gets the root's sum of every lane, so count that as known.
//!
//! **What colluders hold.** Shares of different lanes are independent, and all of them are needed. So colluders learn
//! a sum over people exactly when, in *each* lane, it is a combination of lane sums that they hold there. In a lane
//! they hold the sums of every committee in which they have a replica of that lane, those of its children (the
//! replica adds them up), and the root's.
//!
//! **The event.** Call a lane *open* at a committee when a colluder is one of its replicas there. Call it *derivable*
//! from within a committee when it is open there, or derivable from within all children. (A leaf's children are people,
//! whose shares only open lanes reveal.) Let f be a sum, with one coefficient per leaf, that is not a multiple of the total.
//! Take a lowest committee p on whose leaves the coefficients differ: they are the same below each child, and not the
//! same for all children. Split the children into those with one of the coefficients, A, and the others, B.
//! In any lane, what is held above p or at p itself adds the same number to all leaves of p; so where a child's coefficient
//! is another one, its sum comes from what is held below. Hence in each lane: it is open at p, or derivable from within all of A,
//! or derivable from within all of B. Without such a p and such a split, nothing leaks. The same with a leaf as p
//! and its honest people as children: each lane is open at that leaf; then it is derivable from within that leaf in
//! each lane, and its parent, with this leaf as A, is in the event as well.
//!
//! With A a single child and no lane derivable from within B, this is the design's "a lane of a link has 2 r holders". A
//! parent with two children is worse, and the reason why a tree has three leaves or more: whoever knows the total and
//! one child's sum knows the other's, which makes 3 r holders.
//!
//! **The bound.** For a parent with f children, exactly: the chance that t of its lanes are not open (hypergeometric). Given
//! its seats, the others are drawn from the other candidates, with no more colluders than C. There, colluders in one
//! seat make those in another less likely: seats drawn without replacement are negatively associated (Joag-Dev and
//! Proschan 1983), so for events that more colluders can only further and that depend on different seats, the product of their
//! chances is an upper bound. A lane of a leaf is open with chance h; derivable from within a committee of f children
//! with at most d' = h + d^f, where d is that of a child. So a split into a and f − a children is in the event with at
//! most (d^a + d^(f−a))^t, and the union over all splits, all t and all parents is the bound.

use super::tree::Tree;

/// Committees in a tree, and what colluders hold in them.
pub struct Links<'a> {
    /// The committees.
    pub tree: &'a Tree,
    /// By t: the chance that exactly t lanes of a committee are not open.
    pub closed: Vec<f64>,
    /// The chance that a lane of another committee is open.
    pub holds: f64,
}

impl Links<'_> {
    /// At most the chance that colluders and querier learn more than the total.
    pub fn leak(&self) -> f64 {
        let mut derivable = self.holds.min(1.0);
        let mut leak = 0.0;
        for level in 1..self.tree.depth() {
            let families = self.tree.families(level);
            for (parents, children) in families {
                leak += parents as f64 * self.leak_at(children, derivable);
            }
            let [(_, fewest), _] = families;
            derivable = (self.holds + power(derivable, fewest)).min(1.0);
        }
        leak.min(1.0)
    }

    /// At most the chance of the event at one parent.
    fn leak_at(&self, children: u64, derivable: f64) -> f64 {
        let mut splits = splits(children, derivable);
        let mut leak = 0.0;
        for chance in &self.closed {
            let some: f64 = splits.iter().map(|(_, so_far)| so_far).sum();
            leak += chance * some.min(1.0);
            for (each, so_far) in &mut splits {
                *so_far *= *each;
            }
        }
        leak
    }
}

/// By the size of the smaller part: the chance that one lane is derivable from within either part, and the number of such
/// splits.
fn splits(children: u64, derivable: f64) -> Vec<(f64, f64)> {
    let mut ways = 1.0;
    let sizes = 1..=children / 2;
    sizes
        .map(|part| {
            let rest = children - part;
            ways = ways * (rest + 1) as f64 / part as f64;
            let counted = if part == rest { ways / 2.0 } else { ways };
            let each = power(derivable, part) + power(derivable, rest);
            (each.min(1.0), counted)
        })
        .collect()
}

/// `base` times itself, `exponent` times: at most the fan-in of a tree.
fn power(base: f64, exponent: u64) -> f64 {
    (0..exponent).fold(1.0, |product, _| product * base)
}

#[cfg(test)]
mod tests;
