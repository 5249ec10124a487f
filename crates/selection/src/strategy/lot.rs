//! Randomness in common: commitments, XOR, repeated hashing, and whom they draw. Pure functions of public values.

use std::sync::Arc;

use base::{Digest, Location, NodeId, Region, Rng};
use community::Contact;
use minicbor::decode::Error;
use minicbor::encode::Write;
use minicbor::{Decode, Decoder, Encode, Encoder};
use overlay::{NodeCache, largest_chance};

use crate::limit::CANDIDATES_MAX;
use crate::rules::Rules;

/// hash(RND) of §3.4 step 2.
pub fn commitment(random: &Digest) -> Digest {
    Digest::of("paper commitment", &[&random.0])
}

/// hash(RND ‖ CL) of §3.5 step 4.
pub fn commitment_with(random: &Digest, candidates: &Candidates) -> Digest {
    Digest::of("paper candidates", &[&random.0, &candidates.to_bytes()])
}

/// RND_1 ⊕ … ⊕ RND_k of §3.4 and §3.5 step 8d.
pub fn xor<'a>(randoms: impl IntoIterator<Item = &'a Digest>) -> Digest {
    let mut sum = [0; 32];
    for random in randoms {
        sum = xored(&sum, &random.0);
    }
    Digest(sum)
}

fn xored(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    std::array::from_fn(|at| a[at] ^ b[at])
}

/// The next of the values that one random stands for: its hash. It relocates a draw (§3.6) and names the next actor
/// (§3.1, M.Hash).
pub fn rehash(random: &Digest) -> Digest {
    Digest::of("rehashed", &[&random.0])
}

/// The points of M.Hash: the random hashed once, twice and so on.
pub fn points(random: &Digest, seats: usize) -> Vec<Location> {
    let values = std::iter::successors(Some(rehash(random)), |value| Some(rehash(value)));
    values
        .take(seats)
        .map(|value| Location::of(&value))
        .collect()
}

/// §3.1: the places of the actors in the sorted list of `nodes` nodes, by repeated hashing. Each value counts among the
/// places that are still free, so that all are distinct. `None` when there are fewer nodes than seats.
pub fn ranks(random: &Digest, nodes: usize, seats: usize) -> Option<Vec<usize>> {
    let mut value = *random;
    distinct(nodes, seats, |free| {
        value = rehash(&value);
        // 64 bits more than the number of nodes can have: no place is favoured.
        let mut number = [0; 16];
        number.copy_from_slice(&value.0[..16]);
        (u128::from_be_bytes(number) % free as u128) as usize
    })
}

/// What an honest picker does: any of those that it knows, each with the same chance. `None` when these are too few.
pub fn pick(cache: &NodeCache, seats: usize, rng: &mut Rng) -> Option<Vec<Arc<Contact>>> {
    let mut known: Vec<_> = cache.iter().collect();
    known.sort_unstable_by_key(|contact| contact.node());
    let places = distinct(known.len(), seats, |free| rng.below(free as u64) as usize)?;
    let picked = places.into_iter().map(|place| Arc::clone(known[place]));
    Some(picked.collect())
}

/// Distinct numbers below `of`; `draw` gives one below the number of those that are left.
fn distinct(of: usize, count: usize, mut draw: impl FnMut(usize) -> usize) -> Option<Vec<usize>> {
    if count > of {
        return None;
    }
    let (mut drawn, mut sorted) = (
        Vec::with_capacity(count),
        Vec::<usize>::with_capacity(count),
    );
    for taken in 0..count {
        let mut place = draw(of - taken);
        let mut at = 0;
        while sorted.get(at).is_some_and(|used| *used <= place) {
            place += 1;
            at += 1;
        }
        sorted.insert(at, place);
        drawn.push(place);
    }
    Some(drawn)
}

/// §3.5 steps 8c to 8e: the union of all candidate lists, sorted on key ⊕ RND_S, of which the first get the seats. `None`
/// when the union is smaller than the number of seats.
pub fn draw_actors<'a>(
    random: &Digest,
    lists: impl IntoIterator<Item = &'a Candidates>,
    seats: usize,
) -> Option<Vec<NodeId>> {
    let mut named: Vec<_> = lists.into_iter().flat_map(|list| list.nodes()).collect();
    named.sort();
    named.dedup();
    let mut lots: Vec<_> = named
        .into_iter()
        .map(|node| xored(&node.0, &random.0))
        .collect();
    if seats < lots.len() {
        lots.select_nth_unstable(seats);
    }
    let actors = lots.get_mut(..seats)?;
    actors.sort_unstable();
    Some(
        actors
            .iter()
            .map(|lot| NodeId(xored(lot, &random.0)))
            .collect(),
    )
}

/// Where the node nearest to `point` lies with a probability of at least 1 - `tolerance`, given N nodes: the region in
/// which no node at all lies with a probability of `tolerance`.
///
/// What "near" means to a verifier of ES.NAV, ES.AV and M.Hash: a certificate shows where a node is and not that nobody is
/// nearer. "Tuned such that we can be sure to have always a node sufficiently near" (§4.2): the tolerance is α.
pub fn near_region(rules: &Rules, point: Location, tolerance: f64) -> Region {
    Region::new(
        point,
        near_size(rules.community().descriptor().nodes, tolerance),
    )
}

/// Total width of a [`near_region`] as a share of the ring, among so many nodes.
pub fn near_size(nodes: u64, tolerance: f64) -> f64 {
    largest_chance(nodes, 1, 1.0 - tolerance, 0.0)
}

/// CL: a set of nodes, sorted by name. Cheap to clone. On the wire one byte string, 32 bytes a node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidates(Arc<[NodeId]>);

impl Candidates {
    /// The set of these nodes; those beyond [`CANDIDATES_MAX`](crate::SEATS_MAX) are left out.
    pub fn new(nodes: impl IntoIterator<Item = NodeId>) -> Self {
        let mut nodes: Vec<_> = nodes.into_iter().collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes.truncate(CANDIDATES_MAX);
        Self(nodes.into())
    }

    /// Ascending.
    pub fn nodes(&self) -> &[NodeId] {
        &self.0
    }

    /// Whether `node` is one of them.
    pub fn contains(&self, node: NodeId) -> bool {
        self.0.binary_search(&node).is_ok()
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32 * self.0.len());
        for node in &*self.0 {
            bytes.extend_from_slice(&node.0);
        }
        bytes
    }
}

impl<C> Encode<C> for Candidates {
    fn encode<W: Write>(
        &self,
        e: &mut Encoder<W>,
        _: &mut C,
    ) -> Result<(), minicbor::encode::Error<W::Error>> {
        e.bytes(&self.to_bytes())?.ok()
    }
}

impl<'b, C> Decode<'b, C> for Candidates {
    fn decode(d: &mut Decoder<'b>, _: &mut C) -> Result<Self, Error> {
        let (names, rest) = d.bytes()?.as_chunks();
        if !rest.is_empty() || names.len() > CANDIDATES_MAX || !names.is_sorted_by(|a, b| a < b) {
            return Err(Error::message("not a set of so few nodes"));
        }
        Ok(Self(names.iter().copied().map(NodeId).collect()))
    }
}
