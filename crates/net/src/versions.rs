//! Nodes that speak another version of the protocol.
//!
//! Each version has a name of its own in the TLS handshake ([`ALPN`](crate::ALPN)), so two versions part before either shows
//! anything, with the word that TLS has for it: the dialler is told "no application protocol", and knows whom it dialled.
//! The other side knows an address alone, which anybody can have, so it only counts.

use std::sync::atomic::{AtomicU64, Ordering};

use iroh::endpoint::{ConnectError, ConnectingError, ConnectionError, TransportErrorCode};

use crate::noted::Noted;

/// The alert `no_application_protocol` (RFC 7301 §3.2).
const NO_APPLICATION_PROTOCOL: u8 = 120;
/// Who was found to speak another version.
#[derive(Debug, Default)]
pub(crate) struct Versions {
    /// Members who were dialled.
    pub(crate) members: Noted,
    callers: AtomicU64,
}

impl Versions {
    /// Somebody called in another version.
    pub(crate) fn called(&self) {
        self.callers.fetch_add(1, Ordering::Relaxed);
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
