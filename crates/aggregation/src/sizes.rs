//! How many committees, lanes and replicas a computation needs, and what can then go wrong with which chance (design:
//! aggregation, "m and r come from exact computation").
//!
//! Seats are drawn uniformly and without replacement from N candidates, of whom C collude. More lanes keep values
//! secret from more colluders. A lane's word counts when t of its seats signed it: more signers keep it right although
//! some lie, and the replicas beyond them keep it alive although some go away.
//!
//! A majority of the lane is not needed: the quorum of all seats makes the set unique, and over one set the committed
//! shares have one sum, so that all honest seats of a lane say the same. A false word thus has no other signers than
//! colluders, and t is right as soon as there are hardly ever t of them in a lane.
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
//! | `choice` | which sizes are best |
//! | `draw` | the chances over all committees together |
//! | `links` | what colluders learn in a tree: a child's sums are held twice |
//! | `law`, `placements` | how many seats are bad, and where they can sit |
//! | `costs` | bytes and processor time of each role |

mod choice;
mod costs;
mod draw;
mod law;
mod links;
mod placements;
mod plan;
mod tree;

use minicbor::{Decode, Encode};

pub use costs::{Cost, Costs, Load, OPEN_NS, SEAL_NS, SIGN_NS, VERIFY_TOGETHER_NS, costs};
use draw::Draw;
use law::{bad_seats, likely};
pub use plan::{Plan, Refusal, Terms};
pub use tree::{CONTRIBUTORS_PER_LEAF, FAN_IN_MAX, Tree};

use crate::agreement;

/// Most seats of one committee: as many as are found around a point of which a node cache of 512 knows all candidates
/// ([`Tree`]). With 1 % colluding and 30 % going away, 297 give a thousand people all that is wanted; ten thousand and
/// more would need over a thousand seats, whose agreement costs the proposer half a gigabyte ([`costs`]; 34 MB with 300).
pub const SEATS_MAX: usize = 300;
/// Most lanes: enough. A third of 200 people can be borne with 67; with up to 150, no more colluders have a plan in
/// communities of 40 to a million (measured with [`Plan`]), and each costs a contributor a sealed share.
pub const LANES_MAX: usize = 84;
/// Accepted chance that colluders together hold a share of every lane (design: aggregation).
pub const PRIVACY_MAX: f64 = 1.0 / (1u64 << 40) as f64;
/// Where the signers of some lane all lie more often than this, who contradicts them is not outvoted. Guess: rarely enough
/// that a contradiction rather comes from a liar who wants no answer.
const OUTVOTED_WRONGLY_MAX: f64 = 1e-3;
/// Wanted chance of a wrong or a lost answer, each, in a community that can afford it (design: aggregation).
pub const FAILURE_WANTED: f64 = 1e-6;
/// Wanted share of the people who are missed because a committee is lost: small beside those who are away anyway.
pub const MISSED_WANTED: f64 = 1e-3;

/// Where the chances of a wrong and a lost answer add up to more, the best sizes are none. Guess: nobody waits for one
/// answer in ten, but a community of a dozen, in which half of the answers could be wrong, may want to try.
const HOPELESS: f64 = 0.9;

/// The shape of a committee: `lanes` (m) times `replicas` (r) seats, in list order, lane by lane.
///
/// May come from a peer, so it can hold anything: ask [`is_possible`](Self::is_possible). No method panics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Encode, Decode)]
#[cbor(map)]
pub struct Sizes {
    /// Shares that each contribution is split into (m); all of them are needed to learn a value.
    #[n(0)]
    pub lanes: u16,
    /// Seats that hold the same share (r).
    #[n(1)]
    pub replicas: u16,
    /// Seats of a lane that must say the same for it to be the lane's word (t).
    #[n(2)]
    pub signers: u16,
}

/// What can go wrong in committees that were drawn honestly. Each is a chance, 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// Every lane holds a colluder: together they could learn every value.
    pub privacy: f64,
    /// Some lane has as many colluders as its word needs signers: they could make the answer wrong.
    pub wrong: f64,
    /// So many seats of the root go away by accident that some lane has too few signers left, or all together no quorum:
    /// there is no answer. What the root needs besides, somebody below it, is lost far more rarely.
    pub loss: f64,
    /// The same happens to a person's own committee, or to one above it and below the root: a parent counts children
    /// who are lost as away. So this is the share of the people whom an answer misses because of helpers; 0 where there
    /// is one committee.
    pub missed: f64,
}

impl Bounds {
    /// Those of sizes that no committee has: nothing is promised.
    const NONE: Self = Self {
        privacy: 1.0,
        wrong: 1.0,
        loss: 1.0,
        missed: 1.0,
    };

    /// Whether as many of a lane as make its word count lie so rarely that they may outvote the others. Else a contradiction
    /// means no answer.
    pub fn outvotes(&self) -> bool {
        self.wrong <= OUTVOTED_WRONGLY_MAX
    }

    /// At most the chance that there is no right answer, and the share that it misses beyond what is wanted; more than 1
    /// if several are likely.
    fn failure(&self) -> f64 {
        self.wrong + self.loss + (self.missed - MISSED_WANTED).max(0.0)
    }
}

impl Sizes {
    /// The sizes for a community, or `None` when no committee of its members keeps a secret, or
    /// those that do would lose or falsify more than nine answers of ten.
    ///
    /// Privacy within [`PRIVACY_MAX`] is required. Of those, the fewest seats, then the fewest lanes, then the most signers,
    /// that keep wrong and lost answers within [`FAILURE_WANTED`] each; if none does, the least sum of both chances, where
    /// one helper may go away (unless no lane can be wrong): else any liar could prevent any answer by keeping silent.
    pub fn choose(candidates: u64, colluders: u64, offline_permille: u32) -> Option<Self> {
        let draw = Draw::new(candidates, colluders, offline_permille);
        choice::best(&draw, HOPELESS).map(|(sizes, _)| sizes)
    }

    /// Whether a committee may have these sizes: from 2 to [`LANES_MAX`] lanes, at most [`SEATS_MAX`] seats, and in
    /// each lane from one to all of its replicas as signers.
    pub fn is_possible(self) -> bool {
        (2..=LANES_MAX).contains(&self.lanes.into())
            && (1..=self.replicas).contains(&self.signers)
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
        Draw::new(candidates, colluders, offline_permille).bounds(self)
    }
}

#[cfg(test)]
mod tests;
