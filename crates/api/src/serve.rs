//! Connections, their number and their deadlines.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

/// Connections at once: more than the owner's programs will open.
pub const CONNECTIONS_MAX: usize = 64;

/// For the head of a request to arrive.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// After a failed accept: usually no file is left to open.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Longest time for replies to be sent that have been given when it is to end. Who listens for events does so for as long.
const LAST_REPLIES: Duration = Duration::from_millis(200);

/// Answers on `listener` until `stop`, and then whom it was answering. Dropping it cuts what is being answered.
pub async fn serve(listener: TcpListener, router: Router, stop: impl Future<Output = ()>) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    let (ending, going_on) = watch::channel(());
    let mut stop = pin!(stop);
    loop {
        while connections.try_join_next().is_some() {}
        let next = async {
            let place = Arc::clone(&room).acquire_owned().await;
            (place, listener.accept().await)
        };
        let (place, accepted) = tokio::select! {
            () = &mut stop => break,
            next = next => next,
        };
        let (Ok(place), Ok((stream, _))) = (place, accepted) else {
            tokio::time::sleep(AFTER_FAILURE).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        let mut going_on = going_on.clone();
        connections.spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_WITHIN)
                .serve_connection(TokioIo::new(stream), service);
            let mut connection = pin!(connection);
            // A client that breaks off is no news.
            tokio::select! {
                done = connection.as_mut() => drop(done),
                _ = going_on.changed() => {
                    connection.as_mut().graceful_shutdown();
                    drop(connection.await);
                }
            }
            drop(place);
        });
    }
    drop((listener, ending));
    let answered = async { while connections.join_next().await.is_some() {} };
    drop(timeout(LAST_REPLIES, answered).await);
}
