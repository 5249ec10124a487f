//! Floods and garbage: state stays bounded, nothing panics, and the totals stay exact.

use std::collections::BTreeMap;

use base::{Output, Protocol, Rng, decode, encode};
use proptest::prelude::*;

use super::*;
use crate::agreement::Message as Word;
use crate::committee::contribution::Item;
use crate::committee::holdings::ListWanted;
use crate::committee::inclusion::{CONTRIBUTORS_MAX, Entry, SetBody};
use crate::committee::protocol::Committee;
use crate::committee::support::Lacking;

/// Every message of an honest computation.
fn honest_messages() -> Vec<Vec<u8>> {
    let mut net = Net::new();
    let log = Rc::new(RefCell::new(Vec::new()));
    let sent = Rc::clone(&log);
    net.tamper = Box::new(move |_, _, message| {
        sent.borrow_mut().push(encode(message));
        true
    });
    net.run().expect("all are honest");
    drop(net);
    log.take()
}

fn read(bytes: &[u8]) -> Option<Message> {
    decode(bytes, 1 << 22).ok()
}

/// Far more than any node keeps in a computation of this size.
fn assert_bounded(net: &Net) {
    let round = net.terms.round();
    for node in net.nodes.values() {
        assert!(node.early_secrets_for_tests() <= 64);
        let limits = BTreeMap::from([("secrets", 4), ("signed keys", 4), ("backed", 4)]);
        for (what, size) in node.footprint_for_tests(round) {
            let limit = limits.get(what).copied().unwrap_or(SEATS.max(15));
            assert!(size <= limit, "{size} {what}");
        }
    }
}

const SOME_ENTRY: Entry = Entry {
    contributor: NodeId([1; 32]),
    header: Digest([2; 32]),
    declines: false,
};

#[test]
fn floods_are_bounded() {
    let mut net = Net::waiting();
    let [seat, mate] = [net.terms.seats[0], net.terms.seats[1]];
    let round = net.terms.round();
    for number in 0..500u64 {
        let secret = SealingKey::generate(&mut Rng::from_number(number));
        let unknown = Digest::of("unknown", &[&number.to_be_bytes()]);
        net.inject(mate, seat, Message::LaneSecret(unknown, secret.clone()));
        net.inject(mate, seat, Message::LaneSecret(round, secret));
    }
    assert_bounded(&net);
    let bundle = net.bundle_of(mate, 5, &some_keys());
    let items: Vec<Item> = (0..257).map(|_| bundle.item(0)).collect();
    let messages = [
        Message::Forward(round, items, Way::Here),
        Message::SharesWanted(round, vec![mate; 257]),
        Message::ListWanted(Box::new(ListWanted::new(
            round,
            Digest([1; 32]),
            [1; 32],
            &[SOME_ENTRY; CONTRIBUTORS_MAX + 1],
        ))),
        Message::ReasonsWanted(
            round,
            Digest([1; 32]),
            Lacking {
                entries: (0..9000).collect(),
                ..Lacking::default()
            },
        ),
    ];
    for message in messages {
        net.accusations.clear();
        net.inject(mate, seat, message);
        net.assert_accused(mate, Misbehaviour::Shape);
    }
}

#[test]
fn early_secrets_of_one_node_leave_room_for_others_and_are_forgotten() {
    let mut net = Net::new();
    let seat = net.terms.seats[0];
    let flood = |net: &mut Net, person: usize| {
        let from = net.people[person];
        for number in 0..10u64 {
            let secret = SealingKey::generate(&mut Rng::from_number(number));
            let unknown = Digest::of("unknown", &[&number.to_be_bytes()]);
            net.inject(from, seat, Message::LaneSecret(unknown, secret));
        }
        net.nodes[&seat].early_secrets_for_tests()
    };
    assert_eq!(flood(&mut net, 1), 4);
    assert_eq!(flood(&mut net, 2), 8);
    net.now = START + Duration::from_secs(11);
    assert_eq!(flood(&mut net, 3), 4);
}

#[test]
fn computations_that_a_node_does_not_know_leave_no_trace() {
    let mut net = Net::new();
    let (seat, from) = (net.terms.seats[0], net.people[14]);
    for bytes in honest_messages() {
        let message = read(&bytes).expect("it was sent");
        let is_secret = matches!(message, Message::LaneSecret(..));
        let mut out = base::Outbox::new();
        let node: &mut Committee = net.nodes.get_mut(&seat).expect("a member");
        node.handle(START, Input::Message { from, message }, &mut out);
        let none: Option<Output<Committee>> = out.drain().next();
        assert!(none.is_none());
        assert!(is_secret || node.early_secrets_for_tests() <= 4);
    }
    assert!(
        net.nodes[&seat]
            .footprint_for_tests(net.terms.round())
            .is_empty()
    );
}

/// One liar gives reasons for one set after the other, and everything twice.
#[test]
fn a_flood_of_reasons_is_bounded_and_harmless() {
    let mut net = Net::new();
    let (liar, seats) = (net.terms.seats[5], net.terms.seats.clone());
    let (extra, mut salt, mut proposed) = (Rc::clone(&net.extra), 0u8, None);
    net.tamper = Box::new(move |_, to, message| {
        if let Message::Agreement(_, word) = message
            && let Word::Proposal { value, .. } = &**word
        {
            proposed = Some(decode::<SetBody>(value, 256).expect("a set"));
        }
        if let Message::Support(support) = message
            && salt < 40
        {
            salt += 1;
            let mut other = support.clone();
            let later = START + Duration::from_secs(u64::from(salt));
            if let Some(body) = &proposed {
                other.date_for_tests(body, later);
            }
            let other = Message::Support(other);
            extra.borrow_mut().push((liar, to, other));
            extra.borrow_mut().push((liar, seats[1], message.clone()));
        }
        if matches!(message, Message::Count(_) | Message::Holdings(_)) {
            extra.borrow_mut().push((liar, to, message.clone()));
        }
        !matches!(message, Message::Done(_))
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    assert_bounded(&net);
    net.assert_only_accused(&[liar]);
}

/// A request of a liar, or an answer to nothing, causes no more than one message.
#[test]
fn one_message_causes_no_storm() {
    let mut net = Net::new();
    let liar = net.terms.seats[1];
    let round = net.terms.round();
    let seat = net.terms.seats[0];
    // It never has its shares.
    let known = Rc::new(RefCell::new((Digest([0; 32]), Digest([0; 32]))));
    let log = Rc::clone(&known);
    net.tamper = Box::new(move |from, to, message| {
        match message {
            Message::Support(support) => log.borrow_mut().0 = support.name(),
            Message::Holdings(holdings) if from == seat => {
                log.borrow_mut().1 = holdings.body.list;
            }
            _ => {}
        }
        !(to == seat && matches!(message, Message::Forward(..))
            || matches!(message, Message::Done(_)))
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    assert!(net.sets.contains_key(&seat), "it knows the set");
    let (support, list) = *known.borrow();
    for message in [
        Message::Forward(round, vec![], Way::Here),
        Message::SupportWanted(round, Digest([1; 32])),
        Message::ReasonsWanted(
            round,
            support,
            Lacking {
                entries: (0..15).collect(),
                ..Lacking::default()
            },
        ),
        Message::ListWanted(Box::new(ListWanted::new(round, list, [1; 32], &[]))),
        Message::ListWanted(Box::new(ListWanted::new(round, list, [2; 32], &[]))),
        Message::Held(round, net.people.clone()),
        Message::SharesWanted(round, net.people.clone()),
    ] {
        let before = net.queue.len();
        net.inject(liar, seat, message);
        assert!(net.queue.len() <= before + 1);
    }
}

/// A change that may leave a message readable.
fn mutate(bytes: &mut Vec<u8>, rng: &mut Rng) {
    for _ in 0..=rng.below(2) {
        let at = 1 + rng.below(bytes.len() as u64 - 1) as usize;
        match rng.below(4) {
            0 => bytes[at] ^= 1 << rng.below(8),
            1 => bytes[at] = bytes[at].wrapping_add(1),
            2 => {
                let from = 1 + rng.below(bytes.len() as u64 - 1) as usize;
                bytes[at] = bytes[from];
            }
            _ => bytes.truncate(at.max(2)),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// Three liars send to everybody what honest nodes have said, changed or not.
    #[test]
    fn garbage_does_no_harm(seed: u64) {
        let mut net = Net::new();
        let rng = &mut Rng::from_number(seed);
        let liars = [1, 5, 9].map(|seat| net.terms.seats[seat]);
        let mut targets = net.terms.seats.clone();
        targets.extend([net.querier, net.people[14]]);
        let (extra, mut rng) = (Rc::clone(&net.extra), rng.fork("liars"));
        net.tamper = Box::new(move |_, _, message| {
            for _ in 0..2 {
                let mut bytes = encode(message);
                mutate(&mut bytes, &mut rng);
                let liar = liars[rng.below(3) as usize];
                let target = targets[rng.below(targets.len() as u64) as usize];
                if let Some(garbage) = read(&bytes) {
                    extra.borrow_mut().push((liar, target, garbage));
                }
            }
            true
        });
        let totals = net.run().expect("three liars are borne");
        prop_assert!(totals[0] >= 12, "{:?}", totals);
        assert_bounded(&net);
        net.assert_only_accused(&liars);
    }
}
