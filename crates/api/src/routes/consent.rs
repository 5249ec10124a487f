//! Paths about the consent log.

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::LINK;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::part::PART_MAX;
use super::{Body, Here};
use crate::fault::{Fault, Kind};
use crate::request::Request;
use crate::words::{ConsentLog, Revoke, Revoked};

/// Which entries.
#[derive(Debug, Deserialize)]
pub(super) struct Since {
    from: Option<u64>,
    limit: Option<usize>,
}

/// The consent log, at most a thousand entries at once, the oldest first.
#[utoipa::path(get, path = "/v1/consent",
    params(("from" = Option<u64>, Query, description = "The number of the first entry that is wanted; the latest ones when it is left out"),
        ("limit" = Option<usize>, Query, description = "At most so many entries, 1 to 1000; 1000 when it is left out", minimum = 1, maximum = 1000)), responses(
    (status = 200, description = "The entries, and where the log ends; the header Link leads to what comes next", body = ConsentLog),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn log(
    State(shared): Here,
    since: Result<Query<Since>, QueryRejection>,
) -> Result<Response, Fault> {
    let unread = |why: String| {
        let what_to_do = format!("give numbers; the limit is from 1 to {PART_MAX}");
        Fault::new(Kind::Request, why, what_to_do)
    };
    let Query(Since { from, limit }) = since.map_err(|why| unread(why.body_text()))?;
    let limit = limit.unwrap_or(PART_MAX);
    if !(1..=PART_MAX).contains(&limit) {
        return Err(unread("the limit is out of range".into()));
    }
    let mut log = shared
        .call(|reply| Request::ConsentLog(from, reply))
        .await?;
    match from {
        Some(_) => log.entries.truncate(limit),
        None => drop(log.entries.drain(..log.entries.len().saturating_sub(limit))),
    }
    let last = log.entries.last().map(|entry| entry.number);
    Ok(match last.filter(|last| *last < log.count) {
        Some(last) => {
            let next = format!(
                "</v1/consent?from={}&limit={limit}>; rel=\"next\"",
                last + 1
            );
            ([(LINK, next)], Json(log)).into_response()
        }
        None => Json(log).into_response(),
    })
}

/// Take consent back: a rule, the yes to one question, or every yes. The reply says what it was too late for.
#[utoipa::path(post, path = "/v1/consent/revoke", request_body = Revoke, responses(
    (status = 200, description = "What was taken back, and what cannot be any more", body = Revoked),
    (status = 400, description = "It is not clear what to take back", body = Fault),
    (status = 404, description = "There is no such rule or question", body = Fault),
    (status = 409, description = "Nothing was said yes to", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn revoke(
    State(shared): Here,
    Body(revoke): Body<Revoke>,
) -> Result<Json<Revoked>, Fault> {
    let named = [revoke.rule.is_some(), revoke.question.is_some(), revoke.all];
    if named.iter().filter(|named| **named).count() != 1 {
        let what_to_do = "give a rule, a question, or all: one of the three";
        return Err(Fault::new(
            Kind::Request,
            "it is not clear what to take back",
            what_to_do,
        ));
    }
    shared.json(|reply| Request::Revoke(revoke, reply)).await
}
