//! The DHT by which a far point is reached.

use base::Location;

use super::chord;
use super::population::Population;

/// A network with its DHT.
#[derive(Clone, Copy)]
pub enum Overlay<'a> {
    /// A ring with fingers (Stoica and others, 2001).
    Chord(&'a Population),
}

impl<'a> Overlay<'a> {
    /// Who is there.
    pub fn population(&self) -> &'a Population {
        match self {
            Self::Chord(population) => population,
        }
    }

    /// Hops from each of these places to the node that answers for the point beside it.
    pub fn hops(&self, lookups: &[(usize, Location)], hops: &mut Vec<u32>) {
        match self {
            Self::Chord(population) => chord::hops(population, lookups, hops),
        }
    }
}
