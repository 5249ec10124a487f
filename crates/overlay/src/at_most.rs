//! Lists that a peer cannot make too long.

use std::ops::Deref;

use minicbor::decode::Error;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

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

impl<T, const MAX: usize> Deref for AtMost<T, MAX> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
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
