//! Certificates before anything else, on every connection.
//!
//! The dialler shows first: it already knows whom it wants to reach, and TLS has proved that it reached that key. The
//! acceptor knows nothing yet, so it says nothing until it is satisfied. With its certificate it says what time it is.

use base::{Duration, Instant, NodeId};
use bytes::Bytes;
use iroh::endpoint::{Connection, ConnectionError, RecvStream, SendStream, VarInt};
use thiserror::Error;
use tokio::time::timeout;

use crate::REFUSED;
use crate::admission::{MAX_PRESENTED, Refusal};
use crate::bound::Network;
use crate::frame::{FrameError, PREFIX, read_frame, write_frame};

/// Bytes of a time: microseconds since 1970.
const CLOCK: usize = 8;
/// It follows the certificate at once.
const CLOCK_WITHIN: Duration = Duration::from_secs(1);

/// A connection on which both sides have accepted each other.
#[derive(Debug)]
pub(crate) struct Admitted {
    pub(crate) peer: NodeId,
    pub(crate) connection: Connection,
    /// Our stream of messages.
    pub(crate) out: SendStream,
    pub(crate) dialled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum GreetingError {
    #[error("the greeting took too long")]
    TimedOut,
    #[error("the connection is gone")]
    Lost,
    #[error("another stream came before the greeting was over")]
    OutOfTurn,
    #[error("nothing was shown")]
    Empty,
    /// Who was dialled does not admit this node.
    #[error("the other side refuses")]
    TurnedAway,
    #[error(transparent)]
    Frame(#[from] FrameError),
    #[error(transparent)]
    Refused(#[from] Refusal),
}

/// Who is on the other side of an authenticated connection.
pub(crate) fn peer_of(connection: &Connection) -> NodeId {
    NodeId(*connection.remote_id().as_bytes())
}

/// Greets on a connection that we dialled. Closes it when that fails.
pub(crate) async fn greet(
    network: &Network,
    connection: Connection,
) -> Result<Admitted, GreetingError> {
    finish(network, connection, true).await
}

/// Answers the greeting on a connection that we accepted. Closes it when that fails.
pub(crate) async fn answer(
    network: &Network,
    connection: Connection,
) -> Result<Admitted, GreetingError> {
    finish(network, connection, false).await
}

async fn finish(
    network: &Network,
    connection: Connection,
    dialled: bool,
) -> Result<Admitted, GreetingError> {
    let peer = peer_of(&connection);
    let exchange = async {
        if dialled {
            show_first(network, &connection, peer).await?;
        } else {
            show_last(network, &connection, peer).await?;
        }
        // A peer that allows us no stream would keep us waiting here: within the time limit.
        connection.open_uni().await.map_err(|_| GreetingError::Lost)
    };
    let outcome = timeout(network.limits.admission_timeout, exchange).await;
    match outcome.unwrap_or(Err(GreetingError::TimedOut)) {
        Ok(out) => Ok(Admitted {
            peer,
            connection,
            out,
            dialled,
        }),
        Err(error) => {
            let turned_away = is_turned_away(&connection);
            connection.close(VarInt::from_u32(REFUSED), b"refused");
            Err(if turned_away {
                GreetingError::TurnedAway
            } else {
                error
            })
        }
    }
}

/// Whether it was the other side that ended the connection, with the word for who is not admitted.
fn is_turned_away(connection: &Connection) -> bool {
    matches!(
        connection.close_reason(),
        Some(ConnectionError::ApplicationClosed(closed)) if closed.error_code == VarInt::from_u32(REFUSED)
    )
}

async fn show_first(
    network: &Network,
    connection: &Connection,
    peer: NodeId,
) -> Result<(), GreetingError> {
    let (mut send, mut receive) = connection
        .open_bi()
        .await
        .map_err(|_| GreetingError::Lost)?;
    show(network, &mut send, false).await?;
    let shown = read(network, &mut receive).await?;
    judge(network, peer, shown)?;
    hear_clock(network, peer, &mut receive).await;
    Ok(())
}

async fn show_last(
    network: &Network,
    connection: &Connection,
    peer: NodeId,
) -> Result<(), GreetingError> {
    let judged = async {
        let (send, mut receive) = connection
            .accept_bi()
            .await
            .map_err(|_| GreetingError::Lost)?;
        let shown = read(network, &mut receive).await?;
        judge(network, peer, shown).map(|()| send)
    };
    // A second bidirectional stream and datagrams break limits of QUIC itself.
    let mut send = tokio::select! {
        biased;
        Ok(_) = connection.accept_uni() => return Err(GreetingError::OutOfTurn),
        judged = judged => judged?,
    };
    show(network, &mut send, true).await
}

async fn show(
    network: &Network,
    send: &mut SendStream,
    tells_time: bool,
) -> Result<(), GreetingError> {
    let own = Bytes::from(network.admission.presented());
    network.tally.said_at_the_door(PREFIX + own.len());
    write_frame(send, own)
        .await
        .map_err(|_| GreetingError::Lost)?;
    if tells_time {
        let clock = network.clock.now().0.to_be_bytes();
        network.tally.said_at_the_door(PREFIX + clock.len());
        write_frame(send, Bytes::copy_from_slice(&clock))
            .await
            .map_err(|_| GreetingError::Lost)?;
    }
    send.finish().map_err(|_| GreetingError::Lost)
}

async fn read(
    network: &Network,
    receive: &mut RecvStream,
) -> Result<Option<Vec<u8>>, GreetingError> {
    let shown = read_frame(receive, MAX_PRESENTED).await?;
    if let Some(shown) = &shown {
        network.tally.heard_at_the_door(PREFIX + shown.len());
    }
    Ok(shown)
}

/// What a member says that the time is. Who says nothing is a member all the same.
async fn hear_clock(network: &Network, peer: NodeId, receive: &mut RecvStream) {
    let said = timeout(CLOCK_WITHIN, read_frame(receive, CLOCK)).await;
    let said = said.ok().and_then(Result::ok).flatten();
    let said: Option<[u8; CLOCK]> = said.and_then(|said| said.try_into().ok());
    if let Some(said) = said {
        network.tally.heard_at_the_door(PREFIX + said.len());
        let said = Instant(u64::from_be_bytes(said));
        network.clocks.told(peer, network.clock.now(), said);
    }
}

fn judge(network: &Network, peer: NodeId, shown: Option<Vec<u8>>) -> Result<(), GreetingError> {
    let shown = shown.ok_or(GreetingError::Empty)?;
    Ok(network.admission.admit(peer, &shown, network.clock.now())?)
}
