//! All that is chosen for one computation, or why there is nothing to choose.

use thiserror::Error;

use super::draw::Draw;
use super::tree::Tree;
use super::{Bounds, SEATS_MAX, Sizes};

/// Seats of the smallest committee: two lanes of three.
const SEATS_MIN: u64 = 6;

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
    /// Colluders would hold every share of somebody with a chance above 2^-40, whatever the sizes.
    #[error(
        "no committee of up to {SEATS_MAX} seats keeps a secret from {colluders} colluders in a tree of {committees}: \
         at most {most} may collude, or more nodes are needed"
    )]
    Privacy {
        /// Assumed.
        colluders: u64,
        /// For which there would be a plan.
        most: u64,
        /// Committees that are needed.
        committees: u64,
    },
    /// Sizes that keep secrets from colluders let them make an answer wrong, or helpers who go away lose it, more probably
    /// than not; and this would be so if nobody went away.
    #[error(
        "{colluders} colluders would more probably than not have a majority somewhere in {committees} committees that \
         keep secrets from them: at most {most} may collude"
    )]
    Wrong {
        /// Assumed.
        colluders: u64,
        /// For which there would be a plan.
        most: u64,
        /// Committees that are needed.
        committees: u64,
    },
    /// The same, but if nobody went away there would be a plan.
    #[error(
        "so many helpers go away that no right answer can be promised of {committees} committees: at most {most_permille} \
         thousandths may, instead of {offline_permille}, or fewer people collude"
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
    /// When no sizes keep secrets, or the chances of a wrong and a lost answer add up to 1, so that nothing is promised.
    pub fn choose(terms: Terms) -> Result<Self, Refusal> {
        let tree = Tree::of(terms.contributors, terms.candidates);
        let draw = terms.draw(tree);
        let Some((sizes, bounds)) = draw.best().filter(|(_, bounds)| bounds.failure() < 1.0) else {
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

    fn are_feasible(&self, tree: Tree) -> bool {
        let best = self.draw(tree).best();
        best.is_some_and(|(_, bounds)| bounds.failure() < 1.0)
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
        if away(0).are_feasible(tree) {
            let feasible = |permille| away(permille as u32).are_feasible(tree);
            return Refusal::Offline {
                offline_permille: self.offline_permille,
                most_permille: greatest(self.offline_permille.min(1000).into(), feasible) as u32,
                committees,
            };
        }
        let colluders = self.colluders.min(candidates);
        let with = |colluders| Self { colluders, ..self };
        let base = if with(0).are_feasible(tree) {
            self
        } else {
            away(0)
        };
        let most = greatest(colluders, |colluders| {
            Self { colluders, ..base }.are_feasible(tree)
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
