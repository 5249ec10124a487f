//! The file of a backup: entries with names, one after the other, encrypted and authenticated as they are written.
//!
//! | part | what |
//! |---|---|
//! | first line | what it is, and the format's number |
//! | header, with its length in 4 bytes | in clear: the content's key, sealed under the vault's key and, if wanted, under a passphrase |
//! | pieces, each with its length in 4 bytes | sealed: the name and length of an entry, or a part of its content, or the end |
//!
//! The header is part of the key of all pieces, pieces are counted, and the last one says how many entries and bytes there
//! are: nothing can be changed, left out, moved or cut off unnoticed.

use std::io::{self, ErrorKind, Read, Write};

use base::{Digest, Rng, decode, encode};
use crypto::{LOCKED_BYTES_MAX, LockCost, Stream, UnlockError, lock, unlock};
use minicbor::bytes::ByteVec;
use minicbor::{Decode, Encode};
use thiserror::Error;
use zeroize::{Zeroize as _, Zeroizing};

use crate::key::VaultKey;

pub use hostile::read_hostile_backup;

mod hostile;

const MAGIC: &[u8] = b"commonhold backup 1\n";
const MAGIC_OF_ANY: &[u8] = b"commonhold backup ";
/// What keys and pieces are for.
const BY_KEY: &str = "backup key";
const BY_PASSPHRASE: &str = "backup";
const PIECES: &str = "backup pieces";
/// Most bytes of content in one piece.
const PIECE: usize = 64 << 10;
/// What comes around it.
const AROUND: usize = 64;
/// Longest header: a locked file of 32 bytes, which is some 250.
const HEADER_BYTES_MAX: usize = 4096;

/// Why a backup cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BackupError {
    /// Something else.
    #[error(
        "this is no backup of this program; name the file that commonhold backup create has written"
    )]
    NotOne,
    /// Of a later program.
    #[error("this backup has another format; use the program that wrote it, or a newer one")]
    OtherFormat,
    /// Not these words.
    #[error(
        "these are not the recovery words of this backup; use those that were shown when it was made: a key that was rotated since has others"
    )]
    OtherWords,
    /// Not this passphrase.
    #[error("wrong passphrase of this backup; try again, or use the recovery words")]
    WrongPassphrase,
    /// It has none.
    #[error("this backup was made without a passphrase of its own; use the recovery words")]
    NoPassphrase,
    /// What cannot be as it was written.
    #[error("the backup is damaged or was changed at byte {0}; use another one")]
    Damaged(u64),
    /// The end is missing.
    #[error(
        "the backup ends at byte {0}, before its end: it was not copied whole; use another one"
    )]
    Short(u64),
    /// The file, or where it is read to.
    #[error("{0}")]
    Io(String),
}

/// What opens a backup.
pub enum Opener<'a> {
    /// The vault's key when it was made, which the recovery words are.
    Key(&'a VaultKey),
    /// The passphrase of the backup.
    Passphrase(&'a str),
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Header {
    #[cbor(n(0), with = "minicbor::bytes")]
    salt: [u8; 32],
    #[n(1)]
    by_key: ByteVec,
    #[n(2)]
    by_passphrase: Option<ByteVec>,
}

/// One piece.
#[derive(Encode, Decode)]
enum Piece {
    /// An entry begins.
    #[n(0)]
    Entry(#[n(0)] Entry),
    /// Some of its content.
    #[n(1)]
    Data(#[n(0)] ByteVec),
    /// That was all: so many entries, of so many bytes together.
    #[n(2)]
    End(#[n(0)] u64, #[n(1)] u64),
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Entry {
    /// Its name.
    #[n(0)]
    pub name: String,
    /// How long it is.
    #[n(1)]
    pub bytes: u64,
}

/// Writes a backup.
pub struct Writer<W> {
    out: W,
    stream: Stream,
    entries: u64,
    bytes: u64,
}

impl<W: Write> Writer<W> {
    /// Begins one that opens with `key`, and with the passphrase if there is one.
    pub fn begin(
        mut out: W,
        key: &VaultKey,
        passphrase: Option<&str>,
        rng: &mut Rng,
    ) -> io::Result<Self> {
        let (salt, content) = (rng.bytes32(), Zeroizing::new(rng.bytes32()));
        let by_key = Stream::new(key.as_bytes(), BY_KEY, &salt).seal(content.as_slice());
        let locked = |passphrase| {
            lock(
                content.as_slice(),
                passphrase,
                BY_PASSPHRASE,
                LockCost::STANDARD,
                rng,
            )
        };
        let header = encode(&Header {
            salt,
            by_key: by_key.into(),
            by_passphrase: passphrase.map(locked).map(ByteVec::from),
        });
        out.write_all(MAGIC)?;
        framed(&mut out, &header)?;
        Ok(Self {
            out,
            stream: pieces(&content, &header),
            entries: 0,
            bytes: 0,
        })
    }

    /// Writes an entry of so many bytes.
    pub fn entry(&mut self, name: &str, bytes: u64, mut content: impl Read) -> io::Result<()> {
        let name = name.to_owned();
        self.piece(&Piece::Entry(Entry { name, bytes }))?;
        let mut left = bytes;
        while left > 0 {
            let mut some = vec![0; left.min(PIECE as u64) as usize];
            content.read_exact(&mut some)?;
            left -= some.len() as u64;
            let mut piece = Piece::Data(some.into());
            let written = self.piece(&piece);
            if let Piece::Data(some) = &mut piece {
                some.zeroize();
            }
            written?;
        }
        self.entries += 1;
        self.bytes += bytes;
        Ok(())
    }

    /// Ends it.
    pub fn end(mut self) -> io::Result<W> {
        self.piece(&Piece::End(self.entries, self.bytes))?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn piece(&mut self, piece: &Piece) -> io::Result<()> {
        let piece = Zeroizing::new(encode(piece));
        framed(&mut self.out, &self.stream.seal(&piece))
    }
}

/// Reads a backup, which may be anybody's work.
pub struct Reader<R> {
    input: Counted<R>,
    stream: Stream,
    entries: u64,
    bytes: u64,
    /// Of the entry that is being read.
    left: u64,
}

struct Counted<R> {
    input: R,
    at: u64,
}

impl<R: Read> Reader<R> {
    /// Opens it.
    pub fn open(input: R, opener: &Opener<'_>) -> Result<Self, BackupError> {
        let mut input = Counted { input, at: 0 };
        let mut magic = vec![0; MAGIC.len()];
        input.exact(&mut magic).map_err(|_| BackupError::NotOne)?;
        if magic != MAGIC {
            return Err(match magic.starts_with(MAGIC_OF_ANY) {
                true => BackupError::OtherFormat,
                false => BackupError::NotOne,
            });
        }
        let bytes = input.framed(HEADER_BYTES_MAX)?;
        let header: Header =
            decode(&bytes, HEADER_BYTES_MAX).map_err(|_| BackupError::Damaged(input.at))?;
        let content = match opener {
            Opener::Key(key) => Stream::new(key.as_bytes(), BY_KEY, &header.salt)
                .open(&header.by_key)
                .map_err(|_| BackupError::OtherWords)?,
            Opener::Passphrase(passphrase) => {
                let locked = header.by_passphrase.ok_or(BackupError::NoPassphrase)?;
                debug_assert!(locked.len() < LOCKED_BYTES_MAX, "a header is shorter");
                unlock(&locked, passphrase, BY_PASSPHRASE).map_err(|why| match why {
                    UnlockError::WrongPassphrase => BackupError::WrongPassphrase,
                    _ => BackupError::Damaged(input.at),
                })?
            }
        };
        let content = <[u8; 32]>::try_from(&content[..]);
        let content = Zeroizing::new(content.map_err(|_| BackupError::Damaged(input.at))?);
        Ok(Self {
            input,
            stream: pieces(&content, &bytes),
            entries: 0,
            bytes: 0,
            left: 0,
        })
    }

    /// The next entry, whose content is to be read before the one after it; `None` at the end.
    pub fn next_entry(&mut self) -> Result<Option<Entry>, BackupError> {
        match self.piece()? {
            Piece::Entry(entry) if self.left == 0 => {
                self.left = entry.bytes;
                self.entries += 1;
                self.bytes = self.bytes.saturating_add(entry.bytes);
                Ok(Some(entry))
            }
            Piece::End(entries, bytes)
                if self.left == 0 && (entries, bytes) == (self.entries, self.bytes) =>
            {
                match self.input.input.read(&mut [0]) {
                    Ok(0) => Ok(None),
                    Ok(_) => Err(BackupError::Damaged(self.input.at)),
                    Err(why) => Err(BackupError::Io(why.to_string())),
                }
            }
            _ => Err(BackupError::Damaged(self.input.at)),
        }
    }

    /// Writes the content of the entry to `out`.
    pub fn content(&mut self, mut out: impl Write) -> Result<(), BackupError> {
        while self.left > 0 {
            let Piece::Data(data) = self.piece()? else {
                return Err(BackupError::Damaged(self.input.at));
            };
            let data = Zeroizing::new(Vec::from(data));
            let length = data.len() as u64;
            if length == 0 || length > self.left {
                return Err(BackupError::Damaged(self.input.at));
            }
            out.write_all(&data).map_err(|why| {
                BackupError::Io(format!(
                    "cannot write what the backup holds: {why}; check folder and free space"
                ))
            })?;
            self.left -= length;
        }
        Ok(())
    }

    /// The content of an entry of at most `limit` bytes.
    pub fn small(&mut self, limit: u64) -> Result<Zeroizing<Vec<u8>>, BackupError> {
        if self.left > limit {
            return Err(BackupError::Damaged(self.input.at));
        }
        // Allocated at once: a growing buffer would leave copies behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(self.left as usize));
        self.content(&mut *bytes)?;
        Ok(bytes)
    }

    fn piece(&mut self) -> Result<Piece, BackupError> {
        let at = self.input.at;
        let sealed = self.input.framed(PIECE + AROUND)?;
        let piece = self.stream.open(&sealed);
        let piece = piece.map_err(|_| BackupError::Damaged(at))?;
        decode(&piece, PIECE + AROUND).map_err(|_| BackupError::Damaged(at))
    }
}

impl<R: Read> Counted<R> {
    fn exact(&mut self, bytes: &mut [u8]) -> Result<(), BackupError> {
        match self.input.read_exact(bytes) {
            Ok(()) => {
                self.at += bytes.len() as u64;
                Ok(())
            }
            Err(why) if why.kind() == ErrorKind::UnexpectedEof => Err(BackupError::Short(self.at)),
            Err(why) => Err(BackupError::Io(format!("cannot read the backup: {why}"))),
        }
    }

    fn framed(&mut self, limit: usize) -> Result<Vec<u8>, BackupError> {
        let at = self.at;
        let mut length = [0; 4];
        self.exact(&mut length)?;
        let length = u32::from_be_bytes(length) as usize;
        if length > limit {
            return Err(BackupError::Damaged(at));
        }
        let mut bytes = vec![0; length];
        self.exact(&mut bytes)?;
        Ok(bytes)
    }
}

fn framed(out: &mut impl Write, bytes: &[u8]) -> io::Result<()> {
    let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
    out.write_all(&length.to_be_bytes())?;
    out.write_all(bytes)
}

fn pieces(content: &[u8; 32], header: &[u8]) -> Stream {
    let salt = Digest::of("backup header", &[MAGIC, header]);
    Stream::new(content, PIECES, &salt.0)
}

#[cfg(test)]
mod tests;
