//! The axis that was chosen, as a coordinate.

use std::ops::Range;

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

use super::ticks::{self, Graduation};
use super::{Axis, Scale, number};

/// Where values lie along one side of a panel, and what is written there.
#[derive(Debug, Clone, PartialEq)]
pub struct Ruler {
    scale: Scale,
    graduation: Graduation,
    labels: Vec<String>,
    /// Free length before the range and after it.
    inset: (i32, i32),
}

impl Ruler {
    /// The finest ruler that covers these values (those that the axis can show) and `fits`; else the coarsest. The
    /// axis goes on for the length `inset` before its range and after it.
    pub fn new(
        axis: &Axis,
        values: impl IntoIterator<Item = f64>,
        inset: (i32, i32),
        fits: impl Fn(&Self) -> bool,
    ) -> Self {
        let shown = |value: &f64| ticks::shows(axis.scale, *value);
        let values: Vec<_> = values.into_iter().filter(shown).collect();
        let rulers = ticks::choices(axis.scale, axis.ticks, &values).into_iter();
        let mut rulers = rulers.map(|graduation| Self {
            scale: axis.scale,
            labels: number::written(&graduation.ticks, axis.ticks),
            graduation,
            inset,
        });
        let coarser = |chosen: Self, next| if fits(&chosen) { chosen } else { next };
        let finest = rulers.next().expect("there is always a choice");
        rulers.fold(finest, coarser)
    }

    /// Whether this ruler's scale can show `value`.
    pub fn shows(&self, value: f64) -> bool {
        ticks::shows(self.scale, value)
    }

    /// How far along an axis of this length each number stands, and the number.
    pub fn labels(&self, length: i32) -> impl Iterator<Item = (i32, &str)> {
        let ticks = self.graduation.ticks.iter();
        let places = ticks.map(move |tick| self.map(tick, (0, length)));
        places.zip(self.labels.iter().map(String::as_str))
    }

    /// How far along the range, from 0 to 1; beyond an end, that end.
    fn share(&self, value: f64) -> f64 {
        let Graduation { low, high, .. } = self.graduation;
        let share = match self.scale {
            Scale::Linear => (value - low) / (high - low),
            Scale::Log if value <= low => 0.0,
            Scale::Log => (log2(value) - log2(low)) / (log2(high) - log2(low)),
        };
        share.clamp(0.0, 1.0)
    }
}

impl Ranged for Ruler {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (begin, end): (i32, i32)) -> i32 {
        let towards = (end - begin).signum();
        let (begin, end) = (begin + towards * self.inset.0, end - towards * self.inset.1);
        begin + (f64::from(end - begin) * self.share(*value)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.graduation.ticks.clone()
    }

    fn range(&self) -> Range<f64> {
        self.graduation.low..self.graduation.high
    }
}

impl ValueFormatter<f64> for Ruler {
    fn format_ext(&self, tick: &f64) -> String {
        let place = self.graduation.ticks.iter().position(|one| one == tick);
        place.map_or_else(String::new, |place| self.labels[place].clone())
    }
}

/// Logarithm of a positive, normal number, to some 15 digits. The standard library's may differ between machines in its
/// last bit, which can move a point; sums and products cannot.
fn log2(value: f64) -> f64 {
    let bits = value.to_bits();
    let exponent = (bits >> 52) as f64 - 1023.0;
    let mantissa = f64::from_bits(bits & ((1 << 52) - 1) | 1.0f64.to_bits());
    // ln m = 2 artanh((m − 1) / (m + 1)), a series in odd powers of at most 1/3.
    let ratio = (mantissa - 1.0) / (mantissa + 1.0);
    let square = ratio * ratio;
    let odd = (0..17).rev().map(|place| f64::from(2 * place + 1));
    let series = odd.fold(0.0, |sum, odd| sum * square + odd.recip());
    exponent + 2.0 * ratio * series / std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chart::Ticks;

    fn axis(scale: Scale) -> Axis {
        Axis {
            label: String::new(),
            scale,
            ticks: Ticks::Plain,
        }
    }

    #[test]
    fn takes_the_finest_that_fits() {
        let ruler = |most: usize| {
            Ruler::new(&axis(Scale::Linear), [0.0, 10.0], (0, 0), |ruler| {
                ruler.labels(1).count() <= most
            })
        };
        assert_eq!(ruler(11).labels(1).count(), 11);
        assert_eq!(ruler(10).labels(1).count(), 6);
        assert_eq!(ruler(0).labels(1).count(), 2);
        assert_eq!(ruler(3).format_ext(&5.0), "5");
        assert_eq!(ruler(3).format_ext(&6.0), "");
    }

    #[test]
    fn ends_and_middle() {
        let ruler = Ruler::new(&axis(Scale::Log), [0.01, 100.0], (10, 30), |_| true);
        let places = [1e-9, 0.01, 1.0, 100.0, 1e9].map(|v| ruler.map(&v, (400, 0)));
        assert_eq!(places, [390, 390, 210, 30, 30]);
        let ruler = Ruler::new(&axis(Scale::Linear), [-10.0, 10.0], (0, 0), |_| true);
        assert_eq!(
            [-10.0, 0.0, 99.0].map(|v| ruler.map(&v, (0, 400))),
            [0, 200, 400]
        );
    }

    proptest! {
        #[test]
        fn logarithm(value in 1e-300..1e300, power in -300f64..300.0) {
            for value in [value, 10f64.powf(power)] {
                let (ours, theirs) = (log2(value), value.log2());
                prop_assert!((ours - theirs).abs() <= 4e-15 * theirs.abs().max(1.0), "{ours} {theirs}");
            }
        }
    }
}
