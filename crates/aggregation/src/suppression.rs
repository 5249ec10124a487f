//! Which cells of a grouped total may be opened: those of enough people, as long as what stays closed cannot be found by
//! subtraction (design: aggregation, "Count first").
//!
//! The total over all cells is opened too, so the closed cells' total follows from the others. It must be of enough people
//! as well: when the cells that are too small are too few together, the next smallest ones stay closed with them. This is
//! complementary suppression, for tables of one dimension (Cox, "Suppression methodology and statistical disclosure
//! control", 1980), with the fewest further cells.

/// What may be opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// By cell.
    pub cells: Vec<bool>,
    /// Whether the total over all cells is opened.
    pub total: bool,
}

impl Opening {
    /// Nothing at all, of so many cells.
    fn none(cells: usize) -> Self {
        Self {
            cells: vec![false; cells],
            total: false,
        }
    }
}

/// What may be opened of cells with these counts, when `enough` people may be counted together: the minimum crowd, and
/// besides it as many as may collude with the asker, for these are nobody to hide among (design: padding allowance).
///
/// A cell without people is too small as well: that nobody is in it says something about everybody.
///
/// The counts may come from colluding helpers, so that nothing overflows or panics, whatever they are.
pub fn open(counts: &[u64], enough: u64) -> Opening {
    let enough = enough.max(1);
    let sum = |counts: &mut dyn Iterator<Item = u64>| counts.fold(0, u64::saturating_add);
    if sum(&mut counts.iter().copied()) < enough {
        return Opening::none(counts.len());
    }
    let mut by_size: Vec<_> = (0..counts.len()).collect();
    by_size.sort_by_key(|cell| (counts[*cell], *cell));
    let mut closed = counts.iter().filter(|count| **count < enough).count();
    // Closed are always the smallest.
    let closed_people =
        |closed: usize| sum(&mut by_size[..closed].iter().map(|cell| counts[*cell]));
    while closed > 0 && closed < counts.len() && closed_people(closed) < enough {
        closed += 1;
    }
    let mut cells = vec![true; counts.len()];
    for cell in &by_size[..closed] {
        cells[*cell] = false;
    }
    Opening { cells, total: true }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn opened(counts: &[u64], enough: u64) -> Vec<usize> {
        let opening = open(counts, enough);
        let cells = opening.cells.iter().enumerate();
        cells
            .filter(|(_, open)| **open)
            .map(|(cell, _)| cell)
            .collect()
    }

    #[test]
    fn small_cells_stay_closed() {
        assert_eq!(opened(&[10, 20, 30], 10), [0, 1, 2]);
        // Two small ones that are enough together.
        assert_eq!(opened(&[6, 20, 7, 30], 10), [1, 3]);
        // One alone would be the rest; so would two that are few.
        assert_eq!(opened(&[6, 20, 30], 10), [2]);
        assert_eq!(opened(&[1, 2, 20, 30], 10), [3]);
        // Nobody is few as well.
        assert_eq!(opened(&[0, 20, 30], 10), [2]);
        assert!(opened(&[9, 20], 10).is_empty());
        assert!(open(&[9, 20], 10).total);
    }

    #[test]
    fn too_small_a_crowd_opens_nothing() {
        for counts in [&[][..], &[9], &[4, 5], &[0, 0]] {
            assert_eq!(open(counts, 10), Opening::none(counts.len()));
        }
        assert!(open(&[10], 10).total);
    }

    #[test]
    fn false_counts_do_no_harm() {
        let opening = open(&[u64::MAX, u64::MAX, 3], u64::MAX);
        assert_eq!(opening.cells, [false, true, false]);
        assert!(!open(&[0], 0).total);
    }

    proptest! {
        /// Everything that follows from what is opened is about enough people.
        #[test]
        fn nothing_small_follows(
            counts in proptest::collection::vec(0u64..40, 0..12),
            enough in 1u64..30,
        ) {
            let opening = open(&counts, enough);
            let total: u64 = counts.iter().sum();
            prop_assert_eq!(opening.total, !counts.is_empty() && total >= enough);
            let pairs = || counts.iter().zip(&opening.cells);
            prop_assert!(pairs().all(|(count, open)| !open || *count >= enough));
            let closed: Vec<u64> = pairs().filter(|(_, open)| !**open).map(|(count, _)| *count).collect();
            if opening.total {
                prop_assert!(closed.is_empty() || closed.iter().sum::<u64>() >= enough);
                // No cell is closed for nothing: without its largest, the closed ones would be too few, or it is small itself.
                if let Some(largest) = closed.iter().max() {
                    let rest = closed.iter().sum::<u64>() - largest;
                    prop_assert!(*largest < enough || rest < enough);
                }
            }
        }
    }
}
