//! Who lies, and about what.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::choice::Choice;

/// What a liar does: a helper or a contributor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Liar {
    /// A helper that gives a wrong sum of its lane.
    WrongSum,
    /// A helper that tells the others a wrong count of its lane.
    WrongCount,
    /// A helper that tells some the right count and others a wrong one.
    TwoCounts,
    /// A helper that proposes and votes for one set with one half of the others, and for a set without one person with the
    /// other half. Such liars know of each other, and each votes for whatever another one leads.
    TwoSets,
    /// A helper that hears nothing of one person, and as a leader nothing of those who do.
    LeavesOut,
    /// A helper that says everything again, later, in other computations, and what others have said in its own name.
    Replays,
    /// A helper that acknowledges contributions and passes none of them on.
    Keeps,
    /// A helper that passes contributions on to some lanes only.
    HalfPasses,
    /// A helper that tells everybody its lane's seed before the candidates are closed.
    TellsSeed,
    /// A helper that says that a share is bad which is not.
    FalseCry,
    /// A helper of a tree that gives the committee above a wrong sum of its lane.
    WrongPart,
    /// A helper that hears everything and says nothing.
    Mute,
    /// A contributor that hands two helpers two contributions, each well signed.
    TwoBundles,
    /// A contributor that restarts with its keys, forgets that it has contributed, and does so again with other numbers.
    Again,
    /// A contributor whose shares for some lanes are missing.
    HalfSent,
    /// A contributor that shows one helper the shares of some lanes, and another one those of the others.
    Halves,
    /// A contributor that breaks the share of one lane.
    BrokenShare,
    /// A contributor that sends random bytes of the right length.
    Garbage,
    /// A contributor whose number is five times the greatest, with a proof made as if it were not.
    OutOfRange,
    /// A contributor that contributes to two leaves of a tree.
    TwoLeaves,
    /// A contributor that matches to lift a small crowd over the threshold.
    Pads,
}

impl Liar {
    /// All of them.
    pub const ALL: [Self; 21] = [
        Self::WrongSum,
        Self::WrongCount,
        Self::TwoCounts,
        Self::TwoSets,
        Self::LeavesOut,
        Self::Replays,
        Self::Keeps,
        Self::HalfPasses,
        Self::TellsSeed,
        Self::FalseCry,
        Self::WrongPart,
        Self::Mute,
        Self::TwoBundles,
        Self::Again,
        Self::HalfSent,
        Self::Halves,
        Self::BrokenShare,
        Self::Garbage,
        Self::OutOfRange,
        Self::TwoLeaves,
        Self::Pads,
    ];

    /// Whether it lies as a contributor. It has no seat, as long as some have none.
    pub fn contributes(self) -> bool {
        self >= Self::TwoBundles
    }

    /// Whether its lie is a leader's.
    pub(super) fn leads(self) -> bool {
        matches!(self, Self::TwoSets | Self::LeavesOut)
    }

    /// Whether it contributes one vector here and another one there.
    pub(super) fn has_two_vectors(self) -> bool {
        matches!(self, Self::TwoBundles | Self::Again)
    }

    fn name(self) -> &'static str {
        match self {
            Self::WrongSum => "wrong-sum",
            Self::WrongCount => "wrong-count",
            Self::TwoCounts => "two-counts",
            Self::TwoSets => "two-sets",
            Self::LeavesOut => "leaves-out",
            Self::Replays => "replays",
            Self::Keeps => "keeps",
            Self::HalfPasses => "half-passes",
            Self::TellsSeed => "tells-seed",
            Self::FalseCry => "false-cry",
            Self::WrongPart => "wrong-part",
            Self::Mute => "mute",
            Self::TwoBundles => "two-bundles",
            Self::Again => "again",
            Self::HalfSent => "half-sent",
            Self::Halves => "halves",
            Self::BrokenShare => "broken-share",
            Self::Garbage => "garbage",
            Self::OutOfRange => "out-of-range",
            Self::TwoLeaves => "two-leaves",
            Self::Pads => "pads",
        }
    }
}

impl fmt::Display for Liar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Not the name of a liar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "give one of wrong-sum, wrong-count, two-counts, two-sets, leaves-out, replays, keeps, half-passes, wrong-part, false-cry, tells-seed, mute, two-bundles, again, half-sent, halves, broken-share, garbage, out-of-range, two-leaves, pads, or any"
)]
pub struct UnknownLiar;

impl FromStr for Liar {
    type Err = UnknownLiar;

    fn from_str(name: &str) -> Result<Self, UnknownLiar> {
        let named = |liar: &Self| liar.name() == name;
        Self::ALL.into_iter().find(named).ok_or(UnknownLiar)
    }
}

impl FromStr for Choice<Liar> {
    type Err = UnknownLiar;

    fn from_str(name: &str) -> Result<Self, UnknownLiar> {
        match name {
            "any" => Ok(Self::Any),
            name => name.parse().map(Self::This),
        }
    }
}

impl fmt::Display for Choice<Liar> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::This(liar) => liar.fmt(f),
            Self::Any => f.pad("any"),
        }
    }
}
