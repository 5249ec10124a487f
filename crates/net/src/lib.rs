//! The live host of a [`base::Protocol`]: one QUIC endpoint, admission by certificate, and the one event loop.
//!
//! A protocol says *what* to send; this crate finds the connection, opens it, keeps it, and drops it. It is generic
//! over the protocol and knows nothing of questions, rings or committees. It is the only crate with an asynchronous
//! runtime and sockets, and the only one that reads a clock.
//!
//! | file | idea |
//! |---|---|
//! | `bound` | the endpoint: which sockets exist and what may never leave them |
//! | `admission` | who may speak to us |
//! | `greeting` | certificates before anything else, on every connection |
//! | `accept`, `gate` | answering strangers, and how many of them |
//! | `door` | one question of a stranger who has no certificate yet, and one answer |
//! | `dial` | reaching a peer |
//! | `line` | everything for one peer, in order, over whichever connection is alive |
//! | `lines` | all peers, of limited number |
//! | `link`, `frame` | one admitted connection, and messages on it |
//! | `versions` | those who speak another version |
//! | `noted` | members of whom something is remembered |
//! | `reach` | whether others can reach us |
//! | `mapping` | a port of the router's |
//! | `relay` | members who pass packets on to those who cannot be reached |
//! | `pace` | how fast one peer may speak |
//! | `host`, `timers`, `clock` | the event loop |
//! | `member` | the one protocol that the program runs, and who may speak to it |
//!
//! # What goes over the wire
//!
//! QUIC with TLS 1.3 and raw Ed25519 public keys (RFC 7250), protocol name [`ALPN`]. A node's TLS key is its signing
//! key, so the peer that TLS authenticates *is* a [`NodeId`](base::NodeId). The dialler opens the only bidirectional
//! stream and sends its certificate; the acceptor judges it and only then answers with its own. After that each side
//! has one unidirectional stream of messages. Lengths are 4 bytes, big-endian; messages are [`base::encode`]d.
//!
//! A side that has nothing more to send ends its stream; the other does so too; the connection closes when both have
//! read everything. Closing for idleness, for a surplus connection and at shutdown is this one exchange, so none of
//! them loses a message.
//!
//! # What a stranger learns
//!
//! Someone without a valid certificate gets no byte of ours above TLS: the connection closes with [`REFUSED`] and the
//! word "refused", whatever was wrong. Only a host with a [`Door`] answers one question of theirs, on [`JOIN_ALPN`]. What QUIC and TLS themselves reveal to anyone who reaches the port: that a node
//! listens here, its public key, and the addresses on which it listens, which iroh announces to every peer for hole
//! punching. Bound to a specific address that is this address alone; bound to the unspecified address (`0.0.0.0`)
//! those are the addresses of all interfaces, private ones included.
//!
//! # What goes out uninvited
//!
//! Nothing. No address lookup and no DNS server is configured, no relay but those that the application names
//! ([`Relays`]), and without one iroh makes no network report (its address and captive portal probes); a system call trace
//! of four hosts over 75 s shows packets to one another and to the kernel alone. (It also shows a UDP socket "connected" to
//! 10.254.254.254: nothing is sent, it asks the kernel for the default route.) With relays, each is asked over HTTP how long
//! it takes to answer, and nobody else is. The router is asked for a port by [`Mapping`] alone.
//!
//! Two kinds of packets go to addresses that we did not choose. A peer's candidate addresses for hole punching, at most 8,
//! are probed, and iroh has no switch for it. And a member that asks whether it is reached is dialled, at the IP address
//! from which it asked. A socket bound to the loopback interface cannot reach others.
//!
//! # How much one peer can take up
//!
//! One connection, one stream each way, messages of bounded length, a bounded rate of them, and a bounded number that wait
//! ([`Limits`]). Whoever sends more is read later, so that QUIC slows the sender down, and nothing is lost. Connections that
//! are idle close; dials that fail are repeated when there is something to send, after waits that double from half a second
//! to eight, and a part more that is another for each pair.
//!
//! # Example
//!
//! ```
//! use std::net::SocketAddr;
//!
//! use base::{Digest, Input, Instant, NodeId, Outbox, Protocol, Rng};
//! use crypto::{Certificate, CertificateRequest, Rights, SigningKey, VrfSecretKey};
//! use net::{Bound, CertificateAdmission, HostConfig, Hosted, Limits, Relays};
//!
//! /// Sends a number to its friend; reports the numbers that it receives.
//! struct Sender {
//!     friend: NodeId,
//!     address: SocketAddr,
//! }
//!
//! impl Protocol for Sender {
//!     type Message = u64;
//!     type Command = u64;
//!     type Event = u64;
//!     type Timer = ();
//!
//!     fn handle(&mut self, _now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
//!         match input {
//!             Input::Command(number) => out.send(self.friend, number),
//!             Input::Message { message, .. } => out.emit(message),
//!             Input::Timer(()) | Input::Unreachable(_) => {}
//!         }
//!     }
//! }
//!
//! impl Hosted for Sender {
//!     const PURPOSES: &'static [&'static str] = &["numbers"];
//!
//!     fn purpose(_: &u64) -> usize {
//!         0
//!     }
//!
//!     fn addresses(&self, node: NodeId) -> Vec<SocketAddr> {
//!         if node == self.friend { vec![self.address] } else { Vec::new() }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mut rng = Rng::from_number(1);
//! let authority = SigningKey::generate(&mut rng);
//! let community = Digest::of("example community", &[]);
//!
//! // Two nodes, each with a certificate and a socket.
//! let mut nodes = Vec::new();
//! for serial in 1..=2 {
//!     let key = SigningKey::generate(&mut rng);
//!     let vrf = VrfSecretKey::generate(&mut rng).public();
//!     let request = CertificateRequest::new(&key, &vrf, &community);
//!     let (from, until) = (Instant(0), Instant::from_secs(4_000_000_000));
//!     let own = Certificate::issue(
//!         &authority, &community, &request, rng.bytes32(), Rights::default(), from, until, serial,
//!     )?;
//!     let bind = "127.0.0.1:0".parse()?;
//!     let bound = Bound::bind(HostConfig { key, bind, limits: Limits::default(), door: None, relays: Relays::default() }).await?;
//!     let issuers = vec![authority.node()];
//!     nodes.push((bound, CertificateAdmission { community, issuers, own }));
//! }
//!
//! // They know each other's addresses before they run.
//! let [(a, of_a), (b, of_b)] = nodes.try_into().map_err(|_| "two nodes")?;
//! let to_b = Sender { friend: b.node(), address: b.local_addr() };
//! let to_a = Sender { friend: a.node(), address: a.local_addr() };
//! let (a, _) = a.run(to_b, of_a);
//! let (b, mut numbers) = b.run(to_a, of_b);
//!
//! a.command(42).await?;
//! assert_eq!(numbers.recv().await, Some(42));
//! a.shutdown().await;
//! b.shutdown().await;
//! # Ok(())
//! # }
//! ```

mod accept;
mod admission;
mod bound;
mod clock;
mod clocks;
mod counters;
mod dial;
mod door;
mod frame;
mod gate;
mod greeting;
mod host;
mod line;
mod lines;
mod link;
mod mapping;
mod member;
mod noted;
mod pace;
mod reach;
mod relay;
mod timers;
mod versions;

pub use admission::{Admission, CertificateAdmission, MAX_PRESENTED, Refusal};
pub use bound::{Bound, HostConfig, Limits, NetError};
pub use clock::Clock;
pub use clocks::Apart;
pub use counters::{Counters, Flow, LETTING_IN};
pub use door::{ANSWER_BYTES_MAX, Door, KNOCK_BYTES_MAX, Knock, KnockError, knock};
pub use host::{HostHandle, Hosted, Stopped};
pub use mapping::Mapping;
pub use member::MemberAdmission;
pub use reach::{HELPERS_MAX, Reachability, Reached};
pub use relay::{Relay, Relays};

/// The name of this wire protocol in the TLS handshake. A change of any message changes its number.
pub const ALPN: &[u8] = b"commonhold/2";

/// The name of the protocol by which strangers ask for a certificate.
pub const JOIN_ALPN: &[u8] = b"commonhold-join/1";

/// The name of the protocol by which a member asks whether it is reached.
pub const REACH_ALPN: &[u8] = b"commonhold-reach/1";

/// The name of the protocol in which the answer to that is dialled.
pub const BACK_ALPN: &[u8] = b"commonhold-back/1";

/// Closed because both sides have read everything. (Code 0 is what iroh sends for an endpoint that goes away.)
pub const DONE: u32 = 1;
/// Closed because the peer is not admitted.
pub const REFUSED: u32 = 2;
/// Closed because the peer broke the rules of the wire.
pub const MISBEHAVED: u32 = 3;
/// Closed because there is no room for another peer now, or the peer has stopped reading.
pub const BUSY: u32 = 4;
