//! Long lists, a part at a time: `?limit=N`, and `&after=NAME` for what comes after the entry of that name.
//!
//! A reply is the plain list. Where there is more, its header `Link` has the address of the next part (RFC 8288). Entries
//! are named, not numbered: what comes in between moves nothing.

use std::borrow::Cow;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{FromRequestParts, Query};
use axum::http::header::LINK;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use utoipa::IntoParams;

use crate::fault::{Fault, Kind};

/// Entries of a part, unless told otherwise.
pub const PART: usize = 100;
/// Most entries of a part.
pub const PART_MAX: usize = 1000;

/// Which part of a list.
#[derive(Debug, Clone, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// At most so many entries, 1 to 1000; 100 when it is left out
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
    /// Those that come after the entry of this name; the first ones when it is left out
    after: Option<String>,
}

impl<S: Send + Sync> FromRequestParts<S> for Part {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Fault> {
        let Query(part): Query<Self> = Query::from_request_parts(parts, state)
            .await
            .map_err(|why: QueryRejection| unread(why.body_text()))?;
        match part.limit {
            Some(limit) if !(1..=PART_MAX).contains(&limit) => {
                Err(unread("the limit is out of range"))
            }
            _ => Ok(part),
        }
    }
}

fn unread(why: impl Into<String>) -> Fault {
    let what_to_do = format!("give a limit from 1 to {PART_MAX}, and the name of an entry");
    Fault::new(Kind::Request, why, what_to_do)
}

impl Part {
    /// The most entries that are wanted.
    pub fn limit(&self) -> usize {
        self.limit.unwrap_or(PART)
    }

    /// The entry after which they are wanted.
    pub fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    /// This part of all that there are.
    pub fn of<T: Serialize>(
        &self,
        path: &str,
        mut all: Vec<T>,
        name: impl Fn(&T) -> Cow<'_, str>,
    ) -> Result<Response, Fault> {
        if let Some(after) = &self.after {
            let found = all.iter().position(|entry| name(entry) == after.as_str());
            let found = found.ok_or_else(|| {
                let error = "the list has no entry of this name any more";
                Fault::new(Kind::Unknown, error, "read it from its beginning")
            })?;
            all.drain(..=found);
        }
        let more = all.len() > self.limit();
        all.truncate(self.limit());
        let next = all.last().filter(|_| more).map(&name);
        let next = next.map(|next| self.next(path, &next));
        let list = Json(all);
        Ok(match next {
            Some(next) => ([(LINK, next)], list).into_response(),
            None => list.into_response(),
        })
    }

    /// Where what comes after this entry is, as a header says it.
    pub fn next(&self, path: &str, after: &str) -> String {
        format!(
            "<{path}?limit={}&after={after}>; rel=\"next\"",
            self.limit()
        )
    }
}
