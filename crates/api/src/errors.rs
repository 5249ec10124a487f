//! A page for each code of an error: what it means, why it comes, what to do. The same text is in `docs/errors.md`.

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use crate::fault::{Fault, Kind};
use crate::routes::Named;

/// Where the pages are.
pub const ERRORS: &str = "/errors";

/// Whether this path is one of them: they are the same for everybody, and need no token.
pub fn is_of_errors(path: &str) -> bool {
    path.strip_prefix(ERRORS)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// What is said of a code.
struct About {
    means: &'static str,
    why: &'static str,
    what_to_do: &'static str,
}

impl Kind {
    fn about(self) -> About {
        let (means, why, what_to_do) = match self {
            Self::Request => (
                "The request makes no sense.",
                "A field is missing, unknown, of another type or out of its range, or two fields contradict each other. The text says which.",
                "Look the path up in /openapi.json, which has every field, and send it again. Nothing was changed.",
            ),
            Self::Token => (
                "There is no token, or not a good one.",
                "The header Authorization is missing, or it names another node's token, a session that has ended, or a code that was used before. Sessions end when the node stops.",
                "For programs: read the file api.token in the node's folder each time. For the page: open it anew with commonhold open.",
            ),
            Self::Foreign => (
                "The request comes from elsewhere.",
                "The Host header does not name this machine with the right port, or the Origin header is another page's. That keeps pages of others, and names that are made to point here, from speaking to your node.",
                "Use http://127.0.0.1 with the port in the file api.address. There is nothing to do for pages of others: they may not.",
            ),
            Self::Unknown => (
                "There is no such thing.",
                "No path, question, rule, import or table has this name; or the first digits of a question's name are those of several.",
                "Look the name up in the list that it is from, and give more of its digits.",
            ),
            Self::Method => (
                "This path is not used so.",
                "It exists, with another method.",
                "See /openapi.json for the methods of each path.",
            ),
            Self::Late => (
                "It is too late, or the node cannot do it as things are.",
                "A deadline is over, a contribution has left, a question is over, or what is to be done was done already. The text says which.",
                "Read the thing again and see how it is now; the same request will not work later either.",
            ),
            Self::NotMember => (
                "This node belongs to no community yet.",
                "Questions, answers, rules and the network need a community. What does not need one, the name, the recovery words and the owner's data, works already.",
                "Join one with a ticket: on the page under Home, by POST /v1/beginning/join, or with commonhold community join TICKET.",
            ),
            Self::Long => (
                "It is too long.",
                "Bodies have at most 64 KiB, files to import 64 MiB, backups that are brought 4 GiB, and a table that is given out 48 MiB.",
                "Use the command that the text names: commands have no such limit.",
            ),
            Self::Format => (
                "The body is not said to be JSON.",
                "The header Content-Type is missing or another.",
                "Send Content-Type: application/json.",
            ),
            Self::Refused => (
                "It makes sense, and may not be.",
                "The community's rules or limits forbid it, it is not of the question language, a file is of no known kind, or a ticket is not good any more. The text says which.",
                "Change what the text names. The same request is refused again.",
            ),
            Self::WhichTable => (
                "Which of the community's tables the file is for is not known.",
                "It has columns, but is of no known kind, and the community has several tables, none of which it is named after.",
                "Say which: ?table=TABLE. The text names them.",
            ),
            Self::WhichPerson => (
                "Whose records the file has is not known.",
                "It tells of several people, or of somebody whom the imports before were not about.",
                "Say who you are in it: ?person=NAME, by the name that the file has, such as Patient/123.",
            ),
            Self::Passphrase => (
                "A passphrase keeps the key of this vault, and it is not the one that was given.",
                "Recovery words, and another key, are given to nobody who does not know the passphrase.",
                "Give the passphrase; without it, get in with the 24 recovery words: commonhold key recover.",
            ),
            Self::Failed => (
                "Something of this node does not work.",
                "The disk is full, a file is damaged, or the program has a fault.",
                "See commonhold doctor, then the log in the node's folder. If the log does not explain it, report it.",
            ),
            Self::Busy => (
                "Too much at once, or the node is stopping or starting.",
                "Another file is being read, too many listen for events, or the community has just changed and the node starts again.",
                "Try again in a few seconds.",
            ),
            Self::Slow => (
                "No reply in time.",
                "The machine or its disk is very busy, or the members who were asked did not answer.",
                "See whether it was done before you repeat it; if it goes on, see the log.",
            ),
        };
        About {
            means,
            why,
            what_to_do,
        }
    }
}

/// All codes as a document in Markdown.
pub fn errors_document() -> String {
    let mut text = String::from(
        "# Error codes of the local API\n\nEvery error of [the API](api.md) has a `code`, which is stable. A running node shows each of these at `/errors/CODE`; this file is made from the same text.\n",
    );
    for kind in Kind::ALL {
        let (code, status) = (kind.code(), kind.status());
        let About {
            means,
            why,
            what_to_do,
        } = kind.about();
        text.push_str(&format!(
            "\n## {code}\n\nHTTP status {status}. {means}\n\n**Why:** {why}\n\n**What to do:** {what_to_do}\n"
        ));
    }
    text
}

/// A page with all codes.
pub async fn all() -> Response {
    let items: String = Kind::ALL
        .iter()
        .map(|kind| {
            let code = kind.code();
            format!(
                "<dt><a href=\"{ERRORS}/{code}\"><code>{code}</code></a></dt><dd>{}</dd>",
                kind.about().means
            )
        })
        .collect();
    page("Error codes", &format!("<dl class=\"facts\">{items}</dl>"))
}

/// The page of one code.
pub async fn one(Named(code): Named) -> Response {
    let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.code() == code) else {
        let what_to_do = format!("see {ERRORS} for all codes");
        return Fault::new(Kind::Unknown, "no error has this code", what_to_do).into_response();
    };
    let About {
        means,
        why,
        what_to_do,
    } = kind.about();
    let status = kind.status();
    page(
        kind.code(),
        &format!(
            "<p class=\"lead\">{means}</p><section class=\"card\"><h2>Why</h2><p>{why}</p><h2>What to do</h2><p>{what_to_do}</p><p class=\"soft small\">HTTP status {status}</p></section><p><a href=\"{ERRORS}\">All codes</a></p>"
        ),
    )
}

/// No text in it comes from anybody but this program.
fn page(title: &str, body: &str) -> Response {
    let text = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"color-scheme\" content=\"light dark\"><title>{title} · Commonhold</title><link rel=\"icon\" href=\"/page/icon.svg\" type=\"image/svg+xml\"><link rel=\"stylesheet\" href=\"/page/style.css\"></head><body><main class=\"main\"><div class=\"alone\"><h1>{title}</h1>{body}</div></main></body></html>"
    );
    ([(CONTENT_TYPE, "text/html; charset=utf-8")], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_is_the_one_that_is_kept() {
        let kept = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/errors.md");
        let text = std::fs::read_to_string(kept).unwrap_or_default();
        if text != errors_document() {
            let fresh = std::env::temp_dir().join("commonhold-errors.md");
            std::fs::write(&fresh, errors_document()).expect("a file");
            panic!(
                "docs/errors.md is not what the code says; copy {}",
                fresh.display()
            );
        }
    }

    #[test]
    fn texts_need_no_escape() {
        for kind in Kind::ALL {
            let about = kind.about();
            for text in [about.means, about.why, about.what_to_do] {
                assert!(!text.contains(['<', '>', '&', '"']), "{text}");
            }
        }
    }
}
