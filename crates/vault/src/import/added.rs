//! Adding what an import brings to what is told by day, instead of computing whole days anew.
//!
//! Sums of rows that are new can be added, whatever else the day has. Where a statement has kept some of its rows and not
//! others, nobody knows which, and where the total of one device may overtake another's, sums are not enough: such days are
//! remembered and computed anew at the end.

use std::collections::BTreeMap;

use rusqlite::Connection;
use rusqlite::types::Value;

use crate::error::{ImportError, VaultError};
use crate::import::batch::{Batch, Held, Stored};
use crate::import::days::{Days, make, recount, told_of};
use crate::time::DAY_S;
use crate::vocabulary::{By, CELL, Daily, Holds, Shape, Total};

/// Most columns that tell rows of one day apart.
const MOST_KEYS: usize = 2;

/// Most totals.
const MOST_TOTALS: usize = 3;

/// Cells that are held before they are written: a few megabytes.
const MOST_CELLS: usize = 1 << 14;

/// A day, and what tells its rows apart; words by their place in the list of those that there are.
type Key = (i64, [i64; MOST_KEYS]);

/// What an import adds to a table by day.
#[derive(Debug)]
pub(crate) struct Added {
    table: &'static Shape,
    daily: Daily,
    from: &'static Shape,
    /// Where the offset from UTC is; the moment comes first.
    offset: usize,
    sums: BTreeMap<Key, [i64; MOST_TOTALS]>,
    anew: Days,
}

impl Added {
    /// One for each table that is computed from this one, which is there.
    pub(crate) fn all(
        connection: &Connection,
        from: &'static Shape,
    ) -> Result<Vec<Self>, ImportError> {
        let mut all = Vec::new();
        for (table, daily) in told_of(from) {
            if let Some(anew) = make(connection, table, daily)? {
                all.push(Self {
                    table,
                    daily,
                    from,
                    offset: place(from, "utc_offset_min"),
                    sums: BTreeMap::new(),
                    anew,
                });
            }
        }
        Ok(all)
    }

    /// Adds these rows, all of which are new.
    pub(crate) fn add(
        &mut self,
        connection: &Connection,
        batch: &Batch,
        rows: &[Held],
    ) -> Result<(), VaultError> {
        if self.daily.most_of.is_some() {
            self.doubt(batch, rows);
            return Ok(());
        }
        for row in rows.chunks_exact(batch.width()) {
            let key = (self.day(row), self.key(batch, row));
            let more = self.totals(row);
            let sums = self.sums.entry(key).or_default();
            for (sum, more) in sums.iter_mut().zip(more) {
                match sum.checked_add(more) {
                    Some(added) => *sum = added,
                    // SQLite says what is wrong with it.
                    None => drop(self.anew.insert(key.0)),
                }
            }
        }
        match self.sums.len() < MOST_CELLS {
            true => Ok(()),
            false => self.write(connection),
        }
    }

    /// Of these rows some are new and some were there.
    pub(crate) fn doubt(&mut self, batch: &Batch, rows: &[Held]) {
        let days = rows.chunks_exact(batch.width()).map(|row| self.day(row));
        let days: Vec<i64> = days.collect();
        self.anew.extend(days);
    }

    /// Brings the table in line with all rows that there are now.
    pub(crate) fn end(mut self, connection: &Connection) -> Result<(), VaultError> {
        self.write(connection)?;
        recount(connection, self.table, self.daily, &self.anew)
    }

    fn write(&mut self, connection: &Connection) -> Result<(), VaultError> {
        let keys = 1 + self.daily.by.len();
        let names: Vec<_> = self.table.columns.iter().map(|it| it.name).collect();
        let add = names[keys..].iter();
        let add: Vec<_> = add
            .map(|it| format!("{it} = {it} + excluded.{it}"))
            .collect();
        let sql = format!(
            "INSERT INTO {} VALUES ({}) ON CONFLICT DO UPDATE SET {}",
            self.table.name,
            vec!["?"; names.len()].join(", "),
            add.join(", ")
        );
        let mut statement = connection.prepare(&sql)?;
        for ((day, by), sums) in std::mem::take(&mut self.sums) {
            let by = self.table.columns[1..keys].iter().zip(by);
            let by = by.map(|(field, key)| match field.holds {
                Holds::Words(words) => Value::Text(words[key as usize].into()),
                Holds::Number { .. } | Holds::Text => Value::Integer(key),
            });
            let sums = sums.into_iter().take(names.len() - keys);
            let values = [Value::Integer(day)].into_iter().chain(by);
            let values = values.chain(sums.map(Value::Integer));
            statement.execute(rusqlite::params_from_iter(values))?;
        }
        Ok(())
    }

    fn day(&self, row: &[Held]) -> i64 {
        (number(row[0]) + 60 * number(row[self.offset])).div_euclid(DAY_S)
    }

    fn key(&self, batch: &Batch, row: &[Held]) -> [i64; MOST_KEYS] {
        let mut key = [0; MOST_KEYS];
        for (key, by) in key.iter_mut().zip(self.daily.by) {
            *key = match by {
                By::Cell(name) => number(row[place(self.from, name)]).div_euclid(CELL),
                By::Word(name) => {
                    let at = place(self.from, name);
                    word(self.from, at, batch.stored(row[at]))
                }
            };
        }
        key
    }

    fn totals(&self, row: &[Held]) -> [i64; MOST_TOTALS] {
        let value = |name| number(row[place(self.from, name)]);
        let mut totals = [0; MOST_TOTALS];
        for (sum, total) in totals.iter_mut().zip(self.daily.totals) {
            *sum = match *total {
                Total::Rows => 1,
                Total::Sum(name) => value(name),
                Total::Span(start, end) => value(end) - value(start),
            };
        }
        totals
    }
}

/// Where the column is.
fn place(shape: &Shape, name: &str) -> usize {
    let found = shape.columns.iter().position(|it| it.name == name);
    found.expect("what is told by day names columns of its source")
}

/// The number that is stored; nothing counts as zero.
fn number(held: Held) -> i64 {
    match held {
        Held::Integer(units) => units,
        Held::Null | Held::Text(..) => 0,
    }
}

/// The word's place in the list of those that the column may hold.
fn word(shape: &Shape, at: usize, stored: Stored<'_>) -> i64 {
    let found = match (shape.columns[at].holds, stored) {
        (Holds::Words(words), Stored::Text(text)) => words.iter().position(|it| *it == text),
        _ => None,
    };
    found.expect("a column of words that each row has") as i64
}

#[cfg(test)]
mod tests;
