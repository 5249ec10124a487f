//! What replicas say that they hold, where it differs, and where they lie about it.

use super::*;
use crate::committee::holdings::{Holdings, list_digest};
use crate::committee::inclusion::Entry;
use crate::committee::statement::Signed;

/// Lets seats say that they hold another list than they do, and give that one to whoever asks.
fn false_lists(net: &mut Net, seats: &[usize], change: fn(&mut Vec<Entry>), asked: Option<u64>) {
    let liars: Vec<_> = seats.iter().map(|seat| net.terms.seats[*seat]).collect();
    let keys: Vec<_> = liars.iter().map(|liar| net.key(*liar)).collect();
    let (extra, terms) = (Rc::clone(&net.extra), Arc::clone(&net.terms));
    let mut lists = std::collections::BTreeMap::new();
    net.tamper = Box::new(move |from, to, message| {
        let known: &mut std::collections::BTreeMap<NodeId, Vec<Entry>> = &mut lists;
        match message {
            Message::Forward(_, items, _) => {
                let entries = known.entry(to).or_default();
                entries.extend(items.iter().map(|item| Entry {
                    contributor: item.header.node(),
                    header: item.header.digest(terms.round()),
                    declines: item.header.declines(),
                }));
                entries.sort();
                entries.dedup();
            }
            Message::Holdings(holdings) => {
                if let Some(liar) = liars.iter().position(|liar| *liar == from) {
                    let mut entries = known.get(&from).cloned().unwrap_or_default();
                    change(&mut entries);
                    let mut body: Holdings = holdings.body.clone();
                    body.list = list_digest(&entries);
                    body.asked = asked.unwrap_or(body.asked);
                    **holdings = Signed::new(&keys[liar], holdings.index(), body);
                }
            }
            Message::ListWanted(wanted) if liars.contains(&to) => {
                let mut entries = known.get(&to).cloned().unwrap_or_default();
                change(&mut entries);
                let answer = Message::List(Box::new(wanted.answer(&entries)));
                extra.borrow_mut().push((to, from, answer));
            }
            _ => {}
        }
        true
    });
}

#[test]
fn lists_that_are_none_are_not_used() {
    let changes: [fn(&mut Vec<Entry>); 2] = [Vec::clear, |entries| {
        let mut twice = entries[3];
        twice.header = Digest([8; 32]);
        entries.insert(4, twice);
    }];
    for (change, accused) in changes.into_iter().zip([false, true]) {
        let mut net = Net::new();
        let liar = net.terms.seats[7];
        false_lists(&mut net, &[7], change, None);
        assert_eq!(net.run(), Ok(vec![15, 120]));
        if accused {
            net.assert_accused(liar, Misbehaviour::Order);
        } else {
            net.assert_only_accused(&[]);
        }
    }
}

/// Who signs a list and does not show it is left out, and costs the time for stragglers.
#[test]
fn a_list_that_is_not_shown_is_not_used() {
    let mut net = Net::new();
    let liar = net.terms.seats[7];
    let key = net.key(liar);
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Holdings(holdings) = message
            && from == liar
        {
            let mut body: Holdings = holdings.body.clone();
            body.list = Digest([7; 32]);
            **holdings = Signed::new(&key, 7, body);
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    assert!(net.ended_at < START + Duration::from_millis(1500));
    net.assert_only_accused(&[liar]);
}

#[test]
fn holdings_of_another_seat_are_not_used() {
    let mut net = Net::new();
    let liar = net.terms.seats[7];
    let key = net.key(liar);
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Holdings(holdings) = message
            && from == liar
        {
            **holdings = Signed::new(&key, 8, holdings.body.clone());
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_accused(liar, Misbehaviour::Seat);
}

/// Three say one thing to the leader and another to the others: who lacks the statements that count asks for them.
#[test]
fn liars_that_tell_the_leader_something_else_delay_nobody_for_long() {
    let mut net = Net::new();
    let leader = net.terms.seats[0];
    let liars = [4, 7, 10].map(|seat| (net.terms.seats[seat], seat));
    let keys = liars.map(|(liar, _)| net.key(liar));
    net.tamper = Box::new(move |from, to, message| {
        if let Message::Holdings(holdings) = message
            && let Some(liar) = liars.iter().position(|(liar, _)| *liar == from)
            && to != leader
        {
            let mut body: Holdings = holdings.body.clone();
            body.list = Digest([7; 32]);
            **holdings = Signed::new(&keys[liar], liars[liar].1, body);
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    assert_eq!(net.ended.clone().unwrap().unwrap().certificate.view, 0);
    net.assert_only_accused(&liars.map(|(liar, _)| liar));
}

#[test]
fn liars_that_claim_to_hold_what_nobody_handed_in_add_nobody() {
    const GHOST: NodeId = NodeId([77; 32]);
    let mut net = Net::new();
    let add_ghost = |entries: &mut Vec<Entry>| {
        entries.push(Entry {
            contributor: GHOST,
            header: Digest([5; 32]),
            declines: false,
        });
        entries.sort();
    };
    let liars = [0, 4, 8].map(|seat| net.terms.seats[seat]);
    false_lists(&mut net, &[0, 4, 8], add_ghost, Some(u64::MAX));
    assert_eq!(net.run(), Ok(vec![15, 120]));
    assert!(!net.included().contains(&GHOST));
    let evidence = net.ended.clone().unwrap().unwrap();
    assert_eq!(evidence.set.asked, 15, "the median is an honest one");
    net.assert_only_accused(&liars);
}
