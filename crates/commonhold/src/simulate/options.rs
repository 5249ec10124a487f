//! What can be typed after `simulate`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};
use sim::aggregating::{Choice, Faults, Liar, Statistic};
use sim::asking::Victims;
use sim::drawing::{Adversary, UnknownAdversary};
use sim::figures::{UnknownFigure, Which};

use crate::cli::{FormOption, chance};
use crate::daemon::Where;
use crate::simulate::aggregation;

/// What can be simulated.
#[derive(Debug, Subcommand)]
pub enum SimulateCommand {
    /// Draw helpers again and again, and measure what colluders gain
    ///
    /// Real keys, certificates and state machines on a simulated internet. An effectiveness of 1 is ideal: colluders are
    /// among the drawn as often as among all (SEP2P §3.1).
    Selection(SelectionOptions),
    /// Draw the figures of the SEP2P paper's evaluation again, and two of our own
    ///
    /// Counts the draws of every node as execution setter, as the real state machines would do them; up to ten million
    /// nodes in seconds. 3: security against verification cost. 4, 5: set-up cost in operations, in messages. 6: k against
    /// C. 7: the size of the node cache. 8: its maintenance. actors: the number of actors. sound: the paper's k-table
    /// beside one that holds for every region. Writes figure-N.svg and figure-N.csv.
    Figure(FigureOptions),
    /// Compute totals by helpers who crash and lie, and compare them with the sums in the clear
    ///
    /// The committee engine itself, with real keys and shares on a simulated internet. Exit code: 0 each run was exact or
    /// gave no answer, 1 an invariant was broken.
    Aggregation(AggregationOptions),
    /// Ask whole communities while their nodes die, and compare the answers with the sums in the clear
    ///
    /// The same nodes that `commonhold up` runs, with owners, vaults and disks, on a simulated internet; each question is put to
    /// a community of its own. Exit code: 0 each answer was exact or there was none, 1 an invariant was broken.
    Questions(QuestionsOptions),
    /// Tell a node again what it was told while it was recorded, and see that it says the same
    ///
    /// For whoever looks for a fault: `commonhold up --record FILE` records. Reads the keys of the node that was recorded and
    /// nothing else; sends nothing. Exit code: 0 the node said the same, 1 it did not, and from which input on.
    Replay(ReplayOptions),
}

/// Of `commonhold simulate replay`.
#[derive(Debug, Args)]
pub struct ReplayOptions {
    /// What `commonhold up --record` has written
    pub file: PathBuf,
    /// Which node was recorded.
    #[command(flatten)]
    pub place: Where,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Of `commonhold simulate questions`.
#[derive(Debug, Args)]
pub struct QuestionsOptions {
    /// People with a node; one more asks
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u16).range(5..=1500))]
    pub people: u16,
    /// How many of them may collude
    #[arg(long, value_name = "C", default_value_t = 3)]
    pub colluders: u64,
    /// How many nodes each knows around it, on average; in small communities each knows all
    #[arg(long, value_name = "NODES", default_value_t = 512, value_parser = clap::value_parser!(u32).range(8..=4096))]
    pub cache: u32,
    /// Who dies in the middle: helpers:NUMBER, anybody:NUMBER or nobody
    #[arg(long, value_name = "WHOM", default_value = "helpers:1")]
    pub kill: Victims,
    /// So many questions, each under the next seed, on all cores
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub asks: u64,
    /// Everything that chance decides follows from it
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Of `commonhold simulate aggregation`.
#[derive(Debug, Args)]
pub struct AggregationOptions {
    /// People who contribute
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub contributors: u64,
    /// How many of them may collude: the committee is sized for so many
    #[arg(long, value_name = "C", default_value_t = 1)]
    pub colluders: u64,
    /// How many helpers may go away, in percent: the committee is sized for so many
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, value_parser = percent)]
    pub offline: f64,
    /// count, sum, histogram:BUCKETS or groups:GROUPS
    #[arg(long, default_value = "sum", value_parser = aggregation::statistic)]
    pub statistic: Statistic,
    /// Take contributions without a proof that they are in range
    #[arg(long)]
    pub without_proofs: bool,
    /// What goes wrong, in percent, or all: some of everything, drawn for each run
    ///
    /// Of the helpers: crash, pause, slow, partition (which heals), cut (which does not). Of the contributors: vanish, before,
    /// in and after their message. Of the messages: loss, duplicate, reorder (of two seconds by which they may be late).
    /// crash-at:STEP lets those who crash do so at keys, pass, close, propose, prevote, commit, seed, check, settle, up,
    /// count or give; without crash one helper does.
    #[arg(long, value_name = "NAME:PERCENT,…", default_value = "")]
    pub faults: Choice<Faults>,
    /// What liars do, or any: another lie for each run
    ///
    /// Helpers: wrong-sum, wrong-count, two-counts, two-sets, leaves-out, replays, keeps, half-passes, wrong-part (in a
    /// tree), false-cry (a good share is bad), tells-seed (too early), mute. Contributors: two-bundles, again (after a
    /// restart), half-sent, halves (other shares to other helpers), broken-share, garbage, out-of-range (with a false
    /// proof), two-leaves (of a tree), pads (a small crowd).
    #[arg(long)]
    pub adversary: Option<Choice<Liar>>,
    /// How many lie, of the helpers or of the contributors [default: C]
    #[arg(long, value_name = "PEOPLE", requires = "adversary")]
    pub liars: Option<usize>,
    /// Everything that chance decides follows from it; the first of a campaign
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Run under so many seeds, on all cores
    #[arg(long, value_name = "SEEDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub campaign: Option<u64>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text
        .parse()
        .ok()
        .filter(|percent| (0.0..=100.0).contains(percent));
    percent.ok_or_else(|| "give a percentage from 0 to 100".into())
}

/// Of `commonhold simulate figure`.
#[derive(Debug, Args)]
pub struct FigureOptions {
    /// 3, 4, 5, 6, 7, 8, actors, sound, or all
    #[arg(value_name = "FIGURE", value_parser = figure_choice)]
    pub figure: FigureChoice,
    /// Folder for the figures; made if it is not there
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
    /// With all: also write a page there that compares what the paper says in numbers
    #[arg(long, value_name = "FILE.md")]
    pub page: Option<PathBuf>,
    /// N: nodes of the network [default: 100K; 6: 10K and 10M; sound: 1M]
    #[arg(long, value_name = "N")]
    pub nodes: Option<u64>,
    /// By which DHT far nodes are found
    #[arg(long, value_enum, default_value_t = OverlayOption::Chord)]
    pub overlay: OverlayOption,
    /// Of CAN's torus
    #[arg(long, value_name = "D", default_value_t = 8, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub dimensions: u8,
    /// Which k-table
    #[arg(long, value_enum, default_value_t = FormOption::Paper)]
    pub form: FormOption,
    /// C in percent of N, where a figure does not vary it
    #[arg(long, value_name = "PERCENT", default_value_t = 1.0)]
    pub colluders: f64,
    /// α, where a figure does not vary it
    #[arg(long, value_name = "α", default_value = "1e-6", value_parser = chance)]
    pub alpha: f64,
    /// Nodes in a node cache on average, where a figure does not vary it
    #[arg(long, value_name = "NODES", default_value_t = 512)]
    pub cache: u32,
    /// A: actors to draw, where a figure does not vary it
    #[arg(long, value_name = "A", default_value_t = 32)]
    pub actors: u32,
    /// Everything that chance decides follows from it
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Which figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureChoice {
    /// Each of them.
    All,
    /// This one.
    One(Which),
}

fn figure_choice(name: &str) -> Result<FigureChoice, String> {
    if name == "all" {
        return Ok(FigureChoice::All);
    }
    let which = name.parse().map(FigureChoice::One);
    which.map_err(|why: UnknownFigure| format!("{why}, or all"))
}

/// DHTs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OverlayOption {
    /// A ring with fingers.
    Chord,
    /// A torus of zones.
    Can,
}

/// Of `commonhold simulate selection`.
#[derive(Debug, Args)]
pub struct SelectionOptions {
    /// N: nodes of the community
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub nodes: u64,
    /// C: nodes that collude, below N
    #[arg(long, value_name = "C", default_value_t = 100)]
    pub colluders: u64,
    /// A: actors to draw
    #[arg(long, value_name = "A", default_value_t = 32)]
    pub actors: u32,
    /// α: accepted chance that colluders share a region
    #[arg(long, value_name = "α", default_value = "1e-6", value_parser = chance)]
    pub alpha: f64,
    /// Nodes in a node cache, on average
    #[arg(long, value_name = "NODES", default_value_t = 512, value_parser = clap::value_parser!(u32).range(8..=4096))]
    pub cache: u32,
    /// hardened, or one of the paper's: paper, es.nav, es.av, m.hash, cost-optimal, security-optimal
    #[arg(long, default_value = "hardened")]
    pub strategy: String,
    /// What colluders do: none, friends, near, restart, abort, reroll, withhold, hide, forge
    #[arg(long, default_value = "none", value_parser = adversary)]
    pub adversary: Adversary,
    /// Share of nodes that do not answer, from 0 to below 1
    #[arg(long, value_name = "SHARE", default_value_t = 0.0, value_parser = share)]
    pub faults: f64,
    /// How often colluders spoil one draw that they do not like; and draws per node and hour
    #[arg(long, value_name = "TIMES", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..))]
    pub patience: u32,
    /// Which k-table [default: sound for hardened, paper for the others]
    #[arg(long, value_enum)]
    pub form: Option<FormOption>,
    /// How many draws
    #[arg(long, value_name = "DRAWS", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..))]
    pub runs: u64,
    /// Everything that chance decides follows from it
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

fn adversary(name: &str) -> Result<Adversary, String> {
    name.parse()
        .map_err(|why: UnknownAdversary| why.to_string())
}

fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..1.0).contains(share));
    share.ok_or_else(|| "give a share from 0 to below 1, such as 0.05".into())
}
