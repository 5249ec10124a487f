//! What members say to each other.

use base::Digest;
use community::Contact;
use minicbor::decode::Error;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

use super::{CACHE_MAX, CONTACTS_MAX};

/// Between nodes. A whole comparison: `Compare`, then `Have` if the caches differ, then `Members` and `Want` for what one
/// side lacks and what the other does.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// A newcomer introduces itself to a node that it was told of, which answers with `Have`.
    #[n(0)]
    Hello(#[n(0)] Contact),
    /// The summary of the sender's cache; a receiver whose cache differs answers with `Have`.
    #[n(1)]
    Compare(#[n(0)] Digest),
    /// The names of all contacts in the sender's cache. The receiver sends those that are not among them, and wants those
    /// that it does not hold.
    #[n(2)]
    Have(#[n(0)] AtMost<Name, CACHE_MAX>),
    /// The receiver is to send these contacts.
    #[n(3)]
    Want(#[n(0)] AtMost<Name, CACHE_MAX>),
    /// Contacts that the receiver may lack.
    #[n(4)]
    Members(#[n(0)] AtMost<Contact, CONTACTS_MAX>),
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

/// A list that is never longer than `MAX`: a longer one is not read at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AtMost<T, const MAX: usize>(Vec<T>);

impl<T, const MAX: usize> AtMost<T, MAX> {
    /// The first `MAX` of these.
    pub fn first_of(mut items: Vec<T>) -> Self {
        items.truncate(MAX);
        Self(items)
    }

    /// What is in the list.
    pub fn into_inner(self) -> Vec<T> {
        self.0
    }
}

impl<C, T: Encode<C>, const MAX: usize> Encode<C> for AtMost<T, MAX> {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.0.encode(e, context)
    }
}

impl<'b, C, T: Decode<'b, C>, const MAX: usize> Decode<'b, C> for AtMost<T, MAX> {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, Error> {
        match d.probe().array()? {
            Some(len) if len <= MAX as u64 => Vec::decode(d, context).map(Self),
            _ => Err(Error::message("too long a list")),
        }
    }
}
