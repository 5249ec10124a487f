//! Whether somebody else answers under our own name.
//!
//! Whoever completes a TLS handshake as us has our key. That it is not ourselves, by another address of this machine or of the
//! router, shows a number that nobody can guess: had it come here, we would know it.

use std::net::SocketAddr;

use tokio::time::timeout;

use super::{fresh, hand_over, let_go, number};
use crate::BACK_ALPN;
use crate::bound::Network;
use crate::dial::endpoint_addr;

/// Dials ourselves at these addresses, from a new socket and under a new key: our own could not. False when nobody answers
/// there in time, or we do.
pub(crate) async fn is_elsewhere(network: &Network, addresses: &[SocketAddr]) -> bool {
    let Some(at) = endpoint_addr(network.node, addresses.iter().copied()) else {
        return false;
    };
    let Some(endpoint) = fresh(network).await else {
        return false;
    };
    let number = number();
    network.reach.expect(number);
    let connecting = endpoint.connect(at, BACK_ALPN);
    let answered = match timeout(network.limits.dial_timeout, connecting).await {
        Ok(Ok(connection)) => {
            let told = hand_over(&connection, &number);
            // Whether the number was read is known here, if it came here.
            drop(timeout(network.limits.admission_timeout, told).await);
            true
        }
        Ok(Err(_)) | Err(_) => false,
    };
    let_go(endpoint);
    let ourselves = network.reach.expects_no_more(&number);
    answered && !ourselves
}
