//! A community whose members draw by the real protocol.

use std::sync::Arc;

use base::{Digest, Duration, Input, Instant, NodeId, Outbox, Protocol as _, Region, Rng};
use community::{
    Community, Contact, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol,
};
use crypto::{Rights, SigningKey};
use overlay::NodeCache;
use selection::{ActorList, Announced, Command, Event, Rules, Selection, Wanted};
use sim::{NetworkModel, START, Simulation};

use crate::timing::time;

const LATENCY: Duration = Duration::from_millis(20);
/// Longer than any draw takes.
const LONG: Duration = Duration::from_secs(180);

/// What decides k.
pub struct Size {
    /// N.
    pub nodes: u64,
    /// C.
    pub colluders: u64,
}

/// Nodes that know those around them: caches of 512.
pub struct Drawers {
    rules: Rules,
    everyone: NodeCache,
    triggers: Vec<NodeId>,
    simulation: Simulation<Selection>,
    plans: u64,
}

impl Drawers {
    /// With α = 10^-6.
    pub fn new(size: &Size) -> Self {
        let mut rng = Rng::from_number(1);
        let authority = SigningKey::generate(&mut rng);
        let descriptor = descriptor(size, authority.node());
        let signed = SignedDescriptor::sign(&descriptor, &authority).expect("a possible one");
        let community = Arc::new(Community::open(signed).expect("just signed"));
        let rules = Rules::new(community).expect("few enough collude");
        let identities: Vec<_> = (0..size.nodes)
            .map(|_| Arc::new(member(&authority, &descriptor, &mut rng)))
            .collect();
        let contact = |one: &Arc<Identity>| {
            let certificate = one.certificate.clone();
            Arc::new(Contact::new(&one.key, certificate, Vec::new(), START))
        };
        let everyone: NodeCache = identities.iter().map(contact).collect();
        let mut simulation = Simulation::new(1, NetworkModel::fixed(LATENCY));
        for identity in &identities {
            let location = identity.certificate.location();
            let share = rules.cache_share();
            let near = Region::new(location, share);
            let mut node = Selection::new(Arc::clone(identity), rules.clone());
            for contact in everyone.inside(&near) {
                let known = Command::Know(Arc::clone(contact));
                node.handle(START, Input::Command(known), &mut Outbox::new());
            }
            simulation.add(identity.node(), node);
        }
        Self {
            rules,
            triggers: identities.iter().map(|one| one.node()).collect(),
            everyone,
            simulation,
            plans: 0,
        }
    }

    /// What all judge by.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Draws so many actors for a new plan of the next member: the list, and how long all nodes together computed for it.
    /// `None` when the draw failed.
    pub fn draw(&mut self, seats: u32) -> (Duration, Option<ActorList>) {
        let trigger = self.triggers[self.plans as usize % self.triggers.len()];
        let digest = Digest::of("bench plan", &[&self.plans.to_be_bytes()]);
        self.plans += 1;
        let announced = Announced {
            trigger,
            seats,
            committees: 1,
            opens_at: self.simulation.now(),
        };
        for node in &self.triggers {
            let heard = Command::Announce(digest, announced);
            self.simulation.command(*node, heard);
        }
        self.simulation.run_until(self.simulation.now());
        let wanted = Wanted {
            digest,
            seats,
            committees: 1,
        };
        self.simulation.command(trigger, Command::Draw(wanted));
        time(|| self.run())
    }

    fn run(&mut self) -> Option<ActorList> {
        let limit = self.simulation.now() + LONG;
        let mut ended = None;
        while ended.is_none() && self.simulation.now() < limit {
            let until = self.simulation.now() + LATENCY;
            let everyone = &self.everyone;
            self.simulation
                .run_with(until, &mut |_, _, event| match event {
                    Event::Heard(contact) => {
                        vec![(Duration::ZERO, Command::Know(Arc::new(*contact)))]
                    }
                    Event::Find(point) => {
                        let mut near = everyone.within(point, &Region::new(point, 1.0), |_| true);
                        near.truncate(4);
                        vec![(6 * LATENCY, Command::Found(point, near))]
                    }
                    Event::Drawn(lists) => {
                        ended = Some(lists.into_iter().next());
                        Vec::new()
                    }
                    Event::Failed(..) => {
                        ended = Some(None);
                        Vec::new()
                    }
                    _ => Vec::new(),
                });
        }
        ended.flatten()
    }
}

fn descriptor(size: &Size, authority: NodeId) -> Descriptor {
    Descriptor {
        colluders: size.colluders,
        ..Descriptor::founding("drawers", authority, size.nodes)
    }
}

fn member(authority: &SigningKey, descriptor: &Descriptor, rng: &mut Rng) -> Identity {
    let (key, vrf, request) = draw_keys(&descriptor.community, rng);
    let terms = Terms {
        rights: Rights { ask: true },
        valid_from: START,
        valid_until: Instant(START.0 + 86_400_000_000),
    };
    let certificate = enrol(authority, descriptor, &request, terms, rng).expect("its own request");
    Identity {
        key,
        vrf,
        certificate,
    }
}
