//! Archives of files: Apple Health's `export.zip`, a year of tracks, what a service packs together. Nothing is unpacked to
//! the disk.

mod directory;

use std::cell::Cell;
use std::io::{self, BufReader, Read, Seek};
use std::rc::Rc;

use directory::Directory;
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

/// Most characters of a name that are shown.
const MAX_NAME: usize = 100;

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
    let directory = Directory::find(&mut input, bytes)?;
    let listed = directory.as_ref().map(|directory| directory.entries);
    let mut archive = ZipArchive::new(input).map_err(damaged)?;
    let files = archive.len().max(listed.map_or(0, usize::from));
    if files > MAX_ENTRIES {
        let why = format!("it has {files} files, at most {MAX_ENTRIES} are read");
        return Err(ImportError::Archive(why));
    }
    // The last one of a name hides those before it.
    if archive.len() < files
        && let Some(directory) = directory
    {
        let mut input = archive.into_inner();
        let twice = directory.data_hidden(&mut input).map_err(damaged)?;
        if let Some(name) = twice {
            let why = format!(
                "two of its files have the name {name}, and one of them cannot be read; unpack it, and import the files"
            );
            return Err(ImportError::Archive(why));
        }
        archive = ZipArchive::new(input).map_err(damaged)?;
    }
    let left = Rc::new(Cell::new(bytes.saturating_mul(MAX_RATIO).max(ALWAYS)));
    for number in 0..archive.len() {
        let file = archive.by_index(number).map_err(damaged)?;
        let name = shown(file.name_raw());
        if file.enclosed_name().is_none() || !stays(file.name()) {
            let why = format!("the name of its file {name} leads out of the archive");
            return Err(ImportError::Archive(why));
        }
        if file.is_dir() {
            continue;
        }
        let mut file = Unpacked {
            input: file,
            left: Rc::clone(&left),
        };
        sink.faults.file = Some(name.clone());
        let read = one(&mut file, &name, options, sink);
        if left.get() == 0 {
            let why = format!("it unpacks to more than {MAX_RATIO} times its size");
            return Err(ImportError::Archive(why));
        }
        read.map_err(|why| within(name, why))?;
    }
    Ok(())
}

/// Says in which file it is.
fn within(name: String, why: ImportError) -> ImportError {
    match why {
        // What is no fault of the file's, or names it already.
        ImportError::Vault(_) | ImportError::Archive(_) | ImportError::Changed => why,
        why => ImportError::Within {
            name,
            why: Box::new(why),
        },
    }
}

/// A name as it can be shown.
fn shown(name: &[u8]) -> String {
    let name = String::from_utf8_lossy(name);
    let name: String = name.chars().take(MAX_NAME).collect();
    format!("\"{}\"", name.replace(char::is_control, "?"))
}

/// Whether the name is of a file below the folder in which one would unpack.
fn stays<S: AsRef<str>>(name: Result<S, ZipError>) -> bool {
    name.is_ok_and(|name| !name.as_ref().starts_with(['/', '\\']))
}

fn one(
    file: &mut dyn Read,
    name: &str,
    options: &Options<'_>,
    sink: &mut Sink,
) -> Result<(), ImportError> {
    let head = head(file).map_err(|why| broken(name, &why))?;
    match kind(&head) {
        Ok(None) => {
            sink.skip(Place::Byte(0), Reason::UnknownFile);
            Ok(())
        }
        Ok(Some(format)) => read_file(format, &mut head.as_slice().chain(file), options, sink),
        Err(why) => Err(why),
    }
}

/// The beginning of a file.
pub(super) fn head(file: &mut dyn Read) -> io::Result<Vec<u8>> {
    let mut head = vec![0; HEAD];
    let filled = fill(file, &mut head)?;
    head.truncate(filled);
    Ok(head)
}

/// What a file with this beginning is, if it is read out of an archive.
pub(super) fn kind(head: &[u8]) -> Result<Option<Format>, ImportError> {
    match of(head) {
        Ok(Format::Csv | Format::Zip)
        | Err(ImportError::UnknownFormat | ImportError::EmptyFile | ImportError::Utf16) => Ok(None),
        found => found.map(Some),
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

fn broken(name: &str, why: &io::Error) -> ImportError {
    ImportError::Archive(match why.kind() {
        io::ErrorKind::Unsupported => {
            format!(
                "its file {name} is packed in an unusual way; unpack the archive, and import the files"
            )
        }
        kind => format!("its file {name} is damaged ({kind}); copy or export it again"),
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
