//! The nodes of a community, the links between them, and a clock.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{
    Digest, Duration, Input, Instant, Location, NodeId, Outbox, Output, Protocol as _, Region,
    decode, encode,
};

use super::world::{START, World, people, plan};
use crate::{
    ActorList, Announced, Command, Event, Failure, Message, Misbehaviour, Selection, Timer, Wanted,
};

pub const LATENCY: Duration = Duration::from_millis(20);
/// Longest message: 16 MB.
const BYTES_MAX: usize = 1 << 24;
/// Longer than any draw may take.
pub const LONG: Duration = Duration::from_secs(180);

enum Happening {
    Message {
        from: NodeId,
        to: NodeId,
        message: Message,
    },
    Wake(NodeId, Timer),
    Unreachable {
        of: NodeId,
        to: NodeId,
    },
    Know(NodeId, NodeId),
    Told(NodeId, Digest),
    Found(NodeId, Location),
}

/// Sees each message before it is sent, and may change it; `false` loses it.
pub type Meddler<'a> = Box<dyn FnMut(NodeId, NodeId, &mut Message) -> bool + 'a>;

/// The nodes of a [`World`] who talk to each other.
pub struct Network<'a> {
    pub world: &'a World,
    pub now: Instant,
    pub nodes: BTreeMap<NodeId, Selection>,
    queue: BTreeMap<(Instant, u64), Happening>,
    caused: u64,
    announced: BTreeMap<Digest, Announced>,
    pub down: BTreeSet<NodeId>,
    /// Whether who looks for the nodes near a point finds those that are up.
    pub finds: bool,
    /// Whether senders hear that a node is down.
    pub tells_unreachable: bool,
    /// Played by the test: what they are sent is kept in `inbox`.
    pub puppets: BTreeSet<NodeId>,
    pub inbox: Vec<(NodeId, Message)>,
    pub patience: Duration,
    meddler: Meddler<'a>,
    /// Whatever was sent, in order.
    pub sent: Vec<(NodeId, NodeId, Message)>,
    pub events: Vec<(NodeId, Event)>,
    pub bytes: u64,
    /// Of the longest message.
    pub longest: usize,
}

impl<'a> Network<'a> {
    /// Everybody knows everybody.
    pub fn new(world: &'a World) -> Self {
        let cache = people().cache(world.size);
        let node = |person: usize| {
            let identity = Arc::clone(&people().identities[person]);
            let mut node = Selection::new(Arc::clone(&identity), world.rules.clone());
            node.context.cache = world.cache_of(identity.node(), &cache);
            (identity.node(), node)
        };
        Self {
            world,
            now: START,
            nodes: (0..world.size).map(node).collect(),
            queue: BTreeMap::new(),
            caused: 0,
            announced: BTreeMap::new(),
            down: BTreeSet::new(),
            finds: true,
            tells_unreachable: true,
            puppets: BTreeSet::new(),
            inbox: Vec::new(),
            patience: Duration::from_secs(2),
            meddler: Box::new(|_, _, _| true),
            sent: Vec::new(),
            events: Vec::new(),
            bytes: 0,
            longest: 0,
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

    /// Everybody hears of a plan of the first of the people that may be drawn for from `opens_at` on.
    pub fn announce(&mut self, digest: Digest, seats: u32, opens_at: Instant) {
        self.announce_committees(digest, seats, 1, opens_at);
    }

    pub fn announce_committees(
        &mut self,
        digest: Digest,
        seats: u32,
        committees: u32,
        opens_at: Instant,
    ) {
        let announced = Announced {
            trigger: people().node(0),
            seats,
            committees,
            opens_at,
        };
        self.announced.insert(digest, announced);
        let all: Vec<_> = self.nodes.keys().copied().collect();
        for node in all {
            self.command(node, Command::Announce(digest, announced));
        }
    }

    /// The first of the people announces plan `number` and draws.
    pub fn start(&mut self, number: u64, seats: u32) {
        self.announce(plan(number), seats, self.now);
        self.command(people().node(0), Command::Draw(wanted(number, seats)));
    }

    /// Announces, draws and runs to the end: when it ended, and how.
    pub fn draw(&mut self, number: u64, seats: u32) -> Result<ActorList, Failure> {
        self.start(number, seats);
        self.finish(number)
    }

    /// Runs until the first of the people has drawn, or failed to.
    pub fn finish(&mut self, number: u64) -> Result<ActorList, Failure> {
        let limit = self.now + LONG;
        while self.ended(number).is_none() {
            assert!(self.step(limit), "a draw that hangs");
        }
        self.ended(number).expect("it has ended")
    }

    fn ended(&self, number: u64) -> Option<Result<ActorList, Failure>> {
        self.events.iter().find_map(|(_, event)| match event {
            Event::Drawn(lists) if lists[0].body.draw.digest == plan(number) => {
                Some(Ok(lists[0].clone()))
            }
            Event::Failed(digest, why) if *digest == plan(number) => Some(Err(*why)),
            _ => None,
        })
    }

    pub fn command(&mut self, node: NodeId, command: Command) {
        self.input(node, Input::Command(command));
    }

    pub fn input(&mut self, node: NodeId, input: Input<Selection>) {
        let mut out = Outbox::new();
        let selection = self.nodes.get_mut(&node).expect("one of the nodes");
        selection.handle(self.now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, message } => self.send(node, to, message),
                Output::Wake { at, timer } => self.push(at, Happening::Wake(node, timer)),
                Output::Event(event) => {
                    if let Event::Heard(contact) = &event {
                        self.push(self.now, Happening::Know(node, contact.node()));
                    }
                    if let Event::Unheard(digest, node) = event {
                        self.push(self.now + LATENCY, Happening::Told(node, digest));
                    }
                    if let Event::Find(point) = event {
                        self.push(self.now + LATENCY * 6, Happening::Found(node, point));
                    }
                    self.events.push((node, event));
                }
            }
        }
    }

    pub fn send(&mut self, from: NodeId, to: NodeId, mut message: Message) {
        if !(self.meddler)(from, to, &mut message) {
            return;
        }
        let bytes = encode(&message);
        self.bytes += bytes.len() as u64;
        self.longest = self.longest.max(bytes.len());
        // Whoever is to read it, and if nobody does.
        let message: Message = decode(&bytes, BYTES_MAX).expect("nodes write what they read");
        self.sent.push((from, to, message.clone()));
        let arrives = self.now + LATENCY;
        self.push(arrives, Happening::Message { from, to, message });
    }

    fn push(&mut self, at: Instant, happening: Happening) {
        self.caused += 1;
        self.queue
            .insert((at.max(self.now), self.caused), happening);
    }

    pub fn run_for(&mut self, duration: Duration) {
        let until = self.now + duration;
        while self.step(until) {}
        self.now = until;
    }

    /// The next thing that happens, if any does by then.
    pub fn step(&mut self, until: Instant) -> bool {
        let next = self.queue.first_entry().filter(|e| e.key().0 <= until);
        let Some(entry) = next else {
            return false;
        };
        self.now = entry.key().0;
        match entry.remove() {
            Happening::Message { from, to, message } if self.puppets.contains(&to) => {
                self.inbox.push((from, message));
            }
            Happening::Message { from, to, message } if self.is_up(to) => {
                self.input(to, Input::Message { from, message });
            }
            Happening::Message { from, to, .. } if self.tells_unreachable => {
                self.push(self.now, Happening::Unreachable { of: to, to: from });
            }
            Happening::Unreachable { of, to } if self.is_up(to) => {
                self.input(to, Input::Unreachable(of));
            }
            Happening::Wake(node, timer) if self.is_up(node) => {
                self.input(node, Input::Timer(timer));
            }
            Happening::Know(node, contact) => {
                let contact = Arc::clone(people().contact(contact));
                self.command(node, Command::Know(contact));
            }
            Happening::Told(node, digest) => {
                if let Some(announced) = self.announced.get(&digest) {
                    self.command(node, Command::Announce(digest, *announced));
                }
            }
            Happening::Found(node, point) if self.finds => {
                let everywhere = Region::new(point, 1.0);
                let everyone = people().cache(self.world.size);
                let up = |node| !self.down.contains(&node);
                let mut nearest = everyone.within(point, &everywhere, up);
                nearest.truncate(4);
                self.command(node, Command::Found(point, nearest));
            }
            _ => {}
        }
        true
    }

    fn is_up(&self, node: NodeId) -> bool {
        let own = self.nodes.contains_key(&node) && !self.puppets.contains(&node);
        own && !self.down.contains(&node)
    }

    /// A node starts again: it knows the others and none of the questions.
    pub fn restart(&mut self, node: NodeId) {
        let mut fresh = Self::new(self.world);
        let process = fresh.nodes.remove(&node).expect("one of the nodes");
        self.nodes.insert(node, process);
    }

    /// Takes a node out of another's cache.
    pub fn forget(&mut self, node: NodeId, forgotten: NodeId) {
        let selection = self.nodes.get_mut(&node).expect("one of the nodes");
        let cache = &mut selection.context.cache;
        cache.retain(|contact| contact.node() != forgotten);
    }

    /// Says something as a puppet, and gives all that is answered within `patience`. A puppet does not answer probes.
    pub fn say(&mut self, from: NodeId, to: NodeId, message: Message) -> Vec<Message> {
        self.puppets.insert(from);
        self.inbox.clear();
        self.send(from, to, message);
        self.run_for(self.patience);
        let answers = std::mem::take(&mut self.inbox);
        let from_it = answers.into_iter().filter(|(node, _)| *node == to);
        let answers = from_it.map(|(_, message)| message);
        answers.filter(|m| *m != Message::Probe).collect()
    }

    /// Who accused whom of what.
    pub fn accusations(&self) -> Vec<(NodeId, NodeId, Misbehaviour)> {
        let accusation = |(by, event): &(NodeId, Event)| match event {
            Event::Misbehaved { node, what } => Some((*by, *node, *what)),
            _ => None,
        };
        self.events.iter().filter_map(accusation).collect()
    }

    /// How many messages of a kind were sent.
    pub fn count(&self, kind: impl Fn(&Message) -> bool) -> usize {
        self.sent.iter().filter(|(_, _, m)| kind(m)).count()
    }
}

/// A list of so many seats for a plan.
pub fn wanted(number: u64, seats: u32) -> Wanted {
    Wanted {
        digest: plan(number),
        seats,
        committees: 1,
    }
}
