//! Totals by group: how a vector is made of cells, and what of its total leaves the committee.
//!
//! A vector of `cells` cells holds the match count of each, then the other numbers of each. Somebody who matches is in one
//! cell; a question without groups has one. What is opened is the total over all cells, and besides it each cell that
//! [`crate::suppression`] lets out.

use crypto::{LengthMismatch, Vector};

use crate::committee::fault::Misbehaviour;
use crate::committee::terms::Terms;
use crate::suppression;

/// What was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Totals {
    /// Over all cells: the match count, then the other numbers.
    pub whole: Vec<u64>,
    /// The same of each cell, if it is open; nothing where the question has no groups.
    pub cells: Vec<Option<Vec<u64>>>,
}

impl Terms {
    /// Numbers of one cell, its count included.
    pub fn width(&self) -> usize {
        self.vector_len / self.cells.max(1)
    }

    /// Numbers that are opened with these cells.
    pub(super) fn opened_len(&self, open: &[bool]) -> usize {
        self.width() * (1 + open.iter().filter(|open| **open).count())
    }

    /// Whether cells can be named so.
    pub(super) fn names_cells(&self, open: &[bool]) -> bool {
        open.len() == if self.cells > 1 { self.cells } else { 0 }
    }

    /// Which cells may be opened, given the counts of all; nothing when not even their total may.
    pub(super) fn open_cells(&self, counts: &[u64]) -> Option<Vec<bool>> {
        let opening = suppression::open(counts, self.threshold);
        let cells = if self.cells > 1 {
            opening.cells
        } else {
            Vec::new()
        };
        opening.total.then_some(cells)
    }

    /// What a lane gives of its `total` when these cells are open.
    pub(super) fn opened(&self, total: &[u64], open: &[bool]) -> Result<Vec<u64>, LengthMismatch> {
        let mut whole = Vector::zeros(self.width());
        for cell in 0..self.cells {
            whole.add(&field(self.cell(total, cell)))?;
        }
        let mut given = whole.to_u64s();
        for (cell, _) in open.iter().enumerate().filter(|(_, open)| **open) {
            given.extend(self.cell(total, cell));
        }
        Ok(given)
    }

    fn cell(&self, total: &[u64], cell: usize) -> Vec<u64> {
        let others = self.width() - 1;
        let first = self.cells + cell * others;
        let count = total.get(cell).into_iter();
        let numbers = total.get(first..first + others).into_iter().flatten();
        count.chain(numbers).copied().collect()
    }

    /// Reads what all lanes together have given, and checks that nothing small follows from it.
    ///
    /// # Errors
    ///
    /// The check that failed.
    pub(super) fn read(&self, given: &[u64], open: &[bool]) -> Result<Totals, Misbehaviour> {
        let mut parts = given.chunks(self.width().max(1));
        let whole = parts.next().ok_or(Misbehaviour::Shape)?.to_vec();
        let cells = open
            .iter()
            .map(|open| open.then(|| parts.next().map(<[u64]>::to_vec)).flatten());
        let totals = Totals {
            whole,
            cells: cells.collect(),
        };
        let enough = |count: u64| count >= self.threshold;
        let counts = totals.cells.iter().flatten().map(|cell| cell[0]);
        let opened = counts.clone().fold(0, u64::saturating_add);
        let closed = totals.whole[0]
            .checked_sub(opened)
            .ok_or(Misbehaviour::SmallCell)?;
        let hides = open.contains(&false);
        if !enough(totals.whole[0]) || !counts.clone().all(enough) || (hides && !enough(closed)) {
            return Err(Misbehaviour::SmallCell);
        }
        Ok(totals)
    }
}

fn field(numbers: Vec<u64>) -> Vector {
    Vector::from_u64s(&numbers).expect("totals are elements of the field")
}
