//! All that is chosen for one computation, or why there is nothing to choose.

use thiserror::Error;

use super::draw::Draw;
use super::tree::Tree;
use super::{Bounds, SEATS_MAX, Sizes};

/// Seats of the smallest committee: two lanes of three.
const SEATS_MIN: u64 = 6;

/// Where the chances of a wrong and a lost answer add up to more, the best sizes are none. Guess: nobody waits for one
/// answer in ten, but a community of a dozen, in which half of the answers could be wrong, may want to try.
const HOPELESS: f64 = 0.9;

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
        /// For which there would be a plan.
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
        /// For which there would be a plan.
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
            quorum: sizes.quorum(liars).unwrap_or(sizes.seats()),
            bounds,
        })
    }
}

impl Terms {
    fn draw(&self, tree: Tree) -> Draw {
        Draw::of_tree(self.candidates, self.colluders, self.offline_permille, tree)
    }

    fn best(&self, tree: Tree) -> Option<(Sizes, Bounds)> {
        let best = self.draw(tree).best();
        best.filter(|(_, bounds)| bounds.failure() <= HOPELESS)
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
        if self.draw(tree).best().is_some() {
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
