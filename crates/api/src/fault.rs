//! What is said when something cannot be done.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why something was not done, and what to do instead. Both are for people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Says the HTTP status.
    #[serde(skip)]
    pub kind: Kind,
    /// What is wrong.
    pub error: String,
    /// What would be right.
    pub what_to_do: String,
}

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Kind {
    /// The request makes no sense: 400.
    Request,
    /// No token or a wrong one: 401.
    Token,
    /// Not from here: 403.
    Foreign,
    /// There is no such thing: 404.
    Unknown,
    /// There is, but not so: 405.
    Method,
    /// It is too late for it, or the node cannot: 409.
    Late,
    /// Too long: 413.
    Long,
    /// Not JSON: 415.
    Format,
    /// What is said makes sense, and the community's rules forbid it: 422.
    Refused,
    /// Something of this node does not work: 500.
    #[default]
    Failed,
    /// Too much at once: 503.
    Busy,
    /// No reply in time: 504.
    Slow,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 12] = [
        Self::Request,
        Self::Token,
        Self::Foreign,
        Self::Unknown,
        Self::Method,
        Self::Late,
        Self::Long,
        Self::Format,
        Self::Refused,
        Self::Failed,
        Self::Busy,
        Self::Slow,
    ];

    /// The HTTP status.
    pub fn status(self) -> u16 {
        match self {
            Self::Request => 400,
            Self::Token => 401,
            Self::Foreign => 403,
            Self::Unknown => 404,
            Self::Method => 405,
            Self::Late => 409,
            Self::Long => 413,
            Self::Format => 415,
            Self::Refused => 422,
            Self::Failed => 500,
            Self::Busy => 503,
            Self::Slow => 504,
        }
    }

    /// What an HTTP status means here; one that we never give is a failure.
    pub fn of(status: u16) -> Self {
        let known = Self::ALL.into_iter().find(|kind| kind.status() == status);
        known.unwrap_or_default()
    }
}

impl Fault {
    /// Something cannot be done.
    pub fn new(kind: Kind, error: impl Into<String>, what_to_do: impl Into<String>) -> Self {
        Self {
            kind,
            error: error.into(),
            what_to_do: what_to_do.into(),
        }
    }

    /// From a text that says what is wrong and, after its last semicolon, what to do.
    pub fn said(kind: Kind, text: &str) -> Self {
        match text.rsplit_once("; ") {
            Some((error, what_to_do)) => Self::new(kind, error, what_to_do),
            None => Self::new(kind, text, "see the node's log"),
        }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.kind.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(self)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_and_statuses_are_the_same() {
        for kind in Kind::ALL {
            assert_eq!(Kind::of(kind.status()), kind);
        }
        assert_eq!(Kind::of(418), Kind::Failed);
    }

    #[test]
    fn a_sentence_is_cut_before_the_advice() {
        let fault = Fault::said(Kind::Refused, "a; b is wrong; write c");
        assert_eq!(
            (&*fault.error, &*fault.what_to_do),
            ("a; b is wrong", "write c")
        );
    }
}
