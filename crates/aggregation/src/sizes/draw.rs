//! The three chances over all committees of one computation.

use super::law::{away_seats, bad_seats, likely};
use super::links::Links;
use super::placements::Placements;
use super::tree::Tree;
use super::{Bounds, PRIVACY_MAX, REPLICAS_MAX, Sizes};

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

    /// The sizes that [`Sizes::choose`] speaks of, the same for every committee.
    pub fn best(&self) -> Option<(Sizes, Bounds)> {
        let mut best: Option<(Sizes, Bounds)> = None;
        for replicas in (3..=REPLICAS_MAX).step_by(2) {
            let mut placements = Placements::of_one_lane(replicas);
            for lanes in 2.. {
                let sizes = Sizes { lanes, replicas };
                if !sizes.is_possible() || !self.has_candidates_for(sizes) {
                    break;
                }
                placements.add_lane();
                let bad = bad_seats(sizes.seats(), self.candidates, self.colluders);
                let privacy = self.privacy(sizes, &placements, &bad);
                if privacy > PRIVACY_MAX {
                    continue;
                }
                let bounds = self.with_privacy(privacy, sizes, &placements, &bad);
                if best.is_none_or(|best| is_better((sizes, bounds), best)) {
                    best = Some((sizes, bounds));
                }
            }
        }
        best
    }

    /// Whether there are as many candidates as seats.
    pub fn has_candidates_for(&self, sizes: Sizes) -> bool {
        let seats = (sizes.seats() as u64).checked_mul(self.tree.committees());
        seats.is_some_and(|seats| seats <= self.candidates)
    }

    /// How many liars each committee's agreement must bear. More are drawn into one of them with a chance of at most
    /// [`PRIVACY_MAX`].
    pub fn liars(&self, sizes: Sizes) -> u64 {
        self.liars_by(&bad_seats(sizes.seats(), self.candidates, self.colluders)) as u64
    }

    fn liars_by(&self, bad: &[f64]) -> usize {
        likely(bad, PRIVACY_MAX / self.tree.committees() as f64)
    }

    /// For possible sizes with no more seats than candidates, and their placements.
    ///
    /// * Privacy: exact for one committee; an upper bound for a tree ([`Links`]).
    /// * Wrong: exact for each committee, and the sum over all of them, which is an upper bound. The exact chance would need
    ///   the placements in all lanes of all committees; it is smaller by about half the square of the sum.
    /// * Loss: exact. Seats go away independently of each other, so committees are lost independently.
    pub fn bounds(&self, sizes: Sizes, placements: &Placements) -> Bounds {
        let bad = bad_seats(sizes.seats(), self.candidates, self.colluders);
        let privacy = self.privacy(sizes, placements, &bad);
        self.with_privacy(privacy, sizes, placements, &bad)
    }

    fn with_privacy(
        &self,
        privacy: f64,
        sizes: Sizes,
        placements: &Placements,
        bad: &[f64],
    ) -> Bounds {
        let seats = sizes.seats();
        let away = away_seats(seats, self.offline_permille);
        let quorum = sizes.quorum(self.liars_by(bad) as u64).unwrap_or(seats);
        let wrong = expected(bad, |j| placements.share_with_a_majority(j));
        let loss = expected(&away, |j| {
            if j > seats - quorum {
                1.0
            } else {
                placements.share_with_a_majority(j)
            }
        });
        Bounds {
            privacy,
            wrong: (wrong * self.tree.committees() as f64).min(1.0),
            loss: some_of(self.tree.committees(), loss),
        }
    }

    fn privacy(&self, sizes: Sizes, placements: &Placements, bad: &[f64]) -> f64 {
        if self.tree.committees() == 1 {
            return expected(bad, |j| placements.share_in_every_lane(j));
        }
        if self.colluders < u64::from(sizes.lanes) {
            // A colluder in every lane of the tree is needed.
            return 0.0;
        }
        let others = self.candidates - sizes.seats() as u64;
        let of_one_lane = bad_seats(usize::from(sizes.replicas), others, self.colluders);
        let links = Links {
            tree: &self.tree,
            closed: closed_lanes(bad, sizes, placements),
            holds: of_one_lane[1..].iter().sum(),
        };
        links.leak()
    }
}

/// Both meet the bound of privacy.
fn is_better((sizes, bounds): (Sizes, Bounds), (best, of_best): (Sizes, Bounds)) -> bool {
    let cost = |sizes: Sizes| (sizes.seats(), sizes.lanes);
    match (bounds.are_as_wanted(), of_best.are_as_wanted()) {
        (true, true) => cost(sizes) < cost(best),
        (false, false) => {
            let order = bounds.failure().total_cmp(&of_best.failure());
            order.then(cost(sizes).cmp(&cost(best))).is_lt()
        }
        (wanted, _) => wanted,
    }
}

/// The chance of harm, given that of each number of bad seats and the share of placements that do harm.
fn expected(law: &[f64], share: impl Fn(usize) -> f64) -> f64 {
    let terms = law.iter().enumerate().map(|(j, chance)| chance * share(j));
    // Rounding may exceed certainty.
    terms.sum::<f64>().min(1.0)
}

/// The chance that exactly t lanes of a committee hold no colluder, for each t.
fn closed_lanes(bad: &[f64], sizes: Sizes, placements: &Placements) -> Vec<f64> {
    let lanes = usize::from(sizes.lanes);
    // Which t of them: rounded, and at most 3e24.
    let mut choices = 1.0;
    let chances = (0..=lanes).map(|closed| {
        let given = expected(bad, |j| placements.share_with_none_in(closed, j));
        let chance = choices * given;
        choices = choices * (lanes - closed) as f64 / (closed + 1) as f64;
        chance
    });
    chances.collect()
}

/// The chance that at least one of so many independent things happens, each of which has this chance.
fn some_of(many: u64, chance: f64) -> f64 {
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
    fn wrong_and_lost_are_as_drawn() {
        let tree = Tree::with_leaves(3);
        let (candidates, colluders, draws) = (1_600u64, 100u64, 10_000);
        let mut rng = base::Rng::from_seed([3; 32]);
        for (replicas, offline_permille) in [(5, 30), (15, 200)] {
            let sizes = Sizes { lanes: 3, replicas };
            let mut placements = Placements::of_one_lane(replicas);
            placements.add_lane();
            placements.add_lane();
            let draw = Draw::of_tree(candidates, colluders, offline_permille, tree);
            let bounds = draw.bounds(sizes, &placements);
            let quorum = sizes.quorum(draw.liars(sizes)).unwrap();
            let (mut wrong, mut lost) = (0, 0);
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
                let has_majority = |is: fn(&(bool, bool)) -> bool| {
                    let mut lanes = drawn.chunks(replicas.into());
                    lanes
                        .any(|lane| lane.iter().filter(|seat| is(seat)).count() >= sizes.majority())
                };
                let here = |seats: &[(bool, bool)]| seats.iter().filter(|seat| !seat.1).count();
                let no_quorum = drawn.chunks(sizes.seats()).any(|all| here(all) < quorum);
                wrong += u32::from(has_majority(|seat| seat.0));
                lost += u32::from(has_majority(|seat| seat.1) || no_quorum);
            }
            for (found, bound) in [(wrong, bounds.wrong), (lost, bounds.loss)] {
                let found = f64::from(found) / f64::from(draws);
                // Four standard deviations of the count, and a fiftieth for the sum over all committees.
                let doubt = 4.0 * (bound / f64::from(draws)).sqrt() + bound / 50.0;
                assert!(
                    (found - bound).abs() <= doubt,
                    "{replicas}: {found} {bound}"
                );
            }
            assert!((0.05..0.6).contains(&bounds.loss), "{bounds:?}");
            assert!(replicas > 5 || bounds.wrong > 0.01, "{bounds:?}");
        }
    }

    /// Of all committees together, one has more liars than its agreement bears with no more than the accepted chance.
    #[test]
    fn agreements_bear_the_liars_of_all_committees() {
        let sizes = Sizes {
            lanes: 20,
            replicas: 11,
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
