//! Many certified members of one community, of whom some collude.

use std::collections::BTreeMap;
use std::sync::Arc;

use base::{Duration, Location, NodeId, Region, Rng};
use community::{
    Community, Contact, Descriptor, DescriptorError, Identity, SignedDescriptor, Terms, draw_keys,
    enrol,
};
use crypto::{Rights, SigningKey};
use overlay::{Form, KTable, KTableError, NodeCache, Parameters};
use selection::Rules;
use thiserror::Error;

use crate::START;

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

/// How large a community is, and what it assumes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Size {
    /// N.
    pub nodes: u64,
    /// C.
    pub colluders: u64,
    /// α.
    pub alpha: f64,
    /// Nodes in a node cache, on average.
    pub cache_size: u32,
    /// Draws per node and hour.
    pub draws_per_period: u32,
}

/// Some members, made from a seed: each by itself, so that several threads can share the work.
pub struct Members(Vec<(Arc<Identity>, Arc<Contact>, u64)>);

/// A community in which everybody knows exactly the nodes of its region.
pub struct Crowd {
    rules: Rules,
    /// By location.
    identities: Vec<Arc<Identity>>,
    contacts: Vec<Arc<Contact>>,
    colludes: Vec<bool>,
    places: BTreeMap<NodeId, usize>,
    share: f64,
}

/// Why there is no such crowd.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum CrowdError {
    /// The numbers are no community's.
    #[error(transparent)]
    Descriptor(#[from] DescriptorError),
    /// No k-table exists for them.
    #[error(transparent)]
    Table(#[from] KTableError),
}

impl Size {
    /// N, C and α; caches of 512 and as many draws as anybody likes.
    pub fn new(nodes: u64, colluders: u64, alpha: f64) -> Self {
        Self {
            nodes,
            colluders,
            alpha,
            cache_size: community::CACHE_SIZE,
            draws_per_period: u32::MAX,
        }
    }

    fn descriptor(&self, authority: &SigningKey) -> Descriptor {
        Descriptor {
            colluders: self.colluders,
            alpha: self.alpha,
            min_crowd: 10,
            padding_allowance: 3,
            draws_per_period: self.draws_per_period,
            cache_size: self.cache_size,
            ..Descriptor::founding("crowd", authority.node(), self.nodes)
        }
    }
}

fn authority(seed: u64) -> SigningKey {
    SigningKey::generate(&mut Rng::from_number(seed).fork("authority"))
}

impl Members {
    /// The members of these numbers in the community of `seed`. Takes about 0.2 ms each.
    pub fn make(seed: u64, size: &Size, numbers: std::ops::Range<u64>) -> Self {
        let authority = authority(seed);
        let descriptor = size.descriptor(&authority);
        let terms = Terms {
            rights: Rights { ask: true },
            valid_from: START - YEAR,
            valid_until: START + YEAR,
        };
        let make = |number: u64| {
            let mut rng = Rng::from_number(seed ^ number.rotate_left(32)).fork("member");
            let (key, vrf, request) = draw_keys(&descriptor.community, &mut rng);
            let certificate = enrol(&authority, &descriptor, &request, terms, &mut rng)
                .expect("a fresh request holds");
            let contact = Contact::new(&key, certificate.clone(), Vec::new(), START - YEAR);
            let identity = Identity {
                key,
                vrf,
                certificate,
            };
            (Arc::new(identity), Arc::new(contact), number)
        };
        Self(numbers.map(make).collect())
    }

    /// These and those.
    pub fn and(mut self, others: Self) -> Self {
        self.0.extend(others.0);
        self
    }
}

impl Crowd {
    /// A crowd with the k-table of this form. The first C of the members collude: chance has put them where they are.
    ///
    /// # Errors
    ///
    /// See [`CrowdError`].
    pub fn new(seed: u64, size: &Size, form: Form, members: Members) -> Result<Self, CrowdError> {
        let authority = authority(seed);
        let signed = SignedDescriptor::sign(&size.descriptor(&authority), &authority)?;
        let community = Arc::new(Community::open(signed)?);
        let parameters = Parameters {
            form,
            ..Parameters::new(size.nodes, size.colluders, size.alpha)
        };
        let rules = Rules::with_table(community, KTable::new(parameters)?);
        let Members(mut members) = members;
        members.sort_by_key(|(_, contact, _)| (contact.location(), contact.node()));
        let places = members.iter().zip(0..);
        let places = places.map(|((identity, ..), place)| (identity.node(), place));
        Ok(Self {
            share: rules.cache_share(),
            rules,
            places: places.collect(),
            colludes: members
                .iter()
                .map(|(.., number)| *number < size.colluders)
                .collect(),
            identities: members.iter().map(|member| Arc::clone(&member.0)).collect(),
            contacts: members.iter().map(|member| Arc::clone(&member.1)).collect(),
        })
    }

    /// A crowd made here and now.
    ///
    /// # Errors
    ///
    /// See [`CrowdError`].
    pub fn of(seed: u64, size: &Size, form: Form) -> Result<Self, CrowdError> {
        Self::new(seed, size, form, Members::make(seed, size, 0..size.nodes))
    }

    /// The rules by which it draws.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.contacts.len()
    }

    /// Whether there is nobody.
    pub fn is_empty(&self) -> bool {
        self.contacts.is_empty()
    }

    /// The keys of the member at this place, once round the ring from 0.
    pub fn identity(&self, place: usize) -> &Arc<Identity> {
        &self.identities[place]
    }

    /// What is known of the member at this place.
    pub fn contact(&self, place: usize) -> &Arc<Contact> {
        &self.contacts[place]
    }

    /// Where a member is.
    pub fn place(&self, node: NodeId) -> Option<usize> {
        self.places.get(&node).copied()
    }

    /// Whether a member colludes.
    pub fn colludes(&self, node: NodeId) -> bool {
        self.place(node).is_some_and(|place| self.colludes[place])
    }

    /// Whether nobody honest answers to this name: a colluder, or a name that was made up.
    pub fn is_corrupt(&self, node: NodeId) -> bool {
        self.place(node).is_none_or(|place| self.colludes[place])
    }

    /// The places of all colluders.
    pub fn colluders(&self) -> impl Iterator<Item = usize> {
        (0..self.len()).filter(|place| self.colludes[*place])
    }

    /// Nodes that a cache holds, as a share of the ring.
    pub fn share(&self) -> f64 {
        self.share
    }

    /// What the member at this place knows: everyone in its region.
    pub fn cache(&self, place: usize) -> NodeCache {
        let region = Region::new(self.contacts[place].location(), self.share);
        self.inside(&region).cloned().collect()
    }

    /// The members of a region, clockwise.
    pub fn inside<'a>(&'a self, region: &'a Region) -> impl Iterator<Item = &'a Arc<Contact>> {
        let first = self.after(region.begins());
        let around = self.contacts[first..].iter().chain(&self.contacts[..first]);
        around.take_while(|contact| region.contains(contact.location()))
    }

    /// The first member at `point` or after it.
    fn after(&self, point: Location) -> usize {
        self.contacts
            .partition_point(|contact| contact.location() < point)
    }

    /// The members nearest to `point` that `keep` keeps, nearest first.
    pub fn nearest(
        &self,
        point: Location,
        count: usize,
        keep: impl Fn(NodeId) -> bool,
    ) -> Vec<Arc<Contact>> {
        let first = self.after(point);
        let mut ahead = self.contacts[first..].iter().chain(&self.contacts[..first]);
        let behind = self.contacts[..first].iter().rev();
        let mut behind = behind.chain(self.contacts[first..].iter().rev());
        let mut next = |ahead_of_it: bool| {
            let kept = |contact: &&Arc<Contact>| keep(contact.node());
            if ahead_of_it {
                ahead.by_ref().find(kept)
            } else {
                behind.by_ref().find(kept)
            }
        };
        let (mut right, mut left) = (next(true), next(false));
        let mut found: Vec<Arc<Contact>> = Vec::new();
        while let (Some(one), Some(other)) = (right, left) {
            let rank = |contact: &Contact| point.rank(contact.node(), contact.location());
            let nearer = if rank(one) <= rank(other) { one } else { other };
            if found.len() == count || found.iter().any(|known| known.node() == nearer.node()) {
                break;
            }
            found.push(Arc::clone(nearer));
            if rank(one) <= rank(other) {
                right = next(true);
            } else {
                left = next(false);
            }
        }
        found
    }

    /// Steps of a Chord lookup from a member to the one nearest to a point: each goes to the finger that is nearest before
    /// the point.
    pub fn hops(&self, from: usize, point: Location) -> u32 {
        let way = |place: usize| point.0.wrapping_sub(self.contacts[place].location().0);
        let (mut at, mut hops) = (from, 0);
        loop {
            let left = way(at);
            let finger = |exponent: u32| {
                let reach = self.contacts[at].location().0.wrapping_add(1 << exponent);
                self.after(Location(reach)) % self.len()
            };
            let nearer = (0..64).rev().map(finger).find(|place| way(*place) < left);
            match nearer {
                Some(place) => (at, hops) = (place, hops + 1),
                // The nearest one is this or the next.
                None => return hops + 1,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crowd() -> Crowd {
        Crowd::of(1, &Size::new(300, 5, 0.01), Form::Sound).unwrap()
    }

    #[test]
    fn is_the_same_whoever_makes_it() {
        let size = Size::new(40, 3, 1e-6);
        let (first, rest) = (
            Members::make(5, &size, 0..7),
            Members::make(5, &size, 7..40),
        );
        let one = Crowd::new(5, &size, Form::Sound, rest.and(first)).unwrap();
        let other = Crowd::of(5, &size, Form::Sound).unwrap();
        assert_eq!(one.contacts, other.contacts);
        assert_eq!(one.colludes, other.colludes);
        assert_eq!(one.colluders().count(), 3);
        assert!(one.contacts.is_sorted_by_key(|contact| contact.location()));
    }

    #[test]
    fn nearest_are_nearest() {
        let crowd = crowd();
        let mut rng = Rng::from_number(2);
        for _ in 0..50 {
            let point = Location(rng.number());
            let mut all = crowd.contacts.clone();
            all.sort_by_key(|contact| point.rank(contact.node(), contact.location()));
            let barred = all[1].node();
            all.remove(1);
            assert_eq!(crowd.nearest(point, 9, |node| node != barred), all[..9]);
        }
        let everyone = crowd.nearest(Location(0), 1000, |_| true);
        assert_eq!(everyone.len(), 300);
    }

    #[test]
    fn lookups_take_a_few_hops() {
        let crowd = crowd();
        let mut rng = Rng::from_number(3);
        let hops: Vec<_> = (0..100)
            .map(|place| crowd.hops(place, Location(rng.number())))
            .collect();
        let mean = f64::from(hops.iter().sum::<u32>()) / 100.0;
        // Half of log2 300, and one more.
        assert!((3.5..6.5).contains(&mean), "{mean}");
        assert!(hops.iter().all(|hops| *hops <= 12));
    }

    #[test]
    fn caches_hold_their_region() {
        let size = Size {
            cache_size: 30,
            ..Size::new(300, 2, 0.3)
        };
        let crowd = Crowd::of(1, &size, Form::Sound).unwrap();
        assert!(crowd.share() < 1.0);
        for place in 0..300 {
            let cache = crowd.cache(place);
            let region = Region::new(crowd.contact(place).location(), crowd.share());
            let inside = crowd
                .contacts
                .iter()
                .filter(|c| region.contains(c.location()));
            assert!(cache.contains(crowd.contact(place).node()));
            assert_eq!(cache.len(), inside.count());
        }
    }
}
