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
        Request::Shutdown(reply) | Request::Leave(reply) => drop(reply.send(Ok(()))),
        Request::Ask(new, reply) if new.sql.is_empty() => {
            drop(reply.send(Err(Fault::new(
                Kind::Refused,
                "the text is empty",
                "write a question",
            ))));
        }
        Request::Ask(_, reply) => drop(reply.send(Ok(question()))),
        Request::Questions(reply) => drop(reply.send(Ok(vec![question(), open()]))),
        Request::Published(reply) => drop(reply.send(Ok(vec![published()]))),
        Request::Question(id, reply) | Request::Cancel(id, reply) | Request::Publish(id, reply) => {
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
        Request::Helping(reply) => drop(reply.send(Ok(helping()))),
        Request::Holdings(reply) => drop(reply.send(Ok(holdings()))),
        Request::Imports(reply) => drop(reply.send(Ok(imports()))),
        Request::Import(new, file, reply) => {
            drop(reply.send(if new.name == "empty" {
                Err(Fault::new(Kind::Refused, "nothing is in it", "look at it"))
            } else {
                Ok(report(&new, &file))
            }));
        }
        Request::Undo(number, reply) => drop(reply.send(match number {
            1 => Ok(Removed { rows: 3 }),
            _ => Err(unknown()),
        })),
        Request::Export(table, reply) => drop(reply.send(match table.as_str() {
            "t" => Ok(b"x\n1\n".to_vec()),
            _ => Err(unknown()),
        })),
        Request::Profile(reply) => drop(reply.send(Ok(profile(None)))),
        Request::SetProfile(mut new, reply) => {
            drop(reply.send(Ok(profile(new.says.remove("town")))));
        }
        Request::Forget(table, reply) => drop(reply.send(match table.as_str() {
            "t" => Ok(Removed { rows: 1 }),
            _ => Err(unknown()),
        })),
        Request::Calendar(days, reply) => drop(reply.send(Ok(calendar(days)))),
        Request::Places(reply) => drop(reply.send(Ok(Places {
            count: 9000,
            places: vec![[48.5, -2.25]],
        }))),
        Request::Rows(table, after, most, reply) => drop(reply.send(match table.as_str() {
            "t" => Ok(rows(after, most)),
            _ => Err(unknown()),
        })),
        Request::Beginning(reply) | Request::Begin(_, reply) => {
            drop(reply.send(Ok(beginning())));
        }
        Request::Join(new, reply) => drop(reply.send(match new.ticket.as_str() {
            "good" => Ok(Joined {
                node: "aa".into(),
                community: "example".into(),
            }),
            _ => Err(Fault::new(Kind::Refused, "it is over", "ask for another")),
        })),
        Request::Receive(reply) => {
            let nowhere = std::fs::File::create("/dev/null");
            drop(reply.send(Ok(nowhere.expect("it is there"))));
        }
        Request::Restore(new, reply) => drop(reply.send(match new.words {
            Some(_) => Ok(Restored {
                community: Some("example".into()),
                config: None,
            }),
            None => Err(Fault::new(Kind::Refused, "not this one", "try again")),
        })),
        Request::Words(show, reply) => drop(reply.send(match show.passphrase {
            None => Ok(RecoveryWords {
                words: vec!["abandon".into(); 24],
            }),
            Some(_) => Err(Fault::new(Kind::Passphrase, "not this one", "try again")),
        })),
        Request::Rotate(new, reply) => drop(reply.send(match new.new_passphrase {
            None => Ok(beginning()),
            Some(_) => Err(Fault::new(Kind::Passphrase, "not this one", "try again")),
        })),
        Request::Backup(_, reply) => drop(reply.send(Ok(backup()))),
        Request::Vocabulary(reply) => drop(reply.send(Ok(vocabulary()))),
        Request::Preview(id, reply) => {
            drop(reply.send(if id == "bb" {
                Ok(preview())
            } else {
                Err(unknown())
            }));
        }
        Request::Check(id, reply) => {
            drop(reply.send(if id == "aa" {
                Ok(checked())
            } else {
                Err(unknown())
            }));
        }
        Request::Inbox(reply) => drop(reply.send(Ok(vec![entry()]))),
        Request::Decide(_, _, reply) => drop(reply.send(Ok(entry()))),
        Request::Rules(reply) | Request::SetDefault(_, reply) => drop(reply.send(Ok(rules()))),
        Request::AddRule(_, reply) => drop(reply.send(Ok(rule(2)))),
        Request::RemoveRule(number, reply) => drop(reply.send(match number {
            1 => Ok(rules()),
            _ => Err(unknown()),
        })),
        Request::ConsentLog(from, reply) => drop(reply.send(Ok(consent_log(from)))),
        Request::Revoke(revoke, reply) => drop(reply.send(match revoke.rule {
            Some(9) => Err(unknown()),
            _ => Ok(revoked()),
        })),
        Request::Budget(reply) | Request::SetBudget(_, reply) => drop(reply.send(Ok(budget()))),
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

/// As many rows as there are between 1 and 250.
pub fn rows(after: u64, most: usize) -> Rows {
    let numbers = after + 1..=250;
    let row = |number: u64| vec![Some(number.to_string()), None];
    Rows {
        columns: vec!["x".into(), "y".into()],
        rows: numbers.take(most).map(row).collect(),
    }
}

pub fn calendar(days: Days) -> Calendar {
    Calendar {
        from_day: days.from.unwrap_or(-3),
        to_day: days.to.unwrap_or(4),
        tables: vec![TableDays {
            name: "t".into(),
            days: vec![DayRows { day: -1, rows: 7 }],
        }],
    }
}

pub fn beginning() -> Beginning {
    Beginning {
        name: "at home".into(),
        words_kept: false,
        member: true,
        key_kept_by: "file".into(),
        key_kept_where: "the file /home/vault.key".into(),
        folder: "/home".into(),
    }
}

/// Longer than a piece.
pub fn backup() -> Backup {
    let path = std::env::temp_dir().join(format!("commonhold-api-{}", std::process::id()));
    std::fs::write(&path, vec![5; BACKUP_BYTES]).expect("a file");
    let file = std::fs::File::open(&path).expect("opened");
    Backup {
        name: "a.backup".into(),
        file,
        bytes: BACKUP_BYTES as u64,
    }
}

pub const BACKUP_BYTES: usize = 600_000;

pub fn status() -> Status {
    Status {
        problems: vec![Problem {
            verdict: Verdict::Warn,
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
            smallest_crowd: 7,
            tables: vec!["t".into()],
        },
        may_ask: true,
        enrol: None,
        listens: "127.0.0.1:1".into(),
        announces: vec![],
        folder: "/home".into(),
        version: "0".into(),
        peers_known: 3,
        peers_remembered: 4,
        reach: Reach {
            reached: ReachState::No,
            asked_at: Some(1),
            asked: 3,
            yes: 0,
            no: 2,
            seen: vec!["192.0.2.1".into()],
        },
        relays: vec![],
        other_versions: vec![],
        traffic: Traffic {
            connections: 1,
            messages_in: 2,
            messages_out: 3,
            bytes_in: 4,
            bytes_out: 5,
            dropped: 6,
            refused: 7,
            slowed: 8,
            other_callers: 9,
            by_purpose: vec![],
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
        rules: 2,
        budget: budget(),
    }
}

pub fn question() -> Question {
    Question {
        id: "aa".into(),
        sql: "SELECT COUNT(*) FROM t".into(),
        title: String::new(),
        purpose: "to see".into(),
        asked_at: 1,
        consent_until: 2,
        state: QuestionState::Answered,
        note: String::new(),
        answer: Some(Answer {
            summary: "7 people".into(),
            people: String::new(),
            details: json!({"count": 7}),
            complete: true,
        }),
        published: true,
    }
}

/// Two parts in one question, and one in another.
pub fn helping() -> Vec<Helping> {
    let part = |id: &str, role, lane| Helping {
        id: id.into(),
        asker: "bb".into(),
        role,
        lane,
        step: HelpingStep::Closed,
        at: 4,
    };
    vec![
        part("aa", HelpingRole::Replica, Some(2)),
        part("aa", HelpingRole::Witness, None),
        part("cc", HelpingRole::Witness, None),
    ]
}

pub fn published() -> Published {
    Published {
        id: "aa".into(),
        asker: "cc".into(),
        sql: "SELECT COUNT(*) FROM t".into(),
        purpose: "to see".into(),
        asked_at: 1,
        received_at: 3,
        answer: question().answer.expect("it has one"),
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
        asker_since: None,
        sql: String::new(),
        about: None,
        smallest_crowd: None,
        purpose: String::new(),
        received_at: 1,
        until: 2,
        state: InboxState::Waiting,
        by_rule: false,
        rule: None,
        sent_at: None,
        contributed_at: None,
        note: String::new(),
    }
}

pub fn rule(number: u32) -> Rule {
    Rule {
        number,
        says: ConsentRule::Yes,
        asker: Some("cc".into()),
        table: Some("t".into()),
        columns: Some(vec!["x".into()]),
        question: None,
    }
}

pub fn rules() -> Rules {
    Rules {
        rules: vec![rule(2), rule(1)],
        default: ConsentRule::Ask,
    }
}

const CONSENT_ENTRIES: u64 = 9;

pub fn consent_log(from: Option<u64>) -> ConsentLog {
    let entry = ConsentEntry {
        at: 1,
        step: ConsentStep::Came,
        question: Some("aa".into()),
        asker: Some("cc".into()),
        sql: Some("SELECT COUNT(*) FROM t".into()),
        purpose: None,
        rule: Some(2),
        text: "yes, said your rule 2".into(),
    };
    let numbers = from.unwrap_or(1)..=CONSENT_ENTRIES;
    let logged = |number| ConsentLogged {
        number,
        digest: "dd".into(),
        entry: entry.clone(),
    };
    ConsentLog {
        entries: numbers.map(logged).collect(),
        count: CONSENT_ENTRIES,
        digest: "dd".into(),
    }
}

pub fn revoked() -> Revoked {
    Revoked {
        rules: vec![1],
        default: false,
        questions: vec!["aa".into()],
        too_late: vec![TooLate {
            question: "bb".into(),
            sent_at: 3,
            contributed_at: None,
        }],
        left: rules(),
    }
}

pub fn budget() -> Budget {
    Budget {
        limit: Some(Limit {
            questions: 5,
            period_secs: 86_400,
        }),
        spent: 2,
        free_at: None,
    }
}

pub fn vocabulary() -> Vec<Table> {
    let column = |name: &str, kind| Column {
        name: name.into(),
        kind,
        min: None,
        max: None,
        decimals: None,
        words: vec![],
    };
    let number = Column {
        min: Some("-1.5".into()),
        max: Some("24".into()),
        decimals: Some(1),
        ..column("x", ColumnKind::Number)
    };
    let category = Column {
        words: vec!["good".into(), "bad".into()],
        ..column("y", ColumnKind::Category)
    };
    vec![Table {
        name: "t".into(),
        columns: vec![number, category, column("z", ColumnKind::Text)],
    }]
}

pub fn profile(value: Option<String>) -> Vec<ProfileField> {
    vec![ProfileField {
        column: Column {
            name: "town".into(),
            kind: ColumnKind::Text,
            min: None,
            max: None,
            decimals: None,
            words: Vec::new(),
        },
        about: "where the owner lives".into(),
        value,
    }]
}

pub fn holdings() -> Holdings {
    Holdings {
        tables: vec![HeldTable {
            name: "t".into(),
            rows: 3,
            first_at: Some(1),
            last_at: None,
            computed: false,
            of_community: true,
        }],
    }
}

pub fn imports() -> Vec<Import> {
    let import = |number| Import {
        number,
        file: "a.gpx".into(),
        format: "GPX".into(),
        bytes: 100,
        at: 1,
        kept: 3,
        duplicate: 1,
        skipped: 0,
        undone_at: None,
    };
    [3, 2, 1].map(import).to_vec()
}

pub fn report(new: &NewImport, file: &[u8]) -> ImportReport {
    ImportReport {
        format: "CSV".into(),
        numbers: (!new.preview).then_some(1).into_iter().collect(),
        replaces: new.table.clone().into_iter().collect(),
        kept: vec![Counted {
            name: "bytes".into(),
            count: file.len() as u64,
        }],
        duplicate: 0,
        repeated: 0,
        skipped: vec![],
        unusable_cells: 0,
        faults: vec![],
    }
}

pub fn preview() -> Preview {
    Preview {
        outcome: PreviewOutcome::Match,
        values: vec![PreviewValue {
            name: "x".into(),
            value: "7.2".into(),
        }],
        numbers: 3,
        rows: None,
    }
}

pub fn checked() -> Checked {
    let seat = |node: &str, at| Seat {
        node: node.into(),
        at,
    };
    Checked {
        holds: true,
        why: None,
        bytes: 3000,
        took_us: 1500,
        signatures: 15,
        answer: question().answer,
        ring: Some(Ring {
            asker: seat("aa", 0.5),
            point: 0.25,
            setter: "bb".into(),
            builders: vec![seat("cc", 0.125), seat("dd", 0.75)],
            helpers: vec![Helper {
                node: "ee".into(),
                lane: 0,
                signed: true,
            }],
            witnesses: 2,
        }),
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
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| body["code"] == kind.code());
    assert_eq!(kind.map(Kind::status), Some(status), "{body}");
    assert!(!body["error"].as_str().expect("why").is_empty());
    assert!(!body["what_to_do"].as_str().expect("what to do").is_empty());
    assert_eq!(bench.asked.load(Ordering::Relaxed), 0, "the node was asked");
}
