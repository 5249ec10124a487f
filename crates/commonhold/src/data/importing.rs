//! `data import`: which way a file goes, and what is said about it.

use std::fs::{self, File};
use std::io::IsTerminal;
use std::path::Path;
use std::process::ExitCode;

use community::Table;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};
use vault::{
    ImportError, Mapping, Options, Progress, Report, Vault, import, import_exported, utc_offset_min,
};

use crate::cli::{ANSWERED, USAGE, fail};
use crate::counted::counted;
use crate::daemon::Claimed;
use crate::data::{Failed, ImportOptions, Said, declared, failed, home, now_utc_s};
use crate::key_command::failed as unopened;
use crate::output::{doing, tell, warn};

/// Longest file that is imported while the node runs: the node cannot write meanwhile, and waits for a minute at most. A
/// debug build on a busy machine reads 1 MB in a second where records are shortest (measured).
const MAX_MEANWHILE: u64 = 16 << 20;

/// Longest mapping that is read: what the vault takes.
const MAX_MAPPING: u64 = 1 << 16;

/// Runs the command.
pub fn main(options: &ImportOptions) -> ExitCode {
    let (mut said, mut code) = (Vec::new(), ANSWERED);
    let mut started = match Started::new(options) {
        Ok(started) => started,
        Err((why, code)) => return fail(options.json, &why, code),
    };
    for file in &options.files {
        match started.file(file) {
            Ok(one) if options.json => said.push(one.json),
            Ok(one) => tell(one.lines.join("\n")),
            Err((why, failed)) => {
                code = code.max(failed);
                if !options.json {
                    warn(format_args!("error: {why}"));
                }
                said.push(json!({ "file": file.display().to_string(), "why": why }));
            }
        }
    }
    if options.json {
        let one = said.pop().filter(|_| options.files.len() == 1);
        tell(format_args!(
            "{:#}",
            one.unwrap_or_else(|| json!({ "imports": said }))
        ));
    }
    ExitCode::from(code)
}

/// What all files of a command need.
struct Started<'a> {
    options: &'a ImportOptions,
    mapping: Option<Mapping>,
    zone: Option<i64>,
    vocabulary: Vec<Table>,
    vault: Vault,
    folder: std::path::PathBuf,
}

impl<'a> Started<'a> {
    fn new(options: &'a ImportOptions) -> Result<Self, Failed> {
        let zone = options.zone.as_deref().map(|text| {
            let why = || format!("--zone {}: write it as +01:00", text.escape_debug());
            utc_offset_min(text).ok_or_else(|| (why(), USAGE))
        });
        let mapping = options.map.as_deref().map(mapping).transpose()?;
        let zone = zone.transpose()?;
        let home = home(&options.place)?;
        // Without a community no table is declared but those that everybody has.
        let (vocabulary, vault) = match home.is_begun() {
            true => (Vec::new(), home.open_vault().map_err(unopened)?.1),
            false => {
                let (_, community, vault) = home.open().map_err(unopened)?;
                (community.descriptor().vocabulary.clone(), vault)
            }
        };
        Ok(Self {
            options,
            mapping,
            zone,
            vocabulary,
            vault,
            folder: home.path().to_path_buf(),
        })
    }

    fn file(&mut self, path: &Path) -> Result<Said, Failed> {
        let shown = path.display();
        let refused = |why: &std::io::Error| {
            failed(format!(
                "cannot read {shown}: {why}; check the path and its permissions"
            ))
        };
        let file = File::open(path).map_err(|why| refused(&why))?;
        let about = file.metadata().map_err(|why| refused(&why))?;
        if !about.is_file() {
            return Err((
                format!("{shown} is no file; name files, or an archive of them"),
                USAGE,
            ));
        }
        // A node that starts meanwhile would wait for its vault.
        let _alone = match about.len() > MAX_MEANWHILE {
            true => Some(Claimed::claim(&self.folder).map_err(|why| {
                failed(format!(
                    "{shown} is too large to be imported while the node runs, or while another large file is imported: {why}"
                ))
            })?),
            false => None,
        };
        if let Some(name) = &self.options.table {
            let table = declared::chosen(&self.vocabulary, Some(name), path, &file);
            let table = table.map_err(|why| (why, USAGE))?;
            let said = declared::import(&mut self.vault, &file, path, table, self.options.preview);
            return said.map_err(|why| declared::refused(path, &why));
        }
        match self.import(&file, path) {
            Ok(said) => Ok(said),
            Err(why) => self.otherwise(&why, &file, path),
        }
    }

    fn import(&mut self, file: &File, path: &Path) -> Result<Said, ImportError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let options = Options {
            name: &name,
            format: self.options.format,
            mapping: self.mapping.as_ref(),
            person: self.options.person.as_deref(),
            utc_offset_min: self.zone,
            now_utc_s: now_utc_s(),
            preview: self.options.preview,
            ..Options::default()
        };
        doing(format!("reading {}", path.display()));
        let bar = bar(self.options.json);
        let mut progress = |progress: Progress| {
            bar.set_length(progress.total);
            bar.set_position(progress.read);
        };
        let exported = import_exported(
            &mut self.vault,
            file,
            &self.vocabulary,
            &options,
            &mut progress,
        );
        let said = exported.and_then(|brought| match brought {
            Some(brought) => Ok(declared::brought(path, &brought)),
            None => import(&mut self.vault, file, &options, &mut progress)
                .map(|report| reported(path, &report)),
        });
        bar.finish_and_clear();
        said
    }

    /// What is of no known format may be for a table of the community.
    fn otherwise(&mut self, why: &ImportError, file: &File, path: &Path) -> Result<Said, Failed> {
        let shown = path.display();
        let chosen = self.options.format.is_none() && self.mapping.is_none();
        if chosen && declared::may_be(why, path) {
            use std::io::Seek;
            let mut start = file;
            start
                .rewind()
                .map_err(|why| failed(format!("cannot read {shown}: {why}")))?;
            return match declared::chosen(&self.vocabulary, None, path, file) {
                Ok(table) => {
                    let preview = self.options.preview;
                    let said = declared::import(&mut self.vault, file, path, table, preview);
                    said.map_err(|or| declared::refused_unnamed(path, table, why, &or))
                }
                Err(or) => Err((
                    format!("{shown}: {why}. Or, if it is for your community: {or}"),
                    USAGE,
                )),
            };
        }
        Err((format!("{shown}: {why}"), declared::code_of(why)))
    }
}

fn mapping(path: &Path) -> Result<Mapping, Failed> {
    let shown = path.display();
    let length = fs::metadata(path).map_or(0, |about| about.len());
    if length > MAX_MAPPING {
        return Err((
            format!("{shown}: a mapping has at most {MAX_MAPPING} bytes"),
            USAGE,
        ));
    }
    let text = fs::read_to_string(path).map_err(|why| {
        failed(format!(
            "cannot read {shown}: {why}; check the path and its permissions"
        ))
    })?;
    text.parse()
        .map_err(|why| (format!("{shown}: {why}"), USAGE))
}

/// How far it is, for people who look on.
fn bar(json: bool) -> ProgressBar {
    if json || !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("  reading  [{bar:32}] {bytes} of {total_bytes}");
    let bar = ProgressBar::new(0);
    bar.set_style(style.expect("the template is right"));
    bar
}

/// What an import of a file did.
pub fn reported(path: &Path, report: &Report) -> Said {
    Said {
        json: as_json(path, report),
        lines: as_lines(path, report),
    }
}

fn as_json(path: &Path, report: &Report) -> Value {
    json!({
        "file": path.display().to_string(),
        "format": report.format.name(),
        "import": report.import,
        "kept": report.kept,
        "duplicate": report.duplicate,
        "skipped": report.skipped,
        "unusable_cells": report.unusable_cells,
        "bytes": report.bytes,
        "faults": report.faults.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn as_lines(path: &Path, report: &Report) -> Vec<String> {
    let (shown, format) = (path.display(), report.format);
    let mut lines = vec![match report.import {
        Some(import) => format!("{shown}: {format}, import {import}"),
        None => format!("{shown}: {format}, not imported (a preview)"),
    }];
    let tables: Vec<_> = report
        .kept
        .iter()
        .map(|(table, rows)| format!("{rows} {table}"))
        .collect();
    let tables = if tables.is_empty() {
        "nothing new".into()
    } else {
        tables.join(", ")
    };
    lines.push(format!("  kept       {tables}"));
    lines.push(format!("  duplicate  {}", report.duplicate));
    let skipped: Vec<_> = report
        .skipped
        .iter()
        .map(|(reason, records)| format!("{records} ({reason})"))
        .collect();
    let skipped = if skipped.is_empty() {
        "0".into()
    } else {
        skipped.join(", ")
    };
    lines.push(format!("  skipped    {skipped}"));
    if report.unusable_cells > 0 {
        let cells = report.unusable_cells;
        lines.push(format!(
            "  {} as missing",
            counted(
                cells,
                "cell could not be used and counts",
                "cells could not be used and count"
            )
        ));
    }
    lines.extend(
        report
            .faults
            .iter()
            .take(MAX_SHOWN)
            .map(|fault| format!("    {fault}")),
    );
    if report.faults.len() > MAX_SHOWN {
        lines.push("    … (--json shows more of them)".into());
    }
    lines
}

/// Most faults that are shown one by one.
const MAX_SHOWN: usize = 10;
