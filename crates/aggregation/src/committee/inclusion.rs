//! From what replicas hold to the one set of people whose shares are added up.

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Instant, NodeId, encode};
use crypto::Signature;
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::agreement::value_digest;
use crate::committee::fault::Misbehaviour;
use crate::committee::lanes::{self, LaneKey};
use crate::committee::statement::{Signed, statement};
use crate::committee::terms::Terms;

/// Most contributors that one committee takes; a tree of committees takes more.
pub const CONTRIBUTORS_MAX: usize = 4096;
/// Most entries of a support: a contributor that shows replicas different headers has several.
const ENTRIES_MAX: usize = 2 * CONTRIBUTORS_MAX;

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

/// What one replica signs when it closes: from whom it holds the committed share.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Holdings {
    /// The computation.
    #[n(0)]
    pub round: Digest,
    /// People whom this replica knows and who could have contributed.
    #[n(1)]
    pub asked: u64,
    /// By ascending contributor, each once.
    #[n(2)]
    pub entries: Vec<Entry>,
}

statement!(Holdings, "holdings", holdings => holdings.round);

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

/// Why a set is the right one: for replicas only, because it names contributors.
///
/// The same entries stand in almost all statements, so they are written once and each statement is a row of bits.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Support {
    /// The computation.
    #[n(0)]
    pub round: Digest,
    /// Hides the set from whoever sees its root alone.
    #[cbor(n(1), with = "minicbor::bytes")]
    salt: [u8; 32],
    /// When the set was proposed.
    #[n(2)]
    at: Instant,
    /// All entries of all statements, ascending.
    #[n(3)]
    entries: Vec<Entry>,
    /// By ascending seat; of every lane at least t.
    #[n(4)]
    rows: Vec<Row>,
    /// The lanes' keys, each signed by a seat of its lane: of two that a lane may have, the agreement fixes one.
    #[n(5)]
    lanes: Vec<Signed<LaneKey>>,
}

/// One replica's [`Holdings`] in brief.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Row {
    #[n(0)]
    seat: u16,
    #[n(1)]
    asked: u64,
    /// One bit for each entry, lowest first.
    #[n(2)]
    holds: ByteVec,
    #[n(3)]
    signature: Signature,
}

impl Row {
    fn of(signed: &Signed<Holdings>, entries: &[Entry]) -> Self {
        let mut holds = vec![0; entries.len().div_ceil(8)];
        for entry in &signed.body.entries {
            if let Ok(place) = entries.binary_search(entry) {
                holds[place / 8] |= 1 << (place % 8);
            }
        }
        let (seat, signature) = signed.vote();
        Self {
            seat,
            asked: signed.body.asked,
            holds: holds.into(),
            signature,
        }
    }

    fn expand(&self, round: Digest, entries: &[Entry]) -> Result<Signed<Holdings>, Misbehaviour> {
        let has = |place: usize| self.holds[place / 8] >> (place % 8) & 1 == 1;
        let bits = self.holds.len() * 8;
        if self.holds.len() != entries.len().div_ceil(8) || (entries.len()..bits).any(has) {
            return Err(Misbehaviour::Shape);
        }
        let held = entries.iter().enumerate().filter(|(place, _)| has(*place));
        let holdings = Holdings {
            round,
            asked: self.asked,
            entries: held.map(|(_, entry)| *entry).collect(),
        };
        Ok(Signed::from_vote(holdings, (self.seat, self.signature)))
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

/// Why no set follows from a support.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Underivable {
    /// It is false.
    False(Misbehaviour),
    /// The sets of these children have not arrived yet.
    Unknown(Vec<NodeId>),
}

impl From<Misbehaviour> for Underivable {
    fn from(what: Misbehaviour) -> Self {
        Self::False(what)
    }
}

/// Checks one replica's statement: one signature check.
///
/// # Errors
///
/// The check that failed.
pub fn check_holdings(terms: &Terms, holdings: &Signed<Holdings>) -> Result<(), Misbehaviour> {
    let entries = &holdings.body.entries;
    if !entries.is_sorted_by(|a, b| a.contributor < b.contributor) {
        return Err(Misbehaviour::Order);
    }
    holdings.check(terms)
}

/// Whether of every lane at least t are among `seats`.
pub fn covers_lanes(terms: &Terms, seats: impl Iterator<Item = usize> + Clone) -> bool {
    (0..terms.lanes()).all(|lane| {
        let of_lane = seats.clone().filter(|seat| terms.lane(lane).contains(seat));
        of_lane.count() >= usize::from(terms.sizes.signers)
    })
}

impl Support {
    /// From statements that were checked when they came in, by seat. With it the set that follows. `None` when those that
    /// fit into one support are too few, or the set of a child is not known here.
    pub fn new(
        terms: &Terms,
        lanes: &[Signed<LaneKey>],
        salt: [u8; 32],
        at: Instant,
        said: &BTreeMap<u16, Signed<Holdings>>,
        below: &Sets,
    ) -> Option<(Self, Inclusion)> {
        let said = fitting(terms, said);
        if !covers_lanes(terms, said.iter().map(|s| s.index())) {
            return None;
        }
        let entries: BTreeSet<_> = said.iter().flat_map(|s| &s.body.entries).collect();
        let entries: Vec<_> = entries.into_iter().copied().collect();
        let support = Self {
            round: terms.round(),
            salt,
            at,
            rows: said.iter().map(|s| Row::of(s, &entries)).collect(),
            entries,
            lanes: lanes.to_vec(),
        };
        let said: Vec<_> = said.into_iter().cloned().collect();
        let inclusion = support.conclude(terms, &said, below).ok()?;
        Some((support, inclusion))
    }

    /// Checks all statements and works the set out that follows from them: a contributor is in when t of every lane hold its
    /// share under one header.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn derive(&self, terms: &Terms, below: &Sets) -> Result<Inclusion, Underivable> {
        let seats = self.rows.iter().map(|row| usize::from(row.seat));
        if self.round != terms.round() {
            return Err(Misbehaviour::OtherRound.into());
        }
        if self.rows.len() > terms.seats.len() || self.entries.len() > ENTRIES_MAX {
            return Err(Misbehaviour::Shape.into());
        }
        if !seats.clone().is_sorted_by(|a, b| a < b) || !self.entries.is_sorted_by(|a, b| a < b) {
            return Err(Misbehaviour::Order.into());
        }
        if !covers_lanes(terms, seats) {
            return Err(Misbehaviour::TooFew.into());
        }
        terms.check_lanes(&self.lanes)?;
        let mut said = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let holdings = row.expand(self.round, &self.entries)?;
            check_holdings(terms, &holdings)?;
            said.push(holdings);
        }
        self.conclude(terms, &said, below)
            .map_err(Underivable::Unknown)
    }

    /// The set that follows; or the children whose sets are not known.
    fn conclude(
        &self,
        terms: &Terms,
        said: &[Signed<Holdings>],
        below: &Sets,
    ) -> Result<Inclusion, Vec<NodeId>> {
        let mut held: BTreeMap<Entry, Vec<usize>> = BTreeMap::new();
        for holdings in said {
            for entry in &holdings.body.entries {
                held.entry(*entry).or_default().push(holdings.index());
            }
        }
        let accepted = held
            .into_iter()
            .filter(|(_, seats)| covers_lanes(terms, seats.iter().copied()))
            .map(|(entry, _)| entry);
        let (declined, entries): (Vec<_>, Vec<_>) = accepted.partition(|entry| entry.declines);
        let mut body = SetBody {
            round: self.round,
            root: self.root(&entries),
            included: entries.len() as u64,
            declined: declined.len() as u64,
            asked: 0,
            at: self.at,
            refused: 0,
            lanes: lanes::digest(&self.lanes),
            lost: 0,
        };
        if terms.place.is_leaf() {
            let mut asked: Vec<_> = said.iter().map(|holdings| holdings.body.asked).collect();
            asked.sort_unstable();
            let asked = asked.get(asked.len() / 2).copied().unwrap_or(0);
            body.asked = asked.max(body.included.saturating_add(body.declined));
        } else {
            body.add_below(&entries, terms, below)?;
        }
        Ok(Inclusion { body, entries })
    }

    fn root(&self, entries: &[Entry]) -> Digest {
        Digest::of("inclusion set", &[&self.salt, &encode(&entries)])
    }

    /// Whether of every lane so many statements are used that honest ones alone cannot be outweighed: of 2t - 1 either t hold a
    /// share or t do not, and t of a lane do not all lie. With t alone, one who leads could leave out whomever it says not to
    /// hold. Of a smaller lane: all.
    pub fn covers_amply(&self, terms: &Terms) -> bool {
        let (replicas, signers) = (terms.sizes.replicas, terms.sizes.signers);
        let wanted = usize::from((2 * signers - 1).min(replicas));
        (0..terms.lanes()).all(|lane| {
            let seats = terms.lane(lane);
            let rows = self.rows.iter().map(|row| usize::from(row.seat));
            rows.filter(|seat| seats.contains(seat)).count() >= wanted
        })
    }

    /// The keys of the lanes.
    pub fn lanes(&self) -> &[Signed<LaneKey>] {
        &self.lanes
    }

    /// What remains of a set of this support when only these of its entries are `valid`.
    pub fn without_refused(&self, candidates: &SetBody, valid: &[Entry]) -> SetBody {
        SetBody {
            root: self.root(valid),
            included: valid.len() as u64,
            refused: candidates.included - valid.len() as u64,
            ..candidates.clone()
        }
    }
}

/// Of these statements, by seat, those that together name no more than [`ENTRIES_MAX`] entries. Liars may each name
/// thousands whom hardly anybody else holds: who names most of these is left out first.
fn fitting<'a>(
    terms: &Terms,
    said: &'a BTreeMap<u16, Signed<Holdings>>,
) -> Vec<&'a Signed<Holdings>> {
    let mut times: BTreeMap<Entry, usize> = BTreeMap::new();
    for entry in said.values().flat_map(|s| &s.body.entries) {
        *times.entry(*entry).or_default() += 1;
    }
    let mut fitting: Vec<_> = said.values().collect();
    if times.len() <= ENTRIES_MAX {
        return fitting;
    }
    let is_doubtful = |entry: &&Entry| times[entry] < terms.more_than_liars();
    fitting.sort_by_cached_key(|s| s.body.entries.iter().filter(is_doubtful).count());
    let mut entries: BTreeSet<Entry> = BTreeSet::new();
    fitting.retain(|s| {
        let is_new = |entry: &&Entry| !entries.contains(entry);
        let fits = entries.len() + s.body.entries.iter().filter(is_new).count() <= ENTRIES_MAX;
        if fits {
            entries.extend(&s.body.entries);
        }
        fits
    });
    fitting.sort_by_key(|s| s.seat);
    fitting
}

#[cfg(test)]
impl Support {
    /// Lets every statement say that its replica holds nothing.
    pub fn forget_all_for_tests(&mut self) {
        for row in &mut self.rows {
            row.holds.iter_mut().for_each(|bits| *bits = 0);
        }
    }

    /// The same reasons at another time.
    pub fn date_for_tests(&mut self, at: Instant) {
        self.at = at;
    }

    /// The same reasons for a set of another name.
    pub fn salt_for_tests(&mut self, salt: u8) {
        self.salt = [salt; 32];
    }
}

impl Inclusion {
    /// Names of those included.
    pub fn members(&self) -> BTreeSet<NodeId> {
        self.entries.iter().map(|entry| entry.contributor).collect()
    }
}

#[cfg(test)]
mod tests;
