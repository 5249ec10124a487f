//! Whether an answer says what the clear computation says: exactly where it is exact, up to its last digit where it is
//! rounded, within its range where it is one, and within what the declared step explains elsewhere.

use std::collections::BTreeMap;

use crate::demo::clear::{BETWEEN, Clear, Group, Near, Said};
use crate::report::Report;
use crate::report::shown::{Figure, Row};

/// What doubles may be off, of a number of this size: they round on the way.
const DOUBLES: f64 = 1e-9;

/// Whether both say the same; `None` when nothing was told that could be compared.
pub fn equal(report: &Report, clear: &Clear) -> Option<bool> {
    equal_figures(report.count, &report.figures, &report.groups, clear)
}

/// How equal figures are, in a word.
pub fn how_near(clear: &Clear) -> &'static str {
    let is_rounded =
        |said: &Said| matches!(said, Said::Numbers(all) if all.iter().any(|near| near.off > 0.0));
    let rounded = match clear {
        Clear::Whole(said) => is_rounded(said),
        Clear::Groups(groups) => groups.iter().any(|group| is_rounded(&group.figures)),
    };
    if rounded {
        "equal, to the declared step"
    } else {
        "equal"
    }
}

fn equal_figures(count: u64, figures: &[Figure], groups: &[Row], clear: &Clear) -> Option<bool> {
    match clear {
        Clear::Whole(said) => {
            let withheld = matches!(figures, [only] if is_withheld(only));
            (!withheld).then(|| says(count, figures, said))
        }
        Clear::Groups(clear) => {
            let mut told = groups.iter().filter(|row| row.figures.is_some()).peekable();
            told.peek()?;
            Some(told.all(|row| row_is(row, clear)))
        }
    }
}

fn is_withheld(figure: &Figure) -> bool {
    figure.value.is_none() && figure.exactness.starts_with("withheld")
}

/// A group that is told: it must be there in the clear, with the same figures.
fn row_is(row: &Row, clear: &[Group]) -> bool {
    let group = clear.iter().find(|group| {
        let mut labels = row.labels.iter().zip(&group.labels);
        labels.all(|(told, clear)| labelled(told, clear))
    });
    let (Some(group), Some(figures)) = (group, &row.figures) else {
        return false;
    };
    match (figures.as_slice(), row.people) {
        // A count, which is withheld.
        ([], None) => false,
        (figures, people) => says(people.unwrap_or_default(), figures, &group.figures),
    }
}

/// Whether these figures of so many people are what is said of them in the clear.
fn says(count: u64, figures: &[Figure], said: &Said) -> bool {
    match (said, figures) {
        (Said::Number(clear), []) => is_close(count as f64, *clear, 0.0),
        (Said::Number(clear), [asked, ..]) => is(asked, &Near::exact(Some(*clear))),
        (Said::Nothing, [asked, ..]) => asked.value.is_none(),
        (Said::Numbers(clear), figures) => {
            let mut both = figures.iter().zip(clear);
            figures.len() == clear.len() && both.all(|(told, clear)| is(told, clear))
        }
        (Said::Values(values), figures) => has(figures, values),
        (Said::Top { named, people }, figures) => names_most(figures, *named, people),
        (Said::Nothing, []) => false,
    }
}

/// Whether each part that is told has as many of the values.
fn has(parts: &[Figure], values: &[String]) -> bool {
    parts.iter().all(|part| {
        let within = |value: &&String| match (range(&part.name), value.parse()) {
            (Some(range), Ok(value)) => inside(range, value),
            _ => part.name == **value,
        };
        let count = values.iter().filter(within).count();
        let told = part.value.as_ref();
        told.is_none_or(|told| *told == count.to_string())
    })
}

/// Whether the parts that are told have as many people as they have, at most so many are told, and no other has more.
fn names_most(figures: &[Figure], named: usize, people: &BTreeMap<String, usize>) -> bool {
    // Why fewer are named than were asked for is no figure.
    let figures: Vec<_> = figures.iter().filter(|told| told.value.is_some()).collect();
    let parts = figures.len().min(named.min(people.len()));
    let mut others = people.clone();
    let mut fewest = usize::MAX;
    for told in &figures[..parts] {
        let part = others.iter().find(|(part, _)| labelled(&told.name, part));
        let Some((part, count)) = part.map(|(part, count)| (part.clone(), *count)) else {
            return false;
        };
        if told.value.as_ref() != Some(&count.to_string()) {
            return false;
        }
        others.remove(&part);
        fewest = fewest.min(count);
    }
    // After the parts may stand how many others have as many people as the last, of those that are not withheld.
    let tied = others.values().filter(|count| **count == fewest).count();
    let tied_is_told = match &figures[parts..] {
        [] => true,
        [rest] => rest
            .value
            .as_ref()
            .and_then(|told| told.parse().ok())
            .is_some_and(|told: usize| told <= tied),
        _ => false,
    };
    parts > 0 && tied_is_told && others.values().all(|count| *count <= fewest)
}

/// Whether a figure is this one, or a range that it is in.
fn is(figure: &Figure, clear: &Near) -> bool {
    let Some(value) = clear.value else {
        return figure.value.is_none();
    };
    let Some(told) = figure.value.as_deref() else {
        return false;
    };
    match range(told) {
        Some((low, high)) if low == high => {
            let digits = told.split_once('.').map_or(0, |(_, digits)| digits.len());
            let is_rounded = !matches!(figure.exactness.as_str(), "exact" | "somewhere in here");
            let last = if is_rounded {
                0.5 * 10f64.powi(-(digits as i32))
            } else {
                0.0
            };
            is_close(low, value, last + clear.off)
        }
        Some(range) => inside(range, value),
        None => false,
    }
}

fn is_close(told: f64, clear: f64, off: f64) -> bool {
    (told - clear).abs() <= off + DOUBLES * clear.abs().max(1.0)
}

fn inside((low, high): (f64, f64), value: f64) -> bool {
    (low - DOUBLES..=high + DOUBLES).contains(&value)
}

/// A number, or two.
fn range(text: &str) -> Option<(f64, f64)> {
    let (low, high) = text.split_once(" to ").unwrap_or((text, text));
    Some((low.parse().ok()?, high.parse().ok()?))
}

/// Whether a label is the same word, or a part of the same bucket.
fn labelled(told: &str, clear: &str) -> bool {
    let bucket = clear.split_once(BETWEEN).and_then(|(low, width)| {
        let (low, width): (f64, f64) = (low.parse().ok()?, width.parse().ok()?);
        Some((low, low + width))
    });
    match (bucket, range(told)) {
        (Some((low, end)), Some((told, _))) => (low - DOUBLES..end - DOUBLES).contains(&told),
        _ => told == clear,
    }
}

#[cfg(test)]
mod tests;
