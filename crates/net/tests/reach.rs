//! Members dial each other on request: who is reached, who is not, who lies, and what nobody can make them do.

mod common;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;

use base::{Digest, Duration, NodeId, decode, encode};
use iroh::Endpoint;
use minicbor::{Decode, Encode};
use net::{BACK_ALPN, Limits, REACH_ALPN, REFUSED, Reachability, Reached};
use tokio::net::UdpSocket as Socket;

use common::{Community, Member, Node, Order, any_port, bare, framed, ping_from, place, pong_from};

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn limits() -> Limits {
    Limits {
        dial_timeout: Duration::from_millis(700),
        ..Limits::default()
    }
}

/// A socket that listens, and never answers.
fn silent(ip: &str) -> (UdpSocket, SocketAddr) {
    let socket = UdpSocket::bind((ip, 0)).expect("a free port");
    socket.set_nonblocking(true).expect("set");
    let address = socket.local_addr().expect("an address");
    (socket, address)
}

async fn asks(node: &Node, announced: &[SocketAddr], helpers: &[&Node]) -> Reachability {
    let helpers = helpers
        .iter()
        .map(|helper| (helper.id(), vec![helper.handle.local_addr()]));
    let asked = node.handle.reachability(announced, helpers.collect()).await;
    asked.expect("it runs")
}

#[tokio::test]
async fn who_can_be_dialled_is_told_so() {
    let mut community = Community::new("yes");
    let mut nodes = community.start_many(4, &limits()).await;
    let node = nodes.remove(0);
    let own = node.handle.local_addr();
    let helpers: Vec<_> = nodes.iter().collect();
    let told = asks(&node, &[own], &helpers).await;
    assert_eq!((told.reached, told.yes, told.no), (Reached::Yes, 3, 0));
    assert_eq!(told.seen, [(HERE, 3)].into());
    // It is no business of the protocol's, nor a connection for its messages.
    for node in &mut nodes {
        node.hears_nothing_for(Duration::from_millis(10)).await;
        assert_eq!(node.handle.counters().connections, 0);
        assert_eq!(node.handle.counters().refused, 0);
    }
    // Soon after, the same members do not dial again.
    let helpers: Vec<_> = nodes.iter().collect();
    let told = asks(&node, &[own], &helpers).await;
    assert_eq!((told.reached, told.yes, told.no), (Reached::Unknown, 0, 0));
}

#[tokio::test]
async fn who_cannot_be_dialled_is_told_so() {
    let mut community = Community::new("no");
    let nodes = community.start_many(4, &limits()).await;
    // Where packets are swallowed, as by a firewall, although the node itself calls from there and is answered.
    let (firewall, closed) = silent("127.0.0.1");
    let helpers: Vec<_> = nodes[1..].iter().collect();
    let told = asks(&nodes[0], &[closed], &helpers).await;
    // Two are served at a time by each; each has one.
    assert_eq!((told.reached, told.yes, told.no), (Reached::No, 0, 3));
    assert!(firewall.recv(&mut [0; 2000]).is_ok(), "it was tried");
}

#[tokio::test]
async fn nobody_is_dialled_elsewhere_than_where_the_question_came_from() {
    let mut community = Community::new("strangers");
    let nodes = community.start_many(4, &limits()).await;
    let (stranger, elsewhere) = silent("127.0.0.2");
    let helpers: Vec<_> = nodes[1..].iter().collect();
    let told = asks(&nodes[0], &[elsewhere], &helpers).await;
    assert_eq!((told.reached, told.yes, told.no), (Reached::Unknown, 0, 0));
    // But the node learns where it was seen.
    assert_eq!(told.seen, [(HERE, 3)].into());
    assert!(
        stranger.recv(&mut [0; 2000]).is_err(),
        "a stranger was dialled"
    );
    // One alone does not settle it, and one who is away says nothing.
    let own = nodes[0].handle.local_addr();
    nodes[2].handle.shutdown().await;
    let told = asks(&nodes[0], &[own], &[&nodes[1], &nodes[2]]).await;
    assert_eq!((told.reached, told.yes, told.no), (Reached::Unknown, 1, 0));
}

/// A router as homes have it: what comes from outside is let in only from where the node has sent something to, port and
/// all. Gives its address outside, and for each helper the address by which the node reaches it.
async fn router(node: SocketAddr, helpers: &[SocketAddr]) -> (SocketAddr, Vec<SocketAddr>) {
    let bind = || async { Arc::new(Socket::bind(any_port()).await.expect("a free port")) };
    let outside = bind().await;
    let mut inside = BTreeMap::new();
    for &helper in helpers {
        let (door, outside) = (bind().await, outside.clone());
        inside.insert(helper, door.clone());
        tokio::spawn(async move {
            let mut packet = [0; 2000];
            while let Ok((length, from)) = door.recv_from(&mut packet).await {
                assert_eq!(from, node);
                let sent = outside.send_to(&packet[..length], helper).await;
                sent.expect("sent");
            }
        });
    }
    let address = |socket: &Socket| socket.local_addr().expect("an address");
    let doors = helpers.iter().map(|helper| address(&inside[helper]));
    let told = (address(&outside), doors.collect());
    tokio::spawn(async move {
        let mut packet = [0; 2000];
        while let Ok((length, from)) = outside.recv_from(&mut packet).await {
            // Every helper is sent something before it can send anything: from its port is as good as from the address.
            if let Some(door) = inside.get(&from) {
                let sent = door.send_to(&packet[..length], node).await;
                sent.expect("sent");
            }
        }
    });
    told
}

/// Everybody whom the node has called can answer, and yet nobody else can call it.
#[tokio::test]
async fn an_open_connection_through_a_router_is_no_proof() {
    let mut community = Community::new("router");
    let mut nodes = Vec::new();
    for _ in 0..4 {
        nodes.push(community.start(limits()).await);
    }
    let at: Vec<_> = nodes.iter().map(|node| node.handle.local_addr()).collect();
    let (outside, doors) = router(at[0], &at[1..]).await;
    let (node, others) = nodes.split_first_mut().expect("four");
    let mut helpers = Vec::new();
    for (other, door) in others.iter_mut().zip(doors) {
        node.order(Order::Know(other.id(), door)).await;
        node.ping(other.id(), 1).await;
        assert_eq!(other.next().await, ping_from(node, 1));
        assert_eq!(node.next().await, pong_from(other, 1));
        helpers.push((other.id(), vec![door]));
    }
    let told = node.handle.reachability(&[outside], helpers).await;
    let told = told.expect("it runs");
    assert_eq!((told.reached, told.yes, told.no), (Reached::No, 0, 3));
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Question {
    #[n(0)]
    number: Digest,
    #[n(1)]
    addresses: Vec<SocketAddr>,
}

#[derive(Encode, Decode)]
#[cbor(map)]
struct Answer {
    #[n(0)]
    outcome: Outcome,
    #[n(1)]
    seen: IpAddr,
}

#[derive(Clone, Copy, Encode, Decode)]
enum Outcome {
    #[n(0)]
    Answered,
    #[n(1)]
    InVain,
    #[n(2)]
    NotTried,
}

/// A member that answers without having dialled.
async fn liar(member: &Member, says: Outcome) -> (NodeId, Vec<SocketAddr>) {
    let endpoint = bare(member.seed, any_port(), &[REACH_ALPN]).await;
    let told = (NodeId(*endpoint.id().as_bytes()), endpoint.bound_sockets());
    tokio::spawn(async move {
        while let Some(incoming) = endpoint.accept().await {
            let connection = incoming.await.expect("a handshake");
            let (mut send, mut receive) = connection.accept_bi().await.expect("a stream");
            let asked = receive.read_to_end(8192).await.expect("a question");
            let certificate = u32::from_be_bytes(asked[..4].try_into().expect("a length"));
            let question = &asked[8 + certificate as usize..];
            decode::<Question>(question, 512).expect("a question that can be read");
            let answer = Answer {
                outcome: says,
                seen: Ipv4Addr::new(198, 51, 100, 1).into(),
            };
            let answer = framed(&encode(&answer));
            send.write_all(&answer).await.expect("room");
            send.finish().expect("open");
            connection.closed().await;
        }
    });
    told
}

async fn with_liars(name: &str, honest: usize, liars: usize, says: Outcome) -> Reachability {
    let mut community = Community::new(name);
    let nodes = community.start_many(honest + 1, &limits()).await;
    let mut helpers = Vec::new();
    for _ in 0..liars {
        helpers.push(liar(&community.member(), says).await);
    }
    for node in &nodes[1..] {
        helpers.push((node.id(), vec![node.handle.local_addr()]));
    }
    let own = [nodes[0].handle.local_addr()];
    let told = nodes[0].handle.reachability(&own, helpers).await;
    told.expect("it runs")
}

#[tokio::test]
async fn liars_are_outvoted_and_cannot_claim_to_have_dialled() {
    let told = with_liars("in vain", 3, 2, Outcome::InVain).await;
    assert_eq!((told.reached, told.yes, told.no), (Reached::Yes, 3, 2));
    let told = with_liars("one each", 1, 1, Outcome::InVain).await;
    assert_eq!((told.reached, told.yes, told.no), (Reached::Unknown, 1, 1));
    // Five who claim what they have not done have said nothing.
    let told = with_liars("claims", 0, 5, Outcome::Answered).await;
    assert_eq!((told.reached, told.yes, told.no), (Reached::Unknown, 0, 0));
    let told = with_liars("lazy", 2, 3, Outcome::NotTried).await;
    assert_eq!((told.reached, told.yes, told.no), (Reached::Yes, 2, 0));
}

/// The code with which a node closes on what a stranger says.
async fn code_for(endpoint: &Endpoint, node: &Node, alpn: &[u8], said: &[u8]) -> Option<u32> {
    let at = place(node.id(), node.handle.local_addr());
    let connection = endpoint.connect(at, alpn).await.expect("a handshake");
    let _open = if alpn == BACK_ALPN {
        let mut send = connection.open_uni().await.expect("a stream");
        send.write_all(said).await.expect("room");
        (send, None)
    } else {
        let (mut send, receive) = connection.open_bi().await.expect("a stream");
        send.write_all(said).await.expect("room");
        (send, Some(receive))
    };
    match connection.closed().await {
        iroh::endpoint::ConnectionError::ApplicationClosed(close) => {
            Some(u64::from(close.error_code) as u32)
        }
        _ => None,
    }
}

#[tokio::test]
async fn strangers_are_neither_served_nor_believed() {
    let mut community = Community::new("ours");
    let foreign = Community::new("theirs").member();
    let node = community.start(limits()).await;
    let (victim, address) = silent("127.0.0.1");
    let stranger = bare(foreign.seed, any_port(), &[]).await;
    let question = Question {
        number: Digest([1; 32]),
        addresses: vec![address],
    };
    let question = [
        framed(foreign.certificate.der()),
        framed(&encode(&question)),
    ];
    let code = code_for(&stranger, &node, REACH_ALPN, &question.concat()).await;
    assert_eq!(code, Some(REFUSED));
    assert!(victim.recv(&mut [0; 2000]).is_err(), "it was dialled");
    // Nobody was asked to dial, so whoever does is a stranger too.
    for number in [vec![1; 32], vec![1; 31], vec![1; 33], vec![]] {
        let code = code_for(&stranger, &node, BACK_ALPN, &framed(&number)).await;
        assert_eq!(code, Some(REFUSED));
    }
    assert_eq!(node.handle.counters().refused, 5);
}
