//! What the demo and its nodes' processes say to each other: one JSON value per line. No personal value is ever in it.

use std::net::SocketAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::report::Report;

/// A line on the standard input or output of a process: of or to which of its nodes, and what.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Line<T> {
    /// The node's folder, by its number among those that the process was started with.
    pub of: usize,
    /// What is said.
    pub says: T,
}

/// To a node, on the standard input of its process. The end of the input ends the process.
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
        /// How long owners may take to decide, in milliseconds.
        consent_ms: u64,
        /// Longest time for contributions, in milliseconds.
        collect_ms: u64,
        /// Where to write the proof.
        proof: PathBuf,
    },
    /// The owner's word on a question.
    Consent {
        /// Which.
        question: String,
        /// Take part, or stay out.
        yes: bool,
    },
}

/// From a node, on the standard output of its process.
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
    /// The owner is asked about this question.
    Asked(String),
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
