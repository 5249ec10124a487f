//! Paths about the owner's data.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_TYPE, LINK};
use axum::response::{IntoResponse, Response};

use super::{Body, FILE_BYTES_MAX, Here, IMPORTS, Named, Part, READ_WITHIN};
use crate::fault::{Fault, Kind};
use crate::request::Request;
use crate::words::{
    Calendar, Days, Holdings, Import, ImportReport, NewImport, NewProfile, Places, ProfileField,
    Removed, Rows,
};

/// What the vault holds.
#[utoipa::path(get, path = "/v1/data", responses(
    (status = 200, description = "Its tables", body = Holdings),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn holdings(State(shared): Here) -> Result<Json<Holdings>, Fault> {
    shared.json(Request::Holdings).await
}

/// What the owner's profile can say, and what it says. It is a table of one row.
#[utoipa::path(get, path = "/v1/data/profile", responses(
    (status = 200, description = "All that it can say", body = [ProfileField]),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn profile(State(shared): Here) -> Result<Json<Vec<ProfileField>>, Fault> {
    shared.json(Request::Profile).await
}

/// Change it: all that is named, or nothing.
#[utoipa::path(put, path = "/v1/data/profile", request_body = NewProfile, responses(
    (status = 200, description = "As it is now", body = [ProfileField]),
    (status = 422, description = "It has no such column, or that is no value of it", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn set_profile(
    State(shared): Here,
    Body(new): Body<NewProfile>,
) -> Result<Json<Vec<ProfileField>>, Fault> {
    shared.json(|reply| Request::SetProfile(new, reply)).await
}

/// Where it came from: what was imported, the latest first. Imports are named by their numbers.
#[utoipa::path(get, path = "/v1/data/imports", params(Part), responses(
    (status = 200, description = "A part of them; the header Link leads to the next", body = [Import]),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn imports(State(shared): Here, part: Part) -> Result<Response, Fault> {
    let all = shared.call(Request::Imports).await?;
    part.of(IMPORTS, all, |one| one.number.to_string().into())
}

/// Read a file into the vault, or say what it would bring. All of it is there afterwards, or nothing was changed.
#[utoipa::path(post, path = "/v1/data/imports",
    params(("name" = Option<String>, Query, description = "What the file is called"),
        ("table" = Option<String>, Query, description = "The community's table that it replaces; else what it is is found out"),
        ("person" = Option<String>, Query, description = "Who the owner is in a file of several people, by the name that the file has"),
        ("preview" = Option<bool>, Query, description = "Whether to change nothing")),
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 200, description = "What it brings", body = ImportReport),
    (status = 413, description = "Too long: import it while the node is stopped", body = Fault),
    (status = 422, description = "It cannot be read", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn import(
    State(shared): Here,
    options: Result<Query<NewImport>, QueryRejection>,
    request: axum::extract::Request,
) -> Result<Json<ImportReport>, Fault> {
    let Query(options) = options.map_err(|why| {
        Fault::new(
            Kind::Request,
            why.body_text(),
            "see /openapi.json for what this path takes",
        )
    })?;
    // Before the file is read: each is held in memory as a whole.
    let Ok(_place) = Arc::clone(&shared.files).try_acquire_owned() else {
        return Err(Fault::new(
            Kind::Busy,
            "another file is being read",
            "try again when it is done",
        ));
    };
    let file = Bytes::from_request(request, &()).await.map_err(|why| {
        if why.status() != StatusCode::PAYLOAD_TOO_LARGE {
            let what_to_do = "send it again";
            return Fault::new(Kind::Request, "the file broke off", what_to_do);
        }
        let what_to_do = format!(
            "files here have at most {FILE_BYTES_MAX} bytes; stop the node, and use: commonhold data import FILE"
        );
        Fault::new(Kind::Long, "the file is too long", what_to_do)
    })?;
    let request = |reply| Request::Import(options, file.into(), reply);
    shared.call_within(READ_WITHIN, request).await.map(Json)
}

/// Take an import back: the rows that were new with it.
#[utoipa::path(delete, path = "/v1/data/imports/{number}", params(("number" = i64, Path, description = "Its number")), responses(
    (status = 200, description = "They are gone", body = Removed),
    (status = 404, description = "There is none of that number", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn undo(
    State(shared): Here,
    number: Result<Path<i64>, PathRejection>,
) -> Result<Json<Removed>, Fault> {
    let Path(number) = number.map_err(|_| {
        Fault::new(
            Kind::Unknown,
            "imports have numbers",
            "see /v1/data for them",
        )
    })?;
    shared.json(|reply| Request::Undo(number, reply)).await
}

/// The rows of a table, as `data import` reads them back.
#[utoipa::path(get, path = "/v1/data/tables/{table}", params(("table" = String, Path, description = "Its name")), responses(
    (status = 200, description = "All rows", body = String, content_type = "text/csv"),
    (status = 404, description = "There is no such table", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn export(State(shared): Here, Named(table): Named) -> Result<Response, Fault> {
    let rows = shared
        .call_within(READ_WITHIN, |reply| Request::Export(table, reply))
        .await?;
    Ok(([(CONTENT_TYPE, "text/csv")], rows).into_response())
}

/// Forget the rows of a table.
#[utoipa::path(delete, path = "/v1/data/tables/{table}", params(("table" = String, Path, description = "Its name")), responses(
    (status = 200, description = "They are gone", body = Removed),
    (status = 404, description = "There is no such table", body = Fault),
    (status = 409, description = "It is computed from another", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn forget(
    State(shared): Here,
    Named(table): Named,
) -> Result<Json<Removed>, Fault> {
    shared.json(|reply| Request::Forget(table, reply)).await
}

/// How many rows of each table fall on each day.
#[utoipa::path(get, path = "/v1/data/calendar",
    params(("from" = Option<i64>, Query, description = "The first day, in days since 1970 (UTC); a year before the last when it is left out"),
        ("to" = Option<i64>, Query, description = "The last day; when it is left out, the last with rows of those up to today")), responses(
    (status = 200, description = "Tables and days", body = Calendar),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn calendar(
    State(shared): Here,
    days: Result<Query<Days>, QueryRejection>,
) -> Result<Json<Calendar>, Fault> {
    let Query(days) = days.map_err(|why| {
        let what_to_do = "days are whole numbers, counted from 1970";
        Fault::new(Kind::Request, why.body_text(), what_to_do)
    })?;
    shared
        .call_within(READ_WITHIN, |reply| Request::Calendar(days, reply))
        .await
        .map(Json)
}

/// Where the owner was: at most 5,000 places, evenly taken from all positions.
#[utoipa::path(get, path = "/v1/data/places", responses(
    (status = 200, description = "Places", body = Places),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn places(State(shared): Here) -> Result<Json<Places>, Fault> {
    shared
        .call_within(READ_WITHIN, Request::Places)
        .await
        .map(Json)
}

/// Rows of a table, in the order in which they are kept: by their moments where they have some. They are named by their
/// numbers in this order, from 1.
#[utoipa::path(get, path = "/v1/data/tables/{table}/rows", params(("table" = String, Path, description = "Its name"), Part), responses(
    (status = 200, description = "A part of them; the header Link leads to the next", body = Rows),
    (status = 404, description = "There is no such table", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn rows(
    State(shared): Here,
    Named(table): Named,
    part: Part,
    uri: axum::http::Uri,
) -> Result<Response, Fault> {
    let after = match part.after().map(str::parse) {
        None => 0,
        Some(Ok(after)) => after,
        Some(Err(_)) => {
            let what_to_do = "give the number of a row";
            return Err(Fault::new(
                Kind::Request,
                "rows are named by numbers",
                what_to_do,
            ));
        }
    };
    // One more than wanted says whether there are more.
    let most = part.limit() + 1;
    let mut rows = shared
        .call_within(READ_WITHIN, |reply| {
            Request::Rows(table, after, most, reply)
        })
        .await?;
    let more = rows.rows.len() == most;
    rows.rows.truncate(part.limit());
    if !more {
        return Ok(Json(rows).into_response());
    }
    let last = after.saturating_add(rows.rows.len() as u64);
    let next = part.next(uri.path(), &last.to_string());
    Ok(([(LINK, next)], Json(rows)).into_response())
}
