use base::{decode, encode};
use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn statistic() -> impl Strategy<Value = Statistic> {
    prop_oneof![
        Just(Statistic::Count),
        Just(Statistic::Sum { max: 1000 }),
        Just(Statistic::Histogram { buckets: 5 }),
        Just(Statistic::GroupedSum { groups: 3, max: 6 }),
    ]
}

/// Bytes, and how many of them there should be besides the right number.
#[derive(Debug, Clone)]
struct Bytes {
    bytes: Vec<u8>,
    excess: isize,
}

impl Bytes {
    /// Repeated as often as it takes.
    fn fit(&self, right: usize) -> Vec<u8> {
        let len = right.saturating_add_signed(self.excess);
        self.bytes.iter().copied().cycle().take(len).collect()
    }
}

fn bytes() -> impl Strategy<Value = Bytes> {
    let excess = prop_oneof![4 => Just(0), 1 => -40..40isize, 1 => Just(-5000), 1 => 0..5000isize];
    (vec(any::<u8>(), 1..300), excess).prop_map(|(bytes, excess)| Bytes { bytes, excess })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn any_shares_are_refused_or_of_the_right_length(
        statistic in statistic(),
        lanes in 1..5usize,
        lane in 0..6usize,
        public in bytes(),
        share in bytes(),
    ) {
        let validity = Validity::new(statistic, lanes).unwrap();
        let right = (validity.public_share_len(), validity.input_share_len(lane));
        let (public, share) = (public.fit(right.0), share.fit(right.1));
        let lengths = (public.len(), share.len());
        let challenge = Challenge::new(&[1; 32], &Digest([2; 32]));
        let binding = Binding::new(&Digest([3; 32]), NodeId([4; 32]));
        let prepared = validity.prepare(lane, &challenge, &binding, &PublicShare(public), &InputShare(share));
        match prepared {
            Ok(_) => prop_assert!(lane < lanes && lengths == right),
            Err(Refused::Lane) => prop_assert!(lane >= lanes),
            Err(Refused::PublicShare) => prop_assert_ne!(lengths.0, right.0),
            Err(error) => {
                prop_assert_eq!(error, Refused::InputShare);
                // In the first lane's share a number may lie outside the field.
                prop_assert!(lane == 0 || lengths.1 != right.1);
            }
        }
    }

    #[test]
    fn any_verifier_shares_and_decision_are_refused(
        statistic in statistic(),
        said in vec(bytes(), 0..6),
        parts: bool,
        decision: [u8; 32],
    ) {
        let vector = vec![0; statistic.vector_len()];
        let case = Case::honest(statistic, 3, &vector, 1);
        let (mut prepared, _) = case.prepare().unwrap();
        let len = case.validity.verifier_share_len();
        let mut said: Vec<_> = said.iter().map(|bytes| VerifierShare(bytes.fit(len))).collect();
        // Random bytes would all fail at the same check.
        for (said, part) in said.iter_mut().zip(case.public.0.chunks(32)) {
            if parts && said.0.len() == len {
                said.0[len - 32..].copy_from_slice(part);
            }
        }
        let expected = said.iter().take(3).position(|share| share.0.len() != len);
        match case.validity.combine(&prepared[1], &said) {
            Ok(_) => prop_assert!(false, "random bytes prove nothing"),
            Err(Refused::Proof) => prop_assert!(said.len() == 3 && expected.is_none() && parts),
            Err(Refused::JointRandomness) => prop_assert!(said.len() == 3 && expected.is_none() && !parts),
            Err(Refused::VerifierShare { lane }) if said.len() != 3 => prop_assert_eq!(lane, said.len().min(3)),
            // Or a number before it lies outside the field.
            Err(Refused::VerifierShare { lane }) => prop_assert!(expected.is_none_or(|first| lane <= first)),
            Err(error) => prop_assert!(false, "{error}"),
        }
        let finished = case.validity.finish(prepared.remove(2), &Decision(decision));
        prop_assert_eq!(finished, Err(Refused::JointRandomness));
    }

    #[test]
    fn what_travels_has_one_encoding(bytes: Vec<u8>, seed: [u8; 32]) {
        let len = bytes.len() + 10;
        let public = PublicShare(bytes.clone());
        prop_assert_eq!(decode::<PublicShare>(&encode(&public), len), Ok(public));
        let verifier = VerifierShare(bytes.clone());
        prop_assert_eq!(decode::<VerifierShare>(&encode(&verifier), len), Ok(verifier));
        prop_assert_eq!(decode::<Decision>(&encode(&Decision(seed)), 40), Ok(Decision(seed)));
        let share = decode::<InputShare>(&encode(&InputShare(bytes.clone())), len).unwrap();
        prop_assert_eq!(&share.0, &bytes);
        // And of any bytes, what decodes encodes to the same.
        if let Ok(share) = decode::<InputShare>(&bytes, len) {
            prop_assert_eq!(encode(&share), bytes.clone());
        }
        if let Ok(decision) = decode::<Decision>(&bytes, len) {
            prop_assert_eq!(encode(&decision), bytes);
        }
    }
}

#[test]
fn a_number_outside_the_field_is_refused() {
    let mut case = Case::honest(Statistic::Histogram { buckets: 3 }, 2, &[1, 0, 0, 1], 1);
    let (prepared, mut verifiers) = case.prepare().unwrap();
    verifiers[1].0[..8].copy_from_slice(&Vector::MODULUS.to_le_bytes());
    assert_eq!(
        case.validity.combine(&prepared[0], &verifiers),
        Err(Refused::VerifierShare { lane: 1 })
    );
    case.shares[0].0[8..16].copy_from_slice(&Vector::MODULUS.to_le_bytes());
    assert_eq!(case.check(), Err(Refused::InputShare));
}
