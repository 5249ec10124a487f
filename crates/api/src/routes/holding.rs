//! Paths about the owner's data.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{FromRequest, Path, Query, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::{FILE_BYTES_MAX, Here, READ_WITHIN};
use crate::fault::{Fault, Kind};
use crate::request::Request;
use crate::words::{Holdings, ImportReport, NewImport, Removed};

/// What the vault holds, and where it came from.
#[utoipa::path(get, path = "/v1/data", responses(
    (status = 200, description = "Tables and imports", body = Holdings),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn holdings(State(shared): Here) -> Result<Json<Holdings>, Fault> {
    shared.json(Request::Holdings).await
}

/// Read a file into the vault, or say what it would bring. All of it is there afterwards, or nothing was changed.
#[utoipa::path(post, path = "/v1/data/imports",
    params(("name" = Option<String>, Query, description = "What the file is called"),
        ("table" = Option<String>, Query, description = "The community's table that it replaces; else what it is is found out"),
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
    let file = Bytes::from_request(request, &()).await.map_err(|_| {
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
pub(super) async fn export(
    State(shared): Here,
    Path(table): Path<String>,
) -> Result<Response, Fault> {
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
    Path(table): Path<String>,
) -> Result<Json<Removed>, Fault> {
    shared.json(|reply| Request::Forget(table, reply)).await
}
