//! Any number of members, the links between them, and a clock.

use std::collections::{BTreeMap, BTreeSet};

use base::{
    Duration, Input, Instant, Location, NodeId, Outbox, Output, Protocol as _, Rng, decode, encode,
};

use super::world::{START, World};
use crate::Standing;
use crate::breach::RingBreach;
use crate::ring::{Command, Event, Message, Ring, Timer};

pub const LATENCY: Duration = Duration::from_millis(20);
pub const SECOND: Duration = Duration::from_secs(1);

enum Happening {
    Message {
        from: NodeId,
        to: NodeId,
        bytes: Vec<u8>,
    },
    Wake(NodeId, u32, Timer),
}

/// What a liar sends in place of what its honest program would.
pub type Lie<'a> = dyn Fn(Instant, NodeId, NodeId, Message) -> Option<Message> + 'a;

/// Members of a [`World`] who talk to each other.
pub struct Network<'a> {
    world: &'a World,
    pub now: Instant,
    members: BTreeMap<NodeId, Ring>,
    /// Counts processes of one node: timers of earlier ones are dropped.
    lives: BTreeMap<NodeId, u32>,
    queue: BTreeMap<(Instant, u64), Happening>,
    caused: u64,
    rng: Rng,
    /// Of messages, for good.
    pub loss_percent: u64,
    pub down: BTreeSet<NodeId>,
    /// Changes what these nodes say.
    pub lie: Option<Box<Lie<'a>>>,
    /// Whether two nodes hear each other.
    pub cut: Option<Box<dyn Fn(NodeId, NodeId) -> bool>>,
    /// Sent so far, by kind.
    pub kinds: BTreeMap<&'static str, u64>,
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
            lives: BTreeMap::new(),
            queue: BTreeMap::new(),
            caused: 0,
            rng: Rng::from_number(seed),
            loss_percent: 0,
            down: BTreeSet::new(),
            lie: None,
            cut: None,
            kinds: BTreeMap::new(),
            messages: 0,
            bytes: 0,
            events: Vec::new(),
        }
    }

    /// The first `size` people join, all of them told of these.
    pub fn start(&mut self, size: usize, bootstraps: &[usize]) {
        (0..size).for_each(|person| self.join(person, bootstraps));
    }

    /// This person's node starts, for the first time or again.
    pub fn join(&mut self, person: usize, bootstraps: &[usize]) {
        let node = self.world.node(person);
        let member = self.world.overlay(person, self.now);
        self.members.insert(node, member);
        *self.lives.entry(node).or_default() += 1;
        self.down.remove(&node);
        let told = bootstraps
            .iter()
            .map(|&person| (self.world.node(person), World::address(person)))
            .collect();
        self.input(node, Input::Command(Command::Join(told)));
    }

    pub fn crash(&mut self, person: usize) {
        self.down.insert(self.world.node(person));
    }

    pub fn member(&self, person: usize) -> &Ring {
        &self.members[&self.world.node(person)]
    }

    pub fn command(&mut self, person: usize, command: Command) {
        self.input(self.world.node(person), Input::Command(command));
    }

    pub fn input(&mut self, node: NodeId, input: Input<Ring>) {
        let mut out = Outbox::new();
        let member = self.members.get_mut(&node).expect("has joined");
        member.handle(self.now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, message } => {
                    let said = match &self.lie {
                        Some(lie) => lie(self.now, node, to, message),
                        None => Some(message),
                    };
                    if let Some(message) = said {
                        self.send(node, to, &message);
                    }
                }
                Output::Wake { at, timer } => {
                    let life = self.lives[&node];
                    self.push(at, Happening::Wake(node, life, timer));
                }
                Output::Event(event) => self.events.push((node, event)),
            }
        }
    }

    pub fn send(&mut self, from: NodeId, to: NodeId, message: &Message) {
        self.messages += 1;
        *self.kinds.entry(kind(message)).or_default() += 1;
        let bytes = encode(message);
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
                Happening::Message { from, to, bytes } => self.deliver(from, to, &bytes),
                Happening::Wake(node, life, timer)
                    if self.is_up(node) && self.lives[&node] == life =>
                {
                    self.input(node, Input::Timer(timer));
                }
                Happening::Wake(..) => {}
            }
        }
        self.now = until;
    }

    fn deliver(&mut self, from: NodeId, to: NodeId, bytes: &[u8]) {
        let cut = self.cut.as_ref().is_some_and(|cut| cut(from, to));
        if self.is_up(to) && !cut {
            let message = decode(bytes, 4 << 20).expect("members write what they read");
            self.input(to, Input::Message { from, message });
        } else if self.is_up(from) && self.rng.below(100) >= self.loss_percent {
            self.input(from, Input::Unreachable(to));
        }
    }

    pub fn is_up(&self, node: NodeId) -> bool {
        self.members.contains_key(&node) && !self.down.contains(&node)
    }

    /// Those who are up, by name.
    pub fn up(&self) -> impl Iterator<Item = (NodeId, &Ring)> {
        let members = self.members.iter().map(|(node, member)| (*node, member));
        members.filter(|(node, _)| self.is_up(*node))
    }

    /// Whether all who are up know all who are up, and hold the same contacts.
    pub fn has_converged(&self) -> bool {
        let mut up = self.up();
        let (_, first) = up.next().expect("somebody is up");
        self.up().all(|(node, member)| {
            first.cache().contains(node) && member.cache().summary() == first.cache().summary()
        })
    }

    /// The reference model: who is up, in the order of the ring.
    pub fn truth(&self) -> Vec<(Location, NodeId)> {
        let places = self
            .up()
            .map(|(node, member)| (member.own().location(), node));
        let mut truth: Vec<_> = places.collect();
        truth.sort_unstable();
        truth
    }

    /// How many entries are missing or too many in all caches together, by the reference model; newcomers lack all.
    pub fn errors(&self) -> usize {
        let truth = self.truth();
        let errors = self.up().map(|(_, member)| {
            let there = truth.iter();
            let there = there.filter(|(place, _)| member.view().region().contains(*place));
            let there: BTreeSet<_> = there.map(|(_, node)| *node).collect();
            if member.standing().is_none() {
                return there.len();
            }
            let held: BTreeSet<_> = member.cache().iter().map(|c| c.node()).collect();
            there.symmetric_difference(&held).count()
        });
        errors.sum()
    }

    /// Seconds until no cache errs.
    pub fn heal(&mut self, at_most: u32) -> u32 {
        for second in 0..at_most {
            if self.errors() == 0 {
                return second;
            }
            self.run_for(SECOND);
        }
        panic!("{} errors after {at_most} s", self.errors());
    }

    /// How many who are up stand like this.
    pub fn standing(&self, standing: Option<Standing>) -> usize {
        let all = self.up();
        all.filter(|(_, member)| member.standing() == standing)
            .count()
    }

    /// Messages and bytes that this causes.
    pub fn cost(&mut self, cause: impl FnOnce(&mut Self)) -> (u64, u64) {
        let before = (self.messages, self.bytes);
        cause(self);
        (self.messages - before.0, self.bytes - before.1)
    }

    /// Nobody was blamed for anything that does not happen to the honest where messages are lost.
    pub fn assert_nobody_is_blamed(&self) {
        self.assert_blame(self.loss_percent > 0);
    }

    /// The same, where nodes come and go as well.
    pub fn assert_nobody_is_blamed_but_for_churn(&self) {
        self.assert_blame(true);
    }

    fn assert_blame(&self, for_hiding: bool) {
        for (node, event) in &self.events {
            let blames = match event {
                Event::Misbehaved { what, .. } => {
                    !for_hiding || !matches!(what, RingBreach::Hides(_))
                }
                _ => matches!(event, Event::Refused { .. }),
            };
            assert!(!blames, "{node:?} says {event:?}");
        }
    }
}

fn kind(message: &Message) -> &'static str {
    use crate::membership::Message as Said;
    use crate::routing::Message as Asked;
    match message {
        Message::Membership(said) => match said {
            Said::Hello(..) => "hello",
            Said::Compare(_) => "compare",
            Said::Have(_) => "have",
            Said::Want(_) => "want",
            Said::Members(_) => "members",
            Said::Unknown => "unknown",
            Said::Ping => "ping",
            Said::Pong => "pong",
            Said::Gone(_) => "gone",
            Said::Farewell(..) => "farewell",
            Said::Ask => "ask",
            Said::Attested(_) => "attested",
            Said::Sign(_) => "sign",
            Said::Signed(..) => "signed",
            Said::Differs(_) => "differs",
        },
        Message::Routing(asked) => match asked {
            Asked::Near(_) => "near",
            Asked::Nodes(..) => "nodes",
            Asked::Newcomer(_) => "newcomer",
        },
    }
}
