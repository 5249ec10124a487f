//! Who gets in, and what is turned away before the node hears of it.

use std::sync::Arc;

use api::{Api, BODY_BYTES_MAX};
use axum::http::{Method, StatusCode};
use serde_json::json;
use tokio::sync::{broadcast, mpsc};

use crate::bench::{Bench, Call, PORT, bench, token, turned_away};

#[tokio::test]
async fn nobody_speaks_without_the_token() {
    let bench = bench();
    let right = token().as_str().to_owned();
    turned_away(
        &bench,
        Call::get("/v1/status").without("Authorization"),
        401,
    )
    .await;
    for wrong in [
        "",
        "Bearer",
        "Bearer ",
        &right,
        &format!("bearer {right}"),
        &format!("Bearer {right}0"),
        &format!("Bearer {}", "0".repeat(64)),
        &format!("Basic {right}"),
    ] {
        turned_away(
            &bench,
            Call::get("/v1/status").with("Authorization", wrong),
            401,
        )
        .await;
    }
    turned_away(
        &bench,
        Call::get("/v1/status").and("Authorization", "Bearer x"),
        401,
    )
    .await;
    // Nothing is told of what exists.
    turned_away(
        &bench,
        Call::get("/v1/nothing").without("Authorization"),
        401,
    )
    .await;
    let (status, _) = Call::get("/v1/status").send(&bench).await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn names_from_elsewhere_are_refused() {
    let bench = bench();
    turned_away(&bench, Call::get("/v1/status").without("Host"), 403).await;
    for wrong in [
        "evil.example",
        "evil.example:4321",
        "127.0.0.1",
        "127.0.0.1:4322",
        "localhost",
        "127.0.0.1.evil.example:4321",
    ] {
        turned_away(&bench, Call::get("/v1/status").with("Host", wrong), 403).await;
        turned_away(&bench, Call::get("/openapi.json").with("Host", wrong), 403).await;
        // A request's first line may name a host as well, which then counts.
        let absolute = format!("http://{wrong}/v1/status");
        turned_away(&bench, Call::get(&absolute), 403).await;
    }
    turned_away(
        &bench,
        Call::get("/v1/status").and("Host", "127.0.0.1:4321"),
        403,
    )
    .await;
    for right in ["localhost:4321", "[::1]:4321"] {
        let (status, _) = Call::get("/v1/status")
            .with("Host", right)
            .send(&bench)
            .await;
        assert_eq!(status, StatusCode::OK, "{right}");
    }
    let absolute = Call::get("http://localhost:4321/v1/status");
    assert_eq!(absolute.send(&bench).await.0, StatusCode::OK);
}

#[tokio::test]
async fn pages_from_elsewhere_are_refused() {
    let bench = bench();
    for wrong in [
        "http://evil.example",
        "https://127.0.0.1:4321",
        "http://127.0.0.1:4322",
        "http://127.0.0.1",
        "null",
        "",
    ] {
        turned_away(&bench, Call::get("/v1/status").with("Origin", wrong), 403).await;
        turned_away(
            &bench,
            Call::get("/openapi.json").with("Origin", wrong),
            403,
        )
        .await;
    }
    // As a browser opens a WebSocket for a page: it asks nobody whether it may.
    for path in ["/v1/events", "/v1/status", "/"] {
        let socket = Call::get(path)
            .with("Connection", "Upgrade")
            .with("Upgrade", "websocket")
            .with("Sec-WebSocket-Version", "13")
            .with("Sec-WebSocket-Key", "AAAAAAAAAAAAAAAAAAAAAA==")
            .with("Origin", "http://evil.example");
        turned_away(&bench, socket, 403).await;
    }
    for right in ["http://127.0.0.1:4321", "http://localhost:4321"] {
        let (status, _) = Call::get("/v1/status")
            .with("Origin", right)
            .send(&bench)
            .await;
        assert_eq!(status, StatusCode::OK, "{right}");
    }
}

#[tokio::test]
async fn bodies_are_short_json_of_the_right_shape() {
    let bench = bench();
    let ask = |body| Call::new(Method::POST, "/v1/questions", Some(body));
    turned_away(&bench, ask(json!({"sql": "x".repeat(BODY_BYTES_MAX)})), 413).await;
    turned_away(
        &bench,
        ask(json!({"sql": "x"})).with("Content-Type", "text/plain"),
        415,
    )
    .await;
    turned_away(
        &bench,
        ask(json!({"sql": "x"})).without("Content-Type"),
        415,
    )
    .await;
    turned_away(&bench, ask(json!({"sql": 7})), 400).await;
    turned_away(&bench, ask(json!({"purpose": "x"})), 400).await;
    turned_away(&bench, ask(json!({"sql": "x", "deadline": "now"})), 400).await;
    turned_away(
        &bench,
        Call::new(
            Method::POST,
            "/v1/inbox/bb",
            Some(json!({"answer": "maybe"})),
        ),
        400,
    )
    .await;
}

#[tokio::test]
async fn other_paths_and_methods_are_refused_in_words() {
    let bench = bench();
    for path in [
        "/v1",
        "/v1/nothing",
        "/v1/questions/",
        "/v1/questions/aa/bb",
        "/v2/status",
    ] {
        turned_away(&bench, Call::get(path), 404).await;
    }
    turned_away(&bench, Call::new(Method::DELETE, "/v1/status", None), 405).await;
    turned_away(&bench, Call::get("/v1/shutdown"), 405).await;
}

#[tokio::test]
async fn a_node_that_has_stopped_is_said_to_stop() {
    let (requests, orders) = mpsc::channel(1);
    drop(orders);
    let (events, _) = broadcast::channel(1);
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
    turned_away(&bench, Call::get("/v1/status"), 503).await;
}
