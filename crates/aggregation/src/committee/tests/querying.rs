//! What the querier is told, and what convinces others.

use super::*;
use crate::committee::statement::{LaneSum, Signed};
use crate::sizes::Sizes;

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

/// Lets one seat give a false sum of its lane.
fn false_sum(net: &mut Net) -> NodeId {
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
    liar
}

#[test]
fn a_false_lane_sum_is_a_conflict_and_no_answer() {
    let mut net = Net::new();
    let liar = false_sum(&mut net);
    assert_eq!(net.run(), Err(Failure::Conflict));
    net.assert_only_accused(&[liar]);
}

#[test]
fn a_false_lane_sum_may_be_outvoted() {
    let mut net = Net::new();
    Arc::make_mut(&mut net.terms).outvotes = true;
    let liar = false_sum(&mut net);
    assert_eq!(net.run(), Ok(vec![15, 120]));
    net.assert_accused(liar, Misbehaviour::Sum);
}

#[test]
fn a_sum_in_anothers_name_or_over_another_set_is_not_used() {
    type Change = fn(&mut crate::committee::message::Sum, &SigningKey);
    let cases: [(Change, Misbehaviour); 6] = [
        (
            |sum, key| sum.sum = Signed::new(key, 2, sum.sum.body.clone()),
            Misbehaviour::Seat,
        ),
        (|sum, _| sum.set.included += 1, Misbehaviour::Quorum),
        (
            |sum, key| {
                let mut body = sum.sum.body.clone();
                body.0.set = Digest([7; 32]);
                sum.sum = Signed::new(key, 1, body);
            },
            Misbehaviour::OtherSet,
        ),
        (
            |sum, key| {
                let mut body = sum.sum.body.clone();
                body.0.sums.push(0);
                sum.sum = Signed::new(key, 1, body);
            },
            Misbehaviour::Shape,
        ),
        (
            |sum, key| {
                let mut body = sum.sum.body.clone();
                body.0.sums[1] = Vector::MODULUS;
                sum.sum = Signed::new(key, 1, body);
            },
            Misbehaviour::Shape,
        ),
        (
            |sum, _| sum.sum.body.0.sums[1] ^= 1,
            Misbehaviour::Signature,
        ),
    ];
    for (change, what) in cases {
        let mut net = Net::new();
        let liar = net.terms.seats[1];
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

/// Who does not send the quorum's signatures is believed once somebody else has, and not blamed for a set that nobody else
/// knows: it may be that more lie than the agreement bears.
#[test]
fn a_sum_without_signatures_under_its_set_waits_for_them() {
    for lies in [false, true] {
        let mut net = Net::new();
        let late = net.terms.seats[..4].to_vec();
        net.delay = Box::new(move |from, _, message| {
            let waits = matches!(message, Message::Sum(_)) && late.contains(&from);
            LATENCY + Duration::from_millis(if waits { 200 } else { 0 })
        });
        let brief = net.terms.seats[10];
        let seen = Rc::new(RefCell::new(0));
        let count = Rc::clone(&seen);
        net.tamper = Box::new(move |from, _, message| {
            if let Message::Sum(sum) = message
                && from == brief
                && sum.certificate.is_none()
            {
                *count.borrow_mut() += 1;
                sum.set.included += u64::from(lies);
            }
            true
        });
        assert_eq!(net.run(), Ok(vec![15, 120]));
        assert_eq!(*seen.borrow(), 1);
        net.assert_only_accused(&[]);
    }
}

/// The signatures come last, so that all sums count at one moment.
#[test]
fn an_end_is_told_once_and_a_liar_named_once() {
    let mut net = Net::new();
    Arc::make_mut(&mut net.terms).outvotes = true;
    let liar = net.terms.seats[10];
    let (liar_key, last) = (net.key(liar), net.terms.seats[0]);
    net.delay = Box::new(move |from, _, message| {
        let waits = matches!(message, Message::Sum(_)) && from == last;
        Duration::from_millis(if waits { 200 } else { 0 })
    });
    let ends = Rc::new(RefCell::new(Vec::new()));
    let told = Rc::clone(&ends);
    net.tamper = Box::new(move |from, to, message| {
        match message {
            Message::Sum(sum) if from != last => {
                sum.certificate = None;
                if from == liar {
                    let mut body = sum.sum.body.clone();
                    body.0.sums[1] = 7;
                    sum.sum = Signed::new(&liar_key, 10, LaneSum(body.0));
                }
            }
            Message::Done(_) => told.borrow_mut().push(to),
            _ => {}
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    let mut seats = net.terms.seats.clone();
    seats.sort();
    ends.borrow_mut().sort();
    assert_eq!(*ends.borrow(), seats);
    let named = net.accusations.iter().filter(|(by, ..)| *by == net.querier);
    assert_eq!(
        named.collect::<Vec<_>>(),
        [&(net.querier, liar, Misbehaviour::Sum)]
    );
}

/// The others send them when nothing has come of it.
#[test]
fn all_who_send_the_signatures_under_the_set_may_die() {
    let mut net = Net::sized(
        20,
        Sizes {
            lanes: 2,
            replicas: 8,
            signers: 2,
        },
        2,
    );
    let first = net.terms.seats[..4].to_vec();
    net.crash = Box::new(move |from, _, message| {
        matches!(message, Message::Sum(_)) && first.contains(&from)
    });
    assert_eq!(net.run(), Ok(vec![20, 210]));
    assert_eq!(net.dead.len(), 4);
    net.assert_only_accused(&[]);
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
    assert_eq!(changed(&|e| e.sums.swap(0, 1)), M::TooFew);
    assert_eq!(changed(&|e| e.sums[0].votes.truncate(1)), M::TooFew);
    assert_eq!(changed(&|e| e.sums[0].votes[0].0 = 2), M::TooFew);
    let repeat = |e: &mut Evidence| e.sums[0].votes[1] = e.sums[0].votes[0];
    assert_eq!(changed(&repeat), M::TooFew);
    let swap = |e: &mut Evidence| e.sums[0].votes[0].1 = e.sums[1].votes[0].1;
    assert_eq!(changed(&swap), M::Signature);
    let swap = |e: &mut Evidence| e.certificate.votes[0].1 = e.certificate.votes[1].1;
    assert_eq!(changed(&swap), M::Quorum);
    let resigned = |e: &mut Evidence, sums: Vec<u64>| {
        e.sums[0].body.0.sums = sums;
        let body = e.sums[0].body.clone();
        for vote in &mut e.sums[0].votes {
            let key = net.key(net.terms.seats[usize::from(vote.0)]);
            let body = body.clone();
            vote.1 = Signed::new(&key, usize::from(vote.0), body).vote().1;
        }
    };
    assert_eq!(
        changed(&|e| resigned(e, vec![Vector::MODULUS, 0])),
        M::Shape
    );
    assert_eq!(changed(&|e| resigned(e, vec![1, 2, 3])), M::Shape);
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
    let mut others = (*net.terms).clone();
    others.seats[0] = net.querier;
    assert!(evidence.verify(&others).is_err());
    let read: Evidence = base::decode(&base::encode(&evidence), 1 << 16).unwrap();
    let totals = read.verify(&net.terms).unwrap();
    assert_eq!((totals.whole, totals.cells), (vec![15, 120], Vec::new()));
}

/// More lie than the agreement bears, and sign two sets: the querier takes neither.
#[test]
fn two_agreed_sets_are_a_conflict() {
    let mut net = Net::new();
    let liars = net.terms.replicas(3).to_vec();
    let keys: Vec<_> = net.terms.seats.iter().map(|seat| net.key(*seat)).collect();
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Sum(sum) = message
            && liars.contains(&from)
        {
            sum.set.declined += 1;
            if let Some(certificate) = &mut sum.certificate {
                let ballot = Ballot {
                    instance: sum.set.round,
                    view: certificate.view,
                    value: sum.set.digest(),
                };
                for (seat, vote) in &mut certificate.votes {
                    let key = &keys[usize::from(*seat)];
                    *vote = key.sign("commonhold agreement commit", &base::encode(&ballot));
                }
            }
            let mut body = sum.sum.body.clone();
            body.0.set = sum.set.digest();
            let seat = sum.sum.index();
            sum.sum = Signed::new(&keys[seat], seat, body);
        }
        true
    });
    assert_eq!(net.run(), Err(Failure::Conflict));
}

/// What a vote of the agreement covers.
#[derive(base::minicbor::Encode)]
#[cbor(map)]
struct Ballot {
    #[n(0)]
    instance: Digest,
    #[n(1)]
    view: u64,
    #[n(2)]
    value: Digest,
}
