//! What decides how far nodes see: the k-table and the caches, in units of the ring.

use base::{Location, Region};
use overlay::{KTable, KTableError, Parameters, cache_share};
use selection::strategy::near_size;

/// What the figures vary (table 3).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terms {
    /// N, C, α and the form of the k-table.
    pub parameters: Parameters,
    /// Nodes in a cache, on average.
    pub cache: u32,
    /// A.
    pub seats: u32,
}

/// The same, as every node computes it. Distances are in 2^-64 of the ring.
#[derive(Debug, Clone, PartialEq)]
pub struct Setting {
    /// A.
    pub seats: usize,
    /// C.
    pub colluders: u64,
    /// k and the reach of its region, by growing k.
    pub rows: Vec<(usize, u64)>,
    /// How far from itself a node knows everybody.
    pub known: u64,
    /// How far from a drawn point candidates may sit: R3.
    pub candidates: u64,
    /// Whether R3 is the whole ring.
    pub is_mesh: bool,
    /// How far from a point a verifier still believes that a node is the nearest.
    pub near: u64,
}

/// Greatest distance from the centre of a region of this size.
fn reach(size: f64) -> u64 {
    let centre = Location(0);
    centre.0.wrapping_sub(Region::new(centre, size).begins().0)
}

impl Setting {
    /// R3 holds `cache` nodes on average, and so does a cache; but each node knows at least whom it must call legitimate.
    ///
    /// # Errors
    ///
    /// When no k-table exists for these numbers.
    pub fn new(terms: &Terms) -> Result<Self, KTableError> {
        let Terms {
            parameters,
            cache,
            seats,
        } = terms;
        let table = KTable::new(*parameters)?;
        let wanted = f64::from(*cache) / parameters.nodes as f64;
        let known = cache_share(parameters.nodes, *cache, &table);
        Ok(Self::with_table(
            &table,
            parameters,
            (known, wanted),
            *seats,
        ))
    }

    /// For nodes that know the share `known` of the ring around them, and draw from the share `candidates`.
    pub fn with_table(
        table: &KTable,
        parameters: &Parameters,
        (known, candidates): (f64, f64),
        seats: u32,
    ) -> Self {
        let near = near_size(parameters.nodes, parameters.alpha);
        let rows = table.rows().iter();
        Self {
            seats: seats as usize,
            colluders: parameters.colluders,
            rows: rows
                .map(|row| (row.k as usize, reach(row.region_size)))
                .collect(),
            known: reach(known),
            candidates: reach(candidates),
            is_mesh: candidates >= 1.0,
            near: reach(near),
        }
    }
}
