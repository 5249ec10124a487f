//! Work that several cores can share, with the same result however many there are.

use std::ops::Range;
use std::thread;

/// So many equal parts, one for each core.
pub fn parts(of: u64) -> Vec<Range<u64>> {
    let cores = thread::available_parallelism().map_or(1, usize::from) as u64;
    let edge = |part: u64| (u128::from(of) * u128::from(part) / u128::from(cores)) as u64;
    (0..cores).map(|part| edge(part)..edge(part + 1)).collect()
}

/// What `work` makes of each part of the numbers below `of`, in order.
///
/// # Panics
///
/// When `work` does.
pub fn map<T: Send>(of: u64, work: impl Fn(Range<u64>) -> T + Sync) -> Vec<T> {
    let work = &work;
    thread::scope(|scope| {
        let threads = parts(of).into_iter();
        let threads: Vec<_> = threads
            .map(|range| scope.spawn(move || work(range)))
            .collect();
        let ended = threads.into_iter().map(|one| one.join());
        ended
            .map(|one| one.unwrap_or_else(|why| std::panic::resume_unwind(why)))
            .collect()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_is_worked_on_once() {
        for of in [0, 1, 2, 7, 1000] {
            let parts = map(of, |range| range.collect::<Vec<_>>());
            assert_eq!(parts.concat(), (0..of).collect::<Vec<_>>());
        }
    }
}
