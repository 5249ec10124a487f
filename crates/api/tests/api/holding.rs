//! Files into the vault.

use std::sync::Arc;

use api::{Api, FILE_BYTES_MAX, Request};
use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
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
        (&report["numbers"], &report["replaces"]),
        (&json!([]), &json!(["t"]))
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

/// One whose node is played by the test.
fn held() -> (Arc<Bench>, mpsc::Receiver<Request>) {
    let (requests, orders) = mpsc::channel(8);
    let (events, _) = broadcast::channel(8);
    let api = Api {
        token: token(),
        port: PORT,
        requests,
        events: events.clone(),
    };
    let bench = Bench {
        router: api.router(),
        asked: Arc::default(),
        events,
    };
    (Arc::new(bench), orders)
}

#[tokio::test]
async fn a_backup_comes_to_the_node_piece_by_piece_as_it_was_sent() {
    let bench = bench();
    let bring = |backup: Vec<u8>| {
        let mut call = Call::new(Method::PUT, "/v1/beginning/backup", None);
        *call.request.body_mut() = Body::from(backup);
        call
    };
    // Longer than any file that is imported.
    let sent: Vec<u8> = (0..FILE_BYTES_MAX + 7).map(|at| (at % 251) as u8).collect();
    let (slow, mut orders) = held();
    let call = bring(sent.clone());
    let brought = tokio::spawn(async move { call.send(&slow).await.0 });
    let path = std::env::temp_dir().join(format!("commonhold-brought-{}", std::process::id()));
    let Some(Request::Receive(reply)) = orders.recv().await else {
        panic!("it is asked for a file");
    };
    let file = std::fs::File::create(&path).expect("a file");
    reply.send(Ok(file)).expect("it waits");
    assert_eq!(brought.await.expect("it ends"), StatusCode::NO_CONTENT);
    assert!(std::fs::read(&path).expect("read") == sent);
    std::fs::remove_file(path).expect("removed");
    turned_away(&bench, bring(vec![]).without("Authorization"), 401).await;
    let elsewhere = bring(vec![]).with("Origin", "http://evil.example");
    turned_away(&bench, elsewhere, 403).await;
}

#[tokio::test]
async fn one_file_is_read_at_a_time() {
    let (bench, mut orders) = held();
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
