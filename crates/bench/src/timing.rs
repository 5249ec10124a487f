//! Clocks and medians.

use std::time::{Duration, Instant};

/// How long `work` takes.
#[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
pub fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let result = work();
    (began.elapsed(), result)
}

/// How long a processor was busy with `work`, for what is too long to be left alone by others; where the system does not
/// tell, as [`time`].
pub fn cpu_time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = on_processor();
    let (took, result) = time(work);
    let busy = on_processor().zip(began).map(|(end, began)| end - began);
    (busy.unwrap_or(took), result)
}

/// Of this thread, so far.
#[cfg(target_os = "linux")]
fn on_processor() -> Option<Duration> {
    let clock = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    clock.try_into().ok()
}

#[cfg(not(target_os = "linux"))]
fn on_processor() -> Option<Duration> {
    None
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
