//! Computing what is told by day.

use rusqlite::Connection;

use crate::error::{ImportError, VaultError};
use crate::import::sink::create;
use crate::time::DAY_S;
use crate::vault::declaration;
use crate::vocabulary::{Shape, shape, vocabulary};

/// Days that are computed at once: what SQLite sorts meanwhile lies in memory, a week of positions by the second is some
/// 20 MB.
const AT_ONCE: i64 = 7;

/// Most that a clock on the wall differs from UTC.
const AHEAD_S: i64 = 18 * 3600;

/// First and last moment of rows that have come or gone.
pub(crate) type Touched = (i64, i64);

/// All moments that there can be.
pub(crate) const ALL: Touched = (-2_208_988_800, 7_258_118_400);

/// Computes the tables by day anew, for the days that `touched` tells of the table that they are computed from. A table that
/// a community declared under the same name stays as it is.
pub(crate) fn compute(
    connection: &Connection,
    touched: impl Fn(&str) -> Option<Touched>,
) -> Result<(), ImportError> {
    for table in vocabulary() {
        let Some((sql, from)) = table.computed.zip(source(table.computed)) else {
            continue;
        };
        let from = shape(from).expect("it is computed from a table of the vocabulary");
        let Some(touched) = touched(from.name) else {
            continue;
        };
        if is_there(connection, from)? {
            match create(connection, table) {
                Err(ImportError::Taken { .. }) => {}
                created => {
                    created?;
                    days(connection, table, sql, from, touched)?;
                }
            }
        } else if is_there(connection, table)? {
            let sql = format!("DELETE FROM {}", table.name);
            connection.execute(&sql, []).map_err(VaultError::from)?;
        }
    }
    Ok(())
}

/// The table that the statement reads.
pub(crate) fn source(sql: Option<&'static str>) -> Option<&'static str> {
    let (_, from) = sql?.rsplit_once("FROM ")?;
    from.split(' ').next()
}

fn is_there(connection: &Connection, shape: &Shape) -> Result<bool, VaultError> {
    let declared = declaration(connection, shape.name)?;
    Ok(declared.is_some_and(|declared| declared == shape.table()))
}

fn days(
    connection: &Connection,
    table: &Shape,
    sql: &str,
    from: &Shape,
    (first, last): Touched,
) -> Result<(), VaultError> {
    let moment = from.moment().expect("what is told by day has moments");
    let (mut day, end) = (
        (first - AHEAD_S).div_euclid(DAY_S),
        (last + AHEAD_S).div_euclid(DAY_S) + 1,
    );
    let forget = format!("DELETE FROM {} WHERE day >= ?1 AND day < ?2", table.name);
    connection.execute(&forget, [day, end])?;
    let here = format!(
        "FROM {} WHERE {moment} >= ?1 AND {moment} < ?2 AND day >= ?3 AND day < ?4 ",
        from.name
    );
    let some = sql.replace(&format!("FROM {} ", from.name), &here);
    let mut insert = connection.prepare(&format!("INSERT INTO {} {some}", table.name))?;
    let next = format!(
        "SELECT MIN({moment}) FROM {} WHERE {moment} >= ?1",
        from.name
    );
    let mut next = connection.prepare(&next)?;
    while day < end {
        let found: Option<i64> = next.query_row([day * DAY_S - AHEAD_S], |row| row.get(0))?;
        let Some(found) = found else { break };
        // Years may lie between two rows.
        day = day.max((found - AHEAD_S).div_euclid(DAY_S));
        let until = (day + AT_ONCE).min(end);
        if day < until {
            insert.execute([day * DAY_S - AHEAD_S, until * DAY_S + AHEAD_S, day, until])?;
        }
        day = until.max(day + 1);
    }
    Ok(())
}
