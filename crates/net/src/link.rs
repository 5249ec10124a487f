//! One admitted connection: a stream of messages each way.

use std::sync::Arc;

use base::{Duration, NodeId, Wire, decode};
use bytes::Bytes;
use iroh::endpoint::{Connection, ConnectionError, RecvStream, SendStream, VarInt};
use tokio::sync::{Semaphore, mpsc, oneshot};
use tokio::task;
use tokio::time::{Instant as Ticks, sleep, timeout};

use crate::bound::Network;
use crate::frame::{FrameError, PREFIX, read_frame, write_frame};
use crate::greeting::Admitted;
use crate::host::Arrival;
use crate::pace::Pace;
use crate::{BUSY, DONE, MISBEHAVED};

/// A peer that takes nothing for so long has stopped reading.
const WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// iroh gives a silent path up after 15 s. What was written longer ago than this before the end has arrived.
const DOUBT: Duration = Duration::from_secs(20);

/// The sending half, and what is known of the receiving half, which [`read`] serves in a task of its own.
#[derive(Debug)]
pub(crate) struct Link {
    connection: Connection,
    out: SendStream,
    /// Resolves when the receiving half has ended, either way.
    heard_all: oneshot::Receiver<()>,
    /// The task that runs the receiving half: the name of this link.
    pub(crate) reader: task::Id,
    pub(crate) dialled: bool,
    since: Ticks,
    wrote: Option<Written>,
}

/// The last message that was handed to a connection.
#[derive(Debug, Clone, Copy)]
struct Written {
    at: Ticks,
    /// Packets of the peer that had come by then.
    heard: u64,
}

/// The connection closed before the frame was taken.
#[derive(Debug)]
pub(crate) struct Broken;

/// How the receiving half ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Heard {
    /// The peer has no more to say and we have read it all.
    Everything,
    /// The connection is gone, perhaps with messages.
    Lost,
}

impl Link {
    /// Splits an admitted connection and starts its receiving half in `readers`.
    pub(crate) fn new<M: Wire + Send + 'static>(
        admitted: Admitted,
        reading: Reading<M>,
        readers: &mut task::JoinSet<Heard>,
    ) -> Self {
        let Admitted {
            connection,
            out,
            dialled,
            ..
        } = admitted;
        let (ended, heard_all) = oneshot::channel();
        let counted = reading.network.tally.connection();
        let reader = reading.read(connection.clone());
        let reader = async {
            let heard = reader.await;
            drop((ended, counted));
            heard
        };
        Self {
            connection,
            out,
            heard_all,
            reader: readers.spawn(reader).id(),
            dialled,
            since: Ticks::now(),
            wrote: None,
        }
    }

    /// Hands a frame to the connection, which may keep it for a while.
    pub(crate) async fn write(&mut self, frame: Bytes) -> Result<(), Broken> {
        match timeout(WRITE_TIMEOUT, write_frame(&mut self.out, frame)).await {
            Ok(Ok(())) => {
                self.wrote = Some(Written {
                    at: Ticks::now(),
                    heard: self.heard(),
                });
                Ok(())
            }
            Ok(Err(_)) => Err(Broken),
            Err(_) => {
                self.connection.close(VarInt::from_u32(BUSY), b"");
                Err(Broken)
            }
        }
    }

    /// For how long there has been this connection.
    pub(crate) fn age(&self) -> Duration {
        self.since.elapsed()
    }

    /// Whether something written may not have arrived, if the connection is lost now.
    pub(crate) fn in_doubt(&self) -> bool {
        self.wrote.is_some_and(|wrote| wrote.at.elapsed() < DOUBT)
    }

    /// Whether what was written last has gone unanswered, so that it hardly arrived if the peer's process is another one now.
    /// QUIC tells nobody which bytes were acknowledged; that any packet has come since then tells nearly as much.
    pub(crate) fn is_unheard(&self) -> bool {
        self.in_doubt() && self.wrote.is_some_and(|wrote| wrote.heard == self.heard())
    }

    /// Packets of the peer so far.
    fn heard(&self) -> u64 {
        self.connection.stats().udp_rx.datagrams
    }

    /// Closes without losing anything: ends our stream, waits until the peer has all of it and has ended its own. Tells
    /// whether that went well, as far as it matters.
    pub(crate) async fn farewell(mut self, patience: Duration) -> bool {
        let exchange = async {
            // Fails when the connection is gone or the peer wants no more; `stopped` tells.
            let _ = self.out.finish();
            let acknowledged = matches!(self.out.stopped().await, Ok(None));
            // An error is the end, too: the task is over.
            let _ = (&mut self.heard_all).await;
            acknowledged
        };
        let acknowledged = timeout(patience, exchange).await.unwrap_or(false);
        let arrived = acknowledged || self.peer_is_done();
        let code = if arrived { DONE } else { BUSY };
        self.connection.close(VarInt::from_u32(code), b"");
        arrived || !self.in_doubt()
    }

    /// A peer that closes with this code has read all that we sent; the acknowledgement itself may not have left it.
    fn peer_is_done(&self) -> bool {
        match self.connection.close_reason() {
            Some(ConnectionError::ApplicationClosed(close)) => {
                close.error_code == VarInt::from_u32(DONE)
            }
            _ => false,
        }
    }

    /// Closes at once.
    pub(crate) fn cut(self) {
        self.connection.close(VarInt::from_u32(BUSY), b"");
    }
}

/// What the receiving halves of one peer's connections share.
pub(crate) struct Reading<M> {
    pub(crate) peer: NodeId,
    pub(crate) network: Arc<Network>,
    pub(crate) arrivals: mpsc::Sender<Arrival<M>>,
    pub(crate) pace: Arc<Pace>,
    pub(crate) waiting: Arc<Semaphore>,
}

impl<M: Wire + Send + 'static> Reading<M> {
    /// Reads messages until the stream ends; whatever else the peer opens or sends closes the connection.
    async fn read(self, connection: Connection) -> Heard {
        let ended = tokio::select! {
            ended = self.messages(&connection) => ended,
            Ok(_) = connection.accept_bi() => Err(Ended::Misbehaved),
        };
        match ended {
            Ok(()) => Heard::Everything,
            Err(Ended::Lost) => Heard::Lost,
            Err(Ended::Misbehaved) => {
                self.network.tally.misbehaved();
                connection.close(VarInt::from_u32(MISBEHAVED), b"misbehaved");
                Heard::Lost
            }
        }
    }

    async fn messages(&self, connection: &Connection) -> Result<(), Ended> {
        let mut stream = connection.accept_uni().await.map_err(Ended::from)?;
        while let Some((message, bytes)) = next::<M>(&mut stream, &self.network).await? {
            // Waiting anywhere here is what slows the peer down.
            let wait = self.pace.wait(Ticks::now(), PREFIX + bytes);
            if !wait.is_zero() {
                self.network.tally.slowed();
                sleep(wait).await;
            }
            let turn = self.waiting.clone().acquire_owned().await;
            let arrival = Arrival::Message {
                from: self.peer,
                message,
                bytes,
                turn: turn.expect("it is never closed"),
            };
            self.arrivals.send(arrival).await.map_err(|_| Ended::Lost)?;
        }
        Ok(())
    }
}

enum Ended {
    Lost,
    Misbehaved,
}

impl From<ConnectionError> for Ended {
    fn from(_: ConnectionError) -> Self {
        Self::Lost
    }
}

impl From<FrameError> for Ended {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::Lost => Self::Lost,
            FrameError::Cut | FrameError::TooLong { .. } => Self::Misbehaved,
        }
    }
}

/// The next message and the length of its frame.
async fn next<M: Wire>(
    stream: &mut RecvStream,
    network: &Network,
) -> Result<Option<(M, usize)>, Ended> {
    let limit = network.limits.max_message;
    let Some(frame) = read_frame(stream, limit).await? else {
        return Ok(None);
    };
    let message = decode(&frame, limit).map_err(|_| Ended::Misbehaved)?;
    Ok(Some((message, frame.len())))
}
