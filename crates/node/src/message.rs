//! What travels between nodes.

use aggregation::committee::{self, LaneKey, Signed};
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
