//! How a newcomer with a ticket becomes a member: one request, one answer.
//!
//! The request is all that a stranger says and all that is read of a stranger: at most [`JOIN_REQUEST_BYTES_MAX`] bytes,
//! refused before any signature is checked unless it names a ticket that was given. The answer is bounded as well, and a
//! newcomer believes nothing of it that does not follow from the ticket: the descriptor must be that of the ticket's
//! community, by the chain of its authority's keys, and the certificate must be for the newcomer's own keys.

use base::{Digest, Instant, NodeId, encode};
use crypto::{
    BadSignature, Certificate, CertificateRequest, Rights, Signature, SigningKey, VrfPublicKey,
    verify,
};
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::{
    Community, Contact, ContactError, DESCRIPTOR_BYTES_MAX, DescriptorError, SignedDescriptor,
    Ticket, TicketId, check_certificate,
};

/// Longest encoded request, in bytes. They have 240.
pub const JOIN_REQUEST_BYTES_MAX: usize = 256;
/// Most contacts of an answer.
pub const JOIN_CONTACTS_MAX: usize = 16;
/// Longest encoded answer, in bytes: the longest descriptor, and room for the rest.
pub const JOIN_ANSWER_BYTES_MAX: usize = DESCRIPTOR_BYTES_MAX + (64 << 10);

const DOMAIN: &str = "join request";

/// What a newcomer says first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct JoinRequest {
    /// Its ticket.
    #[n(0)]
    pub ticket: TicketId,
    /// The keys to be certified, and the proof that it has them.
    #[n(1)]
    pub request: CertificateRequest,
    /// The proof that it has the ticket's secret, for these keys and no others.
    #[n(2)]
    proof: Signature,
}

impl JoinRequest {
    pub(crate) fn new(
        ticket: &SigningKey,
        community: &Digest,
        request: CertificateRequest,
    ) -> Self {
        Self {
            ticket: TicketId(ticket.node()),
            request,
            proof: ticket.sign(DOMAIN, &proved_bytes(community, &request)),
        }
    }

    /// Whether who asks has the ticket's secret.
    pub(crate) fn check(&self, community: &Digest) -> Result<(), BadSignature> {
        let bytes = proved_bytes(community, &self.request);
        verify(self.ticket.0, DOMAIN, &bytes, &self.proof)
    }
}

fn proved_bytes(community: &Digest, request: &CertificateRequest) -> Vec<u8> {
    encode(&(community, request))
}

/// What the issuer says to it.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum JoinAnswer {
    /// Come in.
    #[n(0)]
    Welcome(#[n(0)] Box<Welcome>),
    /// No.
    #[n(1)]
    Refused(#[n(0)] Refusal),
}

/// All that a newcomer needs.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Welcome {
    /// Its certificate.
    #[n(0)]
    pub certificate: Certificate,
    /// The community as it is now.
    #[n(1)]
    pub descriptor: SignedDescriptor,
    /// Some members, at most [`JOIN_CONTACTS_MAX`].
    #[n(2)]
    pub contacts: Vec<Contact>,
}

/// Why a newcomer was not certified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode, Error)]
pub enum Refusal {
    /// Nobody was given such a ticket here, or that was long ago.
    #[n(0)]
    #[error("no such ticket was given here; check that it is for this community and not expired")]
    UnknownTicket,
    /// Too late.
    #[n(1)]
    #[error("the ticket has expired; ask for a new one")]
    Expired,
    /// Others were faster.
    #[n(2)]
    #[error("the ticket has been used as often as it may be; ask for a new one")]
    UsedUp,
    /// The secret was not shown, or for other keys.
    #[n(3)]
    #[error("the request does not prove that its sender has the ticket")]
    BadProof,
    /// The keys were not shown.
    #[n(4)]
    #[error("the request does not prove that its sender has the keys to be certified")]
    BadRequest,
    /// Was a member, and may be no more.
    #[n(5)]
    #[error("this node is revoked; join with new keys, if you are to be let in at all")]
    Revoked,
    /// The key is known with another VRF key: who could vary one of them could choose a place.
    #[n(6)]
    #[error("this node is known under another VRF key; join with new keys")]
    OtherVrfKey,
    /// Certified or moved as often as may be in a year.
    #[n(7)]
    #[error("this node, or those that it follows, was certified as often as may be in a year")]
    TooOften,
    /// The issuer's log is full or its key is no longer listed.
    #[n(8)]
    #[error("this issuer can certify nobody any longer; ask the community's authority")]
    CannotIssue,
    /// Another ticket for the same lost node was used first.
    #[n(9)]
    #[error(
        "the node that this ticket is to replace has been replaced already; ask for another ticket"
    )]
    Replaced,
}

/// A newcomer that has become a member.
#[derive(Debug)]
pub struct Joined {
    /// The community.
    pub community: Community,
    /// The newcomer's certificate.
    pub certificate: Certificate,
    /// Members whose contacts hold.
    pub contacts: Vec<Contact>,
}

/// Why an answer does not make a member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum JoinError {
    /// The issuer says no.
    #[error("refused: {0}")]
    Refused(#[from] Refusal),
    /// The descriptor does not hold.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// Of another community than the ticket's.
    #[error("the answer is of another community than the ticket")]
    AnotherCommunity,
    /// The ticket was given by somebody who may not.
    #[error("the community does not list who gave the ticket among those who certify")]
    NotAnIssuer,
    /// The certificate does not hold.
    #[error(transparent)]
    Certificate(#[from] ContactError),
    /// The certificate is for other keys or gives other rights than were asked for.
    #[error("the certificate is not what was asked for")]
    NotWhatWasAsked,
}

impl Welcome {
    /// What holds of it for the node with these keys in `community`.
    ///
    /// # Errors
    ///
    /// See [`JoinError`]. Contacts that do not hold are left out.
    pub fn check(
        self,
        community: Digest,
        (node, vrf): (NodeId, VrfPublicKey),
        now: Instant,
    ) -> Result<Joined, JoinError> {
        let opened = Community::open(self.descriptor)?;
        let descriptor = opened.descriptor();
        if descriptor.community != community {
            return Err(JoinError::AnotherCommunity);
        }
        check_certificate(&self.certificate, descriptor, now)?;
        if (self.certificate.node(), self.certificate.vrf()) != (node, vrf) {
            return Err(JoinError::NotWhatWasAsked);
        }
        let mut contacts = self.contacts;
        contacts.truncate(JOIN_CONTACTS_MAX);
        contacts.retain(|contact| contact.verify(descriptor, now).is_ok());
        Ok(Joined {
            community: opened,
            certificate: self.certificate,
            contacts,
        })
    }
}

impl Ticket {
    /// What holds of an answer to [`request`](Self::request).
    ///
    /// # Errors
    ///
    /// See [`JoinError`].
    pub fn accept(
        &self,
        answer: JoinAnswer,
        request: &CertificateRequest,
        now: Instant,
    ) -> Result<Joined, JoinError> {
        let welcome = match answer {
            JoinAnswer::Welcome(welcome) => welcome,
            JoinAnswer::Refused(why) => return Err(why.into()),
        };
        let joined = welcome.check(self.community, (request.node, request.vrf), now)?;
        if !joined
            .community
            .descriptor()
            .issuers()
            .contains(&self.issuer)
        {
            return Err(JoinError::NotAnIssuer);
        }
        let Rights { ask } = self.rights;
        if ask && !joined.certificate.rights().ask {
            return Err(JoinError::NotWhatWasAsked);
        }
        Ok(joined)
    }
}
