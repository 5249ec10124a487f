//! Fixed-point numbers: exact, because people compare them with their own sums.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Most digits after the point that a column, a literal or a result may have.
pub const MAX_DECIMALS: u8 = 9;

/// The number `integer × 10^-decimals`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Decimal {
    /// The number in units of its last digit.
    pub integer: i128,
    /// Digits after the point, 0 to [`MAX_DECIMALS`].
    pub decimals: u8,
}

/// Why a text is not a [`Decimal`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecimalError {
    /// Something other than a sign, digits, a point and an exponent.
    #[error("not a number")]
    Malformed,
    /// More than [`MAX_DECIMALS`] digits after the point.
    #[error("more than {MAX_DECIMALS} digits after the point")]
    TooPrecise,
    /// Beyond 64 bits in units of its last digit.
    #[error("too large for 64-bit fixed point")]
    TooLarge,
}

impl Decimal {
    /// The same number with its trailing zeros after the point removed.
    pub fn trimmed(mut self) -> Self {
        while self.decimals > 0 && self.integer % 10 == 0 {
            self.integer /= 10;
            self.decimals -= 1;
        }
        self
    }

    /// The closest double: for plots and rough comparisons only.
    pub fn as_f64(self) -> f64 {
        self.integer as f64 / power_of_ten(self.decimals) as f64
    }

    /// The number in units of `10^-decimals`, rounded half away from zero when it has more digits; `None` beyond 64 bits.
    pub fn scaled_to(self, decimals: u8) -> Option<i64> {
        let scaled = if decimals >= self.decimals {
            let factor = 10i128.checked_pow(u32::from(decimals - self.decimals))?;
            self.integer.checked_mul(factor)?
        } else {
            let unit = 10i128.checked_pow(u32::from(self.decimals - decimals))?;
            let (quotient, rest) = (self.integer / unit, self.integer % unit);
            let away = i128::from(rest.unsigned_abs() * 2 >= unit.unsigned_abs());
            quotient + away * rest.signum()
        };
        i64::try_from(scaled).ok()
    }
}

/// 10 to the power of `decimals`, which is at most 18.
pub(crate) fn power_of_ten(decimals: u8) -> i128 {
    10i128.pow(u32::from(decimals))
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.integer < 0 { "-" } else { "" };
        let unit = power_of_ten(self.decimals).unsigned_abs();
        let (whole, rest) = (
            self.integer.unsigned_abs() / unit,
            self.integer.unsigned_abs() % unit,
        );
        match self.decimals {
            0 => write!(f, "{sign}{whole}"),
            digits => write!(
                f,
                "{sign}{whole}.{rest:0width$}",
                width = usize::from(digits)
            ),
        }
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads `[+-]digits[.digits]` or `[+-].digits`, without exponent, and trims trailing zeros.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (negative, digits) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            _ => (false, text),
        };
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
        if whole.is_empty() && fraction.is_empty() {
            return Err(DecimalError::Malformed);
        }
        if !whole
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit())
        {
            return Err(DecimalError::Malformed);
        }
        let fraction = fraction.trim_end_matches('0');
        if fraction.len() > usize::from(MAX_DECIMALS) {
            return Err(DecimalError::TooPrecise);
        }
        let magnitude = whole
            .bytes()
            .chain(fraction.bytes())
            .try_fold(0i64, |number, digit| {
                number.checked_mul(10)?.checked_add(i64::from(digit - b'0'))
            });
        let magnitude = i128::from(magnitude.ok_or(DecimalError::TooLarge)?);
        let decimals = u8::try_from(fraction.len()).map_err(|_| DecimalError::TooPrecise)?;
        Ok(Self {
            integer: if negative { -magnitude } else { magnitude },
            decimals,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn decimal(integer: i128, decimals: u8) -> Decimal {
        Decimal { integer, decimals }
    }

    #[test]
    fn reads_what_people_write() {
        for (text, integer, decimals) in [
            ("7", 7, 0),
            ("-7.50", -75, 1),
            ("+.5", 5, 1),
            ("5.", 5, 0),
            ("0.000000001", 1, 9),
            ("1.000000000000", 1, 0),
            ("9223372036854775807", i128::from(i64::MAX), 0),
        ] {
            assert_eq!(text.parse(), Ok(decimal(integer, decimals)), "{text}");
        }
    }

    #[test]
    fn refuses_the_rest() {
        for text in [
            "", "-", ".", "1e5", "1 ", "0x1", "--1", "1.2.3", "١", "1_000", "+-1",
        ] {
            assert_eq!(
                text.parse::<Decimal>(),
                Err(DecimalError::Malformed),
                "{text}"
            );
        }
        assert_eq!(
            "0.0000000001".parse::<Decimal>(),
            Err(DecimalError::TooPrecise)
        );
        assert_eq!(
            "9223372036854775808".parse::<Decimal>(),
            Err(DecimalError::TooLarge)
        );
    }

    #[test]
    fn rounds_half_away_from_zero() {
        for (integer, decimals, to, expected) in [
            (125, 2, 1, 13),
            (-125, 2, 1, -13),
            (124, 2, 1, 12),
            (-4, 1, 0, 0),
            (3, 0, 2, 300),
        ] {
            assert_eq!(decimal(integer, decimals).scaled_to(to), Some(expected));
        }
        assert_eq!(decimal(i128::from(i64::MAX), 0).scaled_to(1), None);
        assert_eq!(decimal(i128::MAX, 0).scaled_to(9), None);
    }

    proptest! {
        #[test]
        fn text_round_trips(integer in -i64::MAX..=i64::MAX, decimals in 0..=MAX_DECIMALS) {
            let number = decimal(i128::from(integer), decimals);
            prop_assert_eq!(number.to_string().parse(), Ok(number.trimmed()));
        }
    }
}
