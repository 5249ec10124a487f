//! Fixed-size names: nodes and digests.

use std::fmt;
use std::str::FromStr;

use minicbor::decode::Error;
use minicbor::{Decode, Decoder, Encode, Encoder};
use sha2::{Digest as _, Sha256};
use thiserror::Error;

/// Gives a 32-byte newtype its codec (one CBOR byte string of exactly 32 bytes), hexadecimal text and accessors.
macro_rules! bytes32 {
    ($name:ident) => {
        impl $name {
            /// The bytes themselves.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
        }

        impl<C> Encode<C> for $name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.bytes(&self.0)?.ok()
            }
        }

        impl<'b, C> Decode<'b, C> for $name {
            fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
                <[u8; 32]>::try_from(d.bytes()?)
                    .map(Self)
                    .map_err(|_| Error::message("expected 32 bytes"))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                for byte in self.0 {
                    write!(f, "{byte:02x}")?;
                }
                Ok(())
            }
        }

        impl FromStr for $name {
            type Err = NoName;

            fn from_str(text: &str) -> Result<Self, NoName> {
                let digits = text.as_bytes();
                if digits.len() != 64 {
                    return Err(NoName);
                }
                let mut name = [0; 32];
                for (byte, pair) in name.iter_mut().zip(digits.chunks(2)) {
                    *byte = (digit(pair[0])? << 4) | digit(pair[1])?;
                }
                Ok(Self(name))
            }
        }

        impl fmt::Debug for $name {
            /// The first four bytes: enough to tell two apart in a log.
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let [a, b, c, d, ..] = self.0;
                write!(f, "{a:02x}{b:02x}{c:02x}{d:02x}")
            }
        }
    };
}

/// What was read is not the name of anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a name has exactly 64 hexadecimal digits")]
pub struct NoName;

/// The value of one hexadecimal digit, small or capital.
fn digit(text: u8) -> Result<u8, NoName> {
    let value = char::from(text).to_digit(16).ok_or(NoName)?;
    Ok(value as u8)
}

/// A node: the 32 bytes of its Ed25519 public key, which is also its address on the live network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub [u8; 32]);
bytes32!(NodeId);

/// A SHA-256 digest of something that is named by its domain.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(pub [u8; 32]);
bytes32!(Digest);

impl Digest {
    /// SHA-256 over `domain` and `parts`, each preceded by its length, so that no two different lists of parts, and no
    /// two uses, ever hash the same bytes.
    pub fn of(domain: &str, parts: &[&[u8]]) -> Self {
        let mut hash = Sha256::new();
        for part in std::iter::once(&domain.as_bytes()).chain(parts) {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_survive_their_text() {
        let node = NodeId(std::array::from_fn(|place| place as u8 * 7));
        assert_eq!(node.to_string().parse(), Ok(node));
        assert_eq!(node.to_string().to_uppercase().parse(), Ok(node));
        for wrong in ["", "00", &"0".repeat(63), &"g".repeat(64), &"+1".repeat(32)] {
            assert_eq!(wrong.parse::<NodeId>(), Err(NoName), "{wrong}");
        }
    }

    #[test]
    fn parts_cannot_be_moved_between_each_other() {
        assert_ne!(
            Digest::of("d", &[b"ab", b"c"]),
            Digest::of("d", &[b"a", b"bc"])
        );
        assert_ne!(Digest::of("d", &[b"ab"]), Digest::of("da", &[b"b"]));
        assert_ne!(Digest::of("d", &[]), Digest::of("d", &[b""]));
    }

    #[test]
    fn is_sha256_of_the_framed_parts() {
        // sha256(u64be(1) || "d" || u64be(2) || "ab"), computed with coreutils.
        let framed = [
            &[0, 0, 0, 0, 0, 0, 0, 1][..],
            b"d",
            &[0, 0, 0, 0, 0, 0, 0, 2],
            b"ab",
        ]
        .concat();
        assert_eq!(Digest::of("d", &[b"ab"]).0[..], Sha256::digest(&framed)[..]);
    }
}
