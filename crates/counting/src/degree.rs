//! k for every node: the smallest that the k-table has for where it sits (SEP2P §3.6; figure 6).

use super::around::{Around, Seen};
use super::population::Population;
use super::setting::Setting;
use super::statistic::Statistic;
use crate::parallel;

/// Nodes between two looks at the progress.
const STEP: usize = 4096;

/// The smallest k of each node, for several settings at once: each node's own region is centred on it, and it is not one of
/// the k. A node for which no row has enough nodes is not counted. `progress` is told how many more nodes are done.
pub fn degrees(
    population: &Population,
    settings: &[Setting],
    progress: &(dyn Fn(u64) + Sync),
) -> Vec<Statistic> {
    let parts = parallel::map(population.nodes() as u64, |nodes| {
        let mut statistics = vec![Statistic::default(); settings.len()];
        let mut seen = Vec::new();
        let (first, last) = (nodes.start as usize, nodes.end as usize);
        for begin in (first..last).step_by(STEP) {
            let end = last.min(begin + STEP);
            for place in begin..end {
                let mut others = Around::new(population, population.location(place));
                // The node itself is nearest to itself.
                others.next();
                seen.clear();
                for (setting, statistic) in settings.iter().zip(&mut statistics) {
                    let row = smallest_row(&setting.rows, &mut seen, &mut others);
                    row.into_iter().for_each(|(k, _)| statistic.add(k as u64));
                }
            }
            progress((end - begin) as u64);
        }
        statistics
    });
    let add = |all: Vec<Statistic>, part: Vec<Statistic>| {
        let pairs = all.into_iter().zip(part);
        pairs.map(|(one, other)| one.and(other)).collect()
    };
    parts.into_iter().reduce(add).unwrap_or_default()
}

/// The smallest row for which enough nodes are near: k, and the reach of its region. `seen` are the nearest of them, as far
/// as `others` was followed.
pub fn smallest_row(
    rows: &[(usize, u64)],
    seen: &mut Vec<Seen>,
    others: &mut impl Iterator<Item = Seen>,
) -> Option<(usize, u64)> {
    for (k, reach) in rows {
        while seen.len() < *k {
            seen.push(others.next()?);
        }
        if seen[k - 1].distance <= *reach {
            return Some((*k, *reach));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use overlay::{Form, Parameters};

    use super::*;
    use crate::Terms;

    /// By looking at everybody.
    #[test]
    fn is_the_smallest_row_with_enough_nodes() {
        let nodes = 2000;
        let population = Population::new(1, nodes, 0);
        let setting = |colluders, alpha| {
            let parameters = Parameters {
                form: Form::Paper,
                ..Parameters::new(nodes, colluders, alpha)
            };
            Setting::new(&Terms {
                parameters,
                cache: 512,
                seats: 32,
            })
            .unwrap()
        };
        let settings = [setting(20, 1e-6), setting(200, 1e-4), setting(1, 1e-6)];
        let plainly = |setting: &Setting| -> Statistic {
            let of = |place: usize| {
                let here = population.location(place);
                let others = (0..population.nodes()).filter(|other| *other != place);
                let distances: Vec<_> = others
                    .map(|other| here.distance(population.location(other)))
                    .collect();
                let mut rows = setting.rows.iter();
                let enough = |(k, reach): &&(usize, u64)| {
                    distances
                        .iter()
                        .filter(|distance| **distance <= *reach)
                        .count()
                        >= *k
                };
                rows.find(enough).map(|(k, _)| *k as u64)
            };
            (0..population.nodes()).filter_map(of).collect()
        };
        let expected: Vec<_> = settings.iter().map(plainly).collect();
        assert_eq!(degrees(&population, &settings, &|_| ()), expected);
        assert_eq!(expected[2].mean(), 2.0);
    }
}
