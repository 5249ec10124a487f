//! `commonhold data` and `commonhold profile`: the owner's data, from files into the vault, and out of it.
//!
//! | file | idea |
//! |---|---|
//! | `importing` | `import`: which way a file goes |
//! | `declared` | a file for a table that the community declares |
//! | `holding` | `list`, `show`, `export`, `undo`, `delete`, `sources` |
//! | `own` | `profile` |

mod declared;
mod holding;
mod importing;
mod own;

pub use declared::{chosen as chosen_table, may_be as may_be_table};

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Args, Subcommand, ValueEnum};
use vault::{Export, Vault};

use crate::cli::{ANSWERED, FAILED, USAGE, fail};
use crate::daemon::Where;
use crate::home::Home;
use crate::output::tell;

/// What can be done with the owner's data.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Take in files as programs and services export them
    ///
    /// What a file is is told by what is in it: GPX, Apple Health (export.xml, export.zip), Google Timeline, Letterboxd and
    /// IMDb ratings, Green Button, FIT, FHIR, calendars (ICS), bank statements (OFX), what data export has written, and
    /// archives of these. They go into the tables of docs/vocabulary.md; other tables do with --map. What is there already is
    /// not stored again.
    ///
    /// A CSV file for a table that your community declares replaces what that table held: the one named with --table, or
    /// that the file is named after, or the only one that there is.
    ///
    /// The node may run meanwhile; for a file of more than 16 MB stop it. Exit code: 0 done, also where records were left
    /// out, 1 failed, 2 nothing was read; then nothing was changed.
    Import(ImportOptions),
    /// Which tables there are, and how much is in them
    List(Looking),
    /// The columns of a table, and some of its rows
    Show(ShowOptions),
    /// Write tables to a file that data import reads back to the same rows
    Export(ExportOptions),
    /// Take back what one import has brought
    Undo(UndoOptions),
    /// Forget a table
    Delete(DeleteOptions),
    /// What was imported, from which files, and when
    Sources(Looking),
}

/// What can be done with the profile.
#[derive(Debug, Subcommand)]
pub enum ProfileCommand {
    /// What it says
    Show(Looking),
    /// Change it, such as: commonhold profile set job=pilot birth-year=1981 town=Paris
    Set(SetOptions),
}

/// Of commands that look at the vault.
#[derive(Debug, Args)]
pub struct Looking {
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Of `data import`.
#[derive(Debug, Args)]
pub struct ImportOptions {
    /// The files
    #[arg(value_name = "FILE", required = true)]
    pub files: Vec<PathBuf>,
    /// What they are, where that cannot be told: gpx, apple-health, fhir and others
    #[arg(long = "as", value_name = "FORMAT", conflicts_with = "table")]
    pub format: Option<vault::Format>,
    /// What the columns of a CSV file mean (docs/vocabulary.md shows one)
    #[arg(long, value_name = "FILE.toml", conflicts_with_all = ["table", "format"])]
    pub map: Option<PathBuf>,
    /// The table of your community that a CSV file fills
    #[arg(long, value_name = "TABLE", conflicts_with_all = ["person", "zone"])]
    pub table: Option<String>,
    /// Who you are in a file of several people, such as Patient/123
    #[arg(long, value_name = "NAME")]
    pub person: Option<String>,
    /// How far local time is ahead of UTC where a file does not tell, such as +01:00 [default: it counts as UTC]
    #[arg(long, value_name = "OFFSET", allow_hyphen_values = true)]
    pub zone: Option<String>,
    /// Say what would be imported, and change nothing
    #[arg(long)]
    pub preview: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Of `data show`.
#[derive(Debug, Args)]
pub struct ShowOptions {
    /// The table
    pub table: String,
    /// How many rows
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = rows_number, allow_negative_numbers = true)]
    pub rows: usize,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Of `data export`.
#[derive(Debug, Args)]
pub struct ExportOptions {
    /// The tables [default: all that are not computed; CSV takes one]
    pub tables: Vec<String>,
    /// csv or json [default: csv for one table, json for several]
    #[arg(long, value_enum)]
    pub format: Option<Written>,
    /// Where to, and of which node.
    #[command(flatten)]
    pub to: Target,
}

/// Where an export goes.
#[derive(Debug, Args)]
pub struct Target {
    /// Where to; the file must not be there [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Print one JSON object that says what was written; needs --out
    #[arg(long, requires = "out")]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// How tables are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Written {
    /// Comma-separated values.
    Csv,
    /// One object.
    Json,
}

impl From<Written> for Export {
    fn from(written: Written) -> Self {
        match written {
            Written::Csv => Self::Csv,
            Written::Json => Self::Json,
        }
    }
}

/// Of `data undo`.
#[derive(Debug, Args)]
pub struct UndoOptions {
    /// The number of the import, as data sources shows it
    #[arg(value_parser = import_number, allow_negative_numbers = true)]
    pub import: i64,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Of `data delete`.
#[derive(Debug, Args)]
pub struct DeleteOptions {
    /// The table
    pub table: String,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Of `profile set`.
#[derive(Debug, Args)]
pub struct SetOptions {
    /// What it is to say, such as town=Paris; without a value it says nothing of it any more
    #[arg(value_name = "NAME=VALUE", required = true)]
    pub changes: Vec<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Why a command has failed, and its exit code.
pub type Failed = (String, u8);

/// What a command says, in JSON and in lines.
pub struct Said {
    /// For programs.
    pub json: serde_json::Value,
    /// For people.
    pub lines: Vec<String>,
}

fn import_number(text: &str) -> Result<i64, String> {
    let number = text.parse().ok().filter(|number| *number > 0);
    number.ok_or_else(|| "imports have numbers from 1 on; see: commonhold data sources".into())
}

fn rows_number(text: &str) -> Result<usize, String> {
    let number = text.parse();
    number.map_err(|_| "it is a number of rows, from 0 on".into())
}

/// Runs the command.
pub fn main(command: &DataCommand) -> ExitCode {
    match command {
        DataCommand::Import(options) => importing::main(options),
        DataCommand::List(options) => say(options.json, holding::list(options)),
        DataCommand::Show(options) => say(options.json, holding::show(options)),
        DataCommand::Export(options) => exported(&options.to, holding::export(options)),
        DataCommand::Undo(options) => say(options.json, holding::undo(options)),
        DataCommand::Delete(options) => say(options.json, holding::delete(options)),
        DataCommand::Sources(options) => say(options.json, holding::sources(options)),
    }
}

/// Runs the command.
pub fn profile(command: &ProfileCommand) -> ExitCode {
    match command {
        ProfileCommand::Show(options) => say(options.json, own::show(options)),
        ProfileCommand::Set(options) => say(options.json, own::set(options)),
    }
}

/// Says it, or why not.
pub fn say(json: bool, result: Result<Said, Failed>) -> ExitCode {
    match result {
        Ok(said) if json => tell(format_args!("{:#}", said.json)),
        Ok(said) => tell(said.lines.join("\n")),
        Err((why, code)) => return fail(json, &why, code),
    }
    ExitCode::from(ANSWERED)
}

/// The same of an export; nothing, where what was exported was printed itself.
pub fn exported(to: &Target, result: Result<Option<Said>, Failed>) -> ExitCode {
    match result.transpose() {
        Some(result) => say(to.json, result),
        None => ExitCode::from(ANSWERED),
    }
}

/// Why an export is not in its file.
pub fn lost(path: &Path, why: &dyn std::fmt::Display) -> Failed {
    let path = path.display();
    failed(format!(
        "cannot write {path}: {why}; choose a new file in a folder of yours"
    ))
}

/// The folder of the node that is meant.
pub fn home(place: &Where) -> Result<Home, Failed> {
    place.home().map_err(|why| (why.to_string(), USAGE))
}

/// The vault of the node that is meant.
pub fn vault(place: &Where) -> Result<Vault, Failed> {
    let opened = home(place)?.open_vault();
    let (_, vault) = opened.map_err(crate::key_command::failed)?;
    Ok(vault)
}

/// What went wrong otherwise.
pub fn failed(why: impl ToString) -> Failed {
    (why.to_string(), FAILED)
}

/// Seconds since 1970.
fn now_utc_s() -> i64 {
    net::Clock::start().now().as_secs().cast_signed()
}
