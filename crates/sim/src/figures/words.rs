//! How numbers are written under a title.

use overlay::Form;

use super::options::{Dht, Options};

/// 100 000.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// 10K, 1M; otherwise grouped.
pub fn short(number: u64) -> String {
    match number {
        1_000_000.. if number.is_multiple_of(1_000_000) => format!("{}M", number / 1_000_000),
        1000.. if number.is_multiple_of(1000) => format!("{}K", number / 1000),
        _ => grouped(number),
    }
}

/// 10⁻⁶.
pub fn power(number: f64) -> String {
    let text = format!("{number:e}");
    let Some(exponent) = text.strip_prefix("1e") else {
        return text;
    };
    let raised = exponent.chars().map(|character| match character {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32('⁰' as u32 + digit as u32 - '0' as u32).unwrap_or(digit),
    });
    format!("10{}", raised.collect::<String>())
}

pub fn percent(percent: f64) -> String {
    format!("{percent} %")
}

pub fn dht(options: &Options) -> String {
    match options.dht {
        Dht::Chord => "Chord".into(),
        Dht::Can { dimensions } => format!("CAN in {dimensions} dimensions"),
    }
}

pub fn form(form: Form) -> &'static str {
    match form {
        Form::Paper => "k-table of the paper",
        Form::Sound => "sound k-table",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_legible() {
        assert_eq!(grouped(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!((grouped(0), grouped(999)), ("0".into(), "999".into()));
        assert_eq!(
            [short(10_000), short(10_000_000), short(512)],
            ["10K", "10M", "512"]
        );
        assert_eq!(
            [power(1e-6), power(1e-10), power(2e-6)],
            ["10⁻⁶", "10⁻¹⁰", "2e-6"]
        );
    }
}
