//! What the owner's data says to a question.

use community::{Column, Kind};
use question::{LocalRow, LocalValue, Question};
use rusqlite::types::ValueRef;

use crate::allowed::{Allowed, MAX_LOOKS};
use crate::error::VaultError;
use crate::vault::Vault;

impl Vault {
    /// What the owner's data says to `question`.
    ///
    /// Only the question's table and columns can be read, nothing can be written, and after a thousand
    /// million steps, some seconds, it is stopped.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoTable`] if nothing was imported for its table, [`VaultError::OtherDeclaration`] if its columns
    /// were imported with another scale or kind (the answer would be wrong), [`VaultError::TooSlow`], or a failure to
    /// read.
    pub fn answer(&self, question: &Question) -> Result<LocalRow, VaultError> {
        self.ask(question, question.local_sql(), question.local_columns())
    }

    /// How many rows the query in brackets of `question` would take together, if it has one: for the owner alone.
    ///
    /// # Errors
    ///
    /// As of [`answer`](Self::answer).
    pub fn rows_asked(&self, question: &Question) -> Result<Option<u64>, VaultError> {
        let Some(sql) = question.rows_sql() else {
            return Ok(None);
        };
        Ok(match self.ask(question, sql, 1)? {
            LocalRow::One(values) => match values.as_slice() {
                [LocalValue::Number(rows)] => u64::try_from(*rows).ok(),
                _ => None,
            },
            _ => None,
        })
    }

    /// Runs one of the statements of `question`, whose result has so many columns.
    fn ask(&self, question: &Question, sql: &str, width: usize) -> Result<LocalRow, VaultError> {
        let name = question.table();
        let stored = self
            .table(name)?
            .ok_or_else(|| VaultError::NoTable(name.to_string()))?;
        for column in question.reads() {
            let found = stored
                .columns
                .iter()
                .find(|it| it.name.eq_ignore_ascii_case(&column.name));
            if !found.is_some_and(|found| same_storage(found, column)) {
                return Err(VaultError::OtherDeclaration {
                    table: name.to_string(),
                    column: column.name.clone(),
                });
            }
        }
        let allowed = Allowed {
            table: name,
            root_page: self.root_page(name)?,
            columns: question.columns(),
            looks: MAX_LOOKS,
        };
        self.run(sql, width, &allowed)
    }

    /// Runs a statement that is not trusted, whose result has so many columns.
    pub(crate) fn run(
        &self,
        sql: &str,
        width: usize,
        allowed: &Allowed<'_>,
    ) -> Result<LocalRow, VaultError> {
        let mut reader = self.reader.borrow_mut();
        let mut statement = allowed.prepare(&mut reader, sql)?;
        if statement.column_count() != width {
            return Err(VaultError::Refused);
        }
        let mut rows = statement.query([])?;
        let row = match rows.next() {
            Ok(Some(row)) => row,
            Ok(None) => return Ok(LocalRow::NoRow),
            Err(error) if is_overflow(&error) => {
                return Ok(LocalRow::One(vec![LocalValue::Other; width]));
            }
            Err(error) => return Err(error.into()),
        };
        let values = (0..width).map(|index| row.get_ref(index).map(value));
        let values = values.collect::<Result<_, _>>()?;
        Ok(if rows.next()?.is_some() {
            LocalRow::SeveralRows
        } else {
            LocalRow::One(values)
        })
    }
}

fn value(value: ValueRef<'_>) -> LocalValue {
    match value {
        ValueRef::Integer(units) => LocalValue::Number(units),
        ValueRef::Null => LocalValue::Missing,
        ValueRef::Text(word) => match str::from_utf8(word) {
            Ok(word) => LocalValue::Word(word.to_owned()),
            Err(_) => LocalValue::Other,
        },
        ValueRef::Real(_) | ValueRef::Blob(_) => LocalValue::Other,
    }
}

/// Whether a sum left 64 bits: a person's who has more rows than the question allows, or values beyond their declaration.
fn is_overflow(error: &rusqlite::Error) -> bool {
    matches!(error, rusqlite::Error::SqliteFailure(_, Some(text)) if text == "integer overflow")
}

/// Whether values of the two declarations are stored alike.
fn same_storage(stored: &Column, asked: &Column) -> bool {
    match (&stored.kind, &asked.kind) {
        (Kind::Number(stored), Kind::Number(asked)) => stored.decimals == asked.decimals,
        (Kind::Number(_), _) | (_, Kind::Number(_)) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests;
