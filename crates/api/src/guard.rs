//! Who may speak.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST, HeaderMap, HeaderName, ORIGIN};
use axum::http::{Method, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::errors::is_of_errors;
use crate::fault::{Fault, Kind};
use crate::page::is_of_page;
use crate::routes::{DOCUMENT, OPENING, Shared};

/// Names of this machine to itself.
const NAMES: [&str; 3] = ["127.0.0.1", "localhost", "[::1]"];

/// Lets a request pass, or says why not. The document and the page's files need no token: they are the same for everybody.
/// Nor does swapping a code for a session: the code is one.
pub async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let judged = from_here(request.uri(), headers, shared.port).and_then(|()| {
        let path = request.uri().path();
        let opening = path == OPENING && request.method() == Method::POST;
        if path == DOCUMENT || is_of_page(path) || is_of_errors(path) || opening {
            Ok(())
        } else {
            with_token(headers, &shared)
        }
    });
    match judged {
        Ok(()) => next.run(request).await,
        Err(fault) => fault.into_response(),
    }
}

fn from_here(uri: &Uri, headers: &HeaderMap, port: u16) -> Result<(), Fault> {
    let host = NAMES.map(|name| format!("{name}:{port}"));
    let is_ours = |shown: &[u8]| host.iter().any(|host| host.as_bytes() == shown);
    // Where the first line names a host, that one counts (RFC 9112 section 3.2.2).
    let named = uri
        .authority()
        .map(|authority| authority.as_str().as_bytes());
    if !one(headers, &HOST).is_some_and(is_ours) || !named.is_none_or(is_ours) {
        let what_to_do = format!("use http://127.0.0.1:{port}");
        return Err(Fault::new(
            Kind::Foreign,
            "the Host header, or the address in the request, does not name this node",
            what_to_do,
        ));
    }
    if !headers.contains_key(ORIGIN) {
        return Ok(());
    }
    let origin = host.map(|host| format!("http://{host}"));
    if one(headers, &ORIGIN).is_some_and(|shown| origin.iter().any(|own| own.as_bytes() == shown)) {
        Ok(())
    } else {
        let what_to_do = "nothing: pages from elsewhere may not speak to your node";
        Err(Fault::new(
            Kind::Foreign,
            "the request comes from a page that is not this node's",
            what_to_do,
        ))
    }
}

fn with_token(headers: &HeaderMap, shared: &Shared) -> Result<(), Fault> {
    match shown(headers) {
        Some(shown) if shared.opens(shown) => Ok(()),
        shown => {
            let error = if shown.is_some() {
                "the token is not this node's, or the node has started again since"
            } else {
                "there is no token"
            };
            let what_to_do = "send the header \"Authorization: Bearer TOKEN\"; the token is in the file api.token in the node's folder; a page is opened by: commonhold open";
            Err(Fault::new(Kind::Token, error, what_to_do))
        }
    }
}

/// The token or session that a request shows.
pub fn shown(headers: &HeaderMap) -> Option<&[u8]> {
    one(headers, &AUTHORIZATION)?.strip_prefix(b"Bearer ")
}

/// A header that is there exactly once: of two, readers could believe different ones.
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a [u8]> {
    let mut all = headers.get_all(name).iter();
    match (all.next(), all.next()) {
        (Some(value), None) => Some(value.as_bytes()),
        _ => None,
    }
}
