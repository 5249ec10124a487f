//! What nodes say to each other to spread a broadcast.

use base::Digest;
use minicbor::{Decode, Encode};

use super::{Announcement, Span};
use crate::AtMost;

/// Most broadcasts that one message offers.
pub const OFFERS_MAX: usize = 64;
/// Most broadcasts that one comparison names. Guess: more than a community makes within their age.
pub const COMPARED_MAX: usize = 1024;

/// Between nodes. In the good case one `Pass` and one `Received` per node, and some `Offer`s.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// The receiver is to take this, and to see to it that the nodes of the span get it.
    #[n(0)]
    Pass(#[n(0)] Announcement, #[n(1)] Span),
    /// The answer to `Pass` or `Also`: the sender has it, and sees to that span.
    #[n(1)]
    Received(#[n(0)] Digest, #[n(1)] Span),
    /// The sender can give these.
    #[n(2)]
    Offer(#[n(0)] AtMost<Digest, OFFERS_MAX>),
    /// The receiver, who offered it, is to give it.
    #[n(3)]
    Want(#[n(0)] Digest),
    /// The answer to `Want`.
    #[n(4)]
    Give(#[n(0)] Announcement),
    /// All that the sender has heard of late. The receiver offers what else it has.
    #[n(5)]
    Compare(#[n(0)] AtMost<Digest, COMPARED_MAX>),
    /// The receiver, which should have this, is to see to a span that is not its own.
    #[n(6)]
    Also(#[n(0)] Digest, #[n(1)] Span),
}
