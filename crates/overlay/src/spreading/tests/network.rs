//! Any number of nodes, the links between them, and a clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{
    Duration, Input, Instant, Location, NodeId, Outbox, Output, Protocol as _, Rng, decode, encode,
};
use community::Contact;

use super::world::{START, world};
use crate::broadcast;
use crate::spreading::{Command, Event, Message, Spreading, Timer};

enum Happening {
    Message {
        from: NodeId,
        to: NodeId,
        bytes: Vec<u8>,
    },
    Wake(NodeId, Timer),
}

/// Nodes of the [`world`] who talk to each other.
pub struct Network {
    pub now: Instant,
    nodes: BTreeMap<NodeId, Spreading>,
    /// Contacts of all nodes that are there.
    truth: Vec<Arc<Contact>>,
    queue: BTreeMap<(Instant, u64), Happening>,
    caused: u64,
    pub rng: Rng,
    /// How many nodes each knows around it, if not all.
    cache: Option<usize>,
    /// Of messages, for good.
    pub loss_percent: u64,
    /// Cannot be reached, and the sender is told so.
    pub down: BTreeSet<NodeId>,
    /// Take messages and do nothing.
    pub silent: BTreeSet<NodeId>,
    /// Acknowledge and do nothing else.
    pub liars: BTreeSet<NodeId>,
    pub messages: u64,
    /// Messages that hold a broadcast's payload.
    pub payloads: u64,
    /// What each node heard, from whom, in how many hops, in this order.
    pub heard: BTreeMap<NodeId, Vec<(NodeId, Vec<u8>, u32)>>,
    /// All other events but searches, which this answers.
    pub events: Vec<(NodeId, Event)>,
}

impl Network {
    /// The first `size` people, who know `cache` nodes around them and true fingers, or all.
    pub fn new(size: usize, cache: Option<usize>, seed: u64) -> Self {
        let mut network = Self {
            now: START,
            nodes: BTreeMap::new(),
            truth: vec![],
            queue: BTreeMap::new(),
            caused: 0,
            rng: Rng::from_number(seed),
            cache: cache.filter(|cache| *cache < size),
            loss_percent: 0,
            down: BTreeSet::new(),
            silent: BTreeSet::new(),
            liars: BTreeSet::new(),
            messages: 0,
            payloads: 0,
            heard: BTreeMap::new(),
            events: vec![],
        };
        network.truth = world().contacts[..size].to_vec();
        let share = network
            .cache
            .map_or(1.0, |cache| cache as f64 / size as f64);
        for person in 0..size {
            let node = world().people[person].node();
            network.nodes.insert(node, world().overlay(person, share));
        }
        for person in 0..size {
            network.introduce(person);
        }
        network
    }

    /// Tells a node what it should know: its region and its fingers.
    fn introduce(&mut self, person: usize) {
        let own = &world().contacts[person];
        let region = *self.node(person).view().region();
        let mut known = self.truth.clone();
        if self.cache.is_some() {
            let mut ring = self.truth.clone();
            ring.sort_by_key(|contact| contact.location());
            known.retain(|contact| region.contains(contact.location()));
            for bit in 0..64 {
                let point = own.location().0.wrapping_add(1 << bit);
                let at = ring.partition_point(|contact| contact.location().0 < point);
                known.push(Arc::clone(&ring[at % ring.len()]));
            }
        }
        for contact in known {
            if contact.node() != own.node() {
                self.input(own.node(), Input::Command(Command::Know(contact)));
            }
        }
    }

    /// A new person comes, and the nodes near it are told.
    pub fn join(&mut self, person: usize) {
        let contact = Arc::clone(&world().contacts[person]);
        let share = match self.cache {
            Some(cache) => cache as f64 / self.truth.len() as f64,
            None => 1.0,
        };
        let overlay = world().overlay(person, share);
        self.nodes.insert(contact.node(), overlay);
        let before: Vec<_> = self.truth.iter().map(|contact| contact.node()).collect();
        self.truth.push(Arc::clone(&contact));
        for node in before {
            let near = self.nodes[&node]
                .view()
                .region()
                .contains(contact.location());
            if near {
                let know = Command::Know(Arc::clone(&contact));
                self.input(node, Input::Command(know));
            }
        }
        self.introduce(person);
    }

    /// A node goes, and all are told.
    pub fn leave(&mut self, node: NodeId) {
        self.nodes.remove(&node);
        self.truth.retain(|contact| contact.node() != node);
        let others: Vec<_> = self.nodes.keys().copied().collect();
        for other in others {
            self.input(other, Input::Command(Command::Forget(node)));
        }
    }

    pub fn node(&self, person: usize) -> &Spreading {
        &self.nodes[&world().people[person].node()]
    }

    pub fn nodes(&self) -> impl Iterator<Item = (&NodeId, &Spreading)> {
        self.nodes.iter()
    }

    /// Up, neither silent nor lying.
    pub fn is_honest(&self, node: NodeId) -> bool {
        !self.down.contains(&node) && !self.silent.contains(&node) && !self.liars.contains(&node)
    }

    /// The `count` nodes that are there nearest to a place.
    pub fn nearest(&self, place: Location, count: usize) -> Vec<Arc<Contact>> {
        let there = |contact: &&Arc<Contact>| !self.down.contains(&contact.node());
        let mut all: Vec<_> = self.truth.iter().filter(there).cloned().collect();
        all.sort_by_key(|contact| place.rank(contact.node(), contact.location()));
        all.truncate(count);
        all
    }

    pub fn command(&mut self, person: usize, command: Command) {
        self.input(world().people[person].node(), Input::Command(command));
    }

    pub fn input(&mut self, node: NodeId, input: Input<Spreading>) {
        self.input_from(node, None, input);
    }

    fn input_from(&mut self, node: NodeId, from: Option<NodeId>, input: Input<Spreading>) {
        let mut out = Outbox::new();
        let overlay = self.nodes.get_mut(&node).expect("is there");
        overlay.handle(self.now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, message } => self.send(node, to, &message),
                Output::Wake { at, timer } => self.push(at, Happening::Wake(node, timer)),
                Output::Event(Event::Find(place)) => {
                    // A lookup ends at a node that answers.
                    let mut found = self.nearest(place, 30);
                    found.retain(|contact| self.is_honest(contact.node()));
                    found.truncate(1);
                    self.input(node, Input::Command(Command::Found(place, found)));
                }
                Output::Event(Event::Met(_)) => {}
                Output::Event(Event::Heard {
                    from: initiator,
                    payload,
                }) => {
                    let hops = from.map_or(0, |from| self.hops(from, &payload)) + 1;
                    let heard = self.heard.entry(node).or_default();
                    heard.push((initiator, payload, hops));
                }
                Output::Event(event) => self.events.push((node, event)),
            }
        }
    }

    fn hops(&self, node: NodeId, payload: &[u8]) -> u32 {
        let heard = self.heard.get(&node).into_iter().flatten();
        let mut of_payload = heard.filter(|(_, heard, _)| heard == payload);
        of_payload.next().map_or(0, |(_, _, hops)| *hops)
    }

    pub fn send(&mut self, from: NodeId, to: NodeId, message: &Message) {
        let bytes = encode(message);
        self.messages += 1;
        if let Message::Broadcast(broadcast::Message::Pass(..) | broadcast::Message::Give(_)) =
            message
        {
            self.payloads += 1;
        }
        if self.rng.below(100) >= self.loss_percent {
            let latency = Duration::from_micros(20_000 + self.rng.below(80_000));
            self.push(self.now + latency, Happening::Message { from, to, bytes });
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
                Happening::Message { from, to, bytes } => self.deliver(from, to, &bytes),
                // One that is not there goes on with what it had in mind when it is back.
                Happening::Wake(node, timer) if !self.is_honest(node) => {
                    let later = self.now + Duration::from_secs(1);
                    self.push(later, Happening::Wake(node, timer));
                }
                Happening::Wake(node, timer) if self.nodes.contains_key(&node) => {
                    self.input(node, Input::Timer(timer));
                }
                Happening::Wake(..) => {}
            }
        }
        self.now = until;
    }

    fn deliver(&mut self, from: NodeId, to: NodeId, bytes: &[u8]) {
        let is_there = self.nodes.contains_key(&to) && !self.down.contains(&to);
        if !is_there {
            if self.nodes.contains_key(&from) {
                self.input(from, Input::Unreachable(to));
            }
            return;
        }
        let message: Message = decode(bytes, 1 << 20).expect("nodes write what they read");
        if self.liars.contains(&to) {
            self.lie(to, from, message);
        } else if !self.silent.contains(&to) {
            self.input_from(to, Some(from), Input::Message { from, message });
        }
    }

    fn lie(&mut self, liar: NodeId, to: NodeId, message: Message) {
        use broadcast::Message::{Also, Pass, Received};
        let answer = match message {
            Message::Broadcast(Pass(announcement, span)) => Received(announcement.id(), span),
            Message::Broadcast(Also(id, span)) => Received(id, span),
            _ => return,
        };
        self.send(liar, to, &Message::Broadcast(answer));
    }
}
