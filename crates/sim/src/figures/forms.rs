//! What soundness costs: the paper's k-table bounds the colluders in one given region, the sound one those in any region
//! that a forger may choose.

use base::Location;
use overlay::{Binomial, Form, KTable, KTableError, Parameters, Row};

use super::{Options, PERCENTS, Progress, axis, colluders, plain, point, words};
use crate::chart::{Colour, Figure, Look, Mark, Panel, Point, Scale, Series, Ticks};
use crate::counting::{Population, Setting, Terms, arcs, degrees};

/// The network of the paper's example: 8 operations for a verifier at C = 10K.
const NODES: u64 = 1_000_000;
const KINDS: [(Form, f64); 4] = [
    (Form::Paper, 1e-6),
    (Form::Paper, 1e-10),
    (Form::Sound, 1e-6),
    (Form::Sound, 1e-10),
];
/// Networks in which arcs are sought: what is rare needs many.
const NETWORKS: u64 = 10;

fn nodes(options: &Options) -> u64 {
    options.nodes.unwrap_or(NODES)
}

/// See [`Evaluation::steps`](super::Evaluation::steps).
pub fn steps(options: &Options) -> u64 {
    nodes(options) * (1 + NETWORKS * PERCENTS.len() as u64)
}

fn parameters(options: &Options, (form, alpha): (Form, f64), percent: f64) -> Parameters {
    let nodes = nodes(options);
    Parameters {
        form,
        ..Parameters::new(nodes, colluders(nodes, percent), alpha)
    }
}

/// The figure.
pub fn figure(options: &Options, progress: Progress<'_>) -> Result<Figure, KTableError> {
    let mut settings = Vec::new();
    let mut tables = Vec::new();
    for kind in KINDS {
        for percent in PERCENTS {
            let parameters = parameters(options, kind, percent);
            tables.push(KTable::new(parameters)?);
            settings.push(Setting::new(&Terms {
                parameters,
                cache: options.cache,
                seats: options.seats,
            })?);
        }
    }
    let population = Population::new(options.seed, nodes(options), 0);
    let found = degrees(&population, &settings, progress);
    let forged = count_arcs(options, &tables, progress);
    let curves = |named: &dyn Fn(usize, String) -> String, value: &dyn Fn(usize, f64) -> Point| {
        let curve = |(kind, (form, alpha)): (usize, &(Form, f64))| {
            let is_sound = *form == Form::Sound;
            let word = if is_sound { "Sound" } else { "Paper" };
            let first = kind * PERCENTS.len();
            let points = PERCENTS.iter().enumerate();
            Series {
                name: named(first, format!("{word}, α = {}", words::power(*alpha))),
                look: Look {
                    colour: Colour::Palette(kind % 2),
                    mark: if is_sound { Mark::Square } else { Mark::Circle },
                    hollow: is_sound,
                    dashed: is_sound,
                },
                points: points
                    .map(|(at, percent)| value(first + at, *percent))
                    .collect(),
            }
        };
        KINDS.iter().enumerate().map(curve).collect::<Vec<_>>()
    };
    // Where none is ever found, what is expected at most is still to be seen.
    let is_found = |at: usize| {
        forged[at / PERCENTS.len() * PERCENTS.len()..][..PERCENTS.len()]
            .iter()
            .any(|arcs| *arcs > 0.0)
    };
    let x = || {
        axis(
            "Colluding nodes C, in percent of N",
            Scale::Log,
            Ticks::Percent,
        )
    };
    Ok(Figure {
        name: "figure-sound".into(),
        title: "The paper's k-table beside one that holds for every region".into(),
        setting: format!(
            "N = {}; average k over all nodes; arcs in {NETWORKS} networks",
            words::grouped(nodes(options))
        ),
        panels: vec![
            Panel {
                x: x(),
                y: axis("Average k", Scale::Linear, Ticks::Plain),
                series: curves(&|_, name| name, &|at, percent| point(percent, &found[at])),
            },
            Panel {
                x: x(),
                y: axis(
                    "Arcs of the ring where colluders alone can sign a list, per network",
                    Scale::Log,
                    Ticks::Plain,
                ),
                series: curves(
                    &|first, name| {
                        let how = if is_found(first) {
                            ""
                        } else {
                            ": none, expected"
                        };
                        format!("{name}{how}")
                    },
                    &|at, percent| {
                        let arcs = if is_found(at) {
                            forged[at]
                        } else {
                            expected_arcs(&parameters_of(options, at), &tables[at])
                        };
                        plain(percent, arcs)
                    },
                ),
            },
        ],
    })
}

/// Of the table at this place.
fn parameters_of(options: &Options, at: usize) -> Parameters {
    parameters(
        options,
        KINDS[at / PERCENTS.len()],
        PERCENTS[at % PERCENTS.len()],
    )
}

/// How many arcs there are on average, at most: each row's, as if no arc filled two rows.
fn expected_arcs(parameters: &Parameters, table: &KTable) -> f64 {
    let colluders = parameters.colluders;
    let after_each = |row: &Row| {
        Binomial::new(colluders - 1, row.region_size)
            .tails(row.k - 1)
            .at_least
    };
    table
        .rows()
        .iter()
        .map(|row| colluders as f64 * after_each(row))
        .sum()
}

/// For each table, on average over some networks.
fn count_arcs(options: &Options, tables: &[KTable], progress: Progress<'_>) -> Vec<f64> {
    let mut found = vec![0; tables.len()];
    for network in 0..NETWORKS {
        for (which, percent) in PERCENTS.iter().enumerate() {
            let nodes = nodes(options);
            let seed = options.seed.wrapping_add(network);
            let population = Population::new(seed, nodes, colluders(nodes, *percent));
            let places = (0..population.nodes()).filter(|place| population.colludes(*place));
            let friends: Vec<Location> = places.map(|place| population.location(place)).collect();
            for kind in 0..KINDS.len() {
                let at = kind * PERCENTS.len() + which;
                found[at] += arcs(&friends, tables[at].rows()).count();
            }
            progress(nodes);
        }
    }
    found
        .into_iter()
        .map(|arcs| arcs as f64 / NETWORKS as f64)
        .collect()
}
