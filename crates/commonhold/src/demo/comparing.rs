//! Whether an answer says what the clear computation says.

use crate::demo::clear::{Clear, Group, same};
use crate::report::Report;
use crate::report::shown::{Figure, Row};

/// Between a bucket's lowest value and its width.
const BETWEEN: char = '\u{1f}';

/// Whether both say the same; `None` when nothing was computed to compare with.
pub fn equal(report: &Report, clear: &Clear) -> Option<bool> {
    match clear {
        Clear::NotCompared => None,
        _ if report.figures.iter().any(is_withheld) && report.figures.len() == 1 => None,
        Clear::One(clear) => Some(match (report.figures.first(), clear) {
            (Some(figure), Some(clear)) => is(figure, *clear),
            (Some(figure), None) => figure.value.is_none(),
            (None, Some(clear)) => same(report.count as f64, *clear),
            (None, None) => false,
        }),
        Clear::Groups(clear) if report.groups.is_empty() => {
            Some(clear.iter().all(|clear| has(&report.figures, clear)))
        }
        Clear::Groups(clear) => Some(
            report
                .groups
                .iter()
                .all(|row| row.figures.is_none() || row_is(row, clear)),
        ),
    }
}

fn is_withheld(figure: &Figure) -> bool {
    figure.value.is_none() && figure.exactness.starts_with("withheld")
}

/// A group that is told: it must be there in the clear, with the same figure.
fn row_is(row: &Row, clear: &[Group]) -> bool {
    let group = clear.iter().find(|group| {
        let mut labels = row.labels.iter().zip(&group.labels);
        labels.all(|(told, clear)| labelled(told, clear))
    });
    let (Some(group), Some(figures)) = (group, &row.figures) else {
        return false;
    };
    match (figures.first(), group.figure) {
        (Some(_), None) if !group.values.is_empty() => has(figures, group),
        (Some(figure), Some(clear)) => is(figure, clear),
        (Some(figure), None) => figure.value.is_none(),
        (None, Some(clear)) => row.people.is_some_and(|people| same(people as f64, clear)),
        (None, None) => false,
    }
}

/// Whether each part that is told has as many of the values.
fn has(parts: &[Figure], clear: &Group) -> bool {
    parts.iter().all(|part| {
        let within = |value: &&String| match (range(&part.name), value.parse()) {
            (Some(range), Ok(value)) => inside(range, value),
            _ => part.name == **value,
        };
        let count = clear.values.iter().filter(within).count();
        let told = part.value.as_ref();
        told.is_none_or(|told| *told == count.to_string())
    })
}

/// Whether a figure is this one, or a range that it is in.
fn is(figure: &Figure, clear: f64) -> bool {
    match figure.value.as_deref().and_then(range) {
        Some((low, high)) if low == high => same(low, clear),
        Some(range) => inside(range, clear),
        None => false,
    }
}

fn inside((low, high): (f64, f64), value: f64) -> bool {
    (low - 1e-9..=high + 1e-9).contains(&value)
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
        (Some((low, end)), Some((told, _))) => (low - 1e-9..end - 1e-9).contains(&told),
        _ => told == clear,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn figure(name: &str, value: &str) -> Figure {
        Figure {
            name: name.into(),
            value: Some(value.into()),
            exactness: String::new(),
        }
    }

    fn group(labels: &[&str], figure: Option<f64>, values: &[&str]) -> Group {
        let texts = |list: &[&str]| list.iter().map(ToString::to_string).collect();
        Group {
            labels: texts(labels),
            figure,
            values: texts(values),
        }
    }

    #[test]
    fn a_range_holds_its_value() {
        assert!(is(&figure("median", "6.5 to 6.9"), 6.7));
        assert!(!is(&figure("median", "6.5 to 6.9"), 7.0));
        assert!(is(&figure("mean", "7.3608"), 7.360_824));
        assert!(!is(&figure("mean", "7.3608"), 7.3611));
    }

    #[test]
    fn groups_are_found_by_word_and_bucket() {
        let row = |people, labels: [&str; 2]| Row {
            labels: labels.map(String::from).into(),
            people: Some(people),
            figures: Some(Vec::new()),
        };
        let clear = [
            group(&["a", "10\u{1f}10"], Some(4.0), &[]),
            group(&["b", "10\u{1f}10"], Some(5.0), &[]),
        ];
        assert!(row_is(&row(5, ["b", "18 to 19"]), &clear));
        assert!(!row_is(&row(4, ["b", "18 to 19"]), &clear));
        assert!(!row_is(&row(5, ["b", "20 to 29"]), &clear));
    }

    #[test]
    fn parts_have_their_values() {
        let parts = [figure("0 to 1", "2"), figure("2 to 3", "1")];
        assert!(has(&parts, &group(&[], None, &["0", "1", "2.5"])));
        assert!(!has(&parts, &group(&[], None, &["0", "2", "2.5"])));
        let words = [figure("red", "1")];
        assert!(has(&words, &group(&[], None, &["red", "blue"])));
    }
}
