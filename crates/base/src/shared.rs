//! The codec of values behind an `Arc`, for `#[cbor(with = "base::shared")]`: as the value itself.
//!
//! What goes to many, or is kept by many nodes of a simulation, is held once.

use std::sync::Arc;

use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

/// Writes the value.
///
/// # Errors
///
/// As the value's own codec.
pub fn encode<T: Encode<C>, C, W: Write>(
    value: &Arc<T>,
    e: &mut Encoder<W>,
    context: &mut C,
) -> Result<(), minicbor::encode::Error<W::Error>> {
    value.as_ref().encode(e, context)
}

/// Reads the value.
///
/// # Errors
///
/// As the value's own codec.
pub fn decode<'b, T: Decode<'b, C>, C>(
    d: &mut Decoder<'b>,
    context: &mut C,
) -> Result<Arc<T>, minicbor::decode::Error> {
    T::decode(d, context).map(Arc::new)
}
