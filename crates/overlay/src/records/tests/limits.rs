//! What a node keeps for others, at most, and what it sends them.

use base::{Location, NodeId, Rng};
use crypto::SigningKey;

use super::{community, entry, place, record};
use crate::AtMost;
use crate::records::shelf::{OWNER_MAX, RECORDS_MAX, Shelf};
use crate::records::{Entry, Message, Owner, Record};
use crate::spreading;
use crate::spreading::tests::victim::Victim;
use crate::spreading::tests::world::{DAY, SECOND, START, TICK, world};

fn with_life(key: &[u8], seconds: u32) -> Record {
    record(
        4,
        Entry {
            expires: START + seconds * SECOND,
            ..entry(key, b"")
        },
    )
}

#[test]
fn of_an_owner_with_too_many_the_first_to_expire_goes() {
    let mut shelf = Shelf::new(Location(0));
    let all: Vec<_> = (0..OWNER_MAX as u8)
        .map(|n| with_life(&[n], 100 + u32::from(n)))
        .collect();
    for record in &all {
        assert!(shelf.insert(place(record), record.clone(), START));
    }
    let (shorter, longer) = (with_life(b"shorter", 99), with_life(b"longer", 200));
    assert!(!shelf.insert(place(&shorter), shorter.clone(), START));
    assert!(shelf.get(place(&shorter), START).is_none());
    assert!(shelf.insert(place(&longer), longer.clone(), START));
    assert!(shelf.get(place(&all[0]), START).is_none());
    assert!(
        all[1..]
            .iter()
            .all(|record| shelf.get(place(record), START).is_some())
    );
    // Others have room, and a known name can have a new word.
    let other = record(5, entry(b"key", b""));
    assert!(shelf.insert(place(&other), other.clone(), START));
    let renewed = record(
        4,
        Entry {
            issued: START + TICK,
            ..entry(&[1], b"new")
        },
    );
    assert!(shelf.insert(place(&renewed), renewed, START));
    assert_eq!(shelf.iter().count(), OWNER_MAX + 1);
}

#[test]
fn of_too_many_the_farthest_goes() {
    let own = Location(1 << 40);
    let mut shelf = Shelf::new(own);
    let mut rng = Rng::from_number(1);
    let mut all = Vec::new();
    for _ in 0..=RECORDS_MAX / OWNER_MAX {
        let key = SigningKey::generate(&mut rng);
        for name in 0..OWNER_MAX as u8 {
            let owner = Owner::Authority(key.node());
            let record = Record::new(owner, &key, &community(), entry(&[name], b""));
            all.push((own.distance(place(&record)), record));
        }
    }
    for (_, record) in &all {
        shelf.insert(place(record), record.clone(), START);
    }
    assert_eq!(shelf.iter().count(), RECORDS_MAX);
    all.sort_by_key(|(distance, _)| *distance);
    let kept = all
        .iter()
        .filter(|(_, record)| shelf.get(place(record), START).is_some());
    let kept: Vec<_> = kept.map(|(distance, _)| *distance).collect();
    let nearest: Vec<_> = all[..RECORDS_MAX]
        .iter()
        .map(|(distance, _)| *distance)
        .collect();
    assert_eq!(kept, nearest);
}

/// Two names at one place, if somebody ever finds such: the first stays.
#[test]
fn another_name_does_not_replace_a_record() {
    let mut shelf = Shelf::new(Location(0));
    let first = record(4, entry(b"key", b""));
    let second = record(
        5,
        Entry {
            issued: START + SECOND,
            ..entry(b"key", b"")
        },
    );
    assert!(shelf.insert(Location(5), first.clone(), START));
    assert!(!shelf.insert(Location(5), second, START));
    assert_eq!(shelf.get(Location(5), START), Some(&first));
}

#[test]
fn two_words_of_one_moment_end_as_one() {
    let words = [
        record(4, entry(b"key", b"one")),
        record(4, entry(b"key", b"two")),
    ];
    let kept = |order: [usize; 2]| {
        let mut shelf = Shelf::new(Location(0));
        for index in order {
            shelf.insert(Location(5), words[index].clone(), START);
        }
        shelf.get(Location(5), START).cloned()
    };
    assert_eq!(kept([0, 1]), kept([1, 0]));
    assert!(words[0].is_later_than(&words[1]) != words[1].is_later_than(&words[0]));
    assert!(!words[0].is_later_than(&words[0]));
}

fn peer(person: usize) -> NodeId {
    world().people[person].node()
}

fn send(victim: &mut Victim, from: NodeId, message: Message) -> Vec<Message> {
    victim.hear(from, &spreading::Message::Records(message));
    let records = |(to, message): (NodeId, spreading::Message)| match message {
        spreading::Message::Records(message) if to == from => Some(message),
        _ => None,
    };
    victim.take_sent().into_iter().filter_map(records).collect()
}

/// A small question cannot make a node send all that it keeps, unless it has just offered it.
#[test]
fn what_was_not_offered_is_not_sent() {
    let mut victim = Victim::new(8);
    let kept = record(4, entry(b"key", b"value"));
    let at = place(&kept);
    send(&mut victim, peer(6), Message::Store(Box::new(kept.clone())));
    let lacking = || Message::Lacking(AtMost::first_of(vec![at; 5]));
    assert!(send(&mut victim, peer(6), lacking()).is_empty());
    victim.timer(spreading::Timer::Sync);
    let [(told, spreading::Message::Records(Message::Holding(held)))] = &victim.take_sent()[..]
    else {
        panic!("one is told");
    };
    assert_eq!(held.clone().into_inner(), [(at, START)]);
    let sent = send(&mut victim, *told, lacking());
    // However often it is asked for.
    assert_eq!(sent, [Message::Store(Box::new(kept))]);
    assert!(send(&mut victim, *told, lacking()).is_empty());
}

#[test]
fn who_has_less_is_given_more() {
    let mut victim = Victim::new(8);
    let kept = record(4, entry(b"key", b"value"));
    let at = place(&kept);
    send(&mut victim, peer(6), Message::Store(Box::new(kept.clone())));
    let holding = |issued| Message::Holding(AtMost::first_of(vec![(at, issued); 5]));
    let older = send(&mut victim, peer(6), holding(START - TICK));
    assert_eq!(older, [Message::Store(Box::new(kept))]);
    assert!(send(&mut victim, peer(6), holding(START)).is_empty());
    let newer = send(&mut victim, peer(6), holding(START + TICK));
    assert_eq!(newer, [Message::Lacking(AtMost::first_of(vec![at]))]);
}

/// A node keeps nothing that is not near it.
#[test]
fn far_records_are_not_kept() {
    let mut victim = Victim::new(1);
    victim.overlay = world().overlay(0, 0.01);
    for key in 0..20u8 {
        let record = record(
            4,
            Entry {
                expires: START + DAY,
                ..entry(&[key], b"")
            },
        );
        let region = *victim.overlay.view().region();
        let answers = send(
            &mut victim,
            peer(6),
            Message::Store(Box::new(record.clone())),
        );
        assert_eq!(answers.is_empty(), !region.contains(place(&record)));
    }
    assert!(victim.overlay.kept() < 3);
    assert!(victim.take_events().is_empty());
}
