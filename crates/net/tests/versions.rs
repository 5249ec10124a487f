//! Programs of different versions refuse each other, and say why.

mod common;

use base::{Duration, NodeId};
use iroh::endpoint::{ConnectError, ConnectingError};
use net::{ALPN, Limits};
use tokio::time::sleep;

use common::{Community, Report, any_port, bare, ping_from, place};

/// What the next version calls itself.
const NEXT: &[u8] = b"commonhold/3";

#[test]
fn the_name_is_the_documented_one() {
    let name = String::from_utf8_lossy(ALPN);
    let document = include_str!("../../../docs/protocol/wire.md");
    let named = format!("application protocol `{name}`");
    assert!(document.contains(&named), "{name} is not in wire.md");
}

#[tokio::test]
async fn a_member_of_another_version_is_named_until_it_speaks_ours() {
    let mut community = Community::new("versions");
    let mut node = community.start(Limits::default()).await;
    let member = community.member();
    let newer = bare(member.seed, any_port(), &[NEXT]).await;
    let address = newer.bound_sockets()[0];
    let name = NodeId(*newer.id().as_bytes());
    let answering = tokio::spawn(async move {
        while let Some(incoming) = newer.accept().await {
            drop(incoming.await);
        }
    });
    node.order(common::Order::Know(name, address)).await;
    node.ping(name, 1).await;
    assert_eq!(node.next().await, Report::Unreachable(name));
    assert_eq!(node.handle.other_versions(), [name]);

    // Its owner goes back to our version.
    answering.abort();
    drop(answering.await);
    let older = community.start_as(&member, address, Limits::default());
    let mut older = older.await;
    older.knows(&node).await;
    older.ping(node.id(), 2).await;
    assert_eq!(node.next().await, ping_from(&older, 2));
    older.next().await;
    assert!(node.handle.other_versions().is_empty());
    // Who is dialled says its time: that of the same machine.
    let apart = older.handle.clocks().expect("a member was dialled");
    assert!(
        apart.members == 1 && apart.by < Duration::from_secs(5),
        "{apart:?}"
    );
}

#[tokio::test]
async fn a_caller_of_another_version_gets_a_clear_word_and_nothing_else() {
    let mut community = Community::new("callers");
    let mut node = community.start(Limits::default()).await;
    let newer = bare([3; 32], any_port(), &[NEXT]).await;
    let at = place(node.id(), node.handle.local_addr());
    for calls in 1..=3 {
        let Err(ConnectError::Connecting {
            source: ConnectingError::ConnectionError { source, .. },
            ..
        }) = newer.connect(at.clone(), NEXT).await
        else {
            panic!("no handshake may end well, and none be left unanswered");
        };
        // The alert of TLS, in its own words.
        let word = source.to_string();
        assert!(word.contains("support any known protocol"), "{word}");
        for _ in 0..100 {
            if node.handle.other_callers() == calls {
                break;
            }
            sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(node.handle.other_callers(), calls);
    }
    // An address alone is anybody's: nobody is named, and nobody shut out for it.
    assert!(node.handle.other_versions().is_empty());
    assert_eq!(node.handle.counters().refused, 0);
    node.hears_nothing_for(Duration::from_millis(20)).await;
}
