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

/// Why a peer was not reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum DialError {
    #[error("no address of the node is known")]
    NoAddress,
    #[error("the node's name is not a public key")]
    NotAKey,
    #[error("nobody with this key answers there")]
    NoAnswer,
    #[error(transparent)]
    Greeting(#[from] GreetingError),
}

/// Dials all `addresses` at once and greets whoever holds the peer's key.
pub(crate) async fn dial(
    network: Arc<Network>,
    peer: NodeId,
    addresses: Vec<SocketAddr>,
) -> Result<Admitted, DialError> {
    if addresses.is_empty() {
        return Err(DialError::NoAddress);
    }
    let key = PublicKey::from_bytes(peer.as_bytes()).map_err(|_| DialError::NotAKey)?;
    let address = EndpointAddr::from_parts(key, addresses.into_iter().map(TransportAddr::Ip));
    let connecting = network.endpoint.connect(address, ALPN);
    let connection = timeout(network.limits.dial_timeout, connecting).await;
    let Ok(Ok(connection)) = connection else {
        return Err(DialError::NoAnswer);
    };
    Ok(greet(&network, connection).await?)
}
