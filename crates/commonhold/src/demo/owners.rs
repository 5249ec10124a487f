//! Who says yes or no, and who is away; and what became of each.

use std::collections::BTreeSet;

use base::NodeId;
use serde::Serialize;

/// What an owner does when asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Owner {
    /// Says yes.
    Yes,
    /// Says no.
    No,
    /// Says nothing.
    Away,
}

/// What became of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Was {
    /// In the answer.
    Counted,
    /// Said no.
    Declined,
    /// Did not say anything in time.
    Away,
    /// Said yes; the node was killed before its contribution counted.
    Killed,
}

/// So many owners, of whom some say no and some are away, evenly spread.
pub fn owners(people: usize, no: usize, away: usize) -> Vec<Owner> {
    let mut all = vec![Owner::Yes; people];
    let others = no + away;
    for place in 0..others {
        // Of each kind one after the other, as long as there are both.
        let says_no = place * no / others < (place + 1) * no / others;
        all[place * people / others] = if says_no { Owner::No } else { Owner::Away };
    }
    all
}

/// What became of each, given who is in the answer and who was killed.
pub fn became(
    owners: &[Owner],
    nodes: impl Iterator<Item = NodeId>,
    set: &BTreeSet<NodeId>,
    killed: &[NodeId],
) -> Vec<Was> {
    let each = owners.iter().zip(nodes);
    each.map(|(owner, node)| match owner {
        _ if set.contains(&node) => Was::Counted,
        _ if killed.contains(&node) => Was::Killed,
        Owner::No => Was::Declined,
        Owner::Yes | Owner::Away => Was::Away,
    })
    .collect()
}

/// All of them as signs, and what those mean that there are.
pub fn picture(all: &[Was]) -> String {
    let signs = [
        (Was::Counted, '+', "in the answer"),
        (Was::Declined, 'n', "said no"),
        (Was::Away, '.', "away"),
        (Was::Killed, 'x', "killed before"),
    ];
    let sign = |was: &Was| signs.iter().find(|(of, ..)| of == was).map_or('?', |s| s.1);
    let picture: String = all.iter().map(sign).collect();
    let there = signs.iter().filter(|(was, ..)| all.contains(was));
    let words: Vec<_> = there
        .map(|(_, sign, words)| format!("{sign} {words}"))
        .collect();
    format!("{picture}   {}", words.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(all: &[Owner], of: Owner) -> usize {
        all.iter().filter(|owner| **owner == of).count()
    }

    #[test]
    fn as_many_as_wanted_are_spread() {
        for (people, no, away) in [(12, 0, 0), (12, 3, 2), (40, 8, 4), (12, 12, 0), (13, 6, 7)] {
            let all = owners(people, no, away);
            let counts = (count(&all, Owner::No), count(&all, Owner::Away));
            assert_eq!((all.len(), counts), (people, (no, away)));
        }
        let all = owners(12, 2, 2);
        assert_ne!(all[0], Owner::Yes);
        assert!(all[9] != Owner::Yes, "{all:?}");
    }

    #[test]
    fn a_picture_shows_each() {
        let nodes = [1, 2, 3, 4, 5].map(|name| NodeId([name; 32]));
        let owners = [Owner::Yes, Owner::No, Owner::Away, Owner::Yes, Owner::Yes];
        let set = BTreeSet::from([nodes[0], nodes[4]]);
        let killed = [nodes[3], nodes[4]];
        let was = became(&owners, nodes.into_iter(), &set, &killed);
        let shown = picture(&was);
        assert!(shown.starts_with("+n.x+   "), "{shown}");
        assert_eq!(picture(&was[..1]), "+   + in the answer");
    }
}
