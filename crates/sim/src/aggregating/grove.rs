//! The committees of one computation: one alone, or a tree of them.

use aggregation::committee::{Above, Below, Catchment, Place, Terms};
use aggregation::sizes::Plan;
use base::{Digest, Duration, Location, NodeId, Rng};

use super::setting::shuffle;
use crate::drawing::Crowd;

/// How much longer each level takes sums than the one below it. Guess: longer than an agreement with a few bad leaders.
const LEVEL: Duration = Duration::from_secs(20);

/// Where the leaves' arcs begin: anywhere will do.
const FROM: Location = Location(1 << 61);

/// One committee, with the people who contribute to it.
#[derive(Debug, Clone)]
pub struct Committee {
    /// What all its parties know.
    pub terms: Terms,
    /// At a leaf: who lives on its arc of the ring.
    pub people: Vec<NodeId>,
}

/// What all committees of one computation have in common.
pub struct Common {
    /// With the times and all that does not depend on the committee.
    pub terms: Terms,
    /// Which committees there are.
    pub plan: Plan,
}

impl Common {
    /// Seats everybody: each committee on its own arc, and people with the leaf of their arc. Leaves come first, the root last.
    pub fn committees(&self, crowd: &Crowd, places: &[usize], rng: &mut Rng) -> Vec<Committee> {
        let mut ring: Vec<_> = places.iter().map(|place| crowd.contact(*place)).collect();
        ring.sort_by_key(|contact| contact.location());
        let ring: Vec<_> = ring
            .into_iter()
            .map(|contact| (contact.node(), contact.location()))
            .collect();
        let arc = |number: u64, of: u64| {
            let edge = |number: u64| (ring.len() as u64 * number / of) as usize;
            &ring[edge(number)..edge(number + 1)]
        };
        let tree = self.plan.tree;
        let (all, leaves) = (tree.committees(), tree.leaves());
        let mut seat = |number: u64| {
            let mut candidates: Vec<_> = arc(number, all).iter().map(|(node, _)| *node).collect();
            shuffle(&mut candidates, rng);
            candidates.truncate(self.plan.sizes.seats());
            candidates
        };
        let committee = |number: u64| Committee {
            terms: Terms {
                list: Digest::of("simulated list", &[&number.to_be_bytes()]),
                seats: seat(number),
                ..self.terms.clone()
            },
            people: Vec::new(),
        };
        let mut committees: Vec<_> = (0..all).map(committee).collect();
        if leaves > 1 {
            for (number, committee) in (0..leaves).zip(&mut committees) {
                committee.terms.place.catchment = Some(Catchment {
                    from: FROM,
                    number,
                    of: leaves,
                });
            }
        }
        for (node, location) in &ring {
            let leaf = Catchment::of(*location, FROM, leaves).number;
            committees[leaf as usize].people.push(*node);
        }
        self.link(&mut committees);
        committees
    }

    fn link(&self, committees: &mut [Committee]) {
        let levels = self.plan.tree.committees_per_level();
        let mut below = 0;
        for level in 1..levels.len() {
            let here = below + levels[level - 1] as usize;
            for index in 0..levels[level] {
                let parent = here + index as usize;
                let closes_at =
                    committees[parent].terms.closes_at + LEVEL.saturating_mul(level as u32);
                committees[parent].terms.closes_at = closes_at;
                committees[parent].terms.proof = None;
                let above = Above {
                    round: committees[parent].terms.round(),
                    seats: committees[parent].terms.seats.clone(),
                    closes_at,
                };
                let children = self.plan.tree.children(level as u32, index);
                for child in children.map(|child| below + child as usize) {
                    let terms = &mut committees[child].terms;
                    terms.place.above = Some(above.clone());
                    let link = Below {
                        round: terms.round(),
                        instance: terms.final_instance(),
                        seats: terms.seats.clone(),
                        leaves: leaves(&terms.place),
                    };
                    committees[parent].terms.place.below.push(link);
                }
            }
            below = here;
        }
        let ends = committees.last().map(|root| root.terms.closes_at);
        for committee in committees {
            if let Some((above, closes_at)) = committee.terms.place.above.as_mut().zip(ends) {
                // Everybody waits for the root.
                above.closes_at = closes_at;
            }
        }
    }
}

fn leaves(place: &Place) -> u64 {
    if place.is_leaf() {
        1
    } else {
        place.below.iter().map(|child| child.leaves).sum()
    }
}
