//! What a request brings: a body, and names in its path.

use axum::Json;
use axum::extract::rejection::JsonRejection;
use axum::extract::{FromRequest, FromRequestParts, Path};
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::BODY_BYTES_MAX;
use crate::fault::{Fault, Kind};

/// The JSON body of a request, or a [`Fault`] that says what is wrong with it.
pub struct Body<T>(pub T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Body<T> {
    type Rejection = Fault;

    async fn from_request(request: axum::extract::Request, state: &S) -> Result<Self, Fault> {
        let Json(body) = Json::from_request(request, state).await.map_err(unread)?;
        Ok(Self(body))
    }
}

/// What stands in a path, in UTF-8.
pub struct Named(pub String);

impl<S: Send + Sync> FromRequestParts<S> for Named {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        match Path::from_request_parts(parts, state).await {
            Ok(Path(name)) => Ok(Self(name)),
            Err(_) => {
                let what_to_do = "see /openapi.json for what this path takes";
                Err(Fault::new(Kind::Unknown, "this is no name", what_to_do))
            }
        }
    }
}

fn unread(why: JsonRejection) -> Fault {
    let text = why.body_text();
    match why.status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            let what_to_do = format!("send at most {BODY_BYTES_MAX} bytes");
            Fault::new(Kind::Long, "the body is too long", what_to_do)
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            let what_to_do = "send JSON with the header \"Content-Type: application/json\"";
            Fault::new(Kind::Format, "the body is not said to be JSON", what_to_do)
        }
        _ => Fault::new(
            Kind::Request,
            text,
            "see /openapi.json for what this path takes",
        ),
    }
}
