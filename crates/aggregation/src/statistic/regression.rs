//! Covariances and least squares, from sums and sums of products.
//!
//! With n rows, C_ij = S_ij − S_i S_j / n are the centred cross products, n times the covariances. Least squares solve
//! C_xx b = C_xy; the intercept is the mean of y less b times the means of x; the residual sum of squares is
//! C_yy − b·C_xy; with p predictors, s² = RSS / (n − p − 1) and the covariance of b is s² C_xx⁻¹ (any textbook, such as
//! Draper and Smith, "Applied Regression Analysis").

use community::Column;
use num_rational::BigRational;
use num_traits::{Signed as _, Zero as _};

use super::answer::Undefined;
use super::column;
use super::elimination::{Inverse, Matrix, Singular, dot};
use super::fixed::{Fraction, as_f64, exact, exact_sum, root, ten_to};
use super::part::{both, pairs};
use super::totals::{Totals, TotalsError};

/// Covariances of columns, in their order and units.
#[derive(Debug, Clone, PartialEq)]
pub struct Covariance {
    /// Names.
    pub columns: Vec<String>,
    /// Means.
    pub means: Vec<Fraction>,
    /// Over n, row by row; variances on the diagonal.
    pub covariances: Vec<Vec<Fraction>>,
    /// Over n − 1, of at least two rows: the unbiased estimates of a larger population's.
    pub sample: Option<Vec<Vec<Fraction>>>,
    /// Pearson's correlations, row by row; none with a constant column.
    pub correlations: Vec<Vec<Option<f64>>>,
}

/// A linear model fitted by least squares, in the columns' units.
#[derive(Debug, Clone, PartialEq)]
pub struct Linear {
    /// The response where all predictors are zero.
    pub intercept: Coefficient,
    /// Of each predictor: its name, and how much the response changes with one unit.
    pub slopes: Vec<(String, Coefficient)>,
    /// The part of the response's variance that is explained; none of a constant response.
    pub r_squared: Option<Fraction>,
    /// Rows less coefficients; none when there are no rows to spare.
    pub degrees_of_freedom: Option<u64>,
    /// The estimated standard deviation of residuals, if rows are to spare.
    pub residual_standard_error: Option<f64>,
}

/// One coefficient.
#[derive(Debug, Clone, PartialEq)]
pub struct Coefficient {
    /// Its value.
    pub value: Fraction,
    /// How uncertain it is, if rows are to spare.
    pub standard_error: Option<f64>,
}

/// What the sums say, in units.
struct Centred {
    means: Vec<BigRational>,
    products: Matrix,
}

impl Centred {
    /// # Errors
    ///
    /// When a column would vary by less than nothing, or correlate by more than 1.
    fn read(columns: &[Column], chosen: &[u16], totals: &Totals) -> Result<Self, TotalsError> {
        let n = exact(totals.rows);
        let size = chosen.len();
        let sums: Vec<_> = totals.sums.iter().copied().map(exact_sum).collect();
        let (singles, doubles) = sums.split_at(size);
        let ranges: Vec<_> = chosen
            .iter()
            .map(|&index| column::range(columns, index).expect("checked"))
            .collect();
        let unit = |i: usize| ten_to(-i32::from(ranges[i].decimals));
        let mut products = vec![vec![BigRational::zero(); size]; size];
        for ((i, j), sum) in pairs(size).zip(doubles) {
            let centred = (sum - &singles[i] * &singles[j] / &n) * unit(i) * unit(j);
            products[i][j].clone_from(&centred);
            products[j][i] = centred;
        }
        for (i, j) in pairs(size) {
            let square = &products[i][j] * &products[i][j];
            if products[i][i].is_negative() || square > &products[i][i] * &products[j][j] {
                return Err(TotalsError::Impossible {
                    column: both(columns, chosen[i], chosen[j]),
                });
            }
        }
        let mean = |i: usize| (&singles[i] / &n + exact(ranges[i].min)) * unit(i);
        Ok(Self {
            means: (0..size).map(mean).collect(),
            products,
        })
    }
}

pub(super) fn covariance(
    columns: &[Column],
    chosen: &[u16],
    totals: &Totals,
) -> Result<Covariance, TotalsError> {
    let Centred { means, products } = Centred::read(columns, chosen, totals)?;
    let n = exact(totals.rows);
    let indices = 0..chosen.len();
    let correlations = indices
        .clone()
        .map(|i| {
            indices
                .clone()
                .map(|j| correlation(&products, i, j))
                .collect()
        })
        .collect();
    let over = |n: &BigRational| -> Vec<Vec<Fraction>> {
        let rows = products.iter();
        rows.map(|row| row.iter().map(|c| Fraction::of(c / n)).collect())
            .collect()
    };
    Ok(Covariance {
        columns: chosen.iter().map(|&i| column::name(columns, i)).collect(),
        means: means.into_iter().map(Fraction::of).collect(),
        covariances: over(&n),
        sample: (totals.rows > 1).then(|| over(&exact(totals.rows - 1))),
        correlations,
    })
}

fn correlation(products: &Matrix, i: usize, j: usize) -> Option<f64> {
    let square = &products[i][i] * &products[j][j];
    if square.is_zero() {
        return None;
    }
    let of = &products[i][j];
    Some(root(&(of * of / square)) * as_f64(&of.signum()))
}

/// What least squares solve for.
struct Fit {
    slopes: Vec<BigRational>,
    /// Of the predictors' cross products.
    inverse: Inverse,
    /// The part of the response's own product that the predictors explain.
    explained: BigRational,
    /// The part that they do not.
    residual: BigRational,
}

impl Fit {
    /// Of the last column by the others.
    fn of(products: &Matrix) -> Result<Self, Singular> {
        let (response, others) = products.split_last().expect("there is a response");
        let count = others.len();
        let inverse = Inverse::of(others, count)?;
        let with_response = &response[..count];
        let slopes = inverse.times(with_response);
        let explained = dot(&slopes, with_response);
        let residual = &response[count] - &explained;
        if residual.is_negative() {
            return Err(Singular::Indefinite);
        }
        Ok(Self {
            slopes,
            inverse,
            explained,
            residual,
        })
    }
}

/// `chosen` is the predictors, then the response.
pub(super) fn linear(
    columns: &[Column],
    chosen: &[u16],
    totals: &Totals,
) -> Result<Result<Linear, Undefined>, TotalsError> {
    let centred = Centred::read(columns, chosen, totals)?;
    let names: Vec<_> = chosen.iter().map(|&i| column::name(columns, i)).collect();
    match Fit::of(&centred.products) {
        Ok(fit) => Ok(Ok(report(&centred, fit, names, totals.rows))),
        Err(Singular::Dependent(index)) => Ok(Err(Undefined::Collinear {
            column: names[index].clone(),
        })),
        Err(Singular::Indefinite) => Err(TotalsError::Impossible {
            column: names[chosen.len() - 1].clone(),
        }),
    }
}

fn report(centred: &Centred, fit: Fit, names: Vec<String>, rows: u64) -> Linear {
    let (mean, means) = centred.means.split_last().expect("there is a response");
    let spare = rows.checked_sub(names.len() as u64);
    let spare = spare.filter(|spare| *spare > 0);
    let variance = spare.map(|spare| &fit.residual / exact(spare));
    let error = |factor: &BigRational| variance.as_ref().map(|variance| root(&(variance * factor)));
    let weighted = fit.inverse.times(means);
    let intercept = Coefficient {
        value: Fraction::of(mean - dot(&fit.slopes, means)),
        standard_error: error(&(exact(rows).recip() + dot(&weighted, means))),
    };
    let slope = |(index, value): (usize, BigRational)| Coefficient {
        value: Fraction::of(value),
        standard_error: error(&fit.inverse.diagonal(index)),
    };
    let total = &fit.explained + &fit.residual;
    let slopes = fit.slopes.into_iter().enumerate().map(slope);
    Linear {
        intercept,
        slopes: names.into_iter().zip(slopes).collect(),
        r_squared: (!total.is_zero()).then(|| Fraction::of(&fit.explained / total)),
        degrees_of_freedom: spare,
        residual_standard_error: error(&exact(1)),
    }
}
