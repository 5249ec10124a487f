//! Answering whoever calls, a limited number at a time.

use std::net::IpAddr;
use std::sync::Arc;

use iroh::endpoint::{Incoming, IncomingAddr};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::JOIN_ALPN;
use crate::bound::Network;
use crate::door::open;
use crate::gate::Gate;
use crate::greeting::{Admitted, answer};
use crate::host::Arrival;

/// Answers until the endpoint closes. Everything that a caller can make us do before it is admitted happens here.
pub(crate) async fn accept<M: Send + 'static>(
    network: Arc<Network>,
    arrivals: mpsc::Sender<Arrival<M>>,
) {
    let mut gate = Gate::default();
    let mut greetings = JoinSet::new();
    loop {
        tokio::select! {
            incoming = network.endpoint.accept() => {
                let Some(incoming) = incoming else { return };
                let Some((incoming, source)) = screen(&network, incoming, &gate, greetings.len())
                else { continue };
                let (network, arrivals) = (network.clone(), arrivals.clone());
                greetings.spawn(async move {
                    match receive(&network, incoming).await {
                        Outcome::Admitted(admitted) => {
                            // Fails only while the host is closing: the connection then closes, too.
                            let _ = arrivals.send(Arrival::Admitted(admitted)).await;
                            None
                        }
                        Outcome::Refused => Some(source),
                        Outcome::NeverThere => None,
                    }
                });
            }
            Some(ended) = greetings.join_next() => {
                // A greeting that panicked counts as none: its connection is gone with it.
                if let Ok(Some(source)) = ended {
                    network.tally.refused();
                    gate.failed(source, network.clock.now());
                }
            }
        }
    }
}

/// Turns callers away before any cryptography is done for them.
fn screen(
    network: &Network,
    incoming: Incoming,
    gate: &Gate,
    greetings: usize,
) -> Option<(Incoming, IpAddr)> {
    let IncomingAddr::Ip(address) = incoming.remote_addr() else {
        // There is no other transport.
        incoming.ignore();
        return None;
    };
    let source = address.ip();
    let limit = network.limits.max_greetings;
    if greetings >= limit || gate.is_shut(source, network.clock.now()) {
        network.tally.refused();
        incoming.refuse();
        None
    } else if greetings >= limit / 2 && !incoming.remote_addr_validated() {
        // Under load a caller first has to prove that it receives at the address that it gives. The caller comes back
        // with the proof; should it be unable to, that is its loss.
        let _ = incoming.retry();
        None
    } else {
        Some((incoming, source))
    }
}

enum Outcome {
    Admitted(Admitted),
    /// Completed the handshake, so the address is real, and was not let in.
    Refused,
    /// Did not complete the handshake; the address may be anybody's.
    NeverThere,
}

async fn receive(network: &Network, incoming: Incoming) -> Outcome {
    let handshake = timeout(network.limits.admission_timeout, incoming);
    let Ok(Ok(connection)) = handshake.await else {
        return Outcome::NeverThere;
    };
    if connection.alpn() == JOIN_ALPN {
        open(network, connection).await;
        return Outcome::Refused;
    }
    match answer(network, connection).await {
        Ok(admitted) => Outcome::Admitted(admitted),
        Err(_) => Outcome::Refused,
    }
}
