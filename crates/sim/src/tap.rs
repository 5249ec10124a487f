//! Sees what one node is told, and lets it reach only whom it can find.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;

use base::{Duration, Input, Instant, NodeId, Outbox, Protocol, encode};

/// How long a connection is kept on which nothing is said.
const CONNECTED_FOR: Duration = Duration::from_secs(120);

/// A node as on the network: it sends to those whose address it knows, and to those who have spoken to it lately, on their
/// connection. Its incoming messages can be kept: what it could know of the others.
pub struct Tap<P: Protocol> {
    protocol: P,
    finds: fn(&P, NodeId) -> bool,
    connected: BTreeMap<NodeId, Instant>,
    heard: Option<Vec<(NodeId, Vec<u8>)>>,
}

impl<P: Protocol> Tap<P> {
    /// Wraps `protocol`, which `finds` some nodes; keeps what it hears if `keep`.
    pub fn new(protocol: P, finds: fn(&P, NodeId) -> bool, keep: bool) -> Self {
        Self {
            protocol,
            finds,
            connected: BTreeMap::new(),
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
        if let Input::Message { from, message } = &input {
            self.connected.insert(*from, now);
            if let Some(heard) = &mut self.heard {
                heard.push((*from, encode(message)));
            }
        }
        let mut inputs = VecDeque::from([input.into_wrapped()]);
        while let Some(input) = inputs.pop_front() {
            let mut said = Outbox::new();
            self.protocol.handle(now, input, &mut said);
            let (protocol, connected) = (&self.protocol, &mut self.connected);
            out.take_from(&mut said, |to, message| {
                let since = connected.get(&to).copied();
                let is_connected = since.is_some_and(|since| now < since + CONNECTED_FOR);
                if is_connected || (self.finds)(protocol, to) {
                    connected.insert(to, now);
                    return Some(message);
                }
                inputs.push_back(Input::Unreachable(to));
                None
            });
        }
    }
}
