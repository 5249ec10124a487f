use super::*;

const HISTOGRAM: Statistic = Statistic::Histogram { buckets: 12 };

fn case(lanes: usize, seed: u64) -> Case {
    let mut vector = [0; 13];
    (vector[0], vector[4]) = (1, 1);
    Case::honest(HISTOGRAM, lanes, &vector, seed)
}

/// Adds one to the element or seed byte at `at`, staying inside the field.
fn alter(bytes: &mut [u8], at: usize) {
    bytes[at] ^= 1;
}

#[test]
fn a_share_or_proof_that_is_altered_anywhere_is_refused() {
    for lanes in [2, 3, 15] {
        let honest = case(lanes, 1);
        assert!(honest.check().is_ok());
        for lane in 0..lanes {
            // Every element of the first lane's share and proofs, and its blind; every byte of a seed and blind.
            let step = if lane == 0 { 8 } else { 7 };
            for at in (0..honest.shares[lane].0.len()).step_by(step) {
                let mut case = case(lanes, 1);
                alter(&mut case.shares[lane].0, at);
                // A lane's part of the joint randomness depends on its share and its blind, not on the proofs.
                let proofs = 8 * case.validity.circuit.input_len()..case.shares[0].0.len() - 32;
                let expected = if lane == 0 && proofs.contains(&at) {
                    Refused::Proof
                } else {
                    Refused::JointRandomness
                };
                assert_eq!(case.check(), Err(expected), "lane {lane}, byte {at}");
            }
        }
    }
}

#[test]
fn a_part_of_the_joint_randomness_that_is_altered_is_refused() {
    for lanes in [2, 3, 15] {
        for at in (0..32 * lanes).step_by(5) {
            let mut case = case(lanes, 2);
            alter(&mut case.public.0, at);
            assert_eq!(case.check(), Err(Refused::JointRandomness), "byte {at}");
        }
    }
}

#[test]
fn a_verifier_share_that_is_altered_anywhere_is_refused() {
    let case = case(3, 3);
    let (prepared, verifiers) = case.prepare().unwrap();
    for lane in 0..3 {
        for at in (0..verifiers[lane].0.len()).step_by(8) {
            let mut altered = verifiers.clone();
            alter(&mut altered[lane].0, at);
            let checked = case.finish(prepared.clone(), &altered);
            // The last 32 bytes are a part of the joint randomness.
            let expected = if at + 32 < verifiers[lane].0.len() {
                Refused::Proof
            } else {
                Refused::JointRandomness
            };
            assert_eq!(checked, Err(expected), "lane {lane}, byte {at}");
        }
    }
    assert!(case.finish(prepared, &verifiers).is_ok());
}

#[test]
fn what_was_made_for_another_contribution_is_refused() {
    let binding = |round, node| Binding::new(&Digest([round; 32]), NodeId([node; 32]));
    let validity = Validity::new(HISTOGRAM, 3).unwrap();
    let vector = Vector::zeros(13);
    let mut rng = Rng::from_number(1);
    let (public, shares) = validity.shard(&vector, &binding(1, 1), &mut rng).unwrap();
    let check = |bindings: [Binding; 3]| {
        let mut case = case(3, 1);
        case.public = public.clone();
        case.shares = shares.clone();
        case.bindings = bindings.to_vec();
        case.check()
    };
    assert_eq!(check([(); 3].map(|()| binding(1, 1))), Ok(vec![0; 13]));
    // Another contributor, another round: by all lanes, and by one of them.
    for other in [binding(1, 2), binding(2, 1)] {
        assert_eq!(
            check([(); 3].map(|()| other.clone())),
            Err(Refused::JointRandomness)
        );
        let one = [binding(1, 1), other, binding(1, 1)];
        assert_eq!(check(one), Err(Refused::JointRandomness));
    }
}

#[test]
fn lanes_with_different_keys_or_headers_refuse() {
    let (key, header) = ([1; 32], Digest([2; 32]));
    let mut case = case(3, 4);
    let same = || Challenge::new(&key, &header);
    case.challenges = vec![same(), same(), same()];
    assert!(case.check().is_ok());
    case.challenges[1] = Challenge::new(&[3; 32], &header);
    assert_eq!(case.check(), Err(Refused::Proof));
    case.challenges[1] = Challenge::new(&key, &Digest([3; 32]));
    assert_eq!(case.check(), Err(Refused::Proof));
}

#[test]
fn lanes_cannot_be_exchanged() {
    let mut swapped = case(3, 5);
    swapped.shares.swap(1, 2);
    assert_eq!(swapped.check(), Err(Refused::JointRandomness));

    let case = case(3, 5);
    let (prepared, mut verifiers) = case.prepare().unwrap();
    verifiers.swap(0, 2);
    assert_eq!(
        case.finish(prepared, &verifiers),
        Err(Refused::JointRandomness)
    );
}

#[test]
fn a_decision_on_another_contribution_is_refused() {
    let (case, other) = (case(3, 6), case(3, 7));
    let decide = |case: &Case| {
        let (prepared, verifiers) = case.prepare().unwrap();
        let decision = case.validity.combine(&prepared[0], &verifiers).unwrap();
        (prepared, decision)
    };
    let ((prepared, own), (_, others)) = (decide(&case), decide(&other));
    for prepared in prepared {
        let finish = |decision| case.validity.finish(prepared.clone(), decision);
        assert!(finish(&own).is_ok());
        assert_eq!(finish(&others), Err(Refused::JointRandomness));
        assert_eq!(finish(&Decision([0; 32])), Err(Refused::JointRandomness));
    }
}

#[test]
fn verifier_shares_of_one_contribution_do_not_prove_another() {
    let (case, other) = (case(2, 8), case(2, 9));
    let (prepared, own) = case.prepare().unwrap();
    let (_, others) = other.prepare().unwrap();
    for verifiers in [
        [own[0].clone(), others[1].clone()],
        [others[0].clone(), own[1].clone()],
    ] {
        assert_eq!(
            case.finish(prepared.clone(), &verifiers),
            Err(Refused::JointRandomness)
        );
    }
    assert_eq!(
        case.finish(prepared, &others),
        Err(Refused::JointRandomness)
    );
}
