//! Files into the vault.

use std::sync::Arc;

use api::{Api, FILE_BYTES_MAX};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::Value;
use tokio::sync::{broadcast, mpsc};

use crate::bench::{Bench, Call, PORT, bench, token, turned_away};

fn upload(query: &str, file: Vec<u8>) -> Call {
    let mut call = Call::new(Method::POST, &format!("/v1/data/imports{query}"), None);
    *call.request.body_mut() = Body::from(file);
    call.with("Content-Type", "application/octet-stream")
}

#[tokio::test]
async fn a_file_comes_to_the_node_whole_and_as_it_was_meant() {
    let bench = bench();
    let call = upload(
        "?name=my%20file.csv&table=t&preview=true",
        vec![b'x'; FILE_BYTES_MAX],
    );
    let (status, body) = call.send(&bench).await;
    assert_eq!(status, StatusCode::OK);
    let report: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(report["kept"][0]["count"], FILE_BYTES_MAX);
    assert_eq!(
        (&report["number"], &report["replaces"]),
        (&Value::Null, &"t".into())
    );
}

#[tokio::test]
async fn a_file_that_is_too_long_or_asked_for_wrongly_never_gets_there() {
    let bench = bench();
    turned_away(&bench, upload("", vec![b'x'; FILE_BYTES_MAX + 1]), 413).await;
    turned_away(&bench, upload("?preview=maybe", vec![]), 400).await;
    turned_away(&bench, upload("?path=/etc/passwd", vec![]), 400).await;
    turned_away(&bench, upload("", vec![]).without("Authorization"), 401).await;
    let elsewhere = upload("", vec![]).with("Origin", "http://evil.example");
    turned_away(&bench, elsewhere, 403).await;
}

#[tokio::test]
async fn one_file_is_read_at_a_time() {
    let (requests, mut orders) = mpsc::channel(8);
    let (events, _) = broadcast::channel(8);
    let api = Api {
        token: token(),
        port: PORT,
        requests,
        events: events.clone(),
    };
    let bench = Arc::new(Bench {
        router: api.router(),
        asked: Arc::default(),
        events,
    });
    let first = Arc::clone(&bench);
    let first = tokio::spawn(async move { upload("", vec![1]).send(&first).await.0 });
    // The node has it, and takes its time.
    let held = orders.recv().await.expect("the first");
    turned_away(&bench, upload("", vec![2]), 503).await;
    crate::bench::reply(held);
    assert_eq!(first.await.expect("it ends"), StatusCode::OK);
    let again = Arc::clone(&bench);
    let again = tokio::spawn(async move { upload("", vec![3]).send(&again).await.0 });
    crate::bench::reply(orders.recv().await.expect("the next"));
    assert_eq!(again.await.expect("it ends"), StatusCode::OK);
}
