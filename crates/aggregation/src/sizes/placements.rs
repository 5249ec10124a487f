//! In how many ways bad seats can sit in lanes; as `f64`, since there are up to 2^[`SEATS_MAX`](super::SEATS_MAX) ways.

use super::Sizes;

/// Ways to place j bad seats in the lanes so far, for each j.
pub struct Placements {
    /// In one lane.
    lane: Vec<f64>,
    /// Anyhow.
    all: Vec<f64>,
    /// By the number of lanes, from none: every lane has one.
    every: Vec<Vec<f64>>,
}

impl Placements {
    pub fn of_one_lane(replicas: u16) -> Self {
        let lane = ways_in_one_lane(replicas);
        let mut every = lane.clone();
        every[0] = 0.0;
        Self {
            all: lane.clone(),
            every: vec![vec![1.0], every],
            lane,
        }
    }

    pub fn add_lane(&mut self) {
        let every = &self.every[self.every.len() - 1];
        self.every.push(joined(every, &self.lane, 1));
        self.all = joined(&self.all, &self.lane, 0);
    }

    /// Share of the placements of j bad seats in which every lane has one.
    pub fn share_in_every_lane(&self, j: usize) -> f64 {
        self.share_with_none_in(0, j)
    }

    /// Share of the placements of j bad seats in which so many given lanes have none, and every other lane has one.
    pub fn share_with_none_in(&self, lanes: usize, j: usize) -> f64 {
        let every = &self.every[self.every.len() - 1 - lanes];
        every.get(j).copied().unwrap_or(0.0) / self.all[j]
    }
}

/// By j: the share of the placements of j bad seats in which some lane has at least `many` of them, which is at least 1.
pub fn shares_with_many_in_a_lane(sizes: Sizes, many: usize) -> Vec<f64> {
    let lane = ways_in_one_lane(sizes.replicas);
    let few = &lane[..many.min(lane.len())];
    let (mut none, mut some) = (vec![1.0], vec![0.0]);
    for _ in 0..sizes.lanes {
        some = joined(&some, &lane, 0);
        for (ways, more) in some.iter_mut().zip(joined(&none, &lane, many)) {
            *ways += more;
        }
        none = joined(&none, few, 0);
        none.resize(some.len(), 0.0);
    }
    let shares = some.iter().zip(&none);
    shares.map(|(some, none)| some / (some + none)).collect()
}

fn ways_in_one_lane(replicas: u16) -> Vec<f64> {
    let replicas = usize::from(replicas);
    let mut lane = vec![1.0];
    for j in 0..replicas {
        lane.push(lane[j] * (replicas - j) as f64 / (j + 1) as f64);
    }
    lane
}

/// Ways to place bad seats in the lanes of `before` and one more, of which it has at least `least`.
fn joined(before: &[f64], lane: &[f64], least: usize) -> Vec<f64> {
    let mut sums = vec![0.0; before.len() + lane.len() - 1];
    let lane = lane.get(least..).unwrap_or_default();
    for (j, factor) in before.iter().enumerate().filter(|(_, f)| **f > 0.0) {
        for (sum, ways) in sums[j + least..].iter_mut().zip(lane) {
            *sum += factor * ways;
        }
    }
    sums
}
