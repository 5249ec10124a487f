//! The statistics that can be asked for, each with its arguments.

use sqlparser::ast::Expr;

use crate::construct::Construct;
use crate::decimal::Decimal;
use crate::error::QuestionError;
use crate::logistic::Logistic;
use crate::number::Number;
use crate::operand::Operand;
use crate::parts::Parting;
use crate::select::{Arguments, Scope};

/// Digits after the point of a quantile's level, which is kept in millionths.
pub(crate) const LEVEL_DECIMALS: u8 = 6;
/// The level of the median, in millionths.
pub(crate) const MEDIAN: u32 = 500_000;
/// Most parts that TOP names (a guess: more than anybody reads).
const TOP_MAX: i64 = 1000;

/// What is computed over everyone who matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Function {
    /// COUNT: how many match.
    Count,
    /// SUM.
    Sum,
    /// AVG: the mean.
    Mean,
    /// VAR_POP: the variance of those who match.
    VariancePopulation,
    /// VAR_SAMP: the estimate of a larger population's variance.
    VarianceSample,
    /// STDDEV_POP: the root of VAR_POP.
    DeviationPopulation,
    /// STDDEV_SAMP: the root of VAR_SAMP.
    DeviationSample,
    /// SKEWNESS: the third central moment over the cube of the standard deviation.
    Skewness,
    /// KURTOSIS: the fourth central moment over the square of the variance (3 for a normal distribution).
    Kurtosis,
    /// HISTOGRAM: how many are in each part.
    Histogram,
    /// MEDIAN and QUANTILE: where a part of all values, in millionths, lies below.
    Quantile(u32),
    /// MIN: where the lowest value lies.
    Min,
    /// MAX: where the highest value lies.
    Max,
    /// TOP: so many parts in which most people are.
    Top(u16),
    /// COVAR_POP: the covariance of two values.
    CovariancePopulation,
    /// COVAR_SAMP: the estimate of a larger population's covariance.
    CovarianceSample,
    /// CORR: Pearson's correlation of two values.
    Correlation,
    /// REGR: least squares, of a value by others.
    Regression,
    /// LOGISTIC: a step towards the logistic regression of whether something is so by values.
    Logistic,
}

/// What a statistic is taken of.
pub(crate) enum Argument {
    /// `*`
    Row,
    /// Whether there is a value.
    Presence(Operand),
    /// Values.
    Numbers(Vec<Number>),
    /// The part that a value is in.
    Parts(Parting),
    /// Whether something is so, and values.
    Logistic(Logistic),
}

impl Function {
    /// Reads the call of the statistic `name`, which is in capitals.
    pub(crate) fn read(
        name: &str,
        arguments: &Arguments<'_>,
        scope: &mut Scope<'_>,
    ) -> Result<(Self, Argument), QuestionError> {
        match name {
            "COUNT" => Ok((Self::Count, count(arguments, scope)?)),
            "HISTOGRAM" | "TOP" | "MODE" => parts(name, arguments.list()?, scope),
            "MEDIAN" | "QUANTILE" | "PERCENTILE" | "MIN" | "MAX" => {
                place(name, arguments.list()?, scope)
            }
            "LOGISTIC" => {
                let logistic = Logistic::read(arguments.list()?, scope)?;
                Ok((Self::Logistic, Argument::Logistic(logistic)))
            }
            _ => {
                let (function, form, most) = sums(name).ok_or(Construct::NotAStatistic)?;
                let list = arguments.list()?;
                let least = most.min(2);
                if !(least..=most).contains(&list.len()) {
                    return Err(QuestionError::Arguments { form });
                }
                let numbers = list
                    .iter()
                    .map(|expr| number(expr, scope))
                    .collect::<Result<_, _>>()?;
                Ok((function, Argument::Numbers(numbers)))
            }
        }
    }

    /// Whether it is found from how many people are in each part of the values.
    pub(crate) fn counts_parts(self) -> bool {
        matches!(
            self,
            Self::Histogram | Self::Quantile(_) | Self::Min | Self::Max | Self::Top(_)
        )
    }

    /// The name by which it is asked for.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "COUNT",
            Self::Sum => "SUM",
            Self::Mean => "AVG",
            Self::VariancePopulation => "VAR_POP",
            Self::VarianceSample => "VAR_SAMP",
            Self::DeviationPopulation => "STDDEV_POP",
            Self::DeviationSample => "STDDEV_SAMP",
            Self::Skewness => "SKEWNESS",
            Self::Kurtosis => "KURTOSIS",
            Self::Histogram => "HISTOGRAM",
            Self::Quantile(MEDIAN) => "MEDIAN",
            Self::Quantile(_) => "QUANTILE",
            Self::Min => "MIN",
            Self::Max => "MAX",
            Self::Top(_) => "TOP",
            Self::CovariancePopulation => "COVAR_POP",
            Self::CovarianceSample => "COVAR_SAMP",
            Self::Correlation => "CORR",
            Self::Regression => "REGR",
            Self::Logistic => "LOGISTIC",
        }
    }

    /// The canonical text of the call.
    pub(crate) fn canonical(self, argument: &Argument) -> String {
        let mut list = match argument {
            Argument::Row => vec!["*".to_owned()],
            Argument::Presence(operand) => vec![operand.canonical()],
            Argument::Numbers(numbers) => numbers.iter().map(Number::canonical).collect(),
            Argument::Parts(parting @ Parting::Buckets(number, width)) => match self {
                Self::Top(_) => vec![parting.canonical()],
                _ => vec![number.canonical(), width.canonical()],
            },
            Argument::Parts(parting) => vec![parting.canonical()],
            Argument::Logistic(logistic) => logistic.canonical(),
        };
        match self {
            Self::Quantile(MEDIAN) => {}
            Self::Quantile(level) => list.insert(1, millionths(level)),
            Self::Top(count) => list.push(count.to_string()),
            _ => {}
        }
        format!("{}({})", self.name(), list.join(", "))
    }
}

/// A level in decimal digits.
pub(crate) fn millionths(level: u32) -> String {
    let level = Decimal {
        integer: level.into(),
        decimals: LEVEL_DECIMALS,
    };
    level.trimmed().to_string()
}

/// The statistics that are found from sums, with their form and the most arguments that they take.
fn sums(name: &str) -> Option<(Function, &'static str, usize)> {
    Some(match name {
        "SUM" => (Function::Sum, "SUM(x)", 1),
        "AVG" => (Function::Mean, "AVG(x)", 1),
        "VAR_POP" => (Function::VariancePopulation, "VAR_POP(x)", 1),
        "VAR_SAMP" | "VARIANCE" => (Function::VarianceSample, "VAR_SAMP(x)", 1),
        "STDDEV_POP" => (Function::DeviationPopulation, "STDDEV_POP(x)", 1),
        "STDDEV_SAMP" | "STDDEV" => (Function::DeviationSample, "STDDEV_SAMP(x)", 1),
        "SKEWNESS" => (Function::Skewness, "SKEWNESS(x)", 1),
        "KURTOSIS" => (Function::Kurtosis, "KURTOSIS(x)", 1),
        "COVAR_POP" => (Function::CovariancePopulation, "COVAR_POP(y, x)", 2),
        "COVAR_SAMP" => (Function::CovarianceSample, "COVAR_SAMP(y, x)", 2),
        "CORR" => (Function::Correlation, "CORR(y, x)", 2),
        "REGR" => (Function::Regression, "REGR(y, x1, x2)", usize::MAX),
        _ => return None,
    })
}

fn count(arguments: &Arguments<'_>, scope: &mut Scope<'_>) -> Result<Argument, QuestionError> {
    match arguments {
        Arguments::Star => Ok(Argument::Row),
        Arguments::List(list) => match list.as_slice() {
            [expr] => Operand::read_row(expr, scope, 0).map(Argument::Presence),
            _ => Err(QuestionError::Arguments {
                form: "COUNT(*) or COUNT(x)",
            }),
        },
    }
}

/// What counts the parts of any column.
fn parts(
    name: &str,
    list: &[&Expr],
    scope: &mut Scope<'_>,
) -> Result<(Function, Argument), QuestionError> {
    let (function, parting) = match (name, list) {
        ("HISTOGRAM", [x]) => (Function::Histogram, Parting::read(x, scope)?),
        ("HISTOGRAM", [x, width]) => {
            let parting = Parting::buckets(number(x, scope)?, Some(width), scope)?;
            (Function::Histogram, parting)
        }
        ("MODE", [x]) => (Function::Top(1), Parting::read(x, scope)?),
        ("TOP", [x, count]) => {
            let count = literal(count, scope)?;
            let named = count.scaled_to(0).filter(|_| count.decimals == 0);
            let named = named.filter(|named| (1..=TOP_MAX).contains(named));
            let named = named.ok_or_else(|| QuestionError::Parameter {
                found: count.to_string(),
                what: "number of parts to name",
                instead: "write a number from 1 to 1000, as in TOP(x, 3)",
            })?;
            let named = u16::try_from(named).expect("at most 1000");
            (Function::Top(named), Parting::read(x, scope)?)
        }
        _ => {
            return Err(QuestionError::Arguments {
                form: match name {
                    "HISTOGRAM" => "HISTOGRAM(x), or HISTOGRAM(x, 10) for buckets of that width",
                    "MODE" => "MODE(x)",
                    _ => "TOP(x, 3) for the three parts with most people",
                },
            });
        }
    };
    Ok((function, Argument::Parts(parting)))
}

/// What looks for a place among values.
fn place(
    name: &str,
    list: &[&Expr],
    scope: &mut Scope<'_>,
) -> Result<(Function, Argument), QuestionError> {
    let (function, x, width) = match (name, list) {
        ("MEDIAN", [x, width @ ..]) if width.len() < 2 => (Function::Quantile(MEDIAN), x, width),
        ("MIN", [x, width @ ..]) if width.len() < 2 => (Function::Min, x, width),
        ("MAX", [x, width @ ..]) if width.len() < 2 => (Function::Max, x, width),
        ("QUANTILE" | "PERCENTILE", [x, level, width @ ..]) if width.len() < 2 => {
            let per_one = if name == "QUANTILE" {
                LEVEL_DECIMALS
            } else {
                4
            };
            let level = self::level(&literal(level, scope)?, per_one)?;
            (Function::Quantile(level), x, width)
        }
        _ => {
            return Err(QuestionError::Arguments {
                form: match name {
                    "MEDIAN" => "MEDIAN(x), or MEDIAN(x, 0.5) to within that width",
                    "MIN" => "MIN(x), or MIN(x, 0.5) to within that width",
                    "MAX" => "MAX(x), or MAX(x, 0.5) to within that width",
                    "QUANTILE" => "QUANTILE(x, 0.9), or QUANTILE(x, 0.9, 0.5) to within that width",
                    _ => "PERCENTILE(x, 90), or PERCENTILE(x, 90, 0.5) to within that width",
                },
            });
        }
    };
    let x = number(x, scope)?;
    let parting = Parting::buckets(x, width.first().copied(), scope)?;
    Ok((function, Argument::Parts(parting)))
}

fn level(level: &Decimal, decimals: u8) -> Result<u32, QuestionError> {
    let millionths = level
        .scaled_to(decimals)
        .filter(|_| level.decimals <= decimals);
    millionths
        .and_then(|level| u32::try_from(level).ok())
        .filter(|level| *level <= aggregation::statistic::LEVEL_ONE)
        .ok_or_else(|| QuestionError::Parameter {
            found: level.to_string(),
            what: "level of a quantile",
            instead: "write QUANTILE(x, 0.9) with a level from 0 to 1, or PERCENTILE(x, 90) with one from 0 to 100",
        })
}

/// A number that depends on the row.
fn number(expr: &Expr, scope: &mut Scope<'_>) -> Result<Number, QuestionError> {
    let number = Number::read(expr, scope, 0)?;
    if number.reads_a_column() {
        Ok(number)
    } else {
        Err(QuestionError::NoColumn {
            found: "this statistic",
        })
    }
}

/// A number that is written out.
pub(crate) fn literal(expr: &Expr, scope: &mut Scope<'_>) -> Result<Decimal, QuestionError> {
    let number = Number::read(expr, scope, 0)?;
    number.as_literal().ok_or_else(|| QuestionError::Parameter {
        found: number.canonical(),
        what: "plain number",
        instead: "write its digits, such as 10 or 0.5",
    })
}
