//! The page's files, and how a browser gets in.

use std::io::Read;
use std::sync::atomic::Ordering;

use api::{CODE_WITHIN, Client};
use axum::http::{Method, StatusCode};
use axum::response::Response;
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::bench::{Bench, Call, PORT, bench, turned_away};

const SESSIONS: &str = "/v1/page/sessions";

async fn response(bench: &Bench, call: Call) -> Response {
    let router = bench.router.clone();
    router.oneshot(call.request).await.expect("never fails")
}

async fn said(bench: &Bench, call: Call, status: u16) -> Value {
    let (found, body) = call.send(bench).await;
    assert_eq!(found.as_u16(), status);
    serde_json::from_slice(&body).expect("JSON")
}

async fn code(bench: &Bench) -> String {
    let invite = Call::new(Method::POST, "/v1/page/codes", None);
    let code = said(bench, invite, 201).await;
    assert_eq!(code["within_secs"], CODE_WITHIN.as_secs());
    code["code"].as_str().expect("a code").to_owned()
}

/// As the page does: from its own address, without a token.
fn swap(code: &str) -> Call {
    Call::new(Method::POST, SESSIONS, Some(json!({ "code": code })))
        .without("Authorization")
        .with("Origin", &format!("http://127.0.0.1:{PORT}"))
}

async fn session(bench: &Bench) -> String {
    let opened = said(bench, swap(&code(bench).await), 201).await;
    opened["session"].as_str().expect("a session").to_owned()
}

fn status_with(session: &str) -> Call {
    Call::get("/v1/status").with("Authorization", &format!("Bearer {session}"))
}

#[tokio::test]
async fn a_code_opens_a_session_that_may_what_the_token_may() {
    let bench = bench();
    let session = session(&bench).await;
    let (status, _) = status_with(&session).send(&bench).await;
    assert_eq!(status, StatusCode::OK);
    let lock = Call::new(Method::DELETE, SESSIONS, None)
        .with("Authorization", &format!("Bearer {session}"));
    let (status, _) = lock.send(&bench).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    bench.asked.store(0, Ordering::Relaxed);
    turned_away(&bench, status_with(&session), 401).await;
}

#[tokio::test]
async fn a_code_that_is_used_twice_ends_what_it_opened() {
    let bench = bench();
    let code = code(&bench).await;
    turned_away(&bench, status_with(&code), 401).await;
    let opened = said(&bench, swap(&code), 201).await;
    let session = opened["session"].as_str().expect("a session").to_owned();
    turned_away(&bench, swap(&code), 401).await;
    turned_away(&bench, status_with(&session), 401).await;
}

/// Whoever has stolen a session, or left a page open, hears no more than it lasts.
#[tokio::test]
async fn events_end_with_the_session() {
    let bench = bench();
    let session = session(&bench).await;
    let with = |call: Call| call.with("Authorization", &format!("Bearer {session}"));
    let listen = with(Call::get("/v1/events"));
    let mut heard = response(&bench, listen).await.into_body();
    let event = |number| api::Event {
        number,
        at: 1,
        kind: api::EventKind::Peers,
        question: None,
        text: "met".into(),
    };
    bench.events.send(event(1)).expect("heard");
    let first = heard.frame().await.expect("a frame").expect("whole");
    let first = first.into_data().expect("data");
    assert!(first.starts_with(b"event: peers"), "{first:?}");
    let lock = with(Call::new(Method::DELETE, SESSIONS, None));
    assert_eq!(lock.send(&bench).await.0, StatusCode::NO_CONTENT);
    bench.events.send(event(2)).expect("heard");
    assert!(heard.frame().await.is_none(), "nothing of what comes after");
}

#[tokio::test]
async fn nobody_gets_a_code_or_a_session_from_elsewhere() {
    let bench = bench();
    let invite = || Call::new(Method::POST, "/v1/page/codes", None);
    turned_away(&bench, invite().without("Authorization"), 401).await;
    let code = code(&bench).await;
    for wrong in ["", "0", &"0".repeat(64), &format!("{code}0")] {
        turned_away(&bench, swap(wrong), 401).await;
    }
    // A page of somebody else, or a name of his that is made to point here.
    turned_away(
        &bench,
        swap(&code).with("Origin", "http://evil.example"),
        403,
    )
    .await;
    turned_away(&bench, swap(&code).with("Host", "evil.example:4321"), 403).await;
    // A form can only send text.
    turned_away(&bench, swap(&code).with("Content-Type", "text/plain"), 415).await;
    // What can be read without a token is not more than that.
    let read = Call::get(SESSIONS).without("Authorization");
    turned_away(&bench, read, 401).await;
    // None of these has used it up.
    let (status, _) = swap(&code).send(&bench).await;
    assert_eq!(status, StatusCode::CREATED);
}

#[tokio::test]
async fn the_page_is_served_to_whoever_names_this_node() {
    let bench = bench();
    for (path, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/page/style.css", "text/css; charset=utf-8"),
        ("/page/main.js", "text/javascript; charset=utf-8"),
        ("/page/panels/home.js", "text/javascript; charset=utf-8"),
        ("/page/icon.svg", "image/svg+xml"),
    ] {
        let found = response(&bench, Call::get(path).without("Authorization")).await;
        assert_eq!(found.status(), StatusCode::OK, "{path}");
        assert_eq!(found.headers()["content-type"], kind);
        turned_away(&bench, Call::get(path).with("Host", "evil.example"), 403).await;
        turned_away(&bench, Call::get(path).with("Origin", "null"), 403).await;
        turned_away(&bench, Call::new(Method::POST, path, None), 405).await;
    }
    assert_eq!(bench.asked.load(Ordering::Relaxed), 0, "the node was asked");
}

#[tokio::test]
async fn a_path_is_a_name_on_the_list_or_nothing() {
    let bench = bench();
    for path in [
        "/page/",
        "/page/index.html",
        "/page/../Cargo.toml",
        "/page/..%2f..%2fCargo.toml",
        "/page/%2e%2e/src/lib.rs",
        "/page//etc/passwd",
        "/page/style.css/",
        "/page/style.css%00",
        "/page/vendor/README.md",
        "/page/%ff",
        "/errors/%ff",
        "/v1/questions/%ff",
        "/v1/inbox/%ff/preview",
        "/v1/data/tables/%ff",
    ] {
        turned_away(&bench, Call::get(path), 404).await;
    }
}

#[tokio::test]
async fn a_browser_is_told_to_load_from_nowhere_else() {
    let bench = bench();
    for path in ["/", "/page/main.js", "/v1/status", "/v1/nothing"] {
        let found = response(&bench, Call::get(path)).await;
        let header = |name: &str| found.headers()[name].to_str().expect("a text").to_owned();
        let policy = header("content-security-policy");
        for part in [
            "default-src 'none'",
            "script-src 'self'",
            "connect-src 'self'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        ] {
            assert!(policy.contains(part), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("cross-origin-resource-policy"), "same-origin");
        assert_eq!(header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn the_client_gives_an_address_that_opens_the_page() {
    let bench = bench();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let (requests, _orders) = tokio::sync::mpsc::channel(1);
    let api = api::Api {
        token: crate::bench::token(),
        port: address.port(),
        requests,
        events: bench.events.clone(),
    };
    tokio::spawn(api::serve(listener, api.router(), std::future::pending()));
    let client = Client::new(address, crate::bench::token());
    let (url, secs) = client.page().await.expect("an address");
    let code = url.strip_prefix(&format!("http://{address}/#code="));
    assert_eq!(code.expect("of this node").len(), 64);
    assert_eq!(secs, CODE_WITHIN.as_secs());
}

/// Whoever does not ask for it gets plain text, as scripts do.
#[tokio::test]
async fn browsers_get_files_packed() {
    let bench = bench();
    let packed = Call::get("/page/words.js").with("Accept-Encoding", "gzip, deflate, br");
    let response = response(&bench, packed).await;
    assert_eq!(response.headers()["content-encoding"], "gzip");
    assert_eq!(response.headers()["vary"], "Accept-Encoding");
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    let body = body.expect("a body");
    let mut text = String::new();
    let mut reader = flate2::read::GzDecoder::new(&body[..]);
    reader.read_to_string(&mut text).expect("it unpacks");
    let (status, plain) = Call::get("/page/words.js").send(&bench).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(text.as_bytes(), &plain[..]);
    assert!(body.len() * 2 < plain.len(), "{} bytes", body.len());
}
