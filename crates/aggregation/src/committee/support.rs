//! Why a set is the right one, said in so few words that the proposer can say it to everybody.
//!
//! All replicas have heard what each other signed ([`Holdings`]), and almost all hold the same. So the reasons name whose
//! statements they rest on, and where lists differ, how. Who lacks a statement or an entry asks for just that.

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Instant, NodeId, encode};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::committee::fault::Misbehaviour;
use crate::committee::holdings::{Holdings, has_bit, is_list, list_digest, set_bit, tag};
use crate::committee::inclusion::{
    CONTRIBUTORS_MAX, Entry, Frame, Holders, Inclusion, SetBody, Sets, covers_amply, covers_lanes,
};
use crate::committee::lanes::{self, LaneKey};
use crate::committee::statement::Signed;
use crate::committee::terms::Terms;

/// Most entries of a support: a contributor that shows replicas different headers has several.
const ENTRIES_MAX: usize = 2 * CONTRIBUTORS_MAX;

/// Why a set is the right one. It names contributors to none but those who hold their shares.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Support {
    /// The computation.
    #[n(0)]
    pub round: Digest,
    /// Digest of the set that follows.
    #[n(1)]
    pub set: Digest,
    /// Hides the set from whoever sees its root alone.
    #[cbor(n(2), with = "minicbor::bytes")]
    salt: [u8; 32],
    /// When the set was proposed.
    #[n(3)]
    at: Instant,
    /// Names the keys of the lanes: of two that a lane may have, the agreement fixes one.
    #[n(4)]
    lanes: Digest,
    /// How many entries all lists have together.
    #[n(5)]
    len: u32,
    /// These entries by their tags under the salt, in ascending order of the entries. Nothing where there is one list: who
    /// holds it knows it by its digest.
    #[n(6)]
    tags: Vec<u64>,
    /// The different lists, each once.
    #[n(7)]
    lists: Vec<Backers>,
}

/// Who signed one list.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Backers {
    #[n(0)]
    list: Digest,
    /// One bit for each seat, lowest first.
    #[n(1)]
    seats: ByteVec,
    #[n(2)]
    holds: Holds,
}

/// Which of the entries are in a list, whichever is shorter.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
enum Holds {
    /// All but these places, ascending.
    #[n(0)]
    Lacks(#[n(0)] Vec<u32>),
    /// One bit for each, lowest first.
    #[n(1)]
    Bits(#[n(0)] ByteVec),
}

impl Holds {
    /// Of `all`, those of `list`.
    fn of(list: &[Entry], all: &[Entry]) -> Self {
        let lacks: Vec<_> = (0..)
            .zip(all)
            .filter(|(_, entry)| list.binary_search(entry).is_err())
            .map(|(place, _)| place)
            .collect();
        // A place takes up to three bytes.
        if lacks.len() * 3 <= all.len().div_ceil(8) {
            return Self::Lacks(lacks);
        }
        let mut bits = vec![0; all.len().div_ceil(8)];
        for (place, entry) in all.iter().enumerate() {
            if list.binary_search(entry).is_ok() {
                set_bit(&mut bits, place);
            }
        }
        Self::Bits(bits.into())
    }

    fn expand(&self, len: usize) -> Result<Vec<bool>, Misbehaviour> {
        match self {
            Self::Lacks(places) => {
                let mut holds = vec![true; len];
                for place in places {
                    *holds.get_mut(*place as usize).ok_or(Misbehaviour::Shape)? = false;
                }
                Ok(holds)
            }
            Self::Bits(bits) if bits.len() == len.div_ceil(8) => {
                Ok((0..len).map(|place| has_bit(bits, place)).collect())
            }
            Self::Bits(_) => Err(Misbehaviour::Shape),
        }
    }
}

/// What a support rests on, in full.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reasons {
    /// By seat; each signed.
    pub said: BTreeMap<u16, Signed<Holdings>>,
    /// Those of all lists, ascending.
    pub entries: Vec<Entry>,
    /// The lanes' keys, each signed by a seat of its lane.
    pub lanes: Vec<Signed<LaneKey>>,
}

/// What a replica knows that reasons may rest on.
pub struct Known<'a> {
    /// By seat; each checked.
    pub heard: &'a BTreeMap<u16, Signed<Holdings>>,
    /// The own list, as it was signed.
    pub list: &'a [Entry],
    /// What is held by now.
    pub held: Vec<Entry>,
    /// The keys of the lanes, checked.
    pub lanes: Option<&'a [Signed<LaneKey>]>,
}

/// What a replica lacks of a support's reasons.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Lacking {
    /// Whose statements.
    #[n(0)]
    pub seats: BTreeSet<u16>,
    /// Which entries, by place.
    #[n(1)]
    pub entries: BTreeSet<u32>,
    /// Whether the keys of the lanes.
    #[n(2)]
    pub lanes: bool,
}

impl Lacking {
    /// Whether nothing is.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it is no more than a support can have.
    pub fn has_shape(&self, terms: &Terms) -> bool {
        self.seats.len() <= terms.seats.len() && self.entries.len() <= ENTRIES_MAX
    }
}

/// A part of a support's reasons, for one who lacks it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Supplement {
    /// The statements.
    #[n(0)]
    pub said: Vec<Signed<Holdings>>,
    /// Entries by place.
    #[n(1)]
    pub entries: BTreeMap<u32, Entry>,
    /// The keys of the lanes.
    #[n(2)]
    pub lanes: Vec<Signed<LaneKey>>,
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

impl Support {
    /// From statements that were checked when they came in, by seat, and the lists that they name. With it what it rests on
    /// and the set that follows. `None` when those whose lists are known and fit into one support are too few, or the set of
    /// a child is not known here.
    pub fn new(
        terms: &Terms,
        lanes: &[Signed<LaneKey>],
        (salt, at): ([u8; 32], Instant),
        heard: &BTreeMap<u16, Signed<Holdings>>,
        known: &BTreeMap<Digest, Vec<Entry>>,
        below: &Sets,
    ) -> Option<(Self, Reasons, Inclusion)> {
        let lists = fitting(terms, heard, known);
        if lists.is_empty() {
            return None;
        }
        let union: BTreeSet<_> = lists.keys().flat_map(|list| &known[list]).collect();
        let entries: Vec<_> = union.into_iter().copied().collect();
        let backers = lists.iter().map(|(list, seats)| Backers {
            list: *list,
            seats: seats_to_bits(seats, terms.seats.len()),
            holds: Holds::of(&known[list], &entries),
        });
        let mut support = Self {
            round: terms.round(),
            set: Digest([0; 32]),
            salt,
            at,
            lanes: lanes::digest(lanes),
            len: u32::try_from(entries.len()).ok()?,
            tags: Vec::new(),
            lists: backers.collect(),
        };
        if lists.len() > 1 {
            support.tags = entries.iter().map(|entry| tag(&salt, entry)).collect();
        }
        let seats = lists.into_values().flatten();
        let said = seats.filter_map(|seat| {
            let seat = u16::try_from(seat).ok()?;
            Some((seat, heard.get(&seat)?.clone()))
        });
        let reasons = Reasons {
            said: said.collect(),
            entries,
            lanes: lanes.to_vec(),
        };
        let inclusion = support.conclude(terms, &reasons, below).ok()?;
        support.set = inclusion.body.digest();
        Some((support, reasons, inclusion))
    }

    /// Names exactly these words.
    pub fn name(&self) -> Digest {
        Digest::of("support", &[&encode(self)])
    }

    /// Checks what can be checked of it alone.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn check(&self, terms: &Terms) -> Result<(), Misbehaviour> {
        let len = self.len as usize;
        if self.round != terms.round() {
            return Err(Misbehaviour::OtherRound);
        }
        let tagged = self.tags.len() == len || (self.tags.is_empty() && self.lists.len() == 1);
        let size = terms.seats.len().div_ceil(8);
        if len > ENTRIES_MAX || !tagged || self.lists.iter().any(|of| of.seats.len() != size) {
            return Err(Misbehaviour::Shape);
        }
        let mut lists = BTreeSet::new();
        let mut seats = BTreeSet::new();
        for of in &self.lists {
            of.holds.expand(len)?;
            if !lists.insert(of.list) || !bits_to_seats(&of.seats).all(|seat| seats.insert(seat)) {
                return Err(Misbehaviour::Order);
            }
        }
        if seats.last().is_some_and(|last| *last >= terms.seats.len()) {
            return Err(Misbehaviour::Seat);
        }
        if !covers_lanes(terms, seats.iter().copied()) {
            return Err(Misbehaviour::TooFew);
        }
        Ok(())
    }

    /// Whether it uses so many statements of every lane that honest ones cannot be outweighed.
    pub fn covers_amply(&self, terms: &Terms) -> bool {
        covers_amply(
            terms,
            self.lists.iter().flat_map(|of| bits_to_seats(&of.seats)),
        )
    }

    /// Puts the reasons of a checked support together.
    ///
    /// # Errors
    ///
    /// What is neither known nor in the `supplement`.
    pub fn gather(&self, known: &Known<'_>, supplement: &Supplement) -> Result<Reasons, Lacking> {
        let mut lacking = Lacking::default();
        let mut said = BTreeMap::new();
        for of in &self.lists {
            for seat in bits_to_seats(&of.seats) {
                let seat = u16::try_from(seat).unwrap_or(u16::MAX);
                let added = supplement.said.iter().filter(|signed| signed.seat == seat);
                let mut words = known.heard.get(&seat).into_iter().chain(added);
                match words.find(|signed| signed.body.list == of.list) {
                    Some(signed) => _ = said.insert(seat, signed.clone()),
                    None => _ = lacking.seats.insert(seat),
                }
            }
        }
        let entries = self.entries(known, supplement, &mut lacking);
        let lanes = known.lanes.filter(|own| lanes::digest(own) == self.lanes);
        let lanes = lanes.unwrap_or(&supplement.lanes).to_vec();
        lacking.lanes = lanes::digest(&lanes) != self.lanes;
        if lacking.is_nothing() {
            Ok(Reasons {
                said,
                entries,
                lanes,
            })
        } else {
            Err(lacking)
        }
    }

    fn entries(
        &self,
        known: &Known<'_>,
        supplement: &Supplement,
        lacking: &mut Lacking,
    ) -> Vec<Entry> {
        if self.tags.is_empty() {
            let mut own = [known.list, &known.held].into_iter();
            if let Some(list) = own.find(|own| self.lists[0].list == list_digest(own)) {
                return list.to_vec();
            }
        }
        let by_tag: BTreeMap<_, _> = match self.tags.is_empty() {
            true => BTreeMap::new(),
            false => known
                .held
                .iter()
                .map(|e| (tag(&self.salt, e), *e))
                .collect(),
        };
        let places = 0..self.len;
        let entries = places.filter_map(|place| {
            let tag = self.tags.get(place as usize);
            let entry = tag.and_then(|tag| by_tag.get(tag));
            let entry = entry.or_else(|| supplement.entries.get(&place)).copied();
            if entry.is_none() {
                lacking.entries.insert(place);
            }
            entry
        });
        entries.collect()
    }

    /// Works out the set that follows from the reasons, and whether it is the one that is named.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub fn derive(
        &self,
        terms: &Terms,
        reasons: &Reasons,
        below: &Sets,
    ) -> Result<Inclusion, Underivable> {
        if !reasons.entries.is_sorted_by(|a, b| a < b) {
            return Err(Misbehaviour::Order.into());
        }
        for of in &self.lists {
            let holds = of.holds.expand(reasons.entries.len())?;
            let held = reasons
                .entries
                .iter()
                .zip(holds)
                .filter(|(_, holds)| *holds);
            let list: Vec<_> = held.map(|(entry, _)| *entry).collect();
            if !is_list(&list) {
                return Err(Misbehaviour::Order.into());
            }
            if list_digest(&list) != of.list {
                return Err(Misbehaviour::Set.into());
            }
        }
        let concluded = self.conclude(terms, reasons, below);
        let inclusion = concluded.map_err(Underivable::Unknown)?;
        if inclusion.body.digest() != self.set {
            return Err(Misbehaviour::Set.into());
        }
        Ok(inclusion)
    }

    /// The set that follows; or the children whose sets are not known.
    fn conclude(
        &self,
        terms: &Terms,
        reasons: &Reasons,
        below: &Sets,
    ) -> Result<Inclusion, Vec<NodeId>> {
        let len = reasons.entries.len();
        let holders = self.lists.iter().map(|of| Holders {
            seats: bits_to_seats(&of.seats).collect(),
            holds: of.holds.expand(len).unwrap_or_else(|_| vec![false; len]),
        });
        let holders: Vec<_> = holders.collect();
        let asked = reasons.said.values().map(|s| s.body.asked).collect();
        let frame = self.frame();
        frame.conclude(terms, &reasons.entries, &holders, asked, below)
    }

    fn frame(&self) -> Frame {
        Frame {
            round: self.round,
            salt: self.salt,
            at: self.at,
            lanes: self.lanes,
        }
    }

    /// What remains of a set of this support when only these of its entries are `valid`.
    pub fn without_refused(&self, candidates: &SetBody, valid: &[Entry]) -> SetBody {
        self.frame().without_refused(candidates, valid)
    }

    /// Of what was answered, what is lacking and fits; the lists of a support without tags only as a whole.
    ///
    /// # Errors
    ///
    /// The check that failed; nothing is taken then.
    pub fn pick(
        &self,
        terms: &Terms,
        answer: Supplement,
        lacking: &Lacking,
    ) -> Result<Supplement, Misbehaviour> {
        let mut picked = Supplement::default();
        for signed in answer.said {
            if lacking.seats.contains(&signed.seat) && self.names(&signed) {
                signed.check(terms)?;
                picked.said.push(signed);
            }
        }
        let wanted = |place: &u32| lacking.entries.contains(place);
        picked.entries = answer.entries;
        picked.entries.retain(|place, _| wanted(place));
        if self.tags.is_empty() {
            let entries: Vec<_> = picked.entries.values().copied().collect();
            if !entries.is_empty() && self.lists[0].list != list_digest(&entries) {
                return Err(Misbehaviour::Set);
            }
        } else {
            let fits =
                |(place, e): (&u32, &Entry)| self.tags[*place as usize] == tag(&self.salt, e);
            if !picked.entries.iter().all(fits) {
                return Err(Misbehaviour::Set);
            }
        }
        if lacking.lanes && lanes::digest(&answer.lanes) == self.lanes {
            terms.check_lanes(&answer.lanes)?;
            picked.lanes = answer.lanes;
        }
        Ok(picked)
    }

    /// Whether it rests on this statement.
    fn names(&self, signed: &Signed<Holdings>) -> bool {
        let of = self.lists.iter().find(|of| of.list == signed.body.list);
        of.is_some_and(|of| has_bit(&of.seats, signed.index()))
    }
}

impl Reasons {
    /// The parts that somebody lacks.
    pub fn supplement(&self, lacking: &Lacking) -> Supplement {
        let said = lacking.seats.iter().filter_map(|seat| self.said.get(seat));
        let entry = |place: &u32| Some((*place, *self.entries.get(*place as usize)?));
        Supplement {
            said: said.cloned().collect(),
            entries: lacking.entries.iter().filter_map(entry).collect(),
            lanes: if lacking.lanes {
                self.lanes.clone()
            } else {
                Vec::new()
            },
        }
    }
}

/// The lists that together name no more than [`ENTRIES_MAX`] entries, with the seats that signed them; nothing when these are
/// too few. Liars may each name thousands whom hardly anybody else holds: lists with most of these are left out first.
fn fitting(
    terms: &Terms,
    heard: &BTreeMap<u16, Signed<Holdings>>,
    known: &BTreeMap<Digest, Vec<Entry>>,
) -> BTreeMap<Digest, Vec<usize>> {
    let mut lists: BTreeMap<Digest, Vec<usize>> = BTreeMap::new();
    for signed in heard.values().filter(|s| known.contains_key(&s.body.list)) {
        lists
            .entry(signed.body.list)
            .or_default()
            .push(signed.index());
    }
    let mut times: BTreeMap<Entry, usize> = BTreeMap::new();
    for (list, seats) in &lists {
        for entry in &known[list] {
            *times.entry(*entry).or_default() += seats.len();
        }
    }
    if times.len() > ENTRIES_MAX {
        let is_doubtful = |entry: &&Entry| times[entry] < terms.more_than_liars();
        let mut order: Vec<_> = lists.keys().copied().collect();
        order.sort_by_cached_key(|list| known[list].iter().filter(is_doubtful).count());
        let mut entries: BTreeSet<Entry> = BTreeSet::new();
        for list in order {
            let more = known[&list].iter().filter(|entry| !entries.contains(entry));
            if entries.len() + more.count() <= ENTRIES_MAX {
                entries.extend(&known[&list]);
            } else {
                lists.remove(&list);
            }
        }
    }
    if covers_lanes(terms, lists.values().flatten().copied()) {
        lists
    } else {
        BTreeMap::new()
    }
}

fn seats_to_bits(seats: &[usize], of: usize) -> ByteVec {
    let mut bits = vec![0; of.div_ceil(8)];
    seats.iter().for_each(|seat| set_bit(&mut bits, *seat));
    bits.into()
}

fn bits_to_seats(bits: &[u8]) -> impl Iterator<Item = usize> + '_ {
    (0..bits.len() * 8).filter(|place| has_bit(bits, *place))
}

#[cfg(test)]
impl Support {
    /// Lets every list be empty.
    pub fn forget_all_for_tests(&mut self) {
        for of in &mut self.lists {
            of.holds = Holds::Bits(vec![0; (self.len as usize).div_ceil(8)].into());
        }
    }

    /// The same reasons for a set of another time and name.
    pub fn date_for_tests(&mut self, body: &SetBody, at: Instant) -> SetBody {
        self.at = at;
        let body = SetBody { at, ..body.clone() };
        self.set = body.digest();
        body
    }
}

#[cfg(test)]
mod tests;
