//! An archive's own list of its files. The library keeps one of each name, the last.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom};

use zip::read::read_zipfile_from_stream_with_compressed_size;
use zip::result::ZipError;

use super::{head, kind, shown};

/// Length of the record at the end, without the comment that may follow it.
const END: usize = 22;
/// Length of an entry, without its name and what follows that.
const ENTRY: usize = 46;

/// Where the list is.
pub(super) struct Directory {
    /// How many files it lists.
    pub(super) entries: u16,
    start: u64,
    /// Bytes before the archive, which its own offsets leave out.
    before: u64,
}

/// A file of the list.
struct Entry {
    start: u64,
    packed_bytes: u64,
}

impl Directory {
    /// Finds it; `None` where there is too much to be told in its first format.
    pub(super) fn find(input: &mut (impl Read + Seek), bytes: u64) -> io::Result<Option<Self>> {
        const SIGN: &[u8] = b"PK\x05\x06";
        let tail_start = bytes.saturating_sub(END as u64 + u64::from(u16::MAX));
        input.seek(SeekFrom::Start(tail_start))?;
        let mut tail = Vec::new();
        input
            .by_ref()
            .take(bytes - tail_start)
            .read_to_end(&mut tail)?;
        input.rewind()?;
        let found = (0..=tail.len().saturating_sub(END)).rev().find(|&at| {
            let is_it = tail[at..].starts_with(SIGN) && at + END <= tail.len();
            is_it && at + END + usize::from(short(&tail, at + 20)) == tail.len()
        });
        let Some(at) = found else { return Ok(None) };
        let (entries, size, offset) = (
            short(&tail, at + 10),
            long(&tail, at + 12),
            long(&tail, at + 16),
        );
        let start = (tail_start + at as u64).checked_sub(size);
        let before = start.and_then(|start| start.checked_sub(offset));
        let is_told = entries < u16::MAX;
        Ok(start
            .zip(before)
            .filter(|_| is_told)
            .map(|(start, before)| Self {
                entries,
                start,
                before,
            }))
    }

    /// The name of files of which one hides another, where one of them holds data or cannot be told; folders may be listed as
    /// often as they like, and so may what is not read anyway.
    pub(super) fn data_hidden(
        &self,
        input: &mut (impl Read + Seek),
    ) -> Result<Option<String>, ZipError> {
        let mut files: BTreeMap<Vec<u8>, Vec<Entry>> = BTreeMap::new();
        input.seek(SeekFrom::Start(self.start))?;
        for _ in 0..self.entries {
            let mut fixed = [0; ENTRY];
            input.read_exact(&mut fixed)?;
            let mut name = vec![0; short(&fixed, 28).into()];
            input.read_exact(&mut name)?;
            let rest = i64::from(short(&fixed, 30)) + i64::from(short(&fixed, 32));
            input.seek(SeekFrom::Current(rest))?;
            files.entry(name).or_default().push(Entry {
                start: self.before + long(&fixed, 42),
                packed_bytes: long(&fixed, 20),
            });
        }
        let twice = files
            .iter()
            .filter(|(name, all)| all.len() > 1 && !name.ends_with(b"/"));
        for (name, all) in twice {
            for entry in all {
                if entry.may_be_data(input)? {
                    return Ok(Some(shown(name)));
                }
            }
        }
        Ok(None)
    }
}

impl Entry {
    /// Whether it is of a kind that is read, or cannot be told to be of none.
    fn may_be_data(&self, input: &mut (impl Read + Seek)) -> io::Result<bool> {
        input.seek(SeekFrom::Start(self.start))?;
        let file = read_zipfile_from_stream_with_compressed_size(input, self.packed_bytes);
        let Ok(Some(mut file)) = file else {
            return Ok(true);
        };
        let kind = head(&mut file).map(|head| kind(&head));
        Ok(!matches!(kind, Ok(Ok(None))))
    }
}

fn short(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(short(bytes, at)) | u64::from(short(bytes, at + 2)) << 16
}
