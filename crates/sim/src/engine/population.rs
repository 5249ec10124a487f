//! Nodes that are made when somebody needs them, and removed when nobody does.

use std::collections::BTreeSet;

use base::{Instant, NodeId, Protocol};

use super::Simulation;
use super::crowd::{Place, Process};

/// Gives the process of a node, or says that there is no such node.
type Make<P> = Box<dyn FnMut(NodeId, Instant) -> Option<P>>;

/// What [`Simulation::populate`] was told, and the nodes that it led to.
pub struct Population<P> {
    make: Make<P>,
    limit: usize,
    /// How many nodes live that were made.
    living: usize,
    /// Those of them that could be spared, by the step of their last input.
    idle: BTreeSet<(u64, Place)>,
}

impl<P> Population<P> {
    pub fn new(limit: usize, make: Make<P>) -> Self {
        Self {
            make,
            limit,
            living: 0,
            idle: BTreeSet::new(),
        }
    }
}

impl<P: Protocol> Simulation<P> {
    /// The place of a node that is there, or that can be made if there is a population.
    pub(super) fn demanded(&mut self, node: NodeId) -> Place {
        if self.population.is_some() {
            self.crowd.place(node)
        } else {
            self.known(node)
        }
    }

    /// Starts the first process of a node, or the first since it was removed.
    pub(super) fn settle(&mut self, place: Place, protocol: P) {
        let slot = self.crowd.at_mut(place);
        if let Process::Unknown = slot.process {
            slot.skew = self.network.draw_skew(self.salt, slot.name);
        }
        slot.process = Process::Up(Box::new(protocol));
    }

    /// Whether a process runs there that this was meant for, if need be after it was made.
    pub(super) fn answers(&mut self, place: Place, life: u32) -> bool {
        self.lives(place, life) || (self.crowd.at(place).life == life && self.make(place))
    }

    fn make(&mut self, place: Place) -> bool {
        let slot = self.crowd.at(place);
        let Some(population) = self.population.as_mut() else {
            return false;
        };
        if !slot.process.is_absent() {
            return false;
        }
        let skew = match slot.process {
            Process::Unknown => self.network.draw_skew(self.salt, slot.name),
            _ => slot.skew,
        };
        let now = Instant(self.now.0.saturating_add_signed(skew));
        let Some(protocol) = (population.make)(slot.name, now) else {
            return false;
        };
        population.living += 1;
        self.settle(place, protocol);
        self.crowd.at_mut(place).is_made = true;
        self.shrink();
        true
    }

    /// Notes that something is under way to a node: it must not be removed.
    pub(super) fn keep(&mut self, place: Place) {
        if let Some(since) = self.crowd.at_mut(place).idle_since.take() {
            let population = self.population.as_mut();
            let population = population.expect("only a population's nodes are idle");
            population.idle.remove(&(since, place));
        }
    }

    /// Notes that a node has nothing to do, if so.
    pub(super) fn spare(&mut self, place: Place) {
        let slot = self.crowd.at_mut(place);
        if slot.is_made && slot.under_way == 0 && slot.process.up().is_some() {
            slot.idle_since = Some(self.steps);
            let population = self.population.as_mut();
            let population = population.expect("only a population's nodes are made");
            population.idle.insert((self.steps, place));
            self.shrink();
        }
    }

    /// Removes idle nodes down to the limit, as far as there are any.
    fn shrink(&mut self) {
        while let Some(population) = self.population.as_mut() {
            if population.living <= population.limit {
                return;
            }
            let Some(&(_, place)) = population.idle.first() else {
                return;
            };
            self.forget(place);
        }
    }

    /// Takes away what is left of a node but its clock and counters.
    pub(super) fn forget(&mut self, place: Place) {
        self.disown(place);
        self.crowd.at_mut(place).process = Process::Gone;
    }

    /// Notes that a node is no longer one that may be removed.
    pub(super) fn disown(&mut self, place: Place) {
        self.keep(place);
        if std::mem::take(&mut self.crowd.at_mut(place).is_made) {
            let population = self.population.as_mut();
            let population = population.expect("only a population's nodes are made");
            population.living -= 1;
        }
    }
}
