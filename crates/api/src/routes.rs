//! Paths and methods, and the OpenAPI document made from them.

mod beginning;
mod consent;
mod events;
mod holding;
mod owner;
mod page;
mod part;
mod taken;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::{DefaultBodyLimit, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::middleware::{Next, from_fn, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post, put};
use axum::{Json, Router};
use tokio::sync::{Semaphore, broadcast, mpsc, oneshot};
use utoipa::OpenApi;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};

use self::part::Part;
use self::taken::Body;
pub(crate) use self::taken::Named;
use crate::errors;
use crate::fault::{Fault, Kind};
use crate::guard::guard;
use crate::page::{self as files, FOLDER};
use crate::request::{Reply, Request};
use crate::session::Sessions;
use crate::token::Token;
use crate::words::{Doctor, Event, Helping, NewQuestion, Published, Question, Status};

/// Longest body of a request: a question has at most some thousand bytes.
pub const BODY_BYTES_MAX: usize = 64 << 10;
/// Longest file that is read into the vault while the node runs: it can do little else meanwhile.
pub const FILE_BYTES_MAX: usize = 64 << 20;
/// Streams of events at once.
pub const STREAMS_MAX: usize = 16;

/// Where the document is.
pub(crate) const DOCUMENT: &str = "/openapi.json";
/// Where files are read.
const IMPORTS: &str = "/v1/data/imports";
/// Where a ticket is used.
const JOINING: &str = "/v1/beginning/join";
/// Where a backup is brought.
const BRINGING: &str = "/v1/beginning/backup";
/// Where it is restored.
const RESTORING: &str = "/v1/beginning/restore";
/// Where the vault's key is exchanged.
const ROTATING: &str = "/v1/key/rotate";
/// Where backups are made.
const BACKUPS: &str = "/v1/backups";
/// Where a code is swapped for a session.
pub(crate) const OPENING: &str = "/v1/page/sessions";

/// Between two lines to who listens, if nothing happens: so that a page notices soon that the node is gone.
const SIGN_OF_LIFE: Duration = Duration::from_secs(4);
/// For the node to reply: nothing that it is asked takes long.
const REPLY_WITHIN: Duration = Duration::from_secs(20);
/// For the node to read a file, to write a table or all of the vault, or for members to let it in.
const READ_WITHIN: Duration = Duration::from_secs(290);
/// For a whole request of that kind.
const DATA_WITHIN: Duration = Duration::from_secs(300);
/// For any other whole request, its body included, up to its response's first byte.
const ALL_WITHIN: Duration = Duration::from_secs(30);

/// What the server is made of.
#[derive(Debug)]
pub struct Api {
    /// Who knows it may speak.
    pub token: Token,
    /// The port on which it listens, which every request must name.
    pub port: u16,
    /// Where requests go.
    pub requests: mpsc::Sender<Request>,
    /// Where events come from.
    pub events: broadcast::Sender<Event>,
}

/// What handlers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) token: Token,
    pub(crate) port: u16,
    requests: mpsc::Sender<Request>,
    events: broadcast::Sender<Event>,
    streams: Arc<Semaphore>,
    sessions: Mutex<Sessions>,
    /// One file at a time.
    files: Arc<Semaphore>,
}

type Here = State<Arc<Shared>>;

impl Api {
    /// All routes behind the guard.
    pub fn router(self) -> Router {
        let shared = Arc::new(Shared {
            token: self.token,
            port: self.port,
            requests: self.requests,
            events: self.events,
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            sessions: Mutex::default(),
            files: Arc::new(Semaphore::new(1)),
        });
        Router::new()
            .route(DOCUMENT, get(openapi))
            .route("/v1/status", get(status))
            .route("/v1/shutdown", post(shutdown))
            .route("/v1/leave", post(leave))
            .route("/v1/questions", get(questions).post(ask))
            .route("/v1/questions/{id}", get(question))
            .route("/v1/questions/{id}/cancel", post(cancel))
            .route("/v1/questions/{id}/proof", get(proof))
            .route("/v1/questions/{id}/publish", post(publish))
            .route("/v1/published", get(published))
            .route("/v1/helping", get(helping))
            .route("/v1/inbox", get(owner::inbox))
            .route("/v1/inbox/{id}", post(owner::decide))
            .route("/v1/rules", get(owner::rules).post(owner::add_rule))
            .route("/v1/rules/default", put(owner::set_default))
            .route("/v1/rules/{number}", delete(owner::remove_rule))
            .route("/v1/budget", get(owner::budget).put(owner::set_budget))
            .route("/v1/consent", get(consent::log))
            .route("/v1/consent/revoke", post(consent::revoke))
            .route("/v1/events", get(events::events))
            .route("/v1/doctor", get(doctor))
            .route("/v1/vocabulary", get(page::vocabulary))
            .route(
                "/v1/beginning",
                get(beginning::beginning).put(beginning::begin),
            )
            .route(JOINING, post(beginning::join))
            .route(BRINGING, put(beginning::bring))
            .route(RESTORING, post(beginning::restore))
            .route("/v1/key/words", post(beginning::words))
            .route(ROTATING, post(beginning::rotate))
            .route(BACKUPS, post(beginning::backup))
            .route("/v1/inbox/{id}/preview", get(page::preview))
            .route("/v1/questions/{id}/check", get(page::check))
            .route("/v1/data", get(holding::holdings))
            .route(
                "/v1/data/profile",
                get(holding::profile).put(holding::set_profile),
            )
            .route(
                IMPORTS,
                get(holding::imports)
                    .post(holding::import)
                    .layer(DefaultBodyLimit::max(FILE_BYTES_MAX)),
            )
            .route("/v1/data/imports/{number}", delete(holding::undo))
            .route("/v1/data/calendar", get(holding::calendar))
            .route("/v1/data/places", get(holding::places))
            .route("/v1/data/tables/{table}/rows", get(holding::rows))
            .route(
                "/v1/data/tables/{table}",
                get(holding::export).delete(holding::forget),
            )
            .route("/v1/page/codes", post(page::invite))
            .route(OPENING, post(page::open).delete(page::close))
            .route(errors::ERRORS, get(errors::all))
            .route(&format!("{}/{{code}}", errors::ERRORS), get(errors::one))
            .route("/", get(files::index))
            .route(&format!("{FOLDER}{{*name}}"), get(files::file))
            .fallback(async || {
                Fault::new(
                    Kind::Unknown,
                    "there is nothing at this path",
                    "see /openapi.json for what there is",
                )
            })
            .method_not_allowed_fallback(async || {
                Fault::new(
                    Kind::Method,
                    "this path is not used so",
                    "see /openapi.json for its methods",
                )
            })
            .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
            .layer(from_fn(in_time))
            .layer(from_fn_with_state(Arc::clone(&shared), guard))
            .layer(from_fn(not_kept))
            .with_state(shared)
    }
}

/// The OpenAPI 3.1 document of all routes.
pub fn document() -> utoipa::openapi::OpenApi {
    let mut document = Document::openapi();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(
            "The content of the file api.token in the node's folder",
        ))
        .build();
    document
        .components
        .get_or_insert_default()
        .add_security_scheme("token", SecurityScheme::Http(bearer));
    document
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Commonhold",
        description = "The local API of one person's node. It listens on the loopback interface alone."
    ),
    paths(
        status, shutdown, leave, questions, ask, question, cancel, proof, publish, published, helping, owner::inbox, owner::decide,
        owner::rules, owner::add_rule, owner::remove_rule, owner::set_default, owner::budget, owner::set_budget,
        consent::log, consent::revoke, events::events,
        beginning::beginning, beginning::begin, beginning::join, beginning::bring, beginning::restore, beginning::words, beginning::rotate, beginning::backup,
        doctor, page::vocabulary, page::preview, page::check, page::invite, page::open, page::close,
        holding::holdings, holding::profile, holding::set_profile, holding::imports, holding::import, holding::undo, holding::export, holding::forget,
        holding::calendar, holding::places, holding::rows
    ),
    components(schemas(Event, Fault)),
    security(("token" = []))
)]
struct Document;

async fn in_time(request: axum::extract::Request, next: Next) -> Response {
    let path = request.uri().path();
    let long = [JOINING, BRINGING, RESTORING, ROTATING, BACKUPS];
    let within = match long.contains(&path) || path.starts_with("/v1/data/") {
        true => DATA_WITHIN,
        false => ALL_WITHIN,
    };
    match tokio::time::timeout(within, next.run(request)).await {
        Ok(response) => response,
        Err(_) => slow().into_response(),
    }
}

/// What is said is about one person and one moment: no browser may keep it.
async fn not_kept(request: axum::extract::Request, next: Next) -> Response {
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    files::guard(headers);
    response
}

fn slow() -> Fault {
    Fault::new(
        Kind::Slow,
        "the node did not reply in time",
        "try again; if it goes on, see the node's log",
    )
}

impl Shared {
    /// Whether this is the token, or a session that is not over.
    pub(crate) fn opens(&self, shown: &[u8]) -> bool {
        self.token.is(shown) || page::sessions(self).has(shown)
    }

    async fn call<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<T, Fault> {
        self.call_within(REPLY_WITHIN, request).await
    }

    async fn call_within<T>(
        &self,
        within: Duration,
        request: impl FnOnce(Reply<T>) -> Request,
    ) -> Result<T, Fault> {
        let gone = || {
            Fault::new(
                Kind::Busy,
                "the node is stopping",
                "start it again: commonhold up",
            )
        };
        let (reply, replied) = oneshot::channel();
        let asked = async {
            self.requests
                .send(request(reply))
                .await
                .map_err(|_| gone())?;
            replied.await.map_err(|_| gone())?
        };
        tokio::time::timeout(within, asked)
            .await
            .unwrap_or_else(|_| Err(slow()))
    }

    async fn json<T>(&self, request: impl FnOnce(Reply<T>) -> Request) -> Result<Json<T>, Fault> {
        self.call(request).await.map(Json)
    }
}

/// The OpenAPI document.
async fn openapi() -> Response {
    // It is the same each time, but asked for rarely.
    let text = document().to_json().unwrap_or_default();
    ([(CONTENT_TYPE, "application/json")], text).into_response()
}

/// How the node is, problems first.
#[utoipa::path(get, path = "/v1/status", responses(
    (status = 200, description = "How it is", body = Status),
    (status = "default", description = "Why not", body = Fault)))]
async fn status(State(shared): Here) -> Result<Json<Status>, Fault> {
    shared.json(Request::Status).await
}

/// Stop the node.
#[utoipa::path(post, path = "/v1/shutdown", responses(
    (status = 204, description = "It stops within seconds"),
    (status = "default", description = "Why not", body = Fault)))]
async fn shutdown(State(shared): Here) -> Result<StatusCode, Fault> {
    shared.call(Request::Shutdown).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Have the node tell the others that it goes, and stop it.
#[utoipa::path(post, path = "/v1/leave", responses(
    (status = 204, description = "The others are told; it stops within seconds"),
    (status = "default", description = "Why not", body = Fault)))]
async fn leave(State(shared): Here) -> Result<StatusCode, Fault> {
    shared.call(Request::Leave).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The questions that this node put, the latest first.
#[utoipa::path(get, path = "/v1/questions", params(Part), responses(
    (status = 200, description = "A part of them; the header Link leads to the next", body = [Question]),
    (status = "default", description = "Why not", body = Fault)))]
async fn questions(State(shared): Here, part: Part) -> Result<Response, Fault> {
    let all = shared.call(Request::Questions).await?;
    part.of("/v1/questions", all, |one| one.id.as_str().into())
}

/// Put a question to the community.
#[utoipa::path(post, path = "/v1/questions", request_body = NewQuestion, responses(
    (status = 201, description = "It is announced", body = Question),
    (status = 422, description = "The community's rules forbid it", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
async fn ask(
    State(shared): Here,
    Body(new): Body<NewQuestion>,
) -> Result<(StatusCode, Json<Question>), Fault> {
    let question = shared.json(|reply| Request::Ask(new, reply)).await?;
    Ok((StatusCode::CREATED, question))
}

/// One question that this node put.
#[utoipa::path(get, path = "/v1/questions/{id}", params(("id" = String, Path, description = "Its name, or how that begins")), responses(
    (status = 200, description = "How far it is", body = Question),
    (status = 404, description = "There is none of that name", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
async fn question(State(shared): Here, Named(id): Named) -> Result<Json<Question>, Fault> {
    shared.json(|reply| Request::Question(id, reply)).await
}

/// Take a question back.
#[utoipa::path(post, path = "/v1/questions/{id}/cancel", params(("id" = String, Path, description = "Its name, or how that begins")), responses(
    (status = 200, description = "It is taken back", body = Question),
    (status = 404, description = "There is none of that name", body = Fault),
    (status = 409, description = "It cannot be taken back any more", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
async fn cancel(State(shared): Here, Named(id): Named) -> Result<Json<Question>, Fault> {
    shared.json(|reply| Request::Cancel(id, reply)).await
}

/// The proof of an answer, of this node's own or a published one, for `commonhold question verify`.
#[utoipa::path(get, path = "/v1/questions/{id}/proof", params(("id" = String, Path, description = "Its name, or how that begins")), responses(
    (status = 200, description = "The file", body = Vec<u8>, content_type = "application/cbor"),
    (status = 404, description = "There is no such question, or no answer to it", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
async fn proof(State(shared): Here, Named(id): Named) -> Result<Response, Fault> {
    let proof = shared.call(|reply| Request::Proof(id, reply)).await?;
    Ok(([(CONTENT_TYPE, "application/cbor")], proof).into_response())
}

/// Show an answer, with its proof, to the whole community. It cannot be taken back.
#[utoipa::path(post, path = "/v1/questions/{id}/publish", params(("id" = String, Path, description = "Its name, or how that begins")), responses(
    (status = 200, description = "Others are told", body = Question),
    (status = 404, description = "There is no such question, or no answer to it", body = Fault),
    (status = 422, description = "Its proof cannot be published", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
async fn publish(State(shared): Here, Named(id): Named) -> Result<Json<Question>, Fault> {
    shared.json(|reply| Request::Publish(id, reply)).await
}

/// The answers that are published, the latest first. Each proof was checked here.
#[utoipa::path(get, path = "/v1/published", params(Part), responses(
    (status = 200, description = "A part of them; the header Link leads to the next", body = [Published]),
    (status = "default", description = "Why not", body = Fault)))]
async fn published(State(shared): Here, part: Part) -> Result<Response, Fault> {
    let all = shared.call(Request::Published).await?;
    part.of("/v1/published", all, |one| one.id.as_str().into())
}

/// What this node does for others' questions, and has done since it started, the latest first.
/// They are named by their question and the role, as in `1a2b…-replica`.
#[utoipa::path(get, path = "/v1/helping", params(Part), responses(
    (status = 200, description = "A part of them; the header Link leads to the next", body = [Helping]),
    (status = "default", description = "Why not", body = Fault)))]
async fn helping(State(shared): Here, part: Part) -> Result<Response, Fault> {
    let all = shared.call(Request::Helping).await?;
    part.of("/v1/helping", all, |one| {
        format!("{}-{}", one.id, one.role.name()).into()
    })
}

/// Looks at everything that can go wrong with a node.
#[utoipa::path(get, path = "/v1/doctor", responses(
    (status = 200, description = "All checks", body = Doctor),
    (status = "default", description = "Why not", body = Fault)))]
async fn doctor(State(shared): Here) -> Result<Json<Doctor>, Fault> {
    shared.json(Request::Doctor).await
}
