//! The DHT by which a far point is reached.

use base::Location;

use super::can::Can;
use super::chord;
use super::population::Population;

/// A network with its DHT.
#[derive(Clone, Copy)]
pub enum Overlay<'a> {
    /// A ring with fingers (Stoica and others, 2001).
    Chord(&'a Population),
    /// A torus of zones (Ratnasamy and others, 2001).
    Can(&'a Can<'a>),
}

impl<'a> Overlay<'a> {
    /// Who is there.
    pub fn population(&self) -> &'a Population {
        match self {
            Self::Chord(population) => population,
            Self::Can(can) => can.population(),
        }
    }

    /// Hops from each of these places to the node that answers for the point beside it.
    pub fn hops(&self, lookups: &[(usize, Location)], hops: &mut Vec<u32>) {
        match self {
            Self::Chord(population) => chord::hops(population, lookups, hops),
            Self::Can(can) => {
                hops.clear();
                let lookups = lookups.iter();
                hops.extend(lookups.map(|(from, point)| can.hops(*from, *point)));
            }
        }
    }
}
