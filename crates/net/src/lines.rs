//! All peers, of limited number.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use base::{NodeId, Wire};
use iroh::endpoint::VarInt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant as Ticks, timeout};

use crate::BUSY;
use crate::bound::Network;
use crate::greeting::Admitted;
use crate::host::Arrival;
use crate::line::{Ends, Line, Parcel};

/// The lines in use. One that is dropped from here empties its queue, says farewell and ends by itself.
pub(crate) struct Lines<M> {
    network: Arc<Network>,
    arrivals: mpsc::Sender<Arrival<M>>,
    open: BTreeMap<NodeId, Entry>,
    /// One per line, those that are ending included.
    tasks: JoinSet<()>,
}

struct Entry {
    ends: Ends,
    /// When a message last went either way.
    used: Ticks,
    /// Whether the protocol was told that messages are being dropped.
    told: bool,
}

impl<M: Wire + Send + 'static> Lines<M> {
    pub(crate) fn new(network: Arc<Network>, arrivals: mpsc::Sender<Arrival<M>>) -> Self {
        Self {
            network,
            arrivals,
            open: BTreeMap::new(),
            tasks: JoinSet::new(),
        }
    }

    /// Queues an encoded message. False when it was dropped and the protocol should hear of it.
    #[must_use]
    pub(crate) fn send(&mut self, to: NodeId, parcel: Parcel) -> bool {
        let network = self.network.clone();
        let limits = &network.limits;
        let len = parcel.frame.len();
        let entry = if len <= limits.max_message {
            self.entry(to)
        } else {
            None
        };
        let Some(entry) = entry else {
            network.tally.dropped(1);
            return false;
        };
        let backlog = entry.ends.backlog.fetch_add(len, Ordering::Relaxed);
        let fits = backlog == 0 || backlog + len <= limits.queue_bytes;
        if fits && entry.ends.queue.try_send(parcel).is_ok() {
            entry.used = Ticks::now();
            // Between full and half empty it may be full again with the next message: once is enough.
            entry.told &= backlog > limits.queue_bytes / 2
                || entry.ends.queue.capacity() < limits.queue_messages / 2;
            return true;
        }
        entry.ends.backlog.fetch_sub(len, Ordering::Relaxed);
        let told = std::mem::replace(&mut entry.told, true);
        network.tally.dropped(1);
        told
    }

    /// Gives a connection that a peer has opened to the peer's line.
    pub(crate) fn adopt(&mut self, admitted: Admitted) {
        let refused = match self.entry(admitted.peer) {
            Some(entry) => entry
                .ends
                .adopt
                .try_send(admitted)
                .err()
                .map(mpsc::error::TrySendError::into_inner),
            None => Some(admitted),
        };
        if let Some(admitted) = refused {
            admitted.connection.close(VarInt::from_u32(BUSY), b"busy");
        }
    }

    /// Notes that a peer has sent a message.
    pub(crate) fn touch(&mut self, peer: NodeId) {
        if let Some(entry) = self.open.get_mut(&peer) {
            entry.used = Ticks::now();
        }
    }

    /// Lets go of lines that nothing has used for long.
    pub(crate) fn sweep(&mut self) {
        let idle_after = self.network.limits.idle_after;
        self.open
            .retain(|_, entry| entry.used.elapsed() < idle_after);
        while self.tasks.try_join_next().is_some() {}
    }

    /// Lets go of all lines and waits for their last messages to arrive, within the time limit.
    pub(crate) async fn close(mut self) {
        self.open.clear();
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        // What is not done by then is aborted with the tasks.
        let _ = timeout(self.network.limits.shutdown_timeout, ended).await;
        self.tasks.shutdown().await;
    }

    /// The line to `peer`, made when there is none. None when too many are still ending.
    fn entry(&mut self, peer: NodeId) -> Option<&mut Entry> {
        if self
            .open
            .get(&peer)
            .is_none_or(|entry| entry.ends.queue.is_closed())
        {
            self.open.remove(&peer);
            let limit = self.network.limits.max_connections;
            if self.open.len() >= limit {
                let silent = self.open.iter().min_by_key(|(_, entry)| entry.used);
                let silent = silent.map(|(&node, _)| node)?;
                self.open.remove(&silent);
            }
            while self.tasks.try_join_next().is_some() {}
            if self.tasks.len() >= limit.saturating_mul(2) {
                return None;
            }
            let (line, ends) = Line::new(peer, self.network.clone(), self.arrivals.clone());
            self.tasks.spawn(line.run());
            let used = Ticks::now();
            let entry = Entry {
                ends,
                used,
                told: false,
            };
            self.open.insert(peer, entry);
        }
        self.open.get_mut(&peer)
    }
}
