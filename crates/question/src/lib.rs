//! What may be asked of a community, and what one person's data contributes to the answer.
//!
//! A question is one statistic over one table of the vocabulary, for everybody who fulfils a condition, or by groups:
//!
//! ```text
//! SELECT statistic FROM table [WHERE condition] [GROUP BY category | BUCKET(x, width), …]
//! SELECT statistic FROM (SELECT SUM(x) AS s, COUNT(*) AS n FROM table [WHERE …] [HAVING COUNT(*) <= rows]) …
//! ```
//!
//! Statistics ([`Function`]) are `COUNT`, `SUM`, `AVG`, variances, skewness and kurtosis, `HISTOGRAM`, `MEDIAN`, `QUANTILE`,
//! `MIN`, `MAX`, `TOP`, covariances, `CORR`, `REGR` and `LOGISTIC`; docs/questions.md shows each. Each person contributes one row.
//! Who has several is summed up by an inner query, over that person's rows alone; who has more rows than it allows
//! (a thousand unless it says otherwise) does not match, so that the range of what it gives is known.
//!
//! [`Question::parse`] turns SQL text, which anybody may have written, into a value that cannot be wrong: every name is in
//! the vocabulary, every value has a range that interval arithmetic derived from the declared ranges, and nothing can
//! overflow. From it follow things that every node computes alike: the canonical text that owners and readers of a
//! proof are shown ([`Question::sql`]), in which defaults are written out; the statement that the owner's own node runs on its own
//! data ([`Question::local_sql`]); what is declared to the engine ([`Question::statistic`]); and how the row found becomes
//! a vector to be summed over everybody ([`Question::measure`]), and the totals figures ([`Question::decode`]; design:
//! aggregation, "statistics are sums of vectors").
//!
//! Numbers are fixed point throughout: an integer times a power of ten that the vocabulary declares. No floating point
//! takes part in a range, a contribution or a total, so the decoded sum is exactly what adding up in the clear gives.
//!
//! Histograms, quantiles, ends and tops count people in parts of the values. Each part is a group: its count is withheld
//! where too few are in it, like any group's. So a quantile is told as the part in which it lies, or as several when the
//! withheld ones leave it open; and `MIN` and `MAX` never single anybody out.
//!
//! Not here, on purpose: joins, several results and every other part of SQL. Each is refused by name, with the reason and
//! what to write instead. SQL is read by `sqlparser`, behind a gate that lets only the words and signs of this language
//! reach it.
//!
//! | file | idea |
//! |---|---|
//! | `gate`, `construct`, `error` | what reaches the parser, and what is refused |
//! | `select`, `inner` | taking queries apart |
//! | `number`, `operand`, `condition`, `decimal`, `names` | values and conditions, with ranges |
//! | `function`, `logistic`, `parts`, `row` | statistics, what divides people, the row that is declared |
//! | `question`, `local` | the question, and one person's part of it |
//! | `answer`, `shares` | figures, where some counts are withheld, and in words |
//! | `told` | the question in a line of plain words |
//! | `consent`, `rules` | the owner's standing words, and which of them decides |
//!
//! ```
//! use aggregation::committee::Totals;
//! use community::{Column, Kind, Range, Table};
//! use question::{LocalRow, Question};
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
//!     1000,
//! )?;
//! assert_eq!(
//!     question.sql(),
//!     r#"SELECT AVG("sleep_hours") FROM "people" WHERE "age" BETWEEN 40 AND 49"#,
//! );
//!
//! // Two people match, with 7.5 and 6 hours; the row of a third does not.
//! let rows = [LocalRow::number(75), LocalRow::number(60), LocalRow::NoRow];
//! let mut whole = vec![0; question.vector_len()];
//! for row in rows {
//!     for (total, part) in whole.iter_mut().zip(question.measure(&row).vector) {
//!         *total += part;
//!     }
//! }
//! let answer = question.decode(&Totals { whole, cells: vec![] }).expect("an honest sum");
//! assert_eq!(answer.people, 2);
//! assert_eq!(answer.mean().expect("somebody matched").rounded(2), "6.75");
//! # Ok::<(), question::QuestionError>(())
//! ```

mod answer;
mod condition;
mod consent;
mod construct;
mod date;
mod decimal;
mod error;
#[cfg(test)]
mod example;
mod function;
mod gate;
mod inner;
mod local;
mod logistic;
mod names;
mod number;
mod operand;
mod parts;
mod question;
mod row;
mod rules;
mod select;
mod shares;
#[cfg(test)]
mod tests;
mod told;

pub use answer::{Answer, Figures, FiguresError, Group};
pub use consent::{ConsentRule, ConsentRuleError};
pub use construct::Construct;
pub use decimal::{Decimal, DecimalError, MAX_DECIMALS};
pub use error::QuestionError;
pub use function::Function;
pub use inner::InnerQuery;
pub use local::{LocalRow, LocalValue, Measured, Outcome};
pub use names::quoted;
pub use question::{MAX_DEPTH, MAX_TEXT, Question};
pub use rules::{Numbered, RULES_BYTES_MAX, RULES_MAX, Rule, RuleError, Rules, Verdict};
