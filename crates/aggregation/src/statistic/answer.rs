//! What totals say: figures, cell by cell.

use thiserror::Error;

use super::declaration::Measure;
use super::distribution::{Quantile, Top};
use super::domain::{Bracket, Label};
use super::fixed::{Fixed, Fraction};
use super::logistic::LogisticStep;
use super::moments::Moments;
use super::regression::{Covariance, Linear};

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
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Undefined {
    /// Nothing to compute from.
    #[error("there are no rows")]
    NoRows,
    /// Linear equations have no single solution: this column is constant, or follows from those before it.
    #[error("column \"{column}\" is constant or follows from those before it")]
    Collinear {
        /// Its name, or "intercept".
        column: String,
    },
}
