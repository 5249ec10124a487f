//! One Newton step of a logistic regression.
//!
//! At weights w, a row of predictors x (with x_0 = 1 for the intercept) and response y has p = 1 / (1 + exp(−w·x)); it adds
//! (y − p) x_i to the gradient of the log-likelihood and p (1 − p) x_i x_j to the Fisher information. The next weights are
//! w + information⁻¹ · gradient (iteratively reweighted least squares: McCullagh and Nelder, "Generalized Linear Models").
//! At the maximum the gradient vanishes, and the roots of the inverse's diagonal are the standard errors.
//!
//! Each row's numbers are rounded to the declared step. So the figures are those of sums that are off by less than one step
//! for each row; whether steps converge is seen from the gradients.

use community::{Column, Kind, Range};

use super::answer::Undefined;
use super::column;
use super::declaration::{DECIMALS_MAX, Declaration, Measure};
use super::elimination::{Inverse, Singular};
use super::fixed::{Fixed, Fraction, as_f64, exact, exact_sum, root, ten_to};
use super::part::{Part, pairs};
use super::refusal::DeclarationError;
use super::row::Row;
use super::totals::Totals;

/// A number is at most two to this power of steps away from zero, so that a double of 53 bits computes it to a fraction
/// of a step.
const STEP_BITS: u32 = 44;

/// Where one Newton step leads, intercept first, in the columns' units.
#[derive(Debug, Clone, PartialEq)]
pub struct LogisticStep {
    /// The predictors' names.
    pub predictors: Vec<String>,
    /// The declared step, to which everybody rounded.
    pub rounding: Fixed,
    /// The gradient at the declared weights.
    pub gradient: Vec<Fraction>,
    /// The Fisher information there, row by row.
    pub information: Vec<Vec<Fraction>>,
    /// What is added to the weights.
    pub step: Vec<f64>,
    /// The next weights.
    pub weights: Vec<f64>,
    /// The roots of the inverse information's diagonal: standard errors, once the step is small.
    pub standard_errors: Vec<f64>,
}

/// Checks the response and the number of weights.
pub(super) fn check(
    columns: &[Column],
    response: u16,
    weights: usize,
    predictors: usize,
) -> Result<(), DeclarationError> {
    let range = column::range(columns, response)?;
    let binary = Range {
        decimals: 0,
        min: 0,
        max: 1,
    };
    if range != binary {
        return Err(DeclarationError::NotBinary {
            column: column::name(columns, response),
        });
    }
    let expected = predictors + 1;
    if weights != expected {
        return Err(DeclarationError::Weights {
            found: weights,
            expected,
        });
    }
    Ok(())
}

pub(super) fn check_decimals(found: u8) -> Result<(), DeclarationError> {
    if found <= DECIMALS_MAX {
        Ok(())
    } else {
        Err(DeclarationError::StepDecimals { found })
    }
}

/// The most digits after the point, up to `most`, to which rows of predictors of these ranges can be rounded; `None` where
/// even whole numbers are too fine.
pub fn finest_decimals(predictors: &[Range], most: u8) -> Option<u8> {
    let reaches: Vec<_> = std::iter::once(Reach::INTERCEPT)
        .chain(predictors.iter().map(|range| Reach::of("", *range)))
        .collect();
    (0..=most)
        .rev()
        .find(|decimals| bounds(&reaches, *decimals).is_ok())
}

/// A predictor's largest magnitude, in units of `10^-decimals`.
struct Reach<'a> {
    units: u128,
    decimals: u8,
    name: &'a str,
}

impl<'a> Reach<'a> {
    const INTERCEPT: Self = Self {
        units: 1,
        decimals: 0,
        name: "intercept",
    };

    fn of(name: &'a str, range: Range) -> Self {
        Self {
            units: range
                .min
                .unsigned_abs()
                .max(range.max.unsigned_abs())
                .into(),
            decimals: range.decimals,
            name,
        }
    }
}

/// Of the intercept and all predictors.
fn reaches<'a>(
    columns: &'a [Column],
    predictors: &[u16],
) -> Result<Vec<Reach<'a>>, DeclarationError> {
    let mut reaches = vec![Reach::INTERCEPT];
    for &index in predictors {
        let range = column::range(columns, index)?;
        reaches.push(Reach::of(&columns[usize::from(index)].name, range));
    }
    Ok(reaches)
}

/// The parts of a row: gradient, then information, each above its lowest value in steps of `10^-decimals`.
pub(super) fn parts(
    columns: &[Column],
    predictors: &[u16],
    decimals: u8,
) -> Result<Vec<Part>, DeclarationError> {
    let reaches = reaches(columns, predictors)?;
    let singles = reaches.iter().map(|x| x.name.to_string());
    let doubles = pairs(reaches.len());
    let doubles = doubles.map(|(i, j)| format!("{} · {}", reaches[i].name, reaches[j].name));
    let bounds = bounds(&reaches, decimals)?;
    let parts = bounds.into_iter().zip(singles.chain(doubles));
    Ok(parts
        .map(|(bound, column)| Part {
            limit: 2 * u128::from(bound),
            column,
        })
        .collect())
}

/// How many steps each part can be away from zero.
fn bounds(reaches: &[Reach<'_>], decimals: u8) -> Result<Vec<u64>, DeclarationError> {
    let too_fine = |column: &str| DeclarationError::TooFine {
        column: column.to_string(),
        limit_bits: STEP_BITS,
    };
    let singles = reaches
        .iter()
        .map(|x| bound(x.units, x.decimals, decimals, 1).ok_or_else(|| too_fine(x.name)));
    let doubles = pairs(reaches.len()).map(|(i, j)| {
        let (x, y) = (&reaches[i], &reaches[j]);
        // p (1 − p) is at most a quarter. Magnitudes are at most 2^63.
        let bound = bound(x.units * y.units, x.decimals + y.decimals, decimals, 4);
        bound.ok_or_else(|| too_fine(y.name))
    });
    singles.chain(doubles).collect()
}

/// The bounds of a declaration that has been checked.
fn checked_bounds(columns: &[Column], predictors: &[u16], decimals: u8) -> Vec<u64> {
    let reaches = reaches(columns, predictors).expect("the declaration was checked");
    bounds(&reaches, decimals).expect("the declaration was checked")
}

/// `units × 10^-scale / divisor` in steps of `10^-decimals`, rounded up; `None` when that is too many.
fn bound(units: u128, scale: u8, decimals: u8, divisor: u128) -> Option<u64> {
    let divisor = divisor * 10u128.pow(scale.into());
    let steps = units
        .checked_mul(10u128.pow(decimals.into()))?
        .div_ceil(divisor);
    u64::try_from(steps)
        .ok()
        .filter(|steps| *steps <= 1 << STEP_BITS)
}

/// The parts of this row.
pub(super) fn values(row: &Row<'_>) -> Vec<u128> {
    let Measure::Logistic {
        response,
        predictors,
        weights,
        weight_decimals,
        decimals,
    } = &row.declaration.measure
    else {
        panic!("called for a logistic step only");
    };
    let columns = &row.declaration.columns;
    let predictor = |&index: &u16| {
        let Kind::Number(range) = columns[usize::from(index)].kind else {
            panic!("the declaration was checked: this column holds numbers");
        };
        row.units(index) as f64 / ten(range.decimals)
    };
    let x: Vec<f64> = std::iter::once(1.0)
        .chain(predictors.iter().map(predictor))
        .collect();
    let products = weights.iter().zip(&x);
    let linear: f64 = products
        .map(|(&w, x)| w as f64 / ten(*weight_decimals) * x)
        .sum();
    let chance = 1.0 / (1.0 + (-linear).exp());
    let rest = 1.0 / (1.0 + linear.exp());
    let miss = if row.steps(*response) == 1 {
        rest
    } else {
        -chance
    };
    let gradient = x.iter().map(|x| miss * x);
    let information = pairs(x.len()).map(|(i, j)| chance * rest * x[i] * x[j]);
    let bounds = checked_bounds(columns, predictors, *decimals);
    gradient
        .chain(information)
        .zip(bounds)
        .map(|(value, bound)| above(value * ten(*decimals), bound))
        .collect()
}

fn ten(decimals: u8) -> f64 {
    10f64.powi(decimals.into())
}

/// Steps above the lowest value. The bound is reached, not passed, except by a double's last digit.
fn above(steps: f64, bound: u64) -> u128 {
    let bound = i128::from(bound);
    let steps = (steps.round() as i128).clamp(-bound, bound);
    u128::try_from(steps + bound).expect("at least the lowest value")
}

/// From totals of at least one row.
pub(super) fn decode(
    declaration: &Declaration,
    totals: &Totals,
) -> Result<LogisticStep, Undefined> {
    let Measure::Logistic {
        predictors,
        weights,
        weight_decimals,
        decimals,
        ..
    } = &declaration.measure
    else {
        panic!("called for a logistic step only");
    };
    let columns = &declaration.columns;
    let bounds = checked_bounds(columns, predictors, *decimals);
    let unit = ten_to(-i32::from(*decimals));
    let rows = exact(totals.rows);
    let sums = totals.sums.iter().zip(&bounds);
    let mut sums = sums.map(|(&sum, bound)| (exact_sum(sum) - exact(*bound) * &rows) * &unit);
    let size = weights.len();
    let gradient: Vec<_> = sums.by_ref().take(size).collect();
    let mut information = vec![vec![exact(0); size]; size];
    for ((i, j), sum) in pairs(size).zip(sums) {
        information[i][j].clone_from(&sum);
        information[j][i] = sum;
    }
    // Rounding may make a matrix indefinite that is nearly singular, so that this is no sign of a lie.
    let inverse = Inverse::of(&information, size).map_err(|singular| {
        let at = match singular {
            Singular::Dependent(at) => at,
            Singular::Indefinite => predictors.len(),
        };
        let column = match at.checked_sub(1) {
            Some(index) => column::name(columns, predictors[index]),
            None => String::from("intercept"),
        };
        Undefined::Collinear { column }
    })?;
    let step: Vec<f64> = inverse.times(&gradient).iter().map(as_f64).collect();
    let before = weights.iter().map(|&w| w as f64 / ten(*weight_decimals));
    let diagonal = (0..size).map(|i| root(&inverse.diagonal(i)));
    let names = predictors.iter().map(|&index| column::name(columns, index));
    Ok(LogisticStep {
        predictors: names.collect(),
        rounding: Fixed {
            units: 1,
            decimals: *decimals,
        },
        weights: before
            .zip(&step)
            .map(|(weight, step)| weight + step)
            .collect(),
        standard_errors: diagonal.collect(),
        gradient: gradient.into_iter().map(Fraction::of).collect(),
        information: information
            .into_iter()
            .map(|row| row.into_iter().map(Fraction::of).collect())
            .collect(),
        step,
    })
}
