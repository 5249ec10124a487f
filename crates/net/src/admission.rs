//! Who may speak to us.

use base::{Digest, Instant, NodeId};
use crypto::{Certificate, CertificateError};
use thiserror::Error;

/// What we show and whom we let in. Asked once for each connection, so that it may change its mind while the host runs;
/// called from many tasks at once, so it must answer quickly.
pub trait Admission: Send + Sync + 'static {
    /// What we show to a peer: our certificate. At most [`MAX_PRESENTED`] bytes.
    fn presented(&self) -> Vec<u8>;

    /// Judges what `peer`, whose key TLS has authenticated, shows at the time `now`.
    ///
    /// # Errors
    ///
    /// When the peer is not to be let in. The peer is not told why.
    fn admit(&self, peer: NodeId, presented: &[u8], now: Instant) -> Result<(), Refusal>;
}

/// The most bytes that a side shows before it is admitted. Our certificates have about 570.
pub const MAX_PRESENTED: usize = 4096;

/// Why a peer is not let in. For our own eyes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// What it shows is not a certificate.
    #[error("not a certificate: {0}")]
    Unreadable(CertificateError),
    /// It shows the certificate of somebody else.
    #[error("the certificate of another node")]
    OtherNode,
    /// Its certificate does not hold here and now.
    #[error("the certificate does not hold: {0}")]
    Invalid(CertificateError),
    /// The community has withdrawn its certificate.
    #[error("the certificate is revoked")]
    Revoked,
}

/// Lets in whoever shows a certificate of one community for its own key, in force now.
///
/// Revocation is not looked at: an application that knows a list wraps this.
#[derive(Debug, Clone)]
pub struct CertificateAdmission {
    /// The community.
    pub community: Digest,
    /// Who may certify its nodes.
    pub issuers: Vec<NodeId>,
    /// The certificate that we show.
    pub own: Certificate,
}

impl Admission for CertificateAdmission {
    fn presented(&self) -> Vec<u8> {
        self.own.der().to_vec()
    }

    fn admit(&self, peer: NodeId, presented: &[u8], now: Instant) -> Result<(), Refusal> {
        let certificate = Certificate::parse(presented).map_err(Refusal::Unreadable)?;
        if certificate.node() != peer {
            return Err(Refusal::OtherNode);
        }
        certificate
            .verify(&self.community, &self.issuers, now)
            .map_err(Refusal::Invalid)
    }
}

#[cfg(test)]
mod tests {
    use base::{Duration, Rng};
    use crypto::{CertificateRequest, Rights, SigningKey, VrfSecretKey};

    use super::*;

    const FROM: Instant = Instant::from_secs(1_800_000_000);
    const UNTIL: Instant = Instant::from_secs(1_900_000_000);

    fn certify(authority: &SigningKey, community: &Digest, rng: &mut Rng) -> Certificate {
        let (key, vrf) = (SigningKey::generate(rng), VrfSecretKey::generate(rng));
        let request = CertificateRequest::new(&key, &vrf.public(), community);
        let nonce = rng.bytes32();
        let rights = Rights::default();
        Certificate::issue(
            authority, community, &request, nonce, rights, FROM, UNTIL, 1,
        )
        .expect("a valid request")
    }

    #[test]
    fn each_check_has_its_refusal() {
        let rng = &mut Rng::from_number(1);
        let (authority, impostor) = (SigningKey::generate(rng), SigningKey::generate(rng));
        let (here, there) = (Digest::of("here", &[]), Digest::of("there", &[]));
        let ours = CertificateAdmission {
            community: here,
            issuers: vec![authority.node()],
            own: certify(&authority, &here, rng),
        };
        let peer = certify(&authority, &here, rng);
        let node = peer.node();
        let invalid = |error| Err(Refusal::Invalid(error));

        assert_eq!(ours.admit(node, peer.der(), FROM), Ok(()));
        assert_eq!(
            ours.admit(ours.own.node(), peer.der(), FROM),
            Err(Refusal::OtherNode)
        );
        assert_eq!(
            ours.admit(node, peer.der(), FROM - Duration::from_secs(1)),
            invalid(CertificateError::NotYetValid)
        );
        assert_eq!(
            ours.admit(node, peer.der(), UNTIL + Duration::from_secs(1)),
            invalid(CertificateError::Expired)
        );
        assert_eq!(
            ours.admit(node, &[], FROM),
            Err(Refusal::Unreadable(CertificateError::Malformed))
        );
        let foreign = certify(&authority, &there, rng);
        assert_eq!(
            ours.admit(foreign.node(), foreign.der(), FROM),
            invalid(CertificateError::NotOfThisCommunity)
        );
        let forged = certify(&impostor, &here, rng);
        assert_eq!(
            ours.admit(forged.node(), forged.der(), FROM),
            invalid(CertificateError::UnknownIssuer)
        );
    }
}
