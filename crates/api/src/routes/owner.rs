//! Paths about the owner's words: on one question, on all of a kind, and how many there may be.

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;

use super::{Body, Here, Named, Part};
use crate::fault::{Fault, Kind};
use crate::request::Request;
use crate::words::{Budget, Decision, InboxEntry, NewBudget, NewDefault, NewRule, Rule, Rules};

/// The questions that came from others, the latest first.
#[utoipa::path(get, path = "/v1/inbox", params(Part), responses(
    (status = 200, description = "A part of them; the header Link leads to the next", body = [InboxEntry]),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn inbox(State(shared): Here, part: Part) -> Result<Response, Fault> {
    let all = shared.call(Request::Inbox).await?;
    part.of("/v1/inbox", all, |one| one.id.as_str().into())
}

/// The owner's word on a question. Until the time is over the last one counts.
#[utoipa::path(post, path = "/v1/inbox/{id}", params(("id" = String, Path, description = "Its name, or how that begins")), request_body = Decision, responses(
    (status = 200, description = "The node acts on it", body = InboxEntry),
    (status = 404, description = "There is none of that name", body = Fault),
    (status = 409, description = "It is too late", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn decide(
    State(shared): Here,
    Named(id): Named,
    Body(decision): Body<Decision>,
) -> Result<Json<InboxEntry>, Fault> {
    shared
        .json(|reply| Request::Decide(id, decision, reply))
        .await
}

/// What is answered without asking the owner.
#[utoipa::path(get, path = "/v1/rules", responses(
    (status = 200, description = "The rules, the first to be asked first, and what holds for all others", body = Rules),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn rules(State(shared): Here) -> Result<Json<Rules>, Fault> {
    shared.json(Request::Rules).await
}

/// Give a rule. It goes before older ones, and also decides about questions that wait or that older ones decided.
#[utoipa::path(post, path = "/v1/rules", request_body = NewRule, responses(
    (status = 201, description = "It holds", body = Rule),
    (status = 422, description = "The community has no such table, column or question", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn add_rule(
    State(shared): Here,
    Body(new): Body<NewRule>,
) -> Result<(StatusCode, Json<Rule>), Fault> {
    let rule = shared.json(|reply| Request::AddRule(new, reply)).await?;
    Ok((StatusCode::CREATED, rule))
}

/// Take a rule back.
#[utoipa::path(delete, path = "/v1/rules/{number}", params(("number" = u32, Path, description = "Its number")), responses(
    (status = 200, description = "What is left", body = Rules),
    (status = 404, description = "There is none of that number", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn remove_rule(
    State(shared): Here,
    number: Result<Path<u32>, PathRejection>,
) -> Result<Json<Rules>, Fault> {
    let Ok(Path(number)) = number else {
        let what_to_do = "give the number of a rule, as in the list of rules";
        return Err(Fault::new(Kind::Unknown, "this is no number", what_to_do));
    };
    shared
        .json(|reply| Request::RemoveRule(number, reply))
        .await
}

/// Say what holds for all questions that no rule is about.
#[utoipa::path(put, path = "/v1/rules/default", request_body = NewDefault, responses(
    (status = 200, description = "As it is now", body = Rules),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn set_default(
    State(shared): Here,
    Body(new): Body<NewDefault>,
) -> Result<Json<Rules>, Fault> {
    shared.json(|reply| Request::SetDefault(new, reply)).await
}

/// How many questions the owner's data go into.
#[utoipa::path(get, path = "/v1/budget", responses(
    (status = 200, description = "The limit, and what is spent of it", body = Budget),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn budget(State(shared): Here) -> Result<Json<Budget>, Fault> {
    shared.json(Request::Budget).await
}

/// Change that.
#[utoipa::path(put, path = "/v1/budget", request_body = NewBudget, responses(
    (status = 200, description = "As it is now", body = Budget),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn set_budget(
    State(shared): Here,
    Body(new): Body<NewBudget>,
) -> Result<Json<Budget>, Fault> {
    shared.json(|reply| Request::SetBudget(new, reply)).await
}
