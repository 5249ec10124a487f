//! What is broadcast: bytes, signed by the node that sends them to everybody.

use std::sync::Arc;

use base::{Digest, Duration, Instant, NodeId};
use community::{Descriptor, ISSUED_AHEAD_MAX, Identity, check_certificate};
use crypto::{Certificate, Signature, verify};
use minicbor::bytes::ByteVec;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};

use crate::spreading::breach::SpreadingBreach;

/// Longest payload, in bytes: a question with its plan has some kilobytes.
pub const PAYLOAD_MAX: usize = 64 << 10;
/// How long after it was issued a broadcast is passed on. Guess: long enough for a node that was away for a moment.
pub const AGE_MAX: Duration = Duration::from_secs(600);

const DOMAIN: &str = "broadcast";

/// A payload for every node, signed by its initiator, so that nobody on the way can change it. Cloning shares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement(Arc<Body>);

#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub(super) struct Body {
    #[n(0)]
    pub certificate: Certificate,
    #[n(1)]
    pub issued: Instant,
    #[n(2)]
    pub payload: ByteVec,
    #[n(3)]
    pub signature: Signature,
}

impl Body {
    fn id(&self) -> Digest {
        let issued = self.issued.0.to_be_bytes();
        let node = self.certificate.node();
        Digest::of(DOMAIN, &[node.as_bytes(), &issued, &self.payload])
    }
}

impl Announcement {
    /// What `identity` tells everybody.
    pub fn new(identity: &Identity, issued: Instant, payload: Vec<u8>) -> Self {
        let mut body = Body {
            certificate: identity.certificate.clone(),
            issued,
            payload: payload.into(),
            signature: Signature([0; 64]),
        };
        body.signature = identity.key.sign(DOMAIN, body.id().as_bytes());
        Self(Arc::new(body))
    }

    /// Names what is said: initiator, time and payload. Hashes the payload.
    pub fn id(&self) -> Digest {
        self.0.id()
    }

    /// Who says it.
    pub fn initiator(&self) -> NodeId {
        self.0.certificate.node()
    }

    /// When it was said.
    pub fn issued(&self) -> Instant {
        self.0.issued
    }

    /// What is said.
    pub fn payload(&self) -> &[u8] {
        &self.0.payload
    }

    /// Checks everything but the rate, from the cheapest check on: two signature checks at most.
    ///
    /// A clock may be off by [`ISSUED_AHEAD_MAX`]. Honest nodes stop passing on at [`AGE_MAX`] by their own clock, so
    /// that an honest one is never found to pass on what is stale.
    ///
    /// # Errors
    ///
    /// What the node that passed it on did wrong.
    pub fn verify(&self, descriptor: &Descriptor, now: Instant) -> Result<(), SpreadingBreach> {
        let Body {
            certificate,
            issued,
            payload,
            signature,
        } = &*self.0;
        if payload.len() > PAYLOAD_MAX {
            return Err(SpreadingBreach::PayloadTooLong);
        }
        if *issued > now + ISSUED_AHEAD_MAX {
            return Err(SpreadingBreach::FromTheFuture);
        }
        if now > *issued + AGE_MAX + ISSUED_AHEAD_MAX {
            return Err(SpreadingBreach::Stale);
        }
        check_certificate(certificate, descriptor, now)?;
        let (signer, id) = (certificate.node(), self.id());
        verify(signer, DOMAIN, id.as_bytes(), signature).map_err(|_| SpreadingBreach::Signature)
    }
}

impl<C> Encode<C> for Announcement {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        context: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        self.0.encode(e, context)
    }
}

impl<'b, C> Decode<'b, C> for Announcement {
    fn decode(d: &mut Decoder<'b>, context: &mut C) -> Result<Self, minicbor::decode::Error> {
        Body::decode(d, context).map(|body| Self(Arc::new(body)))
    }
}

#[cfg(test)]
impl Announcement {
    /// The same with something changed behind the initiator's back.
    pub(super) fn changed(&self, change: impl FnOnce(&mut Body)) -> Self {
        let mut body = (*self.0).clone();
        change(&mut body);
        Self(Arc::new(body))
    }
}
