//! One number over many draws.

/// Average, standard deviation and maximum, from exact sums: the same in whatever order they are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistic {
    count: u64,
    sum: u128,
    squares: u128,
    largest: u64,
}

impl Statistic {
    /// One more.
    pub fn add(&mut self, number: u64) {
        self.count += 1;
        self.sum += u128::from(number);
        self.squares += u128::from(number).pow(2);
        self.largest = self.largest.max(number);
    }

    /// These and those.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            count: self.count + other.count,
            sum: self.sum + other.sum,
            squares: self.squares + other.squares,
            largest: self.largest.max(other.largest),
        }
    }

    /// Average; 0 of nothing.
    pub fn mean(&self) -> f64 {
        self.sum as f64 / self.count.max(1) as f64
    }

    /// Standard deviation.
    pub fn deviation(&self) -> f64 {
        let count = u128::from(self.count.max(1));
        // Whole numbers, so that nothing cancels.
        let scaled = (self.squares * count).saturating_sub(self.sum.pow(2));
        (scaled as f64).sqrt() / count as f64
    }

    /// The largest; 0 of nothing.
    pub fn largest(&self) -> u64 {
        self.largest
    }

    /// All together.
    pub fn sum(&self) -> u128 {
        self.sum
    }
}

impl FromIterator<u64> for Statistic {
    fn from_iter<I: IntoIterator<Item = u64>>(numbers: I) -> Self {
        let mut new = Self::default();
        numbers.into_iter().for_each(|number| new.add(number));
        new
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_what_it_says() {
        let all: Statistic = [2, 4, 4, 4, 5, 5, 7, 9].into_iter().collect();
        assert_eq!((all.mean(), all.deviation(), all.largest()), (5.0, 2.0, 9));
        let parts = [2, 4, 4].into_iter().collect::<Statistic>();
        assert_eq!(parts.and([4, 5, 5, 7, 9].into_iter().collect()), all);
        assert_eq!(
            (
                Statistic::default().mean(),
                Statistic::default().deviation()
            ),
            (0.0, 0.0)
        );
        // Sums of ten million large numbers stay exact.
        let same: Statistic = std::iter::repeat_n(1_000_000_007, 1000).collect();
        assert_eq!(same.deviation(), 0.0);
    }
}
