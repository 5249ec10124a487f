//! Whom the node has met and where, kept in the vault: a node finds the others again although all who are named in its
//! configuration are gone.

use std::net::SocketAddr;

use base::{NodeId, Rng, decode, encode};
use minicbor::{Decode, Encode};
use node::CONTACTS_MAX;
use vault::{Vault, VaultError};

use crate::config::Peer;
use crate::daemon::ledger::Write;

/// The vault's entry.
const KEY: &[u8] = b"c";
/// Longest entry: 64 nodes with eight addresses each take some 12 KB.
const BYTES_MAX: usize = 64 << 10;
/// Least time between two batches, in seconds. Guess: a disk does not notice it, and who is killed forgets a minute.
const BATCH_SECS: u64 = 60;
/// Who was not seen for so long is forgotten, in seconds. Guess: addresses of homes rarely last longer.
const KEPT_SECS: u64 = 60 * 86_400;
/// After so many seconds whoever is there is seen again.
const REFRESH_SECS: u64 = 43_200;
/// Addresses of one node that are tried.
const TRIED_MAX: usize = 2;

/// Somebody who was there.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
struct Met {
    #[n(0)]
    node: NodeId,
    #[n(1)]
    addresses: Vec<SocketAddr>,
    /// When, in seconds since 1970.
    #[n(2)]
    seen: u64,
}

/// Those whom the node has met, the latest first, and of these who has been up for longest.
#[derive(Debug, Default)]
pub struct Contacts {
    met: Vec<Met>,
    /// Whether there may be news since the last batch was asked for.
    stale: bool,
    asked_at: u64,
}

impl Contacts {
    /// What the vault remembers. What cannot be read is as if nobody had been met.
    pub fn read(vault: &Vault, now: u64) -> Result<Self, VaultError> {
        let kept = vault.recall(KEY)?;
        let met = kept.and_then(|bytes| decode::<Vec<Met>>(&bytes, BYTES_MAX).ok());
        let mut met = met.unwrap_or_default();
        met.retain(|met| now.saturating_sub(met.seen) < KEPT_SECS);
        met.truncate(CONTACTS_MAX);
        Ok(Self {
            met,
            ..Self::default()
        })
    }

    /// Somebody came or went.
    pub fn changed(&mut self) {
        self.stale = true;
    }

    /// Whether the node should say whom it knows now: after changes, and not often; and twice a day at least, so that those
    /// who stay are not taken for those who were there long ago.
    pub fn is_batch_due(&mut self, now: u64) -> bool {
        let waited = now.saturating_sub(self.asked_at);
        let due = waited >= if self.stale { BATCH_SECS } else { REFRESH_SECS };
        if due {
            (self.stale, self.asked_at) = (false, now);
        }
        due
    }

    /// These are there now. What to write, if that is news: those who were met earlier stay, as far as there is room.
    pub fn meet(&mut self, now: u64, there: Vec<(NodeId, Vec<SocketAddr>)>) -> Option<Write> {
        if there.is_empty() {
            return None;
        }
        let met = there.into_iter().map(|(node, addresses)| Met {
            node,
            addresses,
            seen: now,
        });
        let mut met: Vec<_> = met.collect();
        for old in std::mem::take(&mut self.met) {
            let recent = now.saturating_sub(old.seen) < KEPT_SECS;
            if recent && met.iter().all(|met| met.node != old.node) {
                met.push(old);
            }
        }
        met.truncate(CONTACTS_MAX);
        self.met = met;
        Some((KEY.to_vec(), Some(encode(&self.met))))
    }

    /// To join through.
    pub fn peers(&self) -> impl Iterator<Item = Peer> {
        self.met.iter().flat_map(|met| {
            let tried = met.addresses.iter().take(TRIED_MAX);
            tried.map(|&address| Peer {
                node: met.node,
                address,
            })
        })
    }

    /// Some of those who were there when the node last told of them, chosen by `rng`: at most `most`.
    pub fn some(&self, most: usize, rng: &mut Rng) -> Vec<(NodeId, Vec<SocketAddr>)> {
        let latest = self.met.first().map_or(0, |met| met.seen);
        let there = self.met.iter().filter(|met| met.seen == latest);
        let mut there: Vec<_> = there.collect();
        let chosen = most.min(there.len());
        for place in 0..chosen {
            let other = place + rng.below((there.len() - place) as u64) as usize;
            there.swap(place, other);
        }
        let chosen = there.into_iter().take(chosen);
        chosen
            .map(|met| (met.node, met.addresses.clone()))
            .collect()
    }

    /// How many were there within so many seconds.
    pub fn met_within(&self, secs: u64, now: u64) -> u64 {
        let recent = |met: &&Met| now.saturating_sub(met.seen) < secs;
        self.met.iter().filter(recent).count() as u64
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.met.len()
    }
}

#[cfg(test)]
mod tests {
    use vault::VaultKey;

    use super::*;

    const DAY: u64 = 86_400;

    fn at(port: u16) -> SocketAddr {
        ([192, 0, 2, 1], port).into()
    }

    fn node(number: u8) -> NodeId {
        NodeId([number; 32])
    }

    #[test]
    fn who_was_met_is_there_after_a_restart_and_whoever_is_new_goes_first() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("vault.db");
        let key = VaultKey::generate(&mut Rng::from_number(1));
        let mut vault = Vault::create(&path, &key).expect("created");
        let mut contacts = Contacts::read(&vault, 0).expect("read");
        assert_eq!(contacts.len(), 0);
        let write = |vault: &mut Vault, write: Option<Write>| {
            let (key, value) = write.expect("news");
            vault
                .remember(&key, &value.expect("a value"))
                .expect("stored");
        };
        let old = vec![(node(1), vec![at(1), at(2), at(3)]), (node(2), vec![at(4)])];
        write(&mut vault, contacts.meet(DAY, old));
        write(
            &mut vault,
            contacts.meet(2 * DAY, vec![(node(3), vec![at(5)])]),
        );
        // Being alone is no news of anybody.
        assert_eq!(contacts.meet(3 * DAY, vec![]), None);

        drop(vault);
        let vault = Vault::open(&path, &key).expect("opened");
        let contacts = Contacts::read(&vault, 3 * DAY).expect("read");
        let ports: Vec<_> = contacts.peers().map(|peer| peer.address.port()).collect();
        assert_eq!(ports, [5, 1, 2, 4]);
        let some = contacts.some(4, &mut Rng::from_number(1));
        assert_eq!(some, [(node(3), vec![at(5)])], "only who was there last");
        let last = contacts.met[0].seen;
        assert_eq!(
            [1, KEPT_SECS].map(|secs| contacts.met_within(secs, last)),
            [1, 3]
        );
        let contacts = Contacts::read(&vault, DAY + KEPT_SECS).expect("read");
        assert_eq!(contacts.len(), 1, "those of the first day are forgotten");
    }

    #[test]
    fn memory_is_bounded_and_damage_is_forgotten() {
        let folder = tempfile::tempdir().expect("a folder");
        let key = VaultKey::generate(&mut Rng::from_number(1));
        let mut vault = Vault::create(&folder.path().join("vault.db"), &key).expect("created");
        let mut contacts = Contacts::default();
        for round in 0..3 {
            let there = (0..50).map(|number| (node(50 * round + number), vec![at(7); 8]));
            let (_, value) = contacts.meet(DAY, there.collect()).expect("news");
            assert!(value.expect("a value").len() <= BYTES_MAX / 4);
        }
        assert_eq!(contacts.len(), CONTACTS_MAX);
        let mut rng = Rng::from_number(2);
        let some = |rng: &mut Rng| contacts.some(5, rng);
        let (mut first, second) = (some(&mut rng), some(&mut rng));
        assert_ne!(first, second);
        first.sort();
        first.dedup();
        assert_eq!(first.len(), 5);
        assert!(contacts.met[..50].iter().all(|met| met.node.0[0] >= 100));
        vault.remember(KEY, b"no list").expect("stored");
        assert_eq!(Contacts::read(&vault, 0).expect("read").len(), 0);
    }

    #[test]
    fn batches_follow_changes_and_are_rare() {
        let mut contacts = Contacts {
            asked_at: DAY - BATCH_SECS,
            ..Contacts::default()
        };
        assert!(!contacts.is_batch_due(DAY), "nothing has changed");
        contacts.changed();
        assert!(contacts.is_batch_due(DAY));
        contacts.changed();
        assert!(!contacts.is_batch_due(DAY + BATCH_SECS - 1));
        assert!(contacts.is_batch_due(DAY + BATCH_SECS));
        assert!(!contacts.is_batch_due(DAY + 9 * BATCH_SECS));
        assert!(contacts.is_batch_due(DAY + BATCH_SECS + REFRESH_SECS));
    }
}
