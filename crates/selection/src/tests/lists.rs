//! What is refused of an actor list, whoever made it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use base::{Digest, Duration, Instant, NodeId, Rng, decode, encode};
use community::ContactError;
use crypto::{Certificate, CertificateError, SigningKey, VrfSecretKey};
use proptest::prelude::*;

use super::network::Network;
use super::talk::Change;
use super::world::{
    SECOND, START, World, authority, certified, descriptor, people, plan, rules_of,
};
use crate::list::seat_by_lot;
use crate::site::point_of;
use crate::{ActorList, Builder, DRAW_TOLERANCE, ListBody, Misbehaviour, SEATS_MAX};

const TICK: Duration = Duration::from_micros(1);

fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(|| World::with(200, |d| d.colluders = 20));
    &WORLD
}

/// A list that holds.
fn good() -> ActorList {
    static LIST: LazyLock<ActorList> = LazyLock::new(|| Network::new(world()).draw(1, 9).unwrap());
    LIST.clone()
}

fn verify(list: &ActorList) -> Result<(), Misbehaviour> {
    list.verify(&world().rules, list.body.at, plan(1))
}

fn builders(list: &ActorList) -> Vec<NodeId> {
    let builders = list.builders.iter();
    builders.map(|builder| builder.certificate.node()).collect()
}

/// As if its builders had signed it so.
fn signed_anew(list: &ActorList) -> ActorList {
    world().list_by(list.body.clone(), &builders(list))
}

fn someone_else(list: &ActorList) -> NodeId {
    let free = |node: &NodeId| {
        list.seat(*node).is_none() && !builders(list).contains(node) && *node != list.body.setter
    };
    (1..200).map(|p| people().node(p)).find(free).unwrap()
}

#[test]
fn a_change_of_any_field_is_refused() {
    use Misbehaviour as M;
    let changes: [Change<ActorList>; 26] = [
        (|l| l.body.descriptor.0[0] ^= 1, M::OtherDescriptor),
        (|l| l.body.draw.digest.0[31] ^= 1, M::OtherDigest),
        (|l| l.body.draw.trigger = someone_else(l), M::Signature),
        (|l| l.body.draw.trigger = l.actors()[0], M::DoubleSeat),
        (|l| l.body.draw.trigger = builders(l)[0], M::OwnWitness),
        (|l| l.body.draw.attempt += 1, M::Signature),
        (|l| l.body.random.0[0] ^= 1, M::Order),
        (|l| l.body.setter = someone_else(l), M::Signature),
        (|l| l.body.setter = builders(l)[1], M::OwnWitness),
        (|l| l.body.at = l.body.at + TICK, M::Signature),
        (|l| l.body.at = l.body.at - DRAW_TOLERANCE, M::Time),
        (|l| l.body.actors.swap(0, 1), M::Signature),
        (|l| l.body.actors[0] = someone_else(l), M::Signature),
        (|l| l.body.actors[0] = l.body.actors[1], M::DoubleSeat),
        (|l| l.body.actors[8] = l.body.draw.trigger, M::DoubleSeat),
        (|l| l.body.actors.truncate(8), M::Signature),
        (|l| l.body.actors.clear(), M::Seats),
        (|l| l.body.actors.push(someone_else(l)), M::Signature),
        (|l| l.builders.clear(), M::NoSuchRow),
        (|l| l.builders.truncate(1), M::NoSuchRow),
        (|l| l.builders.swap(0, 1), M::Order),
        (|l| l.builders[1] = l.builders[0].clone(), M::Order),
        (|l| l.builders[0].signature.0[3] ^= 1, M::Signature),
        (
            |l| l.builders[0].signature = l.builders[1].signature,
            M::Signature,
        ),
        (
            |l| {
                let same_place = forged(&l.builders[2].certificate);
                l.builders[2].certificate = same_place;
            },
            M::Certificate(ContactError::Certificate(CertificateError::BadSignature)),
        ),
        (
            |l| l.builders.extend(vec![l.builders[0].clone(); 2000]),
            M::NoSuchRow,
        ),
    ];
    assert_eq!(verify(&good()), Ok(()));
    for (case, (change, what)) in changes.into_iter().enumerate() {
        let mut list = good();
        change(&mut list);
        let checked = list.verify(&world().rules, good().body.at + TICK, plan(1));
        assert_eq!(checked, Err(what), "case {case}");
        assert_ne!(list, good());
    }
}

/// The issuer's signature is the last of it.
fn forged(certificate: &Certificate) -> Certificate {
    let mut der = certificate.der().to_vec();
    *der.last_mut().unwrap() ^= 1;
    Certificate::parse(&der).unwrap()
}

/// What colluders would sign, if all builders were theirs, is still not a list.
#[test]
fn what_all_builders_sign_is_refused_when_it_is_no_list() {
    use Misbehaviour as M;
    let changes: [Change<ActorList>; 7] = [
        (|l| l.body.descriptor.0[0] ^= 1, M::OtherDescriptor),
        (|l| l.body.draw.digest.0[31] ^= 1, M::OtherDigest),
        (|l| l.body.draw.trigger = l.actors()[0], M::DoubleSeat),
        (|l| l.body.actors[0] = l.body.actors[1], M::DoubleSeat),
        (|l| l.body.actors.clear(), M::Seats),
        (
            |l| {
                let node = |n: usize| NodeId(Digest::of("node", &[&n.to_be_bytes()]).0);
                l.body.actors = (0..=SEATS_MAX).map(node).collect();
            },
            M::Seats,
        ),
        (|l| l.body.at = l.body.at + DRAW_TOLERANCE + SECOND, M::Time),
    ];
    for (case, (change, what)) in changes.into_iter().enumerate() {
        let mut list = good();
        change(&mut list);
        let list = signed_anew(&list);
        let checked = list.verify(&world().rules, good().body.at, plan(1));
        assert_eq!(checked, Err(what), "case {case}");
    }
    // What the builders alone answer for.
    let mut list = good();
    list.body.actors.swap(0, 1);
    assert_eq!(verify(&signed_anew(&list)), Ok(()));
}

/// Nodes that a forger would rather have sign: too few of them, or elsewhere.
#[test]
fn builders_must_be_legitimate() {
    let list = good();
    let nearest = builders(&list);
    let by = |nodes: &[NodeId]| verify(&world().list_by(list.body.clone(), nodes));
    assert_eq!(by(&nearest), Ok(()));
    // Fewer nodes would do if they sat closer together: a setter takes the fewest that do.
    let centre = point_of(&list.body.random);
    for fewer in 2..nearest.len() {
        let region = world().rules.region(centre, fewer).unwrap();
        let inside = |node: &NodeId| region.contains(people().contact(*node).location());
        assert!(!nearest[..fewer].iter().all(inside));
        let refused = by(&nearest[..fewer]);
        assert_eq!(refused, Err(Misbehaviour::NotLegitimate), "{fewer}");
    }
    // As many as there must be, but from the other side of the ring.
    let mut all: Vec<_> = (1..200).map(|p| people().node(p)).collect();
    all.sort_by_key(|node| centre.rank(*node, people().contact(*node).location()));
    all.retain(|node| *node != list.body.setter);
    let k = nearest.len();
    assert_eq!(all[..k], nearest);
    let (near, far) = (&all[..k - 1], &all[150..151]);
    let swapped = by(&[near, far].concat());
    assert_eq!(swapped, Err(Misbehaviour::NotLegitimate));
    assert_eq!(by(&all[100..100 + k]), Err(Misbehaviour::NotLegitimate));
}

/// All of the 2k checks are made: each certificate and each signature.
#[test]
fn every_builder_is_checked() {
    let k = good().builders.len();
    assert_eq!(good().checks(), 2 * k);
    for place in 0..k {
        let mut list = good();
        list.builders[place].signature.0[40] ^= 1;
        assert_eq!(verify(&list), Err(Misbehaviour::Signature));
        let mut list = good();
        list.builders[place].certificate = forged(&list.builders[place].certificate);
        let why = ContactError::Certificate(CertificateError::BadSignature);
        assert_eq!(verify(&list), Err(Misbehaviour::Certificate(why)));
    }
}

#[test]
fn a_list_is_for_one_plan_and_one_time() {
    let (list, rules) = (good(), &world().rules);
    let at = list.body.at;
    assert_eq!(
        list.verify(rules, at, plan(2)),
        Err(Misbehaviour::OtherDigest)
    );
    for (used, result) in [
        (at - DRAW_TOLERANCE, Ok(())),
        (at + DRAW_TOLERANCE, Ok(())),
        (at - DRAW_TOLERANCE - TICK, Err(Misbehaviour::Time)),
        (at + DRAW_TOLERANCE + TICK, Err(Misbehaviour::Time)),
        (Instant(0), Err(Misbehaviour::Time)),
        (Instant(u64::MAX), Err(Misbehaviour::Time)),
    ] {
        assert_eq!(list.verify(rules, used, plan(1)), result);
    }
    // An archive does not change that: `at` is when it was used.
    let archived: ActorList = decode(&encode(&list), 1 << 20).unwrap();
    assert_eq!(archived.verify(rules, at, plan(1)), Ok(()));
}

#[test]
fn builders_certificates_must_be_in_force() {
    let refused = |why: ContactError| Err(Misbehaviour::Certificate(why));
    // Revoked, under a descriptor that says so.
    let revoked = builders(&good())[2];
    let mut changed = descriptor(200, 20);
    changed.revoked = vec![revoked];
    let rules = rules_of(&changed);
    let mut list = good();
    list.body.descriptor = rules.community().digest();
    let list = signed_anew(&list);
    let checked = list.verify(&rules, list.body.at, plan(1));
    assert_eq!(checked, refused(ContactError::Revoked));
    // Expired, and not yet valid.
    for (at, why) in [
        (START + SECOND * 100_000, CertificateError::Expired),
        (START - SECOND * 100_000, CertificateError::NotYetValid),
    ] {
        let mut list = good();
        list.body.at = at;
        assert_eq!(verify(&signed_anew(&list)), refused(why.into()));
    }
}

/// Somebody has made his own certificates for as many nodes as he likes, right where they are needed.
#[test]
fn foreign_certificates_are_refused() {
    let list = good();
    let k = list.builders.len();
    let refused = |issuer: &SigningKey, community: Digest| {
        let mut rng = Rng::from_number(5);
        let mut signers: Vec<_> = (0..k)
            .map(|_| near(point_of(&list.body.random), issuer, community, &mut rng))
            .collect();
        let centre = point_of(&list.body.random);
        signers.sort_by_key(|(key, c)| centre.rank(key.node(), c.location()));
        let bytes = list.body.signed_bytes();
        let builder = |(key, certificate): (SigningKey, Certificate)| Builder {
            signature: key.sign(ListBody::DOMAIN, &bytes),
            certificate,
        };
        let builders = signers.into_iter().map(builder).collect();
        let body = list.body.clone();
        verify(&ActorList { body, builders })
    };
    let community = world().rules.community().descriptor().community;
    let stranger = SigningKey::from_seed([9; 32]);
    let certificate = |why| Err(Misbehaviour::Certificate(ContactError::Certificate(why)));
    assert_eq!(
        refused(&stranger, community),
        certificate(CertificateError::UnknownIssuer)
    );
    // The same authority, for another community of its own.
    let elsewhere = Digest::of("elsewhere", &[]);
    assert_eq!(
        refused(&authority(), elsewhere),
        certificate(CertificateError::NotOfThisCommunity)
    );
}

/// A node certified in the tenth of the ring around `centre`.
fn near(
    centre: base::Location,
    issuer: &SigningKey,
    community: Digest,
    rng: &mut Rng,
) -> (SigningKey, Certificate) {
    let (key, vrf) = (SigningKey::generate(rng), VrfSecretKey::generate(rng));
    let request = crypto::CertificateRequest::new(&key, &vrf.public(), &community);
    loop {
        let certificate = Certificate::issue(
            issuer,
            &community,
            &request,
            rng.bytes32(),
            crypto::Rights::default(),
            START - SECOND,
            START + SECOND * 1000,
            1,
        )
        .unwrap();
        if centre.distance(certificate.location()) < u64::MAX / 40 {
            return (key, certificate);
        }
    }
}

#[test]
fn nobody_signs_under_anothers_certificate() {
    let mut list = good();
    let thief = certified(&authority(), &mut Rng::from_number(6), START + SECOND);
    let bytes = list.body.signed_bytes();
    list.builders[0].signature = thief.key.sign(ListBody::DOMAIN, &bytes);
    assert_eq!(verify(&list), Err(Misbehaviour::Signature));
}

#[test]
fn damaged_bytes_are_refused_by_decoding_or_by_the_check() {
    let bytes = encode(&good());
    for at in (0..bytes.len()).step_by(11) {
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (at % 8);
        if let Ok(list) = decode::<ActorList>(&damaged, bytes.len()) {
            assert!(verify(&list).is_err(), "byte {at}");
        }
    }
}

#[test]
fn a_digest_names_what_was_signed() {
    let list = good();
    assert_eq!(list.digest(), signed_anew(&list).digest());
    let mut other = list.clone();
    other.body.at = other.body.at + TICK;
    assert_ne!(other.digest(), list.digest());
}

/// Each candidate has the same chance of each seat, whatever it is called.
#[test]
fn the_lot_is_fair() {
    let candidates = (0..10).map(|n| NodeId([n; 32])).collect();
    let mut seated = [[0u32; 3]; 10];
    for number in 0..3000u32 {
        let random = Digest::of("lot", &[&number.to_be_bytes()]);
        for (seat, node) in seat_by_lot(&candidates, &random, 3).iter().enumerate() {
            seated[usize::from(node.0[0])][seat] += 1;
        }
    }
    // 300 expected, standard deviation 16.
    let fair = |times: &u32| (220..380).contains(times);
    assert!(seated.iter().flatten().all(fair), "{seated:?}");
}

proptest! {
    /// Who else is a candidate does not change the order of two: nobody gains by naming or hiding others.
    #[test]
    fn the_order_of_two_is_their_own(
        bytes in proptest::collection::btree_set(any::<u8>(), 2..40),
        seats in 0..50usize,
        hidden in 0..40usize,
        number: u64,
    ) {
        let all: BTreeSet<_> = bytes.iter().map(|n| NodeId([*n; 32])).collect();
        let random = Digest::of("lot", &[&number.to_be_bytes()]);
        let order = seat_by_lot(&all, &random, all.len());
        prop_assert_eq!(&order.iter().copied().collect::<BTreeSet<_>>(), &all);
        let seated = seat_by_lot(&all, &random, seats);
        prop_assert_eq!(&seated[..], &order[..seats.min(all.len())]);
        let gone = order[hidden % order.len()];
        let fewer = all.iter().copied().filter(|node| *node != gone).collect();
        let rest: Vec<_> = order.iter().copied().filter(|node| *node != gone).collect();
        prop_assert_eq!(seat_by_lot(&fewer, &random, all.len()), rest);
    }
}
