//! Sees what one node is told.

use std::fmt;

use base::{Input, Instant, NodeId, Outbox, Protocol, encode};

/// A node whose incoming messages can be kept: what it could know of the others.
pub struct Tap<P: Protocol> {
    protocol: P,
    heard: Option<Vec<(NodeId, Vec<u8>)>>,
}

impl<P: Protocol> Tap<P> {
    /// Wraps `protocol`; keeps what it hears if `keep`.
    pub fn new(protocol: P, keep: bool) -> Self {
        Self {
            protocol,
            heard: keep.then(Vec::new),
        }
    }

    /// Senders and encoded messages, in order of arrival.
    pub fn heard(&self) -> &[(NodeId, Vec<u8>)] {
        self.heard.as_deref().unwrap_or_default()
    }

    /// The node itself.
    pub fn inner(&self) -> &P {
        &self.protocol
    }
}

impl<P: Protocol> fmt::Debug for Tap<P> {
    /// Messages may hold shares: only their number is printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tap({})", self.heard().len())
    }
}

impl<P: Protocol> Protocol for Tap<P> {
    type Message = P::Message;
    type Command = P::Command;
    type Event = P::Event;
    type Timer = P::Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        if let (Some(heard), Input::Message { from, message }) = (&mut self.heard, &input) {
            heard.push((*from, encode(message)));
        }
        let mut said = Outbox::new();
        self.protocol.handle(now, input.into_wrapped(), &mut said);
        out.take_from(&mut said, |_, message| Some(message));
    }
}
