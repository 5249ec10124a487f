//! What a question reads and of whom.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a question reads and of whom, as the node has parsed it: nobody else need read its text to know that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct About {
    /// The question in a line of plain words.
    pub title: String,
    /// The table that it reads.
    pub table: String,
    /// All columns of that table that it reads, sorted; none where it only asks whether there is a row.
    pub columns: Vec<String>,
    /// Who is asked: the text after WHERE; none where everybody is.
    pub filter: Option<String>,
    /// What people are grouped by.
    pub groups: Vec<String>,
    /// The query in brackets, over each person's own rows; its condition says which of them count.
    pub inner: Option<String>,
    /// With a query in brackets: most rows that a person may have. Whoever has more is not counted.
    #[serde(default)]
    pub rows_max: Option<u64>,
    /// What [`filter`](Self::filter) says, in plain words.
    #[serde(default)]
    pub filter_told: Option<String>,
    /// What [`groups`](Self::groups) says, in plain words.
    #[serde(default)]
    pub groups_told: Vec<String>,
    /// What [`inner`](Self::inner) says, in plain words.
    #[serde(default)]
    pub inner_told: Option<String>,
}
