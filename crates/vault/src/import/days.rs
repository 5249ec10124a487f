//! Keeping what is told by day in step with the tables that it is computed from.
//!
//! What an import adds is [added](super::added). Days of which rows have gone, or may have been there already, are computed
//! anew from all of their rows.

use std::collections::BTreeSet;

use rusqlite::Connection;

use crate::error::{ImportError, VaultError};
use crate::import::sink::create;
use crate::time::DAY_S;
use crate::vault::declaration;
use crate::vocabulary::{Daily, Shape, shape, vocabulary};

/// Days that are computed at once: what SQLite sorts meanwhile lies in memory, a week of positions by the second is some
/// 20 MB.
const AT_ONCE: i64 = 7;

/// Most that a clock on the wall differs from UTC.
const AHEAD_S: i64 = 18 * 3600;

/// Local days, counted from 1970.
pub(crate) type Days = BTreeSet<i64>;

/// The tables that are computed from this one, with how.
pub(crate) fn told_of(from: &Shape) -> impl Iterator<Item = (&'static Shape, Daily)> {
    computed().filter(|(_, daily)| daily.from == from.name)
}

fn computed() -> impl Iterator<Item = (&'static Shape, Daily)> {
    vocabulary().filter_map(|table| Some((table, table.computed?)))
}

fn source(daily: Daily) -> &'static Shape {
    shape(daily.from).expect("it is computed from a table of the vocabulary")
}

fn moment(from: &Shape) -> &'static str {
    from.moment().expect("what is told by day has moments")
}

/// Makes the table, if it is not there yet; gives the days that are to be computed because of that. `None` where a
/// community has declared a table under the same name, which stays as it is.
pub(crate) fn make(
    connection: &Connection,
    table: &'static Shape,
    daily: Daily,
) -> Result<Option<Days>, ImportError> {
    let is_new = declaration(connection, table.name)?.is_none();
    match create(connection, table) {
        Err(ImportError::Taken { .. }) => return Ok(None),
        made => made?,
    }
    match is_new {
        true => Ok(Some(days_of(connection, source(daily), "TRUE")?)),
        false => Ok(Some(Days::new())),
    }
}

/// The days of the rows of which `condition` holds.
pub(crate) fn days_of(
    connection: &Connection,
    from: &Shape,
    condition: &str,
) -> Result<Days, VaultError> {
    let (day, from) = (Daily::day(moment(from)), from.name);
    let sql = format!("SELECT DISTINCT {day} FROM {from} WHERE {condition}");
    let mut query = connection.prepare(&sql)?;
    let days = query.query_map([], |row| row.get(0))?;
    Ok(days.collect::<Result<_, _>>()?)
}

/// Computes these days anew.
pub(crate) fn recount(
    connection: &Connection,
    table: &Shape,
    daily: Daily,
    days: &Days,
) -> Result<(), VaultError> {
    let name = table.name;
    let forget = format!("DELETE FROM {name} WHERE day >= ?1 AND day < ?2");
    let select = daily.select(moment(source(daily)));
    let mut forget = connection.prepare(&forget)?;
    let mut insert = connection.prepare(&format!("INSERT INTO {name} {select}"))?;
    for (day, end) in runs(days) {
        forget.execute([day, end])?;
        insert.execute([day * DAY_S - AHEAD_S, end * DAY_S + AHEAD_S, day, end])?;
    }
    Ok(())
}

/// Days that follow each other, a few at once: the first, and the one after the last.
fn runs(days: &Days) -> Vec<(i64, i64)> {
    let mut runs: Vec<(i64, i64)> = Vec::new();
    for &day in days {
        match runs.last_mut() {
            Some((first, end)) if *end == day && day - *first < AT_ONCE => *end += 1,
            _ => runs.push((day, day + 1)),
        }
    }
    runs
}

/// Follows the deletion of a table: what was computed from it goes, and what takes the name of a community's own is made.
pub(crate) fn follow(connection: &Connection) -> Result<(), ImportError> {
    for (table, daily) in computed() {
        if is_there(connection, source(daily))? {
            if let Some(days) = make(connection, table, daily)? {
                recount(connection, table, daily, &days)?;
            }
        } else if is_there(connection, table)? {
            let sql = format!("DELETE FROM {}", table.name);
            connection.execute(&sql, []).map_err(VaultError::from)?;
        }
    }
    Ok(())
}

fn is_there(connection: &Connection, shape: &Shape) -> Result<bool, VaultError> {
    let declared = declaration(connection, shape.name)?;
    Ok(declared.is_some_and(|declared| declared == shape.table()))
}
