//! All nodes of a simulation, by place: a number that is found once per name, and then used in its stead.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use base::{Instant, NodeId};

use super::latency::Progress;
use super::{Counters, START};

/// Where a node's slot is.
pub type Place = u32;

/// One slot for each name that was ever heard. Slots stay.
pub struct Crowd<P> {
    places: HashMap<NodeId, Place, BuildHasherDefault<NameHasher>>,
    slots: Vec<Slot<P>>,
}

/// One node.
pub struct Slot<P> {
    pub name: NodeId,
    pub process: Process<P>,
    /// Counts processes. What was meant for an earlier one is dropped.
    pub life: u32,
    /// How many inputs to this node are on the agenda.
    pub under_way: u32,
    /// Microseconds that this node's clock shows too much.
    pub skew: i64,
    pub paused_until: Instant,
    /// When the link has sent everything so far.
    pub link_free_at: Instant,
    /// Since which step it could be spared, if it was made on demand and nothing is under way to it.
    pub idle_since: Option<u64>,
    /// Made on demand.
    pub is_made: bool,
    pub counters: Counters,
    pub progress: Progress,
}

/// What runs on a node. Boxed, so that a node that is not there takes little memory.
pub enum Process<P> {
    /// Somebody named it, nobody added it.
    Unknown,
    /// Removed: its clock and counters stay.
    Gone,
    /// Crashed.
    Down,
    Up(Box<P>),
}

impl<P> Process<P> {
    pub fn up(&self) -> Option<&P> {
        match self {
            Self::Up(protocol) => Some(protocol),
            Self::Unknown | Self::Gone | Self::Down => None,
        }
    }

    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Unknown | Self::Gone)
    }
}

impl<P> Crowd<P> {
    pub fn new() -> Self {
        Self {
            places: HashMap::default(),
            slots: Vec::new(),
        }
    }

    /// The place of a name, which is given one if it has none.
    pub fn place(&mut self, name: NodeId) -> Place {
        let next = self.slots.len();
        let place = *self
            .places
            .entry(name)
            .or_insert_with(|| Place::try_from(next).expect("memory ends before 2^32 nodes"));
        if place as usize == next {
            self.slots.push(Slot::new(name));
        }
        place
    }

    /// The place of a node that was added.
    pub fn known(&self, name: NodeId) -> Option<Place> {
        let place = *self.places.get(&name)?;
        let is_known = !matches!(self.at(place).process, Process::Unknown);
        is_known.then_some(place)
    }

    pub fn at(&self, place: Place) -> &Slot<P> {
        &self.slots[place as usize]
    }

    pub fn at_mut(&mut self, place: Place) -> &mut Slot<P> {
        &mut self.slots[place as usize]
    }

    /// Those that run, by name.
    pub fn running(&self) -> Vec<(NodeId, &P)> {
        let slots = self.slots.iter();
        let mut all: Vec<_> = slots
            .filter_map(|slot| Some((slot.name, slot.process.up()?)))
            .collect();
        all.sort_unstable_by_key(|(name, _)| *name);
        all
    }
}

impl<P> Slot<P> {
    fn new(name: NodeId) -> Self {
        Self {
            name,
            process: Process::Unknown,
            life: 0,
            under_way: 0,
            skew: 0,
            paused_until: START,
            link_free_at: START,
            idle_since: None,
            is_made: false,
            counters: Counters::default(),
            progress: Progress::default(),
        }
    }
}

/// Names are keys, hence random, and nobody attacks a simulation: mixing the words is enough.
#[derive(Default)]
pub struct NameHasher(u64);

impl Hasher for NameHasher {
    fn write(&mut self, bytes: &[u8]) {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let mixed = self.0.rotate_left(23) ^ u64::from_le_bytes(word);
            self.0 = mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    /// The table looks at both ends of this, a product is random in its upper half alone.
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}
