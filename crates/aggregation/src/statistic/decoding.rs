//! From the totals of a cell to its figures, whatever the measure.

use community::Column;

use super::Statistic;
use super::answer::{Figures, Undefined};
use super::column;
use super::declaration::Measure;
use super::distribution;
use super::fixed::{Fixed, Fraction, exact, exact_sum, ten_to};
use super::logistic;
use super::moments::{self, Moments};
use super::regression;
use super::totals::{Totals, TotalsError};

/// The figures of a cell. The outer error is a lie, the inner one a fact about the rows.
pub(super) fn figures(
    statistic: &Statistic,
    totals: &Totals,
) -> Result<Result<Figures, Undefined>, TotalsError> {
    let declaration = &statistic.declaration;
    let (columns, measure) = (&declaration.columns, &declaration.measure);
    if totals.rows == 0 && !matches!(measure, Measure::Count | Measure::Histogram { .. }) {
        return Ok(Err(Undefined::NoRows));
    }
    Ok(Ok(match measure {
        Measure::Count => Figures::Count,
        Measure::Sum { column } => Figures::Sum(sum(columns, *column, totals)),
        Measure::Mean { column } => mean(columns, *column, totals),
        Measure::Moments { column, .. } => {
            Figures::Moments(Box::new(moments(columns, *column, totals)?))
        }
        Measure::Histogram { domain } => distribution::histogram(columns, domain, totals),
        Measure::Quantiles { buckets, levels } => {
            distribution::quantiles(columns, buckets, levels, totals)
        }
        Measure::Extremes { buckets } => distribution::extremes(columns, buckets, totals),
        Measure::Top { domain, count } => distribution::top(columns, domain, *count, totals),
        Measure::Covariance { columns: chosen } => {
            Figures::Covariance(Box::new(regression::covariance(columns, chosen, totals)?))
        }
        Measure::Linear { .. } => {
            let linear = regression::linear(columns, &measure.columns(), totals)?;
            return Ok(linear.map(|linear| Figures::Linear(Box::new(linear))));
        }
        Measure::Logistic { .. } => {
            let step = logistic::decode(declaration, totals);
            return Ok(step.map(|step| Figures::Logistic(Box::new(step))));
        }
    }))
}

/// The sum of a column, of which the first part is the sum of its steps above the lowest value.
fn sum(columns: &[Column], index: u16, totals: &Totals) -> Fixed {
    let range = column::range(columns, index).expect("checked");
    // At most 2^44 rows of less than 2^64 steps.
    let above = i128::try_from(totals.sums[0]).expect("a sum of steps is below 2^108");
    Fixed {
        units: above + i128::from(range.min) * i128::from(totals.rows),
        decimals: range.decimals,
    }
}

fn mean(columns: &[Column], index: u16, totals: &Totals) -> Figures {
    let total = sum(columns, index, totals);
    let mean = exact(total.units) / exact(totals.rows) * ten_to(-i32::from(total.decimals));
    Figures::Mean {
        total,
        mean: Fraction::of(mean),
    }
}

fn moments(columns: &[Column], index: u16, totals: &Totals) -> Result<Moments, TotalsError> {
    let total = sum(columns, index, totals);
    let span = column::span(column::range(columns, index).expect("checked"));
    let sums: Vec<_> = totals.sums.iter().copied().map(exact_sum).collect();
    let moments = moments::decode(total, totals.rows, &sums, &exact_sum(span));
    moments.ok_or_else(|| TotalsError::Impossible {
        column: column::name(columns, index),
    })
}
