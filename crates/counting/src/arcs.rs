//! Where colluders sit so close together that they can sign for each other.

use base::Location;
use overlay::Row;

/// Colluders who together are legitimate for some point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Arc {
    /// Which of the colluders is the first, clockwise.
    pub first: usize,
    /// How many there are.
    pub k: usize,
    /// From the first to the last, as a share of the ring.
    pub span: f64,
    /// Size of the region that makes so many legitimate.
    pub region_size: f64,
}

/// All arcs in which colluders at these locations, ascending, fill some row of a k-table: from each of them the shortest that
/// starts there.
pub fn arcs<'a>(colluders: &'a [Location], rows: &'a [Row]) -> impl Iterator<Item = Arc> + 'a {
    let location = |at: usize| colluders[at % colluders.len()].0;
    let from = move |first: usize| {
        rows.iter().find_map(|row| {
            let k = row.k as usize;
            let span = location(first + k - 1).wrapping_sub(location(first));
            let span = Location(span).as_f64();
            let fits = k <= colluders.len() && span <= row.region_size;
            fits.then_some(Arc {
                first,
                k,
                span,
                region_size: row.region_size,
            })
        })
    };
    (0..colluders.len()).filter_map(from)
}
