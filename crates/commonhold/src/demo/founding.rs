//! A community with keys, certificates, folders and vaults.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use base::{Duration, Location, NodeId, Region, Rng};
use community::{Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol};
use crypto::{Rights, SigningKey};
use net::Clock;
use overlay::{KTable, cache_share};
use question::ConsentRule;

use crate::demo::DemoError;
use crate::demo::people::People;
use crate::home::{CONSENT, Home, HomeError, system_rng};

/// How many homes are made at once: each waits for the disk several times.
const AT_ONCE: usize = 8;

/// A community in which everybody has a place to live.
pub struct Founded {
    /// What all members know.
    pub descriptor: Descriptor,
    /// As it is signed.
    pub signed: SignedDescriptor,
    /// One for each person, in the order of the people.
    pub homes: Vec<(NodeId, Home)>,
    /// Of the node that asks; has no data.
    pub asker: (NodeId, Home),
    /// How many each is to know, itself included: all, or in a large community those around it.
    pub to_know: BTreeMap<NodeId, usize>,
}

/// Smallest crowd of a demo of many, as communities have it that say nothing else.
const MIN_CROWD: u64 = 5;

/// Makes keys, certificates, folders and vaults in `folder`, of owners who all have this rule. If one is to be shown, it may
/// ask as well.
pub fn found(
    people: &People,
    min_crowd: Option<u64>,
    rule: ConsentRule,
    shows_first: bool,
    folder: &Path,
    mut step: impl FnMut(usize),
) -> Result<Founded, DemoError> {
    let rng = &mut system_rng();
    let authority = SigningKey::generate(rng);
    let nodes = people.taken.len() as u64 + 1;
    let descriptor = Descriptor {
        // What so few people can reach, also in groups; a real community asks for more.
        min_crowd: min_crowd.unwrap_or((people.taken.len() as u64 / 4).clamp(2, MIN_CROWD)),
        vocabulary: vec![people.table.clone()],
        ..Descriptor::founding("demo", authority.node(), nodes)
    };
    let signed = SignedDescriptor::sign(&descriptor, &authority)
        .map_err(|why| DemoError::Usage(why.to_string()))?;
    let mut places = BTreeMap::new();
    let mut people_to_be = VecDeque::new();
    let person = |place: usize| {
        (
            format!("person-{place}"),
            Some(people.taken[place].as_slice()),
        )
    };
    let named = (0..people.taken.len()).map(person);
    for (place, (name, data)) in named.chain([("asker".into(), None)]).enumerate() {
        let may_ask = data.is_none() || shows_first && place == 0;
        let identity = member(&authority, &descriptor, may_ask, rng)?;
        places.insert(identity.node(), identity.certificate.location());
        people_to_be.push_back((place, name, data, identity));
    }
    let settle = |name: &str, data: Option<&[u8]>, identity: &Identity| {
        let home = Home::at(&folder.join(name));
        let mut vault = home.found(identity, &signed, &mut system_rng())?;
        vault
            .set_setting(CONSENT, &rule.to_string())
            .map_err(HomeError::from)?;
        if let Some(data) = data {
            vault::import_csv(&mut vault, data, &people.table, None)
                .map_err(|why| DemoError::Usage(format!("cannot import {name}'s data: {why}")))?;
        }
        Ok::<_, DemoError>(home)
    };
    let mut homes = BTreeMap::new();
    let queue = Mutex::new(people_to_be);
    let next = || {
        queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front()
    };
    let (done, settled) = mpsc::channel();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            let (done, next, settle) = (done.clone(), &next, &settle);
            scope.spawn(move || {
                while let Some((place, name, data, identity)) = next() {
                    let home = settle(&name, data, &identity);
                    // Nobody listens once one has failed.
                    if done.send((place, identity.node(), home)).is_err() {
                        return;
                    }
                }
            });
        }
        drop(done);
        for (place, node, home) in settled {
            homes.insert(place, (node, home?));
            step(homes.len().min(people.taken.len()));
        }
        Ok::<_, DemoError>(())
    })?;
    let (_, asker) = homes.pop_last().expect("the asker is the last");
    let homes = homes.into_values().collect();
    let to_know = to_know(&descriptor, &places)?;
    Ok(Founded {
        descriptor,
        signed,
        homes,
        asker,
        to_know,
    })
}

/// Of nodes at these places, how many each is to know.
fn to_know(
    descriptor: &Descriptor,
    places: &BTreeMap<NodeId, Location>,
) -> Result<BTreeMap<NodeId, usize>, DemoError> {
    let table = KTable::of(descriptor).map_err(|why| DemoError::Usage(why.to_string()))?;
    let share = cache_share(descriptor.nodes, descriptor.cache_size, &table);
    let each = places.iter().map(|(node, place)| {
        let region = Region::new(*place, share);
        let near = places.values().filter(|place| region.contains(**place));
        (*node, near.count())
    });
    Ok(each.collect())
}

fn member(
    authority: &SigningKey,
    descriptor: &Descriptor,
    may_ask: bool,
    rng: &mut Rng,
) -> Result<Identity, DemoError> {
    let (key, vrf, request) = draw_keys(&descriptor.community, rng);
    let now = Clock::start().now();
    let day = Duration::from_secs(86_400);
    let terms = Terms {
        rights: Rights { ask: may_ask },
        valid_from: now - day,
        valid_until: now + day,
    };
    let certificate = enrol(authority, descriptor, &request, terms, rng)
        .map_err(|why| DemoError::Machine(format!("cannot certify a node: {why}")))?;
    Ok(Identity {
        key,
        vrf,
        certificate,
    })
}
