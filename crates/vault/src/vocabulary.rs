//! The tables that files of many kinds are brought into: one name and one unit for one thing, whichever program wrote it.
//!
//! [`vocabulary`] is the only place that declares them: the vault's tables, what importers may store, and
//! `docs/vocabulary.md` (by [`describe`]) all come from it. A community that asks about such a table declares the same
//! names with the same decimals in its own vocabulary; it may leave columns out and choose narrower ranges.

mod days;
mod tables;

use std::fmt::Write;

use community::{Column, Kind, Range, Table};

pub(crate) use days::{By, CELL, Daily, Total};

/// One table.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Its name in SQL.
    pub name: &'static str,
    /// What one row is.
    pub about: &'static str,
    /// Its columns, in order.
    pub columns: &'static [Field],
    /// How its rows are computed from those of another table, if it is not filled by imports.
    pub(crate) computed: Option<Daily>,
    /// Whether there is one row at most.
    pub(crate) single: bool,
}

/// One column.
#[derive(Debug, Clone, Copy)]
pub struct Field {
    /// Its name in SQL, with the unit at its end.
    pub name: &'static str,
    /// What it holds.
    pub about: &'static str,
    /// Whether a row without it is not kept.
    pub required: bool,
    pub(crate) holds: Holds,
}

/// What a column holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Holds {
    /// Fixed-point numbers, in units of `10^-decimals`.
    Number { decimals: u8, min: i64, max: i64 },
    /// One of these.
    Words(&'static [&'static str]),
    /// Any text.
    Text,
}

/// All tables: those that imports fill, then those computed per day.
pub fn vocabulary() -> impl Iterator<Item = &'static Shape> {
    tables::FILLED.iter().chain(days::COMPUTED)
}

/// The table called `name`, whatever its capitals.
pub fn shape(name: &str) -> Option<&'static Shape> {
    vocabulary().find(|shape| shape.name.eq_ignore_ascii_case(name))
}

impl Shape {
    /// The declaration that a community can put into its own vocabulary.
    pub fn table(&self) -> Table {
        let column = |field: &Field| Column {
            name: field.name.into(),
            kind: field.kind(),
        };
        Table {
            name: self.name.into(),
            columns: self.columns.iter().map(column).collect(),
        }
    }

    /// Whether its rows are computed from those of other tables.
    pub fn is_computed(&self) -> bool {
        self.computed.is_some()
    }

    /// The column by which rows lie in the file: the moment, of which files tell in order.
    pub(crate) fn moment(&self) -> Option<&'static str> {
        let first = self.columns.first()?;
        (first.required && first.name.ends_with("utc_s")).then_some(first.name)
    }
}

impl Field {
    fn kind(&self) -> Kind {
        match self.holds {
            Holds::Number { decimals, min, max } => Kind::Number(Range { decimals, min, max }),
            Holds::Words(words) => {
                Kind::Category(words.iter().map(|word| (*word).into()).collect())
            }
            Holds::Text => Kind::Text,
        }
    }

    const fn new(name: &'static str, holds: Holds, about: &'static str) -> Self {
        Self {
            name,
            about,
            required: false,
            holds,
        }
    }

    const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }

    /// Digits after the point of its numbers.
    pub(crate) fn decimals(&self) -> u8 {
        match self.holds {
            Holds::Number { decimals, .. } => decimals,
            Holds::Words(_) | Holds::Text => 0,
        }
    }

    /// What it may hold, in words.
    pub(crate) fn allowed(&self) -> String {
        match self.holds {
            Holds::Number { decimals, min, max } => {
                format!("{} to {}", shown(min, decimals), shown(max, decimals))
            }
            Holds::Words(words) => words.join(", "),
            Holds::Text => "text".into(),
        }
    }
}

/// The number, with all its decimals.
pub(crate) fn shown(units: i64, decimals: u8) -> String {
    let sign = if units < 0 { "-" } else { "" };
    let one = 10u64.pow(u32::from(decimals));
    let whole = units.unsigned_abs() / one;
    match decimals {
        0 => format!("{sign}{whole}"),
        _ => {
            let part = units.unsigned_abs() % one;
            format!(
                "{sign}{whole}.{part:0width$}",
                width = usize::from(decimals)
            )
        }
    }
}

/// The reference of all tables, as Markdown.
pub fn describe() -> String {
    let mut text = String::new();
    for shape in vocabulary() {
        let computed = if shape.is_computed() {
            " (computed)"
        } else {
            ""
        };
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "## {}{computed}\n\n{}\n\n| column | what | values | decimals |\n|---|---|---|---|\n",
            shape.name, shape.about
        );
        for field in shape.columns {
            let decimals = match field.holds {
                Holds::Number { decimals, .. } => decimals.to_string(),
                _ => "–".into(),
            };
            let always = if field.required { "; always there" } else { "" };
            let _ = writeln!(
                text,
                "| `{}` | {}{always} | {} | {decimals} |",
                field.name,
                field.about,
                field.allowed()
            );
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_community_can_declare_it() {
        let tables: Vec<Table> = vocabulary().map(Shape::table).collect();
        assert_eq!(community::vocabulary::check(&tables), Ok(()));
        assert!(shape("STEPS").is_some());
        assert!(shape("nothing").is_none());
    }

    #[test]
    fn the_document_is_true() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/vocabulary.md");
        let document = std::fs::read_to_string(path).expect("there is a document");
        let tables = document.find("## steps").expect("the first table");
        let same = document[tables..].trim_end() == describe().trim_end();
        assert!(
            same,
            "put there what this prints: cargo run -p vault --example vocabulary"
        );
    }

    #[test]
    fn units_are_in_the_names() {
        let units = [
            "_s",
            "_min",
            "_m",
            "_deg",
            "_bpm",
            "_wh",
            "_kcal",
            "_count",
            "_m_s",
            "_of_10",
            "_year",
            "_people",
            "_cm",
            "_kg",
            "_per_year",
            "day",
            "amount",
            "cost",
            "value",
        ];
        for field in vocabulary().flat_map(|shape| shape.columns) {
            if matches!(field.holds, Holds::Number { .. }) {
                assert!(
                    units.iter().any(|unit| field.name.ends_with(unit)),
                    "{}",
                    field.name
                );
            }
        }
    }

    #[test]
    fn numbers_are_shown_in_full() {
        for (units, decimals, text) in [
            (5, 0, "5"),
            (-5, 2, "-0.05"),
            (1234, 3, "1.234"),
            (i64::MIN, 9, "-9223372036.854775808"),
        ] {
            assert_eq!(shown(units, decimals), text);
        }
    }
}
