//! What the querier is told, and what convinces others.

use super::*;
use crate::committee::statement::{LaneSum, Signed};

#[test]
fn a_small_crowd_is_refused_in_messages_that_do_not_depend_on_its_size() {
    let told = |matching: usize| {
        let mut net = Net::with_threshold(10);
        for person in net.people.clone().into_iter().skip(matching) {
            net.values.insert(person, Some(0));
        }
        net.tamper = Box::new(|_, _, message| {
            assert!(!matches!(message, Message::Sum(_)), "no sum is given");
            true
        });
        assert_eq!(net.run(), Err(Failure::SmallCrowd));
        net.told
    };
    let nobody = told(0);
    for matching in 1..10 {
        assert_eq!(told(matching), nobody, "{matching} match");
    }
}

#[test]
fn the_smallest_crowd_that_may_be_counted_is_counted() {
    let mut net = Net::with_threshold(10);
    for person in net.people.clone().into_iter().skip(10) {
        net.values.insert(person, Some(0));
    }
    assert_eq!(net.run(), Ok(vec![10, 55]));
}

#[test]
fn a_false_lane_sum_is_a_conflict_and_no_answer() {
    let mut net = Net::new();
    let liar = net.terms.seats[10];
    let key = net.key(liar);
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Sum(sum) = message
            && from == liar
        {
            let mut body = sum.sum.body.clone();
            body.0.sums[1] = 7;
            sum.sum = Signed::new(&key, 10, LaneSum(body.0));
        }
        true
    });
    assert_eq!(net.run(), Err(Failure::Conflict));
}

#[test]
fn a_sum_in_anothers_name_or_over_another_set_is_not_used() {
    type Change = fn(&mut crate::committee::message::Sum, &SigningKey);
    let cases: [(Change, Misbehaviour); 4] = [
        (
            |sum, key| sum.sum = Signed::new(key, 9, sum.sum.body.clone()),
            Misbehaviour::Seat,
        ),
        (|sum, _| sum.set.included += 1, Misbehaviour::Quorum),
        (
            |sum, key| {
                let mut body = sum.sum.body.clone();
                body.0.set = Digest([7; 32]);
                sum.sum = Signed::new(key, 10, body);
            },
            Misbehaviour::OtherSet,
        ),
        (
            |sum, key| {
                let mut body = sum.sum.body.clone();
                body.0.sums.push(0);
                sum.sum = Signed::new(key, 10, body);
            },
            Misbehaviour::Shape,
        ),
    ];
    for (change, what) in cases {
        let mut net = Net::new();
        let liar = net.terms.seats[10];
        let key = net.key(liar);
        net.tamper = Box::new(move |from, _, message| {
            if let Message::Sum(sum) = message
                && from == liar
            {
                change(sum, &key);
            }
            true
        });
        assert_eq!(net.run(), Ok(vec![15, 120]), "{what:?}");
        net.assert_accused(liar, what);
    }
}

#[test]
fn every_part_of_the_evidence_is_checked() {
    let mut net = Net::new();
    net.run().unwrap();
    let evidence = net.ended.clone().unwrap().unwrap();
    assert_eq!(evidence.checks(), 8 + 4 * 2);
    let changed = |change: &dyn Fn(&mut Evidence)| {
        let mut changed = evidence.clone();
        change(&mut changed);
        changed.verify(&net.terms).unwrap_err()
    };
    use Misbehaviour as M;
    assert_eq!(changed(&|e| e.set.round = Digest([0; 32])), M::OtherRound);
    assert_eq!(changed(&|e| e.set.root = Digest([0; 32])), M::Quorum);
    assert_eq!(changed(&|e| e.set.included += 1), M::Quorum);
    assert_eq!(changed(&|e| e.set.declined += 1), M::Quorum);
    assert_eq!(changed(&|e| e.set.asked += 1), M::Quorum);
    assert_eq!(changed(&|e| e.set.at = START), M::Quorum);
    assert_eq!(changed(&|e| e.certificate.view += 1), M::Quorum);
    assert_eq!(changed(&|e| e.certificate.votes.truncate(7)), M::Quorum);
    assert_eq!(changed(&|e| e.sums.truncate(3)), M::Shape);
    assert_eq!(changed(&|e| e.sums.swap(0, 1)), M::NoMajority);
    assert_eq!(changed(&|e| e.sums[0].votes.truncate(1)), M::NoMajority);
    assert_eq!(changed(&|e| e.sums[0].votes[0].0 = 2), M::NoMajority);
    assert_eq!(changed(&|e| e.sums[0].body.0.sums[1] += 1), M::Signature);
    assert_eq!(
        changed(&|e| e.sums[0].body.0.set = Digest([0; 32])),
        M::OtherSet
    );
    assert_eq!(
        changed(&|e| e.sums[0].body.0.round = Digest([0; 32])),
        M::OtherRound
    );
    let mut elsewhere = (*net.terms).clone();
    elsewhere.list = Digest([9; 32]);
    assert_eq!(evidence.verify(&elsewhere), Err(M::OtherRound));
}
