//! The figures of SEP2P's evaluation (§4), drawn again from what [`counting`] finds, and two of our own.
//!
//! | file | idea |
//! |---|---|
//! | `options` | what may be chosen, and what is too absurd to choose: [`Options`] |
//! | `strategies` | figures 3, 4 and 5: four strategies compared |
//! | `degree` | figure 6: k |
//! | `cache` | figure 7: how large a node cache should be |
//! | `upkeep` | figure 8: what it costs to keep one |
//! | `actors` | what the number of actors costs |
//! | `forms` | the paper's k-table beside the sound one |
//! | `page` | what the paper says in numbers, beside ours |
//! | `words` | how numbers are written |

mod actors;
mod cache;
mod degree;
mod forms;
mod options;
mod page;
mod strategies;
mod upkeep;
mod words;

use std::fmt;
use std::str::FromStr;

use overlay::{KTableError, Parameters};
use thiserror::Error;

use crate::chart::{Axis, Figure, Point, Scale, Spread, Ticks};
use crate::counting::{Can, Overlay, Population, Setting, Statistic, Survey, Terms, Totals};
use strategies::Surveys;

pub use options::{Absurd, Dht, NODES_MAX, Options};

/// One figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Which {
    /// 3: security effectiveness against verification cost.
    Effectiveness,
    /// 4: asymmetric operations of the set-up against verification cost.
    Operations,
    /// 5: messages of the set-up against verification cost.
    Messages,
    /// 6: k against C.
    Degree,
    /// 7: costs against the size of the node cache.
    Cache,
    /// 8: maintenance of the node cache.
    Upkeep,
    /// Ours: costs against the number of actors.
    Actors,
    /// Ours: the paper's k-table and the sound one.
    Forms,
}

/// Not the name of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("give one of 3, 4, 5, 6, 7, 8, actors, sound")]
pub struct UnknownFigure;

impl Which {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Effectiveness,
        Self::Operations,
        Self::Messages,
        Self::Degree,
        Self::Cache,
        Self::Upkeep,
        Self::Actors,
        Self::Forms,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Effectiveness => "3",
            Self::Operations => "4",
            Self::Messages => "5",
            Self::Degree => "6",
            Self::Cache => "7",
            Self::Upkeep => "8",
            Self::Actors => "actors",
            Self::Forms => "sound",
        }
    }
}

impl fmt::Display for Which {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Which {
    type Err = UnknownFigure;

    fn from_str(name: &str) -> Result<Self, UnknownFigure> {
        let named = |which: &Self| which.name() == name;
        Self::ALL.into_iter().find(named).ok_or(UnknownFigure)
    }
}

/// Told how many more nodes were counted.
pub type Progress<'a> = &'a (dyn Fn(u64) + Sync);

/// The whole evaluation, from one choice of options. Keeps what several figures need.
pub struct Evaluation {
    options: Options,
    surveys: Surveys,
}

impl Evaluation {
    /// An evaluation in which nothing is counted yet.
    ///
    /// # Errors
    ///
    /// When the options make no sense.
    pub fn new(options: Options) -> Result<Self, Absurd> {
        options.check()?;
        Ok(Self {
            options,
            surveys: Surveys::default(),
        })
    }

    /// What the paper says in numbers beside what was counted, in Markdown, with these figures. `link` says where the file of
    /// this name is.
    ///
    /// # Errors
    ///
    /// When no k-table exists for one of the settings.
    pub fn page(
        &self,
        figures: &[Figure],
        link: impl Fn(&str) -> String,
    ) -> Result<String, KTableError> {
        let found = page::Found {
            options: &self.options,
            surveys: &self.surveys,
            figures,
        };
        found.page(link)
    }

    /// How many nodes a figure will count, those that are already counted left out.
    pub fn steps(&self, which: Which) -> u64 {
        let options = &self.options;
        match which {
            Which::Effectiveness => self.surveys.steps(options, true),
            Which::Operations | Which::Messages => self.surveys.steps(options, false),
            Which::Degree => degree::steps(options),
            Which::Cache => cache::steps(options),
            Which::Upkeep => upkeep::steps(options),
            Which::Actors => actors::steps(options),
            Which::Forms => forms::steps(options),
        }
    }

    /// Counts, and draws.
    ///
    /// # Errors
    ///
    /// When no k-table exists for one of the settings.
    pub fn figure(&mut self, which: Which, progress: Progress<'_>) -> Result<Figure, KTableError> {
        let options = &self.options;
        match which {
            Which::Effectiveness => self.surveys.effectiveness(options, progress),
            Which::Operations => self.surveys.operations(options, progress),
            Which::Messages => self.surveys.messages(options, progress),
            Which::Degree => degree::figure(options, progress),
            Which::Cache => cache::figure(options, progress),
            Which::Upkeep => upkeep::figure(options, progress),
            Which::Actors => actors::figure(options, progress),
            Which::Forms => forms::figure(options, progress),
        }
    }
}

/// N of most figures: the paper's "reference network" (§4.3).
const NODES: u64 = 100_000;

/// C in percent of N: table 3.
const PERCENTS: [f64; 5] = [0.001, 0.01, 0.1, 1.0, 10.0];

/// Sizes of caches: table 3.
const CACHES: [u32; 14] = [
    8, 16, 32, 48, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768,
];

fn cache_sizes(nodes: u64) -> impl Iterator<Item = u32> {
    CACHES
        .into_iter()
        .filter(move |size| u64::from(*size) < nodes)
}

/// So many per cent of N, at least one.
fn colluders(nodes: u64, percent: f64) -> u64 {
    ((nodes as f64 * percent / 100.0).round() as u64).clamp(1, nodes - 1)
}

/// A network and how it draws.
struct Scene {
    population: Population,
    setting: Setting,
    can: Option<u32>,
    seed: u64,
}

impl Scene {
    fn new(options: &Options, terms: &Terms, seed: u64) -> Result<Self, KTableError> {
        let Parameters {
            nodes, colluders, ..
        } = terms.parameters;
        Ok(Self {
            setting: Setting::new(terms)?,
            population: Population::new(seed, nodes, colluders),
            can: match options.dht {
                Dht::Chord => None,
                Dht::Can { dimensions } => Some(dimensions),
            },
            seed,
        })
    }

    fn survey(
        &self,
        strategy: selection::strategy::Strategy,
        attacked: bool,
        progress: Progress<'_>,
    ) -> Totals {
        let can = self
            .can
            .map(|dimensions| Can::new(&self.population, dimensions));
        let overlay = match &can {
            None => Overlay::Chord(&self.population),
            Some(can) => Overlay::Can(can),
        };
        let survey = Survey {
            overlay,
            setting: &self.setting,
            strategy,
            attacked,
            seed: self.seed,
        };
        survey.run(progress)
    }
}

fn axis(label: &str, scale: Scale, ticks: Ticks) -> Axis {
    Axis {
        label: label.into(),
        scale,
        ticks,
    }
}

fn point(x: f64, statistic: &Statistic) -> Point {
    let spread = Spread {
        largest: statistic.largest() as f64,
        deviation: statistic.deviation(),
    };
    Point {
        x,
        y: statistic.mean(),
        label: None,
        spread: Some(spread),
    }
}

fn plain(x: f64, y: f64) -> Point {
    Point {
        x,
        y,
        label: None,
        spread: None,
    }
}

#[cfg(test)]
mod tests;
