//! The same figures, computed in the clear: by SQLite alone, with its own arithmetic, on a plain table of all records.
//! What SQLite lacks is computed from the values that it hands over, as the textbooks define it.

use std::fmt::Write as _;

use community::{Kind, Table};
use question::{Function, Question};
use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, params_from_iter};
use serde::Serialize;

/// Between the values of a list.
const BETWEEN: char = '\u{1f}';

/// What SQLite says.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Clear {
    /// One number; `None` when it says nothing (a mean of nobody).
    One(Option<f64>),
    /// A list of values, or what it says of each group.
    Groups(Vec<Group>),
    /// Nothing that could be compared: it is not computed here.
    NotCompared,
}

/// What SQLite says of one group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Group {
    /// Words, or buckets as their lowest value and width.
    pub labels: Vec<String>,
    /// The figure.
    pub figure: Option<f64>,
    /// The values themselves, of what counts them.
    pub values: Vec<String>,
}

/// The figures of a question.
pub fn figures(table: &Table, question: &Question, files: &[&[u8]]) -> Result<Clear, String> {
    let sql = question.sql();
    let inner = sql.contains(" FROM (SELECT ");
    if inner || matches!(question.function(), Function::Top(_) | Function::Regression) {
        return Ok(Clear::NotCompared);
    }
    let text = |why: rusqlite::Error| why.to_string();
    let memory = load(table, files)?;
    define(&memory).map_err(text)?;
    let by = question.groupings();
    let lists = question.function() == Function::Histogram;
    if by.is_empty() && !lists {
        return memory
            .query_row(sql, [], |row| row.get(0))
            .map(Clear::One)
            .map_err(text);
    }
    let rest = sql.strip_prefix("SELECT ").unwrap_or(sql);
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
        let (figure, values) = match row.get_ref(by.len()).map_err(text)? {
            ValueRef::Integer(figure) => (Some(figure as f64), Vec::new()),
            ValueRef::Real(figure) => (Some(figure), Vec::new()),
            ValueRef::Text(list) => {
                let list = String::from_utf8_lossy(list);
                (None, list.split(BETWEEN).map(str::to_owned).collect())
            }
            _ => (None, Vec::new()),
        };
        groups.push(Group {
            labels,
            figure,
            values,
        });
    }
    Ok(Clear::Groups(groups))
}

/// A plain table of all records.
fn load(table: &Table, files: &[&[u8]]) -> Result<Connection, String> {
    let text = |why: rusqlite::Error| why.to_string();
    let memory = Connection::open_in_memory().map_err(text)?;
    let mut columns = String::new();
    for column in &table.columns {
        let affinity = match column.kind {
            Kind::Number(_) => "REAL",
            Kind::Category(_) | Kind::Text => "TEXT",
        };
        let comma = if columns.is_empty() { "" } else { ", " };
        let name = quoted(&column.name);
        write!(columns, "{comma}{name} {affinity}").expect("writing to a string cannot fail");
    }
    let name = quoted(&table.name);
    memory
        .execute_batch(&format!("CREATE TABLE {name} ({columns})"))
        .map_err(text)?;
    let marks = vec!["?"; table.columns.len()].join(", ");
    let mut insert = memory
        .prepare(&format!("INSERT INTO {name} VALUES ({marks})"))
        .map_err(text)?;
    for file in files {
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(*file);
        for record in reader.records() {
            let record = record.map_err(|why| why.to_string())?;
            let cells =
                (0..table.columns.len()).map(|place| match record.get(place).map(str::trim) {
                    None | Some("") => Value::Null,
                    Some(cell) => Value::Text(cell.to_owned()),
                });
            insert.execute(params_from_iter(cells)).map_err(text)?;
        }
    }
    drop(insert);
    Ok(memory)
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
    let all: [(&str, i32, Compute); 14] = [
        ("var_pop", 1, |x| spread(x, 0).map(Value::Real)),
        ("var_samp", 1, |x| spread(x, 1).map(Value::Real)),
        ("stddev_pop", 1, |x| {
            spread(x, 0).map(|v| Value::Real(v.sqrt()))
        }),
        ("stddev_samp", 1, |x| {
            spread(x, 1).map(|v| Value::Real(v.sqrt()))
        }),
        ("skewness", 1, |x| standardized(x, 3).map(Value::Real)),
        ("kurtosis", 1, |x| standardized(x, 4).map(Value::Real)),
        ("covar_pop", 2, |x| product(x, 0).map(Value::Real)),
        ("covar_samp", 2, |x| product(x, 1).map(Value::Real)),
        ("corr", 2, correlation),
        ("median", 2, |x| place(x, |_| 0.5)),
        ("min", 2, |x| place(x, |_| 0.0)),
        ("max", 2, |x| place(x, |_| 1.0)),
        ("quantile", 3, |x| place(x, |row| number(&row[1]))),
        ("histogram", -1, |x| {
            let values: Vec<_> = x.iter().map(|row| shown(&row[0])).collect();
            Some(Value::Text(values.join(&BETWEEN.to_string())))
        }),
    ];
    for (name, arguments, compute) in all {
        memory.create_aggregate_function(name, arguments, flags, Gather(compute))?;
    }
    Ok(())
}

/// From rows of arguments, none of them missing, to a figure.
type Compute = fn(&[Vec<Value>]) -> Option<Value>;

/// Computes from all rows at once.
struct Gather(Compute);

impl Aggregate<Vec<Vec<Value>>, Option<Value>> for Gather {
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
    ) -> rusqlite::Result<Option<Value>> {
        Ok(rows
            .filter(|rows| !rows.is_empty())
            .and_then(|rows| (self.0)(&rows)))
    }
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Integer(number) => *number as f64,
        Value::Real(number) => *number,
        _ => f64::NAN,
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(word) => word.clone(),
        other => number(other).to_string(),
    }
}

/// The mean of a column of arguments.
fn mean(rows: &[Vec<Value>], column: usize) -> f64 {
    let sum: f64 = rows.iter().map(|row| number(&row[column])).sum();
    sum / rows.len() as f64
}

/// The sum of products of the distances from the mean.
fn centred(rows: &[Vec<Value>], of: &[usize]) -> f64 {
    let means: Vec<_> = of.iter().map(|column| mean(rows, *column)).collect();
    let products = rows.iter().map(|row| {
        let distances = of.iter().zip(&means);
        distances
            .map(|(column, mean)| number(&row[*column]) - mean)
            .product::<f64>()
    });
    products.sum()
}

fn spread(rows: &[Vec<Value>], less: usize) -> Option<f64> {
    (rows.len() > less).then(|| centred(rows, &[0, 0]) / (rows.len() - less) as f64)
}

fn product(rows: &[Vec<Value>], less: usize) -> Option<f64> {
    (rows.len() > less).then(|| centred(rows, &[0, 1]) / (rows.len() - less) as f64)
}

fn standardized(rows: &[Vec<Value>], order: usize) -> Option<f64> {
    let variance = spread(rows, 0).filter(|variance| *variance > 0.0)?;
    let moment = centred(rows, &vec![0; order]) / rows.len() as f64;
    Some(moment / variance.powf(order as f64 / 2.0))
}

fn correlation(rows: &[Vec<Value>]) -> Option<Value> {
    let squares = centred(rows, &[0, 0]) * centred(rows, &[1, 1]);
    (squares > 0.0).then(|| Value::Real(centred(rows, &[0, 1]) / squares.sqrt()))
}

/// The value of this level's rank.
fn place(rows: &[Vec<Value>], level: fn(&[Value]) -> f64) -> Option<Value> {
    let mut values: Vec<_> = rows.iter().map(|row| number(&row[0])).collect();
    values.sort_by(f64::total_cmp);
    let rank = (level(rows.first()?) * values.len() as f64 - 1e-9).ceil();
    values
        .get((rank as usize).max(1) - 1)
        .map(|value| Value::Real(*value))
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Whether two figures are the same but for the rounding of both.
pub fn same(told: f64, clear: f64) -> bool {
    (told - clear).abs() <= 1e-4_f64.max(clear.abs() * 1e-9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clear(csv: &str, sql: &str) -> Clear {
        let table = vault::propose(csv.as_bytes(), "t").unwrap().table;
        let question = Question::parse(sql, std::slice::from_ref(&table), 10).unwrap();
        figures(&table, &question, &[csv.as_bytes()]).unwrap()
    }

    #[test]
    fn missing_values_are_no_zeros() {
        let csv = "id,x\na,1\nb,2.5\nc,\n";
        assert_eq!(clear(csv, "SELECT AVG(x) FROM t"), Clear::One(Some(1.75)));
        assert_eq!(clear(csv, "SELECT COUNT(*) FROM t"), Clear::One(Some(3.0)));
        let none = clear(csv, "SELECT AVG(x) FROM t WHERE x > 9");
        assert_eq!(none, Clear::One(None));
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
            let Clear::One(Some(found)) = clear(csv, &format!("SELECT {call} FROM t")) else {
                panic!("{call} has a figure");
            };
            assert!((found - expected).abs() < 1e-12, "{call}: {found}");
        }
        let Clear::Groups(groups) = clear(csv, "SELECT SUM(y) FROM t GROUP BY w, BUCKET(x, 2)")
        else {
            panic!("there are groups");
        };
        let told: Vec<_> = groups
            .iter()
            .map(|group| (group.labels.join("|"), group.figure))
            .collect();
        assert!(
            told.contains(&(format!("a|0{BETWEEN}2"), Some(2.0))),
            "{told:?}"
        );
        assert!(
            told.contains(&(format!("b|4{BETWEEN}2"), Some(9.0))),
            "{told:?}"
        );
        assert_eq!(told.len(), 4);
        let Clear::Groups(groups) = clear(csv, "SELECT HISTOGRAM(w) FROM t") else {
            panic!("there are values");
        };
        assert_eq!(groups[0].values, ["a", "a", "b", "b"]);
        let inner = "SELECT AVG(h) FROM (SELECT SUM(x) AS h FROM t)";
        assert_eq!(clear(csv, inner), Clear::NotCompared);
    }

    #[test]
    fn small_differences_are_not_rounding() {
        assert!(same(7.3608, 7.36082474));
        assert!(!same(7.3608, 7.3611));
        assert!(!same(1e9 + 2.0, 1e9));
    }
}
