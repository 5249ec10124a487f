//! Numbers as files write them.

use question::{Decimal, MAX_DECIMALS};

/// Exponents beyond this are no measurements.
const MAX_EXPONENT: i64 = 400;

/// The number that `text` writes, as `[+-]digits[.digits][e[+-]digits]`, to [`MAX_DECIMALS`] digits after the point.
///
/// Further digits are rounded half away from zero. `None` if it is no such number, or too large for 64 bits at any scale.
pub(crate) fn parse(text: &str) -> Option<Decimal> {
    let number = Decimal {
        integer: rounded(text, MAX_DECIMALS)?,
        decimals: MAX_DECIMALS,
    }
    .trimmed();
    number.scaled_to(0).map(|_| number)
}

/// The number that `text` writes, in units of `10^-decimals`. Rounded once: who rounds what was rounded before makes 0.5 of
/// 0.4999.
pub(crate) fn rounded(text: &str, decimals: u8) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (text, 0),
    };
    let unsigned = mantissa.strip_prefix(['-', '+']).unwrap_or(mantissa);
    let (whole, fraction) = unsigned.split_once('.').unwrap_or((unsigned, ""));
    let digits = [whole.as_bytes(), fraction.as_bytes()].concat();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) || exponent.abs() > MAX_EXPONENT
    {
        return None;
    }
    let zeros = digits.iter().take_while(|&&digit| digit == b'0').count();
    // How many of the significant digits stand before the last place that is kept.
    let kept = whole.len() as i64 - zeros as i64 + exponent + i64::from(decimals);
    let magnitude = round(&digits[zeros..], kept)?;
    Some(if mantissa.starts_with('-') {
        -magnitude
    } else {
        magnitude
    })
}

/// The number that `text` writes, in units of `10^-decimals`, if it is written plainly: a sign, up to 18 digits in all with
/// those that are filled up, and up to [`MAX_DECIMALS`] after the point. Most numbers of most files are, and this takes a
/// fraction of the time of [`parse`], which gives the same for them.
pub(crate) fn plain(text: &str, decimals: u8) -> Option<i64> {
    let bytes = text.as_bytes();
    let (negative, digits) = match bytes.split_first()? {
        (b'-', rest) => (true, rest),
        (b'+', rest) => (false, rest),
        _ => (false, bytes),
    };
    if digits.len() > 18 {
        return None;
    }
    let (mut units, mut count, mut after, mut up) = (0i64, 0u32, None, false);
    for &byte in digits {
        match (byte, after) {
            (b'0'..=b'9', Some(places)) if places >= decimals => {
                // The first digit that is too many says which way to round.
                up |= places == decimals && byte >= b'5';
                after = Some(places + 1);
                count += 1;
            }
            (b'0'..=b'9', _) => {
                units = units * 10 + i64::from(byte - b'0');
                after = after.map(|places| places + 1);
                count += 1;
            }
            (b'.', None) => after = Some(0u8),
            _ => return None,
        }
    }
    let after = after.unwrap_or(0);
    let missing = u32::from(decimals.saturating_sub(after));
    if count == 0 || after > MAX_DECIMALS || count + missing > 18 {
        return None;
    }
    let units = units * 10i64.pow(missing) + i64::from(up);
    Some(if negative { -units } else { units })
}

/// The first `kept` of `digits` as an integer, filled up with zeros or rounded by the digit that follows.
fn round(digits: &[u8], kept: i64) -> Option<i128> {
    let Ok(kept) = usize::try_from(kept) else {
        return Some(0);
    };
    let append = |number: i128, digit: u8| {
        number
            .checked_mul(10)?
            .checked_add(i128::from(digit - b'0'))
    };
    let number = digits
        .iter()
        .take(kept)
        .try_fold(0i128, |number, &digit| append(number, digit))?;
    if number == 0 && digits.len() <= kept {
        return Some(0);
    }
    let filled = (digits.len()..kept).try_fold(number, |number, _| append(number, b'0'))?;
    let up = digits.get(kept).is_some_and(|&digit| digit >= b'5');
    filled.checked_add(i128::from(up))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_files_hold() {
        for (text, integer, decimals) in [
            ("7", 7, 0),
            ("7.0", 7, 0),
            ("-7.50", -75, 1),
            (".5", 5, 1),
            ("5.", 5, 0),
            ("+3", 3, 0),
            ("007", 7, 0),
            ("1e3", 1000, 0),
            ("1.5E-3", 15, 4),
            ("2e-09", 2, 9),
            ("4e-10", 0, 0),
            ("5e-10", 1, 9),
            ("-0.00000000049", 0, 0),
            ("0.30000000000000004", 3, 1),
            // How SAS writes a zero, seen in NHANES.
            ("5.397605346934028e-79", 0, 0),
            ("0e400", 0, 0),
            ("123456789.1234567891", 123456789123456789, 9),
            ("9223372036854775807", i128::from(i64::MAX), 0),
        ] {
            assert_eq!(parse(text), Some(Decimal { integer, decimals }), "{text}");
        }
    }

    #[test]
    fn what_is_written_plainly_is_the_same_either_way() {
        let texts = [
            "7",
            "-7.50",
            "+3",
            ".5",
            "5.",
            "007",
            "0",
            "-0",
            "46.0000001",
            "14.1234567",
            "0.000",
            "123456789012345678",
            "-99999999.9999999999",
            "999999999999999999",
            "",
            "-",
            ".",
            "-.",
            "1e3",
            "1.2.3",
            "NA",
            "٣",
            "--1",
            "1 0",
            "9223372036854775807",
            "0000000000000000000007",
            "1.25",
            "-1.25",
            "1.249999999",
            "0.004999999999",
            "9.995",
            "-0.4",
            "0.5",
            "2.031",
        ];
        let mut plainly = 0;
        for text in texts {
            for decimals in [0, 1, 2, 4, 7, 9] {
                if let Some(units) = plain(text, decimals) {
                    plainly += 1;
                    let parsed = parse(text).expect("a number");
                    assert_eq!(parsed.scaled_to(decimals), Some(units), "{text} {decimals}");
                }
            }
        }
        assert!(plainly > 80, "{plainly}");
        assert_eq!(plain("46.0000001", 7), Some(460_000_001));
        assert_eq!(plain("-1.25", 1), Some(-13), "away from zero");
    }

    #[test]
    fn what_has_many_digits_is_rounded_once() {
        let long = "-121.971308849751949310302734375";
        assert_eq!(rounded(long, 7), Some(-1_219_713_088));
        assert_eq!(rounded("0.44999999999999999", 1), Some(4));
        assert_eq!(rounded("0.45", 1), Some(5));
        assert_eq!(rounded("12e-1", 0), Some(1));
    }

    #[test]
    fn leaves_the_rest_alone() {
        for text in [
            "",
            ".",
            "-",
            "e5",
            "1e",
            "1e5.0",
            "1e999999999999",
            "1e401",
            "NA",
            "inf",
            "NaN",
            "1 000",
            "1,5",
            "0x10",
            "--1",
            "1.2.3",
            "9223372036854775808",
            "1e30",
            "1e300",
            "2020-01-01",
            "٣",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
