//! What a replica says when it closes, and how one that must know the whole list gets it.
//!
//! Almost all replicas hold the same, so that all but the digest of a list would be repetition. Each tells it to all others;
//! a leader asks for the lists that are not its own, and hears what they have more or less.

use std::collections::BTreeMap;

use base::{Digest, encode};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};

use crate::committee::inclusion::{CONTRIBUTORS_MAX, Entry};
use crate::committee::statement::statement;

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
    /// Names its list of entries: [`list_digest`].
    #[n(2)]
    pub list: Digest,
}

statement!(Holdings, "holdings", holdings => holdings.round);

/// Names exactly these entries.
pub fn list_digest(entries: &[Entry]) -> Digest {
    Digest::of("holdings list", &[&encode(entries)])
}

/// Whether this may be a replica's list: not too long, and by ascending contributor, each once.
pub fn is_list(entries: &[Entry]) -> bool {
    entries.len() <= CONTRIBUTORS_MAX && entries.is_sorted_by(|a, b| a.contributor < b.contributor)
}

/// Names an entry to somebody who may know it. Nobody can prepare two entries of one tag who does not know the salt.
pub fn tag(salt: &[u8; 32], entry: &Entry) -> u64 {
    let digest = Digest::of("entry", &[salt, &encode(entry)]);
    let first = digest.0.first_chunk().expect("a digest has 32 bytes");
    u64::from_be_bytes(*first)
}

/// To who signed a list: the sender lacks it, and holds these itself.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ListWanted {
    /// The computation.
    #[n(0)]
    pub round: Digest,
    /// Which list.
    #[n(1)]
    pub list: Digest,
    #[cbor(n(2), with = "minicbor::bytes")]
    salt: [u8; 32],
    /// By [`tag`], in the order of the sender's list.
    #[n(3)]
    tags: Vec<u64>,
}

impl ListWanted {
    /// Asks for `list` on the part of one who holds `own`.
    pub fn new(round: Digest, list: Digest, salt: [u8; 32], own: &[Entry]) -> Self {
        let tags = own.iter().map(|entry| tag(&salt, entry)).collect();
        Self {
            round,
            list,
            salt,
            tags,
        }
    }

    /// Whether it is no longer than an honest one.
    pub fn has_shape(&self) -> bool {
        self.tags.len() <= CONTRIBUTORS_MAX
    }

    /// What the asker must know to have the list, which is `entries`.
    pub fn answer(&self, entries: &[Entry]) -> List {
        let places: BTreeMap<_, _> = self.tags.iter().zip(0..).collect();
        let (mut known, mut more) = (vec![0; self.tags.len().div_ceil(8)], Vec::new());
        for entry in entries {
            match places.get(&tag(&self.salt, entry)) {
                Some(place) => set_bit(&mut known, *place),
                None => more.push(*entry),
            }
        }
        List {
            round: self.round,
            list: self.list,
            known: known.into(),
            more,
        }
    }
}

/// A list, for one who asked for it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct List {
    /// The computation.
    #[n(0)]
    pub round: Digest,
    /// Which list.
    #[n(1)]
    pub list: Digest,
    /// One bit for each entry of the asker, lowest first: whether it is in this list.
    #[n(2)]
    known: ByteVec,
    /// The others.
    #[n(3)]
    more: Vec<Entry>,
}

impl List {
    /// The entries, for one who asked with `own`. `None` when it is not the list of this name.
    pub fn read(self, own: &[Entry]) -> Option<Vec<Entry>> {
        if self.known.len() != own.len().div_ceil(8) || self.more.len() > CONTRIBUTORS_MAX {
            return None;
        }
        let known = own.iter().enumerate();
        let known = known.filter(|(place, _)| has_bit(&self.known, *place));
        let mut entries = self.more;
        entries.extend(known.map(|(_, entry)| entry));
        entries.sort_unstable();
        (is_list(&entries) && list_digest(&entries) == self.list).then_some(entries)
    }
}

/// Sets one bit, lowest first.
pub fn set_bit(bits: &mut [u8], place: usize) {
    bits[place / 8] |= 1 << (place % 8);
}

/// Whether one bit is set, lowest first; not where there is none.
pub fn has_bit(bits: &[u8], place: usize) -> bool {
    bits.get(place / 8)
        .is_some_and(|byte| byte >> (place % 8) & 1 == 1)
}

#[cfg(test)]
mod tests {
    use base::NodeId;
    use proptest::prelude::*;

    use super::*;

    fn entry(number: u8) -> Entry {
        Entry {
            contributor: NodeId([number; 32]),
            header: Digest([5; 32]),
            declines: number.is_multiple_of(3),
        }
    }

    fn wanted(list: &[Entry], own: &[Entry]) -> ListWanted {
        ListWanted::new(Digest([1; 32]), list_digest(list), [2; 32], own)
    }

    proptest! {
        #[test]
        fn whoever_asks_gets_the_list(theirs: [bool; 40], ours: [bool; 40]) {
            let pick = |of: [bool; 40]| -> Vec<_> {
                (0..40).filter(|n| of[usize::from(*n)]).map(entry).collect()
            };
            let (theirs, ours) = (pick(theirs), pick(ours));
            let answer = wanted(&theirs, &ours).answer(&theirs);
            prop_assert_eq!(answer.more.len(), theirs.iter().filter(|e| !ours.contains(e)).count());
            prop_assert_eq!(answer.read(&ours), Some(theirs));
        }
    }

    #[test]
    fn what_both_hold_is_not_repeated() {
        let list: Vec<_> = (0..200).map(entry).collect();
        let answer = wanted(&list, &list[1..]).answer(&list);
        assert!(encode(&answer).len() < 250);
        assert_eq!(answer.more, list[..1]);
    }

    #[test]
    fn another_list_than_was_asked_for_is_none() {
        let list: Vec<_> = (0..20).map(entry).collect();
        let wanted = wanted(&list, &list);
        assert_eq!(wanted.answer(&list[1..]).read(&list), None);
        let mut other = wanted.answer(&list);
        other.known.push(0);
        assert_eq!(other.read(&list), None);
        let mut twice = list.clone();
        twice[3].contributor = twice[4].contributor;
        let asked = self::wanted(&twice, &list);
        assert_eq!(asked.answer(&twice).read(&list), None);
        let long = vec![entry(1); CONTRIBUTORS_MAX + 1];
        assert!(!self::wanted(&list, &long).has_shape());
    }
}
