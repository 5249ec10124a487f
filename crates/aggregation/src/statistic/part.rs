//! Which numbers of a row are added up, and how large each can be.

use community::Column;

use super::column;
use super::declaration::{Declaration, LEVEL_ONE, LEVELS_MAX, Measure, ORDER_MAX, PREDICTORS_MAX};
use super::logistic;
use super::refusal::DeclarationError;
use super::row::Row;

/// A number of a row that is added up.
pub(super) struct Part {
    /// The most that one row can have.
    pub(super) limit: u128,
    /// The columns that it is of, for people.
    pub(super) column: String,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A column's steps above its lowest value.
    Column,
    /// The product of the parts of these indices.
    Product(usize, usize),
    /// None of both: a step of a logistic regression is rounded.
    Rounded,
}

/// What each part is, in order, of a checked measure.
pub(super) fn origins(declaration: &Declaration) -> Vec<Origin> {
    let measure = &declaration.measure;
    let columns = vec![Origin::Column; measure.columns().len()];
    let products: Vec<_> = match measure {
        Measure::Moments { order, .. } => (1..usize::from(*order)).map(|k| (k - 1, 0)).collect(),
        Measure::Covariance { .. } | Measure::Linear { .. } => pairs(columns.len()).collect(),
        Measure::Logistic { .. } => {
            let parts = parts(declaration).expect("the declaration was checked");
            return vec![Origin::Rounded; parts.len()];
        }
        _ => Vec::new(),
    };
    let products = products.into_iter().map(|(i, j)| Origin::Product(i, j));
    columns.into_iter().chain(products).collect()
}

/// The parts of every row, in order. Checks the measure.
pub(super) fn parts(declaration: &Declaration) -> Result<Vec<Part>, DeclarationError> {
    let columns = &declaration.columns;
    match &declaration.measure {
        Measure::Count | Measure::Histogram { .. } | Measure::Extremes { .. } => Ok(Vec::new()),
        Measure::Quantiles { levels, .. } => {
            let sound = (1..=LEVELS_MAX).contains(&levels.len())
                && levels.iter().all(|&level| level <= LEVEL_ONE);
            sound.then(Vec::new).ok_or(DeclarationError::Levels)
        }
        Measure::Top { count, .. } => (*count > 0)
            .then(Vec::new)
            .ok_or(DeclarationError::EmptyTop),
        Measure::Sum { column } | Measure::Mean { column } => powers(columns, *column, 1),
        Measure::Moments { column, order } => {
            column::range(columns, *column)?;
            if !(2..=ORDER_MAX).contains(order) {
                return Err(DeclarationError::Order {
                    column: column::name(columns, *column),
                    order: *order,
                });
            }
            powers(columns, *column, (*order).into())
        }
        Measure::Covariance { columns: chosen } => {
            check_number(chosen, 2, PREDICTORS_MAX + 1)?;
            products(columns, chosen)
        }
        Measure::Linear { predictors, .. } => {
            check_number(predictors, 1, PREDICTORS_MAX)?;
            let chosen = declaration.measure.columns();
            check_number(&chosen, 2, PREDICTORS_MAX + 1)?;
            products(columns, &chosen)
        }
        Measure::Logistic {
            response,
            predictors,
            weights,
            weight_decimals,
            decimals,
        } => {
            check_number(predictors, 1, PREDICTORS_MAX)?;
            check_number(&declaration.measure.columns(), 2, PREDICTORS_MAX + 1)?;
            logistic::check(columns, *response, weights.len(), predictors.len())?;
            logistic::check_decimals(*weight_decimals)?;
            logistic::check_decimals(*decimals)?;
            logistic::parts(columns, predictors, *decimals)
        }
    }
}

/// The parts of this row.
pub(super) fn values(row: &Row<'_>) -> Vec<u128> {
    let measure = &row.declaration.measure;
    match measure {
        Measure::Sum { column } | Measure::Mean { column } => vec![row.steps(*column)],
        Measure::Moments { column, order } => {
            let steps = row.steps(*column);
            (1..=u32::from(*order)).map(|k| steps.pow(k)).collect()
        }
        Measure::Covariance { .. } | Measure::Linear { .. } => {
            let steps: Vec<u128> = measure
                .columns()
                .into_iter()
                .map(|column| row.steps(column))
                .collect();
            let pairs = pairs(steps.len()).map(|(i, j)| steps[i] * steps[j]);
            steps.iter().copied().chain(pairs).collect()
        }
        Measure::Logistic { .. } => logistic::values(row),
        _ => Vec::new(),
    }
}

/// The pairs (i, j) with i <= j < n, in the order of the vector.
pub(super) fn pairs(n: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..n).flat_map(move |i| (i..n).map(move |j| (i, j)))
}

fn powers(columns: &[Column], column: u16, order: u32) -> Result<Vec<Part>, DeclarationError> {
    let span = column::span(column::range(columns, column)?);
    let name = column::name(columns, column);
    (1..=order)
        .map(|k| {
            let limit = span.checked_pow(k).ok_or(DeclarationError::Overflow {
                column: name.clone(),
            })?;
            Ok(Part {
                limit,
                column: name.clone(),
            })
        })
        .collect()
}

fn products(columns: &[Column], chosen: &[u16]) -> Result<Vec<Part>, DeclarationError> {
    let spans = chosen
        .iter()
        .map(|&column| Ok(column::span(column::range(columns, column)?)))
        .collect::<Result<Vec<_>, DeclarationError>>()?;
    let singles = spans.iter().zip(chosen).map(|(&limit, &index)| Part {
        limit,
        column: column::name(columns, index),
    });
    // Two spans are below 2^64 each, so that their product fits.
    let doubles = pairs(chosen.len()).map(|(i, j)| Part {
        limit: spans[i] * spans[j],
        column: both(columns, chosen[i], chosen[j]),
    });
    Ok(singles.chain(doubles).collect())
}

/// What a product of two columns is called.
pub(super) fn both(columns: &[Column], i: u16, j: u16) -> String {
    format!(
        "{} · {}",
        column::name(columns, i),
        column::name(columns, j)
    )
}

/// Checks how many columns there are, and that none is there twice.
fn check_number(chosen: &[u16], least: usize, most: usize) -> Result<(), DeclarationError> {
    let sound = (least..=most).contains(&chosen.len());
    if sound && (1..chosen.len()).all(|i| !chosen[..i].contains(&chosen[i])) {
        Ok(())
    } else {
        Err(DeclarationError::Number {
            found: chosen.len(),
            least,
            most,
        })
    }
}
