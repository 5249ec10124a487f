//! Figure 8: what it costs to keep node caches right (§4.3, maintenance costs).

use std::time::Duration;

use overlay::{KTable, KTableError};

use super::{Options, Progress, axis, cache_sizes, plain, words};
use crate::chart::{Colour, Figure, Look, Mark, Panel, Point, Scale, Series, Ticks};
use crate::counting::{Cost, Population, Upkeep, per_minute};
use crate::parallel;

/// Mean times between failures, in hours.
const MTBF_HOURS: [(u64, &str); 5] = [
    (1, "1 h"),
    (6, "6 h"),
    (24, "1 day"),
    (48, "2 days"),
    (120, "5 days"),
];

/// See [`Evaluation::steps`](super::Evaluation::steps).
pub fn steps(options: &Options) -> u64 {
    options.nodes() * cache_sizes(options.nodes()).count() as u64
}

/// Operations of one disconnection and reconnection, on average over all nodes: as the paper counts, and as ours are.
fn mean(population: &Population, table: &KTable, cache: u32, progress: Progress<'_>) -> (f64, f64) {
    let nodes = population.nodes() as u64;
    let upkeep = Upkeep::new(population, table, f64::from(cache) / nodes as f64);
    let sums = parallel::map(nodes, |places| {
        let count = places.end - places.start;
        let mut sums = (0, 0);
        for place in places {
            let total = |cost: Cost| u128::from(cost.operations.total());
            sums.0 += total(upkeep.in_the_paper(place as usize));
            sums.1 += total(upkeep.of(place as usize));
        }
        progress(count);
        sums
    });
    let sum =
        |of: fn(&(u128, u128)) -> u128| sums.iter().map(of).sum::<u128>() as f64 / nodes as f64;
    (sum(|sums| sums.0), sum(|sums| sums.1))
}

/// The figure.
pub fn figure(options: &Options, progress: Progress<'_>) -> Result<Figure, KTableError> {
    let terms = options.terms(options.colluders);
    let table = KTable::new(terms.parameters)?;
    let population = Population::new(options.seed, options.nodes(), terms.parameters.colluders);
    let each: Vec<_> = cache_sizes(options.nodes())
        .map(|cache| (f64::from(cache), mean(&population, &table, cache, progress)))
        .collect();
    let curves = |of: fn(&(f64, f64)) -> f64| {
        let curve = |(number, (hours, name)): (usize, &(u64, &str))| {
            let mtbf = Duration::from_secs(hours * 3600);
            let point = |(cache, mean): &(f64, (f64, f64))| -> Point {
                plain(*cache, per_minute(of(mean), mtbf))
            };
            Series {
                name: format!("MTBF {name}"),
                look: Look {
                    colour: Colour::Palette(number),
                    mark: [Mark::Circle, Mark::Square, Mark::Triangle, Mark::Diamond][number % 4],
                    hollow: number > 3,
                    dashed: false,
                },
                points: each.iter().map(point).collect(),
            }
        };
        MTBF_HOURS.iter().enumerate().map(curve).collect::<Vec<_>>()
    };
    let panel = |label: &str, of| Panel {
        x: axis(
            "Node cache size (nodes, on average)",
            Scale::Log,
            Ticks::Binary,
        ),
        y: axis(label, Scale::Log, Ticks::Plain),
        series: curves(of),
    };
    Ok(Figure {
        name: "figure-8".into(),
        title: "Maintenance of the node cache".into(),
        setting: format!(
            "N = {}, C = {}, α = {}, {}; every node disconnects and comes back once per MTBF",
            words::grouped(options.nodes()),
            words::percent(options.colluders),
            words::power(options.alpha),
            words::form(options.form),
        ),
        panels: vec![
            panel(
                "Asymmetric operations per node and minute, counted as in the paper",
                |mean| mean.0,
            ),
            panel(
                "Asymmetric operations per node and minute, as this overlay makes them",
                |mean| mean.1,
            ),
        ],
    })
}
