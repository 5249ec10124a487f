//! A member that floods another: it is slowed down, and nobody else waits for it.

mod common;

use base::Duration;
use net::Limits;
use tokio::time::{Instant as Ticks, sleep, timeout};

use common::{Community, Node, Note, Report, pong_from};

fn from(report: &Report, node: &Node) -> bool {
    matches!(report, Report::Heard(from, _) if *from == node.id())
}

/// However slow the node is, few messages of the flood go before somebody else's.
#[tokio::test]
async fn nobody_waits_long_behind_a_flood() {
    let mut community = Community::new("flood");
    let slow = Limits {
        events: 1,
        peer_waiting: 16,
        ..Limits::default()
    };
    let patient = Limits {
        queue_messages: 3000,
        ..Limits::default()
    };
    let mut node = community.start(slow).await;
    let flooder = community.start(patient.clone()).await;
    let mut friend = community.start(patient).await;
    flooder.knows(&node).await;
    friend.knows(&node).await;
    friend.ping(node.id(), 0).await;
    assert_eq!(friend.next().await, pong_from(&node, 0));
    assert!(from(&node.next().await, &friend));
    for number in 0..2000 {
        flooder.send(node.id(), Note::Pong(number)).await;
    }
    // The node's owner reads nothing for a while, so that everything waits that may.
    sleep(Duration::from_millis(500)).await;
    friend.send(node.id(), Note::Pong(1)).await;
    sleep(Duration::from_millis(300)).await;
    let mut before = 0;
    while !from(&node.next().await, &friend) {
        before += 1;
    }
    // Those that waited, the one that its reader held, and those that were told before.
    assert!((1..=24).contains(&before), "{before} went before");
}

/// Who sends more than its share is read at that pace, loses nothing, and the others do not notice.
#[tokio::test]
async fn who_sends_too_much_is_slowed_down() {
    let mut community = Community::new("pace");
    let strict = Limits {
        peer_messages_per_sec: 100,
        ..Limits::default()
    };
    let patient = Limits {
        queue_messages: 3000,
        ..Limits::default()
    };
    let mut node = community.start(strict).await;
    let flooder = community.start(patient.clone()).await;
    let mut friend = community.start(patient).await;
    flooder.knows(&node).await;
    friend.knows(&node).await;
    let started = Ticks::now();
    for number in 0..500 {
        flooder.send(node.id(), Note::Pong(number)).await;
    }
    // Two seconds' worth at once, the rest in three.
    let mut heard = 0;
    let mut asks_at = 0;
    while heard < 500 {
        if heard == asks_at {
            asks_at += 50;
            let asked = Ticks::now();
            friend.ping(node.id(), heard).await;
            let answer = timeout(Duration::from_secs(2), friend.next()).await;
            assert_eq!(answer, Ok(pong_from(&node, heard)));
            assert!(asked.elapsed() < Duration::from_secs(1));
        }
        let report = node.next().await;
        if from(&report, &flooder) {
            assert_eq!(report, Report::Heard(flooder.id(), Note::Pong(heard)));
            heard += 1;
        }
    }
    let took = started.elapsed();
    assert!(took >= Duration::from_millis(2900), "{took:?}");
    let counters = node.handle.counters();
    assert!((280..=300).contains(&counters.slowed), "{counters:?}");
    assert_eq!((counters.misbehaved, counters.dropped), (0, 0));
    assert_eq!(flooder.handle.counters().dropped, 0);
}
