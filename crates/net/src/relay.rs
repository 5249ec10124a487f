//! A relay: how members meet of whom one cannot be reached from outside.
//!
//! A member with a public address serves it ([`Relay`]); the others are told of it ([`Relays`]) and keep a connection to it,
//! over TCP, by which packets come to them. What is passed on is QUIC, encrypted and authenticated from node to node as
//! ever, and nodes that have met by a relay try to find a direct way at once, and take it. No relay is used but those that
//! are named.
//!
//! # Who may use it
//!
//! Members. A client shows its certificate with its request, and proves by a signature over a number of the relay's that it
//! has the key; both are judged by the same [`Admission`] as on any connection.
//!
//! # What it sees
//!
//! The connection to a relay is HTTP without TLS, for which a certificate of the web's authorities would be needed. Who
//! serves a relay, and who listens on the way to it, sees the members' certificates, who sends packets to whom by it, when
//! and how many bytes, and their IP addresses; not a byte of any message. A relay can drop packets; it can neither read nor
//! forge them.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base::{Duration, NodeId};
use iroh::{EndpointId, RelayConfig, RelayMap, RelayMode, RelayUrl};
use iroh_relay::KeyCache;
use iroh_relay::http::RELAY_PROBE_PATH;
use iroh_relay::server::http_server::{BytesBody, Handlers, RelayService};
use iroh_relay::server::{
    Access, AccessControl, ClientRateLimit, ClientRequest, ConnectionId, Metrics,
};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::admission::{Admission, MAX_PRESENTED};
use crate::bound::NetError;
use crate::clock::Clock;

/// Most members at a time. Guess: each costs some memory and a share of the link.
const MEMBERS_MAX: usize = 512;
/// Most connections that are being made at a time.
const CALLERS_MAX: usize = 64;
/// For a caller to have become a client.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// Bytes that one member may send in a second: 2 MiB. Guess: a home's uplink.
const BYTES_PER_SEC: NonZeroU32 = NonZeroU32::new(2 << 20).expect("not zero");
/// Keys that are remembered in their unpacked form.
const KEYS_KEPT: usize = 1024;
/// Before the next try to accept when the system has no room.
const BREATH: Duration = Duration::from_millis(100);

/// The relays that a host uses, and what it shows to them.
#[derive(Debug, Clone, Default)]
pub struct Relays {
    /// Where they listen (TCP).
    pub at: Vec<SocketAddr>,
    /// What [`Admission::presented`] gives: our certificate.
    pub shown: Vec<u8>,
}

impl Relays {
    pub(crate) fn urls(&self) -> Vec<RelayUrl> {
        self.at.iter().map(url).collect()
    }

    pub(crate) fn mode(&self) -> RelayMode {
        if self.at.is_empty() {
            return RelayMode::Disabled;
        }
        let token = hexadecimal(&self.shown);
        // No address discovery over QUIC: it wants TLS, and members tell each other where they are seen.
        let relays = self.urls().into_iter();
        let relays = relays.map(|url| RelayConfig::new(url, None).with_auth_token(token.clone()));
        RelayMode::Custom(relays.collect::<RelayMap>())
    }
}

fn url(at: &SocketAddr) -> RelayUrl {
    let url = format!("http://{at}");
    url.parse().expect("an address makes a URL")
}

/// A relay that serves until it is dropped.
#[derive(Debug)]
pub struct Relay {
    local: SocketAddr,
    members: Arc<Members>,
    _serving: JoinSet<()>,
}

impl Relay {
    /// Listens on this address (TCP) for those who are admitted.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn serve(bind: SocketAddr, admission: impl Admission) -> Result<Self, NetError> {
        let failed = |why: std::io::Error| NetError::Bind {
            address: bind,
            reason: why.to_string(),
        };
        let listener = TcpListener::bind(bind).await.map_err(failed)?;
        let local = listener.local_addr().map_err(failed)?;
        let members = Arc::new(Members {
            admission: Box::new(admission),
            clock: Clock::start(),
            there: AtomicUsize::new(0),
        });
        let service = RelayService::new(
            probed(),
            Default::default(),
            Some(ClientRateLimit::new(BYTES_PER_SEC)),
            KeyCache::new(KEYS_KEPT),
            members.clone(),
            Arc::new(Metrics::default()),
        );
        let mut serving = JoinSet::new();
        serving.spawn(accept(listener, service));
        Ok(Self {
            local,
            members,
            _serving: serving,
        })
    }

    /// Where it listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// How many connections of members it has now.
    pub fn members(&self) -> usize {
        self.members.there.load(Ordering::Relaxed)
    }
}

/// Answers those who measure how far away the relay is: with nothing, quickly.
fn probed() -> Handlers {
    let mut handlers = Handlers::default();
    let method = "GET".parse().expect("a method of HTTP");
    handlers.insert(
        (method, RELAY_PROBE_PATH),
        Box::new(|_, response| Ok(response.body(Box::new(String::new()) as BytesBody)?)),
    );
    handlers
}

/// Takes calls, so many at a time: others wait in the system's queue.
async fn accept(listener: TcpListener, service: RelayService) {
    let callers = Arc::new(Semaphore::new(CALLERS_MAX));
    // Those who hang up with the relay.
    let _clients = Leaving(service.clone());
    let mut calls = JoinSet::new();
    loop {
        let turn = callers.clone().acquire_owned().await;
        let Ok((stream, _)) = listener.accept().await else {
            sleep(BREATH).await;
            continue;
        };
        let service = service.clone();
        calls.spawn(async move {
            service.handle_connection(stream, None, CALL_TIMEOUT).await;
            drop(turn);
        });
        while calls.try_join_next().is_some() {}
    }
}

/// Hangs up on all clients when it is dropped.
struct Leaving(RelayService);

impl Drop for Leaving {
    fn drop(&mut self) {
        let service = self.0.clone();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { service.shutdown().await });
        }
    }
}

/// Who may use the relay.
struct Members {
    admission: Box<dyn Admission>,
    clock: Clock,
    there: AtomicUsize,
}

impl fmt::Debug for Members {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Members({:?})", self.there)
    }
}

impl AccessControl for Members {
    async fn on_connect(&self, request: &ClientRequest) -> Access {
        let member = NodeId(*request.endpoint_id().as_bytes());
        let shown = request.auth_token().and_then(|token| bytes(&token));
        let admitted = shown.is_some_and(|shown| {
            let now = self.clock.now();
            self.admission.admit(member, &shown, now).is_ok()
        });
        let room = |there: usize| (there < MEMBERS_MAX).then_some(there + 1);
        let counted = |there: &AtomicUsize| {
            let order = Ordering::Relaxed;
            there.fetch_update(order, order, room).is_ok()
        };
        if admitted && counted(&self.there) {
            Access::Allow
        } else {
            Access::Deny { reason: None }
        }
    }

    fn on_disconnect(&self, _: EndpointId, _: ConnectionId) {
        self.there.fetch_sub(1, Ordering::Relaxed);
    }
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    let digits = digits.as_bytes();
    let is_well = digits.len() <= 2 * MAX_PRESENTED
        && digits.len().is_multiple_of(2)
        && digits.iter().all(u8::is_ascii_hexdigit);
    let pairs = is_well.then(|| digits.chunks_exact(2))?;
    pairs
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_survives_its_text_and_nothing_else_is_read() {
        let shown: Vec<_> = (0..=255).collect();
        assert_eq!(bytes(&hexadecimal(&shown)), Some(shown));
        assert_eq!(bytes(""), Some(vec![]));
        for wrong in ["0", "0g", "+1", "é0"] {
            assert_eq!(bytes(wrong), None, "{wrong}");
        }
        assert_eq!(bytes(&"0".repeat(2 * MAX_PRESENTED + 2)), None);
    }

    #[test]
    fn without_relays_there_is_none() {
        assert!(Relays::default().mode().relay_map().is_empty());
        let relays = Relays {
            at: vec!["[2001:db8::1]:7".parse().expect("an address")],
            shown: vec![1],
        };
        let urls: Vec<_> = relays.mode().relay_map().urls();
        assert_eq!(urls[0].as_str(), "http://[2001:db8::1]:7/");
        assert_eq!(urls.len(), 1);
    }
}
