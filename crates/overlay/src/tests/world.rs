//! A community and the identities of its people.

use std::net::SocketAddr;
use std::sync::{Arc, LazyLock};

use base::{Duration, Instant, NodeId, Rng};
use community::{
    Community, Contact, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol,
};
use crypto::{Rights, SigningKey};

use crate::Ring;

/// When everything begins.
pub const START: Instant = Instant::from_secs(1_800_000_000);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Most people of a world.
const PEOPLE: usize = 304;

/// Everybody's keys and certificates: as these do not depend on the rest of the descriptor, all worlds share them.
static SHARED: LazyLock<Shared> = LazyLock::new(|| {
    let mut rng = Rng::from_number(7);
    let authority = SigningKey::generate(&mut rng);
    let descriptor = descriptor(&authority, 1000, 10);
    let one = |_| Arc::new(person(&authority, &descriptor, START + DAY, &mut rng));
    let people = (0..PEOPLE).map(one).collect();
    Shared { authority, people }
});

struct Shared {
    authority: SigningKey,
    people: Vec<Arc<Identity>>,
}

/// A community and the identities of its people, who are numbered from 0.
pub struct World {
    pub authority: SigningKey,
    pub descriptor: Descriptor,
    pub people: Vec<Arc<Identity>>,
    pub rng: Rng,
}

impl World {
    /// A community of about a thousand who all know each other.
    pub fn new(size: usize) -> Self {
        let mut world = Self::with(size, 1000, 10);
        world.descriptor.cache_size = 1000;
        world
    }

    /// A community whose descriptor counts so many nodes and colluders; caches of 512.
    pub fn with(size: usize, nodes: u64, colluders: u64) -> Self {
        let authority = SHARED.authority.clone();
        Self {
            descriptor: descriptor(&authority, nodes, colluders),
            authority,
            people: SHARED.people[..size].to_vec(),
            rng: Rng::from_number(8),
        }
    }

    /// A community in which a cache holds 28 % of the ring, and three nodes of 7 % of it are enough to attest one.
    pub fn with_regions(size: usize) -> Self {
        let mut world = Self::with(size, 1000, 3);
        world.descriptor.alpha = 0.03;
        world.descriptor.cache_size = 280;
        world
    }

    /// Somebody new.
    pub fn enrol(&mut self, valid_until: Instant) -> Identity {
        let Self {
            authority,
            descriptor,
            rng,
            ..
        } = self;
        person(authority, descriptor, valid_until, rng)
    }

    pub fn node(&self, person: usize) -> NodeId {
        self.people[person].node()
    }

    pub fn address(person: usize) -> SocketAddr {
        ([127, 0, 0, 1], 1000 + person as u16).into()
    }

    pub fn contact(&self, person: usize, issued: Instant) -> Contact {
        contact(&self.people[person], Self::address(person), issued)
    }

    pub fn community(&self) -> Arc<Community> {
        let signed = SignedDescriptor::sign(&self.descriptor, &self.authority).unwrap();
        Arc::new(Community::open(signed).unwrap())
    }

    pub fn overlay(&self, person: usize, now: Instant) -> Ring {
        let rng = Rng::from_number(person as u64);
        let (identity, own) = (Arc::clone(&self.people[person]), self.contact(person, now));
        Ring::new(self.community(), identity, own, rng).unwrap()
    }
}

pub fn contact(of: &Identity, address: SocketAddr, issued: Instant) -> Contact {
    Contact::new(&of.key, of.certificate.clone(), vec![address], issued)
}

fn person(
    authority: &SigningKey,
    descriptor: &Descriptor,
    valid_until: Instant,
    rng: &mut Rng,
) -> Identity {
    let terms = Terms {
        rights: Rights::default(),
        valid_from: START - DAY,
        valid_until,
    };
    let (key, vrf, request) = draw_keys(&descriptor.community, rng);
    let certificate = enrol(authority, descriptor, &request, terms, rng).unwrap();
    Identity {
        key,
        vrf,
        certificate,
    }
}

fn descriptor(authority: &SigningKey, nodes: u64, colluders: u64) -> Descriptor {
    Descriptor {
        colluders,
        ..Descriptor::founding("members", authority.node(), nodes)
    }
}
