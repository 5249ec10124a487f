//! What an owner wants to see of a lot of rows: how many fall on each day, where they were, and the rows one after the other.

use community::Kind;
use question::quoted;

use crate::error::VaultError;
use crate::export::{Held, each_cell, moment_of};
use crate::vault::{Vault, declaration};

const DAY_S: i64 = 86_400;
/// The table of places.
const POSITIONS: &str = "positions";

/// A day, counted from 1970 (UTC), and how many rows fall on it.
pub type DayRows = (i64, u64);

/// The cells of a row as a file has them; none where there is nothing.
pub type Cells = Vec<Option<String>>;

impl Vault {
    /// How many rows fall on each of these days, the first and the last included, for each table with moments or days that is
    /// not computed from others. Days without rows, and tables without such days, are left out.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn calendar(&self, from: i64, to: i64) -> Result<Vec<(String, Vec<DayRows>)>, VaultError> {
        let mut tables = Vec::new();
        for held in self.held()? {
            let Some(moment) = imported_moment(&held) else {
                continue;
            };
            let table = quoted(&held.table.name);
            // Whole days before 1970 too: SQLite's division rounds towards zero.
            let sql = format!(
                "SELECT ({moment} - ((({moment} % {DAY_S}) + {DAY_S}) % {DAY_S})) / {DAY_S} AS day, COUNT(*) FROM {table}
                 WHERE {moment} >= ?1 AND {moment} < ?2 GROUP BY day ORDER BY day"
            );
            let mut query = self.writer.prepare(&sql)?;
            let span = [
                from.saturating_mul(DAY_S),
                to.saturating_add(1).saturating_mul(DAY_S),
            ];
            let days = query.query_map(span, |row| {
                Ok((row.get(0)?, row.get::<_, i64>(1)?.unsigned_abs()))
            })?;
            let days: Vec<DayRows> = days.collect::<Result<_, _>>()?;
            if !days.is_empty() {
                tables.push((held.table.name, days));
            }
        }
        Ok(tables)
    }

    /// The last day with rows, of those up to `day` and of the tables of [`calendar`](Self::calendar).
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn last_day(&self, day: i64) -> Result<Option<i64>, VaultError> {
        let end = day.saturating_add(1).saturating_mul(DAY_S);
        let mut last = None;
        for held in self.held()? {
            let Some(moment) = imported_moment(&held) else {
                continue;
            };
            let table = quoted(&held.table.name);
            let sql = format!("SELECT MAX({moment}) FROM {table} WHERE {moment} < ?1");
            last = last.max(self.writer.query_row(&sql, [end], |row| row.get(0))?);
        }
        Ok(last.map(|moment: i64| moment.div_euclid(DAY_S)))
    }

    /// How many positions there are, and at most `most` of them, evenly taken from all, as degrees north and east.
    ///
    /// # Errors
    ///
    /// A failure to read.
    pub fn places(&self, most: usize) -> Result<(u64, Vec<[f64; 2]>), VaultError> {
        let Some(table) = declaration(&self.writer, POSITIONS)? else {
            return Ok((0, Vec::new()));
        };
        let unit = |name: &str| {
            let column = table.columns.iter().find(|column| column.name == name)?;
            match &column.kind {
                Kind::Number(range) => Some(10_f64.powi(range.decimals.into())),
                Kind::Category(_) | Kind::Text => None,
            }
        };
        // A community's own table of that name may have other columns.
        let Some((north, east)) = unit("latitude_deg").zip(unit("longitude_deg")) else {
            return Ok((0, Vec::new()));
        };
        let Some(moment) = moment_of(&table) else {
            return Ok((0, Vec::new()));
        };
        let count = self
            .writer
            .query_row("SELECT COUNT(*) FROM positions", [], |row| {
                row.get::<_, i64>(0)
            })?;
        let step = (count.unsigned_abs().div_ceil(most.max(1) as u64)).max(1);
        let sql = format!(
            "SELECT latitude_deg, longitude_deg FROM
             (SELECT latitude_deg, longitude_deg, ROW_NUMBER() OVER (ORDER BY {moment}) - 1 AS place FROM positions)
             WHERE place % ?1 = 0 AND latitude_deg IS NOT NULL AND longitude_deg IS NOT NULL"
        );
        let mut query = self.writer.prepare(&sql)?;
        let places = query.query_map([step.cast_signed()], |row| {
            let (at, on): (i64, i64) = (row.get(0)?, row.get(1)?);
            Ok([at as f64 / north, on as f64 / east])
        })?;
        Ok((count.unsigned_abs(), places.collect::<Result<_, _>>()?))
    }

    /// The columns of a table, and its rows beyond the first `after`, at most `most`, in the order in which they are kept: by
    /// their moments where they have some.
    ///
    /// # Errors
    ///
    /// [`VaultError::NoTable`], or a failure to read.
    pub fn rows_after(
        &self,
        name: &str,
        after: u64,
        most: usize,
    ) -> Result<(Vec<String>, Vec<Cells>), VaultError> {
        let missing = || VaultError::NoTable(name.to_owned());
        let table = declaration(&self.writer, name)?.ok_or_else(missing)?;
        let names: Vec<String> = table.columns.iter().map(|it| it.name.clone()).collect();
        let columns: Vec<String> = names.iter().map(|name| quoted(name)).collect();
        let sql = format!(
            "SELECT {} FROM {} LIMIT ?2 OFFSET ?1",
            columns.join(", "),
            quoted(&table.name)
        );
        let mut query = self.writer.prepare(&sql)?;
        let after = i64::try_from(after).unwrap_or(i64::MAX);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let mut found = query.query([after, most])?;
        let mut rows = Vec::new();
        while let Some(row) = found.next()? {
            rows.push(each_cell(&table, row)?);
        }
        Ok((names, rows))
    }
}

/// The moment of a row of a table that files fill.
fn imported_moment(held: &Held) -> Option<String> {
    moment_of(&held.table).filter(|_| held.own && !held.computed)
}

#[cfg(test)]
mod tests;
