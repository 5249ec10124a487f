//! Records on a network of their own; and one node against bad peers.

mod finding;
mod limits;
mod peers;
mod replication;

use base::{Digest, Instant, Location};

use super::{Entry, Owner, Record};
use crate::spreading::tests::network::Network;
use crate::spreading::tests::world::{DAY, START, world};
use crate::spreading::{Command, Event};

/// A name, and what is said under it.
fn entry<'a>(key: &'a [u8], value: &'a [u8]) -> Entry<'a> {
    Entry {
        key,
        value,
        issued: START,
        expires: START + DAY,
    }
}

/// What one of the people says.
fn record(person: usize, entry: Entry<'_>) -> Record {
    let identity = &world().people[person];
    let owner = Owner::Member(identity.certificate.clone());
    Record::new(owner, &identity.key, &community(), entry)
}

fn community() -> Digest {
    world().community.descriptor().community
}

fn place(record: &Record) -> Location {
    record.location(&community())
}

impl Network {
    fn put(&mut self, person: usize, record: &Record) {
        self.command(person, Command::Put(Box::new(record.clone())));
    }

    fn get(&mut self, person: usize, place: Location) {
        self.command(person, Command::Get(place));
    }

    /// How many copies each put made, since this was last asked.
    fn take_copies(&mut self) -> Vec<usize> {
        let stored = |event: &Event| match event {
            Event::Stored { copies, .. } => Some(*copies),
            _ => None,
        };
        let copies = self.events.iter().filter_map(|(_, event)| stored(event));
        let copies = copies.collect();
        self.events.retain(|(_, event)| stored(event).is_none());
        copies
    }

    /// What each get found, since this was last asked.
    fn take_got(&mut self) -> Vec<Option<Record>> {
        let got = |event: &Event| match event {
            Event::Got(_, record) => Some(record.as_deref().cloned()),
            _ => None,
        };
        let found = self.events.iter().filter_map(|(_, event)| got(event));
        let found = found.collect();
        self.events.retain(|(_, event)| got(event).is_none());
        found
    }

    /// How many of the nodes nearest to it, whom one would ask, keep exactly this record.
    fn keepers_of(&self, record: &Record, at: Instant) -> usize {
        let nearest = self.nearest(place(record), super::COPIES);
        let nodes = nearest.iter().map(|contact| contact.node());
        let keeps = |node| {
            let mut nodes = self.nodes();
            let (_, overlay) = nodes.find(|(other, _)| **other == node).unwrap();
            overlay.record(place(record), at) == Some(record)
        };
        nodes.filter(|node| keeps(*node)).count()
    }
}
