//! What the rules of calling are for: who knows the key proves any lie, and who is told two answers learns the value.

use prio::codec::{Decode as _, Encode as _};
use prio::field::{FieldElement as _, FieldElementWithInteger as _, NttFriendlyFieldElement as _};
use prio::vdaf::xof::{Xof as _, XofTurboShake128};

use super::*;

/// A hundred people in one, in the second of four buckets.
const LIE: [u64; 4] = [0, 100, 0, 0];

fn lie() -> Case {
    Case::lying(Statistic::Histogram { buckets: 4 }, 3, &LIE, 1)
}

/// What the circuit gives for the lie, by the joint randomness that follows from the shares: not zero.
fn totals(case: &Case) -> Vec<Field64> {
    let circuit = &case.validity.circuit;
    let [a, b, c, d] = ALGORITHM.to_be_bytes();
    let context = case.bindings[0].context;
    let mut seed =
        XofTurboShake128::init(&[0; 32], &[&[18, 0, a, b, c, d, 0, 6], context.as_bytes()]);
    seed.update(&case.public.0);
    let len = circuit.joint_rand_len();
    let joint = draw(case, 3, seed.into_seed().as_ref(), &[], len);
    let input = LIE.map(Field64::from);
    let total = |joint| {
        circuit
            .valid(&mut circuit.gadget(), &input, joint, 1)
            .unwrap()[0]
    };
    joint.chunks(len).map(total).collect()
}

/// Adds to each proof's polynomial one that is zero where the lanes will look, and takes the total away from the sum of
/// the gadget's results.
fn forge(case: &mut Case, challenge: &Challenge) {
    let circuit = case.validity.circuit.clone();
    let totals = totals(case);
    let looks = looks(case, challenge);
    let points = circuit.points();
    let root = Field64::root((2 * points).ilog2() as usize).unwrap();
    let share = &mut case.shares[0].0;
    for (proof, (look, total)) in looks.iter().zip(totals).enumerate() {
        let results = (1..=circuit.joint_rand_len() as u64).map(|call| root.pow(2 * call) - *look);
        let scale = -total / results.fold(Field64::zero(), |sum, x| sum + x);
        let first = 8 * (circuit.input_len() + proof * circuit.proof_len() + 2 * circuit.chunk());
        let elements = share[first..].as_chunks_mut::<8>().0;
        for (power, element) in elements.iter_mut().take(2 * points - 1).enumerate() {
            let forged =
                Field64::get_decoded(element).unwrap() + scale * (root.pow(power as u64) - *look);
            element.copy_from_slice(&forged.get_encoded().unwrap());
        }
    }
}

#[test]
fn who_knows_the_challenge_proves_anything() {
    let mut case = lie();
    assert_eq!(case.check(), Err(Refused::Proof));
    let challenge = Challenge(case.challenges[0].0);
    forge(&mut case, &challenge);
    assert_eq!(case.check(), Ok(vec![100, 0, 100, 0, 0]));
}

#[test]
fn who_knows_another_challenge_proves_nothing() {
    let mut case = lie();
    // The right key, but for another header.
    let challenge = Challenge::new(&[1; 32], &Digest([1; 32]));
    case.challenges
        .fill_with(|| Challenge::new(&[1; 32], &Digest([2; 32])));
    forge(&mut case, &challenge);
    assert_eq!(case.check(), Err(Refused::Proof));
}

/// The points at which a challenge looks at each proof's polynomials.
fn looks(case: &Case, challenge: &Challenge) -> Vec<Field64> {
    draw(case, 5, &challenge.0, &case.bindings[0].nonce, 1)
}

/// Of the first proof, what all lanes together say of the first wire.
fn wire(case: &Case) -> Field64 {
    let (_, verifiers) = case.prepare().unwrap();
    verifiers.iter().fold(Field64::zero(), |sum, verifier| {
        sum + Field64::get_decoded(&verifier.0[8..16]).unwrap()
    })
}

/// A count's wire is a line through a random number at 1 and a multiple of the match count at −1: one point of it tells
/// nothing, two tell all.
#[test]
fn verifier_shares_for_two_challenges_reveal_the_value() {
    for matches in [0, 1] {
        let mut case = Case::honest(Statistic::Count, 3, &[matches], 5);
        let mut points = Vec::new();
        for key in [1, 2] {
            case.challenges
                .fill_with(|| Challenge::new(&[key; 32], &Digest([0; 32])));
            points.push((looks(&case, &case.challenges[0])[0], wire(&case)));
        }
        let [(x, y), (other_x, other_y)] = points[..] else {
            unreachable!("two keys");
        };
        let slope = (other_y - y) / (other_x - x);
        let at_minus_one = y + slope * (-Field64::one() - x);
        assert_eq!(at_minus_one != Field64::zero(), matches == 1);
    }
}
