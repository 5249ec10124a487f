//! What travels between nodes.

use aggregation::committee::{self, LaneKey, Signed};
use base::{Digest, NodeId};
use community::{Contact, SignedDescriptor};
use crypto::{Signature, SigningKey, verify};
use minicbor::{Decode, Encode};
use selection::ActorList;

use crate::plan::SignedPlan;
use crate::publishing::Publication;

/// A message between two nodes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// Who is there, and where, among those in this epoch of the community.
    #[n(0)]
    Overlay(#[n(0)] u64, #[n(1)] overlay::Message),
    /// Drawing helpers.
    #[n(1)]
    Selection(#[n(0)] selection::Message),
    /// Computing.
    #[n(2)]
    Committee(#[n(0)] committee::Message),
    /// The asker to all: a question.
    #[n(3)]
    Announce(#[n(0)] Box<SignedPlan>),
    /// The asker to those who were drawn, with where it is found itself.
    #[n(4)]
    Seat(#[n(0)] Box<Drawn>, #[n(1)] Box<Contact>),
    /// The asker to all: contribute.
    #[n(5)]
    Collect(#[n(0)] Box<Drawn>, #[n(1)] Vec<Signed<LaneKey>>),
    /// From one who may have been away: the open questions that it knows. The receiver tells it of others.
    #[n(6)]
    Open(#[n(0)] Vec<Digest>),
    /// A question is called off: from its asker, or from one who has heard it.
    #[n(7)]
    Cancelled(#[n(0)] Cancellation),
    /// Published answers, by question, that the sender could give.
    #[n(8)]
    Published(#[n(0)] Vec<Digest>),
    /// The published answer to this question is wanted.
    #[n(9)]
    Fetch(#[n(0)] Digest),
    /// It.
    #[n(10)]
    Publication(#[n(0)] Box<Publication>),
    /// The last epoch of the community that the sender knows, with its descriptor's digest.
    #[n(11)]
    Epoch(#[n(0)] u64, #[n(1)] Digest),
    /// Descriptors that the receiver lacks, each on top of the one before.
    #[n(12)]
    Later(#[n(0)] Vec<SignedDescriptor>),
    /// To the asker, who told it directly: the sender has heard of this question.
    #[n(13)]
    Heard(#[n(0)] Digest),
}

/// What a message is for. Nodes count what they send and receive by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Who is there, how to reach them, and on what all have agreed.
    Membership,
    /// Finding the nodes near a point.
    Search,
    /// What is told to all and kept by some.
    Spreading,
    /// Questions that are put, compared and called off.
    Announcing,
    /// Drawing helpers, and telling them.
    Drawing,
    /// Contributions and what helpers make of them.
    Computing,
    /// Answers that their askers show to everybody.
    Publishing,
}

impl Purpose {
    /// Their names, in order: that of `purpose` is at `purpose as usize`.
    pub const NAMES: [&'static str; 7] = [
        "membership",
        "search",
        "broadcasts and records",
        "announcing questions",
        "drawing helpers",
        "computing",
        "publishing answers",
    ];
}

impl Message {
    /// What this message is for.
    pub fn purpose(&self) -> Purpose {
        match self {
            Self::Overlay(_, overlay::Message::Ring(overlay::ring::Message::Membership(_)))
            | Self::Epoch(..)
            | Self::Later(_) => Purpose::Membership,
            Self::Overlay(
                _,
                overlay::Message::Ring(overlay::ring::Message::Routing(_))
                | overlay::Message::Locating(_),
            ) => Purpose::Search,
            Self::Overlay(_, overlay::Message::Spreading(_)) => Purpose::Spreading,
            Self::Announce(_) | Self::Heard(_) | Self::Open(_) | Self::Cancelled(_) => {
                Purpose::Announcing
            }
            Self::Selection(_) | Self::Seat(..) => Purpose::Drawing,
            Self::Committee(_) | Self::Collect(..) => Purpose::Computing,
            Self::Published(_) | Self::Fetch(_) | Self::Publication(_) => Purpose::Publishing,
        }
    }
}

/// The asker's word that a question is called off.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Cancellation {
    /// Which.
    #[n(0)]
    pub question: Digest,
    #[n(1)]
    signature: Signature,
}

impl Cancellation {
    const DOMAIN: &str = "cancelled question";

    /// Calls off a question of the holder of `key`.
    pub fn new(key: &SigningKey, question: Digest) -> Self {
        Self {
            question,
            signature: key.sign(Self::DOMAIN, question.as_bytes()),
        }
    }

    /// Whether `asker` says so: one signature check.
    pub fn is_of(&self, asker: NodeId) -> bool {
        let message = self.question.as_bytes();
        verify(asker, Self::DOMAIN, message, &self.signature).is_ok()
    }
}

/// A question with the helpers that were drawn for it.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
#[cbor(map)]
pub struct Drawn {
    /// What is asked.
    #[n(0)]
    pub plan: SignedPlan,
    /// Who helps.
    #[n(1)]
    pub list: ActorList,
}

#[cfg(test)]
mod tests {
    use base::{decode, encode};

    use super::*;

    #[test]
    fn messages_say_what_they_are_for() {
        // Near, of the routing, of the ring, of the overlay: each an array of its number and its fields.
        let near = (0u32, ((1u32, ((0u32, (7u64,)),)),));
        let near = (0u32, (1u64, near));
        let search: Message = decode(&encode(&near), 64).expect("a search for a point");
        assert_eq!(search.purpose(), Purpose::Search);
        let open = Message::Open(Vec::new());
        assert_eq!(open.purpose(), Purpose::Announcing);
        assert_eq!(Purpose::NAMES[Purpose::Search as usize], "search");
        assert_eq!(Purpose::NAMES[Purpose::Computing as usize], "computing");
    }
}
