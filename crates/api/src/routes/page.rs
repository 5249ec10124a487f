//! Paths by which the page gets in, and what it looks up.

use std::sync::{MutexGuard, PoisonError};

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use tokio::time::Instant;

use super::{Body, Here, Named, Shared};
use crate::fault::{Fault, Kind};
use crate::guard::shown;
use crate::request::Request;
use crate::session::{CODE_WITHIN, Sessions, Unopened};
use crate::token::Token;
use crate::words::{Checked, NewSession, PageCode, Preview, Session, Table};

/// A code that opens the page once, within two minutes.
#[utoipa::path(post, path = "/v1/page/codes", responses(
    (status = 201, description = "The code", body = PageCode),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn invite(State(shared): Here) -> Result<(StatusCode, Json<PageCode>), Fault> {
    let code = secret()?;
    let invited = PageCode {
        code: code.as_str().to_owned(),
        within_secs: CODE_WITHIN.as_secs(),
    };
    sessions(&shared).invite(code, Instant::now());
    Ok((StatusCode::CREATED, Json(invited)))
}

/// Swap a code for a session. It needs no token, and works once: the second time also ends the session of the first.
#[utoipa::path(post, path = "/v1/page/sessions", request_body = NewSession, security(()), responses(
    (status = 201, description = "The session", body = Session),
    (status = 401, description = "There is no such code, or it was used before", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn open(
    State(shared): Here,
    Body(new): Body<NewSession>,
) -> Result<(StatusCode, Json<Session>), Fault> {
    let session = secret()?;
    let reply = Session {
        session: session.as_str().to_owned(),
    };
    let opened = sessions(&shared).open(new.code.as_bytes(), session, Instant::now());
    opened.map_err(|why| {
        let error = match why {
            Unopened::Unknown => "this link does not open the page, or not any more",
            Unopened::Used => {
                "this link was used before; in case somebody else did, what it had opened is closed"
            }
        };
        Fault::new(Kind::Token, error, "open the page anew: commonhold open")
    })?;
    Ok((StatusCode::CREATED, Json(reply)))
}

/// End the session that is shown.
#[utoipa::path(delete, path = "/v1/page/sessions", responses(
    (status = 204, description = "It is over"),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn close(State(shared): Here, headers: HeaderMap) -> StatusCode {
    if let Some(shown) = shown(&headers) {
        sessions(&shared).close(shown);
    }
    StatusCode::NO_CONTENT
}

/// The tables and columns that questions may be about.
#[utoipa::path(get, path = "/v1/vocabulary", responses(
    (status = 200, description = "All tables", body = [Table]),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn vocabulary(State(shared): Here) -> Result<Json<Vec<Table>>, Fault> {
    shared.json(Request::Vocabulary).await
}

/// What the owner's data would say to a question from another member. Nothing is sent to anybody.
#[utoipa::path(get, path = "/v1/inbox/{id}/preview", params(("id" = String, Path, description = "Its name, or how that begins")), responses(
    (status = 200, description = "What would be sent, before it is split into random shares", body = Preview),
    (status = 404, description = "There is none of that name", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn preview(State(shared): Here, Named(id): Named) -> Result<Json<Preview>, Fault> {
    shared.json(|reply| Request::Preview(id, reply)).await
}

/// Check the proof of an answer once more, of this node's own or a published one.
#[utoipa::path(get, path = "/v1/questions/{id}/check", params(("id" = String, Path, description = "Its name, or how that begins")), responses(
    (status = 200, description = "Whether it holds, and what it shows", body = Checked),
    (status = 404, description = "There is no such question, or no answer to it", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn check(State(shared): Here, Named(id): Named) -> Result<Json<Checked>, Fault> {
    shared.json(|reply| Request::Check(id, reply)).await
}

/// Nothing that is done under the lock can fail half-way.
pub(super) fn sessions(shared: &Shared) -> MutexGuard<'_, Sessions> {
    shared
        .sessions
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
}

fn secret() -> Result<Token, Fault> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| {
        Fault::new(
            Kind::Failed,
            "the operating system gives no random numbers",
            "see its log",
        )
    })?;
    Ok(Token::new(bytes))
}
