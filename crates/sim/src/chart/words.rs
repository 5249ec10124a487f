//! How wide text is, and where it breaks.
//!
//! The reader's fonts are unknown, so widths are those of a wide sans-serif: what fits here fits everywhere.

/// Wider than any sheet, and far from the end of what is calculated with.
const WIDEST: i64 = 1_000_000;

/// Width of `text` in the unit of `size`, which is the font's.
pub fn width(text: &str, size: i32) -> i32 {
    let thousandths: i64 = text.chars().map(advance).sum();
    (thousandths * i64::from(size) / 1000).min(WIDEST) as i32
}

/// In thousandths of the size.
fn advance(letter: char) -> i64 {
    match letter {
        'i' | 'j' | 'l' | '.' | ',' | ':' | ';' | '|' | '\'' | '\u{2009}' => 300,
        ' ' | '\u{a0}' | 'f' | 't' | 'r' | '(' | ')' | '-' | '⁻' => 400,
        '⁰' | '¹' | '²' | '³' | '⁴'..='⁹' => 420,
        'm' | 'w' | 'M' | 'W' | '%' | '@' | '—' | '…' => 980,
        'A'..='Z' => 720,
        '\u{1100}'.. => 1000,
        _ => 640,
    }
}

/// The text in lines that are no wider than `room`, broken at spaces, and within a word that is too long for a line.
pub fn lines(text: &str, size: i32, room: i32) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let longer = format!("{line}{}{word}", if line.is_empty() { "" } else { " " });
        if width(&longer, size) <= room {
            line = longer;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for letter in word.chars() {
            line.push(letter);
            if width(&line, size) > room && line.chars().count() > 1 {
                line.pop();
                lines.push(std::mem::replace(&mut line, letter.to_string()));
            }
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    lines
}

/// Without the characters that XML cannot hold, whatever is escaped.
pub fn clean(text: &str) -> String {
    let held = |c: char| {
        if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') {
            ' '
        } else {
            c
        }
    };
    text.chars().map(held).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn breaks_at_spaces_then_anywhere() {
        assert_eq!(lines("two  words", 100, 600), ["two words"]);
        assert_eq!(lines("two words", 100, 330), ["two", "words"]);
        assert_eq!(lines("aaaaaaa b", 100, 200), ["aaa", "aaa", "a b"]);
        assert_eq!(lines("a", 100, 1), ["a"]);
        assert_eq!(lines("", 100, 1), [""; 0]);
    }

    #[test]
    fn more_text_than_any_sheet_holds() {
        let text = "m".repeat(100_000);
        assert_eq!(i64::from(width(&text, 120)), WIDEST);
    }

    #[test]
    fn nothing_that_xml_refuses() {
        assert_eq!(clean("a\0b\tc\u{ffff}<"), "a b c <");
    }

    proptest! {
        #[test]
        fn lines_keep_every_letter_and_their_width(text: String, room in 200i32..3000) {
            let lines = lines(&text, 120, room);
            let letters = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
            prop_assert!(lines.iter().all(|line| width(line, 120) <= room));
        }
    }
}
