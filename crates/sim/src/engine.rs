//! One queue of everything that is going to happen.

mod agenda;
mod crowd;
mod log;
mod population;
mod traffic;

use std::collections::VecDeque;

use base::{Digest, Duration, Input, Instant, NodeId, Outbox, Output, Protocol, Rng, encode};

use agenda::Agenda;
use crowd::{Crowd, Place, Process, Slot};
use log::Log;
use population::Population;

use crate::faults::Partitions;
use crate::network::micros;
use crate::{Action, NetworkModel, Skew};

/// When every simulation begins: 15 January 2027, 08:00 UTC. Late enough for any clock skew, and a round number.
pub const START: Instant = Instant::from_secs(1_800_000_000);

/// Many nodes of one protocol, their network and their faults, from one seed.
///
/// What happens at one moment happens in the order in which it was caused. Inputs take no time: a node that is handed one
/// has sent its answers at the same moment.
///
/// A message to a node that is down, or that has restarted since the message was sent, is lost and the sender hears of it:
/// a connection does not outlive a process. A message that a node sends to itself arrives at once and unharmed.
pub struct Simulation<P: Protocol> {
    seed: u64,
    now: Instant,
    agenda: Agenda<Happening<P>>,
    steps: u64,
    crowd: Crowd<P>,
    population: Option<Population<P>>,
    network: NetworkModel,
    partitions: Partitions,
    /// Fixes the geography: latencies of pairs and skews of clocks.
    salt: u64,
    rng: Rng,
    events: VecDeque<(Instant, NodeId, P::Event)>,
    total: Counters,
    log: Log,
    /// Empty between inputs; kept for its memory.
    out: Outbox<P>,
}

/// What one node, or all together, have sent and received.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Messages handed to the network.
    pub sent: u64,
    /// Their encoded bytes.
    pub sent_bytes: u64,
    /// Messages delivered.
    pub received: u64,
    /// Their encoded bytes.
    pub received_bytes: u64,
    /// Messages sent that were not delivered, for whatever reason.
    pub lost: u64,
    /// How often `Unreachable` was told.
    pub unreachable: u64,
}

enum Happening<P: Protocol> {
    Message {
        from: Place,
        to: Place,
        lives: (u32, u32),
        bytes: Vec<u8>,
    },
    Unreachable {
        of: Place,
        to: Place,
        life: u32,
    },
    Timer {
        to: Place,
        life: u32,
        timer: P::Timer,
    },
    Command {
        to: Place,
        life: u32,
        command: P::Command,
    },
    Action(Action<P>),
}

impl<P: Protocol> Happening<P> {
    /// The node that is given it.
    fn to(&self) -> Option<Place> {
        match self {
            Self::Message { to, .. }
            | Self::Unreachable { to, .. }
            | Self::Timer { to, .. }
            | Self::Command { to, .. } => Some(*to),
            Self::Action(_) => None,
        }
    }
}

impl<P: Protocol> Simulation<P> {
    /// An empty network at [`START`]. Everything that chance decides follows from `seed`.
    pub fn new(seed: u64, network: NetworkModel) -> Self {
        let mut rng = Rng::from_number(seed);
        Self {
            seed,
            now: START,
            agenda: Agenda::new(),
            steps: 0,
            crowd: Crowd::new(),
            population: None,
            network,
            partitions: Partitions::default(),
            salt: rng.fork("geography").number(),
            rng: rng.fork("network"),
            events: VecDeque::new(),
            total: Counters::default(),
            log: Log::new(),
            out: Outbox::new(),
        }
    }

    /// Adds a running node.
    ///
    /// # Panics
    ///
    /// When there is a node of that name, even if it is down: use [`restart`](Self::restart).
    pub fn add(&mut self, node: NodeId, protocol: P) {
        let place = self.crowd.place(node);
        let is_absent = self.crowd.at(place).process.is_absent();
        assert!(is_absent, "{node:?} exists already");
        self.settle(place, protocol);
    }

    /// Has nodes made on demand: for a run in which few of very many nodes ever take part.
    ///
    /// When anything but a timer arrives for a node that is not there, `make` is given its name and what its clock shows;
    /// `None` says that there is no such node. Beyond `limit` nodes that were made, those are removed that have had nothing
    /// to do for longest, but only while nothing is under way to them: no message, no timer. So more of them than `limit`
    /// live only while so many are at work; what a removed node remembered is gone.
    ///
    /// # Panics
    ///
    /// When it was called before.
    pub fn populate(
        &mut self,
        limit: usize,
        make: impl FnMut(NodeId, Instant) -> Option<P> + 'static,
    ) {
        assert!(self.population.is_none(), "there is one way to make nodes");
        self.population = Some(Population::new(limit, Box::new(make)));
    }

    /// Takes a node out of the network now: as when it crashes, but nothing says that it was ever there, except for its
    /// counters. It can be added again, or made on demand.
    ///
    /// # Panics
    ///
    /// When there is no node of that name.
    pub fn remove(&mut self, node: NodeId) {
        self.crash(node);
        let place = self.known(node);
        self.forget(place);
    }

    /// Hands a command to a node at this moment, after what is already due at this moment. Dropped when the node is down by
    /// then.
    pub fn command(&mut self, node: NodeId, command: P::Command) {
        self.command_after(Duration::ZERO, node, command);
    }

    /// Hands a command to a node's present process after a delay.
    pub fn command_after(&mut self, delay: Duration, node: NodeId, command: P::Command) {
        let to = self.demanded(node);
        let life = self.crowd.at(to).life;
        self.push(self.now + delay, Happening::Command { to, life, command });
    }

    /// Hands a message to a node at this moment, as if `from` had sent it: what a changed program could say.
    pub fn inject(&mut self, from: NodeId, to: NodeId, message: &P::Message) {
        let (from, to) = (self.demanded(from), self.demanded(to));
        let lives = (self.crowd.at(from).life, self.crowd.at(to).life);
        let bytes = encode(message);
        self.push(
            self.now,
            Happening::Message {
                from,
                to,
                lives,
                bytes,
            },
        );
    }

    /// Puts `action` on the script, for `instant` or for now if that is past.
    pub fn at(&mut self, instant: Instant, action: Action<P>) {
        self.push(instant, Happening::Action(action));
    }

    /// Kills the process of `node` now. See [`Action::Crash`].
    pub fn crash(&mut self, node: NodeId) {
        let place = self.known(node);
        let slot = self.crowd.at_mut(place);
        if let Process::Up(_) = slot.process {
            slot.process = Process::Down;
            slot.life += 1;
            slot.paused_until = START;
            self.disown(place);
        }
    }

    /// Starts a new process of `node` now, killing the present one if there is any. See [`Action::Restart`].
    pub fn restart(&mut self, node: NodeId, protocol: P) {
        self.crash(node);
        let place = self.known(node);
        let now = self.now;
        let slot = self.crowd.at_mut(place);
        slot.life += 1;
        slot.link_free_at = now;
        slot.process = Process::Up(Box::new(protocol));
    }

    /// Lets the next thing happen. `false` when there is nothing left.
    pub fn step(&mut self) -> bool {
        self.step_by(Instant(u64::MAX))
    }

    /// Lets everything happen that is due up to and including `instant`, and sets the clock to it.
    pub fn run_until(&mut self, instant: Instant) {
        while self.step_by(instant) {}
        self.now = self.now.max(instant);
    }

    /// Runs until nothing is left to happen, at most up to `limit`. Whether it came to rest.
    pub fn run_until_idle(&mut self, limit: Instant) -> bool {
        while self.step_by(limit) {}
        self.agenda.is_empty()
    }

    /// As [`run_until`](Self::run_until), with an application: it is given each event, with the true time and the node,
    /// and says which commands the same node receives after which delays. A process that dies before does not get them.
    ///
    /// Events that have not been drained from earlier runs come first.
    pub fn run_with<A>(&mut self, until: Instant, application: &mut A)
    where
        A: FnMut(Instant, NodeId, P::Event) -> Vec<(Duration, P::Command)>,
    {
        loop {
            while let Some((at, node, event)) = self.events.pop_front() {
                for (delay, command) in application(at, node, event) {
                    self.command_after(delay, node, command);
                }
            }
            if !self.step_by(until) {
                break;
            }
        }
        self.now = self.now.max(until);
    }

    /// What the nodes told their applications since the last call, in order, with the true time.
    pub fn drain_events(&mut self) -> impl Iterator<Item = (Instant, NodeId, P::Event)> + '_ {
        self.events.drain(..)
    }

    /// The true time, which no node knows.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// The time that the clock of `node` shows.
    pub fn local_time(&self, node: NodeId) -> Instant {
        Instant(self.now.0.saturating_add_signed(self.slot(node).skew))
    }

    /// The state of a running node.
    ///
    /// # Panics
    ///
    /// When there is no such node or it is down.
    pub fn node(&self, node: &NodeId) -> &P {
        self.slot(*node).process.up().expect("the node is running")
    }

    /// Whether a node is running.
    pub fn is_up(&self, node: &NodeId) -> bool {
        let place = self.crowd.known(*node);
        place.is_some_and(|place| self.crowd.at(place).process.up().is_some())
    }

    /// All running nodes, by name.
    pub fn running(&self) -> impl Iterator<Item = (NodeId, &P)> + '_ {
        self.crowd.running().into_iter()
    }

    /// What one node has sent and received, over all its processes.
    pub fn counters(&self, node: NodeId) -> Counters {
        self.slot(node).counters
    }

    /// What all nodes together have sent and received.
    pub fn total(&self) -> Counters {
        self.total
    }

    /// How many things have happened.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The seed that all this follows from.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// An independent generator for a node or for the scenario. Forks differ, so the order of calls matters.
    pub fn fork(&mut self, label: &str) -> Rng {
        self.rng.fork(label)
    }

    /// A name for everything that has happened so far: times, nodes, kinds and the bytes of messages. Two runs with one
    /// fingerprint went the same way, but for a chance of 2^-64.
    pub fn fingerprint(&self) -> Digest {
        self.log.digest()
    }
}

/// Happenings.
impl<P: Protocol> Simulation<P> {
    fn push(&mut self, at: Instant, happening: Happening<P>) {
        if let Some(to) = happening.to() {
            self.crowd.at_mut(to).under_way += 1;
            self.keep(to);
        }
        self.agenda.insert(at.max(self.now), happening);
    }

    /// Lets the next thing happen that is due by `limit`, if there is any.
    fn step_by(&mut self, limit: Instant) -> bool {
        let Some((instant, happening)) = self.agenda.take_due(limit) else {
            return false;
        };
        self.now = instant;
        self.steps += 1;
        let to = happening.to();
        if let Some(to) = to {
            self.crowd.at_mut(to).under_way -= 1;
        }
        self.happen(happening);
        if let Some(to) = to {
            self.spare(to);
        }
        true
    }

    fn happen(&mut self, happening: Happening<P>) {
        if let Some(awake_at) = self.asleep_until(&happening) {
            return self.push(awake_at, happening);
        }
        match happening {
            Happening::Message {
                from,
                to,
                lives,
                bytes,
            } => self.deliver(from, to, lives, bytes),
            Happening::Unreachable { of, to, life } if self.answers(to, life) => {
                self.record(b'u', to);
                let of = self.crowd.at(of).name;
                self.log.bytes(of.as_bytes());
                self.total.unreachable += 1;
                self.crowd.at_mut(to).counters.unreachable += 1;
                self.input(to, Input::Unreachable(of));
            }
            Happening::Timer { to, life, timer } if self.lives(to, life) => {
                self.record(b't', to);
                self.input(to, Input::Timer(timer));
            }
            Happening::Command { to, life, command } if self.answers(to, life) => {
                self.record(b'c', to);
                self.input(to, Input::Command(command));
            }
            Happening::Action(action) => self.act(action),
            Happening::Unreachable { .. } | Happening::Timer { .. } | Happening::Command { .. } => {
            }
        }
    }

    /// When the node that this concerns wakes up, if it sleeps.
    fn asleep_until(&self, happening: &Happening<P>) -> Option<Instant> {
        let awake_at = self.crowd.at(happening.to()?).paused_until;
        (awake_at > self.now).then_some(awake_at)
    }

    fn act(&mut self, action: Action<P>) {
        match action {
            Action::Crash(node) => {
                self.record(b'-', self.known(node));
                self.crash(node);
            }
            Action::Restart(node, make) => {
                self.record(b'+', self.known(node));
                let protocol = make(self.local_time(node));
                self.restart(node, protocol);
            }
            Action::Partition {
                a,
                b,
                direction,
                lasting,
            } => {
                self.partitions.begin(a, b, direction, self.now + lasting);
            }
            Action::Heal => self.partitions.heal(),
            Action::Pause(node, lasting) => {
                let until = self.now + lasting;
                let slot = self.slot_mut(node);
                slot.paused_until = slot.paused_until.max(until);
            }
            Action::Skew(node, skew) => {
                self.slot_mut(node).skew = match skew {
                    Skew::Ahead(by) => micros(by) as i64,
                    Skew::Behind(by) => -(micros(by) as i64),
                };
            }
            Action::Network(network) => self.network = network,
            Action::Command(node, command) => self.command(node, command),
        }
    }

    /// Hands one input to a running node and takes what it causes.
    fn input(&mut self, node: Place, input: Input<P>) {
        let slot = self.crowd.at_mut(node);
        let (life, skew) = (slot.life, slot.skew);
        let now = Instant(self.now.0.saturating_add_signed(skew));
        let Process::Up(protocol) = &mut slot.process else {
            unreachable!("only a running node is given input");
        };
        let mut out = std::mem::take(&mut self.out);
        protocol.handle(now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, message } => self.send(node, to, encode(&message)),
                Output::Wake { at, timer } => {
                    let at = Instant(at.0.saturating_add_signed(-skew));
                    let to = node;
                    self.push(at, Happening::Timer { to, life, timer });
                }
                Output::Event(event) => {
                    self.record(b'e', node);
                    let name = self.crowd.at(node).name;
                    self.events.push_back((self.now, name, event));
                }
            }
        }
        self.out = out;
    }

    fn record(&mut self, kind: u8, node: Place) {
        self.log.word(self.now.0);
        self.log.word(u64::from(kind));
        self.log.bytes(self.crowd.at(node).name.as_bytes());
    }
}

/// Who is there.
impl<P: Protocol> Simulation<P> {
    /// Whether a process runs there that this was meant for.
    fn lives(&self, node: Place, life: u32) -> bool {
        let slot = self.crowd.at(node);
        slot.life == life && slot.process.up().is_some()
    }

    fn known(&self, node: NodeId) -> Place {
        let place = self.crowd.known(node);
        place.unwrap_or_else(|| panic!("there is no node {node:?}"))
    }

    fn slot(&self, node: NodeId) -> &Slot<P> {
        self.crowd.at(self.known(node))
    }

    fn slot_mut(&mut self, node: NodeId) -> &mut Slot<P> {
        self.crowd.at_mut(self.known(node))
    }
}

#[cfg(test)]
mod tests;
