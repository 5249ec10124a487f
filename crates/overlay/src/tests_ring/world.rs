//! A community and the identities of its people.

use std::net::SocketAddr;
use std::sync::Arc;

use base::{Duration, Instant, NodeId, Rng};
use community::{
    Community, Contact, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol,
};
use crypto::{Rights, SigningKey};

use crate::membership::Membership;

/// When everything begins.
pub const START: Instant = Instant::from_secs(1_800_000_000);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// A community and the identities of its people, who are numbered from 0.
pub struct World {
    pub authority: SigningKey,
    pub descriptor: Descriptor,
    pub people: Vec<Identity>,
    pub rng: Rng,
}

impl World {
    pub fn new(size: usize) -> Self {
        let mut rng = Rng::from_number(7);
        let authority = SigningKey::generate(&mut rng);
        let mut world = Self {
            descriptor: descriptor(&authority),
            authority,
            people: Vec::new(),
            rng,
        };
        for _ in 0..size {
            let person = world.enrol(START + DAY);
            world.people.push(person);
        }
        world
    }

    /// Somebody new.
    pub fn enrol(&mut self, valid_until: Instant) -> Identity {
        let terms = Terms {
            rights: Rights::default(),
            valid_from: START - DAY,
            valid_until,
        };
        let (key, vrf, request) = draw_keys(&self.descriptor.community, &mut self.rng);
        let certificate = enrol(
            &self.authority,
            &self.descriptor,
            &request,
            terms,
            &mut self.rng,
        )
        .unwrap();
        Identity {
            key,
            vrf,
            certificate,
        }
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

    pub fn member(&self, person: usize, now: Instant) -> Membership {
        let rng = Rng::from_number(person as u64);
        Membership::new(self.community(), self.contact(person, now), rng)
    }
}

pub fn contact(of: &Identity, address: SocketAddr, issued: Instant) -> Contact {
    Contact::new(&of.key, of.certificate.clone(), vec![address], issued)
}

fn descriptor(authority: &SigningKey) -> Descriptor {
    Descriptor {
        epoch: 1,
        name: "members".into(),
        community: Descriptor::community_of("members", authority.node()),
        authority: authority.node(),
        enrolment: vec![],
        nodes: 1000,
        colluders: 10,
        alpha: 1e-6,
        offline_permille: 50,
        min_crowd: 5,
        padding_allowance: 1,
        draws_per_period: 16,
        period_secs: 3600,
        vocabulary: vec![],
        revoked: vec![],
    }
}
