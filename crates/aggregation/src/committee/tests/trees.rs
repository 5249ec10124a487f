//! Trees of committees: three leaves and a root.

use base::Location;

use super::*;
use crate::committee::contribution::Bundle;
use crate::committee::message::Sum;
use crate::committee::place::Catchment;
use crate::committee::statement::{LaneSum, Signed};

const EVERYBODY: u64 = 39;
const TOTAL: u64 = 39 * 40 / 2;

#[test]
fn three_leaves_add_up_to_the_total_of_all() {
    let mut net = Net::tree();
    assert_eq!(net.run(), Ok(vec![EVERYBODY, TOTAL]));
    let set = net.ended.clone().unwrap().unwrap().set;
    assert_eq!(
        (set.included, set.asked, set.away(), set.lost),
        (39, 39, 0, 0)
    );
    assert_eq!(net.leaf_sets.len(), 3);
    assert!(net.ended_at < START + Duration::from_secs(3));
    net.assert_only_accused(&[]);
}

#[test]
fn proofs_are_checked_at_the_leaves() {
    let mut net = Net::tree();
    net.prove_sums();
    let liar = net.people[17];
    net.silent.insert(liar);
    assert_eq!(net.run(), Ok(vec![EVERYBODY - 1, TOTAL - 18]));
    net.assert_only_accused(&[]);
}

#[test]
fn messages_in_a_tree_may_arrive_in_any_order() {
    for seed in 0..3 {
        let mut net = Net::tree();
        let mut rng = Rng::from_number(seed);
        net.delay = Box::new(move |_, _, _| Duration::from_millis(rng.below(300)));
        assert_eq!(net.run(), Ok(vec![EVERYBODY, TOTAL]));
        net.assert_only_accused(&[]);
    }
}

/// No sum of a leaf goes to anybody but the same lane of the root, and no count leaves the root.
#[test]
fn no_leafs_total_is_opened() {
    let mut net = Net::tree();
    let root = Arc::clone(&net.terms);
    let leaves: Vec<_> = net
        .leaves
        .iter()
        .map(|(leaf, _)| Arc::clone(leaf))
        .collect();
    net.tamper = Box::new(move |from, to, message| {
        match message {
            Message::Part(round, sum) => {
                assert_eq!(*round, root.round());
                let of = leaves.iter().find(|leaf| leaf.round() == sum.set.round);
                let lane = of.and_then(|leaf| leaf.seat(from)).map(|seat| seat / 3);
                assert_eq!(root.seat(to).map(|seat| seat / 3), lane);
            }
            Message::Count(count) => assert_eq!(count.body.0.round, root.round()),
            Message::Sum(sum) => assert_eq!(sum.set.round, root.round()),
            _ => {}
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![EVERYBODY, TOTAL]));
}

#[test]
fn any_replica_of_a_leaf_or_of_the_root_may_die() {
    for seat in [0, 4, 11] {
        let mut net = Net::tree();
        let of_leaf = net.leaves[1].0.seats[seat];
        net.crash = Box::new(move |from, _, message| {
            from == of_leaf && matches!(message, Message::Part(..))
        });
        assert_eq!(net.run(), Ok(vec![EVERYBODY, TOTAL]));
        let mut net = Net::tree();
        let (root, round) = (net.terms.seats[seat], net.terms.round());
        net.crash = Box::new(move |from, _, message| {
            from == root && message.round() == round && matches!(message, Message::Holdings(_))
        });
        assert_eq!(net.run(), Ok(vec![EVERYBODY, TOTAL]));
        net.assert_only_accused(&[]);
    }
}

/// A leaf of which a lane is gone: its people are away, and the others' total is exact.
#[test]
fn a_lost_leaf_is_left_out() {
    let mut net = Net::tree();
    let lost: Vec<_> = net.leaves[2].0.replicas(1).to_vec();
    net.crash = Box::new(move |from, _, message| {
        lost.contains(&from) && matches!(message, Message::Part(..) | Message::Holdings(_))
    });
    let two = 26 * 27 / 2;
    assert_eq!(net.run(), Ok(vec![26, two]));
    let set = net.ended.clone().unwrap().unwrap().set;
    assert_eq!((set.included, set.lost), (26, 1));
    assert!(net.ended_at >= net.terms.closes_at);
    net.assert_only_accused(&[]);
}

/// Sums that reach only one of three replicas of a lane are passed on to its mates.
#[test]
fn parts_that_are_lost_come_from_mates_or_again() {
    let mut net = Net::tree();
    let victims: Vec<_> = (0..4).map(|lane| net.terms.seats[3 * lane]).collect();
    let leaf = net.leaves[0].0.clone();
    net.tamper = Box::new(move |from, to, message| {
        // Nothing comes from that leaf itself.
        let direct = leaf.seat(from).is_some()
            && matches!(message, Message::Part(_, sum) if sum.set.round == leaf.round());
        !(direct && victims.contains(&to) && !victims.contains(&from))
    });
    assert_eq!(net.run(), Ok(vec![EVERYBODY, TOTAL]));
    net.assert_only_accused(&[]);
}

/// Most send the quorum's signatures only when they say it again.
#[test]
fn sums_without_signatures_under_their_set_wait_for_them() {
    for certifies in [None, Some(4)] {
        let mut net = Net::tree();
        let seats: BTreeSet<_> = net
            .leaves
            .iter()
            .flat_map(|(l, _)| l.seats.clone())
            .collect();
        let certifier = certifies.map(|seat| net.leaves[1].0.seats[seat]);
        let mut said = BTreeSet::new();
        net.tamper = Box::new(move |from, to, message| {
            if let Message::Part(_, sum) = message
                && seats.contains(&from)
                && Some(from) != certifier
                && said.insert((from, to))
            {
                sum.certificate = None;
            }
            true
        });
        assert_eq!(net.run(), Ok(vec![EVERYBODY, TOTAL]));
        net.assert_only_accused(&[]);
    }
}

fn change_parts(net: &mut Net, change: fn(&mut Sum, &SigningKey)) -> NodeId {
    let (leaf, _) = net.leaves[1].clone();
    let liar = leaf.seats[5];
    let key = net.key(liar);
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Part(_, sum) = message
            && from == liar
            && sum.sum.index() == 5
            && sum.set.round == leaf.round()
        {
            change(sum, &key);
        }
        true
    });
    liar
}

#[test]
fn each_fault_of_a_part_has_its_name_and_harms_nobody() {
    type Change = fn(&mut Sum, &SigningKey);
    let cases: [(Change, Misbehaviour); 6] = [
        (
            |sum, key| sum.sum = Signed::new(key, 1, sum.sum.body.clone()),
            Misbehaviour::Seat,
        ),
        (|sum, _| sum.set.included += 1, Misbehaviour::OtherSet),
        (
            |sum, key| {
                sum.set.included += 1;
                let mut body = sum.sum.body.clone();
                body.0.set = sum.set.digest();
                sum.sum = Signed::new(key, 5, body);
            },
            Misbehaviour::OtherSet,
        ),
        (
            |sum, key| {
                let mut body = sum.sum.body.clone();
                body.0.sums.push(0);
                sum.sum = Signed::new(key, 5, body);
            },
            Misbehaviour::Shape,
        ),
        (
            |sum, _| sum.sum.body.0.sums[1] ^= 1,
            Misbehaviour::Signature,
        ),
        (
            |sum, _| sum.set.round = Digest([9; 32]),
            Misbehaviour::OtherRound,
        ),
    ];
    for (change, what) in cases {
        let mut net = Net::tree();
        let liar = change_parts(&mut net, change);
        assert_eq!(net.run(), Ok(vec![EVERYBODY, TOTAL]), "{what:?}");
        let accused: Vec<_> = net
            .accusations
            .iter()
            .map(|(_, who, why)| (*who, *why))
            .collect();
        assert!(
            accused.contains(&(liar, what)) || accused.contains(&(liar, Misbehaviour::Quorum)),
            "{what:?} {accused:?}"
        );
        net.assert_only_accused(&[liar]);
    }
}

#[test]
fn a_false_sum_of_one_replica_of_a_leaf_is_outvoted() {
    let mut net = Net::tree();
    let liar = change_parts(&mut net, |sum, key| {
        let mut body = sum.sum.body.clone();
        body.0.sums[1] = 7;
        sum.sum = Signed::new(key, 5, LaneSum(body.0));
    });
    assert_eq!(net.run(), Ok(vec![EVERYBODY, TOTAL]));
    net.assert_only_accused(&[liar]);
}

#[test]
fn nobody_contributes_to_another_leaf_than_the_own_one() {
    let mut net = Net::tree();
    let person = net.people[0];
    let location = net.identities[&person].certificate.location();
    let own = Catchment::of(location, Location(5), 3);
    for number in 0..3 {
        let leaf = Arc::make_mut(&mut net.leaves[number].0);
        leaf.place.catchment = Some(Catchment {
            number: number as u64,
            ..own
        });
    }
    net.take_seats();
    for number in 0..3 {
        net.accusations.clear();
        let leaf = Arc::clone(&net.leaves[number].0);
        let rng = &mut Rng::from_number(2);
        let identity = &net.identities[&person];
        let bundle = Bundle::new(identity, &leaf, &some_keys(), &vector(5), rng);
        let message = Message::Bundle(leaf.round(), Box::new(bundle.unwrap()));
        net.inject(person, leaf.seats[0], message);
        if own.number == number as u64 {
            net.assert_only_accused(&[]);
        } else {
            net.assert_accused(person, Misbehaviour::OtherLeaf);
        }
    }
}

#[test]
fn nobody_contributes_to_a_root_and_leaves_take_no_parts() {
    let mut net = Net::tree();
    net.take_seats();
    let (root, leaf) = (net.terms.clone(), net.leaves[0].0.clone());
    let person = net.people[0];
    let rng = &mut Rng::from_number(2);
    let identity = &net.identities[&person];
    let bundle = Bundle::new(identity, &root, &some_keys(), &vector(5), rng);
    let message = Message::Bundle(root.round(), Box::new(bundle.unwrap()));
    net.inject(person, root.seats[0], message);
    net.assert_accused(person, Misbehaviour::Seat);
    net.accusations.clear();
    net.run().unwrap();
    let evidence = net.ended.clone().unwrap().unwrap();
    let sum = Sum {
        set: evidence.set,
        certificate: Some(evidence.certificate),
        sum: evidence.sums[0].clone().first().unwrap(),
    };
    net.inject(
        person,
        leaf.seats[0],
        Message::Part(leaf.round(), Box::new(sum)),
    );
    net.assert_accused(person, Misbehaviour::OtherRound);
}
