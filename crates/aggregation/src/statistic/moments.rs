//! Mean, variance and higher central moments, from power sums.
//!
//! With S_k the sum of k-th powers of the n values less any constant, and m their mean less it, the central moments are
//! μ_2 = S_2/n − m², μ_3 = S_3/n − 3 m S_2/n + 2 m³ and μ_4 = S_4/n − 4 m S_3/n + 6 m² S_2/n − 3 m⁴ (the binomial
//! theorem). In doubles these differences cancel; in fractions they are exact.

use num_rational::BigRational;
use num_traits::{Signed as _, Zero as _};

use super::fixed::{Fixed, Fraction, as_f64, exact, root, ten_to};

/// The moments of one column, in its units and their powers.
#[derive(Debug, Clone, PartialEq)]
pub struct Moments {
    /// The sum.
    pub total: Fixed,
    /// The mean.
    pub mean: Fraction,
    /// The second central moment: mean squared distance from the mean.
    pub variance: Fraction,
    /// Its root.
    pub standard_deviation: f64,
    /// The unbiased estimate of a larger population's variance, over n − 1; of at least two rows.
    pub sample_variance: Option<Fraction>,
    /// Its root.
    pub sample_standard_deviation: Option<f64>,
    /// The third central moment, if declared.
    pub third: Option<Fraction>,
    /// It, over the cube of the standard deviation; not of a constant.
    pub skewness: Option<f64>,
    /// The fourth central moment, if declared.
    pub fourth: Option<Fraction>,
    /// It, over the square of the variance (3 for a normal distribution); not of a constant.
    pub kurtosis: Option<f64>,
}

/// From the sum, and power sums of steps above the lowest value of which there are `span`. `None` when no rows have them.
pub(super) fn decode(
    total: Fixed,
    rows: u64,
    sums: &[BigRational],
    span: &BigRational,
) -> Option<Moments> {
    // Of integers that are not negative each power is at least the one before, and at most it times the span.
    let grows = |pair: &[BigRational]| pair[1] >= pair[0] && pair[1] <= &pair[0] * span;
    if !sums.windows(2).all(grows) {
        return None;
    }
    let n = exact(rows);
    let raw: Vec<BigRational> = sums.iter().map(|sum| sum / &n).collect();
    let central = central(&raw);
    if !are_possible(&central) {
        return None;
    }
    let unit = |order: i32| ten_to(-i32::from(total.decimals) * order);
    let in_units = |order: usize| Some(central.get(order - 2)? * unit(order as i32));
    let (variance, third, fourth) = (in_units(2)?, in_units(3), in_units(4));
    let sample = (rows > 1).then(|| &variance * &n / exact(rows - 1));
    let deviation = root(&variance);
    let varies = variance.is_positive();
    let skewness = third.as_ref().filter(|_| varies);
    let kurtosis = fourth.as_ref().filter(|_| varies);
    Some(Moments {
        total,
        mean: Fraction::of(exact(total.units) * unit(1) / &n),
        standard_deviation: deviation,
        sample_standard_deviation: sample.as_ref().map(root),
        sample_variance: sample.map(Fraction::of),
        skewness: skewness.map(|third| as_f64(&(third / &variance)) / deviation),
        kurtosis: kurtosis.map(|fourth| as_f64(&(fourth / (&variance * &variance)))),
        third: third.map(Fraction::of),
        fourth: fourth.map(Fraction::of),
        variance: Fraction::of(variance),
    })
}

/// The central moments of order 2 and more, from raw ones of order 1 and more.
fn central(raw: &[BigRational]) -> Vec<BigRational> {
    let mean = &raw[0];
    let square = mean * mean;
    let cube = &square * mean;
    let mut central = Vec::with_capacity(3);
    if let Some(second) = raw.get(1) {
        central.push(second - &square);
    }
    if let Some(third) = raw.get(2) {
        central.push(third - exact(3) * mean * &raw[1] + exact(2) * &cube);
    }
    if let Some(fourth) = raw.get(3) {
        central.push(
            fourth - exact(4) * mean * &raw[2] + exact(6) * &square * &raw[1]
                - exact(3) * &cube * mean,
        );
    }
    central
}

/// Whether any distribution has these central moments: μ_2 >= 0, μ_3 = 0 if μ_2 is, and μ_2 μ_4 >= μ_3² + μ_2³ (the
/// Hankel matrix of moments is positive semidefinite).
fn are_possible(central: &[BigRational]) -> bool {
    let Some(second) = central.first().filter(|second| !second.is_negative()) else {
        return false;
    };
    let zero = BigRational::zero();
    let third = central.get(1).unwrap_or(&zero);
    let Some(fourth) = central.get(2) else {
        return second.is_positive() || third.is_zero();
    };
    let needed = third * third + second * second * second;
    second * fourth >= needed && (second.is_positive() || fourth.is_zero())
}
