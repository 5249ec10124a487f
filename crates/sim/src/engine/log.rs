//! The fingerprint of a run.

use base::Digest;

/// Hashes whatever happens, in order.
///
/// 64 bits, each word multiplied into them at full width: it has to tell runs apart that differ by accident, not to withstand
/// anyone, and it is done for every event.
#[derive(Clone, Copy)]
pub struct Log(u64);

/// An odd number with as many ones as zeros, without a pattern: the fraction of the golden ratio.
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

impl Log {
    pub fn new() -> Self {
        Self(FACTOR)
    }

    pub fn word(&mut self, word: u64) {
        let product = u128::from(self.0 ^ word) * u128::from(FACTOR);
        let folded = product as u64 ^ (product >> 64) as u64;
        // With what went before, since a product of zero forgets it.
        self.0 = folded.wrapping_add(self.0.rotate_left(29));
    }

    /// The length, then the bytes.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; 8];
            last[..rest.len()].copy_from_slice(rest);
            self.word(u64::from_le_bytes(last));
        }
    }

    pub fn digest(self) -> Digest {
        Digest::of("fingerprint", &[&self.0.to_be_bytes()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &[u64], bytes: &[u8]) -> Digest {
        let mut log = Log::new();
        words.iter().for_each(|word| log.word(*word));
        log.bytes(bytes);
        log.digest()
    }

    #[test]
    fn depends_on_each_word_byte_order_and_length() {
        let all = [
            of(&[], b""),
            of(&[0], b""),
            of(&[0, 0], b""),
            of(&[1, 0], b""),
            of(&[0, 1], b""),
            of(&[FACTOR], b""),
            of(&[FACTOR, 0], b""),
            of(&[], b"\0"),
            of(&[], b"12345678"),
            of(&[], b"12345678\0"),
            of(&[], b"123456789"),
            of(&[], b"12345679"),
        ];
        let different: std::collections::BTreeSet<_> = all.iter().collect();
        assert_eq!(different.len(), all.len());
    }
}
