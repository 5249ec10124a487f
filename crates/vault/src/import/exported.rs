//! JSON that a vault has exported, with rows of the tables of a community.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use community::Table;

use crate::error::{ImportError, VaultError};
use crate::import::declared::{Imported, table_within};
use crate::import::detect::{self, Format};
use crate::import::record::Origin;
use crate::import::{Options, Progress, Report, born, import_within, rows_again, source};
use crate::vault::Vault;

/// What such a file has brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brought<'a> {
    /// For each table of the community in it: the number of its import, if it is one, and what that did.
    pub tables: Vec<(&'a Table, Option<i64>, Imported)>,
    /// The rest of the file, if it has one.
    pub own: Option<Report>,
}

/// Reads `file` if it is JSON that a vault has exported and has rows of some of `tables`, which are those of a community: what
/// it says of these replaces what they hold, an import for each, and its other rows are imported as by [`import()`](crate::import()). None for
/// other files. Either all of it is in the vault when this returns, or nothing was changed.
///
/// # Errors
///
/// As [`import()`](crate::import()) and [`import_table`](crate::import_table).
pub fn import_exported<'a>(
    vault: &mut Vault,
    file: &File,
    tables: &'a [Table],
    options: &Options<'_>,
    progress: &mut dyn FnMut(Progress),
) -> Result<Option<Brought<'a>>, ImportError> {
    let mut start = file;
    start.seek(SeekFrom::Start(0))?;
    if detect::detect(&mut start) != Ok(Format::RowsJson) {
        return Ok(None);
    }
    let (mut within, mut has_others) = (vec![false; tables.len()], false);
    start.seek(SeekFrom::Start(0))?;
    rows_again::each_json(source(start), &mut |_, name, _| {
        match tables.iter().position(|table| table.name == name) {
            Some(place) => within[place] = true,
            None => has_others = true,
        }
        Ok(())
    })?;
    let within = tables.iter().zip(within);
    let within: Vec<_> = within.filter_map(|(it, is)| is.then_some(it)).collect();
    if within.is_empty() {
        return Ok(None);
    }
    let names: Vec<_> = within.iter().map(|table| table.name.as_str()).collect();
    let born = born(vault)?;
    let transaction = vault.begin()?;
    let options = Options {
        elsewhere: &names,
        format: Some(Format::RowsJson),
        ..*options
    };
    let own = has_others.then(|| import_within(&transaction, born, file, &options, progress));
    let own = own.transpose()?;
    let origin = Origin {
        name: options.name,
        bytes: file.metadata()?.len(),
        now_utc_s: options.now_utc_s,
        preview: options.preview,
    };
    let tables = within.iter().map(|table| {
        let mut start = file;
        start.seek(SeekFrom::Start(0))?;
        let (number, imported) = table_within(&transaction, start, table, &origin)?;
        Ok((*table, number, imported))
    });
    let tables = tables.collect::<Result<_, ImportError>>()?;
    if !options.preview {
        transaction.commit().map_err(VaultError::from)?;
    }
    Ok(Some(Brought { tables, own }))
}

#[cfg(test)]
mod tests;
