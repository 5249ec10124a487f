//! A community with keys, certificates, folders and vaults.

use std::path::Path;

use base::{Duration, NodeId, Rng};
use community::{CACHE_SIZE, Descriptor, Identity, SignedDescriptor, Terms, draw_keys, enrol};
use crypto::{Rights, SigningKey};
use net::Clock;
use question::ConsentRule;

use crate::demo::DemoError;
use crate::demo::people::People;
use crate::home::{CONSENT, Home, HomeError, system_rng};

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
}

/// Makes keys, certificates, folders and vaults in `folder`.
pub fn found(
    people: &People,
    min_crowd: Option<u64>,
    folder: &Path,
    mut step: impl FnMut(usize),
) -> Result<Founded, DemoError> {
    let rng = &mut system_rng();
    let authority = SigningKey::generate(rng);
    let nodes = people.taken.len() as u64 + 1;
    let descriptor = Descriptor {
        epoch: 1,
        name: "demo".into(),
        community: Descriptor::community_of("demo", authority.node()),
        authority: authority.node(),
        enrolment: Vec::new(),
        nodes,
        colluders: Descriptor::default_colluders(nodes),
        alpha: 1e-6,
        offline_permille: 50,
        // What so few people can reach; a real community asks for more.
        min_crowd: min_crowd.unwrap_or(people.taken.len() as u64 / 3),
        padding_allowance: 1,
        draws_per_period: 16,
        cache_size: CACHE_SIZE,
        period_secs: 3600,
        vocabulary: vec![people.table.clone()],
        revoked: Vec::new(),
    };
    let signed = SignedDescriptor::sign(&descriptor, &authority)
        .map_err(|why| DemoError::Usage(why.to_string()))?;
    let mut make = |name: &str, data: Option<&[u8]>| -> Result<(NodeId, Home), DemoError> {
        let identity = member(&authority, &descriptor, data.is_none(), rng)?;
        let home = Home::at(&folder.join(name));
        let mut vault = home.found(&identity, &signed, rng)?;
        vault
            .set_setting(CONSENT, &ConsentRule::Yes.to_string())
            .map_err(HomeError::from)?;
        if let Some(data) = data {
            vault::import_csv(&mut vault, data, &people.table, None)
                .map_err(|why| DemoError::Usage(format!("cannot import {name}'s data: {why}")))?;
        }
        Ok((identity.node(), home))
    };
    let mut homes = Vec::with_capacity(people.taken.len());
    for (place, data) in people.taken.iter().enumerate() {
        homes.push(make(&format!("person-{place}"), Some(data))?);
        step(place + 1);
    }
    let asker = make("asker", None)?;
    Ok(Founded {
        descriptor,
        signed,
        homes,
        asker,
    })
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
