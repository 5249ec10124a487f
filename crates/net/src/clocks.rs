//! What members' clocks say, against ours.
//!
//! Every member that is dialled says its time in the greeting. A clock that is an hour off makes a node useless to the others, and nothing on
//! its own machine shows it. The middle of what many say is wrong only where half of them are, or lie.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use base::{Duration, Instant, NodeId};

/// Most members whose clocks are remembered: enough for a middle.
const MEMBERS_MAX: usize = 64;

/// How far ours is from the clocks of members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Apart {
    /// How many members have said their time.
    pub members: usize,
    /// By how much: the middle one of them. A few seconds mean nothing.
    pub by: Duration,
    /// Whether ours is behind.
    pub behind: bool,
}

/// The latest word of each.
#[derive(Debug, Default)]
pub(crate) struct Clocks {
    /// Microseconds by which theirs is ahead of ours.
    ahead: Mutex<BTreeMap<NodeId, i64>>,
}

impl Clocks {
    /// A member says that it is `said`, while it is `now` here.
    pub(crate) fn told(&self, member: NodeId, now: Instant, said: Instant) {
        let by = i64::try_from(now.distance(said).as_micros()).unwrap_or(i64::MAX);
        let ahead = if said >= now { by } else { -by };
        let mut all = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() < MEMBERS_MAX || all.contains_key(&member) {
            all.insert(member, ahead);
        }
    }

    /// The middle of what they say; `None` as long as nobody has said anything.
    pub(crate) fn apart(&self) -> Option<Apart> {
        let all = self.ahead.lock().unwrap_or_else(PoisonError::into_inner);
        let mut sorted: Vec<_> = all.values().copied().collect();
        sorted.sort_unstable();
        let middle = *sorted.get(sorted.len().checked_sub(1)? / 2)?;
        Some(Apart {
            members: sorted.len(),
            by: Duration::from_micros(middle.unsigned_abs()),
            behind: middle > 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant::from_secs(1_800_000_000);
    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn the_middle_counts_and_a_few_liars_do_not() {
        let clocks = Clocks::default();
        assert_eq!(clocks.apart(), None);
        let told = |member: u8, said| clocks.told(NodeId([member; 32]), NOW, said);
        for member in 0..3 {
            told(member, NOW + HOUR);
        }
        told(3, Instant(0));
        told(4, Instant(u64::MAX));
        let apart = clocks.apart().unwrap();
        assert_eq!((apart.members, apart.behind), (5, true));
        assert_eq!(apart.by, HOUR);
        // The latest word of each counts.
        for member in 0..4 {
            told(member, NOW - HOUR);
        }
        let apart = clocks.apart().unwrap();
        assert_eq!((apart.members, apart.behind, apart.by), (5, false, HOUR));
    }

    #[test]
    fn no_more_are_remembered_than_make_a_middle() {
        let clocks = Clocks::default();
        for member in 0..=u8::MAX {
            clocks.told(NodeId([member; 32]), NOW, NOW);
        }
        assert_eq!(clocks.apart().unwrap().members, MEMBERS_MAX);
    }
}
