//! Arbitrary bytes for everything that reads a file: the target of the fuzzer, and of the test that replays its corpus.

use std::io::Cursor;

use rusqlite::Connection;

use crate::import::sink::Sink;
use crate::import::{Format, Options, archive, detect, read};

/// Reads `bytes` as [`import`](crate::import()) reads a file, and forgets what it has read.
///
/// # Panics
///
/// Only when something is wrong with us.
pub fn read_hostile(bytes: &[u8]) {
    let connection = Connection::open_in_memory().expect("there is memory");
    let declared = "CREATE TABLE commonhold_tables (
        name TEXT PRIMARY KEY COLLATE NOCASE, declaration BLOB NOT NULL) STRICT, WITHOUT ROWID";
    connection
        .execute_batch(declared)
        .expect("nothing is there yet");
    let mut sink = Sink::new(&connection, 1, None);
    let options = Options::default();
    let head = &bytes[..bytes.len().min(detect::HEAD)];
    // What it says of the bytes is its business.
    let _ = match detect::of(head) {
        Ok(Format::Zip) => {
            archive::read(Cursor::new(bytes), bytes.len() as u64, &options, &mut sink)
        }
        Ok(format) => read(format, &mut { bytes }, &options, &mut sink),
        Err(why) => Err(why),
    };
}
