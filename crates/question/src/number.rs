//! Arithmetic over number columns, with the range of every part known before any value is.

use community::{Kind, Range};
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator, Value};

use crate::decimal::{Decimal, DecimalError, MAX_DECIMALS, power_of_ten};
use crate::error::QuestionError;
use crate::names::quoted;
use crate::select::{Scope, describe};

/// A number computed from one row, in fixed point.
#[derive(Debug)]
pub(crate) struct Number {
    shape: Shape,
    /// Every value that it can take, if all columns keep to their declared ranges.
    range: Range,
}

#[derive(Debug)]
enum Shape {
    Column(String),
    Literal(Decimal),
    Negative(Box<Number>),
    Absolute(Box<Number>),
    Operation(Box<Number>, Operator, Box<Number>),
    /// Division by a number, kept with its reciprocal, by which the value is multiplied.
    Quotient(Box<Number>, Decimal, Decimal),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Plus,
    Minus,
    Times,
}

impl Number {
    /// Reads an arithmetic expression at `depth` levels below the top.
    pub(crate) fn read(
        expr: &Expr,
        scope: &mut Scope<'_>,
        depth: usize,
    ) -> Result<Self, QuestionError> {
        // The gate bounds brackets, so that they need not count as levels.
        if let Expr::Nested(inner) = expr {
            return Self::read(inner, scope, depth);
        }
        let depth = scope.deeper(depth)?;
        match expr {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                let column = scope.column(expr)?;
                match &column.kind {
                    Kind::Number(range) => Self::column(&column.name, *range),
                    _ => Err(QuestionError::NotANumber {
                        found: format!("column \"{}\"", column.name),
                    }),
                }
            }
            Expr::Value(value) => match &value.value {
                Value::Number(text, _) => Self::literal_from(text),
                other => Err(QuestionError::NotANumber {
                    found: other.to_string(),
                }),
            },
            Expr::UnaryOp {
                op: UnaryOperator::Minus,
                expr,
            } => Self::read(expr, scope, depth)?.negative(),
            Expr::Function(function) => {
                Self::read(scope.absolute(function)?, scope, depth)?.absolute()
            }
            Expr::BinaryOp { left, op, right } => {
                let operator = match op {
                    BinaryOperator::Plus => Some(Operator::Plus),
                    BinaryOperator::Minus => Some(Operator::Minus),
                    BinaryOperator::Multiply => Some(Operator::Times),
                    BinaryOperator::Divide => None,
                    _ => {
                        return Err(QuestionError::NotANumber {
                            found: describe(expr),
                        });
                    }
                };
                let (left, right) = (
                    Self::read(left, scope, depth)?,
                    Self::read(right, scope, depth)?,
                );
                match operator {
                    Some(operator) => left.operation(operator, right),
                    None => left.quotient(&right),
                }
            }
            other => Err(QuestionError::NotANumber {
                found: describe(other),
            }),
        }
    }

    /// Every value that it can take.
    pub(crate) fn range(&self) -> Range {
        self.range
    }

    /// Its value, if it is a literal.
    pub(crate) fn as_literal(&self) -> Option<Decimal> {
        match self.shape {
            Shape::Literal(value) => Some(value),
            _ => None,
        }
    }

    /// The name of the column that it is, if it is one and nothing more.
    pub(crate) fn column_name(&self) -> Option<&str> {
        match &self.shape {
            Shape::Column(name) => Some(name),
            _ => None,
        }
    }

    /// Whether it depends on the row.
    pub(crate) fn reads_a_column(&self) -> bool {
        match &self.shape {
            Shape::Column(_) => true,
            Shape::Literal(_) => false,
            Shape::Negative(inner) | Shape::Absolute(inner) | Shape::Quotient(inner, ..) => {
                inner.reads_a_column()
            }
            Shape::Operation(left, _, right) => left.reads_a_column() || right.reads_a_column(),
        }
    }

    /// The canonical text.
    pub(crate) fn canonical(&self) -> String {
        match &self.shape {
            Shape::Column(name) => quoted(name),
            Shape::Literal(value) => value.to_string(),
            Shape::Negative(inner) => format!("-{}", inner.bracketed(3)),
            Shape::Absolute(inner) => format!("ABS({})", inner.canonical()),
            Shape::Operation(left, operator, right) => {
                let (sign, binds) = operator.text();
                format!(
                    "{} {sign} {}",
                    left.bracketed(binds),
                    right.bracketed(binds + 1)
                )
            }
            Shape::Quotient(inner, divisor, _) => format!("{} / {divisor}", inner.bracketed(2)),
        }
    }

    /// The canonical text, in brackets if it binds less than `least`.
    fn bracketed(&self, least: u8) -> String {
        let binds = match &self.shape {
            Shape::Operation(_, operator, _) => operator.text().1,
            Shape::Quotient(..) => 2,
            _ => 3,
        };
        if binds < least {
            format!("({})", self.canonical())
        } else {
            self.canonical()
        }
    }

    /// SQL over stored integers that gives the value in units of its own `10^-decimals`.
    pub(crate) fn local(&self) -> String {
        match &self.shape {
            Shape::Column(name) => quoted(name),
            Shape::Literal(value) => value.integer.to_string(),
            Shape::Negative(inner) => format!("(- {})", inner.local()),
            Shape::Absolute(inner) => format!("ABS({})", inner.local()),
            Shape::Operation(left, Operator::Times, right) => {
                format!("({} * {})", left.local(), right.local())
            }
            Shape::Operation(left, operator, right) => {
                let decimals = self.range.decimals;
                let sign = operator.text().0;
                format!(
                    "({} {sign} {})",
                    left.local_at(decimals),
                    right.local_at(decimals)
                )
            }
            Shape::Quotient(inner, _, reciprocal) => {
                format!("({} * {})", inner.local(), reciprocal.integer)
            }
        }
    }

    /// Like [`local`](Self::local), in the finer units of `10^-decimals`.
    pub(crate) fn local_at(&self, decimals: u8) -> String {
        match (&self.shape, power_of_ten(decimals - self.range.decimals)) {
            (_, 1) => self.local(),
            (Shape::Literal(value), factor) => (value.integer * factor).to_string(),
            (_, factor) => format!("({} * {factor})", self.local()),
        }
    }

    fn column(name: &str, range: Range) -> Result<Self, QuestionError> {
        // `i64::MIN` has no absolute value.
        if range.decimals > MAX_DECIMALS || range.min > range.max || range.min == i64::MIN {
            return Err(QuestionError::BadRange {
                column: name.to_string(),
            });
        }
        Ok(Self {
            shape: Shape::Column(name.to_string()),
            range,
        })
    }

    fn literal_from(text: &str) -> Result<Self, QuestionError> {
        match text.parse::<Decimal>() {
            Ok(value) => Self::literal(value),
            Err(DecimalError::TooPrecise) => Err(QuestionError::TooPrecise {
                found: text.to_string(),
            }),
            Err(DecimalError::TooLarge) => Err(QuestionError::TooLarge {
                found: text.to_string(),
            }),
            Err(DecimalError::Malformed) => {
                Err(crate::construct::Construct::Literal(text.to_string()).into())
            }
        }
    }

    fn literal(value: Decimal) -> Result<Self, QuestionError> {
        let at = value.integer;
        let range = checked(value.decimals, [at, at], || value.to_string())?;
        Ok(Self {
            shape: Shape::Literal(value),
            range,
        })
    }

    /// Negation. Literals take the sign and double negations vanish, so that the canonical text is read back alike.
    fn negative(self) -> Result<Self, QuestionError> {
        let range = Range {
            min: -self.range.max,
            max: -self.range.min,
            ..self.range
        };
        match self.shape {
            Shape::Literal(value) => Self::literal(Decimal {
                integer: -value.integer,
                ..value
            }),
            Shape::Negative(inner) => Ok(*inner),
            shape => {
                let inner = Box::new(Self {
                    shape,
                    range: self.range,
                });
                Ok(Self {
                    shape: Shape::Negative(inner),
                    range,
                })
            }
        }
    }

    fn absolute(self) -> Result<Self, QuestionError> {
        let Range { decimals, min, max } = self.range;
        let least = if min <= 0 && max >= 0 {
            0
        } else {
            min.abs().min(max.abs())
        };
        let range = Range {
            decimals,
            min: least,
            max: min.abs().max(max.abs()),
        };
        Ok(Self {
            shape: Shape::Absolute(Box::new(self)),
            range,
        })
    }

    fn operation(self, operator: Operator, right: Self) -> Result<Self, QuestionError> {
        let text = || {
            format!(
                "{} {} {}",
                self.canonical(),
                operator.text().0,
                right.canonical()
            )
        };
        let range = match operator {
            Operator::Times => {
                let decimals = self.range.decimals + right.range.decimals;
                let products = [self.range.min, self.range.max]
                    .map(i128::from)
                    .map(|a| [right.range.min, right.range.max].map(|b| a * i128::from(b)));
                checked(decimals, products.into_iter().flatten(), text)?
            }
            Operator::Plus | Operator::Minus => {
                let decimals = self.range.decimals.max(right.range.decimals);
                let left = self.range_at(decimals)?;
                let right = right.range_at(decimals)?;
                let (low, high) = match operator {
                    Operator::Minus => (-right.max, -right.min),
                    _ => (right.min, right.max),
                };
                let ends = [
                    i128::from(left.min) + i128::from(low),
                    i128::from(left.max) + i128::from(high),
                ];
                checked(decimals, ends, text)?
            }
        };
        Ok(Self {
            shape: Shape::Operation(Box::new(self), operator, Box::new(right)),
            range,
        })
    }

    fn quotient(self, divisor: &Self) -> Result<Self, QuestionError> {
        let inexact = || QuestionError::InexactDivision {
            divisor: divisor.canonical(),
        };
        let value = divisor.as_literal().ok_or_else(inexact)?;
        if value.integer == 0 {
            return Err(QuestionError::DivisionByZero);
        }
        let reciprocal = reciprocal(value).ok_or_else(inexact)?;
        let text = || format!("{} / {value}", self.canonical());
        let decimals = self.range.decimals + reciprocal.decimals;
        let ends = [self.range.min, self.range.max].map(|end| i128::from(end) * reciprocal.integer);
        let range = checked(decimals, ends, text)?;
        Ok(Self {
            shape: Shape::Quotient(Box::new(self), value, reciprocal),
            range,
        })
    }

    /// Its range in the finer units of `10^-decimals`.
    pub(crate) fn range_at(&self, decimals: u8) -> Result<Range, QuestionError> {
        let factor = power_of_ten(decimals - self.range.decimals);
        let ends = [self.range.min, self.range.max].map(|end| i128::from(end) * factor);
        checked(decimals, ends, || self.canonical())
    }
}

impl Operator {
    /// Its sign, and how strongly it binds.
    fn text(self) -> (&'static str, u8) {
        match self {
            Self::Plus => ("+", 1),
            Self::Minus => ("-", 1),
            Self::Times => ("*", 2),
        }
    }
}

/// The smallest range that holds `ends`, if fixed point can hold it.
pub(crate) fn checked(
    decimals: u8,
    ends: impl IntoIterator<Item = i128>,
    text: impl Fn() -> String,
) -> Result<Range, QuestionError> {
    if decimals > MAX_DECIMALS {
        return Err(QuestionError::TooPrecise { found: text() });
    }
    let (low, high) = ends
        .into_iter()
        .fold((i128::MAX, i128::MIN), |(low, high), end| {
            (low.min(end), high.max(end))
        });
    match (i64::try_from(low), i64::try_from(high)) {
        (Ok(min), Ok(max)) if min > i64::MIN => Ok(Range { decimals, min, max }),
        _ => Err(QuestionError::TooLarge { found: text() }),
    }
}

/// One divided by `value`, if that has at most [`MAX_DECIMALS`] digits after the point.
fn reciprocal(value: Decimal) -> Option<Decimal> {
    let numerator = power_of_ten(value.decimals);
    (0..=MAX_DECIMALS)
        .map(|decimals| (numerator * power_of_ten(decimals), decimals))
        .find(|(scaled, _)| scaled % value.integer == 0)
        .map(|(scaled, decimals)| Decimal {
            integer: scaled / value.integer,
            decimals,
        })
}
