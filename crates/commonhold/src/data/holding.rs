//! What the vault holds: looking at it, taking it elsewhere, taking it back, forgetting it.

use std::io::{self, BufRead, BufWriter, IsTerminal, Write, stdin};

use community::Kind;
use serde_json::{Value, json};
use vault::{Export, Held, ImportError, VaultError};

use crate::cli::{FAILED, REFUSED, USAGE};
use crate::counted::counted;
use crate::data::{
    DeleteOptions, ExportOptions, Failed, Looking, Said, ShowOptions, UndoOptions, Written, failed,
    lost, now_utc_s, vault,
};
use crate::files;
use crate::output::warn;
use crate::verify::date;

/// `data list`.
pub fn list(options: &Looking) -> Result<Said, Failed> {
    let mut held = vault(&options.place)?.held().map_err(failed)?;
    held.retain(is_told);
    let mut lines: Vec<String> = held.iter().map(line).collect();
    if lines.is_empty() {
        lines.push("The vault holds no data yet. Import some: commonhold data import FILE".into());
    }
    let tables: Vec<Value> = held.iter().map(as_json).collect();
    Ok(Said {
        json: json!({ "tables": tables }),
        lines,
    })
}

/// Tables whose imports were undone are still there, without rows, and are told of to nobody who does not name them.
fn is_told(held: &Held) -> bool {
    held.rows > 0 || !held.own
}

fn line(held: &Held) -> String {
    let kind = match (held.own, held.computed) {
        (true, true) => ", computed",
        (true, false) => "",
        (false, _) => ", of your community",
    };
    let span = held.span_utc_s.map_or_else(String::new, |(first, last)| {
        format!(", {} to {}", date(first), date(last))
    });
    let rows = counted(held.rows, "row", "rows");
    format!("{:<16} {rows}{span}{kind}", held.table.name)
}

fn as_json(held: &Held) -> Value {
    json!({
        "table": held.table.name,
        "rows": held.rows,
        "first_utc_s": held.span_utc_s.map(|(first, _)| first),
        "last_utc_s": held.span_utc_s.map(|(_, last)| last),
        "computed": held.computed,
        "own": held.own,
    })
}

/// `data show`.
pub fn show(options: &ShowOptions) -> Result<Said, Failed> {
    let vault = vault(&options.place)?;
    let all = vault.held().map_err(failed)?;
    let held = find(&all, &options.table)?;
    let mut rows = Vec::new();
    let mut first = First {
        rows: &mut rows,
        left: options.rows + 1,
    };
    match vault.export(&[&held.table.name], Export::Csv, &mut first) {
        // It has seen enough.
        Ok(_) | Err(VaultError::Io(io::ErrorKind::WriteZero)) => {}
        Err(why) => return Err(failed(why)),
    }
    let rows = String::from_utf8_lossy(&rows).into_owned();
    let columns: Vec<Value> = held.table.columns.iter().map(column).collect();
    let mut lines = vec![line(held)];
    lines.extend(rows.lines().map(String::from));
    let mut json = as_json(held);
    json["columns"] = columns.into();
    json["csv"] = rows.into();
    Ok(Said { json, lines })
}

fn column(column: &community::Column) -> Value {
    let (kind, more) = match &column.kind {
        Kind::Number(range) => {
            let range = json!({ "decimals": range.decimals, "min": range.min, "max": range.max });
            ("number", range)
        }
        Kind::Category(words) => ("category", json!(words)),
        Kind::Text => ("text", Value::Null),
    };
    json!({ "name": column.name, "kind": kind, "allowed": more })
}

/// The first lines of what is written to it, with quoted ends of lines counted as lines too.
struct First<'a> {
    rows: &'a mut Vec<u8>,
    left: usize,
}

impl Write for First<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for &byte in bytes {
            if self.left == 0 {
                return Ok(0);
            }
            self.rows.push(byte);
            self.left -= usize::from(byte == b'\n');
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// `data export`.
pub fn export(options: &ExportOptions) -> Result<Option<Said>, Failed> {
    let vault = vault(&options.to.place)?;
    let held = vault.held().map_err(failed)?;
    let mut tables = Vec::new();
    for name in &options.tables {
        tables.push(find(&held, name)?.table.name.clone());
    }
    if tables.is_empty() {
        let all = held.iter().filter(|held| !held.computed && is_told(held));
        tables = all.map(|held| held.table.name.clone()).collect();
    }
    if tables.is_empty() {
        return Err((
            "the vault holds no data yet; nothing was written".into(),
            USAGE,
        ));
    }
    let is_csv = |path: &std::path::PathBuf| {
        path.extension()
            .is_some_and(|it| it.eq_ignore_ascii_case("csv"))
    };
    let named = options.to.out.as_ref().filter(|path| is_csv(path));
    let wanted = options.format.or(named.map(|_| Written::Csv));
    let format = match (wanted, tables.as_slice()) {
        (Some(Written::Csv), [_, _, ..]) => {
            return Err((
                "CSV takes one table; name it, or use --format json".into(),
                USAGE,
            ));
        }
        (Some(format), _) => format.into(),
        (None, [_]) => Export::Csv,
        (None, _) => Export::Json,
    };
    let names: Vec<&str> = tables.iter().map(String::as_str).collect();
    let Some(path) = &options.to.out else {
        let mut out = BufWriter::new(io::stdout().lock());
        return match vault.export(&names, format, &mut out) {
            // Who reads has seen enough.
            Ok(_) | Err(VaultError::Io(io::ErrorKind::BrokenPipe)) => Ok(None),
            Err(why) => Err(failed(why)),
        };
    };
    let lost = |why: &dyn std::fmt::Display| lost(path, why);
    let rows = files::write_new(
        path,
        |why| lost(&why),
        |file| {
            let mut out = BufWriter::new(file);
            let rows = vault.export(&names, format, &mut out);
            rows.and_then(|rows| Ok(out.flush().map(|()| rows)?))
                .map_err(|why| match why {
                    VaultError::Io(why) => lost(&why),
                    why => failed(why),
                })
        },
    )?;
    Ok(Some(Said {
        json: json!({ "file": path.display().to_string(), "tables": tables, "rows": rows }),
        lines: vec![format!(
            "{} of {} in {}, readable by your account alone and not encrypted.",
            counted(rows, "row", "rows"),
            tables.join(", "),
            path.display()
        )],
    }))
}

/// `data undo`.
pub fn undo(options: &UndoOptions) -> Result<Said, Failed> {
    let mut vault = vault(&options.place)?;
    let undone = vault.undo(options.import, now_utc_s());
    let undone = undone.map_err(unchanged)?;
    let mut lines = vec![format!(
        "Import {} is undone: {} gone.",
        options.import,
        counted(undone.removed, "row is", "rows are")
    )];
    if undone.back > 0 {
        let back = counted(undone.back, "row is", "rows are");
        lines.push(format!("{back} back, which it had replaced."));
    }
    // What two files held was kept of the first one.
    let imports = vault.imports().map_err(failed)?;
    let this = imports.iter().find(|it| it.import == options.import);
    let format = this.map_or(String::new(), |it| it.format.clone());
    let later: Vec<_> = imports
        .into_iter()
        .filter(|it| it.import > options.import && it.undone_utc_s.is_none() && it.duplicate > 0)
        .filter(|it| may_overlap(&it.format, &format))
        .collect();
    lines.extend(later.iter().map(|it| {
        format!(
            "Import {} ({}) had left out {} there already. If some of these are gone with it, import that file again.",
            it.import,
            it.name,
            counted(it.duplicate, "row that was", "rows that were")
        )
    }));
    let again: Vec<_> = later.iter().map(|it| it.import).collect();
    Ok(Said {
        json: json!({ "import": options.import, "removed": undone.removed, "back": undone.back, "overlapping": again }),
        lines,
    })
}

/// Whether files of these formats can hold the same rows: of those that are told here each kind fills tables of its own.
fn may_overlap(one: &str, other: &str) -> bool {
    let only = |format: &str| match format {
        "gpx" => Some("positions"),
        "ics" => Some("events"),
        "letterboxd" | "imdb" => Some("ratings"),
        "ofx" => Some("transactions"),
        _ => None,
    };
    let (one, other) = (only(one), only(other));
    one.is_none() || other.is_none() || one == other
}

/// `data delete`.
pub fn delete(options: &DeleteOptions) -> Result<Said, Failed> {
    let mut vault = vault(&options.place)?;
    let all = vault.held().map_err(failed)?;
    let held = find(&all, &options.table)?;
    let (name, rows) = (held.table.name.clone(), held.rows);
    if !options.yes && !agreed(&name, rows) {
        let why = format!("nothing was deleted; to delete {name} without being asked: --yes");
        return Err((why, REFUSED));
    }
    let rows = vault.delete(&name).map_err(unchanged)?;
    Ok(Said {
        json: json!({ "table": name, "removed": rows }),
        lines: vec![format!(
            "{name} is deleted: {} gone.",
            counted(rows, "row is", "rows are")
        )],
    })
}

/// Why nothing was taken back or deleted.
fn unchanged(why: ImportError) -> Failed {
    let code = match why {
        ImportError::NoImport { .. } | ImportError::Computed { .. } => USAGE,
        _ => FAILED,
    };
    (why.to_string(), code)
}

/// Whether the owner says yes, typing the table's name.
fn agreed(name: &str, rows: u64) -> bool {
    if !stdin().is_terminal() {
        return false;
    }
    warn(format_args!(
        "{} of {name} will be gone. Type its name to go on:",
        counted(rows, "row", "rows")
    ));
    let mut typed = String::new();
    stdin().lock().read_line(&mut typed).is_ok() && typed.trim() == name
}

/// `data sources`.
pub fn sources(options: &Looking) -> Result<Said, Failed> {
    let imports = vault(&options.place)?.imports().map_err(failed)?;
    let mut lines = Vec::new();
    let mut all = Vec::new();
    for it in &imports {
        let skipped: u64 = it.skipped.iter().map(|(_, records)| records).sum();
        let undone = it
            .undone_utc_s
            .map_or_else(String::new, |at| format!(", undone {}", date(at)));
        lines.push(format!(
            "{:>4}  {}  {} ({})  {} kept, {} duplicate, {skipped} skipped{undone}",
            it.import,
            date(it.at_utc_s),
            it.name.escape_debug(),
            it.format,
            it.kept,
            it.duplicate
        ));
        let reasons: serde_json::Map<String, Value> = it
            .skipped
            .iter()
            .map(|(reason, records)| (reason.clone(), (*records).into()))
            .collect();
        all.push(json!({
            "import": it.import, "file": it.name, "format": it.format, "bytes": it.bytes, "at_utc_s": it.at_utc_s,
            "kept": it.kept, "duplicate": it.duplicate, "skipped": reasons, "undone_utc_s": it.undone_utc_s,
        }));
    }
    if lines.is_empty() {
        lines.push("Nothing was imported yet.".into());
    }
    Ok(Said {
        json: json!({ "imports": all }),
        lines,
    })
}

fn find<'a>(all: &'a [Held], name: &str) -> Result<&'a Held, Failed> {
    let found = all
        .iter()
        .find(|held| held.table.name.eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        let names: Vec<&str> = all.iter().map(|held| held.table.name.as_str()).collect();
        let names = if names.is_empty() {
            "none".into()
        } else {
            names.join(", ")
        };
        (
            format!(
                "the vault has no table \"{}\"; it has {names}",
                name.escape_debug()
            ),
            USAGE,
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_for_different_tables_have_no_rows_in_common() {
        assert!(may_overlap("gpx", "gpx") && may_overlap("letterboxd", "imdb"));
        assert!(may_overlap("zip", "ics") && may_overlap("gpx", "google-timeline"));
        assert!(!may_overlap("gpx", "ics") && !may_overlap("ofx", "imdb"));
    }

    #[test]
    fn the_first_lines_are_the_first_lines() {
        let mut rows = Vec::new();
        let mut first = First {
            rows: &mut rows,
            left: 2,
        };
        let written = first.write_all(b"a\nb\nc\n");
        assert_eq!(
            written.map_err(|why| why.kind()),
            Err(io::ErrorKind::WriteZero)
        );
        assert_eq!(rows, b"a\nb\n");
    }
}
