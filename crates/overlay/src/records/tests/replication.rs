//! Records stay with the nodes nearest to them when nodes come and go.

use super::{entry, place, record};
use crate::records::holders::COPIES;
use crate::records::{Entry, Record};
use crate::spreading::tests::network::Network;
use crate::spreading::tests::world::{SECOND, START, TICK, world};

fn stored(network: &mut Network) -> Vec<Record> {
    let one = |number: u8| record(usize::from(number), entry(b"key", &[number]));
    let records: Vec<_> = (0..6).map(one).collect();
    for (person, record) in records.iter().enumerate() {
        network.put(person, record);
    }
    network.run_for(2 * SECOND);
    network.take_copies();
    records
}

#[test]
fn newcomers_get_what_they_are_to_keep() {
    for cache in [None, Some(48)] {
        let mut network = Network::new(60, cache, 1);
        let records = stored(&mut network);
        for person in 60..120 {
            network.join(person);
            network.run_for(SECOND);
        }
        network.run_for(5 * SECOND);
        for record in &records {
            assert_eq!(network.keepers_of(record, network.now), COPIES);
        }
        // Those who are no longer near drop it.
        network.run_for(120 * SECOND);
        let all: usize = network.nodes().map(|(_, overlay)| overlay.kept()).sum();
        assert!(all <= 2 * COPIES * records.len(), "{all}");
        assert!(network.events.is_empty(), "{:?}", network.events);
    }
}

/// All who keep a record go, one after the other.
#[test]
fn records_outlive_their_keepers() {
    let mut network = Network::new(60, None, 2);
    let records = stored(&mut network);
    for _ in 0..3 * COPIES {
        let nearest = network.nearest(place(&records[0]), 2);
        // The first of the people asks in the end.
        let mut others = nearest
            .iter()
            .filter(|c| c.node() != world().people[0].node());
        network.leave(others.next().unwrap().node());
        network.run_for(90 * SECOND);
    }
    network.run_for(180 * SECOND);
    assert_eq!(network.keepers_of(&records[0], network.now), COPIES);
    network.get(0, place(&records[0]));
    network.run_for(SECOND);
    assert_eq!(network.take_got(), [Some(records[0].clone())]);
}

/// Nobody is told that the nodes are gone: they just cannot be reached. Each keeper finds that out by itself, of one after the
/// other: in 100 runs it took 620 seconds in the median and 1,060 at most.
#[test]
fn nodes_that_cannot_be_reached_are_replaced() {
    let mut network = Network::new(60, None, 3);
    let records = stored(&mut network);
    let nearest = network.nearest(place(&records[0]), 6);
    network.down = nearest.iter().map(|contact| contact.node()).collect();
    network.run_for(1800 * SECOND);
    assert_eq!(network.keepers_of(&records[0], network.now), COPIES);
    // They come back, and catch up on what was said meanwhile.
    let later = record(
        0,
        Entry {
            issued: network.now,
            expires: network.now + 3600 * SECOND,
            ..entry(b"key", b"later")
        },
    );
    network.put(30, &later);
    network.run_for(10 * SECOND);
    network.down.clear();
    network.run_for(900 * SECOND);
    assert_eq!(network.keepers_of(&later, network.now), COPIES);
}

#[test]
fn a_later_word_reaches_keepers_who_missed_it() {
    let mut network = Network::new(40, None, 4);
    let said = |issued, value| {
        record(
            3,
            Entry {
                issued,
                ..entry(b"key", value)
            },
        )
    };
    let (old, new) = (said(START, b"old"), said(START + TICK, b"new"));
    network.put(3, &old);
    network.run_for(5 * SECOND);
    let nearest = network.nearest(place(&old), 4);
    network.silent = nearest.iter().map(|contact| contact.node()).collect();
    network.put(20, &new);
    network.run_for(5 * SECOND);
    network.silent.clear();
    let before = network.keepers_of(&new, network.now);
    assert!(before < COPIES, "{before}");
    // And the old one cannot come back.
    network.put(3, &old);
    network.run_for(600 * SECOND);
    assert_eq!(network.keepers_of(&new, network.now), COPIES);
}
