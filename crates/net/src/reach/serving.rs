//! The side that is asked, and dials.

use std::net::{IpAddr, SocketAddr};

use base::{NodeId, decode, encode};
use bytes::Bytes;
use iroh::endpoint::{Connection, RecvStream, SendStream, VarInt};
use tokio::time::timeout;

use super::{
    Answer, DIALLED_MAX, GRACE, Outcome, QUESTION_BYTES_MAX, Question, fresh, hand_over, let_go,
};
use crate::admission::MAX_PRESENTED;
use crate::bound::Network;
use crate::dial::endpoint_addr;
use crate::frame::{read_frame, write_frame};
use crate::greeting::peer_of;
use crate::{BACK_ALPN, DONE, REFUSED};

/// Serves a member that asks whether we reach it; it called from `source`. False when it is no member.
pub(crate) async fn serve(network: &Network, connection: Connection, source: IpAddr) -> bool {
    let patience = network.limits.admission_timeout;
    let Ok(Some((mut send, mut receive))) = timeout(patience, admit(network, &connection)).await
    else {
        connection.close(VarInt::from_u32(REFUSED), b"refused");
        return false;
    };
    let question = timeout(patience, read_frame(&mut receive, QUESTION_BYTES_MAX)).await;
    if let Ok(Ok(Some(question))) = question
        && let Ok(question) = decode::<Question>(&question, QUESTION_BYTES_MAX)
    {
        let outcome = dial_back(network, peer_of(&connection), source, &question).await;
        let seen = source.to_canonical();
        let answer = encode(&Answer { outcome, seen });
        let told = async {
            write_frame(&mut send, Bytes::from(answer)).await.ok()?;
            send.finish().ok()?;
            // The other side closes when it has read the answer.
            connection.closed().await;
            Some(())
        };
        drop(timeout(GRACE, told).await);
    }
    connection.close(VarInt::from_u32(DONE), b"");
    true
}

async fn admit(network: &Network, connection: &Connection) -> Option<(SendStream, RecvStream)> {
    let (send, mut receive) = connection.accept_bi().await.ok()?;
    let shown = read_frame(&mut receive, MAX_PRESENTED).await.ok()??;
    let (peer, now) = (peer_of(connection), network.clock.now());
    network.admission.admit(peer, &shown, now).ok()?;
    Some((send, receive))
}

async fn dial_back(
    network: &Network,
    peer: NodeId,
    source: IpAddr,
    question: &Question,
) -> Outcome {
    let own = |address: &&SocketAddr| address.ip().to_canonical() == source.to_canonical();
    let addresses = question.addresses.iter().filter(own);
    let addresses: Vec<_> = addresses.take(DIALLED_MAX).copied().collect();
    let Ok(_turn) = network.reach.at_once.try_acquire() else {
        return Outcome::NotTried;
    };
    if addresses.is_empty() || !network.reach.may_serve(peer, network.clock.now()) {
        return Outcome::NotTried;
    }
    let Some(at) = endpoint_addr(peer, addresses) else {
        return Outcome::NotTried;
    };
    let Some(endpoint) = fresh(network).await else {
        return Outcome::NotTried;
    };
    let dialled = timeout(2 * network.limits.dial_timeout, async {
        let connection = endpoint.connect(at, BACK_ALPN).await.ok()?;
        hand_over(&connection, &question.number).await
    });
    let reached = dialled.await.ok().flatten().is_some();
    let_go(endpoint);
    if reached {
        Outcome::Answered
    } else {
        Outcome::InVain
    }
}
