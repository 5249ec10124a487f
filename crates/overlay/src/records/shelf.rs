//! The records that one node keeps, within limits.

use std::collections::BTreeMap;

use base::{Instant, Location};

use super::Record;

/// Most records that a node keeps: 7 MB when all are as long as they may be. Guess: a member's share of a community in
/// which everybody has some hundreds of records. Of more, the one farthest from the node goes first: others are nearer.
pub const RECORDS_MAX: usize = 4096;
/// Most records of one owner that a node keeps. Of more, the one that expires first goes first. An owner's records lie all
/// over the ring, so that a node gets many of them only from an owner who wants it so. Guess.
pub const OWNER_MAX: usize = 16;

/// Checked records by their places.
#[derive(Debug)]
pub struct Shelf {
    own: Location,
    records: BTreeMap<Location, Record>,
}

impl Shelf {
    /// An empty one of a node at `own`.
    pub fn new(own: Location) -> Self {
        let records = BTreeMap::new();
        Self { own, records }
    }

    /// The record kept at this place, if it has not expired.
    pub fn get(&self, location: Location, now: Instant) -> Option<&Record> {
        let record = self.records.get(&location);
        record.filter(|record| now <= record.expires())
    }

    /// Whether a record would be kept, if it held. Tells those apart that are not worth checking.
    pub fn has_room_for(&self, location: Location, record: &Record, now: Instant) -> bool {
        self.room_for(location, record, now).is_some()
    }

    /// Keeps a checked record if there [is room](Self::has_room_for); answers whether it does.
    pub fn insert(&mut self, location: Location, record: Record, now: Instant) -> bool {
        let room = self.room_for(location, &record, now);
        if let Some(leaver) = room {
            if let Some(leaver) = leaver {
                self.records.remove(&leaver);
            }
            self.records.insert(location, record);
        }
        room.is_some()
    }

    /// How room is made for a record that would be kept: by the one that leaves, if any.
    fn room_for(
        &self,
        location: Location,
        record: &Record,
        now: Instant,
    ) -> Option<Option<Location>> {
        let known = self.records.get(&location);
        let lives = known.filter(|known| now <= known.expires());
        let replaces =
            |known: &Record| known.is_of_same_name(record) && record.is_later_than(known);
        if now > record.expires() || !lives.is_none_or(replaces) {
            return None;
        }
        let leaver = match known {
            Some(_) => None,
            None => self.leaver(location, record),
        };
        (leaver != Some(location)).then_some(leaver)
    }

    /// Which one goes when a new one comes: the new one itself perhaps.
    fn leaver(&self, location: Location, record: &Record) -> Option<Location> {
        let new = (location, record);
        let all = || self.records.iter().map(|(at, record)| (*at, record));
        let owner = record.owner().node();
        let of_owner = || all().filter(|(_, kept)| kept.owner().node() == owner);
        let found = if of_owner().count() >= OWNER_MAX {
            let all = of_owner().chain([new]);
            all.min_by_key(|(at, record)| (record.expires(), *at))
        } else if self.records.len() >= RECORDS_MAX {
            let all = all().chain([new]);
            all.max_by_key(|(at, _)| (self.own.distance(*at), *at))
        } else {
            None
        };
        found.map(|(at, _)| at)
    }

    /// Drops what has expired and what `keep` does not keep.
    pub fn retain(&mut self, now: Instant, keep: impl Fn(Location) -> bool) {
        self.records
            .retain(|at, record| now <= record.expires() && keep(*at));
    }

    /// All with their places, clockwise from 0.
    pub fn iter(&self) -> impl Iterator<Item = (Location, &Record)> {
        self.records.iter().map(|(at, record)| (*at, record))
    }
}
