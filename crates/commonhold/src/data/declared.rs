//! A file for a table that the community declares.

use std::fs::File;
use std::io::{BufReader, Seek};
use std::path::Path;

use community::Table;
use serde_json::json;
use vault::{Brought, ImportError, Imported, Origin, Vault, VaultError, fits, import_table};

use crate::cli::{FAILED, USAGE};
use crate::counted::counted;
use crate::data::importing::reported;
use crate::data::{Failed, Said, now_utc_s};

/// Replaces what the table held by what the file says, or says what that would bring.
pub fn import(
    vault: &mut Vault,
    file: &File,
    shown: &Path,
    table: &Table,
    preview: bool,
) -> Result<Said, ImportError> {
    let name = shown.file_name().unwrap_or_default().to_string_lossy();
    let origin = Origin {
        name: &name,
        bytes: file.metadata().map_or(0, |about| about.len()),
        now_utc_s: now_utc_s(),
        preview,
    };
    let (import, imported) = import_table(vault, BufReader::new(file), table, &origin)?;
    Ok(Said {
        json: as_json(table, import, &imported),
        lines: as_lines(table, import, &imported),
    })
}

/// What a file that a vault has exported has brought of the community's tables and others.
pub fn brought(shown: &Path, brought: &Brought<'_>) -> Said {
    let own = brought.own.as_ref().map(|report| reported(shown, report));
    let tables = brought.tables.iter();
    let json: Vec<_> = tables
        .clone()
        .map(|(table, import, imported)| as_json(table, *import, imported))
        .collect();
    let lines = tables.flat_map(|(table, import, imported)| as_lines(table, *import, imported));
    let (mut whole, own_lines) = own.map_or((json!({}), Vec::new()), |own| (own.json, own.lines));
    whole["tables"] = json.into();
    Said {
        json: whole,
        lines: own_lines.into_iter().chain(lines).collect(),
    }
}

/// Why nothing of the file is in the table.
pub fn refused(shown: &Path, why: &ImportError) -> Failed {
    (format!("{}: {}", shown.display(), told(why)), code_of(why))
}

/// The same of a file that nobody said to be for the table, which may be of a kind for which a mapping is needed.
pub fn refused_unnamed(
    shown: &Path,
    table: &Table,
    first: &ImportError,
    why: &ImportError,
) -> Failed {
    match why {
        ImportError::MissingColumn { .. } => {
            let (shown, name) = (shown.display(), &table.name);
            let text = format!(
                "{shown}: {first}. Or, if it is for your community's table {name}: {}",
                told(why)
            );
            (text, code_of(why))
        }
        _ => refused(shown, why),
    }
}

fn told(why: &ImportError) -> String {
    match why.says_that_nothing_was_changed() {
        true => why.to_string(),
        false => format!("{why}; nothing was changed"),
    }
}

/// The exit code: whether the file makes no sense, or something else does not work.
pub fn code_of(why: &ImportError) -> u8 {
    match why {
        ImportError::Io(_) | ImportError::Changed => FAILED,
        ImportError::Vault(VaultError::NoTable(_)) => USAGE,
        ImportError::Vault(_) => FAILED,
        _ => USAGE,
    }
}

/// Whether a file that no importer reads may be for a table of the community: columns without a mapping, or anything that
/// calls itself CSV.
pub fn may_be(why: &ImportError, file: &Path) -> bool {
    let extension = file.extension();
    match why {
        ImportError::NeedsMapping => true,
        ImportError::UnknownFormat => extension.is_some_and(|it| it.eq_ignore_ascii_case("csv")),
        _ => false,
    }
}

/// The table that is meant: the one that is named, the only one that there is, or that the file is named after, or the only
/// one whose columns it has.
pub fn chosen<'a>(
    vocabulary: &'a [Table],
    name: Option<&str>,
    path: &Path,
    file: &File,
) -> Result<&'a Table, String> {
    let fits = |table: &&Table| {
        let mut file = file;
        file.rewind().is_ok() && fits(file, table)
    };
    let fitting = || match vocabulary.iter().filter(fits).collect::<Vec<_>>()[..] {
        [only] => Some(only),
        _ => None,
    };
    let named = |name: &str| vocabulary.iter().find(|table| table.name == name);
    let stem = path.file_stem().and_then(|stem| stem.to_str());
    let found = match (name, vocabulary) {
        (Some(name), _) => named(name),
        (None, [only]) => Some(only),
        (None, _) => stem.and_then(named).or_else(fitting),
    };
    found.ok_or_else(|| {
        let none = name.map_or(String::new(), |name| {
            format!("the community has no table \"{}\"; ", name.escape_debug())
        });
        let names: Vec<_> = vocabulary.iter().map(|table| table.name.as_str()).collect();
        match names.as_slice() {
            [] => {
                "the community has no tables yet; its authority adds them to the vocabulary".into()
            }
            names => format!(
                "{none}name one of the community's tables with --table: {}",
                names.join(", ")
            ),
        }
    })
}

fn as_json(table: &Table, import: Option<i64>, imported: &Imported) -> serde_json::Value {
    json!({
        "table": table.name,
        "import": import,
        "kept": imported.kept,
        "unchanged": imported.unchanged,
        "repeated_rows": imported.repeated_rows,
        "skipped_rows": imported.skipped_rows,
        "unusable_cells": imported.unusable_cells,
        "rounded_cells": imported.rounded_cells,
        "faults": imported.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn as_lines(table: &Table, import: Option<i64>, imported: &Imported) -> Vec<String> {
    let rows = |one, many| counted(imported.kept, one, many);
    let name = &table.name;
    let instead = |words| if imported.replaces { words } else { "" };
    let mut lines = vec![match import {
        None if imported.unchanged => format!(
            "The table {name} holds just that already, {}: nothing was changed.",
            rows("row", "rows")
        ),
        Some(import) => format!(
            "{} in the table {name} now{}. To take import {import} back: commonhold data undo {import}",
            rows("row is", "rows are"),
            instead(", in place of what was there before")
        ),
        None => format!(
            "{} be in the table {name}{}; nothing was imported (a preview).",
            rows("row would", "rows would"),
            instead(", instead of all that is there")
        ),
    }];
    let more = [
        (
            imported.repeated_rows,
            "row is the same as one before it, and is kept: take it out of the file if it is not meant",
            "rows are the same as ones before them, and are kept: take them out of the file if they are not meant",
        ),
        (
            imported.skipped_rows,
            "row was left out: another number of cells than the first line",
            "rows were left out: another number of cells than the first line",
        ),
        (
            imported.unusable_cells,
            "cell could not be used and counts as missing",
            "cells could not be used and count as missing",
        ),
        (
            imported.rounded_cells,
            "number had more digits than the vocabulary keeps, and is rounded",
            "numbers had more digits than the vocabulary keeps, and are rounded",
        ),
    ];
    let more = more.iter().filter(|(number, ..)| *number > 0);
    lines.extend(more.map(|(number, one, many)| format!("{}.", counted(number, one, many))));
    lines.extend(imported.faults.iter().map(|fault| format!("  {fault}")));
    lines
}
