//! What the demo and its nodes' processes say to each other: one JSON value per line. No personal value is ever in it.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::report::Report;

/// To a node's process, on its standard input. The end of the input ends the process.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Join the community through this node.
    Join {
        /// Its name.
        node: String,
        /// Its address.
        address: SocketAddr,
    },
    /// Put this question.
    Ask {
        /// The question.
        sql: String,
        /// What for.
        purpose: String,
        /// Longest time for contributions, in milliseconds.
        collect_ms: u64,
        /// Where to write the proof.
        proof: PathBuf,
    },
}

/// From a node's process, on its standard output.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Word {
    /// It listens.
    Ready {
        /// Its name.
        node: String,
        /// Its address.
        address: SocketAddr,
    },
    /// It knows so many nodes, itself included.
    Known(usize),
    /// At the asker: helpers are drawn.
    Drawn(Draw),
    /// At the asker: everybody is called to contribute.
    Collecting,
    /// At a helper: whose contributions are added up.
    Set(Vec<String>),
    /// At the asker: the answer, whose proof is written.
    Answered(Box<Report>),
    /// At the asker: no answer.
    Ended {
        /// Why.
        why: String,
        /// Whether the community's rules forbid it.
        refused: bool,
    },
    /// The process cannot go on.
    Failed(String),
}

/// What the asker says of a draw.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Draw {
    /// Witnesses.
    pub k: usize,
    /// Signature checks that convince anyone.
    pub checks: usize,
    /// Who set it up.
    pub setter: String,
    /// Who helps, lane by lane.
    pub seats: Vec<String>,
}
