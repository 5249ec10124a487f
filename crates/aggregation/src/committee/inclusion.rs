//! From what replicas hold to the one set of people whose shares are added up.

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Instant, NodeId, encode};
use minicbor::{Decode, Encode};

use crate::agreement::value_digest;
use crate::committee::terms::Terms;

/// Most contributors that one committee takes; a tree of committees takes more.
pub const CONTRIBUTORS_MAX: usize = 4096;

/// One contributor, as a replica knows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(map)]
pub struct Entry {
    /// Who.
    #[n(0)]
    pub contributor: NodeId,
    /// Digest of its header: the first one that the replica saw.
    #[n(1)]
    pub header: Digest,
    /// Whether the owner declines.
    #[n(2)]
    pub declines: bool,
}

/// What the quorum signs: fixes whose shares are added up without naming anybody.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SetBody {
    /// The computation.
    #[n(0)]
    pub round: Digest,
    /// Salted digest of the included entries: only who knows the salt, a replica, can try whether somebody is in.
    #[n(1)]
    pub root: Digest,
    /// People whose shares are added up.
    #[n(2)]
    pub included: u64,
    /// People who declined.
    #[n(3)]
    pub declined: u64,
    /// People who could have contributed, as the median replica knows them.
    #[n(4)]
    pub asked: u64,
    /// When the set was proposed.
    #[n(5)]
    pub at: Instant,
    /// People whose proofs do not hold.
    #[n(6)]
    pub refused: u64,
    /// Names the keys of the lanes, and with them the one key under which proofs are checked.
    #[n(7)]
    pub lanes: Digest,
    /// Leaf committees whose sums did not arrive; their people are in none of these numbers.
    #[n(8)]
    pub lost: u64,
}

impl SetBody {
    /// The value that the replicas agree on.
    pub fn bytes(&self) -> Vec<u8> {
        encode(self)
    }

    /// Its name in votes and in lane sums.
    pub fn digest(&self) -> Digest {
        value_digest(&self.bytes())
    }

    /// Takes the numbers of people from the children's sets. Fails with the children whose sets are not known.
    fn add_below(
        &mut self,
        entries: &[Entry],
        terms: &Terms,
        below: &Sets,
    ) -> Result<(), Vec<NodeId>> {
        let unknown = entries.iter().filter(|e| !below.contains_key(&e.header));
        let unknown: Vec<_> = unknown.map(|entry| entry.contributor).collect();
        if !unknown.is_empty() {
            return Err(unknown);
        }
        self.included = 0;
        let mut lost: u64 = terms.place.below.iter().map(|child| child.leaves).sum();
        for entry in entries {
            let set = &below[&entry.header];
            let leaves = terms.place.child(set.round).map_or(0, |child| child.leaves);
            lost = lost.saturating_sub(leaves).saturating_add(set.lost);
            self.included = self.included.saturating_add(set.included);
            self.declined = self.declined.saturating_add(set.declined);
            self.refused = self.refused.saturating_add(set.refused);
            self.asked = self.asked.saturating_add(set.asked);
        }
        self.lost = lost;
        Ok(())
    }

    /// People of whom nothing arrived in time.
    pub fn away(&self) -> u64 {
        self.asked
            .saturating_sub(self.included)
            .saturating_sub(self.declined)
            .saturating_sub(self.refused)
    }
}

/// The sets of the committees below, by digest; none at a leaf.
pub type Sets = BTreeMap<Digest, SetBody>;

/// A set with its names.
#[derive(Debug, Clone)]
pub struct Inclusion {
    /// What is signed.
    pub body: SetBody,
    /// Whose shares are added up, ascending.
    pub entries: Vec<Entry>,
}

/// Whether of every lane at least t are among `seats`.
pub fn covers_lanes(terms: &Terms, seats: impl Iterator<Item = usize>) -> bool {
    covers(terms, seats, terms.sizes.signers.into())
}

/// Whether of every lane so many are among `seats` that honest ones cannot be outweighed: of 2t - 1 either t hold a share
/// or t do not, and t of a lane do not all lie. With t alone, one who leads could leave out whomever it says not to hold.
/// Of a smaller lane: all.
pub fn covers_amply(terms: &Terms, seats: impl Iterator<Item = usize>) -> bool {
    let (replicas, signers) = (terms.sizes.replicas, terms.sizes.signers);
    covers(terms, seats, (2 * signers - 1).min(replicas).into())
}

fn covers(terms: &Terms, seats: impl Iterator<Item = usize>, wanted: usize) -> bool {
    let mut of_lane = vec![0; terms.lanes()];
    for seat in seats {
        if let Some(number) = of_lane.get_mut(terms.sizes.lane_of(seat)) {
            *number += 1;
        }
    }
    of_lane.into_iter().all(|number| number >= wanted)
}

/// What a set is made of besides entries: chosen by who proposes it.
#[derive(Debug, Clone, Copy)]
pub struct Frame {
    /// The computation.
    pub round: Digest,
    /// Hides the set from whoever sees its root alone.
    pub salt: [u8; 32],
    /// When the set was proposed.
    pub at: Instant,
    /// Names the keys of the lanes.
    pub lanes: Digest,
}

/// The seats that hold the same, and what.
#[derive(Debug, Clone)]
pub struct Holders {
    /// Ascending.
    pub seats: Vec<usize>,
    /// By entry, whether they hold it.
    pub holds: Vec<bool>,
}

impl Frame {
    /// The set that follows from who holds which of `entries`, which are ascending: a contributor is in when t of every lane
    /// hold its share under one header.
    ///
    /// # Errors
    ///
    /// The children whose sets are not known.
    pub fn conclude(
        &self,
        terms: &Terms,
        entries: &[Entry],
        holders: &[Holders],
        mut asked: Vec<u64>,
        below: &Sets,
    ) -> Result<Inclusion, Vec<NodeId>> {
        let by_lane: Vec<Vec<u16>> = holders.iter().map(|h| count_by_lane(terms, h)).collect();
        let is_held = |place: usize| {
            let groups = || holders.iter().zip(&by_lane).filter(|(h, _)| h.holds[place]);
            let held = |lane: usize| groups().map(|(_, counts)| counts[lane]).sum::<u16>();
            (0..terms.lanes()).all(|lane| held(lane) >= terms.sizes.signers)
        };
        let accepted = entries.iter().enumerate();
        let accepted = accepted.filter(|(place, _)| is_held(*place));
        let (declined, entries): (Vec<_>, Vec<_>) = accepted
            .map(|(_, entry)| *entry)
            .partition(|entry| entry.declines);
        let mut body = SetBody {
            round: self.round,
            root: self.root(&entries),
            included: entries.len() as u64,
            declined: declined.len() as u64,
            asked: 0,
            at: self.at,
            refused: 0,
            lanes: self.lanes,
            lost: 0,
        };
        if terms.place.is_leaf() {
            asked.sort_unstable();
            let asked = asked.get(asked.len() / 2).copied().unwrap_or(0);
            body.asked = asked.max(body.included.saturating_add(body.declined));
        } else {
            body.add_below(&entries, terms, below)?;
        }
        Ok(Inclusion { body, entries })
    }

    fn root(&self, entries: &[Entry]) -> Digest {
        Digest::of("inclusion set", &[&self.salt, &encode(entries)])
    }

    /// What remains of a set of this frame when only these of its entries are `valid`.
    pub fn without_refused(&self, candidates: &SetBody, valid: &[Entry]) -> SetBody {
        SetBody {
            root: self.root(valid),
            included: valid.len() as u64,
            refused: candidates.included - valid.len() as u64,
            ..candidates.clone()
        }
    }
}

fn count_by_lane(terms: &Terms, holders: &Holders) -> Vec<u16> {
    let mut counts = vec![0; terms.lanes()];
    for seat in &holders.seats {
        counts[terms.sizes.lane_of(*seat)] += 1;
    }
    counts
}

impl Inclusion {
    /// Names of those included.
    pub fn members(&self) -> BTreeSet<NodeId> {
        self.entries.iter().map(|entry| entry.contributor).collect()
    }
}
