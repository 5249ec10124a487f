//! The numbers of a figure as CSV.

use super::Figure;

/// The names of the columns.
const HEADER: &str = "panel,series,x,y,largest,deviation,label\n";

/// More characters than a power of ten takes are not spent on zeros: 10000000 and 0.000001 are written so.
const ZEROS_MAX: usize = 5;

/// See [`Figure::to_csv`].
pub fn written(figure: &Figure) -> String {
    let mut csv = HEADER.to_owned();
    for panel in &figure.panels {
        for series in &panel.series {
            for point in &series.points {
                let line = [
                    quoted(&panel.y.label),
                    quoted(&series.name),
                    shortest(point.x),
                    shortest(point.y),
                    point
                        .spread
                        .map_or_else(String::new, |s| shortest(s.largest)),
                    point
                        .spread
                        .map_or_else(String::new, |s| shortest(s.deviation)),
                    quoted(point.label.as_deref().unwrap_or_default()),
                ];
                csv.push_str(&line.join(","));
                csv.push('\n');
            }
        }
    }
    csv
}

/// RFC 4180 §2: in quotes where it has to be, with quotes inside doubled.
fn quoted(field: &str) -> String {
    if field.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

/// The fewest digits that read back as the same number; with a power of ten where zeros would be many.
fn shortest(number: f64) -> String {
    let (plain, power) = (format!("{number}"), format!("{number:e}"));
    if plain.len() > power.len() + ZEROS_MAX {
        power
    } else {
        plain
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        assert_eq!(quoted("k, average"), "\"k, average\"");
        assert_eq!(quoted("\"k\""), "\"\"\"k\"\"\"");
        assert_eq!(quoted("two\nlines"), "\"two\nlines\"");
        assert_eq!(quoted("α = 10⁻⁶"), "α = 10⁻⁶");
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!(shortest(10_000_000.0), "10000000");
        assert_eq!(shortest(0.1), "0.1");
        assert_eq!(shortest(0.000001), "0.000001");
        assert_eq!(shortest(1.0 / 3.0), "0.3333333333333333");
        assert_eq!(shortest(1e-10), "1e-10");
        assert_eq!(shortest(1e300), "1e300");
        assert_eq!(shortest(f64::NAN), "NaN");
        assert_eq!(shortest(f64::NEG_INFINITY), "-inf");
    }

    proptest! {
        #[test]
        fn numbers_read_back_as_the_same(bits: u64) {
            let number = f64::from_bits(bits);
            let read: f64 = shortest(number).parse().unwrap();
            prop_assert!(read.to_bits() == bits || number.is_nan() && read.is_nan());
        }
    }
}
