//! What a page needs beyond the lists: how it gets in, what may be asked about, what one's own data would say, and an
//! answer's proof checked once more.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Answer;

/// A code that opens the page once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PageCode {
    /// 64 hexadecimal digits.
    pub code: String,
    /// How long it works, in seconds.
    pub within_secs: u64,
}

/// A code to swap for a session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewSession {
    /// From the page's address.
    pub code: String,
}

/// What the page shows from now on in place of the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Session {
    /// 64 hexadecimal digits; good until the node stops.
    pub session: String,
}

/// A table of the community's vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Table {
    /// Its name in a question.
    pub name: String,
    /// Its columns, in order.
    pub columns: Vec<Column>,
}

/// A column of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Column {
    /// Its name in a question.
    pub name: String,
    /// What its values are.
    pub kind: ColumnKind,
    /// Of a number: the smallest.
    pub min: Option<String>,
    /// Of a number: the largest.
    pub max: Option<String>,
    /// Of a number: digits after the point.
    pub decimals: Option<u8>,
    /// Of a category: all that there are.
    pub words: Vec<String>,
}

/// What the values of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ColumnKind {
    /// Numbers of a range.
    Number,
    /// One of some words.
    Category,
    /// Free text, which questions may compare and never count.
    Text,
}

/// What the owner's data would say to a question. It is the owner's own, and nobody else is told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Preview {
    /// What it would be.
    pub outcome: PreviewOutcome,
    /// The values that go into it; none unless it matches.
    pub values: Vec<PreviewValue>,
    /// How many numbers are sent in any case, each split into random shares; all are 0 unless it matches.
    pub numbers: u64,
    /// With a query in brackets: how many rows of the owner's it is about.
    #[serde(default)]
    pub rows: Option<u64>,
}

/// A value of the owner's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PreviewValue {
    /// What it is of.
    pub name: String,
    /// The value.
    pub value: String,
}

/// Whether the owner's data match a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum PreviewOutcome {
    /// They do.
    Match,
    /// Nothing that the owner has fulfils the condition.
    NoMatch,
    /// A value that is needed is missing.
    Missing,
    /// A value is not one that the vocabulary admits.
    OutOfRange,
    /// Several rows match where one person has one.
    SeveralRows,
    /// More rows match than the query in brackets allows a person.
    TooManyRows,
}

/// An answer's proof, checked by this node from the file alone, just now.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Checked {
    /// Whether it holds.
    pub holds: bool,
    /// Which check failed.
    pub why: Option<String>,
    /// Length of the file in bytes.
    pub bytes: u64,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// Signatures that were checked.
    pub signatures: u64,
    /// What the proof says, if it holds.
    pub answer: Option<Answer>,
    /// How the helpers were drawn, if it holds.
    pub ring: Option<Ring>,
}

/// Where a draw took place. Places are fractions of the ring, from 0 up to 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Ring {
    /// Who asked.
    pub asker: Seat,
    /// Where the random number fell that the asker's nearest nodes gave together.
    pub point: f64,
    /// The node nearest to that point, which set the draw up.
    pub setter: String,
    /// Those who built the list of helpers and signed it, nearest to the point first.
    pub builders: Vec<Seat>,
    /// The helpers, in the order of the list.
    pub helpers: Vec<Helper>,
    /// How many nodes nearest to the asker had to give a random number, and how many had to build the list.
    pub witnesses: u64,
}

/// A node and its place.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Seat {
    /// Its name, 64 hexadecimal digits.
    pub node: String,
    /// Its place, by its certificate.
    pub at: f64,
}

/// A helper. Where it sits is not in the proof: somewhere around the drawn point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Helper {
    /// Its name, 64 hexadecimal digits.
    pub node: String,
    /// Which lane it is of, counted from 0: those of a lane hold the same shares.
    pub lane: u64,
    /// Whether its signature under the set of those who took part is in the proof.
    pub signed: bool,
}
