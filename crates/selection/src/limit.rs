//! Lists from peers are short: a longer one is not read at all.

use minicbor::decode::Error;
use minicbor::{Decode, Decoder};

/// Most nodes that one request may name as away.
pub const SKIPPED_MAX: usize = 8;
/// Most witnesses of one value: no k-table has a larger k.
pub const WITNESSES_MAX: usize = 1024;
/// Most candidates that one builder may name.
pub const CANDIDATES_MAX: usize = 4096;
/// Most candidates that all builders together may name: builders of one point know nearly the same nodes.
pub const NAMED_MAX: usize = 2 * CANDIDATES_MAX;
/// Most seats that one list may have.
pub const SEATS_MAX: usize = CANDIDATES_MAX;

/// Reads a list of at most `MAX` elements.
///
/// # Errors
///
/// When there are more, when the list does not tell its length first, or when an element cannot be read.
pub fn at_most<'b, const MAX: usize, C, T: Decode<'b, C>>(
    d: &mut Decoder<'b>,
    context: &mut C,
) -> Result<Vec<T>, Error> {
    match d.probe().array()? {
        Some(len) if len <= MAX as u64 => Vec::decode(d, context),
        _ => Err(Error::message("too long a list")),
    }
}
