//! A contributor who would make one lane decide otherwise than the rest.

use prio::codec::Encode as _;

use super::*;

/// Somebody who counts once, but says a wrong part of the joint randomness for `lane`: all lanes but that one use what
/// is wrong. Who counts once has a zero on one wire of the gadget whatever the randomness, so that a proof of nothing
/// but zeros holds even then.
fn divided(lanes: usize, lane: usize) -> Case {
    let mut case = Case::honest(Statistic::Count, lanes, &[1], 1);
    let circuit = case.validity.circuit.clone();
    let first = 8 * circuit.input_len();
    let mut proofs = vec![Field64::from(0); circuit.proof_len() * usize::from(PROOFS)];
    for (helper, share) in case.shares.iter().enumerate().skip(1) {
        let seed = share.0[..32].try_into().unwrap();
        let theirs = draw(&case, 2, &seed, &[helper as u8], circuit.proof_len());
        proofs
            .iter_mut()
            .zip(theirs)
            .for_each(|(ours, x)| *ours -= x);
    }
    let bytes: Vec<u8> = proofs
        .iter()
        .flat_map(|x| x.get_encoded().unwrap())
        .collect();
    case.shares[0].0[first..first + bytes.len()].copy_from_slice(&bytes);
    case.public.0[32 * lane] ^= 1;
    case
}

/// Which lanes would finish if each lane's word on the joint randomness were believed.
fn library(case: &Case) -> Vec<bool> {
    let (prepared, verifiers) = case.prepare().unwrap();
    let mut truth = PublicShare(Vec::new());
    for verifier in &verifiers {
        truth.0.extend(&verifier.0[verifier.0.len() - 32..]);
    }
    prepared
        .into_iter()
        .map(|mut prepared| {
            prepared.public = truth.clone();
            let decision = case.validity.combine(&prepared, &verifiers).unwrap();
            case.validity.finish(prepared, &decision).is_ok()
        })
        .collect()
}

#[test]
fn no_lane_accepts_what_others_refuse() {
    for lanes in [2, 3, 15] {
        for lane in 0..lanes {
            let case = divided(lanes, lane);
            // Without the check that is tested here, one lane would accept and the others would not.
            let expected: Vec<_> = (0..lanes).map(|other| other == lane).collect();
            assert_eq!(library(&case), expected, "the attack works");
            let (prepared, verifiers) = case.prepare().unwrap();
            for prepared in &prepared {
                let combined = case.validity.combine(prepared, &verifiers);
                assert_eq!(combined, Err(Refused::JointRandomness));
            }
        }
    }
}

/// And the attack is refused because of the public share alone.
#[test]
fn the_same_proof_passes_with_an_honest_public_share() {
    for lanes in [2, 3, 15] {
        let mut case = divided(lanes, 1);
        case.public.0[32] ^= 1;
        assert_eq!(case.check(), Ok(vec![1]));
    }
}

/// Whatever a lane says, all others decide the same, and none of them fails afterwards.
#[test]
fn a_lane_that_lies_is_refused_by_every_lane() {
    let case = Case::honest(Statistic::Count, 3, &[1], 2);
    let (prepared, verifiers) = case.prepare().unwrap();
    for lane in 0..3 {
        for at in 0..verifiers[lane].0.len() {
            let mut altered = verifiers.clone();
            altered[lane].0[at] ^= 1;
            let decided = prepared
                .iter()
                .map(|prepared| case.validity.combine(prepared, &altered).unwrap_err());
            let decided: Vec<_> = decided.collect();
            assert!(decided.iter().all(|error| *error == decided[0]));
        }
    }
}
