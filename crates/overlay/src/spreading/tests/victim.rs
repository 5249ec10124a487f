//! One node, and what it says to peers who send what they should not.

use std::sync::Arc;

use base::{Input, Instant, NodeId, Outbox, Output, Protocol as _, decode, encode};

use super::world::{START, world};
use crate::spreading::breach::SpreadingBreach;
use crate::spreading::{Command, Event, Message, Spreading, Timer};

/// The first of the people, and what it did since it was last asked.
pub struct Victim {
    pub overlay: Spreading,
    pub now: Instant,
    pub sent: Vec<(NodeId, Message)>,
    pub events: Vec<Event>,
}

impl Victim {
    /// It knows the first `size` people.
    pub fn new(size: usize) -> Self {
        let mut victim = Self {
            overlay: world().overlay(0, 1.0),
            now: START,
            sent: vec![],
            events: vec![],
        };
        for contact in &world().contacts[1..size] {
            victim.command(Command::Know(Arc::clone(contact)));
        }
        victim
    }

    pub fn command(&mut self, command: Command) {
        self.input(Input::Command(command));
    }

    pub fn timer(&mut self, timer: Timer) {
        self.input(Input::Timer(timer));
    }

    pub fn hear(&mut self, from: NodeId, message: &Message) {
        let message = decode(&encode(message), 1 << 20).unwrap();
        self.input(Input::Message { from, message });
    }

    pub fn input(&mut self, input: Input<Spreading>) {
        let mut out = Outbox::new();
        self.overlay.handle(self.now, input, &mut out);
        for output in out.drain() {
            match output {
                Output::Send { to, message } => self.sent.push((to, message)),
                Output::Event(event) => self.events.push(event),
                Output::Wake { .. } => {}
            }
        }
    }

    pub fn take_sent(&mut self) -> Vec<(NodeId, Message)> {
        std::mem::take(&mut self.sent)
    }

    pub fn take_events(&mut self) -> Vec<Event> {
        std::mem::take(&mut self.events)
    }

    /// The misbehaviours that it noticed since it was last asked; all other events are dropped.
    pub fn take_blamed(&mut self) -> Vec<(NodeId, SpreadingBreach)> {
        let blamed = |event| match event {
            Event::Misbehaved { node, what } => Some((node, what)),
            _ => None,
        };
        self.take_events().into_iter().filter_map(blamed).collect()
    }
}
