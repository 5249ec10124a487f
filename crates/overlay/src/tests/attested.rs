//! Attested lists, right and wrong: a case for each check.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use base::{Digest, Duration, Instant, NodeId};
use community::{Contact, Identity};
use crypto::Signature;

use super::network::SECOND;
use super::world::{START, World};
use crate::KTable;
use crate::at_most::AtMost;
use crate::attestation::{Attested, Entry, KNOWN_BY_ALL, Listing, RECENT, Standing};
use crate::breach::RingBreach;
use crate::view::View;

const NOW: Instant = Instant::from_secs(1_800_000_600);

/// 150 nodes, twelve of them colluding, caches of 60.
struct Case {
    world: World,
    table: KTable,
    /// In the order of the ring.
    order: Vec<usize>,
    contacts: BTreeMap<Digest, Arc<Contact>>,
}

static CASE: LazyLock<Case> = LazyLock::new(|| {
    let mut world = World::with(150, 150, 12);
    world.descriptor.cache_size = 60;
    let mut order: Vec<_> = (0..150).collect();
    order.sort_by_key(|person| world.people[*person].certificate.location());
    let contacts = (0..150).map(|person| Arc::new(world.contact(person, START)));
    Case {
        table: KTable::of(&world.descriptor).unwrap(),
        contacts: contacts.map(|c| (c.digest(), c)).collect(),
        order,
        world,
    }
});

impl Case {
    fn view(&self, person: usize) -> View {
        let own = Arc::new(self.world.contact(person, START));
        let mut view = View::new(own, 60.0 / 150.0, 400);
        for contact in self.contacts.values() {
            view.admit(Arc::clone(contact));
        }
        view
    }

    fn identity(&self, node: NodeId) -> &Identity {
        let person = self.world.people.iter().find(|p| p.node() == node);
        person.expect("one of them")
    }

    fn owner(&self) -> usize {
        self.order[75]
    }

    /// Who must attest the owner's cache.
    fn attesters(&self) -> Vec<NodeId> {
        let view = self.view(self.owner());
        let nearest = self
            .table
            .legitimate(&view.cache, view.own().location(), |_| true);
        nearest.expect("enough").iter().map(|c| c.node()).collect()
    }

    fn listing(&self) -> Listing {
        static LISTING: LazyLock<Listing> =
            LazyLock::new(|| Listing::of(&CASE.view(CASE.owner()), NOW));
        LISTING.clone()
    }

    fn attest(&self, listing: Listing, by: &[NodeId]) -> Attested {
        let sign = |node: &NodeId| (*node, listing.sign(self.identity(*node)));
        let signatures = AtMost::first_of(by.iter().map(sign).collect());
        Attested {
            listing,
            signatures,
        }
    }

    fn check(&self, attested: &Attested) -> Result<Option<Standing>, RingBreach> {
        let newcomer = self.view(self.order[77]);
        attested.verify(NOW, &self.table, &newcomer, &self.contacts)
    }

    fn with(&self, change: impl FnOnce(&mut Vec<Entry>)) -> Listing {
        let mut listing = self.listing();
        let mut entries = listing.entries.into_inner();
        change(&mut entries);
        listing.entries = AtMost::first_of(entries);
        listing
    }
}

#[test]
fn k_legitimate_nodes_settle_it() {
    let case = &*CASE;
    let attesters = case.attesters();
    assert!(attesters.len() >= 4 && attesters[0] == case.world.node(case.owner()));
    let attested = case.attest(case.listing(), &attesters);
    assert_eq!(case.check(&attested), Ok(Some(Standing::Settled)));
    let bytes = base::encode(&attested);
    assert_eq!(
        base::decode::<Attested>(&bytes, bytes.len()),
        Ok(attested.clone())
    );
    // Nothing is said while a contact is missing.
    let mut few = case.contacts.clone();
    few.remove(&attested.listing.entries[7].digest);
    let newcomer = case.view(case.order[77]);
    assert_eq!(attested.verify(NOW, &case.table, &newcomer, &few), Ok(None));
}

#[test]
fn stale_attestations_are_refused() {
    let case = &*CASE;
    let tick = Duration::from_micros(1);
    for (at, fine) in [
        (NOW - RECENT, true),
        (NOW - RECENT - tick, false),
        (NOW + RECENT, true),
        (NOW + RECENT + tick, false),
    ] {
        let listing = Listing {
            at,
            ..case.listing()
        };
        let result = case.check(&case.attest(listing, &case.attesters()));
        let refused = Err(RingBreach::StaleAttestation);
        assert_eq!(
            result,
            if fine {
                Ok(Some(Standing::Settled))
            } else {
                refused
            }
        );
    }
}

#[test]
fn a_bad_signature_is_refused() {
    let case = &*CASE;
    let attesters = case.attesters();
    let good = case.attest(case.listing(), &attesters);
    let with = |at: usize, signature: Signature| {
        let mut signatures = good.signatures.clone().into_inner();
        signatures[at].1 = signature;
        let signatures = AtMost::first_of(signatures);
        let listing = good.listing.clone();
        case.check(&Attested {
            listing,
            signatures,
        })
    };
    for at in 0..attesters.len() {
        let other = good.signatures[(at + 1) % attesters.len()].1;
        assert_eq!(with(at, other), Err(RingBreach::BadAttestation));
        let earlier = Listing {
            at: NOW - SECOND,
            ..case.listing()
        };
        let earlier = earlier.sign(case.identity(attesters[at]));
        assert_eq!(with(at, earlier), Err(RingBreach::BadAttestation));
    }
    // Signatures cover exactly the list that is given: nobody can be left out afterwards.
    let mut fewer = good.clone();
    fewer.listing = case.with(|entries| {
        entries.remove(3);
    });
    assert_eq!(case.check(&fewer), Err(RingBreach::BadAttestation));
}

#[test]
fn each_attester_counts_once() {
    let case = &*CASE;
    let mut attesters = case.attesters();
    *attesters.last_mut().unwrap() = attesters[0];
    let attested = case.attest(case.listing(), &attesters);
    assert_eq!(case.check(&attested), Err(RingBreach::DuplicateAttester));
}

#[test]
fn attesters_of_another_region_do_not_count() {
    let case = &*CASE;
    let mut attesters = case.attesters();
    let listed = &case.listing().entries;
    // The last of the list is in the owner's region, but far from the owner.
    let far = case.contacts[&listed.last().unwrap().digest].node();
    *attesters.last_mut().unwrap() = far;
    let attested = case.attest(case.listing(), &attesters);
    assert_eq!(case.check(&attested), Err(RingBreach::ForeignAttester));
    let elsewhere = case.world.node(case.order[0]);
    *attesters.last_mut().unwrap() = elsewhere;
    let attested = case.attest(case.listing(), &attesters);
    assert_eq!(case.check(&attested), Err(RingBreach::UnlistedAttester));
}

#[test]
fn too_few_attesters_are_refused() {
    let case = &*CASE;
    let attesters = case.attesters();
    // k - 1 of them are legitimate for a smaller row only if they sit closer together.
    for few in 0..attesters.len() {
        let result = case.check(&case.attest(case.listing(), &attesters[..few]));
        let refused = [RingBreach::TooFewAttesters, RingBreach::ForeignAttester];
        assert!(result.is_err_and(|why| refused.contains(&why)), "{few}");
    }
    let one = case.attest(case.listing(), &attesters[..1]);
    assert_eq!(case.check(&one), Err(RingBreach::TooFewAttesters));
}

#[test]
fn lists_must_be_what_they_seem() {
    let case = &*CASE;
    let attesters = case.attesters();
    let checked = |listing| case.check(&case.attest(listing, &attesters));
    let moved = case.with(|entries| entries[3].location.0 += 1);
    assert_eq!(checked(moved), Err(RingBreach::WrongEntry));
    let younger = case.with(|entries| entries[3].issued = NOW);
    assert_eq!(checked(younger), Err(RingBreach::WrongEntry));
    let disordered = case.with(|entries| entries.swap(3, 4));
    assert_eq!(checked(disordered), Err(RingBreach::OutsideRegion));
    let foreign = Arc::new(case.world.contact(case.order[0], START));
    let wide = case.with(|entries| entries.insert(0, Entry::new(&foreign.digest(), &foreign)));
    assert_eq!(checked(wide), Err(RingBreach::OutsideRegion));
    let owner = case.world.contact(case.owner(), START).digest();
    let without = case.with(|entries| entries.retain(|entry| entry.digest != owner));
    assert_eq!(checked(without), Err(RingBreach::LeavesItselfOut));
}

/// Where fewer nodes are there than any row needs, all of them must sign.
#[test]
fn founders_all_attest() {
    let case = &*CASE;
    let own = Arc::new(case.world.contact(case.owner(), START));
    let mut view = View::new(own, 60.0 / 150.0, 400);
    for at in [76, 77] {
        view.admit(Arc::new(case.world.contact(case.order[at], START)));
    }
    let all = [75, 76, 77].map(|at| case.world.node(case.order[at]));
    let check = |by| case.check(&case.attest(Listing::of(&view, NOW), by));
    assert_eq!(check(&all), Ok(Some(Standing::Founding)));
    assert_eq!(check(&all[..2]), Err(RingBreach::TooFewAttesters));
    assert_eq!(check(&[]), Err(RingBreach::TooFewAttesters));
}

#[test]
fn honest_attesters_sign_what_agrees_with_their_caches() {
    let case = &*CASE;
    let attester = case.view(case.order[78]);
    let agrees = |listing: &Listing| listing.agrees_with(&attester, |_| false);
    assert!(agrees(&case.listing()));
    let edge = case.listing().entries.len() - 1;
    for at in 0..edge {
        let hides = case.with(|entries| {
            entries.remove(at);
        });
        let entry = case.listing().entries[at];
        // What lies outside of the attester's own region it cannot check.
        let checks = attester.region().contains(entry.location);
        assert_eq!(agrees(&hides), !checks);
        let changed = case.with(|entries| entries[at].digest = Digest([7; 32]));
        assert_eq!(agrees(&changed), !checks);
        // Who started a moment ago need not be known to everybody.
        let young = case.with(|entries| {
            entries[at].digest = Digest([7; 32]);
            entries[at].issued = NOW - KNOWN_BY_ALL + SECOND;
        });
        assert_eq!(agrees(&young), !checks);
        // Who leaves pings unanswered may be listed or not.
        let doubts = |listing: &Listing| listing.agrees_with(&attester, |d| *d == entry.digest);
        assert!(doubts(&hides) && doubts(&case.listing()));
    }
    let stranger = Listing {
        of: case.world.node(case.order[0]),
        ..case.listing()
    };
    assert!(!agrees(&stranger));
}
