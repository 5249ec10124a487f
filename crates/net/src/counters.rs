//! What a host has done since it started.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Totals over all peers. Bytes are those of messages and their length prefixes, before QUIC adds its own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counters {
    /// Messages from peers that were handed to the protocol or wait for it.
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
    /// Admitted connections over which peers can send now. Alone among these it also goes down.
    pub connections: u64,
}

/// [`Counters`] while they count. Each figure is exact, a set of them is not a snapshot of one moment.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    messages_in: AtomicU64,
    messages_out: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    dropped: AtomicU64,
    refused: AtomicU64,
    misbehaved: AtomicU64,
    connections: AtomicU64,
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
    pub(crate) fn received(&self, bytes: usize) {
        self.messages_in.fetch_add(1, Ordering::Relaxed);
        self.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(crate) fn sent(&self, bytes: usize) {
        self.messages_out.fetch_add(1, Ordering::Relaxed);
        self.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
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

    pub(crate) fn connection(self: &Arc<Self>) -> Counted {
        self.connections.fetch_add(1, Ordering::Relaxed);
        Counted(self.clone())
    }

    pub(crate) fn read(&self) -> Counters {
        let get = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Counters {
            messages_in: get(&self.messages_in),
            messages_out: get(&self.messages_out),
            bytes_in: get(&self.bytes_in),
            bytes_out: get(&self.bytes_out),
            dropped: get(&self.dropped),
            refused: get(&self.refused),
            misbehaved: get(&self.misbehaved),
            connections: get(&self.connections),
        }
    }
}
