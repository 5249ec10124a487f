//! The overlay alone, on a simulated internet.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use base::{Duration, NodeId, Rng};
use community::{
    Community, Contact, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol,
};
use crypto::{Rights, SigningKey};
use overlay::{Command, Overlay};
use sim::{NetworkModel, START, Simulation};

struct Ring {
    simulation: Simulation<Overlay>,
    community: Arc<Community>,
    people: Vec<Arc<Identity>>,
    cache_size: u32,
}

impl Ring {
    fn new(seed: u64, people: u64, cache_size: u32, network: NetworkModel) -> Self {
        let mut rng = Rng::from_number(seed);
        let authority = SigningKey::generate(&mut rng);
        let descriptor = Descriptor {
            epoch: 1,
            name: "ring".into(),
            community: Descriptor::community_of("ring", authority.node()),
            authority: authority.node(),
            enrolment: vec![],
            nodes: people,
            colluders: Descriptor::default_colluders(people),
            alpha: 1e-6,
            offline_permille: 50,
            min_crowd: 5,
            padding_allowance: 1,
            draws_per_period: 16,
            period_secs: 3600,
            vocabulary: vec![],
            revoked: vec![],
        };
        let terms = Terms {
            rights: Rights::default(),
            valid_from: START - Duration::from_secs(86_400),
            valid_until: START + Duration::from_secs(86_400),
        };
        let people = (0..people).map(|_| {
            let (key, vrf, request) = draw_keys(&descriptor.community, &mut rng);
            let certificate = enrol(&authority, &descriptor, &request, terms, &mut rng);
            let certificate = certificate.expect("the terms are in order");
            Arc::new(Identity {
                key,
                vrf,
                certificate,
            })
        });
        let people = people.collect();
        let signed = SignedDescriptor::sign(&descriptor, &authority).expect("in range");
        let community = Arc::new(Community::open(signed).expect("just signed"));
        Self {
            simulation: Simulation::new(seed, network),
            community,
            people,
            cache_size,
        }
    }

    fn node(&self, person: usize) -> NodeId {
        self.people[person].node()
    }

    fn address(person: usize) -> SocketAddr {
        ([127, 0, 0, 1], person as u16).into()
    }

    fn join(&mut self, person: usize, told: &[usize]) {
        let identity = Arc::clone(&self.people[person]);
        let now = self.simulation.now();
        let at = vec![Self::address(person)];
        let own = Contact::new(&identity.key, identity.certificate.clone(), at, now);
        let rng = Rng::from_number(person as u64);
        let community = Arc::clone(&self.community);
        let node = identity.node();
        let overlay = Overlay::new(community, identity, own, self.cache_size, rng);
        let overlay = overlay.expect("the community has a k-table");
        if self.simulation.is_up(&node) {
            self.simulation.restart(node, overlay);
        } else {
            self.simulation.add(node, overlay);
        }
        let told = told.iter().map(|person| (self.node(*person), Self::address(*person)));
        let join = Command::Join(told.collect());
        self.simulation.command(node, join);
    }

    /// How many entries are missing or too many in all caches together, by the reference model.
    fn errors(&self) -> usize {
        let places = self.simulation.running();
        let places = places.map(|(node, overlay)| (overlay.own().location(), node));
        let truth: BTreeMap<_, _> = places.collect();
        let errors = self.simulation.running().map(|(_, overlay)| {
            let region = overlay.view().region();
            let there = truth.iter().filter(|(place, _)| region.contains(**place));
            let there: BTreeSet<_> = there.map(|(_, node)| *node).collect();
            let held: BTreeSet<_> = overlay.cache().iter().map(|c| c.node()).collect();
            there.symmetric_difference(&held).count()
        });
        errors.sum()
    }

    fn run_for(&mut self, duration: Duration) {
        let until = self.simulation.now() + duration;
        self.simulation.run_until(until);
    }
}

#[test]
fn all_at_once() {
    let mut ring = Ring::new(1, 200, 512, NetworkModel::INTERNET);
    ring.join(0, &[]);
    for person in 1..200 {
        ring.join(person, &[0]);
    }
    for _ in 0..40 {
        ring.run_for(Duration::from_secs(1));
        let known: Vec<_> = ring.simulation.running().map(|(_, node)| node.cache().len()).collect();
        let standing = ring.simulation.running().filter(|(_, node)| node.standing().is_some()).count();
        eprintln!("{:?} {:?} {:?} {standing} {:?}", ring.simulation.now(), known.iter().min(), known.iter().sum::<usize>()/200, ring.simulation.total());
    }
}

#[test]
fn two_thousand() {
    let size = 2000;
    let mut ring = Ring::new(2, size as u64, 64, NetworkModel::fixed(Duration::from_millis(20)));
    let started = std::time::Instant::now();
    for person in 0..size - 20 {
        let told: &[usize] = if person == 0 { &[] } else { &[person / 2, person / 3] };
        ring.join(person, told);
        if person % 50 == 49 || person < 10 {
            ring.run_for(Duration::from_secs(1));
            if person % 200 == 199 { eprintln!("{person} {:?} {:?} errors {}", started.elapsed(), ring.simulation.total().sent, ring.errors()); }
        }
    }
    for _ in 0..20 {
        ring.run_for(Duration::from_secs(5));
        eprintln!("{:?} {:?} {:?} errors {}", ring.simulation.now(), started.elapsed(), ring.simulation.total().sent, ring.errors());
    }
    let mut cost = 0;
    let mut checks = 0;
    for person in size-20..size {
        ring.run_for(Duration::from_secs(5));
        let before = ring.simulation.total();
        ring.run_for(Duration::from_secs(5));
        let idle = ring.simulation.total();
        ring.join(person, &[person / 2, person / 3]);
        ring.run_for(Duration::from_secs(5));
        let after = ring.simulation.total();
        cost += (after.sent - idle.sent) as i64 - (idle.sent - before.sent) as i64;
        checks += (after.sent_bytes - idle.sent_bytes) as i64 - (idle.sent_bytes - before.sent_bytes) as i64;
    }
    eprintln!("per join messages {} bytes {} errors {}", cost / 20, checks/20, ring.errors());
}
