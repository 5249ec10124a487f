//! Which range an axis covers, and where its ticks may be: every reasonable choice, from many ticks to few.

use super::{Scale, Ticks};

/// Nothing that we measure is further out. Keeps differences of values finite, and values normal.
const FAR: f64 = 1e300;
/// A linear axis narrower than this, as a share of its values, would need more digits than anyone reads.
const NARROW: f64 = 1e-9;
/// No axis has room for more steps.
const STEPS_MAX: f64 = 24.0;
/// A logarithmic axis over less than this ratio has ticks inside its decades as well.
const FEW_DECADES: f64 = 100.0;
/// Every so many powers, on a logarithmic axis; 600 decades are the most there can be.
const STRIDES: [i32; 11] = [1, 2, 3, 4, 5, 10, 20, 50, 100, 200, 500];

const MINUTE: f64 = 1.0 / 60.0;
const DAY: f64 = 24.0;
/// Linear axes in hours step by these.
const CLOCK: [f64; 15] = [
    MINUTE,
    2.0 * MINUTE,
    5.0 * MINUTE,
    10.0 * MINUTE,
    0.25,
    0.5,
    1.0,
    2.0,
    3.0,
    6.0,
    12.0,
    DAY,
    2.0 * DAY,
    5.0 * DAY,
    10.0 * DAY,
];
/// Logarithmic axes in hours have ticks at these, or at the coarse ones among them.
const SPANS: [f64; 12] = [
    MINUTE,
    10.0 * MINUTE,
    1.0,
    3.0,
    6.0,
    12.0,
    DAY,
    2.0 * DAY,
    5.0 * DAY,
    10.0 * DAY,
    100.0 * DAY,
    1000.0 * DAY,
];
const COARSE_SPANS: [f64; 6] = [MINUTE, 1.0, DAY, 10.0 * DAY, 100.0 * DAY, 1000.0 * DAY];

/// The range of an axis and its ticks, ascending, all inside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Graduation {
    /// Where the axis begins.
    pub low: f64,
    /// Where it ends, above `low`.
    pub high: f64,
    /// Where numbers stand.
    pub ticks: Vec<f64>,
}

/// Whether an axis of this scale can show a value.
pub fn shows(scale: Scale, value: f64) -> bool {
    match scale {
        Scale::Linear => value.abs() <= FAR,
        Scale::Log => (FAR.recip()..=FAR).contains(&value),
    }
}

/// Graduations that cover these values, which the scale must be able to show: the finest first, the last with two or
/// three ticks.
pub fn choices(scale: Scale, kind: Ticks, values: &[f64]) -> Vec<Graduation> {
    let ends = values
        .iter()
        .fold(None, |ends: Option<(f64, f64)>, &value| {
            let (low, high) = ends.unwrap_or((value, value));
            Some((low.min(value), high.max(value)))
        });
    match scale {
        Scale::Linear => linear(kind, ends.unwrap_or((0.0, 1.0))),
        Scale::Log => logarithmic(kind, ends.unwrap_or((1.0, 10.0))),
    }
}

fn linear(kind: Ticks, ends: (f64, f64)) -> Vec<Graduation> {
    let (low, high) = widened(ends);
    let finest = (high - low) / STEPS_MAX;
    let steps = steps(kind, finest).into_iter();
    let graduation = |step: Step| {
        let (first, last) = (count(low, &step).floor(), count(high, &step).ceil());
        Graduation {
            low: step.times(first),
            high: step.times(last),
            ticks: (first as i64..=last as i64)
                .map(|n| step.times(n as f64))
                .collect(),
        }
    };
    steps
        .skip_while(|step| step.times(1.0) < finest)
        .map(graduation)
        .collect()
}

/// The range that a linear axis should cover: from zero where that wastes at most half of it, and never a single point.
fn widened((low, high): (f64, f64)) -> (f64, f64) {
    let near_zero = |value: f64| {
        if value.abs() < FAR.recip() {
            0.0
        } else {
            value
        }
    };
    let (low, high) = (near_zero(low), near_zero(high));
    let narrow = high - low <= NARROW * low.abs().max(high.abs());
    if low == 0.0 && high == 0.0 {
        (0.0, 1.0)
    } else if low >= 0.0 && (narrow || low <= high / 2.0) {
        (0.0, high)
    } else if high <= 0.0 && (narrow || high >= low / 2.0) {
        (low, 0.0)
    } else {
        (low, high)
    }
}

/// A distance between ticks.
enum Step {
    /// So many times a power of ten: its multiples are the very decimal numbers that they look like.
    Decimal(f64, i32),
    /// As it is.
    Given(f64),
}

impl Step {
    fn times(&self, count: f64) -> f64 {
        match *self {
            Self::Decimal(digit, exponent) => decimal(count * digit, exponent),
            Self::Given(step) => count * step,
        }
    }
}

/// How many steps from zero; a whole number that division missed by its rounding is that number.
fn count(value: f64, step: &Step) -> f64 {
    let count = value / step.times(1.0);
    let whole = count.round();
    if (count - whole).abs() < NARROW {
        whole
    } else {
        count
    }
}

/// Steps that people count in, ascending, up to one that covers `STEPS_MAX` times `finest` at once.
fn steps(kind: Ticks, finest: f64) -> Vec<Step> {
    match kind {
        Ticks::Binary => {
            let first = binary_exponent(finest);
            let given = |exponent| Step::Given(2f64.powi(exponent));
            (first..first + 7).map(given).collect()
        }
        Ticks::Hours if (MINUTE..=10.0 * DAY / STEPS_MAX).contains(&finest) => {
            CLOCK.map(Step::Given).into()
        }
        Ticks::Plain | Ticks::Percent | Ticks::Hours => {
            let first = decimal_exponent(finest);
            let decade = |exponent| [1.0, 2.0, 5.0].map(|digit| Step::Decimal(digit, exponent));
            (first..first + 3).flat_map(decade).collect()
        }
    }
}

fn logarithmic(kind: Ticks, (low, high): (f64, f64)) -> Vec<Graduation> {
    match kind {
        Ticks::Binary => powers(
            (binary_exponent(low), binary_exponent(high)),
            (low, high),
            |exponent| 2f64.powi(exponent),
        ),
        Ticks::Hours if MINUTE <= low && high <= 1000.0 * DAY => {
            vec![among(&SPANS, low, high), among(&COARSE_SPANS, low, high)]
        }
        Ticks::Plain | Ticks::Percent | Ticks::Hours => {
            let (first, last) = (decimal_exponent(low), decimal_exponent(high));
            let inside = (high / low < FEW_DECADES).then(|| {
                let decade = |exponent| [1.0, 2.0, 5.0].map(|digit| decimal(digit, exponent));
                let ticks: Vec<_> = (first - 1..=last + 1).flat_map(decade).collect();
                among(&ticks, low, high)
            });
            let whole = powers((first, last), (low, high), |e| decimal(1.0, e));
            inside.into_iter().chain(whole).collect()
        }
    }
}

/// The shortest run of `ticks` around the values, at least two of them.
fn among(ticks: &[f64], low: f64, high: f64) -> Graduation {
    let mut first = ticks.partition_point(|tick| *tick <= low).saturating_sub(1);
    let mut last = ticks
        .partition_point(|tick| *tick < high)
        .min(ticks.len() - 1);
    if first >= last {
        first = last.saturating_sub(1);
        last = (last + 1).min(ticks.len() - 1);
    }
    Graduation {
        low: ticks[first],
        high: ticks[last],
        ticks: ticks[first..=last].to_vec(),
    }
}

/// From the last power at or before the values to the first one at or after them, with a tick every so many powers.
fn powers(
    (first, last): (i32, i32),
    (low, high): (f64, f64),
    power: impl Fn(i32) -> f64,
) -> Vec<Graduation> {
    let last = if power(last) < high { last + 1 } else { last };
    // A single value that is a power itself stands in the middle.
    let (first, last) = if first == last {
        (first - 1, last + 1)
    } else {
        (first, last)
    };
    debug_assert!(power(first) <= low && high <= power(last));
    let graduation = |ticks: Vec<i32>| Graduation {
        low: power(first),
        high: power(last),
        ticks: ticks.into_iter().map(&power).collect(),
    };
    let every = |stride: &i32| {
        (first..=last)
            .filter(|e| e % stride == 0)
            .collect::<Vec<_>>()
    };
    let strides = STRIDES.iter().map(every).filter(|ticks| ticks.len() > 1);
    strides.chain([vec![first, last]]).map(graduation).collect()
}

/// `digits` · 10^`exponent`, as exactly as it can be.
fn decimal(digits: f64, exponent: i32) -> f64 {
    let text = format!("{digits}e{exponent}");
    // Adding zero makes a negative zero positive.
    text.parse::<f64>()
        .expect("digits and an exponent are a number")
        + 0.0
}

/// The power of ten that the first digit stands for.
fn decimal_exponent(value: f64) -> i32 {
    let text = format!("{value:e}");
    let (_, exponent) = text.split_once('e').expect("the form has an exponent");
    exponent.parse().expect("exponents are small numbers")
}

/// The largest power of two that is not above a positive, normal value.
fn binary_exponent(value: f64) -> i32 {
    (value.to_bits() >> 52) as i32 - 1023
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds() -> impl Strategy<Value = Ticks> {
        prop_oneof![
            Just(Ticks::Plain),
            Just(Ticks::Percent),
            Just(Ticks::Binary),
            Just(Ticks::Hours)
        ]
    }

    /// Ticks of the first choice with at most `most`.
    fn ticks(scale: Scale, kind: Ticks, values: &[f64], most: usize) -> Vec<f64> {
        let choices = choices(scale, kind, values);
        let fits = choices
            .into_iter()
            .find(|choice| choice.ticks.len() <= most);
        fits.map(|choice| choice.ticks).unwrap_or_default()
    }

    #[test]
    fn linear_axes_step_by_one_two_or_five() {
        let plain = |values: &[f64], most| ticks(Scale::Linear, Ticks::Plain, values, most);
        assert_eq!(plain(&[0.1, 1.0], 7), [0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
        assert_eq!(plain(&[4.0, 45.0], 6), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]);
        assert_eq!(
            plain(&[1000.0, 1003.0], 5),
            [1000.0, 1001.0, 1002.0, 1003.0]
        );
        assert_eq!(plain(&[-3.0, 7.0], 5), [-5.0, 0.0, 5.0, 10.0]);
        assert_eq!(plain(&[-7.0, -3.0], 3), [-10.0, -5.0, 0.0]);
        assert_eq!(
            plain(&[0.3, 1.1], 12).last(),
            Some(&1.1),
            "no step too many"
        );
    }

    #[test]
    fn equal_values_get_an_axis_all_the_same() {
        assert_eq!(
            ticks(Scale::Linear, Ticks::Plain, &[5.0, 5.0], 4),
            [0.0, 2.0, 4.0, 6.0]
        );
        assert_eq!(
            ticks(Scale::Linear, Ticks::Plain, &[0.0], 3),
            [0.0, 0.5, 1.0]
        );
        assert_eq!(ticks(Scale::Linear, Ticks::Plain, &[], 3), [0.0, 0.5, 1.0]);
        assert_eq!(
            ticks(Scale::Log, Ticks::Plain, &[100.0], 3),
            [50.0, 100.0, 200.0]
        );
        assert_eq!(
            ticks(Scale::Log, Ticks::Binary, &[8.0], 3),
            [4.0, 8.0, 16.0]
        );
        assert_eq!(
            ticks(Scale::Log, Ticks::Hours, &[1.0], 3),
            [10.0 / 60.0, 1.0, 3.0]
        );
        assert_eq!(ticks(Scale::Log, Ticks::Plain, &[], 2), [1.0, 10.0]);
    }

    #[test]
    fn logarithmic_axes_step_by_powers() {
        let log = |kind, values: &[f64], most| ticks(Scale::Log, kind, values, most);
        assert_eq!(
            log(Ticks::Percent, &[0.001, 10.0], 9),
            [0.001, 0.01, 0.1, 1.0, 10.0]
        );
        assert_eq!(
            log(Ticks::Plain, &[3.0, 40.0], 9),
            [2.0, 5.0, 10.0, 20.0, 50.0]
        );
        assert_eq!(
            log(Ticks::Plain, &[2.0, 3000.0], 9),
            [1.0, 10.0, 100.0, 1e3, 1e4]
        );
        assert_eq!(
            log(Ticks::Plain, &[1e-8, 1e8], 9),
            [1e-8, 1e-6, 1e-4, 0.01, 1.0, 100.0, 1e4, 1e6, 1e8]
        );
        assert_eq!(log(Ticks::Binary, &[8.0, 32768.0], 13).len(), 13);
        assert_eq!(
            log(Ticks::Binary, &[8.0, 32768.0], 7),
            [16.0, 64.0, 256.0, 1024.0, 4096.0, 16384.0]
        );
        assert_eq!(
            log(Ticks::Hours, &[1.0, 120.0], 9),
            [1.0, 3.0, 6.0, 12.0, 24.0, 48.0, 120.0]
        );
        assert_eq!(log(Ticks::Hours, &[1.0, 120.0], 3), [1.0, 24.0, 240.0]);
    }

    #[test]
    fn what_an_axis_cannot_show() {
        assert!(shows(Scale::Linear, 0.0) && shows(Scale::Linear, -1e9) && shows(Scale::Log, 1e-9));
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX] {
            assert!(!shows(Scale::Linear, value) && !shows(Scale::Log, value));
        }
        for value in [0.0, -1.0, f64::MIN_POSITIVE] {
            assert!(!shows(Scale::Log, value));
        }
    }

    proptest! {
        #[test]
        fn graduations_cover_the_values(
            log: bool,
            kind in kinds(),
            values in prop::collection::vec(prop_oneof![any::<f64>(), -1e3..1e3, 0.9..1.1], 0..5),
        ) {
            let scale = if log { Scale::Log } else { Scale::Linear };
            let values: Vec<_> = values.into_iter().filter(|&v| shows(scale, v)).collect();
            let choices = choices(scale, kind, &values);
            for Graduation { low, high, ticks } in &choices {
                prop_assert!(low < high && low.is_finite() && high.is_finite());
                prop_assert!(ticks.len() >= 2 && ticks.is_sorted_by(|a, b| a < b));
                prop_assert!(*low <= ticks[0] && ticks[ticks.len() - 1] <= *high);
                let slack = (high - low) * 1e-6;
                prop_assert!(values.iter().all(|v| low - slack <= *v && *v <= high + slack));
            }
            prop_assert!(choices.last().is_some_and(|last| last.ticks.len() <= 7));
        }
    }
}
