//! What must be on the disk before it may be said.
//!
//! The host stores entries in order and confirms each by its number; after a restart it hands all of them back.

use std::collections::{BTreeMap, BTreeSet};

use base::Digest;

/// Key prefix: this node has contributed to the question, or declined.
const CONTRIBUTED: u8 = b'c';
/// Key prefix: this node has voted in the computation.
const VOTED: u8 = b'v';

/// Why an entry is stored, and so what may happen once it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// For the question with this digest.
    Contributed(Digest),
    /// For this round; the number is the engine's.
    Voted(Digest, u64),
}

/// What is stored and what is on its way.
#[derive(Debug, Default)]
pub struct Journal {
    contributed: BTreeSet<Digest>,
    voted: BTreeSet<Digest>,
    waiting: BTreeMap<u64, Entry>,
    last: u64,
}

impl Journal {
    /// What an earlier run of this node stored. `None` when an entry is not of a known kind.
    pub fn restore<'a>(keys: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        let mut journal = Self::default();
        for key in keys {
            let (kind, digest) = key.split_first()?;
            let digest = Digest(digest.try_into().ok()?);
            match *kind {
                CONTRIBUTED => journal.contributed.insert(digest),
                VOTED => journal.voted.insert(digest),
                _ => return None,
            };
        }
        Some(journal)
    }

    /// Whether this node has contributed to the question, or is about to.
    pub fn has_contributed(&self, question: Digest) -> bool {
        self.contributed.contains(&question)
    }

    /// Whether an earlier run of this node has voted in this computation. It must keep quiet then: what it knew is gone.
    pub fn has_voted(&self, round: Digest) -> bool {
        self.voted.contains(&round)
    }

    /// Remembers that `entry` is being stored; gives the number to confirm and the key to store it under.
    pub fn store(&mut self, entry: Entry) -> (u64, Vec<u8>) {
        self.last += 1;
        self.waiting.insert(self.last, entry);
        let (kind, digest) = match entry {
            Entry::Contributed(question) => {
                self.contributed.insert(question);
                (CONTRIBUTED, question)
            }
            Entry::Voted(round, _) => {
                self.voted.insert(round);
                (VOTED, round)
            }
        };
        let key = std::iter::once(kind).chain(digest.0).collect();
        (self.last, key)
    }

    /// What was waiting for this number.
    pub fn stored(&mut self, number: u64) -> Option<Entry> {
        self.waiting.remove(&number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remembers_across_restarts() {
        let (question, round) = (Digest([1; 32]), Digest([2; 32]));
        let mut journal = Journal::default();
        let (first, a) = journal.store(Entry::Contributed(question));
        let (second, b) = journal.store(Entry::Voted(round, 7));
        assert_ne!(first, second);
        assert_eq!(journal.stored(second), Some(Entry::Voted(round, 7)));
        assert_eq!(journal.stored(second), None);
        let again = Journal::restore([a.as_slice(), &b].into_iter()).unwrap();
        assert!(again.has_contributed(question) && again.has_voted(round));
        assert!(!again.has_contributed(round) && !again.has_voted(question));
    }

    #[test]
    fn refuses_damaged_keys() {
        for key in [&[][..], b"c", b"x", &[b'x'; 33], &[b'c'; 34]] {
            assert!(Journal::restore([key].into_iter()).is_none());
        }
    }
}
