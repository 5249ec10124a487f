//! What the columns of somebody's table mean, as its owner writes it down.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use crate::vocabulary::{Shape, shape, vocabulary};

/// Longest mapping, in bytes (a guess: a hundred columns with their words).
pub(crate) const MAX_MAPPING: usize = 1 << 16;

/// Which columns of a CSV file go into which table of the vocabulary, and how.
///
/// ```
/// let mapping: vault::Mapping = r#"
///     table = "heart_rate"
///     separator = ";"
///     decimal = ","
///
///     [columns.at_utc_s]
///     from = ["Date", "Time"]
///     time = "%d.%m.%Y %H:%M"
///
///     [columns.heart_rate_bpm]
///     from = "Pulse"
///
///     [columns.source]
///     value = "chest strap"
/// "#
/// .parse()?;
/// # Ok::<(), vault::MappingError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Mapping {
    pub(crate) shape: &'static str,
    pub(crate) separator: u8,
    pub(crate) decimal: char,
    pub(crate) columns: Vec<(&'static str, Taken)>,
}

/// How a column is filled.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Taken {
    /// The columns of the file, whose texts are joined by a space.
    #[serde(default)]
    pub(crate) from: Names,
    /// The same for each row.
    pub(crate) value: Option<String>,
    /// How times are written; ISO 8601 otherwise.
    pub(crate) time: Option<String>,
    /// By what numbers are multiplied.
    pub(crate) times: Option<f64>,
    /// What words mean.
    #[serde(default)]
    pub(crate) words: BTreeMap<String, String>,
}

/// One name or several.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(untagged)]
pub(crate) enum Names {
    /// None.
    #[default]
    None,
    /// One.
    One(String),
    /// Several.
    Several(Vec<String>),
}

impl Names {
    pub(crate) fn all(&self) -> &[String] {
        match self {
            Self::None => &[],
            Self::One(name) => std::slice::from_ref(name),
            Self::Several(names) => names,
        }
    }
}

/// Why a mapping cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MappingError {
    /// Not a mapping at all.
    #[error("the mapping cannot be read: {0}")]
    Text(String),
    /// No such table.
    #[error(
        "the mapping fills \"{name}\"; tables that can be filled are {}",
        fillable()
    )]
    Table {
        /// What was written.
        name: String,
    },
    /// No such column.
    #[error("the mapping fills the column \"{column}\" of {table}, which has {}", .known.join(", "))]
    Column {
        /// The table.
        table: String,
        /// What was written.
        column: String,
        /// What there is.
        known: Vec<String>,
    },
    /// A column that each row needs.
    #[error("the mapping does not say how \"{column}\" is filled, which each row of {table} needs")]
    Missing {
        /// The table.
        table: String,
        /// The column.
        column: String,
    },
    /// Neither or both of them.
    #[error("the column \"{0}\" needs either from or value")]
    Source(String),
    /// A sign of several bytes.
    #[error("{0} must be one sign, such as \";\"")]
    Sign(&'static str),
}

fn fillable() -> String {
    let tables = vocabulary().filter(|shape| !shape.is_computed());
    let names: Vec<_> = tables.map(|shape| shape.name).collect();
    names.join(", ")
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    table: String,
    separator: Option<String>,
    decimal: Option<String>,
    columns: BTreeMap<String, Taken>,
}

impl std::str::FromStr for Mapping {
    type Err = MappingError;

    fn from_str(text: &str) -> Result<Self, MappingError> {
        if text.len() > MAX_MAPPING {
            return Err(MappingError::Text(format!(
                "it is longer than {MAX_MAPPING} bytes"
            )));
        }
        let written: Written = toml::from_str(text).map_err(|why| {
            let message = one_line(why.message());
            let line = why
                .span()
                .map(|span| 1 + text[..span.start].matches('\n').count());
            MappingError::Text(match line {
                Some(line) => format!("line {line}: {message}"),
                None => message,
            })
        })?;
        let table = shape(&written.table).filter(|shape| !shape.is_computed());
        let table = table.ok_or_else(|| MappingError::Table {
            name: written.table.clone(),
        })?;
        let sign = |given: Option<String>, usual: &str, what| {
            let given = given.unwrap_or_else(|| usual.into());
            match given.as_bytes() {
                [sign] => Ok(*sign),
                _ => Err(MappingError::Sign(what)),
            }
        };
        Ok(Self {
            shape: table.name,
            separator: sign(written.separator, ",", "separator")?,
            decimal: sign(written.decimal, ".", "decimal")?.into(),
            columns: columns(table, written.columns)?,
        })
    }
}

fn columns(
    table: &'static Shape,
    written: BTreeMap<String, Taken>,
) -> Result<Vec<(&'static str, Taken)>, MappingError> {
    let mut columns = Vec::new();
    for (name, taken) in written {
        let field = table.columns.iter().find(|field| field.name == name);
        let field = field.ok_or_else(|| MappingError::Column {
            table: table.name.into(),
            column: name.clone(),
            known: table
                .columns
                .iter()
                .map(|field| field.name.into())
                .collect(),
        })?;
        if taken.from.all().is_empty() == taken.value.is_none() {
            return Err(MappingError::Source(name));
        }
        columns.push((field.name, taken));
    }
    let mut needed = table.columns.iter().filter(|field| field.required);
    let missing = needed.find(|field| !columns.iter().any(|(name, _)| *name == field.name));
    match missing {
        None => Ok(columns),
        Some(field) => Err(MappingError::Missing {
            table: table.name.into(),
            column: field.name.into(),
        }),
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_is_wrong_with_it() {
        for (text, part) in [
            ("x", "cannot be read"),
            ("table = \"films\"\n[columns]", "can be filled are steps"),
            ("table = \"daily_steps\"\n[columns]", "can be filled"),
            (
                "table = \"steps\"\n[columns.pulse]\nfrom=\"a\"",
                "\"pulse\" of steps, which has start_utc_s",
            ),
            (
                "table = \"steps\"\n[columns.steps_count]\nfrom=\"a\"",
                "how \"start_utc_s\" is filled",
            ),
            (
                "table = \"steps\"\n[columns.steps_count]\ntimes=2.0",
                "either from or value",
            ),
            (
                "table = \"steps\"\n[columns.steps_count]\nform=\"a\"",
                "unknown field",
            ),
            (
                "table = \"steps\"\nseparator=\"tab\"\n[columns]",
                "separator must be one sign",
            ),
        ] {
            let error = text.parse::<Mapping>().expect_err(text).to_string();
            assert!(error.contains(part), "{text}: {error}");
            assert!(!error.contains('\n'));
        }
    }
}
