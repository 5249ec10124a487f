//! A thousand people with their keys, and the communities that some of them form.

use std::sync::{Arc, LazyLock};

use base::{Digest, Duration, Instant, NodeId, Region, Rng};
use community::{
    Community, Contact, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol,
};
use crypto::{Rights, SigningKey};
use overlay::NodeCache;

use crate::context::names;
use crate::list::ListBody;
use crate::random::{Draw, TriggerPart, VerifiableRandom};
use crate::site::point_of;
use crate::{ActorList, Builder, Rules};

/// When everything begins.
pub const START: Instant = Instant::from_secs(1_800_000_000);
pub const SECOND: Duration = Duration::from_secs(1);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// Keys and certificates are slow to make, so that all tests share them.
pub struct People {
    pub identities: Vec<Arc<Identity>>,
    pub contacts: Vec<Arc<Contact>>,
}

pub fn people() -> &'static People {
    static PEOPLE: LazyLock<People> = LazyLock::new(|| People::new(1000));
    &PEOPLE
}

/// Certified by `authority`, for as long as told.
pub fn certified(authority: &SigningKey, rng: &mut Rng, valid_until: Instant) -> Identity {
    let terms = Terms {
        rights: Rights { ask: true },
        valid_from: START - DAY,
        valid_until,
    };
    let descriptor = descriptor(13, 3);
    let (key, vrf, request) = draw_keys(&descriptor.community, rng);
    let certificate = enrol(authority, &descriptor, &request, terms, rng).unwrap();
    Identity {
        key,
        vrf,
        certificate,
    }
}

pub fn contact(of: &Identity) -> Arc<Contact> {
    let certificate = of.certificate.clone();
    Arc::new(Contact::new(&of.key, certificate, Vec::new(), START))
}

/// The authority of all communities here.
pub fn authority() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

impl People {
    fn new(count: usize) -> Self {
        let (authority, mut rng) = (authority(), Rng::from_number(7));
        let identities: Vec<_> = (0..count)
            .map(|_| Arc::new(certified(&authority, &mut rng, START + DAY)))
            .collect();
        let contacts = identities
            .iter()
            .map(|identity| contact(identity))
            .collect();
        Self {
            identities,
            contacts,
        }
    }

    pub fn node(&self, person: usize) -> NodeId {
        self.identities[person].node()
    }

    pub fn identity(&self, node: NodeId) -> &Arc<Identity> {
        let mut identities = self.identities.iter();
        identities
            .find(|identity| identity.node() == node)
            .expect("one of the people")
    }

    pub fn contact(&self, node: NodeId) -> &Arc<Contact> {
        let mut contacts = self.contacts.iter();
        contacts
            .find(|contact| contact.node() == node)
            .expect("one of the people")
    }

    /// A cache that holds the first so many.
    pub fn cache(&self, size: usize) -> NodeCache {
        self.contacts[..size].iter().cloned().collect()
    }
}

pub fn descriptor(nodes: u64, colluders: u64) -> Descriptor {
    let authority = authority().node();
    Descriptor {
        colluders,
        ..Descriptor::founding("drawers", authority, nodes)
    }
}

pub fn rules_of(descriptor: &Descriptor) -> Rules {
    let signed = SignedDescriptor::sign(descriptor, &authority()).unwrap();
    Rules::new(Arc::new(Community::open(signed).unwrap())).unwrap()
}

/// Names a plan.
pub fn plan(number: u64) -> Digest {
    Digest::of("plan", &[&number.to_be_bytes()])
}

/// The community of the first so many people, and whatever anybody in it could say.
pub struct World {
    pub size: usize,
    pub rules: Rules,
}

impl World {
    /// With three colluders.
    pub fn new(size: usize) -> Self {
        Self::with(size, |_| ())
    }

    pub fn with(size: usize, change: impl FnOnce(&mut Descriptor)) -> Self {
        let mut descriptor = descriptor(size as u64, 3);
        change(&mut descriptor);
        Self {
            size,
            rules: rules_of(&descriptor),
        }
    }

    /// A thousand people of whom each knows the hundred around it.
    pub fn large() -> Self {
        Self::with(1000, |descriptor| {
            descriptor.colluders = 5;
            descriptor.alpha = 0.01;
            descriptor.cache_size = 100;
        })
    }

    /// The cache of one of the people, given that of everyone.
    pub fn cache_of(&self, node: NodeId, everyone: &NodeCache) -> NodeCache {
        if self.rules.is_small() {
            return everyone.clone();
        }
        let share = self.rules.cache_share();
        let region = Region::new(people().contact(node).location(), share);
        everyone.inside(&region).cloned().collect()
    }

    /// A draw by the first of the people.
    pub fn draw(&self, number: u64, attempt: u32) -> Draw {
        Draw {
            trigger: people().node(0),
            digest: plan(number),
            attempt,
        }
    }

    /// Who must witness for the first of the people when these are away.
    pub fn trigger_witnesses(&self, skipped: &[NodeId]) -> Vec<NodeId> {
        let trigger = &people().identities[0];
        let keep = |node| node != trigger.node() && !skipped.contains(&node);
        let centre = trigger.certificate.location();
        let cache = people().cache(self.size);
        names(&self.rules.legitimate(&cache, centre, keep).unwrap())
    }

    /// What these witnesses would sign.
    pub fn random_by(
        &self,
        draw: Draw,
        witnesses: &[NodeId],
        skipped: &[NodeId],
        at: Instant,
    ) -> VerifiableRandom {
        let part = |node: &NodeId| {
            let identity = people().identity(*node);
            let bytes = draw.part_bytes(at, witnesses, skipped);
            TriggerPart {
                certificate: identity.certificate.clone(),
                proof: identity.vrf.prove(&draw.random_input(*node)),
                at,
                signature: identity.key.sign(TriggerPart::DOMAIN, &bytes),
            }
        };
        VerifiableRandom {
            draw,
            trigger: people().identity(draw.trigger).certificate.clone(),
            skipped: skipped.to_vec(),
            parts: witnesses.iter().map(part).collect(),
        }
    }

    /// The random of an honest draw with its value.
    pub fn random(&self, draw: Draw, at: Instant) -> (VerifiableRandom, Digest) {
        let random = self.random_by(draw, &self.trigger_witnesses(&[]), &[], at);
        let value = random.verify(&self.rules, at).unwrap();
        (random, value)
    }

    /// The setter of a random, given that these are away.
    pub fn setter(&self, value: Digest, skipped: &[NodeId]) -> NodeId {
        let keep = |node| node != people().node(0) && !skipped.contains(&node);
        let cache = people().cache(self.size);
        cache.nearest(point_of(&value), keep).unwrap().node()
    }

    /// The builders around a point, given that these are away.
    pub fn builders(&self, value: Digest, setter: NodeId, skipped: &[NodeId]) -> Vec<NodeId> {
        let barred = [people().node(0), setter];
        let keep = |node| !barred.contains(&node) && !skipped.contains(&node);
        let cache = people().cache(self.size);
        names(
            &self
                .rules
                .legitimate(&cache, point_of(&value), keep)
                .unwrap(),
        )
    }

    /// A list in which these builders sign whatever `body` says.
    pub fn list_by(&self, body: ListBody, builders: &[NodeId]) -> ActorList {
        let bytes = body.signed_bytes();
        let builder = |node: &NodeId| {
            let identity = people().identity(*node);
            Builder {
                certificate: identity.certificate.clone(),
                signature: identity.key.sign(ListBody::DOMAIN, &bytes),
            }
        };
        ActorList {
            builders: builders.iter().map(builder).collect(),
            body,
        }
    }
}
