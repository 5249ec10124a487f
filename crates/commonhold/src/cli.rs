//! What can be typed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use overlay::Form;
use sim::aggregating::{Choice, Faults, Liar, Statistic};
use sim::drawing::{Adversary, UnknownAdversary};
use sim::figures::{UnknownFigure, Which};

use crate::community_command::options::CommunityCommand;
use crate::configuring::ConfigCommand;
use crate::daemon::{DoctorOptions, QuestionsCommand, StatusOptions, UpOptions, Where};
use crate::data::DataCommand;
use crate::packaging::{CompletionsOptions, ManOptions, ServiceCommand};
use crate::simulate::aggregation;

/// There was an answer.
pub const ANSWERED: u8 = 0;
/// Something else went wrong.
pub const FAILED: u8 = 1;
/// What was typed makes no sense.
pub const USAGE: u8 = 2;
/// No node is running.
pub const NOT_RUNNING: u8 = 3;
/// The community's rules forbid the answer.
pub const REFUSED: u8 = 4;
/// No answer in time.
pub const TIMED_OUT: u8 = 5;
/// Ended by Ctrl-C, as shells report it.
pub const INTERRUPTED: u8 = 130;

/// Says in one line why a command has failed; in JSON as well for those who asked for it.
pub fn fail(json: bool, why: &str, code: u8) -> ExitCode {
    if json {
        println!("{:#}", serde_json::json!({ "why": why }));
    }
    eprintln!("error: {why}");
    ExitCode::from(code)
}

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
    /// Found a community, let people in and out, look at it
    ///
    /// All but join work on files alone. Exit code: 0 done, 1 failed, 2 what was typed makes no sense, 4 refused.
    Community {
        /// What about it.
        #[command(subcommand)]
        command: CommunityCommand,
    },
    /// Run your node until it is told to stop
    ///
    /// Exit code: 0 stopped as it was told to, 1 it could not start or go on, 2 the configuration makes no sense.
    Up(UpOptions),
    /// Stop your node
    ///
    /// Exit code: 0 stopped, 3 no node is running.
    Down(Where),
    /// How your node is, problems first
    ///
    /// Exit code: 0 it runs, 3 no node is running.
    Status(StatusOptions),
    /// Look at everything that can be wrong with your node, whether it runs or not
    ///
    /// Exit code: 0 nothing fails, 1 something does; what to do is said.
    Doctor(DoctorOptions),
    /// Your own data
    Data {
        /// What about it.
        #[command(subcommand)]
        command: DataCommand,
    },
    /// What holds for your node, and where that is written
    Config {
        /// What about it.
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Your node as a service that systemd starts
    Service {
        /// What about it.
        #[command(subcommand)]
        command: ServiceCommand,
    },
    /// Print what lets a shell complete commands
    Completions(CompletionsOptions),
    /// Write manual pages
    Man(ManOptions),
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
    /// How many nodes of which region around a point include an honest one
    ///
    /// One row per k: the largest region that k colluders do not share, and the chance that it holds k nodes at all. A draw
    /// takes the first row whose region holds k nodes.
    #[command(name = "k-table")]
    KTable(KTableOptions),
    /// How many helpers a question needs, what can go wrong, and what it costs each role
    ///
    /// Helpers sit in m lanes of r replicas; large communities have a tree of such committees. Chances hold over all of them
    /// together. Bytes and processor time are estimates: counts times measured unit costs.
    ///
    /// Exit code: 0 there is a plan, 2 what was typed makes no sense, 4 no plan is safe; why is said.
    Plan(PlanOptions),
    /// Communities on this machine alone, of any size, with their adversaries
    Simulate {
        /// What to simulate.
        #[command(subcommand)]
        command: SimulateCommand,
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
    /// The question: SELECT AVG(x) FROM the table, or another statistic, with or without WHERE and GROUP BY
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

/// Of `commonhold k-table`.
#[derive(Debug, Args)]
pub struct KTableOptions {
    /// N: nodes of the community
    #[arg(long, value_name = "N")]
    pub nodes: u64,
    /// C: nodes that may collude, below N
    #[arg(long, value_name = "C")]
    pub colluders: u64,
    /// α: accepted chance that colluders share a region, between 0 and 1; 1e-6 and 2^-64 can be typed
    #[arg(long, value_name = "A", value_parser = chance)]
    pub alpha: f64,
    /// sound: holds for any region that a forger may choose; paper: SEP2P's equations, for one given region
    #[arg(long, value_enum, default_value_t = FormOption::Sound)]
    pub form: FormOption,
    /// k of the first row
    #[arg(long, value_name = "K", default_value_t = 2)]
    pub smallest_k: u32,
    /// Accepted chance that the last row's region holds fewer than k nodes [default: α]
    #[arg(long, value_name = "P", value_parser = chance)]
    pub shortage: Option<f64>,
    /// Count the node at the centre of the region as one of the k
    #[arg(long)]
    pub centre_counts: bool,
    /// How the size of a region is given
    #[arg(long, value_enum, default_value_t = SizeOption::Width)]
    pub size: SizeOption,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// Of `commonhold plan`.
#[derive(Debug, Args)]
pub struct PlanOptions {
    /// N: nodes of the community, the asker's included
    #[arg(long, value_name = "N")]
    pub nodes: u64,
    /// C: nodes that may collude, below N
    #[arg(long, value_name = "C")]
    pub colluders: u64,
    /// Helpers that go away in the middle, in percent, such as 5 or 0.5
    #[arg(long, value_name = "PERCENT", value_parser = permille)]
    pub offline: u32,
    /// How many of the nodes contribute [default: all but the asker's]
    #[arg(long, value_name = "NODES")]
    pub contributors: Option<u64>,
    /// count, sum, mean, histogram:BUCKETS, or vector:LENGTH
    #[arg(long, default_value = "count", value_parser = statistic)]
    pub statistic: PlannedStatistic,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

/// What each person's contribution is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PlannedStatistic {
    /// How many match.
    Count,
    /// Of one column, 32 bits wide.
    Sum,
    /// The same.
    Mean,
    /// Of so many buckets.
    Histogram(u64),
    /// So many sums.
    Vector(u64),
}

fn statistic(text: &str) -> Result<PlannedStatistic, String> {
    let known = match text.split_once(':') {
        None => match text {
            "count" => Some(PlannedStatistic::Count),
            "sum" => Some(PlannedStatistic::Sum),
            "mean" => Some(PlannedStatistic::Mean),
            _ => None,
        },
        Some((name, number)) => {
            // One element more is the match count.
            let number = number
                .parse()
                .ok()
                .filter(|n| (1..crypto::Vector::MAX_LEN as u64).contains(n));
            number.and_then(|number| match name {
                "histogram" => Some(PlannedStatistic::Histogram(number)),
                "vector" => Some(PlannedStatistic::Vector(number)),
                _ => None,
            })
        }
    };
    known.ok_or_else(|| {
        let most = crypto::Vector::MAX_LEN - 1;
        format!("give count, sum, mean, histogram:BUCKETS or vector:LENGTH, with a number from 1 to {most}")
    })
}

/// Percent, to a tenth, in thousandths.
fn permille(text: &str) -> Result<u32, String> {
    let percent = text.strip_suffix('%').unwrap_or(text).trim_end();
    let tenths = percent.parse().ok().map(|percent: f64| percent * 10.0);
    let whole = tenths
        .filter(|tenths| (0.0..=1000.0).contains(tenths) && (tenths - tenths.round()).abs() < 1e-6);
    let whole = whole.map(|tenths| tenths.round() as u32);
    whole.ok_or_else(|| "give a percentage from 0 to 100, to a tenth, such as 5 or 0.5".into())
}

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

impl From<FormOption> for Form {
    fn from(form: FormOption) -> Self {
        match form {
            FormOption::Paper => Self::Paper,
            FormOption::Sound => Self::Sound,
        }
    }
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

/// Against whom the rows of a k-table hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormOption {
    /// SEP2P's equations.
    Paper,
    /// Any region of the ring.
    Sound,
}

/// What is called the size of a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum SizeOption {
    /// From end to end.
    Width,
    /// From the centre to an end.
    Radius,
}

/// A probability, as a number or a power of two.
fn chance(text: &str) -> Result<f64, String> {
    let number = match text.strip_prefix("2^") {
        Some(power) => power.parse().ok().map(f64::exp2),
        None => text.parse().ok(),
    };
    let number = number.filter(|number| *number > 0.0 && *number < 1.0);
    number.ok_or_else(|| "give a number between 0 and 1, such as 1e-6 or 2^-64".into())
}

/// The commands about questions.
#[derive(Debug, Subcommand)]
pub enum QuestionCommand {
    /// Check the proof of an answer, offline
    ///
    /// Needs the proof file and the community's descriptor alone. Exit code: 0 it holds, 1 it does not.
    Verify(VerifyOptions),
    /// What needs a running node.
    #[command(flatten)]
    Running(QuestionsCommand),
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
