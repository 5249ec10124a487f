//! Why a declaration is refused.

use thiserror::Error;

use super::declaration::{
    CELLS_MAX, COLUMNS_MAX, CONTRIBUTORS_MAX, DECIMALS_MAX, GROUPINGS_MAX, LEVEL_ONE, LEVELS_MAX,
    NAME_BYTES_MAX, ORDER_MAX, ROWS_MAX, TOTAL_BITS, VECTOR_LEN_MAX,
};

/// Why a statistic is refused before anything is sent.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum DeclarationError {
    /// Too many columns in a row.
    #[error("{found} columns, a row has at most {COLUMNS_MAX}")]
    Columns {
        /// As declared.
        found: usize,
    },
    /// A column has an empty name, one of more than [`NAME_BYTES_MAX`] bytes, or another column's.
    #[error("column {index} needs a name of its own of at most {NAME_BYTES_MAX} bytes")]
    Name {
        /// Its place in the row.
        index: usize,
    },
    /// A column of free text.
    #[error("column \"{column}\" is free text, which has no declared range")]
    Text {
        /// Its name.
        column: String,
    },
    /// A column of numbers with no range.
    #[error(
        "column \"{column}\" ranges from {low} to {high}: the lower end must be below the upper"
    )]
    EmptyRange {
        /// Its name.
        column: String,
        /// In units of its step.
        low: i64,
        /// In units of its step.
        high: i64,
    },
    /// Too many digits after the point.
    #[error(
        "column \"{column}\" has {found} digits after the point, at most {DECIMALS_MAX} are allowed"
    )]
    Decimals {
        /// Its name.
        column: String,
        /// As declared.
        found: u8,
    },
    /// No words, too many, or one of them twice.
    #[error("column \"{column}\" needs 1 to {CELLS_MAX} words, each of them once")]
    Words {
        /// Its name.
        column: String,
    },
    /// An index beyond the row.
    #[error("there is no column {index}")]
    NoColumn {
        /// The index.
        index: u16,
    },
    /// Words where numbers are needed.
    #[error("column \"{column}\" does not hold numbers")]
    NotNumbers {
        /// Its name.
        column: String,
    },
    /// Numbers where words are needed.
    #[error("column \"{column}\" holds numbers; put them into buckets")]
    NotWords {
        /// Its name.
        column: String,
    },
    /// Buckets that do not ascend within the column's range, or too many of them.
    #[error(
        "the buckets of column \"{column}\" must ascend within its range and be at most {CELLS_MAX}"
    )]
    Buckets {
        /// Its name.
        column: String,
    },
    /// Too many domains to group by.
    #[error("grouped by {found} domains, at most {GROUPINGS_MAX} are allowed")]
    Groupings {
        /// As declared.
        found: usize,
    },
    /// Too many cells.
    #[error("the groups make more than {CELLS_MAX} cells together")]
    Cells,
    /// No moment of this order.
    #[error("moments of column \"{column}\" to order {order}; the order is 2 to {ORDER_MAX}")]
    Order {
        /// Its name.
        column: String,
        /// As declared.
        order: u8,
    },
    /// No levels, too many, or one above 1.
    #[error("a quantile needs 1 to {LEVELS_MAX} levels, each of 0 to {LEVEL_ONE} millionths")]
    Levels,
    /// No part to be named.
    #[error("a top list must name at least one part")]
    EmptyTop,
    /// Too few or too many columns, or one of them twice.
    #[error("{found} columns, all different, are needed between {least} and {most}")]
    Number {
        /// As declared.
        found: usize,
        /// At least so many.
        least: usize,
        /// At most so many.
        most: usize,
    },
    /// A response that is not just 0 or 1.
    #[error("column \"{column}\" must be 0 or 1, without digits after the point")]
    NotBinary {
        /// Its name.
        column: String,
    },
    /// Not one weight for the intercept and each predictor.
    #[error("{found} weights, {expected} are needed")]
    Weights {
        /// As declared.
        found: usize,
        /// One more than predictors.
        expected: usize,
    },
    /// Weights or steps of too many digits.
    #[error(
        "{found} digits after the point of weights or steps, at most {DECIMALS_MAX} are allowed"
    )]
    StepDecimals {
        /// As declared.
        found: u8,
    },
    /// A step too fine for doubles to be rounded to.
    #[error(
        "column \"{column}\" has more than 2^{limit_bits} steps: take a coarser step, or divide the column by a power of ten"
    )]
    TooFine {
        /// Its name.
        column: String,
        /// The limit.
        limit_bits: u32,
    },
    /// Nobody contributes, or too many.
    #[error("{found} contributors; 1 to {CONTRIBUTORS_MAX} are possible")]
    Contributors {
        /// As declared.
        found: u64,
    },
    /// No rows, or too many.
    #[error("{found} rows of each person; 1 to {ROWS_MAX} are possible")]
    Rows {
        /// As declared.
        found: u16,
    },
    /// A total that could be too large.
    #[error(
        "the total over everybody of column \"{column}\" could reach 2^{TOTAL_BITS}: narrow its range"
    )]
    Overflow {
        /// Its name, or several.
        column: String,
    },
    /// Too long a vector.
    #[error("a vector would have more than {VECTOR_LEN_MAX} elements: take fewer cells or buckets")]
    TooLong,
}
