//! Exact numbers: fixed point, and fractions.

use std::fmt;

use num_rational::BigRational;
use num_traits::{Signed as _, ToPrimitive as _};

/// The number `units × 10^-decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fixed {
    /// In units of the last digit.
    pub units: i128,
    /// Digits after the point.
    pub decimals: u8,
}

impl fmt::Display for Fixed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.units < 0 { "-" } else { "" };
        write_digits(
            f,
            sign,
            &self.units.unsigned_abs().to_string(),
            self.decimals,
        )
    }
}

/// An exact fraction in lowest terms, of integers of any size.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fraction(BigRational);

impl Fraction {
    /// The fraction `numerator / denominator`; `None` when the latter is zero.
    pub fn new(numerator: i128, denominator: i128) -> Option<Self> {
        (denominator != 0).then(|| Self(BigRational::new(numerator.into(), denominator.into())))
    }

    pub(super) fn of(exact: BigRational) -> Self {
        Self(exact)
    }

    #[cfg(test)]
    pub(super) fn exact(&self) -> &BigRational {
        &self.0
    }

    /// The nearest double; infinite beyond those.
    pub fn as_f64(&self) -> f64 {
        as_f64(&self.0)
    }

    /// In decimal digits, `digits` of them after the point, rounded half away from zero.
    pub fn rounded(&self, digits: u8) -> String {
        let scaled = (&self.0 * ten_to(digits.into())).round();
        let sign = if scaled.is_negative() { "-" } else { "" };
        let mut text = String::new();
        write_digits(&mut text, sign, &scaled.abs().to_string(), digits)
            .expect("writing to a string cannot fail");
        text
    }
}

impl fmt::Display for Fraction {
    /// As `numerator/denominator`, or as an integer.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

fn write_digits(f: &mut impl fmt::Write, sign: &str, magnitude: &str, decimals: u8) -> fmt::Result {
    let decimals = usize::from(decimals);
    let padded = format!("{magnitude:0>width$}", width = decimals + 1);
    let (whole, rest) = padded.split_at(padded.len() - decimals);
    let point = if rest.is_empty() { "" } else { "." };
    write!(f, "{sign}{whole}{point}{rest}")
}

/// An integer as a fraction.
pub(super) fn exact(integer: impl Into<i128>) -> BigRational {
    BigRational::from_integer(integer.into().into())
}

/// A sum, which is below 2^127.
pub(super) fn exact_sum(sum: u128) -> BigRational {
    BigRational::from_integer(sum.into())
}

/// Ten to the power of `exponent`.
pub(super) fn ten_to(exponent: i32) -> BigRational {
    exact(10).pow(exponent)
}

/// The nearest double; infinite beyond those.
pub(super) fn as_f64(exact: &BigRational) -> f64 {
    exact.to_f64().unwrap_or(f64::NAN)
}

/// The double near the square root of what is not negative.
pub(super) fn root(exact: &BigRational) -> f64 {
    as_f64(exact).sqrt()
}
