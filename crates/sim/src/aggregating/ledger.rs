//! What all nodes of one computation have said: what must never be said is found the moment that it is.

use std::collections::BTreeMap;

use aggregation::committee::{LaneTotal, Message, Terms};
use base::{Digest, Instant, NodeId, encode};
use crypto::Operations;

/// A message as it left its sender.
#[derive(Debug, Clone, PartialEq)]
pub struct Overheard {
    /// By the sender's clock.
    pub at: Instant,
    /// Who said it.
    pub from: NodeId,
    /// To whom.
    pub to: NodeId,
    /// What.
    pub message: Message,
}

impl Overheard {
    /// What somebody sees who watches the wire: when, between whom, how much.
    pub fn outside(&self) -> (Instant, NodeId, NodeId, usize) {
        (self.at, self.from, self.to, encode(&self.message).len())
    }
}

/// Shared by all nodes of one simulated computation.
#[derive(Debug, Default)]
pub struct Ledger {
    /// What must never happen and did.
    pub broken: Vec<String>,
    /// Who has just died, and is to be taken out.
    pub fallen: Vec<NodeId>,
    /// Everything that was said, if somebody listens.
    pub overheard: Option<Vec<Overheard>>,
    /// Asymmetric operations of each node.
    pub work: BTreeMap<NodeId, Operations>,
    /// Over which set honest helpers have opened anything.
    set: Option<Digest>,
    /// By lane, what its honest helpers gave to the others and to the asker.
    given: [BTreeMap<usize, LaneTotal>; 2],
}

impl Ledger {
    /// An honest node says this.
    pub fn hear(&mut self, terms: &Terms, message: &Message) {
        match message {
            Message::Count(count) => {
                let lane = terms.sizes.lane_of(count.index());
                self.opens(0, lane, &count.body.0);
            }
            Message::Sum(sum) => {
                let lane = terms.sizes.lane_of(sum.sum.index());
                self.opens(1, lane, &sum.sum.body.0);
            }
            _ => {}
        }
    }

    fn opens(&mut self, kind: usize, lane: usize, total: &LaneTotal) {
        if *self.set.get_or_insert(total.set) != total.set {
            self.broken
                .push("honest helpers opened something of two sets".into());
        }
        let known = &mut self.given[kind];
        if known.entry(lane).or_insert_with(|| total.clone()) != total {
            self.broken
                .push("honest helpers of one lane gave two totals".into());
        }
    }
}

#[cfg(test)]
mod tests {
    use aggregation::committee::{LaneCount, Place, Signed};
    use aggregation::sizes::Sizes;
    use base::Instant;
    use crypto::SigningKey;

    use super::*;

    fn count(seat: usize, set: u8, number: u64) -> Message {
        let total = LaneTotal {
            round: Digest([1; 32]),
            set: Digest([set; 32]),
            sums: vec![number],
            open: Vec::new(),
        };
        let key = SigningKey::from_seed([1; 32]);
        Message::Count(Box::new(Signed::new(&key, seat, LaneCount(total))))
    }

    #[test]
    fn two_totals_of_a_lane_and_two_sets_are_found() {
        let terms = Terms {
            question: Digest([1; 32]),
            list: Digest([2; 32]),
            seats: Vec::new(),
            sizes: Sizes {
                lanes: 2,
                replicas: 3,
                signers: 2,
            },
            liars: 1,
            outvotes: false,
            vector_len: 1,
            cells: 1,
            proof: None,
            threshold: 1,
            querier: NodeId([9; 32]),
            closes_at: Instant(0),
            place: Place::default(),
        };
        let broken = |said: &[Message]| {
            let mut ledger = Ledger::default();
            said.iter().for_each(|message| ledger.hear(&terms, message));
            ledger.broken
        };
        let fine = [count(0, 1, 5), count(2, 1, 5), count(3, 1, 6)];
        assert_eq!(broken(&fine), Vec::<String>::new());
        assert!(broken(&[count(0, 1, 5), count(2, 1, 6)])[0].contains("two totals"));
        assert!(broken(&[count(0, 1, 5), count(3, 2, 6)])[0].contains("two sets"));
    }
}
