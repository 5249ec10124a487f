//! Figures, cell by cell.

use super::Statistic;
use super::column;
use super::declaration::Measure;
use super::distribution::{self, Quantile, Top};
use super::domain::{Bracket, Label};
use super::fixed::{Fixed, Fraction, exact, exact_sum, ten_to};
use super::logistic::{self, LogisticStep};
use super::moments::{self, Moments};
use super::regression::{self, Covariance, Linear};
use super::totals::{Totals, TotalsError};

/// What totals say.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// How many people have a row.
    pub people: u64,
    /// How near the figures are to those of the rows.
    pub exactness: Exactness,
    /// By the parts of the groupings, the last grouping's first; one cell without groups.
    pub cells: Vec<Cell>,
}

/// How near figures are to what the rows in the clear would give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exactness {
    /// Equal to it. What is a double is near to the exact figure, up to its last digits.
    Exact,
    /// Within the bucket that is given.
    Bucket,
    /// Of sums that are each off by less than this number for each row.
    Rounded {
        /// The declared step.
        step: Fixed,
    },
}

impl Exactness {
    pub(super) fn of(measure: &Measure) -> Self {
        match measure {
            Measure::Quantiles { .. } | Measure::Extremes { .. } => Self::Bucket,
            Measure::Logistic { decimals, .. } => Self::Rounded {
                step: Fixed {
                    units: 1,
                    decimals: *decimals,
                },
            },
            _ => Self::Exact,
        }
    }
}

/// The figures of one cell.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// The part of each grouping, in order.
    pub labels: Vec<Label>,
    /// How many people have a row in it.
    pub people: u64,
    /// How many rows are in it.
    pub rows: u64,
    /// The figures, or why there are none.
    pub figures: Result<Figures, Undefined>,
}

/// The figures of a measure.
#[derive(Debug, Clone, PartialEq)]
pub enum Figures {
    /// Nothing but the number of rows of the cell.
    Count,
    /// The sum.
    Sum(Fixed),
    /// The sum and the mean.
    Mean {
        /// The sum.
        total: Fixed,
        /// The sum divided by the number of rows.
        mean: Fraction,
    },
    /// Mean, variance and higher moments.
    Moments(Box<Moments>),
    /// Rows in each part of the domain.
    Histogram(Vec<(Label, u64)>),
    /// In the order of the declared levels.
    Quantiles(Vec<Quantile>),
    /// Where the ends are.
    Extremes {
        /// The lowest value is in here.
        min: Bracket,
        /// The highest value is in here.
        max: Bracket,
    },
    /// The parts with most rows.
    Top(Top),
    /// Covariances and correlations.
    Covariance(Box<Covariance>),
    /// Least squares.
    Linear(Box<Linear>),
    /// A Newton step.
    Logistic(Box<LogisticStep>),
}

/// Why a cell has no figures, although its totals are sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Undefined {
    /// Nothing to compute from.
    NoRows,
    /// Linear equations have no single solution: this column is constant, or follows from those before it.
    Collinear {
        /// Its name, or "intercept".
        column: String,
    },
}

impl std::fmt::Display for Undefined {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoRows => f.write_str("there are no rows"),
            Self::Collinear { column } => write!(
                f,
                "column \"{column}\" is constant or follows from those before it"
            ),
        }
    }
}

/// The figures of a cell, from its totals.
pub(super) fn figures(
    statistic: &Statistic,
    totals: &Totals,
) -> Result<Result<Figures, Undefined>, TotalsError> {
    let declaration = &statistic.declaration;
    let columns = &declaration.columns;
    if totals.rows == 0 {
        return Ok(match &declaration.measure {
            Measure::Count => Ok(Figures::Count),
            Measure::Histogram { domain } => Ok(distribution::histogram(columns, domain, totals)),
            _ => Err(Undefined::NoRows),
        });
    }
    Ok(match &declaration.measure {
        Measure::Count => Ok(Figures::Count),
        Measure::Sum { column } => Ok(Figures::Sum(sum(statistic, *column, totals))),
        Measure::Mean { column } => {
            let total = sum(statistic, *column, totals);
            let mean = exact(total.units) / exact(totals.rows) * ten_to(-i32::from(total.decimals));
            Ok(Figures::Mean {
                total,
                mean: Fraction::of(mean),
            })
        }
        Measure::Moments { column, .. } => {
            let total = sum(statistic, *column, totals);
            let span = column::span(column::range(columns, *column).expect("checked"));
            let sums: Vec<_> = totals.sums.iter().copied().map(exact_sum).collect();
            let moments = moments::decode(total, totals.rows, &sums, &exact_sum(span));
            let moments = moments.ok_or_else(|| TotalsError::Impossible {
                column: column::name(columns, *column),
            })?;
            Ok(Figures::Moments(Box::new(moments)))
        }
        Measure::Histogram { domain } => Ok(distribution::histogram(columns, domain, totals)),
        Measure::Quantiles { buckets, levels } => {
            Ok(distribution::quantiles(columns, buckets, levels, totals))
        }
        Measure::Extremes { buckets } => Ok(distribution::extremes(columns, buckets, totals)),
        Measure::Top { domain, count } => Ok(distribution::top(columns, domain, *count, totals)),
        Measure::Covariance { columns: chosen } => Ok(Figures::Covariance(Box::new(
            regression::covariance(columns, chosen, totals)?,
        ))),
        Measure::Linear { predictors, .. } => {
            regression::linear(columns, predictors, &declaration.measure.columns(), totals)?
                .map(|linear| Figures::Linear(Box::new(linear)))
        }
        Measure::Logistic { .. } => {
            logistic::decode(declaration, totals).map(|step| Figures::Logistic(Box::new(step)))
        }
    })
}

/// The sum of a column, of which the first part is the sum of its steps above the lowest value.
fn sum(statistic: &Statistic, index: u16, totals: &Totals) -> Fixed {
    let range = column::range(&statistic.declaration.columns, index).expect("checked");
    // At most 2^44 rows of less than 2^64 steps.
    let above = i128::try_from(totals.sums[0]).expect("a sum of steps is below 2^108");
    Fixed {
        units: above + i128::from(range.min) * i128::from(totals.rows),
        decimals: range.decimals,
    }
}
