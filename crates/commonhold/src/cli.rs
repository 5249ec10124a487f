//! What can be typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

/// There was an answer.
pub const ANSWERED: u8 = 0;
/// Something else went wrong.
pub const FAILED: u8 = 1;
/// What was typed makes no sense.
pub const USAGE: u8 = 2;
/// The community's rules forbid the answer.
pub const REFUSED: u8 = 4;
/// No answer in time.
pub const TIMED_OUT: u8 = 5;
/// Ended by Ctrl-C, as shells report it.
pub const INTERRUPTED: u8 = 130;

/// Own your data outright; hold its answers in common.
#[derive(Debug, Parser)]
#[command(name = "commonhold", version, about, max_term_width = 100)]
pub struct Program {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Let many people's real nodes answer a question on this machine
    ///
    /// Each person's node is a process of its own with an encrypted vault; one more asks. All of it is gone afterwards,
    /// but for the proof of the answer in ./commonhold-demo.
    ///
    /// Exit code: 0 answered, 4 refused (too few people match, for example), 5 timed out.
    Demo(DemoOptions),
    /// Questions and their answers
    Question {
        /// What about them.
        #[command(subcommand)]
        command: QuestionCommand,
    },
    /// One node of the demo
    #[command(hide = true)]
    DemoNode {
        /// Where it lives.
        folder: PathBuf,
    },
}

/// Of `commonhold demo`.
#[derive(Debug, Args)]
pub struct DemoOptions {
    /// How many people have a node
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(12..=200))]
    pub people: u16,
    /// Their data: the first line names the columns; the table is named after the file
    #[arg(long, value_name = "FILE.csv")]
    pub data: Option<PathBuf>,
    /// The column that tells people apart [default: the first]
    #[arg(long, value_name = "COLUMN")]
    pub person: Option<String>,
    /// The question: SELECT COUNT(*), SUM(x) or AVG(x) FROM the table, with or without WHERE
    #[arg(long, value_name = "SQL")]
    pub ask: Option<String>,
    /// Kill this many helpers in the middle of the computation
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub kill: usize,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Smallest crowd whose total may be given [default: a third of the people]
    #[arg(long, value_name = "M", hide = true)]
    pub min_crowd: Option<u64>,
}

/// The commands about questions.
#[derive(Debug, Subcommand)]
pub enum QuestionCommand {
    /// Check the proof of an answer, offline
    ///
    /// Needs the proof file and the community's descriptor alone. Exit code: 0 it holds, 1 it does not.
    Verify(VerifyOptions),
}

/// Of `commonhold question verify`.
#[derive(Debug, Args)]
pub struct VerifyOptions {
    /// The proof
    pub file: PathBuf,
    /// The community's descriptor [default: descriptor.cbor beside the proof]
    #[arg(long, value_name = "FILE")]
    pub descriptor: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}
