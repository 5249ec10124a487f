//! How many of the seats are bad, with which probability.

/// The probability of each number of colluders among the seats: the hypergeometric law. `seats <= candidates`.
pub fn bad_seats(seats: usize, candidates: u64, colluders: u64) -> Vec<f64> {
    let colluders = colluders.min(candidates);
    let honest = candidates - colluders;
    let seats_wide = seats as u64;
    let least = seats_wide.saturating_sub(honest) as usize;
    let most = seats_wide.min(colluders) as usize;
    let mode = (seats + 1) as f64 * (colluders as f64 / candidates as f64);
    law(seats, least, most, mode as usize, |j| {
        let (j, left) = (j as u64, seats_wide - j as u64);
        let more = (colluders - j) as f64 * left as f64;
        more / ((j + 1) as f64 * ((honest - left) as f64 + 1.0))
    })
}

/// The probability of each number of seats that go away: the binomial law.
pub fn away_seats(seats: usize, offline_permille: u32) -> Vec<f64> {
    let (away, here) = (
        f64::from(offline_permille),
        f64::from(1000 - offline_permille),
    );
    let mode = (seats + 1) as f64 * away / 1000.0;
    law(seats, 0, seats, mode as usize, |j| {
        (seats - j) as f64 * away / ((j + 1) as f64 * here)
    })
}

/// Probabilities of 0 to `seats`, zero outside `least..=most`, given how much more probable j + 1 is than j. Starts near
/// the most probable number, so that only what is negligible underflows.
fn law(
    seats: usize,
    least: usize,
    most: usize,
    mode: usize,
    ratio: impl Fn(usize) -> f64,
) -> Vec<f64> {
    let mode = mode.clamp(least, most);
    let mut weights = vec![0.0; seats + 1];
    weights[mode] = 1.0;
    for j in mode..most {
        weights[j + 1] = weights[j] * ratio(j);
    }
    for j in (least..mode).rev() {
        weights[j] = weights[j + 1] / ratio(j);
    }
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

/// The chance of each number or more.
pub fn at_least(law: &[f64]) -> Vec<f64> {
    let mut beyond = 0.0;
    let mut sums: Vec<_> = law
        .iter()
        .rev()
        .map(|chance| {
            beyond += chance;
            beyond
        })
        .collect();
    sums.reverse();
    sums
}

/// The least number that is exceeded with a chance of at most `accepted`.
pub fn likely(law: &[f64], accepted: f64) -> usize {
    let sums = at_least(law);
    sums.iter()
        .rposition(|beyond| *beyond > accepted)
        .unwrap_or(0)
}
