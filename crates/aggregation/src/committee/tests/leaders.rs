//! Leaders of the agreement that crash or lie.

use base::{decode, encode};

use super::*;
use crate::agreement::Message as Word;
use crate::committee::inclusion::SetBody;
use crate::committee::support::Support;

fn is_proposal(message: &Message) -> bool {
    matches!(message, Message::Agreement(_, word) if matches!(**word, Word::Proposal { .. }))
}

fn is_prevote(message: &Message) -> bool {
    matches!(message, Message::Agreement(_, word) if matches!(**word, Word::Prevote(_)))
}

fn is_commit(message: &Message) -> bool {
    matches!(message, Message::Agreement(_, word) if matches!(**word, Word::Commit(_)))
}

#[test]
fn a_leader_may_crash_at_any_step() {
    let steps: [fn(&Message) -> bool; 4] = [
        |message| matches!(message, Message::Support(_)),
        is_proposal,
        is_prevote,
        is_commit,
    ];
    for step in steps {
        for sent in [0, 6] {
            let mut net = Net::new();
            let (leader, mut count) = (net.terms.seats[0], 0);
            net.crash = Box::new(move |from, _, message| {
                let is_step = from == leader && step(message);
                count += usize::from(is_step);
                is_step && count > sent
            });
            assert_eq!(net.run(), Ok(vec![15, 120]));
            assert!(net.dead.contains(&leader));
            net.assert_only_accused(&[]);
        }
    }
}

/// Lets the first leader propose another set than follows from what replicas hold, to those for whom `whom` holds.
fn false_proposal(net: &mut Net, whom: impl Fn(usize) -> bool + 'static) -> NodeId {
    let (leader, terms) = (net.terms.seats[0], Arc::clone(&net.terms));
    net.tamper = Box::new(move |from, to, message| {
        if let Message::Agreement(_, word) = message
            && let Word::Proposal { value, .. } = &mut **word
            && from == leader
            && terms.seat(to).is_some_and(&whom)
        {
            let mut body: SetBody = decode(value, 256).expect("a set");
            body.included -= 1;
            body.root = Digest([3; 32]);
            *value = encode(&body);
        }
        true
    });
    leader
}

#[test]
fn a_set_that_does_not_follow_is_not_agreed_on() {
    let mut net = Net::new();
    let leader = false_proposal(&mut net, |_| true);
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_only_accused(&[leader]);
    let evidence = net.ended.clone().unwrap().unwrap();
    assert_eq!((evidence.set.included, evidence.certificate.view), (15, 1));
}

#[test]
fn a_leader_that_proposes_two_sets_has_at_most_one() {
    let mut net = Net::new();
    let leader = false_proposal(&mut net, |seat| seat % 2 == 0);
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_only_accused(&[leader]);
}

#[test]
fn a_set_of_another_time_or_computation_is_refused_at_once() {
    let changes: [fn(&mut SetBody); 2] = [
        |body| body.at = START + Duration::from_secs(1000),
        |body| body.round = Digest([0; 32]),
    ];
    for change in changes {
        let mut net = Net::new();
        let leader = net.terms.seats[0];
        net.tamper = Box::new(move |from, _, message| {
            if let Message::Agreement(_, word) = message
                && let Word::Proposal { value, .. } = &mut **word
                && from == leader
            {
                let mut body: SetBody = decode(value, 256).expect("a set");
                change(&mut body);
                *value = body.bytes();
            }
            true
        });
        assert_eq!(net.run(), Ok(vec![15, 120]));
        let evidence = net.ended.clone().unwrap().unwrap();
        assert_eq!(evidence.certificate.view, 1);
        let first_view = Duration::from_millis(1500);
        assert!(net.ended_at < START + first_view, "nobody waits for it");
        net.assert_only_accused(&[leader]);
    }
}

/// All vote for a set; then the leader gives reasons for another one, and keeps quiet about those of the first.
#[test]
fn the_reasons_for_a_set_cannot_be_taken_back() {
    let mut net = Net::new();
    let (leader, seats) = (net.terms.seats[0], net.terms.seats.clone());
    let (extra, mut given, mut taken_back) = (Rc::clone(&net.extra), None, false);
    let mut proposed = None;
    net.tamper = Box::new(move |from, _, message| {
        if from != leader {
            return true;
        }
        if let Message::Agreement(_, word) = message
            && let Word::Proposal { value, .. } = &**word
        {
            proposed = Some(decode::<SetBody>(value, 256).expect("a set"));
        }
        if is_commit(message) && !taken_back {
            taken_back = true;
            let mut other: Box<Support> = given.clone().expect("it gave reasons");
            let later = START + Duration::from_secs(5);
            other.date_for_tests(proposed.as_ref().expect("it proposed"), later);
            for to in &seats[1..] {
                let other = Message::Support(other.clone());
                extra.borrow_mut().push((leader, *to, other));
            }
        }
        if let Message::Support(support) = message {
            given.get_or_insert_with(|| support.clone());
        }
        !(taken_back && matches!(message, Message::Support(_)))
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    assert!(net.ended_at < net.terms.closes_at);
    assert_eq!(net.ended.clone().unwrap().unwrap().certificate.view, 0);
    net.assert_only_accused(&[]);
}

#[test]
fn a_leader_that_withholds_the_reasons_for_its_set_is_passed_over() {
    let mut net = Net::new();
    let leader = net.terms.seats[0];
    // It withholds the reasons of its proposal.
    net.tamper =
        Box::new(move |from, _, message| from != leader || !matches!(message, Message::Support(_)));
    let totals = net.run();
    assert_eq!(totals, Ok(vec![15, 120]), "the next leader does it");
    net.assert_only_accused(&[]);
}

#[test]
fn a_leader_cannot_forge_what_others_hold() {
    let mut net = Net::new();
    let leader = net.terms.seats[0];
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Support(support) = message
            && from == leader
        {
            // Nobody holds anything, so that nobody is in.
            support.forget_all_for_tests();
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_accused(leader, Misbehaviour::Set);
}
