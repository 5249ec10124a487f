//! Nothing overflows: widths at ten million contributors, and everybody at the ends of the range.

use proptest::prelude::*;

use super::*;

const MANY: u64 = 10_000_000;

fn many(columns: Vec<Column>, measure: Measure) -> Result<Statistic, DeclarationError> {
    Statistic::new(Declaration {
        contributors: MANY,
        ..declare(columns, measure)
    })
}

/// Elements that a column of so many steps takes besides the count.
fn width(steps: u64, measure: Measure) -> Option<usize> {
    let min = if steps > i64::MAX as u64 { i64::MIN } else { 0 };
    let max = i64::try_from(i128::from(min) + i128::from(steps)).unwrap();
    match many(vec![number("x", 0, min, max)], measure) {
        Ok(statistic) => Some(statistic.layout().len() - 1),
        Err(error) => {
            let column = String::from("x");
            assert_eq!(error, DeclarationError::Overflow { column });
            None
        }
    }
}

#[test]
fn widths_at_ten_million_contributors() {
    let sum = |steps| width(steps, Measure::Sum { column: 0 });
    assert_eq!(sum(1_844_674_406_941), Some(1));
    assert_eq!(sum(1_844_674_406_942), Some(2));
    assert_eq!(sum(u64::MAX), Some(2));
    let moments = |steps, order| width(steps, Measure::Moments { column: 0, order });
    assert_eq!(moments(1_358_187, 2), Some(2));
    assert_eq!(moments(1_358_188, 2), Some(3));
    assert_eq!(moments(12_264, 3), Some(3));
    assert_eq!(moments(12_265, 3), Some(4));
    assert_eq!(moments(1_165, 4), Some(4));
    assert_eq!(moments(1_166, 4), Some(5));
    // The fourth power of 2^16 − 1 steps fits two limbs of 32 bits; above that, three.
    assert_eq!(moments((1 << 16) - 1, 4), Some(1 + 1 + 2 + 2));
    assert_eq!(moments(1 << 16, 4), Some(1 + 1 + 2 + 3));
    // (2^127 / 10^7)^(1/4) steps are the most.
    assert_eq!(moments(64_224_741, 4), Some(1 + 2 + 3 + 4));
    assert_eq!(moments(64_224_742, 4), None);
    assert_eq!(moments(u64::MAX, 2), None);
}

#[test]
fn products_name_both_columns() {
    let wide = |name| number(name, 9, 0, i64::MAX);
    let columns = vec![number("y", 0, 0, 1), wide("x")];
    let measure = Measure::Linear {
        response: 0,
        predictors: vec![1],
    };
    let overflow = Err(DeclarationError::Overflow {
        column: "x · x".into(),
    });
    assert_eq!(many(columns, measure), overflow);
}

/// Several rows of each person count against the limit, too.
#[test]
fn rows_widen() {
    let of_rows = |rows| {
        let one = declare(
            vec![number("x", 0, 0, 1_844_674_406_941)],
            Measure::Sum { column: 0 },
        );
        let contributors = MANY;
        Statistic::new(Declaration {
            contributors,
            rows,
            ..one
        })
        .unwrap()
        .layout()
        .len()
    };
    assert_eq!(of_rows(1), 2);
    assert_eq!(of_rows(2), 4);
}

/// One column of any range, all measures of it.
fn any_measure() -> impl Strategy<Value = (Column, Measure)> {
    let measure = prop::sample::select(vec![
        Measure::Sum { column: 0 },
        Measure::Moments {
            column: 0,
            order: 2,
        },
        Measure::Moments {
            column: 0,
            order: 3,
        },
        Measure::Moments {
            column: 0,
            order: 4,
        },
    ]);
    let column = (0u32..63, any::<i64>(), any::<u64>()).prop_map(|(bits, min, span)| {
        let max = min.saturating_add((span >> bits >> 1) as i64);
        number("x", 0, min.min(max - 1), max)
    });
    (column, measure)
}

proptest! {
    /// With everybody at the highest value, no element reaches the modulus, and the sum is right.
    #[test]
    fn everybody_at_the_top((column, measure) in any_measure(), contributors in 1..=CONTRIBUTORS_MAX, rows in 1..=ROWS_MAX) {
        let Kind::Number(range) = column.kind else { panic!("a number") };
        let Ok(statistic) = Statistic::new(Declaration {
            contributors,
            rows,
            ..declare(vec![column], measure)
        }) else {
            return Ok(());
        };
        let one = statistic.encode(&vec![[Value::Number(range.max)]; rows.into()]).unwrap();
        prop_assert_eq!(&one.len(), &statistic.layout().len());
        let mut totals = Vec::new();
        for (element, limit) in one.into_iter().zip(statistic.layout().limits()) {
            prop_assert!(element <= limit);
            prop_assert!(u128::from(limit) * u128::from(contributors) < Vector::MODULUS.into());
            totals.push(element * contributors);
        }
        let answer = statistic.decode(&totals).unwrap();
        let total = i128::from(range.max) * i128::from(contributors) * i128::from(rows);
        match answer.cells[0].figures.clone().unwrap() {
            Figures::Sum(sum) => prop_assert_eq!(sum.units, total),
            Figures::Moments(found) => {
                prop_assert_eq!(found.total.units, total);
                prop_assert_eq!(found.variance, Fraction::new(0, 1).unwrap());
                prop_assert_eq!(found.skewness, None);
            }
            other => prop_assert!(false, "{:?}", other),
        }
    }

    /// Half at one end, half at the other: variance and fourth moment are those of a coin.
    #[test]
    fn half_at_either_end((column, _) in any_measure(), half in 1..=CONTRIBUTORS_MAX / 2) {
        let Kind::Number(range) = column.kind else { panic!("a number") };
        let span = i128::from(range.max) - i128::from(range.min);
        let Ok(statistic) = Statistic::new(Declaration {
            contributors: 2 * half,
            ..declare(vec![column], Measure::Moments { column: 0, order: 4 })
        }) else {
            return Ok(());
        };
        let ends = [range.min, range.max].map(|end| statistic.encode(&[[Value::Number(end)]]).unwrap());
        let totals: Vec<u64> = ends[0].iter().zip(&ends[1]).map(|(a, b)| (a + b) * half).collect();
        let answer = statistic.decode(&totals).unwrap();
        let Figures::Moments(found) = answer.cells[0].figures.clone().unwrap() else { panic!("moments") };
        prop_assert_eq!(found.variance, Fraction::new(span * span, 4).unwrap());
        prop_assert_eq!(found.third, Fraction::new(0, 1));
        prop_assert_eq!(found.fourth, Fraction::new(span * span * span * span, 16));
        prop_assert_eq!(found.kurtosis, Some(1.0));
    }
}

/// A regression at the limits is decoded within a moment, and exactly.
#[test]
fn largest_regression() {
    let mut columns: Vec<_> = (0..=PREDICTORS_MAX as u16)
        .map(|index| number(&format!("x{index}"), 9, -(1 << 20), 1 << 20))
        .collect();
    columns[0].name = "y".into();
    let measure = Measure::Linear {
        response: 0,
        predictors: (1..=PREDICTORS_MAX as u16).collect(),
    };
    let statistic = statistic(columns, measure);
    let mut rng = base::Rng::from_number(5);
    let rows: Vec<Vec<i64>> = (0..40)
        .map(|_| {
            let mut row: Vec<i64> = (0..=PREDICTORS_MAX)
                .map(|_| rng.below(1 << 12) as i64)
                .collect();
            // y is 3 + Σ i x_i, exactly.
            row[0] = 3 + (1..=PREDICTORS_MAX).map(|i| i as i64 * row[i]).sum::<i64>();
            row
        })
        .collect();
    let Ok(Figures::Linear(found)) = figures(&statistic, &rows) else {
        panic!("there are rows");
    };
    assert_eq!(found.r_squared, Fraction::new(1, 1));
    assert_eq!(found.residual_standard_error, Some(0.0));
    assert_eq!(
        found.intercept.value,
        Fraction::new(3, 1_000_000_000).unwrap()
    );
    for (index, (_, slope)) in found.slopes.iter().enumerate() {
        assert_eq!(slope.value, Fraction::new(index as i128 + 1, 1).unwrap());
    }
}
