//! Colluders who sit close together and sign a list of their own.
//!
//! A verifier sees k signatures of nodes near the point that a random names, and believes that one of them is honest. The
//! random it cannot judge: the signers vouch for it. So forgers look for k of themselves who sit close enough, make up
//! randoms until one names a point between them, and sign whom they like.

use base::{Digest, Location, NodeId, Region};
use selection::strategy::{Evidence, Selected, SignedList, Signer};
use selection::{ActorList, Builder, Draw, ListBody, Site, point_of};

use super::crowd::Crowd;
use crate::{START, counting};

/// Most randoms that forgers make up for one list: enough for arcs of a ten-millionth of the ring.
const RANDOMS_MAX: u64 = 200_000_000;

/// Colluders who together are legitimate for some point.
#[derive(Debug, Clone, PartialEq)]
pub struct Arc {
    /// Their places in the crowd, clockwise.
    pub places: Vec<usize>,
    /// From the first to the last, as a share of the ring.
    pub span: f64,
    /// Size of the region that makes so many legitimate.
    pub region_size: f64,
}

impl Arc {
    /// Share of all randoms that name a point between the colluders.
    pub fn chance(&self) -> f64 {
        self.region_size - self.span
    }
}

/// All arcs in which the colluders of a crowd fill some row of its k-table: from each colluder the shortest that starts
/// there.
pub fn arcs(crowd: &Crowd) -> Vec<Arc> {
    let places: Vec<_> = crowd.colluders().collect();
    let location = |place: &usize| crowd.contact(*place).location();
    let locations: Vec<_> = places.iter().map(location).collect();
    let found = counting::arcs(&locations, crowd.rules().table().rows());
    let members = |first: usize, k: usize| (first..first + k).map(|at| places[at % places.len()]);
    let arc = |found: counting::Arc| Arc {
        places: members(found.first, found.k).collect(),
        span: found.span,
        region_size: found.region_size,
    };
    found.map(arc).collect()
}

/// A random whose point makes all of an arc legitimate, if trying finds one.
pub fn random_for(crowd: &Crowd, arc: &Arc) -> Option<Digest> {
    let locations: Vec<_> = arc
        .places
        .iter()
        .map(|place| crowd.contact(*place).location())
        .collect();
    let made_up = |number: u64| Digest::of("made up", &[&number.to_be_bytes()]);
    (0..RANDOMS_MAX).map(made_up).find(|random| {
        let region = Region::new(point_of(random), arc.region_size);
        locations.iter().all(|location| region.contains(*location))
    })
}

fn nearest_first(crowd: &Crowd, arc: &Arc, point: Location) -> Vec<usize> {
    let mut places = arc.places.clone();
    places.sort_by_key(|place| {
        let contact = crowd.contact(*place);
        point.rank(contact.node(), contact.location())
    });
    places
}

fn draw(digest: Digest, trigger: NodeId) -> Draw {
    Draw {
        trigger,
        digest,
        attempt: 0,
    }
}

/// A list in the paper's form that no honest node has seen.
pub fn forge_paper(
    crowd: &Crowd,
    (arc, random): (&Arc, Digest),
    digest: Digest,
    actors: Vec<NodeId>,
) -> Selected {
    let bytes = SignedList::signed_bytes(&random, &actors, START);
    let signer = |place: usize| {
        let identity = crowd.identity(place);
        Signer {
            certificate: identity.certificate.clone(),
            at: START,
            signature: identity.key.sign(SignedList::DOMAIN, &bytes),
        }
    };
    let signers = nearest_first(crowd, arc, point_of(&random));
    let list = SignedList {
        random,
        actors,
        signers: signers.into_iter().map(signer).collect(),
    };
    Selected {
        draw: draw(digest, crowd.contact(arc.places[0]).node()),
        evidence: Evidence::Listed(Box::new(list)),
    }
}

/// A list in the hardened form that no honest node has seen.
pub fn forge_hardened(
    crowd: &Crowd,
    (arc, random): (&Arc, Digest),
    digest: Digest,
    actors: Vec<NodeId>,
) -> Option<ActorList> {
    // Neither T nor S may sign, and T has no seat: any two other colluders.
    let mut others = crowd.colluders().filter(|place| {
        let node = crowd.contact(*place).node();
        !arc.places.contains(place) && !actors.contains(&node)
    });
    let mut other = || others.next().map(|place| crowd.contact(place).node());
    let body = ListBody {
        descriptor: crowd.rules().community().digest(),
        draw: draw(digest, other()?),
        random,
        setter: other()?,
        at: START,
        actors,
        site: Site::FIRST,
    };
    let bytes = body.signed_bytes();
    let builder = |place: usize| {
        let identity = crowd.identity(place);
        Builder {
            certificate: identity.certificate.clone(),
            signature: identity.key.sign(ListBody::DOMAIN, &bytes),
        }
    };
    let signers = nearest_first(crowd, arc, point_of(&random));
    Some(ActorList {
        builders: signers.into_iter().map(builder).collect(),
        body,
    })
}
