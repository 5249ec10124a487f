//! The same figures, computed in the clear from a plain table of all records: by SQLite with its own arithmetic, or, of what
//! it lacks, in Rust from the values that it selects.
//!
//! | file | idea |
//! |---|---|
//! | `records` | the tables: people's records, or what an inner query brings each person's down to |
//! | `textbook` | the statistics that SQLite lacks |

mod records;
mod textbook;

use std::collections::BTreeMap;

use community::Table;
use question::{Function, Question, quoted};
use rusqlite::Connection;
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use serde::{Deserialize, Serialize};

use textbook::Compute;

/// Between a bucket's lowest value and its width.
pub const BETWEEN: char = '\u{1f}';

/// The figures in the clear.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Clear {
    /// Of everybody.
    Whole(Said),
    /// Of each group.
    Groups(Vec<Group>),
}

/// Of one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Words, or buckets as their lowest value and width.
    pub labels: Vec<String>,
    /// What is said of it.
    pub figures: Said,
}

/// What is said of some people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Said {
    /// Nothing: a mean of nobody.
    Nothing,
    /// One number.
    Number(f64),
    /// Several, in the order in which an answer tells them.
    Numbers(Vec<Near>),
    /// The values themselves, of what counts people in parts of them.
    Values(Vec<String>),
    /// How many people are in each part, of what names those with most.
    Top {
        /// How many parts are to be named.
        named: usize,
        /// By the word, or the bucket's lowest value and width.
        people: BTreeMap<String, usize>,
    },
}

/// A number, and how far an answer may be from it, as it is defined.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Near {
    /// None where there is no such number.
    pub value: Option<f64>,
    /// Zero where an answer is exact.
    pub off: f64,
}

impl Near {
    /// What an answer tells exactly.
    pub fn exact(value: Option<f64>) -> Self {
        Self { value, off: 0.0 }
    }
}

/// What computes a question's figures.
pub fn by(question: &Question) -> &'static str {
    match question.function() {
        Function::Count | Function::Sum | Function::Mean => "by SQLite",
        _ => "in Rust",
    }
}

/// The figures of a question; each file holds one person's records.
pub fn figures(table: &Table, question: &Question, files: &[&[u8]]) -> Result<Clear, String> {
    let text = |why: rusqlite::Error| why.to_string();
    let (memory, sql) = match question.inner() {
        None => (records::all(table, files)?, question.sql().to_owned()),
        Some(inner) => {
            let rows = format!("FROM {}", quoted(&inner.row.name));
            let of_all = question
                .sql()
                .replacen(&format!("FROM {}", inner.sql), &rows, 1);
            (records::each_person(table, inner, files)?, of_all)
        }
    };
    define(&memory).map_err(text)?;
    let by = question.groupings();
    if by.is_empty() {
        let said = memory.query_row(&sql, [], |row| Ok(said(row.get_ref(0)?)));
        return said.map_err(text)?.map(Clear::Whole);
    }
    let rest = sql.strip_prefix("SELECT ").unwrap_or(&sql);
    let names: String = by.iter().map(|name| format!("{name}, ")).collect();
    let mut statement = memory
        .prepare(&format!("SELECT {names}{rest}"))
        .map_err(text)?;
    let mut rows = statement.query([]).map_err(text)?;
    let mut groups = Vec::new();
    while let Some(row) = rows.next().map_err(text)? {
        let labels = (0..by.len()).map(|index| row.get::<_, Option<String>>(index));
        let labels: Option<Vec<_>> = labels.collect::<Result<_, _>>().map_err(text)?;
        // Whose group is missing counts in none.
        let Some(labels) = labels else { continue };
        let figures = said(row.get_ref(by.len()).map_err(text)?)?;
        groups.push(Group { labels, figures });
    }
    Ok(Clear::Groups(groups))
}

/// A result of SQLite's own, or of what [`define`] adds.
fn said(value: ValueRef<'_>) -> Result<Said, String> {
    match value {
        ValueRef::Integer(figure) => Ok(Said::Number(figure as f64)),
        ValueRef::Real(figure) => Ok(Said::Number(figure)),
        ValueRef::Text(said) => serde_json::from_slice(said).map_err(|why| why.to_string()),
        ValueRef::Null | ValueRef::Blob(_) => Ok(Said::Nothing),
    }
}

/// Adds the statistics that SQLite lacks.
fn define(memory: &Connection) -> rusqlite::Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    memory.create_scalar_function("bucket", 2, flags, |context| {
        let (Some(x), Some(width)) = (context.get::<Option<f64>>(0)?, context.get(1)?) else {
            return Ok(None);
        };
        let width: f64 = width;
        // A value such as 0.3 may be a little less than three times 0.1.
        let low = (x / width + 1e-9).floor() * width;
        Ok(Some(format!("{low}{BETWEEN}{width}")))
    })?;
    for (name, arguments, compute) in textbook::ALL {
        memory.create_aggregate_function(name, arguments, flags, Gather(compute))?;
    }
    Ok(())
}

/// Computes from all rows at once, and hands the result through SQLite as text.
struct Gather(Compute);

impl Aggregate<Vec<Vec<Value>>, Option<String>> for Gather {
    fn init(&self, _: &mut Context<'_>) -> rusqlite::Result<Vec<Vec<Value>>> {
        Ok(Vec::new())
    }

    fn step(&self, context: &mut Context<'_>, rows: &mut Vec<Vec<Value>>) -> rusqlite::Result<()> {
        let row = (0..context.len()).map(|index| context.get(index));
        let row: Vec<Value> = row.collect::<Result<_, _>>()?;
        if !row.contains(&Value::Null) {
            rows.push(row);
        }
        Ok(())
    }

    fn finalize(
        &self,
        _: &mut Context<'_>,
        rows: Option<Vec<Vec<Value>>>,
    ) -> rusqlite::Result<Option<String>> {
        let said = rows.filter(|rows| !rows.is_empty());
        let said = said.map(|rows| serde_json::to_string(&(self.0)(&rows)));
        said.transpose()
            .map_err(|why| rusqlite::Error::UserFunctionError(why.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each line is one person's.
    fn clear(csv: &str, sql: &str) -> Clear {
        let table = vault::propose(csv.as_bytes(), "t").unwrap().table;
        let question = Question::parse(sql, std::slice::from_ref(&table), 10).unwrap();
        let (header, lines) = csv.split_once('\n').unwrap();
        let files: Vec<_> = lines
            .lines()
            .map(|line| format!("{header}\n{line}\n"))
            .collect();
        let files: Vec<_> = files.iter().map(String::as_bytes).collect();
        figures(&table, &question, &files).unwrap()
    }

    fn number(csv: &str, sql: &str) -> f64 {
        match clear(csv, sql) {
            Clear::Whole(Said::Number(found)) => found,
            other => panic!("{sql}: {other:?}"),
        }
    }

    fn numbers(csv: &str, sql: &str) -> Vec<Option<f64>> {
        match clear(csv, sql) {
            Clear::Whole(Said::Numbers(found)) => found.iter().map(|near| near.value).collect(),
            other => panic!("{sql}: {other:?}"),
        }
    }

    #[test]
    fn missing_values_are_no_zeros() {
        let csv = "id,x\na,1\nb,2.5\nc,\n";
        assert_eq!(number(csv, "SELECT AVG(x) FROM t"), 1.75);
        assert_eq!(number(csv, "SELECT COUNT(*) FROM t"), 3.0);
        let none = clear(csv, "SELECT AVG(x) FROM t WHERE x > 9");
        assert_eq!(none, Clear::Whole(Said::Nothing));
    }

    #[test]
    fn what_sqlite_lacks_is_computed_as_defined() {
        let csv = "x,y,w\n1,2,a\n2,4,a\n3,7,b\n4,9,b\n,,\n";
        for (call, expected) in [
            ("VAR_POP(x)", 1.25),
            ("VAR_SAMP(x)", 5.0 / 3.0),
            ("MEDIAN(x)", 2.0),
            ("QUANTILE(x, 0.75)", 3.0),
            ("MIN(y)", 2.0),
            ("MAX(y)", 9.0),
            ("COVAR_POP(x, y)", 3.0),
            ("KURTOSIS(x)", 1.64),
        ] {
            let found = number(csv, &format!("SELECT {call} FROM t"));
            assert!((found - expected).abs() < 1e-12, "{call}: {found}");
        }
        let Clear::Groups(groups) = clear(csv, "SELECT SUM(y) FROM t GROUP BY w, BUCKET(x, 2)")
        else {
            panic!("there are groups");
        };
        let told: Vec<_> = groups
            .iter()
            .map(|group| (group.labels.join("|"), group.figures.clone()))
            .collect();
        let of = |label: &str, figure| (label.to_owned(), Said::Number(figure));
        assert!(told.contains(&of("a|0\u{1f}2", 2.0)), "{told:?}");
        assert!(told.contains(&of("b|4\u{1f}2", 9.0)), "{told:?}");
        assert_eq!(told.len(), 4);
        let values = clear(csv, "SELECT HISTOGRAM(w) FROM t");
        let expected = ["a", "a", "b", "b"].map(String::from);
        assert_eq!(values, Clear::Whole(Said::Values(expected.into())));
    }

    #[test]
    fn top_counts_parts() {
        let csv = "x,w\n1,a\n2,a\n13,b\n,b\n14,\n";
        let of = |named, people: [(&str, usize); 2]| {
            let people = people.map(|(part, count)| (part.to_owned(), count)).into();
            Clear::Whole(Said::Top { named, people })
        };
        assert_eq!(
            clear(csv, "SELECT MODE(w) FROM t"),
            of(1, [("a", 2), ("b", 2)])
        );
        let buckets = of(3, [("0\u{1f}10", 2), ("10\u{1f}10", 2)]);
        assert_eq!(clear(csv, "SELECT TOP(BUCKET(x, 10), 3) FROM t"), buckets);
    }

    #[test]
    fn a_line_is_that_of_least_squares() {
        // Of the first four: slope 2.4, intercept -0.5, and misses of 0.1, -0.3, 0.3, -0.1.
        let csv = "x,y\n1,2\n2,4\n3,7\n4,9\n,5\n5,\n";
        let found = numbers(csv, "SELECT REGR(y, x) FROM t");
        let variance: f64 = 0.2 / 2.0;
        let expected = [
            -0.5,
            (variance * (0.25 + 6.25 / 5.0)).sqrt(),
            2.4,
            (variance / 5.0).sqrt(),
            1.0 - 0.2 / 29.0,
        ];
        for (found, expected) in found.iter().zip(expected) {
            assert!((found.unwrap() - expected).abs() < 1e-12, "{found:?}");
        }
        assert_eq!(found.len(), 5);
        let two = "x,y\n1,2\n2,4\n,5\n";
        let found = numbers(two, "SELECT REGR(y, x) FROM t");
        assert_eq!((found[1], found[3]), (None, None), "no freedom is left");
        let same = "x,y\n0.1,2\n0.1,4\n0.1,5\n9,\n";
        let nothing = clear(same, "SELECT REGR(y, x) FROM t");
        assert_eq!(nothing, Clear::Whole(Said::Nothing));
    }

    #[test]
    fn a_logistic_step_begins_with_half_of_all() {
        // At weights of zero every chance is a half: the gradient sums y - 1/2, the curvature a quarter of products.
        let csv = "x,y\n1,2\n2,9\n3,4\n4,9\n,5\n5,\n";
        let found = numbers(csv, "SELECT LOGISTIC(y > 3, x) FROM t");
        let told: Vec<_> = found.into_iter().flatten().collect();
        // y is more than 3 for x of 2, 3 and 4: the curvature is [[1, 2.5], [2.5, 7.5]], the gradient [1, 4].
        let (gradient, determinant) = ([1.0, 4.0], 7.5 - 6.25);
        let weights = [
            (7.5 * gradient[0] - 2.5 * gradient[1]) / determinant,
            (gradient[1] - 2.5 * gradient[0]) / determinant,
        ];
        let errors = [(7.5f64 / determinant).sqrt(), (1.0f64 / determinant).sqrt()];
        let expected = [
            weights[0],
            errors[0],
            weights[1],
            errors[1],
            gradient[0],
            gradient[1],
            1.0,
            2.5,
            7.5,
        ];
        assert_eq!(told.len(), expected.len());
        for (found, expected) in told.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-9, "{told:?}");
        }
    }

    #[test]
    fn an_inner_query_sees_one_person_at_a_time() {
        let table = vault::propose(&b"x\n1\n2.5\n"[..], "t").unwrap().table;
        let files = ["x\n1\n2.4\n", "x\n2.5\n\n", "x\n\n", "x\n2\n2\n2\n"].map(str::as_bytes);
        let of = |sql: &str| {
            let question = Question::parse(sql, std::slice::from_ref(&table), 10).unwrap();
            match figures(&table, &question, &files).unwrap() {
                Clear::Whole(Said::Number(found)) => found,
                other => panic!("{sql}: {other:?}"),
            }
        };
        let mean = |inner: &str| of(&format!("SELECT AVG(h) FROM (SELECT {inner})"));
        assert!((mean("SUM(x) AS h FROM t") - (3.4 + 2.5 + 6.0) / 3.0).abs() < 1e-12);
        // 1.7, 2.5, nothing and 2.
        assert!((mean("AVG(x) AS h FROM t") - 6.2 / 3.0).abs() < 1e-12);
        assert_eq!(mean("COUNT(x) AS h FROM t WHERE x > 2"), 2.0 / 4.0);
        assert_eq!(mean("MAX(x) AS h FROM t HAVING COUNT(*) <= 2"), 4.9 / 2.0);
        let both = "(SELECT SUM(x) AS h, COUNT(x) AS n FROM t)";
        assert_eq!(
            of(&format!("SELECT SUM(h * n) FROM {both} WHERE n < 3")),
            9.3
        );
        assert_eq!(of(&format!("SELECT MAX(n, 1) FROM {both}")), 3.0);
    }
}
