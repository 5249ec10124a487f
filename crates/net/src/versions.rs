//! Nodes that speak another version of the protocol.
//!
//! Each version has a name of its own in the TLS handshake ([`ALPN`](crate::ALPN)), so two versions part before either shows
//! anything, with the word that TLS has for it: the dialler is told "no application protocol", and knows whom it dialled.
//! The other side knows an address alone, which anybody can have, so it only counts.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use base::NodeId;
use iroh::endpoint::{ConnectError, ConnectingError, ConnectionError, TransportErrorCode};

/// The alert `no_application_protocol` (RFC 7301 §3.2).
const NO_APPLICATION_PROTOCOL: u8 = 120;
/// Most members of whom it is remembered that they speak another version.
const MEMBERS_MAX: usize = 64;

/// Who was found to speak another version.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    members: Mutex<BTreeSet<NodeId>>,
    callers: AtomicU64,
}

impl Versions {
    /// This member was dialled, and speaks another version.
    pub(crate) fn differs(&self, member: NodeId) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        if members.len() < MEMBERS_MAX {
            members.insert(member);
        }
    }

    /// There is a connection to this member.
    pub(crate) fn agrees(&self, member: NodeId) {
        let mut members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.remove(&member);
    }

    /// Somebody called in another version.
    pub(crate) fn called(&self) {
        self.callers.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn members(&self) -> Vec<NodeId> {
        let members = self.members.lock().unwrap_or_else(PoisonError::into_inner);
        members.iter().copied().collect()
    }

    pub(crate) fn callers(&self) -> u64 {
        self.callers.load(Ordering::Relaxed)
    }
}

/// Whether a dial failed because the other side speaks another version.
pub(crate) fn dialled_another(error: &ConnectError) -> bool {
    match error {
        ConnectError::Connecting { source, .. } => called_in_another(source),
        ConnectError::Connection { source, .. } => is_about_version(source),
        _ => false,
    }
}

/// Whether a call failed because the caller speaks another version.
pub(crate) fn called_in_another(error: &ConnectingError) -> bool {
    matches!(error, ConnectingError::ConnectionError { source, .. } if is_about_version(source))
}

fn is_about_version(error: &ConnectionError) -> bool {
    let code = match error {
        ConnectionError::TransportError(ours) => ours.code,
        ConnectionError::ConnectionClosed(theirs) => theirs.error_code,
        _ => return false,
    };
    code == TransportErrorCode::crypto(NO_APPLICATION_PROTOCOL)
}
