//! Why a text is not a question.

use aggregation::statistic::{CELLS_MAX, DeclarationError};
use thiserror::Error;

use crate::construct::Construct;
use crate::decimal::MAX_DECIMALS;
use crate::names::{hint, shown};
use crate::question::{MAX_DEPTH, MAX_TEXT};

/// Why a text was refused as a question. Each says what was found, why not, and what would work.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum QuestionError {
    /// The text, or its canonical form, is too long.
    #[error(
        "the question has {len} bytes; at most {MAX_TEXT} are read, so list fewer values or conditions"
    )]
    TooLong {
        /// Bytes found.
        len: usize,
    },
    /// Brackets or operators are nested too deep.
    #[error("the question is nested deeper than {MAX_DEPTH} levels; write it flatter")]
    TooDeep,
    /// Not SQL.
    #[error("not understood: {}; the form is SELECT AVG(column) FROM table WHERE condition", shown(.0))]
    Syntax(String),
    /// SQL, but not of this language.
    #[error("{0}")]
    Unsupported(Construct),
    /// The vocabulary has no such table.
    #[error(
        "the community has no table \"{}\"{}",
        shown(name),
        hint(suggestion.as_deref(), "take one that its vocabulary declares")
    )]
    UnknownTable {
        /// As written.
        name: String,
        /// The closest name there is.
        suggestion: Option<String>,
    },
    /// The table has no such column.
    #[error(
        "table \"{table}\" has no column \"{}\"{}",
        shown(name),
        hint(suggestion.as_deref(), "name one that it has")
    )]
    UnknownColumn {
        /// The table asked.
        table: String,
        /// As written.
        name: String,
        /// The closest name there is.
        suggestion: Option<String>,
    },
    /// A category column is compared with a word that it never holds.
    #[error(
        "column \"{column}\" never holds '{}'{}",
        shown(word),
        hint(suggestion.as_deref(), "name one of its words")
    )]
    UnknownWord {
        /// The category column.
        column: String,
        /// As written.
        word: String,
        /// The closest word that is declared.
        suggestion: Option<String>,
    },
    /// A number was needed.
    #[error(
        "{} is not a number; arithmetic and most statistics take number columns and numbers",
        shown(found)
    )]
    NotANumber {
        /// What stands there instead.
        found: String,
    },
    /// A condition was needed.
    #[error(
        "{} is not a condition; compare it with something, as in age > 40",
        shown(found)
    )]
    NotACondition {
        /// What stands there instead.
        found: String,
    },
    /// Words and numbers cannot be compared with each other.
    #[error(
        "{} and {} cannot be compared; compare numbers with numbers and words with words",
        shown(left),
        shown(right)
    )]
    Incomparable {
        /// On the left.
        left: String,
        /// On the right.
        right: String,
    },
    /// The words of a category have no order.
    #[error("the words of column \"{column}\" have no order; use =, <> or IN")]
    NoOrder {
        /// The category column.
        column: String,
    },
    /// A statistic or a comparison without a column says nothing about anybody.
    #[error("{found} reads no column; name one, or use COUNT(*) to count people")]
    NoColumn {
        /// What it is.
        found: &'static str,
    },
    /// A value has more digits after the point than fixed point keeps.
    #[error(
        "{} has more than {MAX_DECIMALS} digits after the point; use fewer factors or rounder numbers",
        shown(found)
    )]
    TooPrecise {
        /// The literal or operation.
        found: String,
    },
    /// A value could leave 64 bits.
    #[error(
        "{} could exceed 64-bit fixed point; use smaller numbers or fewer factors",
        shown(found)
    )]
    TooLarge {
        /// The literal or operation.
        found: String,
    },
    /// Division by zero.
    #[error("division by zero; divide by another number")]
    DivisionByZero,
    /// Division by something other than a number that divides a power of ten.
    #[error(
        "dividing by {} leaves no exact decimal; divide the answer instead, or by a number such as 2, 4, 5, 8 or 10",
        shown(divisor)
    )]
    InexactDivision {
        /// The divisor, or what stands in its place.
        divisor: String,
    },
    /// The vocabulary itself declares an impossible range.
    #[error(
        "the community declares an impossible range for column \"{column}\"; its authority must correct the vocabulary"
    )]
    BadRange {
        /// The column.
        column: String,
    },
    /// A statistic or function with other arguments than it takes.
    #[error("these are not its arguments: write {form}")]
    Arguments {
        /// How it is written.
        form: &'static str,
    },
    /// A written number that says how a statistic is taken, and cannot be this one.
    #[error("{} is no {what}: {instead}", shown(found))]
    Parameter {
        /// As written.
        found: String,
        /// What it should be.
        what: &'static str,
        /// How it is written.
        instead: &'static str,
    },
    /// What LOGISTIC explains is neither so nor not so.
    #[error(
        "{} is not just 0 or 1: what LOGISTIC explains comes first, and is a column of 0 and 1 or a comparison, as in LOGISTIC(sleep_hours < 7, age)",
        shown(found)
    )]
    NotBinary {
        /// What stands there instead.
        found: String,
    },
    /// Not as many weights as LOGISTIC needs.
    #[error(
        "as weights {found} numbers stand after the predictors: write {expected}, the intercept's first, and after them the step of rounding if you like; or leave all of them out to begin at 0"
    )]
    Weights {
        /// Numbers that are written.
        found: usize,
        /// One more than predictors.
        expected: usize,
    },
    /// Buckets of this width are impossible.
    #[error(
        "buckets {} wide are impossible here: take a multiple of {step} that makes at most {CELLS_MAX} of them",
        shown(found)
    )]
    Width {
        /// As written.
        found: String,
        /// The number's step.
        step: String,
    },
    /// Groups of a number without buckets.
    #[error(
        "{} holds numbers, and few people share one: group by buckets, such as {}",
        shown(number),
        shown(instead)
    )]
    GroupOfNumbers {
        /// The number.
        number: String,
        /// Buckets of it.
        instead: String,
    },
    /// Parts of a column of free text.
    #[error(
        "column \"{column}\" is free text, which has no list of words: group by a category column, or compare it in WHERE"
    )]
    FreeText {
        /// The column.
        column: String,
    },
    /// What is understood, but too large or impossible for the engine.
    #[error("this cannot be computed: {0}")]
    Statistic(#[from] DeclarationError),
}

impl From<Construct> for QuestionError {
    fn from(construct: Construct) -> Self {
        Self::Unsupported(construct)
    }
}
