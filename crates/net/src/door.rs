//! One question of a stranger, and one answer: how somebody who has no certificate yet asks for one.
//!
//! A protocol of its own ([`JOIN_ALPN`]), spoken only by hosts with a door. A stranger may say a few hundred bytes, once, and is
//! counted as one who was not let in: whoever knocks too often finds the gate shut.

use std::net::SocketAddr;

use base::NodeId;
use bytes::Bytes;
use iroh::Endpoint;
use iroh::endpoint::{Connection, VarInt};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::bound::{Bound, HostConfig, NetError, Network};
use crate::dial::endpoint_addr;
use crate::frame::{PREFIX, read_frame, write_frame};
use crate::greeting::peer_of;
use crate::{DONE, JOIN_ALPN, REFUSED};

/// Longest question of a stranger, in bytes.
pub const KNOCK_BYTES_MAX: usize = 1024;
/// Longest answer, in bytes.
pub const ANSWER_BYTES_MAX: usize = 2 << 20;
/// How many questions wait for the application.
const WAITING_MAX: usize = 16;
/// How long the application may take. Guess: a disk and two signatures, on a busy machine.
const ANSWERED_WITHIN: std::time::Duration = std::time::Duration::from_secs(10);

/// What a stranger asks.
#[derive(Debug)]
pub struct Knock {
    /// The key that TLS has proved the stranger to have.
    pub from: NodeId,
    /// The question.
    pub request: Vec<u8>,
    /// For the answer, of at most [`ANSWER_BYTES_MAX`] bytes; dropped, the stranger is turned away without a word.
    pub answer: oneshot::Sender<Vec<u8>>,
}

/// Where a host lets strangers knock.
#[derive(Debug, Clone)]
pub struct Door(mpsc::Sender<Knock>);

impl Door {
    /// A door, and where its knocks are heard.
    pub fn new() -> (Self, mpsc::Receiver<Knock>) {
        let (sender, receiver) = mpsc::channel(WAITING_MAX);
        (Self(sender), receiver)
    }
}

/// Why a stranger got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum KnockError {
    /// No socket.
    #[error(transparent)]
    Bind(#[from] NetError),
    /// Nobody to ask.
    #[error("there is nobody to ask: the ticket names no address; ask for a new one")]
    Nobody,
    /// None of them answered.
    #[error(
        "none of the {tried} members that the ticket names can be reached, or none lets people in now; try again later, or \
         ask for a new ticket"
    )]
    NoAnswer {
        /// How many were tried.
        tried: usize,
    },
}

/// Answers a stranger on a connection of the joining protocol, and closes it.
pub(crate) async fn open(network: &Network, connection: Connection) {
    let exchange = timeout(ANSWERED_WITHIN, exchange(network, &connection)).await;
    if let Ok(Some(())) = exchange {
        // The stranger closes when it has read the answer.
        let _ = timeout(ANSWERED_WITHIN, connection.closed()).await;
    }
    connection.close(VarInt::from_u32(REFUSED), b"refused");
}

async fn exchange(network: &Network, connection: &Connection) -> Option<()> {
    let Door(door) = network.door.as_ref()?;
    let (mut send, mut receive) = connection.accept_bi().await.ok()?;
    let request = read_frame(&mut receive, KNOCK_BYTES_MAX).await.ok()??;
    network.tally.heard_at_the_door(PREFIX + request.len());
    let (answer, answered) = oneshot::channel();
    let knock = Knock {
        from: peer_of(connection),
        request,
        answer,
    };
    door.try_send(knock).ok()?;
    let answer = answered.await.ok()?;
    if answer.len() > ANSWER_BYTES_MAX {
        return None;
    }
    network.tally.said_at_the_door(PREFIX + answer.len());
    write_frame(&mut send, Bytes::from(answer)).await.ok()?;
    send.finish().ok()
}

/// Asks these members in turn, under the key of `config`, until one answers. Only they are contacted.
///
/// # Errors
///
/// See [`KnockError`].
pub async fn knock(
    config: HostConfig,
    members: Vec<(NodeId, Vec<SocketAddr>)>,
    request: Vec<u8>,
) -> Result<Vec<u8>, KnockError> {
    if members.iter().all(|(_, addresses)| addresses.is_empty()) {
        return Err(KnockError::Nobody);
    }
    let dial_timeout = config.limits.dial_timeout;
    let endpoint = Bound::bind(config).await?.into_endpoint();
    let request = Bytes::from(request);
    let tried = members.len();
    let mut answer = None;
    for (member, addresses) in members {
        let asked = ask(&endpoint, member, addresses, request.clone());
        if let Ok(Some(said)) = timeout(ANSWERED_WITHIN + dial_timeout, asked).await {
            answer = Some(said);
            break;
        }
    }
    endpoint.close().await;
    answer.ok_or(KnockError::NoAnswer { tried })
}

async fn ask(
    endpoint: &Endpoint,
    member: NodeId,
    addresses: Vec<SocketAddr>,
    request: Bytes,
) -> Option<Vec<u8>> {
    let address = endpoint_addr(member, addresses)?;
    let connection = endpoint.connect(address, JOIN_ALPN).await.ok()?;
    let (mut send, mut receive) = connection.open_bi().await.ok()?;
    write_frame(&mut send, request).await.ok()?;
    send.finish().ok()?;
    let answer = read_frame(&mut receive, ANSWER_BYTES_MAX).await.ok()??;
    connection.close(VarInt::from_u32(DONE), b"done");
    Some(answer)
}
