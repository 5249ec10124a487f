//! An issuer's word on its whole log, and the evidence when it gives two that differ.

use base::{Digest, Instant, NodeId, encode};
use crypto::{BadSignature, Certificate, Signature, SigningKey, verify};
use minicbor::{Decode, Encode};
use thiserror::Error;

use crate::LogEntry;
use crate::merkle;

const DOMAIN: &str = "certificate log";

/// The root of a log of so many entries, signed by the issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Head {
    /// The community.
    #[n(0)]
    pub community: Digest,
    /// Who issues, logs and signs.
    #[n(1)]
    pub issuer: NodeId,
    /// How many certificates it has issued.
    #[n(2)]
    pub size: u64,
    /// The root of their tree.
    #[n(3)]
    pub root: Digest,
    /// When it was signed, by the issuer's clock.
    #[n(4)]
    pub at: Instant,
    #[n(5)]
    signature: Signature,
}

impl Head {
    pub(crate) fn sign(
        key: &SigningKey,
        community: Digest,
        (size, root): (u64, Digest),
        at: Instant,
    ) -> Self {
        let issuer = key.node();
        let signed = encode(&(community, issuer, size, root, at));
        Self {
            community,
            issuer,
            size,
            root,
            at,
            signature: key.sign(DOMAIN, &signed),
        }
    }

    /// Whether the issuer signed it: one signature check.
    ///
    /// # Errors
    ///
    /// When it did not.
    pub fn verify(&self) -> Result<(), BadSignature> {
        let signed = encode(&(self.community, self.issuer, self.size, self.root, self.at));
        verify(self.issuer, DOMAIN, &signed, &self.signature)
    }

    /// Whether `path`, from [`Log::consistency`](crate::Log::consistency), shows that the log under this head was the
    /// beginning of the log under `later`.
    pub fn is_beginning_of(&self, later: &Self, path: &[Digest]) -> bool {
        (self.community, self.issuer) == (later.community, later.issuer)
            && (self.size == 0
                || merkle::is_beginning((self.size, self.root), (later.size, later.root), path))
    }
}

/// That an issuer cheats, for everybody to check: nothing but what it signed.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Evidence {
    /// It keeps two logs: of the same first entries, the two heads say different things.
    #[n(0)]
    Fork {
        /// One of the heads, of no more entries than the other.
        #[n(0)]
        shorter: Head,
        /// The other.
        #[n(1)]
        longer: Head,
        /// The root that as many entries as the shorter head has in fact have in the longer one.
        #[n(2)]
        root: Digest,
        /// Shows that.
        #[n(3)]
        path: Vec<Digest>,
    },
    /// It issued a certificate and logged another one in its place.
    #[n(1)]
    Minted {
        /// The certificate.
        #[n(0)]
        certificate: Certificate,
        /// What is in the log in its place.
        #[n(1)]
        logged: Box<LogEntry>,
        /// The log.
        #[n(2)]
        head: Head,
        /// Shows that the entry is in it.
        #[n(3)]
        path: Vec<Digest>,
    },
}

/// The evidence proves nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("this does not show that anybody cheated")]
pub struct NoEvidence;

impl Evidence {
    /// Who is shown to cheat in `community`.
    ///
    /// # Errors
    ///
    /// When nobody is.
    pub fn verify(&self, community: &Digest) -> Result<NodeId, NoEvidence> {
        let (head, holds) = match self {
            Self::Fork {
                shorter,
                longer,
                root,
                path,
            } => (longer, is_fork((shorter, longer), root, path)),
            Self::Minted {
                certificate,
                logged,
                head,
                path,
            } => (head, is_minted(certificate, logged, head, path)),
        };
        if holds && head.community == *community && head.verify().is_ok() {
            Ok(head.issuer)
        } else {
            Err(NoEvidence)
        }
    }
}

fn is_fork((shorter, longer): (&Head, &Head), root: &Digest, path: &[Digest]) -> bool {
    (shorter.community, shorter.issuer) == (longer.community, longer.issuer)
        && *root != shorter.root
        && merkle::is_beginning((shorter.size, *root), (longer.size, longer.root), path)
        && shorter.verify().is_ok()
}

fn is_minted(certificate: &Certificate, logged: &LogEntry, head: &Head, path: &[Digest]) -> bool {
    let Some(place) = certificate.serial().checked_sub(1) else {
        return false;
    };
    logged.certificate != *certificate
        && merkle::root_by_inclusion(logged.leaf(), place, head.size, path) == Some(head.root)
        && certificate
            .verify(&head.community, &[head.issuer], certificate.valid_from())
            .is_ok()
}
