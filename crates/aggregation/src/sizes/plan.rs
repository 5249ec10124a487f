//! All that is chosen for one computation, or why there is nothing to choose.

use thiserror::Error;

use super::choice;
use super::draw::Draw;
use super::tree::Tree;
use super::{Bounds, HOPELESS, SEATS_MAX, Sizes};

/// Seats of the smallest committee: two lanes of one.
const SEATS_MIN: u64 = 2;

/// What sizes follow from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// From how many nodes seats are drawn: all but the asker.
    pub candidates: u64,
    /// How many of them contribute.
    pub contributors: u64,
    /// How many of them collude.
    pub colluders: u64,
    /// Share of seats that go away in the middle, in thousandths.
    pub offline_permille: u32,
}

/// Tree, sizes and what can go wrong.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Plan {
    /// What it was chosen for.
    pub terms: Terms,
    /// Which committees there are.
    pub tree: Tree,
    /// Of each of them.
    pub sizes: Sizes,
    /// How many liars each agreement bears.
    pub liars: u64,
    /// Signatures under each committee's inclusion set (q).
    pub quorum: usize,
    /// Over all committees together.
    pub bounds: Bounds,
}

/// Why no plan is safe, with the number to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Fewer candidates than the smallest committee has seats.
    #[error(
        "a committee needs {SEATS_MIN} nodes besides the asker, and there are {candidates}: more nodes are needed"
    )]
    Candidates {
        /// So many are there.
        candidates: u64,
    },
    /// Colluders would learn more than the total with a chance above 2^-40, whatever the sizes.
    #[error(
        "{} of up to {SEATS_MAX} seats cannot keep a secret from {colluders} colluders: at most {most} may collude, or \
         more nodes are needed", seat_holders(*.committees)
    )]
    Privacy {
        /// Assumed.
        colluders: u64,
        /// For which there would be a plan, if need be with nobody going away.
        most: u64,
        /// Committees that are needed.
        committees: u64,
    },
    /// With sizes that keep secrets from colluders, nine of ten answers would be wrong even if nobody went away.
    #[error(
        "{} that can keep a secret from {colluders} colluders would give more than nine wrong answers of ten: at most \
         {most} may collude, or more nodes are needed", seat_holders(*.committees)
    )]
    Wrong {
        /// Assumed.
        colluders: u64,
        /// For which there would be a plan, if need be with nobody going away.
        most: u64,
        /// Committees that are needed.
        committees: u64,
    },
    /// With sizes that keep secrets from colluders, nine of ten answers would be lost or wrong, because seats go away.
    #[error(
        "{} would lose more than nine answers of ten when {} % of the seats go away: at most {} % may, or fewer nodes \
         collude", seat_holders(*.committees), percent(*.offline_permille), percent(*.most_permille)
    )]
    Offline {
        /// Expected.
        offline_permille: u32,
        /// For which there would be a plan.
        most_permille: u32,
        /// Committees that are needed.
        committees: u64,
    },
}

fn seat_holders(committees: u64) -> String {
    match committees {
        1 => "one committee".into(),
        _ => format!("a tree of {committees} committees"),
    }
}

fn percent(permille: u32) -> f64 {
    f64::from(permille) / 10.0
}

impl Plan {
    /// Chooses: the tree from the number of people, and for its committees the sizes of [`Sizes::choose`], with the
    /// bounds over all committees.
    ///
    /// What is chosen keeps the chance that colluders learn anything but the total within
    /// [`PRIVACY_MAX`](super::PRIVACY_MAX); and those of a wrong and of a lost answer within
    /// [`FAILURE_WANTED`](super::FAILURE_WANTED) each where sizes can, or else their sum as low as they can.
    ///
    /// # Errors
    ///
    /// When no sizes keep secrets, or those that do would lose or falsify more than nine answers of ten.
    pub fn choose(terms: Terms) -> Result<Self, Refusal> {
        let tree = Tree::of(terms.contributors, terms.candidates);
        let draw = terms.draw(tree);
        let Some((sizes, bounds)) = terms.best(tree) else {
            return Err(terms.refusal(tree));
        };
        let liars = draw.liars(sizes);
        Ok(Self {
            terms,
            tree,
            sizes,
            liars,
            quorum: draw.quorum(sizes),
            bounds,
        })
    }
}

impl Terms {
    fn draw(&self, tree: Tree) -> Draw {
        Draw::of_tree(self.candidates, self.colluders, self.offline_permille, tree)
    }

    fn best(&self, tree: Tree) -> Option<(Sizes, Bounds)> {
        choice::best(&self.draw(tree), HOPELESS)
    }

    /// Both searches halve: more colluders or more who go away make nothing safer.
    fn refusal(self, tree: Tree) -> Refusal {
        let (candidates, committees) = (self.candidates, tree.committees());
        if candidates < SEATS_MIN {
            return Refusal::Candidates { candidates };
        }
        let away = |offline_permille| Self {
            offline_permille,
            ..self
        };
        if away(0).best(tree).is_some() {
            let feasible = |permille| away(permille as u32).best(tree).is_some();
            return Refusal::Offline {
                offline_permille: self.offline_permille,
                most_permille: greatest(self.offline_permille.min(1000).into(), feasible) as u32,
                committees,
            };
        }
        let colluders = self.colluders.min(candidates);
        let with = |colluders| Self { colluders, ..self };
        let base = if with(0).best(tree).is_some() {
            self
        } else {
            away(0)
        };
        let most = greatest(colluders, |colluders| {
            Self { colluders, ..base }.best(tree).is_some()
        });
        if choice::best(&self.draw(tree), f64::INFINITY).is_some() {
            Refusal::Wrong {
                colluders,
                most,
                committees,
            }
        } else {
            Refusal::Privacy {
                colluders,
                most,
                committees,
            }
        }
    }
}

/// The greatest number below `bad` that is feasible, if 0 is and `bad` is not.
fn greatest(bad: u64, feasible: impl Fn(u64) -> bool) -> u64 {
    let (mut good, mut bad) = (0, bad);
    while bad - good > 1 {
        let middle = good + (bad - good) / 2;
        if feasible(middle) {
            good = middle;
        } else {
            bad = middle;
        }
    }
    good
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{FAILURE_WANTED, PRIVACY_MAX};
    use super::*;

    fn terms(candidates: u64, colluders: u64, offline_permille: u32) -> Terms {
        Terms {
            candidates,
            contributors: candidates,
            colluders,
            offline_permille,
        }
    }

    #[test]
    fn one_committee_has_the_sizes_and_bounds_of_sizes() {
        for (candidates, colluders, offline) in [
            (12, 3, 50),
            (40, 3, 50),
            (200, 3, 50),
            (1_000, 10, 50),
            (1_500, 100, 10),
        ] {
            let plan = Plan::choose(terms(candidates, colluders, offline)).unwrap();
            assert_eq!(plan.tree, Tree::SINGLE);
            assert_eq!(
                Sizes::choose(candidates, colluders, offline),
                Some(plan.sizes)
            );
            let sizes = plan.sizes;
            assert_eq!(plan.bounds, sizes.bounds(candidates, colluders, offline));
            assert_eq!(plan.liars, sizes.liars(candidates, colluders));
            assert_eq!(sizes.quorum(plan.liars), Some(plan.quorum));
        }
    }

    #[test]
    fn trees_get_the_sizes_that_are_written_down() {
        for (people, colluders, offline, lanes, replicas, signers) in [
            (10_000, 100, 10, 18, 10, 6),
            (10_000, 100, 50, 21, 13, 6),
            (10_000, 10, 50, 8, 10, 4),
            (100_000, 1_000, 50, 23, 13, 6),
            (100_000, 1_000, 300, 23, 13, 4),
            (1_000_000, 10_000, 50, 23, 12, 6),
            (1_000_000, 1_000, 50, 10, 12, 5),
            (10_000_000, 100_000, 10, 25, 12, 8),
        ] {
            let plan = Plan::choose(terms(people - 1, colluders, offline)).unwrap();
            let expected = Sizes {
                lanes,
                replicas,
                signers,
            };
            assert_eq!(plan.sizes, expected, "{people} {colluders} {offline}");
            assert!(plan.bounds.privacy <= PRIVACY_MAX);
            let seats = plan.sizes.seats();
            assert!(2 * plan.quorum > seats + plan.liars as usize && plan.quorum <= seats);
        }
        let easy = Plan::choose(terms(10_000, 10, 50)).unwrap().bounds;
        assert!(
            easy.wrong <= FAILURE_WANTED && easy.loss <= FAILURE_WANTED,
            "{easy:?}"
        );
    }

    /// Each refusal names the number with which there would be a plan, and one more is refused.
    #[test]
    fn refusals_name_the_number_to_change() {
        assert_eq!(
            Plan::choose(terms(1, 0, 0)),
            Err(Refusal::Candidates { candidates: 1 })
        );
        for (candidates, colluders, offline) in [
            (4, 2, 50),
            (13, 13, 50),
            (40, 13, 50),
            (40, u64::MAX, 50),
            (200, 66, 10),
            (2_000, 666, 50),
            (10_000, 1_000, 50),
            (100_000, 1_000, 500),
            (1_000, 333, 1000),
        ] {
            let wanted = terms(candidates, colluders, offline);
            let (next, beyond) = match Plan::choose(wanted).unwrap_err() {
                Refusal::Candidates { .. } => unreachable!("there are enough"),
                Refusal::Privacy { most, .. } | Refusal::Wrong { most, .. } => {
                    let base = terms(candidates, 0, if offline == 1000 { 0 } else { offline });
                    let with = |colluders| Terms { colluders, ..base };
                    (with(most), with(most + 1))
                }
                Refusal::Offline { most_permille, .. } => {
                    let with = |offline_permille| Terms {
                        offline_permille,
                        ..wanted
                    };
                    (with(most_permille), with(most_permille + 1))
                }
            };
            assert!(Plan::choose(next).is_ok(), "{wanted:?} {next:?}");
            assert!(Plan::choose(beyond).is_err(), "{wanted:?} {beyond:?}");
        }
    }

    #[test]
    fn refusals_are_one_line_of_words() {
        for (candidates, colluders, offline, words) in [
            (1, 0, 50, "needs 2 nodes besides the asker, and there are 1"),
            (
                40,
                40,
                50,
                "one committee of up to 300 seats cannot keep a secret from 40 colluders: at most",
            ),
            (
                4,
                2,
                50,
                "more than nine wrong answers of ten: at most 1 may",
            ),
            (
                100_000,
                1_000,
                500,
                "when 50 % of the seats go away: at most 42.6 % may",
            ),
        ] {
            let why = Plan::choose(terms(candidates, colluders, offline))
                .unwrap_err()
                .to_string();
            assert!(
                why.contains(words) && !why.contains('\n') && !why.contains("  "),
                "{why}"
            );
        }
    }

    fn failure(plan: Result<Plan, Refusal>) -> f64 {
        plan.map_or(1.0, |plan| {
            let Bounds { wrong, loss, .. } = plan.bounds;
            // All that is wanted is as good as any other.
            if wrong <= FAILURE_WANTED && loss <= FAILURE_WANTED {
                0.0
            } else {
                plan.bounds.failure()
            }
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(6))]

        #[test]
        fn more_colluders_or_more_away_make_nothing_better(
            people in prop_oneof![6..60u64, 60..1_500u64, 1_500..100_000u64, 1u64..10_000_000],
            share in 0.0..0.1f64,
            offline in 0..300u32,
        ) {
            let colluders = (people as f64 * share * share) as u64;
            let this = failure(Plan::choose(terms(people, colluders, offline)));
            let crowded = failure(Plan::choose(terms(people, colluders + 1 + colluders / 10, offline)));
            let absent = failure(Plan::choose(terms(people, colluders, offline + 10)));
            prop_assert!(this <= crowded * (1.0 + 1e-12), "{this} {crowded}");
            prop_assert!(this <= absent * (1.0 + 1e-12), "{this} {absent}");
        }

        #[test]
        fn any_terms_have_a_plan_or_a_reason(
            candidates: u64,
            contributors: u64,
            colluders: u64,
            // Each refusal halves its way to a number.
            shift in 32..64u32,
            more in 0..16u32,
            offline: u32,
        ) {
            let candidates = candidates >> shift;
            let colluders = (colluders >> shift).checked_shr(more).unwrap_or(0);
            let chosen = Plan::choose(Terms {
                candidates,
                contributors,
                colluders,
                offline_permille: offline % 1200,
            });
            if let Ok(plan) = chosen {
                prop_assert!(plan.bounds.privacy <= PRIVACY_MAX);
                prop_assert!(plan.bounds.failure() <= HOPELESS);
                let seats = plan.sizes.seats() as u64 * plan.tree.committees();
                prop_assert!(plan.sizes.is_possible() && seats <= candidates);
            }
        }
    }
}
