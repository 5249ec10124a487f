//! Messages on their way.

use base::{Input, Instant, NodeId, Protocol, decode};

use super::Simulation;
use super::crowd::Place;
use super::happening::Happening;

impl<P: Protocol> Simulation<P> {
    pub(super) fn send(&mut self, from: Place, to: NodeId, bytes: Vec<u8>) {
        let to = self.crowd.place(to);
        let sender = self.crowd.at_mut(from);
        let sent = sender.progress.tell();
        for counters in [&mut self.total, &mut sender.counters] {
            counters.sent += 1;
            counters.sent_bytes += bytes.len() as u64;
        }
        let lives = (sender.life, self.crowd.at(to).life);
        let message = |bytes| Happening::Message {
            from,
            to,
            lives,
            bytes,
            sent,
        };
        if from == to {
            return self.push(self.now, message(bytes));
        }
        let at = self.arrival(from, to, bytes.len());
        let lost = self.network.loses(&mut self.rng);
        if lost || self.is_partitioned(from, to) {
            self.lose_at(at, from, to, lives.0, false);
        } else {
            self.push(at, message(bytes));
        }
    }

    pub(super) fn deliver(&mut self, from: Place, to: Place, lives: (u32, u32), bytes: Vec<u8>) {
        if !self.answers(to, lives.1) {
            return self.lose_at(self.now, from, to, lives.0, true);
        }
        let sender = self.crowd.at(from).name;
        self.record(b'm', to);
        self.log.bytes(sender.as_bytes());
        self.log.bytes(&bytes);
        let receiver = self.crowd.at_mut(to);
        for counters in [&mut self.total, &mut receiver.counters] {
            counters.received += 1;
            counters.received_bytes += bytes.len() as u64;
        }
        let message = decode(&bytes, bytes.len()).unwrap_or_else(|error| {
            let receiver = receiver.name;
            panic!("{sender:?} sent {receiver:?} a message that does not round-trip: {error}")
        });
        let from = sender;
        self.input(to, Input::Message { from, message });
    }

    /// When a message sent now arrives.
    fn arrival(&mut self, from: Place, to: Place, bytes: usize) -> Instant {
        let names = (self.crowd.at(from).name, self.crowd.at(to).name);
        let latency = self.network.base_latency(self.salt, names.0, names.1);
        let jitter = self.network.draw_jitter(&mut self.rng);
        let sending = self.network.sending_time(bytes);
        let now = self.now;
        let slot = self.crowd.at_mut(from);
        slot.link_free_at = slot.link_free_at.max(now) + sending;
        slot.link_free_at + latency + jitter
    }

    fn is_partitioned(&mut self, from: Place, to: Place) -> bool {
        let (from, to) = (self.crowd.at(from).name, self.crowd.at(to).name);
        self.partitions.block(self.now, from, to)
    }

    /// Counts a message as lost that would have arrived `at`, and tells the sender, surely when its loss is `noticed`,
    /// otherwise perhaps.
    fn lose_at(&mut self, at: Instant, from: Place, to: Place, sender: u32, noticed: bool) {
        self.total.lost += 1;
        self.crowd.at_mut(from).counters.lost += 1;
        if noticed || self.network.notices(&mut self.rng) {
            let at = at + self.network.notice_after;
            self.push(
                at,
                Happening::Unreachable {
                    of: to,
                    to: from,
                    life: sender,
                },
            );
        }
    }
}
