//! What it costs to keep node caches right when nodes disconnect and come back (SEP2P §3.6, §4.3, figure 8).
//!
//! One node leaves a network at rest and comes back to one at rest. Counted is what would not have happened otherwise:
//!
//! | who | does what | signed | checked | messages |
//! |---|---|---|---|---|
//! | who leaves | its farewell, to the `told` nodes of its region | 1 | told | told |
//! | who comes back | its contact: certificate, addresses, date | 1 | | |
//! | | asks its successor and its predecessor for their caches | | | 2 |
//! | each of these two | has its cache attested by `a` nodes, itself one of them | a | a - 1 | 2 (a - 1) |
//! | | gives the list | | | 1 |
//! | who comes back | checks both lists | | 2 a | |
//! | | fetches the `fetched` contacts of both lists and checks each of them, certificate and addresses | | 2 fetched | 2, and one for each 256 contacts of a list |
//! | the nodes of its region | are greeted by it, and check its contact | | 2 told | told |
//!
//! So about five operations for each node of the region, and six for each attester.
//!
//! **The paper** needs less ([`Upkeep::in_the_paper`]): two for each node of the region, which checks one word when the
//! node goes and one certificate when it comes back, and 4 k for the two attested caches. (It leaves the numbers to its
//! readers; this is the procedure of §3.6, and gives what §4.3 says of a cache of 512.) Its newcomer believes what k
//! legitimate nodes attest; ours checks each contact itself as well, as do all others, before it enters a cache. And ours
//! has two signatures in a contact, the issuer's for the certificate and the node's own for its addresses.
//!
//! **A crash** costs no operations: nodes see for themselves that another is gone ([`Upkeep::crashing`]).
//!
//! **Searches are apart**, since the way of a search depends on who happens to be whose finger ([`Upkeep::searches`]). They
//! sign nothing. A searcher checks the contact of each node that it asks outside of its region, two operations, unless it
//! has met it lately: in rings of some hundreds about ten for each search of a node that comes back.
//!
//! **Not counted**, as it goes on whether or not anybody leaves: comparisons, pings, and the search of each node for one of
//! its fingers each minute. They need no operations while nothing changes. The nodes whose finger has left, one for each
//! finger that a node has, find another one by such a search, and check it.
//!
//! Geometry allows what the overlay does not: caches too small to tell who is legitimate (`overlay::cache_share` makes them
//! larger), and lists too long for a message.

use std::time::Duration;

use base::{Location, Region};
use crypto::Operations;
use overlay::{CONTACTS_MAX, KTable, MISSED_MAX, NEIGHBOURS};

use super::{Cost, Population};

/// What disconnections cost, counted from who sits where. Each method takes the place of the node that goes and comes
/// back, below [`Population::nodes`].
#[derive(Clone, Copy)]
pub struct Upkeep<'a> {
    population: &'a Population,
    table: &'a KTable,
    /// rs3.
    share: f64,
}

/// The nodes of a region around a node, without it.
#[derive(Debug, Clone, Copy)]
struct Sides {
    ahead: usize,
    behind: usize,
}

/// So many signatures made and checked, and messages.
fn cost(signed: u64, checked: u64, messages: u64) -> Cost {
    let operations = Operations {
        signed,
        checked,
        ..Operations::default()
    };
    Cost {
        operations,
        messages,
    }
}

/// How many operations or messages fall to each node in a minute where every node disconnects and comes back once in
/// `mtbf` (more than zero) and `each` is what that costs all of them together, on average.
pub fn per_minute(each: f64, mtbf: Duration) -> f64 {
    each * 60.0 / mtbf.as_secs_f64()
}

impl<'a> Upkeep<'a> {
    /// A network at rest, whose node caches each cover the part `share` (0 to 1) of the ring.
    pub fn new(population: &'a Population, table: &'a KTable, share: f64) -> Self {
        Self {
            population,
            table,
            share,
        }
    }

    /// A disconnection with farewell, and the reconnection: without searches.
    pub fn of(&self, place: usize) -> Cost {
        let mut both = self.leaving(place);
        both += self.joining(place);
        both
    }

    /// A farewell.
    pub fn leaving(&self, place: usize) -> Cost {
        let told = self.told(place) as u64;
        cost(1, told, told)
    }

    /// Going without a word: the two neighbours find out, and each tells its side and the other; whoever is told pings for
    /// itself. So many messages at least: two nodes that happen to compare meanwhile tell each other, too. Afterwards, while
    /// it remembers some who crashed (an hour), each node pings one of them every 15 s.
    pub fn crashing(&self, place: usize) -> Cost {
        let told = self.told(place);
        cost(0, 0, (1 + u64::from(MISSED_MAX)) * told as u64)
    }

    /// Coming back, with a new contact: without searches.
    pub fn joining(&self, place: usize) -> Cost {
        let told = self.told(place) as u64;
        let fetched = self.fetched(place) as u64;
        let mut all = cost(1, 2 * told + 2 * fetched, told);
        for owner in self.asked(place) {
            all += self.attested(owner, place);
        }
        all
    }

    /// What a disconnection and reconnection cost by SEP2P §3.6: a word that all in the region check, two caches that k
    /// attest each, and the newcomer's certificate that all in the region check.
    pub fn in_the_paper(&self, place: usize) -> Cost {
        let told = self.told(place) as u64;
        let mut all = cost(1, 2 * told, 2 * told);
        for owner in self.asked(place) {
            let k = self.attesters(owner, place) as u64;
            all += cost(k, k, 2 * k);
        }
        all
    }

    /// How often a node searches when it comes back: for its own place, then for its fingers, then for its own place again
    /// beginning where it was told to join, if that node is not one of those that it keeps.
    pub fn searches(&self) -> u64 {
        let region = Region::new(Location(0), self.share);
        let outside = |i: &u32| !region.contains(Location(1 << i));
        let steps = (0..64).rev().take_while(outside).count() as u64;
        // One finger is sought twice.
        1 + if steps == 0 { 0 } else { 2 * steps + 2 }
    }
}

impl Upkeep<'_> {
    /// Whom the node tells that it goes or is back: its region, and its neighbours.
    fn told(&self, place: usize) -> usize {
        let Sides { ahead, behind } = self.around(place, self.share);
        (ahead.max(NEIGHBOURS) + behind.max(NEIGHBOURS)).min(self.population.nodes() - 1)
    }

    /// Those next to it on each side.
    fn asked(&self, place: usize) -> Vec<usize> {
        let nodes = self.population.nodes();
        let mut both = vec![(place + 1) % nodes, (place + nodes - 1) % nodes];
        both.dedup();
        both.retain(|owner| *owner != place);
        both
    }

    /// What the list of `owner` costs that `newcomer` asks for, but for its contacts' checks.
    fn attested(&self, owner: usize, newcomer: usize) -> Cost {
        let attesters = self.attesters(owner, newcomer) as u64;
        let listed = self.others(owner, newcomer, self.share) + 1;
        let parts = listed.div_ceil(CONTACTS_MAX) as u64;
        let messages = 1 + 2 * (attesters - 1) + 1 + 1 + parts;
        cost(attesters, 2 * attesters - 1, messages)
    }

    /// How many attest the cache of `owner`, itself included, while `away` is not there: the smallest k of a row with
    /// enough nodes, or all of the last row's region.
    fn attesters(&self, owner: usize, away: usize) -> usize {
        let rows = self.table.rows().iter();
        let mut rows = rows.map(|row| {
            let share = row.region_size.min(self.share);
            (row.k as usize, self.others(owner, away, share) + 1)
        });
        let mut last = 1;
        let enough = rows.find_map(|(k, there)| {
            last = there;
            (there >= k).then_some(k)
        });
        enough.unwrap_or(last)
    }

    /// How many nodes the lists of both sides hold: the region of the one behind begins first, that of the one ahead ends
    /// last, and between them is only the newcomer.
    fn fetched(&self, place: usize) -> usize {
        let others = self.population.nodes() - 1;
        let [after, before] = self.asked(place)[..] else {
            return others;
        };
        let ahead = self.around(after, self.share).ahead;
        let behind = self.around(before, self.share).behind;
        (ahead + behind + 2).min(others)
    }

    /// How many nodes sit in this part of the ring around `owner`, without it and without `away`.
    fn others(&self, owner: usize, away: usize, share: f64) -> usize {
        let Sides { ahead, behind } = self.around(owner, share);
        let centre = self.population.location(owner);
        let holds = Region::new(centre, share).contains(self.population.location(away));
        ahead + behind - usize::from(holds)
    }

    fn around(&self, place: usize, share: f64) -> Sides {
        let (nodes, centre) = (self.population.nodes(), self.population.location(place));
        let region = Region::new(centre, share);
        if region.contains(Location(centre.0.wrapping_add(1 << 63))) {
            let behind = (nodes - 1) / 2;
            let ahead = nodes - 1 - behind;
            return Sides { ahead, behind };
        }
        let first = region.begins();
        let reach = centre.0.wrapping_sub(first.0);
        // Nobody sits behind the last point but who sits from 0 on.
        let last = centre.0.wrapping_add(reach);
        let end = match last {
            u64::MAX => nodes,
            last => self.population.after(Location(last + 1)),
        };
        let begin = self.population.after(first);
        let round = |is_round: bool| if is_round { nodes } else { 0 };
        Sides {
            ahead: end + round(last < centre.0) - place - 1,
            behind: place + round(first > centre) - begin,
        }
    }
}

#[cfg(test)]
mod tests;
