//! Who matches: comparisons of columns, joined by AND, OR and NOT.
//!
//! Conditions keep SQL's third truth value: a comparison with a missing value is neither true nor false, and such a row
//! does not match. The owner's database evaluates it; here it is only checked and written out.

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use crate::error::QuestionError;
use crate::operand::{Operand, check_comparable};
use crate::select::{Scope, describe};

/// A condition on one row.
#[derive(Debug)]
pub(crate) enum Condition {
    /// All of at least two.
    All(Vec<Self>),
    /// Any of at least two.
    Any(Vec<Self>),
    Not(Box<Self>),
    Compare(Operand, &'static str, Operand),
    Between(Operand, Operand, Operand),
    OneOf(Operand, Vec<Operand>),
    Missing(Operand),
    Present(Operand),
}

impl Condition {
    /// Reads a condition at `depth` levels below the top.
    pub(crate) fn read(
        expr: &Expr,
        scope: &mut Scope<'_>,
        depth: usize,
    ) -> Result<Self, QuestionError> {
        let depth = scope.deeper(depth)?;
        match expr {
            Expr::Nested(inner) => Self::read(inner, scope, depth),
            Expr::BinaryOp {
                op: BinaryOperator::And,
                ..
            } => Ok(Self::All(Self::read_chain(
                expr,
                &BinaryOperator::And,
                scope,
                depth,
            )?)),
            Expr::BinaryOp {
                op: BinaryOperator::Or,
                ..
            } => Ok(Self::Any(Self::read_chain(
                expr,
                &BinaryOperator::Or,
                scope,
                depth,
            )?)),
            Expr::UnaryOp {
                op: UnaryOperator::Not,
                expr,
            } => Ok(Self::Not(Box::new(Self::read(expr, scope, depth)?))),
            Expr::BinaryOp { left, op, right } => match comparison(op) {
                Some(sign) => Self::read_comparison(left, sign, right, scope, depth),
                None => Err(QuestionError::NotACondition {
                    found: describe(expr),
                }),
            },
            Expr::Between {
                expr,
                negated,
                low,
                high,
            } => {
                let between = Self::read_between(expr, low, high, scope, depth)?;
                Ok(between.negated_if(*negated))
            }
            Expr::InList {
                expr,
                list,
                negated,
            } => Ok(Self::read_list(expr, list, scope, depth)?.negated_if(*negated)),
            Expr::IsNull(expr) => Ok(Self::Missing(Operand::read_row(expr, scope, depth)?)),
            Expr::IsNotNull(expr) => Ok(Self::Present(Operand::read_row(expr, scope, depth)?)),
            other => Err(QuestionError::NotACondition {
                found: describe(other),
            }),
        }
    }

    /// The canonical text.
    pub(crate) fn canonical(&self) -> String {
        self.write(&|operands| operands.iter().map(|operand| operand.canonical()).collect())
    }

    /// SQL over stored integers with the same meaning.
    pub(crate) fn local(&self) -> String {
        self.write(&|operands| {
            let decimals = operands
                .iter()
                .map(|operand| operand.decimals())
                .max()
                .unwrap_or(0);
            operands
                .iter()
                .map(|operand| operand.local_at(decimals))
                .collect()
        })
    }

    /// Writes the condition with its operands as `text` gives them, those of one comparison together.
    fn write(&self, text: &dyn Fn(&[&Operand]) -> Vec<String>) -> String {
        let join = |parts: &[Self], word: &str| {
            let parts: Vec<String> = parts
                .iter()
                .map(|part| match part {
                    Self::All(_) | Self::Any(_) => format!("({})", part.write(text)),
                    _ => part.write(text),
                })
                .collect();
            parts.join(word)
        };
        match self {
            Self::All(parts) => join(parts, " AND "),
            Self::Any(parts) => join(parts, " OR "),
            Self::Not(inner) => format!("NOT ({})", inner.write(text)),
            Self::Compare(left, sign, right) => text(&[left, right]).join(&format!(" {sign} ")),
            Self::Between(value, low, high) => {
                let parts = text(&[value, low, high]);
                format!("{} BETWEEN {} AND {}", parts[0], parts[1], parts[2])
            }
            Self::OneOf(value, list) => {
                let operands: Vec<&Operand> = std::iter::once(value).chain(list).collect();
                let parts = text(&operands);
                format!("{} IN ({})", parts[0], parts[1..].join(", "))
            }
            Self::Missing(value) => format!("{} IS NULL", text(&[value])[0]),
            Self::Present(value) => format!("{} IS NOT NULL", text(&[value])[0]),
        }
    }

    fn negated_if(self, negated: bool) -> Self {
        if negated {
            Self::Not(Box::new(self))
        } else {
            self
        }
    }

    /// The parts of `a AND b AND c`, which the parser nests to the left, in order and without recursion into the chain.
    fn read_chain(
        expr: &Expr,
        operator: &BinaryOperator,
        scope: &mut Scope<'_>,
        depth: usize,
    ) -> Result<Vec<Self>, QuestionError> {
        let (mut links, mut rest) = (Vec::new(), expr);
        loop {
            match rest {
                Expr::BinaryOp { left, op, right } if op == operator => {
                    links.push(right.as_ref());
                    rest = left;
                }
                Expr::Nested(inner) if matches!(inner.as_ref(), Expr::BinaryOp { op, .. } if op == operator) =>
                {
                    rest = inner;
                }
                _ => break,
            }
        }
        links.push(rest);
        let mut parts = Vec::with_capacity(links.len());
        for link in links.into_iter().rev() {
            match (Self::read(link, scope, depth)?, operator) {
                (Self::All(inner), BinaryOperator::And)
                | (Self::Any(inner), BinaryOperator::Or) => {
                    parts.extend(inner);
                }
                (part, _) => parts.push(part),
            }
        }
        Ok(parts)
    }

    fn read_comparison(
        left: &Expr,
        sign: &'static str,
        right: &Expr,
        scope: &mut Scope<'_>,
        depth: usize,
    ) -> Result<Self, QuestionError> {
        let left = Operand::read(left, scope, depth)?;
        let right = Operand::read(right, scope, depth)?;
        check_comparable(&[&left, &right], matches!(sign, "=" | "<>"))?;
        Ok(Self::Compare(left, sign, right))
    }

    fn read_between(
        value: &Expr,
        low: &Expr,
        high: &Expr,
        scope: &mut Scope<'_>,
        depth: usize,
    ) -> Result<Self, QuestionError> {
        let value = Operand::read(value, scope, depth)?;
        let low = Operand::read(low, scope, depth)?;
        let high = Operand::read(high, scope, depth)?;
        check_comparable(&[&value, &low, &high], false)?;
        Ok(Self::Between(value, low, high))
    }

    fn read_list(
        value: &Expr,
        list: &[Expr],
        scope: &mut Scope<'_>,
        depth: usize,
    ) -> Result<Self, QuestionError> {
        let value = Operand::read_row(value, scope, depth)?;
        let list = list
            .iter()
            .map(|item| Operand::read(item, scope, depth))
            .collect::<Result<Vec<_>, _>>()?;
        let operands: Vec<&Operand> = std::iter::once(&value).chain(&list).collect();
        check_comparable(&operands, true)?;
        Ok(Self::OneOf(value, list))
    }
}

fn comparison(op: &BinaryOperator) -> Option<&'static str> {
    match op {
        BinaryOperator::Eq => Some("="),
        BinaryOperator::NotEq => Some("<>"),
        BinaryOperator::Lt => Some("<"),
        BinaryOperator::LtEq => Some("<="),
        BinaryOperator::Gt => Some(">"),
        BinaryOperator::GtEq => Some(">="),
        _ => None,
    }
}
