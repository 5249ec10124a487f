//! Counts and sums by lanes.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::committee::statement::{Endorsed, Signed, Statement};
use crate::committee::terms::Terms;

/// Statements of all seats about their lanes' totals; the first of each seat counts.
#[derive(Debug)]
pub struct Tally<T> {
    said: BTreeMap<u16, Signed<T>>,
}

impl<T> Default for Tally<T> {
    fn default() -> Self {
        Self {
            said: BTreeMap::new(),
        }
    }
}

impl<T: Statement> Tally<T> {
    /// Takes a checked statement.
    pub fn insert(&mut self, signed: Signed<T>) {
        self.said.entry(signed.seat).or_insert(signed);
    }

    /// Whether this seat has spoken.
    pub fn has(&self, seat: u16) -> bool {
        self.said.contains_key(&seat)
    }

    /// Forgets statements that do not fit.
    pub fn retain(&mut self, fits: impl Fn(&T) -> bool) {
        self.said.retain(|_, signed| fits(&signed.body));
    }

    /// Which of these seats said something else.
    pub fn others_than(&self, body: &T, seats: Range<usize>) -> Vec<usize> {
        let differs = |seat: &usize| self.of(*seat).is_some_and(|said| said.body != *body);
        seats.filter(differs).collect()
    }

    /// What this seat said.
    pub fn of(&self, seat: usize) -> Option<&Signed<T>> {
        self.said.get(&u16::try_from(seat).ok()?)
    }

    /// Whether all seats have spoken.
    pub fn is_full(&self, terms: &Terms) -> bool {
        self.said.len() == terms.seats.len()
    }

    /// Whether nothing that is still to be said could change what is believed: all have spoken, or, where contradictions are
    /// outvoted, so many of each lane agree that not enough are left to contradict them.
    pub fn is_settled(&self, terms: &Terms) -> bool {
        if self.is_full(terms) {
            return true;
        }
        let (replicas, signers) = (terms.sizes.replicas, terms.sizes.signers);
        let enough = usize::from(signers.max(replicas - signers + 1));
        let agree = |lane: usize| self.backed(terms, lane, enough).next().is_some();
        // Counting is cheaper than comparing.
        terms.outvotes && self.said.len() >= enough * terms.lanes() && (0..terms.lanes()).all(agree)
    }

    /// Whether seats of one lane contradict each other so that nothing may be believed: at all, or, where they can be
    /// outvoted, with enough signatures on both sides.
    pub fn conflicts(&self, terms: &Terms) -> bool {
        let needed = if terms.outvotes {
            usize::from(terms.sizes.signers)
        } else {
            1
        };
        (0..terms.lanes()).any(|lane| {
            let mut strong = self.backed(terms, lane, needed);
            let first = strong.next();
            first.is_some_and(|first| strong.any(|other| other.body != first.body))
        })
    }

    /// The words of a lane's seats that at least `enough` of them share.
    fn backed(
        &self,
        terms: &Terms,
        lane: usize,
        enough: usize,
    ) -> impl Iterator<Item = &Signed<T>> {
        let seats = terms.lane(lane);
        let of_lane = move || seats.clone().filter_map(|seat| self.of(seat));
        let sharing = of_lane.clone();
        of_lane()
            .filter(move |word| sharing().filter(|other| other.body == word.body).count() >= enough)
    }

    /// Who said something else than enough of its lane.
    pub fn outvoted(&self, terms: &Terms) -> Vec<usize> {
        let endorsed = self.endorsed(terms).unwrap_or_default();
        let lanes = endorsed.iter().enumerate();
        lanes
            .flat_map(|(lane, said)| self.others_than(&said.body, terms.lane(lane)))
            .collect()
    }

    /// The word of enough of every lane, once there is one of each.
    pub fn endorsed(&self, terms: &Terms) -> Option<Vec<Endorsed<T>>> {
        (0..terms.lanes())
            .map(|lane| {
                let of_lane = terms.lane(lane).filter_map(|seat| self.of(seat));
                Endorsed::of(terms, lane, of_lane.cloned())
            })
            .collect()
    }
}

#[cfg(test)]
mod tests;

#[cfg(test)]
impl<T> Tally<T> {
    /// How many seats have spoken.
    pub fn len_for_tests(&self) -> usize {
        self.said.len()
    }
}
