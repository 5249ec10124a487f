//! What can be typed.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand, ValueEnum};
use overlay::Form;

use crate::backup::BackupCommand;
use crate::community_command::options::CommunityCommand;
use crate::configuring::ConfigCommand;
use crate::consent::ConsentCommand;
use crate::daemon::{
    DoctorOptions, LeaveOptions, OpenOptions, QuestionsCommand, RelayOptions, StatusOptions,
    UpOptions, Where,
};
use crate::data::{DataCommand, ProfileCommand};
use crate::init::InitOptions;
use crate::key_command::KeyCommand;
use crate::output::{tell, warn};
use crate::packaging::{CompletionsOptions, ManOptions, ServiceCommand};
use crate::simulate::options::SimulateCommand;

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

/// Says why a command has failed: in one line, or in JSON to those who asked for it.
pub fn fail(json: bool, why: &str, code: u8) -> ExitCode {
    match json {
        true => tell(format_args!("{:#}", serde_json::json!({ "why": why }))),
        false => warn(format_args!("error: {why}")),
    }
    ExitCode::from(code)
}

/// What is wrong with what was typed, and what to do, in one line. The parser takes several.
pub fn misused(said: &str) -> String {
    let said = said.strip_prefix("error: ").unwrap_or(said);
    let (wrong, usage) = said.split_once("Usage:").unwrap_or((said, ""));
    let wrong = wrong.split("For more information").next();
    let lines = wrong.unwrap_or_default().lines().map(str::trim);
    let mut line = String::new();
    for part in lines.filter(|part| !part.is_empty()) {
        line += match (line.is_empty(), part.starts_with("tip: ")) {
            (true, _) => "",
            (_, true) => "; ",
            (_, false) => " ",
        };
        line += part;
    }
    // The names of the command, before its options and arguments.
    let is_name = |word: &&str| word.starts_with(|sign: char| sign.is_ascii_lowercase());
    let command: Vec<_> = usage.split_whitespace().take_while(is_name).collect();
    match command.as_slice() {
        // The values that can be typed were named.
        [] => line,
        names => format!("{line}; see: {} --help", names.join(" ")),
    }
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
    /// Prepare this machine for a node, and say what comes next
    ///
    /// Writes config.toml with every key's default as a comment, unless it is there; changes nothing else. Exit code: 0 done,
    /// 1 it cannot be written, 2 the configuration that is there makes no sense.
    Init(InitOptions),
    /// Run your node until it is told to stop
    ///
    /// Exit code: 0 stopped as it was told to, 1 it could not start or go on, 2 the configuration makes no sense, 4 refused: this
    /// node runs somewhere else, for example.
    Up(UpOptions),
    /// Stop your node
    ///
    /// Exit code: 0 stopped, 3 no node is running.
    Down(Where),
    /// Tell the other members that your node goes, and stop it; with --wipe, erase its keys and your data
    ///
    /// Exit code: 0 done, 1 not all could be erased: repeat it, 3 no node is running, 4 not confirmed, 5 a
    /// key that is kept outside the folder is still there.
    Leave(LeaveOptions),
    /// How your node is, problems first
    ///
    /// Exit code: 0 it runs, 3 no node is running.
    Status(StatusOptions),
    /// Open your node's page in a browser
    ///
    /// The node is started if it does not run. Where there is none yet, the page leads through the first steps: a name, the
    /// recovery words, your data, a community. Exit code: 0 opened, or its address is printed where there is no browser; 1 the
    /// node does not start.
    Open(OpenOptions),
    /// Pass packets on to members who cannot be reached, on a machine with a public address
    ///
    /// Members use it who have its address in the key relays of config.toml, and nobody else can. Exit code: 0 stopped as it
    /// was told to, 1 it could not start.
    Relay(RelayOptions),
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
    /// What your own data say about you in one row: job, town, year of birth
    Profile {
        /// What about it.
        #[command(subcommand)]
        command: ProfileCommand,
    },
    /// What was asked of your data, what was decided and sent, and taking consent back
    Consent {
        /// What about it.
        #[command(subcommand)]
        command: ConsentCommand,
    },
    /// The key of your vault: what keeps it, another one, and the way back in
    Key {
        /// What about it.
        #[command(subcommand)]
        command: KeyCommand,
    },
    /// All that your node is and has, in one encrypted file
    Backup {
        /// What about it.
        #[command(subcommand)]
        command: BackupCommand,
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
    /// Nodes of the demo
    #[command(hide = true)]
    DemoNode {
        /// Run the one node as `up` does, with this configuration.
        #[arg(long)]
        config: Option<PathBuf>,
        /// Where each lives.
        #[arg(required = true)]
        folders: Vec<PathBuf>,
    },
}

/// Of `commonhold demo`.
#[derive(Debug, Args)]
pub struct DemoOptions {
    /// How many people have a node
    #[arg(long, value_name = "N", default_value_t = 12, value_parser = clap::value_parser!(u16).range(12..=1000))]
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
    /// Let this many owners say no: all are asked then, and have a moment to decide before helpers are drawn
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub no: u16,
    /// Let this many owners be away: they are asked, and say nothing
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub away: u16,
    /// Kill this many helpers in the middle of the computation
    #[arg(
        long,
        value_name = "N",
        default_value_t = 0,
        conflicts_with = "together"
    )]
    pub kill: usize,
    /// Then show the page of one of the nodes, with questions and answers to look at, until Ctrl-C
    #[arg(long, conflicts_with_all = ["together", "kill", "json"])]
    pub open: bool,
    /// Run all nodes in one process instead of one each, and say what memory it took
    #[arg(long)]
    pub together: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Smallest crowd whose total may be given [default: a quarter of the people, from 2 to 5]
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

/// Against whom the rows of a k-table hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FormOption {
    /// SEP2P's equations.
    Paper,
    /// Any region of the ring.
    Sound,
}

impl From<FormOption> for Form {
    fn from(form: FormOption) -> Self {
        match form {
            FormOption::Paper => Self::Paper,
            FormOption::Sound => Self::Sound,
        }
    }
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
pub fn chance(text: &str) -> Result<f64, String> {
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
    /// The community's descriptor [default: descriptor.cbor beside the proof, or that of this account's node]
    #[arg(long, value_name = "FILE")]
    pub descriptor: Option<PathBuf>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_typed_wrong_is_said_in_one_line_with_what_to_do() {
        for (typed, said) in [
            (
                &["question", "asks"][..],
                "unrecognized subcommand 'asks'; tip: a similar subcommand exists: 'ask'; see: commonhold question --help",
            ),
            (
                &["question", "ask"],
                "the following required arguments were not provided: <SQL>; see: commonhold question ask --help",
            ),
            (
                &["question", "ask", "q", "--wiat"],
                "unexpected argument '--wiat' found; tip: a similar argument exists: '--wait'",
            ),
            (
                &["question", "ask", "q", "--deadline", "soon"],
                "for '--deadline <TIME>': give now, or a number with s, m, h or d, such as 30m or 2d",
            ),
            (
                &["question", "answer", "aa", "maybe"],
                "[possible values: yes, no, always, never]",
            ),
            (
                &["plan", "--nodes", "9", "--nodes", "9"],
                "cannot be used multiple times; see: commonhold plan --help",
            ),
        ] {
            let wrong = Program::try_parse_from([&["commonhold"], typed].concat());
            let line = misused(&wrong.expect_err("wrong").to_string());
            assert!(line.contains(said), "{line}");
            assert!(!line.contains('\n') && !line.starts_with("error"), "{line}");
        }
    }
}
