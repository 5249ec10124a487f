//! Three hundred people with their keys, and what any of them could say.

use std::sync::{Arc, LazyLock};

use base::{Digest, Duration, Instant, NodeId, Rng};
use community::{
    Community, Contact, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol,
};
use crypto::{Rights, SigningKey};
use overlay::{Form, KTable, NodeCache, Parameters};

use crate::strategy::*;
use crate::{Draw, Rules, point_of};

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
    static PEOPLE: LazyLock<People> = LazyLock::new(|| People::new(300));
    &PEOPLE
}

pub fn authority() -> SigningKey {
    SigningKey::from_seed([1; 32])
}

/// Certified by somebody.
pub fn certified(issuer: &SigningKey, rng: &mut Rng) -> Arc<Identity> {
    let terms = Terms {
        rights: Rights { ask: true },
        valid_from: START - DAY,
        valid_until: START + DAY,
    };
    let descriptor = descriptor(40);
    let (key, vrf, request) = draw_keys(&descriptor.community, rng);
    let certificate = enrol(issuer, &descriptor, &request, terms, rng).unwrap();
    Arc::new(Identity {
        key,
        vrf,
        certificate,
    })
}

impl People {
    fn new(count: usize) -> Self {
        let mut rng = Rng::from_number(11);
        let identities: Vec<_> = (0..count)
            .map(|_| certified(&authority(), &mut rng))
            .collect();
        let contact = |of: &Arc<Identity>| {
            let certificate = of.certificate.clone();
            Arc::new(Contact::new(&of.key, certificate, Vec::new(), START))
        };
        let contacts = identities.iter().map(contact).collect();
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
        identities.find(|of| of.node() == node).unwrap()
    }

    pub fn contact(&self, node: NodeId) -> &Arc<Contact> {
        let mut contacts = self.contacts.iter();
        contacts.find(|contact| contact.node() == node).unwrap()
    }
}

pub fn descriptor(nodes: u64) -> Descriptor {
    let authority = authority().node();
    Descriptor {
        colluders: 3,
        ..Descriptor::founding("comparers", authority, nodes)
    }
}

/// Names a plan.
pub fn plan(number: u64) -> Digest {
    Digest::of("plan", &[&number.to_be_bytes()])
}

/// The community of the first so many people, three of whom may collude, with the paper's k-table.
pub struct World {
    pub size: usize,
    pub setup: Setup,
    pub rules: Rules,
    /// All nodes.
    pub mesh: Arc<NodeCache>,
}

impl World {
    /// Everybody knows everybody.
    pub fn new(strategy: Strategy, size: usize) -> Self {
        Self::with(strategy, size, |_| ())
    }

    pub fn with(strategy: Strategy, size: usize, change: impl FnOnce(&mut Descriptor)) -> Self {
        let mut descriptor = descriptor(size as u64);
        change(&mut descriptor);
        let sound = Parameters::new(descriptor.nodes, descriptor.colluders, descriptor.alpha);
        let table = KTable::new(Parameters {
            form: Form::Paper,
            ..sound
        });
        let signed = SignedDescriptor::sign(&descriptor, &authority()).unwrap();
        let community = Arc::new(Community::open(signed).unwrap());
        Self {
            size,
            setup: Setup {
                strategy,
                region_size: 1.0,
            },
            rules: Rules::with_table(community, table.unwrap()),
            mesh: Arc::new(people().contacts[..size].iter().cloned().collect()),
        }
    }

    /// Everybody knows those within a share of the ring around themselves.
    pub fn sparse(strategy: Strategy, size: usize, region_size: f64) -> Self {
        let mut world = Self::new(strategy, size);
        world.setup.region_size = region_size;
        world
    }

    /// What a node knows.
    pub fn cache(&self, of: NodeId) -> Arc<NodeCache> {
        if self.setup.region_size >= 1.0 {
            return Arc::clone(&self.mesh);
        }
        let centre = people().contact(of).location();
        let region = base::Region::new(centre, self.setup.region_size);
        Arc::new(self.mesh.inside(&region).cloned().collect())
    }

    /// A draw by the first of the people.
    pub fn draw(&self, number: u64) -> Draw {
        Draw {
            trigger: people().node(0),
            digest: plan(number),
            attempt: 0,
        }
    }

    /// The k nearest to the first of the people.
    pub fn witnesses(&self) -> Vec<NodeId> {
        let own = people().node(0);
        let centre = people().contacts[0].location();
        let found = self
            .rules
            .legitimate(&self.mesh, centre, |node| node != own);
        found.unwrap().iter().map(|found| found.node()).collect()
    }

    /// What these nodes sign together, each with a number of its own.
    pub fn parts(&self, signers: &[NodeId], seed: u64, at: Instant) -> Vec<Part> {
        let mut rng = Rng::from_number(seed);
        let randoms: Vec<_> = signers.iter().map(|_| Digest(rng.bytes32())).collect();
        let hashes: Vec<_> = randoms.iter().map(commitment).collect();
        let signed = signers.iter().zip(&randoms);
        signed
            .map(|(node, random)| Part::sign(people().identity(*node), *random, &hashes, at))
            .collect()
    }

    /// An honest random of the first of the people.
    pub fn random(&self, seed: u64, at: Instant) -> CommittedRandom {
        CommittedRandom {
            trigger: people().identities[0].certificate.clone(),
            parts: self.parts(&self.witnesses(), seed, at),
        }
    }

    /// The k nearest to a random's point, without the setter.
    pub fn builders(&self, random: &Digest, setter: NodeId) -> Vec<NodeId> {
        let point = point_of(random);
        let found = self
            .rules
            .legitimate(&self.mesh, point, |node| node != setter);
        found.unwrap().iter().map(|found| found.node()).collect()
    }

    /// The node nearest to a random's point, but the trigger.
    pub fn setter(&self, random: &Digest) -> NodeId {
        let own = people().node(0);
        let found = self.mesh.nearest(point_of(random), |node| node != own);
        found.unwrap().node()
    }

    /// These actors, signed by these nodes.
    pub fn list(
        &self,
        random: Digest,
        actors: Vec<NodeId>,
        signers: &[NodeId],
        at: Instant,
    ) -> SignedList {
        let bytes = SignedList::signed_bytes(&random, &actors, at);
        let signers = signers.iter();
        let signers = signers.map(|node| signer(*node, SignedList::DOMAIN, &bytes, at));
        SignedList {
            signers: signers.collect(),
            random,
            actors,
        }
    }
}

/// One node's word.
pub fn signer(node: NodeId, domain: &str, bytes: &[u8], at: Instant) -> Signer {
    let identity = people().identity(node);
    Signer {
        certificate: identity.certificate.clone(),
        at,
        signature: identity.key.sign(domain, bytes),
    }
}
