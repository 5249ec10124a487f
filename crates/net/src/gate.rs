//! How often strangers may fail to be admitted.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv6Addr};

use base::{Duration, Instant, NodeId};

/// Failures of one source in a row that are forgiven. Guess: a household's stale nodes, not a flood.
const FORGIVEN: u32 = 20;
/// One failure is forgotten in this time.
const FORGET: Duration = Duration::from_secs(1);
/// Sources that are remembered.
const SOURCES: usize = 4096;

/// Counts failures by source address. Only those of sources that completed a handshake count, so that nobody can use up
/// the failures of another's address.
#[derive(Debug, Default)]
pub(crate) struct Gate {
    sources: BTreeMap<Source, Failures>,
}

/// Where a caller calls from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// Its address; of IPv6 the first half.
    Ip(IpAddr),
    /// A relay, which says that it is this member.
    Relayed(NodeId),
}

impl Source {
    /// A home has a whole /64 of IPv6.
    pub(crate) fn group(self) -> Self {
        match self {
            Self::Ip(IpAddr::V6(ip)) => {
                Self::Ip(Ipv6Addr::from(u128::from(ip) & (u128::MAX << 64)).into())
            }
            other => other,
        }
    }

    /// An address.
    pub(crate) fn at(ip: IpAddr) -> Self {
        Self::Ip(ip.to_canonical())
    }
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    at: Instant,
}

impl Failures {
    fn left(self, now: Instant) -> u32 {
        let forgotten = now.since(self.at).as_micros() / FORGET.as_micros();
        self.count
            .saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }
}

impl Gate {
    /// Whether `source` has failed too often of late.
    pub(crate) fn is_shut(&self, source: Source, now: Instant) -> bool {
        self.sources
            .get(&source.group())
            .is_some_and(|failures| failures.left(now) >= FORGIVEN)
    }

    /// Counts a failure of `source`.
    pub(crate) fn failed(&mut self, source: Source, now: Instant) {
        let source = source.group();
        if self.sources.len() >= SOURCES && !self.sources.contains_key(&source) {
            self.make_room(now);
        }
        let failures = self
            .sources
            .entry(source)
            .or_insert(Failures { count: 0, at: now });
        *failures = Failures {
            count: failures.left(now).saturating_add(1),
            at: now,
        };
    }

    /// Forgets who has no failures left, else the one with the fewest.
    fn make_room(&mut self, now: Instant) {
        self.sources.retain(|_, failures| failures.left(now) > 0);
        if self.sources.len() >= SOURCES {
            let least = self
                .sources
                .iter()
                .min_by_key(|(_, failures)| failures.left(now));
            if let Some(source) = least.map(|(&source, _)| source) {
                self.sources.remove(&source);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    const NOW: Instant = Instant::from_secs(1_000);
    const HERE: Source = Source::Ip(IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)));

    fn fail(gate: &mut Gate, source: Source, times: u32) {
        for _ in 0..times {
            gate.failed(source, NOW);
        }
    }

    #[test]
    fn shuts_for_one_source_and_opens_again() {
        let mut gate = Gate::default();
        fail(&mut gate, HERE, FORGIVEN - 1);
        assert!(!gate.is_shut(HERE, NOW));
        fail(&mut gate, HERE, 1);
        assert!(gate.is_shut(HERE, NOW));
        assert!(!gate.is_shut(Source::at(Ipv4Addr::new(192, 0, 2, 2).into()), NOW));
        assert!(!gate.is_shut(HERE, NOW + FORGET));
    }

    #[test]
    fn one_home_is_one_source() {
        let mut gate = Gate::default();
        let ip = |text: &str| Source::at(text.parse().expect("an address"));
        fail(&mut gate, ip("2001:db8::1"), FORGIVEN);
        assert!(gate.is_shut(ip("2001:db8::2"), NOW));
        assert!(!gate.is_shut(ip("2001:db8:0:1::1"), NOW));
        // Who comes by a relay is one by name.
        let relayed = |number| Source::Relayed(NodeId([number; 32]));
        fail(&mut gate, relayed(1), FORGIVEN);
        assert!(gate.is_shut(relayed(1), NOW));
        assert!(!gate.is_shut(relayed(2), NOW));
    }

    #[test]
    fn remembers_a_limited_number_and_the_worst_of_them() {
        let mut gate = Gate::default();
        fail(&mut gate, HERE, FORGIVEN);
        for number in 0..2 * SOURCES as u32 {
            gate.failed(Source::at(Ipv4Addr::from(number).into()), NOW);
        }
        assert_eq!(gate.sources.len(), SOURCES);
        assert!(gate.is_shut(HERE, NOW));
    }
}
