//! What happens, told to programs that listen.

use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{self, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use tokio::sync::OwnedSemaphorePermit;
use tokio::sync::broadcast::{self, error::RecvError};
use tokio::time::timeout;

use super::{Here, SIGN_OF_LIFE, Shared};
use crate::fault::{Fault, Kind};
use crate::guard::shown;
use crate::words::Event;

/// What happens from now on, as server-sent events: each has its `kind` as its name and an `Event` as its data. It ends with
/// the session that asked.
#[utoipa::path(get, path = "/v1/events", responses(
    (status = 200, description = "Until the reader goes away or the node stops", body = String, content_type = "text/event-stream"),
    (status = 503, description = "Too many listen already", body = Fault),
    (status = "default", description = "Why not", body = Fault)))]
pub(super) async fn events(
    State(shared): Here,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<sse::Event, Infallible>>>, Fault> {
    let Ok(place) = Arc::clone(&shared.streams).try_acquire_owned() else {
        let what_to_do = "end one of the programs that listen for events";
        return Err(Fault::new(
            Kind::Busy,
            "too many listen already",
            what_to_do,
        ));
    };
    let listening = Listening {
        heard: shared.events.subscribe(),
        shown: shown(&headers).unwrap_or_default().to_vec(),
        shared,
        _place: place,
    };
    let said = stream::unfold(listening, async |mut listening| {
        let event = listening.next().await?;
        Some((Ok(frame(&event)), listening))
    });
    Ok(Sse::new(said).keep_alive(KeepAlive::new().interval(SIGN_OF_LIFE)))
}

/// Somebody who listens for events.
struct Listening {
    heard: broadcast::Receiver<Event>,
    /// The token or session.
    shown: Vec<u8>,
    shared: Arc<Shared>,
    _place: OwnedSemaphorePermit,
}

impl Listening {
    /// The next event, as long as there may be one.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let heard = timeout(SIGN_OF_LIFE, self.heard.recv()).await;
            if !self.shared.opens(&self.shown) {
                return None;
            }
            match heard {
                Ok(Ok(event)) => return Some(event),
                Ok(Err(RecvError::Closed)) => return None,
                // The numbers show the gap.
                Ok(Err(RecvError::Lagged(_))) | Err(_) => {}
            }
        }
    }
}

fn frame(event: &Event) -> sse::Event {
    let data = serde_json::to_value(event).expect("an event is plain data");
    let name = data["kind"].as_str().unwrap_or_default().to_owned();
    sse::Event::default()
        .event(name)
        .id(event.number.to_string())
        .data(data.to_string())
}
