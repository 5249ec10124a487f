//! Paths for the first steps, the vault's key, and backups.

use std::fs::File;
use std::io::{self, Read, Write};
use std::sync::Arc;

use axum::Json;
use axum::body::{Body as Bytes, Bytes as Piece};
use axum::extract::State;
use axum::http::header::{CONTENT_DISPOSITION, CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, StreamExt};

use super::{Body, Here, READ_WITHIN};
use crate::fault::{Fault, Kind};
use crate::request::Request;
use crate::words::{
    Beginning, Joined, NewBackup, NewBeginning, NewKey, NewMember, NewRestore, RecoveryWords,
    Restored, ShowWords,
};

/// Longest backup that is brought.
const BACKUP_BYTES_MAX: u64 = 4 << 30;
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

/// Bring a backup that is to be restored, where there is no community yet. It stays encrypted until then, and takes the place of
/// one that was brought before.
#[utoipa::path(put, path = "/v1/beginning/backup",
    request_body(content = Vec<u8>, content_type = "application/octet-stream"), responses(
    (status = 204, description = "It is there, as it was sent"),
    (status = 409, description = "A node lives here", body = Fault),
    (status = 413, description = "Too long: restore it in a terminal", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn bring(
    State(shared): Here,
    request: axum::extract::Request,
) -> Result<StatusCode, Fault> {
    let Ok(_place) = Arc::clone(&shared.files).try_acquire_owned() else {
        let what_to_do = "try again when it is done";
        return Err(Fault::new(
            Kind::Busy,
            "another file is being read",
            what_to_do,
        ));
    };
    let mut file = shared.call(Request::Receive).await?;
    let mut pieces = request.into_body().into_data_stream();
    let mut bytes = 0;
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| {
            let error = "the backup broke off";
            Fault::new(Kind::Request, error, "send all of it again")
        })?;
        bytes += piece.len() as u64;
        if bytes > BACKUP_BYTES_MAX {
            let what_to_do = "use: commonhold backup restore FILE --dir DIR";
            return Err(Fault::new(Kind::Long, "the backup is too long", what_to_do));
        }
        let written = tokio::task::spawn_blocking(move || file.write_all(&piece).map(|()| file));
        let written = written.await.map_err(io::Error::other).flatten();
        file = written.map_err(|why| {
            let error = format!("the backup cannot be kept: {why}");
            Fault::new(Kind::Failed, error, "free some space, and send it again")
        })?;
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Be what the backup holds that was brought: the same node again, or a vault that waits for its node. It takes the place of an
/// empty vault alone, and all of it is checked before anything is changed. The node is on the network soon after the reply.
#[utoipa::path(post, path = "/v1/beginning/restore", request_body = NewRestore, responses(
    (status = 201, description = "It lives here", body = Restored),
    (status = 409, description = "A node lives here, or no backup was brought", body = Fault),
    (status = 422, description = "It does not open, or the vault is not empty", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn restore(
    State(shared): Here,
    Body(new): Body<NewRestore>,
) -> Result<(StatusCode, Json<Restored>), Fault> {
    let restored = shared
        .call_within(READ_WITHIN, |reply| Request::Restore(new, reply))
        .await?;
    Ok((StatusCode::CREATED, Json(restored)))
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
