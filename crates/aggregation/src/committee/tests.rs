//! Whole computations between nodes in memory, honest and not.
//!
//! Twelve seats, all of whose holders contribute, three more people, and a querier. In every test with an adversary the
//! totals are those of the agreed set, or there are none, and nobody honest is accused.

mod bounds;
mod contributors;
mod costs;
mod groups;
mod handing;
mod harness;
mod leaders;
mod lists;
mod proofs;
mod querying;
mod replicas;
mod traffic;
mod trees;

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;

use base::{Digest, Duration, Input, NodeId, Rng};
use community::Identity;
use crypto::{SealingKey, SigningKey, Vector};

use crate::committee::protocol::Command;
use crate::committee::{Evidence, Failure, Message, Misbehaviour, Way};
use harness::{LATENCY, Net, SEATS, START, authority, member, some_keys, vector};

#[test]
fn honest_nodes_add_up_exactly() {
    let mut net = Net::new();
    assert_eq!(net.run(), Ok(vec![15, 120]));
    assert_eq!(net.sets.len(), SEATS);
    net.assert_only_accused(&[]);
    let soon = START + Duration::from_secs(2);
    assert!(net.ended_at < soon, "closed when all had answered");
    let evidence = net.ended.clone().unwrap().unwrap();
    assert_eq!((evidence.set.included, evidence.set.declined), (15, 0));
    assert_eq!((evidence.set.asked, evidence.set.away()), (15, 0));
    assert_eq!(net.accepted.len(), 15, "all are told");
}

#[test]
fn messages_may_arrive_in_any_order() {
    for seed in 0..4 {
        let mut net = Net::new();
        let mut rng = Rng::from_number(seed);
        net.delay = Box::new(move |_, _, _| Duration::from_millis(rng.below(200)));
        assert_eq!(net.run(), Ok(vec![15, 120]));
        net.assert_only_accused(&[]);
    }
}

#[test]
fn owners_who_decline_or_do_not_match_are_told_apart_from_nobody_who_matters() {
    let mut net = Net::new();
    let people = net.people.clone();
    net.values.insert(people[3], None);
    net.values.insert(people[14], None);
    net.values.insert(people[5], Some(0));
    net.dead.insert(people[13]);
    assert_eq!(net.run(), Ok(vec![11, 120 - 4 - 15 - 6 - 14]));
    let evidence = net.ended.clone().unwrap().unwrap();
    assert_eq!((evidence.set.included, evidence.set.declined), (12, 2));
    assert_eq!((evidence.set.asked, evidence.set.away()), (15, 1));
    assert!(net.ended_at >= net.terms.closes_at, "one stayed away");
    net.assert_only_accused(&[]);
}

#[test]
fn a_node_without_a_seat_does_not_serve_and_impossible_terms_are_not_asked() {
    let mut net = Net::new();
    let (outsider, querier) = (net.people[14], net.querier);
    let serve = Command::Serve(Arc::clone(&net.terms), BTreeSet::new().into());
    net.give(outsider, serve);
    assert!(net.queue.is_empty());
    let mut terms = (*net.terms).clone();
    terms.seats.pop();
    net.give(querier, Command::Ask(Arc::new(terms)));
    assert_eq!(net.ended.take(), Some(Err(Failure::TimedOut)));
}
