//! What can be compared, and what with.

use community::{Column, Kind};
use sqlparser::ast::{Expr, Value};

use crate::error::QuestionError;
use crate::names::{closest, literal, quoted};
use crate::number::Number;
use crate::select::Scope;

/// What can be compared.
#[derive(Debug)]
pub(crate) enum Operand {
    Number(Number),
    /// A text or category column.
    Words(Column),
    Word(String),
}

impl Operand {
    pub(crate) fn read(
        expr: &Expr,
        scope: &mut Scope<'_>,
        depth: usize,
    ) -> Result<Self, QuestionError> {
        match expr {
            Expr::Nested(inner) => Self::read(inner, scope, depth),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                let column = scope.column(expr)?;
                match column.kind {
                    Kind::Number(_) => Number::read(expr, scope, depth).map(Self::Number),
                    Kind::Category(_) | Kind::Text => Ok(Self::Words(column.clone())),
                }
            }
            Expr::Value(value) => match &value.value {
                Value::SingleQuotedString(word) => Ok(Self::Word(word.clone())),
                _ => Number::read(expr, scope, depth).map(Self::Number),
            },
            _ => Number::read(expr, scope, depth).map(Self::Number),
        }
    }

    /// Like [`read`](Self::read), but it must depend on the row.
    pub(crate) fn read_row(
        expr: &Expr,
        scope: &mut Scope<'_>,
        depth: usize,
    ) -> Result<Self, QuestionError> {
        let operand = Self::read(expr, scope, depth)?;
        if operand.reads_a_column() {
            Ok(operand)
        } else {
            Err(QuestionError::NoColumn {
                found: "a condition or COUNT(x)",
            })
        }
    }

    pub(crate) fn canonical(&self) -> String {
        match self {
            Self::Number(number) => number.canonical(),
            Self::Words(column) => quoted(&column.name),
            Self::Word(word) => literal(word),
        }
    }

    /// SQL over stored values; numbers in units of `10^-decimals`.
    pub(crate) fn local_at(&self, decimals: u8) -> String {
        match self {
            Self::Number(number) => number.local_at(decimals),
            words => words.canonical(),
        }
    }

    pub(crate) fn decimals(&self) -> u8 {
        match self {
            Self::Number(number) => number.range().decimals,
            Self::Words(_) | Self::Word(_) => 0,
        }
    }

    fn reads_a_column(&self) -> bool {
        match self {
            Self::Number(number) => number.reads_a_column(),
            Self::Words(_) => true,
            Self::Word(_) => false,
        }
    }

    fn is_number(&self) -> bool {
        matches!(self, Self::Number(_))
    }

    fn describe(&self) -> String {
        match self {
            Self::Number(_) => format!("the number {}", self.canonical()),
            Self::Words(column) => format!("the words of column \"{}\"", column.name),
            Self::Word(word) => literal(word),
        }
    }
}

/// Checks what is compared together: something depends on the row, all numbers or all words, declared words only for a
/// category and no order among them, and a common scale that 64 bits hold.
pub(crate) fn check_comparable(operands: &[&Operand], equality: bool) -> Result<(), QuestionError> {
    if !operands.iter().any(|operand| operand.reads_a_column()) {
        return Err(QuestionError::NoColumn {
            found: "a condition",
        });
    }
    if let Some(other) = operands
        .iter()
        .find(|operand| operand.is_number() != operands[0].is_number())
    {
        return Err(QuestionError::Incomparable {
            left: operands[0].describe(),
            right: other.describe(),
        });
    }
    let decimals = operands
        .iter()
        .map(|operand| operand.decimals())
        .max()
        .unwrap_or(0);
    for operand in operands {
        match operand {
            Operand::Number(number) => {
                number.range_at(decimals)?;
            }
            Operand::Words(column) => check_words(column, operands, equality)?,
            Operand::Word(_) => {}
        }
    }
    Ok(())
}

/// Checks the words that `column` is compared with, if it is a category.
fn check_words(
    column: &Column,
    operands: &[&Operand],
    equality: bool,
) -> Result<(), QuestionError> {
    let Kind::Category(words) = &column.kind else {
        return Ok(());
    };
    if !equality {
        return Err(QuestionError::NoOrder {
            column: column.name.clone(),
        });
    }
    for operand in operands {
        if let Operand::Word(word) = operand
            && !words.contains(word)
        {
            return Err(QuestionError::UnknownWord {
                column: column.name.clone(),
                word: word.clone(),
                suggestion: closest(word, words.iter().map(String::as_str)),
            });
        }
    }
    Ok(())
}
