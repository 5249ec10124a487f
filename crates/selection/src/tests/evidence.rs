//! What is refused of a trigger's random.

use std::sync::LazyLock;

use base::{Duration, Instant, NodeId, Rng};
use community::ContactError;
use crypto::CertificateError;

use super::talk::Change;
use super::world::{
    SECOND, START, World, authority, certified, contact, descriptor, people, rules_of,
};
use crate::random::check_legitimate;
use crate::{DRAW_TOLERANCE, Misbehaviour, VerifiableRandom};

const TICK: Duration = Duration::from_micros(1);

fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(|| World::with(200, |d| d.colluders = 20));
    &WORLD
}

/// A random that holds.
fn good() -> VerifiableRandom {
    world().random(world().draw(1, 0), START).0
}

fn verify_at(random: &VerifiableRandom, at: Instant) -> Result<(), Misbehaviour> {
    random.verify(&world().rules, at).map(|_| ())
}

#[test]
fn a_change_of_any_field_is_refused() {
    use Misbehaviour as M;
    let changes: [Change<VerifiableRandom>; 18] = [
        (|r| r.draw.trigger = people().node(1), M::Signature),
        (|r| r.draw.digest.0[0] ^= 1, M::Signature),
        (|r| r.draw.attempt += 1, M::Signature),
        (
            |r| r.trigger = people().identities[1].certificate.clone(),
            M::Signature,
        ),
        (
            |r| {
                r.draw.trigger = people().node(1);
                r.trigger = people().identities[1].certificate.clone();
            },
            M::Order,
        ),
        (|r| r.skipped.push(people().node(7)), M::Signature),
        (|r| r.parts.clear(), M::NoSuchRow),
        (|r| r.parts.truncate(1), M::NoSuchRow),
        (
            |r| r.parts.extend(vec![r.parts[0].clone(); 2000]),
            M::NoSuchRow,
        ),
        (|r| r.parts.swap(0, 1), M::Order),
        (|r| r.parts[1] = r.parts[0].clone(), M::Order),
        (|r| r.parts[0].at = START + TICK, M::Signature),
        (|r| r.parts[0].at = START + DRAW_TOLERANCE + TICK, M::Time),
        (|r| r.parts[0].signature.0[0] ^= 1, M::Signature),
        (|r| r.parts[0].proof = r.parts[1].proof, M::RandomProof),
        (|r| r.parts[0].proof.0[50] ^= 1, M::RandomProof),
        (|r| r.parts[0].proof.0 = [255; 80], M::RandomProof),
        (
            |r| {
                let mut der = r.parts[0].certificate.der().to_vec();
                *der.last_mut().unwrap() ^= 1;
                r.parts[0].certificate = crypto::Certificate::parse(&der).unwrap();
            },
            M::Certificate(ContactError::Certificate(CertificateError::BadSignature)),
        ),
    ];
    assert_eq!(verify_at(&good(), START), Ok(()));
    for (case, (change, what)) in changes.into_iter().enumerate() {
        let mut random = good();
        change(&mut random);
        assert_eq!(verify_at(&random, START), Err(what), "case {case}");
    }
}

#[test]
fn witnesses_must_be_legitimate_and_not_the_trigger() {
    let draw = world().draw(1, 0);
    let by = |nodes: &[NodeId]| verify_at(&world().random_by(draw, nodes, &[], START), START);
    let nearest = world().trigger_witnesses(&[]);
    assert_eq!(by(&nearest), Ok(()));
    assert_eq!(by(&nearest[1..]), Err(Misbehaviour::NotLegitimate));
    let with_own = [&[draw.trigger], &nearest[..nearest.len() - 1]].concat();
    assert_eq!(by(&with_own), Err(Misbehaviour::OwnWitness));
    // The next ones, when these are away, are further away, and more.
    let others = world().trigger_witnesses(&nearest[..2]);
    let random = world().random_by(draw, &others, &nearest[..2], START);
    assert_eq!(verify_at(&random, START), Ok(()));
}

#[test]
fn a_random_is_for_its_time() {
    for (at, result) in [
        (START - DRAW_TOLERANCE, Ok(())),
        (START + DRAW_TOLERANCE, Ok(())),
        (START - DRAW_TOLERANCE - TICK, Err(Misbehaviour::Time)),
        (START + DRAW_TOLERANCE + TICK, Err(Misbehaviour::Time)),
    ] {
        assert_eq!(verify_at(&good(), at), result);
    }
}

#[test]
fn certificates_must_be_in_force() {
    let refused = |why: ContactError| Err(Misbehaviour::Certificate(why));
    for revoked in [people().node(0), world().trigger_witnesses(&[])[1]] {
        let mut changed = descriptor(200, 20);
        changed.revoked = vec![revoked];
        let checked = good().verify(&rules_of(&changed), START);
        assert_eq!(checked, refused(ContactError::Revoked));
    }
    let late = START + SECOND * 100_000;
    let random = world().random(world().draw(1, 0), START).0;
    assert_eq!(
        random.verify(&world().rules, late),
        refused(CertificateError::Expired.into())
    );
}

/// Every one of the k values counts.
#[test]
fn other_witnesses_and_other_draws_give_other_values() {
    let value = |number, attempt| world().random(world().draw(number, attempt), START).1;
    assert_eq!(value(1, 0), value(1, 0));
    assert_ne!(value(1, 0), value(1, 1));
    assert_ne!(value(1, 0), value(2, 0));
    // Nobody's time or signature is in the value: only what nobody can choose.
    let later = world().random(world().draw(1, 0), START + SECOND).1;
    assert_eq!(value(1, 0), later);
    let nearest = world().trigger_witnesses(&[]);
    let others = world().trigger_witnesses(&nearest[..1]);
    let random = world().random_by(world().draw(1, 0), &others, &nearest[..1], START);
    assert_ne!(random.verify(&world().rules, START), Ok(value(1, 0)));
}

/// A node at the centre itself, and one right opposite.
#[test]
fn a_region_has_ends() {
    let mut rng = Rng::from_number(11);
    let signers: Vec<_> = (0..2)
        .map(|_| contact(&certified(&authority(), &mut rng, START + SECOND)))
        .collect();
    let here = signers[0].location();
    let check = |of: &[usize]| {
        let certificates: Vec<_> = of.iter().map(|n| signers[*n].certificate()).collect();
        check_legitimate(&world().rules, here, &certificates, &[])
    };
    assert_eq!(check(&[0, 1]), Err(Misbehaviour::NotLegitimate));
    assert_eq!(check(&[1, 0]), Err(Misbehaviour::Order));
    assert_eq!(check(&[0, 0]), Err(Misbehaviour::Order));
    assert_eq!(check(&[0]), Err(Misbehaviour::NoSuchRow));
}
