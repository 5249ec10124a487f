//! The steps of a computation, as they are seen on the wire: each may be the last of somebody.

use std::fmt;
use std::str::FromStr;

use aggregation::agreement;
use aggregation::committee::Message;
use base::Rng;

use super::UnknownFault;

/// What a helper does one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Vouches for its lane's key.
    Keys,
    /// Passes contributions on.
    Pass,
    /// Says what it holds.
    Close,
    /// As the leader: proposes a set.
    Propose,
    /// Votes for it.
    Prevote,
    /// Votes to make it final.
    Commit,
    /// Shows its lane's seed.
    Seed,
    /// Says what it found when it checked proofs.
    Check,
    /// Takes part in the agreement on whose proofs hold.
    Settle,
    /// Gives the committee above its lane's sum.
    Up,
    /// Tells the others its lane's count.
    Count,
    /// Gives its lane's sum, or refuses.
    Give,
}

impl Step {
    /// All of them, in order.
    pub const ALL: [Self; 12] = [
        Self::Keys,
        Self::Pass,
        Self::Close,
        Self::Propose,
        Self::Prevote,
        Self::Commit,
        Self::Seed,
        Self::Check,
        Self::Settle,
        Self::Up,
        Self::Count,
        Self::Give,
    ];

    pub(super) fn draw(rng: &mut Rng) -> Self {
        Self::ALL[rng.below(Self::ALL.len() as u64) as usize]
    }

    /// Whether only leaders come to it.
    pub(super) fn leads(self) -> bool {
        self == Self::Propose
    }

    /// The step of which this message is part.
    fn of(message: &Message) -> Option<Self> {
        use agreement::Message as Agreement;
        Some(match message {
            Message::LaneSecret(..) | Message::LaneKey(_) => Self::Keys,
            Message::Forward(..) => Self::Pass,
            Message::Holdings(_) => Self::Close,
            Message::Support(_) => Self::Propose,
            Message::Seed(..) => Self::Seed,
            Message::Checked(_) | Message::Verifiers(..) => Self::Check,
            Message::Settlement(..) => Self::Settle,
            Message::Part(..) => Self::Up,
            Message::Count(_) => Self::Count,
            Message::Sum(_) | Message::Denied(_) => Self::Give,
            Message::Agreement(_, message) => match **message {
                Agreement::Proposal { .. } => Self::Propose,
                Agreement::Prevote(_) => Self::Prevote,
                Agreement::Commit(_) => Self::Commit,
                _ => return None,
            },
            _ => return None,
        })
    }

    fn name(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Pass => "pass",
            Self::Close => "close",
            Self::Propose => "propose",
            Self::Prevote => "prevote",
            Self::Commit => "commit",
            Self::Seed => "seed",
            Self::Check => "check",
            Self::Settle => "settle",
            Self::Up => "up",
            Self::Count => "count",
            Self::Give => "give",
        }
    }

    pub(super) fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Step {
    type Err = UnknownFault;

    fn from_str(name: &str) -> Result<Self, UnknownFault> {
        let named = |step: &Self| step.name() == name;
        Self::ALL.into_iter().find(named).ok_or(UnknownFault)
    }
}

/// When a node dies of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Death {
    /// A helper, in this step: after so many of its messages.
    In(Step, u64),
    /// A contributor, before it is called: the script sees to it.
    Before,
    /// A contributor that gets no further than half its message, which is then no message.
    InBundle,
    /// A contributor that has just sent its message and hears no answer.
    AfterBundle,
}

impl Death {
    /// Whether this message still leaves the node, and whether it lives on.
    pub fn meets(&mut self, message: &Message) -> (bool, bool) {
        let is_bundle = matches!(message, Message::Bundle(..));
        match self {
            Self::InBundle => (!is_bundle, !is_bundle),
            Self::AfterBundle => (true, !is_bundle),
            Self::In(step, left) if Step::of(message) == Some(*step) => {
                let lives = *left > 0;
                *left = left.saturating_sub(1);
                (lives, lives)
            }
            Self::In(..) | Self::Before => (true, true),
        }
    }
}
