//! The endpoint: which sockets exist and what may never leave them.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;

use base::{Duration, Instant, NodeId};
use crypto::SigningKey;
use iroh::dns::DnsResolver;
use iroh::endpoint::{MtuDiscoveryConfig, PortmapperConfig, QuicTransportConfig, VarInt, presets};
use iroh::{Endpoint, NetReportConfig, RelayMode, RelayUrl, SecretKey};
use thiserror::Error;
use tokio::sync::mpsc;

use crate::admission::Admission;
use crate::clock::Clock;
use crate::clocks::Clocks;
use crate::counters::Tally;
use crate::door::Door;
use crate::host::{self, HostHandle, Hosted};
use crate::noted::Noted;
use crate::reach::Desk;
use crate::relay::Relays;
use crate::versions::Versions;
use crate::{ALPN, BACK_ALPN, JOIN_ALPN, REACH_ALPN};

/// What a host is started with.
#[derive(Debug)]
pub struct HostConfig {
    /// The node's key, for TLS as for everything else.
    pub key: SigningKey,
    /// The one address to listen on; port 0 takes any free one. The unspecified address listens on all interfaces and
    /// tells every peer, strangers too, their addresses.
    pub bind: SocketAddr,
    /// How much of everything.
    pub limits: Limits,
    /// Where strangers may ask to be let in, if this host does so.
    pub door: Option<Door>,
    /// The relays of members to be used; usually none.
    pub relays: Relays,
}

/// How much of everything one host holds. All defaults are guesses until measured on a community.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of one message, 4 MiB. A longer one is not sent; a peer that sends one is cut off.
    pub max_message: usize,
    /// Peers to which there is a connection, or to whom one is being made, 512. Beyond it the one that was silent
    /// longest makes room. A peer has one connection, a few for moments when both dialled or one is closing.
    pub max_connections: usize,
    /// Unadmitted connections at once, 64. Callers beyond it wait for their turn for half the time that a dial takes.
    pub max_greetings: usize,
    /// Messages that wait for one peer, 1024.
    pub queue_messages: usize,
    /// Bytes that wait for one peer, 16 MiB. One message always fits.
    pub queue_bytes: usize,
    /// Messages from all peers that wait for the protocol, 256. Beyond it peers are slowed down.
    pub inbox_messages: usize,
    /// Of these, messages of one peer, 16. Beyond it that peer is slowed down, so that the others' are soon heard.
    pub peer_waiting: usize,
    /// Messages that one peer may send in a second for long, 1000; twice as many at once after a silence. Beyond it the
    /// peer is slowed down.
    pub peer_messages_per_sec: u32,
    /// Bytes of these, 8 MiB.
    pub peer_bytes_per_sec: u32,
    /// Events that wait for the application, 1024. Beyond it peers are slowed down until it reads.
    pub events: usize,
    /// For both certificates to be shown and judged, 5 s.
    pub admission_timeout: Duration,
    /// For a peer to answer a dial, 4 s: two lost packets.
    pub dial_timeout: Duration,
    /// After so long without a message either way a connection is closed, 45 s: neighbours hear of each other in a third of
    /// that, and to keep one open takes a packet each way every 5 s. Guess.
    pub idle_after: Duration,
    /// For the last messages of a connection that is being closed to arrive, 15 s: by then iroh gives up a path that is
    /// silent.
    pub close_timeout: Duration,
    /// For all that to happen when the host shuts down, 3 s.
    pub shutdown_timeout: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_message: 4 << 20,
            max_connections: 512,
            max_greetings: 64,
            queue_messages: 1024,
            queue_bytes: 16 << 20,
            inbox_messages: 256,
            peer_waiting: 16,
            peer_messages_per_sec: 1000,
            peer_bytes_per_sec: 8 << 20,
            events: 1024,
            admission_timeout: Duration::from_secs(5),
            dial_timeout: Duration::from_secs(4),
            idle_after: Duration::from_secs(45),
            close_timeout: Duration::from_secs(15),
            shutdown_timeout: Duration::from_secs(3),
        }
    }
}

/// Why a host could not start.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum NetError {
    /// The address cannot be listened on.
    #[error(
        "cannot listen on {address}: {reason}; free that port, choose another, or use port 0 for any"
    )]
    Bind {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        reason: String,
    },
}

/// A bound endpoint that does not answer yet: its address is known, its protocol may still have to be made.
pub struct Bound {
    endpoint: Endpoint,
    node: NodeId,
    local: SocketAddr,
    limits: Limits,
    clock: Clock,
    door: Option<Door>,
    relays: Vec<RelayUrl>,
}

impl Bound {
    /// Binds one UDP socket. Nothing is sent. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// When the address cannot be listened on.
    pub async fn bind(config: HostConfig) -> Result<Self, NetError> {
        let failed = |reason: String| NetError::Bind {
            address: config.bind,
            reason,
        };
        let mut alpns = [ALPN, REACH_ALPN, BACK_ALPN].map(<[u8]>::to_vec).to_vec();
        if config.door.is_some() {
            alpns.push(JOIN_ALPN.to_vec());
        }
        let key = SecretKey::from_bytes(config.key.seed());
        let endpoint = bind_endpoint(key, config.bind, alpns, config.relays.mode())
            .await
            .map_err(failed)?;
        let local = *endpoint
            .bound_sockets()
            .first()
            .ok_or_else(|| failed("no socket was bound".to_owned()))?;
        let mut limits = config.limits;
        // What the length in front of a frame can say.
        limits.max_message = limits.max_message.min(u32::MAX as usize);
        Ok(Self {
            endpoint,
            node: config.key.node(),
            local,
            limits,
            clock: Clock::start(),
            door: config.door,
            relays: config.relays.urls(),
        })
    }

    /// The address that was bound, with the port that the system chose.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// This node.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The time that the protocol will be told.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The endpoint alone, for one who is no member yet.
    pub(crate) fn into_endpoint(self) -> Endpoint {
        self.endpoint
    }

    /// Runs `protocol` until [`HostHandle::shutdown`], or until every handle is gone. Its events come out of the receiver;
    /// when that is dropped they are discarded.
    pub fn run<P: Hosted>(
        self,
        protocol: P,
        admission: impl Admission,
    ) -> (HostHandle<P>, mpsc::Receiver<P::Event>) {
        let network = Network {
            endpoint: self.endpoint,
            node: self.node,
            admission: Box::new(admission),
            clock: self.clock,
            limits: self.limits,
            door: self.door,
            relays: self.relays,
            tally: Arc::new(Tally::new(P::PURPOSES)),
            local: self.local,
            versions: Versions::default(),
            refusing: Noted::default(),
            unanswering: Noted::default(),
            clocks: Clocks::default(),
            reach: Desk::default(),
        };
        host::start(protocol, Arc::new(network), self.local)
    }
}

impl fmt::Debug for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bound({:?} at {})", self.node, self.local)
    }
}

/// What every task of a host needs.
pub(crate) struct Network {
    pub(crate) endpoint: Endpoint,
    pub(crate) node: NodeId,
    pub(crate) admission: Box<dyn Admission>,
    pub(crate) clock: Clock,
    pub(crate) limits: Limits,
    pub(crate) door: Option<Door>,
    pub(crate) relays: Vec<RelayUrl>,
    pub(crate) tally: Arc<Tally>,
    pub(crate) local: SocketAddr,
    pub(crate) versions: Versions,
    /// Members who were dialled, and did not admit this node.
    pub(crate) refusing: Noted,
    /// Members who were dialled, and did not answer.
    pub(crate) unanswering: Noted,
    pub(crate) clocks: Clocks,
    pub(crate) reach: Desk,
}

/// An endpoint on one UDP socket that contacts nobody by itself but these relays; or what the system says.
pub(crate) async fn bind_endpoint(
    key: SecretKey,
    bind: SocketAddr,
    alpns: Vec<Vec<u8>>,
    relays: RelayMode,
) -> Result<Endpoint, String> {
    let mut report = NetReportConfig::minimal();
    // Which relay is nearest is found out by asking each of them over HTTP.
    report.https_probes = !matches!(relays, RelayMode::Disabled);
    Endpoint::builder(presets::Minimal)
        .secret_key(key)
        .alpns(alpns)
        .relay_mode(relays)
        .portmapper_config(PortmapperConfig::Disabled)
        .net_report_config(report)
        // No name is ever looked up; were one, there is no server to ask.
        .dns_resolver(DnsResolver::builder().disable_fallback().build())
        .transport_config(transport())
        // Without this an IPv6 socket would be bound beside an IPv4 one.
        .clear_ip_transports()
        .bind_addr(bind)
        .map_err(|error| error.to_string())?
        .bind()
        .await
        .map_err(|error| reason(&error))
}

/// One bidirectional stream for the greeting, one stream of messages, no datagrams: QUIC itself cuts off whoever opens
/// more. The windows bound what one peer can make us hold unread (2 MiB) or unacknowledged (4 MiB).
fn transport() -> QuicTransportConfig {
    // One try of the largest packets instead of a search for the very size, which takes as many packets as the greeting does:
    // most connections carry little, and nearly all networks take either 1,452 bytes or few more than 1,200.
    let mut sizes = MtuDiscoveryConfig::default();
    sizes.minimum_change(200);
    QuicTransportConfig::builder()
        .mtu_discovery_config(Some(sizes))
        .max_concurrent_bidi_streams(VarInt::from_u32(1))
        .max_concurrent_uni_streams(VarInt::from_u32(1))
        .datagram_receive_buffer_size(None)
        .stream_receive_window(VarInt::from_u32(1 << 20))
        .receive_window(VarInt::from_u32(2 << 20))
        .send_window(4 << 20)
        // The fewest that iroh allows: each is an address that a peer can make us probe.
        .max_remote_nat_traversal_addresses(8)
        .build()
}

/// The innermost cause: what the system said.
fn reason(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source())
        .last()
        .map_or_else(String::new, ToString::to_string)
}
