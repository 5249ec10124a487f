//! The strategies by their names in the paper.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// How actors are selected: SEP2P §3.1, §3.4 to §3.6 and §4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Strategy {
    /// The trigger picks the actors (§3.1).
    CostOptimal,
    /// C + 1 nodes of a full mesh make the random; each actor is a rank in the sorted list of all nodes (§3.1).
    SecurityOptimal,
    /// The execution setter picks the actors; nobody verifies that they are genuine (§4.1).
    EsNav,
    /// The execution setter picks the actors, and verifiers check their certificates (§4.1).
    EsAv,
    /// Each actor is the node nearest to a point that the random, hashed once more, names (§4.1).
    MHash,
    /// SEP2P's own protocol, in the form of the paper (§3.4 to §3.6).
    Paper,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::CostOptimal,
        Self::SecurityOptimal,
        Self::EsNav,
        Self::EsAv,
        Self::MHash,
        Self::Paper,
    ];

    /// The verification cost as the paper states it (§3.1, §4.2), for a DHT: asymmetric operations of one verifier.
    ///
    /// For ES.NAV, ES.AV and M.Hash ours are more, see [`Selected::checks`](super::Selected::checks).
    pub fn checks_of_paper(self, k: usize, colluders: usize, seats: usize) -> usize {
        match self {
            Self::CostOptimal => seats,
            Self::SecurityOptimal => 2 * (colluders + 1) + seats,
            Self::EsNav | Self::Paper => 2 * k,
            Self::EsAv => 2 * k + seats + 1,
            Self::MHash => 2 * k + seats,
        }
    }

    /// Whether the random leads to an execution setter, who sees to the rest.
    pub fn has_setter(self) -> bool {
        matches!(self, Self::EsNav | Self::EsAv | Self::Paper)
    }

    fn name(self) -> &'static str {
        match self {
            Self::CostOptimal => "cost-optimal",
            Self::SecurityOptimal => "security-optimal",
            Self::EsNav => "es.nav",
            Self::EsAv => "es.av",
            Self::MHash => "m.hash",
            Self::Paper => "paper",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Not the name of a strategy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no such strategy: choose cost-optimal, security-optimal, es.nav, es.av, m.hash or paper")]
pub struct UnknownStrategy;

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(text: &str) -> Result<Self, UnknownStrategy> {
        let named = |strategy: &Self| strategy.name() == text;
        Self::ALL.into_iter().find(named).ok_or(UnknownStrategy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for strategy in Strategy::ALL {
            assert_eq!(strategy.to_string().parse(), Ok(strategy));
        }
        for wrong in ["", "Paper", "es-nav", "paper "] {
            assert_eq!(wrong.parse::<Strategy>(), Err(UnknownStrategy));
        }
        assert_eq!(format!("{:>7}|", Strategy::EsAv), "  es.av|");
    }

    #[test]
    fn costs_are_the_papers() {
        let costs = Strategy::ALL.map(|strategy| strategy.checks_of_paper(4, 1000, 32));
        assert_eq!(costs, [32, 2034, 8, 41, 40, 8]);
    }
}
