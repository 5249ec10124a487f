//! In how many ways bad seats can sit in lanes.

/// In how many ways j bad seats can sit in the lanes so far, for each j; as `f64`, since there are up to 2^255.
pub struct Placements {
    /// Ways to place j in one lane.
    lane: Vec<f64>,
    /// As few as so many of a lane are a majority; as many as that, away, leave none, for r is odd.
    majority: usize,
    /// By the number of lanes, from none: every lane has one.
    every: Vec<Vec<f64>>,
    /// No lane has a majority of them.
    none: Vec<f64>,
    /// Some lane has a majority of them.
    some: Vec<f64>,
}

impl Placements {
    pub fn of_one_lane(replicas: u16) -> Self {
        let replicas = usize::from(replicas);
        let majority = replicas / 2 + 1;
        let mut lane = vec![1.0];
        for j in 0..replicas {
            // Exact: each product is below 2^53.
            lane.push(lane[j] * (replicas - j) as f64 / (j + 1) as f64);
        }
        let only = |keep: &dyn Fn(usize) -> bool| {
            let ways = lane.iter().enumerate();
            ways.map(|(j, &ways)| if keep(j) { ways } else { 0.0 })
                .collect()
        };
        Self {
            every: vec![vec![1.0], only(&|j| j > 0)],
            none: only(&|j| j < majority),
            some: only(&|j| j >= majority),
            majority,
            lane,
        }
    }

    pub fn add_lane(&mut self) {
        let replicas = self.lane.len() - 1;
        let (few, many) = self.lane.split_at(self.majority);
        let longer = || vec![0.0; self.none.len() + replicas];
        let (mut every, mut none, mut some) = (longer(), longer(), longer());
        let every_before = &self.every[self.every.len() - 1];
        for before in 0..self.none.len() {
            add_scaled(
                &mut every[before + 1..],
                every_before[before],
                &self.lane[1..],
            );
            add_scaled(&mut none[before..], self.none[before], few);
            let at_majority = &mut some[before + self.majority..];
            add_scaled(at_majority, self.none[before], many);
            add_scaled(&mut some[before..], self.some[before], &self.lane);
        }
        self.every.push(every);
        (self.none, self.some) = (none, some);
    }

    /// Share of the placements of j bad seats in which every lane has one.
    pub fn share_in_every_lane(&self, j: usize) -> f64 {
        self.every[self.every.len() - 1][j] / self.all(j)
    }

    /// Share of the placements of j bad seats in which so many given lanes have none, and every other lane has one.
    pub fn share_with_none_in(&self, lanes: usize, j: usize) -> f64 {
        let every = &self.every[self.every.len() - 1 - lanes];
        every.get(j).copied().unwrap_or(0.0) / self.all(j)
    }

    /// Share of the placements of j bad seats in which they are a majority of some lane.
    pub fn share_with_a_majority(&self, j: usize) -> f64 {
        self.some[j] / self.all(j)
    }

    fn all(&self, j: usize) -> f64 {
        self.none[j] + self.some[j]
    }
}

fn add_scaled(sums: &mut [f64], factor: f64, terms: &[f64]) {
    if factor > 0.0 {
        for (sum, term) in sums.iter_mut().zip(terms) {
            *sum += factor * term;
        }
    }
}
