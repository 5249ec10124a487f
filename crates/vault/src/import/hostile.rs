//! Arbitrary bytes for everything that reads a file: the target of the fuzzer, and of the test that replays its corpus.

use std::io::Cursor;

use rusqlite::Connection;

use crate::import::{Format, Options, archive, detect, read, writer};

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
    let options = Options::default();
    let head = &bytes[..bytes.len().min(detect::HEAD)];
    // What it says of the bytes is its business.
    let _ = writer::run(
        &connection,
        1,
        None,
        &mut |_| {},
        |sink, _| match detect::of(head)? {
            Format::Zip => {
                let length = bytes.len() as u64;
                archive::read(Cursor::new(bytes), length, &options, sink)
            }
            format => read(format, &mut { bytes }, &options, sink),
        },
    );
}
