//! What was put is found, the latest of it, until it expires.

use std::collections::BTreeMap;

use base::{Location, Rng};
use proptest::prelude::*;

use super::{entry, place, record};
use crate::NodeCache;
use crate::near::{all_near, nearest};
use crate::records::holders::COPIES;
use crate::records::{Entry, Record};
use crate::spreading::Event;
use crate::spreading::tests::network::Network;
use crate::spreading::tests::world::{DAY, SECOND, START, TICK, world};

const COMMUNITIES: [(usize, Option<usize>); 6] = [
    (1, None),
    (2, None),
    (5, None),
    (40, None),
    (100, None),
    (150, Some(32)),
];

#[test]
fn what_one_puts_another_gets() {
    for (size, cache) in COMMUNITIES {
        let mut network = Network::new(size, cache, 1);
        for (number, person) in [(0, 0), (1, size / 2), (2, size - 1)] {
            let record = record(person, entry(b"key", &[number]));
            network.put(person, &record);
            network.run_for(SECOND);
            assert_eq!(network.take_copies(), [size.min(COPIES)]);
            assert_eq!(network.keepers_of(&record, network.now), size.min(COPIES));
            network.get((person + 1) % size, place(&record));
            network.get((person + 2) % size, place(&record));
            network.run_for(SECOND);
            let found = Some(record.clone());
            assert_eq!(network.take_got(), [found.clone(), found]);
        }
        let nothing = Record::location_of(&super::community(), world().people[0].node(), b"no");
        network.get(0, nothing);
        network.run_for(SECOND);
        assert_eq!(network.take_got(), [None]);
        assert!(network.events.is_empty(), "{:?}", network.events);
    }
}

/// Random puts and gets against a map that holds the latest word under each name.
#[test]
fn behaves_like_a_map_of_latest_words() {
    for (cache, seed) in [(None, 2), (Some(32), 3)] {
        let mut network = Network::new(80, cache, seed);
        let mut rng = Rng::from_number(seed);
        let mut model: BTreeMap<Location, Record> = BTreeMap::new();
        for _ in 0..80 {
            let (person, key) = (rng.below(3) as usize, [rng.below(2) as u8]);
            // Nothing expires while it is put.
            let issued = network.now - rng.below(30) as u32 * SECOND - 3 * SECOND / 10;
            let value = rng.bytes32();
            let said = Entry {
                issued,
                expires: issued + (10 + rng.below(60) as u32) * SECOND,
                ..entry(&key, &value)
            };
            let said = record(person, said);
            let at = place(&said);
            if rng.below(2) == 0 {
                let now = network.now;
                network.put(person, &said);
                network.run_for(SECOND);
                let known = model.get(&at).filter(|known| now <= known.expires());
                let is_later = known.is_none_or(|known| said.is_later_than(known));
                if is_later && now <= said.expires() {
                    model.insert(at, said);
                }
            }
            network.run_for(SECOND / 2);
            network.get(rng.below(80) as usize, at);
            let asked = network.now;
            network.run_for(SECOND / 2);
            let known = model
                .get(&at)
                .filter(|known| asked + SECOND / 2 <= known.expires());
            let got = network.take_got();
            let is_border = model.get(&at).is_some_and(|known| {
                known.expires() >= asked && known.expires() < asked + SECOND / 2
            });
            assert!(is_border || got == [known.cloned()], "{got:?} {known:?}");
        }
    }
}

#[test]
fn expired_records_vanish() {
    let mut network = Network::new(40, None, 4);
    let record = record(
        3,
        Entry {
            expires: START + 60 * SECOND,
            ..entry(b"key", b"value")
        },
    );
    network.put(3, &record);
    network.run_for(59 * SECOND);
    network.get(5, place(&record));
    network.run_for(SECOND);
    assert_eq!(network.take_got(), [Some(record.clone())]);
    network.run_for(TICK);
    network.get(5, place(&record));
    network.run_for(SECOND);
    assert_eq!(network.take_got(), [None]);
    network.run_for(60 * SECOND);
    assert!(network.nodes().all(|(_, overlay)| overlay.kept() == 0));
    // Nobody blames anybody for it.
    network.take_copies();
    assert!(network.events.is_empty(), "{:?}", network.events);
}

#[test]
fn keepers_who_are_away_are_done_without() {
    for (size, cache, seed) in [(60, None, 5), (300, Some(32), 6), (150, Some(64), 7)] {
        let mut network = Network::new(size, cache, seed);
        let record = record(3, entry(b"key", b"value"));
        let nearest = network.nearest(place(&record), 9);
        let own = world().people[3].node();
        let others = nearest.iter().map(|contact| contact.node());
        let mut others = others.filter(|node| *node != own);
        network.silent = others.by_ref().take(2).collect();
        network.put(3, &record);
        network.run_for(10 * SECOND);
        assert_eq!(network.take_copies().len(), 1);
        network.silent = others.take(2).chain(network.silent.clone()).collect();
        network.get(5, place(&record));
        network.run_for(10 * SECOND);
        assert_eq!(network.take_got(), [Some(record)]);
    }
}

#[test]
fn a_search_that_nobody_answers_ends() {
    let mut network = Network::new(300, Some(32), 8);
    let record = record(3, entry(b"key", b"value"));
    network.silent = network
        .nearest(place(&record), 30)
        .iter()
        .map(|c| c.node())
        .collect();
    let silent = network.silent.clone();
    let person = (0..300).find(|person| !silent.contains(&world().people[*person].node()));
    let person = person.unwrap();
    network.put(person, &record);
    network.get(person, place(&record));
    network.run_for(60 * SECOND);
    assert_eq!(network.take_copies(), [0]);
    assert_eq!(network.take_got(), [None]);
    assert!(network.events.is_empty());
    let unfound = |(_, event): &(_, Event)| matches!(event, Event::RecordFailed(_));
    assert!(!network.events.iter().any(unfound));
}

#[test]
fn losses_cost_copies_at_first_but_not_the_record() {
    for seed in 10..14 {
        let mut network = Network::new(60, None, seed);
        network.loss_percent = 10;
        let record = record(3, entry(b"key", b"value"));
        network.put(3, &record);
        network.run_for(300 * SECOND);
        assert_eq!(network.keepers_of(&record, network.now), COPIES);
        network.get(9, place(&record));
        network.run_for(10 * SECOND);
        assert_eq!(network.take_got(), [Some(record)]);
    }
}

#[test]
fn the_authority_has_records_too() {
    let authority = &world().authority;
    let owner = crate::records::Owner::Authority(authority.node());
    let record = Record::new(owner, authority, &super::community(), entry(b"epoch", b"7"));
    let mut network = Network::new(40, None, 14);
    network.put(8, &record);
    network.run_for(SECOND);
    network.get(9, place(&record));
    network.run_for(SECOND);
    assert_eq!(network.take_got(), [Some(record)]);
}

proptest! {
    #[test]
    fn nearest_are_those_found_by_looking_at_all(count in 0usize..40, size in 0usize..60, at: u64) {
        let at = Location(at);
        let cache: NodeCache = world().contacts[..size].iter().cloned().collect();
        let found = nearest(&cache, at, count, |node| node.0[0] % 3 > 0);
        let mut all = world().contacts[..size].to_vec();
        all.retain(|contact| contact.node().0[0] % 3 > 0);
        all.sort_by_key(|contact| at.rank(contact.node(), contact.location()));
        all.truncate(count);
        prop_assert_eq!(found, all);
    }

    /// Who thinks that it knows the keepers does: in a community where everyone knows a region.
    #[test]
    fn known_keepers_are_the_true_ones(share in 0.0..1.0f64, at: u64) {
        let at = Location(at);
        let mut view = crate::View::new(world().contacts[0].clone(), share, 8192);
        for contact in &world().contacts {
            if view.region().contains(contact.location()) {
                view.cache.insert(contact.clone());
            }
        }
        let all: NodeCache = world().contacts.iter().cloned().collect();
        let truth = nearest(&all, at, COPIES, |_| true);
        let found = all_near(&view, at, COPIES, |_| true);
        prop_assert!(found.is_none_or(|found| found == truth));
        // Of its own place it does, if the region is not tiny.
        let here = view.own().location();
        prop_assert!(share < 0.2 || all_near(&view, here, COPIES, |_| true).is_some());
    }
}

#[test]
fn who_knows_everybody_knows_all_keepers() {
    let mut view = crate::View::new(world().contacts[0].clone(), 1.0, 8192);
    assert_eq!(
        all_near(&view, Location(5), COPIES, |_| true)
            .unwrap()
            .len(),
        1
    );
    for contact in &world().contacts[..20] {
        view.cache.insert(contact.clone());
        let place = Location(contact.location().0.wrapping_add(DAY.as_micros() as u64));
        let found = all_near(&view, place, COPIES, |_| true);
        assert_eq!(found.unwrap().len(), view.cache.len().min(COPIES));
    }
}
