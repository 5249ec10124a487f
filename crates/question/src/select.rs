//! Taking a SELECT apart into the four things that a question has: statistic, argument, table, condition.

use std::collections::BTreeMap;

use community::{Column, Table};
use sqlparser::ast::{
    BinaryOperator, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, Ident,
    ObjectName, ObjectNamePart, Query, Select, SelectItem, SetExpr, TableFactor, TableWithJoins,
};
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan};

use crate::construct::Construct;
use crate::error::QuestionError;
use crate::gate::QuestionDialect;
use crate::names::{closest, find};
use crate::question::{MAX_DEPTH, Statistic};

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

/// The four parts of a question, as syntax.
pub(crate) struct Parts<'a> {
    pub(crate) statistic: Statistic,
    /// `None` for COUNT(*).
    pub(crate) argument: Option<&'a Expr>,
    pub(crate) table: &'a Ident,
    pub(crate) condition: Option<&'a Expr>,
}

impl<'a> Parts<'a> {
    /// Takes `query` apart. Clauses that are not looked at here cannot have passed the gate.
    pub(crate) fn of(query: &'a Query) -> Result<Self, QuestionError> {
        let SetExpr::Select(select) = query.body.as_ref() else {
            return Err(Construct::Subquery.into());
        };
        let (statistic, argument) = statistic(select)?;
        Ok(Self {
            statistic,
            argument,
            table: table(&select.from)?,
            condition: select.selection.as_ref(),
        })
    }
}

/// The table that names are looked up in, and what has been read of it.
pub(crate) struct Scope<'a> {
    pub(crate) table: &'a Table,
    pub(crate) reads: BTreeMap<&'a str, &'a Column>,
}

impl<'a> Scope<'a> {
    /// The table of `vocabulary` that `name` means.
    pub(crate) fn new(name: &Ident, vocabulary: &'a [Table]) -> Result<Self, QuestionError> {
        let table = find(vocabulary, &name.value, |table| &table.name).ok_or_else(|| {
            QuestionError::UnknownTable {
                name: name.value.clone(),
                suggestion: closest(
                    &name.value,
                    vocabulary.iter().map(|table| table.name.as_str()),
                ),
            }
        })?;
        Ok(Self {
            table,
            reads: BTreeMap::new(),
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
        let name = function_name(function);
        if name != "ABS" {
            return Err(Construct::NestedStatistic.into());
        }
        match arguments(function)? {
            [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))] => Ok(expr),
            _ => Err(QuestionError::Syntax("ABS takes one number".into())),
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

fn statistic(select: &Select) -> Result<(Statistic, Option<&Expr>), QuestionError> {
    let expr = match select.projection.as_slice() {
        [SelectItem::UnnamedExpr(expr)] => expr,
        [SelectItem::ExprWithAlias { .. } | SelectItem::ExprWithAliases { .. }] => {
            return Err(Construct::Alias.into());
        }
        [_] | [] => return Err(Construct::NotAStatistic.into()),
        _ => return Err(Construct::SeveralResults.into()),
    };
    let function = match expr {
        Expr::Function(function) => function,
        Expr::BinaryOp { .. } | Expr::UnaryOp { .. } | Expr::Nested(_) => {
            return Err(Construct::NestedStatistic.into());
        }
        _ => return Err(Construct::NotAStatistic.into()),
    };
    let statistic = match function_name(function).as_str() {
        "COUNT" => Statistic::Count,
        "SUM" => Statistic::Sum,
        "AVG" => Statistic::Mean,
        _ => return Err(Construct::NotAStatistic.into()),
    };
    match (statistic, arguments(function)?) {
        (Statistic::Count, [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]) => {
            Ok((statistic, None))
        }
        (_, [FunctionArg::Unnamed(FunctionArgExpr::Expr(expr))]) => Ok((statistic, Some(expr))),
        _ => Err(QuestionError::Syntax(
            "a statistic takes one argument, and only COUNT takes *".into(),
        )),
    }
}

fn arguments(function: &Function) -> Result<&[FunctionArg], QuestionError> {
    match &function.args {
        FunctionArguments::List(list) => Ok(&list.args),
        FunctionArguments::Subquery(_) => Err(Construct::Subquery.into()),
        FunctionArguments::None => Ok(&[]),
    }
}

/// In capitals; empty for a name of several parts.
fn function_name(function: &Function) -> String {
    match function.name.0.as_slice() {
        [ObjectNamePart::Identifier(name)] => name.value.to_ascii_uppercase(),
        _ => String::new(),
    }
}

fn table(from: &[TableWithJoins]) -> Result<&Ident, QuestionError> {
    let [TableWithJoins { relation, joins }] = from else {
        return Err(if from.is_empty() {
            QuestionError::Syntax("no table is named".into())
        } else {
            Construct::Join.into()
        });
    };
    match relation {
        TableFactor::Table {
            name: ObjectName(path),
            alias: None,
            ..
        } if joins.is_empty() => match path.as_slice() {
            [ObjectNamePart::Identifier(name)] => Ok(name),
            _ => Err(QuestionError::Syntax(
                "a table has a name of one part".into(),
            )),
        },
        TableFactor::Table { alias: Some(_), .. } => Err(Construct::Alias.into()),
        TableFactor::Derived { .. } => Err(Construct::Subquery.into()),
        _ => Err(Construct::Join.into()),
    }
}
