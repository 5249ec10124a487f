//! Arbitrary bytes for what reads backups: the target of the fuzzer, and of the test that replays its corpus.

use std::io::Write;

use minicbor::bytes::ByteVec;

use super::{
    BY_KEY, BackupError, Header, MAGIC, Opener, PIECE, Reader, VaultKey, encode, framed, pieces,
};
use crypto::Stream;

/// Reads `bytes` as a backup that somebody brings, and as the pieces of one that somebody has sealed who has the key: each
/// after its length in two bytes.
///
/// # Panics
///
/// Only when something is wrong with us.
pub fn read_hostile_backup(bytes: &[u8]) {
    let key = VaultKey::from_bytes(&[1; 32]);
    // What it says of the bytes is its business.
    let _ = read(bytes, &key);
    let _ = read(&sealed(bytes, &key), &key);
}

fn read(bytes: &[u8], key: &VaultKey) -> Result<(), BackupError> {
    let mut reader = Reader::open(bytes, &Opener::Key(key))?;
    while let Some(entry) = reader.next_entry()? {
        let mut length = Length(0);
        reader.content(&mut length)?;
        assert_eq!(length.0, entry.bytes, "an entry is as long as it says");
    }
    Ok(())
}

/// How much was written.
struct Length(u64);

impl Write for Length {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A backup of these pieces, whatever they are.
fn sealed(mut bytes: &[u8], key: &VaultKey) -> Vec<u8> {
    let (salt, content) = ([2; 32], [3; 32]);
    let by_key = Stream::new(key.as_bytes(), BY_KEY, &salt).seal(&content);
    let header = encode(&Header {
        salt,
        by_key: ByteVec::from(by_key),
        by_passphrase: None,
    });
    let mut file = MAGIC.to_vec();
    let mut stream = pieces(&content, &header);
    framed(&mut file, &header).expect("memory takes it");
    while let Some((length, rest)) = bytes.split_first_chunk::<2>() {
        let length = usize::from(u16::from_be_bytes(*length)).min(rest.len());
        let (piece, rest) = rest.split_at(length.min(PIECE));
        framed(&mut file, &stream.seal(piece)).expect("memory takes it");
        bytes = rest;
    }
    file
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise what is made of it would only ever be refused at once.
    #[test]
    fn what_fuzzing_starts_from_is_read_to_its_end() {
        let pieces = include_bytes!("../../../../fuzz/corpus/backup/pieces");
        let key = VaultKey::from_bytes(&[1; 32]);
        assert_eq!(read(&sealed(pieces, &key), &key), Ok(()));
        let whole = include_bytes!("../../../../fuzz/corpus/backup/whole");
        assert_eq!(read(whole, &key), Ok(()));
    }
}
