//! Contributors that lie.

use super::*;
use crate::committee::contribution::Bundle;

#[test]
fn each_fault_of_a_bundle_has_its_name() {
    let mut net = Net::waiting();
    let (seat, person) = (net.terms.seats[0], net.people[14]);
    let round = net.terms.round();
    let good = net.bundle_of(person, 5, &some_keys());
    let mut refused = |from: NodeId, bundle: Bundle| {
        net.accusations.clear();
        net.inject(from, seat, Message::Bundle(round, Box::new(bundle)));
        net.accusations.first().map(|(_, whom, what)| {
            assert_eq!(*whom, from);
            *what
        })
    };
    let mut fewer = good.clone();
    fewer.sealed.pop();
    assert_eq!(refused(person, fewer), Some(Misbehaviour::Shape));
    let mut longer = good.clone();
    longer.sealed[0] = vec![0; 4096].into();
    assert_eq!(refused(person, longer), Some(Misbehaviour::Shape));
    let mut lanes = good.clone();
    lanes.commitments.pop();
    lanes.sealed.pop();
    assert_eq!(refused(person, lanes), Some(Misbehaviour::Shape));
    let mut unsigned = good.clone();
    unsigned.commitments[0] = Digest([0; 32]);
    assert_eq!(refused(person, unsigned.clone()), Some(Misbehaviour::Shape));
    let root = crate::committee::commitments::root(&unsigned.commitments);
    Arc::make_mut(&mut unsigned.header).root = root;
    assert_eq!(refused(person, unsigned), Some(Misbehaviour::Signature));
    assert_eq!(
        refused(net_other(), good.clone()),
        Some(Misbehaviour::Signature)
    );
    assert_eq!(refused(person, good), None);
}

/// Somebody whose name is on no bundle.
fn net_other() -> NodeId {
    NodeId([9; 32])
}

#[test]
fn the_querier_cannot_contribute_to_its_own_question() {
    let mut net = Net::waiting();
    let bundle = net.bundle_of(net.querier, 5, &some_keys());
    let message = Message::Bundle(net.terms.round(), Box::new(bundle));
    net.inject(net.querier, net.terms.seats[0], message);
    net.assert_accused(net.querier, Misbehaviour::QuerierContributes);
}

#[test]
fn strangers_cannot_contribute() {
    let mut net = Net::waiting();
    let impostor = SigningKey::generate(&mut Rng::from_number(44));
    let mut descriptor = net.community.descriptor().clone();
    descriptor.authority = impostor.node();
    let foreign = member(&impostor, &descriptor, START, &mut Rng::from_number(45));
    let descriptor = net.community.descriptor().clone();
    let past = START - Duration::from_secs(7200);
    let expired = member(&authority(), &descriptor, past, &mut Rng::from_number(46));
    for identity in [foreign, expired] {
        let node = identity.node();
        net.identities.insert(node, Arc::new(identity));
        net.accusations.clear();
        let bundle = net.bundle_of(node, 5, &some_keys());
        let message = Message::Bundle(net.terms.round(), Box::new(bundle));
        net.inject(node, net.terms.seats[0], message);
        let [(_, whom, what)] = net.accusations[..] else {
            panic!("accused once");
        };
        assert_eq!(whom, node);
        assert!(matches!(what, Misbehaviour::Certificate(_)));
    }
}

#[test]
fn a_replica_cannot_invent_a_contributor() {
    let mut net = Net::new();
    let (liar, absent) = (net.terms.seats[0], net.people[14]);
    net.dead.insert(absent);
    // The liar signs a header in the absent person's name with its own key.
    let own = &net.identities[&liar];
    let forged = Identity {
        key: own.key.clone(),
        vrf: crypto::VrfSecretKey::from_seed([1; 32]),
        certificate: net.identities[&absent].certificate.clone(),
    };
    let rng = &mut Rng::from_number(8);
    let bundle = Bundle::new(&forged, &net.terms, &some_keys(), &vector(1000), rng).unwrap();
    let round = net.terms.round();
    for (seat, to) in net.terms.seats.clone().into_iter().enumerate() {
        let items = vec![bundle.item(seat / 3)];
        let message = Message::Forward(round, items, Way::Here);
        net.deliver(Duration::from_millis(200), liar, to, message);
    }
    let totals = net.run().unwrap();
    assert_eq!(totals[0], 14);
    assert!(!net.included().contains(&absent));
    net.assert_accused(liar, Misbehaviour::Signature);
}

#[test]
fn two_headers_of_one_person_never_count_twice() {
    let mut net = Net::new();
    let liar = net.people[14];
    let identity = Arc::clone(&net.identities[&liar]);
    let terms = Arc::clone(&net.terms);
    // Every replica is handed another header, all of them well signed, through what the liar's first one forwards.
    let mut turn = 0u64;
    let keys: Rc<RefCell<Vec<Message>>> = Rc::default();
    let log = Rc::clone(&keys);
    net.tamper = Box::new(move |from, _, message| {
        if from == liar && matches!(message, Message::Bundle(..)) {
            log.borrow_mut().push(message.clone());
        }
        if let Message::Forward(_, items, _) = message {
            for item in items.iter_mut().filter(|item| item.header.node() == liar) {
                turn += 1;
                let rng = &mut Rng::from_number(turn);
                let any: Vec<_> = (0..4).map(|_| SealingKey::generate(rng).public()).collect();
                let other = Bundle::new(&identity, &terms, &any, &vector(500), rng);
                *item = other.expect("usable keys").item(0);
            }
        }
        true
    });
    let totals = net.run().unwrap();
    assert_eq!(
        totals,
        vec![14, 105],
        "nobody holds a majority of one header"
    );
    assert!(!net.included().contains(&liar));
    assert!(!keys.borrow().is_empty());
}

#[test]
fn a_share_that_is_not_the_committed_one_leaves_its_author_out() {
    for lane in 0..4 {
        let mut net = Net::new();
        let liar = net.people[14];
        net.tamper = Box::new(move |from, _, message| {
            if let Message::Bundle(_, bundle) = message
                && from == liar
            {
                let last = bundle.sealed[lane].len() - 1;
                bundle.sealed[lane][last] ^= 1;
            }
            true
        });
        assert_eq!(net.run(), Ok(vec![14, 105]), "lane {lane}");
        assert!(!net.included().contains(&liar));
        // Who passed it on could not see it.
        net.assert_only_accused(&[liar]);
    }
}

#[test]
fn a_share_that_can_be_opened_but_was_not_committed_to_leaves_its_author_out() {
    let mut net = Net::new();
    let liar = net.people[14];
    net.silent.insert(liar);
    net.called = Some(Box::new(move |net, keys| {
        let mut bundle = net.bundle_of(liar, 15, keys);
        let rng = &mut Rng::from_number(4);
        let other = Bundle::new(&net.identities[&liar], &net.terms, keys, &vector(99), rng);
        bundle.sealed[2] = other.unwrap().sealed[2].clone();
        let message = Message::Bundle(net.terms.round(), Box::new(bundle));
        net.deliver(LATENCY, liar, net.terms.seats[0], message);
    }));
    assert_eq!(net.run(), Ok(vec![14, 105]));
    net.assert_only_accused(&[]);
}

/// As [`a_share_that_is_not_the_committed_one_leaves_its_author_out`], with a lane that has its secret too late to look.
#[test]
fn a_false_share_that_waits_for_the_secret_is_found_out_later() {
    let mut net = Net::new();
    let liar = net.people[14];
    let lane: Vec<_> = net.terms.replicas(1).to_vec();
    net.uncalled.extend(&lane);
    for seat in lane.clone() {
        net.values.insert(seat, None);
    }
    let round = net.terms.round();
    net.called = Some(Box::new(move |net, _| {
        for seat in lane {
            let collecting = Command::Collecting(round, net.lanes.clone());
            net.push(seat, Duration::from_millis(500), Input::Command(collecting));
        }
    }));
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Bundle(_, bundle) = message
            && from == liar
        {
            bundle.sealed[1] = bundle.sealed[0].clone();
        }
        true
    });
    // Those of the late lane were not asked.
    assert_eq!(net.run(), Ok(vec![11, 105 - 4 - 5 - 6]));
    assert!(!net.included().contains(&liar));
    net.assert_only_accused(&[liar]);
}

#[test]
fn who_passes_on_a_revoked_members_contribution_is_not_to_blame() {
    let mut net = Net::new();
    let revoked = net.people[14];
    for seat in net.terms.seats.clone().into_iter().step_by(2) {
        net.tell_revoked(seat, revoked);
    }
    let totals = net.run().unwrap();
    assert_eq!(totals, vec![14, 105], "half of them know");
    net.assert_only_accused(&[revoked]);
}

#[test]
fn revoked_members_cannot_contribute() {
    let mut net = Net::new();
    let (seat, revoked) = (net.terms.seats[0], net.people[14]);
    net.tell_revoked(seat, revoked);
    net.give(
        seat,
        Command::Serve(Arc::clone(&net.terms), BTreeSet::new().into()),
    );
    let bundle = net.bundle_of(revoked, 5, &some_keys());
    let message = Message::Bundle(net.terms.round(), Box::new(bundle));
    net.inject(revoked, seat, message);
    let why = community::ContactError::Revoked;
    net.assert_accused(revoked, Misbehaviour::Certificate(why));
}

#[test]
fn a_contribution_to_another_question_is_of_no_use() {
    let mut net = Net::waiting();
    let (seat, person) = (net.terms.seats[0], net.people[14]);
    let mut terms = (*net.terms).clone();
    terms.question = Digest([9; 32]);
    let rng = &mut Rng::from_number(3);
    let identity = &net.identities[&person];
    let old = Bundle::new(identity, &terms, &some_keys(), &vector(5), rng).unwrap();
    let message = Message::Bundle(net.terms.round(), Box::new(old.clone()));
    net.inject(person, seat, message);
    net.assert_accused(person, Misbehaviour::Signature);
    net.accusations.clear();
    // Nor for a replica that kept it.
    let liar = net.terms.seats[4];
    let message = Message::Forward(net.terms.round(), vec![old.item(0)], Way::Here);
    net.inject(liar, seat, message);
    net.assert_accused(liar, Misbehaviour::Signature);
}

/// Both reach the committee at about the same time, so that replicas differ on which one came first.
#[test]
fn two_contributions_of_one_person_count_at_most_once() {
    for lead_ms in [0, 10, 20, 30, 45, 100] {
        let mut net = Net::new();
        let liar = net.people[14];
        net.silent.insert(liar);
        net.called = Some(Box::new(move |net, keys| {
            let round = net.terms.round();
            for (number, seat, wait) in [(1, 1, 0), (2, 11, lead_ms)] {
                let rng = &mut Rng::from_number(number);
                let identity = &net.identities[&liar];
                let bundle = Bundle::new(identity, &net.terms, keys, &vector(15), rng);
                let message = Message::Bundle(round, Box::new(bundle.unwrap()));
                let to = net.terms.seats[seat];
                net.deliver(Duration::from_millis(wait), liar, to, message);
            }
        }));
        let totals = net.run().unwrap();
        assert!(
            totals == vec![15, 120] || totals == vec![14, 105],
            "{totals:?}"
        );
        net.assert_only_accused(&[liar]);
    }
}

#[test]
fn a_second_contribution_is_not_heard() {
    let mut net = Net::new();
    let person = net.people[14];
    let round = net.terms.round();
    let again = net.bundle_of(person, 999, &some_keys());
    for seat in net.terms.seats.clone() {
        let message = Message::Bundle(round, Box::new(again.clone()));
        net.deliver(Duration::from_millis(400), person, seat, message);
    }
    let totals = net.run().unwrap();
    assert!(
        totals == vec![15, 120] || totals == vec![14, 105],
        "{totals:?}"
    );
    net.assert_only_accused(&[person]);
}

#[test]
fn a_replica_that_was_shown_another_contribution_adds_the_agreed_one() {
    let mut net = Net::new();
    let (liar, alone) = (net.people[14], net.terms.seats[11]);
    net.silent.insert(liar);
    net.called = Some(Box::new(move |net, keys| {
        for (number, seat) in [(1, 1), (2, 11)] {
            let rng = &mut Rng::from_number(number);
            let identity = &net.identities[&liar];
            let bundle = Bundle::new(identity, &net.terms, keys, &vector(15), rng);
            let message = Message::Bundle(net.terms.round(), Box::new(bundle.unwrap()));
            net.deliver(LATENCY, liar, net.terms.seats[seat], message);
        }
    }));
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Forward(_, items, _) = message
            && from == alone
        {
            items.retain(|item| item.header.node() != liar);
        }
        true
    });
    assert_eq!(net.run(), Ok(vec![15, 120]));
    assert!(net.counted.contains(&alone));
    net.assert_only_accused(&[liar]);
}
