//! Clocks and medians.

use std::time::{Duration, Instant};

/// How long `work` takes.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let result = work();
    (began.elapsed(), result)
}

/// In microseconds.
pub fn micros(spent: Duration) -> f64 {
    spent.as_secs_f64() * 1e6
}

/// The middle one of an odd number of values, the upper middle one of an even number.
///
/// # Panics
///
/// When there are none.
pub fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
