//! What encryption costs: the same rows into the same table, and the same sum over them, without SQLCipher's encryption and
//! with it in several ways, in turns; in processor time, the middle of five.
//!
//! `cargo run --release -p vault --example cipher_cost -- 1000000` takes how many rows. `memory` as a second word makes
//! SQLite lock and erase all of its memory.

use std::path::Path;

use rusqlite::{Connection, params_from_iter};

/// Rows of one statement, as imports have it.
const AT_ONCE: usize = 64;

const TABLE: &str = "CREATE TABLE heart_rate (
    at_utc_s INTEGER, utc_offset_min INTEGER, heart_rate_bpm INTEGER, source TEXT,
    commonhold_digest INTEGER NOT NULL, commonhold_import INTEGER NOT NULL,
    PRIMARY KEY (at_utc_s, commonhold_digest)) STRICT, WITHOUT ROWID";

/// Ways to keep the file: its name, and what is set after the key. Vaults have pages of 8 kB; SQLCipher takes the second by
/// itself.
const WAYS: [(&str, Option<&str>); 5] = [
    ("plain", None),
    ("SHA-512, 4 kB", Some("")),
    (
        "SHA-256, 4 kB",
        Some("PRAGMA cipher_hmac_algorithm = HMAC_SHA256"),
    ),
    (
        "SHA-256, 8 kB",
        Some("PRAGMA cipher_hmac_algorithm = HMAC_SHA256; PRAGMA cipher_page_size = 8192"),
    ),
    (
        "SHA-256, 16 kB",
        Some("PRAGMA cipher_hmac_algorithm = HMAC_SHA256; PRAGMA cipher_page_size = 16384"),
    ),
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments
        .next()
        .map_or(Ok(1_000_000), |text| text.parse())?;
    let words: Vec<_> = arguments.collect();
    let folder = tempfile::tempdir()?;
    if words.iter().any(|word| word == "memory") {
        let any = Connection::open_in_memory()?;
        any.execute_batch("PRAGMA cipher_memory_security = ON")?;
    }
    let mut took = Vec::new();
    for round in 0..5 {
        for (way, (_, settings)) in WAYS.iter().enumerate() {
            let path = folder.path().join(format!("{round}-{way}"));
            let connection = open(&path, *settings)?;
            let start = processor_s();
            fill(&connection, rows)?;
            drop(connection);
            let filled = processor_s() - start;
            // A new connection has read nothing yet.
            let connection = open(&path, *settings)?;
            let start = processor_s();
            let sql = "SELECT COUNT(*), SUM(heart_rate_bpm) FROM heart_rate WHERE at_utc_s > 0";
            connection.query_row(sql, [], |row| row.get::<_, i64>(1))?;
            let summed = processor_s() - start;
            took.push((way, filled, summed));
        }
    }
    let median = |way: usize, which: fn(&(usize, f64, f64)) -> f64| {
        let mut all: Vec<f64> = took.iter().filter(|it| it.0 == way).map(which).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    for (what, which) in [
        ("insert", (|it| it.1) as fn(&(usize, f64, f64)) -> f64),
        ("sum", |it| it.2),
    ] {
        for (way, (name, _)) in WAYS.iter().enumerate() {
            let (seconds, plain) = (median(way, which), median(0, which));
            println!(
                "{what} {rows} rows, {name}: {:.0} ms, {:.0} ns a row, {:+.0} %",
                seconds * 1e3,
                seconds / rows as f64 * 1e9,
                (seconds / plain - 1.0) * 100.0
            );
        }
    }
    let memory = Connection::open_in_memory()?;
    memory.execute_batch(TABLE)?;
    let start = processor_s();
    fill(&memory, rows)?;
    let seconds = processor_s() - start;
    println!(
        "insert in memory, no file: {:.0} rows/s",
        rows as f64 / seconds
    );
    Ok(())
}

/// The processor time that this thread has taken: on a busy machine it says more than a clock.
fn processor_s() -> f64 {
    let told = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = told.split(' ').next().and_then(|it| it.parse::<f64>().ok());
    nanoseconds.unwrap_or(f64::NAN) / 1e9
}

fn open(path: &Path, settings: Option<&str>) -> rusqlite::Result<Connection> {
    let is_new = !path.exists();
    let connection = Connection::open(path)?;
    if let Some(settings) = settings {
        let digits = "5a".repeat(32);
        connection.execute_batch(&format!("PRAGMA key = \"x'{digits}'\"; {settings}"))?;
    }
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.execute_batch("PRAGMA synchronous = FULL")?;
    if is_new {
        connection.execute_batch(TABLE)?;
    }
    Ok(connection)
}

/// A row for each second, in one transaction.
fn fill(connection: &Connection, rows: usize) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    let marks = vec!["(?, 60, ?, ?, ?, 1)"; AT_ONCE].join(", ");
    let sql = format!("INSERT OR IGNORE INTO heart_rate VALUES {marks}");
    let mut insert = transaction.prepare(&sql)?;
    for first in (0..rows as i64).step_by(AT_ONCE) {
        let values = (first..).take(AT_ONCE).flat_map(|row| {
            let digest = row.wrapping_mul(0x5851_f42d_4c95_7f2d);
            let integer = rusqlite::types::Value::Integer;
            let source = rusqlite::types::Value::Text("chest strap".into());
            [
                integer(1_500_000_000 + row),
                integer(600 + row % 60),
                source,
                integer(digest),
            ]
        });
        insert.execute(params_from_iter(values))?;
    }
    drop(insert);
    transaction.commit()
}
