//! Sees what one node is told.

use std::fmt;

use base::{Input, Instant, NodeId, Outbox, Output, Protocol, encode};

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
        let input = match input {
            Input::Command(command) => Input::Command(command),
            Input::Message { from, message } => {
                if let Some(heard) = &mut self.heard {
                    heard.push((from, encode(&message)));
                }
                Input::Message { from, message }
            }
            Input::Timer(timer) => Input::Timer(timer),
            Input::Unreachable(node) => Input::Unreachable(node),
        };
        let mut said = Outbox::new();
        self.protocol.handle(now, input, &mut said);
        for output in said.drain() {
            match output {
                Output::Send { to, message } => out.send(to, message),
                Output::Wake { at, timer } => out.wake(at, timer),
                Output::Event(event) => out.emit(event),
            }
        }
    }
}
