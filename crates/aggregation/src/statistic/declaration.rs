//! What is declared of a statistic before anybody contributes: columns, groups, measure, and how many people at most.

use community::Column;
use minicbor::{Decode, Encode};

use super::domain::{Buckets, Domain};

/// Longest encoding of a declaration, in bytes: give it to [`base::decode`], so that lists in it are short. Enough for
/// [`CELLS_MAX`] words of sixty letters.
pub const DECLARATION_BYTES_MAX: usize = 1 << 18;
/// Most columns of one row: all that a regression and its groups can name.
pub const COLUMNS_MAX: usize = PREDICTORS_MAX + 1 + GROUPINGS_MAX;
/// Longest name of a column, in bytes.
pub const NAME_BYTES_MAX: usize = 256;
/// Most words or buckets of one domain, and most cells of all groupings together. Guess.
pub const CELLS_MAX: usize = 4096;
/// Most domains by which a statistic is grouped.
pub const GROUPINGS_MAX: usize = 4;
/// Most predictors of a regression, and columns of a covariance less one. A vector grows with the square.
pub const PREDICTORS_MAX: usize = 16;
/// Most levels of which quantiles are asked for.
pub const LEVELS_MAX: usize = 64;
/// What a level of 1, the maximum, is written as: levels are in millionths.
pub const LEVEL_ONE: u32 = 1_000_000;
/// Most digits after the point of a column, a weight or a step (the vocabulary's limit).
pub const DECIMALS_MAX: u8 = 9;
/// Highest order of a moment.
pub const ORDER_MAX: u8 = 4;
/// Most people who may contribute.
pub const CONTRIBUTORS_MAX: u64 = 1 << 32;
/// Most rows of one person.
pub const ROWS_MAX: u16 = 4096;
/// Most elements of a vector: half a megabyte on the wire. Guess.
pub const VECTOR_LEN_MAX: usize = 1 << 16;
/// A total is below two to this power, over everybody.
pub const TOTAL_BITS: u32 = 127;

/// One statistic over rows of columns, as it travels. [`Statistic::new`](super::Statistic::new) checks it.
///
/// Columns are named by their index in `columns`. A column is a number of a declared range and step, or one of declared
/// words; free text cannot be added up.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Declaration {
    /// What a row consists of, in order.
    #[n(0)]
    pub columns: Vec<Column>,
    /// The measure is taken for each combination of these apart; for everybody at once if there are none.
    #[n(1)]
    pub group_by: Vec<Domain>,
    /// What is computed.
    #[n(2)]
    pub measure: Measure,
    /// How many people contribute at most, 1 to [`CONTRIBUTORS_MAX`]. More of them could overflow the field.
    #[n(3)]
    pub contributors: u64,
    /// How many rows one person contributes at most, 1 to [`ROWS_MAX`].
    #[n(4)]
    pub rows: u16,
}

/// What is computed of the rows of a cell. With R the number of steps from a column's lowest to its highest value, and
/// at most 10^7 contributors of one row each, a number stays within one element of the field up to the R that is named.
/// Beyond it, it takes several elements.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Measure {
    /// How many rows. No element but the counts.
    #[n(0)]
    Count,
    /// The sum of a column. One number, R to 1.8 · 10^12. Exact.
    #[n(1)]
    Sum {
        /// A column of numbers.
        #[n(0)]
        column: u16,
    },
    /// The mean of a column: encoded like its sum. Exact, as a fraction.
    #[n(2)]
    Mean {
        /// A column of numbers.
        #[n(0)]
        column: u16,
    },
    /// Mean, variance, standard deviation and the central moments up to `order`, from the power sums of the steps above
    /// the lowest value: `order` numbers, R to 1.35 · 10^6 for order 2, 12,264 for order 3, 1,165 for order 4. Exact, as
    /// fractions; what is a root is the double nearest to the root of one.
    #[n(3)]
    Moments {
        /// A column of numbers.
        #[n(0)]
        column: u16,
        /// 2 (variance) to [`ORDER_MAX`].
        #[n(1)]
        order: u8,
    },
    /// How many rows are in each part of a domain. One count for each. Exact. The parts of a cell are opened together:
    /// where single ones must be withheld, declare a count, grouped by the domain.
    #[n(4)]
    Histogram {
        /// Whose parts.
        #[n(0)]
        domain: Domain,
    },
    /// The buckets in which quantiles lie: encoded like a histogram.
    #[n(5)]
    Quantiles {
        /// The resolution.
        #[n(0)]
        buckets: Buckets,
        /// In millionths, 0 to [`LEVEL_ONE`]: half a million is the median.
        #[n(1)]
        levels: Vec<u32>,
    },
    /// The buckets in which minimum and maximum lie: encoded like a histogram.
    #[n(6)]
    Extremes {
        /// The resolution.
        #[n(0)]
        buckets: Buckets,
    },
    /// The parts of a domain that most rows are in: encoded like a histogram. Exact.
    #[n(7)]
    Top {
        /// Whose parts.
        #[n(0)]
        domain: Domain,
        /// How many parts to name, at least one.
        #[n(1)]
        count: u16,
    },
    /// Covariances and correlations of c columns: c sums, and c (c + 1) / 2 sums of products, R to 1.35 · 10^6. Exact,
    /// as fractions; a correlation is a double.
    #[n(8)]
    Covariance {
        /// Columns of numbers, 2 to [`PREDICTORS_MAX`] + 1.
        #[n(0)]
        columns: Vec<u16>,
    },
    /// Least squares with an intercept: encoded like the covariance of all columns. Coefficients and R² exact, as
    /// fractions; standard errors are doubles.
    #[n(9)]
    Linear {
        /// The column to be explained.
        #[n(0)]
        response: u16,
        /// By these, 1 to [`PREDICTORS_MAX`].
        #[n(1)]
        predictors: Vec<u16>,
    },
    /// One Newton step of a logistic regression with an intercept: gradient and Fisher information of the
    /// log-likelihood at declared weights, p + 1 and (p + 1)(p + 2) / 2 numbers, each rounded to a step by everybody.
    #[n(10)]
    Logistic {
        /// A column that is 0 or 1.
        #[n(0)]
        response: u16,
        /// Columns of numbers, 1 to [`PREDICTORS_MAX`].
        #[n(1)]
        predictors: Vec<u16>,
        /// Of the intercept, then of each predictor, in units of `10^-weight_decimals`.
        #[n(2)]
        weights: Vec<i64>,
        /// Digits after the point of a weight.
        #[n(3)]
        weight_decimals: u8,
        /// Digits after the point to which gradient and information are rounded: the step.
        #[n(4)]
        decimals: u8,
    },
}

impl Measure {
    /// The columns that it adds up.
    pub(super) fn columns(&self) -> Vec<u16> {
        match self {
            Self::Sum { column } | Self::Mean { column } | Self::Moments { column, .. } => {
                vec![*column]
            }
            Self::Covariance { columns } => columns.clone(),
            Self::Linear {
                response,
                predictors,
            }
            | Self::Logistic {
                response,
                predictors,
                ..
            } => {
                let mut columns = predictors.clone();
                columns.push(*response);
                columns
            }
            _ => Vec::new(),
        }
    }

    /// The domain whose parts it counts.
    pub(super) fn domain(&self) -> Option<Domain> {
        match self {
            Self::Histogram { domain } | Self::Top { domain, .. } => Some(domain.clone()),
            Self::Quantiles { buckets, .. } | Self::Extremes { buckets } => {
                Some(Domain::Buckets(buckets.clone()))
            }
            _ => None,
        }
    }
}
