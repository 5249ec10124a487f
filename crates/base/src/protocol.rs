//! The shape of every protocol.

use std::fmt;

use crate::{Instant, NodeId, Wire};

/// A protocol as a pure state machine: no clock, socket, thread, file or entropy of its own.
///
/// One call in, everything out: when [`handle`](Self::handle) returns, all that the input caused is in the outbox. The
/// contract between a protocol and its host (`net` or `sim`):
///
/// * **Messages** arrive from the node they name (the host authenticates peers and encrypts links), at most once, in any
///   order, or never. `Unreachable` is a hint that a message may have been lost; its absence promises nothing.
/// * **Timers** come back at or after their time, never before. They are not cancelled: a protocol keeps the deadline in
///   its own state and ignores a stale timer.
/// * **Events** are for the application, or ask it for work (store this, run that) that comes back as a command.
/// * **A peer's fault is a value.** No input from a peer makes `handle` panic; a broken invariant of our own does.
/// * **Bounded.** Each map, queue and list has a limit.
pub trait Protocol {
    /// To and from other nodes.
    type Message: Wire;
    /// From the application, or the answer to an event that asked for work.
    type Command;
    /// To the application, or a request for work.
    type Event;
    /// Handed out with a time, handed back when due.
    type Timer: Copy;

    /// Applies one input. Everything that it causes is in `out` when this returns.
    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>);
}

/// What a host hands to a protocol.
pub enum Input<P: Protocol + ?Sized> {
    /// From the application.
    Command(P::Command),
    /// From another node.
    Message {
        /// The authenticated sender.
        from: NodeId,
        /// What it sent.
        message: P::Message,
    },
    /// A timer that this protocol set is due.
    Timer(P::Timer),
    /// A message to this node could not be delivered.
    Unreachable(NodeId),
}

impl<P: Protocol + ?Sized> Input<P> {
    /// The same input for a protocol of the same types: one that wraps this, or is wrapped by it.
    pub fn into_wrapped<Q>(self) -> Input<Q>
    where
        Q: Protocol<Message = P::Message, Command = P::Command, Timer = P::Timer> + ?Sized,
    {
        match self {
            Self::Command(command) => Input::Command(command),
            Self::Message { from, message } => Input::Message { from, message },
            Self::Timer(timer) => Input::Timer(timer),
            Self::Unreachable(node) => Input::Unreachable(node),
        }
    }
}

/// What a protocol hands to its host.
pub enum Output<P: Protocol + ?Sized> {
    /// Deliver a message.
    Send {
        /// To whom.
        to: NodeId,
        /// What.
        message: P::Message,
    },
    /// Hand `timer` back at or after `at`.
    Wake {
        /// When.
        at: Instant,
        /// What.
        timer: P::Timer,
    },
    /// Tell or ask the application.
    Event(P::Event),
}

/// Collects what one input caused, in order.
pub struct Outbox<P: Protocol + ?Sized>(Vec<Output<P>>);

impl<P: Protocol + ?Sized> Outbox<P> {
    /// An empty outbox.
    pub fn new() -> Self {
        Self(Vec::new())
    }

    /// Sends `message` to `to`.
    pub fn send(&mut self, to: NodeId, message: P::Message) {
        self.0.push(Output::Send { to, message });
    }

    /// Asks for `timer` back at `at`.
    pub fn wake(&mut self, at: Instant, timer: P::Timer) {
        self.0.push(Output::Wake { at, timer });
    }

    /// Tells or asks the application.
    pub fn emit(&mut self, event: P::Event) {
        self.0.push(Output::Event(event));
    }

    /// Takes what a wrapped protocol caused; of each message, what `look` makes of it, or nothing.
    pub fn take_from<Q>(
        &mut self,
        wrapped: &mut Outbox<Q>,
        mut look: impl FnMut(NodeId, Q::Message) -> Option<P::Message>,
    ) where
        Q: Protocol<Event = P::Event, Timer = P::Timer> + ?Sized,
    {
        for output in wrapped.drain() {
            match output {
                Output::Send { to, message } => {
                    if let Some(message) = look(to, message) {
                        self.send(to, message);
                    }
                }
                Output::Wake { at, timer } => self.wake(at, timer),
                Output::Event(event) => self.emit(event),
            }
        }
    }

    /// Everything, in order.
    pub fn iter(&self) -> impl Iterator<Item = &Output<P>> {
        self.0.iter()
    }

    /// Takes everything out, in order.
    pub fn drain(&mut self) -> impl Iterator<Item = Output<P>> + '_ {
        self.0.drain(..)
    }

    /// Whether nothing was caused.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<P: Protocol + ?Sized> Default for Outbox<P> {
    fn default() -> Self {
        Self::new()
    }
}

impl<P: Protocol + ?Sized> fmt::Debug for Outbox<P> {
    /// The number of outputs only: messages may hold shares.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Outbox({})", self.0.len())
    }
}
