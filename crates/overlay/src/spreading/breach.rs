//! What a peer can do wrong, one variant per check.

use community::{ContactError, ISSUED_AHEAD_MAX};
use thiserror::Error;

use crate::broadcast::{BROADCASTS_MAX, PAYLOAD_MAX};
use crate::records::{KEY_MAX, LIFE_MAX, VALUE_MAX};

/// A breach by a peer, found by checking what it sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum SpreadingBreach {
    /// The certificate of a broadcast's initiator, of a record's owner or of a contact does not hold.
    #[error("certificate refused: {0}")]
    Certificate(#[from] ContactError),
    /// A signature over a broadcast or a record does not hold.
    #[error("a signature does not hold")]
    Signature,
    /// Issued later than [`ISSUED_AHEAD_MAX`] from now.
    #[error("issued more than {} s in the future", ISSUED_AHEAD_MAX.as_secs())]
    FromTheFuture,
    /// A broadcast with more than [`PAYLOAD_MAX`] bytes.
    #[error("a broadcast of more than {PAYLOAD_MAX} bytes")]
    PayloadTooLong,
    /// A broadcast that is too old to be passed on.
    #[error("a broadcast that is too old to be passed on")]
    Stale,
    /// The initiator broadcasts more often than [`BROADCASTS_MAX`] times while a broadcast is passed on.
    #[error("more than {BROADCASTS_MAX} broadcasts of one node at a time")]
    TooManyBroadcasts,
    /// A record's key has more than [`KEY_MAX`] bytes.
    #[error("a record's key has more than {KEY_MAX} bytes")]
    KeyTooLong,
    /// A record's value has more than [`VALUE_MAX`] bytes.
    #[error("a record's value has more than {VALUE_MAX} bytes")]
    ValueTooLong,
    /// A record that ends before it begins, or lives longer than [`LIFE_MAX`].
    #[error("a record that lives longer than {} days, or ends before it begins", LIFE_MAX.as_secs() / 86400)]
    Lifetime,
    /// A record that has expired.
    #[error("a record that has expired")]
    Expired,
    /// A record in the authority's name by somebody else.
    #[error("a record in the name of an authority that is not this community's")]
    NotTheAuthority,
    /// Another record than the one that was asked for.
    #[error("another record than the one that was asked for")]
    OtherRecord,
}

impl SpreadingBreach {
    /// Whether a signature was checked and found bad: the sender had not checked it, or does not care.
    pub fn is_forgery(&self) -> bool {
        match self {
            Self::Certificate(why) => why.is_forgery(),
            Self::Signature => true,
            _ => false,
        }
    }
}
