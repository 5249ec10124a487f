//! The one program of the project.
//!
//! | file | idea |
//! |---|---|
//! | `cli` | what can be typed |
//! | `community_command` | founding a community, letting people in and out, looking at it |
//! | `daemon` | a node that runs until it is told to stop, and the commands that speak to it |
//! | `data` | the owner's data, from a file into the vault |
//! | `consent`, `witness` | the consent log: showing it, taking consent back; who knows where it ended |
//! | `config`, `configuring` | `config.toml`, and the commands about it |
//! | `init` | the first command of somebody new |
//! | `packaging` | service, completions, manual pages |
//! | `log` | the daemon's log |
//! | `demo` | many real nodes on this machine answer a question |
//! | `files` | files that are whole or not there, for their owner alone |
//! | `figure` | the evaluation of the SEP2P paper, drawn again |
//! | `k_table` | how many nodes of which region include an honest one |
//! | `member` | one node's process, as the demo runs it |
//! | `home` | what one node keeps in its folder, and what keeps its key |
//! | `key_command`, `backup` | the commands about that key, and one file of all that a node is and has |
//! | `passphrase` | where a passphrase comes from |
//! | `wiping` | erasing what a node keeps |
//! | `live`, `keeper` | a node on the network, its vault on a thread |
//! | `standing`, `budget` | what the owner has said once for all, as the vault keeps it and as it is written |
//! | `output`, `counted` | what the program says to whoever runs it; numbers with what they count |
//! | `lines` | what the demo and its nodes' processes say to each other |
//! | `simulate` | communities on this machine alone |
//! | `plan` | how many helpers a question needs, and what it costs them |
//! | `report`, `verify` | what a proof says, in words and for programs |

#![warn(clippy::print_stdout, clippy::print_stderr)]

mod backup;
mod budget;
mod cli;
mod community_command;
mod config;
mod configuring;
mod consent;
mod counted;
mod daemon;
mod data;
mod demo;
mod figure;
mod files;
mod home;
mod init;
mod k_table;
mod keeper;
mod key_command;
mod lines;
mod live;
mod log;
mod member;
mod output;
mod packaging;
mod passphrase;
mod plan;
mod recording;
mod report;
mod simulate;
mod standing;
mod verify;
mod wiping;
mod witness;

use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::cli::{Command, Program, QuestionCommand, USAGE, fail, misused};
use crate::output::Patience;
use crate::simulate::options::SimulateCommand;

fn main() -> ExitCode {
    dump_no_memory();
    let program = match Program::try_parse() {
        Ok(program) => program,
        // What was asked for, or what there is where no command was named.
        Err(help)
            if matches!(
                help.kind(),
                ErrorKind::DisplayHelp
                    | ErrorKind::DisplayVersion
                    | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand
            ) =>
        {
            help.exit()
        }
        Err(why) => {
            let json = std::env::args_os().any(|typed| typed == "--json");
            return fail(json, &misused(&why.to_string()), USAGE);
        }
    };
    let patience = waits_for_its_end(&program.command).then(Patience::begin);
    let code = run(program.command);
    drop(patience);
    output::end(code)
}

/// Whether who started it waits for its end.
fn waits_for_its_end(command: &Command) -> bool {
    match command {
        Command::Up(options) => options.detach,
        Command::Relay(_) | Command::DemoNode { .. } => false,
        Command::Demo(options) => !options.open,
        _ => true,
    }
}

/// When the program crashes, no copy of its memory is written, which would hold keys and data. Where that cannot be had it
/// runs as well.
fn dump_no_memory() {
    let limit = getrlimit(Resource::Core);
    // Of one byte: then Linux hands nothing to a program that collects dumps either, as it does with none (fs/coredump.c).
    let most = limit.maximum.map_or(1, |maximum| maximum.min(1));
    let none = Rlimit {
        current: Some(most),
        maximum: Some(most),
    };
    let _ = setrlimit(Resource::Core, none);
}

fn run(command: Command) -> ExitCode {
    match command {
        Command::Community { command } => community_command::main(&command),
        Command::Data { command } => data::main(&command),
        Command::Init(options) => init::main(&options),
        Command::Key { command } => key_command::main(&command),
        Command::Backup { command } => backup::main(&command),
        Command::Profile { command } => data::profile(&command),
        Command::Up(options) => daemon::up(&options),
        Command::Down(place) => daemon::down(&place),
        Command::Leave(options) => daemon::leave(&options),
        Command::Status(options) => daemon::status(&options),
        Command::Open(options) => daemon::open(&options),
        Command::Relay(options) => daemon::relay(&options),
        Command::Doctor(options) => daemon::doctor(&options),
        Command::Config { command } => configuring::main(&command),
        Command::Consent { command } => consent::main(&command),
        Command::Service { command } => packaging::service(command),
        Command::Completions(options) => packaging::completions(&options),
        Command::Man(options) => packaging::man(&options),
        Command::Question {
            command: QuestionCommand::Running(command),
        } => daemon::questions(&command),
        Command::Demo(options) => demo::main(&options),
        Command::Question {
            command: QuestionCommand::Verify(options),
        } => verify::main(&options),
        Command::KTable(options) => k_table::main(&options),
        Command::Plan(options) => plan::main(&options),
        Command::Simulate {
            command: SimulateCommand::Selection(options),
        } => simulate::selection(&options),
        Command::Simulate {
            command: SimulateCommand::Figure(options),
        } => figure::main(&options),
        Command::Simulate {
            command: SimulateCommand::Replay(options),
        } => recording::replay(&options),
        Command::Simulate {
            command: SimulateCommand::Questions(options),
        } => simulate::questions::main(&options),
        Command::Simulate {
            command: SimulateCommand::Aggregation(options),
        } => simulate::aggregation::main(&options),
        Command::DemoNode {
            folders,
            config: None,
        } => member::main(&folders),
        Command::DemoNode {
            folders,
            config: Some(config),
        } => daemon::up_until_input_ends(&folders[0], config),
    }
}
