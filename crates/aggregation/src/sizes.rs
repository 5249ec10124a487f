//! How many committees, lanes and replicas a computation needs, and what can then go wrong with which chance (design:
//! aggregation, "m and r come from exact computation").
//!
//! Seats are drawn uniformly and without replacement from N candidates, of whom C collude. More lanes keep values
//! secret from more colluders; more replicas keep a lane right although some lie, and alive although some go away.
//!
//! All nodes must compute the same sizes, so everything here is `+ - * /` on IEEE 754 numbers, which are defined to the
//! bit, and none is found as the small difference of two: a chance of 1e-200 has as many correct digits as one of a
//! half. Two facts make it cheap. Given how many seats are bad, their places are equally likely, so a chance is a sum
//! over that number of its probability (`law`) times the share of placements that do harm. And placements are counted
//! lane by lane (`placements`), whatever N and C are.
//!
//! | file | idea |
//! |---|---|
//! | `tree` | how many committees for so many people, and which adds up whose sums |
//! | `plan` | all that is chosen for one computation, or why there is nothing to choose |
//! | `draw` | the three chances over all committees together |
//! | `links` | what colluders learn in a tree: a child's sums are held twice |
//! | `law`, `placements` | how many seats are bad, and where they can sit |
//! | `costs` | bytes and processor time of each role |

mod costs;
mod draw;
mod law;
mod links;
mod placements;
mod plan;
mod tree;

use minicbor::{Decode, Encode};

pub use costs::{Cost, Costs, Load, costs};
use draw::Draw;
use law::{bad_seats, likely};
use placements::Placements;
pub use plan::{Plan, Refusal, Terms};
pub use tree::{CONTRIBUTORS_PER_LEAF, FAN_IN_MAX, Tree};

use crate::agreement;

/// Most seats of one committee: every contributor checks and every replica talks to all of them. Guess.
pub const SEATS_MAX: usize = 255;
/// Most replicas of a lane. More gain little: 17 lose their majority with a chance of 3.3e-8 when 5 % go away, 31 with
/// 6.9e-9 when 10 % do.
const REPLICAS_MAX: u16 = 31;
/// Accepted chance that colluders together hold a share of every lane (design: aggregation).
pub const PRIVACY_MAX: f64 = 1.0 / (1u64 << 40) as f64;
/// Wanted chance of a wrong or a lost answer, each, in a community that can afford it (design: aggregation).
pub const FAILURE_WANTED: f64 = 1e-6;

/// The shape of a committee: `lanes` (m) times `replicas` (r) seats, in list order, lane by lane.
///
/// May come from a peer, so it can hold anything: ask [`is_possible`](Self::is_possible). No method panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(map)]
pub struct Sizes {
    /// Shares that each contribution is split into; all of them are needed to learn a value.
    #[n(0)]
    pub lanes: u16,
    /// Seats that hold the same share.
    #[n(1)]
    pub replicas: u16,
}

/// What can go wrong in a committee that was drawn honestly. Each is a chance, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Every lane holds a colluder: together they could learn every value.
    pub privacy: f64,
    /// Some lane has a majority of colluders: they could make the answer wrong.
    pub wrong: f64,
    /// So many seats go away by accident that some lane loses its majority, or all together the quorum.
    pub loss: f64,
}

impl Bounds {
    /// Those of sizes that no committee has: nothing is promised.
    const NONE: Self = Self {
        privacy: 1.0,
        wrong: 1.0,
        loss: 1.0,
    };

    /// At most the chance that there is no right answer; more than 1 if both are likely.
    fn failure(&self) -> f64 {
        self.wrong + self.loss
    }

    fn are_as_wanted(&self) -> bool {
        self.wrong <= FAILURE_WANTED && self.loss <= FAILURE_WANTED
    }
}

impl Sizes {
    /// The sizes for a community, or `None` when no committee of its members keeps a secret.
    ///
    /// Privacy within [`PRIVACY_MAX`] is required. Of those, the fewest seats, then the fewest lanes, that keep wrong
    /// and lost answers within [`FAILURE_WANTED`] each; if none does, the least sum of both chances.
    pub fn choose(candidates: u64, colluders: u64, offline_permille: u32) -> Option<Self> {
        let draw = Draw::new(candidates, colluders, offline_permille);
        draw.best().map(|(sizes, _)| sizes)
    }

    /// Whether a committee may have these sizes: at least two lanes, an odd number of replicas from 3 to 31, and at most
    /// [`SEATS_MAX`] seats.
    pub fn is_possible(self) -> bool {
        self.lanes >= 2
            && (3..=REPLICAS_MAX).contains(&self.replicas)
            && self.replicas % 2 == 1
            && self.seats() <= SEATS_MAX
    }

    /// How many seats the committee has (n = m r).
    pub fn seats(self) -> usize {
        usize::from(self.lanes) * usize::from(self.replicas)
    }

    /// The lane of the seat at this place of the list, both counted from 0.
    pub fn lane_of(self, seat: usize) -> usize {
        seat.checked_div(usize::from(self.replicas)).unwrap_or(0)
    }

    /// How many replicas are a majority of one lane.
    pub fn majority(self) -> usize {
        usize::from(self.replicas) / 2 + 1
    }

    /// How many of all seats must sign, so that any two quorums share more than `liars` seats. With as many liars as
    /// seats, or more, all must sign: two sets are then signed only if nobody is honest, in which case there is no
    /// privacy to protect. `None` when there are no seats.
    pub fn quorum(self, liars: u64) -> Option<usize> {
        let others = self.seats().checked_sub(1)?;
        let liars = usize::try_from(liars).map_or(others, |liars| liars.min(others));
        agreement::quorum(self.seats(), liars)
    }

    /// How many liars among the seats an agreement must bear: more of the `colluders` are drawn with a chance of at
    /// most [`PRIVACY_MAX`], for two sets could reveal a value. Never more than `colluders`; in a large community,
    /// where there are more colluders than seats, far fewer than either.
    pub fn liars(self, candidates: u64, colluders: u64) -> u64 {
        if !self.is_possible() || self.seats() as u64 > candidates {
            return colluders;
        }
        likely(&bad_seats(self.seats(), candidates, colluders), PRIVACY_MAX) as u64
    }

    /// What can go wrong when the seats are drawn from `candidates` of whom `colluders` collude, and each seat goes away
    /// with a chance of `offline_permille` thousandths. The quorum is that of [`liars`](Self::liars). All are 1 when
    /// there is no such committee.
    pub fn bounds(self, candidates: u64, colluders: u64, offline_permille: u32) -> Bounds {
        if !self.is_possible() || self.seats() as u64 > candidates {
            return Bounds::NONE;
        }
        let mut placements = Placements::of_one_lane(self.replicas);
        for _ in 1..self.lanes {
            placements.add_lane();
        }
        Draw::new(candidates, colluders, offline_permille).bounds(self, &placements)
    }
}

#[cfg(test)]
mod tests;
