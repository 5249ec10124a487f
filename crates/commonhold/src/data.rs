//! `commonhold data import`: the owner's data, from a file into the vault.

use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Subcommand};
use community::Table;
use serde_json::json;
use vault::{Imported, import_csv};

use crate::cli::{ANSWERED, FAILED, USAGE, fail};
use crate::daemon::Where;
use crate::home::Home;

/// What can be done with the owner's data.
#[derive(Debug, Subcommand)]
pub enum DataCommand {
    /// Fill a table of the community's vocabulary from a CSV file
    ///
    /// Replaces what the table held. Columns are found by the names in the file's first line; those that the vocabulary
    /// does not have are left out. The node may run meanwhile. Exit code: 0 done, 1 failed, 2 there is no such table or the
    /// file does not fit it; then nothing was changed.
    Import(ImportOptions),
}

/// Of `data import`.
#[derive(Debug, Args)]
pub struct ImportOptions {
    /// The file
    #[arg(value_name = "FILE.csv")]
    pub file: PathBuf,
    /// The table that it fills [default: the one that the file is named after, or the only one that there is]
    #[arg(long, value_name = "TABLE")]
    pub table: Option<String>,
    /// Print one JSON object
    #[arg(long)]
    pub json: bool,
    /// Which node.
    #[command(flatten)]
    pub place: Where,
}

/// Runs the command.
pub fn main(command: &DataCommand) -> ExitCode {
    let DataCommand::Import(options) = command;
    match import(options) {
        Ok((table, imported)) => {
            if options.json {
                println!("{:#}", as_json(&table, &imported));
            } else {
                println!("{}", as_lines(&table, &imported).join("\n"));
            }
            ExitCode::from(ANSWERED)
        }
        Err((why, code)) => fail(options.json, &why, code),
    }
}

fn import(options: &ImportOptions) -> Result<(Table, Imported), (String, u8)> {
    let failed = |why: String| (why, FAILED);
    let config = options.place.values().and_then(|values| values.config());
    let config = config.map_err(|why| (why.to_string(), USAGE))?;
    let home = Home::at(&config.folder);
    let (_, community, mut vault) = home.open().map_err(|why| failed(why.to_string()))?;
    let table = chosen(&community.descriptor().vocabulary, options)?;
    let shown = options.file.display();
    let file = File::open(&options.file).map_err(|why| {
        failed(format!(
            "cannot read {shown}: {why}; check the path and its permissions"
        ))
    })?;
    let imported = import_csv(&mut vault, BufReader::new(file), &table, None);
    let imported =
        imported.map_err(|why| (format!("{shown}: {why}; nothing was changed"), USAGE))?;
    Ok((table, imported))
}

/// The table that is meant.
fn chosen(vocabulary: &[Table], options: &ImportOptions) -> Result<Table, (String, u8)> {
    let named = |name: &str| vocabulary.iter().find(|table| table.name == name);
    let stem = options.file.file_stem().and_then(|stem| stem.to_str());
    let found = match (&options.table, vocabulary) {
        (Some(name), _) => named(name),
        (None, [only]) => Some(only),
        (None, _) => stem.and_then(named),
    };
    found.cloned().ok_or_else(|| {
        let names: Vec<_> = vocabulary.iter().map(|table| table.name.as_str()).collect();
        let why = match names.as_slice() {
            [] => {
                "the community has no tables yet; its authority adds them to the vocabulary".into()
            }
            names => format!(
                "name one of the community's tables with --table: {}",
                names.join(", ")
            ),
        };
        (why, USAGE)
    })
}

fn as_json(table: &Table, imported: &Imported) -> serde_json::Value {
    json!({
        "table": table.name,
        "kept": imported.kept,
        "skipped_rows": imported.skipped_rows,
        "unusable_cells": imported.unusable_cells,
        "rounded_cells": imported.rounded_cells,
        "faults": imported.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn as_lines(table: &Table, imported: &Imported) -> Vec<String> {
    let mut lines = vec![format!(
        "{} rows are in the table {} now.",
        imported.kept, table.name
    )];
    let more = [
        (
            imported.skipped_rows,
            "rows were left out: another number of cells than the first line",
        ),
        (
            imported.unusable_cells,
            "cells could not be used and count as missing",
        ),
        (
            imported.rounded_cells,
            "numbers had more digits than the vocabulary keeps, and are rounded",
        ),
    ];
    let more = more.iter().filter(|(number, _)| *number > 0);
    lines.extend(more.map(|(number, what)| format!("{number} {what}.")));
    lines.extend(imported.faults.iter().map(|fault| format!("  {fault}")));
    lines
}
