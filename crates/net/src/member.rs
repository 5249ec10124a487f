//! A member of a community: the one protocol that the program runs, and who may speak to it.

use std::net::SocketAddr;
use std::sync::Arc;

use base::{Instant, NodeId};
use community::Community;
use crypto::Certificate;
use node::{Message, Node, Purpose};

use crate::admission::{Admission, CertificateAdmission, Refusal};
use crate::host::Hosted;

impl Hosted for Node {
    const PURPOSES: &'static [&'static str] = &Purpose::NAMES;

    fn purpose(message: &Message) -> usize {
        message.purpose() as usize
    }

    fn addresses(&self, node: NodeId) -> Vec<SocketAddr> {
        self.addresses(node)
    }
}

/// Lets in the members of one community whose certificates are in force and not revoked.
#[derive(Debug, Clone)]
pub struct MemberAdmission {
    community: Arc<Community>,
    certificates: CertificateAdmission,
}

impl MemberAdmission {
    /// For the member of `community` that shows the certificate `own`.
    pub fn new(community: Arc<Community>, own: Certificate) -> Self {
        let descriptor = community.descriptor();
        let certificates = CertificateAdmission {
            community: descriptor.community,
            issuers: descriptor.issuers(),
            own,
        };
        Self {
            community,
            certificates,
        }
    }
}

impl Admission for MemberAdmission {
    fn presented(&self) -> Vec<u8> {
        self.certificates.presented()
    }

    fn admit(&self, peer: NodeId, presented: &[u8], now: Instant) -> Result<(), Refusal> {
        if self.community.descriptor().is_revoked(peer) {
            return Err(Refusal::Revoked);
        }
        self.certificates.admit(peer, presented, now)
    }
}
