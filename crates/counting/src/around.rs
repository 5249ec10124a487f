//! The nodes around a point, nearest first.

use base::Location;

use super::population::Population;

/// Walks outwards from a point, both ways round, over every node once.
#[derive(Clone)]
pub struct Around<'a> {
    locations: &'a [u64],
    point: u64,
    ahead: usize,
    behind: usize,
    left: usize,
}

/// A node seen from a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Which node.
    pub place: usize,
    /// How far away, along the shorter way round.
    pub distance: u64,
}

impl<'a> Around<'a> {
    /// Starts at `point`.
    pub fn new(population: &'a Population, point: Location) -> Self {
        let locations = population.locations();
        let ahead = population.after(point) % locations.len();
        Self {
            locations,
            point: point.0,
            ahead,
            behind: ahead.checked_sub(1).unwrap_or(locations.len() - 1),
            left: locations.len(),
        }
    }
}

impl Iterator for Around<'_> {
    type Item = Seen;

    #[inline]
    fn next(&mut self) -> Option<Seen> {
        self.left = self.left.checked_sub(1)?;
        let (ahead, behind) = (self.ahead, self.behind);
        let clockwise = self.locations[ahead].wrapping_sub(self.point);
        let anticlockwise = self.point.wrapping_sub(self.locations[behind]);
        Some(if clockwise <= anticlockwise {
            self.ahead = if ahead + 1 == self.locations.len() {
                0
            } else {
                ahead + 1
            };
            Seen {
                place: ahead,
                distance: clockwise,
            }
        } else {
            self.behind = behind.checked_sub(1).unwrap_or(self.locations.len() - 1);
            Seen {
                place: behind,
                distance: anticlockwise,
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;

    use super::*;

    #[test]
    fn every_node_comes_once_and_the_nearest_first() {
        for nodes in [1, 2, 3, 50] {
            let population = Population::new(nodes, nodes, 0);
            let mut rng = Rng::from_number(nodes);
            for _ in 0..50 {
                let point = Location(rng.number());
                let mut expected: Vec<_> = (0..nodes as usize)
                    .map(|place| Seen {
                        place,
                        distance: point.distance(population.location(place)),
                    })
                    .collect();
                expected.sort_by_key(|seen| seen.distance);
                assert_eq!(
                    Around::new(&population, point).collect::<Vec<_>>(),
                    expected
                );
            }
        }
    }
}
