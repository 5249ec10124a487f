use super::*;

const SEEDS: u64 = 8;

/// Refused by every number of lanes, whatever the randomness.
fn refuse(statistic: Statistic, input: &[u64]) {
    for lanes in [2, 3, 15] {
        for seed in 0..SEEDS {
            let case = Case::lying(statistic, lanes, input, seed);
            assert_eq!(case.check(), Err(Refused::Proof), "{statistic:?} {input:?}");
        }
    }
}

/// What the helper of a test calls honest must pass, or `refuse` would prove nothing.
fn pass(statistic: Statistic, input: &[u64], vector: &[u64]) {
    for lanes in [2, 3, 15] {
        let case = Case::lying(statistic, lanes, input, 1);
        assert_eq!(case.check(), Ok(vector.to_vec()), "{statistic:?} {input:?}");
    }
}

#[test]
fn nobody_counts_twice_or_less_than_nothing() {
    pass(Statistic::Count, &[1], &[1]);
    for lie in [
        2,
        3,
        1 << 32,
        MINUS_ONE,
        MINUS_ONE - 1,
        Vector::MODULUS / 2 + 1,
    ] {
        refuse(Statistic::Count, &[lie]);
    }
}

#[test]
fn a_value_is_in_range_and_zero_from_who_does_not_match() {
    // The match count, then bits that weigh 1, 2, 4 and 3.
    let sum = Statistic::Sum { max: 10 };
    pass(sum, &[1, 1, 1, 1, 1], &[1, 10]);
    pass(sum, &[1, 0, 0, 0, 0], &[1, 0]);
    for lie in [
        [2, 1, 0, 0, 0],
        [MINUS_ONE, 1, 0, 0, 0],
        [0, 1, 0, 0, 0],
        [0, 0, 0, 0, 1],
        [1, 2, 0, 0, 0],
        [1, 1000, 0, 0, 0],
        [1, MINUS_ONE, 0, 0, 0],
        [1, 0, 0, 0, MINUS_ONE],
        // Adds up to zero, but not of bits.
        [0, MINUS_ONE - 1, 1, 0, 0],
        [0, 2, MINUS_ONE, 0, 0],
    ] {
        refuse(sum, &lie);
    }
}

#[test]
fn nobody_is_in_two_buckets_or_twice_in_one() {
    let histogram = Statistic::Histogram { buckets: 4 };
    let counts = Statistic::GroupedCount { groups: 4 };
    pass(histogram, &[0, 1, 0, 0], &[1, 0, 1, 0, 0]);
    pass(histogram, &[0, 0, 0, 0], &[0, 0, 0, 0, 0]);
    pass(counts, &[0, 1, 0, 0], &[0, 1, 0, 0]);
    pass(counts, &[0, 0, 0, 0], &[0, 0, 0, 0]);
    for lie in [
        [1, 1, 0, 0],
        [1, 1, 1, 1],
        [2, 0, 0, 0],
        [0, 0, 0, MINUS_ONE],
        // They add up to one, and to zero.
        [1, 1, MINUS_ONE, 0],
        [2, MINUS_ONE, 0, 0],
        [1, MINUS_ONE, 0, 0],
        [5, 0, 0, Vector::MODULUS - 5],
    ] {
        refuse(histogram, &lie);
        refuse(counts, &lie);
    }
    let mut wide = vec![0; 100];
    (wide[3], wide[77]) = (1, 1);
    refuse(Statistic::Histogram { buckets: 100 }, &wide);
}

#[test]
fn a_value_goes_to_ones_own_group_only() {
    // Three groups, their sums, bits that weigh 1, 2, 4 and 3.
    let grouped = Statistic::GroupedSum { groups: 3, max: 10 };
    let honest = [0, 1, 0, 0, 5, 0, 1, 0, 1, 0];
    pass(grouped, &honest, &[0, 1, 0, 0, 5, 0]);
    pass(grouped, &[0; 10], &[0; 6]);
    for lie in [
        // Another's group, two groups, another value than the bits', a value beyond all bits, a negative one.
        [0, 1, 0, 5, 0, 0, 1, 0, 1, 0],
        [0, 1, 0, 5, 5, 0, 1, 0, 1, 0],
        [1, 1, 0, 5, 5, 0, 1, 0, 1, 0],
        [0, 1, 0, 0, 6, 0, 1, 0, 1, 0],
        [0, 1, 0, 0, 11, 0, 11, 0, 0, 0],
        [0, 1, 0, 0, MINUS_ONE, 0, MINUS_ONE, 0, 0, 0],
        // No match, but a value; twice oneself; less than nothing.
        [0, 0, 0, 0, 5, 0, 1, 0, 1, 0],
        [0, 2, 0, 0, 10, 0, 1, 0, 1, 0],
        [0, MINUS_ONE, 0, 0, MINUS_ONE - 4, 0, 1, 0, 1, 0],
        [MINUS_ONE, 1, 1, MINUS_ONE - 4, 5, 5, 1, 0, 1, 0],
    ] {
        refuse(grouped, &lie);
    }
}

/// All inputs of four numbers that matter: what passes is a contribution, and every contribution passes.
#[test]
fn what_passes_is_a_contribution() {
    const NUMBERS: [u64; 4] = [0, 1, 2, MINUS_ONE];
    for (statistic, len) in [
        (Statistic::Count, 1),
        (Statistic::Sum { max: 2 }, 3),
        (Statistic::Histogram { buckets: 3 }, 3),
        (Statistic::GroupedCount { groups: 3 }, 3),
        (Statistic::GroupedSum { groups: 2, max: 1 }, 5),
    ] {
        let mut passed = std::collections::BTreeSet::new();
        for number in 0..4u32.pow(len) {
            let input: Vec<_> = (0..len)
                .map(|digit| NUMBERS[(number / 4u32.pow(digit) % 4) as usize])
                .collect();
            match Case::lying(statistic, 2, &input, number.into()).check() {
                Ok(vector) => {
                    assert!(
                        is_contribution(statistic, &vector),
                        "{statistic:?} {input:?}"
                    );
                    passed.insert(vector);
                }
                Err(error) => assert_eq!(error, Refused::Proof, "{statistic:?} {input:?}"),
            }
        }
        let all = match statistic {
            Statistic::Count => 2,
            Statistic::Sum { max } => 2 + max,
            Statistic::Histogram { buckets: groups } | Statistic::GroupedCount { groups } => {
                1 + u64::from(groups)
            }
            Statistic::GroupedSum { groups, max } => 1 + u64::from(groups) * (1 + max),
        };
        assert_eq!(passed.len() as u64, all, "{statistic:?}");
    }
}

/// The chance that one of these passes is below 2^-100.
#[test]
fn of_thousands_of_random_lies_none_passes() {
    let mut rng = Rng::from_number(42);
    for (statistic, len) in [
        (Statistic::Count, 1),
        (Statistic::Sum { max: 1000 }, 11),
        (Statistic::Histogram { buckets: 12 }, 12),
        (Statistic::GroupedSum { groups: 4, max: 7 }, 11),
    ] {
        for seed in 0..1000 {
            let mut input: Vec<_> = (0..len).map(|_| rng.below(2)).collect();
            // One element at least is neither zero nor one: no bit, and no sum of a group that has none.
            for _ in 0..=rng.below(3) {
                input[rng.below(len) as usize] = 8 + rng.below(Vector::MODULUS - 8);
            }
            let case = Case::lying(statistic, 2, &input, seed);
            assert_eq!(case.check(), Err(Refused::Proof), "{statistic:?} {input:?}");
        }
    }
}
