//! What a host has done since it started.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Totals over all peers. Bytes are those of messages and their length prefixes, before QUIC adds its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages from peers that were handed to the protocol.
    pub messages_in: u64,
    /// Messages that were handed to a connection.
    pub messages_out: u64,
    /// Bytes of `messages_in`.
    pub bytes_in: u64,
    /// Bytes of `messages_out`.
    pub bytes_out: u64,
    /// Messages that were given up: peer unreachable, queue full, or too long.
    pub dropped: u64,
    /// Strangers who were not admitted, turned away before or after they showed something.
    pub refused: u64,
    /// Connections of admitted peers that were closed because they broke the rules of the wire.
    pub misbehaved: u64,
    /// Messages whose sender was slowed down because it sent more than its share.
    pub slowed: u64,
    /// Admitted connections over which peers can send now. Alone among these it also goes down.
    pub connections: u64,
}

/// What one purpose took, in messages and in bytes with their length prefixes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flow {
    /// One of [`Hosted::PURPOSES`](crate::Hosted::PURPOSES), or [`LETTING_IN`].
    pub purpose: &'static str,
    /// Messages from peers.
    pub messages_in: u64,
    /// Messages to peers.
    pub messages_out: u64,
    /// Bytes of `messages_in`.
    pub bytes_in: u64,
    /// Bytes of `messages_out`.
    pub bytes_out: u64,
}

/// The purpose of what the host itself sends and receives before anybody is admitted: certificates, and the questions of
/// strangers at the [`Door`](crate::Door) with their answers. It is not in [`Counters`].
pub const LETTING_IN: &str = "letting in";

/// [`Counters`] while they count. Each figure is exact, a set of them is not a snapshot of one moment.
#[derive(Debug)]
pub(crate) struct Tally {
    purposes: &'static [&'static str],
    /// One for each purpose, and the last for [`LETTING_IN`].
    flows: Vec<Running>,
    dropped: AtomicU64,
    refused: AtomicU64,
    misbehaved: AtomicU64,
    slowed: AtomicU64,
    connections: AtomicU64,
}

/// A [`Flow`] while it runs.
#[derive(Debug, Default)]
struct Running {
    messages_in: AtomicU64,
    messages_out: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
}

impl Running {
    fn received(&self, bytes: usize) {
        self.messages_in.fetch_add(1, Ordering::Relaxed);
        self.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn sent(&self, bytes: usize) {
        self.messages_out.fetch_add(1, Ordering::Relaxed);
        self.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    fn read(&self, purpose: &'static str) -> Flow {
        Flow {
            purpose,
            messages_in: get(&self.messages_in),
            messages_out: get(&self.messages_out),
            bytes_in: get(&self.bytes_in),
            bytes_out: get(&self.bytes_out),
        }
    }
}

fn get(number: &AtomicU64) -> u64 {
    number.load(Ordering::Relaxed)
}

/// Counts a connection while it lives.
#[derive(Debug)]
pub(crate) struct Counted(Arc<Tally>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Tally {
    pub(crate) fn new(purposes: &'static [&'static str]) -> Self {
        let flows = (0..=purposes.len()).map(|_| Running::default());
        Self {
            purposes,
            flows: flows.collect(),
            dropped: AtomicU64::default(),
            refused: AtomicU64::default(),
            misbehaved: AtomicU64::default(),
            slowed: AtomicU64::default(),
            connections: AtomicU64::default(),
        }
    }

    /// A message of the protocol; `purpose` is its place among the purposes.
    pub(crate) fn received(&self, purpose: usize, bytes: usize) {
        self.flows[purpose].received(bytes);
    }

    pub(crate) fn sent(&self, purpose: usize, bytes: usize) {
        self.flows[purpose].sent(bytes);
    }

    /// Something from one who is not admitted yet.
    pub(crate) fn heard_at_the_door(&self, bytes: usize) {
        self.flows[self.purposes.len()].received(bytes);
    }

    pub(crate) fn said_at_the_door(&self, bytes: usize) {
        self.flows[self.purposes.len()].sent(bytes);
    }

    pub(crate) fn dropped(&self, messages: u64) {
        self.dropped.fetch_add(messages, Ordering::Relaxed);
    }

    pub(crate) fn refused(&self) {
        self.refused.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn misbehaved(&self) {
        self.misbehaved.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn slowed(&self) {
        self.slowed.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn connection(self: &Arc<Self>) -> Counted {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Counted(self.clone())
    }

    pub(crate) fn flows(&self) -> Vec<Flow> {
        let purposes = self.purposes.iter().chain([&LETTING_IN]);
        let flows = self.flows.iter().zip(purposes);
        flows.map(|(flow, purpose)| flow.read(purpose)).collect()
    }

    pub(crate) fn read(&self) -> Counters {
        let messages = self.flows();
        let messages = &messages[..self.purposes.len()];
        Counters {
            messages_in: messages.iter().map(|flow| flow.messages_in).sum(),
            messages_out: messages.iter().map(|flow| flow.messages_out).sum(),
            bytes_in: messages.iter().map(|flow| flow.bytes_in).sum(),
            bytes_out: messages.iter().map(|flow| flow.bytes_out).sum(),
            dropped: get(&self.dropped),
            refused: get(&self.refused),
            misbehaved: get(&self.misbehaved),
            slowed: get(&self.slowed),
            connections: get(&self.connections),
        }
    }
}
