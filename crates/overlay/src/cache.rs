//! The node cache: the certified nodes around one's own location (SEP2P §3.5, §3.6).

use std::sync::{Arc, OnceLock};

use base::{Digest, Location, NodeId, Region};
use community::Contact;

/// Before the name of every node.
const FIRST_NAME: NodeId = NodeId([0; 32]);

/// Certificates and addresses of the nodes that this node knows, each checked before it came in.
///
/// In a small community the cache's region is the whole ring and it holds everyone. Cloning shares the contacts. To find
/// who is near a point takes a time that grows with the logarithm of the cache and with what is found; a change moves what
/// comes after it, which for some thousands of nodes is less than a tree would take.
#[derive(Debug, Clone, Default)]
pub struct NodeCache {
    /// By location, then by name.
    ring: Vec<Entry>,
    /// By name.
    places: Vec<(NodeId, Location)>,
}

#[derive(Debug, Clone)]
struct Entry {
    place: (Location, NodeId),
    contact: Arc<Contact>,
    /// Found when it is first asked for: only who compares caches needs it.
    digest: OnceLock<Digest>,
}

impl Entry {
    fn new(contact: Arc<Contact>) -> Self {
        Self {
            place: (contact.location(), contact.node()),
            contact,
            digest: OnceLock::new(),
        }
    }

    fn digest(&self) -> &Digest {
        self.digest.get_or_init(|| self.contact.digest())
    }
}

impl NodeCache {
    /// A cache that knows nobody.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a checked contact if it [is news](Self::is_news); answers whether it was.
    pub fn insert(&mut self, contact: Arc<Contact>) -> bool {
        let news = self.is_news(&contact);
        if news {
            let entry = Entry::new(contact);
            let (location, node) = entry.place;
            // A new certificate may have put it elsewhere.
            self.remove(node);
            if let Err(at) = self.place_of(node) {
                self.places.insert(at, (node, location));
            }
            let at = self.first_from(entry.place);
            self.ring.insert(at, entry);
        }
        news
    }

    /// Whether this tells of a new node, or is a later word of a known one. Of two different words from one moment the one
    /// with the greater digest counts as the later, so that all caches end with the same.
    pub fn is_news(&self, contact: &Contact) -> bool {
        let Some(entry) = self.entry(contact.node()) else {
            return true;
        };
        let known = &entry.contact;
        let order = known.issued().cmp(&contact.issued());
        order.is_lt()
            || (order.is_eq() && **known != *contact && *entry.digest() < contact.digest())
    }

    /// Forgets a node; answers whether it was known.
    pub fn remove(&mut self, node: NodeId) -> bool {
        let Ok(at) = self.place_of(node) else {
            return false;
        };
        let (_, location) = self.places.remove(at);
        let at = self.first_from((location, node));
        self.ring.remove(at);
        true
    }

    /// Forgets the contacts that `keep` does not keep.
    pub fn retain(&mut self, keep: impl Fn(&Contact) -> bool) {
        let before = self.ring.len();
        self.ring.retain(|entry| keep(&entry.contact));
        if self.ring.len() < before {
            self.places = places(&self.ring);
        }
    }

    /// What is known of `node`.
    pub fn get(&self, node: NodeId) -> Option<&Arc<Contact>> {
        self.entry(node).map(|entry| &entry.contact)
    }

    fn entry(&self, node: NodeId) -> Option<&Entry> {
        let (_, location) = self.places[self.place_of(node).ok()?];
        self.ring.get(self.first_from((location, node)))
    }

    fn place_of(&self, node: NodeId) -> Result<usize, usize> {
        self.places.binary_search_by_key(&node, |(node, _)| *node)
    }

    /// Where on the ring this place, or the first one after it, is.
    fn first_from(&self, place: (Location, NodeId)) -> usize {
        self.ring.partition_point(|entry| entry.place < place)
    }

    /// Whether `node` is known.
    pub fn contains(&self, node: NodeId) -> bool {
        self.place_of(node).is_ok()
    }

    /// How many nodes are known.
    pub fn len(&self) -> usize {
        self.ring.len()
    }

    /// Whether nobody is known.
    pub fn is_empty(&self) -> bool {
        self.ring.is_empty()
    }

    /// All contacts, clockwise from 0.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &Arc<Contact>> {
        self.ring.iter().map(|entry| &entry.contact)
    }

    /// All contacts with their digests, clockwise from 0.
    pub fn digests(&self) -> impl Iterator<Item = (&Digest, &Arc<Contact>)> {
        let entries = self.ring.iter();
        entries.map(|entry| (entry.digest(), &entry.contact))
    }

    /// All contacts once round the ring, clockwise from `point` (which is included).
    pub fn clockwise(&self, point: Location) -> impl Iterator<Item = &Arc<Contact>> {
        let (before, after) = self.ring.split_at(self.first_from((point, FIRST_NAME)));
        after.iter().chain(before).map(|entry| &entry.contact)
    }

    /// All contacts once round the ring, anticlockwise from `point` (which comes last).
    pub fn anticlockwise(&self, point: Location) -> impl Iterator<Item = &Arc<Contact>> {
        let (before, after) = self.ring.split_at(self.first_from((point, FIRST_NAME)));
        let around = before.iter().rev().chain(after.iter().rev());
        around.map(|entry| &entry.contact)
    }

    /// The nodes of `region`, clockwise.
    pub fn inside<'a>(&'a self, region: &'a Region) -> impl Iterator<Item = &'a Arc<Contact>> {
        let inside = |contact: &&Arc<Contact>| region.contains(contact.location());
        self.clockwise(region.begins()).take_while(inside)
    }

    /// The nodes of `region` that `keep` keeps, nearest to `centre` first.
    pub fn within(
        &self,
        centre: Location,
        region: &Region,
        keep: impl Fn(NodeId) -> bool,
    ) -> Vec<Arc<Contact>> {
        let kept = self.inside(region).filter(|contact| keep(contact.node()));
        let mut found: Vec<_> = kept.cloned().collect();
        found.sort_by_key(|contact| rank(centre, contact));
        found
    }

    /// The node nearest to `point` that `keep` keeps.
    pub fn nearest(&self, point: Location, keep: impl Fn(NodeId) -> bool) -> Option<&Arc<Contact>> {
        let kept = |contact: &&Arc<Contact>| keep(contact.node());
        let ahead = self.clockwise(point).find(kept)?;
        let behind = self.anticlockwise(point).find(kept)?;
        // Of several at one location the name decides, and backwards the last one comes first.
        let same = |contact: &&Arc<Contact>| contact.location() == behind.location();
        let behind = self.clockwise(behind.location()).take_while(same);
        behind
            .filter(kept)
            .chain([ahead])
            .min_by_key(|contact| rank(point, contact))
    }

    /// A digest that two caches share exactly when they hold the same contacts.
    pub fn summary(&self) -> Digest {
        let parts: Vec<_> = self.digests().map(|(digest, _)| &digest.0[..]).collect();
        Digest::of("node cache", &parts)
    }
}

impl FromIterator<Arc<Contact>> for NodeCache {
    /// A cache of checked contacts, as if each was inserted.
    fn from_iter<I: IntoIterator<Item = Arc<Contact>>>(contacts: I) -> Self {
        let mut ring: Vec<_> = contacts.into_iter().map(Entry::new).collect();
        if !ring.is_sorted_by_key(|entry| entry.place) {
            ring.sort_by_key(|entry| entry.place);
        }
        let places = places(&ring);
        let is_told_once = |pair: &[(NodeId, Location)]| pair[0].0 < pair[1].0;
        if places.windows(2).all(is_told_once) {
            return Self { ring, places };
        }
        let mut cache = Self::new();
        for entry in ring {
            cache.insert(entry.contact);
        }
        cache
    }
}

/// Whose places these are, by name.
fn places(ring: &[Entry]) -> Vec<(NodeId, Location)> {
    let place = |entry: &Entry| (entry.place.1, entry.place.0);
    let mut places: Vec<_> = ring.iter().map(place).collect();
    places.sort_unstable();
    places
}

fn rank(point: Location, contact: &Contact) -> (u64, NodeId) {
    point.rank(contact.node(), contact.location())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::LazyLock;

    use base::{Duration, Instant, Rng};
    use crypto::{Certificate, CertificateRequest, Rights, SigningKey, VrfSecretKey};
    use proptest::prelude::*;

    use super::*;

    const RING: i128 = 1 << 64;
    const START: Instant = Instant::from_secs(1_800_000_000);

    fn keys(number: u8) -> (SigningKey, VrfSecretKey) {
        let mut rng = Rng::from_seed([number; 32]);
        (
            SigningKey::generate(&mut rng),
            VrfSecretKey::generate(&mut rng),
        )
    }

    /// What a node that sits where chance put it says at a time, about a port.
    fn contact(number: u8, issued: Instant, port: u16) -> Arc<Contact> {
        let ((key, vrf), (authority, _)) = (keys(number), keys(255));
        let community = Digest::of("cache tests", &[]);
        let request = CertificateRequest::new(&key, &vrf.public(), &community);
        let nonce = [number; 32];
        let (rights, serial) = (Rights::default(), 1);
        let certificate = Certificate::issue(
            &authority, &community, &request, nonce, rights, START, START, serial,
        );
        let address = ([127, 0, 0, 1], port).into();
        let contact = Contact::new(&key, certificate.unwrap(), vec![address], issued);
        Arc::new(contact)
    }

    fn contacts(count: usize) -> Vec<Arc<Contact>> {
        static ALL: LazyLock<Vec<Arc<Contact>>> =
            LazyLock::new(|| (0..40).map(|number| contact(number, START, 1)).collect());
        ALL[..count].to_vec()
    }

    fn cache_of<'a>(contacts: impl IntoIterator<Item = &'a Arc<Contact>>) -> NodeCache {
        contacts.into_iter().cloned().collect()
    }

    /// The shorter way round, by looking at the point and its images one turn before and after.
    fn distance(a: Location, b: Location) -> i128 {
        let straight = i128::from(a.0) - i128::from(b.0);
        let ways = [straight - RING, straight, straight + RING];
        ways.map(i128::abs).into_iter().min().unwrap()
    }

    fn nearest_first(mut of: Vec<Arc<Contact>>, centre: Location) -> Vec<Arc<Contact>> {
        of.sort_by_key(|contact| (distance(contact.location(), centre), contact.node()));
        of
    }

    /// Anywhere, at the ends of the ring, at a node, or right in the middle of two.
    fn centre(all: &[Arc<Contact>], kind: u8, number: u64) -> Location {
        let of = |number: u64| all[number as usize % all.len()].location().0;
        match kind % 4 {
            0 => Location(number),
            1 => Location((number % 3).wrapping_sub(1)),
            2 => Location(of(number)),
            _ => Location(of(number).midpoint(of(number / 64))),
        }
    }

    #[test]
    fn a_middle_is_equally_near_to_both() {
        let all = contacts(40);
        let is_tied = |kind_number: u64| {
            let centre = centre(&all, 3, kind_number);
            let sorted = nearest_first(all.clone(), centre);
            let at = |contact: &Arc<Contact>| distance(contact.location(), centre);
            sorted.windows(2).any(|pair| at(&pair[0]) == at(&pair[1]))
        };
        // So the property below meets ties, which names decide.
        assert!((0..1600).filter(|number| is_tied(*number)).count() > 100);
    }

    proptest! {
        #[test]
        fn goes_once_round_either_way(kind: u8, number: u64) {
            let mut all = contacts(40);
            let cache = cache_of(&all);
            let point = centre(&all, kind, number);
            all.sort_by_key(|contact| contact.location().0.wrapping_sub(point.0));
            prop_assert!(cache.clockwise(point).eq(&all));
            prop_assert!(cache.anticlockwise(point).eq(all.iter().rev()));
        }

        #[test]
        fn finds_what_a_look_at_everyone_finds(
            kind: u8,
            number: u64,
            size in prop_oneof![0.0..0.2f64, 0.0..=1.0f64],
            left_out in proptest::collection::btree_set(0..40usize, 0..12),
        ) {
            let all = contacts(40);
            let cache = cache_of(&all);
            let centre = centre(&all, kind, number);
            let left_out: BTreeSet<_> = left_out.into_iter().map(|i| all[i].node()).collect();
            let keep = |node| !left_out.contains(&node);
            let mut expected = nearest_first(all, centre);
            expected.retain(|contact| keep(contact.node()));
            prop_assert_eq!(cache.nearest(centre, keep), expected.first());
            let reach = (size * 2f64.powi(63)) as i128;
            expected.retain(|contact| distance(contact.location(), centre) <= reach);
            prop_assert_eq!(cache.within(centre, &Region::new(centre, size), keep), expected);
        }

        #[test]
        fn summaries_depend_on_contents_alone(
            order in Just((0..12usize).collect::<Vec<_>>()).prop_shuffle(),
            changed in 0..12usize,
        ) {
            let all = contacts(12);
            let summary = cache_of(&all).summary();
            let mut other = cache_of(order.iter().map(|i| &all[*i]));
            prop_assert_eq!(other.summary(), summary);
            other.insert(Arc::clone(&all[changed]));
            prop_assert_eq!(other.summary(), summary);
            other.retain(|contact| contact.node() != all[changed].node());
            prop_assert_ne!(other.summary(), summary);
            other.insert(Arc::clone(&all[changed]));
            prop_assert_eq!(other.summary(), summary);
            other.insert(contact(changed as u8, START + Duration::from_secs(1), 1));
            prop_assert_ne!(other.summary(), summary);
        }
    }

    #[test]
    fn an_empty_cache_finds_nobody() {
        let cache = NodeCache::new();
        let (centre, everywhere) = (Location(0), Region::new(Location(0), 1.0));
        assert_eq!(cache.nearest(centre, |_| true), None);
        assert_eq!(cache.within(centre, &everywhere, |_| true), []);
        assert!(cache.is_empty() && cache.iter().next().is_none());
        assert_ne!(cache.summary(), cache_of(&contacts(1)).summary());
    }

    #[test]
    fn whoever_is_told_of_twice_is_known_once() {
        let later = START + Duration::from_micros(1);
        let words = [
            contact(1, later, 2),
            contact(2, START, 1),
            contact(1, START, 1),
        ];
        let cache = cache_of(&words);
        assert_eq!(cache.len(), 2);
        assert_eq!(cache.get(keys(1).0.node()), Some(&words[0]));
        assert_eq!(cache.summary(), cache_of(&words[..2]).summary());
    }

    #[test]
    fn whoever_is_removed_is_unknown() {
        let all = contacts(12);
        let mut cache = cache_of(&all);
        assert!(cache.remove(all[3].node()) && !cache.remove(all[3].node()));
        assert!(!cache.contains(all[3].node()) && cache.get(all[3].node()).is_none());
        assert_eq!(cache.len(), 11);
        assert!(
            all.iter()
                .all(|c| cache.contains(c.node()) == (c.node() != all[3].node()))
        );
    }

    #[test]
    fn only_later_words_are_news() {
        let later = START + Duration::from_micros(1);
        let mut cache = cache_of(&[contact(1, START, 1)]);
        for (word, is_news) in [
            (contact(1, START, 1), false),
            (contact(1, START - Duration::from_secs(1), 2), false),
            (contact(1, later, 3), true),
            (contact(1, START, 4), false),
            (contact(2, START, 5), true),
        ] {
            assert_eq!(cache.is_news(&word), is_news);
            assert_eq!(cache.insert(word), is_news);
        }
        assert_eq!(cache.len(), 2);
        let node = keys(1).0.node();
        assert_eq!(cache.get(node).unwrap().issued(), later);
        assert!(cache.contains(node) && !cache.contains(keys(3).0.node()));
    }

    #[test]
    fn of_two_words_from_one_moment_all_keep_the_same() {
        let words = [contact(1, START, 1), contact(1, START, 2)];
        let (one, other) = (cache_of(&words), cache_of(words.iter().rev()));
        assert_eq!(one.len(), 1);
        assert_eq!(one.summary(), other.summary());
        let greater = words.iter().max_by_key(|word| word.digest()).unwrap();
        assert_eq!(one.iter().next(), Some(greater));
    }

    #[test]
    fn digests_are_those_of_the_contacts() {
        let cache = cache_of(&contacts(5));
        assert!(
            cache
                .digests()
                .all(|(digest, contact)| *digest == contact.digest())
        );
        assert!(cache.digests().map(|(_, contact)| contact).eq(cache.iter()));
        let places: Vec<_> = cache.iter().map(|contact| contact.location()).collect();
        assert!(places.is_sorted());
    }
}
