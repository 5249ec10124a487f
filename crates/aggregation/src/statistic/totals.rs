//! Sums read back out of a vector, with the checks that they must pass.

use thiserror::Error;

use super::Statistic;
use super::declaration::Declaration;

/// Why totals are refused: no population within the declaration has them, so that somebody lied or erred.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum TotalsError {
    /// The wrong number of elements.
    #[error("{found} totals, the statistic has {expected}")]
    Length {
        /// As the layout says.
        expected: usize,
        /// As given.
        found: usize,
    },
    /// More people than may contribute.
    #[error("{found} people of at most {contributors}")]
    People {
        /// As given.
        found: u64,
        /// As declared.
        contributors: u64,
    },
    /// Cells or buckets that do not add up to the people or rows that they divide.
    #[error("cells or buckets do not add up to the whole")]
    Parts,
    /// Fewer rows than people, or more than they may have.
    #[error("the number of rows does not fit the number of people")]
    Rows,
    /// A total beyond what so many rows can have.
    #[error("total {index} is more than so many rows can have")]
    TooLarge {
        /// Which of a cell's numbers.
        index: usize,
    },
    /// Sums that contradict each other, such as a negative variance.
    #[error("no rows have these sums of column \"{column}\"")]
    Impossible {
        /// Its name, or several.
        column: String,
    },
}

/// The totals of one cell.
pub(super) struct Totals {
    /// People with a row in it.
    pub(super) people: u64,
    /// Rows in it.
    pub(super) rows: u64,
    /// Rows in each bucket.
    pub(super) buckets: Vec<u64>,
    /// Sums of the parts of the measure.
    pub(super) sums: Vec<u128>,
}

impl Totals {
    pub(super) fn read(statistic: &Statistic, elements: &[u64]) -> Result<Self, TotalsError> {
        let layout = &statistic.layout;
        let declaration = &statistic.declaration;
        check_len(layout.elements(0).count(), elements.len())?;
        let (counts, values) = elements.split_at(1 + layout.bucket_count());
        let people = counts[0];
        check_people(declaration, people)?;
        check_parts(declaration.rows, people, counts[1..].iter().copied())?;
        let mut numbers = layout.read(values, people)?;
        let sums = numbers.split_off(layout.first_part());
        let (rows, buckets) = if numbers.is_empty() {
            (people, counts[1..].to_vec())
        } else {
            read_rows(declaration, counts, &numbers)?
        };
        let first_part = layout.first_part();
        for (index, &sum) in sums.iter().enumerate() {
            let limit = layout.limit(first_part + index) / u128::from(declaration.rows);
            // Rows are no more than contributors times declared rows, for whom the layout has checked it.
            if sum > limit * u128::from(rows) {
                return Err(TotalsError::TooLarge {
                    index: first_part + index,
                });
            }
        }
        Ok(Self {
            people,
            rows,
            buckets,
            sums,
        })
    }
}

/// Rows and rows in each bucket, of a statistic of several rows for each person.
fn read_rows(
    declaration: &Declaration,
    people: &[u64],
    rows: &[u128],
) -> Result<(u64, Vec<u64>), TotalsError> {
    let most = u64::from(declaration.rows);
    let rows = rows
        .iter()
        .zip(people)
        .map(|(&rows, &people)| {
            // At most 2^32 people of 2^12 rows.
            u64::try_from(rows)
                .ok()
                .filter(|rows| (people..=people * most).contains(rows))
                .ok_or(TotalsError::Rows)
        })
        .collect::<Result<Vec<_>, _>>()?;
    let (&all, buckets) = rows.split_first().expect("rows come first");
    if buckets.is_empty() || buckets.iter().sum::<u64>() == all {
        Ok((all, buckets.to_vec()))
    } else {
        Err(TotalsError::Parts)
    }
}

pub(super) fn check_len(expected: usize, found: usize) -> Result<(), TotalsError> {
    if expected == found {
        Ok(())
    } else {
        Err(TotalsError::Length { expected, found })
    }
}

pub(super) fn check_people(declaration: &Declaration, found: u64) -> Result<(), TotalsError> {
    let contributors = declaration.contributors;
    if found <= contributors {
        Ok(())
    } else {
        Err(TotalsError::People {
            found,
            contributors,
        })
    }
}

/// Checks people in cells or buckets against all of them. A person of one row is in exactly one, a person of several in
/// at least one. Without any parts there is nothing to check.
pub(super) fn check_parts(
    rows: u16,
    people: u64,
    parts: impl Iterator<Item = u64> + Clone,
) -> Result<(), TotalsError> {
    if parts.clone().next().is_none() {
        return Ok(());
    }
    let mut sum = 0u128;
    let mut largest = 0;
    for part in parts {
        sum += u128::from(part);
        largest = largest.max(part);
    }
    let (least, most) = (u128::from(people), u128::from(people) * u128::from(rows));
    if largest <= people && (least..=most).contains(&sum) {
        Ok(())
    } else {
        Err(TotalsError::Parts)
    }
}
