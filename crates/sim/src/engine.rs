//! One queue of everything that is going to happen.

mod agenda;
mod crowd;
mod happening;
mod latency;
mod log;
mod population;
mod traffic;

use std::collections::VecDeque;

use base::{Digest, Duration, Instant, NodeId, Outbox, Protocol, Rng, encode};

use agenda::Agenda;
use counting::Latency;
use crowd::{Crowd, Place, Process, Slot};
use happening::Happening;
use log::Log;
use population::Population;

use crate::faults::Partitions;
use crate::{Action, NetworkModel};

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
        self.answer_after(delay, node, command, Latency::default());
    }

    /// As [`command_after`](Self::command_after), for what took so much that the simulation has not seen: counted in the
    /// node's [`latency`](Self::latency).
    pub fn answer_after(
        &mut self,
        delay: Duration,
        node: NodeId,
        command: P::Command,
        sent: Latency,
    ) {
        let to = self.demanded(node);
        let life = self.crowd.at(to).life;
        let happening = Happening::Command {
            to,
            life,
            command,
            sent,
        };
        self.push(self.now + delay, happening);
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
                sent: Latency::default(),
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
