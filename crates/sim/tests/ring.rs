//! The overlay alone, on a simulated internet.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::Arc;

use base::{Duration, Instant, Location, NodeId, Rng};
use community::{
    Community, Contact, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol,
};
use crypto::{Operations, Rights, SigningKey};
use overlay::{Command, Event, Overlay};
use sim::{NetworkModel, START, Simulation};

/// From one node to another, where it is always the same.
const LATENCY: Duration = Duration::from_millis(20);

struct Ring {
    simulation: Simulation<Overlay>,
    community: Arc<Community>,
    people: Vec<Arc<Identity>>,
}

impl Ring {
    fn new(seed: u64, people: u64, cache_size: u32, network: NetworkModel) -> Self {
        let mut rng = Rng::from_number(seed);
        let authority = SigningKey::generate(&mut rng);
        let descriptor = Descriptor {
            cache_size,
            ..Descriptor::founding("ring", authority.node(), people)
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
        let overlay = Overlay::new(community, identity, own, rng);
        let overlay = overlay.expect("the community has a k-table");
        if self.simulation.is_up(&node) {
            self.simulation.restart(node, overlay);
        } else {
            self.simulation.add(node, overlay);
        }
        let told = told
            .iter()
            .map(|person| (self.node(*person), Self::address(*person)));
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

    /// Looks for a point from each of these people: the answer is the true nearest node. Answers after how many questions
    /// and answers, one after the other, on average and at most.
    fn find_from(&mut self, people: impl Iterator<Item = usize>) -> (f64, f64) {
        let began = self.simulation.now();
        let mut rng = Rng::from_number(3);
        let asked: Vec<_> = people.map(|p| (p, Location(rng.number()))).collect();
        self.simulation.drain_events().for_each(drop);
        for (person, target) in &asked {
            let node = self.node(*person);
            self.simulation.command(node, Command::Find(*target));
        }
        self.run_for(Duration::from_secs(10));
        let places = self.simulation.running();
        let places = places.map(|(node, overlay)| (node, overlay.own().location()));
        let places: Vec<_> = places.collect();
        let found = self
            .simulation
            .drain_events()
            .filter_map(|(at, _, event)| match event {
                Event::Found(target, contact) => Some((target, (contact[0].node(), at))),
                _ => None,
            });
        let found: BTreeMap<_, _> = found.collect();
        for (_, target) in &asked {
            let ranks = places
                .iter()
                .map(|(node, place)| target.rank(*node, *place));
            let nearest = ranks.min().map(|(_, node)| node);
            assert_eq!(found.get(target).map(|(node, _)| *node), nearest);
        }
        let trips = |at: &Instant| at.since(began).as_secs_f64() / (2.0 * LATENCY.as_secs_f64());
        let trips: Vec<_> = found.values().map(|(_, at)| trips(at)).collect();
        let mean = trips.iter().sum::<f64>() / trips.len() as f64;
        (mean, trips.into_iter().fold(0.0, f64::max))
    }

    fn run_for(&mut self, duration: Duration) {
        let until = self.simulation.now() + duration;
        self.simulation.run_until(until);
    }
}

/// Everybody starts at one moment, told of one node only, whose link is slow.
#[test]
fn two_hundred_start_at_once_on_the_internet() {
    let mut ring = Ring::new(1, 200, 512, NetworkModel::INTERNET);
    ring.join(0, &[]);
    (1..200).for_each(|person| ring.join(person, &[0]));
    ring.run_for(Duration::from_secs(20));
    assert_eq!(ring.errors(), 0);
    let caches = ring
        .simulation
        .running()
        .map(|(_, overlay)| overlay.cache().len());
    assert_eq!(caches.min(), Some(200));
}

/// Joins fifty at a time; then nobody errs, everything is found, and after a crash of a fifth again.
fn grow_and_crash(size: usize, cache_size: u32, most_messages: u64, most_checks: u64) {
    let network = NetworkModel::fixed(LATENCY);
    let mut ring = Ring::new(2, size as u64, cache_size, network);
    let before = Operations::so_far();
    for person in 0..size {
        let told = [person / 2, person / 3];
        ring.join(person, if person == 0 { &[] } else { &told });
        if person % 50 == 49 || person < 10 {
            ring.run_for(Duration::from_secs(1));
        }
    }
    ring.run_for(Duration::from_secs(20));
    assert_eq!(ring.errors(), 0);
    let per_join = ring.simulation.total().sent / size as u64;
    let checked = (Operations::so_far() - before).checked / size as u64;
    println!("{size} nodes: {per_join} messages and {checked} signature checks per join");
    assert!(per_join <= most_messages);
    // A contact costs two checks at each node that takes it, itself and those who search included.
    assert!(checked <= most_checks);
    let (mean, most) = ring.find_from((0..size).step_by(size / 50));
    println!("found after {mean:.1} questions one after the other, {most:.0} at most");
    assert!(most <= 2.0 + f64::from(size.ilog2()));

    let victims: Vec<_> = (3..size)
        .step_by(5)
        .map(|person| ring.node(person))
        .collect();
    victims.iter().for_each(|node| ring.simulation.crash(*node));
    ring.run_for(Duration::from_secs(120));
    assert_eq!(ring.errors(), 0);
    ring.find_from(
        (0..size)
            .step_by(size / 50)
            .filter(|person| person % 5 != 3),
    );
}

#[test]
fn three_hundred_join_crash_and_find() {
    grow_and_crash(300, 40, 500, 1200);
}

#[test]
#[ignore = "takes four minutes in the dev profile: cargo test -p sim --release --test ring -- --ignored"]
fn two_thousand_join_crash_and_find() {
    grow_and_crash(2000, 64, 500, 600);
}
