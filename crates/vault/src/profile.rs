//! The owner's profile: one row, mostly typed in.

use question::quoted;
use rusqlite::OptionalExtension;
use rusqlite::types::{Value, ValueRef};

use crate::error::{ImportError, VaultError};
use crate::import::sink::{Cell, create, one_row};
use crate::vault::{Vault, declaration};
use crate::vocabulary::{Shape, shape, shown};

/// The table.
const PROFILE: &str = "profile";

fn profile() -> &'static Shape {
    shape(PROFILE).expect("it is in the vocabulary")
}

impl Vault {
    /// What the owner's profile says: names of columns and values, those that there are.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn profile(&self) -> Result<Vec<(&'static str, String)>, VaultError> {
        let shape = profile();
        if declaration(&self.writer, PROFILE)? != Some(shape.table()) {
            return Ok(Vec::new());
        }
        let columns: Vec<String> = shape.columns.iter().map(|it| quoted(it.name)).collect();
        let sql = format!("SELECT {} FROM {PROFILE}", columns.join(", "));
        let row = self.writer.query_row(&sql, [], |row| {
            let mut said = Vec::new();
            for (place, field) in shape.columns.iter().enumerate() {
                match row.get_ref(place)? {
                    ValueRef::Integer(units) => {
                        said.push((field.name, shown(units, field.decimals())));
                    }
                    ValueRef::Text(text) => {
                        said.push((field.name, String::from_utf8_lossy(text).into_owned()));
                    }
                    _ => {}
                }
            }
            Ok(said)
        });
        Ok(row.optional()?.unwrap_or_default())
    }

    /// Changes what the profile says about these; an empty text takes it out.
    ///
    /// # Errors
    ///
    /// [`ImportError::Profile`] for a name that it does not have or a value that does not fit, or a failure to write.
    pub fn set_profile(&mut self, changes: &[(&str, &str)]) -> Result<(), ImportError> {
        let shape = profile();
        let mut said = self.profile()?;
        for (name, value) in changes {
            let name = name.replace('-', "_");
            let field = shape.columns.iter().find(|field| field.name == name);
            let field = field.ok_or_else(|| {
                let known: Vec<_> = shape.columns.iter().map(|field| field.name).collect();
                ImportError::Profile(format!(
                    "a profile has no \"{}\"; it has {}",
                    name.escape_debug(),
                    known.join(", ")
                ))
            })?;
            said.retain(|(there, _)| *there != field.name);
            if !value.trim().is_empty() {
                said.push((field.name, value.trim().to_owned()));
            }
        }
        let cells: Vec<_> = said
            .iter()
            .map(|(name, value)| (*name, Cell::Word(value)))
            .collect();
        let (values, digest) = one_row(shape, &cells).map_err(|(name, reason)| {
            let field = shape.columns.iter().find(|field| field.name == name);
            let allowed = field.map_or_else(String::new, crate::vocabulary::Field::allowed);
            ImportError::Profile(format!("{name} {reason}: {allowed}"))
        })?;
        let transaction = self.begin()?;
        create(&transaction, shape)?;
        let write = |sql: &str, values: &[Value]| {
            let written = transaction.execute(sql, rusqlite::params_from_iter(values));
            written.map_err(VaultError::from)
        };
        write(&format!("DELETE FROM {PROFILE}"), &[])?;
        if !said.is_empty() {
            let marks = vec!["?"; values.len() + 2].join(", ");
            let mut values = values;
            values.extend([Value::Integer(digest), Value::Integer(0)]);
            write(&format!("INSERT INTO {PROFILE} VALUES ({marks})"), &values)?;
        }
        transaction.commit().map_err(VaultError::from)?;
        Ok(())
    }
}
