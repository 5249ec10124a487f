//! The vocabulary as people write it, in TOML:
//!
//! ```toml
//! [[table]]
//! name = "sleep"
//!
//! [[table.column]]
//! name = "hours"
//! kind = "number"
//! min = 0
//! max = 24
//! decimals = 1
//!
//! [[table.column]]
//! name = "quality"
//! kind = "category"
//! words = ["good", "bad"]
//! ```

use std::path::Path;

use community::vocabulary::{self, DECIMALS_MAX};
use community::{Column, DESCRIPTOR_BYTES_MAX, Kind, Range, Table};
use serde::Deserialize;

use super::{Failure, folder};
use crate::config::toml_fault;
use crate::files;

/// Floating point counts whole numbers exactly up to here.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(default)]
    table: Vec<WrittenTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenTable {
    name: String,
    #[serde(default)]
    column: Vec<WrittenColumn>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenColumn {
    name: String,
    kind: String,
    min: Option<f64>,
    max: Option<f64>,
    decimals: Option<u8>,
    words: Option<Vec<String>>,
}

/// Reads the file.
pub fn read(path: &Path) -> Result<Vec<Table>, Failure> {
    let bytes = files::read(path, DESCRIPTOR_BYTES_MAX)
        .map_err(|why| folder::cannot("read", path, &why))?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "it is not text in UTF-8".to_owned());
    let tables = text.and_then(parse);
    tables.map_err(|why| Failure::Usage(format!("the vocabulary {}: {why}", path.display())))
}

fn parse(text: &str) -> Result<Vec<Table>, String> {
    let written: Written = toml::from_str(text).map_err(|why| toml_fault(text, &why))?;
    let tables: Result<Vec<_>, String> = written.table.into_iter().map(table).collect();
    let tables = tables?;
    vocabulary::check(&tables).map_err(|why| why.to_string())?;
    Ok(tables)
}

fn table(written: WrittenTable) -> Result<Table, String> {
    let WrittenTable { name, column } = written;
    let columns: Result<Vec<_>, String> = column
        .into_iter()
        .map(|column| {
            let place = format!("column {} of table {name}", column.name);
            kind(&column)
                .map(|kind| Column {
                    name: column.name,
                    kind,
                })
                .map_err(|why| format!("{place}: {why}"))
        })
        .collect();
    let columns = columns?;
    Ok(Table { name, columns })
}

fn kind(column: &WrittenColumn) -> Result<Kind, String> {
    let of_number = column.min.is_some() || column.max.is_some() || column.decimals.is_some();
    match (column.kind.as_str(), of_number, &column.words) {
        ("number", _, None) => {
            let decimals = column.decimals.unwrap_or(0);
            Ok(Kind::Number(Range {
                decimals,
                min: fixed("min", column.min, decimals)?,
                max: fixed("max", column.max, decimals)?,
            }))
        }
        ("category", false, Some(words)) => Ok(Kind::Category(words.clone())),
        ("category", false, None) => Err("a category needs words = [\"…\", \"…\"]".into()),
        ("text", false, None) => Ok(Kind::Text),
        ("number", ..) => Err("a number has no words".into()),
        ("category" | "text", ..) => {
            let kind = &column.kind;
            Err(format!(
                "{kind} does not go with min, max, decimals or words that are given"
            ))
        }
        (other, ..) => Err(format!(
            "kind \"{other}\" is none of number, category, text"
        )),
    }
}

/// A number of units of the last decimal.
fn fixed(what: &str, number: Option<f64>, decimals: u8) -> Result<i64, String> {
    let number = number.ok_or_else(|| format!("a number needs {what} = …"))?;
    if decimals > DECIMALS_MAX {
        return Err(format!("decimals is at most {DECIMALS_MAX}"));
    }
    let units = number * 10f64.powi(i32::from(decimals));
    let whole = units.round();
    // Binary fractions are not decimal ones; what is typed differs from a whole number of units by rounding alone.
    let close = (units - whole).abs() <= units.abs().max(1.0) * 1e-12;
    if !close || whole.abs() > EXACT_MAX {
        return Err(format!(
            "{what} = {number} has more than {decimals} decimals, or too many digits"
        ));
    }
    Ok(whole as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const GOOD: &str = r#"
[[table]]
name = "sleep"

[[table.column]]
name = "hours"
kind = "number"
min = 0
max = 24.5
decimals = 1

[[table.column]]
name = "quality"
kind = "category"
words = ["good", "bad"]

[[table.column]]
name = "remark"
kind = "text"
"#;

    #[test]
    fn reads_every_kind() {
        let tables = parse(GOOD).unwrap();
        let table = &tables[0];
        assert_eq!((tables.len(), table.name.as_str()), (1, "sleep"));
        let range = Range {
            decimals: 1,
            min: 0,
            max: 245,
        };
        assert_eq!(table.column("hours").unwrap().kind, Kind::Number(range));
        let words = vec!["good".to_owned(), "bad".to_owned()];
        let kind = &table.column("quality").unwrap().kind;
        assert_eq!(kind, &Kind::Category(words));
        assert_eq!(table.column("remark").unwrap().kind, Kind::Text);
        assert_eq!(parse(""), Ok(vec![]));
    }

    #[test]
    fn every_mistake_has_its_place() {
        for (old, new, said) in [
            (
                "max = 24.5",
                "max = 24.55",
                "column hours of table sleep: max = 24.55",
            ),
            ("max = 24.5", "max = 1e300", "max"),
            ("max = 24.5", "max = nan", "max"),
            (
                "max = 24.5\n",
                "",
                "column hours of table sleep: a number needs max",
            ),
            (
                "max = 24.5",
                "max = -1",
                "column hours of table sleep: min is above max",
            ),
            ("decimals = 1", "decimals = 10", "decimals is at most 9"),
            (
                "decimals = 1",
                "digits = 1",
                "line 10: unknown field `digits`",
            ),
            ("max = 24.5", "max = \"x\"", "line 9: "),
            (
                "kind = \"text\"",
                "kind = \"blob\"",
                "column remark of table sleep: kind \"blob\"",
            ),
            ("kind = \"text\"", "kind = \"category\"", "needs words"),
            (
                "kind = \"text\"",
                "kind = \"text\"\nmin = 1",
                "column remark of table sleep",
            ),
            (
                "kind = \"text\"",
                "kind = \"number\"\nwords = []",
                "a number has no words",
            ),
            (
                "\"bad\"",
                "\"good\"",
                "column quality of table sleep: \"good\" is there twice",
            ),
            (
                "[\"good\", \"bad\"]",
                "[]",
                "column quality of table sleep: there is nothing",
            ),
            (
                "\"remark\"",
                "\"hours\"",
                "table sleep: \"hours\" is there twice",
            ),
            ("\"remark\"", "\"\"", "table sleep: a name or word has"),
            ("[[table]]", "[[table", "line 2: "),
        ] {
            assert!(GOOD.contains(old), "{old}");
            let why = parse(&GOOD.replacen(old, new, 1)).unwrap_err();
            assert!(why.contains(said), "{new}: {why}");
            assert!(!why.contains('\n'), "{why}");
        }
        let empty = parse("[[table]]\nname = \"a\"").unwrap_err();
        assert!(empty.contains("table a: there is nothing"), "{empty}");
    }

    #[test]
    fn decimal_fractions_are_exact() {
        assert_eq!(fixed("min", Some(0.1), 1), Ok(1));
        assert_eq!(fixed("min", Some(-1.1), 9), Ok(-1_100_000_000));
        assert_eq!(fixed("min", Some(1234.567), 3), Ok(1_234_567));
        assert!(fixed("min", Some(0.15), 1).is_err());
        assert!(fixed("min", Some(f64::INFINITY), 0).is_err());
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text: String) {
            if let Err(why) = parse(&text) {
                prop_assert!(!why.contains('\n'));
            }
        }
    }
}
