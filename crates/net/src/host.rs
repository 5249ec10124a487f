//! The event loop.

use std::collections::VecDeque;
use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Weak};

use base::{Instant, NodeId, Outbox, Output, Protocol, encode};
use iroh::Watcher;
use iroh::endpoint::RelayStatus;
use thiserror::Error;
use tokio::sync::{Notify, OwnedSemaphorePermit, mpsc};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep_until};

use crate::accept::accept;
use crate::bound::Network;
use crate::clock::Clock;
use crate::clocks::Apart;
use crate::counters::{Counters, Flow, Tally};
use crate::frame::PREFIX;
use crate::greeting::Admitted;
use crate::line::Parcel;
use crate::lines::Lines;
use crate::reach::{Reachability, ask_all, is_elsewhere};
use crate::timers::Timers;

/// Commands that wait for the loop.
const COMMANDS: usize = 64;

/// What a protocol must know besides [`Protocol`] to be run between real nodes.
pub trait Hosted:
    Protocol<Message: Send + 'static, Command: Send + 'static, Event: Send + 'static, Timer: Send>
    + Send
    + 'static
{
    /// What messages may be for; each is counted apart ([`HostHandle::flows`]).
    const PURPOSES: &'static [&'static str];

    /// The place among [`PURPOSES`](Self::PURPOSES) of what `message` is for.
    fn purpose(message: &Self::Message) -> usize;

    /// Socket addresses at which a node was last known; empty when unknown. Asked at each send.
    fn addresses(&self, node: NodeId) -> Vec<SocketAddr>;
}

/// The host has shut down, or its protocol has panicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("the node has been shut down")]
pub struct Stopped;

/// A running host. Clones are the same host; when the last one is dropped it shuts down by itself.
pub struct HostHandle<P: Hosted> {
    commands: mpsc::Sender<P::Command>,
    stop: Arc<Notify>,
    // Not the endpoint: its socket would stay open as long as a handle lives.
    node: NodeId,
    local: SocketAddr,
    clock: Clock,
    tally: Arc<Tally>,
    network: Weak<Network>,
}

impl<P: Hosted> HostHandle<P> {
    /// Gives a command to the protocol, waiting while many others wait.
    ///
    /// # Errors
    ///
    /// When the host has stopped: the command was not carried out.
    pub async fn command(&self, command: P::Command) -> Result<(), Stopped> {
        self.commands.send(command).await.map_err(|_| Stopped)
    }

    /// The address on which the host listens.
    pub fn local_addr(&self) -> SocketAddr {
        self.local
    }

    /// This node.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The time that the protocol is told.
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// What the host has done so far.
    pub fn counters(&self) -> Counters {
        self.tally.read()
    }

    /// Members who were dialled and speak another version of the protocol, at most 64; none once the host has stopped.
    pub fn other_versions(&self) -> Vec<NodeId> {
        let network = self.network.upgrade();
        network.map_or_else(Vec::new, |network| network.versions.members.list())
    }

    /// Members who were dialled and did not answer, and have not been reached since, at most 64: they are off, or no packets get
    /// through. None once the host has stopped.
    pub fn unanswered_by(&self) -> Vec<NodeId> {
        let network = self.network.upgrade();
        network.map_or_else(Vec::new, |network| network.unanswering.list())
    }

    /// Members who were dialled and do not admit this node, and have not since, at most 64: its certificate does not hold for
    /// them, or they had no time to look at it. None once the host has stopped.
    pub fn refused_by(&self) -> Vec<NodeId> {
        let network = self.network.upgrade();
        network.map_or_else(Vec::new, |network| network.refusing.list())
    }

    /// How far this host's clock is from those of members; `None` before one has said anything, and once it has stopped.
    pub fn clocks(&self) -> Option<Apart> {
        self.network.upgrade()?.clocks.apart()
    }

    /// Whether one of the [`Relays`](crate::Relays) that this host was given has it as a client now.
    pub fn is_at_relay(&self) -> bool {
        let network = self.network.upgrade();
        network.is_some_and(|network| {
            let relays = network.endpoint.home_relay_status().get();
            relays.iter().any(RelayStatus::is_connected)
        })
    }

    /// How many callers spoke another version of the protocol, or wanted what this host does not do.
    pub fn other_callers(&self) -> u64 {
        let network = self.network.upgrade();
        network.map_or(0, |network| network.versions.callers())
    }

    /// Asks these members, at most [`HELPERS_MAX`](crate::HELPERS_MAX), to dial the addresses that others are told. Takes
    /// up to 15 seconds.
    ///
    /// # Errors
    ///
    /// When the host has stopped.
    pub async fn reachability(
        &self,
        announced: &[SocketAddr],
        helpers: Vec<(NodeId, Vec<SocketAddr>)>,
    ) -> Result<Reachability, Stopped> {
        let network = self.network.upgrade().ok_or(Stopped)?;
        Ok(ask_all(&network, announced, helpers).await)
    }

    /// Whether another host runs under this one's key, at any of these addresses. It learns that somebody has looked. Takes up
    /// to [`Limits::dial_timeout`](crate::Limits) and, where somebody answers, some moments more.
    ///
    /// # Errors
    ///
    /// When the host has stopped.
    pub async fn is_elsewhere(&self, addresses: &[SocketAddr]) -> Result<bool, Stopped> {
        let network = self.network.upgrade().ok_or(Stopped)?;
        Ok(!addresses.is_empty() && is_elsewhere(&network, addresses).await)
    }

    /// What each purpose has taken so far: those of [`Hosted::PURPOSES`] in order, then [`LETTING_IN`](crate::LETTING_IN).
    pub fn flows(&self) -> Vec<Flow> {
        self.tally.flows()
    }

    /// Stops the protocol, lets queued messages arrive (within [`Limits::shutdown_timeout`](crate::Limits)), closes all
    /// connections and the endpoint. Returns when all of that is done, at once when it was before; the port itself is free
    /// a few milliseconds later.
    pub async fn shutdown(&self) {
        self.stop.notify_one();
        self.commands.closed().await;
    }
}

impl<P: Hosted> Clone for HostHandle<P> {
    fn clone(&self) -> Self {
        Self {
            commands: self.commands.clone(),
            stop: self.stop.clone(),
            node: self.node,
            local: self.local,
            clock: self.clock,
            tally: self.tally.clone(),
            network: self.network.clone(),
        }
    }
}

impl<P: Hosted> fmt::Debug for HostHandle<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HostHandle({:?} at {})", self.node, self.local)
    }
}

/// What reaches the loop from connections.
pub(crate) enum Arrival<M> {
    /// A peer has connected.
    Admitted(Admitted),
    /// A peer has sent a message, in a frame of so many bytes.
    Message {
        from: NodeId,
        message: M,
        bytes: usize,
        /// Lets the next message of this peer wait.
        turn: OwnedSemaphorePermit,
    },
    /// A message to a peer may have been lost.
    Unreachable(NodeId),
}

/// Starts the loop and everything around it.
pub(crate) fn start<P: Hosted>(
    protocol: P,
    network: Arc<Network>,
    local: SocketAddr,
) -> (HostHandle<P>, mpsc::Receiver<P::Event>) {
    let (commands, orders) = mpsc::channel(COMMANDS);
    let (arrivals, inbox) = mpsc::channel(network.limits.inbox_messages.max(1));
    let (events, application) = mpsc::channel(network.limits.events.max(1));
    let stop = Arc::new(Notify::new());
    let host = Host {
        protocol,
        timers: Timers::new(),
        to_self: VecDeque::new(),
        events,
        unread: VecDeque::new(),
        lines: Lines::new(network.clone(), arrivals.clone()),
        network: network.clone(),
    };
    let handle = HostHandle {
        commands,
        stop: stop.clone(),
        node: network.node,
        local,
        clock: network.clock,
        tally: network.tally.clone(),
        network: Arc::downgrade(&network),
    };
    let mut accepting = JoinSet::new();
    accepting.spawn(accept(network, arrivals));
    tokio::spawn(host.run(orders, inbox, accepting, stop));
    (handle, application)
}

/// The loop's state: the protocol and what it has asked for.
struct Host<P: Hosted> {
    protocol: P,
    timers: Timers<P::Timer>,
    /// Inputs that the protocol or its outputs caused here.
    to_self: VecDeque<base::Input<P>>,
    events: mpsc::Sender<P::Event>,
    /// Events for which the application's channel has no room.
    unread: VecDeque<P::Event>,
    lines: Lines<P::Message>,
    network: Arc<Network>,
}

impl<P: Hosted> Host<P> {
    async fn run(
        mut self,
        mut orders: mpsc::Receiver<P::Command>,
        mut inbox: mpsc::Receiver<Arrival<P::Message>>,
        mut accepting: JoinSet<()>,
        stop: Arc<Notify>,
    ) {
        let mut sweep = interval(self.network.limits.idle_after.max(MIN_IDLE) / 4);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let events = self.events.clone();
        loop {
            // One of its own at a time: a protocol that keeps writing to itself keeps nobody else waiting.
            if let Some(input) = self.to_self.pop_front() {
                self.handle(input);
            }
            let due = self.timers.next().map(|at| self.network.clock.ticks(at));
            tokio::select! {
                () = stop.notified() => break,
                order = orders.recv() => match order {
                    Some(command) => self.handle(base::Input::Command(command)),
                    None => break,
                },
                // While the application does not read, peers wait: commands cannot, or reading in one task what one
                // commands in it would stand still.
                Some(arrival) = inbox.recv(), if self.unread.is_empty() => self.arrived(arrival),
                room = events.reserve(), if !self.unread.is_empty() => match room {
                    Ok(room) => self.unread.pop_front().map_or((), |event| room.send(event)),
                    Err(_) => self.unread.clear(),
                },
                () = sleep_until(due.unwrap_or_else(tokio::time::Instant::now)), if due.is_some() => {
                    if let Some(timer) = self.timers.take_due(self.network.clock.now()) {
                        self.handle(base::Input::Timer(timer));
                    }
                }
                _ = sweep.tick() => self.lines.sweep(),
                () = std::future::ready(()), if !self.to_self.is_empty() => {}
            }
        }
        accepting.shutdown().await;
        self.close(inbox).await;
        // Whoever waits for the shutdown waits for this.
        drop(orders);
    }

    fn arrived(&mut self, arrival: Arrival<P::Message>) {
        match arrival {
            Arrival::Admitted(admitted) => self.lines.adopt(admitted),
            Arrival::Message {
                from,
                message,
                bytes,
                turn,
            } => {
                drop(turn);
                let purpose = P::purpose(&message);
                self.network.tally.received(purpose, PREFIX + bytes);
                self.lines.touch(from);
                self.handle(base::Input::Message { from, message });
            }
            Arrival::Unreachable(node) => self.handle(base::Input::Unreachable(node)),
        }
    }

    fn handle(&mut self, input: base::Input<P>) {
        let now = self.network.clock.now();
        let mut out = Outbox::new();
        self.protocol.handle(now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, message } => self.send(to, message),
                Output::Wake { at, timer } => self.timers.set(at, timer),
                Output::Event(event) => self.emit(event),
            }
        }
    }

    fn send(&mut self, to: NodeId, message: P::Message) {
        if to == self.network.node {
            self.to_self
                .push_back(base::Input::Message { from: to, message });
            return;
        }
        let parcel = Parcel {
            purpose: P::purpose(&message),
            frame: encode(&message).into(),
            addresses: self.protocol.addresses(to),
        };
        if !self.lines.send(to, parcel) {
            self.to_self.push_back(base::Input::Unreachable(to));
        }
    }

    fn emit(&mut self, event: P::Event) {
        if self.unread.is_empty() {
            match self.events.try_send(event) {
                Err(mpsc::error::TrySendError::Full(event)) => self.unread.push_back(event),
                // Nobody wants them.
                Ok(()) | Err(mpsc::error::TrySendError::Closed(_)) => {}
            }
        } else {
            self.unread.push_back(event);
        }
    }

    /// Lets the last messages arrive. What peers still send is read, so that they can end, and dropped.
    async fn close(self, mut inbox: mpsc::Receiver<Arrival<P::Message>>) {
        let Self { lines, network, .. } = self;
        tokio::select! {
            () = lines.close() => {}
            () = async { while inbox.recv().await.is_some() {} } => {}
        }
        network.endpoint.close().await;
    }
}

/// Sweeping more often than every quarter of this costs more than an idle connection.
const MIN_IDLE: base::Duration = base::Duration::from_secs(1);
