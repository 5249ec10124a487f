//! Any number of members, the links between them, and a clock.

use std::collections::{BTreeMap, BTreeSet};

use base::{Duration, Input, Instant, NodeId, Outbox, Output, Protocol as _, Rng, decode, encode};

use super::world::{START, World};
use crate::membership::{Command, Event, Membership, Message, Tick};

const LATENCY: Duration = Duration::from_millis(20);

enum Happening {
    Message {
        from: NodeId,
        to: NodeId,
        bytes: Vec<u8>,
    },
    Wake(NodeId, Tick),
}

/// Members of a [`World`] who talk to each other.
pub struct Network<'a> {
    world: &'a World,
    pub now: Instant,
    members: BTreeMap<NodeId, Membership>,
    queue: BTreeMap<(Instant, u64), Happening>,
    caused: u64,
    rng: Rng,
    /// Of messages, for good.
    pub loss_percent: u64,
    pub down: BTreeSet<NodeId>,
    /// Sent so far.
    pub messages: u64,
    /// Of these messages.
    pub bytes: u64,
    pub events: Vec<(NodeId, Event)>,
}

impl<'a> Network<'a> {
    pub fn new(world: &'a World, seed: u64) -> Self {
        Self {
            world,
            now: START,
            members: BTreeMap::new(),
            queue: BTreeMap::new(),
            caused: 0,
            rng: Rng::from_number(seed),
            loss_percent: 0,
            down: BTreeSet::new(),
            messages: 0,
            bytes: 0,
            events: Vec::new(),
        }
    }

    /// The first `size` people join, all of them told of these.
    pub fn start(&mut self, size: usize, bootstraps: &[usize]) {
        (0..size).for_each(|person| self.join(person, bootstraps));
    }

    pub fn join(&mut self, person: usize, bootstraps: &[usize]) {
        let node = self.world.node(person);
        let member = self.world.member(person, self.now);
        self.members.insert(node, member);
        let told = bootstraps
            .iter()
            .map(|&person| (self.world.node(person), World::address(person)))
            .collect();
        self.input(node, Input::Command(Command::Join(told)));
    }

    pub fn member(&self, person: usize) -> &Membership {
        &self.members[&self.world.node(person)]
    }

    pub fn input(&mut self, node: NodeId, input: Input<Membership>) {
        let mut out = Outbox::new();
        let member = self.members.get_mut(&node).expect("has joined");
        member.handle(self.now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, message } => self.send(node, to, &message),
                Output::Wake { at, timer } => self.push(at, Happening::Wake(node, timer)),
                Output::Event(event) => self.events.push((node, event)),
            }
        }
    }

    pub fn send(&mut self, from: NodeId, to: NodeId, message: &Message) {
        let bytes = encode(message);
        self.messages += 1;
        self.bytes += bytes.len() as u64;
        if self.rng.below(100) >= self.loss_percent {
            self.push(self.now + LATENCY, Happening::Message { from, to, bytes });
        }
    }

    fn push(&mut self, at: Instant, happening: Happening) {
        self.caused += 1;
        self.queue
            .insert((at.max(self.now), self.caused), happening);
    }

    pub fn run_for(&mut self, duration: Duration) {
        let until = self.now + duration;
        while let Some(entry) = self.queue.first_entry().filter(|e| e.key().0 <= until) {
            self.now = entry.key().0;
            match entry.remove() {
                Happening::Message { from, to, bytes } if self.is_up(to) => {
                    let message = decode(&bytes, 4 << 20).expect("members write what they read");
                    self.input(to, Input::Message { from, message });
                }
                Happening::Message { from, to, .. } if self.is_up(from) => {
                    self.input(from, Input::Unreachable(to));
                }
                Happening::Wake(node, timer) if self.is_up(node) => {
                    self.input(node, Input::Timer(timer));
                }
                _ => {}
            }
        }
        self.now = until;
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.members.contains_key(&node) && !self.down.contains(&node)
    }

    /// Whether all who are up know all who are up, and hold the same contacts.
    pub fn has_converged(&self) -> bool {
        let up: Vec<_> = self
            .members
            .iter()
            .filter(|(node, _)| self.is_up(**node))
            .collect();
        let first = up[0].1.cache();
        up.iter().all(|(node, member)| {
            first.contains(**node) && member.cache().summary() == first.summary()
        })
    }
}
