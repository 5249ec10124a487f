//! Paths for the first steps, the vault's key, and backups.

use std::fs::File;
use std::io::{self, Read};

use axum::Json;
use axum::body::{Body as Bytes, Bytes as Piece};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::{Body, Here, READ_WITHIN};
use crate::fault::Fault;
use crate::request::Request;
use crate::words::{
    Beginning, Joined, NewBackup, NewBeginning, NewKey, NewMember, RecoveryWords, ShowWords,
};

/// What is read of a backup at once.
const PIECE_BYTES: usize = 256 << 10;

/// How far the owner is with the first steps. It works before the node belongs to a community, as do `/v1/data`, `/v1/key`,
/// `/v1/doctor` and `/v1/events`.
#[utoipa::path(get, path = "/v1/beginning", responses(
    (status = 200, description = "What is done", body = Beginning),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn beginning(State(shared): Here) -> Result<Json<Beginning>, Fault> {
    shared.json(Request::Beginning).await
}

/// Name this node, or say that the recovery words are written down.
#[utoipa::path(put, path = "/v1/beginning", request_body = NewBeginning, responses(
    (status = 200, description = "As it is now", body = Beginning),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn begin(
    State(shared): Here,
    Body(new): Body<NewBeginning>,
) -> Result<Json<Beginning>, Fault> {
    shared.json(|reply| Request::Begin(new, reply)).await
}

/// Join a community by asking the members that the ticket names. The node is on the network when the reply is there, or soon
/// after.
#[utoipa::path(post, path = "/v1/beginning/join", request_body = NewMember, responses(
    (status = 201, description = "It is a member", body = Joined),
    (status = 409, description = "It is a member already", body = Fault),
    (status = 422, description = "The ticket is not good, or the member refused", body = Fault),
    (status = 504, description = "No member answered", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn join(
    State(shared): Here,
    Body(new): Body<NewMember>,
) -> Result<(StatusCode, Json<Joined>), Fault> {
    let joined = shared
        .call_within(READ_WITHIN, |reply| Request::Join(new, reply))
        .await?;
    Ok((StatusCode::CREATED, Json(joined)))
}

/// The recovery words. Whoever sees them opens the vault and every backup made with this key.
#[utoipa::path(post, path = "/v1/key/words", request_body = ShowWords, responses(
    (status = 200, description = "All of them", body = RecoveryWords),
    (status = 422, description = "The passphrase is not the one that keeps the key", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn words(
    State(shared): Here,
    Body(show): Body<ShowWords>,
) -> Result<Json<RecoveryWords>, Fault> {
    shared.json(|reply| Request::Words(show, reply)).await
}

/// Give the vault a new key, kept by a passphrase or by a file, and new recovery words with it. The vault is written anew:
/// it takes as much free space again, and a while.
#[utoipa::path(post, path = "/v1/key/rotate", request_body = NewKey, responses(
    (status = 200, description = "What keeps it now", body = Beginning),
    (status = 422, description = "The passphrase is not the one that keeps the key", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn rotate(
    State(shared): Here,
    Body(new): Body<NewKey>,
) -> Result<Json<Beginning>, Fault> {
    shared
        .call_within(READ_WITHIN, |reply| Request::Rotate(new, reply))
        .await
        .map(Json)
}

/// Make a backup of all that the node is and has, encrypted, and give it out.
#[utoipa::path(post, path = "/v1/backups", request_body = NewBackup, responses(
    (status = 201, description = "The file, for `commonhold backup restore`", body = Vec<u8>, content_type = "application/octet-stream"),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn backup(
    State(shared): Here,
    Body(new): Body<NewBackup>,
) -> Result<Response, Fault> {
    let backup = shared
        .call_within(READ_WITHIN, |reply| Request::Backup(new, reply))
        .await?;
    let called = format!("attachment; filename=\"{}\"", backup.name);
    let mut response = (StatusCode::CREATED, pieces(backup.file)).into_response();
    let headers = response.headers_mut();
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/octet-stream"),
    );
    headers.insert(CONTENT_LENGTH, backup.bytes.into());
    if let Ok(called) = called.parse() {
        headers.insert(CONTENT_DISPOSITION, called);
    }
    Ok(response)
}

/// A file piece by piece, as the reader takes it.
fn pieces(file: File) -> Bytes {
    Bytes::from_stream(stream::try_unfold(file, async |file| {
        let read = tokio::task::spawn_blocking(move || {
            let mut piece = vec![0; PIECE_BYTES];
            let mut from = &file;
            let read = from.read(&mut piece)?;
            piece.truncate(read);
            Ok::<_, io::Error>((piece, file))
        });
        let (piece, file) = read.await.map_err(io::Error::other)??;
        let more = !piece.is_empty();
        Ok::<_, io::Error>(more.then(|| (Piece::from(piece), file)))
    }))
}
