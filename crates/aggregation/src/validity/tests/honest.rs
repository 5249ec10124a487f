use base::Rng;
use proptest::prelude::*;

use super::*;
use crate::statistic::VECTOR_LEN_MAX;

/// A statistic, with a vector that one person can contribute to it.
fn contribution() -> impl Strategy<Value = (Statistic, Vec<u64>)> {
    let max = prop_oneof![1..20u64, 1..=u64::from(u32::MAX), 1..Vector::MODULUS];
    let count = (0..=1u64).prop_map(|matches| (Statistic::Count, vec![matches]));
    let sum = (max.clone(), any::<u64>(), any::<bool>()).prop_map(|(max, value, matches)| {
        let value = if matches {
            vec![1, value % (max + 1)]
        } else {
            vec![0, 0]
        };
        (Statistic::Sum { max }, value)
    });
    let histogram = (2..40u32, 0..41u32).prop_map(|(buckets, bucket)| {
        let mut vector = vec![0; 1 + buckets as usize];
        if bucket < buckets {
            vector[0] = 1;
            vector[1 + bucket as usize] = 1;
        }
        (Statistic::Histogram { buckets }, vector)
    });
    let counted = (2..40u32, 0..41u32).prop_map(|(groups, group)| {
        let mut vector = vec![0; groups as usize];
        if group < groups {
            vector[group as usize] = 1;
        }
        (Statistic::GroupedCount { groups }, vector)
    });
    let summed = (2..12u32, 0..13u32, max, any::<u64>()).prop_map(|(groups, group, max, value)| {
        let mut vector = vec![0; 2 * groups as usize];
        if group < groups {
            vector[group as usize] = 1;
            vector[(groups + group) as usize] = value % (max + 1);
        }
        (Statistic::GroupedSum { groups, max }, vector)
    });
    prop_oneof![count, sum, histogram, counted, summed]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_contribution_passes_and_adds_up(
        (statistic, vector) in contribution(),
        lanes in prop_oneof![Just(2), Just(3), Just(15), 1..=32usize],
        seed: u64,
    ) {
        prop_assert!(is_contribution(statistic, &vector));
        let case = Case::honest(statistic, lanes, &vector, seed);
        prop_assert_eq!(case.check(), Ok(vector));
    }

    /// A node that would lie by mistake learns it before it sends anything.
    #[test]
    fn only_contributions_are_encoded(
        (statistic, mut vector) in contribution(),
        at: proptest::sample::Index,
        change in prop_oneof![Just(1), Just(2), Just(MINUS_ONE), 0..Vector::MODULUS],
    ) {
        let at = at.index(vector.len());
        vector[at] = ((u128::from(vector[at]) + u128::from(change)) % u128::from(Vector::MODULUS)) as u64;
        let validity = Validity::new(statistic, 2).unwrap();
        let binding = Binding::new(&Digest([1; 32]), NodeId([2; 32]));
        let sharded = validity.shard(&Vector::from_u64s(&vector).unwrap(), &binding, &mut Rng::from_number(1));
        prop_assert_eq!(sharded.is_ok(), is_contribution(statistic, &vector), "{:?} {:?}", statistic, vector);
    }
}

#[test]
fn a_vector_of_another_length_is_not_encoded() {
    let validity = Validity::new(Statistic::Histogram { buckets: 3 }, 2).unwrap();
    let binding = Binding::new(&Digest([1; 32]), NodeId([2; 32]));
    for len in [0, 1, 3, 5, 100] {
        let sharded = validity.shard(&Vector::zeros(len), &binding, &mut Rng::from_number(1));
        assert_eq!(sharded.map(drop), Err(NotInRange), "{len}");
    }
}

#[test]
fn every_number_up_to_the_greatest_has_bits_and_no_other() {
    for max in 1..70 {
        let validity = Validity::new(Statistic::Sum { max }, 2).unwrap();
        for value in 0..80 {
            let vector = Vector::from_u64s(&[1, value]).unwrap();
            assert_eq!(validity.circuit.encode(&vector).is_ok(), value <= max);
        }
    }
}

#[test]
fn the_same_randomness_gives_the_same_shares_and_other_randomness_none_of_them() {
    let statistic = Statistic::Histogram { buckets: 3 };
    let validity = Validity::new(statistic, 3).unwrap();
    let binding = Binding::new(&Digest([1; 32]), NodeId([2; 32]));
    let vector = Vector::from_u64s(&[1, 0, 0, 1]).unwrap();
    let shard = |number| {
        let (public, shares) = validity
            .shard(&vector, &binding, &mut Rng::from_number(number))
            .unwrap();
        let mut all: Vec<_> = shares.iter().map(|share| share.0.clone()).collect();
        all.push(public.0);
        all
    };
    assert_eq!(shard(1), shard(1));
    assert!(shard(1).iter().zip(shard(2)).all(|(a, b)| *a != b));
}

/// Elements of the first lane's share of a constant, over many splits: Pearson's statistic over 16 equal ranges is 15
/// on average, above 50 once in 10^5.
#[test]
fn a_share_is_uniform_whatever_it_is_a_share_of() {
    let statistic = Statistic::Histogram { buckets: 2 };
    for vector in [[0, 0, 0], [1, 0, 1]] {
        let mut counts = [0u32; 16];
        for seed in 0..400 {
            let case = Case::honest(statistic, 2, &vector, seed);
            for element in case.shares[0].0.as_chunks::<8>().0.iter().take(2) {
                counts[usize::from(element[7] >> 4)] += 1;
            }
        }
        let deviation: f64 = counts
            .iter()
            .map(|count| (f64::from(*count) - 50.0).powi(2) / 50.0)
            .sum();
        assert!(deviation < 50.0, "{counts:?}");
    }
}

#[test]
fn limits_are_checked() {
    use Statistic::{Count, GroupedCount, GroupedSum, Histogram, Sum};
    let refused = |statistic, lanes| Validity::new(statistic, lanes).map(drop).unwrap_err();
    for lanes in [0, LANES_MAX + 1, 256, 257, usize::MAX] {
        assert_eq!(refused(Count, lanes), Unprovable::Lanes { lanes });
    }
    for groups in [0, GROUPS_MAX + 1, u32::MAX] {
        let error = Unprovable::Groups { groups };
        assert_eq!(refused(Histogram { buckets: groups }, 2), error);
        assert_eq!(refused(GroupedCount { groups }, 2), error);
        assert_eq!(refused(GroupedSum { groups, max: 1 }, 2), error);
    }
    for max in [0, Vector::MODULUS, u64::MAX] {
        let error = Unprovable::Range { max };
        assert_eq!(refused(Sum { max }, 2), error);
        assert_eq!(refused(GroupedSum { groups: 2, max }, 2), error);
    }
    for shape in [
        Shape::sums(1, &[5; VECTOR_LEN_MAX]),
        Shape::sums(GROUPS_MAX, &[5; 4]),
    ] {
        let len = shape.vector_len();
        let error = Validity::new(shape, 2).map(drop);
        assert_eq!(error, Err(Unprovable::Length { len }));
    }
    let largest = GroupedSum {
        groups: GROUPS_MAX,
        max: MINUS_ONE,
    };
    assert!(Validity::new(largest, LANES_MAX).is_ok());
}

#[test]
fn lengths_are_as_stated() {
    for (statistic, vector) in [
        (Statistic::Count, vec![1]),
        (Statistic::Sum { max: 100 }, vec![1, 77]),
        (Statistic::Histogram { buckets: 4 }, vec![1, 0, 0, 0, 1]),
        (Statistic::GroupedCount { groups: 3 }, vec![0, 0, 1]),
        (
            Statistic::GroupedSum { groups: 2, max: 9 },
            vec![0, 1, 0, 9],
        ),
    ] {
        let case = Case::honest(statistic, 3, &vector, 1);
        let (_, verifiers) = case.prepare().unwrap();
        assert_eq!(statistic.vector_len(), vector.len());
        assert_eq!(case.public.0.len(), case.validity.public_share_len());
        for (lane, (share, verifier)) in case.shares.iter().zip(&verifiers).enumerate() {
            assert_eq!(share.0.len(), case.validity.input_share_len(lane));
            assert_eq!(verifier.0.len(), case.validity.verifier_share_len());
        }
    }
}

/// The documented figures.
#[test]
fn lies_pass_with_negligible_chance() {
    let bound = |statistic| Validity::new(statistic, 10).unwrap().lie_bound();
    let usual = bound(Statistic::Histogram { buckets: 100 });
    assert!(
        (2f64.powi(-118)..2f64.powi(-117)).contains(&usual),
        "{}",
        usual.log2()
    );
    let largest = bound(Statistic::GroupedSum {
        groups: GROUPS_MAX,
        max: MINUS_ONE,
    });
    assert!(
        (2f64.powi(-112)..2f64.powi(-106)).contains(&largest),
        "{}",
        largest.log2()
    );
    // The most constraints that a vector can need: every element a copy, and all the bits of other numbers.
    let wide = [MINUS_ONE; 16];
    let shape = Shape::sums(3855, &wide);
    assert!(VECTOR_LEN_MAX - shape.vector_len() < 17);
    let longest = Validity::new(shape, 10).unwrap().lie_bound();
    assert!(longest < 2f64.powi(-106), "{}", longest.log2());
}

#[test]
fn nothing_secret_is_printed() {
    let case = Case::honest(Statistic::Count, 2, &[1], 1);
    let (prepared, _) = case.prepare().unwrap();
    assert_eq!(
        format!("{:?}", case.shares[1]),
        "InputShare(secret, 64 bytes)"
    );
    assert!(format!("{:?}", prepared[0]).contains("redacted"));
}
