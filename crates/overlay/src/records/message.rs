//! What nodes say to each other to keep and find records.

use base::{Instant, Location};
use community::Contact;
use minicbor::{Decode, Encode};

use super::{COPIES, Record};
use crate::AtMost;

/// Most records that one comparison names, and that follow it: 0.9 MB when all are as long as they may be.
pub const HOLDING_MAX: usize = 512;

/// Between nodes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// The receiver, which is near its place, is to keep this.
    #[n(0)]
    Store(#[n(0)] Box<Record>),
    /// The answer to `Store`: the sender keeps the record of this place, issued then.
    #[n(1)]
    Stored(#[n(0)] Location, #[n(1)] Instant),
    /// Which record is kept at this place?
    #[n(2)]
    Fetch(#[n(0)] Location),
    /// The answer to `Fetch`.
    #[n(3)]
    Fetched(#[n(0)] Location, #[n(1)] Option<Box<Record>>),
    /// Who is nearest to this place?
    #[n(4)]
    Nearest(#[n(0)] Location),
    /// The answer to `Nearest`.
    #[n(5)]
    Near(#[n(0)] Location, #[n(1)] AtMost<Contact, COPIES>),
    /// What the sender keeps that the receiver should keep, too: places and times of issue.
    #[n(6)]
    Holding(#[n(0)] AtMost<(Location, Instant), HOLDING_MAX>),
    /// The answer to `Holding`: what the receiver is to send.
    #[n(7)]
    Lacking(#[n(0)] AtMost<Location, HOLDING_MAX>),
}
