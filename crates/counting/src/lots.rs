//! Who is drawn: the candidates whose names, XORed with the random, are the smallest (SEP2P §3.5 step 8e).

use super::population::Population;

/// Room for draws, and the last one drawn.
#[derive(Debug, Default)]
pub struct Lots {
    lots: Vec<(u64, u32)>,
    drawn: Vec<usize>,
}

impl Lots {
    /// Draws among `count` nodes from place `first` on, clockwise. Whether there were as many as seats.
    pub fn draw(
        &mut self,
        population: &Population,
        (first, count): (usize, usize),
        random: u64,
        seats: usize,
    ) -> bool {
        self.drawn.clear();
        if count < seats {
            return false;
        }
        // Few are small: only they are sorted. Should they be too few, all are.
        let share = seats as f64 / count as f64 * (1.0 + 4.0 / (seats as f64).sqrt());
        let limit = (share * 2f64.powi(64)) as u64;
        for limit in [limit, u64::MAX] {
            self.collect(population, (first, count), random, limit);
            if self.lots.len() >= seats {
                break;
            }
        }
        if self.lots.len() > seats {
            self.lots.select_nth_unstable(seats);
        }
        let drawn = self.lots[..seats].iter();
        self.drawn.extend(drawn.map(|(_, place)| *place as usize));
        true
    }

    fn collect(
        &mut self,
        population: &Population,
        (first, count): (usize, usize),
        random: u64,
        limit: u64,
    ) {
        self.lots.clear();
        let before_end = count.min(population.nodes() - first);
        for places in [first..first + before_end, 0..count - before_end] {
            for place in places {
                let lot = population.name(place) ^ random;
                if lot <= limit {
                    self.lots.push((lot, place as u32));
                }
            }
        }
    }

    /// Picks `seats` of the `count` nodes from place `first` on, of `nodes` on the ring, each set with the same chance.
    pub fn pick(
        &mut self,
        (first, count, nodes): (usize, usize, usize),
        seats: usize,
        choice: impl Fn(u32) -> u64,
    ) {
        self.drawn.clear();
        // Floyd's sampling.
        for last in count - seats..count {
            let place = |number: usize| (first + number) % nodes;
            let scaled = u128::from(choice(last as u32)) * (last as u128 + 1);
            let number = (scaled >> 64) as usize;
            let taken = self.drawn.contains(&place(number));
            self.drawn.push(place(if taken { last } else { number }));
        }
    }

    /// The last drawn or picked.
    pub fn drawn(&self) -> &[usize] {
        &self.drawn
    }
}

#[cfg(test)]
mod tests {
    use base::Rng;

    use super::*;

    #[test]
    fn the_smallest_are_drawn() {
        let population = Population::new(1, 1000, 0);
        let (mut lots, mut rng) = (Lots::default(), Rng::from_number(1));
        for (first, count, seats) in [
            (0, 1000, 32),
            (990, 100, 8),
            (5, 40, 40),
            (7, 3, 1),
            (999, 1000, 999),
        ] {
            let random = rng.number();
            assert!(lots.draw(&population, (first, count), random, seats));
            let mut all: Vec<_> = (first..first + count).map(|place| place % 1000).collect();
            all.sort_by_key(|place| population.name(*place) ^ random);
            let mut drawn = lots.drawn().to_vec();
            drawn.sort_by_key(|place| population.name(*place) ^ random);
            assert_eq!(drawn, all[..seats]);
        }
        assert!(!lots.draw(&population, (0, 7), 0, 8));
        assert!(lots.drawn().is_empty());
    }

    #[test]
    fn each_is_picked_as_often_and_none_twice() {
        let mut lots = Lots::default();
        let mut picked = [0; 10];
        for round in 0..3000 {
            let mut rng = Rng::from_number(round);
            let numbers: Vec<_> = (0..10).map(|_| rng.number()).collect();
            lots.pick((8, 10, 12), 3, |number| numbers[number as usize]);
            let mut drawn = lots.drawn().to_vec();
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), 3);
            for place in drawn {
                picked[(place + 12 - 8) % 12] += 1;
            }
        }
        // 900 each, with a standard deviation of 25.
        assert!(
            picked.iter().all(|times| (800..1000).contains(times)),
            "{picked:?}"
        );
    }
}
