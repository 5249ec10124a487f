//! A community and its people, made once for all tests.

use std::sync::{Arc, LazyLock};

use base::{Duration, Instant, Rng};
use community::{
    Community, Contact, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol,
};
use crypto::{Rights, SigningKey};

use crate::spreading::Spreading;

/// When everything begins.
pub const START: Instant = Instant::from_secs(1_800_000_000);
pub const SECOND: Duration = Duration::from_secs(1);
pub const DAY: Duration = Duration::from_secs(86400);
/// The shortest time.
pub const TICK: Duration = Duration::from_micros(1);
/// People of the community.
pub const PEOPLE: usize = 320;

/// A community, its people, who are numbered from 0, and someone who was thrown out.
pub struct World {
    pub authority: SigningKey,
    pub community: Arc<Community>,
    pub people: Vec<Arc<Identity>>,
    pub contacts: Vec<Arc<Contact>>,
    pub revoked: Identity,
    pub expired: Identity,
    pub foreigner: Identity,
    pub usurped: Identity,
}

pub fn world() -> &'static World {
    static WORLD: LazyLock<World> = LazyLock::new(World::new);
    &WORLD
}

impl World {
    fn new() -> Self {
        let mut rng = Rng::from_number(7);
        let authority = SigningKey::generate(&mut rng);
        let usurper = SigningKey::generate(&mut rng);
        let mut descriptor = descriptor(&authority, "overlay");
        let elsewhere = self::descriptor(&authority, "elsewhere");
        let late = START + 400 * DAY;
        let revoked = person(&authority, &descriptor, late, &mut rng);
        descriptor.revoked = vec![revoked.node()];
        let signed = SignedDescriptor::sign(&descriptor, &authority).unwrap();
        let one = |_| Arc::new(person(&authority, &descriptor, late, &mut rng));
        let people: Vec<_> = (0..PEOPLE).map(one).collect();
        Self {
            community: Arc::new(Community::open(signed).unwrap()),
            contacts: people.iter().map(|identity| contact(identity)).collect(),
            people,
            revoked,
            expired: person(&authority, &descriptor, START - TICK, &mut rng),
            foreigner: person(&authority, &elsewhere, late, &mut rng),
            usurped: person(&usurper, &descriptor, late, &mut rng),
            authority,
        }
    }

    /// A node that knows itself, and the share `size` of the ring around it.
    pub fn overlay(&self, person: usize, size: f64) -> Spreading {
        let identity = Arc::clone(&self.people[person]);
        let own = Arc::clone(&self.contacts[person]);
        let rng = Rng::from_number(person as u64);
        Spreading::new(Arc::clone(&self.community), identity, own, size, rng)
    }
}

pub fn contact(identity: &Identity) -> Arc<Contact> {
    let certificate = identity.certificate.clone();
    Arc::new(Contact::new(&identity.key, certificate, vec![], START))
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

fn descriptor(authority: &SigningKey, name: &str) -> Descriptor {
    Descriptor::founding(name, authority.node(), 1000)
}
