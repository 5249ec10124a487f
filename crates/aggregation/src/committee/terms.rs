//! What all parties to one computation know beforehand.

use std::ops::Range;

use base::{Digest, Duration, Instant, NodeId, Rng};

use crate::committee::place::Place;
use crate::sizes::Sizes;
use crate::validity::{self, Validity};

/// Longest time from the end of the collection to the answer: twelve views of the agreement. That all their leaders are away
/// has a chance of 5·10^-7 when 30 % are.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(45);
/// To how many replicas a contribution is handed until one has it. With 30 % of them away all are with a chance of 1 %.
const DOORS_MAX: usize = 4;
/// Least and most time that a contributor gives a replica to see its contribution safe. Guess: several round trips, and what a
/// few busy machines need, for which askers who know them leave more time.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(1500), Duration::from_secs(4));
/// Of the time that is left, one part in so many: enough for all doors.
const PATIENCE_PART: u32 = 5;
/// As much again where proofs are checked: there are two agreements then.
const PROVE_WITHIN: Duration = ANSWER_WITHIN;

/// One computation: follows from the plan and the actor list, so that every party computes the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// Digest of the whole plan.
    pub question: Digest,
    /// Digest of the actor list.
    pub list: Digest,
    /// Who has a seat; lane by lane in list order.
    pub seats: Vec<NodeId>,
    /// Lanes and replicas; their product is the number of seats.
    pub sizes: Sizes,
    /// How many of the seats the agreement must bear to lie: [`Sizes::liars`].
    pub liars: u64,
    /// Whether a word that enough seats of a lane signed counts although others of the lane signed another one. Where as many
    /// may lie as it takes, it must not: then a contradiction means no answer.
    pub outvotes: bool,
    /// Numbers that one person contributes: the match count of each cell, then the others of each cell.
    pub vector_len: usize,
    /// Groups of which each is counted by itself; 1 without groups.
    pub cells: usize,
    /// What contributions are proved to be; without a proof, anybody who takes part can contribute any numbers.
    pub proof: Option<validity::Shape>,
    /// Match count below which nothing is opened, nor any cell.
    pub threshold: u64,
    /// Who asks. Holds no seat and contributes nothing.
    pub querier: NodeId,
    /// When replicas stop taking contributions.
    pub closes_at: Instant,
    /// Where this committee is in a tree of committees.
    pub place: Place,
}

impl Terms {
    /// Names this computation in everything that is signed for it.
    pub fn round(&self) -> Digest {
        Digest::of(
            "committee",
            &[self.question.as_bytes(), self.list.as_bytes()],
        )
    }

    /// Names the agreement on whose shares are added up. Where proofs are checked it is the second one.
    pub fn final_instance(&self) -> Digest {
        match self.proof {
            None => self.round(),
            Some(_) => Digest::of("committee, proved", &[self.round().as_bytes()]),
        }
    }

    /// How contributions are proved and checked, if they are.
    pub fn validity(&self) -> Option<Validity> {
        let validity = Validity::new(self.proof.clone()?, self.lanes());
        Some(validity.expect("possible terms have a statistic that can be proved"))
    }

    /// When everybody gives up and forgets; in a tree, after the root's time.
    pub fn ends_at(&self) -> Instant {
        self.place
            .above
            .as_ref()
            .map_or(self.closes_at, |above| above.closes_at)
            + self.within()
    }

    /// Longest time from the end of the collection to the committee's sum.
    fn within(&self) -> Duration {
        match self.proof {
            None => ANSWER_WITHIN,
            Some(_) => ANSWER_WITHIN + PROVE_WITHIN,
        }
    }

    /// How long whoever hands a contribution over now waits before it tries somebody else. Where much time is left it is longer:
    /// what is only slow must not be sent again, which would make it slower.
    pub fn patience(&self, now: Instant) -> Duration {
        let (least, most) = PATIENCE;
        (self.closes_at.since(now) / PATIENCE_PART).clamp(least, most)
    }

    /// Whether seats and sizes fit and a quorum exists.
    pub fn are_possible(&self) -> bool {
        self.sizes.is_possible()
            && self.sizes.seats() == self.seats.len()
            && self.sizes.quorum(self.liars).is_some()
            && self.cells > 0
            && self.vector_len >= self.cells
            && self.vector_len.is_multiple_of(self.cells)
            && !self.seats.contains(&self.querier)
            && self.place.is_possible(self)
            && self.proof.as_ref().is_none_or(|proof| {
                proof.vector_len() == self.vector_len
                    && Validity::new(proof.clone(), self.lanes()).is_ok()
            })
    }

    /// Votes that fix the inclusion set.
    pub fn quorum(&self) -> usize {
        self.sizes.quorum(self.liars).unwrap_or(self.seats.len())
    }

    /// One more than the liars that an agreement bears: so many seats cannot all lie.
    pub fn more_than_liars(&self) -> usize {
        (2 * self.quorum()).saturating_sub(self.seats.len()).max(1)
    }

    /// Number of lanes (m).
    pub fn lanes(&self) -> usize {
        usize::from(self.sizes.lanes)
    }

    /// Seats of one lane.
    pub fn lane(&self, lane: usize) -> Range<usize> {
        let replicas = usize::from(self.sizes.replicas);
        lane * replicas..(lane + 1) * replicas
    }

    /// Who gathers the keys of the lanes and calls people to contribute: the querier, or where that would be too much for
    /// one node, the replicas of each leaf's first lane.
    pub fn callers(&self) -> &[NodeId] {
        match (self.place.is_leaf(), self.place.is_root()) {
            (true, true) => std::slice::from_ref(&self.querier),
            (true, false) => self.replicas(0),
            (false, _) => &[],
        }
    }

    /// The replicas to which `contributor` hands its contribution, in the order in which it tries them. Drawn by a lot of its
    /// own, so that each replica gets as many contributions as any other.
    pub fn doors(&self, contributor: NodeId) -> Vec<NodeId> {
        let lot = Digest::of("door", &[&self.round().0, contributor.as_bytes()]);
        let (mut rng, mut left) = (Rng::from_seed(lot.0), self.seats.clone());
        let doors = 0..DOORS_MAX.min(left.len());
        doors
            .map(|_| left.swap_remove(rng.below(left.len() as u64) as usize))
            .collect()
    }

    /// The seat of `node`.
    pub fn seat(&self, node: NodeId) -> Option<usize> {
        self.seats.iter().position(|seat| *seat == node)
    }

    /// The nodes of one lane.
    pub fn replicas(&self, lane: usize) -> &[NodeId] {
        &self.seats[self.lane(lane)]
    }
}
