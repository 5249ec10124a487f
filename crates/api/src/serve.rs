//! Connections, their number and their deadlines.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

/// Connections at once: more than the owner's programs will open.
pub const CONNECTIONS_MAX: usize = 64;

/// For the head of a request to arrive.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// After a failed accept: usually no file is left to open.
const AFTER_FAILURE: Duration = Duration::from_millis(100);

/// Answers on `listener` until it is dropped; dropping it also cuts what is being answered.
pub async fn serve(listener: TcpListener, router: Router) {
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        let Ok(place) = Arc::clone(&room).acquire_owned().await else {
            return;
        };
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(AFTER_FAILURE).await;
            continue;
        };
        let service = TowerToHyperService::new(router.clone());
        connections.spawn(async move {
            let connection = http1::Builder::new()
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_WITHIN)
                .serve_connection(TokioIo::new(stream), service);
            // A client that breaks off is no news.
            drop(connection.await);
            drop(place);
        });
    }
}
