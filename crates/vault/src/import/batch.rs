//! Rows of one table on their way from who reads a file to who writes the vault.

use base::Digest;

use crate::vocabulary::Shape;

/// Rows of a full batch. Guess: a millisecond of work, so that handing over costs little.
const ROWS: usize = 512;

/// Bytes of text of a full batch, so that rows with long texts do not fill the memory.
const TEXT: usize = 256 << 10;

/// What is stored in one place of a row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Held {
    Null,
    Integer(i64),
    /// From here to there in the batch's text.
    Text(usize, usize),
}

/// Rows of one table, whole ones.
#[derive(Debug)]
pub(crate) struct Batch {
    pub(crate) shape: &'static Shape,
    /// Row after row, each with its digest at its end.
    held: Vec<Held>,
    text: String,
    /// Where the row that is being made begins, and its text.
    begun: (usize, usize),
}

impl Batch {
    pub(crate) fn new(shape: &'static Shape) -> Self {
        Self {
            shape,
            held: Vec::with_capacity((shape.columns.len() + 1) * ROWS),
            text: String::new(),
            begun: (0, 0),
        }
    }

    /// Adds to the row that is being made.
    pub(crate) fn push(&mut self, value: Stored<'_>) {
        let held = match value {
            Stored::Null => Held::Null,
            Stored::Integer(units) => Held::Integer(units),
            Stored::Text(text) => {
                let start = self.text.len();
                self.text.push_str(text);
                Held::Text(start, self.text.len())
            }
        };
        self.held.push(held);
    }

    /// What is there so far of the row that is being made.
    pub(crate) fn begun(&self) -> impl ExactSizeIterator<Item = Stored<'_>> {
        self.held[self.begun.0..]
            .iter()
            .map(|held| self.stored(*held))
    }

    /// The row is whole.
    pub(crate) fn end(&mut self, digest: i64) {
        self.held.push(Held::Integer(digest));
        self.begun = (self.held.len(), self.text.len());
    }

    /// The row is not kept.
    pub(crate) fn drop_begun(&mut self) {
        self.held.truncate(self.begun.0);
        self.text.truncate(self.begun.1);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.held.len() >= self.width() * ROWS || self.text.len() >= TEXT
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }

    /// Columns, and the digest.
    pub(crate) fn width(&self) -> usize {
        self.shape.columns.len() + 1
    }

    /// All whole rows, one after the other, each as wide as [`Self::width`].
    pub(crate) fn rows(&self) -> &[Held] {
        &self.held[..self.begun.0]
    }

    /// What stands in a place.
    pub(crate) fn stored(&self, held: Held) -> Stored<'_> {
        match held {
            Held::Null => Stored::Null,
            Held::Integer(units) => Stored::Integer(units),
            Held::Text(start, end) => Stored::Text(&self.text[start..end]),
        }
    }
}

/// What is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Stored<'a> {
    Null,
    Integer(i64),
    Text(&'a str),
}

/// A name for what the row says: the same for the same row, whichever import brings it. `bytes` is room to work in.
///
/// 64 bits of SHA-256. Rows of the same moment alone are told apart by it (in tables without moments all are): among a
/// million rows two different ones are taken for one with a chance of 3e-8.
pub(crate) fn digest<'a>(
    table: &str,
    values: impl Iterator<Item = Stored<'a>>,
    bytes: &mut Vec<u8>,
) -> i64 {
    bytes.clear();
    for value in values {
        match value {
            Stored::Null => bytes.push(0),
            Stored::Integer(units) => {
                bytes.push(1);
                bytes.extend(units.to_be_bytes());
            }
            Stored::Text(text) => {
                bytes.push(2);
                bytes.extend((text.len() as u64).to_be_bytes());
                bytes.extend(text.as_bytes());
            }
        }
    }
    let digest = Digest::of("vault row", &[table.as_bytes(), bytes]);
    let first = digest.as_bytes().first_chunk::<8>().expect("it has 32");
    i64::from_be_bytes(*first)
}
