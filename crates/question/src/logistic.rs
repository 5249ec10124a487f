//! LOGISTIC: whether something is so, explained by values; one Newton step from weights that the question states.
//!
//! `LOGISTIC(y, x1, x2, w0, w1, w2, step)`: what reads a column after the first argument is a predictor, what does not is a
//! weight, and one number more than there are weights is the step to which everybody rounds.

use aggregation::statistic::{Measure, finest_decimals};
use community::Range;
use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use crate::condition::Condition;
use crate::decimal::{Decimal, MAX_DECIMALS};
use crate::error::QuestionError;
use crate::number::Number;
use crate::row::Row;
use crate::select::{Scope, describe};
use crate::told::bare;

/// Digits to which everybody rounds where a question does not say, or fewer where predictors are too large for that: as
/// many as figures are told with.
const STEP_DECIMALS: u8 = 6;

/// What is 0 or 1.
const BINARY: Range = Range {
    decimals: 0,
    min: 0,
    max: 1,
};

/// The arguments of the call.
pub(crate) struct Logistic {
    response: Response,
    predictors: Vec<Number>,
    /// Of the intercept, then of each predictor.
    weights: Vec<Decimal>,
    /// Digits to which everybody rounds.
    step_decimals: u8,
}

/// What is explained: SQL that gives 0 or 1.
struct Response {
    canonical: String,
    /// In plain words.
    told: String,
    /// What its column is called.
    name: String,
    local: String,
}

impl Logistic {
    pub(crate) fn read(list: &[&Expr], scope: &mut Scope<'_>) -> Result<Self, QuestionError> {
        let form = "LOGISTIC(y, x1, x2), or LOGISTIC(y, x1, x2, 0, 0, 0) with weights, the intercept's first";
        let [response, rest @ ..] = list else {
            return Err(QuestionError::Arguments { form });
        };
        let response = Response::read(response, scope)?;
        let rest = rest.iter().map(|expr| Number::read(expr, scope, 0));
        let mut predictors = rest.collect::<Result<Vec<_>, _>>()?;
        let count = predictors
            .iter()
            .take_while(|number| number.reads_a_column());
        let written = predictors.split_off(count.count());
        if predictors.is_empty() {
            return Err(QuestionError::Arguments { form });
        }
        let written = written.iter().map(weight);
        let mut weights = written.collect::<Result<Vec<_>, _>>()?;
        let expected = predictors.len() + 1;
        let step = match weights.len().checked_sub(expected) {
            Some(0) => None,
            Some(1) => weights.pop(),
            _ if weights.is_empty() => {
                weights = vec![
                    Decimal {
                        integer: 0,
                        decimals: 0,
                    };
                    expected
                ];
                None
            }
            _ => {
                return Err(QuestionError::Weights {
                    found: weights.len(),
                    expected,
                });
            }
        };
        let step_decimals = match step {
            Some(step) => digits(step)?,
            None => {
                let ranges: Vec<_> = predictors.iter().map(Number::range).collect();
                // Where nothing is coarse enough, the declaration is refused for that.
                finest_decimals(&ranges, STEP_DECIMALS).unwrap_or(0)
            }
        };
        let logistic = Self {
            response,
            predictors,
            weights,
            step_decimals,
        };
        let units = logistic.weights.iter().map(|weight| logistic.units(weight));
        match units
            .zip(&logistic.weights)
            .find(|(units, _)| units.is_none())
        {
            Some((_, weight)) => Err(QuestionError::TooLarge {
                found: weight.to_string(),
            }),
            None => Ok(logistic),
        }
    }

    /// The canonical text of each argument.
    pub(crate) fn canonical(&self) -> Vec<String> {
        let step = Decimal {
            integer: 1,
            decimals: self.step_decimals,
        };
        let predictors = self.predictors.iter().map(Number::canonical);
        let weights = self.weights.iter().chain([&step]).map(Decimal::to_string);
        std::iter::once(self.response.canonical.clone())
            .chain(predictors)
            .chain(weights)
            .collect()
    }

    /// What is explained and by what, in plain words.
    pub(crate) fn told(&self) -> (&str, Vec<String>) {
        let predictors = self.predictors.iter();
        let predictors = predictors.map(|number| bare(&number.canonical()));
        (&self.response.told, predictors.collect())
    }

    /// What is declared of it, in columns of `row`.
    pub(crate) fn measure(&self, row: &mut Row) -> Measure {
        let Response { name, local, .. } = &self.response;
        let response = row.value(name.clone(), BINARY, local.clone());
        let predictors = self.predictors.iter().map(|number| row.number(number));
        let weights = self.weights.iter().map(|weight| self.units(weight));
        Measure::Logistic {
            response,
            predictors: predictors.collect(),
            weights: weights
                .collect::<Option<_>>()
                .expect("reading has checked that they fit"),
            weight_decimals: self.weight_decimals(),
            decimals: self.step_decimals,
        }
    }

    /// Digits of the weight that has most.
    fn weight_decimals(&self) -> u8 {
        let decimals = self.weights.iter().map(|weight| weight.decimals);
        decimals.max().unwrap_or(0)
    }

    /// A weight in units of all weights' last digit.
    fn units(&self, weight: &Decimal) -> Option<i64> {
        weight.scaled_to(self.weight_decimals())
    }
}

impl Response {
    fn read(expr: &Expr, scope: &mut Scope<'_>) -> Result<Self, QuestionError> {
        if is_condition(expr) {
            let condition = Condition::read(expr, scope, 0)?;
            return Ok(Self {
                canonical: condition.canonical(),
                told: condition.told(),
                name: condition.canonical(),
                local: format!("({})", condition.local()),
            });
        }
        let number = match Number::read(expr, scope, 0) {
            Err(QuestionError::NotANumber { found }) => {
                return Err(QuestionError::NotBinary { found });
            }
            number => number?,
        };
        if !number.reads_a_column() {
            return Err(QuestionError::NoColumn {
                found: "what LOGISTIC explains",
            });
        }
        if number.range() != BINARY {
            return Err(QuestionError::NotBinary {
                found: describe(expr),
            });
        }
        let canonical = number.canonical();
        Ok(Self {
            name: number.column_name().unwrap_or(&canonical).to_owned(),
            told: format!("{} is 1", bare(&canonical)),
            canonical,
            local: number.local(),
        })
    }
}

/// Whether it can only be meant as a condition.
fn is_condition(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => is_condition(inner),
        Expr::BinaryOp { op, .. } => !matches!(
            op,
            BinaryOperator::Plus
                | BinaryOperator::Minus
                | BinaryOperator::Multiply
                | BinaryOperator::Divide
        ),
        Expr::UnaryOp { op, .. } => *op == UnaryOperator::Not,
        Expr::Between { .. } | Expr::InList { .. } | Expr::IsNull(_) | Expr::IsNotNull(_) => true,
        _ => false,
    }
}

fn weight(number: &Number) -> Result<Decimal, QuestionError> {
    number.as_literal().ok_or_else(|| QuestionError::Parameter {
        found: number.canonical(),
        what: "weight",
        instead: "name all predictors first, then write the weights in digits, as in LOGISTIC(y, x1, x2, 0, 0.5, -0.25)",
    })
}

/// The digits of a power of ten that everybody rounds to.
fn digits(step: Decimal) -> Result<u8, QuestionError> {
    if step.integer == 1 && step.decimals <= MAX_DECIMALS {
        Ok(step.decimals)
    } else {
        Err(QuestionError::Parameter {
            found: step.to_string(),
            what: "step of rounding",
            instead: "after the weights write a power of ten from 1 to 0.000000001, such as 0.000001, or leave it out",
        })
    }
}
