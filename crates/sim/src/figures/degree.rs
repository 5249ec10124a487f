//! Figure 6: k, which everything is done so many times of (§4.3, scalability).

use overlay::{KTableError, Parameters};

use super::{Options, PERCENTS, Progress, axis, colluders, plain, point, words};
use crate::chart::{Colour, Figure, Look, Mark, Panel, Scale, Series, Ticks};
use crate::counting::{Population, Setting, Terms, degrees};

/// The paper's large network, and its small one.
const LARGE: u64 = 10_000_000;
const SMALL: u64 = 10_000;
const ALPHAS: [f64; 2] = [1e-6, 1e-10];

fn sizes(options: &Options) -> Vec<u64> {
    let large = options.nodes.unwrap_or(LARGE);
    if large > SMALL {
        vec![large, SMALL]
    } else {
        vec![large]
    }
}

/// See [`Evaluation::steps`](super::Evaluation::steps).
pub fn steps(options: &Options) -> u64 {
    sizes(options).into_iter().sum()
}

fn settings(options: &Options, nodes: u64) -> Result<Vec<Setting>, KTableError> {
    let pairs = ALPHAS
        .iter()
        .flat_map(|alpha| PERCENTS.iter().map(move |percent| (alpha, percent)));
    let setting = |(alpha, percent): (&f64, &f64)| {
        let parameters = Parameters {
            form: options.form,
            ..Parameters::new(nodes, colluders(nodes, *percent), *alpha)
        };
        Setting::new(&Terms {
            parameters,
            cache: options.cache.min(u32::try_from(nodes).unwrap_or(u32::MAX)),
            seats: options.seats,
        })
    };
    pairs.map(setting).collect()
}

/// The figure.
pub fn figure(options: &Options, progress: Progress<'_>) -> Result<Figure, KTableError> {
    let mut series = Vec::new();
    for (size, nodes) in sizes(options).into_iter().enumerate() {
        let settings = settings(options, nodes)?;
        let population = Population::new(options.seed, nodes, 0);
        let found = degrees(&population, &settings, progress);
        for (which, alpha) in ALPHAS.iter().enumerate() {
            let of_alpha = which * PERCENTS.len()..(which + 1) * PERCENTS.len();
            let name = format!("N = {}, α = {}", words::short(nodes), words::power(*alpha));
            if size == 0 {
                // As in the paper, for one network alone: they are the same in all.
                series.push(without_table(&name, which, &settings[of_alpha.clone()]));
            }
            let points = PERCENTS.iter().zip(&found[of_alpha]);
            series.push(Series {
                name,
                look: Look {
                    colour: Colour::Palette(which),
                    mark: [Mark::Circle, Mark::Square][size],
                    hollow: size > 0,
                    dashed: false,
                },
                points: points.map(|(percent, k)| point(*percent, k)).collect(),
            });
        }
    }
    Ok(Figure {
        name: "figure-6".into(),
        title: "Average k against the share of colluders".into(),
        setting: format!(
            "{}; each node once as execution setter, k others around it",
            words::form(options.form)
        ),
        panels: vec![Panel {
            x: axis(
                "Colluding nodes C, in percent of N",
                Scale::Log,
                Ticks::Percent,
            ),
            y: axis("Average k", Scale::Linear, Ticks::Plain),
            series,
        }],
    })
}

/// k of the last row: that of all nodes, if they had one region size only.
fn without_table(name: &str, which: usize, settings: &[Setting]) -> Series {
    let last = |setting: &Setting| setting.rows.last().map_or(f64::NAN, |(k, _)| *k as f64);
    let points = PERCENTS.iter().zip(settings);
    Series {
        name: format!("{name}, without k-table"),
        look: Look {
            colour: Colour::Grey,
            mark: [Mark::Triangle, Mark::Diamond][which],
            hollow: false,
            dashed: true,
        },
        points: points
            .map(|(percent, setting)| plain(*percent, last(setting)))
            .collect(),
    }
}
