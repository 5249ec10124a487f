//! Both tails of a binomial law, exact enough for security thresholds, and the inverse of the upper one.
//!
//! The tails decide who is legitimate, so all nodes must find the same ones to the last bit. A closed form would need
//! the logarithm of the gamma function, which cancels badly for a billion trials, and powers, which differ between
//! mathematics libraries. Neither is needed: the probabilities of neighbouring counts have a simple ratio, so
//! [`Binomial::tails`] gives the most probable count the weight 1, walks up and down from it, and divides by the sum
//! of all weights. Every term is positive and no two are ever subtracted, hence a tail that is found after m steps has
//! a relative error below about 6 m times 2^-53, however small it is, and the tail near 1 costs the other nothing.
//! Only `+ - * /` and rounding to integers occur, which IEEE 754 defines to the bit.

/// Weights below this share of their sum end a walk. Beyond the mode they fall faster than a geometric series, so what
/// is left out stays far below the rounding error.
const NEGLIGIBLE: f64 = 1.0 / (1u64 << 60) as f64;

/// Newton steps before [`largest_chance`] falls back to bisection. Measured in k-tables: 6 to 9 from the row before, at
/// most 59 for the first rows, whose sizes lie up to 15 orders of magnitude apart.
const NEWTON_STEPS: u32 = 64;

/// How many of `trials` independent points fall into a given share `chance` of the ring: SEP2P §3.3.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Binomial {
    trials: f64,
    chance: f64,
}

/// The law cut in two at a count k. Each part has its full relative precision, down to about 1e-300.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tails {
    /// Probability of fewer than k, 0 to 1.
    pub below: f64,
    /// Probability of k, 0 to 1.
    pub exactly: f64,
    /// Probability of k or more, 0 to 1.
    pub at_least: f64,
}

impl Binomial {
    /// The law of `trials` points with this chance each, clamped to 0 to 1 (0 when it is not a number).
    pub fn new(trials: u64, chance: f64) -> Self {
        let chance = if chance.is_nan() {
            0.0
        } else {
            chance.clamp(0.0, 1.0)
        };
        Self {
            trials: trials as f64,
            chance,
        }
    }

    /// The probabilities of fewer than `k`, exactly `k`, and at least `k`.
    ///
    /// Takes some 40 standard deviations of steps at most, whatever the number of trials: hundreds for the few nodes of
    /// a k-table, a few million for the largest `k`.
    pub fn tails(self, k: u32) -> Tails {
        let k = f64::from(k);
        // Chernoff: P[X <= (1 - d) mean] <= exp(-mean d^2 / 2), here below exp(-843), less than the least f64.
        let surely_more = self.trials * self.chance > 4.0 * k + 3000.0;
        let mode = ((self.trials + 1.0) * self.chance).floor().min(self.trials);
        let mut sums = Sums {
            k,
            below: 0.0,
            exactly: 0.0,
            at_least: 0.0,
        };
        if surely_more || self.chance == 1.0 {
            sums.add(self.trials, 1.0);
        } else {
            sums.add(mode, 1.0);
            self.walk_up(mode, &mut sums);
            self.walk_down(mode, &mut sums);
        }
        sums.normalised()
    }

    fn walk_up(self, mode: f64, sums: &mut Sums) {
        let odds = self.chance / (1.0 - self.chance);
        let (mut count, mut weight) = (mode, 1.0);
        loop {
            weight *= odds * (self.trials - count) / (count + 1.0);
            count += 1.0;
            sums.add(count, weight);
            // Below k every weight may matter to the sum that starts at k: only underflow or the last count ends it.
            let sum = if count < sums.k { 0.0 } else { sums.at_least };
            if weight <= sum * NEGLIGIBLE {
                return;
            }
        }
    }

    fn walk_down(self, mode: f64, sums: &mut Sums) {
        let odds = (1.0 - self.chance) / self.chance;
        let (mut count, mut weight) = (mode, 1.0);
        while count > 0.0 {
            weight *= odds * count / (self.trials - count + 1.0);
            count -= 1.0;
            sums.add(count, weight);
            let sum = if count < sums.k { sums.below } else { 0.0 };
            if weight <= sum * NEGLIGIBLE {
                return;
            }
        }
    }
}

/// The largest chance for which at least `k` of `trials` have a probability of at most `bound`, in full precision; 1
/// when no chance exceeds the bound, 0 when every one does.
///
/// `near` is a guess from which the search starts (0 for none). It decides the time and, within the rounding error of
/// the tails, the last bits.
///
/// Newton's method on the logarithms. There the tail is concave in the chance (its slope k / (1 + r1 + r1 r2 + …)
/// falls, since the ratios r of neighbouring probabilities grow with the chance), so steps from the left stay left and
/// a step from the right lands on the left. The bracket holds in any case: it ends with two neighbouring numbers, the
/// computed tail within the bound at the lower and beyond it at the upper.
pub fn largest_chance(trials: u64, k: u32, bound: f64, near: f64) -> f64 {
    if bound >= 1.0 || u64::from(k) > trials {
        return 1.0;
    }
    if bound.is_nan() || bound <= 0.0 || k == 0 {
        return 0.0;
    }
    let (mut low, mut high) = (0.0f64, 1.0f64);
    // P[at least k] <= P[at least 1] <= trials * chance: this is never above the answer.
    let mut chance = near.max(bound / trials as f64);
    let mut steps = 0;
    while low.next_up() < high {
        chance = if steps < NEWTON_STEPS && chance.is_finite() {
            chance.clamp(low.next_up(), high.next_down())
        } else {
            // The middle of the bits is, but for a curve within each power of two, the middle of the logarithms.
            f64::from_bits(low.to_bits().midpoint(high.to_bits()))
        };
        let tails = Binomial::new(trials, chance).tails(k);
        if tails.at_least <= bound {
            low = chance;
        } else {
            high = chance;
        }
        chance = newton(chance, k, tails, bound);
        steps += 1;
    }
    low
}

/// One step towards the bound; not finite where the tail is flat.
fn newton(chance: f64, k: u32, tails: Tails, bound: f64) -> f64 {
    // The slope of ln P[at least k] over ln chance.
    let share = if tails.at_least > 0.0 {
        tails.exactly / tails.at_least
    } else {
        1.0
    };
    let slope = f64::from(k) * share;
    // 2 (x - 1) / (x + 1), which is at most ln x for x above 1: a step from the left stays left.
    let rise = 2.0 - 4.0 / (bound / tails.at_least + 1.0);
    chance * (1.0 + rise / slope)
}

/// Sums of weights, not yet divided by their total.
struct Sums {
    k: f64,
    below: f64,
    exactly: f64,
    at_least: f64,
}

impl Sums {
    #[inline]
    fn add(&mut self, count: f64, weight: f64) {
        if count < self.k {
            self.below += weight;
        } else {
            self.at_least += weight;
        }
        if count == self.k {
            self.exactly = weight;
        }
    }

    fn normalised(self) -> Tails {
        let total = self.below + self.at_least;
        Tails {
            below: self.below / total,
            exactly: self.exactly / total,
            at_least: self.at_least / total,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Below this, f64 itself runs out of digits.
    const LEAST: f64 = 1e-300;

    fn error(found: f64, expected: f64) -> f64 {
        if found == expected || found.max(expected) < LEAST {
            0.0
        } else {
            (found / expected - 1.0).abs()
        }
    }

    #[test]
    fn agrees_with_four_hundred_digits() {
        for line in include_str!("../tests/vectors/binomial.csv").lines() {
            if line.starts_with('#') {
                continue;
            }
            let fields: Vec<_> = line.split(',').collect();
            let number = |field: usize| fields[field].parse::<f64>().unwrap();
            let tails = Binomial::new(fields[0].parse().unwrap(), number(1))
                .tails(fields[2].parse().unwrap());
            assert!(error(tails.below, number(3)) < 1e-12, "{line}: {tails:?}");
            assert!(
                error(tails.at_least, number(4)) < 1e-12,
                "{line}: {tails:?}"
            );
        }
    }

    /// Sums of C(n, j) a^j (16 - a)^(n - j) as integers, over 16^n.
    fn exact(n: u32, a: u128, k: u32) -> (f64, f64) {
        let term = |j: u32| {
            let choices = (0..j).fold(1u128, |c, i| c * u128::from(n - i) / u128::from(i + 1));
            choices * a.pow(j) * (16 - a).pow(n - j)
        };
        let all = 16u128.pow(n);
        let below: u128 = (0..k).map(term).sum();
        (below as f64 / all as f64, (all - below) as f64 / all as f64)
    }

    #[test]
    fn agrees_with_exact_integers() {
        for n in 1..=30 {
            for (a, k) in (1..16).flat_map(|a| (0..=n).map(move |k| (a, k))) {
                let tails = Binomial::new(u64::from(n), a as f64 / 16.0).tails(k);
                let (below, at_least) = exact(n, a, k);
                assert!(error(tails.below, below) < 2e-14, "{n} {a} {k}: {tails:?}");
                assert!(
                    error(tails.at_least, at_least) < 2e-14,
                    "{n} {a} {k}: {tails:?}"
                );
            }
        }
    }

    #[test]
    fn certain_outcomes_are_certain() {
        let parts = |trials, chance, k| {
            let tails = Binomial::new(trials, chance).tails(k);
            (tails.below, tails.exactly, tails.at_least)
        };
        assert_eq!(parts(10, 0.0, 1), (1.0, 0.0, 0.0));
        assert_eq!(parts(10, f64::NAN, 0), (0.0, 1.0, 1.0));
        assert_eq!(parts(10, 1.0, 10), (0.0, 1.0, 1.0));
        assert_eq!(parts(10, 7.0, 11), (1.0, 0.0, 0.0));
        assert_eq!(parts(0, 0.3, 0), (0.0, 1.0, 1.0));
        assert_eq!(parts(0, 0.3, 1), (1.0, 0.0, 0.0));
        assert_eq!(parts(u64::MAX, 0.5, 1024), (0.0, 0.0, 1.0));
    }

    #[test]
    fn extremes_end_and_are_numbers() {
        for trials in [0, 1, 3, 1 << 20, 1_000_000_000, u64::MAX] {
            for chance in [
                f64::from_bits(1),
                1e-300,
                1e-40,
                1e-17,
                1e-9,
                0.5,
                1.0 - 1e-16,
            ] {
                for k in [0, 1, 2, 1024, 50_000] {
                    let Tails {
                        below,
                        exactly,
                        at_least,
                    } = Binomial::new(trials, chance).tails(k);
                    let unit = 0.0..=1.0;
                    assert!(
                        [below, exactly, at_least]
                            .iter()
                            .all(|part| unit.contains(part))
                    );
                    assert!(
                        (below + at_least - 1.0).abs() < 1e-15,
                        "{trials} {chance} {k}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_inverse_meets_closed_forms() {
        // P[at least 1] = 1 - (1 - p)^n and P[all n] = p^n.
        // Towards 1 the tail is flat and its rounding error weighs more.
        for bound in [1e-60, 1e-18, 1e-6, 0.01, 0.5, 0.999] {
            let one = -(f64::ln_1p(-bound) / 1e6).exp_m1();
            assert!(
                error(largest_chance(1_000_000, 1, bound, 0.0), one) < 1e-13,
                "{bound}"
            );
            let all = (bound.ln() / 50.0).exp();
            assert!(
                error(largest_chance(50, 50, bound, 0.0), all) < 1e-13,
                "{bound}"
            );
        }
    }

    #[test]
    fn the_inverse_ends_where_no_search_can_succeed() {
        assert_eq!(largest_chance(5, 6, 1e-9, 0.0), 1.0);
        assert_eq!(largest_chance(5, 2, 1.0, 0.0), 1.0);
        assert_eq!(largest_chance(5, 2, 0.0, 0.0), 0.0);
        assert_eq!(largest_chance(5, 2, f64::NAN, 0.0), 0.0);
        assert_eq!(largest_chance(5, 0, 0.5, 0.0), 0.0);
        for bound in [f64::from_bits(1), 1e-308, 0.5, 1.0 - f64::EPSILON / 2.0] {
            for (trials, k) in [(2, 1), (99, 98), (333_333_333, 500), (u64::MAX, 1024)] {
                for near in [0.0, 1e-200, 0.3, 1.0, f64::INFINITY, f64::NAN] {
                    let chance = largest_chance(trials, k, bound, near);
                    assert!((0.0..1.0).contains(&chance), "{trials} {k} {bound} {near}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn neighbouring_counts_differ_by_one_probability(
            trials in 1..1_000_000_000u64,
            share in 0.01..3.0f64,
            k in 1..300u32,
        ) {
            let law = Binomial::new(trials, f64::from(k) * share / trials as f64);
            let (this, next) = (law.tails(k), law.tails(k + 1));
            prop_assert!(error(this.below + this.exactly, next.below) < 1e-12);
            prop_assert!(error(next.at_least + this.exactly, this.at_least) < 1e-12);
        }

        #[test]
        fn counting_the_others_swaps_the_tails(trials in 1..400u32, chance in 0.5..1.0f64, k in 0..400u32) {
            let k = k.min(trials);
            // 1 - chance is exact from a half upwards.
            let these = Binomial::new(trials.into(), chance).tails(k);
            let others = Binomial::new(trials.into(), 1.0 - chance).tails(trials - k + 1);
            prop_assert!(error(these.at_least, others.below) < 1e-12);
            prop_assert!(error(these.below, others.at_least) < 1e-12);
        }

        #[test]
        fn the_inverse_is_tight(
            trials in 2..1_000_000_000u64,
            k in 1..200u32,
            digits in 0.1..60.0f64,
            near in 0.0..1.0f64,
        ) {
            prop_assume!(u64::from(k) <= trials);
            let bound = 10f64.powf(-digits);
            let chance = largest_chance(trials, k, bound, 0.0);
            let tail = |chance| Binomial::new(trials, chance).tails(k).at_least;
            prop_assert!(tail(chance) <= bound && bound < tail(chance.next_up()));
            prop_assert!(error(largest_chance(trials, k, bound, near), chance) < 1e-12);
        }
    }
}
