//! The key that opens a vault.

use std::fmt;

use base::Rng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// The raw 256-bit key of one vault. Never printed, erased from memory when dropped.
///
/// It is the only thing that opens the file: without it the data is lost, with it everything can be read. The caller
/// keeps it, in a file of its own or in the system's keyring.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct VaultKey([u8; 32]);

impl VaultKey {
    /// A fresh key.
    pub fn generate(rng: &mut Rng) -> Self {
        Self(rng.bytes32())
    }

    /// The key of these bytes, as [`as_bytes`](Self::as_bytes) gave them.
    pub fn from_bytes(bytes: &[u8; 32]) -> Self {
        Self(*bytes)
    }

    /// The bytes, to be kept in a safe place.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The statement that gives the key to SQLCipher.
    pub(crate) fn pragma(&self) -> Zeroizing<String> {
        self.written("PRAGMA key = \"", "\"")
    }

    /// The key as SQLCipher takes it for a file that is attached.
    pub(crate) fn raw(&self) -> Zeroizing<String> {
        self.written("", "")
    }

    /// As a raw key, 64 hexadecimal digits without derivation, between these.
    fn written(&self, before: &str, after: &str) -> Zeroizing<String> {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        // Allocated at once: a growing string would leave copies of the key behind.
        let mut text = Zeroizing::new(String::with_capacity(96));
        text.push_str(before);
        text.push_str("x'");
        for byte in self.0 {
            text.push(char::from(DIGITS[usize::from(byte >> 4)]));
            text.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        text.push('\'');
        text.push_str(after);
        text
    }
}

impl fmt::Debug for VaultKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultKey(secret)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_as_a_raw_key_and_never_printed() {
        let mut bytes = [0; 32];
        bytes[0] = 0x0f;
        bytes[31] = 0xa0;
        let key = VaultKey::from_bytes(&bytes);
        let expected = format!("PRAGMA key = \"x'0f{}a0'\"", "00".repeat(30));
        assert_eq!(*key.pragma(), expected);
        assert!(key.pragma().capacity() >= expected.len());
        assert_eq!(*key.raw(), format!("x'0f{}a0'", "00".repeat(30)));
        assert_eq!(format!("{key:?}"), "VaultKey(secret)");
    }

    #[test]
    fn fresh_keys_differ() {
        let mut rng = Rng::from_number(1);
        assert_ne!(
            VaultKey::generate(&mut rng).as_bytes(),
            VaultKey::generate(&mut rng).as_bytes()
        );
    }
}
