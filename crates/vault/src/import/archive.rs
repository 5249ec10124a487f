//! Archives of files: Apple Health's `export.zip`, a year of tracks, what a service packs together. Nothing is unpacked to
//! the disk.

use std::cell::Cell;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::rc::Rc;

use zip::ZipArchive;
use zip::result::ZipError;

use crate::error::ImportError;
use crate::fault::{Place, Reason};
use crate::import::detect::{HEAD, of};
use crate::import::input::fill;
use crate::import::sink::Sink;
use crate::import::{Format, Options, read as read_file};

/// Most files in an archive (a guess: a track for each day of fifty years).
const MAX_ENTRIES: usize = 20_000;

/// By how much an archive may grow. Health data in XML shrink to a thirtieth; deflate cannot do better than a thousandth.
const MAX_RATIO: u64 = 200;

/// What any archive may unpack to, however small it is.
const ALWAYS: u64 = 64 << 20;

/// Reads every file of the archive whose kind can be told, and notes the others.
pub(crate) fn read(
    input: impl Read + Seek,
    bytes: u64,
    options: &Options<'_>,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let mut input = BufReader::new(input);
    let listed = listed(&mut input, bytes)?;
    let mut archive = ZipArchive::new(input).map_err(damaged)?;
    // The last one of a name hides those before it.
    if listed.is_some_and(|listed| archive.len() < usize::from(listed)) {
        let why = "two of its files have one name, and one of them cannot be read; unpack it, and import the files";
        return Err(ImportError::Archive(why.into()));
    }
    if archive.len() > MAX_ENTRIES {
        let why = format!(
            "it has {} files, at most {MAX_ENTRIES} are read",
            archive.len()
        );
        return Err(ImportError::Archive(why));
    }
    let left = Rc::new(Cell::new(bytes.saturating_mul(MAX_RATIO).max(ALWAYS)));
    for number in 0..archive.len() {
        let file = archive.by_index(number).map_err(damaged)?;
        if file.enclosed_name().is_none() || !stays(file.name()) {
            let why = format!(
                "the name of its file {} leads out of the archive",
                number + 1
            );
            return Err(ImportError::Archive(why));
        }
        if file.is_dir() {
            continue;
        }
        let mut file = Unpacked {
            input: file,
            left: Rc::clone(&left),
        };
        sink.faults.file = Some(number as u64 + 1);
        let read = one(&mut file, number, options, sink);
        if left.get() == 0 {
            let why = format!("it unpacks to more than {MAX_RATIO} times its size");
            return Err(ImportError::Archive(why));
        }
        read.map_err(|why| within(number, why))?;
    }
    Ok(())
}

/// How many files the archive lists at its end; `None` where there are too many to be told there.
fn listed(input: &mut (impl Read + Seek), bytes: u64) -> io::Result<Option<u16>> {
    /// The record at the end, without the comment that may follow it.
    const END: usize = 22;
    const SIGN: &[u8] = b"PK\x05\x06";
    let most = END as u64 + u64::from(u16::MAX);
    input.seek(SeekFrom::Start(bytes.saturating_sub(most)))?;
    let mut tail = Vec::new();
    input.by_ref().take(most).read_to_end(&mut tail)?;
    input.rewind()?;
    let number = |at: usize| u16::from_le_bytes([tail[at], tail[at + 1]]);
    let found = (0..=tail.len().saturating_sub(END)).rev().find(|&at| {
        let is_it = tail[at..].starts_with(SIGN) && at + END <= tail.len();
        is_it && at + END + usize::from(number(at + 20)) == tail.len()
    });
    Ok(found
        .map(|at| number(at + 10))
        .filter(|&listed| listed < u16::MAX))
}

/// Says in which file it is.
fn within(number: usize, why: ImportError) -> ImportError {
    let what = match why {
        ImportError::Malformed { place, what } => format!("{what} at {place} of"),
        ImportError::Truncated { place } => format!("it ends in the middle, at {place} of"),
        other => return other,
    };
    ImportError::Archive(format!("{what} its file {}", number + 1))
}

/// Whether the name is of a file below the folder in which one would unpack.
fn stays<S: AsRef<str>>(name: Result<S, ZipError>) -> bool {
    name.is_ok_and(|name| !name.as_ref().starts_with(['/', '\\']))
}

fn one(
    file: &mut dyn Read,
    number: usize,
    options: &Options<'_>,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let mut head = vec![0; HEAD];
    let filled = fill(file, &mut head).map_err(|why| broken(number, &why))?;
    head.truncate(filled);
    match of(&head) {
        Ok(Format::Csv | Format::Zip)
        | Err(ImportError::UnknownFormat | ImportError::EmptyFile | ImportError::Utf16) => {
            sink.skip(Place::Byte(0), Reason::UnknownFile);
            Ok(())
        }
        Ok(format) => read_file(format, &mut head.as_slice().chain(file), options, sink),
        Err(why) => Err(why),
    }
}

/// A file within the archive, of bounded length.
struct Unpacked<R> {
    input: R,
    /// Bytes that the whole archive may still give.
    left: Rc<Cell<u64>>,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(buffer)?;
        self.left.set(self.left.get().saturating_sub(read as u64));
        match self.left.get() {
            0 => Err(io::ErrorKind::QuotaExceeded.into()),
            _ => Ok(read),
        }
    }
}

fn broken(number: usize, why: &io::Error) -> ImportError {
    let number = number + 1;
    ImportError::Archive(match why.kind() {
        io::ErrorKind::Unsupported => {
            format!(
                "its file {number} is packed in an unusual way; unpack the archive, and import the files"
            )
        }
        kind => format!("its file {number} is damaged ({kind}); copy or export it again"),
    })
}

fn damaged(why: ZipError) -> ImportError {
    ImportError::Archive(match why {
        ZipError::Io(why) => format!("it is damaged or cut off ({})", why.kind()),
        ZipError::UnsupportedArchive(_) => {
            "it is encrypted or compressed in an unusual way; unpack it, and import the files"
                .into()
        }
        _ => "it is damaged or cut off; copy or export it again".into(),
    })
}
