//! What members say to each other about who is there.

use base::{Digest, Instant, NodeId};
use community::Contact;
use crypto::Signature;
use minicbor::{Decode, Encode};

use super::CONTACTS_MAX;
use crate::at_most::AtMost;
use crate::attestation::{Attested, Listing};
use crate::liveness::Farewell;
use crate::stretch::Stretch;
use crate::view::CACHE_MAX;

/// Between nodes. A whole comparison: `Compare`, then `Have` if the caches differ in what lies in both regions, then
/// `Members` and `Want` for what one side lacks and what the other does. A whole join: `Ask`, `Sign` and `Signed` among the
/// one asked and its attesters, `Attested`, `Want`, `Members`; then a `Hello`, which travels to everyone in the region.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// This node is a member from now on, or has new addresses. To whom it is news passes it on along the stretch.
    #[n(0)]
    Hello(#[n(0)] Box<Contact>, #[n(1)] Option<Stretch>),
    /// The summary of what the sender holds in both regions; a receiver that holds something else answers with `Have`.
    #[n(1)]
    Compare(#[n(0)] Digest),
    /// The names of all contacts that the sender holds in both regions. The receiver sends those that are not among them,
    /// and wants those that it does not hold.
    #[n(2)]
    Have(#[n(0)] AtMost<Name, CACHE_MAX>),
    /// The receiver is to send these contacts.
    #[n(3)]
    Want(#[n(0)] AtMost<Name, CACHE_MAX>),
    /// Contacts that the receiver may lack.
    #[n(4)]
    Members(#[n(0)] AtMost<Contact, CONTACTS_MAX>),
    /// The sender does not know the receiver, which says `Hello` if it is a member.
    #[n(5)]
    Unknown,
    /// Are you there? Only a member answers.
    #[n(6)]
    Ping,
    /// Yes.
    #[n(7)]
    Pong,
    /// The sender found this node gone. A hint: the receiver sees for itself.
    #[n(8)]
    Gone(#[n(0)] NodeId),
    /// A node leaves, in its own words. To whom it is news passes it on along the stretch.
    #[n(9)]
    Farewell(#[n(0)] Farewell, #[n(1)] Option<Stretch>),
    /// A newcomer asks for the receiver's cache, attested.
    #[n(10)]
    Ask,
    /// The answer to `Ask`. The newcomer wants the contacts that it lacks.
    #[n(11)]
    Attested(#[n(0)] Box<Attested>),
    /// The sender's cache, for the receiver to attest.
    #[n(12)]
    Sign(#[n(0)] Box<Listing>),
    /// The answer to the `Sign` of this time.
    #[n(13)]
    Signed(#[n(0)] Instant, #[n(1)] Signature),
    /// No: the receiver's cache of this time differs from the sender's, as a `Have` tells.
    #[n(14)]
    Differs(#[n(0)] Instant),
}

/// Names one contact among those of a community: the first eight bytes of its digest. Someone who finds two contacts with
/// one name has them for his own node only; to name one like that of another node takes 2^64 attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct Name(#[n(0)] u64);

impl Name {
    /// The name of the contact with this digest.
    pub fn of(digest: &Digest) -> Self {
        let [a, b, c, d, e, f, g, h, ..] = digest.0;
        Self(u64::from_be_bytes([a, b, c, d, e, f, g, h]))
    }
}
