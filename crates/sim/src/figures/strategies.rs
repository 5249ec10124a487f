//! Figures 3, 4 and 5: SEP2P beside the strategies that it is compared with (§4.2).

use std::collections::BTreeMap;

use overlay::KTableError;
use selection::strategy::Strategy;

use super::{Options, PERCENTS, Progress, Scene, axis, colluders, plain, point, words};
use crate::chart::{Colour, Figure, Look, Mark, Panel, Point, Scale, Series, Ticks};
use crate::counting::{Statistic, Totals};

/// As the paper names them.
const STRATEGIES: [(Strategy, &str, Mark); 4] = [
    (Strategy::Paper, "SEP2P", Mark::Circle),
    (Strategy::EsNav, "ES.NAV", Mark::Square),
    (Strategy::EsAv, "ES.AV", Mark::Triangle),
    (Strategy::MHash, "M.Hash", Mark::Diamond),
];

/// Colluders of all networks together that make an average of what they gain.
const COLLUDERS: u64 = 100;
/// Most networks of those strategies for which one in seven is enough: who is near enough gains as much everywhere.
const NETWORKS_MAX: u64 = 15;

/// Which draws were counted: the strategy's and the percentage's number, and whether colluders did what gains most.
type Key = (usize, usize, bool);

/// What was counted for these figures.
#[derive(Default)]
pub struct Surveys(BTreeMap<Key, Totals>);

/// So many networks, that what few colluders gain does not hang on where chance puts them. Costs do not.
fn networks(options: &Options, (strategy, percent, attacked): Key) -> u64 {
    if !attacked {
        return 1;
    }
    let enough = COLLUDERS.div_ceil(colluders(options.nodes(), PERCENTS[percent]));
    match STRATEGIES[strategy].0 {
        Strategy::Paper => enough,
        _ => enough.min(NETWORKS_MAX),
    }
}

/// Whether a share of the colluders is another number of colluders than the share before.
fn differs(options: &Options, percent: usize) -> bool {
    let number = |percent: usize| colluders(options.nodes(), PERCENTS[percent]);
    percent == 0 || number(percent) != number(percent - 1)
}

fn keys(options: &Options, attacked: bool) -> impl Iterator<Item = Key> {
    let percents: Vec<_> = (0..PERCENTS.len())
        .filter(|at| differs(options, *at))
        .collect();
    let strategies = 0..STRATEGIES.len();
    strategies.flat_map(move |strategy| {
        let percents = percents.clone().into_iter();
        percents.map(move |percent| (strategy, percent, attacked))
    })
}

impl Surveys {
    /// See [`Evaluation::steps`](super::Evaluation::steps).
    pub fn steps(&self, options: &Options, attacked: bool) -> u64 {
        let missing = keys(options, attacked).filter(|key| !self.0.contains_key(key));
        missing
            .map(|key| networks(options, key) * options.nodes())
            .sum()
    }

    fn count(
        &mut self,
        options: &Options,
        attacked: bool,
        progress: Progress<'_>,
    ) -> Result<(), KTableError> {
        for key in keys(options, attacked) {
            if self.0.contains_key(&key) {
                continue;
            }
            let (strategy, percent, _) = key;
            let mut all = Totals::default();
            for network in 0..networks(options, key) {
                let terms = options.terms(PERCENTS[percent]);
                let scene = Scene::new(options, &terms, options.seed.wrapping_add(network))?;
                all = all.and(&scene.survey(STRATEGIES[strategy].0, attacked, progress));
            }
            self.0.insert(key, all);
        }
        Ok(())
    }

    /// What was counted at this share of colluders.
    pub fn totals(&self, strategy: Strategy, percent: f64, attacked: bool) -> Option<Totals> {
        let number = STRATEGIES.iter().position(|(one, ..)| *one == strategy)?;
        let mut all = self.of(number, attacked);
        all.find(|(of, _)| *of == percent)
            .map(|(_, totals)| *totals)
    }

    /// What was counted for a strategy: C in percent, and the totals.
    fn of(&self, strategy: usize, attacked: bool) -> impl Iterator<Item = (f64, &Totals)> {
        let all = self
            .0
            .range((strategy, 0, false)..=(strategy, PERCENTS.len(), true));
        let wanted = all.filter(move |((.., what), _)| *what == attacked);
        wanted.map(|((_, percent, _), totals)| (PERCENTS[*percent], totals))
    }

    /// Figure 3.
    pub fn effectiveness(
        &mut self,
        options: &Options,
        progress: Progress<'_>,
    ) -> Result<Figure, KTableError> {
        self.count(options, true, progress)?;
        let series = STRATEGIES
            .iter()
            .enumerate()
            .map(|(strategy, (_, name, mark))| {
                let counted = self.of(strategy, true);
                let points = counted.map(|(percent, totals)| {
                    let share = colluders(options.nodes(), percent) as f64 / options.nodes() as f64;
                    let effectiveness = totals.effectiveness(options.seats as usize, share);
                    let seen = effectiveness.unwrap_or(f64::NAN);
                    labelled(plain(totals.checks.mean(), seen), percent)
                });
                series(strategy, name, *mark, false, points.collect())
            });
        Ok(Figure {
            name: "figure-3".into(),
            title: "Security effectiveness against verification cost".into(),
            setting: setting(options),
            panels: vec![Panel {
                x: verification(),
                y: axis(
                    "Security effectiveness (1 is ideal, C/N the worst)",
                    Scale::Linear,
                    Ticks::Plain,
                ),
                series: series.collect(),
            }],
        })
    }

    /// Figure 4.
    pub fn operations(
        &mut self,
        options: &Options,
        progress: Progress<'_>,
    ) -> Result<Figure, KTableError> {
        self.count(options, false, progress)?;
        let series = self.costs(|totals| (totals.operations, totals.latency_operations));
        Ok(Figure {
            name: "figure-4".into(),
            title: "Set-up cost in asymmetric operations against verification cost".into(),
            setting: setting(options),
            panels: vec![Panel {
                x: verification(),
                y: axis("Asymmetric crypto-operations", Scale::Log, Ticks::Plain),
                series,
            }],
        })
    }

    /// Figure 5.
    pub fn messages(
        &mut self,
        options: &Options,
        progress: Progress<'_>,
    ) -> Result<Figure, KTableError> {
        self.count(options, false, progress)?;
        let series = self.costs(|totals| (totals.messages, totals.latency_messages));
        Ok(Figure {
            name: "figure-5".into(),
            title: "Set-up cost in messages against verification cost".into(),
            setting: setting(options),
            panels: vec![Panel {
                x: verification(),
                y: axis("Exchanged messages", Scale::Log, Ticks::Plain),
                series,
            }],
        })
    }

    /// Total work with full marks, latency with empty ones.
    fn costs(&self, of: impl Fn(&Totals) -> (Statistic, Statistic)) -> Vec<Series> {
        let strategies = STRATEGIES.iter().enumerate();
        let both = strategies.flat_map(|(strategy, (_, name, mark))| {
            let points = |latency: bool| {
                let counted = self.of(strategy, false);
                let point = counted.map(|(percent, totals)| {
                    let (work, waited) = of(totals);
                    let statistic = if latency { waited } else { work };
                    let point = point(totals.checks.mean(), &statistic);
                    // One curve with its shares tells those of all.
                    let is_first = strategy == 0 && !latency;
                    if is_first {
                        labelled(point, percent)
                    } else {
                        point
                    }
                });
                point.collect()
            };
            let name = |what| format!("{name}, {what}");
            [
                series(strategy, &name("total work"), *mark, false, points(false)),
                series(strategy, &name("latency"), *mark, true, points(true)),
            ]
        });
        both.collect()
    }
}

fn series(colour: usize, name: &str, mark: Mark, hollow: bool, points: Vec<Point>) -> Series {
    Series {
        name: name.into(),
        look: Look {
            colour: Colour::Palette(colour),
            mark,
            hollow,
            dashed: false,
        },
        points,
    }
}

fn labelled(point: Point, percent: f64) -> Point {
    Point {
        label: Some(words::percent(percent)),
        ..point
    }
}

fn verification() -> crate::chart::Axis {
    axis(
        "Verification cost (asymmetric crypto-operations of one verifier)",
        Scale::Linear,
        Ticks::Plain,
    )
}

fn setting(options: &Options) -> String {
    format!(
        "N = {}, A = {}, α = {}, caches of {}, {}, {}; C from 0.001 % to 10 %; each node once as execution setter",
        words::grouped(options.nodes()),
        options.seats,
        words::power(options.alpha),
        options.cache,
        words::dht(options),
        words::form(options.form),
    )
}
