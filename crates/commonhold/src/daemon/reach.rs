//! Whether others reach this node: when members are asked, and what is said about it.

use api::{Reach, ReachState};
use net::{Reachability, Reached};

use crate::counted::counted;

/// Time between two rounds once there is an answer, in seconds. Guess: routers are changed more rarely.
const AGAIN_SECS: u64 = 1800;
/// Time between the first two rounds without an answer; it doubles up to the above.
const UNSURE_SECS: u64 = 60;
/// Members who must be known for a round: so many must agree.
const ASKED_MIN: usize = 2;

/// What is known about it.
#[derive(Debug, Default)]
pub struct Reaching {
    told: Option<Told>,
    due: u64,
    pause: u64,
    asking: bool,
}

#[derive(Debug)]
struct Told {
    at: u64,
    asked: usize,
    answer: Reachability,
}

impl Reaching {
    /// Whether so many members should be asked now; they count as being asked if so.
    pub fn is_due(&mut self, now: u64, helpers: usize) -> bool {
        let due = !self.asking && now >= self.due && helpers >= ASKED_MIN;
        self.asking |= due;
        due
    }

    /// So many were asked, and this came of it. Whether it is news.
    pub fn hear(&mut self, now: u64, asked: usize, answer: Reachability) -> bool {
        self.asking = false;
        let unsure = answer.reached == Reached::Unknown;
        self.pause = match unsure {
            true => (2 * self.pause).clamp(UNSURE_SECS, AGAIN_SECS),
            false => 0,
        };
        self.due = now + if unsure { self.pause } else { AGAIN_SECS };
        let before = self.told.as_ref().map(|told| told.answer.reached);
        let news = before != Some(answer.reached);
        let at = now;
        self.told = Some(Told { at, asked, answer });
        news
    }

    /// As the API says it.
    pub fn shown(&self) -> Reach {
        let Some(Told { at, asked, answer }) = &self.told else {
            return Reach {
                reached: ReachState::Unknown,
                asked_at: None,
                asked: 0,
                yes: 0,
                no: 0,
                seen: Vec::new(),
            };
        };
        let mut seen: Vec<_> = answer.seen.iter().collect();
        seen.sort_by_key(|(_, members)| std::cmp::Reverse(**members));
        Reach {
            reached: match answer.reached {
                Reached::Yes => ReachState::Yes,
                Reached::No => ReachState::No,
                Reached::Unknown => ReachState::Unknown,
            },
            asked_at: Some(*at),
            asked: *asked as u64,
            yes: answer.yes as u64,
            no: answer.no as u64,
            // One member may say anything.
            seen: seen
                .into_iter()
                .filter(|(_, members)| **members >= ASKED_MIN)
                .map(|(ip, _)| ip.to_string())
                .collect(),
        }
    }
}

/// In a few words.
pub fn words(reach: &Reach) -> String {
    let Reach { asked, yes, no, .. } = reach;
    if reach.asked_at.is_none() {
        return "unknown: fewer than two members could be asked so far".into();
    }
    match reach.reached {
        ReachState::Yes => format!("yes: {yes} of {} dialled it anew", members(*asked)),
        ReachState::No => format!("no: {no} of {} dialled it in vain", members(*asked)),
        ReachState::Unknown => {
            format!(
                "unknown: of {} {yes} reached it, {no} did not, others cannot tell",
                members(*asked)
            )
        }
    }
}

fn members(asked: u64) -> String {
    counted(asked, "member", "members")
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn answer(reached: Reached, seen: &[(u8, usize)]) -> Reachability {
        let seen = seen
            .iter()
            .map(|(last, members)| (Ipv4Addr::new(192, 0, 2, *last).into(), *members));
        Reachability {
            reached,
            yes: 3,
            no: 1,
            seen: seen.collect(),
        }
    }

    #[test]
    fn members_are_asked_sooner_while_it_is_unclear() {
        let mut reaching = Reaching::default();
        assert_eq!(reaching.shown().asked_at, None);
        assert!(!reaching.is_due(0, 1), "one alone cannot tell");
        assert!(reaching.is_due(5, 2));
        assert!(!reaching.is_due(6, 2), "the round is not over");
        let mut now = 10;
        let mut waits = Vec::new();
        for _ in 0..7 {
            reaching.hear(now, 2, answer(Reached::Unknown, &[]));
            let due = (now..).find(|now| reaching.is_due(*now, 2)).expect("once");
            waits.push(due - now);
            now = due;
        }
        assert_eq!(waits, [60, 120, 240, 480, 960, 1800, 1800]);
        assert!(reaching.hear(now, 4, answer(Reached::Yes, &[])));
        assert!(!reaching.is_due(now + AGAIN_SECS - 1, 2));
        assert!(reaching.is_due(now + AGAIN_SECS, 2));
        assert!(!reaching.hear(now, 4, answer(Reached::Yes, &[])), "no news");
        assert!(words(&reaching.shown()).starts_with("yes: 3 of 4"));
    }

    #[test]
    fn an_address_of_which_one_member_speaks_is_not_told() {
        let mut reaching = Reaching::default();
        reaching.hear(9, 5, answer(Reached::No, &[(1, 1), (2, 2), (3, 3)]));
        let shown = reaching.shown();
        assert_eq!(shown.seen, ["192.0.2.3", "192.0.2.2"]);
        assert_eq!((shown.asked, shown.asked_at), (5, Some(9)));
    }
}
