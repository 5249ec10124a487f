//! Everything for one peer, in order, over whichever connection is alive.
//!
//! A line takes parcels from its queue, dials when there is no connection, sends each parcel over the newest one, and
//! tries a second connection when the first turns out to be dead. It ends when its queue is closed and its last
//! connection has said farewell.
//!
//! Nothing is sent twice. What was handed to a connection whose peer's process has died is lost: the protocol is told so when the
//! connection is given up, or as soon as the peer's next process dials us, and what it still needs it sends again.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base::{Digest, Duration, NodeId, Wire};
use bytes::Bytes;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::{self, JoinError, JoinSet};
use tokio::time::{Instant as Ticks, sleep_until};

use crate::bound::Network;
use crate::dial::{DialError, dial};
use crate::frame::PREFIX;
use crate::greeting::Admitted;
use crate::host::Arrival;
use crate::link::{Heard, Link, Reading};
use crate::pace::Pace;

/// Connections over which one message is tried.
const TRIES: u32 = 2;
/// Connections to one peer that are being closed at once; beyond it they are cut.
const LEAVING: usize = 3;
/// The wait after a first failed dial. It doubles with each further one.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// The longest wait between dials.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// A message on its way into a line.
#[derive(Debug)]
pub(crate) struct Parcel {
    /// The place of its purpose among those of the protocol.
    pub(crate) purpose: usize,
    pub(crate) frame: Bytes,
    /// Where the peer is, as far as the protocol knows now.
    pub(crate) addresses: Vec<SocketAddr>,
}

/// What the rest of the host holds of a line.
#[derive(Debug)]
pub(crate) struct Ends {
    pub(crate) queue: mpsc::Sender<Parcel>,
    pub(crate) adopt: mpsc::Sender<Admitted>,
    /// Bytes in the queue.
    pub(crate) backlog: Arc<AtomicUsize>,
}

pub(crate) struct Line<M> {
    peer: NodeId,
    network: Arc<Network>,
    arrivals: mpsc::Sender<Arrival<M>>,
    queue: mpsc::Receiver<Parcel>,
    adopted: mpsc::Receiver<Admitted>,
    backlog: Arc<AtomicUsize>,
    pace: Arc<Pace>,
    /// A permit for each message that may wait for the protocol.
    waiting: Arc<Semaphore>,

    addresses: Vec<SocketAddr>,
    /// What is next to go, and its purpose.
    pending: Option<(Bytes, usize)>,
    tries: u32,
    /// Oldest first; the last one is used. Two when both sides dialled, for moments.
    links: Vec<Link>,
    readers: JoinSet<Heard>,
    leaving: JoinSet<bool>,
    dials: JoinSet<Result<Admitted, DialError>>,
    not_before: Ticks,
    wait: Duration,
    closed: bool,
}

impl<M: Wire + Send + 'static> Line<M> {
    pub(crate) fn new(
        peer: NodeId,
        network: Arc<Network>,
        arrivals: mpsc::Sender<Arrival<M>>,
    ) -> (Self, Ends) {
        let (queue, parcels) = mpsc::channel(network.limits.queue_messages.max(1));
        let (adopt, adopted) = mpsc::channel(2);
        let backlog = Arc::new(AtomicUsize::new(0));
        let ends = Ends {
            queue,
            adopt,
            backlog: backlog.clone(),
        };
        let limits = &network.limits;
        let pace = Pace::new(
            limits.peer_messages_per_sec,
            limits.peer_bytes_per_sec,
            Ticks::now(),
        );
        let line = Self {
            peer,
            pace: Arc::new(pace),
            waiting: Arc::new(Semaphore::new(limits.peer_waiting.max(1))),
            network,
            arrivals,
            queue: parcels,
            adopted,
            backlog,
            addresses: Vec::new(),
            pending: None,
            tries: 0,
            links: Vec::new(),
            readers: JoinSet::new(),
            leaving: JoinSet::new(),
            dials: JoinSet::new(),
            not_before: Ticks::now(),
            wait: FIRST_WAIT,
            closed: false,
        };
        (line, ends)
    }

    pub(crate) async fn run(mut self) {
        while !self.is_done() {
            // There is always something to wait for: the queue unless a parcel is pending, its dial or the wait before it
            // if one is, and farewells once the queue is closed.
            tokio::select! {
                parcel = self.queue.recv(), if self.pending.is_none() && !self.closed => {
                    match parcel {
                        Some(parcel) => self.take(parcel),
                        None => self.close(),
                    }
                }
                Some(admitted) = self.adopted.recv() => self.add(admitted).await,
                Some(dialled) = self.dials.join_next() => match dialled {
                    Ok(Ok(admitted)) => self.add(admitted).await,
                    Ok(Err(_)) | Err(_) => self.give_up().await,
                },
                () = sleep_until(self.not_before), if self.must_dial() => self.dial(),
                Some(ended) = self.readers.join_next_with_id() => self.heard(ended).await,
                Some(left) = self.leaving.join_next() => {
                    // A peer that has another connection is not unreachable.
                    if !left.unwrap_or(false) && self.links.is_empty() {
                        self.tell_unreachable().await;
                    }
                }
            }
            self.flush().await;
        }
    }

    fn is_done(&self) -> bool {
        self.closed && self.leaving.is_empty() && self.readers.is_empty()
    }

    fn must_dial(&self) -> bool {
        self.pending.is_some() && self.links.is_empty() && self.dials.is_empty()
    }

    fn take(&mut self, parcel: Parcel) {
        if !parcel.addresses.is_empty() {
            self.addresses = parcel.addresses;
        }
        self.pending = Some((parcel.frame, parcel.purpose));
    }

    /// The host is done with this peer, and everything queued has gone or was given up.
    fn close(&mut self) {
        self.closed = true;
        self.dials.abort_all();
        for link in std::mem::take(&mut self.links) {
            self.retire(link);
        }
    }

    fn dial(&mut self) {
        let dial = dial(self.network.clone(), self.peer, self.addresses.clone());
        self.dials.spawn(dial);
    }

    async fn add(&mut self, admitted: Admitted) {
        self.wait = FIRST_WAIT;
        self.not_before = Ticks::now();
        self.network.versions.members.remove(self.peer);
        self.network.refusing.remove(self.peer);
        self.network.unanswering.remove(self.peer);
        let reading = Reading {
            peer: self.peer,
            network: self.network.clone(),
            arrivals: self.arrivals.clone(),
            pace: self.pace.clone(),
            waiting: self.waiting.clone(),
        };
        let link = Link::new(admitted, reading, &mut self.readers);
        if self.closed {
            self.retire(link);
            return;
        }
        if !link.dialled && self.forget() {
            self.tell_unreachable().await;
        }
        self.links.push(link);
        self.settle();
    }

    /// The peer has dialled. It would not have done so had it known of a connection: most likely it has started again. Those
    /// that it dialled before go, and those that we dialled too long ago for both to have dialled at the same time. Whether
    /// something that was written to one of them was swallowed by the process that is gone.
    fn forget(&mut self) -> bool {
        let limits = &self.network.limits;
        let at_once = limits.dial_timeout + limits.admission_timeout;
        let is_forgotten = |link: &mut Link| !link.dialled || link.age() > at_once;
        let forgotten: Vec<_> = self.links.extract_if(.., is_forgotten).collect();
        let swallowed = forgotten.iter().any(Link::is_unheard);
        for link in forgotten {
            self.retire(link);
        }
        swallowed
    }

    /// When both sides have dialled at the same time, the connection stays that the lower name dialled, and the higher name
    /// closes the other.
    fn settle(&mut self) {
        let is_answered = self.links.iter().any(|link| !link.dialled);
        if self.network.node > self.peer && is_answered {
            let ours: Vec<_> = self.links.extract_if(.., |link| link.dialled).collect();
            for link in ours {
                self.retire(link);
            }
        }
    }

    fn retire(&mut self, link: Link) {
        if self.leaving.len() < LEAVING {
            self.leaving
                .spawn(link.farewell(self.network.limits.close_timeout));
        } else {
            link.cut();
        }
    }

    /// A receiving half has ended: the peer says farewell, or the connection is gone.
    async fn heard(&mut self, ended: Result<(task::Id, Heard), JoinError>) {
        let (reader, heard) = ended.unwrap_or_else(|error| (error.id(), Heard::Lost));
        let Some(place) = self.links.iter().position(|link| link.reader == reader) else {
            return;
        };
        let link = self.links.remove(place);
        if heard == Heard::Everything {
            self.retire(link);
        } else {
            let in_doubt = link.in_doubt();
            link.cut();
            // A peer that throws us out each time is not dialled for each message.
            self.not_before = Ticks::now() + self.wait;
            if in_doubt && self.links.is_empty() {
                self.tell_unreachable().await;
            }
        }
    }

    /// Sends what is pending if there is a connection.
    async fn flush(&mut self) {
        while let (Some(pending), Some(link)) = (self.pending.clone(), self.links.last_mut()) {
            let (frame, purpose) = pending;
            if link.write(frame.clone()).await.is_ok() {
                self.network.tally.sent(purpose, PREFIX + frame.len());
                self.settled(&frame);
                continue;
            }
            self.links.pop();
            self.tries += 1;
            if self.tries >= TRIES {
                self.give_up().await;
            }
        }
    }

    /// Drops everything that waits, tells the protocol, and waits before the next dial.
    async fn give_up(&mut self) {
        let Some((frame, _)) = self.pending.take() else {
            return;
        };
        self.settled(&frame);
        let mut dropped = 1;
        while let Ok(parcel) = self.queue.try_recv() {
            self.settled(&parcel.frame);
            dropped += 1;
        }
        self.network.tally.dropped(dropped);
        self.not_before = Ticks::now() + spread(self.network.node, self.peer, self.wait);
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        self.tell_unreachable().await;
    }

    fn settled(&mut self, frame: &Bytes) {
        self.pending = None;
        self.tries = 0;
        self.backlog.fetch_sub(frame.len(), Ordering::Relaxed);
    }

    async fn tell_unreachable(&self) {
        // Fails only while the host is closing and nobody listens any more.
        let _ = self.arrivals.send(Arrival::Unreachable(self.peer)).await;
    }
}

/// The wait and up to a quarter more, another part for each pair of nodes: those who lost a peer at one moment do not all
/// dial it at one.
fn spread(own: NodeId, peer: NodeId, wait: Duration) -> Duration {
    let micros = wait.as_micros().to_be_bytes();
    let part = Digest::of("wait", &[own.as_bytes(), peer.as_bytes(), &micros]);
    wait + wait * u32::from(part.0[0]) / 1024
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn no_two_pairs_wait_alike() {
        let node = |number: u8| NodeId([number; 32]);
        let waits: Vec<_> = (0..50)
            .map(|own| spread(node(own), node(99), LONGEST_WAIT))
            .collect();
        let most = LONGEST_WAIT * 5 / 4;
        assert!(waits.iter().all(|wait| (LONGEST_WAIT..most).contains(wait)));
        let different: BTreeSet<_> = waits.into_iter().collect();
        assert!(different.len() > 40, "{}", different.len());
        let (there, back) = (node(1), node(2));
        assert_ne!(
            spread(there, back, FIRST_WAIT),
            spread(back, there, FIRST_WAIT)
        );
    }
}
