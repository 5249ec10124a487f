//! Finding names, and guessing what was meant when there is none.

/// Longer names are not compared for likeness: nobody mistypes them, and a peer must not make us work.
const MAX_COMPARED: usize = 64;

/// Most characters of a text that an error shows (a guess: enough to recognise one's own words).
const MAX_SHOWN: usize = 80;

/// The end of an error text: the guess, or else what to do.
pub(crate) fn hint(suggestion: Option<&str>, otherwise: &str) -> String {
    match suggestion {
        Some(name) => format!("; did you mean \"{name}\"?"),
        None => format!("; {otherwise}"),
    }
}

/// A text as an error shows it, whoever wrote it: on one line, not too long, and with nothing that a terminal obeys.
pub(crate) fn shown(text: &str) -> String {
    let mut shown = String::new();
    for (place, letter) in text.chars().enumerate() {
        if place == MAX_SHOWN {
            shown.push('…');
            break;
        }
        match letter {
            '"' | '\'' | '\\' => shown.push(letter),
            other => shown.extend(other.escape_debug()),
        }
    }
    shown
}

/// "a, b and c", with that last word.
pub(crate) fn joined(items: &[String], last: &str) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
    }
}

/// The one of `items` that is called `name`: exactly, or else alone in differing by ASCII case only.
pub(crate) fn find<'a, T>(
    items: &'a [T],
    name: &str,
    name_of: impl Fn(&T) -> &str,
) -> Option<&'a T> {
    if let Some(item) = items.iter().find(|item| name_of(item) == name) {
        return Some(item);
    }
    let mut alike = items
        .iter()
        .filter(|item| name_of(item).eq_ignore_ascii_case(name));
    alike.next().filter(|_| alike.next().is_none())
}

/// The name most like `name`, if one is close enough to be a slip of the pen: at most one edit
/// in three letters.
pub(crate) fn closest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<String> {
    if name.chars().count() > MAX_COMPARED {
        return None;
    }
    let limit = name.chars().count() / 3;
    candidates
        .filter(|candidate| candidate.chars().count() <= MAX_COMPARED)
        .map(|candidate| {
            (
                edits(&name.to_lowercase(), &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(edits, _)| *edits <= limit)
        .min()
        .map(|(_, candidate)| candidate.to_string())
}

/// Levenshtein's distance: how many letters to insert, delete or replace.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

/// `name` as a quoted SQL identifier: whatever it holds, it is a name and nothing more.
pub fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// `word` as a SQL string literal.
pub(crate) fn literal(word: &str) -> String {
    format!("'{}'", word.replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_edits() {
        // The usual textbook pairs.
        assert_eq!(edits("kitten", "sitting"), 3);
        assert_eq!(edits("flaw", "lawn"), 2);
        assert_eq!(edits("", "abc"), 3);
        assert_eq!(edits("abc", ""), 3);
        assert_eq!(edits("same", "same"), 0);
    }

    #[test]
    fn guesses_slips_only() {
        let names = || ["sleep_hours", "age", "bmi"].into_iter();
        assert_eq!(
            closest("sleep_hour", names()).as_deref(),
            Some("sleep_hours")
        );
        assert_eq!(closest("AGES", names()).as_deref(), Some("age"));
        assert_eq!(closest("income", names()), None);
        assert_eq!(closest(&"a".repeat(65), names()), None);
    }

    #[test]
    fn shows_texts_on_one_short_line() {
        assert_eq!(shown("Zoë's \"café\" \\"), "Zoë's \"café\" \\");
        assert_eq!(shown("a\nb\u{1b}[2J\u{202e}c"), "a\\nb\\u{1b}[2J\\u{202e}c");
        let long = shown(&"x".repeat(5000));
        assert_eq!(long.chars().count(), MAX_SHOWN + 1);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn prefers_the_exact_name_and_never_guesses_between_two() {
        let names = ["Age", "AGE", "Bmi"];
        assert_eq!(find(&names, "AGE", |name| name), Some(&"AGE"));
        assert_eq!(find(&names, "age", |name| name), None);
        assert_eq!(find(&names, "BMI", |name| name), Some(&"Bmi"));
    }
}
