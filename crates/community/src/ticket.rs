//! A ticket: an invitation to a community, as one line of text that can be sent in a letter.
//!
//! It says which community, who accepts it, where some members can be reached, and holds a random secret. Whoever has the
//! secret can be certified once for each use, so a ticket is sent as carefully as a key. From the secret follows a
//! signing key of which the issuer keeps the public half only: a stolen [`TicketBook`](crate::TicketBook) lets nobody in,
//! and what a newcomer sends proves the secret for its own keys without showing it.

use std::fmt;
use std::net::SocketAddr;

use base::{DecodeError, Digest, Instant, NodeId, VERSION, decode, encode};
use crypto::{CertificateRequest, Rights, Signature, SigningKey, verify};
use minicbor::{Decode, Encode};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Descriptor, JoinRequest, NAME_BYTES_MAX, base32};

/// Most members that a ticket names.
pub const TICKET_MEMBERS_MAX: usize = 4;
/// Most addresses of each.
pub const TICKET_ADDRESSES_MAX: usize = 4;
/// Longest text that is read as a ticket, in bytes, with all spaces. Those of two members have about 520.
pub const TICKET_TEXT_MAX: usize = 4096;

const DOMAIN: &str = "ticket";
const PREFIX: &str = "chticket";
const CHECKSUM_LEN: usize = 4;

/// Names a ticket: the public half of the key that follows from its secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Encode, Decode)]
#[cbor(transparent)]
pub struct TicketId(#[n(0)] pub NodeId);

impl fmt::Debug for TicketId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TicketId({:?})", self.0)
    }
}

/// A member that a newcomer can ask for the way.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub struct Member {
    /// Who.
    #[n(0)]
    pub node: NodeId,
    /// Where, at most [`TICKET_ADDRESSES_MAX`] addresses.
    #[n(1)]
    pub addresses: Vec<SocketAddr>,
}

/// The 128 random bits of a ticket. Never printed but in the ticket's own text, erased when dropped.
#[derive(Clone, PartialEq, Eq, Encode, Decode, Zeroize, ZeroizeOnDrop)]
#[cbor(transparent)]
pub(crate) struct TicketSecret(#[cbor(n(0), with = "minicbor::bytes")] pub(crate) [u8; 16]);

impl fmt::Debug for TicketSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TicketSecret")
    }
}

impl TicketSecret {
    pub(crate) fn id(&self, community: &Digest) -> TicketId {
        TicketId(self.key(community).node())
    }

    fn key(&self, community: &Digest) -> SigningKey {
        let seed = Digest::of("ticket key", &[community.as_bytes(), &self.0]);
        SigningKey::from_seed(seed.0)
    }
}

/// What an issuer says on a ticket.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Ticket {
    /// The community.
    #[n(0)]
    pub community: Digest,
    /// What people call it.
    #[n(1)]
    pub name: String,
    /// Who accepts the ticket.
    #[n(2)]
    pub issuer: NodeId,
    /// Whom to ask for the way.
    #[n(3)]
    pub members: Vec<Member>,
    #[n(4)]
    secret: TicketSecret,
    /// What its holders may do.
    #[n(5)]
    pub rights: Rights,
    /// How many nodes it lets in.
    #[n(6)]
    pub uses: u32,
    /// Its last moment.
    #[n(7)]
    pub expires: Instant,
    #[n(8)]
    signature: Signature,
}

/// Why a text is no ticket, or none to be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TicketError {
    /// Something else.
    #[error("this is not a ticket: tickets start with {PREFIX}1")]
    NotATicket,
    /// Of a later program.
    #[error(
        "this ticket is of another version of the program; use a newer one, or ask for a ticket of version 1"
    )]
    OtherVersion,
    /// A letter is wrong, missing or too many.
    #[error("the ticket is mistyped or not complete; copy all of it again")]
    Mistyped,
    /// More members or addresses than a ticket has, or a name that cannot be printed.
    #[error("the ticket says what no ticket says; ask for another one")]
    OutOfRange,
    /// The issuer did not sign it so.
    #[error("the ticket is forged: it is not signed by who is to accept it; do not use it")]
    Forged,
    /// Too late.
    #[error("the ticket has expired; ask for a new one")]
    Expired,
}

impl Ticket {
    /// Signs a ticket to the community.
    pub(crate) fn new(
        issuer: &SigningKey,
        descriptor: &Descriptor,
        mut members: Vec<Member>,
        secret: TicketSecret,
        (rights, uses, expires): (Rights, u32, Instant),
    ) -> Self {
        members.truncate(TICKET_MEMBERS_MAX);
        for member in &mut members {
            member.addresses.truncate(TICKET_ADDRESSES_MAX);
        }
        let mut ticket = Self {
            community: descriptor.community,
            name: descriptor.name.clone(),
            issuer: issuer.node(),
            members,
            secret,
            rights,
            uses,
            expires,
            signature: Signature([0; 64]),
        };
        ticket.signature = issuer.sign(DOMAIN, &ticket.signed_bytes());
        ticket
    }

    /// Reads what [`text`](Self::text) wrote, whatever the case of its letters, and with spaces, hyphens and line breaks in
    /// between.
    ///
    /// # Errors
    ///
    /// See [`TicketError`]; whether it has expired is told last.
    pub fn parse(text: &str, now: Instant) -> Result<Self, TicketError> {
        if text.len() > TICKET_TEXT_MAX {
            return Err(TicketError::NotATicket);
        }
        let kept = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let text = Zeroizing::new(kept.collect::<String>().to_lowercase());
        let body = text.strip_prefix(PREFIX).ok_or(TicketError::NotATicket)?;
        let body = match body.strip_prefix('1') {
            Some(body) => body,
            None if body.starts_with(|c: char| c.is_ascii_digit()) => {
                return Err(TicketError::OtherVersion);
            }
            None => return Err(TicketError::NotATicket),
        };
        let bytes = Zeroizing::new(base32::read(body).ok_or(TicketError::Mistyped)?);
        let (body, sum) = bytes
            .split_last_chunk::<CHECKSUM_LEN>()
            .ok_or(TicketError::Mistyped)?;
        if checksum(body) != *sum {
            return Err(TicketError::Mistyped);
        }
        let ticket: Self = decode(body, TICKET_TEXT_MAX).map_err(|why| match why {
            DecodeError::Version(version) if version != VERSION => TicketError::OtherVersion,
            _ => TicketError::OutOfRange,
        })?;
        ticket.check()?;
        if now > ticket.expires {
            return Err(TicketError::Expired);
        }
        Ok(ticket)
    }

    fn check(&self) -> Result<(), TicketError> {
        let members = self.members.len() <= TICKET_MEMBERS_MAX
            && self
                .members
                .iter()
                .all(|member| member.addresses.len() <= TICKET_ADDRESSES_MAX);
        let name = (1..=NAME_BYTES_MAX).contains(&self.name.len())
            && !self.name.contains(char::is_control);
        if !members || !name || self.uses == 0 {
            return Err(TicketError::OutOfRange);
        }
        verify(self.issuer, DOMAIN, &self.signed_bytes(), &self.signature)
            .map_err(|_| TicketError::Forged)
    }

    /// The ticket as one line. Whoever reads it can use it.
    pub fn text(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new(encode(self));
        let sum = checksum(&bytes);
        bytes.extend_from_slice(&sum);
        let body = Zeroizing::new(base32::write(&bytes));
        Zeroizing::new(format!("{PREFIX}1{}", *body))
    }

    /// Names it.
    pub fn id(&self) -> TicketId {
        self.secret.id(&self.community)
    }

    /// What a newcomer with these keys sends to the issuer.
    pub fn request(&self, request: CertificateRequest) -> JoinRequest {
        JoinRequest::new(&self.secret.key(&self.community), &self.community, request)
    }

    /// All but the secret, of which the public half is signed.
    fn signed_bytes(&self) -> Vec<u8> {
        encode(&(
            self.community,
            &self.name,
            self.issuer,
            &self.members,
            self.id(),
            self.rights,
            self.uses,
            self.expires,
        ))
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_LEN] {
    let digest = Digest::of("ticket checksum", &[bytes]);
    std::array::from_fn(|place| digest.0[place])
}
