//! Files into the vault.
//!
//! [`import_csv`] fills a table that a community declares. [`import`] reads what programs and services let people
//! export, of any [`Format`], into the tables of the [vocabulary](crate::vocabulary): as a stream, in memory that does not
//! grow with the file, and in one transaction, so that all of it is there afterwards or nothing.

mod added;
mod apple;
mod archive;
mod batch;
pub(crate) mod days;
mod declared;
mod detect;
mod encoding;
mod exported;
mod fhir;
mod fit;
mod google;
mod gpx;
mod green_button;
mod hostile;
mod ics;
pub(crate) mod input;
mod json;
mod mapped;
mod mapping;
mod ofx;
mod ratings;
pub(crate) mod record;
mod rows_again;
pub(crate) mod sink;
mod writer;
mod xml;
mod zones;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use rusqlite::Transaction;

use crate::error::{ImportError, VaultError};
use crate::fault::Fault;

use crate::vault::Vault;

pub use declared::{Imported, fits, import_csv, import_table};
pub use detect::Format;
pub use exported::{Brought, import_exported};
pub use hostile::read_hostile;
pub use input::Progress;
pub use mapping::{Mapping, MappingError};
pub use record::{Origin, Recorded, Undone};

use input::{Bounded, Budget, Counted, Stamp};
use sink::Sink;
use writer::Done;

/// How a file is to be imported.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options<'a> {
    /// What to call it in the record of imports: its name, for example.
    pub name: &'a str,
    /// What it is, if that is not to be found out.
    pub format: Option<Format>,
    /// What the columns of a CSV file mean.
    pub mapping: Option<&'a Mapping>,
    /// Whose records are meant, where a file tells of several people.
    pub person: Option<&'a str>,
    /// Minutes that local time is ahead of UTC, for files that do not tell; they count as UTC otherwise.
    pub utc_offset_min: Option<i64>,
    /// Tables of a community, whose rows are not meant where a file that a vault has exported has some.
    pub elsewhere: &'a [&'a str],
    /// When this happens, seconds since 1970 in UTC.
    pub now_utc_s: i64,
    /// Whether everything is to be read and nothing changed.
    pub preview: bool,
}

/// What an import did, or would do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its number, by which it can be undone; none for a preview.
    pub import: Option<i64>,
    /// What the file is.
    pub format: Format,
    /// Rows that are new, by table.
    pub kept: BTreeMap<&'static str, u64>,
    /// Rows that were there already, or twice in the file.
    pub duplicate: u64,
    /// Records left out, by reason.
    pub skipped: BTreeMap<&'static str, u64>,
    /// Cells of kept rows that could not be used and count as missing.
    pub unusable_cells: u64,
    /// The first of all these, one by one.
    pub faults: Vec<Fault>,
    /// Length of the file.
    pub bytes: u64,
}

impl Report {
    /// Rows that are new.
    pub fn total_kept(&self) -> u64 {
        self.kept.values().sum()
    }

    /// Records left out.
    pub fn total_skipped(&self) -> u64 {
        self.skipped.values().sum()
    }
}

/// Reads `file` from its beginning into the tables of the vocabulary. Either everything that can be kept is in the vault
/// when this returns, or nothing was changed. Rows that are there already are not stored again.
///
/// # Errors
///
/// A file of an unknown kind or damaged, one that changes meanwhile, one in which nothing can be used, one that tells of
/// several people of whom none is chosen, or a failure to read or write.
pub fn import(
    vault: &mut Vault,
    file: &File,
    options: &Options<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, ImportError> {
    let born = born(vault)?;
    let transaction = vault.begin()?;
    let report = import_within(&transaction, born, file, options, progress)?;
    if !options.preview {
        transaction.commit().map_err(VaultError::from)?;
    }
    Ok(report)
}

/// The owner's year of birth and sex, empty where the profile does not tell.
fn born(vault: &Vault) -> Result<[String; 2], VaultError> {
    let profile = vault.profile()?;
    Ok(["birth_year", "sex"].map(|name| {
        let said = profile.iter().find(|(column, _)| *column == name);
        said.map_or_else(String::new, |(_, value)| value.clone())
    }))
}

/// As [`import()`], by whoever ends the transaction.
fn import_within(
    transaction: &Transaction<'_>,
    born: [String; 2],
    file: &File,
    options: &Options<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Report, ImportError> {
    let before = Stamp::of(file)?;
    let mut start = file;
    start.seek(SeekFrom::Start(0))?;
    let format = match (options.format, options.mapping) {
        (Some(format), _) => format,
        (None, Some(_)) => Format::Csv,
        (None, None) => detect::detect(&mut start)?,
    };
    start.seek(SeekFrom::Start(0))?;
    let number = record::next(transaction)?;
    let zone = options.utc_offset_min;
    let known_as = record::known_as(transaction)?;
    let done = writer::run(transaction, number, zone, progress, |sink, told| {
        sink.known_as = known_as;
        sink.born = born;
        let input = Counted::new(file, before.bytes, told);
        match format {
            Format::Zip => archive::read(input, before.bytes, options, sink),
            _ => read(format, &mut { input }, options, sink),
        }
    })?;
    if Stamp::of(file)? != before {
        return Err(ImportError::Changed);
    }
    let Done {
        kept,
        added,
        duplicate,
        faults,
        person,
    } = done;
    let report = Report {
        import: (!options.preview).then_some(number),
        format,
        kept,
        duplicate,
        skipped: faults.reasons,
        unusable_cells: faults.cells,
        faults: faults.first,
        bytes: before.bytes,
    };
    if report.total_kept() + report.duplicate == 0 {
        let commonest = report.skipped.iter().max_by_key(|(_, records)| **records);
        let commonest = commonest.map(|(reason, _)| *reason);
        let (records, faults) = (report.total_skipped(), &report.faults);
        return Err(ImportError::nothing_read(records, faults, commonest));
    }
    if !options.preview {
        record::write(
            transaction,
            number,
            options,
            &report,
            person.as_deref().filter(|it| !it.is_empty()),
        )?;
        for added in added {
            added.end(transaction)?;
        }
    }
    Ok(report)
}

/// Reads what is no archive.
fn read(
    format: Format,
    input: &mut dyn Read,
    options: &Options<'_>,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    // Tables bound their records themselves.
    match format {
        Format::Csv => return mapped::read(input, options, sink),
        Format::Rows => return rows_again::read_csv(input, sink),
        Format::Letterboxd => return ratings::letterboxd(input, sink),
        Format::Imdb => return ratings::imdb(input, sink),
        _ => {}
    }
    let source = source(input);
    match format {
        Format::RowsJson => rows_again::read_json(source, options.elsewhere, sink),
        Format::Gpx => gpx::read(source, sink),
        Format::AppleHealth => apple::read(source, sink),
        Format::GoogleTimeline => google::read(source, sink),
        Format::GreenButton => green_button::read(source, sink),
        Format::Fit => fit::read(source.input, &source.budget, sink),
        Format::Fhir => fhir::read(source, options.person, sink),
        Format::Ics => ics::read(source, sink),
        Format::Ofx => ofx::read(source, sink),
        Format::Csv | Format::Rows | Format::Letterboxd | Format::Imdb => {
            unreachable!("tables were read above")
        }
        Format::Zip => {
            unreachable!("archives are read by their own reader, which reads none within")
        }
    }
}

/// What an importer reads: a stream, and the budget of its next record.
pub(crate) struct Source<R> {
    input: Bounded<R>,
    budget: Budget,
}

fn source<R: Read>(input: R) -> Source<R> {
    let (input, budget) = Bounded::new(input);
    Source { input, budget }
}

#[cfg(test)]
mod tests;
