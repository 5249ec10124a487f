//! Members meet by a relay of a member's, and nobody else does.

mod common;

use std::net::{SocketAddr, UdpSocket};

use base::Duration;
use net::{Limits, Relay};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::{Instant as Ticks, sleep, timeout};

use common::{Community, Member, Node, Note, Order, Report, any_port, ping_from, pong_from};

async fn relay(community: &mut Community) -> Relay {
    let member = community.member();
    let admission = community.admission(&member);
    let relay = Relay::serve(any_port(), admission).await;
    relay.expect("a free port")
}

async fn until(what: &str, so: impl Fn() -> bool) {
    let began = Ticks::now();
    while !so() {
        let waited = began.elapsed();
        assert!(waited < Duration::from_secs(20), "not in time: {what}");
        sleep(Duration::from_millis(20)).await;
    }
}

/// One whom nobody reaches directly: others know a place where nobody answers.
async fn hidden(community: &Community, member: &Member, relays: Vec<SocketAddr>) -> Node {
    let limits = Limits::default();
    community.start_by(member, any_port(), limits, relays).await
}

#[tokio::test]
async fn who_cannot_be_reached_is_met_by_a_relay() {
    let mut community = Community::new("relay");
    let relay = relay(&mut community).await;
    let at = vec![relay.local_addr()];
    let (first, second) = (community.member(), community.member());
    let mut near = hidden(&community, &first, at.clone()).await;
    let mut far = hidden(&community, &second, at).await;
    until("both are at the relay", || relay.members() >= 2).await;

    let dead = UdpSocket::bind(any_port()).expect("a free port");
    let dead = dead.local_addr().expect("an address");
    near.order(Order::Know(far.id(), dead)).await;
    near.ping(far.id(), 1).await;
    assert_eq!(far.next().await, ping_from(&near, 1));
    assert_eq!(near.next().await, pong_from(&far, 1));
    // More than fits into one packet, both ways.
    let long = Note::Blob(vec![7; 100_000]);
    near.send(far.id(), long.clone()).await;
    assert_eq!(far.next().await, Report::Heard(near.id(), long));
    near.handle.shutdown().await;
    far.handle.shutdown().await;
    until("both have left", || relay.members() == 0).await;
}

#[tokio::test]
async fn strangers_are_not_served() {
    let mut community = Community::new("ours");
    let relay = relay(&mut community).await;
    let at = vec![relay.local_addr()];
    let member = community.member();
    let far = hidden(&community, &member, at.clone()).await;
    until("the member is at the relay", || relay.members() == 1).await;

    // Of another community; and of ours, but with the certificate of somebody else.
    let mut theirs = Community::new("theirs");
    let foreign = theirs.member();
    let thief = Member {
        seed: [5; 32],
        certificate: member.certificate.clone(),
    };
    let expired = community.member_until(base::Instant::from_secs(1_600_000_000));
    for stranger in [foreign, thief, expired] {
        let mut stranger = hidden(&community, &stranger, at.clone()).await;
        stranger.ping(far.id(), 1).await;
        assert_eq!(stranger.next().await, Report::Unreachable(far.id()));
        assert_eq!(relay.members(), 1);
        stranger.handle.shutdown().await;
    }
    assert_eq!(far.handle.counters().messages_in, 0);
    assert_eq!(far.handle.counters().refused, 0, "nothing was passed on");

    // Nor is anybody who calls and says nothing, or nonsense.
    let mut silent = Vec::new();
    for _ in 0..20 {
        silent.push(TcpStream::connect(relay.local_addr()).await);
    }
    let mut caller = TcpStream::connect(relay.local_addr())
        .await
        .expect("it listens");
    caller
        .write_all(b"GET /relay HTTP/1.1\r\nHost: x\r\n\r\n")
        .await
        .expect("sent");
    let mut answer = [0; 12];
    let read = timeout(Duration::from_secs(5), caller.read_exact(&mut answer)).await;
    read.expect("in time").expect("an answer");
    assert_eq!(&answer, b"HTTP/1.1 400");
    assert_eq!(relay.members(), 1);
}

/// Whether it serves a node is known, while it comes and goes.
#[tokio::test]
async fn a_relay_that_goes_is_missed_and_found_again() {
    let mut community = Community::new("comes and goes");
    let (keeper, member) = (community.member(), community.member());
    let first = relay(&mut community).await;
    let at = first.local_addr();
    let near = hidden(&community, &member, vec![at]).await;
    until("it is served", || near.handle.is_at_relay()).await;
    drop(first);
    until("it is served no more", || !near.handle.is_at_relay()).await;
    let second = Relay::serve(at, community.admission(&keeper)).await;
    let second = second.expect("the port is free again");
    until("it is served again", || near.handle.is_at_relay()).await;
    assert!(second.members() > 0);
}

/// A relay that is not there, or does not answer, is in nobody's way.
#[tokio::test]
async fn without_its_relay_a_node_goes_on() {
    let mut community = Community::new("gone");
    let mute = TcpListener::bind(any_port()).await.expect("a free port");
    let dead = UdpSocket::bind(any_port()).expect("a free port");
    let gone = dead.local_addr().expect("an address");
    let at = vec![mute.local_addr().expect("an address"), gone];
    let (first, second) = (community.member(), community.member());
    let mut near = hidden(&community, &first, at.clone()).await;
    let mut far = hidden(&community, &second, at).await;
    near.knows(&far).await;
    near.ping(far.id(), 1).await;
    assert_eq!(far.next().await, ping_from(&near, 1));
    assert_eq!(near.next().await, pong_from(&far, 1));
    assert!(!near.handle.is_at_relay() && !far.handle.is_at_relay());
    far.handle.shutdown().await;
    near.ping(far.id(), 2).await;
    assert_eq!(near.next().await, Report::Unreachable(far.id()));
}
