//! Hosts that talk over real UDP on the loopback interface.

mod common;

use std::net::{SocketAddr, UdpSocket};

use base::Duration;
use net::{Bound, Flow, HostConfig, LETTING_IN, Limits, NetError, Relays};
use tokio::time::{Instant as Ticks, sleep};

use common::{Community, Node, Note, Order, Report, any_port, ping_from, pong_from};

const SOON: Duration = Duration::from_millis(300);

/// An address of which the system has just said that nobody listens there.
fn dead_address() -> SocketAddr {
    let socket = UdpSocket::bind(any_port()).expect("a free port");
    socket.local_addr().expect("a bound socket")
}

#[tokio::test]
async fn two_nodes_talk_both_ways_over_one_connection() {
    let mut community = Community::new("two");
    let mut nodes = community.start_many(2, &Limits::default()).await;
    let (mut b, mut a) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    for number in 0..100 {
        a.ping(b.id(), number).await;
        assert_eq!(b.next().await, ping_from(&a, number));
        assert_eq!(a.next().await, pong_from(&b, number));
    }
    let (a, b) = (a.handle.counters(), b.handle.counters());
    assert_eq!((a.messages_out, a.messages_in), (100, 100));
    assert_eq!((a.bytes_out, a.bytes_in), (b.bytes_in, b.bytes_out));
    assert_eq!(
        (a.dropped, b.dropped, b.refused, b.misbehaved),
        (0, 0, 0, 0)
    );
}

#[tokio::test]
async fn messages_are_counted_by_what_they_are_for() {
    let mut community = Community::new("purposes");
    let mut nodes = community.start_many(2, &Limits::default()).await;
    let (mut b, mut a) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    for number in 0..10 {
        a.ping(b.id(), number).await;
        assert_eq!(b.next().await, ping_from(&a, number));
        assert_eq!(a.next().await, pong_from(&b, number));
    }
    let blob = Note::Blob(vec![5; 1000]);
    a.send(b.id(), blob.clone()).await;
    assert_eq!(b.next().await, Report::Heard(a.id(), blob.clone()));

    let ([talk, blobs, door], theirs) = (flows(&a), flows(&b));
    assert_eq!(
        [talk, blobs, door].map(|flow| flow.purpose),
        ["talk", "blobs", LETTING_IN]
    );
    assert_eq!((talk.messages_in, talk.messages_out), (10, 10));
    assert_eq!((blobs.messages_in, blobs.messages_out), (0, 1));
    let length = (PREFIX + base::encode(&blob).len()) as u64;
    assert_eq!((blobs.bytes_in, blobs.bytes_out), (0, length));
    // Each has shown one certificate and seen one, and the one that was dialled has said what time it is.
    assert_eq!((door.messages_in, door.messages_out), (2, 1));
    assert!(door.bytes_out > 400 && door.bytes_in > 400, "{door:?}");
    for (ours, theirs) in [talk, blobs, door].into_iter().zip(theirs) {
        let (sent, received) = (ours.messages_out, ours.bytes_out);
        assert_eq!((sent, received), (theirs.messages_in, theirs.bytes_in));
    }
    let total = a.handle.counters();
    assert_eq!(total.messages_out, talk.messages_out + blobs.messages_out);
    assert_eq!(total.bytes_in, talk.bytes_in + blobs.bytes_in);
}

/// Of the length in front of each frame.
const PREFIX: usize = 4;

fn flows(node: &Node) -> [Flow; 3] {
    let flows = node.handle.flows();
    flows.try_into().expect("two purposes and the door")
}

#[tokio::test]
async fn thirty_nodes_in_a_full_mesh() {
    let mut community = Community::new("mesh");
    // On a busy machine 870 handshakes take their time.
    let patient = Limits {
        dial_timeout: Duration::from_secs(15),
        admission_timeout: Duration::from_secs(15),
        ..Limits::default()
    };
    let mut nodes = community.start_many(30, &patient).await;
    let ids: Vec<_> = nodes.iter().map(Node::id).collect();
    // All at once: most pairs dial each other at the same time.
    for node in &nodes {
        for &to in ids.iter().filter(|&&to| to != node.id()) {
            node.ping(to, 7).await;
        }
    }
    for node in &mut nodes {
        let me = node.id();
        let mut reports = node.take(2 * 29).await;
        reports.sort_by_key(|report| format!("{report:?}"));
        let heard = |note: &Note| {
            ids.iter()
                .filter(|&&id| id != me)
                .map(|&id| Report::Heard(id, note.clone()))
                .collect::<Vec<_>>()
        };
        let mut expected = [heard(&Note::Ping(7)), heard(&Note::Pong(7))].concat();
        expected.sort_by_key(|report| format!("{report:?}"));
        assert_eq!(reports, expected);
    }
    for node in &mut nodes {
        node.hears_nothing_for(Duration::from_millis(10)).await;
        node.settles_at(29).await;
    }
}

#[tokio::test]
async fn both_dial_at_once_and_nothing_is_lost() {
    let mut community = Community::new("at once");
    let mut nodes = community.start_many(16, &Limits::default()).await;
    let ids: Vec<_> = nodes.iter().map(Node::id).collect();
    const EACH: u64 = 200;
    // Surplus connections close while messages go over them.
    for number in 0..EACH {
        for (place, node) in nodes.iter().enumerate() {
            node.send(ids[place ^ 1], Note::Pong(number)).await;
        }
        if number % 10 == 0 {
            sleep(Duration::from_millis(1)).await;
        }
    }
    for node in &mut nodes {
        let mut numbers = Vec::new();
        for report in node.take(EACH as usize).await {
            match report {
                Report::Heard(_, Note::Pong(number)) => numbers.push(number),
                other => panic!("unexpected: {other:?}"),
            }
        }
        numbers.sort_unstable();
        assert!(numbers.into_iter().eq(0..EACH));
        node.hears_nothing_for(Duration::from_millis(20)).await;
        node.settles_at(1).await;
    }
}

#[tokio::test]
async fn timers_come_back_in_time_and_messages_to_self_arrive() {
    let mut community = Community::new("alone");
    let mut node = community.start(Limits::default()).await;
    node.order(Order::Remind(Duration::from_millis(120), 2))
        .await;
    node.order(Order::Remind(Duration::from_millis(40), 1))
        .await;
    node.ping(node.id(), 3).await;
    let itself = node.id();
    assert_eq!(node.next().await, Report::Heard(itself, Note::Ping(3)));
    assert_eq!(node.next().await, Report::Heard(itself, Note::Pong(3)));
    for expected in [1, 2] {
        let Report::Reminded { name, due, now } = node.next().await else {
            panic!("not a timer");
        };
        assert_eq!(name, expected);
        assert!(
            now >= due && now.since(due) < Duration::from_millis(200),
            "{due:?} {now:?}"
        );
    }
    assert_eq!(node.handle.counters().messages_out, 0);
}

#[tokio::test]
async fn a_dead_address_is_unreachable_within_seconds_and_dialled_rarely() {
    let mut community = Community::new("dead");
    let absent = community.member().certificate.node();
    let mut node = community.start(Limits::default()).await;
    node.order(Order::Know(absent, dead_address())).await;
    let started = Ticks::now();
    for number in 0..50 {
        node.ping(absent, number).await;
    }
    assert_eq!(node.next().await, Report::Unreachable(absent));
    assert!(started.elapsed() < Duration::from_secs(5));
    // One report for all of them, and no further dial without a message.
    node.hears_nothing_for(SOON).await;
    assert_eq!(node.handle.counters().dropped, 50);
}

#[tokio::test]
async fn without_an_address_unreachable_at_once_then_after_a_wait() {
    let mut community = Community::new("unknown");
    let unknown = community.member().certificate.node();
    let mut node = community.start(Limits::default()).await;
    let started = Ticks::now();
    node.ping(unknown, 1).await;
    assert_eq!(node.next().await, Report::Unreachable(unknown));
    assert!(started.elapsed() < SOON);
    node.ping(unknown, 2).await;
    assert_eq!(node.next().await, Report::Unreachable(unknown));
    assert!(started.elapsed() >= Duration::from_millis(500));
}

#[tokio::test]
async fn long_messages_pass_and_too_long_ones_are_not_sent() {
    let limits = Limits {
        max_message: 3 << 20,
        ..Limits::default()
    };
    let mut community = Community::new("long");
    let mut nodes = community.start_many(2, &limits).await;
    let (mut b, mut a) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    // Longer than any window; 9 bytes are the encoding's.
    let blob = Note::Blob(vec![5; (3 << 20) - 9]);
    assert_eq!(base::encode(&blob).len(), 3 << 20);
    a.send(b.id(), blob.clone()).await;
    assert_eq!(b.next().await, Report::Heard(a.id(), blob));
    a.send(b.id(), Note::Blob(vec![5; 3 << 20])).await;
    assert_eq!(a.next().await, Report::Unreachable(b.id()));
    a.ping(b.id(), 1).await;
    assert_eq!(a.next().await, pong_from(&b, 1));
}

#[tokio::test]
async fn a_full_queue_drops_and_says_so_once() {
    let limits = Limits {
        queue_bytes: 10_000,
        dial_timeout: Duration::from_secs(1),
        ..Limits::default()
    };
    let mut community = Community::new("queue");
    let absent = community.member().certificate.node();
    let mut node = community.start(limits).await;
    node.order(Order::Know(absent, dead_address())).await;
    let started = Ticks::now();
    for _ in 0..30 {
        node.send(absent, Note::Blob(vec![0; 1000])).await;
    }
    assert_eq!(node.next().await, Report::Unreachable(absent));
    assert!(started.elapsed() < SOON);
    assert!(node.handle.counters().dropped > 15);
    // The next is for those that waited for the dial.
    assert_eq!(node.next().await, Report::Unreachable(absent));
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert_eq!(node.handle.counters().dropped, 30);
}

#[tokio::test]
async fn idle_connections_close_and_open_again_without_loss() {
    let limits = Limits {
        idle_after: Duration::from_millis(300),
        ..Limits::default()
    };
    let mut community = Community::new("idle");
    let mut nodes = community.start_many(2, &limits).await;
    let (mut b, mut a) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    // At every distance from the moment of closing.
    for number in 0..12 {
        a.ping(b.id(), number).await;
        assert_eq!(b.next().await, ping_from(&a, number));
        assert_eq!(a.next().await, pong_from(&b, number));
        sleep(Duration::from_millis(260 + 12 * number)).await;
    }
    a.hears_nothing_for(Duration::from_millis(10)).await;
}

#[tokio::test]
async fn a_node_with_room_for_two_reaches_twelve() {
    let narrow = Limits {
        max_connections: 2,
        ..Limits::default()
    };
    let mut community = Community::new("narrow");
    let mut hub = community.start(narrow).await;
    let mut others = community.start_many(12, &Limits::default()).await;
    for (number, other) in others.iter_mut().enumerate() {
        hub.knows(other).await;
        hub.ping(other.id(), number as u64).await;
        assert_eq!(other.next().await, ping_from(&hub, number as u64));
        assert_eq!(hub.next().await, pong_from(other, number as u64));
    }
}

#[tokio::test]
async fn an_application_that_does_not_read_slows_peers_and_loses_nothing() {
    let slow = Limits {
        events: 2,
        inbox_messages: 2,
        queue_messages: 5000,
        ..Limits::default()
    };
    let mut community = Community::new("slow");
    let mut nodes = community.start_many(2, &slow).await;
    let (mut b, a) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    for number in 0..2000 {
        a.send(b.id(), Note::Pong(number)).await;
    }
    sleep(SOON).await;
    let waiting = b.handle.counters().messages_in;
    assert!(waiting < 50, "{waiting} were taken");
    // Commands pass, whatever waits.
    for number in 0..100 {
        b.order(Order::Remind(Duration::ZERO, number)).await;
    }
    let reports = b.take(2100).await;
    let heard = reports
        .iter()
        .filter(|report| matches!(report, Report::Heard(..)));
    assert!(
        heard.eq((0..2000)
            .map(|number| Report::Heard(a.id(), Note::Pong(number)))
            .collect::<Vec<_>>()
            .iter())
    );
}

#[tokio::test]
async fn shutdown_lets_queued_messages_arrive() {
    let mut community = Community::new("flush");
    let mut nodes = community.start_many(2, &Limits::default()).await;
    let (mut b, a) = (nodes.pop().unwrap(), nodes.pop().unwrap());
    for number in 0..500 {
        a.send(b.id(), Note::Blob(vec![number as u8; 5000])).await;
    }
    // The commands are in the loop's hands when this one has been carried out.
    a.order(Order::Remind(Duration::ZERO, 0)).await;
    sleep(Duration::from_millis(1)).await;
    let started = Ticks::now();
    let (_, reports) = tokio::join!(a.handle.shutdown(), b.take(500));
    assert!(started.elapsed() < Duration::from_secs(3));
    assert!(
        reports
            .iter()
            .all(|report| matches!(report, Report::Heard(..)))
    );
    b.hears_nothing_for(SOON).await;
    assert!(
        a.handle
            .command(Order::Remind(Duration::ZERO, 0))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn shutdown_leaves_no_task() {
    let alive = || {
        tokio::runtime::Handle::current()
            .metrics()
            .num_alive_tasks()
    };
    assert_eq!(alive(), 0);
    let mut community = Community::new("tasks");
    let absent = community.member().certificate.node();
    let brisk = Limits {
        shutdown_timeout: Duration::from_millis(200),
        ..Limits::default()
    };
    let mut nodes = community.start_many(5, &brisk).await;
    for place in 0..5 {
        let to = nodes[(place + 1) % 5].id();
        nodes[place].ping(to, 1).await;
        // A dial that is still under way.
        nodes[place]
            .order(Order::Know(absent, dead_address()))
            .await;
        nodes[place].ping(absent, 1).await;
    }
    for node in &mut nodes {
        node.take(2).await;
    }
    assert!(alive() > 10);
    let closing: Vec<_> = nodes.iter().map(|node| node.handle.clone()).collect();
    let closing = closing
        .into_iter()
        .map(|handle| tokio::spawn(async move { handle.shutdown().await }));
    for closed in closing.collect::<Vec<_>>() {
        closed.await.expect("a clean shutdown");
    }
    // A second time is no different.
    nodes[0].handle.shutdown().await;
    drop(nodes);
    for _ in 0..100 {
        if alive() == 0 {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("{} tasks are left", alive());
}

#[tokio::test]
async fn dropping_every_handle_shuts_down() {
    let mut community = Community::new("dropped");
    let node = community.start(Limits::default()).await;
    let address = node.handle.local_addr();
    let mut reports = node.reports;
    drop(node.handle);
    assert_eq!(reports.recv().await, None);
    for _ in 0..100 {
        if UdpSocket::bind(address).is_ok() {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("the port is still taken");
}

#[tokio::test]
async fn binds_the_given_address_only_and_says_when_it_cannot() {
    let mut community = Community::new("bind");
    let node = community.start(Limits::default()).await;
    let address = node.handle.local_addr();
    let table = std::fs::read_to_string("/proc/net/udp6").unwrap_or_default();
    let port = format!(":{:04X} ", address.port());
    assert!(address.ip().is_loopback() && !table.contains(&port));

    let config = HostConfig {
        key: crypto::SigningKey::from_seed([1; 32]),
        bind: address,
        limits: Limits::default(),
        door: None,
        relays: Relays::default(),
    };
    let NetError::Bind {
        address: named,
        reason,
    } = Bound::bind(config).await.unwrap_err();
    assert_eq!(named, address);
    assert!(reason.contains("in use"), "{reason}");
}
