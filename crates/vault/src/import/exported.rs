//! JSON that a vault has exported, with rows of the tables of a community.

use std::fs::File;
use std::io::{Seek, SeekFrom};

use community::Table;
use serde_json::{Map, Value};

use crate::error::{ImportError, VaultError};
use crate::import::declared::{Imported, stored_as, table_within};
use crate::import::detect::{self, Format};
use crate::import::record::Origin;
use crate::import::{Options, Progress, Report, born, import_within, rows_again, source};
use crate::vault::Vault;
use crate::vocabulary::shape;

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
/// A community may ask about a table of this crate's, and leave columns out. Rows that say more than it asks about, or of a
/// table that other files have filled here, are such as other files bring, and are kept whole.
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
    let mut said = vec![Said::Nothing; tables.len()];
    let mut has_others = false;
    start.seek(SeekFrom::Start(0))?;
    rows_again::each_json(source(start), &mut |_, name, row| {
        match tables.iter().position(|table| table.name == name) {
            Some(place) => said[place] = said[place].max(Said::of(row, &tables[place])),
            None => has_others = true,
        }
        Ok(())
    })?;
    let born = born(vault)?;
    let transaction = vault.begin()?;
    let mut within = vec![];
    for (table, said) in tables.iter().zip(said) {
        let is_own = shape(&table.name)
            .is_some_and(|shape| said == Said::More || stored_as(&transaction, shape));
        match said {
            Said::Nothing => {}
            _ if is_own => has_others = true,
            Said::Asked | Said::More => within.push(table),
        }
    }
    if within.is_empty() {
        return Ok(None);
    }
    let names: Vec<_> = within.iter().map(|table| table.name.as_str()).collect();
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

/// What a file says of a table of the community.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Said {
    /// It has no row of it.
    Nothing,
    /// What the community asks about.
    Asked,
    /// Other columns too.
    More,
}

impl Said {
    fn of(row: &Map<String, Value>, table: &Table) -> Self {
        let is_asked = |name: &String| table.columns.iter().any(|column| column.name == *name);
        let mut names = row.keys().filter(|name| *name != "commonhold_table");
        match names.all(is_asked) {
            true => Self::Asked,
            false => Self::More,
        }
    }
}

#[cfg(test)]
mod tests;
