//! What SQLite lacks, computed in doubles from the rows that it hands over, as the textbooks define it.

use std::collections::BTreeMap;

use rusqlite::types::Value;

use super::{Near, Said};

/// From rows of arguments, at least one and none of them missing, to what is said of them.
pub type Compute = fn(&[Vec<Value>]) -> Said;

/// Each statistic by the name that SQL calls it, with how many arguments it takes, or -1.
pub const ALL: [(&str, i32, Compute); 17] = [
    ("var_pop", 1, |x| number_or_none(spread(x, 0))),
    ("var_samp", 1, |x| number_or_none(spread(x, 1))),
    ("stddev_pop", 1, |x| {
        number_or_none(spread(x, 0).map(f64::sqrt))
    }),
    ("stddev_samp", 1, |x| {
        number_or_none(spread(x, 1).map(f64::sqrt))
    }),
    ("skewness", 1, |x| number_or_none(standardized(x, 3))),
    ("kurtosis", 1, |x| number_or_none(standardized(x, 4))),
    ("covar_pop", 2, |x| number_or_none(product(x, 0))),
    ("covar_samp", 2, |x| number_or_none(product(x, 1))),
    ("corr", 2, |x| number_or_none(correlation(x))),
    ("median", 2, |x| number_or_none(place(x, |_| 0.5))),
    ("min", 2, |x| number_or_none(place(x, |_| 0.0))),
    ("max", 2, |x| number_or_none(place(x, |_| 1.0))),
    ("quantile", 3, |x| {
        number_or_none(place(x, |row| number(&row[1])))
    }),
    ("histogram", -1, |x| Said::Values(texts(x))),
    ("top", 2, top),
    ("regr", -1, |x| {
        regression(x).map_or(Said::Nothing, Said::Numbers)
    }),
    ("logistic", -1, |x| {
        logistic(x).map_or(Said::Nothing, Said::Numbers)
    }),
];

fn number_or_none(figure: Option<f64>) -> Said {
    figure.map_or(Said::Nothing, Said::Number)
}

fn number(value: &Value) -> f64 {
    match value {
        Value::Integer(number) => *number as f64,
        Value::Real(number) => *number,
        _ => f64::NAN,
    }
}

/// The first argument of each row.
fn texts(rows: &[Vec<Value>]) -> Vec<String> {
    let shown = |row: &Vec<Value>| match &row[0] {
        Value::Text(word) => word.clone(),
        other => number(other).to_string(),
    };
    rows.iter().map(shown).collect()
}

fn numbers(row: &[Value]) -> Vec<f64> {
    row.iter().map(number).collect()
}

/// The mean of a column of arguments.
fn mean(rows: &[Vec<Value>], column: usize) -> f64 {
    let sum: f64 = rows.iter().map(|row| number(&row[column])).sum();
    sum / rows.len() as f64
}

/// The sum of products of the distances from the mean.
fn centred(rows: &[Vec<Value>], of: &[usize]) -> f64 {
    let means: Vec<_> = of.iter().map(|column| mean(rows, *column)).collect();
    let products = rows.iter().map(|row| {
        let distances = of.iter().zip(&means);
        distances
            .map(|(column, mean)| number(&row[*column]) - mean)
            .product::<f64>()
    });
    products.sum()
}

fn spread(rows: &[Vec<Value>], less: usize) -> Option<f64> {
    (rows.len() > less).then(|| centred(rows, &[0, 0]) / (rows.len() - less) as f64)
}

fn product(rows: &[Vec<Value>], less: usize) -> Option<f64> {
    (rows.len() > less).then(|| centred(rows, &[0, 1]) / (rows.len() - less) as f64)
}

fn standardized(rows: &[Vec<Value>], order: usize) -> Option<f64> {
    let variance = spread(rows, 0).filter(|variance| *variance > 0.0)?;
    let moment = centred(rows, &vec![0; order]) / rows.len() as f64;
    Some(moment / variance.powf(order as f64 / 2.0))
}

fn correlation(rows: &[Vec<Value>]) -> Option<f64> {
    let squares = centred(rows, &[0, 0]) * centred(rows, &[1, 1]);
    (squares > 0.0).then(|| centred(rows, &[0, 1]) / squares.sqrt())
}

/// The value of this level's rank.
fn place(rows: &[Vec<Value>], level: fn(&[Value]) -> f64) -> Option<f64> {
    let mut values: Vec<_> = rows.iter().map(|row| number(&row[0])).collect();
    values.sort_by(f64::total_cmp);
    let rank = (level(rows.first()?) * values.len() as f64 - 1e-9).ceil();
    values.get((rank as usize).max(1) - 1).copied()
}

/// TOP(x, how many).
fn top(rows: &[Vec<Value>]) -> Said {
    let mut people = BTreeMap::new();
    for part in texts(rows) {
        *people.entry(part).or_insert(0) += 1;
    }
    Said::Top {
        named: number(&rows[0][1]) as usize,
        people,
    }
}

/// REGR(y, x, …): intercept, slopes and their standard errors by the normal equations about the means; then R².
fn regression(rows: &[Vec<Value>]) -> Option<Vec<Near>> {
    let (count, slopes) = (rows.len() as f64, rows[0].len() - 1);
    let product = |i, j| centred(rows, &[i, j]);
    let squares = |i: usize| rows.iter().map(|row| number(&row[i]).powi(2)).sum::<f64>();
    // Equal values may differ from their mean by a double's last digit.
    let varies = |i| product(i, i) > squares(i) * 1e-12;
    if !(1..=slopes).all(varies) {
        return None;
    }
    let matrix: Vec<Vec<f64>> = (1..=slopes)
        .map(|i| (1..=slopes).map(|j| product(i, j)).collect())
        .collect();
    let inverse = inverse(&matrix)?;
    let with_y: Vec<_> = (1..=slopes).map(|i| product(0, i)).collect();
    let slope = times(&inverse, &with_y);
    let means: Vec<_> = (1..=slopes).map(|i| mean(rows, i)).collect();
    let explained = |x: &[f64]| dot(&slope, x);
    let intercept = mean(rows, 0) - explained(&means);
    let misses = rows.iter().map(|row| {
        let row = numbers(row);
        (row[0] - intercept - explained(&row[1..])).powi(2)
    });
    let missed: f64 = misses.sum();
    let freedom = count - slopes as f64 - 1.0;
    let error = |variance: f64| {
        let error = (missed / freedom * variance).sqrt();
        (freedom > 0.0).then_some(error)
    };
    let of_mean = 1.0 / count + dot(&means, &times(&inverse, &means));
    let mut told = vec![Near::exact(Some(intercept)), Near::exact(error(of_mean))];
    for (index, slope) in slope.iter().enumerate() {
        told.push(Near::exact(Some(*slope)));
        told.push(Near::exact(error(inverse[index][index])));
    }
    told.push(Near::exact(varies(0).then(|| 1.0 - missed / product(0, 0))));
    Some(told)
}

/// LOGISTIC(y, x, …, weights, step): next weights and standard errors; gradient; the upper half of the curvature. All of it
/// without rounding, and how far rounding every person's numbers to the step can take each figure from that.
fn logistic(rows: &[Vec<Value>]) -> Option<Vec<Near>> {
    let size = (rows[0].len() - 1) / 2;
    let first = numbers(&rows[0]);
    let (weights, step) = (&first[size..2 * size], first[2 * size]);
    let mut gradient = vec![0.0; size];
    let mut curvature = vec![vec![0.0; size]; size];
    for row in rows {
        let row = numbers(row);
        let x: Vec<_> = std::iter::once(1.0)
            .chain(row[1..size].iter().copied())
            .collect();
        let chance = 1.0 / (1.0 + (-dot(weights, &x)).exp());
        for i in 0..size {
            gradient[i] += (row[0] - chance) * x[i];
            for j in 0..size {
                curvature[i][j] += chance * (1.0 - chance) * x[i] * x[j];
            }
        }
    }
    let inverse = inverse(&curvature)?;
    let change = times(&inverse, &gradient);
    // Each sum is off by half a step for each row. What follows from them is off by the inverse times that, to first order;
    // twice as much while the curvature is known to half of itself.
    let off = rows.len() as f64 * step / 2.0;
    let reach: Vec<f64> = inverse
        .iter()
        .map(|row| row.iter().map(|entry| entry.abs()).sum::<f64>())
        .collect();
    let is_known = reach.iter().all(|reach| reach * off * size as f64 <= 0.5);
    let about = |value: f64, off: f64| Near {
        value: Some(value),
        off: if is_known { off } else { f64::MAX },
    };
    let changed: f64 = change.iter().map(|change| change.abs()).sum();
    let mut told = Vec::new();
    for i in 0..size {
        told.push(about(
            weights[i] + change[i],
            2.0 * reach[i] * off * (1.0 + changed),
        ));
        let error = inverse[i][i].sqrt();
        told.push(about(error, 2.0 * reach[i].powi(2) * off / error));
    }
    let sum = |value: &f64| Near {
        value: Some(*value),
        off,
    };
    told.extend(gradient.iter().map(sum));
    for (i, row) in curvature.iter().enumerate() {
        told.extend(row[i..].iter().map(sum));
    }
    Some(told)
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

fn times(matrix: &[Vec<f64>], vector: &[f64]) -> Vec<f64> {
    matrix.iter().map(|row| dot(row, vector)).collect()
}

/// By Gauss and Jordan; nothing of a matrix that is singular but for rounding.
fn inverse(matrix: &[Vec<f64>]) -> Option<Vec<Vec<f64>>> {
    let size = matrix.len();
    let mut rows: Vec<Vec<f64>> = matrix
        .iter()
        .enumerate()
        .map(|(i, row)| {
            let unit = (0..size).map(|j| f64::from(u8::from(i == j)));
            row.iter().copied().chain(unit).collect()
        })
        .collect();
    for column in 0..size {
        let largest = |a: &usize, b: &usize| {
            let [a, b] = [a, b].map(|row| rows[*row][column].abs());
            a.total_cmp(&b)
        };
        let pivot = (column..size).max_by(largest)?;
        rows.swap(column, pivot);
        let divisor = rows[column][column];
        if divisor.abs() <= matrix[column][column].abs() * 1e-11 {
            return None;
        }
        let pivot: Vec<_> = rows[column].iter().map(|entry| entry / divisor).collect();
        for (index, row) in rows.iter_mut().enumerate() {
            if index == column {
                row.clone_from(&pivot);
                continue;
            }
            let factor = row[column];
            for (entry, pivot) in row.iter_mut().zip(&pivot) {
                *entry -= factor * pivot;
            }
        }
    }
    Some(rows.into_iter().map(|row| row[size..].to_vec()).collect())
}
