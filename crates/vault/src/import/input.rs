//! Reading a file that may be huge, hostile or still being written: in pieces of bounded size, with progress.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::rc::Rc;
use std::sync::mpsc::SyncSender;
use std::time::SystemTime;

use crate::error::ImportError;
use crate::import::writer::Told;
use crate::rows::MAX_RECORD;

/// Bytes between two reports of progress.
const STEP: u64 = 1 << 20;

/// How far an import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Bytes of the file read so far.
    pub read: u64,
    /// Bytes that it has.
    pub total: u64,
}

/// What changes when somebody writes to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) bytes: u64,
    modified: Option<SystemTime>,
}

impl Stamp {
    pub(crate) fn of(file: &File) -> Result<Self, ImportError> {
        let found = file.metadata()?;
        Ok(Self {
            bytes: found.len(),
            modified: found.modified().ok(),
        })
    }
}

/// A file that tells how far it was read.
pub(crate) struct Counted<'a> {
    file: &'a File,
    told: SyncSender<Told>,
    at: Progress,
    told_at: u64,
}

impl<'a> Counted<'a> {
    pub(crate) fn new(file: &'a File, total: u64, told: SyncSender<Told>) -> Self {
        Self {
            file,
            told,
            at: Progress { read: 0, total },
            told_at: 0,
        }
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        self.at.read = self.at.total.min(self.at.read + read as u64);
        if read == 0 || self.at.read >= self.told_at + STEP {
            self.told_at = self.at.read;
            // Who writes may have given up: the next row that is handed over notices.
            drop(self.told.send(Told::Read(self.at)));
        }
        Ok(read)
    }
}

impl Seek for Counted<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// Bytes that may still be read for one record.
#[derive(Clone)]
pub(crate) struct Budget(Rc<Cell<usize>>);

impl Budget {
    /// Another record begins.
    pub(crate) fn renew(&self) {
        self.0.set(MAX_RECORD);
    }
}

/// A reader that fails, as too large, once one record has taken more than its budget: nothing that is never closed can
/// fill the memory.
pub(crate) struct Bounded<R> {
    input: R,
    budget: Budget,
}

impl<R: Read> Bounded<R> {
    pub(crate) fn new(input: R) -> (Self, Budget) {
        let budget = Budget(Rc::new(Cell::new(MAX_RECORD)));
        let bounded = Self {
            input,
            budget: budget.clone(),
        };
        (bounded, budget)
    }
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let budget = self.budget.0.get();
        if budget == 0 {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        let read = self.input.read(buffer)?;
        self.budget.0.set(budget.saturating_sub(read));
        Ok(read)
    }
}

/// Fills `buffer` as far as the file goes; gives how far.
pub(crate) fn fill(input: &mut (impl Read + ?Sized), buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match input.read(&mut buffer[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}
