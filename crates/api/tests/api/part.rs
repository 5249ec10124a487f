//! Long lists, a part at a time; the codes of errors, each with a page.

use api::{Client, Kind, document};
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::bench::{Bench, Call, bench, helping, imports, turned_away};

/// A part of a list, and where the next one is.
async fn part(bench: &Bench, path: &str) -> (Value, Option<String>) {
    let call = Call::get(path).request;
    let response = bench.router.clone().oneshot(call).await.expect("answers");
    assert_eq!(response.status(), StatusCode::OK, "{path}");
    let link = response.headers().get("link");
    let link = link.map(|link| link.to_str().expect("text").to_owned());
    let body = axum::body::to_bytes(response.into_body(), 1 << 20).await;
    let list = serde_json::from_slice(&body.expect("a body")).expect("JSON");
    let next = link.map(|link| {
        let next = link.strip_prefix('<').expect("a link");
        next.strip_suffix(">; rel=\"next\"")
            .expect("to the next")
            .to_owned()
    });
    (list, next)
}

#[tokio::test]
async fn a_list_is_followed_to_its_end() {
    let bench = bench();
    let (first, next) = part(&bench, "/v1/questions?limit=1").await;
    let next = next.expect("there are two");
    let (second, end) = part(&bench, &next).await;
    let (both, none) = part(&bench, "/v1/questions").await;
    assert_eq!(json!([first[0], second[0]]), both);
    assert_eq!((end, none), (None, None));

    // Where the question alone is no name, or there is a number instead of one.
    for (list, all) in [
        ("/v1/helping", json!(helping())),
        ("/v1/data/imports", json!(imports())),
    ] {
        let (mut read, mut path) = (Vec::new(), Some(format!("{list}?limit=1")));
        while let Some(from) = path {
            let (found, next) = part(&bench, &from).await;
            read.extend(found.as_array().expect("a list").iter().cloned());
            path = next;
        }
        assert_eq!(json!(read), all, "{list}");
    }

    let mut path = Some("/v1/data/tables/t/rows?limit=100".to_owned());
    let mut numbers = Vec::new();
    while let Some(from) = path {
        let (found, next) = part(&bench, &from).await;
        let cells = found["rows"].as_array().expect("rows").iter();
        numbers.extend(cells.map(|cells| cells[0].clone()));
        path = next;
    }
    let all: Vec<_> = (1..=250)
        .map(|number: u64| json!(number.to_string()))
        .collect();
    assert_eq!(numbers, all);
}

#[tokio::test]
async fn the_consent_log_has_parts_as_well() {
    let bench = bench();
    let (all, _) = part(&bench, "/v1/consent?from=1").await;
    let count = all["entries"].as_array().expect("entries").len();
    assert!(count > 1, "the example has several");
    let (one, next) = part(&bench, "/v1/consent?from=1&limit=1").await;
    assert_eq!(one["entries"], json!([all["entries"][0]]));
    let second = all["entries"][0]["number"].as_u64().expect("a number") + 1;
    assert_eq!(next, Some(format!("/v1/consent?from={second}&limit=1")));
    // Without a beginning it is the end that is wanted.
    let (last, _) = part(&bench, "/v1/consent?limit=1").await;
    assert_eq!(last["entries"], json!([all["entries"][count - 1]]));
}

#[tokio::test]
async fn a_part_that_makes_no_sense_is_refused() {
    let bench = bench();
    for wrong in ["limit=0", "limit=1001", "limit=x", "limit=-1", "first=3"] {
        for list in ["questions", "helping", "data/imports"] {
            turned_away(&bench, Call::get(&format!("/v1/{list}?{wrong}")), 400).await;
        }
    }
    for wrong in ["limit=0", "limit=x", "from=-1"] {
        turned_away(&bench, Call::get(&format!("/v1/consent?{wrong}")), 400).await;
    }
    turned_away(&bench, Call::get("/v1/data/tables/t/rows?after=x"), 400).await;
    turned_away(&bench, Call::get("/v1/data/calendar?from=today"), 400).await;
    let gone = Call::get("/v1/questions?after=nobody").send(&bench).await;
    assert_eq!(gone.0, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn the_client_reads_all_parts() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let (requests, mut orders) = tokio::sync::mpsc::channel(8);
    let api = api::Api {
        token: crate::bench::token(),
        port: address.port(),
        requests,
        events: tokio::sync::broadcast::channel(8).0,
    };
    tokio::spawn(api::serve(listener, api.router(), std::future::pending()));
    let entry = |number: usize| api::InboxEntry {
        id: format!("{number:064x}"),
        ..crate::bench::entry()
    };
    tokio::spawn(async move {
        while let Some(request) = orders.recv().await {
            if let api::Request::Inbox(reply) = request {
                drop(reply.send(Ok((0..2345).map(entry).collect())));
            }
        }
    });
    let all = Client::new(address, crate::bench::token()).inbox().await;
    let all = all.expect("read");
    assert_eq!((all.len(), &all[2344]), (2345, &entry(2344)));
}

#[tokio::test]
async fn each_code_has_a_page_and_is_in_the_document() {
    let bench = bench();
    let document = serde_json::to_value(document()).expect("JSON");
    let codes = &document["components"]["schemas"]["Kind"]["enum"];
    assert_eq!(codes.as_array().map(Vec::len), Some(Kind::ALL.len()));
    for kind in Kind::ALL {
        assert!(
            codes
                .as_array()
                .is_some_and(|codes| codes.contains(&kind.code().into()))
        );
        let page = Call::get(&format!("/errors/{}", kind.code())).without("Authorization");
        let (status, text) = page.send(&bench).await;
        assert_eq!(status, StatusCode::OK);
        let text = String::from_utf8(text).expect("text");
        assert!(
            text.contains(&format!("HTTP status {}", kind.status())),
            "{text}"
        );
    }
    let (status, all) = Call::get("/errors")
        .without("Authorization")
        .send(&bench)
        .await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        String::from_utf8(all)
            .expect("text")
            .contains("/errors/not_member")
    );
    turned_away(
        &bench,
        Call::get("/errors/nothing").without("Authorization"),
        404,
    )
    .await;
    turned_away(
        &bench,
        Call::get("/errorsome").without("Authorization"),
        401,
    )
    .await;
    let foreign = Call::get("/errors").with("Host", "evil.example");
    turned_away(&bench, foreign, 403).await;
    turned_away(&bench, Call::new(Method::POST, "/errors", None), 405).await;
}

#[tokio::test]
async fn secrets_are_not_shown_by_accident() {
    let ticket: api::NewMember = serde_json::from_str("{\"ticket\": \"swordfish\"}").expect("read");
    assert!(!format!("{ticket:?}").contains("swordfish"));
    assert_eq!(ticket.ticket.as_str(), "swordfish");
}
