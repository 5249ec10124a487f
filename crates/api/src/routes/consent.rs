//! Paths about the consent log.

use axum::Json;
use axum::extract::{Query, State};
use serde::Deserialize;

use super::{Body, Here};
use crate::fault::{Fault, Kind};
use crate::request::Request;
use crate::words::{ConsentLog, Revoke, Revoked};

/// Which entries.
#[derive(Debug, Deserialize)]
pub(super) struct Since {
    from: Option<u64>,
}

/// The consent log, at most a thousand entries at once, the oldest first.
#[utoipa::path(get, path = "/v1/consent", params(("from" = Option<u64>, Query, description = "The number of the first entry that is wanted; the latest thousand when it is left out")), responses(
    (status = 200, description = "The entries, and where the log ends", body = ConsentLog),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn log(
    State(shared): Here,
    Query(Since { from }): Query<Since>,
) -> Result<Json<ConsentLog>, Fault> {
    shared.json(|reply| Request::ConsentLog(from, reply)).await
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
