//! What a host gives to those who do not belong, and to members who do not keep to the rules: nothing.

mod common;

use std::net::SocketAddr;

use base::{Duration, Instant, NodeId};
use crypto::SigningKey;
use iroh::endpoint::{Connection, ConnectionError, VarInt, presets};
use iroh::{Endpoint, EndpointAddr, PublicKey, RelayMode, SecretKey, TransportAddr};
use net::{ALPN, Limits, MISBEHAVED, REFUSED};
use tokio::time::{sleep, timeout};

use common::{Community, Member, Node, Note, Report, ping_from};

const SOON: Duration = Duration::from_millis(300);

fn limits() -> Limits {
    Limits {
        admission_timeout: SOON,
        ..Limits::default()
    }
}

/// Someone with a bare endpoint who sends what he likes.
struct Stranger(Endpoint);

impl Stranger {
    async fn new(seed: [u8; 32]) -> Self {
        let endpoint = Endpoint::builder(presets::Minimal)
            .secret_key(SecretKey::from_bytes(&seed))
            .relay_mode(RelayMode::Disabled)
            .alpns(vec![ALPN.to_vec()])
            .clear_ip_transports()
            .bind_addr("127.0.0.1:0")
            .expect("an address")
            .bind()
            .await;
        Self(endpoint.expect("a free port"))
    }

    fn id(&self) -> NodeId {
        NodeId(*self.0.id().as_bytes())
    }

    fn address(&self) -> SocketAddr {
        self.0.bound_sockets()[0]
    }

    async fn connect(&self, node: &Node) -> Option<Connection> {
        self.connect_as(node, ALPN).await
    }

    async fn connect_as(&self, node: &Node, alpn: &[u8]) -> Option<Connection> {
        let key = PublicKey::from_bytes(node.id().as_bytes()).expect("a key");
        let address = TransportAddr::Ip(node.handle.local_addr());
        let address = EndpointAddr::from_parts(key, [address]);
        self.0.connect(address, alpn).await.ok()
    }

    /// Opens the greeting's stream, sends `bytes`, and takes whatever comes.
    async fn greets(&self, node: &Node, bytes: &[u8]) -> Received {
        let connection = self.connect(node).await.expect("a handshake");
        let (mut send, mut receive) = connection.open_bi().await.expect("a stream");
        send.write_all(bytes).await.expect("room");
        let mut received = Received::on(&connection).await;
        let mut buffer = [0; 4096];
        while let Ok(Some(len)) = receive.read(&mut buffer).await {
            received.bytes += len;
        }
        received
    }

    /// A member's first steps, and then its stream of messages.
    async fn enters(&self, node: &Node, member: &Member) -> Connection {
        let connection = self.connect(node).await.expect("a handshake");
        let (mut send, mut receive) = connection.open_bi().await.expect("a stream");
        send.write_all(&framed(member.certificate.der()))
            .await
            .expect("room");
        let mut answer = [0; 4];
        receive
            .read_exact(&mut answer)
            .await
            .expect("the node's own certificate");
        connection
    }
}

#[derive(Debug, PartialEq)]
struct Received {
    bytes: usize,
    code: Option<u32>,
    reason: Vec<u8>,
}

impl Received {
    /// Waits for the end and counts what came on streams that the host opened.
    async fn on(connection: &Connection) -> Self {
        let closed = timeout(Duration::from_secs(5), connection.closed()).await;
        let (code, reason) = match closed.expect("the host closes in time") {
            ConnectionError::ApplicationClosed(close) => {
                let code = u64::from(close.error_code) as u32;
                (Some(code), close.reason.to_vec())
            }
            _ => (None, Vec::new()),
        };
        let mut bytes = 0;
        while let Ok(mut stream) = connection.accept_uni().await {
            bytes += stream
                .read_to_end(1 << 20)
                .await
                .map_or(1, |read| read.len());
        }
        Self {
            bytes,
            code,
            reason,
        }
    }

    fn refused() -> Self {
        Self {
            bytes: 0,
            code: Some(REFUSED),
            reason: b"refused".to_vec(),
        }
    }
}

fn framed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

fn ping() -> Vec<u8> {
    framed(&base::encode(&Note::Ping(1)))
}

/// The protocol was told nothing, and the host still serves its members.
async fn is_untouched(node: &mut Node, community: &mut Community) {
    node.hears_nothing_for(Duration::from_millis(50)).await;
    assert_eq!(node.handle.counters().messages_in, 0);
    let friend = community.start(limits()).await;
    friend.knows(node).await;
    friend.ping(node.id(), 99).await;
    assert_eq!(node.next().await, ping_from(&friend, 99));
}

#[tokio::test]
async fn who_shows_no_valid_certificate_gets_nothing() {
    let mut community = Community::new("ours");
    let mut node = community.start(limits()).await;
    let mut other = Community::new("theirs");
    let mut usurper = Community::new("usurper");
    usurper.name = community.name;

    let member = community.member();
    let expired = community.member_until(Instant::from_secs(1_600_000_000));
    let foreign = other.member();
    let forged = usurper.member();
    let key = [9; 32];
    let mut bent = member.certificate.der().to_vec();
    *bent.last_mut().unwrap() ^= 1;
    let cases = [
        (
            "of another community",
            foreign.seed,
            framed(foreign.certificate.der()),
        ),
        (
            "of another issuer",
            forged.seed,
            framed(forged.certificate.der()),
        ),
        ("expired", expired.seed, framed(expired.certificate.der())),
        ("of somebody else", key, framed(member.certificate.der())),
        ("with a bent signature", member.seed, framed(&bent)),
        ("garbage", key, framed(&[0xa5; 600])),
        ("empty", key, framed(&[])),
        ("too long", key, framed(&vec![0; 5000])),
        ("longer than memory", key, vec![0xff; 4]),
        (
            "cut short, then silence",
            key,
            framed(member.certificate.der())[..300].to_vec(),
        ),
        ("silence", key, vec![0]),
    ];
    for (count, (name, seed, bytes)) in cases.into_iter().enumerate() {
        let stranger = Stranger::new(seed).await;
        assert_eq!(
            stranger.greets(&node, &bytes).await,
            Received::refused(),
            "{name}"
        );
        node.settles_at(0).await;
        assert_eq!(node.handle.counters().refused, count as u64 + 1, "{name}");
        stranger.0.close().await;
    }
    is_untouched(&mut node, &mut community).await;
}

#[tokio::test]
async fn messages_before_the_greeting_are_refused() {
    let mut community = Community::new("first");
    let mut node = community.start(limits()).await;
    // Even of a member.
    let member = community.member();
    let stranger = Stranger::new(member.seed).await;

    let connection = stranger.connect(&node).await.expect("a handshake");
    let mut stream = connection.open_uni().await.expect("a stream");
    stream.write_all(&ping()).await.expect("room");
    assert_eq!(Received::on(&connection).await, Received::refused());

    let connection = stranger.connect(&node).await.expect("a handshake");
    let mut stream = connection.open_uni().await.expect("a stream");
    stream.write_all(&ping()).await.expect("room");
    let (mut send, _receive) = connection.open_bi().await.expect("a stream");
    let _ = send.write_all(&framed(member.certificate.der())).await;
    assert_eq!(Received::on(&connection).await, Received::refused());

    // Datagrams are not even negotiated, another protocol neither.
    let connection = stranger.connect(&node).await.expect("a handshake");
    assert!(connection.send_datagram(ping().into()).is_err());
    assert_eq!(Received::on(&connection).await, Received::refused());
    let other = stranger.connect_as(&node, b"h3").await;
    assert!(other.is_none());

    is_untouched(&mut node, &mut community).await;
}

#[tokio::test]
async fn a_member_that_breaks_the_rules_is_cut_off() {
    let mut community = Community::new("rules");
    let mut node = community
        .start(Limits {
            max_message: 1000,
            ..limits()
        })
        .await;
    let member = community.member();
    let note = base::encode(&Note::Ping(1));
    let cases = [
        ("garbage", framed(&[0xff; 100])),
        ("empty", framed(&[])),
        ("another version", framed(&[&[2], &note[1..]].concat())),
        ("trailing bytes", framed(&[&note[..], &[0]].concat())),
        (
            "too long",
            framed(&base::encode(&Note::Blob(vec![0; 1000]))),
        ),
        ("longer than memory", vec![0xff; 8]),
    ];
    for (count, (name, bytes)) in cases.into_iter().enumerate() {
        let stranger = Stranger::new(member.seed).await;
        let connection = stranger.enters(&node, &member).await;
        let mut stream = connection.open_uni().await.expect("a stream");
        stream.write_all(&bytes).await.expect("room");
        let received = Received::on(&connection).await;
        assert_eq!(
            (received.bytes, received.code),
            (0, Some(MISBEHAVED)),
            "{name}"
        );
        assert_eq!(
            node.handle.counters().misbehaved,
            count as u64 + 1,
            "{name}"
        );
        stranger.0.close().await;
    }

    // A stream that ends within a message.
    let stranger = Stranger::new(member.seed).await;
    let connection = stranger.enters(&node, &member).await;
    let mut stream = connection.open_uni().await.expect("a stream");
    stream.write_all(&ping()[..5]).await.expect("room");
    stream.finish().expect("an open stream");
    assert_eq!(Received::on(&connection).await.code, Some(MISBEHAVED));

    // A second conversation.
    let connection = stranger.enters(&node, &member).await;
    let mut stream = connection.open_uni().await.expect("a stream");
    stream.write_all(&ping()[..5]).await.expect("room");
    let (mut send, _receive) = connection.open_bi().await.expect("a stream");
    send.write_all(b"hello").await.expect("room");
    assert_eq!(Received::on(&connection).await.code, Some(MISBEHAVED));

    is_untouched(&mut node, &mut community).await;
}

#[tokio::test]
async fn what_came_before_the_offence_counts() {
    let mut community = Community::new("before");
    let mut node = community.start(limits()).await;
    let member = community.member();
    let stranger = Stranger::new(member.seed).await;
    let connection = stranger.enters(&node, &member).await;
    let mut stream = connection.open_uni().await.expect("a stream");
    stream
        .write_all(&[ping(), framed(b"rubbish")].concat())
        .await
        .expect("room");
    assert_eq!(
        node.next().await,
        Report::Heard(stranger.id(), Note::Ping(1))
    );
    assert_eq!(Received::on(&connection).await.code, Some(MISBEHAVED));
}

#[tokio::test]
async fn who_fails_often_is_not_heard_for_a_while() {
    let mut community = Community::new("often");
    let mut node = community.start(limits()).await;
    let stranger = Stranger::new([9; 32]).await;
    let mut heard = 0;
    for _ in 0..40 {
        let Some(connection) = stranger.connect(&node).await else {
            continue;
        };
        heard += 1;
        let (mut send, _receive) = connection.open_bi().await.expect("a stream");
        let _ = send.write_all(&framed(b"let me in")).await;
        Received::on(&connection).await;
    }
    assert!((20..35).contains(&heard), "{heard}");
    assert_eq!(node.handle.counters().refused, 40);
    // It forgets.
    sleep(Duration::from_millis(1500)).await;
    is_untouched(&mut node, &mut community).await;
}

#[tokio::test]
async fn silent_strangers_keep_out_others_for_a_moment_only() {
    let mut community = Community::new("silent");
    let few = Limits {
        max_greetings: 2,
        admission_timeout: Duration::from_secs(1),
        ..Limits::default()
    };
    let mut node = community.start(few).await;
    let stranger = Stranger::new([9; 32]).await;
    let one = stranger.connect(&node).await.expect("a handshake");

    // Half full: a caller has to prove its address, which a friend can.
    let friend = community.start(limits()).await;
    friend.knows(&node).await;
    friend.ping(node.id(), 1).await;
    assert_eq!(node.next().await, ping_from(&friend, 1));

    // Full: the third waits for its turn, which comes when the time of those before it is over.
    let two = stranger.connect(&node).await.expect("a handshake");
    let three = stranger.connect(&node).await.expect("a handshake");
    assert_eq!(Received::on(&one).await, Received::refused());
    assert_eq!(Received::on(&two).await, Received::refused());
    assert_eq!(Received::on(&three).await, Received::refused());
    let other = community.start(limits()).await;
    other.knows(&node).await;
    other.ping(node.id(), 2).await;
    assert_eq!(node.next().await, ping_from(&other, 2));
}

#[tokio::test]
async fn whoever_answers_in_place_of_a_peer_is_no_peer() {
    let mut community = Community::new("answers");
    let mut node = community.start(limits()).await;
    let (peer, other) = (community.member(), community.member());

    // Another key at the peer's address: TLS fails, nothing is shown.
    let impostor = Stranger::new(other.seed).await;
    let accepting = tokio::spawn({
        let endpoint = impostor.0.clone();
        async move { endpoint.accept().await.expect("a call").await.is_err() }
    });
    let absent = peer.certificate.node();
    node.order(common::Order::Know(absent, impostor.address()))
        .await;
    node.ping(absent, 1).await;
    assert_eq!(node.next().await, Report::Unreachable(absent));
    assert!(accepting.await.expect("no panic"));

    // The peer's key, but somebody else's certificate.
    let turncoat = Stranger::new(peer.seed).await;
    let answer = framed(other.certificate.der());
    let accepting = tokio::spawn({
        let endpoint = turncoat.0.clone();
        async move {
            let connection = endpoint
                .accept()
                .await
                .expect("a call")
                .await
                .expect("a handshake");
            let (mut send, _receive) = connection.accept_bi().await.expect("a greeting");
            send.write_all(&answer).await.expect("room");
            let mut stream = connection.open_uni().await.expect("a stream");
            let _ = stream.write_all(&ping()).await;
            Received::on(&connection).await
        }
    });
    node.order(common::Order::Know(absent, turncoat.address()))
        .await;
    node.ping(absent, 2).await;
    assert_eq!(node.next().await, Report::Unreachable(absent));
    assert_eq!(accepting.await.expect("no panic"), Received::refused());
    assert_eq!(node.handle.counters().messages_in, 0);

    // One that takes the call and never answers.
    let silent = Stranger::new(peer.seed).await;
    let accepting = tokio::spawn({
        let endpoint = silent.0.clone();
        async move {
            let connection = endpoint
                .accept()
                .await
                .expect("a call")
                .await
                .expect("a handshake");
            connection.close_reason().is_none().then_some(connection)
        }
    });
    node.order(common::Order::Know(absent, silent.address()))
        .await;
    node.ping(absent, 3).await;
    assert_eq!(node.next().await, Report::Unreachable(absent));
    let connection = accepting
        .await
        .expect("no panic")
        .expect("an open connection");
    assert_eq!(Received::on(&connection).await, Received::refused());
    connection.close(VarInt::from_u32(0), b"");
}

#[tokio::test]
async fn whoever_is_not_admitted_knows_by_whom() {
    let (mut here, mut elsewhere) = (Community::new("here"), Community::new("elsewhere"));
    let node = here.start(limits()).await;
    let mut foreign = elsewhere.start(limits()).await;
    foreign.knows(&node).await;
    assert!(foreign.handle.refused_by().is_empty());
    foreign.ping(node.id(), 1).await;
    assert_eq!(foreign.next().await, Report::Unreachable(node.id()));
    assert_eq!(foreign.handle.refused_by(), [node.id()]);
    // Who refuses is refused by nobody.
    assert!(node.handle.refused_by().is_empty());
    assert!(foreign.handle.unanswered_by().is_empty());
}

#[tokio::test]
async fn whoever_gets_no_answer_knows_of_whom_until_there_is_one() {
    let mut community = Community::new("quiet");
    let limits = Limits {
        dial_timeout: SOON,
        ..limits()
    };
    let mut node = community.start(limits.clone()).await;
    let member = community.member();
    // A place where nobody is, yet.
    let place = std::net::UdpSocket::bind("127.0.0.1:0").expect("a port");
    let address = place.local_addr().expect("an address");
    drop(place);
    let name = SigningKey::from_seed(member.seed).node();
    node.order(common::Order::Know(name, address)).await;
    node.ping(name, 1).await;
    assert_eq!(node.next().await, Report::Unreachable(name));
    assert_eq!(node.handle.unanswered_by(), [name]);
    let late = community.start_as(&member, address, limits).await;
    late.knows(&node).await;
    late.ping(node.id(), 2).await;
    assert_eq!(node.next().await, ping_from(&late, 2));
    assert!(node.handle.unanswered_by().is_empty());
}
