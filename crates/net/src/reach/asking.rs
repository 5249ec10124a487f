//! The side that wants to know.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use base::{Digest, NodeId, decode, encode};
use bytes::Bytes;
use iroh::endpoint::{Connection, VarInt};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::{ANSWER_BYTES_MAX, Answer, GRACE, HELPERS_MAX, Question, Reachability, number};
use crate::bound::Network;
use crate::dial::endpoint_addr;
use crate::frame::{read_frame, write_frame};
use crate::{DONE, REACH_ALPN, REFUSED};

/// Asks these members, at most [`HELPERS_MAX`], whether they reach us at our addresses.
pub(crate) async fn ask_all(
    network: &Network,
    announced: &[SocketAddr],
    mut helpers: Vec<(NodeId, Vec<SocketAddr>)>,
) -> Reachability {
    helpers.truncate(HELPERS_MAX);
    let mut asked = JoinSet::new();
    let mut numbers = Vec::new();
    for (helper, addresses) in helpers {
        let number = number();
        numbers.push(number);
        network.reach.expect(number);
        let question = Question {
            number,
            addresses: announced.to_vec(),
        };
        let endpoint = network.endpoint.clone();
        let own = network.admission.presented();
        let patience = 2 * network.limits.dial_timeout + network.limits.admission_timeout + GRACE;
        asked.spawn(async move {
            let connecting = endpoint.connect(endpoint_addr(helper, addresses)?, REACH_ALPN);
            let answered = timeout(patience, async {
                let connection = connecting.await.ok()?;
                let answer = ask(&connection, own, &question).await;
                connection.close(VarInt::from_u32(DONE), b"");
                answer
            });
            Some((number, answered.await.ok()??))
        });
    }
    let mut answers = BTreeMap::new();
    while let Some(answered) = asked.join_next().await {
        answers.extend(answered.ok().flatten());
    }
    let heard = numbers.into_iter().map(|number| {
        let came = network.reach.expects_no_more(&number);
        (came, answers.remove(&number))
    });
    Reachability::of(&heard.collect::<Vec<_>>())
}

async fn ask(connection: &Connection, own: Vec<u8>, question: &Question) -> Option<Answer> {
    let (mut send, mut receive) = connection.open_bi().await.ok()?;
    write_frame(&mut send, Bytes::from(own)).await.ok()?;
    let question = encode(question);
    write_frame(&mut send, Bytes::from(question)).await.ok()?;
    send.finish().ok()?;
    let answer = read_frame(&mut receive, ANSWER_BYTES_MAX).await.ok()??;
    decode(&answer, ANSWER_BYTES_MAX).ok()
}

/// Somebody dials us anew. False when nobody was asked to.
pub(crate) async fn dialled_back(network: &Network, connection: Connection) -> bool {
    let read = timeout(network.limits.admission_timeout, async {
        let mut stream = connection.accept_uni().await.ok()?;
        let number = read_frame(&mut stream, 32).await.ok()??;
        Some(Digest(number.try_into().ok()?))
    });
    let number = read.await.ok().flatten();
    let expected = number.is_some_and(|number| network.reach.came_back(&number));
    let code = if expected { DONE } else { REFUSED };
    connection.close(VarInt::from_u32(code), b"");
    expected
}
