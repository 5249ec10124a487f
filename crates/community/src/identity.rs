//! What one node is: its keys and the certificate that binds them.

use base::{Digest, Instant, NodeId, Rng};
use crypto::{Certificate, CertificateError, CertificateRequest, Rights, SigningKey, VrfSecretKey};

use crate::Descriptor;

/// A node's own keys with its certificate.
#[derive(Debug)]
pub struct Identity {
    /// Signs everything that the node says.
    pub key: SigningKey,
    /// Gives the node's verifiable random values.
    pub vrf: VrfSecretKey,
    /// Binds both, the nonce and the rights.
    pub certificate: Certificate,
}

impl Identity {
    /// The node's name.
    pub fn node(&self) -> NodeId {
        self.key.node()
    }
}

/// What an issuer decides about a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// What its holder may do.
    pub rights: Rights,
    /// First moment of validity.
    pub valid_from: Instant,
    /// Last moment of validity.
    pub valid_until: Instant,
}

/// Certifies `request` with a nonce drawn now: *after* the issuer has the key, so that nobody can try keys until one
/// lands where he wants to sit (design: identity).
///
/// # Errors
///
/// When the request does not prove possession of its key.
pub fn enrol(
    issuer: &SigningKey,
    descriptor: &Descriptor,
    request: &CertificateRequest,
    terms: Terms,
    rng: &mut Rng,
) -> Result<Certificate, CertificateError> {
    let nonce = rng.bytes32();
    let serial = rng.number();
    Certificate::issue(
        issuer,
        &descriptor.community,
        request,
        nonce,
        terms.rights,
        terms.valid_from,
        terms.valid_until,
        serial,
    )
}

/// Draws keys and asks for their certificate: `(key, VRF key, request)`.
pub fn draw_keys(
    community: &Digest,
    rng: &mut Rng,
) -> (SigningKey, VrfSecretKey, CertificateRequest) {
    let key = SigningKey::generate(rng);
    let vrf = VrfSecretKey::generate(rng);
    let request = CertificateRequest::new(&key, &vrf.public(), community);
    (key, vrf, request)
}
