//! The owner's data, on the vault's own thread: what there is, files into it, and out of it again.

use std::fs::File;
use std::io::{self, BufReader, Seek, Write};
use std::path::Path;

use api::{
    Calendar, Counted, DayRows, Days, Fault, HeldTable, Holdings, Import, ImportReport, Kind,
    NewImport, Places, ProfileField, Removed, Reply, Request, Rows, TableDays,
};
use community::Table;
use rustix::fs::{MemfdFlags, memfd_create};
use vault::{
    Brought, Export, Format, Held, ImportError, Imported, Options, Origin, Recorded, Report, Vault,
    VaultError, import, import_exported, import_table, shape,
};

use super::looking::told_column;
use super::{Core, UpError};
use crate::data::{chosen_table, may_be_table};
use crate::keeper::{Broken, Errand, Keeper};

/// Longest table that is given out at once.
const EXPORT_BYTES_MAX: usize = 48 << 20;
/// Places that are shown: a picture of them has no room for more.
const PLACES_MAX: usize = 5000;
const DAY_S: i64 = 86_400;
/// A year, and the day on which it begins.
const YEAR_DAYS: i64 = 365;
/// Most faults that are told one by one.
const FAULTS_MAX: usize = 20;

impl Core {
    /// Has the vault's thread do something, and reply.
    pub(super) fn with_vault<T: Send + 'static>(
        &self,
        reply: Reply<T>,
        run: impl FnOnce(&mut Vault) -> Result<T, Fault> + Send + 'static,
    ) -> Result<(), UpError> {
        Ok(with_vault(&self.keeper, reply, run)?)
    }
}

/// Has the vault's thread do something, and reply.
pub fn with_vault<T: Send + 'static>(
    keeper: &Keeper,
    reply: Reply<T>,
    run: impl FnOnce(&mut Vault) -> Result<T, Fault> + Send + 'static,
) -> Result<(), Broken> {
    let run = |vault: &mut Vault| drop(reply.send(run(vault)));
    keeper.send(Errand::Run(Box::new(run)))
}

/// Has done what is about the owner's data; `tables` are those of the community. What is about something else comes back.
pub fn serve(
    keeper: &Keeper,
    tables: &[Table],
    now_utc_s: i64,
    request: Request,
) -> Result<Option<Request>, Broken> {
    match request {
        Request::Holdings(reply) => with_vault(keeper, reply, |vault| {
            let tables = vault.held().map_err(broken)?;
            let tables = tables.into_iter().map(held).collect();
            Ok(Holdings { tables })
        })?,
        Request::Profile(reply) => with_vault(keeper, reply, |vault| profile(vault))?,
        Request::SetProfile(new, reply) => with_vault(keeper, reply, move |vault| {
            let says = new.says.iter();
            let changes: Vec<_> = says.map(|(name, value)| (&**name, &**value)).collect();
            vault.set_profile(&changes).map_err(|why| not_done(&why))?;
            profile(vault)
        })?,
        Request::Imports(reply) => with_vault(keeper, reply, |vault| {
            let imports = vault.imports().map_err(broken)?;
            Ok(imports.into_iter().rev().map(recorded).collect())
        })?,
        Request::Import(new, bytes, reply) => {
            let tables = tables.to_vec();
            with_vault(keeper, reply, move |vault| {
                read(vault, &new, bytes, &tables, now_utc_s)
            })?;
        }
        Request::Undo(number, reply) => with_vault(keeper, reply, move |vault| {
            let undone = vault.undo(number, now_utc_s);
            let rows = undone.map_err(|why| not_done(&why))?.removed;
            Ok(Removed { rows })
        })?,
        Request::Export(table, reply) => {
            with_vault(keeper, reply, move |vault| export(vault, &table))?;
        }
        Request::Forget(table, reply) => with_vault(keeper, reply, move |vault| {
            let rows = vault.delete(&table).map_err(|why| not_done(&why))?;
            Ok(Removed { rows })
        })?,
        Request::Calendar(days, reply) => {
            with_vault(keeper, reply, move |vault| calendar(vault, days, now_utc_s))?;
        }
        Request::Places(reply) => with_vault(keeper, reply, |vault| {
            let (count, places) = vault.places(PLACES_MAX).map_err(broken)?;
            Ok(Places { count, places })
        })?,
        Request::Rows(table, after, most, reply) => with_vault(keeper, reply, move |vault| {
            let rows = vault.rows_after(&table, after, most);
            let (columns, rows) = rows.map_err(|why| not_done(&why.into()))?;
            Ok(Rows { columns, rows })
        })?,
        other => return Ok(Some(other)),
    }
    Ok(None)
}

/// All that the profile can say, and what it says.
fn profile(vault: &Vault) -> Result<Vec<ProfileField>, Fault> {
    let said = vault.profile().map_err(broken)?;
    let shape = shape("profile").expect("it is in the vocabulary");
    let columns = shape.table().columns;
    let fields = shape.columns.iter().zip(&columns);
    let fields = fields.map(|(field, column)| ProfileField {
        column: told_column(column),
        about: field.about.into(),
        value: said
            .iter()
            .find(|(name, _)| *name == field.name)
            .map(|(_, value)| value.clone()),
    });
    Ok(fields.collect())
}

fn export(vault: &Vault, table: &str) -> Result<Vec<u8>, Fault> {
    let mut rows = Short(Vec::new());
    match vault.export(&[table], Export::Csv, &mut rows) {
        Ok(_) => Ok(rows.0),
        Err(VaultError::Io(io::ErrorKind::WriteZero)) => Err(Fault::new(
            Kind::Long,
            "this table is too long to be given out here",
            format!("use: commonhold data export {table} --out FILE"),
        )),
        Err(why) => Err(not_done(&why.into())),
    }
}

/// The days that are wanted, or the year up to the last day with rows: not after today, as one entry of a calendar may lie
/// years ahead.
fn calendar(vault: &Vault, days: Days, now_utc_s: i64) -> Result<Calendar, Fault> {
    let to_day = match days.to {
        Some(to) => to,
        None => {
            let today = now_utc_s.div_euclid(DAY_S);
            vault.last_day(today).map_err(broken)?.unwrap_or(today)
        }
    };
    let from_day = days.from.unwrap_or(to_day.saturating_sub(YEAR_DAYS));
    let tables = vault.calendar(from_day, to_day).map_err(broken)?;
    let day = |(day, rows)| DayRows { day, rows };
    let table = |(name, days): (String, Vec<vault::DayRows>)| TableDays {
        name,
        days: days.into_iter().map(day).collect(),
    };
    Ok(Calendar {
        from_day,
        to_day,
        tables: tables.into_iter().map(table).collect(),
    })
}

/// As `data import` does: what it is is found out, and what is of no known format may be for a table of the community.
fn read(
    vault: &mut Vault,
    new: &NewImport,
    bytes: Vec<u8>,
    tables: &[Table],
    now_utc_s: i64,
) -> Result<ImportReport, Fault> {
    let path = Path::new(&new.name);
    let file = in_memory(&bytes).map_err(|why| broken(VaultError::from(why)))?;
    drop(bytes);
    if let Some(name) = &new.table {
        return replace(
            vault,
            new,
            &file,
            table(tables, Some(name), path, &file)?,
            now_utc_s,
        );
    }
    let options = Options {
        name: &new.name,
        person: new.person.as_deref(),
        now_utc_s,
        preview: new.preview,
        ..Options::default()
    };
    let exported = import_exported(vault, &file, tables, &options, &mut |_| {});
    if let Some(brought) = exported.map_err(|why| not_done(&why))? {
        return Ok(reported_all(brought));
    }
    match import(vault, &file, &options, &mut |_| {}) {
        Ok(report) => Ok(reported(report)),
        Err(why) if may_be_table(&why, path) && !tables.is_empty() => replace(
            vault,
            new,
            &file,
            table(tables, None, path, &file)?,
            now_utc_s,
        ),
        Err(why) => Err(not_done(&why)),
    }
}

/// The table of the community that a file is for.
fn table<'a>(
    tables: &'a [Table],
    name: Option<&str>,
    path: &Path,
    file: &File,
) -> Result<&'a Table, Fault> {
    chosen_table(tables, name, path, file).map_err(|why| {
        if tables.is_empty() {
            return Fault::said(Kind::Refused, &why);
        }
        let names: Vec<_> = tables.iter().map(|table| table.name.as_str()).collect();
        Fault::new(
            Kind::WhichTable,
            "which of the community's tables this file is for is not known",
            format!("say which of them: {}", names.join(", ")),
        )
    })
}

/// The file's rows instead of those of a table of the community.
fn replace(
    vault: &mut Vault,
    new: &NewImport,
    mut file: &File,
    table: &Table,
    now_utc_s: i64,
) -> Result<ImportReport, Fault> {
    let rewound = file.rewind().and_then(|()| file.metadata());
    let about = rewound.map_err(|why| broken(VaultError::from(why)))?;
    let origin = Origin {
        name: &new.name,
        bytes: about.len(),
        now_utc_s,
        preview: new.preview,
    };
    let imported = import_table(vault, BufReader::new(file), table, &origin);
    let (import, imported) = imported.map_err(|why| not_done(&why))?;
    Ok(replaced(table, import, imported))
}

fn replaced(table: &Table, import: Option<i64>, imported: Imported) -> ImportReport {
    let Imported {
        kept,
        unchanged,
        repeated_rows,
        skipped_rows,
        unusable_cells,
        faults,
        ..
    } = imported;
    let left_out = (skipped_rows > 0).then(|| counted("another number of cells", skipped_rows));
    let new = (!unchanged).then(|| counted(&table.name, kept));
    ImportReport {
        format: "CSV".into(),
        numbers: import.into_iter().collect(),
        replaces: (!unchanged)
            .then(|| table.name.clone())
            .into_iter()
            .collect(),
        kept: new.into_iter().collect(),
        duplicate: if unchanged { kept } else { 0 },
        repeated: repeated_rows,
        skipped: left_out.into_iter().collect(),
        unusable_cells,
        faults: told(&faults),
    }
}

/// The parts of a file in one.
fn reported_all(brought: Brought<'_>) -> ImportReport {
    let tables = brought.tables.into_iter();
    let tables = tables.map(|(table, import, imported)| replaced(table, import, imported));
    let mut parts = brought.own.map(reported).into_iter().chain(tables);
    let mut all = parts.next().expect("it has brought something");
    for part in parts {
        all.numbers.extend(part.numbers);
        all.replaces.extend(part.replaces);
        all.kept.extend(part.kept);
        all.duplicate += part.duplicate;
        all.repeated += part.repeated;
        all.skipped.extend(part.skipped);
        all.unusable_cells += part.unusable_cells;
        all.faults.extend(part.faults);
    }
    all.format = Format::RowsJson.to_string();
    all
}

/// A file that is on no disk: importers want one, and the owner's data must not lie on a disk in the clear.
fn in_memory(bytes: &[u8]) -> io::Result<File> {
    let mut file = File::from(memfd_create("import", MemfdFlags::CLOEXEC)?);
    file.write_all(bytes)?;
    file.rewind()?;
    Ok(file)
}

/// No longer than may be.
struct Short(Vec<u8>);

impl Write for Short {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.0.len() + bytes.len() > EXPORT_BYTES_MAX {
            return Ok(0);
        }
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn held(held: Held) -> HeldTable {
    HeldTable {
        name: held.table.name,
        rows: held.rows,
        first_at: held.span_utc_s.map(|(first, _)| first),
        last_at: held.span_utc_s.map(|(_, last)| last),
        computed: held.computed,
        of_community: !held.own,
    }
}

fn recorded(recorded: Recorded) -> Import {
    Import {
        number: recorded.import,
        file: recorded.name,
        format: recorded.format,
        bytes: recorded.bytes,
        at: recorded.at_utc_s,
        kept: recorded.kept,
        duplicate: recorded.duplicate,
        skipped: recorded.skipped.iter().map(|(_, records)| records).sum(),
        undone_at: recorded.undone_utc_s,
    }
}

fn reported(report: Report) -> ImportReport {
    let all = |counts: &std::collections::BTreeMap<&'static str, u64>| {
        counts
            .iter()
            .map(|(name, count)| counted(name, *count))
            .collect()
    };
    ImportReport {
        format: report.format.to_string(),
        numbers: report.import.into_iter().collect(),
        replaces: vec![],
        kept: all(&report.kept),
        duplicate: report.duplicate,
        repeated: 0,
        skipped: all(&report.skipped),
        unusable_cells: report.unusable_cells,
        faults: told(&report.faults),
    }
}

fn told(faults: &[vault::Fault]) -> Vec<String> {
    let first = faults.iter().take(FAULTS_MAX);
    // What to say to a command instead is of no use here.
    let said = |fault: &vault::Fault| fault.to_string().replace("; say which with --zone", "");
    first.map(said).collect()
}

fn counted(name: &str, count: u64) -> Counted {
    let name = name.to_owned();
    Counted { name, count }
}

/// The vault cannot be used.
pub fn broken(why: VaultError) -> Fault {
    Fault::said(Kind::Failed, &why.to_string())
}

/// What cannot be read, is not there, or does not work.
fn not_done(why: &ImportError) -> Fault {
    let kind = match why {
        ImportError::NoImport { .. } | ImportError::Vault(VaultError::NoTable(_)) => Kind::Unknown,
        ImportError::Computed { .. } => Kind::Late,
        ImportError::Io(_) | ImportError::Vault(_) => Kind::Failed,
        ImportError::SeveralPeople { .. } | ImportError::SomebodyElse { .. } => Kind::WhichPerson,
        _ => Kind::Refused,
    };
    // What the texts say otherwise is how to say it to a command.
    let here = match why {
        ImportError::UnknownFormat => Some((
            "what kind of file this is cannot be told from what is in it",
            "if it is a table for your community, say which one; if it is not, only the kinds of files that docs/vocabulary.md names are read",
        )),
        ImportError::NeedsMapping => Some((
            "what the columns of this table mean is not known",
            "give a file of one of the kinds that docs/vocabulary.md names; a table of another kind needs a mapping: commonhold data import FILE --map FILE.toml",
        )),
        ImportError::SeveralPeople { .. } => Some((
            "the file tells of several people; nothing was changed",
            "say which one you are, by the name that the file has for it, such as Patient/123",
        )),
        ImportError::SomebodyElse { .. } => Some((
            "the file tells of somebody whom your imports before were not about; nothing was changed",
            "if it is you, under another name, say so by the name that the file has, such as Patient/123",
        )),
        _ => None,
    };
    if let Some((error, what_to_do)) = here {
        return Fault::new(kind, error, what_to_do);
    }
    Fault::said_or(kind, &why.to_string(), "nothing was changed")
}

#[cfg(test)]
mod tests {
    use base::Rng;
    use community::{Column, Kind as ColumnIs};
    use vault::VaultKey;

    use super::*;

    const TRACK: &[u8] = br#"<gpx creator="x"><trk><trkseg>
        <trkpt lat="1" lon="2"><time>2020-01-01T00:00:00Z</time></trkpt>
        <trkpt lat="95" lon="2"><time>2020-01-01T00:00:01Z</time></trkpt></trkseg></trk></gpx>"#;

    fn vault(folder: &Path) -> Vault {
        let key = VaultKey::generate(&mut Rng::from_number(1));
        Vault::create(&folder.join("vault.db"), &key).expect("a vault")
    }

    fn new(name: &str, preview: bool) -> NewImport {
        NewImport {
            name: name.into(),
            table: None,
            person: None,
            preview,
        }
    }

    fn tables() -> Vec<Table> {
        let column = Column {
            name: "mood".into(),
            kind: ColumnIs::Category(vec!["good".into(), "bad".into()]),
        };
        vec![Table {
            name: "days".into(),
            columns: vec![column],
        }]
    }

    #[test]
    fn a_look_changes_nothing_and_a_second_time_brings_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut vault = vault(folder.path());
        let mut bring = |preview| {
            let report =
                read(&mut vault, &new("a.gpx", preview), TRACK.to_vec(), &[], 1).expect("read");
            let held = vault.held().expect("told");
            (report, held.iter().map(|held| held.rows).max().unwrap_or(0))
        };
        let one = vec![counted("positions", 1)];
        let (look, rows) = bring(true);
        assert_eq!((&look.kept, &look.numbers[..], rows), (&one, &[][..], 0));
        let (first, rows) = bring(false);
        assert_eq!((&first.kept, &first.numbers[..], rows), (&one, &[1][..], 1));
        let (again, _) = bring(false);
        assert_eq!((again.kept.len(), again.duplicate), (0, 1));
        let undone = vault.undo(1, 2).map_err(|why| not_done(&why).kind);
        assert_eq!(undone.map(|undone| undone.removed), Ok(1));
        let twice = vault.undo(1, 2).map_err(|why| not_done(&why).kind);
        assert_eq!(twice.map(|undone| undone.removed), Err(Kind::Unknown));
    }

    #[test]
    fn a_profile_tells_all_that_it_can_say() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut vault = vault(folder.path());
        let all = profile(&vault).expect("told");
        let names: Vec<_> = all.iter().map(|field| &*field.column.name).collect();
        assert_eq!(names[..3], ["birth_year", "sex", "job"]);
        assert!(all.iter().all(|field| field.value.is_none()));
        vault
            .set_profile(&[("birth_year", "1981")])
            .expect("a year");
        let all = profile(&vault).expect("told");
        assert_eq!(all[0].value.as_deref(), Some("1981"));
        assert_eq!(all[0].column.min.as_deref(), Some("1850"));
        let wrong = vault.set_profile(&[("birth_year", "soon")]);
        assert_eq!(wrong.map_err(|why| not_done(&why).kind), Err(Kind::Refused));
        assert_eq!(profile(&vault).expect("told"), all, "nothing has changed");
    }

    #[test]
    fn one_entry_years_ahead_does_not_hide_what_is_past() {
        const DAY: i64 = 86_400;
        let folder = tempfile::tempdir().expect("a folder");
        let mut vault = vault(folder.path());
        let event = |uid: u8, day: &str| {
            format!(
                "BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTART:{day}T100000Z\r\nDTEND:{day}T110000Z\r\nEND:VEVENT\r\n"
            )
        };
        let mut bring = |days: &[&str], today| {
            let events: String = (0..).zip(days).map(|(uid, day)| event(uid, day)).collect();
            let file = format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n");
            let report = read(&mut vault, &new("a.ics", false), file.into_bytes(), &[], 1);
            report.expect("read");
            let days = Days {
                from: None,
                to: None,
            };
            let shown = calendar(&vault, days, today * DAY).expect("told");
            (shown.to_day, shown.tables.len())
        };
        assert_eq!(bring(&["20300101"], 20_000), (20_000, 0));
        assert_eq!(bring(&["20200101", "20300101"], 20_000), (18_262, 1));
        assert_eq!(bring(&["20200101"], 22_000), (21_915, 1));
    }

    #[test]
    fn a_table_of_the_community_is_replaced_and_anything_else_refused_in_words() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut vault = vault(folder.path());
        let mut bring = |name, preview, file: &[u8]| {
            read(&mut vault, &new(name, preview), file.to_vec(), &tables(), 1)
        };
        let look = bring("days.csv", true, b"mood\ngood\n").expect("looked at");
        assert_eq!((look.replaces, look.numbers), (vec!["days".into()], vec![]));
        let look = bring("days.csv", true, b"mood\ngood\ngood\nso so\n").expect("looked at");
        let report = bring("days.csv", false, b"mood\ngood\ngood\nso so\n").expect("read");
        assert_eq!(report.kept, [counted("days", 3)]);
        assert_eq!((report.repeated, report.duplicate), (1, 0));
        assert_eq!((report.unusable_cells, report.faults.len()), (1, 1));
        // What a look said came true.
        let expected = ImportReport {
            numbers: report.numbers.clone(),
            ..look
        };
        assert_eq!(report, expected);
        let columns =
            bring("days.txt", false, b"mood,note\ngood,1\n").expect("a table by its columns");
        assert_eq!(columns.kept, [counted("days", 1)]);
        // A word a line, under that name, could be anything.
        for (name, file) in [
            ("a.bin", &b"\x00\x01\x02"[..]),
            ("days.txt", b"mood\ngood\n"),
        ] {
            let refused = bring(name, false, file).expect_err("of no kind");
            assert_eq!(refused.kind, Kind::Refused);
            assert!(!refused.what_to_do.contains("--as"), "{refused:?}");
        }
    }

    #[test]
    fn what_a_file_does_not_tell_is_asked_for() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut vault = vault(folder.path());
        let two = ["days", "nights"].map(|name| Table {
            name: name.into(),
            ..tables()[0].clone()
        });
        let mut bring = |new: NewImport, file: &str| {
            let report = read(&mut vault, &new, file.as_bytes().to_vec(), &two, 1);
            report.map_err(|why| (why.kind, why.what_to_do))
        };
        let moods = "mood,note\ngood,1\n";
        let asked = bring(new("a.csv", true), moods).expect_err("of which of two");
        assert_eq!(
            asked,
            (Kind::WhichTable, "say which of them: days, nights".into())
        );
        let told = NewImport {
            table: Some("nights".into()),
            ..new("a.csv", true)
        };
        let report = bring(told, moods).expect("told");
        assert_eq!(report.kept, [counted("nights", 1)]);
        // Nobody is asked what the columns tell.
        let mut apart = two.clone();
        apart[1].columns[0].name = "dream".into();
        let report = read(&mut vault, &new("a.csv", true), moods.into(), &apart, 1);
        assert_eq!(report.expect("told by it").kept, [counted("days", 1)]);
        let mut bring = |new: NewImport, file: &str| {
            let report = read(&mut vault, &new, file.as_bytes().to_vec(), &two, 1);
            report.map_err(|why| (why.kind, why.what_to_do))
        };

        let weight = |who| {
            format!(
                r#"{{"resource": {{"resourceType": "Observation", "status": "final", "subject": {{"reference": "Patient/{who}"}},
                "effectiveDateTime": "2020-01-01T00:00:00Z",
                "code": {{"coding": [{{"system": "http://loinc.org", "code": "29463-7"}}]}},
                "valueQuantity": {{"value": 70, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"}}}}}}"#
            )
        };
        let (ada, bob) = (weight("ada"), weight("bob"));
        let records = format!(r#"{{"resourceType": "Bundle", "entry": [{ada}, {bob}]}}"#);
        let (kind, what_to_do) = bring(new("a.json", true), &records).expect_err("of whom");
        assert_eq!(kind, Kind::WhichPerson);
        assert!(!what_to_do.contains("--"), "{what_to_do}");
        let told = NewImport {
            person: Some("Patient/ada".into()),
            ..new("a.json", true)
        };
        let report = bring(told, &records).expect("told");
        let rows: u64 = report.kept.iter().map(|kept| kept.count).sum();
        assert_eq!(rows, 1, "{report:?}");
    }

    #[test]
    fn a_file_of_several_tables_is_told_table_by_table() {
        let (one, other) = (
            tempfile::tempdir().expect("a folder"),
            tempfile::tempdir().expect("a folder"),
        );
        let two = ["days", "nights"].map(|name| Table {
            name: name.into(),
            ..tables()[0].clone()
        });
        let mut from = vault(one.path());
        for (name, file) in [
            ("days.csv", &b"mood\ngood\n"[..]),
            ("nights.csv", b"mood\nbad\nbad\n"),
            ("a.gpx", TRACK),
        ] {
            read(&mut from, &new(name, false), file.to_vec(), &two, 1).expect("read");
        }
        let mut file = vec![];
        from.export(&["days", "nights", "positions"], Export::Json, &mut file)
            .expect("exported");
        let mut into = vault(other.path());
        let mut bring = |preview| {
            read(&mut into, &new("all.json", preview), file.clone(), &two, 1).expect("read")
        };
        let look = bring(true);
        assert_eq!(look.replaces, ["days", "nights"]);
        let kept = [
            counted("positions", 1),
            counted("days", 1),
            counted("nights", 2),
        ];
        assert_eq!(look.kept, kept);
        assert!(look.numbers.is_empty());
        let report = bring(false);
        assert_eq!(report.numbers, [1, 2, 3]);
        let expected = ImportReport {
            numbers: report.numbers.clone(),
            ..look
        };
        assert_eq!(report, expected);
        let again = bring(false);
        assert_eq!(
            (&again.kept[..], &again.replaces[..], again.duplicate),
            (&[][..], &[][..], 4)
        );
    }
}
