//! Figure 7: how large a node cache must be for the actors (§4.3, node cache size).

use overlay::KTableError;
use selection::strategy::Strategy;

use super::{Options, Progress, Scene, axis, cache_sizes, plain, point, words};
use crate::chart::{Colour, Figure, Look, Mark, Panel, Scale, Series, Ticks};
use crate::counting::{Statistic, Terms, Totals};

/// See [`Evaluation::steps`](super::Evaluation::steps).
pub fn steps(options: &Options) -> u64 {
    options.nodes() * cache_sizes(options.nodes()).count() as u64
}

/// The figure.
pub fn figure(options: &Options, progress: Progress<'_>) -> Result<Figure, KTableError> {
    let mut counted = Vec::new();
    for cache in cache_sizes(options.nodes()) {
        let terms = Terms {
            cache,
            ..options.terms(options.colluders)
        };
        let scene = Scene::new(options, &terms, options.seed)?;
        counted.push((
            f64::from(cache),
            scene.survey(Strategy::Paper, false, progress),
        ));
    }
    let cost = |name: &str, colour, mark, hollow, of: fn(&Totals) -> Statistic| Series {
        name: name.into(),
        look: look(colour, mark, hollow),
        points: counted
            .iter()
            .map(|(cache, totals)| point(*cache, &of(totals)))
            .collect(),
    };
    let share = |name: &str, colour, mark, of: fn(&Totals) -> u64| Series {
        name: name.into(),
        look: look(colour, mark, false),
        points: counted
            .iter()
            .map(|(cache, totals)| plain(*cache, of(totals) as f64 / totals.draws as f64))
            .collect(),
    };
    let costs = vec![
        cost("Operations, total work", 0, Mark::Circle, false, |totals| {
            totals.operations
        }),
        cost("Operations, latency", 0, Mark::Circle, true, |totals| {
            totals.latency_operations
        }),
        cost("Messages, total work", 1, Mark::Square, false, |totals| {
            totals.messages
        }),
        cost("Messages, latency", 1, Mark::Square, true, |totals| {
            totals.latency_messages
        }),
    ];
    let shares = vec![
        share("Moved at least once", 2, Mark::Triangle, |totals| {
            totals.moved
        }),
        share("Given up after 4 moves", 3, Mark::Diamond, |totals| {
            totals.draws - totals.drawn
        }),
    ];
    let x = || {
        axis(
            "Node cache size (nodes, on average)",
            Scale::Log,
            Ticks::Binary,
        )
    };
    Ok(Figure {
        name: "figure-7".into(),
        title: "Set-up cost against the size of the node cache".into(),
        setting: format!(
            "SEP2P; N = {}, C = {}, A = {}, α = {}, {}, {}; each node once as execution setter",
            words::grouped(options.nodes()),
            words::percent(options.colluders),
            options.seats,
            words::power(options.alpha),
            words::dht(options),
            words::form(options.form),
        ),
        panels: vec![
            Panel {
                x: x(),
                y: axis(
                    "Operations and messages of one draw",
                    Scale::Log,
                    Ticks::Plain,
                ),
                series: costs,
            },
            Panel {
                x: x(),
                y: axis("Share of draws", Scale::Linear, Ticks::Plain),
                series: shares,
            },
        ],
    })
}

fn look(colour: usize, mark: Mark, hollow: bool) -> Look {
    Look {
        colour: Colour::Palette(colour),
        mark,
        hollow,
        dashed: false,
    }
}
