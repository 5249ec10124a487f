//! What divides people: the words of a category, or buckets of a number.

use aggregation::statistic::{Buckets, CELLS_MAX};
use community::{Column, Kind, Range};
use sqlparser::ast::Expr;

use crate::decimal::Decimal;
use crate::error::QuestionError;
use crate::function::literal;
use crate::names::quoted;
use crate::number::Number;
use crate::select::{Arguments, Scope, function_name};

/// Most buckets where a question does not say how wide they are (a guess: the least width of 1, 2 or 5 times a power of
/// ten that makes no more of them, which in a small crowd are too many already).
const BUCKETS: i128 = 50;

/// Parts of which each value is in one.
#[derive(Debug)]
pub(crate) enum Parting {
    /// The words of a category column.
    Words(Column),
    /// Buckets of one width; each begins with a multiple of it.
    Buckets(Number, Width),
}

/// How wide buckets are.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Width {
    /// In units of the number's `10^-decimals`, at least one.
    units: i64,
    decimals: u8,
}

impl Parting {
    /// Reads a column or `BUCKET(number, width)`; numbers without a width get one.
    pub(crate) fn read(expr: &Expr, scope: &mut Scope<'_>) -> Result<Self, QuestionError> {
        match expr {
            Expr::Nested(inner) => Self::read(inner, scope),
            Expr::Function(function) if function_name(function) == "BUCKET" => {
                match Arguments::of(function)?.list()? {
                    [x] => Self::buckets(Number::read(x, scope, 0)?, None, scope),
                    [x, width] => Self::buckets(Number::read(x, scope, 0)?, Some(width), scope),
                    _ => Err(QuestionError::Arguments {
                        form: "BUCKET(x, 10) for buckets of that width",
                    }),
                }
            }
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => {
                let column = scope.column(expr)?;
                match &column.kind {
                    Kind::Category(_) => Ok(Self::Words(column.clone())),
                    Kind::Text => Err(QuestionError::FreeText {
                        column: column.name.clone(),
                    }),
                    Kind::Number(_) => Self::buckets(Number::read(expr, scope, 0)?, None, scope),
                }
            }
            _ => Self::buckets(Number::read(expr, scope, 0)?, None, scope),
        }
    }

    /// Reads what people are grouped by: as [`read`](Self::read), but numbers need buckets.
    pub(crate) fn read_group(expr: &Expr, scope: &mut Scope<'_>) -> Result<Self, QuestionError> {
        let parting = Self::read(expr, scope)?;
        match (&parting, expr) {
            (Self::Buckets(number, _), Expr::Identifier(_) | Expr::CompoundIdentifier(_)) => {
                Err(QuestionError::GroupOfNumbers {
                    number: number.canonical(),
                    instead: parting.canonical(),
                })
            }
            _ => Ok(parting),
        }
    }

    /// Buckets of this width, or of one that makes some fifty.
    pub(crate) fn buckets(
        number: Number,
        width: Option<&Expr>,
        scope: &mut Scope<'_>,
    ) -> Result<Self, QuestionError> {
        if !number.reads_a_column() {
            return Err(QuestionError::NoColumn {
                found: "this statistic or group",
            });
        }
        let width = match width {
            Some(expr) => Width::of(&literal(expr, scope)?, number.range())?,
            None => Width::usual(number.range()),
        };
        Ok(Self::Buckets(number, width))
    }

    /// The canonical text, as after GROUP BY.
    pub(crate) fn canonical(&self) -> String {
        match self {
            Self::Words(column) => quoted(&column.name),
            Self::Buckets(number, width) => {
                format!("BUCKET({}, {})", number.canonical(), width.canonical())
            }
        }
    }
}

impl Width {
    /// This width, for numbers of this range.
    fn of(width: &Decimal, range: Range) -> Result<Self, QuestionError> {
        let units = width
            .scaled_to(range.decimals)
            .filter(|units| *units > 0 && width.decimals <= range.decimals)
            .filter(|units| count(range, (*units).into()) <= CELLS_MAX as i128);
        let step = Decimal {
            integer: 1,
            decimals: range.decimals,
        };
        let units = units.ok_or_else(|| QuestionError::Width {
            found: width.to_string(),
            step: step.to_string(),
        })?;
        Ok(Self {
            units,
            decimals: range.decimals,
        })
    }

    fn usual(range: Range) -> Self {
        let widths = (0..=18).flat_map(|power| [1, 2, 5].map(|digit| digit * 10i128.pow(power)));
        let units = widths
            .filter_map(|width| i64::try_from(width).ok())
            .find(|width| count(range, (*width).into()) <= BUCKETS)
            .expect("a range of 64 bits has four buckets of five times 10^18");
        Self {
            units,
            decimals: range.decimals,
        }
    }

    pub(crate) fn canonical(self) -> String {
        let width = Decimal {
            integer: self.units.into(),
            decimals: self.decimals,
        };
        width.trimmed().to_string()
    }

    /// The buckets of a row's column of this range.
    pub(crate) fn of_column(self, column: u16, range: Range) -> Buckets {
        let (first, last) = (
            range.min.div_euclid(self.units),
            range.max.div_euclid(self.units),
        );
        // Between the ends of the range, so that nothing overflows.
        let starts = (first..last).map(|before| (before + 1) * self.units);
        Buckets {
            column,
            starts: starts.collect(),
        }
    }
}

/// How many buckets of a width a range touches.
fn count(range: Range, width: i128) -> i128 {
    i128::from(range.max).div_euclid(width) - i128::from(range.min).div_euclid(width) + 1
}
