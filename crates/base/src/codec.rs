//! The one codec: CBOR with numbered fields, behind a version byte, in exactly one accepted form.
//!
//! CBOR permits several encodings of one value (long integers, indefinite lengths, unknown fields that a decoder skips).
//! A signature must cover one meaning only, so [`decode`] re-encodes what it read and refuses any input that differs.

use minicbor::{Decode, Encode};
use thiserror::Error;

/// The first byte of everything that leaves this process. A change of any wire format changes it.
pub const VERSION: u8 = 1;

/// The first byte that texts begin with; a file that begins so, or with 0, is of no version.
const TEXT: u8 = b' ';

/// What can be written to and read from the wire.
pub trait Wire: Encode<()> + for<'b> Decode<'b, ()> {}
impl<T: Encode<()> + for<'b> Decode<'b, ()>> Wire for T {}

/// Why bytes were refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The sender speaks another version of the format.
    #[error("format version {0}, this program reads version {VERSION}")]
    Version(u8),
    /// More bytes than the receiver is ready to read.
    #[error("{len} bytes, at most {limit} are accepted here")]
    TooLong {
        /// Length of the input.
        len: usize,
        /// The limit of this kind of message.
        limit: usize,
    },
    /// Not an encoding of the expected type.
    #[error("it is nothing that Commonhold writes here, or it is damaged")]
    Malformed,
    /// A second encoding of a valid value: padded, reordered or with extra fields or bytes.
    #[error("not the one canonical encoding of its value")]
    NotCanonical,
}

/// The one encoding of `value`: version byte, then CBOR.
pub fn encode<T: Encode<()> + ?Sized>(value: &T) -> Vec<u8> {
    // Most messages are small. A buffer that grows from nothing is moved several times even for those.
    encode_sized(value, 64)
}

fn encode_sized<T: Encode<()> + ?Sized>(value: &T, capacity: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(capacity);
    bytes.push(VERSION);
    minicbor::encode(value, &mut bytes).expect("writing to a vector cannot fail");
    bytes
}

/// Reads what [`encode`] wrote and nothing else.
///
/// # Errors
///
/// Refuses more than `limit` bytes, another version, anything that is not a `T`, trailing bytes, and every encoding but
/// the canonical one.
pub fn decode<T: Wire>(bytes: &[u8], limit: usize) -> Result<T, DecodeError> {
    if bytes.len() > limit {
        return Err(DecodeError::TooLong {
            len: bytes.len(),
            limit,
        });
    }
    let (&version, body) = bytes.split_first().ok_or(DecodeError::Malformed)?;
    if version != VERSION {
        return Err(match version {
            1..TEXT => DecodeError::Version(version),
            _ => DecodeError::Malformed,
        });
    }
    let value: T = minicbor::decode(body).map_err(|_| DecodeError::Malformed)?;
    if encode_sized(&value, bytes.len()) == bytes {
        Ok(value)
    } else {
        Err(DecodeError::NotCanonical)
    }
}

#[cfg(test)]
mod tests {
    use minicbor::{Decode, Encode};
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Encode, Decode)]
    #[cbor(map)]
    struct Sample {
        #[n(0)]
        number: u64,
        #[n(1)]
        list: Vec<u8>,
        #[n(2)]
        maybe: Option<i32>,
    }

    #[test]
    fn refuses_long_integers() {
        assert_eq!(
            decode::<u64>(&[VERSION, 0x18, 0x05], 9),
            Err(DecodeError::NotCanonical)
        );
        assert_eq!(decode::<u64>(&[VERSION, 0x05], 9), Ok(5));
    }

    #[test]
    fn refuses_trailing_bytes_and_other_versions() {
        assert_eq!(
            decode::<u64>(&[VERSION, 0x05, 0x00], 9),
            Err(DecodeError::NotCanonical)
        );
        assert_eq!(decode::<u64>(&[2, 0x05], 9), Err(DecodeError::Version(2)));
        // A text, or a file of zeros, is of no version.
        for junk in [&b"hello"[..], b"\0\0", b"\x89PNG", &[]] {
            assert_eq!(decode::<u64>(junk, 9), Err(DecodeError::Malformed));
        }
        assert_eq!(
            decode::<u64>(&[VERSION, 0x05], 1),
            Err(DecodeError::TooLong { len: 2, limit: 1 })
        );
    }

    #[test]
    fn refuses_unknown_fields() {
        // {0: 1, 1: [], 7: 0}
        let bytes = [VERSION, 0xa3, 0x00, 0x01, 0x01, 0x80, 0x07, 0x00];
        assert_eq!(decode::<Sample>(&bytes, 99), Err(DecodeError::NotCanonical));
    }

    proptest! {
        #[test]
        fn round_trips(number: u64, list: Vec<u8>, maybe: Option<i32>) {
            let value = Sample { number, list, maybe };
            let bytes = encode(&value);
            prop_assert_eq!(decode::<Sample>(&bytes, bytes.len()), Ok(value));
        }

        #[test]
        fn what_decodes_is_canonical(bytes: Vec<u8>) {
            if let Ok(value) = decode::<Sample>(&bytes, 1 << 16) {
                prop_assert_eq!(encode(&value), bytes);
            }
        }
    }
}
