//! From one person's row to a vector, and from everybody's sum to figures (design: aggregation).

use std::fmt;

use community::Range;
use thiserror::Error;

use crate::decimal::{Decimal, MAX_DECIMALS, power_of_ten};
use crate::error::QuestionError;
use crate::question::{Question, Statistic};

/// What the owner's data says to [`Question::local_sql`]. Never printed: it is personal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum LocalValue {
    /// No row matches.
    NoRow,
    /// One row matches, but its value is absent.
    Missing,
    /// One row matches; the value, in units of `10^-decimals`.
    Number(i64),
    /// One row matches, but what it holds is not an integer of 64 bits.
    NotANumber,
    /// Several rows match.
    SeveralRows,
}

impl fmt::Debug for LocalValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LocalValue(secret)")
    }
}

/// What became of a local value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It counts.
    Match,
    /// No row matches: zeros.
    NoMatch,
    /// The value is absent, which is no answer, never zero: zeros.
    Missing,
    /// The value lies outside the range that the vocabulary declares: zeros.
    OutOfRange,
    /// More than one row matches, and a person contributes one: zeros.
    SeveralRows,
}

/// One person's contribution. Never printed: it is personal.
#[derive(Clone, PartialEq, Eq)]
pub struct Measured {
    /// As many numbers as [`Question::vector_len`] says; all zero unless the outcome is [`Outcome::Match`].
    pub vector: Vec<u64>,
    /// Why, for the owner's own log.
    pub outcome: Outcome,
}

impl fmt::Debug for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Measured(secret)")
    }
}

/// The answer to a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// How many people matched and had a value.
    pub count: u64,
    /// The exact sum of their values, for a sum or mean.
    pub total: Option<Decimal>,
    /// Their mean, for a mean over at least one person.
    pub mean: Option<Mean>,
}

/// An exact mean: a total divided by a count of at least one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mean {
    total: Decimal,
    count: u64,
}

impl Mean {
    /// The exact fraction: this total over this count.
    pub fn fraction(&self) -> (Decimal, u64) {
        (self.total, self.count)
    }

    /// Rounded half away from zero to `digits` after the point, of which there are at most [`MAX_DECIMALS`].
    pub fn rounded(&self, digits: u8) -> Decimal {
        let digits = digits.min(MAX_DECIMALS);
        // The divisor is below 2^94 and the scaled remainder below 2^124: nothing here can overflow.
        let divisor = u128::from(self.count) * power_of_ten(self.total.decimals).unsigned_abs();
        let magnitude = self.total.integer.unsigned_abs();
        let unit = power_of_ten(digits).unsigned_abs();
        let fraction = (magnitude % divisor) * unit;
        let up = u128::from((fraction % divisor) * 2 >= divisor);
        let scaled = (magnitude / divisor) * unit + fraction / divisor + up;
        let integer = i128::try_from(scaled).expect("a mean lies within 64 bits, times 10^9");
        Decimal {
            integer: integer * self.total.integer.signum(),
            decimals: digits,
        }
    }

    /// The closest double, give or take rounding: for plots and noise, not for checking.
    pub fn as_f64(&self) -> f64 {
        self.total.as_f64() / self.count as f64
    }
}

/// Why a vector of totals is no honest sum of contributions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FiguresError {
    /// The vector has the wrong length.
    #[error("the sum has {found} numbers, this question has {expected}")]
    Length {
        /// As the question says.
        expected: usize,
        /// As received.
        found: usize,
    },
    /// The sum exceeds what so many people can have contributed.
    #[error("{count} people cannot have contributed this sum: their values have a declared range")]
    Impossible {
        /// How many matched.
        count: u64,
    },
}

impl Question {
    /// How many numbers one person contributes: the match count and, for a sum or mean, the value above its minimum.
    pub fn vector_len(&self) -> usize {
        match self.statistic() {
            Statistic::Count => 1,
            Statistic::Sum | Statistic::Mean => 2,
        }
    }

    /// What this row contributes. Whoever does not match contributes zeros, so that taking part tells nothing.
    pub fn measure(&self, row: LocalValue) -> Measured {
        let (outcome, vector) = match (row, self.value()) {
            (LocalValue::NoRow, _) => (Outcome::NoMatch, None),
            (LocalValue::Missing, _) => (Outcome::Missing, None),
            (LocalValue::SeveralRows, _) => (Outcome::SeveralRows, None),
            (LocalValue::NotANumber, _) => (Outcome::OutOfRange, None),
            (LocalValue::Number(_), None) => (Outcome::Match, Some(vec![1])),
            (LocalValue::Number(value), Some(Range { min, max, .. })) => {
                if (min..=max).contains(&value) {
                    (Outcome::Match, Some(vec![1, value.abs_diff(min)]))
                } else {
                    (Outcome::OutOfRange, None)
                }
            }
        };
        Measured {
            vector: vector.unwrap_or_else(|| vec![0; self.vector_len()]),
            outcome,
        }
    }

    /// Turns the sum of everybody's vectors into figures.
    ///
    /// # Errors
    ///
    /// Refuses a vector of another length, and a sum that exceeds the count times the width of the range.
    pub fn decode(&self, totals: &[u64]) -> Result<Figures, FiguresError> {
        let wrong_length = FiguresError::Length {
            expected: self.vector_len(),
            found: totals.len(),
        };
        match (self.value(), totals) {
            (None, &[count]) => Ok(Figures {
                count,
                total: None,
                mean: None,
            }),
            (Some(range), &[count, above]) => {
                let most = u128::from(count) * u128::from(range.max.abs_diff(range.min));
                if u128::from(above) > most {
                    return Err(FiguresError::Impossible { count });
                }
                // Below 2^127, because it is at most the count times the larger end of the range.
                let integer = i128::from(above) + i128::from(count) * i128::from(range.min);
                let total = Decimal {
                    integer,
                    decimals: range.decimals,
                };
                let wants_mean = self.statistic() == Statistic::Mean && count > 0;
                let mean = wants_mean.then_some(Mean { total, count });
                Ok(Figures {
                    count,
                    total: Some(total),
                    mean,
                })
            }
            _ => Err(wrong_length),
        }
    }

    /// Checks that no component of a sum over `people` contributions can reach `modulus`.
    ///
    /// # Errors
    ///
    /// [`QuestionError::Capacity`] when one could: the sum would wrap around in the field and mean something else.
    pub fn check_capacity(&self, people: u64, modulus: u64) -> Result<(), QuestionError> {
        let width = self
            .value()
            .map_or(1, |range| range.max.abs_diff(range.min).max(1));
        if u128::from(people) * u128::from(width) < u128::from(modulus) {
            Ok(())
        } else {
            Err(QuestionError::Capacity { people, modulus })
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::example::ask;

    fn question(sql: &str) -> Question {
        ask(sql).expect("valid")
    }

    fn sum_up(question: &Question, rows: &[LocalValue]) -> Vec<u64> {
        let mut totals = vec![0; question.vector_len()];
        for row in rows {
            for (total, part) in totals.iter_mut().zip(question.measure(*row).vector) {
                *total += part;
            }
        }
        totals
    }

    #[test]
    fn only_a_match_contributes() {
        let mean = question("SELECT AVG(balance) FROM people");
        for (row, outcome, vector) in [
            (LocalValue::Number(-1_000_000), Outcome::Match, [1, 0]),
            (
                LocalValue::Number(5_000_000),
                Outcome::Match,
                [1, 6_000_000],
            ),
            (LocalValue::Number(-1_000_001), Outcome::OutOfRange, [0, 0]),
            (LocalValue::Number(5_000_001), Outcome::OutOfRange, [0, 0]),
            (LocalValue::NotANumber, Outcome::OutOfRange, [0, 0]),
            (LocalValue::Missing, Outcome::Missing, [0, 0]),
            (LocalValue::NoRow, Outcome::NoMatch, [0, 0]),
            (LocalValue::SeveralRows, Outcome::SeveralRows, [0, 0]),
        ] {
            let measured = mean.measure(row);
            assert_eq!(
                (measured.outcome, &measured.vector[..]),
                (outcome, &vector[..])
            );
        }
        let count = question("SELECT COUNT(*) FROM people");
        assert_eq!(count.measure(LocalValue::Number(1)).vector, [1]);
        assert_eq!(count.measure(LocalValue::SeveralRows).vector, [0]);
    }

    #[test]
    fn nothing_personal_is_printed() {
        assert_eq!(
            format!("{:?}", LocalValue::Number(42)),
            "LocalValue(secret)"
        );
        let measured = question("SELECT SUM(age) FROM people").measure(LocalValue::Number(42));
        assert_eq!(format!("{measured:?}"), "Measured(secret)");
    }

    #[test]
    fn refuses_sums_that_nobody_can_have_made() {
        let sum = question("SELECT SUM(age) FROM people");
        assert_eq!(sum.decode(&[2, 240]).map(|figures| figures.count), Ok(2));
        assert_eq!(
            sum.decode(&[2, 241]),
            Err(FiguresError::Impossible { count: 2 })
        );
        assert_eq!(
            sum.decode(&[0, 1]),
            Err(FiguresError::Impossible { count: 0 })
        );
        assert_eq!(
            sum.decode(&[1]),
            Err(FiguresError::Length {
                expected: 2,
                found: 1
            })
        );
        let count = question("SELECT COUNT(*) FROM people");
        assert_eq!(
            count.decode(&[1, 0]),
            Err(FiguresError::Length {
                expected: 1,
                found: 2
            })
        );
    }

    #[test]
    fn an_empty_crowd_has_no_mean() {
        let figures = question("SELECT AVG(age) FROM people")
            .decode(&[0, 0])
            .expect("possible");
        assert_eq!(figures.mean, None);
        let sum = question("SELECT SUM(age) FROM people")
            .decode(&[3, 6])
            .expect("possible");
        assert_eq!(sum.mean, None);
        assert_eq!(
            sum.total.map(|total| total.to_string()).as_deref(),
            Some("6")
        );
    }

    #[test]
    fn refuses_crowds_that_could_wrap_the_field() {
        let age = question("SELECT SUM(age) FROM people");
        assert_eq!(age.check_capacity(10, 1201), Ok(()));
        assert_eq!(
            age.check_capacity(10, 1200),
            Err(QuestionError::Capacity {
                people: 10,
                modulus: 1200
            })
        );
        let count = question("SELECT COUNT(*) FROM people");
        assert_eq!(count.check_capacity(10, 11), Ok(()));
        assert!(count.check_capacity(10, 10).is_err());
        // A value with one possible value still counts its people.
        let constant = question("SELECT SUM(age * 0) FROM people");
        assert!(constant.check_capacity(10, 10).is_err());
        assert!(
            question("SELECT SUM(huge) FROM people")
                .check_capacity(u64::MAX, u64::MAX)
                .is_err()
        );
    }

    #[test]
    fn means_round_half_away_from_zero() {
        let mean = |integer, decimals, count| Mean {
            total: Decimal { integer, decimals },
            count,
        };
        assert_eq!(mean(57120, 1, 776).rounded(4).to_string(), "7.3608");
        assert_eq!(mean(1, 0, 2).rounded(0).to_string(), "1");
        assert_eq!(mean(-1, 0, 2).rounded(0).to_string(), "-1");
        assert_eq!(mean(-10, 0, 3).rounded(3).to_string(), "-3.333");
        assert_eq!(mean(2, 0, 3).rounded(200).to_string(), "0.666666667");
        assert_eq!(mean(0, 9, u64::MAX).rounded(9).to_string(), "0.000000000");
        let most = i128::from(i64::MAX) * i128::from(u64::MAX);
        assert_eq!(
            mean(most, 0, u64::MAX).rounded(9).to_string(),
            "9223372036854775807.000000000"
        );
        assert_eq!(
            mean(most, 9, u64::MAX).rounded(9).to_string(),
            "9223372036.854775807"
        );
        assert!((mean(57120, 1, 776).as_f64() - 57120.0 / 7760.0).abs() < 1e-12);
    }

    fn row() -> impl Strategy<Value = LocalValue> {
        prop_oneof![
            8 => (-1_500_000..5_500_000i64).prop_map(LocalValue::Number),
            1 => Just(LocalValue::NoRow),
            1 => Just(LocalValue::Missing),
            1 => Just(LocalValue::SeveralRows),
        ]
    }

    proptest! {
        #[test]
        fn the_sum_of_vectors_is_the_plain_sum(rows in prop::collection::vec(row(), 0..200)) {
            let mean = question("SELECT AVG(balance) FROM people");
            let values: Vec<i128> = rows
                .iter()
                .filter_map(|row| match row {
                    LocalValue::Number(n) if (-1_000_000..=5_000_000).contains(n) => Some(i128::from(*n)),
                    _ => None,
                })
                .collect();
            let figures = mean.decode(&sum_up(&mean, &rows)).expect("an honest sum");
            prop_assert_eq!(figures.count, values.len() as u64);
            let total = Decimal { integer: values.iter().sum(), decimals: 2 };
            prop_assert_eq!(figures.total, Some(total));
            prop_assert_eq!(
                figures.mean.map(|mean| mean.fraction()),
                (figures.count > 0).then_some((total, figures.count))
            );
        }

        #[test]
        fn rounding_is_the_closest(total in -i64::MAX..i64::MAX, decimals in 0..=9u8, count in 1..u64::MAX, digits in 0..=4u8) {
            let mean = Mean { total: Decimal { integer: i128::from(total), decimals }, count };
            let rounded = mean.rounded(digits);
            // |rounded - mean| <= half a unit, multiplied out to whole numbers.
            let left = rounded.integer * i128::from(count) * power_of_ten(decimals);
            let right = i128::from(total) * power_of_ten(digits);
            prop_assert!((left - right).unsigned_abs() * 2 <= u128::from(count) * power_of_ten(decimals).unsigned_abs());
        }
    }
}
