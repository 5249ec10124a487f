//! Peers that end and start again, while the connections of the process before may still seem to be there.

mod common;

use base::Duration;
use net::Limits;
use tokio::runtime::{Builder, Runtime};
use tokio::time::sleep;

use common::{Community, Note, Report, any_port, ping_from, pong_from};

const SOON: Duration = Duration::from_millis(300);

#[tokio::test]
async fn a_restarted_peer_is_reached_again() {
    let mut community = Community::new("restart");
    let member = community.member();
    let mut a = community.start(Limits::default()).await;
    let mut b = community
        .start_as(&member, any_port(), Limits::default())
        .await;
    a.knows(&b).await;
    a.ping(b.id(), 1).await;
    assert_eq!(a.next().await, pong_from(&b, 1));

    let address = b.handle.local_addr();
    b.handle.shutdown().await;
    b = community
        .start_as(&member, address, Limits::default())
        .await;
    a.ping(b.id(), 2).await;
    assert_eq!(b.next().await, ping_from(&a, 2));
    assert_eq!(a.next().await, pong_from(&b, 2));
}

/// `first` says who opened the connection that dies, and `swallowed` whether something is sent into it before its peer is back.
fn kill_and_restart(first: &str, swallowed: bool) {
    let brisk = Limits {
        close_timeout: Duration::from_millis(200),
        dial_timeout: Duration::from_secs(2),
        admission_timeout: Duration::from_secs(2),
        ..Limits::default()
    };
    let at_once = brisk.dial_timeout + brisk.admission_timeout;
    let (living, doomed) = (runtime(), runtime());
    let mut community = Community::new("killed");
    let member = community.member();
    let mut a = living.block_on(community.start(brisk.clone()));
    let mut b = doomed.block_on(community.start_as(&member, any_port(), brisk.clone()));
    living.block_on(async {
        let (from, to) = if first == "a" {
            (&mut a, &mut b)
        } else {
            (&mut b, &mut a)
        };
        from.knows(to).await;
        from.ping(to.id(), 1).await;
        assert_eq!(to.next().await, ping_from(from, 1));
        assert_eq!(from.next().await, pong_from(to, 1));
        // By this a knows that its own last word has arrived: an acknowledgement may not have left b when it dies.
        b.send(a.id(), Note::Blob(vec![])).await;
        assert_eq!(a.next().await, Report::Heard(b.id(), Note::Blob(vec![])));
    });
    // Dies without a word: no task runs any more, the socket closes with them.
    let address = b.handle.local_addr();
    doomed.shutdown_timeout(Duration::from_secs(1));

    living.block_on(async {
        if swallowed {
            a.ping(b.id(), 9).await;
            // Of two that might have dialled at the same time nobody knows whether one has started again.
            let wait = if first == "a" {
                at_once
            } else {
                Duration::ZERO
            };
            sleep(wait + SOON).await;
        }
        let mut b = community.start_as(&member, address, brisk).await;
        b.knows(&a).await;
        b.ping(a.id(), 2).await;
        let mut heard = a.take(if swallowed { 2 } else { 1 }).await;
        heard.sort_by_key(|report| matches!(report, Report::Unreachable(_)));
        assert_eq!(heard[0], ping_from(&b, 2));
        assert!(
            heard[1..]
                .iter()
                .all(|told| *told == Report::Unreachable(b.id()))
        );
        // What was swallowed is not sent again.
        assert_eq!(b.next().await, pong_from(&a, 2));
        // The old connection is not used although it has not timed out.
        a.ping(b.id(), 3).await;
        assert_eq!(b.next().await, ping_from(&a, 3));
        assert_eq!(a.next().await, pong_from(&b, 3));
        a.hears_nothing_for(SOON).await;
        if first == "b" || swallowed {
            // Who dials again does not know its earlier connection any more: it is closed.
            a.settles_at(1).await;
        }
    });
}

fn runtime() -> Runtime {
    let mut builder = Builder::new_multi_thread();
    builder.worker_threads(1).enable_all();
    builder.build().expect("a runtime")
}

#[test]
fn a_peer_that_we_dialled_and_that_was_killed_is_heard_when_it_comes_back() {
    kill_and_restart("a", false);
}

#[test]
fn a_peer_that_dialled_us_and_that_was_killed_is_heard_when_it_comes_back() {
    kill_and_restart("b", false);
}

#[test]
fn that_a_killed_peer_whom_we_dialled_has_swallowed_something_is_told_when_it_comes_back() {
    kill_and_restart("a", true);
}

#[test]
fn that_a_killed_peer_who_dialled_us_has_swallowed_something_is_told_when_it_comes_back() {
    kill_and_restart("b", true);
}
