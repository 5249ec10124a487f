//! A node cache as its owner gives it to a newcomer: attested by k legitimate nodes (SEP2P §3.6).
//!
//! **Why a valid cache follows from valid caches.** A cache is *valid* when, of the nodes of its region that started at least
//! [`KNOWN_BY_ALL`] ago, it holds exactly those that are up. Let the caches of all honest settled nodes be valid. An honest
//! node signs another's list only if list and own cache agree on such nodes in both regions, so under a list with false
//! entries, or with entries missing near its owner, there is no honest signature. The k signers sit in one region of the k-table's size for k, and
//! such a region holds k colluders, wherever it is, with a probability of at most α over the whole table (the sound form).
//! So but for that probability one signer is honest, and the list is right on what lies in its region and in the owner's.
//! The signer sits within half a row's region of the owner, and the owner within a few nodes of the newcomer, so all of the
//! newcomer's region lies inside but for slivers at both ends; of these the successor's list covers one and the
//! predecessor's the other. Their union, cut to the newcomer's region, is therefore a valid cache again. (Nodes that started
//! within the last minute are not vouched for: news of them travels at its own speed, and reaches the newcomer as it
//! reaches everybody, since it is a member by then.) Leaves and failures keep it valid by the rules in
//! `liveness`.
//!
//! **The beginning.** Where fewer nodes are up than any row needs, the rows say nothing. Then all nodes of the last row's
//! region must sign, fewer than its k: everybody who is there attests. A newcomer that had to be content with this is
//! *founding*: it lives as the others do and goes on asking, until it has seen enough nodes for a row and k of them have
//! signed; then it is *settled*. What this cannot give: a newcomer *all* of whose bootstrap nodes collude may be shown a
//! founding community of colluders, and stays founding as long as they have too few nodes for a row. Applications must not
//! take a founding node for one that knows its community; one honest bootstrap node is enough to leave that state.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use base::{Digest, Duration, Instant, Location, NodeId, encode};
use community::{Contact, Identity};
use crypto::{Signature, verify};
use minicbor::{Decode, Encode};

use crate::at_most::AtMost;
use crate::breach::RingBreach;
use crate::view::{CACHE_MAX, View};
use crate::{KTable, NodeCache};

/// How old an attestation may be, or how far in the future by the reader's clock. Guess: as far as clocks may be apart.
pub const RECENT: Duration = Duration::from_secs(120);

/// How long a node must have been there before it counts against a list that leaves it out, or has it. Guess: in this time
/// caches become equal.
pub const KNOWN_BY_ALL: Duration = Duration::from_secs(60);

/// Most signatures under one list: the largest k of any table.
pub const ATTESTERS_MAX: usize = 1024;

const DOMAIN: &str = "attested node cache";

/// One line of an attested cache: where a node sits, since when, and the digest of its contact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
pub struct Entry {
    /// The node's location.
    #[n(0)]
    pub location: Location,
    /// When its contact was issued.
    #[n(1)]
    pub issued: Instant,
    /// Its contact's digest.
    #[n(2)]
    pub digest: Digest,
}

impl Entry {
    /// The line of this contact with this digest.
    pub fn new(digest: &Digest, contact: &Contact) -> Self {
        Self {
            location: contact.location(),
            issued: contact.issued(),
            digest: *digest,
        }
    }
}

/// What attesters sign: the cache of one node at one time, clockwise from 0.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Listing {
    /// Whose cache it is.
    #[n(0)]
    pub of: NodeId,
    /// When it was so, by the clock of its owner.
    #[n(1)]
    pub at: Instant,
    /// Its contents.
    #[n(2)]
    pub entries: AtMost<Entry, CACHE_MAX>,
}

/// A listing with its attesters' signatures.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Attested {
    /// What is attested.
    #[n(0)]
    pub listing: Listing,
    /// By whom.
    #[n(1)]
    pub signatures: AtMost<(NodeId, Signature), ATTESTERS_MAX>,
}

/// How well a list is attested.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Standing {
    /// By all who are there, fewer than any row of the k-table needs.
    Founding,
    /// By k legitimate nodes.
    Settled,
}

impl Listing {
    /// The present cache of the view's owner.
    pub fn of(view: &View, at: Instant) -> Self {
        let entries = view.cache.digests();
        let entries = entries.map(|(digest, contact)| Entry::new(digest, contact));
        Self {
            of: view.own().node(),
            at,
            entries: AtMost::first_of(entries.collect()),
        }
    }

    /// Signs it. Only for a list that [agrees](Self::agrees_with) with the signer's own cache, or is its own.
    pub fn sign(&self, identity: &Identity) -> Signature {
        identity.key.sign(DOMAIN, &encode(self))
    }

    /// Whether this node signed it: one signature check.
    pub fn is_signed_by(&self, node: NodeId, signature: &Signature) -> bool {
        verify(node, DOMAIN, &encode(self), signature).is_ok()
    }

    /// Whether nothing that lies in both regions is missing here or false here, as far as the view's owner knows and nodes
    /// are concerned that have been there for a while. Nodes that `doubted` doubts may be listed or not.
    pub fn agrees_with(&self, view: &View, doubted: impl Fn(&Digest) -> bool) -> bool {
        let Some(owner) = view.cache.get(self.of) else {
            return false;
        };
        let known = view.shared(owner.location());
        let known = known.map(|(digest, contact)| Entry::new(digest, contact));
        let own = view.region();
        let listed = self.entries.iter().copied();
        let listed = listed.filter(|entry| own.contains(entry.location));
        let sure =
            |entry: &Entry| entry.issued + KNOWN_BY_ALL <= self.at && !doubted(&entry.digest);
        known.filter(sure).eq(listed.filter(sure))
    }
}

impl Attested {
    /// Checks everything but who is alive: as many signature checks as there are signatures, at most the last row's k.
    /// `contacts` are the checked contacts by their digests; nothing can be said while one of an entry is missing.
    ///
    /// # Errors
    ///
    /// A variant per check, the cheapest first.
    pub fn verify(
        &self,
        now: Instant,
        table: &KTable,
        view: &View,
        contacts: &BTreeMap<Digest, Arc<Contact>>,
    ) -> Result<Option<Standing>, RingBreach> {
        let entries = self.listing.entries.iter();
        let contacts = entries.map(|entry| Some((entry, contacts.get(&entry.digest)?)));
        let Some(contacts) = contacts.collect::<Option<Vec<_>>>() else {
            return Ok(None);
        };
        let right = |(entry, contact): &(&Entry, &Arc<Contact>)| {
            **entry == Entry::new(&entry.digest, contact)
        };
        if !contacts.iter().all(right) {
            return Err(RingBreach::WrongEntry);
        }
        let listed = contacts.into_iter().map(|(_, contact)| Arc::clone(contact));
        let listed: NodeCache = listed.collect();
        let owner = listed.get(self.listing.of).map(|owner| owner.location());
        let owner = owner.ok_or(RingBreach::LeavesItselfOut)?;
        self.check_list(now, view, owner)?;
        let standing = self.standing(table, &listed, owner)?;
        let mut signed = self.signatures.iter();
        if signed.all(|(node, signature)| self.listing.is_signed_by(*node, signature)) {
            Ok(Some(standing))
        } else {
            Err(RingBreach::BadAttestation)
        }
    }

    /// What can be checked before the contacts are there: its date, order and region. No signature check.
    ///
    /// # Errors
    ///
    /// A variant per check.
    pub fn check_list(&self, now: Instant, view: &View, owner: Location) -> Result<(), RingBreach> {
        if self.listing.at.distance(now) > RECENT {
            return Err(RingBreach::StaleAttestation);
        }
        let region = view.region_of(owner);
        let places = || self.listing.entries.iter().map(|entry| entry.location);
        if places().is_sorted() && places().all(|place| region.contains(place)) {
            Ok(())
        } else {
            Err(RingBreach::OutsideRegion)
        }
    }

    /// Who signed is enough: k nodes of the row's region, or all there are if no row has enough.
    fn standing(
        &self,
        table: &KTable,
        listed: &NodeCache,
        owner: Location,
    ) -> Result<Standing, RingBreach> {
        let signers: BTreeSet<_> = self.signatures.iter().map(|(node, _)| *node).collect();
        if signers.len() < self.signatures.len() {
            return Err(RingBreach::DuplicateAttester);
        }
        let places = signers.iter().map(|node| listed.get(*node));
        let places: Option<Vec<_>> = places.map(|c| c.map(|c| c.location())).collect();
        let places = places.ok_or(RingBreach::UnlistedAttester)?;
        if table.legitimate(listed, owner, |_| true).is_none() {
            let all = table.founders(listed, owner);
            let signed = all.iter().all(|contact| signers.contains(&contact.node()));
            return match signed {
                true => Ok(Standing::Founding),
                false => Err(RingBreach::TooFewAttesters),
            };
        }
        let region = table.region(owner, signers.len());
        let region = region.ok_or(RingBreach::TooFewAttesters)?;
        if places.into_iter().all(|place| region.contains(place)) {
            Ok(Standing::Settled)
        } else {
            Err(RingBreach::ForeignAttester)
        }
    }
}
