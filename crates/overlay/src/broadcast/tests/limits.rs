//! What a peer can make a node do, at most.

use base::{Digest, Location, NodeId, decode, encode};
use proptest::prelude::*;

use super::peers::{give, good, pass, peer};
use crate::AtMost;
use crate::broadcast::message::OFFERS_MAX;
use crate::broadcast::passing::{RECEIPT_WITHIN, SPANS_MAX};
use crate::broadcast::{Message, OFFER_AFTER, Span};
use crate::spreading::tests::victim::Victim;
use crate::spreading::tests::world::{SECOND, START, TICK};
use crate::spreading::{self, Event, Timer};

fn broadcast(message: Message) -> spreading::Message {
    spreading::Message::Broadcast(message)
}

fn id(number: u64) -> Digest {
    Digest::of("no broadcast", &[&number.to_be_bytes()])
}

fn offer(numbers: impl IntoIterator<Item = u64>) -> spreading::Message {
    let ids = numbers.into_iter().map(id).collect();
    broadcast(Message::Offer(AtMost::first_of(ids)))
}

/// Of these, the messages of a kind and to whom they go.
fn count(sent: &[(NodeId, spreading::Message)], kind: impl Fn(&Message) -> bool) -> usize {
    let is = |message: &spreading::Message| match message {
        spreading::Message::Broadcast(message) => kind(message),
        spreading::Message::Records(_) => false,
    };
    sent.iter().filter(|(_, message)| is(message)).count()
}

fn wants(message: &Message) -> bool {
    matches!(message, Message::Want(_))
}

#[test]
fn offers_of_nothing_cost_little() {
    let mut victim = Victim::new(20);
    for number in 0..50 {
        let first = number * OFFERS_MAX as u64;
        victim.hear(peer(6), &offer(first..first + OFFERS_MAX as u64));
    }
    assert_eq!(count(&victim.take_sent(), wants), 32);
    for person in 7..20 {
        let first = person as u64 * 10_000;
        victim.hear(peer(person), &offer(first..first + OFFERS_MAX as u64));
    }
    assert_eq!(count(&victim.take_sent(), wants), 256 - 32);
    // Nobody gives anything: in the end nothing is wanted any more, and offers are heard again.
    victim.now = START + 2 * SECOND;
    for number in (0..50 * OFFERS_MAX as u64).chain(70_000..200_000) {
        victim.timer(Timer::Wanted(id(number)));
    }
    assert_eq!(count(&victim.take_sent(), wants), 0);
    victim.hear(peer(6), &offer([1]));
    assert_eq!(count(&victim.take_sent(), wants), 1);
}

#[test]
fn when_one_does_not_give_the_next_is_asked() {
    let announcement = good(START);
    let offer = broadcast(Message::Offer(AtMost::first_of(vec![announcement.id()])));
    let mut victim = Victim::new(20);
    for person in 6..20 {
        victim.hear(peer(person), &offer);
        victim.hear(peer(person), &offer);
    }
    let want = broadcast(Message::Want(announcement.id()));
    assert_eq!(victim.take_sent(), [(peer(6), want.clone())]);
    // Too early.
    victim.timer(Timer::Wanted(announcement.id()));
    assert!(victim.take_sent().is_empty());
    victim.now = START + 2 * SECOND;
    victim.timer(Timer::Wanted(announcement.id()));
    assert_eq!(victim.take_sent(), [(peer(7), want.clone())]);
    victim.input(base::Input::Unreachable(peer(7)));
    assert_eq!(victim.take_sent(), [(peer(8), want)]);
    victim.hear(peer(8), &give(&announcement));
    assert!(matches!(&victim.take_events()[..], [Event::Heard { .. }]));
    victim.take_sent();
    victim.now = START + 4 * SECOND;
    victim.timer(Timer::Wanted(announcement.id()));
    victim.hear(peer(9), &offer);
    assert!(victim.take_sent().is_empty());
}

#[test]
fn a_payload_is_given_once_to_each_who_wants_it() {
    let mut victim = Victim::new(20);
    let announcement = good(START);
    let want = broadcast(Message::Want(announcement.id()));
    victim.hear(peer(6), &want);
    assert!(victim.take_sent().is_empty());
    victim.hear(peer(6), &give(&announcement));
    victim.take_sent();
    for person in 7..100 {
        victim.hear(peer(person), &want);
        victim.hear(peer(person), &want);
    }
    let gives = |message: &Message| matches!(message, Message::Give(_));
    let sent = victim.take_sent();
    assert_eq!(count(&sent, gives), 64);
    assert_eq!((sent[0].0, sent[63].0), (peer(7), peer(70)));
}

#[test]
fn a_node_sees_to_few_spans() {
    let mut victim = Victim::new(20);
    let announcement = good(START);
    let received = |message: &Message| matches!(message, Message::Received(..));
    let also = |message: spreading::Message| match message {
        spreading::Message::Broadcast(Message::Pass(announcement, span)) => {
            broadcast(Message::Also(announcement.id(), span))
        }
        message => message,
    };
    // Without the payload it can see to none.
    victim.hear(peer(6), &also(pass(&announcement)));
    assert!(victim.take_sent().is_empty());
    for _ in 0..10 * SPANS_MAX {
        victim.hear(peer(6), &pass(&announcement));
        victim.hear(peer(6), &also(pass(&announcement)));
    }
    let sent = victim.take_sent();
    assert_eq!(count(&sent, received), SPANS_MAX);
    let passed = count(&sent, |message| matches!(message, Message::Pass(..)));
    assert!((1..=SPANS_MAX * 20).contains(&passed), "{passed}");
}

/// Nobody can be reached: each is tried at most once, and at some point it is enough.
#[test]
fn splitting_around_the_unreachable_ends() {
    let mut victim = Victim::new(300);
    victim.command(spreading::Command::Broadcast(b"hello".to_vec()));
    let mut tried = std::collections::BTreeSet::new();
    let mut sent = victim.take_sent();
    while let Some((to, message)) = sent.pop() {
        assert!(matches!(
            message,
            spreading::Message::Broadcast(Message::Pass(..))
        ));
        assert!(tried.insert(to), "tried twice");
        victim.input(base::Input::Unreachable(to));
        sent.extend(victim.take_sent());
    }
    assert!((64..64 * 9).contains(&tried.len()), "{}", tried.len());
}

/// Only who was asked can say that it sees to a span, and a late answer changes nothing.
#[test]
fn receipts_count_for_their_senders_only() {
    let mut victim = Victim::new(6);
    victim.hear(peer(300), &pass(&good(START)));
    let sent = victim.take_sent();
    let span_of = |message: &spreading::Message| match message {
        spreading::Message::Broadcast(Message::Pass(_, span)) => Some(*span),
        _ => None,
    };
    let passed: Vec<_> = sent
        .iter()
        .filter_map(|(to, message)| Some((*to, span_of(message)?)))
        .collect();
    assert_eq!(passed.len(), 5);
    for (index, (_, span)) in passed.iter().enumerate().skip(1) {
        // All but one answer, and one in the name of another.
        let receipt = broadcast(Message::Received(good(START).id(), *span));
        victim.hear(passed[index].0, &receipt);
    }
    let receipt = broadcast(Message::Received(good(START).id(), passed[0].1));
    victim.hear(passed[1].0, &receipt);
    victim.now = START + RECEIPT_WITHIN;
    let before = victim.overlay.view().cache.len();
    victim.timer(Timer::Receipts);
    assert_eq!(before, 6);
    // What lay behind the silent one was empty: there is nobody to pass it to.
    assert!(victim.take_sent().is_empty());
    victim.hear(passed[0].0, &receipt);
    assert!(victim.take_sent().is_empty() && victim.take_blamed().is_empty());
}

#[test]
fn offers_wait_until_the_tree_is_done() {
    let mut victim = Victim::new(20);
    let announcement = good(START);
    let compare = broadcast(Message::Compare(AtMost::first_of(vec![])));
    let offers = |message: &Message| matches!(message, Message::Offer(_));
    victim.hear(peer(6), &pass(&announcement));
    victim.take_sent();
    victim.now = START + OFFER_AFTER - TICK;
    victim.hear(peer(7), &compare);
    victim.timer(Timer::Offer(announcement.id()));
    assert!(victim.take_sent().is_empty());
    victim.now = START + OFFER_AFTER;
    victim.hear(peer(7), &compare);
    assert_eq!(count(&victim.take_sent(), offers), 1);
    victim.timer(Timer::Offer(announcement.id()));
    // Two on each side, and up to two elsewhere.
    assert!((4..=6).contains(&count(&victim.take_sent(), offers)));
    // Who has it is offered nothing.
    let known = AtMost::first_of(vec![announcement.id()]);
    victim.hear(peer(7), &broadcast(Message::Compare(known)));
    assert!(victim.take_sent().is_empty());
}

#[test]
fn long_lists_are_not_read() {
    let ids = |count: u64| -> Vec<Digest> { (0..count).map(id).collect() };
    let bytes = |kind: u8, ids: Vec<Digest>| {
        let mut bytes = encode(&broadcast(Message::Offer(AtMost::first_of(vec![]))));
        // [2, [[kind, [[]]]]] with the list put in.
        assert_eq!(bytes.pop(), Some(0x80));
        let at = bytes.iter().rposition(|byte| *byte == 2).unwrap();
        bytes[at] = kind;
        bytes.extend(&encode(&ids)[1..]);
        bytes
    };
    let read = |bytes: Vec<u8>| decode::<spreading::Message>(&bytes, 1 << 20);
    for (kind, max) in [(2, OFFERS_MAX as u64), (5, 1024)] {
        assert!(read(bytes(kind, ids(max))).is_ok());
        assert!(read(bytes(kind, ids(max + 1))).is_err());
    }
}

proptest! {
    /// Whatever span a peer names, it is split among nodes that are known, each of which gets one payload at most.
    #[test]
    fn any_span_can_be_asked_for(after: u64, before: u64, equal: bool) {
        let before = if equal { after } else { before };
        let span = Span { after: Location(after), before: Location(before) };
        let mut victim = Victim::new(50);
        victim.hear(peer(6), &broadcast(Message::Pass(good(START), span)));
        victim.hear(peer(6), &broadcast(Message::Also(good(START).id(), span)));
        let passes = |message: &Message| matches!(message, Message::Pass(..));
        let sent = victim.take_sent();
        prop_assert_eq!(count(&sent, |message| matches!(message, Message::Received(..))), 2);
        prop_assert!(count(&sent, passes) <= 2 * 64);
        let to: std::collections::BTreeSet<_> = sent[1..].iter().map(|(to, _)| *to).collect();
        prop_assert!(to.iter().all(|to| *to != peer(0)));
    }
}
