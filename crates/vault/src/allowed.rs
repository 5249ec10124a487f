//! What a statement that is not trusted may do: read the columns of one table, for some seconds.

use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::limits::Limit;
use rusqlite::{Connection, Statement};

use crate::error::VaultError;

/// Steps of SQLite's machine between two looks at the budget.
const STEPS_PER_LOOK: i32 = 10_000;

/// Looks before a question is stopped: a thousand million steps, about three seconds (measured: 330 million a second on
/// one core of a small server).
pub(crate) const MAX_LOOKS: u32 = 100_000;

/// Longest statement: a question's text, each of whose names may be joined by a factor and brackets.
const MAX_STATEMENT: i32 = 1 << 16;

/// Largest row that is read.
const MAX_ROW: i32 = 4 << 20;

/// What may be read, and for how long.
#[derive(Clone, Copy)]
pub(crate) struct Allowed<'a> {
    /// The one table.
    pub(crate) table: &'a str,
    /// Where it begins in the file.
    pub(crate) root_page: i64,
    /// The columns of it.
    pub(crate) columns: &'a [String],
    /// Looks at the budget before it is stopped.
    pub(crate) looks: u32,
}

impl Allowed<'_> {
    /// Prepares `sql` on a connection that keeps it to this.
    ///
    /// # Errors
    ///
    /// [`VaultError::Refused`] for what does more, or a statement that SQLite does not understand.
    pub(crate) fn prepare<'c>(
        &self,
        reader: &'c mut Connection,
        sql: &str,
    ) -> Result<Statement<'c>, VaultError> {
        confine(reader, self)?;
        check_program(reader, sql, self.root_page)?;
        let statement = reader.prepare(sql)?;
        if statement.readonly() {
            Ok(statement)
        } else {
            Err(VaultError::Refused)
        }
    }
}

/// Puts the connection under the rules for the next statement.
fn confine(connection: &mut Connection, allowed: &Allowed<'_>) -> Result<(), VaultError> {
    for (limit, value) in [
        (Limit::SQLITE_LIMIT_SQL_LENGTH, MAX_STATEMENT),
        (Limit::SQLITE_LIMIT_LENGTH, MAX_ROW),
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
        (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
        (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 0),
        (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 0),
    ] {
        connection.set_limit(limit, value)?;
    }
    let (table, columns) = (allowed.table.to_string(), allowed.columns.to_vec());
    connection.authorizer(Some(move |context: AuthContext<'_>| {
        judge(&context, &table, &columns)
    }))?;
    let mut left = allowed.looks;
    connection.progress_handler(
        STEPS_PER_LOOK,
        Some(move || {
            left = left.saturating_sub(1);
            left == 0
        }),
    )?;
    Ok(())
}

/// Looks through SQLite's program for the statement: it may open the table once, and lists of its own making.
///
/// The authorizer alone is not enough. It is not asked about the columns that `JOIN … USING` compares, so that a statement
/// could tell whether a value stands in another table or column (seen with SQLite 3.53).
fn check_program(reader: &Connection, sql: &str, root_page: i64) -> Result<(), VaultError> {
    let mut program = reader.prepare(&format!("EXPLAIN {sql}"))?;
    let mut steps = program.query([])?;
    let mut opened = false;
    while let Some(step) = steps.next()? {
        let (code, page, database): (String, i64, i64) = (step.get(1)?, step.get(3)?, step.get(4)?);
        let allowed = match code.as_str() {
            "OpenRead" => {
                page == root_page && database == 0 && !std::mem::replace(&mut opened, true)
            }
            // The values of IN.
            "OpenEphemeral" => true,
            other => !other.contains("Open"),
        };
        if !allowed {
            return Err(VaultError::Refused);
        }
    }
    Ok(())
}

/// The rules: SELECT, the columns of the one table, ABS, and what an inner query computes of all rows. Everything that is
/// not named here is denied.
fn judge(context: &AuthContext<'_>, table: &str, columns: &[String]) -> Authorization {
    let direct = context.accessor.is_none();
    let allowed = match context.action {
        AuthAction::Select => direct,
        AuthAction::Read {
            table_name,
            column_name,
        } => {
            // SQLite reports an empty column where a statement needs the rows of a table and none of its columns.
            let own_column = column_name.is_empty()
                || columns
                    .iter()
                    .any(|column| column.eq_ignore_ascii_case(column_name));
            direct
                && context.database_name.is_none_or(|name| name == "main")
                && table_name.eq_ignore_ascii_case(table)
                && own_column
        }
        AuthAction::Function { function_name } => ["abs", "count", "sum", "min", "max"]
            .iter()
            .any(|name| function_name.eq_ignore_ascii_case(name)),
        _ => false,
    };
    if allowed {
        Authorization::Allow
    } else {
        Authorization::Deny
    }
}

#[cfg(test)]
mod tests;
