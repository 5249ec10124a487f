//! What may be chosen.

use overlay::{Form, Parameters};
use thiserror::Error;

use crate::counting::Terms;

/// Most nodes of a figure: they take 1 to 2 GB.
pub const NODES_MAX: u64 = 100_000_000;

/// Under which circumstances the evaluation is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Options {
    /// N, if not each figure's own: 2 to [`NODES_MAX`].
    pub nodes: Option<u64>,
    /// How far points are reached.
    pub dht: Dht,
    /// Of the k-table.
    pub form: Form,
    /// C in percent of N, where a figure does not vary it: more than 0, less than 100.
    pub colluders: f64,
    /// α, where a figure does not vary it.
    pub alpha: f64,
    /// Nodes in a cache on average, where a figure does not vary it.
    pub cache: u32,
    /// A, where a figure does not vary it.
    pub seats: u32,
    /// Everything that chance decides follows from it.
    pub seed: u64,
}

/// By which DHT far points are reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dht {
    /// A ring with fingers.
    Chord,
    /// A torus of zones.
    Can {
        /// Of the torus, 1 to 16.
        dimensions: u32,
    },
}

/// Why there is no such evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum Absurd {
    /// N is 0 or 1.
    #[error("nobody is left to draw where N is {0}; give --nodes 2 or more")]
    Alone(u64),
    /// N is too large.
    #[error("{0} nodes do not fit here; give at most --nodes {NODES_MAX}")]
    Crowded(u64),
    /// C is not below N.
    #[error(
        "{0} % colluders leave nobody honest; give --colluders a percentage above 0 and below 100"
    )]
    Colluders(f64),
    /// No actors.
    #[error("a list has an actor at least; give --actors 1 or more")]
    NoSeats,
    /// More actors than a cache holds.
    #[error(
        "caches of {cache} nodes hold fewer than {seats} actors; give a larger --cache or fewer --actors"
    )]
    SmallCache {
        /// Nodes.
        cache: u32,
        /// A.
        seats: u32,
    },
    /// Caches larger than the network.
    #[error(
        "caches of {cache} nodes hold more than all {nodes}; give a smaller --cache or more --nodes"
    )]
    LargeCache {
        /// Nodes.
        cache: u32,
        /// N.
        nodes: u64,
    },
}

impl Default for Options {
    fn default() -> Self {
        Self {
            nodes: None,
            dht: Dht::Chord,
            form: Form::Paper,
            colluders: 1.0,
            alpha: 1e-6,
            cache: 512,
            seats: 32,
            seed: 1,
        }
    }
}

impl Options {
    /// What is wrong with them.
    pub(super) fn check(&self) -> Result<(), Absurd> {
        let nodes = self.nodes.unwrap_or(super::NODES);
        let (cache, seats) = (self.cache, self.seats);
        if nodes < 2 {
            Err(Absurd::Alone(nodes))
        } else if nodes > NODES_MAX {
            Err(Absurd::Crowded(nodes))
        } else if !(self.colluders > 0.0 && self.colluders < 100.0) {
            Err(Absurd::Colluders(self.colluders))
        } else if seats == 0 {
            Err(Absurd::NoSeats)
        } else if cache < seats {
            Err(Absurd::SmallCache { cache, seats })
        } else if u64::from(cache) > nodes {
            Err(Absurd::LargeCache { cache, nodes })
        } else {
            Ok(())
        }
    }

    /// N of most figures.
    pub(super) fn nodes(&self) -> u64 {
        self.nodes.unwrap_or(super::NODES)
    }

    /// With so many colluders.
    pub(super) fn terms(&self, percent: f64) -> Terms {
        let nodes = self.nodes();
        Terms {
            parameters: Parameters {
                form: self.form,
                ..Parameters::new(nodes, super::colluders(nodes, percent), self.alpha)
            },
            cache: self.cache,
            seats: self.seats,
        }
    }
}
