//! What chance decides in a draw.

use base::Location;

use super::population::{GOLDEN, Population, mixed};

/// The values of one draw. Attempts count from 0, and so do moves to another point.
pub trait Values {
    /// Where the draw goes.
    fn point(&self, attempt: u32, moves: u32) -> Location;

    /// The first 64 bits of RND_S, which decides who is drawn there.
    fn lot(&self, attempt: u32, moves: u32) -> u64;

    /// M.Hash: where the actor of this seat is.
    fn seat(&self, attempt: u32, seat: u32) -> Location;

    /// What whoever is free to choose chooses by; any number of them.
    fn choice(&self, attempt: u32, number: u32) -> u64;
}

/// Values that lead to a given setter, and are random otherwise: the paper's "artificially fixing the RND_T value".
#[derive(Debug, Clone, Copy)]
pub struct Forced {
    start: u64,
    first: Location,
}

impl Forced {
    /// The first point lies where the node at `setter` is the nearest, anywhere there with the same chance.
    pub fn new(population: &Population, setter: usize, seed: u64) -> Self {
        let start = mixed(seed ^ mixed(setter as u64 ^ population.seed().rotate_left(32)));
        let nodes = population.nodes();
        let here = population.location(setter).0;
        let next = population.location((setter + 1) % nodes).0;
        let previous = population.location((setter + nodes - 1) % nodes).0;
        // Up to half way to each neighbour; a lone node has the whole ring.
        let whole = u64::from(nodes == 1).wrapping_neg();
        let ahead = next.wrapping_sub(here).max(whole) / 2;
        let behind = here.wrapping_sub(previous).max(whole) / 2;
        let width = u128::from(ahead) + u128::from(behind);
        let within = ((u128::from(mixed(start)) * width) >> 64) as u64;
        let first = Location(here.wrapping_sub(behind).wrapping_add(within));
        Self { start, first }
    }

    fn number(&self, kind: u64, attempt: u32, number: u32) -> u64 {
        let which = kind << 48 | u64::from(attempt) << 32 | u64::from(number);
        mixed(self.start.wrapping_add((which + 1).wrapping_mul(GOLDEN)))
    }
}

impl Values for Forced {
    fn point(&self, attempt: u32, moves: u32) -> Location {
        match (attempt, moves) {
            (0, 0) => self.first,
            _ => Location(self.number(0, attempt, moves)),
        }
    }

    fn lot(&self, attempt: u32, moves: u32) -> u64 {
        self.number(1, attempt, moves)
    }

    fn seat(&self, attempt: u32, seat: u32) -> Location {
        match (attempt, seat) {
            (0, 0) => self.first,
            _ => Location(self.number(2, attempt, seat)),
        }
    }

    fn choice(&self, attempt: u32, number: u32) -> u64 {
        self.number(3, attempt, number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Around;

    #[test]
    fn the_setter_is_the_nearest() {
        for nodes in [1, 2, 3, 1000] {
            let population = Population::new(nodes, nodes, 0);
            for setter in 0..nodes as usize {
                for seed in 0..5 {
                    let point = Forced::new(&population, setter, seed).point(0, 0);
                    let nearest = Around::new(&population, point).next();
                    assert_eq!(nearest.map(|seen| seen.place), Some(setter));
                }
            }
        }
    }

    #[test]
    fn values_differ() {
        let population = Population::new(1, 10, 0);
        let values = Forced::new(&population, 3, 7);
        let mut all: Vec<_> = (0..3)
            .flat_map(|attempt| (0..20).map(move |number| (attempt, number)))
            .flat_map(|(attempt, number)| {
                let Location(point) = values.point(attempt, number);
                let lot = values.lot(attempt, number);
                [point, lot, values.choice(attempt, number)]
            })
            .collect();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), 180);
    }
}
