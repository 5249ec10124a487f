//! The plain model: what the rows in the clear give, by definition, against what their encodings' sum decodes to.

use num_rational::BigRational;
use num_traits::Zero as _;
use proptest::prelude::*;

use super::super::fixed::{exact, ten_to};
use super::*;

const WORDS: [&str; 3] = ["red", "green", "blue"];

/// A row: a word, and numbers x of two decimals, y of none, z of none.
type Plain = (usize, i64, i64, i64);

const X: (i64, i64) = (-300, 500);
const Y: (i64, i64) = (-9, 9);
const Z: (i64, i64) = (0, 1);

fn columns() -> Vec<Column> {
    vec![
        words("colour", &WORDS),
        number("x", 2, X.0, X.1),
        number("y", 0, Y.0, Y.1),
        number("z", 0, Z.0, Z.1),
    ]
}

/// People of up to three rows each, some without any.
fn population() -> impl Strategy<Value = Vec<Vec<Plain>>> {
    let row = (0..WORDS.len(), X.0..=X.1, Y.0..=Y.1, Z.0..=Z.1);
    prop::collection::vec(prop::collection::vec(row, 0..=3), 0..12)
}

/// How to group.
fn grouping() -> impl Strategy<Value = Vec<Domain>> {
    let by_y = Domain::Buckets(Buckets {
        column: 2,
        starts: vec![-3, 4],
    });
    prop::sample::select(vec![
        vec![],
        vec![Domain::Words(0)],
        vec![by_y.clone()],
        vec![Domain::Words(0), by_y],
    ])
}

/// Asks for a measure, and gives each cell with the rows that belong to it.
fn ask(
    population: &[Vec<Plain>],
    group_by: &[Domain],
    measure: Measure,
) -> Vec<(Cell, Vec<Plain>)> {
    let statistic = Statistic::new(Declaration {
        group_by: group_by.to_vec(),
        rows: 3,
        ..declare(columns(), measure)
    })
    .expect("a sound declaration");
    let people = population.iter().map(|rows| {
        let row = |&(word, x, y, z): &Plain| {
            let numbers = [x, y, z].map(Value::Number);
            [Value::Word(WORDS[word]), numbers[0], numbers[1], numbers[2]]
        };
        rows.iter().map(row).collect::<Vec<_>>()
    });
    let answer = statistic
        .decode(&totals(&statistic, people))
        .expect("honest totals");
    let some = population.iter().filter(|rows| !rows.is_empty()).count();
    assert_eq!(answer.people, some as u64);
    let cells = answer.cells.into_iter();
    cells
        .map(|cell| with_rows(cell, population, group_by))
        .collect()
}

/// Finds the rows of a cell by its labels, and checks its counts.
fn with_rows(cell: Cell, population: &[Vec<Plain>], group_by: &[Domain]) -> (Cell, Vec<Plain>) {
    assert_eq!(cell.labels.len(), group_by.len());
    let belongs = |row: &&Plain| cell.labels.iter().all(|label| fits(label, row));
    let people = population
        .iter()
        .filter(|rows| rows.iter().any(|row| belongs(&row)));
    assert_eq!(cell.people, people.count() as u64);
    let rows: Vec<Plain> = population
        .iter()
        .flatten()
        .filter(belongs)
        .copied()
        .collect();
    assert_eq!(cell.rows, rows.len() as u64);
    (cell, rows)
}

/// Groups are by words or by y.
fn fits(label: &Label, row: &Plain) -> bool {
    match label {
        Label::Word(word) => WORDS[row.0] == word,
        Label::Bucket(bracket) => (bracket.low.units..=bracket.high.units).contains(&row.2.into()),
    }
}

fn mean(values: &[BigRational]) -> BigRational {
    values.iter().sum::<BigRational>() / exact(values.len() as i128)
}

/// Mean of products of distances from the mean.
fn central(factors: &[&[BigRational]]) -> BigRational {
    let means: Vec<_> = factors.iter().map(|values| mean(values)).collect();
    let product = |row: usize| -> BigRational {
        factors
            .iter()
            .zip(&means)
            .map(|(values, mean)| &values[row] - mean)
            .product()
    };
    mean(&(0..factors[0].len()).map(product).collect::<Vec<_>>())
}

fn column(rows: &[Plain], of: impl Fn(&Plain) -> i64, decimals: i32) -> Vec<BigRational> {
    rows.iter()
        .map(|row| exact(of(row)) * ten_to(-decimals))
        .collect()
}

fn sorted_x(rows: &[Plain]) -> Vec<i128> {
    let mut values: Vec<i128> = rows.iter().map(|row| row.1.into()).collect();
    values.sort_unstable();
    values
}

fn holds(bracket: &Bracket, units: i128) -> bool {
    (bracket.low.units..=bracket.high.units).contains(&units)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn sums_and_moments(population in population(), group_by in grouping()) {
        for (cell, rows) in ask(&population, &group_by, Measure::Sum { column: 1 }) {
            let units = rows.iter().map(|row| i128::from(row.1)).sum();
            let sum = Figures::Sum(Fixed { units, decimals: 2 });
            prop_assert_eq!(cell.figures, if rows.is_empty() { Err(Undefined::NoRows) } else { Ok(sum) });
        }
        for (cell, rows) in ask(&population, &group_by, Measure::Mean { column: 1 }) {
            match cell.figures {
                Ok(Figures::Mean { mean: found, .. }) => {
                    prop_assert_eq!(found, Fraction::of(mean(&column(&rows, |row| row.1, 2))));
                }
                other => prop_assert_eq!(other, Err(Undefined::NoRows)),
            }
        }
        for (cell, rows) in ask(&population, &group_by, Measure::Moments { column: 1, order: 4 }) {
            let Ok(Figures::Moments(found)) = cell.figures else {
                prop_assert!(rows.is_empty());
                continue;
            };
            let x = column(&rows, |row| row.1, 2);
            let variance = central(&[&x, &x]);
            let n = rows.len() as i128;
            let sample = (n > 1).then(|| Fraction::of(&variance * exact(n) / exact(n - 1)));
            prop_assert_eq!(found.mean, Fraction::of(mean(&x)));
            prop_assert_eq!(found.variance, Fraction::of(variance));
            prop_assert_eq!(found.sample_variance, sample);
            prop_assert_eq!(found.third, Some(Fraction::of(central(&[&x, &x, &x]))));
            prop_assert_eq!(found.fourth, Some(Fraction::of(central(&[&x, &x, &x, &x]))));
        }
    }

    #[test]
    fn distributions(population in population(), group_by in grouping(), count in 1u16..40) {
        let range = Range { decimals: 2, min: X.0, max: X.1 };
        let buckets = Buckets::equal(1, range, count);
        prop_assert_eq!(buckets.starts.len() + 1, usize::from(count));
        let domain = Domain::Buckets(buckets.clone());
        for (cell, rows) in ask(&population, &group_by, Measure::Histogram { domain }) {
            let Ok(Figures::Histogram(parts)) = cell.figures else { panic!("always a histogram") };
            prop_assert_eq!(parts.len(), usize::from(count));
            for (label, found) in parts {
                let Label::Bucket(bracket) = label else { panic!("of numbers") };
                let inside = rows.iter().filter(|row| holds(&bracket, row.1.into())).count();
                prop_assert_eq!(found, inside as u64);
            }
        }
        let levels = vec![0, 250_000, 500_000, 999_999, LEVEL_ONE];
        let measure = Measure::Quantiles { buckets: buckets.clone(), levels };
        for (cell, rows) in ask(&population, &group_by, measure) {
            let Ok(Figures::Quantiles(found)) = cell.figures else {
                prop_assert!(rows.is_empty());
                continue;
            };
            let sorted = sorted_x(&rows);
            for quantile in found {
                let wanted = (quantile.level as usize * rows.len()).div_ceil(1_000_000).max(1);
                prop_assert_eq!(quantile.rank, wanted as u64);
                prop_assert!(holds(&quantile.bracket, sorted[wanted - 1]));
            }
        }
        for (cell, rows) in ask(&population, &group_by, Measure::Extremes { buckets }) {
            let Ok(Figures::Extremes { min, max }) = cell.figures else {
                prop_assert!(rows.is_empty());
                continue;
            };
            let sorted = sorted_x(&rows);
            prop_assert!(holds(&min, sorted[0]));
            prop_assert!(holds(&max, *sorted.last().unwrap()));
        }
    }

    #[test]
    fn tops(population in population(), count in 1u16..4) {
        let measure = Measure::Top { domain: Domain::Words(0), count };
        let (cell, rows) = ask(&population, &[], measure).remove(0);
        let Ok(Figures::Top(found)) = cell.figures else {
            prop_assert!(rows.is_empty());
            return Ok(());
        };
        let of = |word: &str| rows.iter().filter(|row| WORDS[row.0] == word).count() as u64;
        let named: Vec<&str> = found.parts.iter().map(|(label, rows)| {
            let Label::Word(word) = label else { panic!("of words") };
            assert_eq!(*rows, of(word));
            word.as_str()
        }).collect();
        let least = found.parts.last().unwrap().1;
        let others = WORDS.iter().filter(|word| !named.contains(word)).map(|word| of(word));
        prop_assert!(others.clone().all(|rows| rows <= least));
        let full = named.len() == usize::from(count);
        prop_assert!(full || others.clone().all(|rows| rows == 0));
        prop_assert_eq!(found.tied, others.filter(|rows| *rows == least).count());
    }

    #[test]
    fn covariances(population in population(), group_by in grouping()) {
        let measure = Measure::Covariance { columns: vec![1, 2, 3] };
        for (cell, rows) in ask(&population, &group_by, measure) {
            let Ok(Figures::Covariance(found)) = cell.figures else {
                prop_assert!(rows.is_empty());
                continue;
            };
            let all = [column(&rows, |row| row.1, 2), column(&rows, |row| row.2, 0), column(&rows, |row| row.3, 0)];
            for i in 0..3 {
                prop_assert_eq!(&found.means[i], &Fraction::of(mean(&all[i])));
                for j in 0..3 {
                    let expected = central(&[&all[i], &all[j]]);
                    prop_assert_eq!(&found.covariances[i][j], &Fraction::of(expected.clone()));
                    let constant = [i, j].iter().any(|&c| central(&[&all[c], &all[c]]).is_zero());
                    prop_assert_eq!(found.correlations[i][j].is_none(), constant);
                    let correlation = found.correlations[i][j].unwrap_or(0.0);
                    let sign = num_traits::Signed::signum(&expected);
                    prop_assert!(constant || exact(correlation.signum() as i128) == sign || sign.is_zero());
                }
            }
        }
    }

    /// Least squares are what leaves residuals that are orthogonal to all predictors.
    #[test]
    fn linear_models(population in population(), group_by in grouping()) {
        let measure = Measure::Linear { response: 1, predictors: vec![2, 3] };
        for (cell, rows) in ask(&population, &group_by, measure) {
            let y = column(&rows, |row| row.1, 2);
            let x = [column(&rows, |row| row.2, 0), column(&rows, |row| row.3, 0)];
            let found = match cell.figures {
                Ok(Figures::Linear(found)) => found,
                Err(Undefined::NoRows) => {
                    prop_assert!(rows.is_empty());
                    continue;
                }
                _ => {
                    let [a, b] = [&x[0], &x[1]];
                    let cross = central(&[a, b]);
                    let determinant = central(&[a, a]) * central(&[b, b]) - &cross * &cross;
                    prop_assert!(determinant.is_zero());
                    continue;
                }
            };
            let value = |coefficient: &Coefficient| coefficient.value.exact().clone();
            let slopes: Vec<_> = found.slopes.iter().map(|(_, slope)| value(slope)).collect();
            let residuals: Vec<BigRational> = (0..rows.len()).map(|row| {
                &y[row] - value(&found.intercept) - &slopes[0] * &x[0][row] - &slopes[1] * &x[1][row]
            }).collect();
            prop_assert!(mean(&residuals).is_zero());
            for x in &x {
                prop_assert!(central(&[x, &residuals]).is_zero());
            }
            let (total, rest) = (central(&[&y, &y]), central(&[&residuals, &residuals]));
            let explained = (!total.is_zero()).then(|| Fraction::of(exact(1) - rest / total));
            prop_assert_eq!(found.r_squared, explained);
            let spare = rows.len() as u64 - 3;
            prop_assert_eq!(found.degrees_of_freedom, (spare > 0).then_some(spare));
            prop_assert_eq!(found.intercept.standard_error.is_some(), spare > 0);
        }
    }

    #[test]
    fn logistic_steps(population in population(), weights in prop::array::uniform2(-200i64..200), decimals in 0u8..=9) {
        let measure = Measure::Logistic {
            response: 3,
            predictors: vec![1],
            weights: weights.to_vec(),
            weight_decimals: 2,
            decimals,
        };
        let (cell, rows) = ask(&population, &[], measure).remove(0);
        let Ok(Figures::Logistic(found)) = cell.figures else { return Ok(()) };
        let terms = rows.iter().map(|row| {
            let x = row.1 as f64 / 100.0;
            let linear = weights[0] as f64 / 100.0 + weights[1] as f64 / 100.0 * x;
            let p = 1.0 / (1.0 + (-linear).exp());
            let miss = row.3 as f64 - p;
            let v = p * (1.0 - p);
            [miss, miss * x, v, v * x, v * x * x]
        });
        let sums = terms.fold([0.0; 5], |sums, term| std::array::from_fn(|i| sums[i] + term[i]));
        let found = [
            &found.gradient[0],
            &found.gradient[1],
            &found.information[0][0],
            &found.information[1][0],
            &found.information[1][1],
        ];
        for (found, expected) in found.into_iter().zip(sums) {
            let off = (found.as_f64() - expected).abs();
            prop_assert!(off <= rows.len() as f64 * 10f64.powi(-i32::from(decimals)), "{}", off);
        }
    }

    /// A person of one row: people are the rows, and no other counts travel.
    #[test]
    fn single_rows(values in prop::collection::vec(prop::option::of(X.0..=X.1), 0..20)) {
        let statistic = Statistic::new(Declaration {
            group_by: vec![Domain::Buckets(Buckets { column: 0, starts: vec![0] })],
            ..declare(vec![number("x", 2, X.0, X.1)], Measure::Sum { column: 0 })
        }).unwrap();
        prop_assert_eq!(statistic.layout().len(), 4);
        let people = values.iter().map(|value| {
            value.iter().map(|&value| [Value::Number(value)]).collect::<Vec<_>>()
        });
        let answer = statistic.decode(&totals(&statistic, people)).unwrap();
        let (negative, other): (Vec<i64>, Vec<i64>) = values.iter().flatten().partition(|value| **value < 0);
        for (cell, values) in answer.cells.iter().zip([negative, other]) {
            prop_assert_eq!(cell.people, values.len() as u64);
            prop_assert_eq!(cell.rows, cell.people);
            if let Ok(Figures::Sum(sum)) = cell.figures {
                prop_assert_eq!(sum.units, values.iter().map(|value| i128::from(*value)).sum());
            }
        }
    }
}
