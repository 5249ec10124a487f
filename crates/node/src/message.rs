//! What travels between nodes.

use aggregation::committee::{self, LaneKey, Signed};
use base::{Digest, NodeId};
use crypto::{Signature, SigningKey, verify};
use minicbor::{Decode, Encode};
use selection::ActorList;

use crate::plan::SignedPlan;

/// A message between two nodes.
#[derive(Debug, Clone, PartialEq, Encode, Decode)]
pub enum Message {
    /// Who is there, and where.
    #[n(0)]
    Overlay(#[n(0)] overlay::Message),
    /// Drawing helpers.
    #[n(1)]
    Selection(#[n(0)] selection::Message),
    /// Computing.
    #[n(2)]
    Committee(#[n(0)] committee::Message),
    /// The asker to all: a question.
    #[n(3)]
    Announce(#[n(0)] Box<SignedPlan>),
    /// The asker to those who were drawn.
    #[n(4)]
    Seat(#[n(0)] Box<Drawn>),
    /// The asker to all: contribute.
    #[n(5)]
    Collect(#[n(0)] Box<Drawn>, #[n(1)] Vec<Signed<LaneKey>>),
    /// From one who may have been away: the open questions that it knows. The receiver tells it of others.
    #[n(6)]
    Open(#[n(0)] Vec<Digest>),
    /// A question is called off: from its asker, or from one who has heard it.
    #[n(7)]
    Cancelled(#[n(0)] Cancellation),
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
