//! Whether every route says what the document says that it does.

use std::collections::BTreeSet;

use api::document;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::bench::{BACKUP_BYTES, Call, bench};

/// Every operation of the document with a body for it, and what it replies.
fn operations() -> Vec<(Method, &'static str, &'static str, Option<Value>, u16)> {
    let word = Some(json!({"answer": "always"}));
    let rule = Some(json!({"says": "no", "table": "t", "columns": ["x"]}));
    let says = Some(json!({"says": "ask"}));
    let limit = Some(json!({"limit": {"questions": 5, "period_secs": 86_400}}));
    let revoke = |what: Value| Some(what);
    let ask = Some(json!({"sql": "SELECT COUNT(*) FROM t"}));
    vec![
        (Method::GET, "/v1/status", "/v1/status", None, 200),
        (Method::POST, "/v1/shutdown", "/v1/shutdown", None, 204),
        (Method::POST, "/v1/leave", "/v1/leave", None, 204),
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
        (
            Method::POST,
            "/v1/questions/{id}/publish",
            "/v1/questions/aa/publish",
            None,
            200,
        ),
        (
            Method::POST,
            "/v1/questions/{id}/publish",
            "/v1/questions/bb/publish",
            None,
            404,
        ),
        (Method::GET, "/v1/published", "/v1/published", None, 200),
        (Method::GET, "/v1/helping", "/v1/helping", None, 200),
        (Method::GET, "/v1/helping", "/v1/helping?limit=1", None, 200),
        (
            Method::GET,
            "/v1/data/imports",
            "/v1/data/imports",
            None,
            200,
        ),
        (Method::GET, "/v1/inbox", "/v1/inbox", None, 200),
        (Method::POST, "/v1/inbox/{id}", "/v1/inbox/bb", word, 200),
        (Method::GET, "/v1/rules", "/v1/rules", None, 200),
        (Method::POST, "/v1/rules", "/v1/rules", rule, 201),
        (
            Method::DELETE,
            "/v1/rules/{number}",
            "/v1/rules/1",
            None,
            200,
        ),
        (
            Method::DELETE,
            "/v1/rules/{number}",
            "/v1/rules/9",
            None,
            404,
        ),
        (
            Method::DELETE,
            "/v1/rules/{number}",
            "/v1/rules/x",
            None,
            404,
        ),
        (
            Method::PUT,
            "/v1/rules/default",
            "/v1/rules/default",
            says,
            200,
        ),
        (Method::GET, "/v1/budget", "/v1/budget", None, 200),
        (Method::PUT, "/v1/budget", "/v1/budget", limit, 200),
        (Method::GET, "/v1/consent", "/v1/consent", None, 200),
        (Method::GET, "/v1/consent", "/v1/consent?from=7", None, 200),
        (
            Method::POST,
            "/v1/consent/revoke",
            "/v1/consent/revoke",
            revoke(json!({"rule": 1})),
            200,
        ),
        (
            Method::POST,
            "/v1/consent/revoke",
            "/v1/consent/revoke",
            revoke(json!({"rule": 9})),
            404,
        ),
        (
            Method::POST,
            "/v1/consent/revoke",
            "/v1/consent/revoke",
            revoke(json!({"rule": 1, "all": true})),
            400,
        ),
        (Method::GET, "/v1/doctor", "/v1/doctor", None, 200),
        (Method::GET, "/v1/data", "/v1/data", None, 200),
        (
            Method::GET,
            "/v1/data/profile",
            "/v1/data/profile",
            None,
            200,
        ),
        (
            Method::PUT,
            "/v1/data/profile",
            "/v1/data/profile",
            Some(json!({"says": {"town": "Paris"}})),
            200,
        ),
        (
            Method::POST,
            "/v1/data/imports",
            "/v1/data/imports?name=a.csv&preview=true",
            None,
            200,
        ),
        (
            Method::POST,
            "/v1/data/imports",
            "/v1/data/imports?name=empty",
            None,
            422,
        ),
        (
            Method::DELETE,
            "/v1/data/imports/{number}",
            "/v1/data/imports/1",
            None,
            200,
        ),
        (
            Method::DELETE,
            "/v1/data/imports/{number}",
            "/v1/data/imports/x",
            None,
            404,
        ),
        (
            Method::GET,
            "/v1/data/tables/{table}",
            "/v1/data/tables/t",
            None,
            200,
        ),
        (
            Method::GET,
            "/v1/data/tables/{table}",
            "/v1/data/tables/u",
            None,
            404,
        ),
        (
            Method::DELETE,
            "/v1/data/tables/{table}",
            "/v1/data/tables/t",
            None,
            200,
        ),
        (
            Method::DELETE,
            "/v1/data/tables/{table}",
            "/v1/data/tables/u",
            None,
            404,
        ),
        (
            Method::GET,
            "/v1/data/calendar",
            "/v1/data/calendar?from=-9&to=9",
            None,
            200,
        ),
        (Method::GET, "/v1/data/places", "/v1/data/places", None, 200),
        (
            Method::GET,
            "/v1/data/tables/{table}/rows",
            "/v1/data/tables/t/rows?limit=5&after=7",
            None,
            200,
        ),
        (
            Method::GET,
            "/v1/data/tables/{table}/rows",
            "/v1/data/tables/u/rows",
            None,
            404,
        ),
        (Method::GET, "/v1/beginning", "/v1/beginning", None, 200),
        (
            Method::PUT,
            "/v1/beginning",
            "/v1/beginning",
            Some(json!({"name": "at home", "words_kept": true})),
            200,
        ),
        (
            Method::POST,
            "/v1/beginning/join",
            "/v1/beginning/join",
            Some(json!({"ticket": "good"})),
            201,
        ),
        (
            Method::POST,
            "/v1/beginning/join",
            "/v1/beginning/join",
            Some(json!({"ticket": "over"})),
            422,
        ),
        (
            Method::PUT,
            "/v1/beginning/backup",
            "/v1/beginning/backup",
            None,
            204,
        ),
        (
            Method::POST,
            "/v1/beginning/restore",
            "/v1/beginning/restore",
            Some(json!({"words": "right"})),
            201,
        ),
        (
            Method::POST,
            "/v1/beginning/restore",
            "/v1/beginning/restore",
            Some(json!({"passphrase": "wrong"})),
            422,
        ),
        (
            Method::POST,
            "/v1/key/words",
            "/v1/key/words",
            Some(json!({})),
            200,
        ),
        (
            Method::POST,
            "/v1/key/words",
            "/v1/key/words",
            Some(json!({"passphrase": "wrong"})),
            422,
        ),
        (
            Method::POST,
            "/v1/key/rotate",
            "/v1/key/rotate",
            Some(json!({})),
            200,
        ),
        (
            Method::POST,
            "/v1/key/rotate",
            "/v1/key/rotate",
            Some(json!({"passphrase": "wrong", "new_passphrase": "eight letters"})),
            422,
        ),
        (
            Method::POST,
            "/v1/backups",
            "/v1/backups",
            Some(json!({})),
            201,
        ),
        (Method::GET, "/v1/vocabulary", "/v1/vocabulary", None, 200),
        (
            Method::GET,
            "/v1/inbox/{id}/preview",
            "/v1/inbox/bb/preview",
            None,
            200,
        ),
        (
            Method::GET,
            "/v1/inbox/{id}/preview",
            "/v1/inbox/aa/preview",
            None,
            404,
        ),
        (
            Method::GET,
            "/v1/questions/{id}/check",
            "/v1/questions/aa/check",
            None,
            200,
        ),
        (
            Method::GET,
            "/v1/questions/{id}/check",
            "/v1/questions/bb/check",
            None,
            404,
        ),
        (Method::POST, "/v1/page/codes", "/v1/page/codes", None, 201),
        (
            Method::POST,
            "/v1/page/sessions",
            "/v1/page/sessions",
            Some(json!({"code": "0"})),
            401,
        ),
        (
            Method::DELETE,
            "/v1/page/sessions",
            "/v1/page/sessions",
            None,
            204,
        ),
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
            Some("text/csv") => assert_eq!(reply, b"x\n1\n"),
            Some("application/octet-stream") => assert_eq!(reply, [5; BACKUP_BYTES]),
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
    let page = include_str!("../../../../docs/api.md");
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
        Value::Number(number) if number.is_f64() => "number",
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
