//! The owner's data: what there is, where it came from, what a file would bring.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Column;

/// What the vault holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Holdings {
    /// Tables with something in them, by name.
    pub tables: Vec<HeldTable>,
}

/// A table with something in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct HeldTable {
    /// Its name.
    pub name: String,
    /// How many rows.
    pub rows: u64,
    /// The moment of its first row, where rows have moments or days.
    pub first_at: Option<i64>,
    /// That of its last.
    pub last_at: Option<i64>,
    /// Whether it is computed from other tables.
    pub computed: bool,
    /// Whether it is the community's, and not of the program's own vocabulary.
    pub of_community: bool,
}

/// Something that the owner's profile can say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ProfileField {
    /// Its name in a question, and what its values are.
    pub column: Column,
    /// What it is.
    pub about: String,
    /// What the profile says; none where it says nothing.
    pub value: Option<String>,
}

/// What the owner's profile is to say from now on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewProfile {
    /// Values by the names of their columns. An empty one takes out what there was; of what is not named nothing changes.
    pub says: BTreeMap<String, String>,
}

/// One import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Import {
    /// Its number, by which it is taken back.
    pub number: i64,
    /// What the file was called.
    pub file: String,
    /// What it was.
    pub format: String,
    /// Its length.
    pub bytes: u64,
    /// When.
    pub at: i64,
    /// Rows that were new.
    pub kept: u64,
    /// Rows that were there already.
    pub duplicate: u64,
    /// Records that were left out.
    pub skipped: u64,
    /// When it was taken back, if it was.
    pub undone_at: Option<i64>,
}

/// What reading a file did, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ImportReport {
    /// What the file is.
    pub format: String,
    /// The imports' numbers: one for each table that the file replaces, and one for its other rows. None for a preview.
    pub numbers: Vec<i64>,
    /// The community's tables whose rows the file replaces.
    pub replaces: Vec<String>,
    /// Rows that are new, by table.
    pub kept: Vec<Counted>,
    /// Rows that were there already, or twice in the file.
    pub duplicate: u64,
    /// Rows for a community's table that are the same as one before them in the file: they are kept, since they may be meant.
    #[serde(default)]
    pub repeated: u64,
    /// Records left out, by reason.
    pub skipped: Vec<Counted>,
    /// Cells of kept rows that could not be used and count as missing.
    pub unusable_cells: u64,
    /// The first of all these, one by one, without their values.
    pub faults: Vec<String>,
}

/// So many of something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Counted {
    /// Of what.
    pub name: String,
    /// How many.
    pub count: u64,
}

/// Rows that are gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Removed {
    /// How many.
    pub rows: u64,
}

/// How a file is to be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewImport {
    /// What it is called.
    #[serde(default)]
    pub name: String,
    /// The community's table that it fills; none to find out what it is.
    #[serde(default)]
    pub table: Option<String>,
    /// Who the owner is in a file of several people.
    #[serde(default)]
    pub person: Option<String>,
    /// Whether to say what it would bring, and change nothing.
    #[serde(default)]
    pub preview: bool,
}

/// How many rows of each table fall on each day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Calendar {
    /// The first of the days that were looked at, in days since 1970 (UTC).
    pub from_day: i64,
    /// The last.
    pub to_day: i64,
    /// Tables with moments that have rows in them, by name; those that are computed from others are left out.
    pub tables: Vec<TableDays>,
}

/// How many rows of a table fall on each day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct TableDays {
    /// The table.
    pub name: String,
    /// Days with rows, the first first.
    pub days: Vec<DayRows>,
}

/// How many rows fall on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct DayRows {
    /// The day, in days since 1970 (UTC).
    pub day: i64,
    /// How many.
    pub rows: u64,
}

/// Which days.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Days {
    /// The first, in days since 1970 (UTC); a year before the last one when it is left out.
    #[serde(default)]
    pub from: Option<i64>,
    /// The last; when it is left out, the last one with rows of those up to today.
    #[serde(default)]
    pub to: Option<i64>,
}

/// Where the owner was: places, evenly taken from all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Places {
    /// How many positions the vault has.
    pub count: u64,
    /// At most 5,000 of them, each as degrees north and degrees east, the first first.
    pub places: Vec<[f64; 2]>,
}

/// Rows of a table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Rows {
    /// The table's columns.
    pub columns: Vec<String>,
    /// Its rows: a cell for each column, as a file has it, and none where there is nothing.
    pub rows: Vec<Vec<Option<String>>>,
}
