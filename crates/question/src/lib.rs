//! What may be asked of a community, and what one person's data contributes to the answer.
//!
//! A question is one statistic over one table of the vocabulary:
//!
//! ```text
//! SELECT COUNT(*) | COUNT(x) | SUM(x) | AVG(x) FROM table [WHERE condition]
//! ```
//!
//! [`Question::parse`] turns its SQL text, which anybody may have written, into a value that cannot be wrong: every name
//! is in the vocabulary, every value has a range that interval arithmetic derived from the declared ranges, and nothing
//! can overflow. From it follow three things that every node computes alike: the canonical text that people read and
//! that the plan binds ([`Question::sql`]), the statement that the owner's own node runs on its own data
//! ([`Question::local_sql`]), and how the row found becomes a vector to be summed over everybody ([`Question::measure`],
//! [`Question::decode`]; design: aggregation, "statistics are sums of vectors").
//!
//! Numbers are fixed point throughout: an integer times a power of ten that the vocabulary declares. No floating point
//! takes part in a range, a contribution or a total, so the decoded sum is exactly what adding up in the clear gives.
//!
//! Not here, on purpose: joins, groups, subqueries and every other part of SQL. Each is refused by name, with the reason
//! and what to write instead. SQL is read by `sqlparser`, behind a gate that lets only the words and signs of this
//! language reach it.
//!
//! ```
//! use community::{Column, Kind, Range, Table};
//! use question::{LocalValue, Question};
//!
//! let number = |name: &str, decimals, min, max| Column {
//!     name: name.into(),
//!     kind: Kind::Number(Range { decimals, min, max }),
//! };
//! let vocabulary = [Table {
//!     name: "people".into(),
//!     columns: vec![number("age", 0, 0, 120), number("sleep_hours", 1, 0, 240)],
//! }];
//! let question = Question::parse(
//!     "select avg(sleep_hours) from people where age between 40 and 49",
//!     &vocabulary,
//! )?;
//! assert_eq!(
//!     question.sql(),
//!     r#"SELECT AVG("sleep_hours") FROM "people" WHERE "age" BETWEEN 40 AND 49"#,
//! );
//!
//! // Two people match, with 7.5 and 6 hours; the row of a third does not.
//! let rows = [LocalValue::Number(75), LocalValue::Number(60), LocalValue::NoRow];
//! let mut totals = vec![0; question.vector_len()];
//! for row in rows {
//!     for (total, part) in totals.iter_mut().zip(question.measure(row).vector) {
//!         *total += part;
//!     }
//! }
//! let figures = question.decode(&totals).expect("an honest sum");
//! assert_eq!(figures.count, 2);
//! assert_eq!(figures.mean.expect("somebody matched").rounded(2).to_string(), "6.75");
//! # Ok::<(), question::QuestionError>(())
//! ```

mod answer;
mod condition;
mod consent;
mod construct;
mod decimal;
mod error;
#[cfg(test)]
mod example;
mod function;
mod gate;
mod inner;
mod local;
mod names;
mod number;
mod parts;
mod question;
mod row;
mod select;
mod shares;

pub use answer::{Answer, Figures, FiguresError, Group};
pub use consent::{ConsentRule, ConsentRuleError};
pub use construct::Construct;
pub use decimal::{Decimal, DecimalError, MAX_DECIMALS};
pub use error::QuestionError;
pub use function::Function;
pub use local::{LocalRow, LocalValue, Measured, Outcome};
pub use question::{MAX_DEPTH, MAX_TEXT, Question};
