//! What can go wrong, and when.

use std::collections::BTreeSet;
use std::fmt;

use base::{Duration, Instant, NodeId, Protocol};

use crate::NetworkModel;

/// One entry of a script of faults, for [`Simulation::at`](crate::Simulation::at).
pub enum Action<P: Protocol> {
    /// The process of this node dies: its state, its timers and what is on its way to it are gone. Nothing happens if it is
    /// down already.
    Crash(NodeId),
    /// The node comes back as what the function makes at that moment, which is given the node's own time: usually from
    /// what the node had its application store. Its peers' connections to the earlier process are dead.
    Restart(NodeId, Box<dyn FnOnce(Instant) -> P>),
    /// Messages between two sets of nodes are lost for a while. Nodes in neither set are not concerned.
    Partition {
        /// One side.
        a: BTreeSet<NodeId>,
        /// The other side.
        b: BTreeSet<NodeId>,
        /// Which messages are lost.
        direction: Direction,
        /// How long.
        lasting: Duration,
    },
    /// Ends all partitions.
    Heal,
    /// The node does nothing for a while, then finds everything that came in the meantime, in order: a laptop that sleeps.
    Pause(NodeId, Duration),
    /// From now on the clock of this node is off by this much.
    Skew(NodeId, Skew),
    /// From now on the network is like this. Clocks stay as they are.
    Network(NetworkModel),
    /// The node's application wants something.
    Command(NodeId, P::Command),
}

/// Which way a partition blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Both ways.
    Both,
    /// From `a` to `b` only.
    OneWay,
}

/// How wrong a clock is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Skew {
    /// It shows a later time than the true one.
    Ahead(Duration),
    /// It shows an earlier time than the true one.
    Behind(Duration),
}

impl<P: Protocol> fmt::Debug for Action<P> {
    /// Commands may hold shares: only their node is printed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Crash(node) => write!(f, "Crash({node:?})"),
            Self::Restart(node, _) => write!(f, "Restart({node:?})"),
            Self::Partition {
                a,
                b,
                direction,
                lasting,
            } => {
                write!(
                    f,
                    "Partition({} from {}, {direction:?}, {lasting:?})",
                    a.len(),
                    b.len()
                )
            }
            Self::Heal => f.write_str("Heal"),
            Self::Pause(node, lasting) => write!(f, "Pause({node:?}, {lasting:?})"),
            Self::Skew(node, skew) => write!(f, "Skew({node:?}, {skew:?})"),
            Self::Network(model) => write!(f, "Network({model:?})"),
            Self::Command(node, _) => write!(f, "Command({node:?})"),
        }
    }
}

/// The partitions in force.
#[derive(Default)]
pub(crate) struct Partitions(Vec<Partition>);

struct Partition {
    a: BTreeSet<NodeId>,
    b: BTreeSet<NodeId>,
    direction: Direction,
    until: Instant,
}

impl Partitions {
    pub(crate) fn begin(
        &mut self,
        a: BTreeSet<NodeId>,
        b: BTreeSet<NodeId>,
        direction: Direction,
        until: Instant,
    ) {
        self.0.push(Partition {
            a,
            b,
            direction,
            until,
        });
    }

    pub(crate) fn heal(&mut self) {
        self.0.clear();
    }

    /// Whether a message is lost that is under way at `now`.
    pub(crate) fn block(&mut self, now: Instant, from: NodeId, to: NodeId) -> bool {
        self.0.retain(|partition| partition.until > now);
        self.0.iter().any(
            |Partition {
                 a, b, direction, ..
             }| {
                let there = a.contains(&from) && b.contains(&to);
                let back = *direction == Direction::Both && b.contains(&from) && a.contains(&to);
                there || back
            },
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId([1; 32]);
    const B: NodeId = NodeId([2; 32]);
    const C: NodeId = NodeId([3; 32]);

    fn blocked(partitions: &mut Partitions, now: u64) -> Vec<(NodeId, NodeId)> {
        let pairs = [(A, B), (B, A), (A, C), (C, A), (B, C), (C, B)];
        pairs
            .into_iter()
            .filter(|&(from, to)| partitions.block(Instant(now), from, to))
            .collect()
    }

    #[test]
    fn blocks_between_its_sides_only_and_only_for_its_time() {
        let mut partitions = Partitions::default();
        partitions.begin(
            BTreeSet::from([A]),
            BTreeSet::from([B]),
            Direction::Both,
            Instant(10),
        );
        assert_eq!(blocked(&mut partitions, 9), [(A, B), (B, A)]);
        assert_eq!(blocked(&mut partitions, 10), []);
    }

    #[test]
    fn one_way_lets_the_other_way_through_and_partitions_add_up() {
        let mut partitions = Partitions::default();
        partitions.begin(
            BTreeSet::from([A]),
            BTreeSet::from([B]),
            Direction::OneWay,
            Instant(10),
        );
        partitions.begin(
            BTreeSet::from([C]),
            BTreeSet::from([A]),
            Direction::OneWay,
            Instant(20),
        );
        assert_eq!(blocked(&mut partitions, 5), [(A, B), (C, A)]);
        assert_eq!(blocked(&mut partitions, 15), [(C, A)]);
        partitions.heal();
        assert_eq!(blocked(&mut partitions, 5), []);
    }
}
