//! The query within a question: from a person's several rows to the one that counts.

use community::{Column, Kind, Range, Table};
use sqlparser::ast::{BinaryOperator, Expr, GroupByExpr, Query, Select, SelectItem};

use crate::condition::Condition;
use crate::construct::Construct;
use crate::error::QuestionError;
use crate::function::literal;
use crate::names::{joined, quoted};
use crate::number::{Number, checked};
use crate::operand::Operand;
use crate::select::{Arguments, Scope, Source, function_name, select, source};
use crate::told::{bare, thousands};

/// Most rows of a person where a question does not say: three years of days.
const ROWS: i64 = 1000;
/// Most rows that a question may allow (a guess: twenty years of hours are 175,000).
const ROWS_MAX: i64 = 1_000_000;

/// The query in brackets, over each person's own rows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InnerQuery {
    /// As it stands in the canonical text, with its brackets.
    pub sql: String,
    /// What it gives, in plain words.
    pub title: String,
    /// Most rows that a person may have: whoever has more does not match.
    pub rows_max: u64,
    /// The one row that it gives, as the outer query sees it.
    pub row: Table,
}

/// What each person's rows come down to: one row of numbers.
pub(crate) struct Inner<'a> {
    /// The table that it reads.
    pub(crate) scope: Scope<'a>,
    pub(crate) query: InnerQuery,
    /// In brackets: over stored integers.
    pub(crate) local: String,
    /// How many rows of the owner's it takes together: over stored integers.
    pub(crate) count: String,
    /// In words, which rows these are, where it counts nothing but them and gives nothing else.
    pub(crate) counted: Option<Counted>,
}

/// A query in brackets that counts each person's rows.
pub(crate) struct Counted {
    /// What it calls their number.
    pub(crate) name: String,
    /// Of which table, and with what.
    pub(crate) rows: String,
}

/// One number of the row.
struct Value {
    range: Range,
    canonical: String,
    local: String,
    told: String,
}

impl<'a> Inner<'a> {
    pub(crate) fn read(query: &Query, vocabulary: &'a [Table]) -> Result<Self, QuestionError> {
        let select = select(query)?;
        if !matches!(&select.group_by, GroupByExpr::Expressions(by, _) if by.is_empty()) {
            return Err(Construct::InnerGroupBy.into());
        }
        let Source::Table(name) = source(&select.from)? else {
            return Err(Construct::Subquery.into());
        };
        let mut scope = Scope::of(name, vocabulary)?;
        let limit = limit(select, &mut scope)?;
        let mut row = Table {
            name: "the query in brackets".into(),
            columns: Vec::new(),
        };
        let (mut canonical, mut local, mut told) = (Vec::new(), Vec::new(), Vec::new());
        for item in &select.projection {
            let SelectItem::ExprWithAlias { expr, alias } = item else {
                return Err(Construct::InnerValue.into());
            };
            if row.columns.iter().any(|it| it.name == alias.value) {
                return Err(QuestionError::Syntax(
                    "two values of the query in brackets have the same name".into(),
                ));
            }
            let value = value(expr, limit, &mut scope)?;
            let name = quoted(&alias.value);
            told.push(format!("{} is {}", alias.value, value.told));
            canonical.push(format!("{} AS {name}", value.canonical));
            local.push(format!("{} AS {name}", value.local));
            row.columns.push(Column {
                name: alias.value.clone(),
                kind: Kind::Number(value.range),
            });
        }
        let condition = select.selection.as_ref();
        let condition = condition
            .map(|expr| Condition::read(expr, &mut scope, 0))
            .transpose()?;
        let written = |values: &[String], condition: Option<String>| {
            let condition = condition.map_or(String::new(), |text| format!(" WHERE {text}"));
            format!(
                "(SELECT {} FROM {}{condition} HAVING COUNT(*) <= {limit})",
                values.join(", "),
                quoted(&scope.table.name)
            )
        };
        let with = condition.as_ref().map_or(String::new(), |condition| {
            format!(" with {}", condition.told())
        });
        let local_condition = condition.as_ref().map(Condition::local);
        let of = local_condition
            .as_ref()
            .map_or(String::new(), |text| format!(" WHERE {text}"));
        let counted = match (row.columns.as_slice(), canonical.as_slice()) {
            ([only], [text]) if text.starts_with("COUNT(*) AS ") => Some(Counted {
                name: only.name.clone(),
                rows: format!("rows in {}{with}", scope.table.name),
            }),
            _ => None,
        };
        let most = match limit {
            1 => "1 row".to_owned(),
            _ => format!("{} rows", thousands(limit.unsigned_abs())),
        };
        Ok(Self {
            query: InnerQuery {
                title: format!(
                    "each person's {}, of at most {most}{with}",
                    joined(&told, "and")
                ),
                rows_max: limit.unsigned_abs(),
                sql: written(&canonical, condition.as_ref().map(Condition::canonical)),
                row,
            },
            local: written(&local, local_condition),
            count: format!(
                "SELECT COUNT(*) FROM {}{of} LIMIT 2",
                quoted(&scope.table.name)
            ),
            counted,
            scope,
        })
    }
}

/// The most rows that a person may have: `HAVING COUNT(*) <= limit`. Who has more does not match.
fn limit(select: &Select, scope: &mut Scope<'_>) -> Result<i64, QuestionError> {
    let Some(having) = &select.having else {
        return Ok(ROWS);
    };
    let Expr::BinaryOp {
        left,
        op: BinaryOperator::LtEq,
        right,
    } = having
    else {
        return Err(Construct::Having.into());
    };
    let counts = match left.as_ref() {
        Expr::Function(function) => {
            function_name(function) == "COUNT"
                && matches!(Arguments::of(function)?, Arguments::Star)
        }
        _ => false,
    };
    if !counts {
        return Err(Construct::Having.into());
    }
    let limit = literal(right, scope)?;
    limit
        .scaled_to(0)
        .filter(|rows| limit.decimals == 0 && (1..=ROWS_MAX).contains(rows))
        .ok_or_else(|| QuestionError::Parameter {
            found: limit.to_string(),
            what: "limit of rows",
            instead: "write HAVING COUNT(*) <= 1000, with a number up to 1000000",
        })
}

fn value(expr: &Expr, limit: i64, scope: &mut Scope<'_>) -> Result<Value, QuestionError> {
    let Expr::Function(function) = expr else {
        return Err(Construct::InnerValue.into());
    };
    let name = function_name(function);
    if !["COUNT", "SUM", "MIN", "MAX", "AVG"].contains(&name.as_str()) {
        return Err(Construct::InnerValue.into());
    }
    let arguments = Arguments::of(function)?;
    let counted = Range {
        decimals: 0,
        min: 0,
        max: limit,
    };
    if let ("COUNT", Arguments::Star) = (name.as_str(), &arguments) {
        return Ok(Value {
            range: counted,
            canonical: "COUNT(*)".into(),
            local: "COUNT(*)".into(),
            told: "the number of rows".into(),
        });
    }
    let [x] = arguments.list()? else {
        return Err(QuestionError::Arguments {
            form: "COUNT(*), COUNT(x), SUM(x), MIN(x), MAX(x) or AVG(x) in the query in brackets",
        });
    };
    if name == "COUNT" {
        let operand = Operand::read_row(x, scope, 0)?;
        return Ok(Value {
            range: counted,
            canonical: format!("COUNT({})", operand.canonical()),
            local: format!("COUNT({})", operand.local_at(operand.decimals())),
            told: format!("how often {} is known", operand.told()),
        });
    }
    let number = Number::read(x, scope, 0)?;
    if !number.reads_a_column() {
        return Err(QuestionError::NoColumn {
            found: "a value of the query in brackets",
        });
    }
    of_number(&name, &number, limit)
}

/// A sum, mean or end of at least one and at most `limit` numbers.
fn of_number(name: &str, number: &Number, limit: i64) -> Result<Value, QuestionError> {
    let Range { decimals, min, max } = number.range();
    let canonical = format!("{name}({})", number.canonical());
    let which = match name {
        "SUM" => "total of",
        "AVG" => "average of",
        "MIN" => "lowest",
        _ => "highest",
    };
    let told = format!("the {which} {}", bare(&number.canonical()));
    let (x, limit) = (number.local(), i128::from(limit));
    let ends = [min, max].map(i128::from);
    let sums = ends.into_iter().chain(ends.map(|end| end * limit));
    let (range, local) = match name {
        "SUM" => (
            checked(decimals, sums, || canonical.clone())?,
            format!("SUM({x})"),
        ),
        "AVG" => {
            // Rounded to the number's own digits: division cuts off, so it is done above the lowest value.
            let doubled = 2 * limit * (ends[1] - ends[0]) + limit;
            checked(decimals, sums.chain([doubled]), || canonical.clone())?;
            let above = format!("SUM({x} - ({min}))");
            let mean = format!("(({min}) + (2 * {above} + COUNT({x})) / (2 * COUNT({x})))");
            (number.range(), mean)
        }
        _ => (number.range(), format!("{name}({x})")),
    };
    Ok(Value {
        range,
        canonical,
        local,
        told,
    })
}
