//! What is told to all and kept by some: broadcast and records in one protocol, around one view.

use std::sync::Arc;

use base::{Digest, Duration, Input, Instant, Location, NodeId, Outbox, Protocol, Rng};
use community::{Community, Contact, Identity};
use minicbor::{Decode, Encode};

pub mod breach;

use crate::NodeCache;
use crate::broadcast::{self, Broadcast, BroadcastError};
use crate::records::{self, Record, RecordError, Records};
use crate::spreading::breach::SpreadingBreach;
use crate::view::{CACHE_MAX, View};

/// Time between two comparisons of broadcasts. Guess: who joins in the middle may wait so long.
const COMPARE_EVERY: Duration = Duration::from_secs(15);
/// Time between two comparisons of records. Guess: a newcomer among keepers is told at once, the rest is repair.
const SYNC_EVERY: Duration = Duration::from_secs(30);

/// One node's part in spreading and keeping.
pub struct Spreading {
    view: View,
    broadcast: Broadcast,
    records: Records,
    rng: Rng,
    /// Whether the periodic timers run.
    started: bool,
}

/// Between nodes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// Of the broadcast.
    #[n(2)]
    Broadcast(#[n(0)] broadcast::Message),
    /// Of the records.
    #[n(3)]
    Records(#[n(0)] records::Message),
}

/// From the application.
#[derive(Debug)]
pub enum Command {
    /// Take a checked contact.
    Know(Arc<Contact>),
    /// Forget a node that is gone for good.
    Forget(NodeId),
    /// Tell every node.
    Broadcast(Vec<u8>),
    /// Put a record at its place: ends with `Stored` or `RecordFailed`.
    Put(Box<Record>),
    /// Get the record at a place: ends with `Got` or `RecordFailed`.
    Get(Location),
    /// The answer to `Find`: checked contacts of nodes near the place.
    Found(Location, Vec<Arc<Contact>>),
}

/// To the application.
#[derive(Debug)]
pub enum Event {
    /// A node told everybody.
    Heard {
        /// Who.
        from: NodeId,
        /// What.
        payload: Vec<u8>,
    },
    /// Nothing was broadcast.
    BroadcastFailed(BroadcastError),
    /// Which node is nearest to this place?
    Find(Location),
    /// Where a node is found that is about to be asked and may be outside of the view.
    Met(Arc<Contact>),
    /// A record was put.
    Stored {
        /// Its place.
        location: Location,
        /// How many nodes say that they keep it.
        copies: usize,
    },
    /// The latest record found at a place, if any.
    Got(Location, Option<Box<Record>>),
    /// Nothing was put or asked.
    RecordFailed(RecordError),
    /// A peer did what no honest one does.
    Misbehaved {
        /// Who.
        node: NodeId,
        /// Which check failed.
        what: SpreadingBreach,
    },
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timer {
    /// Receipts of relays.
    Receipts,
    /// Offering a broadcast.
    Offer(Digest),
    /// A broadcast that was asked for.
    Wanted(Digest),
    /// Comparing broadcasts.
    Compare,
    /// Comparing records.
    Sync,
    /// A request for a record.
    Request(u64),
}

impl Spreading {
    /// A node that knows itself, whose region is the share `size` (0 to 1) of the ring.
    pub fn new(
        community: Arc<Community>,
        identity: Arc<Identity>,
        own: Arc<Contact>,
        size: f64,
        mut rng: Rng,
    ) -> Self {
        let records = Records::new(Arc::clone(&community), &identity, rng.fork("records"));
        Self {
            view: View::new(own, size, CACHE_MAX),
            broadcast: Broadcast::new(community, identity, rng.fork("broadcast")),
            records,
            rng,
            started: false,
        }
    }

    /// Whom it knows.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// Takes these as the nodes outside of the region.
    pub fn see_fingers(&mut self, fingers: &NodeCache) {
        let known = &mut self.view.fingers;
        let same = known.len() == fingers.len()
            && known
                .iter()
                .zip(fingers.iter())
                .all(|(one, other)| Arc::ptr_eq(one, other));
        if !same {
            *known = fingers.clone();
        }
    }

    /// The record that it keeps for this place, if any.
    pub fn record(&self, location: Location, now: Instant) -> Option<&Record> {
        self.records.record(location, now)
    }

    /// How many records it keeps.
    pub fn kept(&self) -> usize {
        self.records.kept()
    }

    /// The first comparisons come at a random time, so that not all nodes compare at once.
    fn start(&mut self, now: Instant, out: &mut Outbox<Self>) {
        if !self.started {
            self.started = true;
            for (every, timer) in [(COMPARE_EVERY, Timer::Compare), (SYNC_EVERY, Timer::Sync)] {
                let wait = Duration::from_micros(self.rng.below(every.as_micros() as u64));
                out.wake(now + wait, timer);
            }
        }
    }

    fn handle_command(&mut self, now: Instant, command: Command, out: &mut Outbox<Self>) {
        let Self {
            view,
            broadcast,
            records,
            ..
        } = self;
        match command {
            Command::Know(contact) => {
                let inside = view.region().contains(contact.location());
                let cache = if inside {
                    &mut view.cache
                } else {
                    &mut view.fingers
                };
                if cache.insert(Arc::clone(&contact)) && inside {
                    records.handle_known(now, &contact, view, out);
                }
            }
            Command::Forget(node) => {
                view.cache.remove(node);
                view.fingers.remove(node);
            }
            Command::Broadcast(payload) => {
                if let Err(why) = broadcast.start(now, payload, view, out) {
                    out.emit(Event::BroadcastFailed(why));
                }
            }
            Command::Put(record) => {
                if let Err(why) = records.put(now, *record, view, out) {
                    out.emit(Event::RecordFailed(why));
                }
            }
            Command::Get(location) => {
                if let Err(why) = records.get(now, location, view, out) {
                    out.emit(Event::RecordFailed(why));
                }
            }
            Command::Found(location, found) => {
                records.handle_found(now, location, &found, view, out)
            }
        }
    }

    fn on_message(&mut self, now: Instant, from: NodeId, message: Message, out: &mut Outbox<Self>) {
        let Self {
            view,
            broadcast,
            records,
            ..
        } = self;
        match message {
            Message::Broadcast(message) => broadcast.on_message(now, from, message, view, out),
            Message::Records(message) => records.on_message(now, from, message, view, out),
        }
    }

    fn handle_timer(&mut self, now: Instant, timer: Timer, out: &mut Outbox<Self>) {
        let Self {
            view,
            broadcast,
            records,
            ..
        } = self;
        match timer {
            Timer::Receipts => broadcast.handle_receipts_due(now, view, out),
            Timer::Offer(id) => broadcast.handle_offer(now, id, view, out),
            Timer::Wanted(id) => broadcast.ask_next(now, id, out),
            Timer::Compare => {
                broadcast.handle_compare(now, view, out);
                out.wake(now + COMPARE_EVERY, Timer::Compare);
            }
            Timer::Sync => {
                records.handle_sync(now, view, out);
                out.wake(now + SYNC_EVERY, Timer::Sync);
            }
            Timer::Request(number) => records.handle_request_due(now, number, out),
        }
    }
}

impl Protocol for Spreading {
    type Message = Message;
    type Command = Command;
    type Event = Event;
    type Timer = Timer;

    fn handle(&mut self, now: Instant, input: Input<Self>, out: &mut Outbox<Self>) {
        self.start(now, out);
        match input {
            Input::Command(command) => self.handle_command(now, command, out),
            Input::Message { from, message } => self.on_message(now, from, message, out),
            Input::Timer(timer) => self.handle_timer(now, timer, out),
            Input::Unreachable(node) => {
                self.broadcast.on_unreachable(now, node, &self.view, out);
                self.records.on_unreachable(now, node, &self.view, out);
            }
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
