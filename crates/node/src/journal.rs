//! What must be on the disk before it may be said, and what a restarted node must know again.
//!
//! The host stores entries in order and confirms each by its number; after a restart it hands all of them back.

use std::collections::{BTreeMap, BTreeSet};

use aggregation::committee::{LaneKey, Signed};
use base::{Digest, Instant, decode, encode};
use community::{DESCRIPTOR_BYTES_MAX, SignedDescriptor};
use minicbor::{Decode, Encode};

use crate::message::{Cancellation, Drawn};
use crate::plan::{ANNOUNCED_WITHIN, SignedPlan};
use crate::publishing::Publication;

/// Longest value that is read back: a descriptor with what its authority's keys say.
const VALUE_MAX: usize = DESCRIPTOR_BYTES_MAX + (64 << 10);

/// Why an entry is stored, and so what may happen once it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Entry {
    /// This node has contributed to the question with this digest, or declined.
    Contributed(Digest),
    /// This node has voted in this round; the number is the engine's.
    Voted(Digest, u64),
    /// A question whose owners have time to decide.
    Heard(Digest),
    /// The owner's word on it.
    Decided(Digest),
    /// A question of this node's own that has not ended.
    Asked(Digest),
    /// Helpers are drawn for it.
    Drawn(Digest),
    /// People are called to contribute to it.
    Called(Digest),
    /// A published answer to this question.
    Published(Digest),
    /// The community's descriptor with this digest.
    Epoch(Digest),
}

impl Entry {
    /// Of which kind and about what.
    fn key(self) -> Vec<u8> {
        let (kind, digest) = match self {
            Self::Contributed(question) => (b'c', question),
            Self::Voted(round, _) => (b'v', round),
            Self::Heard(question) => (b'h', question),
            Self::Decided(question) => (b'd', question),
            Self::Asked(question) => (b'a', question),
            Self::Drawn(question) => (b'n', question),
            Self::Called(question) => (b'l', question),
            Self::Published(question) => (b'p', question),
            Self::Epoch(descriptor) => (b'e', descriptor),
        };
        std::iter::once(kind).chain(digest.0).collect()
    }
}

/// A question heard of.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Heard {
    /// What the asker signed.
    #[n(0)]
    pub plan: SignedPlan,
    /// That it has called the question off.
    #[n(1)]
    pub cancelled: Option<Cancellation>,
}

/// To whom a call went out, and with which keys.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Call {
    /// The helpers.
    #[n(0)]
    pub drawn: Box<Drawn>,
    /// Their lanes' keys.
    #[n(1)]
    pub keys: Vec<Signed<LaneKey>>,
}

/// What was open when the last run ended.
#[derive(Debug, Default)]
pub struct Kept {
    /// Questions heard of.
    pub heard: Vec<Heard>,
    /// What the owner said about them.
    pub decided: BTreeMap<Digest, bool>,
    /// Own questions.
    pub asked: Vec<SignedPlan>,
    /// Those of them for which helpers were drawn.
    pub drawn: BTreeMap<Digest, Drawn>,
    /// Those of them for which people were called.
    pub called: BTreeMap<Digest, Call>,
    /// Published answers.
    pub published: BTreeMap<Digest, Publication>,
    /// Descriptors of the community.
    pub epochs: Vec<SignedDescriptor>,
}

/// What is stored and what is on its way.
#[derive(Debug, Default)]
pub struct Journal {
    /// By question, when.
    contributed: BTreeMap<Digest, Instant>,
    /// When this node was restored from a backup: what it promised just before it does not know.
    restored_at: Option<Instant>,
    voted: BTreeSet<Digest>,
    waiting: BTreeMap<u64, Entry>,
    last: u64,
}

impl Journal {
    /// What an earlier run of this node stored. `None` when an entry is not of a known kind.
    pub fn restore(entries: &[(Vec<u8>, Vec<u8>)]) -> Option<(Self, Kept)> {
        let (mut journal, mut kept) = (Self::default(), Kept::default());
        for (key, value) in entries {
            let (kind, digest) = key.split_first()?;
            let digest = Digest(digest.try_into().ok()?);
            match *kind {
                b'c' => {
                    let at = read(value)?;
                    journal.contributed.insert(digest, at);
                }
                b'v' => _ = journal.voted.insert(digest),
                b'h' => kept.heard.push(read(value)?),
                b'd' => _ = kept.decided.insert(digest, read(value)?),
                b'a' => kept.asked.push(read(value)?),
                b'n' => _ = kept.drawn.insert(digest, read(value)?),
                b'l' => _ = kept.called.insert(digest, read(value)?),
                b'p' => _ = kept.published.insert(digest, read(value)?),
                b'e' => kept.epochs.push(read(value)?),
                b'r' => journal.restored_at = Some(read(value)?),
                _ => return None,
            }
        }
        Some((journal, kept))
    }

    /// Whether this node has contributed to the question, or is about to.
    pub fn has_contributed(&self, question: Digest) -> bool {
        self.contributed.contains_key(&question)
    }

    /// When this node has contributed to questions since then.
    pub fn contributed_since(&self, since: Instant) -> impl Iterator<Item = Instant> {
        let times = self.contributed.values().copied();
        times.filter(move |at| *at >= since)
    }

    /// Whether this node may have contributed to a question asked then, or voted in it, and not know: it was restored from a
    /// backup since. Clocks may be apart, and nobody takes a question that is signed further ahead.
    pub fn has_forgotten(&self, asked_at: Instant) -> bool {
        self.restored_at
            .is_some_and(|restored| asked_at <= restored + ANNOUNCED_WITHIN)
    }

    /// Takes it that this node has contributed to this question, or declined.
    pub fn leave_alone(&mut self, question: Digest) {
        self.contributed.entry(question).or_insert(Instant(0));
    }

    /// Whether an earlier run of this node has voted in this computation. It must keep quiet then: what it knew is gone.
    pub fn has_voted(&self, round: Digest) -> bool {
        self.voted.contains(&round)
    }

    /// Remembers that `entry` is being stored; gives the number to confirm and the key to store it under. A contribution is
    /// dated; a refusal to contribute has the first of all moments.
    pub fn store(&mut self, at: Instant, entry: Entry) -> (u64, Vec<u8>) {
        self.last += 1;
        self.waiting.insert(self.last, entry);
        match entry {
            Entry::Contributed(question) => _ = self.contributed.insert(question, at),
            Entry::Voted(round, _) => _ = self.voted.insert(round),
            Entry::Heard(_)
            | Entry::Decided(_)
            | Entry::Asked(_)
            | Entry::Drawn(_)
            | Entry::Called(_)
            | Entry::Published(_)
            | Entry::Epoch(_) => {}
        }
        (self.last, entry.key())
    }

    /// What was waiting for this number.
    pub fn stored(&mut self, number: u64) -> Option<Entry> {
        self.waiting.remove(&number)
    }

    /// The keys of all that is kept of a question that has ended for those who heard of it. That this node has contributed is
    /// kept for ever.
    pub fn keys_of_heard(question: Digest) -> [Vec<u8>; 2] {
        [Entry::Heard(question), Entry::Decided(question)].map(Entry::key)
    }

    /// The key of a published answer.
    pub fn key_of_published(question: Digest) -> Vec<u8> {
        Entry::Published(question).key()
    }

    /// The key of a descriptor.
    pub fn key_of_epoch(descriptor: Digest) -> Vec<u8> {
        Entry::Epoch(descriptor).key()
    }

    /// As [`keys_of_heard`](Self::keys_of_heard), for the asker of a question.
    pub fn keys_of_asked(question: Digest) -> [Vec<u8>; 3] {
        let entries = [Entry::Asked, Entry::Drawn, Entry::Called];
        entries.map(|entry| entry(question).key())
    }
}

fn read<T: base::Wire>(value: &[u8]) -> Option<T> {
    decode(value, VALUE_MAX).ok()
}

/// What the journal of a node holds that knows this epoch of its community: key and value. For hosts that take an epoch while
/// the node does not run.
pub fn entry_of_epoch(signed: &SignedDescriptor) -> (Vec<u8>, Vec<u8>) {
    (Journal::key_of_epoch(signed.digest()), value(signed))
}

/// What makes a node leave alone what was asked before it was restored from a backup at `at`: key and value. The host adds it
/// to the journal of the backup, which does not know what the node has promised since it was made.
pub fn entry_of_restore(at: Instant) -> (Vec<u8>, Vec<u8>) {
    let key = std::iter::once(b'r').chain([0; 32]).collect();
    (key, value(&at))
}

/// As [`Journal::restore`] reads it.
pub fn value<T: base::Wire>(of: &T) -> Vec<u8> {
    encode(of)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_secs(5);

    #[test]
    fn remembers_across_restarts() {
        let (question, round) = (Digest([1; 32]), Digest([2; 32]));
        let mut journal = Journal::default();
        let (first, a) = journal.store(NOW, Entry::Contributed(question));
        let (second, b) = journal.store(NOW, Entry::Voted(round, 7));
        let (_, c) = journal.store(NOW, Entry::Decided(question));
        assert_ne!(first, second);
        assert_eq!(journal.stored(second), Some(Entry::Voted(round, 7)));
        assert_eq!(journal.stored(second), None);
        let entries = [(a, value(&NOW)), (b, vec![9]), (c, value(&true))];
        let (again, kept) = Journal::restore(&entries).unwrap();
        assert!(again.has_contributed(question) && again.has_voted(round));
        assert!(!again.has_contributed(round) && !again.has_voted(question));
        assert_eq!(kept.decided, BTreeMap::from([(question, true)]));
        for journal in [journal, again] {
            assert_eq!(journal.contributed_since(NOW).collect::<Vec<_>>(), [NOW]);
            assert_eq!(journal.contributed_since(Instant::from_secs(6)).count(), 0);
        }
    }

    #[test]
    fn after_a_restore_it_knows_what_it_cannot_know() {
        let (journal, _) = Journal::restore(&[]).unwrap();
        assert!(!journal.has_forgotten(Instant(0)));
        let (mut journal, _) = Journal::restore(&[entry_of_restore(NOW)]).unwrap();
        let tick = base::Duration::from_micros(1);
        for (asked_at, forgotten) in [
            (Instant(0), true),
            (NOW + ANNOUNCED_WITHIN, true),
            (NOW + ANNOUNCED_WITHIN + tick, false),
        ] {
            assert_eq!(journal.has_forgotten(asked_at), forgotten);
        }
        let (question, known) = (Digest([1; 32]), Digest([2; 32]));
        journal.store(NOW, Entry::Contributed(known));
        for question in [question, known] {
            journal.leave_alone(question);
            assert!(journal.has_contributed(question));
        }
        // It counts towards no budget, and what was known does.
        assert_eq!(
            journal.contributed_since(Instant(1)).collect::<Vec<_>>(),
            [NOW]
        );
    }

    #[test]
    fn refuses_damaged_entries() {
        for key in [&[][..], b"c", b"x", &[b'x'; 33], &[b'c'; 34]] {
            assert!(Journal::restore(&[(key.to_vec(), value(&NOW))]).is_none());
        }
        for kind in [b'c', b'h', b'd', b'a', b'l', b'p', b'e', b'n', b'r'] {
            let key = [&[kind][..], &[1; 32]].concat();
            assert!(Journal::restore(&[(key, vec![0xff])]).is_none(), "{kind}");
        }
    }
}
