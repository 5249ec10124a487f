//! One thing after the other.

use base::{Input, Instant, Output, Protocol, encode};
use crypto::Operations;

use super::Simulation;
use super::crowd::{Place, Process};
use crate::network::micros;
use crate::{Action, Skew};
use counting::Latency;

/// One thing on the agenda.
pub enum Happening<P: Protocol> {
    Message {
        from: Place,
        to: Place,
        lives: (u32, u32),
        bytes: Vec<u8>,
        sent: Latency,
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
        sent: Latency,
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
    pub(super) fn push(&mut self, at: Instant, happening: Happening<P>) {
        if let Some(to) = happening.to() {
            self.crowd.at_mut(to).under_way += 1;
            self.keep(to);
        }
        self.agenda.insert(at.max(self.now), happening);
    }

    /// Lets the next thing happen that is due by `limit`, if there is any.
    pub(super) fn step_by(&mut self, limit: Instant) -> bool {
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
                sent,
            } => {
                self.progress(to).hear(sent);
                self.deliver(from, to, lives, bytes);
            }
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
            Happening::Command {
                to,
                life,
                command,
                sent,
            } if self.answers(to, life) => {
                self.record(b'c', to);
                self.progress(to).hear(sent);
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
    pub(super) fn input(&mut self, node: Place, input: Input<P>) {
        let slot = self.crowd.at_mut(node);
        let (life, skew) = (slot.life, slot.skew);
        let now = Instant(self.now.0.saturating_add_signed(skew));
        let Process::Up(protocol) = &mut slot.process else {
            unreachable!("only a running node is given input");
        };
        let mut out = std::mem::take(&mut self.out);
        let before = Operations::so_far();
        protocol.handle(now, input, &mut out);
        slot.progress.work((Operations::so_far() - before).total());
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
                    // What comes of it counts from here.
                    self.progress(node).tell();
                    let name = self.crowd.at(node).name;
                    self.events.push_back((self.now, name, event));
                }
            }
        }
        self.out = out;
    }

    pub(super) fn record(&mut self, kind: u8, node: Place) {
        self.log.word(self.now.0);
        self.log.word(u64::from(kind));
        self.log.bytes(self.crowd.at(node).name.as_bytes());
    }
}
