//! One queue of everything that is going to happen.

use std::collections::{BTreeMap, VecDeque};

use base::{
    Digest, Duration, Input, Instant, NodeId, Outbox, Output, Protocol, Rng, decode, encode,
};
use sha2::{Digest as _, Sha256};

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
    /// By time, then by order of creation.
    queue: BTreeMap<(Instant, u64), Happening<P>>,
    created: u64,
    steps: u64,
    nodes: BTreeMap<NodeId, Slot<P>>,
    network: NetworkModel,
    partitions: Partitions,
    /// Fixes the geography: latencies of pairs and skews of clocks.
    salt: u64,
    rng: Rng,
    events: VecDeque<(Instant, NodeId, P::Event)>,
    total: Counters,
    log: Sha256,
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

struct Slot<P> {
    protocol: Option<P>,
    /// Counts processes. What was meant for an earlier one is dropped.
    life: u32,
    /// Microseconds that this node's clock shows too much.
    skew: i64,
    paused_until: Instant,
    /// When the link has sent everything so far.
    link_free_at: Instant,
    counters: Counters,
}

enum Happening<P: Protocol> {
    Message {
        from: NodeId,
        to: NodeId,
        lives: (u32, u32),
        bytes: Vec<u8>,
    },
    Unreachable {
        of: NodeId,
        to: NodeId,
        life: u32,
    },
    Timer {
        to: NodeId,
        life: u32,
        timer: P::Timer,
    },
    Command {
        to: NodeId,
        life: u32,
        command: P::Command,
    },
    Action(Action<P>),
}

impl<P: Protocol> Simulation<P> {
    /// An empty network at [`START`]. Everything that chance decides follows from `seed`.
    pub fn new(seed: u64, network: NetworkModel) -> Self {
        let mut rng = Rng::from_number(seed);
        Self {
            seed,
            now: START,
            queue: BTreeMap::new(),
            created: 0,
            steps: 0,
            nodes: BTreeMap::new(),
            network,
            partitions: Partitions::default(),
            salt: rng.fork("geography").number(),
            rng: rng.fork("network"),
            events: VecDeque::new(),
            total: Counters::default(),
            log: Sha256::new(),
        }
    }

    /// Adds a running node.
    ///
    /// # Panics
    ///
    /// When there is a node of that name, even if it is down: use [`restart`](Self::restart).
    pub fn add(&mut self, node: NodeId, protocol: P) {
        let slot = Slot {
            protocol: Some(protocol),
            life: 0,
            skew: self.network.draw_skew(self.salt, node),
            paused_until: START,
            link_free_at: START,
            counters: Counters::default(),
        };
        assert!(
            self.nodes.insert(node, slot).is_none(),
            "{node:?} exists already"
        );
    }

    /// Hands a command to a node at this moment, after what is already due at this moment. Dropped when the node is down by
    /// then.
    pub fn command(&mut self, node: NodeId, command: P::Command) {
        self.command_after(Duration::ZERO, node, command);
    }

    /// Hands a command to a node's present process after a delay.
    pub fn command_after(&mut self, delay: Duration, node: NodeId, command: P::Command) {
        let life = self.slot(node).life;
        self.push(
            self.now + delay,
            Happening::Command {
                to: node,
                life,
                command,
            },
        );
    }

    /// Hands a message to a node at this moment, as if `from` had sent it: what a changed program could say.
    pub fn inject(&mut self, from: NodeId, to: NodeId, message: &P::Message) {
        let lives = (self.slot(from).life, self.slot(to).life);
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
        let slot = self.slot_mut(node);
        if slot.protocol.take().is_some() {
            slot.life += 1;
            slot.paused_until = START;
        }
    }

    /// Starts a new process of `node` now, killing the present one if there is any. See [`Action::Restart`].
    pub fn restart(&mut self, node: NodeId, protocol: P) {
        self.crash(node);
        let now = self.now;
        let slot = self.slot_mut(node);
        slot.life += 1;
        slot.link_free_at = now;
        slot.protocol = Some(protocol);
    }

    /// Lets the next thing happen. `false` when there is nothing left.
    pub fn step(&mut self) -> bool {
        let Some(((instant, _), happening)) = self.queue.pop_first() else {
            return false;
        };
        self.now = instant;
        self.steps += 1;
        self.happen(happening);
        true
    }

    /// Lets everything happen that is due up to and including `instant`, and sets the clock to it.
    pub fn run_until(&mut self, instant: Instant) {
        while self.next_at().is_some_and(|next| next <= instant) {
            self.step();
        }
        self.now = self.now.max(instant);
    }

    /// Runs until nothing is left to happen, at most up to `limit`. Whether it came to rest.
    pub fn run_until_idle(&mut self, limit: Instant) -> bool {
        while self.next_at().is_some_and(|next| next <= limit) {
            self.step();
        }
        self.queue.is_empty()
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
            if self.next_at().is_none_or(|next| next > until) {
                break;
            }
            self.step();
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
        self.slot(*node)
            .protocol
            .as_ref()
            .expect("the node is running")
    }

    /// Whether a node is running.
    pub fn is_up(&self, node: &NodeId) -> bool {
        self.nodes
            .get(node)
            .is_some_and(|slot| slot.protocol.is_some())
    }

    /// All running nodes, by name.
    pub fn running(&self) -> impl Iterator<Item = (NodeId, &P)> + '_ {
        self.nodes
            .iter()
            .filter_map(|(node, slot)| Some((*node, slot.protocol.as_ref()?)))
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

    /// Digest of everything that has happened so far: times, nodes, kinds and the bytes of messages. Two runs with one
    /// fingerprint went the same way.
    pub fn fingerprint(&self) -> Digest {
        Digest(self.log.clone().finalize().into())
    }
}

/// Happenings.
impl<P: Protocol> Simulation<P> {
    fn push(&mut self, at: Instant, happening: Happening<P>) {
        self.created += 1;
        self.queue
            .insert((at.max(self.now), self.created), happening);
    }

    fn next_at(&self) -> Option<Instant> {
        self.queue
            .first_key_value()
            .map(|((instant, _), _)| *instant)
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
            Happening::Unreachable { of, to, life } if self.lives(to, life) => {
                self.record(b'u', to, of.as_bytes());
                self.total.unreachable += 1;
                self.slot_mut(to).counters.unreachable += 1;
                self.input(to, Input::Unreachable(of));
            }
            Happening::Timer { to, life, timer } if self.lives(to, life) => {
                self.record(b't', to, &[]);
                self.input(to, Input::Timer(timer));
            }
            Happening::Command { to, life, command } if self.lives(to, life) => {
                self.record(b'c', to, &[]);
                self.input(to, Input::Command(command));
            }
            Happening::Action(action) => self.act(action),
            Happening::Unreachable { .. } | Happening::Timer { .. } | Happening::Command { .. } => {
            }
        }
    }

    /// When the node that this concerns wakes up, if it sleeps.
    fn asleep_until(&self, happening: &Happening<P>) -> Option<Instant> {
        let (Happening::Message { to, .. }
        | Happening::Unreachable { to, .. }
        | Happening::Timer { to, .. }
        | Happening::Command { to, .. }) = happening
        else {
            return None;
        };
        let awake_at = self.nodes.get(to)?.paused_until;
        (awake_at > self.now).then_some(awake_at)
    }

    fn deliver(&mut self, from: NodeId, to: NodeId, lives: (u32, u32), bytes: Vec<u8>) {
        if !self.lives(to, lives.1) {
            return self.lose(from, to, lives.0, true);
        }
        self.record(b'm', to, from.as_bytes());
        self.log.update((bytes.len() as u64).to_be_bytes());
        self.log.update(&bytes);
        for counters in [&mut self.total, &mut slot_of(&mut self.nodes, to).counters] {
            counters.received += 1;
            counters.received_bytes += bytes.len() as u64;
        }
        let message = decode(&bytes, bytes.len()).unwrap_or_else(|error| {
            panic!("{from:?} sent {to:?} a message that does not round-trip: {error}")
        });
        self.input(to, Input::Message { from, message });
    }

    fn act(&mut self, action: Action<P>) {
        match action {
            Action::Crash(node) => {
                self.record(b'-', node, &[]);
                self.crash(node);
            }
            Action::Restart(node, make) => {
                self.record(b'+', node, &[]);
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
    fn input(&mut self, node: NodeId, input: Input<P>) {
        let now = self.local_time(node);
        let slot = self.slot_mut(node);
        let (life, skew) = (slot.life, slot.skew);
        let protocol = slot
            .protocol
            .as_mut()
            .expect("only a running node is given input");
        let mut out = Outbox::new();
        protocol.handle(now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, message } => self.send(node, to, encode(&message)),
                Output::Wake { at, timer } => {
                    let at = Instant(at.0.saturating_add_signed(-skew));
                    self.push(
                        at,
                        Happening::Timer {
                            to: node,
                            life,
                            timer,
                        },
                    );
                }
                Output::Event(event) => {
                    self.record(b'e', node, &[]);
                    self.events.push_back((self.now, node, event));
                }
            }
        }
    }

    fn record(&mut self, kind: u8, node: NodeId, more: &[u8]) {
        self.log.update(self.now.0.to_be_bytes());
        self.log.update([kind]);
        self.log.update(node.as_bytes());
        self.log.update(more);
    }
}

/// The network.
impl<P: Protocol> Simulation<P> {
    fn send(&mut self, from: NodeId, to: NodeId, bytes: Vec<u8>) {
        for counters in [
            &mut self.total,
            &mut slot_of(&mut self.nodes, from).counters,
        ] {
            counters.sent += 1;
            counters.sent_bytes += bytes.len() as u64;
        }
        let sender = self.slot(from).life;
        let receiver = self.nodes.get(&to).map_or(0, |slot| slot.life);
        let lives = (sender, receiver);
        if from == to {
            return self.push(
                self.now,
                Happening::Message {
                    from,
                    to,
                    lives,
                    bytes,
                },
            );
        }
        let at = self.arrival(from, to, bytes.len());
        let lost = self.network.loses(&mut self.rng);
        if lost || self.partitions.block(self.now, from, to) {
            self.lose_at(at, from, to, sender, false);
        } else {
            self.push(
                at,
                Happening::Message {
                    from,
                    to,
                    lives,
                    bytes,
                },
            );
        }
    }

    /// When a message sent now arrives.
    fn arrival(&mut self, from: NodeId, to: NodeId, bytes: usize) -> Instant {
        let latency = self.network.base_latency(self.salt, from, to);
        let jitter = self.network.draw_jitter(&mut self.rng);
        let sending = self.network.sending_time(bytes);
        let now = self.now;
        let slot = self.slot_mut(from);
        slot.link_free_at = slot.link_free_at.max(now) + sending;
        slot.link_free_at + latency + jitter
    }

    fn lose(&mut self, from: NodeId, to: NodeId, sender: u32, noticed: bool) {
        self.lose_at(self.now, from, to, sender, noticed);
    }

    /// Counts a message as lost that would have arrived `at`, and tells the sender, surely when its loss is `noticed`,
    /// otherwise perhaps.
    fn lose_at(&mut self, at: Instant, from: NodeId, to: NodeId, sender: u32, noticed: bool) {
        self.total.lost += 1;
        self.slot_mut(from).counters.lost += 1;
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

    fn lives(&self, node: NodeId, life: u32) -> bool {
        let slot = self.nodes.get(&node);
        slot.is_some_and(|slot| slot.life == life && slot.protocol.is_some())
    }

    fn slot(&self, node: NodeId) -> &Slot<P> {
        self.nodes
            .get(&node)
            .unwrap_or_else(|| panic!("there is no node {node:?}"))
    }

    fn slot_mut(&mut self, node: NodeId) -> &mut Slot<P> {
        slot_of(&mut self.nodes, node)
    }
}

fn slot_of<P>(nodes: &mut BTreeMap<NodeId, Slot<P>>, node: NodeId) -> &mut Slot<P> {
    nodes
        .get_mut(&node)
        .unwrap_or_else(|| panic!("there is no node {node:?}"))
}

#[cfg(test)]
mod tests;
