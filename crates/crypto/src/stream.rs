//! Files that grow: pieces encrypted one after the other (XChaCha20-Poly1305), each of which can be read once it is whole.
//!
//! The key is made of a secret and a salt that no other file has; pieces are counted. So none can be left out, repeated, moved
//! or brought in from another file. That the last ones are missing cannot be told: what grows has no end yet.

use base::Digest;
use chacha20poly1305::aead::{Aead as _, KeyInit as _};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use thiserror::Error;
use zeroize::Zeroizing;

/// A piece is not what was written here under this key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a piece is damaged, out of order, or was written under another key")]
pub struct Damaged;

/// One end of such a file: writes its pieces or reads them, in order. Never printed.
pub struct Stream {
    cipher: XChaCha20Poly1305,
    pieces: u64,
}

impl Stream {
    /// Begins with the first piece. `purpose` tells uses of one secret apart.
    pub fn new(secret: &[u8; 32], purpose: &str, salt: &[u8; 32]) -> Self {
        let key = Digest::of("stream key", &[purpose.as_bytes(), salt, secret]);
        let key = Zeroizing::new(key.0);
        Self {
            cipher: XChaCha20Poly1305::new(&Key::from(*key)),
            pieces: 0,
        }
    }

    fn nonce(&mut self) -> XNonce {
        let mut nonce = [0; 24];
        nonce[..8].copy_from_slice(&self.pieces.to_be_bytes());
        self.pieces += 1;
        XNonce::from(nonce)
    }

    /// Encrypts the next piece: 16 bytes longer.
    pub fn seal(&mut self, piece: &[u8]) -> Vec<u8> {
        let nonce = self.nonce();
        let sealed = self.cipher.encrypt(&nonce, piece);
        sealed.expect("a piece is shorter than 256 GiB")
    }

    /// Decrypts the next piece.
    ///
    /// # Errors
    ///
    /// [`Damaged`]; what comes after cannot be read either.
    pub fn open(&mut self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, Damaged> {
        let nonce = self.nonce();
        let piece = self.cipher.decrypt(&nonce, sealed);
        piece.map(Zeroizing::new).map_err(|_| Damaged)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stream() -> Stream {
        Stream::new(&[1; 32], "test", &[2; 32])
    }

    fn written() -> Vec<Vec<u8>> {
        let mut writer = stream();
        [&b"one"[..], b"", b"three"]
            .map(|piece| writer.seal(piece))
            .into()
    }

    #[test]
    fn what_was_written_is_read_in_order() {
        let mut reader = stream();
        for (sealed, piece) in written().iter().zip([&b"one"[..], b"", b"three"]) {
            assert_eq!(sealed.len(), piece.len() + 16);
            assert_eq!(reader.open(sealed).as_deref().map(|p| &p[..]), Ok(piece));
        }
    }

    #[test]
    fn pieces_are_not_left_out_moved_changed_or_read_under_another_key() {
        let written = written();
        assert_eq!(stream().open(&written[1]), Err(Damaged));
        let mut reader = stream();
        reader.open(&written[0]).unwrap();
        assert_eq!(reader.open(&written[2]), Err(Damaged));
        let mut changed = written[0].clone();
        changed[0] ^= 1;
        assert_eq!(stream().open(&changed), Err(Damaged));
        assert_eq!(stream().open(&[]), Err(Damaged));
        for mut other in [
            Stream::new(&[3; 32], "test", &[2; 32]),
            Stream::new(&[1; 32], "rest", &[2; 32]),
            Stream::new(&[1; 32], "test", &[3; 32]),
        ] {
            assert_eq!(other.open(&written[0]), Err(Damaged));
        }
    }
}
