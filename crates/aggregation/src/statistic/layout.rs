//! Which element of a vector is what, and how wide a number is.
//!
//! In order: people of each cell, of which there is one without groups; then, cell by cell, people in each bucket, if the
//! measure has buckets, and numbers that are added up. These are rows and rows in each bucket, if a person may have more
//! than one, and the parts of the measure. It is the order of [a committee's cells](crate::committee::Terms::cells).
//!
//! Who may have several rows can be in several cells. So where there are groups as well, the vector begins with all people.

use std::ops::Range;

use crypto::Vector;

use super::column;
use super::declaration::{
    CELLS_MAX, CONTRIBUTORS_MAX, Declaration, GROUPINGS_MAX, ROWS_MAX, TOTAL_BITS, VECTOR_LEN_MAX,
};
use super::part;
use super::refusal::DeclarationError;
use super::totals::TotalsError;

/// The layout of a statistic's vectors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// Parts of each grouping.
    groups: Vec<usize>,
    cells: usize,
    /// Of each cell; none for a measure without.
    buckets: usize,
    /// Whether numbers begin with rows, because a person may have several.
    several_rows: bool,
    numbers: Vec<Number>,
    /// Elements of all numbers together.
    width: usize,
}

/// A limb is below two to this power, whoever many contribute: [`CONTRIBUTORS_MAX`] times the greatest limb is below the
/// modulus, just. And it is small enough that a number is below the modulus exactly when a proof of its limbs shows so.
pub(crate) const LIMB_BITS: u32 = 32;

/// A number that is added up in every cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Number {
    /// The most that one person can have.
    limit: u128,
    /// In so many elements, the lowest limb first.
    width: usize,
}

impl Layout {
    pub(super) fn of(declaration: &Declaration) -> Result<Self, DeclarationError> {
        check_crowd(declaration)?;
        column::check(&declaration.columns)?;
        let columns = &declaration.columns;
        let groups = declaration
            .group_by
            .iter()
            .map(|domain| domain.check(columns))
            .collect::<Result<Vec<_>, _>>()?;
        let cells = groups
            .iter()
            .try_fold(1usize, |cells, parts| cells.checked_mul(*parts))
            .filter(|cells| *cells <= CELLS_MAX)
            .ok_or(DeclarationError::Cells)?;
        let buckets = match declaration.measure.domain() {
            Some(domain) => domain.check(columns)?,
            None => 0,
        };
        let numbers = numbers(declaration, buckets)?;
        let layout = Self {
            groups,
            cells,
            buckets,
            several_rows: declaration.rows > 1,
            width: numbers.iter().map(|number| number.width).sum(),
            numbers,
        };
        // At most 4096 cells of 4096 buckets and some 4300 numbers: no overflow.
        if layout.len() > VECTOR_LEN_MAX {
            return Err(DeclarationError::TooLong);
        }
        Ok(layout)
    }

    /// Elements of a vector.
    pub fn len(&self) -> usize {
        self.counts().end + self.cells * self.cell_len()
    }

    /// Never: there is at least the count of people.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// The elements that count people: all of them if that is no sum, and those in each cell. Each person adds 0 or 1. To
    /// be opened first, so that cells of too few people can be withheld.
    pub fn counts(&self) -> Range<usize> {
        0..usize::from(self.counts_all()) + self.cells
    }

    /// Whether the first element counts all people, because they can be in several cells.
    pub(super) fn counts_all(&self) -> bool {
        self.several_rows && !self.groups.is_empty()
    }

    /// How many cells there are; 1 without groups.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// The element that counts the people of a cell.
    pub fn people_index(&self, cell: usize) -> usize {
        usize::from(self.counts_all()) + cell
    }

    /// The elements that count the people in each bucket of a cell.
    pub fn buckets(&self, cell: usize) -> Range<usize> {
        let start = self.counts().end + cell * self.cell_len();
        start..start + self.buckets
    }

    /// The elements of a cell that are no counts of people.
    pub fn values(&self, cell: usize) -> Range<usize> {
        let start = self.buckets(cell).end;
        start..start + self.width
    }

    /// All elements of a cell: its people, its buckets, its values.
    pub fn elements(&self, cell: usize) -> impl Iterator<Item = usize> {
        let people = self.people_index(cell);
        std::iter::once(people)
            .chain(self.buckets(cell))
            .chain(self.values(cell))
    }

    /// The most that one person can add to each element, in order: what a proof of validity has to show at least.
    pub fn limits(&self) -> Vec<u64> {
        let mut limits = vec![1; self.counts().end];
        let of_cell: Vec<u64> = std::iter::repeat_n(1, self.buckets)
            .chain(self.numbers.iter().flat_map(Number::limb_limits))
            .collect();
        for _ in 0..self.cells {
            limits.extend(&of_cell);
        }
        limits
    }

    /// Elements of a cell besides the count of its people.
    fn cell_len(&self) -> usize {
        self.buckets + self.width
    }

    /// The cell of these parts of all groupings.
    pub(super) fn cell(&self, parts: impl Iterator<Item = usize>) -> usize {
        self.groups
            .iter()
            .zip(parts)
            .fold(0, |cell, (parts, part)| cell * parts + part)
    }

    /// The parts of all groupings that make a cell.
    pub(super) fn places(&self, mut cell: usize) -> Vec<usize> {
        assert!(cell < self.cells, "there are {} cells", self.cells);
        let mut places: Vec<usize> = self
            .groups
            .iter()
            .rev()
            .map(|parts| {
                let place = cell % parts;
                cell /= parts;
                place
            })
            .collect();
        places.reverse();
        places
    }

    /// How many buckets a cell has.
    pub(crate) fn bucket_count(&self) -> usize {
        self.buckets
    }

    /// How many numbers a cell has.
    pub(crate) fn numbers(&self) -> usize {
        self.numbers.len()
    }

    /// Which of a cell's numbers is the first part of the measure.
    pub(super) fn first_part(&self) -> usize {
        if self.several_rows {
            1 + self.buckets
        } else {
            0
        }
    }

    /// Counts a row, if rows are not people.
    pub(super) fn count_row(&self, numbers: &mut [u128], bucket: Option<usize>) {
        if self.several_rows {
            numbers[0] += 1;
            if let Some(bucket) = bucket {
                numbers[1 + bucket] += 1;
            }
        }
    }

    /// Writes one person's numbers of a cell.
    pub(super) fn write(&self, elements: &mut [u64], numbers: &[u128]) {
        let mut elements = elements.iter_mut();
        for (number, &value) in self.numbers.iter().zip(numbers) {
            for limb in 0..number.width {
                let element = elements.next().expect("a cell has as many elements");
                *element = number.limb(value, limb);
            }
        }
    }

    /// The most that one person can have of one of a cell's numbers.
    pub(crate) fn limit(&self, index: usize) -> u128 {
        self.numbers[index].limit
    }

    /// The most that one person can have of each limb of one of a cell's numbers, the lowest first.
    pub(crate) fn limb_limits(&self, index: usize) -> Vec<u64> {
        self.numbers[index].limb_limits().collect()
    }

    /// The totals of a cell's numbers over so many people, from as many elements as a cell has.
    pub(super) fn read(&self, elements: &[u64], people: u64) -> Result<Vec<u128>, TotalsError> {
        let mut elements = elements.iter();
        let mut totals = Vec::with_capacity(self.numbers.len());
        for (index, number) in self.numbers.iter().enumerate() {
            let mut total = 0u128;
            for limb in 0..number.width {
                let element = u128::from(*elements.next().expect("a cell has as many elements"));
                let most = u128::from(people) * u128::from(number.limb_limit(limb));
                if element > most {
                    return Err(TotalsError::TooLarge { index });
                }
                // Below 2^128: the highest limbs give less than 2^127 in all, and the others together less than that.
                total += element << (LIMB_BITS * limb as u32);
            }
            totals.push(total);
        }
        Ok(totals)
    }
}

impl Number {
    /// A limb of one person's number.
    fn limb(&self, value: u128, limb: usize) -> u64 {
        let shifted = value >> (LIMB_BITS * limb as u32);
        let last = limb + 1 == self.width;
        let mask = if last {
            u128::MAX
        } else {
            (1 << LIMB_BITS) - 1
        };
        u64::try_from(shifted & mask).expect("the width follows from the limit")
    }

    fn limb_limit(&self, limb: usize) -> u64 {
        if limb + 1 == self.width {
            self.limb(self.limit, limb)
        } else {
            (1 << LIMB_BITS) - 1
        }
    }

    fn limb_limits(&self) -> impl Iterator<Item = u64> {
        (0..self.width).map(|limb| self.limb_limit(limb))
    }
}

fn check_crowd(declaration: &Declaration) -> Result<(), DeclarationError> {
    let Declaration {
        contributors, rows, ..
    } = declaration;
    if !(1..=CONTRIBUTORS_MAX).contains(contributors) {
        return Err(DeclarationError::Contributors {
            found: *contributors,
        });
    }
    if !(1..=ROWS_MAX).contains(rows) {
        return Err(DeclarationError::Rows { found: *rows });
    }
    if declaration.group_by.len() > GROUPINGS_MAX {
        return Err(DeclarationError::Groupings {
            found: declaration.group_by.len(),
        });
    }
    Ok(())
}

fn numbers(declaration: &Declaration, buckets: usize) -> Result<Vec<Number>, DeclarationError> {
    let rows = u128::from(declaration.rows);
    let counted = if rows > 1 { 1 + buckets } else { 0 };
    let counts = (0..counted).map(|_| (1, String::from("rows")));
    let parts = part::parts(declaration)?;
    let parts = parts.into_iter().map(|part| (part.limit, part.column));
    counts
        .chain(parts)
        .map(|(of_row, column): (u128, String)| {
            let limit = of_row
                .checked_mul(rows)
                .filter(|limit| total(*limit, declaration) < 1 << TOTAL_BITS)
                .ok_or(DeclarationError::Overflow { column })?;
            let width = if total(limit, declaration) < u128::from(Vector::MODULUS) {
                1
            } else {
                (u128::BITS - limit.leading_zeros()).div_ceil(LIMB_BITS) as usize
            };
            Ok(Number { limit, width })
        })
        .collect()
}

/// What everybody together can have, or too much.
fn total(limit: u128, declaration: &Declaration) -> u128 {
    limit.saturating_mul(declaration.contributors.into())
}
