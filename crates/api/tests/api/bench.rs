//! A router whose node replies with examples.

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

pub const PORT: u16 = 4321;

/// A router whose node replies with examples; how often it was asked; where its events come from.
pub struct Bench {
    pub router: Router,
    pub asked: Arc<AtomicUsize>,
    pub events: broadcast::Sender<Event>,
}

pub fn token() -> Token {
    Token::new([7; 32])
}

pub fn bench() -> Bench {
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

pub fn reply(request: Request) {
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

pub fn status() -> Status {
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

pub fn question() -> Question {
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

pub fn open() -> Question {
    Question {
        state: QuestionState::Announced,
        answer: None,
        ..question()
    }
}

pub fn entry() -> InboxEntry {
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

pub struct Call {
    pub request: HttpRequest<Body>,
}

impl Call {
    pub fn new(method: Method, path: &str, body: Option<Value>) -> Self {
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

    pub fn get(path: &str) -> Self {
        Self::new(Method::GET, path, None)
    }

    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.request
            .headers_mut()
            .insert(name, value.parse().expect("a value"));
        self
    }

    pub fn and(mut self, name: &'static str, value: &str) -> Self {
        self.request
            .headers_mut()
            .append(name, value.parse().expect("a value"));
        self
    }

    pub fn without(mut self, name: &str) -> Self {
        self.request.headers_mut().remove(name);
        self
    }

    pub async fn send(self, bench: &Bench) -> (StatusCode, Vec<u8>) {
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
pub async fn turned_away(bench: &Bench, call: Call, status: u16) {
    let (found, body) = call.send(bench).await;
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(found.as_u16(), status, "{body}");
    assert!(!body["error"].as_str().expect("why").is_empty());
    assert!(!body["what_to_do"].as_str().expect("what to do").is_empty());
    assert_eq!(bench.asked.load(Ordering::Relaxed), 0, "the node was asked");
}
