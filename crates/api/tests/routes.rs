//! Who gets in, and whether every route says what the document says that it does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use api::*;
use axum::Router;
use axum::body::Body;
use axum::http::{Method, Request as HttpRequest, StatusCode};
use http_body_util::BodyExt;
use serde_json::{Value, json};
use tokio::sync::{broadcast, mpsc};
use tower::ServiceExt;

const PORT: u16 = 4321;

/// A router whose node replies with examples; how often it was asked; where its events come from.
struct Bench {
    router: Router,
    asked: Arc<AtomicUsize>,
    events: broadcast::Sender<Event>,
}

fn token() -> Token {
    Token::new([7; 32])
}

fn bench() -> Bench {
    let (requests, mut orders) = mpsc::channel(8);
    let (events, _) = broadcast::channel(8);
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    tokio::spawn(async move {
        while let Some(request) = orders.recv().await {
            count.fetch_add(1, Ordering::Relaxed);
            reply(request);
        }
    });
    let api = Api {
        token: token(),
        port: PORT,
        requests,
        events: events.clone(),
    };
    Bench {
        router: api.router(),
        asked,
        events,
    }
}

fn reply(request: Request) {
    let unknown = || Fault::new(Kind::Unknown, "there is no such question", "see the list");
    match request {
        Request::Status(reply) => drop(reply.send(Ok(status()))),
        Request::Shutdown(reply) => drop(reply.send(Ok(()))),
        Request::Ask(new, reply) if new.sql.is_empty() => {
            drop(reply.send(Err(Fault::new(
                Kind::Refused,
                "the text is empty",
                "write a question",
            ))));
        }
        Request::Ask(_, reply) => drop(reply.send(Ok(question()))),
        Request::Questions(reply) => drop(reply.send(Ok(vec![question(), open()]))),
        Request::Question(id, reply) | Request::Cancel(id, reply) => {
            drop(reply.send(if id == "aa" {
                Ok(question())
            } else {
                Err(unknown())
            }));
        }
        Request::Proof(id, reply) => {
            drop(reply.send(if id == "aa" {
                Ok(vec![1, 2, 3])
            } else {
                Err(unknown())
            }));
        }
        Request::Inbox(reply) => drop(reply.send(Ok(vec![entry()]))),
        Request::Decide(_, _, reply) => drop(reply.send(Ok(entry()))),
        Request::Consent(reply) | Request::SetConsent(_, reply) => drop(reply.send(Ok(consent()))),
        Request::Doctor(reply) => drop(reply.send(Ok(Doctor {
            checks: vec![Check {
                name: "vault".into(),
                verdict: Verdict::Ok,
                found: "opens".into(),
                what_to_do: String::new(),
            }],
        }))),
    }
}

fn status() -> Status {
    Status {
        problems: vec![Problem {
            what: "nobody".into(),
            what_to_do: "wait".into(),
        }],
        node: "aa".into(),
        community: Community {
            name: "example".into(),
            epoch: 1,
            nodes: 12,
            colluders: 3,
            min_crowd: 4,
            tables: vec!["t".into()],
        },
        listens: "127.0.0.1:1".into(),
        announces: vec![],
        folder: "/home".into(),
        version: "0".into(),
        peers_known: 3,
        traffic: Traffic {
            connections: 1,
            messages_in: 2,
            messages_out: 3,
            bytes_in: 4,
            bytes_out: 5,
            dropped: 6,
            refused: 7,
        },
        started_at: 1,
        now: 2,
        disk_free_bytes: None,
        questions: Counts {
            asked: 1,
            open: 1,
            received: 1,
            waiting: 1,
        },
        rule: ConsentRule::Ask,
    }
}

fn question() -> Question {
    Question {
        id: "aa".into(),
        sql: "SELECT COUNT(*) FROM t".into(),
        purpose: "to see".into(),
        asked_at: 1,
        consent_until: 2,
        state: QuestionState::Answered,
        note: String::new(),
        answer: Some(Answer {
            summary: "7 people".into(),
            people: String::new(),
            details: json!({"count": 7}),
        }),
    }
}

fn open() -> Question {
    Question {
        state: QuestionState::Announced,
        answer: None,
        ..question()
    }
}

fn entry() -> InboxEntry {
    InboxEntry {
        id: "bb".into(),
        asker: "cc".into(),
        sql: String::new(),
        purpose: String::new(),
        received_at: 1,
        until: 2,
        state: InboxState::Waiting,
        by_rule: false,
    }
}

fn consent() -> Consent {
    let standing = |sql: Option<&str>| Standing {
        asker: "cc".into(),
        sql: sql.map(Into::into),
        yes: sql.is_some(),
    };
    Consent {
        rule: ConsentRule::Yes,
        standing: vec![standing(None), standing(Some("x"))],
    }
}

struct Call {
    request: HttpRequest<Body>,
}

impl Call {
    fn new(method: Method, path: &str, body: Option<Value>) -> Self {
        let builder = HttpRequest::builder()
            .method(method)
            .uri(path)
            .header("Host", format!("127.0.0.1:{PORT}"))
            .header("Authorization", format!("Bearer {}", token().as_str()));
        let request = match body {
            Some(body) => builder
                .header("Content-Type", "application/json")
                .body(body.to_string().into()),
            None => builder.body(Body::empty()),
        };
        Self {
            request: request.expect("a request"),
        }
    }

    fn get(path: &str) -> Self {
        Self::new(Method::GET, path, None)
    }

    fn with(mut self, name: &'static str, value: &str) -> Self {
        self.request
            .headers_mut()
            .insert(name, value.parse().expect("a value"));
        self
    }

    fn and(mut self, name: &'static str, value: &str) -> Self {
        self.request
            .headers_mut()
            .append(name, value.parse().expect("a value"));
        self
    }

    fn without(mut self, name: &str) -> Self {
        self.request.headers_mut().remove(name);
        self
    }

    async fn send(self, bench: &Bench) -> (StatusCode, Vec<u8>) {
        let response = bench
            .router
            .clone()
            .oneshot(self.request)
            .await
            .expect("never fails");
        assert_eq!(response.headers()["cache-control"], "no-store");
        let status = response.status();
        let body = response
            .into_body()
            .collect()
            .await
            .expect("a body")
            .to_bytes();
        (status, body.into())
    }
}

/// Checks that a call is turned away with this status, in words, before the node hears of it.
async fn turned_away(bench: &Bench, call: Call, status: u16) {
    let (found, body) = call.send(bench).await;
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(found.as_u16(), status, "{body}");
    assert!(!body["error"].as_str().expect("why").is_empty());
    assert!(!body["what_to_do"].as_str().expect("what to do").is_empty());
    assert_eq!(bench.asked.load(Ordering::Relaxed), 0, "the node was asked");
}

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
        "/",
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

/// Every operation of the document with a body for it, and what it replies.
fn operations() -> Vec<(Method, &'static str, &'static str, Option<Value>, u16)> {
    let word = Some(json!({"answer": "always"}));
    let rule = Some(json!({"rule": "ask"}));
    let ask = Some(json!({"sql": "SELECT COUNT(*) FROM t"}));
    vec![
        (Method::GET, "/v1/status", "/v1/status", None, 200),
        (Method::POST, "/v1/shutdown", "/v1/shutdown", None, 204),
        (Method::GET, "/v1/questions", "/v1/questions", None, 200),
        (Method::POST, "/v1/questions", "/v1/questions", ask, 201),
        (
            Method::POST,
            "/v1/questions",
            "/v1/questions",
            Some(json!({"sql": ""})),
            422,
        ),
        (
            Method::GET,
            "/v1/questions/{id}",
            "/v1/questions/aa",
            None,
            200,
        ),
        (
            Method::GET,
            "/v1/questions/{id}",
            "/v1/questions/bb",
            None,
            404,
        ),
        (
            Method::POST,
            "/v1/questions/{id}/cancel",
            "/v1/questions/aa/cancel",
            None,
            200,
        ),
        (
            Method::POST,
            "/v1/questions/{id}/cancel",
            "/v1/questions/bb/cancel",
            None,
            404,
        ),
        (
            Method::GET,
            "/v1/questions/{id}/proof",
            "/v1/questions/aa/proof",
            None,
            200,
        ),
        (
            Method::GET,
            "/v1/questions/{id}/proof",
            "/v1/questions/bb/proof",
            None,
            404,
        ),
        (Method::GET, "/v1/inbox", "/v1/inbox", None, 200),
        (Method::POST, "/v1/inbox/{id}", "/v1/inbox/bb", word, 200),
        (Method::GET, "/v1/consent", "/v1/consent", None, 200),
        (Method::PUT, "/v1/consent", "/v1/consent", rule, 200),
        (Method::GET, "/v1/doctor", "/v1/doctor", None, 200),
    ]
}

#[tokio::test]
async fn every_route_says_what_the_document_says() {
    let bench = bench();
    let (status, document) = Call::get("/openapi.json")
        .without("Authorization")
        .send(&bench)
        .await;
    assert_eq!(status, StatusCode::OK);
    let document: Value = serde_json::from_slice(&document).expect("JSON");
    assert!(
        document["openapi"]
            .as_str()
            .expect("a version")
            .starts_with("3.1")
    );
    let mut documented = BTreeSet::new();
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            documented.insert((method.to_uppercase(), path.clone()));
        }
    }
    let mut called = BTreeSet::from([("GET".to_owned(), "/v1/events".to_owned())]);
    for (method, path, example, body, expected) in operations() {
        let operation = &document["paths"][path][method.as_str().to_lowercase()];
        if let Some(body) = &body {
            let schema = &operation["requestBody"]["content"]["application/json"]["schema"];
            fits(&document, schema, body, path);
        }
        let (status, reply) = Call::new(method.clone(), example, body).send(&bench).await;
        assert_eq!(status.as_u16(), expected, "{method} {example}");
        let content = &operation["responses"][expected.to_string()]["content"];
        match content
            .as_object()
            .map(|kinds| kinds.keys().next().expect("a kind").as_str())
        {
            Some("application/json") => {
                let reply: Value = serde_json::from_slice(&reply).expect("JSON");
                fits(
                    &document,
                    &content["application/json"]["schema"],
                    &reply,
                    path,
                );
            }
            Some("application/cbor") => assert_eq!(reply, [1, 2, 3]),
            kind => assert!(kind.is_none() && reply.is_empty(), "{path}: {kind:?}"),
        }
        called.insert((method.to_string(), path.to_owned()));
    }
    assert_eq!(
        documented, called,
        "every route is documented and called here"
    );
}

#[test]
fn the_page_names_every_route() {
    let page = include_str!("../../../docs/api.md");
    let document = serde_json::to_value(document()).expect("JSON");
    for (path, methods) in document["paths"].as_object().expect("paths") {
        for method in methods.as_object().expect("methods").keys() {
            let line = format!("`{} {path}`", method.to_uppercase());
            assert!(page.contains(&line), "docs/api.md lacks {line}");
        }
    }
}

/// Whether a value has the shape that a schema asks for: as much of JSON Schema as the document uses.
fn fits(document: &Value, schema: &Value, value: &Value, at: &str) {
    if let Some(name) = schema["$ref"].as_str() {
        let name = name
            .strip_prefix("#/components/schemas/")
            .expect("a schema of the document");
        let schema = &document["components"]["schemas"][name];
        assert!(schema.is_object(), "{name} is not in the document");
        return fits(document, schema, value, at);
    }
    if let Some(choices) = schema["oneOf"].as_array() {
        let is_null = |schema: &Value| schema["type"] == "null";
        if value.is_null() {
            assert!(choices.iter().any(is_null), "{at} may not be null");
        } else {
            let choice = choices
                .iter()
                .find(|schema| !is_null(schema))
                .expect("something");
            fits(document, choice, value, at);
        }
        return;
    }
    let kinds: Vec<_> = match &schema["type"] {
        Value::Array(kinds) => kinds.iter().filter_map(Value::as_str).collect(),
        Value::String(kind) => vec![kind.as_str()],
        other => panic!("{at}: a schema of type {other}: {schema}"),
    };
    let kind = match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    };
    assert!(kinds.contains(&kind), "{at}: {value} is no {kinds:?}");
    if let Some(words) = schema["enum"].as_array() {
        assert!(words.contains(value), "{at}: {value} is not in {words:?}");
    }
    if let Some(items) = value.as_array() {
        for item in items {
            fits(document, &schema["items"], item, at);
        }
    }
    if let (Some(fields), Some(known)) = (value.as_object(), schema["properties"].as_object()) {
        for (name, field) in fields {
            let schema = known
                .get(name)
                .unwrap_or_else(|| panic!("{at}: {name} is not documented"));
            fits(document, schema, field, &format!("{at}.{name}"));
        }
        for name in schema["required"].as_array().into_iter().flatten() {
            assert!(
                fields.contains_key(name.as_str().expect("a name")),
                "{at} lacks {name}"
            );
        }
    }
}

fn happened(number: u64) -> Event {
    Event {
        number,
        at: 1,
        kind: EventKind::Question,
        question: Some("aa".into()),
        text: "drawn".into(),
    }
}

#[tokio::test]
async fn events_reach_those_who_listen_and_no_more_than_may() {
    let bench = bench();
    let mut listening = Vec::new();
    for _ in 0..STREAMS_MAX {
        let call = Call::get("/v1/events").request;
        let response = bench
            .router
            .clone()
            .oneshot(call)
            .await
            .expect("never fails");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        listening.push(response.into_body());
    }
    turned_away(&bench, Call::get("/v1/events"), 503).await;
    bench.events.send(happened(1)).expect("heard");
    for body in &mut listening {
        let frame = body.frame().await.expect("a frame").expect("whole");
        let text = String::from_utf8(frame.into_data().expect("data").to_vec()).expect("text");
        assert!(
            text.contains("event: question\n") && text.contains("id: 1\n"),
            "{text}"
        );
    }
    // Whoever goes away makes room.
    listening.pop();
    let call = Call::get("/v1/events").request;
    let response = bench
        .router
        .clone()
        .oneshot(call)
        .await
        .expect("never fails");
    assert_eq!(response.status(), StatusCode::OK);
}

#[tokio::test]
async fn the_client_understands_the_server() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    let (requests, mut orders) = mpsc::channel(8);
    let (events, _) = broadcast::channel(8);
    let api = Api {
        token: token(),
        port: address.port(),
        requests,
        events: events.clone(),
    };
    tokio::spawn(serve(listener, api.router()));
    tokio::spawn(async move {
        while let Some(request) = orders.recv().await {
            reply(request);
        }
    });
    let client = Client::new(address, token());
    assert_eq!(client.status().await, Ok(status()));
    assert_eq!(client.questions().await, Ok(vec![question(), open()]));
    assert_eq!(client.question("aa").await, Ok(question()));
    assert_eq!(client.proof("aa").await, Ok(vec![1, 2, 3]));
    assert_eq!(client.inbox().await, Ok(vec![entry()]));
    assert_eq!(client.decide("bb", Word::Never).await, Ok(entry()));
    assert_eq!(client.shutdown().await, Ok(()));
    let refused = |refused| match refused {
        Err(ClientError::Refused(fault)) => fault.kind,
        other => panic!("{other:?}"),
    };
    assert_eq!(
        refused(client.question("../status").await.map(drop)),
        Kind::Unknown
    );
    let new = NewQuestion {
        sql: String::new(),
        purpose: String::new(),
        consent_secs: 0,
        collect_secs: None,
    };
    assert_eq!(refused(client.ask(&new).await.map(drop)), Kind::Refused);
    let stranger = Client::new(address, Token::new([8; 32]));
    assert_eq!(refused(stranger.status().await.map(drop)), Kind::Token);
    let mut heard = client.events().await.expect("a stream");
    for number in 1..=3 {
        events.send(happened(number)).expect("heard");
        assert_eq!(heard.next().await, Some(happened(number)));
    }
}

#[tokio::test]
async fn where_nobody_listens_no_node_is_running() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let client = Client::new(address, token());
    assert!(matches!(
        client.status().await,
        Err(ClientError::NotRunning(_))
    ));
}
