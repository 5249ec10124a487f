//! A stranger asks one thing and is answered, by hosts that have a door; and gets no further.

mod common;

use std::net::SocketAddr;

use base::{Duration, NodeId};
use crypto::SigningKey;
use net::{Bound, Door, HostConfig, KNOCK_BYTES_MAX, Knock, KnockError, Limits, Relays, knock};
use tokio::sync::mpsc;

use common::{Community, Node, Pal, any_port};

fn config(seed: u8, door: Option<Door>) -> HostConfig {
    let limits = Limits {
        dial_timeout: Duration::from_secs(1),
        ..Limits::default()
    };
    HostConfig {
        key: SigningKey::from_seed([seed; 32]),
        bind: any_port(),
        limits,
        door,
        relays: Relays::default(),
    }
}

/// A member with a door.
async fn host(community: &mut Community) -> (Node, mpsc::Receiver<Knock>) {
    let member = community.member();
    let (door, knocks) = Door::new();
    let mut config = config(0, Some(door));
    config.key = SigningKey::from_seed(member.seed);
    let bound = Bound::bind(config).await.expect("a free port");
    let admission = net::CertificateAdmission {
        community: community.name,
        issuers: vec![community.authority.node()],
        own: member.certificate,
    };
    let (handle, reports) = bound.run(Pal::default(), admission);
    (Node { handle, reports }, knocks)
}

/// Answers every knock with who knocked and what it said.
fn echo(mut knocks: mpsc::Receiver<Knock>) {
    tokio::spawn(async move {
        while let Some(knock) = knocks.recv().await {
            let said = [knock.from.as_bytes(), knock.request.as_slice()].concat();
            let _ = knock.answer.send(said);
        }
    });
}

fn at(node: &Node) -> (NodeId, Vec<SocketAddr>) {
    (node.id(), vec![node.handle.local_addr()])
}

#[tokio::test]
async fn a_stranger_is_answered_once_and_under_its_own_key() {
    let mut community = Community::new("door");
    let (node, knocks) = host(&mut community).await;
    echo(knocks);
    let me = SigningKey::from_seed([9; 32]).node();
    for request in [&b"let me in"[..], b"", &[7; KNOCK_BYTES_MAX]] {
        let answer = knock(config(9, None), vec![at(&node)], request.to_vec()).await;
        assert_eq!(answer, Ok([me.as_bytes(), request].concat()));
    }
    node.handle.shutdown().await;
}

#[tokio::test]
async fn the_next_member_is_asked_when_one_is_away_or_has_no_door() {
    let mut community = Community::new("door");
    let (node, knocks) = host(&mut community).await;
    echo(knocks);
    let closed = community.start(Limits::default()).await;
    let gone = (SigningKey::from_seed([8; 32]).node(), vec![any_port()]);
    let members = vec![gone.clone(), at(&closed), at(&node)];
    let answer = knock(config(9, None), members, b"hello".to_vec()).await;
    assert!(answer.is_ok(), "{answer:?}");
    let nobody = knock(config(9, None), vec![gone, at(&closed)], vec![1]).await;
    assert_eq!(nobody, Err(KnockError::NoAnswer { tried: 2 }));
    let nowhere = vec![(node.id(), Vec::new())];
    let nobody = knock(config(9, None), nowhere, vec![1]).await;
    assert_eq!(nobody, Err(KnockError::Nobody));
    // Somebody else's key at the right place is not the member.
    let other = (SigningKey::from_seed([7; 32]).node(), at(&node).1);
    let nobody = knock(config(9, None), vec![other], vec![1]).await;
    assert_eq!(nobody, Err(KnockError::NoAnswer { tried: 1 }));
}

#[tokio::test]
async fn long_questions_and_silent_applications_get_no_answer() {
    let mut community = Community::new("door");
    let (node, mut knocks) = host(&mut community).await;
    let long = vec![0; KNOCK_BYTES_MAX + 1];
    let answer = knock(config(9, None), vec![at(&node)], long).await;
    assert_eq!(answer, Err(KnockError::NoAnswer { tried: 1 }));
    assert!(knocks.try_recv().is_err(), "the application never saw it");
    tokio::spawn(async move { while knocks.recv().await.is_some() {} });
    let answer = knock(config(9, None), vec![at(&node)], vec![1]).await;
    assert_eq!(answer, Err(KnockError::NoAnswer { tried: 1 }));
}

#[tokio::test]
async fn who_knocks_too_often_finds_the_gate_shut() {
    let mut community = Community::new("door");
    let (node, knocks) = host(&mut community).await;
    echo(knocks);
    let mut answered = 0;
    for _ in 0..30 {
        let answer = knock(config(9, None), vec![at(&node)], vec![1]).await;
        answered += usize::from(answer.is_ok());
        if answer.is_err() {
            break;
        }
    }
    assert!((20..30).contains(&answered), "{answered}");
    assert!(node.handle.counters().refused > 0);
}
