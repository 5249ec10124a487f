//! Statistics as sums of vectors: from one person's rows to a vector of integers, from everybody's totals to figures
//! (design: aggregation, "statistics are sums of vectors").
//!
//! A [`Declaration`] says what is computed, of which columns, in which groups, over how many people at most. Checked, it
//! is a [`Statistic`], which fixes the [`Layout`] of the vector. Whoever contributes [encodes](Statistic::encode) rows;
//! whoever has the totals [decodes](Statistic::decode) them.
//!
//! * A column is a number with a declared range and step, or one of declared words. A number goes in as steps above the
//!   lowest value of its range: never negative, never a double. A value outside the range is refused, not clamped: a
//!   clamped value would make the answer wrong unseen, and its owner would not learn that the declaration does not fit.
//! * A vector begins with the count of people per cell: 1 in one's own, or zeros throughout for one who has no row. Then
//!   come, cell by cell, people per bucket and what is added up. So counts can be opened first, and the total over all
//!   cells [decodes](Statistic::decode_whole) like one of them.
//! * Nothing overflows. A number whose total over all contributors could reach the field's modulus is cut into limbs, each
//!   of which stays below it; one whose total could reach 2^127 is refused.
//! * Totals come from others. What no population within the declaration can have is an error, never a panic; not all that
//!   is impossible is found.
//!
//! Not here, on purpose: which cells are too small to be opened ([`Statistic::decode_cell`] takes them one by one), noise,
//! and proofs that an encoding is valid ([`crate::validity::Shape::of`]).
//!
//! | file | idea |
//! |---|---|
//! | `declaration`, `column`, `domain`, `refusal` | what is declared, and what is refused |
//! | `layout` | which element of a vector is what, and how wide |
//! | `row` | one person's values, checked against the columns |
//! | `part` | which numbers of a row are added up |
//! | `totals` | sums read back out of a vector, with the checks that they must pass |
//! | `decoding`, `answer`, `fixed` | figures, exact numbers |
//! | `moments`, `distribution`, `regression`, `logistic` | one family of figures each |
//! | `elimination` | linear equations, exactly |
//!
//! ```
//! use aggregation::statistic::{Declaration, Figures, Measure, Statistic, Value};
//! use community::{Column, Kind, Range};
//!
//! let age = Column {
//!     name: "age".into(),
//!     kind: Kind::Number(Range { decimals: 0, min: 18, max: 120 }),
//! };
//! let statistic = Statistic::new(Declaration {
//!     columns: vec![age],
//!     group_by: vec![],
//!     measure: Measure::Moments { column: 0, order: 2 },
//!     contributors: 1000,
//!     rows: 1,
//! })?;
//! // Three people of 30, 40 and 50, and one who does not match.
//! let mut totals = vec![0; statistic.layout().len()];
//! for rows in [&[[Value::Number(30)]][..], &[[Value::Number(40)]], &[[Value::Number(50)]], &[]] {
//!     for (total, part) in totals.iter_mut().zip(statistic.encode(rows)?) {
//!         *total += part;
//!     }
//! }
//! let answer = statistic.decode(&totals)?;
//! assert_eq!(answer.people, 3);
//! let Ok(Figures::Moments(moments)) = &answer.cells[0].figures else { panic!("three rows") };
//! assert_eq!(moments.mean.to_string(), "40");
//! assert_eq!(moments.variance.to_string(), "200/3");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod column;
mod declaration;
mod decoding;
mod distribution;
mod domain;
mod elimination;
mod fixed;
mod layout;
mod logistic;
mod moments;
mod part;
mod refusal;
mod regression;
mod row;
#[cfg(test)]
mod tests;
mod totals;

use std::collections::BTreeMap;

pub use answer::{Answer, Cell, Exactness, Figures, Undefined};
pub use column::to_units;
pub use declaration::{
    CELLS_MAX, COLUMNS_MAX, CONTRIBUTORS_MAX, DECIMALS_MAX, DECLARATION_BYTES_MAX, Declaration,
    GROUPINGS_MAX, LEVEL_ONE, LEVELS_MAX, Measure, NAME_BYTES_MAX, ORDER_MAX, PREDICTORS_MAX,
    ROWS_MAX, TOTAL_BITS, VECTOR_LEN_MAX,
};
pub use distribution::{Quantile, Top};
pub use domain::{Bracket, Buckets, Domain, Label};
pub use fixed::{Fixed, Fraction};
pub use layout::Layout;
pub use logistic::{LogisticStep, finest_decimals};
pub use moments::Moments;
pub use refusal::DeclarationError;
pub use regression::{Coefficient, Covariance, Linear};
pub use row::{RowError, Value};
pub use totals::TotalsError;

pub(crate) use layout::LIMB_BITS;
pub(crate) use part::Origin;

/// A declaration that has been checked, with the layout that follows from it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statistic {
    declaration: Declaration,
    layout: Layout,
}

impl Statistic {
    /// Checks a declaration, whoever made it, in time and memory bounded by the limits of this module.
    ///
    /// # Errors
    ///
    /// What is wrong with it, naming column and limit.
    pub fn new(declaration: Declaration) -> Result<Self, DeclarationError> {
        let layout = Layout::of(&declaration)?;
        Ok(Self {
            declaration,
            layout,
        })
    }

    /// What was declared.
    pub fn declaration(&self) -> &Declaration {
        &self.declaration
    }

    /// Which element of a vector is what.
    pub fn layout(&self) -> &Layout {
        &self.layout
    }

    /// One person's rows as a vector of [`Layout::len`] integers below [`crypto::Vector::MODULUS`]. Of no rows, all zeros:
    /// somebody who does not match, or whose values are missing or refused, sends these like everybody else. Personal.
    ///
    /// # Errors
    ///
    /// Rows that do not fit the declaration, by column. Then nothing must be sent but zeros.
    pub fn encode<'a, R: AsRef<[Value<'a>]>>(&self, rows: &[R]) -> Result<Vec<u64>, RowError> {
        let limit = self.declaration.rows;
        if rows.len() > usize::from(limit) {
            return Err(RowError::TooManyRows {
                found: rows.len(),
                limit,
            });
        }
        let layout = &self.layout;
        let mut vector = vec![0; layout.len()];
        let mut sums: BTreeMap<usize, Vec<u128>> = BTreeMap::new();
        for row in rows {
            let row = row::Row::checked(&self.declaration, row.as_ref())?;
            let (cell, bucket) = (row.cell(layout), row.bucket());
            if layout.counts_all() {
                vector[0] = 1;
            }
            vector[layout.people_index(cell)] = 1;
            if let Some(bucket) = bucket {
                vector[layout.buckets(cell).start + bucket] = 1;
            }
            let of_cell = sums
                .entry(cell)
                .or_insert_with(|| vec![0; layout.numbers()]);
            layout.count_row(of_cell, bucket);
            let parts = &mut of_cell[layout.first_part()..];
            for (sum, part) in parts.iter_mut().zip(part::values(&row)) {
                // Bounded by rows times the limit of a row, which the layout has checked.
                *sum += part;
            }
        }
        for (cell, sums) in sums {
            layout.write(&mut vector[layout.values(cell)], &sums);
        }
        Ok(vector)
    }

    /// The figures of all cells, from the totals of all elements.
    ///
    /// # Errors
    ///
    /// Totals that no population within the declaration has.
    pub fn decode(&self, totals: &[u64]) -> Result<Answer, TotalsError> {
        let layout = &self.layout;
        totals::check_len(layout.len(), totals.len())?;
        let cells = (0..layout.cells())
            .map(|cell| {
                let opened: Vec<u64> = layout.elements(cell).map(|index| totals[index]).collect();
                self.decode_cell(cell, &opened)
            })
            .collect::<Result<Vec<_>, _>>()?;
        let of_cells = cells.iter().map(|cell| cell.people);
        let people = if layout.counts_all() {
            totals::check_parts(self.declaration.rows, totals[0], of_cells)?;
            totals[0]
        } else {
            // At most 4096 cells of 2^32 people, which each of them was checked to have.
            of_cells.sum()
        };
        totals::check_people(&self.declaration, people)?;
        Ok(Answer {
            people,
            exactness: self.exactness(),
            cells,
        })
    }

    /// How near its figures are to those of the rows.
    pub fn exactness(&self) -> Exactness {
        Exactness::of(&self.declaration.measure)
    }

    /// The figures of one cell, from the totals of [its elements](Layout::elements) in their order. For an engine that
    /// withholds other cells.
    ///
    /// # Errors
    ///
    /// Totals that no population within the declaration has.
    ///
    /// # Panics
    ///
    /// When there is no such cell.
    pub fn decode_cell(&self, cell: usize, totals: &[u64]) -> Result<Cell, TotalsError> {
        self.figures_of(self.labels(cell), totals)
    }

    /// The figures over all cells together, from their totals added up: as of a [cell](Self::decode_cell), without labels.
    /// Right for one row of each person, who is in one cell.
    ///
    /// # Errors
    ///
    /// Totals that no population within the declaration has.
    pub fn decode_whole(&self, totals: &[u64]) -> Result<Cell, TotalsError> {
        self.figures_of(Vec::new(), totals)
    }

    /// What the groups of a cell are called, one for each grouping.
    ///
    /// # Panics
    ///
    /// When there is no such cell.
    pub fn labels(&self, cell: usize) -> Vec<Label> {
        let columns = &self.declaration.columns;
        self.declaration
            .group_by
            .iter()
            .zip(self.layout.places(cell))
            .map(|(domain, place)| domain.label(columns, place))
            .collect()
    }

    fn figures_of(&self, labels: Vec<Label>, totals: &[u64]) -> Result<Cell, TotalsError> {
        let read = totals::Totals::read(self, totals)?;
        Ok(Cell {
            labels,
            people: read.people,
            rows: read.rows,
            figures: decoding::figures(self, &read)?,
        })
    }

    /// What each of a row's numbers is.
    pub(crate) fn origins(&self) -> Vec<Origin> {
        part::origins(&self.declaration)
    }

    /// The columns that one of a row's numbers is of, for people.
    pub(crate) fn number_name(&self, index: usize) -> String {
        let mut parts = part::parts(&self.declaration).expect("the declaration was checked");
        parts.swap_remove(index).column
    }
}
