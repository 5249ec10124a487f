//! Taking a SELECT apart into what a question has: a statistic of arguments, a table or an inner query, a condition, groups.

use std::collections::BTreeMap;

use community::{Column, Table};
use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr,
    Ident, ObjectName, ObjectNamePart, Query, Select, SelectItem, SetExpr, TableFactor,
    TableWithJoins,
};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::construct::Construct;
use crate::error::QuestionError;
use crate::gate::QuestionDialect;
use crate::names::{closest, find};
use crate::question::MAX_DEPTH;

/// What the parser may recurse: two levels for each of ours (an operator and the brackets around it) and its own few.
const MAX_RECURSION: usize = 2 * MAX_DEPTH + 8;

/// Parses tokens that passed the gate.
pub(crate) fn parse(tokens: Vec<TokenWithSpan>) -> Result<Box<Query>, QuestionError> {
    let mut parser = Parser::new(&QuestionDialect)
        .with_recursion_limit(MAX_RECURSION)
        .with_tokens_with_locations(tokens);
    let query = parser.parse_query().map_err(|error| match error {
        ParserError::RecursionLimitExceeded => QuestionError::TooDeep,
        ParserError::ParserError(text) | ParserError::TokenizerError(text) => {
            QuestionError::Syntax(text)
        }
    })?;
    match parser.peek_token().token {
        Token::EOF => Ok(query),
        other => Err(QuestionError::Syntax(format!(
            "nothing was expected at {other}"
        ))),
    }
}

/// The parts of a question, as syntax.
pub(crate) struct Parts<'a> {
    /// In capitals.
    pub(crate) statistic: String,
    pub(crate) arguments: Arguments<'a>,
    pub(crate) source: Source<'a>,
    pub(crate) condition: Option<&'a Expr>,
    pub(crate) groups: &'a [Expr],
}

/// What stands in the brackets of a function.
pub(crate) enum Arguments<'a> {
    /// `*`
    Star,
    List(Vec<&'a Expr>),
}

/// What stands after FROM.
pub(crate) enum Source<'a> {
    Table(&'a Ident),
    Inner(&'a Query),
}

impl<'a> Parts<'a> {
    /// Takes `query` apart. Clauses that are not looked at here cannot have passed the gate.
    pub(crate) fn of(query: &'a Query) -> Result<Self, QuestionError> {
        let select = select(query)?;
        let function = statistic(select)?;
        let groups = match &select.group_by {
            GroupByExpr::Expressions(groups, _) => groups,
            GroupByExpr::All(_) => return Err(Construct::Other("ALL".into()).into()),
        };
        Ok(Self {
            statistic: function_name(function),
            arguments: Arguments::of(function)?,
            source: source(&select.from)?,
            condition: select.selection.as_ref(),
            groups,
        })
    }
}

impl<'a> Arguments<'a> {
    pub(crate) fn of(function: &'a Function) -> Result<Self, QuestionError> {
        let list = match &function.args {
            FunctionArguments::List(list) => list.args.as_slice(),
            FunctionArguments::Subquery(_) => return Err(Construct::Subquery.into()),
            FunctionArguments::None => &[],
        };
        if let [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)] = list {
            return Ok(Self::Star);
        }
        let list = list.iter().map(|argument| match argument {
            FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Ok(expr),
            _ => Err(only_count()),
        });
        list.collect::<Result<_, _>>().map(Self::List)
    }

    /// Those of a function that does not take `*`.
    pub(crate) fn list(&self) -> Result<&[&'a Expr], QuestionError> {
        match self {
            Self::Star => Err(only_count()),
            Self::List(list) => Ok(list),
        }
    }
}

fn only_count() -> QuestionError {
    QuestionError::Syntax("only COUNT takes *, and by itself".into())
}

/// The table that names are looked up in, and what has been read of it.
pub(crate) struct Scope<'a> {
    pub(crate) table: &'a Table,
    pub(crate) reads: BTreeMap<&'a str, &'a Column>,
}

impl<'a> Scope<'a> {
    /// Names are columns of `table`.
    pub(crate) fn new(table: &'a Table) -> Self {
        Self {
            table,
            reads: BTreeMap::new(),
        }
    }

    /// The table of `vocabulary` that `name` means.
    pub(crate) fn of(name: &Ident, vocabulary: &'a [Table]) -> Result<Self, QuestionError> {
        let table = find(vocabulary, &name.value, |table| &table.name);
        table
            .map(Self::new)
            .ok_or_else(|| QuestionError::UnknownTable {
                name: name.value.clone(),
                suggestion: closest(
                    &name.value,
                    vocabulary.iter().map(|table| table.name.as_str()),
                ),
            })
    }

    /// One level further down.
    pub(crate) fn deeper(&self, depth: usize) -> Result<usize, QuestionError> {
        if depth < MAX_DEPTH {
            Ok(depth + 1)
        } else {
            Err(QuestionError::TooDeep)
        }
    }

    /// The column that `name`, or `table.name`, means. It counts as read from now on.
    pub(crate) fn column(&mut self, name: &Expr) -> Result<&'a Column, QuestionError> {
        let name = match name {
            Expr::Identifier(name) => name,
            Expr::CompoundIdentifier(path) => match path.as_slice() {
                [table, name] if table.value.eq_ignore_ascii_case(&self.table.name) => name,
                _ => return Err(Construct::Join.into()),
            },
            other => {
                return Err(QuestionError::Syntax(format!(
                    "{} is not a name",
                    describe(other)
                )));
            }
        };
        let columns = &self.table.columns;
        let column = find(columns, &name.value, |column| &column.name).ok_or_else(|| {
            QuestionError::UnknownColumn {
                table: self.table.name.clone(),
                name: name.value.clone(),
                suggestion: closest(
                    &name.value,
                    columns.iter().map(|column| column.name.as_str()),
                ),
            }
        })?;
        self.reads.insert(&column.name, column);
        Ok(column)
    }

    /// The argument of ABS, the one function that a value may be computed with.
    pub(crate) fn absolute<'e>(&self, function: &'e Function) -> Result<&'e Expr, QuestionError> {
        match function_name(function).as_str() {
            "ABS" => {}
            "BUCKET" => return Err(Construct::Function("BUCKET".into()).into()),
            _ => return Err(Construct::NestedStatistic.into()),
        }
        match Arguments::of(function)?.list()? {
            [expr] => Ok(expr),
            _ => Err(QuestionError::Arguments { form: "ABS(x)" }),
        }
    }
}

/// What an expression is, in a few words: never its text, which may be long.
pub(crate) fn describe(expr: &Expr) -> String {
    let words = match expr {
        Expr::Identifier(name) => return format!("\"{}\"", name.value),
        Expr::Value(value) => return value.to_string(),
        Expr::Nested(inner) => return describe(inner),
        Expr::BinaryOp {
            op: BinaryOperator::And | BinaryOperator::Or,
            ..
        } => "a condition",
        Expr::BinaryOp {
            op:
                BinaryOperator::Plus
                | BinaryOperator::Minus
                | BinaryOperator::Multiply
                | BinaryOperator::Divide,
            ..
        } => "arithmetic",
        Expr::BinaryOp { .. } | Expr::Between { .. } | Expr::InList { .. } => "a comparison",
        Expr::IsNull(_) | Expr::IsNotNull(_) | Expr::UnaryOp { .. } => "a condition",
        Expr::Tuple(_) => "a list",
        _ => "this expression",
    };
    words.to_string()
}

/// The one SELECT of a query.
pub(crate) fn select(query: &Query) -> Result<&Select, QuestionError> {
    match query.body.as_ref() {
        SetExpr::Select(select) => Ok(select),
        _ => Err(Construct::Subquery.into()),
    }
}

fn statistic(select: &Select) -> Result<&Function, QuestionError> {
    let expr = match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(expr)] => expr,
        [SelectItem::ExprWithAlias { .. } | SelectItem::ExprWithAliases { .. }] => {
            return Err(Construct::Alias.into());
        }
        [_] | [] => return Err(Construct::NotAStatistic.into()),
        _ => return Err(Construct::SeveralResults.into()),
    };
    match expr {
        Expr::Function(function) => Ok(function),
        Expr::BinaryOp { .. } | Expr::UnaryOp { .. } | Expr::Nested(_) => {
            Err(Construct::NestedStatistic.into())
        }
        _ => Err(Construct::NotAStatistic.into()),
    }
}

/// In capitals; empty for a name of several parts.
pub(crate) fn function_name(function: &Function) -> String {
    match function.name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] => name.value.to_ascii_uppercase(),
        _ => String::new(),
    }
}

pub(crate) fn source(from: &[TableWithJoins]) -> Result<Source<'_>, QuestionError> {
    let [TableWithJoins { relation, joins }] = from else {
        return Err(if from.is_empty() {
            QuestionError::Syntax("no table is named".into())
        } else {
            Construct::Join.into()
        });
    };
    if !joins.is_empty() {
        return Err(Construct::Join.into());
    }
    match relation {
        TableFactor::Table {
            name: ObjectName(path),
            alias: None,
            ..
        } => match path.as_slice() {
            [ObjectNamePart::Identifier(name)] => Ok(Source::Table(name)),
            _ => Err(QuestionError::Syntax(
                "a table has a name of one part".into(),
            )),
        },
        TableFactor::Derived {
            subquery,
            alias: None,
            ..
        } => Ok(Source::Inner(subquery)),
        TableFactor::Table { .. } | TableFactor::Derived { .. } => Err(Construct::Alias.into()),
        _ => Err(Construct::Join.into()),
    }
}
