//! A ring of real nodes at rest, from which single ones go and to which they come back.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;

use base::{Duration, NodeId, Rng};
use community::{
    Community, Contact, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol,
};
use crypto::{Operations, Rights, SigningKey};
use overlay::{Command, KTable, Overlay, Standing};
use sim::counting::Population;
use sim::{NetworkModel, START, Simulation};

use crate::tally::{Tally, Watched};

/// From one node to another, where it is always the same.
const LATENCY: Duration = Duration::from_millis(20);

/// What a community is like: its people, C, α, and wanted size of the node cache.
#[derive(Debug, Clone, Copy)]
pub struct Numbers {
    pub people: usize,
    pub colluders: u64,
    pub alpha: f64,
    pub cache: u32,
}

/// A ring whose nodes are watched.
pub struct World {
    pub simulation: Simulation<Watched>,
    pub tally: Rc<RefCell<Tally>>,
    community: Arc<Community>,
    /// By location.
    people: Vec<Arc<Identity>>,
    started: Vec<bool>,
}

impl World {
    /// Everybody has joined, and nothing is left to tell.
    pub fn new(seed: u64, numbers: Numbers) -> Self {
        let mut world = Self::empty(seed, numbers);
        for person in 0..numbers.people {
            let told = if person == 0 { None } else { Some(person / 2) };
            world.join(person, told);
            if person < 10 || person % 50 == 49 {
                world.run_for(1);
            }
        }
        world.run_for(20);
        let mut all = world.simulation.running();
        assert!(all.all(|(_, node)| node.overlay.standing() == Some(Standing::Settled)));
        drop(all);
        world
    }

    fn empty(seed: u64, numbers: Numbers) -> Self {
        let mut rng = Rng::from_number(seed);
        let authority = SigningKey::generate(&mut rng);
        let descriptor = Descriptor {
            colluders: numbers.colluders,
            alpha: numbers.alpha,
            cache_size: numbers.cache,
            ..Descriptor::founding("ring", authority.node(), numbers.people as u64)
        };
        let terms = Terms {
            rights: Rights::default(),
            valid_from: START - Duration::from_secs(86_400),
            valid_until: START + Duration::from_secs(86_400),
        };
        let people = (0..numbers.people).map(|_| {
            let (key, vrf, request) = draw_keys(&descriptor.community, &mut rng);
            let certificate = enrol(&authority, &descriptor, &request, terms, &mut rng);
            let certificate = certificate.expect("the terms are in order");
            Arc::new(Identity {
                key,
                vrf,
                certificate,
            })
        });
        let mut people: Vec<_> = people.collect();
        people.sort_by_key(|person| person.certificate.location());
        let signed = SignedDescriptor::sign(&descriptor, &authority).expect("in range");
        Self {
            simulation: Simulation::new(seed, NetworkModel::fixed(LATENCY)),
            tally: Rc::default(),
            community: Arc::new(Community::open(signed).expect("just signed")),
            started: vec![false; people.len()],
            people,
        }
    }

    /// Who sits at this place, counted from 0.
    pub fn node(&self, place: usize) -> NodeId {
        self.people[place].node()
    }

    /// Where everybody sits.
    pub fn population(&self) -> Population {
        let people = self.people.iter();
        Population::of_members(people.map(|person| (person.certificate.location(), 0, false)))
    }

    /// What all of them compute.
    pub fn table(&self) -> KTable {
        KTable::of(self.community.descriptor()).expect("the nodes have one")
    }

    /// rs3, from the region of one of them.
    pub fn share(&self) -> f64 {
        let mut nodes = self.simulation.running();
        let (_, node) = nodes.next().expect("somebody is up");
        let centre = node.overlay.own().location();
        let begins = node.overlay.view().region().begins();
        centre.0.wrapping_sub(begins.0) as f64 / 2f64.powi(63)
    }

    /// Starts this person's node, which is told of another one. Answers what it did before it was asked anything.
    pub fn join(&mut self, person: usize, told: Option<usize>) -> Operations {
        let identity = Arc::clone(&self.people[person]);
        let now = self.simulation.now();
        let at = vec![address(person)];
        let certificate = identity.certificate.clone();
        let (own, made) = Operations::of(|| Contact::new(&identity.key, certificate, at, now));
        let (node, community) = (identity.node(), Arc::clone(&self.community));
        let rng = Rng::from_number(person as u64);
        let overlay = Overlay::new(community, identity, own, rng);
        let watched = Watched {
            overlay: overlay.expect("the community has a k-table"),
            tally: Rc::clone(&self.tally),
        };
        if std::mem::replace(&mut self.started[person], true) {
            self.simulation.restart(node, watched);
        } else {
            self.simulation.add(node, watched);
        }
        let told = told.map(|person| (self.node(person), address(person)));
        let join = Command::Join(told.into_iter().collect());
        self.simulation.command(node, join);
        made
    }

    /// Lets so many seconds pass.
    pub fn run_for(&mut self, seconds: u64) {
        let until = self.simulation.now() + Duration::from_secs(seconds);
        self.simulation.run_until(until);
    }

    /// What was done and sent since this was last asked.
    pub fn take_tally(&mut self) -> Tally {
        self.tally.take()
    }
}

fn address(person: usize) -> SocketAddr {
    ([127, 0, 0, 1], person as u16).into()
}
