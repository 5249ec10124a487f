//! What is said when something cannot be done.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Why something was not done, and what to do instead: for programs the code, for people the two texts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Fault {
    /// Which kind of thing is wrong. Codes are stable; each has a page at `/errors/CODE`.
    #[serde(rename = "code", default)]
    pub kind: Kind,
    /// What is wrong.
    pub error: String,
    /// What would be right.
    pub what_to_do: String,
}

/// Whose fault it is: the code of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
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
    /// The node belongs to no community yet: 409.
    NotMember,
    /// Too long: 413.
    Long,
    /// Not JSON: 415.
    Format,
    /// What is said makes sense, and the community's rules forbid it: 422.
    Refused,
    /// A file is for a table of the community, and it is to be said for which: 422.
    WhichTable,
    /// A file tells of several people, or of somebody unknown, and it is to be said who the owner is: 422.
    WhichPerson,
    /// A passphrase keeps the key, and it was not given or is another: 422.
    Passphrase,
    /// Too much at once: 503.
    Busy,
    /// No reply in time: 504.
    Slow,
    /// Something of this node does not work, or the code is one of a later version: 500.
    #[default]
    #[serde(other)]
    Failed,
}

impl Kind {
    /// All of them, by status.
    pub const ALL: [Self; 16] = [
        Self::Request,
        Self::Token,
        Self::Foreign,
        Self::Unknown,
        Self::Method,
        Self::Late,
        Self::NotMember,
        Self::Long,
        Self::Format,
        Self::Refused,
        Self::WhichTable,
        Self::WhichPerson,
        Self::Passphrase,
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
            Self::Late | Self::NotMember => 409,
            Self::Long => 413,
            Self::Format => 415,
            Self::Refused | Self::WhichTable | Self::WhichPerson | Self::Passphrase => 422,
            Self::Failed => 500,
            Self::Busy => 503,
            Self::Slow => 504,
        }
    }

    /// As it stands in a reply.
    pub fn code(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Token => "token",
            Self::Foreign => "foreign",
            Self::Unknown => "unknown",
            Self::Method => "method",
            Self::Late => "late",
            Self::NotMember => "not_member",
            Self::Long => "long",
            Self::Format => "format",
            Self::Refused => "refused",
            Self::WhichTable => "which_table",
            Self::WhichPerson => "which_person",
            Self::Passphrase => "passphrase",
            Self::Failed => "failed",
            Self::Busy => "busy",
            Self::Slow => "slow",
        }
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
        Self::said_or(kind, text, "see the node's log")
    }

    /// The same; this is to be done where the text does not say.
    pub fn said_or(kind: Kind, text: &str, what_to_do: &str) -> Self {
        let (error, what_to_do) = text.rsplit_once("; ").unwrap_or((text, what_to_do));
        Self::new(kind, error, what_to_do)
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
    fn codes_are_what_is_written() {
        for kind in Kind::ALL {
            let fault = Fault::new(kind, "a", "b");
            let written = serde_json::to_value(&fault).expect("plain data");
            assert_eq!(written["code"], kind.code());
            let read: Fault = serde_json::from_value(written).expect("the same");
            assert_eq!(read, fault);
        }
        let later = r#"{"code": "of_a_later_version", "error": "", "what_to_do": ""}"#;
        let read: Fault = serde_json::from_str(later).expect("read all the same");
        assert_eq!(read.kind, Kind::Failed);
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
