//! What the number of actors costs (§4.3 says so in words).

use overlay::KTableError;
use selection::strategy::Strategy;

use super::{Options, Progress, Scene, axis, point, words};
use crate::chart::{Colour, Figure, Look, Mark, Panel, Scale, Series, Ticks};
use crate::counting::{Statistic, Terms, Totals};

/// Table 3.
const SEATS: [u32; 6] = [8, 16, 32, 64, 128, 256];
const STRATEGIES: [(Strategy, &str, Mark); 3] = [
    (Strategy::Paper, "SEP2P", Mark::Circle),
    (Strategy::EsAv, "ES.AV", Mark::Triangle),
    (Strategy::MHash, "M.Hash", Mark::Diamond),
];

/// As many as caches hold.
fn seats(options: &Options) -> impl Iterator<Item = u32> {
    let cache = options.cache;
    SEATS.into_iter().filter(move |seats| *seats <= cache)
}

/// See [`Evaluation::steps`](super::Evaluation::steps).
pub fn steps(options: &Options) -> u64 {
    options.nodes() * (STRATEGIES.len() * seats(options).count()) as u64
}

/// The figure.
pub fn figure(options: &Options, progress: Progress<'_>) -> Result<Figure, KTableError> {
    let mut counted = Vec::new();
    for (strategy, ..) in STRATEGIES {
        let mut of_strategy = Vec::new();
        for seats in seats(options) {
            let terms = Terms {
                seats,
                ..options.terms(options.colluders)
            };
            let scene = Scene::new(options, &terms, options.seed)?;
            of_strategy.push((f64::from(seats), scene.survey(strategy, false, progress)));
        }
        counted.push(of_strategy);
    }
    let curves = |what: &str, hollow: bool, of: fn(&Totals) -> Statistic| {
        let curve = |(number, (_, name, mark)): (usize, &(Strategy, &str, Mark))| Series {
            name: format!("{name}, {what}"),
            look: Look {
                colour: Colour::Palette([0, 2, 3][number]),
                mark: *mark,
                hollow,
                dashed: false,
            },
            points: counted[number]
                .iter()
                .map(|(seats, totals)| point(*seats, &of(totals)))
                .collect(),
        };
        STRATEGIES.iter().enumerate().map(curve).collect::<Vec<_>>()
    };
    let panel = |label: &str, series: [Vec<Series>; 2]| Panel {
        x: axis("Number of actors A", Scale::Log, Ticks::Binary),
        y: axis(label, Scale::Log, Ticks::Plain),
        series: series.concat(),
    };
    Ok(Figure {
        name: "figure-actors".into(),
        title: "Set-up cost against the number of actors".into(),
        setting: format!(
            "N = {}, C = {}, α = {}, caches of {}, {}, {}; each node once as execution setter",
            words::grouped(options.nodes()),
            words::percent(options.colluders),
            words::power(options.alpha),
            options.cache,
            words::dht(options),
            words::form(options.form),
        ),
        panels: vec![
            panel(
                "Asymmetric crypto-operations",
                [
                    curves("total work", false, |totals| totals.operations),
                    curves("latency", true, |totals| totals.latency_operations),
                ],
            ),
            panel(
                "Exchanged messages",
                [
                    curves("total work", false, |totals| totals.messages),
                    curves("latency", true, |totals| totals.latency_messages),
                ],
            ),
        ],
    })
}
