//! The nodes of a community, the links between them, a clock, and somebody who looks points up.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Duration, Input, Instant, NodeId, Outbox, Output, Protocol as _, Rng, decode, encode};

use super::world::{START, World, people, plan};
use crate::Failure;
use crate::strategy::*;

pub const LATENCY: Duration = Duration::from_millis(20);
/// Longest message: 4 MB.
const BYTES_MAX: usize = 1 << 22;
/// Longer than any draw may take.
const LONG: Duration = Duration::from_secs(180);

enum Happening {
    Message(NodeId, NodeId, Message),
    Wake(NodeId, Timer),
    Unreachable { of: NodeId, to: NodeId },
}

/// Sees each message before it is sent, and may change it; `false` loses it.
pub type Meddler<'a> = Box<dyn FnMut(NodeId, NodeId, &mut Message) -> bool + 'a>;

/// The nodes of a [`World`] who talk to each other.
pub struct Network<'a> {
    pub world: &'a World,
    pub now: Instant,
    pub nodes: BTreeMap<NodeId, StrategyNode>,
    queue: BTreeMap<(Instant, u64), Happening>,
    caused: u64,
    pub down: BTreeSet<NodeId>,
    pub tells_unreachable: bool,
    /// Whether lookups are answered.
    pub looks_up: bool,
    pub lookups: usize,
    /// Played by the test: what it is sent is kept in `inbox`.
    puppet: Option<NodeId>,
    inbox: Vec<(NodeId, Message)>,
    meddler: Meddler<'a>,
    pub sent: Vec<(NodeId, NodeId, Message)>,
    pub events: Vec<(NodeId, Event)>,
}

impl<'a> Network<'a> {
    pub fn new(world: &'a World) -> Self {
        let node = |person: usize| {
            let identity = Arc::clone(&people().identities[person]);
            let (own, rules) = (identity.node(), world.rules.clone());
            let rng = Rng::from_number(person as u64);
            let node = StrategyNode::new(identity, rules, world.setup, world.cache(own), rng);
            (own, node)
        };
        Self {
            world,
            now: START,
            nodes: (0..world.size).map(node).collect(),
            queue: BTreeMap::new(),
            caused: 0,
            down: BTreeSet::new(),
            tells_unreachable: true,
            looks_up: true,
            lookups: 0,
            puppet: None,
            inbox: Vec::new(),
            meddler: Box::new(|_, _, _| true),
            sent: Vec::new(),
            events: Vec::new(),
        }
    }

    /// With somebody on the wires.
    pub fn meddled(
        world: &'a World,
        meddler: impl FnMut(NodeId, NodeId, &mut Message) -> bool + 'a,
    ) -> Self {
        Self {
            meddler: Box::new(meddler),
            ..Self::new(world)
        }
    }

    /// The first of the people draws, to the end.
    pub fn draw(&mut self, number: u64, seats: u32) -> Result<Selected, Failure> {
        let digest = plan(number);
        self.command(people().node(0), Command::Draw { digest, seats });
        let limit = self.now + LONG;
        loop {
            let ended = self.events.iter().find_map(|(_, event)| match event {
                Event::Drawn(selected) if selected.draw.digest == digest => {
                    Some(Ok((**selected).clone()))
                }
                Event::Failed(of, why) if *of == digest => Some(Err(*why)),
                _ => None,
            });
            if let Some(ended) = ended {
                return ended;
            }
            assert!(self.step(limit), "a draw that hangs");
        }
    }

    pub fn command(&mut self, node: NodeId, command: Command) {
        self.input(node, Input::Command(command));
    }

    pub fn input(&mut self, node: NodeId, input: Input<StrategyNode>) {
        let mut out = Outbox::new();
        let it = self.nodes.get_mut(&node).unwrap();
        it.handle(self.now, input, &mut out);
        let outputs: Vec<_> = out.drain().collect();
        for output in outputs {
            match output {
                Output::Send { to, message } => self.send(node, to, message),
                Output::Wake { at, timer } => self.push(at, Happening::Wake(node, timer)),
                Output::Event(Event::Lookup { point, without }) => {
                    self.lookups += 1;
                    let away = |node| without.contains(&node) || self.down.contains(&node);
                    let mesh = Arc::clone(&self.world.mesh);
                    let found = mesh.nearest(point, |node| !away(node));
                    if let Some(contact) = found.filter(|_| self.looks_up).cloned() {
                        self.command(node, Command::Found { point, contact });
                    }
                }
                Output::Event(event) => self.events.push((node, event)),
            }
        }
    }

    pub fn send(&mut self, from: NodeId, to: NodeId, mut message: Message) {
        if !(self.meddler)(from, to, &mut message) {
            return;
        }
        let message: Message = decode(&encode(&message), BYTES_MAX).unwrap();
        self.sent.push((from, to, message.clone()));
        self.push(self.now + LATENCY, Happening::Message(from, to, message));
    }

    fn push(&mut self, at: Instant, happening: Happening) {
        self.caused += 1;
        self.queue.insert((at, self.caused), happening);
    }

    /// The next thing that happens, if any does by then.
    pub fn step(&mut self, until: Instant) -> bool {
        let next = self.queue.first_entry().filter(|e| e.key().0 <= until);
        let Some(entry) = next else {
            return false;
        };
        self.now = self.now.max(entry.key().0);
        match entry.remove() {
            Happening::Message(from, to, message) if self.puppet == Some(to) => {
                self.inbox.push((from, message));
            }
            Happening::Message(from, to, message) if self.is_up(to) => {
                self.input(to, Input::Message { from, message });
            }
            Happening::Message(from, to, _) if self.tells_unreachable => {
                self.push(self.now, Happening::Unreachable { of: to, to: from });
            }
            Happening::Unreachable { of, to } if self.is_up(to) => {
                self.input(to, Input::Unreachable(of));
            }
            Happening::Wake(node, timer) if self.is_up(node) => {
                self.input(node, Input::Timer(timer));
            }
            _ => {}
        }
        true
    }

    fn is_up(&self, node: NodeId) -> bool {
        self.nodes.contains_key(&node) && self.puppet != Some(node) && !self.down.contains(&node)
    }

    /// Says something as a puppet, and gives what it is answered by `to` at once.
    pub fn say(&mut self, from: NodeId, to: NodeId, message: Message) -> Vec<Message> {
        self.puppet = Some(from);
        self.inbox.clear();
        self.send(from, to, message);
        while self.step(self.now + 2 * LATENCY) {}
        let answers = std::mem::take(&mut self.inbox).into_iter();
        let answers = answers.filter(|(by, _)| *by == to);
        answers.map(|(_, message)| message).collect()
    }

    /// Whom anybody has accused of what.
    pub fn accusations(&self) -> Vec<(NodeId, Breach)> {
        let accusation = |(_, event): &(NodeId, Event)| match event {
            Event::Misbehaved { node, what } => Some((*node, *what)),
            _ => None,
        };
        self.events.iter().filter_map(accusation).collect()
    }
}
