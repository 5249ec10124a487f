//! The three chances over all committees of one computation.

use super::law::{away_seats, bad_seats, likely};
use super::links::Links;
use super::placements::{Placements, shares_with_many_in_a_lane};
use super::tree::Tree;
use super::{Bounds, PRIVACY_MAX, Sizes};

/// What seats are drawn from, and for which committees.
///
/// The committees sit on arcs of the ring that share nobody, and where a node sits on the ring was drawn by the issuer of
/// its certificate. So which nodes hold the seats of all committees together is a uniform draw without replacement,
/// and each committee alone is one too: the hypergeometric law is exact for each.
pub struct Draw {
    candidates: u64,
    colluders: u64,
    offline_permille: u32,
    tree: Tree,
}

impl Draw {
    /// For one committee.
    pub fn new(candidates: u64, colluders: u64, offline_permille: u32) -> Self {
        Self::of_tree(candidates, colluders, offline_permille, Tree::SINGLE)
    }

    /// For all committees of a tree.
    pub fn of_tree(candidates: u64, colluders: u64, offline_permille: u32, tree: Tree) -> Self {
        Self {
            candidates,
            colluders: colluders.min(candidates),
            offline_permille: offline_permille.min(1000),
            tree,
        }
    }

    pub fn candidates(&self) -> u64 {
        self.candidates
    }

    pub fn colluders(&self) -> u64 {
        self.colluders
    }

    pub fn offline_permille(&self) -> u32 {
        self.offline_permille
    }

    /// Whether there are as many candidates as seats.
    pub fn has_candidates_for(&self, sizes: Sizes) -> bool {
        let seats = (sizes.seats() as u64).checked_mul(self.tree.committees());
        seats.is_some_and(|seats| seats <= self.candidates)
    }

    /// How many liars each committee's agreement must bear. More are drawn into one of them with a chance of at most
    /// [`PRIVACY_MAX`].
    pub fn liars(&self, sizes: Sizes) -> u64 {
        let bad = bad_seats(sizes.seats(), self.candidates, self.colluders);
        likely(&bad, PRIVACY_MAX / self.tree.committees() as f64) as u64
    }

    /// Signatures under an inclusion set: as many as [`liars`](Self::liars) ask for.
    pub fn quorum(&self, sizes: Sizes) -> usize {
        sizes.quorum(self.liars(sizes)).unwrap_or(sizes.seats())
    }

    /// For possible sizes with no more seats than candidates.
    ///
    /// * Privacy: exact for one committee; an upper bound for a tree ([`Links`]).
    /// * Wrong: exact for each committee, and the sum over all of them, which is an upper bound. The exact chance would need
    ///   the placements in all lanes of all committees; it is smaller by about half the square of the sum.
    /// * Loss and missed: exact. Seats go away independently of each other, so committees are lost independently.
    pub fn bounds(&self, sizes: Sizes) -> Bounds {
        let mut placements = Placements::of_one_lane(sizes.replicas);
        for _ in 1..sizes.lanes {
            placements.add_lane();
        }
        let lost = self.lost(sizes, self.quorum(sizes));
        Bounds {
            privacy: self.privacy(sizes, &placements),
            wrong: self.wrong(sizes),
            loss: lost,
            missed: self.missed(lost),
        }
    }

    /// The chance that a lane of some committee has as many colluders as its word needs signers.
    pub fn wrong(&self, sizes: Sizes) -> f64 {
        let bad = bad_seats(sizes.seats(), self.candidates, self.colluders);
        let wrong = expected(
            &bad,
            &shares_with_many_in_a_lane(sizes, sizes.signers.into()),
        );
        self.in_all(wrong)
    }

    /// The sum over all committees of what has this chance in each.
    pub fn in_all(&self, wrong: f64) -> f64 {
        (wrong * self.tree.committees() as f64).min(1.0)
    }

    /// The chance that one committee keeps too few seats, of a lane or of all.
    pub fn lost(&self, sizes: Sizes, quorum: usize) -> f64 {
        let spare = usize::from(sizes.replicas - sizes.signers);
        let mut shares = shares_with_many_in_a_lane(sizes, spare + 1);
        shares[sizes.seats() + 1 - quorum..].fill(1.0);
        expected(&away_seats(sizes.seats(), self.offline_permille), &shares)
    }

    /// The chance that a person's committee or one above it, below the root, is lost, if each is with this one.
    pub fn missed(&self, lost: f64) -> f64 {
        some_of(u64::from(self.tree.depth()) - 1, lost)
    }

    /// The chance that colluders learn more than the total, given the placements in these lanes.
    pub fn privacy(&self, sizes: Sizes, placements: &Placements) -> f64 {
        let bad = bad_seats(sizes.seats(), self.candidates, self.colluders);
        if self.tree.committees() == 1 {
            let shares = (0..bad.len()).map(|j| placements.share_in_every_lane(j));
            return expected(&bad, &shares.collect::<Vec<_>>());
        }
        if self.colluders < u64::from(sizes.lanes) {
            // A colluder in every lane of the tree is needed.
            return 0.0;
        }
        let others = self.candidates - sizes.seats() as u64;
        let of_one_lane = bad_seats(usize::from(sizes.replicas), others, self.colluders);
        let links = Links {
            tree: &self.tree,
            closed: closed_lanes(&bad, sizes, placements),
            holds: of_one_lane[1..].iter().sum(),
        };
        links.leak()
    }
}

/// The chance of harm, given that of each number of bad seats and the share of placements that do harm.
fn expected(law: &[f64], shares: &[f64]) -> f64 {
    let terms = law.iter().zip(shares).map(|(chance, share)| chance * share);
    // Rounding may exceed certainty.
    terms.sum::<f64>().min(1.0)
}

/// The chance that exactly t lanes of a committee hold no colluder, for each t.
fn closed_lanes(bad: &[f64], sizes: Sizes, placements: &Placements) -> Vec<f64> {
    let lanes = usize::from(sizes.lanes);
    // Which t of them: rounded, and at most 3e24.
    let mut choices = 1.0;
    let chances = (0..=lanes).map(|closed| {
        let shares = (0..bad.len()).map(|j| placements.share_with_none_in(closed, j));
        let given = expected(bad, &shares.collect::<Vec<_>>());
        let chance = choices * given;
        choices = choices * (lanes - closed) as f64 / (closed + 1) as f64;
        chance
    });
    chances.collect()
}

/// The chance that at least one of so many independent things happens, each of which has this chance.
pub fn some_of(many: u64, chance: f64) -> f64 {
    let either = |one: f64, other: f64| one + other * (1.0 - one);
    let (mut some, mut doubled) = (0.0, chance);
    for bit in 0..u64::BITS {
        if many >> bit & 1 == 1 {
            some = either(some, doubled);
        }
        doubled = either(doubled, doubled);
    }
    some.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn some_of_many_is_one_minus_none_of_them() {
        for (many, chance, expected) in [
            (1, 0.25, 0.25),
            (2, 0.25, 0.4375),
            (3, 0.5, 0.875),
            (1000, 1e-30, 1e-27),
            (20_000, 1e-4, 0.864_678_250_034),
            (u64::MAX, 1.0, 1.0),
            (7, 0.0, 0.0),
        ] {
            let found = some_of(many, chance);
            assert!(
                (found - expected).abs() <= 1e-9 * expected,
                "{many} {chance} {found}"
            );
        }
    }

    /// Seats of all committees drawn without replacement, and each away or not.
    #[test]
    fn wrong_lost_and_missed_are_as_drawn() {
        let tree = Tree::with_leaves(3);
        let (candidates, colluders, draws) = (1_600u64, 100u64, 10_000);
        let mut rng = base::Rng::from_seed([3; 32]);
        for (replicas, signers, offline_permille) in [(5, 3, 30), (15, 8, 200), (6, 2, 250)] {
            let sizes = Sizes {
                lanes: 3,
                replicas,
                signers,
            };
            let draw = Draw::of_tree(candidates, colluders, offline_permille, tree);
            let bounds = draw.bounds(sizes);
            let quorum = draw.quorum(sizes);
            let (mut wrong, mut lost, mut missed) = (0, 0, 0);
            for _ in 0..draws {
                let (mut left, mut bad_left) = (candidates, colluders);
                let all = sizes.seats() * tree.committees() as usize;
                let drawn = (0..all).map(|_| {
                    let bad = rng.below(left) < bad_left;
                    left -= 1;
                    bad_left -= u64::from(bad);
                    (bad, rng.below(1000) < u64::from(offline_permille))
                });
                let drawn: Vec<_> = drawn.collect();
                let (replicas, signers) = (usize::from(replicas), usize::from(signers));
                let is_wrong =
                    |lane: &[(bool, bool)]| lane.iter().filter(|(bad, _)| *bad).count() >= signers;
                let here = |seats: &[(bool, bool)]| seats.iter().filter(|seat| !seat.1).count();
                let is_lost = |committee: &[(bool, bool)]| {
                    let mut lanes = committee.chunks(replicas);
                    here(committee) < quorum || lanes.any(|lane| here(lane) < signers)
                };
                let committees: Vec<_> = drawn.chunks(sizes.seats()).map(is_lost).collect();
                wrong += u32::from(drawn.chunks(replicas).any(is_wrong));
                lost += u32::from(committees[3]);
                missed += committees[..3]
                    .iter()
                    .map(|lost| u32::from(*lost))
                    .sum::<u32>();
            }
            for (found, of, bound) in [
                (wrong, draws, bounds.wrong),
                (lost, draws, bounds.loss),
                (missed, 3 * draws, bounds.missed),
            ] {
                let found = f64::from(found) / f64::from(of);
                // Four standard deviations of the count, and the chance that two lanes are wrong.
                let doubt = 4.0 * (bound / f64::from(of)).sqrt();
                let twice = if of == draws && bound == bounds.wrong {
                    bound * bound
                } else {
                    0.0
                };
                assert!(
                    found <= bound + doubt && found >= bound - doubt - twice,
                    "{replicas}: {found} {bound}"
                );
            }
            assert!((0.005..0.9).contains(&bounds.loss), "{bounds:?}");
            assert!(replicas > 6 || bounds.wrong > 0.01, "{bounds:?}");
        }
    }

    /// Each level that is below the root may lose a person.
    #[test]
    fn people_are_missed_on_each_level_below_the_root() {
        for (leaves, ways) in [(1, 0.0), (20, 1.0), (196, 2.0), (1954, 3.0)] {
            let draw = Draw::of_tree(1_000_000, 1_000, 50, Tree::with_leaves(leaves));
            let sizes = Sizes {
                lanes: 10,
                replicas: 12,
                signers: 5,
            };
            let Bounds { loss, missed, .. } = draw.bounds(sizes);
            assert!((missed - ways * loss).abs() <= 1e-6 * missed, "{leaves}");
        }
    }

    /// Of all committees together, one has more liars than its agreement bears with no more than the accepted chance.
    #[test]
    fn agreements_bear_the_liars_of_all_committees() {
        let sizes = Sizes {
            lanes: 20,
            replicas: 11,
            signers: 6,
        };
        for people in [1_000u64, 10_000, 100_000, 1_000_000] {
            let tree = Tree::of(people, people);
            let draw = Draw::of_tree(people, people / 100, 50, tree);
            let bad = bad_seats(sizes.seats(), people, people / 100);
            let more = |liars: u64| -> f64 {
                bad[liars as usize + 1..].iter().sum::<f64>() * tree.committees() as f64
            };
            let liars = draw.liars(sizes);
            assert!(more(liars) <= PRIVACY_MAX && more(liars - 1) > PRIVACY_MAX);
        }
    }
}
