//! The broadcasts that others have and this node lacks.

use std::collections::BTreeMap;

use base::{Digest, Instant, NodeId};

/// Most broadcasts wanted at a time. Guess: more are missed only by who was away, and it asks again.
const WANTED_MAX: usize = 256;
/// Most broadcasts wanted from one node at a time: one that offers what does not exist occupies no more.
const WANTED_OF_ONE_MAX: usize = 32;
/// Most nodes remembered as holding one. Guess: one of them is honest and up.
const HOLDERS_MAX: usize = 8;

#[derive(Debug)]
struct Want {
    /// Who was asked last.
    asked: NodeId,
    /// Answers by then, or another is asked.
    until: Instant,
    /// Who can be asked next.
    others: Vec<NodeId>,
}

/// Whom this node has asked for what.
#[derive(Debug, Default)]
pub struct Wanted(BTreeMap<Digest, Want>);

impl Wanted {
    /// `from` can give it: answers whether to ask it, by `until`.
    pub fn offered(&mut self, id: Digest, from: NodeId, until: Instant) -> bool {
        if let Some(want) = self.0.get_mut(&id) {
            let known = want.asked == from || want.others.contains(&from);
            if !known && want.others.len() < HOLDERS_MAX {
                want.others.push(from);
            }
            return false;
        }
        let of_one = self.0.values().filter(|want| want.asked == from).count();
        let asks = self.0.len() < WANTED_MAX && of_one < WANTED_OF_ONE_MAX;
        if asks {
            let others = Vec::new();
            let asked = from;
            self.0.insert(
                id,
                Want {
                    asked,
                    until,
                    others,
                },
            );
        }
        asks
    }

    /// It came.
    pub fn came(&mut self, id: &Digest) {
        self.0.remove(id);
    }

    /// Whom to ask next, by `until`, if who was asked has had its time. Nobody else: it is wanted no more.
    pub fn next(&mut self, id: &Digest, now: Instant, until: Instant) -> Option<NodeId> {
        let want = self.0.get_mut(id).filter(|want| want.until <= now)?;
        if want.others.is_empty() {
            self.0.remove(id);
            return None;
        }
        want.asked = want.others.remove(0);
        want.until = until;
        Some(want.asked)
    }

    /// Who was asked cannot be reached: what it was asked for, now due.
    pub fn unreachable(&mut self, node: NodeId, now: Instant) -> Vec<Digest> {
        let asked = self.0.iter_mut().filter(|(_, want)| want.asked == node);
        asked
            .map(|(id, want)| {
                want.until = now;
                *id
            })
            .collect()
    }
}
