//! Several numbers of a person, and those that are products of others.

use proptest::prelude::*;

use super::circuit::Circuit;
use super::range::Range;
use super::shape::{Number, Origin};
use super::*;

fn column(max: u64) -> Number {
    Number {
        origin: Origin::Column { max },
        limbs: vec![max],
    }
}

fn product(i: usize, j: usize) -> Number {
    Number {
        origin: Origin::Product(i, j),
        limbs: vec![MINUS_ONE],
    }
}

/// Numbers of each group, without buckets.
fn of(groups: u32, numbers: Vec<Number>) -> Shape {
    Shape {
        groups,
        buckets: None,
        numbers,
    }
}

/// A value up to `max` and its powers to the third.
fn powers(max: u64, groups: u32) -> Shape {
    let numbers = vec![column(max), product(0, 0), product(1, 0)];
    of(groups, numbers)
}

/// Two values, and their three products.
fn products(max: u64) -> Shape {
    let pairs = [product(0, 0), product(0, 1), product(1, 1)];
    let numbers = [column(max), column(max)].into_iter().chain(pairs);
    of(1, numbers.collect())
}

/// As two limbs.
fn halves(number: u128) -> [u64; 2] {
    [u64::from(number as u32), (number >> 32) as u64]
}

fn in_limbs(origin: Origin, most: u128) -> Number {
    let limbs = vec![u64::from(u32::MAX), halves(most)[1]];
    Number { origin, limbs }
}

fn refuse(shape: &Shape, input: &[u64]) {
    for lanes in [2, 3, 15] {
        for seed in 0..4 {
            let case = Case::lying(shape.clone(), lanes, input, seed);
            assert_eq!(case.check(), Err(Refused::Proof), "{shape:?} {input:?}");
        }
    }
}

fn pass(shape: &Shape, input: &[u64], vector: &[u64]) {
    for lanes in [2, 3, 15] {
        let case = Case::lying(shape.clone(), lanes, input, 1);
        assert_eq!(case.check(), Ok(vector.to_vec()), "{shape:?} {input:?}");
    }
}

#[test]
fn each_of_several_sums_is_in_its_range() {
    // The match count, then bits that weigh 1, 2 and 2; 1; 1, 2 and 4.
    let sums = Shape::sums(1, &[5, 1, 7]);
    pass(&sums, &[1, 1, 1, 1, 1, 0, 1, 1], &[1, 5, 1, 6]);
    pass(&sums, &[0; 8], &[0; 4]);
    for lie in [
        [1, 1, 1, 1, 2, 0, 1, 1],
        [1, 0, 0, 0, MINUS_ONE, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 2],
        [2, 1, 1, 1, 1, 0, 1, 1],
        // No match, but one of the numbers.
        [0, 1, 0, 0, 0, 0, 0, 0],
        [0, 0, 0, 0, 1, 0, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 1],
        // Numbers that add up to zero.
        [0, 1, 0, 0, MINUS_ONE, 0, 0, 0],
    ] {
        refuse(&sums, &lie);
    }
}

#[test]
fn several_sums_go_to_ones_own_group_only() {
    // Two groups, their numbers, bits that weigh 1, 2 and 2; 1.
    let sums = Shape::sums(2, &[5, 1]);
    pass(&sums, &[0, 1, 0, 0, 3, 1, 1, 1, 0, 1], &[0, 1, 0, 0, 3, 1]);
    pass(&sums, &[0; 10], &[0; 6]);
    for lie in [
        [0, 1, 3, 1, 0, 0, 1, 1, 0, 1],
        [0, 1, 3, 0, 0, 1, 1, 1, 0, 1],
        [0, 1, 0, 0, 1, 3, 1, 1, 0, 1],
        [0, 1, 0, 0, 3, 0, 1, 1, 0, 1],
        [0, 0, 0, 0, 3, 1, 1, 1, 0, 1],
        [1, 1, 3, 1, 3, 1, 1, 1, 0, 1],
        // Whoever does not match may have numbers of its own: they go nowhere. But not into a group.
        [0, 0, 1, 0, MINUS_ONE, 0, 1, 0, 0, 0],
    ] {
        refuse(&sums, &lie);
    }
    pass(&sums, &[0, 0, 0, 0, 0, 0, 1, 1, 0, 1], &[0; 6]);
}

#[test]
fn powers_are_those_of_the_value() {
    // The match count, bits that weigh 1, 2, 4 and 3, the square, the cube.
    let powers = powers(10, 1);
    pass(&powers, &[1, 1, 1, 1, 1, 100, 1000], &[1, 10, 100, 1000]);
    pass(&powers, &[1, 1, 0, 0, 0, 1, 1], &[1, 1, 1, 1]);
    pass(&powers, &[0; 7], &[0; 4]);
    let third = (MINUS_ONE / 3, Vector::MODULUS - 3);
    for lie in [
        [1, 1, 1, 0, 0, 9, 26],
        [1, 1, 1, 0, 0, 8, 24],
        [1, 1, 1, 0, 0, 9, 0],
        [1, 0, 0, 0, 0, 1, 0],
        [1, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 0, 1],
        [0, 0, 0, 0, 0, 1, 1],
        [0, 1, 0, 0, 0, 1, 1],
        [2, 1, 0, 0, 0, 1, 1],
        // Minus three, its square and cube; twice the values.
        [1, third.1, 0, 0, 0, 9, Vector::MODULUS - 27],
        [2, 2, 0, 0, 0, 2, 2],
        [1, third.0, 0, 0, 0, 0, 0],
    ] {
        refuse(&powers, &lie);
    }
}

#[test]
fn powers_go_to_ones_own_group_only() {
    // Two groups, their numbers, bits that weigh 1 and 1, the square, the cube.
    let powers = powers(2, 2);
    let honest = [1, 0, 2, 4, 8, 0, 0, 0, 1, 1, 4, 8];
    pass(&powers, &honest, &[1, 0, 2, 4, 8, 0, 0, 0]);
    for at in 0..8 {
        for change in [1, MINUS_ONE] {
            let mut lie = honest;
            lie[at] =
                ((u128::from(lie[at]) + u128::from(change)) % u128::from(Vector::MODULUS)) as u64;
            refuse(&powers, &lie);
        }
    }
    // In the other group, and in both.
    refuse(&powers, &[1, 0, 0, 0, 0, 2, 4, 8, 1, 1, 4, 8]);
    refuse(&powers, &[1, 1, 2, 4, 8, 2, 4, 8, 1, 1, 4, 8]);
}

#[test]
fn products_are_those_of_the_values() {
    // The match count; twice bits that weigh 1, 2 and 2; products.
    let products = products(5);
    pass(
        &products,
        &[1, 1, 1, 0, 1, 1, 1, 9, 15, 25],
        &[1, 3, 5, 9, 15, 25],
    );
    pass(&products, &[0; 10], &[0; 6]);
    for lie in [
        [1, 1, 1, 0, 1, 1, 1, 9, 14, 25],
        [1, 1, 1, 0, 1, 1, 1, 25, 15, 9],
        [1, 1, 1, 0, 1, 1, 1, 9, 15, 0],
        [1, 0, 0, 0, 1, 1, 1, 0, 1, 25],
        [0, 0, 0, 0, 1, 1, 1, 0, 0, 25],
        [0, 1, 0, 0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 0, 0, MINUS_ONE, 0],
    ] {
        refuse(&products, &lie);
    }
}

/// What an honest person's input is, of somebody's vector.
fn input(shape: &Shape, vector: &[u64]) -> Vec<u64> {
    let circuit = Circuit::new(shape.clone());
    let input = circuit.encode(&Vector::from_u64s(vector).unwrap());
    input.unwrap().into_iter().map(u64::from).collect()
}

/// Refuses the input of somebody whose numbers are not zero, with any element changed.
fn refuse_changes(shape: &Shape, honest: &[u64]) {
    for at in 0..honest.len() {
        for change in [1 - honest[at].min(1), 2, MINUS_ONE] {
            let mut lie = honest.to_vec();
            lie[at] = change;
            let case = Case::lying(shape.clone(), 2, &lie, at as u64);
            assert_eq!(case.check(), Err(Refused::Proof), "{shape:?} {lie:?}");
        }
    }
}

/// Limbs that make the same number, but are out of range: of these, the bits begin after so many others.
fn refuse_carries(shape: &Shape, honest: &[u64], before: usize) {
    let (low, high) = (1 + before, 1 + before + 32);
    for carried in [1, 2, MINUS_ONE] {
        let mut lie = honest.to_vec();
        lie[low] = add(lie[low], product_of(carried, 1 << 32));
        lie[high] = add(lie[high], product_of(carried, MINUS_ONE));
        refuse(shape, &lie);
    }
}

fn add(a: u64, b: u64) -> u64 {
    ((u128::from(a) + u128::from(b)) % u128::from(Vector::MODULUS)) as u64
}

fn product_of(a: u64, b: u64) -> u64 {
    (u128::from(a) * u128::from(b) % u128::from(Vector::MODULUS)) as u64
}

#[test]
fn a_value_in_limbs_is_the_value() {
    let max = (5 << 32) + 7;
    let number = in_limbs(Origin::Column { max }, max.into());
    let shape = of(1, vec![number]);
    for value in [0, 1, 1 << 32, (1 << 32) - 1, max - 1, max] {
        let [low, high] = halves(value.into());
        let vector = [1, low, high];
        let honest = input(&shape, &vector);
        pass(&shape, &honest, &vector);
        if value != 0 {
            refuse_changes(&shape, &honest);
        }
    }
    let honest = input(&shape, &[1, 9, 2]);
    refuse_carries(&shape, &honest, Range::to(max).len());
    let encodes = |vector: [u64; 3]| {
        let vector = Vector::from_u64s(&vector).unwrap();
        Circuit::new(shape.clone()).encode(&vector).is_ok()
    };
    assert!(encodes([1, 7, 5]));
    assert!(!encodes([1, 8, 5]), "above the greatest value");
    assert!(!encodes([1, 1 << 32, 4]), "a limb too large");
    assert!(!encodes([0, 1, 0]));
}

/// The greatest value whose square is still below the modulus.
#[test]
fn a_product_in_limbs_is_the_product() {
    let max = (1 << 32) - 1;
    let most = u128::from(max).pow(2);
    let square = in_limbs(Origin::Product(0, 0), most);
    assert!(square.fits());
    let shape = of(1, vec![column(max), square]);
    for value in [0, 1, 77, 1 << 16, max - 1, max] {
        let [low, high] = halves(u128::from(value).pow(2));
        let vector = [1, value, low, high];
        let honest = input(&shape, &vector);
        pass(&shape, &honest, &vector);
        if value == 77 || value == max {
            refuse_changes(&shape, &honest);
        }
    }
    let honest = input(&shape, &[1, 1 << 20, 0, 1 << 8]);
    refuse_carries(&shape, &honest, Range::to(max).len());
    // A small square and the modulus together, which limbs in range cannot be.
    let wrapped = halves(u128::from(Vector::MODULUS) + 9);
    let vector = Vector::from_u64s(&[1, 3, wrapped[0], wrapped[1]]).unwrap();
    assert_eq!(Circuit::new(shape).encode(&vector), Err(NotInRange));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// All that a number's limbs can be is below the modulus exactly if the greatest number is, but for one.
    #[test]
    fn a_number_fits_if_it_is_below_the_modulus(below in 0..1u64 << 34, above in 0..1u128 << 34) {
        let split = |most: u128| Number {
            origin: Origin::Product(0, 0),
            limbs: (0..).map(|limb| most >> (32 * limb)).take_while(|rest| *rest > 0).map(|rest| {
                if rest >> 32 > 0 { u64::from(u32::MAX) } else { rest as u64 }
            }).collect(),
        };
        let modulus = u128::from(Vector::MODULUS);
        prop_assert!(split(modulus - 2 - u128::from(below)).fits());
        prop_assert!(!split(modulus - 1 + above).fits());
        prop_assert!(!split(modulus << 30).fits());
    }
}
