//! Reaching a peer.

use std::net::SocketAddr;
use std::sync::Arc;

use base::NodeId;
use iroh::{EndpointAddr, PublicKey, TransportAddr};
use thiserror::Error;
use tokio::time::timeout;

use crate::ALPN;
use crate::bound::Network;
use crate::greeting::{Admitted, GreetingError, greet};
use crate::versions::dialled_another;

/// Why a peer was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum DialError {
    #[error("no address of the node is known")]
    NoAddress,
    #[error("the node's name is not a public key")]
    NotAKey,
    #[error("the node speaks another version of the protocol")]
    OtherVersion,
    #[error("nobody with this key answers there")]
    NoAnswer,
    #[error(transparent)]
    Greeting(#[from] GreetingError),
}

/// Where iroh is to look for a node; nothing if its name is no public key.
pub(crate) fn endpoint_addr(
    node: NodeId,
    addresses: impl IntoIterator<Item = SocketAddr>,
) -> Option<EndpointAddr> {
    let key = PublicKey::from_bytes(node.as_bytes()).ok()?;
    let at = addresses.into_iter().map(TransportAddr::Ip);
    Some(EndpointAddr::from_parts(key, at))
}

/// Dials all `addresses` and relays at once and greets whoever holds the peer's key.
pub(crate) async fn dial(
    network: Arc<Network>,
    peer: NodeId,
    addresses: Vec<SocketAddr>,
) -> Result<Admitted, DialError> {
    if addresses.is_empty() && network.relays.is_empty() {
        return Err(DialError::NoAddress);
    }
    let direct = endpoint_addr(peer, addresses).ok_or(DialError::NotAKey)?;
    let relayed = network.relays.iter().cloned().map(TransportAddr::Relay);
    let address = direct.with_addrs(relayed);
    let connecting = network.endpoint.connect(address, ALPN);
    let connection = timeout(network.limits.dial_timeout, connecting).await;
    match connection {
        Ok(Ok(connection)) => {
            let admitted = greet(&network, connection).await;
            if matches!(admitted, Err(GreetingError::TurnedAway)) {
                network.refusing.add(peer);
            }
            Ok(admitted?)
        }
        Ok(Err(error)) if dialled_another(&error) => {
            network.versions.members.add(peer);
            Err(DialError::OtherVersion)
        }
        Ok(Err(_)) | Err(_) => {
            network.unanswering.add(peer);
            Err(DialError::NoAnswer)
        }
    }
}
