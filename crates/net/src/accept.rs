//! Answering whoever calls, a limited number at a time.

use std::collections::VecDeque;
use std::sync::Arc;

use base::NodeId;
use iroh::endpoint::{Incoming, IncomingAddr, VarInt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant as Ticks, timeout};

use crate::bound::Network;
use crate::door::open;
use crate::gate::{Gate, Source};
use crate::greeting::{Admitted, answer};
use crate::host::Arrival;
use crate::reach::{dialled_back, serve};
use crate::versions::called_in_another;
use crate::{BACK_ALPN, JOIN_ALPN, REACH_ALPN, REFUSED};

/// Callers that wait for their turn, each with the first packet or two that it sent. After a power cut a whole community calls
/// those whom all have met.
const CALLERS_WAITING: usize = 1024;

/// Answers until the endpoint closes. Everything that a caller can make us do before it is admitted happens here.
pub(crate) async fn accept<M: Send + 'static>(
    network: Arc<Network>,
    arrivals: mpsc::Sender<Arrival<M>>,
) {
    let mut gate = Gate::default();
    let mut greetings = JoinSet::new();
    let mut waiting = VecDeque::new();
    loop {
        tokio::select! {
            incoming = network.endpoint.accept() => {
                let Some(incoming) = incoming else { return };
                let before = greetings.len() + waiting.len();
                if let Some((incoming, source)) = screen(&network, incoming, &gate, before) {
                    waiting.push_back((incoming, source, Ticks::now()));
                }
            }
            Some(ended) = greetings.join_next() => {
                // A greeting that panicked counts as none: its connection is gone with it.
                if let Ok(Some(source)) = ended {
                    network.tally.refused();
                    gate.failed(source, network.clock.now());
                }
            }
        }
        while greetings.len() < network.limits.max_greetings
            && let Some((incoming, source, since)) = waiting.pop_front()
        {
            // Whoever called that long ago has given up, or is about to.
            if since.elapsed() > network.limits.dial_timeout / 2
                || gate.is_shut(source, network.clock.now())
            {
                network.tally.refused();
                incoming.refuse();
                continue;
            }
            let (network, arrivals) = (network.clone(), arrivals.clone());
            greetings.spawn(async move {
                match receive(&network, incoming, source).await {
                    Outcome::Admitted(admitted) => {
                        // Fails only while the host is closing: the connection then closes, too.
                        let _ = arrivals.send(Arrival::Admitted(admitted)).await;
                        None
                    }
                    Outcome::Refused => Some(source),
                    Outcome::Served | Outcome::NeverThere => None,
                }
            });
        }
    }
}

/// Turns callers away before any cryptography is done for them, should so many be there `before` them.
fn screen(
    network: &Network,
    incoming: Incoming,
    gate: &Gate,
    before: usize,
) -> Option<(Incoming, Source)> {
    let source = match incoming.remote_addr() {
        IncomingAddr::Ip(address) => Source::at(address.ip()),
        IncomingAddr::Relay { endpoint_id, .. } => Source::Relayed(NodeId(*endpoint_id.as_bytes())),
        _ => {
            // There is no other transport.
            incoming.ignore();
            return None;
        }
    };
    let limit = network.limits.max_greetings;
    if before >= limit + CALLERS_WAITING || gate.is_shut(source, network.clock.now()) {
        network.tally.refused();
        incoming.refuse();
        None
    } else if before >= limit / 2 && !incoming.remote_addr_validated() {
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
    /// A member's question, or the dial for which we asked.
    Served,
    /// Did not complete the handshake; the address may be anybody's.
    NeverThere,
}

async fn receive(network: &Network, incoming: Incoming, source: Source) -> Outcome {
    let handshake = timeout(network.limits.admission_timeout, incoming);
    let connection = match handshake.await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) if called_in_another(&error) => {
            network.versions.called();
            return Outcome::NeverThere;
        }
        Ok(Err(_)) | Err(_) => return Outcome::NeverThere,
    };
    let served = match connection.alpn() {
        JOIN_ALPN => {
            open(network, connection).await;
            false
        }
        REACH_ALPN => match source {
            Source::Ip(source) => serve(network, connection, source).await,
            // There is no address to dial.
            Source::Relayed(_) => {
                connection.close(VarInt::from_u32(REFUSED), b"refused");
                false
            }
        },
        BACK_ALPN => dialled_back(network, connection).await,
        _ => {
            return match answer(network, connection).await {
                Ok(admitted) => Outcome::Admitted(admitted),
                Err(_) => Outcome::Refused,
            };
        }
    };
    if served {
        Outcome::Served
    } else {
        Outcome::Refused
    }
}
