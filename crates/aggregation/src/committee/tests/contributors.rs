//! Contributors that lie.

use super::*;
use crate::committee::contribution::{Bundle, Item};

fn bundle_of(net: &Net, node: NodeId, value: u64, keys: &[crypto::SealingPublicKey]) -> Bundle {
    let rng = &mut Rng::from_number(77);
    Bundle::new(
        &net.identities[&node],
        &net.terms,
        keys,
        &vector(value),
        rng,
    )
    .expect("usable keys")
}

/// Any keys: the header is what is looked at first.
fn keys() -> Vec<crypto::SealingPublicKey> {
    let rng = &mut Rng::from_number(5);
    (0..4)
        .map(|_| crypto::SealingKey::generate(rng).public())
        .collect()
}

/// A committee whose seats are taken and which waits for contributions.
fn waiting() -> Net {
    let mut net = Net::new();
    let members: BTreeSet<_> = net.people.iter().copied().collect();
    for seat in net.terms.seats.clone() {
        net.give(
            seat,
            Command::Serve(Arc::clone(&net.terms), members.clone()),
        );
    }
    net
}

#[test]
fn each_fault_of_a_bundle_has_its_name() {
    let mut net = waiting();
    let (seat, person) = (net.terms.seats[0], net.people[14]);
    let round = net.terms.round();
    let good = bundle_of(&net, person, 5, &keys());
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
    lanes.header.commitments.pop();
    lanes.sealed.pop();
    assert_eq!(refused(person, lanes), Some(Misbehaviour::Shape));
    let mut other = good.clone();
    other.header.commitments[0] = Digest([0; 32]);
    assert_eq!(refused(person, other), Some(Misbehaviour::Signature));
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
    let mut net = waiting();
    let bundle = bundle_of(&net, net.querier, 5, &keys());
    let message = Message::Bundle(net.terms.round(), Box::new(bundle));
    net.inject(net.querier, net.terms.seats[0], message);
    net.assert_accused(net.querier, Misbehaviour::QuerierContributes);
}

#[test]
fn strangers_cannot_contribute() {
    let mut net = waiting();
    let authority = SigningKey::generate(&mut Rng::from_number(44));
    let mut descriptor = net.community.descriptor().clone();
    descriptor.authority = authority.node();
    let foreign = member(&authority, &descriptor, START, &mut Rng::from_number(45));
    let genuine = SigningKey::generate(&mut Rng::from_number(1));
    let descriptor = net.community.descriptor().clone();
    assert_eq!(genuine.node(), descriptor.authority);
    let past = START - Duration::from_secs(7200);
    let expired = member(&genuine, &descriptor, past, &mut Rng::from_number(46));
    for identity in [foreign, expired] {
        let node = identity.node();
        net.identities.insert(node, Arc::new(identity));
        net.accusations.clear();
        let bundle = bundle_of(&net, node, 5, &keys());
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
    let bundle = Bundle::new(&forged, &net.terms, &keys(), &vector(1000), rng).unwrap();
    let round = net.terms.round();
    for (seat, to) in net.terms.seats.clone().into_iter().enumerate() {
        let items = vec![bundle.item(seat / 3)];
        let message = Message::Forward(round, items);
        let later = Duration::from_millis(200);
        net.push(
            to,
            later,
            Input::Message {
                from: liar,
                message,
            },
        );
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
    let keys: std::rc::Rc<std::cell::RefCell<Vec<Message>>> = std::rc::Rc::default();
    let log = std::rc::Rc::clone(&keys);
    net.tamper = Box::new(move |from, _, message| {
        if from == liar && matches!(message, Message::Bundle(..)) {
            log.borrow_mut().push(message.clone());
        }
        if let Message::Forward(_, items) = message {
            for item in items.iter_mut().filter(|item| item.header.node() == liar) {
                turn += 1;
                let rng = &mut Rng::from_number(turn);
                let any: Vec<_> = (0..4)
                    .map(|_| crypto::SealingKey::generate(rng).public())
                    .collect();
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
    let mut net = Net::new();
    let liar = net.people[14];
    net.tamper = Box::new(move |from, _, message| {
        if let Message::Bundle(_, bundle) = message
            && from == liar
        {
            let last = bundle.sealed[1].len() - 1;
            bundle.sealed[1][last] ^= 1;
        }
        true
    });
    let totals = net.run().unwrap();
    assert_eq!(totals, vec![14, 105]);
}

#[test]
fn a_second_contribution_is_not_heard() {
    let mut net = Net::new();
    let person = net.people[14];
    let round = net.terms.round();
    let again = bundle_of(&net, person, 999, &keys());
    for seat in net.terms.seats.clone() {
        let message = Message::Bundle(round, Box::new(again.clone()));
        let later = Duration::from_millis(400);
        net.push(
            seat,
            later,
            Input::Message {
                from: person,
                message,
            },
        );
    }
    let totals = net.run().unwrap();
    assert!(
        totals == vec![15, 120] || totals == vec![14, 105],
        "{totals:?}"
    );
    net.assert_only_accused(&[person]);
}

#[test]
fn floods_are_bounded() {
    let mut net = waiting();
    let seat = net.terms.seats[0];
    let mate = net.terms.seats[1];
    let round = net.terms.round();
    for number in 0..500 {
        let secret = crypto::SealingKey::generate(&mut Rng::from_number(number));
        let mut unknown = [0; 32];
        unknown[..8].copy_from_slice(&number.to_be_bytes());
        net.inject(
            mate,
            seat,
            Message::LaneSecret(Digest(unknown), secret.clone()),
        );
        net.inject(mate, seat, Message::LaneSecret(round, secret));
    }
    let bundle = bundle_of(&net, mate, 5, &keys());
    let items: Vec<Item> = (0..257).map(|_| bundle.item(0)).collect();
    net.accusations.clear();
    net.inject(mate, seat, Message::Forward(round, items));
    net.assert_accused(mate, Misbehaviour::Shape);
    net.accusations.clear();
    net.inject(mate, seat, Message::SharesWanted(round, vec![mate; 257]));
    net.assert_accused(mate, Misbehaviour::Seat);
    assert!(net.nodes[&seat].early_secrets_for_tests() <= 64);
}
