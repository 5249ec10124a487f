//! How a number is written at an axis.

use super::Ticks;

/// From here on, digits are hard to count.
const LARGE: f64 = 1e7;
/// Below this, zeros are.
const SMALL: f64 = 1e-4;

/// Kept with its number; in XML, and in every font.
const NO_BREAK_SPACE: char = '\u{a0}';
/// Between groups of three digits.
const THIN_SPACE: char = '\u{2009}';

/// The ticks of one axis. Either all of them are powers of ten, or none.
pub fn written(ticks: &[f64], kind: Ticks) -> Vec<String> {
    let far = |tick: &f64| *tick != 0.0 && !(SMALL..LARGE).contains(&tick.abs());
    let powers = match kind {
        Ticks::Binary => false,
        Ticks::Plain | Ticks::Percent | Ticks::Hours => ticks.iter().any(far),
    };
    let one = |tick: &f64| match kind {
        Ticks::Plain => plain(*tick, powers),
        Ticks::Percent => format!("{}{NO_BREAK_SPACE}%", plain(*tick, powers)),
        Ticks::Binary => binary(*tick),
        Ticks::Hours => hours(*tick, powers),
    };
    ticks.iter().map(one).collect()
}

/// 12, −0.5, 10 000; or 1, 10, 10², 2·10².
fn plain(number: f64, powers: bool) -> String {
    if !powers || [0.0, 1.0, 10.0].contains(&number.abs()) {
        return grouped(&format!("{number}"));
    }
    let text = format!("{number:e}");
    let (digits, exponent) = text.split_once('e').expect("the form has an exponent");
    let power = format!("10{}", raised(exponent));
    match digits {
        "1" => power,
        "-1" => format!("−{power}"),
        _ => format!("{}·{power}", digits.replace('-', "−")),
    }
}

/// Thin spaces between thousands from five digits on, and a real minus.
fn grouped(text: &str) -> String {
    let (sign, text) = match text.strip_prefix('-') {
        Some("0") => ("", "0"),
        Some(text) => ("−", text),
        None => ("", text),
    };
    let whole = text.find('.').unwrap_or(text.len());
    let mut out = sign.to_owned();
    for (place, digit) in text.chars().enumerate() {
        if whole >= 5 && (1..whole).contains(&place) && (whole - place).is_multiple_of(3) {
            out.push(THIN_SPACE);
        }
        out.push(digit);
    }
    out
}

/// 0.5, 8, 512, 1K, 32K, 1M; further out 2⁻⁵ and 3·2⁶⁰.
fn binary(number: f64) -> String {
    let far = number.is_normal() && !(0.125..2f64.powi(50)).contains(&number.abs());
    if far {
        let bits = number.abs().to_bits();
        let mantissa = bits & ((1 << 52) - 1) | 1 << 52;
        let factor = mantissa >> mantissa.trailing_zeros();
        let exponent = (bits >> 52) as i64 - 1075 + i64::from(mantissa.trailing_zeros());
        let sign = if number < 0.0 { "−" } else { "" };
        let power = format!("2{}", raised(&exponent.to_string()));
        return match factor {
            1 => format!("{sign}{power}"),
            2..1000 => format!("{sign}{factor}·{power}"),
            _ => plain(number, true),
        };
    }
    let units = [(40, "T"), (30, "G"), (20, "M"), (10, "K")];
    let unit = units
        .iter()
        .find(|(bits, _)| number.abs() >= 2f64.powi(*bits));
    unit.map_or_else(
        || plain(number, false),
        |(bits, name)| format!("{}{name}", plain(number / 2f64.powi(*bits), false)),
    )
}

/// 10 min, 1 h, 36 h, 5 d.
fn hours(number: f64, powers: bool) -> String {
    let (number, unit) = if number == 0.0 {
        return "0".to_owned();
    } else if !powers && number % 24.0 == 0.0 {
        (number / 24.0, "d")
    } else if !powers
        && number.abs() < 1.0
        && (number * 60.0 - (number * 60.0).round()).abs() < 1e-9
    {
        ((number * 60.0).round(), "min")
    } else {
        (number, "h")
    };
    format!("{}{NO_BREAK_SPACE}{unit}", plain(number, powers))
}

/// "-6" as ⁻⁶.
fn raised(number: &str) -> String {
    let digits = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let one = |c: char| c.to_digit(10).map_or('⁻', |digit| digits[digit as usize]);
    number.chars().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(ticks: &[f64], kind: Ticks) -> String {
        let text = written(ticks, kind).join(" | ");
        text.replace([THIN_SPACE, NO_BREAK_SPACE], "_")
    }

    #[test]
    fn plain_numbers() {
        let ticks = [
            -1234.5,
            -0.0,
            0.001,
            0.5,
            12.0,
            1000.0,
            10_000.0,
            1_234_567.25,
        ];
        let text = "−1234.5 | 0 | 0.001 | 0.5 | 12 | 1000 | 10_000 | 1_234_567.25";
        assert_eq!(all(&ticks, Ticks::Plain), text);
    }

    #[test]
    fn one_far_number_makes_all_of_them_powers() {
        let ticks = [-1e8, -1e-9, 0.0, 0.001, 1.0, 10.0, 100.0, 2.5e7];
        let text = "−10⁸ | −10⁻⁹ | 0 | 10⁻³ | 1 | 10 | 10² | 2.5·10⁷";
        assert_eq!(all(&ticks, Ticks::Plain), text);
        assert_eq!(all(&[1e-300, 1e300], Ticks::Plain), "10⁻³⁰⁰ | 10³⁰⁰");
    }

    #[test]
    fn percent() {
        assert_eq!(
            all(&[0.001, 1.0, 10.0], Ticks::Percent),
            "0.001_% | 1_% | 10_%"
        );
        assert_eq!(all(&[1e-6, 1.0], Ticks::Percent), "10⁻⁶_% | 1_%");
    }

    #[test]
    fn binary_units() {
        let ticks = [0.0, 0.5, 8.0, 512.0, 1024.0, 1536.0, 32768.0, 1048576.0];
        let text = "0 | 0.5 | 8 | 512 | 1K | 1.5K | 32K | 1M";
        assert_eq!(all(&ticks, Ticks::Binary), text);
        let far = [2f64.powi(-5), 2f64.powi(60), -(2f64.powi(60))];
        assert_eq!(all(&far, Ticks::Binary), "2⁻⁵ | 2⁶⁰ | −2⁶⁰");
    }

    #[test]
    fn hours_minutes_and_days() {
        let ticks = [0.0, 1.0 / 60.0, 0.5, 1.0, 1.5, 12.0, 24.0, 36.0, 120.0];
        let text = "0 | 1_min | 30_min | 1_h | 1.5_h | 12_h | 1_d | 36_h | 5_d";
        assert_eq!(all(&ticks, Ticks::Hours), text);
        assert_eq!(all(&[1e-6, 1.0], Ticks::Hours), "10⁻⁶_h | 1_h");
    }
}
