//! Whether somebody else answers under our own name.
//!
//! Whoever completes a TLS handshake as us has our key. That it is not ourselves, by another address of this machine or of the
//! router, shows a number that nobody can guess: had it come here, we would know it.

use std::net::SocketAddr;

use base::Digest;
use bytes::Bytes;
use iroh::{EndpointAddr, PublicKey, RelayMode, SecretKey, TransportAddr};
use tokio::time::timeout;

use crate::BACK_ALPN;
use crate::bound::{Network, bind_endpoint};
use crate::frame::write_frame;

/// Dials ourselves at these addresses, from a new socket and under a new key: our own could not. False when nobody answers
/// there in time, or we do.
pub(crate) async fn is_elsewhere(network: &Network, addresses: &[SocketAddr]) -> bool {
    let Ok(key) = PublicKey::from_bytes(network.node.as_bytes()) else {
        return false;
    };
    let bind = SocketAddr::new(network.local.ip(), 0);
    let Ok(endpoint) =
        bind_endpoint(SecretKey::generate(), bind, Vec::new(), RelayMode::Disabled).await
    else {
        return false;
    };
    let number = Digest(SecretKey::generate().to_bytes());
    network.reach.expect(number);
    let at = addresses.iter().copied().map(TransportAddr::Ip);
    let connecting = endpoint.connect(EndpointAddr::from_parts(key, at), BACK_ALPN);
    let answered = match timeout(network.limits.dial_timeout, connecting).await {
        Ok(Ok(connection)) => {
            let told = async {
                let mut stream = connection.open_uni().await.ok()?;
                write_frame(&mut stream, Bytes::copy_from_slice(number.as_bytes()))
                    .await
                    .ok()?;
                stream.finish().ok()?;
                connection.closed().await;
                Some(())
            };
            // Whether the number was read is known here, if it came here.
            drop(timeout(network.limits.admission_timeout, told).await);
            true
        }
        Ok(Err(_)) | Err(_) => false,
    };
    // Its farewells take their time.
    tokio::spawn(async move { endpoint.close().await });
    let ourselves = network.reach.expects_no_more(&number);
    answered && !ourselves
}
