//! A node's certificate with the addresses at which it can be reached, signed by the node itself.

use std::net::SocketAddr;

use base::{Digest, Instant, Location, NodeId, encode};
use crypto::{Certificate, CertificateError, Signature, SigningKey, verify};
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::Descriptor;

/// Most addresses that one node may announce.
pub const ADDRESSES_MAX: usize = 8;

const DOMAIN: &str = "contact";

/// Who a node is and where it can be reached: one entry of a node cache.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Contact {
    #[n(0)]
    certificate: Certificate,
    #[n(1)]
    addresses: Vec<SocketAddr>,
    #[n(2)]
    issued: Instant,
    #[n(3)]
    signature: Signature,
}

impl Contact {
    /// A node's word on its own addresses; only the first eight are kept.
    pub fn new(
        key: &SigningKey,
        certificate: Certificate,
        mut addresses: Vec<SocketAddr>,
        issued: Instant,
    ) -> Self {
        addresses.truncate(ADDRESSES_MAX);
        let signature = key.sign(DOMAIN, &signed_bytes(&certificate, &addresses, issued));
        Self {
            certificate,
            addresses,
            issued,
            signature,
        }
    }

    /// The node.
    pub fn node(&self) -> NodeId {
        self.certificate.node()
    }

    /// Where the node sits on the ring.
    pub fn location(&self) -> Location {
        self.certificate.location()
    }

    /// Its certificate.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }

    /// Where it can be reached.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// When the node said so; a later contact replaces an earlier one.
    pub fn issued(&self) -> Instant {
        self.issued
    }

    /// Names exactly this contact.
    pub fn digest(&self) -> Digest {
        Digest::of(DOMAIN, &[&encode(self)])
    }

    /// Checks the certificate and the node's signature: two signature checks.
    ///
    /// # Errors
    ///
    /// See [`ContactError`].
    pub fn verify(&self, descriptor: &Descriptor, at: Instant) -> Result<(), ContactError> {
        if self.addresses.len() > ADDRESSES_MAX {
            return Err(ContactError::TooManyAddresses);
        }
        check_certificate(&self.certificate, descriptor, at)?;
        let bytes = signed_bytes(&self.certificate, &self.addresses, self.issued);
        verify(self.node(), DOMAIN, &bytes, &self.signature).map_err(|_| ContactError::Signature)
    }
}

/// Checks that a certificate is in force in the community: one signature check.
///
/// # Errors
///
/// [`ContactError::Revoked`] or [`ContactError::Certificate`].
pub fn check_certificate(
    certificate: &Certificate,
    descriptor: &Descriptor,
    at: Instant,
) -> Result<(), ContactError> {
    if descriptor.is_revoked(certificate.node()) {
        return Err(ContactError::Revoked);
    }
    Ok(certificate.verify(&descriptor.community, &descriptor.issuers(), at)?)
}

fn signed_bytes(certificate: &Certificate, addresses: &[SocketAddr], issued: Instant) -> Vec<u8> {
    encode(&(certificate.digest(), addresses, issued))
}

/// Why a contact or certificate was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum ContactError {
    /// The certificate does not hold.
    #[error("certificate refused: {0}")]
    Certificate(#[from] CertificateError),
    /// The certificate is on the descriptor's revocation list.
    #[error("the certificate is revoked")]
    Revoked,
    /// The addresses are not signed by the node.
    #[error("the addresses are not signed by the node they belong to")]
    Signature,
    /// More addresses than a node may announce.
    #[error("more than {ADDRESSES_MAX} addresses")]
    TooManyAddresses,
}
