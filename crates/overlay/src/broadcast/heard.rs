//! The broadcasts of late: what was heard is not processed again, and can be given to who missed it.

use std::collections::{BTreeMap, BTreeSet};

use base::{Digest, Duration, Instant, NodeId};
use community::ISSUED_AHEAD_MAX;

use super::{AGE_MAX, Announcement};

/// Most broadcasts of one initiator that are taken while they are passed on, about twelve minutes. Guess: people who ask do
/// not ask faster, and a node that does must not occupy all others.
pub const BROADCASTS_MAX: usize = 16;
/// Most broadcasts remembered. Of more, new ones are not taken until old ones are forgotten. Guess: 340 per minute.
pub const HEARD_MAX: usize = 4096;
/// Most bytes of payloads kept. Of more, the oldest ones go; their names stay. Guess.
const KEPT_BYTES_MAX: usize = 32 << 20;

/// One broadcast that this node has taken.
#[derive(Debug)]
pub struct Heard {
    initiator: NodeId,
    issued: Instant,
    /// When it came.
    since: Instant,
    /// Gone when others needed the room.
    kept: Option<Announcement>,
    /// Whether it came by an offer, because the tree left this node out.
    pub by_offer: bool,
    /// How many spans this node has seen to.
    pub spans: usize,
    /// Relays that did not answer.
    pub silent: BTreeSet<NodeId>,
    /// To whom it was given.
    pub given: BTreeSet<NodeId>,
}

impl Heard {
    /// The broadcast, if it may still be passed on.
    pub fn fresh(&self, now: Instant) -> Option<&Announcement> {
        let fresh = now <= self.issued + AGE_MAX;
        self.kept.as_ref().filter(|_| fresh)
    }

    /// When the tree should be done. An initiator's clock may be ahead.
    pub fn offered_at(&self) -> Instant {
        let begun = if self.by_offer {
            self.issued
        } else {
            self.since
        };
        begun.min(self.since) + OFFER_AFTER
    }

    /// Whether it may be passed on and the tree should be done.
    pub fn is_on_offer(&self, now: Instant) -> bool {
        self.offered_at() <= now && self.fresh(now).is_some()
    }
}

/// Time from a payload's coming until it is offered. Guess: the tree is done, with two silent relays one after the other.
pub const OFFER_AFTER: Duration = Duration::from_secs(5);

/// Why a broadcast is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Full {
    /// Its initiator has had [`BROADCASTS_MAX`].
    Initiator,
    /// [`HEARD_MAX`] are remembered.
    All,
}

/// All broadcasts that this node has taken and could be offered again.
#[derive(Debug, Default)]
pub struct Heards {
    by_id: BTreeMap<Digest, Heard>,
    kept_bytes: usize,
}

impl Heards {
    /// What is known of a broadcast.
    pub fn get(&self, id: &Digest) -> Option<&Heard> {
        self.by_id.get(id)
    }

    /// What is known of a broadcast.
    pub fn get_mut(&mut self, id: &Digest) -> Option<&mut Heard> {
        self.by_id.get_mut(id)
    }

    /// Whether it was taken.
    pub fn contains(&self, id: &Digest) -> bool {
        self.by_id.contains_key(id)
    }

    /// Whether there is room for one more of `initiator`.
    pub fn admits(&self, initiator: NodeId) -> Result<(), Full> {
        let of_initiator = |heard: &&Heard| heard.initiator == initiator;
        if self.by_id.values().filter(of_initiator).count() >= BROADCASTS_MAX {
            Err(Full::Initiator)
        } else if self.by_id.len() >= HEARD_MAX {
            Err(Full::All)
        } else {
            Ok(())
        }
    }

    /// Remembers a broadcast that was admitted.
    pub fn insert(&mut self, now: Instant, id: Digest, announcement: Announcement) {
        self.kept_bytes += announcement.payload().len();
        let heard = Heard {
            initiator: announcement.initiator(),
            issued: announcement.issued(),
            since: now,
            kept: Some(announcement),
            by_offer: false,
            spans: 0,
            silent: BTreeSet::new(),
            given: BTreeSet::new(),
        };
        self.by_id.insert(id, heard);
        while self.kept_bytes > KEPT_BYTES_MAX {
            let kept = self.by_id.values_mut().filter(|heard| heard.kept.is_some());
            let oldest = kept.min_by_key(|heard| heard.issued);
            let dropped = oldest.and_then(|heard| heard.kept.take());
            let dropped = dropped.expect("what is counted is kept");
            self.kept_bytes -= dropped.payload().len();
        }
    }

    /// Forgets what would be refused as stale.
    pub fn forget(&mut self, now: Instant) {
        let kept_bytes = &mut self.kept_bytes;
        self.by_id.retain(|_, heard| {
            let keeps = now <= heard.issued + AGE_MAX + ISSUED_AHEAD_MAX;
            if let (false, Some(kept)) = (keeps, &heard.kept) {
                *kept_bytes -= kept.payload().len();
            }
            keeps
        });
    }

    /// The names of all, latest first.
    pub fn ids(&self) -> Vec<Digest> {
        let mut ids: Vec<_> = self.by_id.iter().collect();
        ids.sort_by_key(|(_, heard)| std::cmp::Reverse(heard.issued));
        ids.into_iter().map(|(id, _)| *id).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::PAYLOAD_MAX;
    use crate::spreading::tests::world::{START, TICK, world};

    fn take(heard: &mut Heards, number: usize, payload: Vec<u8>) -> Digest {
        let issued = START + number as u32 * TICK;
        let announcement = Announcement::new(&world().people[4], issued, payload);
        let id = announcement.id();
        heard.insert(issued, id, announcement);
        id
    }

    #[test]
    fn of_too_many_bytes_the_oldest_payloads_go_but_not_their_names() {
        let mut heard = Heards::default();
        let room = KEPT_BYTES_MAX / PAYLOAD_MAX;
        let ids: Vec<_> = (0..room + 3)
            .map(|number| take(&mut heard, number, vec![0; PAYLOAD_MAX]))
            .collect();
        let kept = |id: &&Digest| heard.get(id).unwrap().fresh(START).is_some();
        let kept: Vec<_> = ids.iter().filter(kept).copied().collect();
        assert_eq!(kept, ids[3..]);
        assert_eq!(heard.kept_bytes, KEPT_BYTES_MAX);
        // Latest first.
        assert!(heard.ids().iter().rev().eq(&ids));
        heard.forget(START + AGE_MAX + ISSUED_AHEAD_MAX + 5 * TICK);
        assert_eq!(heard.ids().len(), room + 3 - 5);
        assert_eq!(heard.kept_bytes, KEPT_BYTES_MAX - 2 * PAYLOAD_MAX);
        heard.forget(Instant(u64::MAX));
        assert_eq!((heard.ids().len(), heard.kept_bytes), (0, 0));
    }

    #[test]
    fn of_too_many_broadcasts_new_ones_are_not_taken() {
        let mut heard = Heards::default();
        let (many, other) = (world().people[4].node(), world().people[5].node());
        for number in 0..HEARD_MAX {
            if number <= BROADCASTS_MAX || number % 64 == 0 {
                let admitted = heard.admits(many).is_ok();
                assert_eq!(admitted, number < BROADCASTS_MAX);
                assert_eq!(heard.admits(other), Ok(()));
            }
            take(&mut heard, number, vec![]);
        }
        assert_eq!(heard.admits(many), Err(Full::Initiator));
        assert_eq!(heard.admits(other), Err(Full::All));
    }
}
